/* SPDX-License-Identifier: MIT */
#include "lwp/session/session.h"

enum { SMALLEST_IN_LIMIT = 262144, ANSWER_PAUSE_NS = 1000000000 };

void lwp_session_init(struct lwp_session *session, const struct lwp_session_options *options,
                      uint64_t now_ns)
{
    const struct lwp_queue in = session->in;
    const struct lwp_queue out = session->out;
    *session = (struct lwp_session){
        .options = *options,
        .in = in,
        .out = out,
        .heard_ns = now_ns,
        .said_ns = now_ns,
    };
}

size_t lwp_session_in_limit(const struct lwp_session_options *options)
{
    const size_t largest = (size_t)options->max_payload + LWP_HEADER_SIZE;
    return largest < SMALLEST_IN_LIMIT ? SMALLEST_IN_LIMIT : largest;
}

void lwp_session_received(struct lwp_session *session, size_t size, uint64_t now_ns)
{
    lwp_queue_fill(&session->in, size);
    session->heard_ns = now_ns;
    session->fresh = true;
}

static void drop_taken(struct lwp_session *session)
{
    lwp_queue_drop(&session->in, session->taken);
    session->position += session->taken;
    session->taken = 0;
}

static enum lwp_status queue_frame(struct lwp_session *session, struct lwp_frame frame,
                                   uint32_t keep, uint64_t now_ns)
{
    uint8_t head[LWP_HEADER_SIZE];
    if (lwp_frame_size(&frame) > session->out.capacity - session->out.size)
        return LWP_FULL;
    lwp_frame_seal(&frame, session->options.dialect->polynomial, keep);
    lwp_header_encode(&frame.header, head);
    /* Both fit, as was just looked at. */
    (void)lwp_queue_push(&session->out, (struct lwp_bytes){head, sizeof(head)});
    (void)lwp_queue_push(&session->out, frame.payload);
    session->said_ns = now_ns;
    return LWP_OK;
}

static uint64_t later(uint64_t since_ns, uint64_t by_ns)
{
    return by_ns && by_ns < LWP_NEVER - since_ns ? since_ns + by_ns : LWP_NEVER;
}

/* D37: the answer to our own question, or a question to be answered once. A server that answers even
 * our answers would have us exchange them for ever, so a client does not answer at once again. */
static enum lwp_status answer_keepalive(struct lwp_session *session, uint64_t now_ns)
{
    const bool is_client = session->options.role == LWP_CLIENT;
    if (session->asked || (is_client && now_ns < session->answers_from_ns)) {
        session->asked = false;
        return LWP_OK;
    }
    const struct lwp_frame answer = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    session->answers_from_ns = later(now_ns, ANSWER_PAUSE_NS);
    return queue_frame(session, answer, 0, now_ns);
}

enum lwp_status lwp_session_receive(struct lwp_session *session, struct lwp_frame *frame,
                                    uint64_t now_ns)
{
    drop_taken(session);
    if (session->fault.status != LWP_OK)
        return session->fault.status;
    const struct lwp_dialect *dialect = session->options.dialect;
    const bool unchecked_size = dialect->late_size_check && !session->fresh;
    const struct lwp_frame_rules rules = {
        .polynomial = dialect->polynomial,
        .max_payload = unchecked_size ? UINT32_MAX : session->options.max_payload,
    };
    session->fresh = false;
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const enum lwp_status status =
        lwp_frame_split(&rules, lwp_queue_bytes(&session->in), frame, &fault);
    if (status == LWP_MORE)
        return status;
    if (status != LWP_OK) {
        fault.offset += session->position;
        session->fault = fault;
        return status;
    }
    const bool is_keepalive = lwp_frame_kind(frame, dialect) == LWP_KIND_KEEPALIVE;
    if (session->options.keepalive_ns && is_keepalive &&
        answer_keepalive(session, now_ns) != LWP_OK)
        return LWP_FULL;
    session->taken = lwp_frame_size(frame);
    return LWP_OK;
}

/* The bytes missing to the frame at the front, as far as is known. */
static uint64_t missing_size(const struct lwp_session *session)
{
    const struct lwp_bytes in = lwp_bytes_from(lwp_queue_bytes(&session->in), session->taken);
    if (in.size < LWP_HEADER_SIZE)
        return LWP_HEADER_SIZE - in.size;
    struct lwp_header header;
    lwp_header_decode(in.data, &header);
    const uint64_t whole = (uint64_t)LWP_HEADER_SIZE + header.payload_length;
    return whole > in.size ? whole - in.size : 0;
}

uint64_t lwp_session_wanted(const struct lwp_session *session)
{
    const uint64_t missing = missing_size(session);
    return missing ? missing : 1;
}

bool lwp_session_has_frame(const struct lwp_session *session)
{
    return missing_size(session) == 0;
}

enum lwp_status lwp_session_send(struct lwp_session *session, struct lwp_frame frame, uint32_t keep,
                                 uint64_t now_ns)
{
    const enum lwp_status status = queue_frame(session, frame, keep, now_ns);
    /* D37: whoever sends a Keepalive has asked. */
    const bool asks = lwp_frame_kind(&frame, session->options.dialect) == LWP_KIND_KEEPALIVE;
    if (status == LWP_OK && asks && session->options.keepalive_ns)
        session->asked = true;
    return status;
}

/* When the next Keepalive is due: not while one is unanswered. */
static uint64_t keepalive_due(const struct lwp_session *session)
{
    /* The one who has been silent longer: we, so that the peer does not take us for dead, or the
     * peer, so that we learn whether it is. */
    const uint64_t quiet_since =
        session->heard_ns < session->said_ns ? session->heard_ns : session->said_ns;
    return session->asked ? LWP_NEVER : later(quiet_since, session->options.keepalive_ns);
}

static uint64_t death_due(const struct lwp_session *session)
{
    return later(session->heard_ns, session->options.dead_after_ns);
}

uint64_t lwp_session_deadline(const struct lwp_session *session)
{
    if (session->fault.status != LWP_OK)
        return LWP_NEVER;
    const uint64_t keepalive = keepalive_due(session);
    const uint64_t death = death_due(session);
    return keepalive < death ? keepalive : death;
}

enum lwp_status lwp_session_tick(struct lwp_session *session, uint64_t now_ns)
{
    if (session->fault.status != LWP_OK)
        return session->fault.status;
    const uint64_t death_ns = death_due(session);
    const uint64_t keepalive_ns = keepalive_due(session);
    if (death_ns != LWP_NEVER && now_ns >= death_ns) {
        session->fault = (struct lwp_fault){LWP_TIMEOUT, session->position, NULL};
        return LWP_TIMEOUT;
    }
    if (keepalive_ns == LWP_NEVER || now_ns < keepalive_ns)
        return LWP_OK;
    const struct lwp_frame question = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    return lwp_session_send(session, question, 0, now_ns);
}
