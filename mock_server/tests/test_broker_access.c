/* SPDX-License-Identifier: MIT */
/* Who may do what: tokens as on the deployed server and in the strict variant, access lists. */
#include "mock_server/tests/broker_support.h"

#include <errno.h>

static const struct lwp_token two[] = {{"sekret", NULL}, {"other", "alice"}};

static struct talk guarded_talk(struct lwp_auth_options auth)
{
    auth.enabled = true;
    return talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.auth = auth});
}

static struct talk talk_with_two(void)
{
    return guarded_talk((struct lwp_auth_options){.tokens = two, .token_count = COUNT_OF(two)});
}

static void offer(struct talk *talk, const char *token)
{
    ask_raw(talk, LWP_COMMAND_AUTHENTICATE, lwp_bytes_text(token));
}

static void check_offered(const struct talk *talk, bool ok, const char *text)
{
    const struct lwp_message answer = answered(talk, LWP_COMMAND_AUTHENTICATE_RESPONSE);
    assert_int_equal(answer.ok, ok);
    assert_bytes_equal(answer.text, lwp_bytes_text(text));
}

static void without_authentication_any_text_is_a_token(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    assert_false(lwp_broker_guarded(talk.broker));
    offer(&talk, "anything");
    check_offered(&talk, true, "Authenticated");
    offer(&talk, "");
    check_offered(&talk, false, "No token provided");
    offer(&talk, "\xff");
    check_offered(&talk, false, "Invalid token encoding");
    assert_true(admits(&talk, 0));
    talk_done(&talk);
}

static void only_ingests_wait_for_a_token(void **state)
{
    (void)state;
    struct talk talk = talk_with_two();
    assert_true(lwp_broker_guarded(talk.broker));
    create(&talk, "a");
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    fetch(&talk, 1, 0, 10);
    assert_fetched(&talk, "", 0);
    assert_false(admits(&talk, 1));
    assert_error(&talk, "Authentication required");
    assert_false(admits(&talk, 77));
    assert_error(&talk, "Authentication required");
    offer(&talk, "sekret");
    check_offered(&talk, true, "Authenticated");
    assert_true(admits(&talk, 1));
    talk_done(&talk);
}

static void tokens_are_compared_byte_by_byte(void **state)
{
    (void)state;
    static const char *const wrong[] = {"sekret\n", "sekre", "Sekret", " sekret", "sekretother"};
    struct talk talk = talk_with_two();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        offer(&talk, wrong[i]);
        check_offered(&talk, false, "Invalid token");
        assert_false(talk.reply.hangs_up);
    }
    ask_raw(&talk, LWP_COMMAND_AUTHENTICATE, bytes_of("sekret", 7));
    check_offered(&talk, false, "Invalid token");
    assert_false(admits(&talk, 0));
    offer(&talk, "other");
    check_offered(&talk, true, "Authenticated");
    assert_bytes_equal(talk.asker.client, lwp_bytes_text("alice"));
    offer(&talk, "wrong");
    check_offered(&talk, false, "Invalid token");
    assert_true(admits(&talk, 0));
    talk_done(&talk);
}

static void write_only_turns_the_gate_off(void **state)
{
    (void)state;
    struct talk talk = guarded_talk(
        (struct lwp_auth_options){.tokens = two, .token_count = COUNT_OF(two), .write_only = true});
    assert_false(lwp_broker_guarded(talk.broker));
    assert_true(admits(&talk, 0));
    offer(&talk, "wrong");
    check_offered(&talk, false, "Invalid token");
    talk_done(&talk);
}

static void without_tokens_the_deployed_server_lets_everybody_in(void **state)
{
    (void)state;
    static const char *const files[] = {NULL, "/nonexistent/tokens", "/"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct talk talk = guarded_talk((struct lwp_auth_options){.token_file = files[i]});
        assert_true(lwp_broker_fails_open(talk.broker));
        assert_false(lwp_broker_guarded(talk.broker));
        offer(&talk, "anything");
        check_offered(&talk, true, "Authenticated");
        talk_done(&talk);
    }
}

/* A file with this text, for as long as `use` runs. */
static void with_file(const void *text, size_t size, void (*use)(const char *name))
{
    char name[] = "/tmp/lwp-tokens-XXXXXX";
    const int file = mkstemp(name);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), size);
    assert_int_equal(close(file), 0);
    use(name);
    assert_int_equal(unlink(name), 0);
}

