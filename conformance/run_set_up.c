/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "conformance/run_state.h"
#include "lwp/json/json.h"
#include "lwp/wire/trace.h"

static void set_up_failed(struct run *run, const struct script_step *step, const char *what,
                          enum lwp_status status)
{
    char reason[RESULT_TEXT_SIZE];
    (void)snprintf(reason, sizeof(reason), "set-up: %s: %s", what, lwp_status_text(status));
    step_verdict(run, step, VERDICT_ERROR, reason);
}

static uint64_t deadline_of(const struct run *run)
{
    return lwp_world_now(run->options->world) + DEFAULT_WAIT_NS * run->options->time_factor;
}

/* The answer to what the runner itself has asked. */
static enum lwp_status next_answer(struct run *run)
{
    return wire_status(run, OWN_CONNECTION, wire_next(run, OWN_CONNECTION, deadline_of(run)));
}

static bool open_own(struct run *run, const struct script_step *step)
{
    if (run->peers[OWN_CONNECTION].open)
        return true;
    const enum lwp_status status = wire_open(run, OWN_CONNECTION, true);
    if (status != LWP_OK)
        set_up_failed(run, step, "connect", status);
    return status == LWP_OK;
}

/* A name that nobody uses: prefix, number of the case, number of the name. */
static struct lwp_bytes new_name(struct run *run)
{
    char name[128];
    (void)snprintf(name, sizeof(name), "%s-%u-%u", run->options->prefix, run->ordinal,
                   ++run->name_count);
    return script_arena_copy(run->arena, lwp_bytes_text(name));
}

/* The id in a topic's document; 0 if it is none of a topic with this name. */
static uint64_t id_in(struct lwp_bytes document, struct lwp_bytes name)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    struct lwp_bytes found = {NULL, 0};
    uint64_t id = 0;
    if (lwp_json_read(document, &json, &fault) != LWP_OK)
        return 0;
    const bool same = lwp_json_string(json, "name", &found) == LWP_OK &&
                      lwp_bytes_equal(found, name) && lwp_json_integer(json, "id", &id) == LWP_OK;
    lwp_json_free(json);
    return same ? id : 0;
}

static void add_id(struct run *run, uint64_t id)
{
    uint64_t *added = id ? SCRIPT_ADD(run->arena, &run->created_ids) : NULL;
    if (added)
        *added = id;
}

static bool is_answer(const struct run *run, uint8_t command)
{
    const struct lwp_header *header = &run->peers[OWN_CONNECTION].frame.header;
    return header->flags == LWP_FLAG_CONTROL && header->batch_id == command;
}

/* Makes the topic; its id, or 0 with the verdict in. */
static uint64_t create(struct run *run, const struct script_step *step, struct lwp_bytes name)
{
    const struct lwp_message message = {.command = LWP_COMMAND_CREATE_TOPIC, .name = name};
    char line[LWP_TRACE_SIZE];
    wire_send_message(run, OWN_CONNECTION, &message);
    const enum lwp_status status = next_answer(run);
    if (status != LWP_OK) {
        set_up_failed(run, step, "create-topic", status);
        return 0;
    }
    const struct lwp_frame *frame = &run->peers[OWN_CONNECTION].frame;
    const uint64_t id =
        is_answer(run, LWP_COMMAND_TOPIC_RESPONSE) ? id_in(frame->payload, name) : 0;
    if (id)
        return id;
    (void)lwp_trace_frame(run->options->dialect, frame, line, sizeof(line));
    step_verdict(run, step, VERDICT_ERROR, "set-up: create-topic was not answered by a topic");
    (void)snprintf(run->result->actual, sizeof(run->result->actual), "%s", line);
    return 0;
}

/* Writes the records and waits for the ack. */
static void write_records(struct run *run, const struct script_step *step, uint64_t topic_id)
{
    struct script_frame frame = step->frames.items[0];
    const size_t bound = script_frame_bound(&frame, &run->variables);
    struct lwp_writer out = lwp_writer_on(script_arena_take(run->arena, bound), bound);
    if (!out.data || script_build(&frame, run->options->dialect, &run->variables,
                                  ++run->peers[OWN_CONNECTION].last_batch_id, &out) != LWP_OK) {
        set_up_failed(run, step, "records", LWP_NO_MEMORY);
        return;
    }
    /* The topic is not the script's to name: it has only just been made. */
    struct lwp_frame built = {.payload = lwp_bytes_from(lwp_writer_bytes(&out), LWP_HEADER_SIZE)};
    lwp_header_decode(out.data, &built.header);
    built.header.topic_id = (uint32_t)topic_id;
    lwp_header_encode(&built.header, out.data);
    wire_send(run, OWN_CONNECTION, lwp_writer_bytes(&out));
    const enum lwp_status status = next_answer(run);
    if (status != LWP_OK)
        set_up_failed(run, step, "ingest", status);
    else if (run->peers[OWN_CONNECTION].frame.header.flags != LWP_FLAG_ACK)
        set_up_failed(run, step, "ingest", LWP_UNEXPECTED_FRAME);
}

