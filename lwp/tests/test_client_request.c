/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/request.h"

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

static struct lwp_request asked(struct lwp_message message)
{
    return lwp_request_of(message.command, &message, 0);
}

static struct lwp_request asked_fetch(uint64_t start_offset, uint64_t max_bytes)
{
    return asked((struct lwp_message){.command = LWP_COMMAND_FETCH,
                                      .topic_id = 7,
                                      .start_offset = start_offset,
                                      .max_bytes = max_bytes});
}

/* What the request makes of a control frame with this message. */
static enum lwp_status tell(struct lwp_request *request, struct lwp_message message,
                            struct lwp_answer *answer)
{
    static uint8_t room[4096];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    const struct lwp_frame frame =
        lwp_message_frame(message.command, guarded(lwp_writer_bytes(&out)));
    return lwp_request_take(request, &frame, dialect, answer);
}

static enum lwp_status tell_flags(struct lwp_request *request, uint8_t flags, uint64_t batch_id,
                                  struct lwp_answer *answer)
{
    struct lwp_frame frame = frame_of(flags, bytes_of(NULL, 0));
    frame.header.batch_id = batch_id;
    return lwp_request_take(request, &frame, dialect, answer);
}

static struct lwp_message fetched(uint64_t next_offset, const char *data)
{
    return (struct lwp_message){.command = LWP_COMMAND_FETCH_RESPONSE,
                                .next_offset = next_offset,
                                .bytes_returned = strlen(data),
                                .record_count = 1,
                                .data = lwp_bytes_text(data)};
}

static void each_command_takes_its_own_answer(void **state)
{
    (void)state;
    for (size_t i = 0; lwp_command_at(i); i++) {
        const struct lwp_command *row = lwp_command_at(i);
        if (!row->from_client || !row->answer)
            continue;
        struct lwp_request request = asked((struct lwp_message){.command = row->code});
        struct lwp_answer answer;
        const struct lwp_message yes = {.command = row->answer, .ok = 1};
        assert_int_equal(tell(&request, yes, &answer), LWP_OK);
        assert_int_equal(answer.details.status, LWP_OK);
        assert_int_equal(answer.message.command, row->answer);
        assert_false(answer.is_ack);
        assert_int_equal(request.command, LWP_REQUEST_NONE);
    }
}

static void no_command_takes_another_s_answer(void **state)
{
    (void)state;
    for (size_t i = 0; lwp_command_at(i); i++)
        for (size_t k = 0; lwp_command_at(k); k++) {
            const struct lwp_command *question = lwp_command_at(i), *other = lwp_command_at(k);
            const bool is_one_for_all = other->code == LWP_COMMAND_ERROR_RESPONSE ||
                                        other->code == LWP_COMMAND_CATCHING_UP ||
                                        question->code == LWP_COMMAND_UNSUBSCRIBE;
            if (!question->from_client || other->code == question->answer || is_one_for_all)
                continue;
            struct lwp_request request = asked((struct lwp_message){.command = question->code});
            struct lwp_answer answer = {.is_ack = true};
            const struct lwp_message told = {.command = other->code};
            assert_int_equal(tell(&request, told, &answer), LWP_UNEXPECTED_FRAME);
            assert_true(answer.is_ack);
        }
}

static void keepalives_and_backpressure_are_no_answers(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    (void)state;
    assert_int_equal(tell_flags(&request, LWP_FLAG_KEEPALIVE, 0, &answer), LWP_MORE);
    assert_int_equal(tell_flags(&request, LWP_FLAG_BACKPRESSURE, 0, &answer), LWP_MORE);
    assert_int_equal(request.command, LWP_COMMAND_FETCH);
    assert_int_equal(tell(&request, fetched(5, "hello"), &answer), LWP_OK);
    assert_bytes_equal(answer.message.data, lwp_bytes_text("hello"));
}

static void a_refusal_is_an_answer(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    const struct lwp_message no = {.command = LWP_COMMAND_ERROR_RESPONSE,
                                   .text = lwp_bytes_text("Topic 7 not found")};
    (void)state;
    assert_int_equal(tell(&request, no, &answer), LWP_OK);
    assert_int_equal(answer.details.status, LWP_TOPIC_NOT_FOUND);
    assert_string_equal(answer.details.text, "Topic 7 not found");
}

static void a_refusal_that_is_not_utf_8_is_a_refusal(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    const struct lwp_message no = {.command = LWP_COMMAND_ERROR_RESPONSE,
                                   .text = lwp_bytes_text("\xff")};
    (void)state;
    assert_int_equal(tell(&request, no, &answer), LWP_OK);
    assert_int_equal(answer.details.status, LWP_PEER_REFUSED);
}

