/* SPDX-License-Identifier: MIT */
#include "mock_server/compose.h"

#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/answers.h"

void compose_summary(const struct script_rule *rule, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < rule->actions.count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "",
                               script_action_rows[rule->actions.items[i].kind].word);
}

static const struct lwp_bytes *text_of(const struct script_action *action)
{
    return action->has_text ? &action->bytes : NULL;
}

static struct lwp_bytes address_of(const struct composing *composing)
{
    const struct connection_host *host = composing->connection->host;
    const struct script_action *action = composing->action;
    return action->has_text ? action->bytes : host->address_of(host->owner, action->word);
}

/* topic-reply id=1 name="x": a document of the dialect's form. */
static struct lwp_topic topic_of(const struct script_frame *frame)
{
    struct lwp_topic topic = {.id = 1, .name = lwp_bytes_text("topic"), .topic_epoch = 1};
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        if (lwp_bytes_equal(field->path, lwp_bytes_text("id")))
            topic.id = field->value.number;
        else if (lwp_bytes_equal(field->path, lwp_bytes_text("created_at")))
            topic.created_at = field->value.number;
        else if (lwp_bytes_equal(field->path, lwp_bytes_text("topic_epoch")))
            topic.topic_epoch = field->value.number;
        else if (lwp_bytes_equal(field->path, lwp_bytes_text("name")))
            topic.name = field->value.bytes;
    }
    return topic;
}

/* So far is a server that catches up; it does not begin anew behind the last offset. */
static uint64_t offset_of(const struct script_action *action, uint64_t turn)
{
    uint64_t offset = 0;
    return __builtin_mul_overflow(action->step, turn, &offset) ||
                   __builtin_add_overflow(action->number, offset, &offset)
               ? UINT64_MAX
               : offset;
}

static enum lwp_status write_answer(const struct composing *composing,
                                    const struct lwp_answering *to, struct lwp_frame *frame)
{
    const struct script_action *action = composing->action;
    switch ((int)action->kind) {
    case SCRIPT_ACTION_BACKPRESSURE:
        return lwp_answer_backpressure(to, frame);
    case SCRIPT_ACTION_ERROR:
        return lwp_answer_error(to, (unsigned)action->number, text_of(action), frame);
    case SCRIPT_ACTION_REDIRECT:
        return lwp_answer_redirect(to, address_of(composing), frame);
    case SCRIPT_ACTION_LEADER_UNKNOWN:
        return lwp_answer_leader_unknown(to, frame);
    case SCRIPT_ACTION_RATE_LIMITED:
        return lwp_answer_rate_limited(to, action->least_ns / LWP_MILLISECOND_NS, frame);
    case SCRIPT_ACTION_CATCHING_UP:
        return lwp_answer_catching_up(to, offset_of(action, composing->turn), frame);
    case SCRIPT_ACTION_AUTH_REPLY:
        return lwp_answer_auth(to, action->ok, text_of(action), frame);
    case SCRIPT_ACTION_ACK:
        *frame = (struct lwp_frame){.header = {.flags = LWP_FLAG_ACK}};
        frame->header.batch_id = composing->asked ? composing->asked->header.batch_id : 0;
        return LWP_OK;
    default:
        *frame = (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}};
        return LWP_OK;
    }
}

/* An answer that the tables know. */
static struct parcel *compose_known(const struct composing *composing)
{
    enum { ADDRESS_ROOM = 4096 };
    const struct lwp_dialect *dialect = composing->connection->asker.dialect;
    const size_t room = lwp_answer_bound(composing->action->bytes.size + ADDRESS_ROOM);
    struct lwp_writer out = lwp_writer_on(malloc(room), room);
    struct lwp_frame frame;
    const struct lwp_answering to = {dialect, composing->action->form, &out};
    struct parcel *parcel = NULL;
    if (out.data && write_answer(composing, &to, &frame) == LWP_OK)
        parcel = parcel_sealed(&frame, dialect);
    free(out.data);
    return parcel;
}

static struct parcel *compose_topic(const struct composing *composing)
{
    const struct lwp_dialect *dialect = composing->connection->asker.dialect;
    const struct lwp_topic topic = topic_of(&composing->action->frame);
    const size_t room = lwp_answer_bound(topic.name.size);
    struct lwp_writer out = lwp_writer_on(malloc(room), room);
    struct lwp_frame frame;
    const struct lwp_answering to = {dialect, SCRIPT_FORM_DIALECT, &out};
    struct parcel *parcel = NULL;
    if (out.data && lwp_answer_topic(&to, &topic, &frame) == LWP_OK)
        parcel = parcel_sealed(&frame, dialect);
    free(out.data);
    return parcel;
}

