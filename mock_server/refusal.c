/* SPDX-License-Identifier: MIT */
#include "lwp/json/json.h"
#include "lwp/net/clock.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"
#include "mock_server/mock_state.h"

#define LINGER_NS LWP_SECOND_NS /* How long a refused peer may take to read why. */

/* 12.2. A connection without a dialect has not said anything yet; the code is the specification's.
 */
static void send_limit(struct member *member, uint64_t now_ns)
{
    uint8_t text[128];
    struct lwp_writer out = lwp_writer_on(text, sizeof(text));
    const struct lwp_error_document document = {
        .code = LWP_ERROR_CONNECTION_LIMIT,
        .message = lwp_bytes_text("Connection limit reached"),
    };
    if (member->connection.undecided)
        member->connection.link.session.options.dialect = &lwp_dialect_spec;
    if (lwp_json_write_error(&document, &out) != LWP_OK)
        return;
    const struct lwp_frame frame =
        lwp_message_frame(LWP_COMMAND_ERROR_RESPONSE, lwp_writer_bytes(&out));
    (void)lwp_link_send(&member->connection.link, &frame, 0, now_ns);
}

void refusal_begin(struct member *member, enum lwp_mock_refusal refusal, uint64_t now_ns)
{
    struct lwp_link *link = &member->connection.link;
    member->refused = true;
    member->refused_by_ns = lwp_clock_later(now_ns, LINGER_NS);
    if (refusal == LWP_MOCK_REFUSE_RESET) {
        connection_reset(&member->connection, now_ns);
        return;
    }
    if (refusal == LWP_MOCK_REFUSE_ERROR)
        send_limit(member, now_ns);
    /* By half: were it closed with bytes unread, the reset could overtake what was said. */
    lwp_link_close(link, LWP_CLOSE_HALF);
}

bool refusal_step(struct member *member, uint64_t now_ns)
{
    struct lwp_link *link = &member->connection.link;
    const enum lwp_status status = lwp_link_read(link, now_ns);
    lwp_queue_drop(&link->session.in, link->session.in.size);
    const enum lwp_status written = lwp_link_write(link);
    const bool gone = written != LWP_OK && written != LWP_WOULD_BLOCK;
    if (gone || now_ns >= member->refused_by_ns)
        connection_reset(&member->connection, now_ns);
    else if (status != LWP_OK && status != LWP_WOULD_BLOCK)
        member->connection.done = true;
    return status != LWP_WOULD_BLOCK || member->connection.done;
}
