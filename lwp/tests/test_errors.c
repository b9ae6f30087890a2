/* SPDX-License-Identifier: MIT */
#include "lwp/wire/errors.h"

#include "lwp/tests/support.h"

/* Section 12.2 and 12.4, restated. */
static const struct {
    unsigned code;
    const char *word;
    enum lwp_status status;
} SPECIFIED[] = {
    {0x00, "success", LWP_OK},
    {0x01, "unknown-error", LWP_PEER_REFUSED},
    {0x02, "invalid-magic", LWP_INVALID_MAGIC},
    {0x03, "payload-too-large", LWP_PAYLOAD_TOO_LARGE},
    {0x04, "invalid-payload", LWP_INVALID_PAYLOAD},
    {0x05, "crc-mismatch", LWP_PAYLOAD_CHECKSUM},
    {0x06, "version-mismatch", LWP_INVALID_VERSION},
    {0x10, "topic-not-found", LWP_TOPIC_NOT_FOUND},
    {0x11, "topic-already-exists", LWP_TOPIC_EXISTS},
    {0x12, "invalid-topic-name", LWP_TOPIC_NAME},
    {0x13, "topic-deleted", LWP_TOPIC_DELETED},
    {0x14, "server-catching-up", LWP_CATCHING_UP},
    {0x20, "not-leader", LWP_NOT_LEADER},
    {0x21, "quorum-not-reached", LWP_QUORUM_NOT_REACHED},
    {0x22, "leader-unknown", LWP_LEADER_UNKNOWN},
    {0x23, "cluster-not-ready", LWP_CLUSTER_NOT_READY},
    {0x30, "rate-limited", LWP_RATE_LIMITED},
    {0x31, "backpressure", LWP_BACKPRESSURE},
    {0x32, "connection-limit", LWP_PEER_REFUSED},
    {0x40, "authentication-required", LWP_AUTH_REQUIRED},
    {0x41, "authentication-failed", LWP_AUTH_FAILED},
    {0x42, "access-denied", LWP_ACCESS_DENIED},
    {0x50, "invalid-offset", LWP_INVALID_OFFSET},
    {0x51, "offset-out-of-range", LWP_OFFSET_OUT_OF_RANGE},
    {0x52, "consumer-not-found", LWP_CONSUMER_UNKNOWN},
    {0x60, "internal-error", LWP_PEER_INTERNAL},
    {0x61, "storage-error", LWP_PEER_STORAGE},
    {0x62, "timeout-error", LWP_TIMEOUT},
};

/* The rows of texts.def, to look at them independently of the code. */
static const struct {
    const char *text, *message;
    enum lwp_error code;
} ROWS[] = {
#define LWP_TEXT(name, text, code, message) {text, message, LWP_ERROR_##code},
#include "lwp/wire/texts.def"
#undef LWP_TEXT
};

static void every_code_of_the_specification_has_word_and_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SPECIFIED); i++) {
        assert_string_equal(lwp_error_word(SPECIFIED[i].code), SPECIFIED[i].word);
        assert_int_equal(lwp_error_named(lwp_bytes_text(SPECIFIED[i].word)), SPECIFIED[i].code);
        assert_int_equal(lwp_error_status(SPECIFIED[i].code), SPECIFIED[i].status);
    }
}

static void all_other_codes_are_unassigned_and_a_refusal(void **state)
{
    (void)state;
    static const unsigned huge[] = {0x110, 0x100, 65536, 0x80000000, UINT32_MAX};
    size_t unassigned = 0;
    for (unsigned code = 0; code < 256; code++) {
        if (strcmp(lwp_error_word(code), "unassigned") != 0)
            continue;
        assert_int_equal(lwp_error_status(code), LWP_PEER_REFUSED);
        unassigned++;
    }
    assert_int_equal(unassigned, 256 - COUNT_OF(SPECIFIED));
    for (size_t i = 0; i < COUNT_OF(huge); i++) {
        assert_string_equal(lwp_error_word(huge[i]), "unassigned");
        assert_int_equal(lwp_error_status(huge[i]), LWP_PEER_REFUSED);
    }
}

static void a_word_must_be_whole_to_name_a_code(void **state)
{
    (void)state;
    static const char *const words[] = {"", "not-leade", "not-leader ", "unassigned", "NOT-LEADER"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_int_equal(lwp_error_named(lwp_bytes_text(words[i])), -1);
}

/* 12.4: 20 to 23, 30, 31 and 62 are worth another try. */
static void the_codes_to_retry_are_those_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SPECIFIED); i++) {
        const unsigned code = SPECIFIED[i].code;
        const bool retry = (code >= 0x20 && code <= 0x23) || code == 0x30 || code == 0x31 ||
                           code == 0x62 || code == 0x14;
        assert_int_equal(lwp_status_is_retryable(lwp_error_status(code)), retry);
    }
}

