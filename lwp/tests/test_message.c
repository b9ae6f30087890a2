/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

/* Specification 5, restated: digits are the sizes of integers, t a text with its u16 size, s a text
 * to the end, j a document to the end, d data to the end. */
static const struct {
    uint8_t code, answer;
    char sender;
    const char *form, *names;
} SPECIFIED[] = {
    {0x01, 0x80, 'c', "s", "name"},
    {0x02, 0x80, 'c', "4", "topic_id"},
    {0x03, 0x80, 'c', "", ""},
    {0x04, 0x80, 'c', "4", "topic_id"},
    {0x05, 0x80, 'c', "488", "topic_id max_age_secs max_bytes"},
    {0x06, 0x80, 'c', "t88", "name max_age_secs max_bytes"},
    {0x07, 0x81, 'c', "", ""},
    {0x08, 0x09, 'c', "s", "token"},
    {0x09, 0, 's', "1s", "ok text"},
    {0x10, 0x11, 'c', "484", "topic_id start_offset max_bytes"},
    {0x11, 0, 's', "844d", "next_offset bytes_returned record_count data"},
    {0x12, 0, 's', "8", "server_offset"},
    {0x20, 0x23, 'c', "4848", "topic_id start_offset max_batch_bytes consumer_id"},
    {0x21, 0, 'c', "48", "topic_id consumer_id"},
    {0x22, 0x24, 'c', "488", "topic_id consumer_id offset"},
    {0x23, 0, 's', "88", "consumer_id offset"},
    {0x24, 0, 's', "88", "consumer_id offset"},
    {0x80, 0, 's', "j", "json"},
    {0x81, 0, 's', "j", "json"},
    {0xff, 0, 's', "s", "text"},
};

static const char *form_of(uint8_t command)
{
    for (size_t i = 0; i < COUNT_OF(SPECIFIED); i++)
        if (SPECIFIED[i].code == command)
            return SPECIFIED[i].form;
    fail_msg("no such command: %02x", command);
    return NULL;
}

/* The letter of a field's form. */
static char letter_of(const struct lwp_field *field)
{
    static const char letters[] = {
        [LWP_FIELD_U8] = '1',     [LWP_FIELD_U32] = '4',  [LWP_FIELD_U64] = '8',
        [LWP_FIELD_TEXT16] = 't', [LWP_FIELD_TEXT] = 's', [LWP_FIELD_JSON] = 'j',
        [LWP_FIELD_DATA] = 'd'};
    return letters[field->type];
}

static void the_table_of_commands_is_that_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SPECIFIED); i++) {
        const struct lwp_command *command = lwp_command_of(SPECIFIED[i].code);
        char form[8] = "", names[128] = "";
        assert_non_null(command);
        assert_int_equal(command->code, SPECIFIED[i].code);
        assert_int_equal(command->answer, SPECIFIED[i].answer);
        assert_int_equal(command->from_client, SPECIFIED[i].sender == 'c');
        for (size_t j = 0; command->fields[j].type != LWP_FIELD_NONE; j++) {
            assert_true(j < sizeof(form) - 1);
            form[j] = letter_of(&command->fields[j]);
            strcat(names, names[0] ? " " : "");
            strcat(names, command->fields[j].name);
        }
        assert_string_equal(form, SPECIFIED[i].form);
        assert_string_equal(names, SPECIFIED[i].names);
    }
}

static void only_the_specified_codes_have_a_row(void **state)
{
    (void)state;
    size_t count = 0;
    for (unsigned code = 0; code < 256; code++)
        count += lwp_command_of((uint8_t)code) != NULL;
    assert_int_equal(count, COUNT_OF(SPECIFIED));
}

static void rows_are_listed_once_each_and_end_with_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SPECIFIED); i++) {
        const struct lwp_command *command = lwp_command_at(i);
        assert_non_null(command);
        assert_ptr_equal(lwp_command_of(command->code), command);
        assert_ptr_equal(lwp_command_named(lwp_bytes_text(command->word)), command);
        assert_true(command->section[0] != 0);
    }
    assert_null(lwp_command_at(COUNT_OF(SPECIFIED)));
    assert_null(lwp_command_at(SIZE_MAX));
}

