/* SPDX-License-Identifier: MIT */
/* What the broker answers, as the deployed server does: topics, names, ids, commits, fetches. */
#include "mock_server/tests/broker_support.h"

#include "lwp/wire/tlv.h"

static const struct lwp_dialect *const dialects[] = {&lwp_dialect_spec, &lwp_dialect_lance,
                                                     &lwp_dialect_lance_py};

static void topic_documents_have_the_keys_of_the_dialect(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":1,\"name\":\"a\",\"topic_epoch\":1}");
    create_retained(&talk, "b", 5, 6);
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":2,\"max_age_secs\":5,\"max_bytes\":6,"
                        "\"name\":\"b\",\"topic_epoch\":1}");
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_GET_TOPIC, .topic_id = 2});
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":2,\"name\":\"b\",\"topic_epoch\":1}");
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, lwp_bytes_text("ignored"));
    assert_topic(
        &talk, "{\"topics\":[{\"id\":1,\"name\":\"a\",\"created_at\":1700000000,\"topic_epoch\":1},"
               "{\"id\":2,\"name\":\"b\",\"created_at\":1700000000,\"topic_epoch\":1}]}");
    set_retention(&talk, 1, 7, UINT64_MAX);
    assert_topic(&talk, "{\"max_age_secs\":7,\"max_bytes\":18446744073709551615,\"topic_id\":1}");
    delete_topic(&talk, 1);
    assert_topic(&talk, "{\"deleted\":1}");
    talk_done(&talk);
}

static void an_empty_registry_lists_nothing(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    assert_topic(&talk, "{\"topics\":[]}");
    talk_done(&talk);
}

static void names_of_letters_digits_and_dashes_are_taken(void **state)
{
    (void)state;
    static const char *const names[] = {"-", "--help", "0", "7", "A", "a", "Az-09"};
    struct talk talk = plain_talk(&lwp_dialect_lance);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        create(&talk, names[i]);
        assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    }
    talk_done(&talk);
}

static void other_names_are_refused_with_the_whole_name(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a_b");
    assert_error(&talk, "Invalid data: Topic name 'a_b' contains invalid characters. Only "
                        "alphanumeric characters (a-z, A-Z, 0-9) and dashes (-) are allowed");
    create(&talk, "x\xff\xe2\x82y");
    assert_error(&talk, "Invalid data: Topic name 'x\xef\xbf\xbd\xef\xbf\xbdy' contains invalid "
                        "characters. Only alphanumeric characters (a-z, A-Z, 0-9) and dashes (-) "
                        "are allowed");
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of("a\0b", 3));
    assert_int_equal(talk.reply.payload.data[strlen("Invalid data: Topic name 'a")], 0);
    talk_done(&talk);
}

static void the_name_is_judged_in_the_order_of_the_deployed_server(void **state)
{
    (void)state;
    char name[301] = {0};
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "");
    assert_error(&talk, "Topic name required");
    create_retained(&talk, "", 0, 0);
    assert_error(&talk, "Invalid data: Topic name must not be empty");
    create(&talk, "a");
    create(&talk, "a");
    assert_error(&talk, "Topic 'a' already exists");
    create_retained(&talk, "a", 0, 0);
    assert_error(&talk, "Topic 'a' already exists");
    memset(name, 'n', 300);
    create(&talk, name);
    assert_error(&talk, "I/O error: File name too long (os error 36)");
    name[299] = '_';
    create(&talk, name);
    assert_memory_equal(talk.reply.payload.data, "Invalid data: ", 14);
    talk_done(&talk);
}

static void only_a_name_that_is_too_long_burns_an_id(void **state)
{
    (void)state;
    char name[257] = {0};
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    create(&talk, "a");
    create(&talk, "a b");
    create(&talk, "");
    create(&talk, "b");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":2,\"name\":\"b\",\"topic_epoch\":1}");
    memset(name, 'n', 256);
    create(&talk, name);
    create(&talk, "c");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":4,\"name\":\"c\",\"topic_epoch\":1}");
    name[255] = 0;
    create(&talk, name);
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    talk_done(&talk);
}

