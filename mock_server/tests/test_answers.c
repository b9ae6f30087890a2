/* SPDX-License-Identifier: MIT */
/* Every answer in every form and dialect, byte for byte, and read back as clients read it. */
#include "mock_server/answers.h"

#include "lwp/tests/support.h"

/* One answer: what it says as text, as document and as frame; NULL if it has no such form. */
struct row {
    enum lwp_status (*give)(const struct lwp_answering *to, struct lwp_frame *frame);
    const char *text;
    const char *json;
    const char *hex;        /* The payload of the frame. */
    bool usually_frame;     /* The form of the dialect `lance`. */
    bool always_frame;      /* The form of all dialects. */
    enum lwp_status status; /* As clients understand text and document. */
};

#define MAKER(name, call)                                                                          \
    static enum lwp_status name(const struct lwp_answering *to, struct lwp_frame *frame)           \
    {                                                                                              \
        return call;                                                                               \
    }

MAKER(give_backpressure, lwp_answer_backpressure(to, frame))
MAKER(give_redirect, lwp_answer_redirect(to, lwp_bytes_text("127.0.0.1:1992"), frame))
MAKER(give_malformed, lwp_answer_redirect(to, lwp_bytes_text("no \"port\""), frame))
MAKER(give_nowhere, lwp_answer_redirect(to, lwp_bytes_text(""), frame))
MAKER(give_leader_unknown, lwp_answer_leader_unknown(to, frame))
MAKER(give_catching_up, lwp_answer_catching_up(to, 0x1122334455667788, frame))
MAKER(give_catching_up_0, lwp_answer_catching_up(to, 0, frame))
MAKER(give_rate_limited, lwp_answer_rate_limited(to, 100, frame))
MAKER(give_rate_limited_0, lwp_answer_rate_limited(to, 0, frame))
MAKER(give_no_leader, lwp_answer_refusal(to, LWP_TEXT_FORWARD_FAILED,
                                         lwp_bytes_text("Leader address unknown"), frame))
MAKER(give_exists, lwp_answer_refusal(to, LWP_TEXT_TOPIC_EXISTS, lwp_bytes_text("a\"b"), frame))
MAKER(give_not_found, lwp_answer_error(to, LWP_ERROR_TOPIC_NOT_FOUND, NULL, frame))
MAKER(give_internal, lwp_answer_error(to, LWP_ERROR_INTERNAL_ERROR, NULL, frame))
MAKER(give_unassigned, lwp_answer_error(to, 0x99, NULL, frame))

static enum lwp_status give_worded(const struct lwp_answering *to, struct lwp_frame *frame)
{
    const struct lwp_bytes text = lwp_bytes_text("disk is on fire\n");
    return lwp_answer_error(to, LWP_ERROR_STORAGE_ERROR, &text, frame);
}

static enum lwp_status give_wordless(const struct lwp_answering *to, struct lwp_frame *frame)
{
    const struct lwp_bytes text = lwp_bytes_text("");
    return lwp_answer_error(to, LWP_ERROR_TOPIC_NOT_FOUND, &text, frame);
}