static void a_word_must_be_whole_to_name_a_command(void **state)
{
    (void)state;
    assert_int_equal(lwp_command_named(lwp_bytes_text("fetch"))->code, 0x10);
    assert_int_equal(lwp_command_named(lwp_bytes_text("fetch-response"))->code, 0x11);
    assert_null(lwp_command_named(lwp_bytes_text("fetc")));
    assert_null(lwp_command_named(lwp_bytes_text("fetch-")));
    assert_null(lwp_command_named(lwp_bytes_text("FETCH")));
    assert_null(lwp_command_named(lwp_bytes_text("")));
    assert_null(lwp_command_named(bytes_of("fetch\0", 6)));
}

static void a_field_is_found_by_its_whole_name_in_its_own_command(void **state)
{
    (void)state;
    const struct lwp_command *fetch = lwp_command_of(LWP_COMMAND_FETCH);
    assert_ptr_equal(lwp_command_field(fetch, lwp_bytes_text("max_bytes")), &fetch->fields[2]);
    assert_null(lwp_command_field(fetch, lwp_bytes_text("max_byte")));
    assert_null(lwp_command_field(fetch, lwp_bytes_text("consumer_id")));
    assert_null(lwp_command_field(fetch, lwp_bytes_text("")));
    const struct lwp_command *list = lwp_command_of(LWP_COMMAND_LIST_TOPICS);
    assert_null(lwp_command_field(list, lwp_bytes_text("topic_id")));
}

static void the_accessors_reach_the_member_of_the_name(void **state)
{
    (void)state;
    struct lwp_message message = {0};
    const struct lwp_command *command = lwp_command_of(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION);
    assert_false(lwp_field_is_integer(&command->fields[0]));
    assert_true(lwp_field_is_integer(&command->fields[1]));
    assert_ptr_equal(lwp_message_bytes(&message, &command->fields[0]), &message.name);
    assert_ptr_equal(lwp_message_integer(&message, &command->fields[1]), &message.max_age_secs);
    assert_ptr_equal(lwp_message_integer(&message, &command->fields[2]), &message.max_bytes);
    command = lwp_command_of(LWP_COMMAND_FETCH_RESPONSE);
    assert_ptr_equal(lwp_message_integer(&message, &command->fields[0]), &message.next_offset);
    assert_ptr_equal(lwp_message_integer(&message, &command->fields[2]), &message.record_count);
    assert_ptr_equal(lwp_message_bytes(&message, &command->fields[3]), &message.data);
}

/* An integer with a different byte at each place, cut to the size. */
static uint64_t sample_integer(size_t index, size_t size)
{
    const uint64_t value = 0xf7e6d5c4b3a29180U + 0x0101010101010101U * index;
    return size == 8 ? value : value & (((uint64_t)1 << 8 * size) - 1);
}

static struct lwp_bytes sample_bytes(char letter)
{
    return letter == 'd'   ? bytes_of("\0\xff\x80 data", 8)
           : letter == 'j' ? lwp_bytes_text("{\"a\":[1,\"\xc3\xa4\"]}")
                           : lwp_bytes_text("na\xc3\xafve \xe2\x82\xac");
}

static void write_sample(char letter, size_t index, const struct lwp_field *field,
                         struct lwp_message *message, struct lwp_writer *out)
{
    if (letter >= '1' && letter <= '8') {
        const size_t size = (size_t)(letter - '0');
        uint64_t value = sample_integer(index, size);
        if (strcmp(field->name, "bytes_returned") == 0)
            value = sample_bytes('d').size;
        *lwp_message_integer(message, field) = value;
        lwp_write_integer(out, size, value);
        return;
    }
    *lwp_message_bytes(message, field) = sample_bytes(letter);
    if (letter == 't')
        lwp_write_integer(out, 2, sample_bytes(letter).size);
    lwp_write(out, sample_bytes(letter));
}

/* Makes a message with a value in every field, and by hand the payload that it must have. */
static struct lwp_bytes make_sample(const struct lwp_command *command, struct lwp_message *message,
                                    uint8_t *wire, size_t room)
{
    struct lwp_writer out = lwp_writer_on(wire, room);
    const char *form = form_of(command->code);
    *message = (struct lwp_message){.command = command->code};
    for (size_t i = 0; form[i]; i++)
        write_sample(form[i], i, &command->fields[i], message, &out);
    assert_false(out.full);
    return lwp_writer_bytes(&out);
}