static void use_good_file(const char *name)
{
    struct talk talk = guarded_talk(
        (struct lwp_auth_options){.tokens = two, .token_count = 1, .token_file = name});
    static const char *const right[] = {"sekret", "one", "two", "three"};
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        offer(&talk, right[i]);
        check_offered(&talk, true, "Authenticated");
    }
    assert_bytes_equal(talk.asker.client, lwp_bytes_text("bob"));
    offer(&talk, "bob");
    check_offered(&talk, false, "Invalid token");
    offer(&talk, "other");
    check_offered(&talk, false, "Invalid token");
    talk_done(&talk);
}

static void use_bad_file(const char *name)
{
    struct talk talk = guarded_talk((struct lwp_auth_options){.token_file = name});
    assert_true(lwp_broker_fails_open(talk.broker));
    talk_done(&talk);
}

static void use_file_of_many(const char *name)
{
    struct talk talk = guarded_talk((struct lwp_auth_options){.token_file = name});
    offer(&talk, "x");
    check_offered(&talk, true, "Authenticated");
    talk_done(&talk);
}

static void tokens_are_read_from_a_file(void **state)
{
    (void)state;
    static const char text[] = "one\r\n\n  two \n \t \nthree\tbob ignored";
    with_file(text, sizeof(text) - 1, use_good_file);
}

static void a_token_file_that_is_too_large_has_none(void **state)
{
    (void)state;
    enum { SIZE = 1048577 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, 'x', SIZE);
    with_file(text, SIZE, use_bad_file);
    with_file("", 0, use_bad_file);
    with_file("\n\n \n", 4, use_bad_file);
    free(text);
}

static void many_tokens_are_taken_up_to_a_limit(void **state)
{
    (void)state;
    enum { SIZE = 1048576 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++)
        text[i] = i % 2 ? '\n' : 'x';
    with_file(text, SIZE, use_file_of_many);
    free(text);
}

static struct talk strict_talk(const struct lwp_dialect *dialect, uint32_t max_failures)
{
    return talk_with(dialect, (struct lwp_broker_options){.auth = {.enabled = true,
                                                                   .strict = true,
                                                                   .tokens = two,
                                                                   .token_count = COUNT_OF(two),
                                                                   .max_failures = max_failures}});
}

static void the_strict_variant_wants_a_token_for_every_command(void **state)
{
    (void)state;
    static const uint8_t payload[32] = {0};
    struct talk talk = strict_talk(&lwp_dialect_lance, 0);
    for (int code = -1; code < 256; code++) {
        ask_raw(&talk, code, bytes_of(payload, sizeof(payload)));
        if (code != LWP_COMMAND_AUTHENTICATE && code != LWP_COMMAND_AUTHENTICATE_RESPONSE)
            assert_error(&talk, "Authentication required");
    }
    assert_false(admits(&talk, 0));
    offer(&talk, "sekret");
    create(&talk, "a");
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    assert_true(admits(&talk, 1));
    talk_done(&talk);
}

static void the_strict_variant_names_its_code_in_spec(void **state)
{
    (void)state;
    struct talk talk = strict_talk(&lwp_dialect_spec, 0);
    create(&talk, "a");
    assert_error(&talk, "{\"code\":64,\"message\":\"Authentication required\"}");
    talk_done(&talk);
}

static void the_strict_variant_hangs_up_on_those_who_guess(void **state)
{
    (void)state;
    struct talk talk = strict_talk(&lwp_dialect_lance, 3);
    offer(&talk, "a");
    assert_false(talk.reply.hangs_up);
    offer(&talk, "");
    assert_false(talk.reply.hangs_up);
    offer(&talk, "sekret");
    assert_false(talk.reply.hangs_up);
    offer(&talk, "b");
    check_offered(&talk, false, "Invalid token");
    assert_true(talk.reply.hangs_up);
    talk_done(&talk);
}

static void nobody_is_hung_up_on_without_a_maximum(void **state)
{
    (void)state;
    struct talk strict = strict_talk(&lwp_dialect_lance, 0);
    struct talk deployed = guarded_talk(
        (struct lwp_auth_options){.tokens = two, .token_count = COUNT_OF(two), .max_failures = 1});
    for (int i = 0; i < 1000; i++) {
        offer(&strict, "wrong");
        assert_false(strict.reply.hangs_up);
        offer(&deployed, "wrong");
        assert_false(deployed.reply.hangs_up);
    }
    talk_done(&strict);
    talk_done(&deployed);
}

static void the_strict_variant_without_tokens_lets_nobody_in(void **state)
{
    (void)state;
    struct talk talk = guarded_talk((struct lwp_auth_options){.strict = true, .write_only = true});
    assert_false(lwp_broker_fails_open(talk.broker));
    assert_true(lwp_broker_guarded(talk.broker));
    offer(&talk, "anything");
    check_offered(&talk, false, "Invalid token");
    assert_false(admits(&talk, 0));
    talk_done(&talk);
}