static bool names_field(const struct script_frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        if (field->subject == SCRIPT_PAYLOAD && strcmp(field->field->name, name) == 0)
            return true;
    }
    return false;
}

static bool names_header(const struct script_frame *frame)
{
    for (size_t i = 0; i < frame->fields.count; i++)
        if (frame->fields.items[i].subject == SCRIPT_HEADER)
            return true;
    return false;
}

static bool decode_as(uint8_t command, struct lwp_bytes payload, struct lwp_message *message)
{
    struct lwp_bytes rest;
    struct lwp_fault fault;
    return lwp_message_decode(command, payload, message, &rest, &fault) == LWP_OK;
}

static bool is_to_complete(const struct composing *composing)
{
    const struct script_frame *said = &composing->action->frame;
    const bool has_all = names_field(said, "next_offset") && names_field(said, "record_count");
    return composing->asked && !has_all && !names_header(said);
}

/* A fetch-reply that does not say where it ends goes on from where the fetch has asked, and one that
 * does not count its records has as many as the dialect says. */
static struct parcel *complete_fetch(const struct composing *composing, struct parcel *parcel)
{
    const struct script_frame *said = &composing->action->frame;
    const struct lwp_dialect *dialect = composing->connection->asker.dialect;
    struct lwp_message request = {.command = 0};
    struct lwp_message reply = {.command = 0};
    if (!parcel || !is_to_complete(composing))
        return parcel;
    const struct lwp_bytes payload = lwp_bytes_from(parcel_bytes(parcel), LWP_HEADER_SIZE);
    if (!decode_as(LWP_COMMAND_FETCH, composing->asked->payload, &request) ||
        !decode_as(LWP_COMMAND_FETCH_RESPONSE, payload, &reply))
        return parcel;
    if (!names_field(said, "next_offset"))
        reply.next_offset = request.start_offset + reply.data.size;
    if (!names_field(said, "record_count")) /* D8. */
        reply.record_count =
            dialect->counts_records ? said->record_count : (uint64_t)(reply.data.size > 0);
    struct lwp_writer out = lwp_writer_on(malloc(payload.size + 1), payload.size);
    if (out.data && lwp_message_encode(&reply, &out) == LWP_OK) {
        const struct lwp_frame frame =
            lwp_message_frame(LWP_COMMAND_FETCH_RESPONSE, lwp_writer_bytes(&out));
        free(parcel);
        parcel = parcel_sealed(&frame, dialect);
    }
    free(out.data);
    return parcel;
}

/* An answer that the script spells out. */
static struct parcel *compose_frame(const struct composing *composing)
{
    const struct connection *connection = composing->connection;
    const struct script_frame *said = &composing->action->frame;
    const struct script_variables *variables =
        stage_variables(connection->host->stage, composing->rule);
    if (!variables)
        return NULL;
    struct parcel *parcel = parcel_new(script_frame_bound(said, variables));
    if (!parcel)
        return NULL;
    struct lwp_writer out = lwp_writer_on(parcel->wire, parcel->size);
    const uint64_t batch_id = composing->asked ? composing->asked->header.batch_id : 0;
    if (script_build(said, connection->asker.dialect, variables, batch_id, &out) != LWP_OK) {
        free(parcel);
        return NULL;
    }
    parcel->size = out.size;
    return parcel;
}

struct parcel *compose(const struct composing *composing)
{
    const struct script_action *action = composing->action;
    const bool has_document =
        action->frame.fields.count && action->frame.fields.items[0].subject == SCRIPT_JSON;
    switch ((int)action->kind) {
    case SCRIPT_ACTION_RAW:
        return parcel_of(action->bytes, NULL);
    case SCRIPT_ACTION_TOPIC_REPLY:
        return has_document ? compose_topic(composing) : compose_frame(composing);
    case SCRIPT_ACTION_FETCH_REPLY:
        return complete_fetch(composing, compose_frame(composing));
    case SCRIPT_ACTION_REPLY:
        return compose_frame(composing);
    default:
        return compose_known(composing);
    }
}