static void assert_same_message(const struct lwp_message *actual,
                                const struct lwp_message *expected)
{
    assert_int_equal(actual->command, expected->command);
    assert_true(actual->topic_id == expected->topic_id);
    assert_true(actual->consumer_id == expected->consumer_id);
    assert_true(actual->start_offset == expected->start_offset);
    assert_true(actual->offset == expected->offset);
    assert_true(actual->next_offset == expected->next_offset);
    assert_true(actual->server_offset == expected->server_offset);
    assert_true(actual->max_bytes == expected->max_bytes);
    assert_true(actual->max_batch_bytes == expected->max_batch_bytes);
    assert_true(actual->max_age_secs == expected->max_age_secs);
    assert_true(actual->bytes_returned == expected->bytes_returned);
    assert_true(actual->record_count == expected->record_count);
    assert_true(actual->ok == expected->ok);
    assert_bytes_equal(actual->name, expected->name);
    assert_bytes_equal(actual->token, expected->token);
    assert_bytes_equal(actual->text, expected->text);
    assert_bytes_equal(actual->json, expected->json);
    assert_bytes_equal(actual->data, expected->data);
}

static void every_command_is_written_in_its_form(void **state)
{
    (void)state;
    const struct lwp_command *command;
    for (size_t i = 0; (command = lwp_command_at(i)); i++) {
        struct lwp_message message;
        uint8_t wire[128], written[128];
        struct lwp_writer out = lwp_writer_on(written, sizeof(written));
        const struct lwp_bytes expected = make_sample(command, &message, wire, sizeof(wire));
        assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
        assert_bytes_equal(lwp_writer_bytes(&out), expected);
    }
}

static void every_command_is_read_and_its_other_fields_are_zero(void **state)
{
    (void)state;
    const struct lwp_command *command;
    for (size_t i = 0; (command = lwp_command_at(i)); i++) {
        struct lwp_message expected, message;
        uint8_t wire[128];
        struct lwp_bytes rest;
        struct lwp_fault fault;
        const struct lwp_bytes in = guarded(make_sample(command, &expected, wire, sizeof(wire)));
        memset(&message, 0xa5, sizeof(message));
        assert_int_equal(lwp_message_decode(command->code, in, &message, &rest, &fault), LWP_OK);
        assert_same_message(&message, &expected);
        assert_int_equal(rest.size, 0);
    }
}

static void views_of_a_decoded_message_point_into_its_payload(void **state)
{
    (void)state;
    const char *const wire = "\3\0abc________________rest";
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    assert_int_equal(lwp_message_decode(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of(wire, 25),
                                        &message, &rest, &fault),
                     LWP_OK);
    assert_ptr_equal(message.name.data, wire + 2);
    assert_ptr_equal(rest.data, wire + 21);
    assert_int_equal(rest.size, 4);
}

/* Asserts that the payload is refused, with the fault in the field that begins at `offset`. */
static void assert_invalid_length(uint8_t command, struct lwp_bytes payload, const char *field,
                                  size_t offset)
{
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    assert_int_equal(lwp_message_decode(command, guarded(payload), &message, &rest, &fault),
                     LWP_INVALID_LENGTH);
    assert_int_equal(fault.status, LWP_INVALID_LENGTH);
    assert_string_equal(fault.field, field);
    assert_int_equal(fault.offset, offset);
}

/* Every cut inside the fixed part of a payload: integers, and texts that say their size. */
static void every_proper_prefix_of_a_fixed_form_has_an_invalid_length(void **state)
{
    (void)state;
    const struct lwp_command *command;
    for (size_t i = 0; (command = lwp_command_at(i)); i++) {
        struct lwp_message message;
        uint8_t wire[128];
        const struct lwp_bytes in = make_sample(command, &message, wire, sizeof(wire));
        const char *form = form_of(command->code);
        size_t begin = 0;
        for (size_t j = 0; form[j] && !strchr("sjd", form[j]); j++) {
            const size_t size =
                form[j] == 't' ? 2 + sample_bytes('t').size : (size_t)(form[j] - '0');
            for (size_t cut = begin; cut < begin + size; cut++)
                assert_invalid_length(command->code, bytes_of(in.data, cut),
                                      command->fields[j].name, begin);
            begin += size;
        }
    }
}

