/* SPDX-License-Identifier: MIT */
#include "conformance/changes.h"

#include "lwp/wire/dialect.h"
#include "mock_server/script/frames.h"

static bool command_changes(uint8_t code)
{
    static const uint8_t reading[] = {LWP_COMMAND_LIST_TOPICS, LWP_COMMAND_GET_TOPIC,
                                      LWP_COMMAND_FETCH, LWP_COMMAND_GET_CLUSTER_STATUS,
                                      LWP_COMMAND_AUTHENTICATE};
    const struct lwp_command *command = lwp_command_of(code);
    return !command || (command->from_client && !memchr(reading, command->code, sizeof(reading)));
}

/* By the deployed server's rule, which makes more frames ingests and commands than any other. */
static bool header_changes(const struct lwp_header *header)
{
    static const uint8_t something[1];
    const struct lwp_frame frame = {
        .header = *header, .payload = {something, header->payload_length ? sizeof(something) : 0}};
    const enum lwp_kind kind = lwp_frame_kind(&frame, &lwp_dialect_lance);
    if (kind == LWP_KIND_CONTROL)
        return command_changes((uint8_t)header->batch_id);
    return kind == LWP_KIND_INGEST && header->payload_length;
}

static bool frame_changes(const struct script_frame *frame)
{
    struct lwp_header header = {.flags = lwp_kind_flags(frame->kind),
                                .batch_id = frame->command ? frame->command->code : 0,
                                .payload_length = frame->body != SCRIPT_BODY_NONE};
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        if (field->subject == SCRIPT_HEADER)
            lwp_header_set(
                &header, field->header,
                script_number_of(&field->value, NULL, lwp_header_get(&header, field->header)));
    }
    return header_changes(&header);
}

/* Half a header could be anything's; what does not begin as a frame is none, or a payload whose
 * header came before. */
static bool raw_changes(struct lwp_bytes raw)
{
    static const uint8_t magic[] = {'L', 'A', 'N', 'C'};
    struct lwp_header header;
    if (raw.size < sizeof(magic) || memcmp(raw.data, magic, sizeof(magic)) != 0)
        return false;
    if (raw.size != LWP_HEADER_SIZE)
        return true;
    lwp_header_decode(raw.data, &header);
    return header_changes(&header);
}

bool run_changes_server(const struct script_case *of)
{
    for (size_t i = 0; i < of->steps.count; i++) {
        const struct script_step *step = &of->steps.items[i];
        if (step->kind == SCRIPT_SEND_RAW ? raw_changes(step->raw)
                                          : step->kind == SCRIPT_GIVEN_TOPIC)
            return true;
        for (size_t f = 0; f < step->frames.count; f++)
            if (frame_changes(&step->frames.items[f]))
                return true;
    }
    return false;
}