static void a_huge_name_is_echoed_up_to_the_largest_frame(void **state)
{
    (void)state;
    const size_t mib = 1048576, most = 16 * mib;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    uint8_t *name = malloc(most);
    assert_non_null(name);
    memset(name, '_', most);
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of(name, mib));
    assert_true(talk.reply.payload.size > mib && talk.reply.payload.size < mib + 200);
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of(name, most));
    assert_int_equal(talk.reply.payload.size, most);
    memset(name, 0xff, most);
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of(name, 6 * mib));
    assert_int_equal(talk.reply.payload.size, most);
    talk.asker.dialect = &lwp_dialect_spec;
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC, bytes_of(name, most));
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    assert_true(talk.reply.payload.size < 8192);
    free(name);
    talk_done(&talk);
}

static void short_payloads_get_the_error_of_their_command(void **state)
{
    (void)state;
    static const struct {
        int command;
        size_t short_size;
        const char *if_missing;
        const char *if_short;
    } rows[] = {
        {LWP_COMMAND_DELETE_TOPIC, 3, "Configuration error: Topic 0 not found",
         "Configuration error: Topic 0 not found"},
        {LWP_COMMAND_GET_TOPIC, 3, "Topic not found", "Topic not found"},
        {LWP_COMMAND_SET_RETENTION, 19, "Invalid set retention payload",
         "Invalid set retention payload"},
        {LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, 17, "Invalid create topic payload",
         "Invalid create topic payload"},
        {LWP_COMMAND_FETCH, 15, "Fetch request payload required",
         "Protocol error: Fetch request payload too small"},
        {LWP_COMMAND_SUBSCRIBE, 23, "Invalid subscribe payload", "Invalid subscribe payload"},
        {LWP_COMMAND_UNSUBSCRIBE, 11, "Invalid unsubscribe payload", "Invalid unsubscribe payload"},
        {LWP_COMMAND_COMMIT_OFFSET, 19, "Invalid commit offset payload",
         "Invalid commit offset payload"},
    };
    static const uint8_t payload[32] = {0};
    struct talk talk = plain_talk(&lwp_dialect_lance);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ask_raw(&talk, rows[i].command, bytes_of(NULL, 0));
        assert_error(&talk, rows[i].if_missing);
        ask_raw(&talk, rows[i].command, bytes_of(payload, rows[i].short_size));
        assert_error(&talk, rows[i].if_short);
    }
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
            bytes_of("\x03\0abcdefghijklmnopq", 18));
    assert_error(&talk, "Invalid payload length");
    talk_done(&talk);
}

static void a_name_size_of_four_bytes_is_read_as_one_of_two(void **state)
{
    (void)state;
    static const uint8_t payload[4 + 3 + 16] = {3, 0, 0, 0, 'a', 'b', 'c'};
    static const char expected[] = "Invalid data: Topic name '\0\0a' contains invalid characters. ";
    struct talk talk = plain_talk(&lwp_dialect_lance);
    ask_raw(&talk, LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, bytes_of(payload, sizeof(payload)));
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    assert_memory_equal(talk.reply.payload.data, expected, sizeof(expected) - 1);
    talk_done(&talk);
}

static void bytes_behind_a_payload_are_ignored_in_lance(void **state)
{
    (void)state;
    static const uint8_t payload[64] = {1};
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    ask_raw(&talk, LWP_COMMAND_GET_TOPIC, bytes_of(payload, sizeof(payload)));
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    ask_raw(&talk, LWP_COMMAND_FETCH, bytes_of(payload, sizeof(payload)));
    assert_fetched(&talk, "", 0);
    talk_done(&talk);
}

static void codes_that_no_client_sends_are_refused(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    for (int code = -1; code < 256; code++) {
        const struct lwp_command *command = code < 0 ? NULL : lwp_command_of((uint8_t)code);
        if (command && command->from_client)
            continue;
        ask_raw(&talk, code, lwp_bytes_text("anything"));
        assert_error(&talk, code == LWP_COMMAND_AUTHENTICATE_RESPONSE
                                ? "Authentication handled at connection level"
                                : "Invalid client command");
    }
    talk_done(&talk);
}

