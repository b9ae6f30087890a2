/* SPDX-License-Identifier: MIT */
/* wire_table - prints what this machine puts on the wire and reads from it: headers, checksums,
 * control payloads, records, traces. The text must be the same on every machine: ci/cross compares.
 */
#include <inttypes.h>

#include "lwp/tests/support.h"
#include "lwp/wire/tlv.h"
#include "lwp/wire/trace.h"

static const enum lwp_polynomial POLYNOMIALS[] = {LWP_CRC32C, LWP_CRC32};

static void print_hex(const char *what, struct lwp_bytes bytes)
{
    printf("%s %zu ", what, bytes.size);
    for (size_t i = 0; i < bytes.size; i++)
        printf("%02x", bytes.data[i]);
    putchar('\n');
}

/* What was encoded, read again: field by field, as numbers. */
static void print_header(const struct lwp_header *header)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_header again;
    lwp_header_encode(header, wire);
    print_hex("header", bytes_of(wire, sizeof(wire)));
    lwp_header_decode(wire, &again);
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        printf("%s=%" PRIu64 " ", lwp_header_fields[i].name,
               lwp_header_get(&again, (enum lwp_header_index)i));
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        printf("crc=%08" PRIx32 " %s ", lwp_header_crc(&again, POLYNOMIALS[i]),
               lwp_status_name(lwp_header_check(&again, POLYNOMIALS[i])));
    putchar('\n');
}

static void print_headers(void)
{
    uint64_t seed = 0x4ead;
    for (unsigned flags = 0; flags < 256; flags++)
        for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++) {
            struct lwp_frame frame = frame_of((uint8_t)flags, bytes_of(NULL, 0));
            lwp_frame_seal(&frame, POLYNOMIALS[i], 0);
            print_header(&frame.header);
        }
    for (int round = 0; round < 256; round++) {
        struct lwp_header header = {0};
        for (int field = 0; field < LWP_HEADER_FIELD_COUNT; field++)
            lwp_header_set(&header, (enum lwp_header_index)field, next_random(&seed));
        print_header(&header);
    }
}

/* Each size at another alignment. */
static void print_checksums(void)
{
    static uint8_t bytes[(1 << 20) + 64];
    fill_random(bytes, sizeof(bytes), 0x5eed);
    for (size_t size = 0; size <= (1 << 20); size += size < 2048 ? 1 : size / 16 + 1) {
        const struct lwp_bytes in = bytes_of(bytes + size % 61, size);
        printf("crc %zu", size);
        for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
            printf(" %08" PRIx32 " %08" PRIx32, lwp_crc(POLYNOMIALS[i], in),
                   lwp_crc_update(POLYNOMIALS[i], 0x80000001, in));
        putchar('\n');
    }
}

/* A frame in every dialect: its bytes, and the line that the tracer writes of it. */
static void print_frame(struct lwp_frame frame)
{
    for (size_t i = 0; lwp_dialects[i]; i++) {
        uint8_t wire[512];
        char line[LWP_TRACE_SIZE];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        lwp_frame_seal(&frame, lwp_dialects[i]->polynomial, 0);
        assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
        print_hex(lwp_dialects[i]->name, lwp_writer_bytes(&out));
        lwp_trace_frame(lwp_dialects[i], &frame, line, sizeof(line));
        puts(line);
    }
}

static void set_field(const struct lwp_field *field, uint64_t value, struct lwp_message *message)
{
    static const char text[] = "na\xc3\xafve \xe2\x82\xac";
    if (lwp_field_is_integer(field))
        *lwp_message_integer(message, field) = value;
    else
        *lwp_message_bytes(message, field) = lwp_bytes_text(text);
    if (strcmp(field->name, "bytes_returned") == 0)
        message->bytes_returned = sizeof(text) - 1;
}

static void print_fields(const struct lwp_command *command, struct lwp_bytes payload)
{
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    const enum lwp_status status =
        lwp_message_decode(command->code, payload, &message, &rest, &fault);
    assert_int_equal(status, LWP_OK);
    for (const struct lwp_field *field = command->fields; field->type != LWP_FIELD_NONE; field++)
        if (lwp_field_is_integer(field))
            printf("%s=%" PRIu64 " ", field->name, *lwp_message_integer(&message, field));
        else
            print_hex(field->name, *lwp_message_bytes(&message, field));
    printf("rest=%zu\n", rest.size);
}

static void print_controls(void)
{
    const struct lwp_command *command;
    uint64_t seed = 0xc0de;
    for (size_t i = 0; (command = lwp_command_at(i)); i++)
        for (int round = 0; round < 8; round++) {
            uint8_t payload[128];
            struct lwp_message message = {.command = command->code};
            struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
            const struct lwp_field *field = command->fields;
            for (; field->type != LWP_FIELD_NONE; field++)
                set_field(field, next_random(&seed), &message);
            assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
            print_hex(command->word, lwp_writer_bytes(&out));
            print_fields(command, lwp_writer_bytes(&out));
            print_frame(lwp_message_frame(command->code, lwp_writer_bytes(&out)));
        }
}

static void print_parts(const struct lwp_record *record)
{
    struct lwp_record_parts parts = {0};
    const enum lwp_status status = lwp_record_parts(record, &parts);
    printf("record type=%u check=%s parts=%s timestamp_ns=%" PRIu64 "\n", record->type,
           lwp_status_name(lwp_record_check(record)), lwp_status_name(status), parts.timestamp_ns);
    print_hex("key", parts.key);
    print_hex("value", parts.value);
}

static void print_records(struct lwp_bytes in)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(in);
    struct lwp_record record;
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        print_parts(&record);
    printf("walked %zu of %zu\n", walk.offset, in.size);
}

static void print_all_records(void)
{
    uint8_t wire[256], value[24];
    for (unsigned type = 0; type < 256; type++) {
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        fill_random(value, sizeof(value), type + 1);
        const struct lwp_bytes some = bytes_of(value, type % sizeof(value));
        const struct lwp_bytes key = bytes_of("cl\xc3\xa9", 4);
        lwp_tlv_put(&out, (uint8_t)type, some);
        lwp_tlv_put_key_value(&out, key, some);
        lwp_tlv_put_timestamped(&out, 0xf7e6d5c4b3a29180U + type, some);
        lwp_tlv_put_key_timestamped(&out, 0x8091a2b3c4d5e6f7U - type, key, some);
        lwp_tlv_put_null(&out);
        assert_false(out.full);
        print_hex("records", lwp_writer_bytes(&out));
        print_records(lwp_writer_bytes(&out));
        print_frame(ingest_of(LWP_CRC32, 0x0102030405060708U * type, lwp_writer_bytes(&out)));
    }
}

int main(void)
{
    print_headers();
    print_checksums();
    print_controls();
    print_all_records();
    return fflush(stdout) == 0 ? 0 : 1;
}