static void a_refused_payload_leaves_message_and_rest_alone(void **state)
{
    (void)state;
    struct lwp_message message = {.command = 0x77, .topic_id = 1, .start_offset = 2};
    const struct lwp_message before = message;
    struct lwp_bytes rest = lwp_bytes_text("before");
    struct lwp_fault fault;
    assert_int_equal(lwp_message_decode(LWP_COMMAND_FETCH, lwp_bytes_text("123456789012345"),
                                        &message, &rest, &fault),
                     LWP_INVALID_LENGTH);
    assert_same_message(&message, &before);
    assert_bytes_equal(rest, lwp_bytes_text("before"));
}

static void bytes_behind_a_fixed_form_come_back_as_the_rest(void **state)
{
    (void)state;
    const struct lwp_command *command;
    for (size_t i = 0; (command = lwp_command_at(i)); i++) {
        struct lwp_message expected, message;
        uint8_t wire[128];
        struct lwp_bytes rest;
        struct lwp_fault fault;
        const struct lwp_bytes in = make_sample(command, &expected, wire, sizeof(wire) - 4);
        if (strpbrk(form_of(command->code), "sjd"))
            continue;
        memcpy(wire + in.size, "rest", 4);
        const struct lwp_bytes longer = bytes_of(wire, in.size + 4);
        assert_int_equal(lwp_message_decode(command->code, longer, &message, &rest, &fault),
                         LWP_OK);
        assert_same_message(&message, &expected);
        assert_bytes_equal(rest, lwp_bytes_text("rest"));
        assert_ptr_equal(rest.data, wire + in.size);
    }
}

static void a_form_without_fields_leaves_the_whole_payload_as_the_rest(void **state)
{
    (void)state;
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    const struct lwp_bytes in = lwp_bytes_text("ignored");
    assert_int_equal(lwp_message_decode(LWP_COMMAND_LIST_TOPICS, in, &message, &rest, &fault),
                     LWP_OK);
    assert_bytes_equal(rest, in);
}

static void a_text_whose_size_passes_the_end_is_an_invalid_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {20, 21, 255, 256, 65535};
    uint8_t wire[2 + 3 + 16] = {0, 0, 'a', 'b', 'c'};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        lwp_put16(wire, (uint16_t)sizes[i]);
        assert_invalid_length(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of(wire, sizeof(wire)),
                              "name", 0);
    }
    /* These sizes fit but leave too little for what follows. */
    lwp_put16(wire, 19);
    assert_invalid_length(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of(wire, sizeof(wire)),
                          "max_age_secs", 21);
    lwp_put16(wire, 4);
    assert_invalid_length(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of(wire, sizeof(wire)),
                          "max_bytes", 14);
}

static void bytes_returned_must_be_the_size_of_the_data(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0, 4, 6, 5 + 256, 5 + 65536, UINT32_MAX};
    uint8_t wire[16 + 5] = {0};
    memcpy(wire + 16, "hello", 5);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        lwp_put32(wire + 8, wrong[i]);
        assert_invalid_length(LWP_COMMAND_FETCH_RESPONSE, bytes_of(wire, sizeof(wire)), "data", 16);
    }
    lwp_put32(wire + 8, 5);
    for (size_t cut = 16; cut < sizeof(wire); cut++)
        assert_invalid_length(LWP_COMMAND_FETCH_RESPONSE, bytes_of(wire, cut), "data", 16);
}

static void bytes_returned_is_written_as_it_stands(void **state)
{
    (void)state;
    uint8_t wire[32];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    const struct lwp_message message = {.command = LWP_COMMAND_FETCH_RESPONSE,
                                        .bytes_returned = 4711,
                                        .data = lwp_bytes_text("hello")};
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    assert_int_equal(out.size, 21);
    assert_int_equal(lwp_get32(wire + 8), 4711);
}

static void a_text_that_is_not_utf8_is_told_but_filled_in(void **state)
{
    (void)state;
    static const uint8_t commands[] = {
        LWP_COMMAND_CREATE_TOPIC, LWP_COMMAND_AUTHENTICATE, LWP_COMMAND_AUTHENTICATE_RESPONSE,
        LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, LWP_COMMAND_ERROR_RESPONSE};
    const struct lwp_bytes bad = bytes_of("a\xff", 2);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct lwp_message sent = {.command = commands[i], .ok = 1, .max_bytes = 9}, message;
        uint8_t wire[64];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_bytes rest;
        struct lwp_fault fault;
        const struct lwp_field *field = lwp_command_of(commands[i])->fields;
        for (; lwp_field_is_integer(field); field++)
            continue;
        *lwp_message_bytes(&sent, field) = bad;
        assert_int_equal(lwp_message_encode(&sent, &out), LWP_OK);
        assert_int_equal(lwp_message_decode(commands[i], guarded(lwp_writer_bytes(&out)), &message,
                                            &rest, &fault),
                         LWP_INVALID_TEXT);
        assert_bytes_equal(*lwp_message_bytes(&message, field), bad);
        if (commands[i] == LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION)
            assert_int_equal(message.max_bytes, 9);
    }
}