static void a_deleted_topic_is_unknown_to_every_command(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    store(&talk, 1, "hello");
    delete_topic(&talk, 1);
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_GET_TOPIC, .topic_id = 1});
    assert_error(&talk, "Topic not found");
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "Topic 1 not found");
    subscribe(&talk, 1, 1, 0);
    assert_error(&talk, "Topic not found");
    set_retention(&talk, 1, 1, 1);
    assert_error(&talk, "Configuration error: Topic 1 not found");
    delete_topic(&talk, 1);
    assert_error(&talk, "Configuration error: Topic 1 not found");
    assert_false(admits(&talk, 1));
    assert_error(&talk, "Unknown topic");
    create(&talk, "a");
    fetch(&talk, 2, 0, 100);
    assert_fetched(&talk, "", 0);
    talk_done(&talk);
}

static void topic_0_takes_records_and_gives_none(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    assert_true(admits(&talk, 0));
    store(&talk, 0, "hello");
    fetch(&talk, 0, 0, 100);
    assert_error(&talk, "Topic 0 not found");
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_GET_TOPIC, .topic_id = 0});
    assert_error(&talk, "Topic not found");
    delete_topic(&talk, 0);
    assert_error(&talk, "Configuration error: Topic 0 not found");
    set_retention(&talk, 0, 1, 1);
    assert_error(&talk, "Configuration error: Topic 0 not found");
    subscribe(&talk, 0, 9, 0);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).consumer_id, 9);
    commit(&talk, 0, 9, 4);
    assert_int_equal(answered(&talk, LWP_COMMAND_COMMIT_ACK).offset, 4);
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    assert_topic(&talk, "{\"topics\":[]}");
    talk.asker.dialect = &lwp_dialect_spec;
    fetch(&talk, 0, 0, 100);
    assert_fetched(&talk, "hello", 5);
    talk_done(&talk);
}

static void a_subscription_echoes_its_offset_or_resumes_at_the_commit(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    subscribe(&talk, 1, 9, UINT64_MAX);
    assert_true(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset == UINT64_MAX);
    subscribe(&talk, 1, 9, 0);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 0);
    subscribe(&talk, 1, 9, 12345);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 12345);
    commit(&talk, 1, 9, 50);
    commit(&talk, 1, 9, 20);
    assert_int_equal(answered(&talk, LWP_COMMAND_COMMIT_ACK).offset, 20);
    subscribe(&talk, 1, 9, 0);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 20);
    subscribe(&talk, 1, 8, 0);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 0);
    talk_done(&talk);
}

static void commits_survive_the_topic_and_need_none(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    commit(&talk, 1, 9, UINT64_MAX);
    assert_true(answered(&talk, LWP_COMMAND_COMMIT_ACK).offset == UINT64_MAX);
    create(&talk, "a");
    ask(&talk,
        (struct lwp_message){.command = LWP_COMMAND_UNSUBSCRIBE, .topic_id = 1, .consumer_id = 9});
    assert_true(talk.reply.is_ack);
    assert_int_equal(talk.reply.batch_id, 9);
    subscribe(&talk, 1, 9, 0);
    assert_true(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset == UINT64_MAX);
    talk_done(&talk);
}

static void a_fetch_gives_what_is_there_from_the_offset_on(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "", 0);
    store(&talk, 1, "hello");
    store(&talk, 1, "world");
    fetch(&talk, 1, 3, 4);
    assert_fetched(&talk, "lowo", 7);
    assert_int_equal(answered(&talk, LWP_COMMAND_FETCH_RESPONSE).record_count, 1);
    fetch(&talk, 1, 7, UINT32_MAX);
    assert_fetched(&talk, "rld", 10);
    fetch(&talk, 1, 10, 100);
    assert_fetched(&talk, "", 10);
    assert_int_equal(answered(&talk, LWP_COMMAND_FETCH_RESPONSE).record_count, 0);
    fetch(&talk, 1, 3, 0);
    assert_fetched(&talk, "", 3);
    fetch(&talk, 1, 11, 0);
    assert_catching_up(&talk, 10);
    fetch(&talk, 1, UINT64_MAX, 100);
    assert_fetched(&talk, "", 10);
    fetch(&talk, 1, UINT64_MAX - 1, 100);
    assert_catching_up(&talk, 10);
    talk_done(&talk);
}

static void a_fetch_is_capped_at_the_largest_frame(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.limits = {.max_payload = 20}});
    create(&talk, "a");
    store(&talk, 1, "hello world");
    fetch(&talk, 1, 0, UINT32_MAX);
    assert_fetched(&talk, "hell", 4);
    talk_done(&talk);
}