static struct lwp_bytes written(enum lwp_text text, bool as_message, const char *argument,
                                struct lwp_writer *out)
{
    static uint8_t buffer[1024];
    *out = lwp_writer_on(buffer, sizeof(buffer));
    lwp_text_write(text, as_message, lwp_bytes_text(argument), out);
    assert_false(out->full);
    return lwp_writer_bytes(out);
}

/* What a row must say with the argument in the place of its %. */
static struct lwp_bytes expected_text(const char *pattern, const char *argument)
{
    static char text[1024];
    const char *const mark = strchr(pattern, '%');
    if (!mark)
        return lwp_bytes_text(pattern);
    const int size = snprintf(text, sizeof(text), "%.*s%s%s", (int)(mark - pattern), pattern,
                              argument, mark + 1);
    assert_true(size > 0 && size < (int)sizeof(text));
    return bytes_of(text, (size_t)size);
}

static const char *const ARGUMENTS[] = {
    "alpha",  "7", "10.0.0.1:1992", "with 'quotes'",  "percent % sign", "",
    "a b  c", " ", "\xc3\xa4",      "already exists", "not found"};

static void every_row_is_written_with_its_argument_in_place(void **state)
{
    (void)state;
    struct lwp_writer out;
    assert_int_equal(COUNT_OF(ROWS), LWP_TEXT_COUNT);
    for (int row = 0; row < LWP_TEXT_COUNT; row++)
        for (size_t i = 0; i < COUNT_OF(ARGUMENTS); i++) {
            assert_bytes_equal(written((enum lwp_text)row, false, ARGUMENTS[i], &out),
                               expected_text(ROWS[row].text, ARGUMENTS[i]));
            assert_bytes_equal(written((enum lwp_text)row, true, ARGUMENTS[i], &out),
                               expected_text(ROWS[row].message, ARGUMENTS[i]));
        }
}

static void a_text_that_does_not_fit_fills_the_writer(void **state)
{
    (void)state;
    const size_t size = strlen("Topic 'alpha' already exists");
    for (size_t room = 0; room <= size; room++) {
        struct lwp_writer out = guarded_writer(room);
        lwp_text_write(LWP_TEXT_TOPIC_EXISTS, false, lwp_bytes_text("alpha"), &out);
        assert_int_equal(out.full, room < size);
    }
}

/* No row may shadow another: what a row says with any plain argument is recognised as that row. */
static void every_text_is_recognised_as_the_row_that_wrote_it(void **state)
{
    (void)state;
    for (int row = 0; row < LWP_TEXT_COUNT; row++)
        for (size_t i = 0; i < COUNT_OF(ARGUMENTS); i++) {
            struct lwp_bytes argument = lwp_bytes_text("untouched");
            const char *const said = ARGUMENTS[i];
            const bool taken = strchr(ROWS[row].text, '%') != NULL;
            const struct lwp_bytes in = guarded(expected_text(ROWS[row].text, said));
            assert_int_equal(lwp_text_recognise(in, &argument), row);
            if (taken)
                assert_bytes_equal(argument, lwp_bytes_text(said));
        }
}

static void the_argument_is_a_view_into_what_was_said(void **state)
{
    (void)state;
    const struct lwp_bytes said = lwp_bytes_text("Topic 'alpha' already exists");
    struct lwp_bytes argument;
    assert_int_equal(lwp_text_recognise(said, &argument), LWP_TEXT_TOPIC_EXISTS);
    assert_ptr_equal(argument.data, said.data + 7);
    assert_int_equal(argument.size, 5);
}