void set_up_topic(struct run *run, const struct script_step *step)
{
    char of_name[128];
    const struct lwp_bytes name = new_name(run);
    if (!open_own(run, step))
        return;
    const uint64_t id = create(run, step, name);
    if (id == 0)
        return;
    add_id(run, id);
    (void)snprintf(of_name, sizeof(of_name), "%.*s.name", (int)step->variable.size,
                   (const char *)step->variable.data);
    script_bind_number(&run->variables, step->variable, id);
    script_bind_bytes(&run->variables, lwp_bytes_text(of_name), name);
    if (step->frames.count)
        write_records(run, step, id);
}

void set_up_name(struct run *run, const struct script_step *step)
{
    struct lwp_bytes name = new_name(run);
    if (step->name_size > name.size) {
        uint8_t *padded = script_arena_take(run->arena, step->name_size);
        if (!padded)
            return;
        memset(padded, 'n', step->name_size);
        memcpy(padded, name.data, name.size);
        name = (struct lwp_bytes){padded, step->name_size};
    }
    script_bind_bytes(&run->variables, step->variable, name);
}

void set_up_watch_sent(struct run *run, struct lwp_bytes wire)
{
    struct lwp_header header;
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    if (wire.size < LWP_HEADER_SIZE)
        return;
    lwp_header_decode(wire.data, &header);
    const uint8_t command = (uint8_t)header.batch_id;
    const bool creates =
        command == LWP_COMMAND_CREATE_TOPIC || command == LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION;
    if (!(header.flags & LWP_FLAG_CONTROL) || !creates ||
        lwp_message_decode(command, lwp_bytes_from(wire, LWP_HEADER_SIZE), &message, &rest,
                           &fault) != LWP_OK)
        return;
    struct lwp_bytes *added = SCRIPT_ADD(run->arena, &run->created_names);
    if (added)
        *added = script_arena_copy(run->arena, message.name);
}

void set_up_watch_received(struct run *run, const struct lwp_frame *frame)
{
    if (!(frame->header.flags & LWP_FLAG_CONTROL) ||
        frame->header.batch_id != LWP_COMMAND_TOPIC_RESPONSE)
        return;
    for (size_t i = 0; i < run->created_names.count; i++) {
        add_id(run, id_in(frame->payload, run->created_names.items[i]));
    }
}

/* The id of the listed topic with this name; 0 if there is none. */
static uint64_t listed_id(const struct lwp_json *json, struct lwp_bytes name)
{
    const size_t count = lwp_json_count(json, "topics");
    for (size_t i = 0; i < count; i++) {
        char path[64];
        struct lwp_bytes found = {NULL, 0};
        uint64_t id = 0;
        (void)snprintf(path, sizeof(path), "topics.%zu.name", i);
        if (lwp_json_string(json, path, &found) != LWP_OK || !lwp_bytes_equal(found, name))
            continue;
        (void)snprintf(path, sizeof(path), "topics.%zu.id", i);
        return lwp_json_integer(json, path, &id) == LWP_OK ? id : 0;
    }
    return 0;
}

/* A case that failed has not read all answers: which of the topics that it asked for are there? */
static void look_for_created(struct run *run)
{
    const struct lwp_message message = {.command = LWP_COMMAND_LIST_TOPICS};
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    wire_send_message(run, OWN_CONNECTION, &message);
    if (next_answer(run) != LWP_OK || !is_answer(run, LWP_COMMAND_TOPIC_RESPONSE) ||
        lwp_json_read(run->peers[OWN_CONNECTION].frame.payload, &json, &fault) != LWP_OK)
        return;
    for (size_t i = 0; i < run->created_names.count; i++)
        add_id(run, listed_id(json, run->created_names.items[i]));
    lwp_json_free(json);
}

void set_up_clean(struct run *run)
{
    const bool looks = run->failed && run->created_names.count;
    if (run->created_ids.count == 0 && !looks)
        return;
    if (!run->peers[OWN_CONNECTION].open && wire_open(run, OWN_CONNECTION, true) != LWP_OK)
        return;
    if (looks)
        look_for_created(run);
    for (size_t i = 0; i < run->created_ids.count; i++) {
        const struct lwp_message message = {.command = LWP_COMMAND_DELETE_TOPIC,
                                            .topic_id = run->created_ids.items[i]};
        /* What the case deleted itself is answered by an error, and that is fine. */
        wire_send_message(run, OWN_CONNECTION, &message);
        if (next_answer(run) != LWP_OK)
            return;
    }
}