static const struct row ROWS[] = {
    {give_backpressure, "backpressure", "{\"code\":49,\"message\":\"backpressure\"}", "", true,
     true, LWP_BACKPRESSURE},
    {give_redirect, "NOT_LEADER: redirect to 127.0.0.1:1992",
     "{\"code\":32,\"message\":\"Not the "
     "leader\",\"details\":{\"leader_addr\":\"127.0.0.1:1992\"}}",
     NULL, false, false, LWP_NOT_LEADER},
    {give_malformed, "NOT_LEADER: redirect to no \"port\"",
     "{\"code\":32,\"message\":\"Not the leader\",\"details\":{\"leader_addr\":\"no "
     "\\\"port\\\"\"}}",
     NULL, false, false, LWP_NOT_LEADER},
    {give_nowhere, "NOT_LEADER: redirect to ", "{\"code\":32,\"message\":\"Not the leader\"}", NULL,
     false, false, LWP_NOT_LEADER},
    {give_leader_unknown, "NOT_LEADER: leader unknown",
     "{\"code\":34,\"message\":\"Leader unknown\"}", NULL, false, false, LWP_LEADER_UNKNOWN},
    {give_catching_up, "CATCHING_UP",
     "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":1234605616436508552}"
     "}",
     "8877665544332211", true, false, LWP_CATCHING_UP},
    {give_catching_up_0, "CATCHING_UP",
     "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":0}}",
     "0000000000000000", true, false, LWP_CATCHING_UP},
    {give_rate_limited, "Rate limit exceeded",
     "{\"code\":48,\"message\":\"Rate limit exceeded\",\"details\":{\"retry_after_ms\":100}}", NULL,
     false, false, LWP_RATE_LIMITED},
    {give_rate_limited_0, "Rate limit exceeded",
     "{\"code\":48,\"message\":\"Rate limit exceeded\"}", NULL, false, false, LWP_RATE_LIMITED},
    {give_no_leader, "FORWARD_FAILED: Leader address unknown",
     "{\"code\":35,\"message\":\"Forwarding failed\"}", NULL, false, false, LWP_CLUSTER_NOT_READY},
    {give_exists, "Topic 'a\"b' already exists",
     "{\"code\":17,\"message\":\"Topic 'a\\\"b' already exists\"}", NULL, false, false,
     LWP_TOPIC_EXISTS},
    {give_not_found, "Topic not found", "{\"code\":16,\"message\":\"Topic not found\"}", NULL,
     false, false, LWP_TOPIC_NOT_FOUND},
    {give_internal, "internal-error", "{\"code\":96,\"message\":\"internal-error\"}", NULL, false,
     false, LWP_PEER_INTERNAL},
    {give_unassigned, "unassigned", "{\"code\":153,\"message\":\"unassigned\"}", NULL, false, false,
     LWP_PEER_REFUSED},
    {give_worded, "disk is on fire\n", "{\"code\":97,\"message\":\"disk is on fire\\n\"}", NULL,
     false, false, LWP_PEER_STORAGE},
    {give_wordless, "", "{\"code\":16,\"message\":\"\"}", NULL, false, false, LWP_TOPIC_NOT_FOUND},
};

static enum script_form form_in(const struct row *row, const struct lwp_dialect *dialect)
{
    const bool as_lance = dialect == &lwp_dialect_lance;
    if (row->always_frame || (row->usually_frame && as_lance))
        return SCRIPT_FORM_FRAME;
    return as_lance ? SCRIPT_FORM_TEXT : SCRIPT_FORM_JSON;
}

static void check_frame(const struct row *row, const struct lwp_frame *frame)
{
    uint8_t payload[64];
    const size_t size = from_hex(row->hex, payload);
    assert_bytes_equal(frame->payload, bytes_of(payload, size));
    assert_int_equal(frame->header.flags, size ? LWP_FLAG_CONTROL : LWP_FLAG_BACKPRESSURE);
    assert_int_equal(frame->header.batch_id, size ? LWP_COMMAND_CATCHING_UP : 0);
}

static void check_error(const struct lwp_frame *frame, const char *payload)
{
    assert_bytes_equal(frame->payload, lwp_bytes_text(payload));
    assert_int_equal(frame->header.flags, LWP_FLAG_CONTROL);
    assert_int_equal(frame->header.batch_id, LWP_COMMAND_ERROR_RESPONSE);
}

/* What goes over the wire is the sealed frame: it must be sound, and the same frame. */
static void check_on_the_wire(struct lwp_frame frame, const struct lwp_dialect *dialect)
{
    static uint8_t wire[4096];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    const struct lwp_frame_rules rules = {dialect->polynomial, UINT32_MAX};
    struct lwp_frame read;
    struct lwp_fault fault;
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    assert_int_equal(lwp_frame_check(&frame, &fault), LWP_OK);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_int_equal(lwp_frame_split(&rules, lwp_writer_bytes(&out), &read, &fault), LWP_OK);
    assert_int_equal(read.header.timestamp_ns, 0);
    assert_int_equal(read.header.record_count, 0);
    assert_int_equal(read.header.topic_id, 0);
    assert_bytes_equal(read.payload, frame.payload);
}

static void check_row(const struct row *row, const struct lwp_dialect *dialect,
                      enum script_form asked)
{
    uint8_t memory[1024];
    struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
    const struct lwp_answering to = {dialect, asked, &out};
    const enum script_form form = asked == SCRIPT_FORM_DIALECT ? form_in(row, dialect) : asked;
    struct lwp_frame frame;
    if (form == SCRIPT_FORM_FRAME && !row->hex) {
        assert_int_equal(row->give(&to, &frame), LWP_INVALID_ARGUMENT);
        assert_int_equal(out.size, 0);
        return;
    }
    assert_int_equal(row->give(&to, &frame), LWP_OK);
    if (form == SCRIPT_FORM_FRAME)
        check_frame(row, &frame);
    else
        check_error(&frame, form == SCRIPT_FORM_TEXT ? row->text : row->json);
    check_on_the_wire(frame, dialect);
}