/* The length is judged for the whole payload even if a text before the end of it is bad. */
static void a_short_payload_with_a_bad_text_has_an_invalid_length(void **state)
{
    (void)state;
    assert_invalid_length(LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of("\1\0\xff", 3),
                          "max_age_secs", 3);
}

static void data_need_not_be_text(void **state)
{
    (void)state;
    uint8_t wire[16 + 3] = {0};
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    lwp_put32(wire + 8, 3);
    memset(wire + 16, 0xff, 3);
    assert_int_equal(lwp_message_decode(LWP_COMMAND_FETCH_RESPONSE, bytes_of(wire, sizeof(wire)),
                                        &message, &rest, &fault),
                     LWP_OK);
    assert_bytes_equal(message.data, bytes_of("\xff\xff\xff", 3));
}

static void a_code_without_a_row_is_an_unknown_command(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        if (lwp_command_of((uint8_t)code))
            continue;
        struct lwp_message message = {.command = (uint8_t)code};
        uint8_t wire[8];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_bytes rest;
        struct lwp_fault fault;
        assert_int_equal(lwp_message_encode(&message, &out), LWP_UNKNOWN_COMMAND);
        assert_int_equal(out.size, 0);
        assert_int_equal(
            lwp_message_decode((uint8_t)code, lwp_bytes_text("12345678"), &message, &rest, &fault),
            LWP_UNKNOWN_COMMAND);
    }
}

static void a_payload_that_does_not_fit_is_refused_at_every_room(void **state)
{
    (void)state;
    const struct lwp_command *command;
    for (size_t i = 0; (command = lwp_command_at(i)); i++) {
        struct lwp_message message;
        uint8_t wire[128];
        const struct lwp_bytes expected = make_sample(command, &message, wire, sizeof(wire));
        for (size_t room = 0; room <= expected.size; room++) {
            struct lwp_writer out = guarded_writer(room);
            assert_int_equal(lwp_message_encode(&message, &out),
                             room == expected.size ? LWP_OK : LWP_FULL);
        }
    }
}

static void a_writer_that_is_full_takes_no_payload(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(100);
    const struct lwp_message message = {.command = LWP_COMMAND_FETCH};
    lwp_write_room(&out, SIZE_MAX);
    assert_int_equal(lwp_message_encode(&message, &out), LWP_FULL);
    assert_int_equal(out.size, 0);
}

static void a_name_with_a_size_of_its_own_has_at_most_65535_bytes(void **state)
{
    (void)state;
    static char name[65536];
    static uint8_t wire[2 + 65536 + 16];
    memset(name, 'n', sizeof(name));
    struct lwp_message message = {.command = LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
                                  .name = bytes_of(name, 65535)};
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    assert_int_equal(lwp_get16(wire), 65535);
    assert_int_equal(out.size, 2 + 65535 + 16);
    message.name.size = 65536;
    out = lwp_writer_on(wire, sizeof(wire));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_INVALID_ARGUMENT);
}

static void a_control_frame_carries_its_command_in_the_batch_id(void **state)
{
    (void)state;
    const struct lwp_bytes payload = lwp_bytes_text("alpha");
    struct lwp_frame frame = lwp_message_frame(LWP_COMMAND_CREATE_TOPIC, payload);
    uint8_t wire[64], expected[64];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    /* The recorded "create-a". */
    const size_t size = from_hex("4c414e430140000026d54b1b01000000000000000000000000000000"
                                 "00000000050000006a39e0d000000000616c706861",
                                 expected);
    assert_bytes_equal(lwp_writer_bytes(&out), bytes_of(expected, size));
}