/* server.md 3, 7 and 8, to the letter. */
static void the_texts_of_the_deployed_server_are_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        enum lwp_text row;
        const char *argument;
    } rows[] = {
        {"Topic name required", LWP_TEXT_TOPIC_NAME_REQUIRED, NULL},
        {"Topic 'a-1' already exists", LWP_TEXT_TOPIC_EXISTS, "a-1"},
        {"Invalid data: Topic name 'a_b' contains invalid characters. Only alphanumeric characters "
         "(a-z, A-Z, 0-9) and dashes (-) are allowed",
         LWP_TEXT_TOPIC_NAME_CHARACTERS, "a_b"},
        {"Invalid data: Topic name must not be empty", LWP_TEXT_TOPIC_NAME_EMPTY, NULL},
        {"I/O error: File name too long (os error 36)", LWP_TEXT_TOPIC_NAME_LONG, NULL},
        {"Configuration error: Topic 0 not found", LWP_TEXT_TOPIC_NOT_CONFIGURED, "0"},
        {"Configuration error: Topic 4294967295 not found", LWP_TEXT_TOPIC_NOT_CONFIGURED,
         "4294967295"},
        {"Topic not found", LWP_TEXT_TOPIC_NOT_FOUND, NULL},
        {"Topic 12 not found", LWP_TEXT_TOPIC_ID_NOT_FOUND, "12"},
        {"Unknown topic", LWP_TEXT_TOPIC_UNKNOWN, NULL},
        {"Invalid set retention payload", LWP_TEXT_SET_RETENTION_PAYLOAD, NULL},
        {"Invalid create topic payload", LWP_TEXT_CREATE_TOPIC_PAYLOAD, NULL},
        {"Invalid payload length", LWP_TEXT_PAYLOAD_LENGTH, NULL},
        {"Fetch request payload required", LWP_TEXT_FETCH_REQUIRED, NULL},
        {"Protocol error: Fetch request payload too small", LWP_TEXT_FETCH_SMALL, NULL},
        {"Invalid subscribe payload", LWP_TEXT_SUBSCRIBE_PAYLOAD, NULL},
        {"Invalid unsubscribe payload", LWP_TEXT_UNSUBSCRIBE_PAYLOAD, NULL},
        {"Invalid commit offset payload", LWP_TEXT_COMMIT_PAYLOAD, NULL},
        {"Invalid client command", LWP_TEXT_INVALID_COMMAND, NULL},
        {"Authentication handled at connection level", LWP_TEXT_AUTH_RESPONSE, NULL},
        {"Authentication required", LWP_TEXT_AUTH_REQUIRED, NULL},
        {"Rate limit exceeded", LWP_TEXT_RATE_LIMIT, NULL},
        {"Access denied: client 'x' not authorized for topic 3", LWP_TEXT_ACCESS_DENIED,
         "'x' not authorized for topic 3"},
        {"CATCHING_UP", LWP_TEXT_CATCHING_UP, NULL},
        {"I/O error: No such file or directory (os error 2)", LWP_TEXT_STORAGE,
         "No such file or directory (os error 2)"},
        {"NOT_LEADER: leader unknown", LWP_TEXT_LEADER_UNKNOWN, NULL},
        {"NOT_LEADER: redirect to 127.0.0.1:1992", LWP_TEXT_REDIRECT, "127.0.0.1:1992"},
        {"FORWARD_FAILED: Leader address unknown", LWP_TEXT_FORWARD_FAILED,
         "Leader address unknown"},
        {"FORWARD_FAILED: Forward operation timed out", LWP_TEXT_FORWARD_FAILED,
         "Forward operation timed out"},
        {"FORWARD_FAILED: Unknown topic (metadata convergence)", LWP_TEXT_FORWARD_FAILED,
         "Unknown topic (metadata convergence)"},
        {"FORWARD_FAILED: Quorum not reached - required 2 ACKs, got 1", LWP_TEXT_FORWARD_QUORUM,
         " - required 2 ACKs, got 1"},
        {"FORWARD_FAILED: Leader not ready (apply/metadata catch-up)", LWP_TEXT_FORWARD_NOT_READY,
         " (apply/metadata catch-up)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_bytes argument = lwp_bytes_text("untouched");
        assert_int_equal(lwp_text_recognise(guarded(lwp_bytes_text(rows[i].said)), &argument),
                         rows[i].row);
        if (rows[i].argument)
            assert_bytes_equal(argument, lwp_bytes_text(rows[i].argument));
    }
}

static void a_text_that_fits_no_row_sets_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "hello",
                                        "Topic not found.",
                                        " Topic not found",
                                        "topic not found",
                                        "Topic not foun",
                                        "Topic 'a",
                                        "Topic 7 not foun",
                                        "NOT_LEADER: redirect t",
                                        "NOT_LEADER: leader unknown "};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct lwp_bytes argument = lwp_bytes_text("untouched");
        assert_int_equal(lwp_text_recognise(guarded(lwp_bytes_text(texts[i])), &argument),
                         LWP_TEXT_COUNT);
        assert_bytes_equal(argument, lwp_bytes_text("untouched"));
    }
}

/* Without its first or its last character no text is the same row, unless the % stands there. */
static void a_text_cut_at_either_end_is_another_text(void **state)
{
    (void)state;
    for (int row = 0; row < LWP_TEXT_COUNT; row++) {
        const struct lwp_bytes said = expected_text(ROWS[row].text, "alpha");
        struct lwp_bytes argument;
        assert_int_not_equal(lwp_text_recognise(lwp_bytes_from(said, 1), &argument), row);
        if (ROWS[row].text[strlen(ROWS[row].text) - 1] == '%')
            continue;
        assert_int_not_equal(lwp_text_recognise(bytes_of(said.data, said.size - 1), &argument),
                             row);
    }
}