static void every_answer_has_its_bytes_in_every_form_and_dialect(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        for (size_t d = 0; lwp_dialects[d]; d++)
            for (enum script_form form = SCRIPT_FORM_DIALECT; form <= SCRIPT_FORM_FRAME; form++)
                check_row(&ROWS[i], lwp_dialects[d], form);
}

/* Gives the answer of a row in a form; the payload lives until the next call. */
static struct lwp_bytes payload_of(const struct row *row, enum script_form form)
{
    static uint8_t memory[1024];
    struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
    const struct lwp_answering to = {&lwp_dialect_lance, form, &out};
    struct lwp_frame frame;
    assert_int_equal(row->give(&to, &frame), LWP_OK);
    return frame.payload;
}

static void every_document_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct lwp_json *json = NULL;
        struct lwp_fault fault;
        struct lwp_error_document document;
        const struct lwp_bytes payload = payload_of(&ROWS[i], SCRIPT_FORM_JSON);
        assert_int_equal(lwp_json_read(payload, &json, &fault), LWP_OK);
        assert_int_equal(lwp_json_error(json, &document), LWP_OK);
        assert_int_equal(lwp_error_status((unsigned)document.code), ROWS[i].status);
        lwp_json_free(json);
    }
}

static void the_texts_of_the_tables_are_recognised(void **state)
{
    (void)state;
    static const struct {
        enum lwp_status (*give)(const struct lwp_answering *to, struct lwp_frame *frame);
        enum lwp_text text;
        const char *argument;
    } expected[] = {
        {give_redirect, LWP_TEXT_REDIRECT, "127.0.0.1:1992"},
        {give_leader_unknown, LWP_TEXT_LEADER_UNKNOWN, ""},
        {give_catching_up, LWP_TEXT_CATCHING_UP, ""},
        {give_rate_limited, LWP_TEXT_RATE_LIMIT, ""},
        {give_no_leader, LWP_TEXT_FORWARD_FAILED, "Leader address unknown"},
        {give_exists, LWP_TEXT_TOPIC_EXISTS, "a\"b"},
        {give_not_found, LWP_TEXT_TOPIC_NOT_FOUND, ""},
    };
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        struct lwp_bytes argument = {NULL, 0};
        const struct row row = {.give = expected[i].give};
        const struct lwp_bytes payload = payload_of(&row, SCRIPT_FORM_TEXT);
        assert_int_equal(lwp_text_recognise(payload, &argument), expected[i].text);
        assert_bytes_equal(argument, lwp_bytes_text(expected[i].argument));
    }
}

/* A code whose usual text means something else to a client would be a trap in a script. */
static void the_usual_text_of_a_code_means_that_code(void **state)
{
    (void)state;
    size_t worded = 0;
    for (unsigned code = 0; code < 256; code++) {
        uint8_t memory[1024];
        struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
        const struct lwp_answering to = {&lwp_dialect_lance, SCRIPT_FORM_TEXT, &out};
        struct lwp_frame frame;
        struct lwp_bytes argument;
        assert_int_equal(lwp_answer_error(&to, code, NULL, &frame), LWP_OK);
        const enum lwp_text text = lwp_text_recognise(frame.payload, &argument);
        if (text == LWP_TEXT_COUNT) {
            assert_bytes_equal(frame.payload, lwp_bytes_text(lwp_error_word(code)));
            continue;
        }
        assert_int_equal(lwp_text_code(text), code);
        worded++;
    }
    assert_int_equal(worded, 14);
}

static void a_token_is_answered_with_verdict_and_text(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
    const struct lwp_answering to = {&lwp_dialect_lance, SCRIPT_FORM_DIALECT, &out};
    const struct lwp_bytes text = lwp_bytes_text("go away");
    struct lwp_frame frame;
    assert_int_equal(lwp_answer_auth(&to, true, NULL, &frame), LWP_OK);
    assert_int_equal(frame.header.batch_id, LWP_COMMAND_AUTHENTICATE_RESPONSE);
    assert_bytes_equal(frame.payload, lwp_bytes_text("\001Authenticated"));
    assert_int_equal(lwp_answer_auth(&to, false, NULL, &frame), LWP_OK);
    assert_bytes_equal(frame.payload, bytes_of("\0Invalid token", 14));
    assert_int_equal(lwp_answer_auth(&to, false, &text, &frame), LWP_OK);
    assert_bytes_equal(frame.payload, bytes_of("\0go away", 8));
}