static const struct lwp_access lists[] = {
    {"alice", "*", true, true},
    {"bob", "orders", true, false},
    {"*", "open", true, true},
    {"bob", "0", false, true},
};

static struct talk listed_talk(const struct lwp_dialect *dialect, const char *client)
{
    struct talk talk = talk_with(
        dialect, (struct lwp_broker_options){.access = lists, .access_count = COUNT_OF(lists)});
    talk.asker.client = lwp_bytes_text("alice");
    create(&talk, "orders");
    create(&talk, "open");
    create(&talk, "private");
    talk.asker.client = lwp_bytes_text(client);
    return talk;
}

static void a_reader_may_read_and_not_write(void **state)
{
    (void)state;
    static const char denied[] = "Access denied: client 'bob' not authorized for topic 1";
    struct talk talk = listed_talk(&lwp_dialect_lance, "bob");
    fetch(&talk, 1, 0, 10);
    assert_fetched(&talk, "", 0);
    subscribe(&talk, 1, 9, 0);
    assert_int_equal(talk.reply.command, LWP_COMMAND_SUBSCRIBE_ACK);
    commit(&talk, 1, 9, 1);
    assert_int_equal(talk.reply.command, LWP_COMMAND_COMMIT_ACK);
    assert_false(admits(&talk, 1));
    assert_error(&talk, denied);
    delete_topic(&talk, 1);
    assert_error(&talk, denied);
    set_retention(&talk, 1, 1, 1);
    assert_error(&talk, denied);
    create(&talk, "mine");
    assert_error(&talk, "Access denied: client 'bob' not authorized for topic mine");
    create_retained(&talk, "mine", 1, 1);
    assert_error(&talk, "Access denied: client 'bob' not authorized for topic mine");
    talk_done(&talk);
}

static void a_stranger_sees_only_what_is_open(void **state)
{
    (void)state;
    struct talk talk = listed_talk(&lwp_dialect_spec, NULL);
    static const char denied[] = "{\"code\":66,\"message\":\"Access denied: client 'anonymous' not "
                                 "authorized for topic 3\"}";
    fetch(&talk, 3, 0, 10);
    assert_error(&talk, denied);
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_GET_TOPIC, .topic_id = 3});
    assert_error(&talk, denied);
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_UNSUBSCRIBE, .topic_id = 3});
    assert_error(&talk, denied);
    commit(&talk, 3, 1, 1);
    assert_error(&talk, denied);
    subscribe(&talk, 3, 1, 1);
    assert_error(&talk, denied);
    assert_true(admits(&talk, 2));
    fetch(&talk, 2, 0, 10);
    assert_fetched(&talk, "", 0);
    ask_raw(&talk, LWP_COMMAND_GET_CLUSTER_STATUS + 0x29, bytes_of(NULL, 0));
    assert_int_equal(talk.reply.command, LWP_COMMAND_CLUSTER_STATUS_RESPONSE);
    talk_done(&talk);
}

static void the_lists_hide_what_does_not_exist(void **state)
{
    (void)state;
    struct talk talk = listed_talk(&lwp_dialect_lance, "bob");
    fetch(&talk, 99, 0, 10);
    assert_error(&talk, "Access denied: client 'bob' not authorized for topic 99");
    talk.asker.client = lwp_bytes_text("alice");
    fetch(&talk, 99, 0, 10);
    assert_error(&talk, "Topic 99 not found");
    talk_done(&talk);
}

static void the_default_topic_is_listed_as_0(void **state)
{
    (void)state;
    struct talk talk = listed_talk(&lwp_dialect_spec, "bob");
    assert_true(admits(&talk, 0));
    fetch(&talk, 0, 0, 1);
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    talk.asker.client = lwp_bytes_text("carol");
    assert_false(admits(&talk, 0));
    talk_done(&talk);
}

static void hostile_names_of_clients_are_quoted_within_bounds(void **state)
{
    (void)state;
    char name[100001] = {0};
    struct talk talk = listed_talk(&lwp_dialect_lance, NULL);
    memset(name, '\xff', sizeof(name) - 1);
    talk.asker.client = lwp_bytes_text(name);
    fetch(&talk, 1, 0, 1);
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    assert_true(lwp_utf8_valid(talk.reply.payload));
    assert_true(talk.reply.payload.size < 1024);
    memset(name, 'n', sizeof(name) - 1);
    talk.asker.client = lwp_bytes_text("bob");
    create(&talk, "x");
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of(name, sizeof(name) - 1));
    assert_true(talk.reply.payload.size < 1024);
    talk_done(&talk);
}