/* The two halves of a pattern may not share characters: nothing stands between them here. */
static void the_halves_of_a_pattern_do_not_overlap(void **state)
{
    (void)state;
    struct lwp_bytes argument;
    assert_int_equal(lwp_text_recognise(lwp_bytes_text("Topic not found"), &argument),
                     LWP_TEXT_TOPIC_NOT_FOUND);
    assert_int_equal(lwp_text_recognise(lwp_bytes_text("Topic  not found"), &argument),
                     LWP_TEXT_TOPIC_ID_NOT_FOUND);
    assert_int_equal(argument.size, 0);
    assert_int_equal(lwp_text_recognise(lwp_bytes_text("Topic ' already exists"), &argument),
                     LWP_TEXT_COUNT);
    assert_int_equal(
        lwp_text_recognise(lwp_bytes_text("Configuration error: Topic not found"), &argument),
        LWP_TEXT_COUNT);
}

static void every_text_has_the_code_of_its_row_and_the_status_of_the_code(void **state)
{
    (void)state;
    for (int row = 0; row < LWP_TEXT_COUNT; row++) {
        const enum lwp_text text = (enum lwp_text)row;
        assert_int_equal(lwp_text_code(text), ROWS[row].code);
        assert_int_equal(lwp_text_status(text), text == LWP_TEXT_FORWARD_FAILED
                                                    ? LWP_FORWARD_FAILED
                                                    : lwp_error_status(ROWS[row].code));
    }
    assert_int_equal(lwp_text_status(LWP_TEXT_COUNT), LWP_PEER_REFUSED);
}

static void every_status_has_a_text_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < LWP_STATUS_COUNT; i++) {
        const char *const text = lwp_status_text((enum lwp_status)i);
        const char *const name = lwp_status_name((enum lwp_status)i);
        assert_non_null(text);
        assert_non_null(name);
        assert_true(text[0] != 0 && name[0] != 0);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(text, lwp_status_text((enum lwp_status)j));
            assert_string_not_equal(name, lwp_status_name((enum lwp_status)j));
        }
    }
    assert_int_equal(LWP_OK, 0);
    assert_string_equal(lwp_status_name(LWP_OK), "OK");
    assert_string_equal(lwp_status_name(LWP_HEADER_CHECKSUM), "HEADER_CHECKSUM");
    assert_string_equal(lwp_status_text(LWP_HEADER_CHECKSUM), "the header checksum is wrong");
}

static void a_number_that_is_no_status_has_a_text_too(void **state)
{
    (void)state;
    assert_non_null(lwp_status_text(LWP_STATUS_COUNT));
    assert_non_null(lwp_status_name(LWP_STATUS_COUNT));
    assert_false(lwp_status_is_retryable(LWP_STATUS_COUNT));
}

static void what_can_succeed_later_is_retryable(void **state)
{
    (void)state;
    static const enum lwp_status retryable[] = {
        LWP_CLOSED,           LWP_RESET,          LWP_REFUSED,        LWP_UNRESOLVED,
        LWP_TIMEOUT,          LWP_BACKPRESSURE,   LWP_RATE_LIMITED,   LWP_CATCHING_UP,
        LWP_NOT_LEADER,       LWP_LEADER_UNKNOWN, LWP_FORWARD_FAILED, LWP_QUORUM_NOT_REACHED,
        LWP_CLUSTER_NOT_READY};
    size_t count = 0;
    for (int i = 0; i < LWP_STATUS_COUNT; i++)
        count += lwp_status_is_retryable((enum lwp_status)i);
    assert_int_equal(count, COUNT_OF(retryable));
    for (size_t i = 0; i < COUNT_OF(retryable); i++)
        assert_true(lwp_status_is_retryable(retryable[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_specification_has_word_and_status),
        cmocka_unit_test(all_other_codes_are_unassigned_and_a_refusal),
        cmocka_unit_test(a_word_must_be_whole_to_name_a_code),
        cmocka_unit_test(the_codes_to_retry_are_those_of_the_specification),
        cmocka_unit_test(every_row_is_written_with_its_argument_in_place),
        cmocka_unit_test(a_text_that_does_not_fit_fills_the_writer),
        cmocka_unit_test(every_text_is_recognised_as_the_row_that_wrote_it),
        cmocka_unit_test(the_argument_is_a_view_into_what_was_said),
        cmocka_unit_test(the_texts_of_the_deployed_server_are_recognised),
        cmocka_unit_test(a_text_that_fits_no_row_sets_nothing),
        cmocka_unit_test(a_text_cut_at_either_end_is_another_text),
        cmocka_unit_test(the_halves_of_a_pattern_do_not_overlap),
        cmocka_unit_test(every_text_has_the_code_of_its_row_and_the_status_of_the_code),
        cmocka_unit_test(every_status_has_a_text_and_a_name_of_its_own),
        cmocka_unit_test(a_number_that_is_no_status_has_a_text_too),
        cmocka_unit_test(what_can_succeed_later_is_retryable),
    };
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