static void a_topic_answer_has_the_members_of_the_dialect(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "{\"id\":7,\"name\":\"orders\",\"created_at\":5}",
        "{\"created_at\":5,\"id\":7,\"name\":\"orders\",\"topic_epoch\":1}",
        "{\"created_at\":5,\"id\":7,\"name\":\"orders\",\"topic_epoch\":1}",
    };
    const struct lwp_topic topic = {
        .id = 7, .name = lwp_bytes_text("orders"), .created_at = 5, .topic_epoch = 1};
    for (size_t d = 0; lwp_dialects[d]; d++) {
        uint8_t memory[256];
        struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
        const struct lwp_answering to = {lwp_dialects[d], SCRIPT_FORM_DIALECT, &out};
        struct lwp_frame frame;
        assert_int_equal(lwp_answer_topic(&to, &topic, &frame), LWP_OK);
        assert_int_equal(frame.header.batch_id, LWP_COMMAND_TOPIC_RESPONSE);
        assert_bytes_equal(frame.payload, lwp_bytes_text(expected[d]));
    }
}

static void a_fetch_answer_carries_its_data(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct lwp_writer out = lwp_writer_on(memory, sizeof(memory));
    const struct lwp_answering to = {&lwp_dialect_lance, SCRIPT_FORM_DIALECT, &out};
    struct lwp_frame frame;
    assert_int_equal(lwp_answer_fetch(&to, 10, 1, lwp_bytes_text("abc"), &frame), LWP_OK);
    assert_int_equal(frame.header.batch_id, LWP_COMMAND_FETCH_RESPONSE);
    assert_bytes_equal(frame.payload, bytes_of("\12\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0abc", 19));
    assert_int_equal(lwp_answer_fetch(&to, 10, 0, bytes_of(NULL, 0), &frame), LWP_OK);
    assert_bytes_equal(frame.payload, bytes_of("\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
}

static void an_answer_without_room_says_full_and_gives_no_frame(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        for (enum script_form form = SCRIPT_FORM_TEXT; form <= SCRIPT_FORM_FRAME; form++) {
            const bool lacks_form = form == SCRIPT_FORM_FRAME && !ROWS[i].hex;
            const struct lwp_bytes whole =
                lacks_form ? bytes_of(NULL, 0) : payload_of(&ROWS[i], form);
            for (size_t room = 0; room < whole.size; room++) {
                struct lwp_writer out = guarded_writer(room);
                const struct lwp_answering to = {&lwp_dialect_lance, form, &out};
                struct lwp_frame frame = {.header = {.magic = 77}};
                assert_int_equal(ROWS[i].give(&to, &frame), LWP_FULL);
                assert_int_equal(frame.header.magic, 77);
            }
        }
}

static void answers_of_bounded_texts_fit_the_bound(void **state)
{
    (void)state;
    enum { TEXT_SIZE = 10000 };
    static char controls[TEXT_SIZE];
    memset(controls, 1, sizeof(controls));
    const struct lwp_bytes text = bytes_of(controls, sizeof(controls));
    struct lwp_writer out = guarded_writer(lwp_answer_bound(TEXT_SIZE));
    const struct lwp_answering to = {&lwp_dialect_spec, SCRIPT_FORM_JSON, &out};
    struct lwp_frame frame;
    assert_int_equal(lwp_answer_error(&to, 1, &text, &frame), LWP_OK);
    assert_int_equal(frame.payload.size, 6 * TEXT_SIZE + strlen("{\"code\":1,\"message\":\"\"}"));
    assert_true(lwp_answer_bound(SIZE_MAX - 1) == SIZE_MAX);
    out = guarded_writer(lwp_answer_bound(TEXT_SIZE));
    assert_int_equal(lwp_answer_fetch(&to, 0, 0, text, &frame), LWP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_bytes_in_every_form_and_dialect),
        cmocka_unit_test(every_document_is_understood),
        cmocka_unit_test(the_texts_of_the_tables_are_recognised),
        cmocka_unit_test(the_usual_text_of_a_code_means_that_code),
        cmocka_unit_test(a_token_is_answered_with_verdict_and_text),
        cmocka_unit_test(a_topic_answer_has_the_members_of_the_dialect),
        cmocka_unit_test(a_fetch_answer_carries_its_data),
        cmocka_unit_test(an_answer_without_room_says_full_and_gives_no_frame),
        cmocka_unit_test(answers_of_bounded_texts_fit_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