static void the_command_is_the_low_byte_or_the_whole_batch_id(void **state)
{
    (void)state;
    static const struct {
        uint64_t batch_id;
        int low, whole;
    } rows[] = {{0, 0, 0},
                {0x10, 0x10, 0x10},
                {0xff, 0xff, 0xff},
                {0x100, 0, -1},
                {0x1ff, 0xff, -1},
                {0xabcdef0000000001, 1, -1},
                {(uint64_t)1 << 32, 0, -1},
                {((uint64_t)1 << 32) + 3, 3, -1},
                {UINT64_MAX, 0xff, -1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_frame frame = lwp_message_frame(0, bytes_of(NULL, 0));
        frame.header.batch_id = rows[i].batch_id;
        for (size_t j = 0; lwp_dialects[j]; j++)
            assert_int_equal(lwp_frame_command(&frame, lwp_dialects[j]),
                             lwp_dialects[j]->command_is_low_byte ? rows[i].low : rows[i].whole);
    }
}

static size_t golden_messages;

static void decode_and_encode_again(const struct lwp_frame *frame, struct lwp_bytes wire)
{
    static uint8_t again[65536];
    struct lwp_writer out = lwp_writer_on(again, sizeof(again));
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    (void)wire;
    if (lwp_frame_kind(frame, &lwp_dialect_lance) != LWP_KIND_CONTROL)
        return;
    const int command = lwp_frame_command(frame, &lwp_dialect_lance);
    if (lwp_message_decode((uint8_t)command, frame->payload, &message, &rest, &fault) != LWP_OK)
        return;
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    lwp_write(&out, rest);
    assert_bytes_equal(lwp_writer_bytes(&out), frame->payload);
    golden_messages++;
}

static void take_messages(struct lwp_bytes bytes)
{
    visit_frames(bytes, decode_and_encode_again);
}

static void recorded_payloads_decode_and_encode_to_the_same_bytes(void **state)
{
    (void)state;
    golden_messages = 0;
    visit_golden("lance-0.2.8.jsonl", "\"send\"", take_messages);
    visit_golden("lance-0.2.8.jsonl", "\"recv\"", take_messages);
    visit_golden("auth.jsonl", "\"send\"", take_messages);
    visit_golden("auth.jsonl", "\"recv\"", take_messages);
    assert_true(golden_messages > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_commands_is_that_of_the_specification),
        cmocka_unit_test(only_the_specified_codes_have_a_row),
        cmocka_unit_test(rows_are_listed_once_each_and_end_with_null),
        cmocka_unit_test(a_word_must_be_whole_to_name_a_command),
        cmocka_unit_test(a_field_is_found_by_its_whole_name_in_its_own_command),
        cmocka_unit_test(the_accessors_reach_the_member_of_the_name),
        cmocka_unit_test(every_command_is_written_in_its_form),
        cmocka_unit_test(every_command_is_read_and_its_other_fields_are_zero),
        cmocka_unit_test(views_of_a_decoded_message_point_into_its_payload),
        cmocka_unit_test(every_proper_prefix_of_a_fixed_form_has_an_invalid_length),
        cmocka_unit_test(a_refused_payload_leaves_message_and_rest_alone),
        cmocka_unit_test(bytes_behind_a_fixed_form_come_back_as_the_rest),
        cmocka_unit_test(a_form_without_fields_leaves_the_whole_payload_as_the_rest),
        cmocka_unit_test(a_text_whose_size_passes_the_end_is_an_invalid_length),
        cmocka_unit_test(bytes_returned_must_be_the_size_of_the_data),
        cmocka_unit_test(bytes_returned_is_written_as_it_stands),
        cmocka_unit_test(a_text_that_is_not_utf8_is_told_but_filled_in),
        cmocka_unit_test(a_short_payload_with_a_bad_text_has_an_invalid_length),
        cmocka_unit_test(data_need_not_be_text),
        cmocka_unit_test(a_code_without_a_row_is_an_unknown_command),
        cmocka_unit_test(a_payload_that_does_not_fit_is_refused_at_every_room),
        cmocka_unit_test(a_writer_that_is_full_takes_no_payload),
        cmocka_unit_test(a_name_with_a_size_of_its_own_has_at_most_65535_bytes),
        cmocka_unit_test(a_control_frame_carries_its_command_in_the_batch_id),
        cmocka_unit_test(the_command_is_the_low_byte_or_the_whole_batch_id),
        cmocka_unit_test(recorded_payloads_decode_and_encode_to_the_same_bytes),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