static void what_is_not_flushed_is_not_fetched(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    assert_int_equal(lwp_broker_ingest(talk.broker, 1, lwp_bytes_text("hello")), LWP_OK);
    assert_true(lwp_broker_is_dirty(talk.broker));
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "", 0);
    talk_done(&talk);
}

static void the_python_client_gets_a_code_with_every_error(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance_py);
    create(&talk, "pytest_any name");
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    create(&talk, "pytest_any name");
    assert_error(&talk, "{\"code\":17,\"message\":\"Topic 'pytest_any name' already exists\"}");
    create(&talk, "x\xff");
    assert_error(&talk, "{\"code\":18,\"message\":\"Topic name 'x\xef\xbf\xbd' contains invalid "
                        "characters\"}");
    create(&talk, "");
    assert_error(&talk, "{\"code\":18,\"message\":\"Topic name required\"}");
    fetch(&talk, 7, 0, 1);
    assert_error(&talk, "{\"code\":16,\"message\":\"Topic not found\"}");
    ask_raw(&talk, LWP_COMMAND_FETCH, bytes_of("x", 1));
    assert_error(&talk, "{\"code\":4,\"message\":\"Fetch request payload too small\"}");
    ask_raw(&talk, 0xee, bytes_of(NULL, 0));
    assert_error(&talk, "{\"code\":1,\"message\":\"Invalid client command\"}");
    assert_int_equal(lwp_broker_error(talk.broker, talk.asker.dialect, LWP_TEXT_REDIRECT,
                                      lwp_bytes_text("10.0.0.1:1992"), &talk.reply),
                     LWP_OK);
    assert_error(&talk, "{\"code\":32,\"message\":\"Not the leader\",\"details\":{\"leader_addr\":"
                        "\"10.0.0.1:1992\"}}");
    talk_done(&talk);
}

static void the_python_client_gets_the_end_of_the_log_in_its_own_ways(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance_py);
    create(&talk, "a");
    store(&talk, 1, "hello");
    fetch(&talk, 1, INT64_MAX, 100);
    assert_fetched(&talk, "", 5);
    fetch(&talk, 1, UINT64_MAX, 100);
    assert_fetched(&talk, "", 5);
    fetch(&talk, 1, 6, 100);
    assert_error(&talk,
                 "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":5}}");
    ask(&talk,
        (struct lwp_message){.command = LWP_COMMAND_UNSUBSCRIBE, .topic_id = 1, .consumer_id = 9});
    assert_topic(&talk, "{\"unsubscribed\":1}");
    talk_done(&talk);
}

static void the_python_client_gets_no_record_that_is_cut(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct lwp_writer out = lwp_writer_on(bytes, sizeof(bytes));
    struct talk talk = plain_talk(&lwp_dialect_lance_py);
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("hello"));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("world"));
    create(&talk, "a");
    assert_int_equal(lwp_broker_ingest(talk.broker, 1, lwp_writer_bytes(&out)), LWP_OK);
    lwp_broker_flush(talk.broker);
    for (size_t max = 0; max <= 30; max++) {
        const uint64_t expected = max < 10 ? max : max < 20 ? 10 : 20;
        fetch(&talk, 1, 0, max);
        assert_int_equal(answered(&talk, LWP_COMMAND_FETCH_RESPONSE).next_offset, expected);
    }
    store(&talk, 1, "?");
    fetch(&talk, 1, 10, 100);
    assert_int_equal(answered(&talk, LWP_COMMAND_FETCH_RESPONSE).next_offset, 21);
    create(&talk, "b");
    store(&talk, 2, "these are no records at all");
    fetch(&talk, 2, 0, 8);
    assert_fetched(&talk, "these ar", 8);
    talk_done(&talk);
}

static void catching_up_has_a_form_in_every_dialect(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        struct talk talk = plain_talk(dialects[i]);
        assert_int_equal(lwp_broker_catching_up(talk.broker, dialects[i], 77, &talk.reply), LWP_OK);
        if (dialects[i] == &lwp_dialect_lance)
            assert_catching_up(&talk, 77);
        else
            assert_error(
                &talk,
                "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":77}}");
        talk_done(&talk);
    }
}