/* P-09: the Python client takes its eight bytes for records. */
static void catching_up_answers_a_fetch_and_nothing_else(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    const struct lwp_message later = {.command = LWP_COMMAND_CATCHING_UP, .server_offset = 10};
    (void)state;
    assert_int_equal(tell(&request, later, &answer), LWP_OK);
    assert_int_equal(answer.details.status, LWP_CATCHING_UP);
    assert_int_equal(answer.details.server_offset, 10);
    assert_int_equal(answer.message.data.size, 0);
    request = asked((struct lwp_message){.command = LWP_COMMAND_LIST_TOPICS});
    assert_int_equal(tell(&request, later, &answer), LWP_UNEXPECTED_FRAME);
}

/* P-06 and D13: both answers are in use. */
static void unsubscribe_is_answered_by_an_ack_or_a_topic_answer(void **state)
{
    static const uint64_t ids[] = {99, 0, LWP_COMMAND_UNSUBSCRIBE};
    struct lwp_answer answer;
    const struct lwp_message question = {.command = LWP_COMMAND_UNSUBSCRIBE, .consumer_id = 99};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct lwp_request request = asked(question);
        assert_int_equal(tell_flags(&request, LWP_FLAG_ACK, ids[i], &answer), LWP_OK);
        assert_true(answer.is_ack);
    }
    struct lwp_request request = asked(question);
    assert_int_equal(tell_flags(&request, LWP_FLAG_ACK, 98, &answer), LWP_UNEXPECTED_FRAME);
    request = asked(question);
    const struct lwp_message yes = {.command = LWP_COMMAND_TOPIC_RESPONSE,
                                    .json = lwp_bytes_text("{\"unsubscribed\":7}")};
    assert_int_equal(tell(&request, yes, &answer), LWP_OK);
}

static void an_ack_answers_what_the_specification_lets_it(void **state)
{
    struct lwp_answer answer;
    (void)state;
    for (size_t i = 0; lwp_command_at(i); i++) {
        const uint8_t code = lwp_command_at(i)->code;
        struct lwp_request request = asked((struct lwp_message){.command = code});
        const bool takes = code == LWP_COMMAND_UNSUBSCRIBE || code == LWP_COMMAND_SUBSCRIBE ||
                           code == LWP_COMMAND_COMMIT_OFFSET || code == LWP_COMMAND_SET_RETENTION;
        assert_int_equal(tell_flags(&request, LWP_FLAG_ACK, 0, &answer),
                         takes ? LWP_OK : LWP_UNEXPECTED_FRAME);
    }
}

static void answers_for_another_consumer_are_not_taken(void **state)
{
    static const uint8_t codes[] = {LWP_COMMAND_SUBSCRIBE, LWP_COMMAND_COMMIT_OFFSET};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        const struct lwp_message question = {.command = codes[i], .consumer_id = 99};
        struct lwp_message told = {.command = lwp_command_of(codes[i])->answer, .offset = 5};
        struct lwp_answer answer;
        struct lwp_request request = asked(question);
        told.consumer_id = 98;
        assert_int_equal(tell(&request, told, &answer), LWP_UNEXPECTED_FRAME);
        request = asked(question);
        told.consumer_id = 99;
        assert_int_equal(tell(&request, told, &answer), LWP_OK);
        assert_int_equal(answer.message.offset, 5);
    }
}

/* B-15. */
static void a_fetch_that_contradicts_its_question_is_not_taken(void **state)
{
    static const struct {
        uint64_t start_offset;
        uint64_t max_bytes;
        uint64_t next_offset;
        const char *data;
        enum lwp_status status;
    } told[] = {
        {1000, 100, 1005, "hello", LWP_OK},
        {1000, 5, 1005, "hello", LWP_OK},
        {1000, 4, 1005, "hello", LWP_INVALID_LENGTH},
        {1000, 100, 995, "hello", LWP_INVALID_OFFSET},
        {1000, 100, 1000, "hello", LWP_INVALID_OFFSET},
        {1000, 100, 1006, "hello", LWP_INVALID_OFFSET},
        {1000, 100, UINT64_MAX, "hello", LWP_INVALID_OFFSET},
        {1000, 100, 1000, "", LWP_OK},
        {1000, 100, 0, "", LWP_OK},
        {1000, 100, 9999, "", LWP_OK},
        {UINT64_MAX, 100, 1000, "", LWP_OK},
        {UINT64_MAX, 100, 1005, "hello", LWP_INVALID_OFFSET},
        {INT64_MAX, 100, 1005, "hello", LWP_INVALID_OFFSET},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        struct lwp_request request = asked_fetch(told[i].start_offset, told[i].max_bytes);
        struct lwp_answer answer;
        assert_int_equal(tell(&request, fetched(told[i].next_offset, told[i].data), &answer),
                         told[i].status);
    }
}