static void read_good_lists(const char *name)
{
    struct lwp_access_list list;
    size_t line = 0;
    assert_int_equal(lwp_access_read(name, &list, &line), LWP_OK);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.rows[0].client, "alice");
    assert_string_equal(list.rows[0].topic, "*");
    assert_true(list.rows[0].read && list.rows[0].write);
    assert_true(list.rows[1].read && !list.rows[1].write);
    assert_string_equal(list.rows[2].topic, "0");
    assert_true(!list.rows[2].read && list.rows[2].write);
    lwp_access_done(&list);
    lwp_access_done(&list);
}

static void read_no_lists(const char *name)
{
    struct lwp_access_list list;
    size_t line = 0;
    assert_int_equal(lwp_access_read(name, &list, &line), LWP_OK);
    assert_int_equal(list.count, 0);
    lwp_access_done(&list);
}

static void read_bad_second_line(const char *name)
{
    struct lwp_access_list list;
    size_t line = 0;
    assert_int_equal(lwp_access_read(name, &list, &line), LWP_INVALID_ARGUMENT);
    assert_int_equal(line, 2);
}

static void read_too_many_lists(const char *name)
{
    struct lwp_access_list list;
    size_t line = 0;
    assert_int_equal(lwp_access_read(name, &list, &line), LWP_INVALID_ARGUMENT);
    assert_int_equal(line, 16385);
}

static void access_lists_are_read_from_a_file(void **state)
{
    (void)state;
    static const char good[] = "# who what how\nalice * rw\r\n\n\tbob  orders\tr\n* 0 w";
    static const char *const bad[] = {"a b r\nc d", "a b r\nc d x", "a b r\nc d r w\n",
                                      "a b r\nc",   "\nc d R",      "\nc d wr"};
    with_file(good, sizeof(good) - 1, read_good_lists);
    with_file("", 0, read_no_lists);
    with_file(" \n#", 3, read_no_lists);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        with_file(bad[i], strlen(bad[i]), read_bad_second_line);
}

static void too_many_rows_are_refused(void **state)
{
    (void)state;
    const size_t row_size = 6, size = 20000 * row_size;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i += row_size)
        memcpy(text + i, "a b r\n", row_size);
    with_file(text, size, read_too_many_lists);
    free(text);
}

static void a_file_of_lists_that_can_not_be_read_says_why(void **state)
{
    (void)state;
    struct lwp_access_list list;
    size_t line = 0;
    errno = 0;
    assert_int_equal(lwp_access_read("/nonexistent/lists", &list, &line), LWP_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(lwp_access_read("/", &list, &line), LWP_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(lwp_access_read("/dev/zero", &list, &line), LWP_IO);
    assert_int_equal(errno, EFBIG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_authentication_any_text_is_a_token),
    cmocka_unit_test(only_ingests_wait_for_a_token),
    cmocka_unit_test(tokens_are_compared_byte_by_byte),
    cmocka_unit_test(write_only_turns_the_gate_off),
    cmocka_unit_test(without_tokens_the_deployed_server_lets_everybody_in),
    cmocka_unit_test(tokens_are_read_from_a_file),
    cmocka_unit_test(a_token_file_that_is_too_large_has_none),
    cmocka_unit_test(many_tokens_are_taken_up_to_a_limit),
    cmocka_unit_test(the_strict_variant_wants_a_token_for_every_command),
    cmocka_unit_test(the_strict_variant_names_its_code_in_spec),
    cmocka_unit_test(the_strict_variant_hangs_up_on_those_who_guess),
    cmocka_unit_test(nobody_is_hung_up_on_without_a_maximum),
    cmocka_unit_test(the_strict_variant_without_tokens_lets_nobody_in),
    cmocka_unit_test(a_reader_may_read_and_not_write),
    cmocka_unit_test(a_stranger_sees_only_what_is_open),
    cmocka_unit_test(the_lists_hide_what_does_not_exist),
    cmocka_unit_test(the_default_topic_is_listed_as_0),
    cmocka_unit_test(access_lists_are_read_from_a_file),
    cmocka_unit_test(too_many_rows_are_refused),
    cmocka_unit_test(a_file_of_lists_that_can_not_be_read_says_why),
    cmocka_unit_test(hostile_names_of_clients_are_quoted_within_bounds),
};

int main(void)
{
    return cmocka_run_group_tests_name("broker_access", tests, NULL, NULL);
}