static void an_offset_beyond_the_end_is_empty_in_spec(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_spec);
    create(&talk, "a");
    store(&talk, 1, "hello");
    fetch(&talk, 1, 6, 100);
    assert_fetched(&talk, "", 6);
    fetch(&talk, 1, UINT64_MAX, 100);
    assert_fetched(&talk, "", UINT64_MAX);
    talk_done(&talk);
}

static void past_the_limits_the_storage_is_full(void **state)
{
    (void)state;
    struct talk talk = talk_with(
        &lwp_dialect_lance, (struct lwp_broker_options){
                                .limits = {.max_topics = 1, .max_commits = 1, .max_log_bytes = 8}});
    create(&talk, "a");
    create(&talk, "b");
    assert_error(&talk, "I/O error: too many topics");
    commit(&talk, 1, 1, 1);
    commit(&talk, 1, 2, 1);
    assert_error(&talk, "I/O error: too many commits");
    commit(&talk, 1, 1, 2);
    assert_int_equal(answered(&talk, LWP_COMMAND_COMMIT_ACK).offset, 2);
    store(&talk, 1, "12345678");
    assert_int_equal(lwp_broker_ingest(talk.broker, 1, lwp_bytes_text("9")), LWP_FULL);
    delete_topic(&talk, 1);
    assert_int_equal(lwp_broker_ingest(talk.broker, 0, lwp_bytes_text("12345678")), LWP_OK);
    talk_done(&talk);
}

static const struct lwp_peer peers[] = {{1, "Connected"}, {2, "Failed"}};
static const struct lwp_cluster_view follower = {
    .status = {.is_cluster = true,
               .has_no_leader = true,
               .current_term = 3,
               .healthy_nodes = 2,
               .node_count = 3,
               .peers = peers,
               .peer_count = COUNT_OF(peers)},
    .lag_bytes = 4,
};

static void a_node_of_a_cluster_tells_of_its_peers(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    ask_raw(&talk, LWP_COMMAND_GET_CLUSTER_STATUS, bytes_of(NULL, 0));
    assert_answer(&talk, LWP_COMMAND_CLUSTER_STATUS_RESPONSE,
                  "{\"current_term\":0,\"healthy_nodes\":1,\"is_leader\":true,\"leader_id\":0,"
                  "\"mode\":\"standalone\",\"node_count\":1,\"node_id\":0,\"peer_states\":{},"
                  "\"quorum_available\":true}");
    talk.asker.view = &follower;
    ask_raw(&talk, LWP_COMMAND_GET_CLUSTER_STATUS, bytes_of(NULL, 0));
    assert_answer(&talk, LWP_COMMAND_CLUSTER_STATUS_RESPONSE,
                  "{\"current_term\":3,\"healthy_nodes\":2,\"is_leader\":false,\"leader_id\":null,"
                  "\"node_count\":3,\"node_id\":0,\"peer_states\":{\"1\":\"Connected\",\"2\":"
                  "\"Failed\"},\"quorum_available\":false}");
    talk_done(&talk);
}

static void a_cluster_creates_a_topic_again(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    talk.asker.view = &follower;
    create_retained(&talk, "a", 1, 2);
    create(&talk, "a");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":1,\"name\":\"a\",\"topic_epoch\":1}");
    create_retained(&talk, "a", 5, 6);
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":1,\"max_age_secs\":5,\"max_bytes\":6,"
                        "\"name\":\"a\",\"topic_epoch\":1}");
    create(&talk, "a b");
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    create(&talk, "b");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":3,\"name\":\"b\",\"topic_epoch\":1}");
    talk.asker.dialect = &lwp_dialect_spec;
    create(&talk, "a");
    assert_error(&talk, "{\"code\":17,\"message\":\"Topic 'a' already exists\"}");
    talk_done(&talk);
}

static void a_topic_that_a_cluster_does_not_know_may_still_come(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    talk.asker.view = &follower;
    fetch(&talk, 7, 0, 1);
    assert_catching_up(&talk, 0);
    fetch(&talk, 0, 0, 1);
    assert_catching_up(&talk, 0);
    assert_false(admits(&talk, 7));
    assert_error(&talk, "FORWARD_FAILED: Unknown topic (metadata convergence)");
    talk.asker.dialect = &lwp_dialect_spec;
    fetch(&talk, 7, 0, 1);
    assert_error(&talk, "{\"code\":16,\"message\":\"Topic not found\"}");
    assert_false(admits(&talk, 7));
    assert_error(&talk, "{\"code\":16,\"message\":\"Unknown topic\"}");
    talk_done(&talk);
}