static void a_fetch_with_a_wrong_size_is_not_taken(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    struct lwp_message told = fetched(5, "hello");
    (void)state;
    told.bytes_returned = 4;
    assert_int_equal(tell(&request, told, &answer), LWP_INVALID_LENGTH);
    uint8_t wire[20] = {0};
    for (size_t size = 0; size < 16; size++) {
        request = asked_fetch(0, 100);
        const struct lwp_frame frame =
            lwp_message_frame(LWP_COMMAND_FETCH_RESPONSE, guarded(bytes_of(wire, size)));
        assert_int_equal(lwp_request_take(&request, &frame, dialect, &answer), LWP_INVALID_LENGTH);
    }
}

static void a_compressed_fetch_is_taken_in_every_dialect(void **state)
{
    (void)state;
    for (size_t i = 0; lwp_dialects[i]; i++) {
        struct lwp_request request = asked_fetch(0, 100);
        struct lwp_answer answer;
        uint8_t payload[20] = {[0] = 250, [8] = 4};
        struct lwp_frame frame =
            lwp_message_frame(LWP_COMMAND_FETCH_RESPONSE, bytes_of(payload, sizeof(payload)));
        frame.header.flags |= LWP_FLAG_COMPRESSED;
        assert_int_equal(lwp_request_take(&request, &frame, lwp_dialects[i], &answer), LWP_OK);
    }
}

static void a_refused_token_is_a_failed_authentication(void **state)
{
    struct lwp_request request = asked((struct lwp_message){.command = LWP_COMMAND_AUTHENTICATE});
    struct lwp_answer answer;
    const struct lwp_message no = {.command = LWP_COMMAND_AUTHENTICATE_RESPONSE,
                                   .text = lwp_bytes_text("Invalid token")};
    (void)state;
    assert_int_equal(tell(&request, no, &answer), LWP_OK);
    assert_int_equal(answer.details.status, LWP_AUTH_FAILED);
    assert_string_equal(answer.details.text, "Invalid token");
}

/* B-18: the Rust client takes it for an error of the server's. */
static void an_unknown_command_is_no_answer(void **state)
{
    struct lwp_request request = asked_fetch(0, 100);
    struct lwp_answer answer;
    const struct lwp_frame frame = lwp_message_frame(0x55, lwp_bytes_text("Topic not found"));
    (void)state;
    assert_int_equal(lwp_request_take(&request, &frame, dialect, &answer), LWP_UNKNOWN_COMMAND);
}

/* B-05: what nobody asked for would be the answer to what is asked next. */
static void frames_that_nobody_asked_for_are_unexpected(void **state)
{
    struct lwp_request request = {.command = LWP_REQUEST_NONE};
    struct lwp_answer answer;
    (void)state;
    assert_int_equal(tell(&request, fetched(5, "hello"), &answer), LWP_UNEXPECTED_FRAME);
    assert_int_equal(tell_flags(&request, LWP_FLAG_ACK, 1, &answer), LWP_UNEXPECTED_FRAME);
    assert_int_equal(tell_flags(&request, LWP_FLAG_BATCH, 1, &answer), LWP_UNEXPECTED_FRAME);
    assert_int_equal(tell_flags(&request, 0, 0, &answer), LWP_UNEXPECTED_FRAME);
    assert_int_equal(tell_flags(&request, LWP_FLAG_KEEPALIVE, 0, &answer), LWP_MORE);
}

static void a_ping_takes_no_control_frame(void **state)
{
    struct lwp_request request = lwp_request_of(LWP_REQUEST_PING, NULL, 0);
    struct lwp_answer answer;
    (void)state;
    assert_int_equal(tell_flags(&request, LWP_FLAG_KEEPALIVE, 0, &answer), LWP_MORE);
    assert_int_equal(tell(&request, fetched(5, "hello"), &answer), LWP_UNEXPECTED_FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_takes_its_own_answer),
        cmocka_unit_test(no_command_takes_another_s_answer),
        cmocka_unit_test(keepalives_and_backpressure_are_no_answers),
        cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(a_refusal_that_is_not_utf_8_is_a_refusal),
        cmocka_unit_test(catching_up_answers_a_fetch_and_nothing_else),
        cmocka_unit_test(unsubscribe_is_answered_by_an_ack_or_a_topic_answer),
        cmocka_unit_test(an_ack_answers_what_the_specification_lets_it),
        cmocka_unit_test(answers_for_another_consumer_are_not_taken),
        cmocka_unit_test(a_fetch_that_contradicts_its_question_is_not_taken),
        cmocka_unit_test(a_fetch_with_a_wrong_size_is_not_taken),
        cmocka_unit_test(a_compressed_fetch_is_taken_in_every_dialect),
        cmocka_unit_test(a_refused_token_is_a_failed_authentication),
        cmocka_unit_test(an_unknown_command_is_no_answer),
        cmocka_unit_test(frames_that_nobody_asked_for_are_unexpected),
        cmocka_unit_test(a_ping_takes_no_control_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