static void a_follower_that_lags_does_not_have_the_end(void **state)
{
    (void)state;
    struct talk talk = plain_talk(&lwp_dialect_lance);
    create(&talk, "a");
    store(&talk, 1, "abc");
    talk.asker.view = &follower;
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "", 0);
    store(&talk, 1, "defgh");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcd", 4);
    fetch(&talk, 1, UINT64_MAX, 100);
    assert_fetched(&talk, "", 4);
    fetch(&talk, 1, 5, 100);
    assert_catching_up(&talk, 4);
    talk.asker.view = NULL;
    fetch(&talk, 1, 5, 100);
    assert_fetched(&talk, "fgh", 8);
    talk_done(&talk);
}

static void a_cluster_of_many_nodes_has_a_document_as_well(void **state)
{
    (void)state;
    enum { NODES = 1000 };
    static struct lwp_peer many[NODES];
    struct talk talk = plain_talk(&lwp_dialect_lance);
    for (size_t i = 0; i < NODES; i++)
        many[i] = (struct lwp_peer){UINT64_MAX - i, "Connected"};
    const struct lwp_cluster_view view = {.status = {.peers = many, .peer_count = NODES}};
    talk.asker.view = &view;
    ask_raw(&talk, LWP_COMMAND_GET_CLUSTER_STATUS, bytes_of(NULL, 0));
    assert_int_equal(talk.reply.command, LWP_COMMAND_CLUSTER_STATUS_RESPONSE);
    talk_done(&talk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(topic_documents_have_the_keys_of_the_dialect),
    cmocka_unit_test(an_empty_registry_lists_nothing),
    cmocka_unit_test(names_of_letters_digits_and_dashes_are_taken),
    cmocka_unit_test(other_names_are_refused_with_the_whole_name),
    cmocka_unit_test(the_name_is_judged_in_the_order_of_the_deployed_server),
    cmocka_unit_test(only_a_name_that_is_too_long_burns_an_id),
    cmocka_unit_test(a_huge_name_is_echoed_up_to_the_largest_frame),
    cmocka_unit_test(short_payloads_get_the_error_of_their_command),
    cmocka_unit_test(a_name_size_of_four_bytes_is_read_as_one_of_two),
    cmocka_unit_test(bytes_behind_a_payload_are_ignored_in_lance),
    cmocka_unit_test(codes_that_no_client_sends_are_refused),
    cmocka_unit_test(a_deleted_topic_is_unknown_to_every_command),
    cmocka_unit_test(topic_0_takes_records_and_gives_none),
    cmocka_unit_test(a_subscription_echoes_its_offset_or_resumes_at_the_commit),
    cmocka_unit_test(commits_survive_the_topic_and_need_none),
    cmocka_unit_test(a_fetch_gives_what_is_there_from_the_offset_on),
    cmocka_unit_test(a_fetch_is_capped_at_the_largest_frame),
    cmocka_unit_test(what_is_not_flushed_is_not_fetched),
    cmocka_unit_test(the_python_client_gets_a_code_with_every_error),
    cmocka_unit_test(the_python_client_gets_the_end_of_the_log_in_its_own_ways),
    cmocka_unit_test(the_python_client_gets_no_record_that_is_cut),
    cmocka_unit_test(catching_up_has_a_form_in_every_dialect),
    cmocka_unit_test(an_offset_beyond_the_end_is_empty_in_spec),
    cmocka_unit_test(past_the_limits_the_storage_is_full),
    cmocka_unit_test(a_node_of_a_cluster_tells_of_its_peers),
    cmocka_unit_test(a_cluster_creates_a_topic_again),
    cmocka_unit_test(a_topic_that_a_cluster_does_not_know_may_still_come),
    cmocka_unit_test(a_follower_that_lags_does_not_have_the_end),
    cmocka_unit_test(a_cluster_of_many_nodes_has_a_document_as_well),
};

int main(void)
{
    return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}
