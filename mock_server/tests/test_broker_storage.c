/* SPDX-License-Identifier: MIT */
/* What the broker keeps and for how long: segments, retention, restarts, the rate limit, and the
 * deployed server's bugs, each with and without. */
#include "mock_server/tests/broker_support.h"

#include "lwp/session/session.h"
#include "lwp/wire/tlv.h"

enum { SEGMENT_SIZE = 4 };

#define SECONDS(n) ((n)*LWP_SECOND_NS)

/* A topic 1 whose segments hold four bytes, and whatever bugs. */
static struct talk talk_with_quirks(const struct lwp_dialect *dialect, uint32_t quirks)
{
    struct talk talk = talk_with(
        dialect, (struct lwp_broker_options){.segment_size = SEGMENT_SIZE, .quirks = quirks});
    return talk;
}

static uint32_t bits(enum lwp_quirk quirk)
{
    return lwp_quirk_bit(quirk);
}

/* Lets the clock stand so many seconds after the start. */
static void at(struct talk *talk, uint64_t seconds)
{
    lwp_broker_set_time(talk->broker, START_NS + SECONDS(seconds));
}

static void a_log_reads_what_was_appended_over_segments(void **state)
{
    (void)state;
    struct lwp_log log = {.data = NULL};
    for (int i = 0; i < 10; i++)
        assert_int_equal(lwp_log_append(&log, lwp_bytes_text("abc"), 1, 5), LWP_OK);
    assert_int_equal(log.closed_count, 5);
    assert_int_equal(lwp_log_end(&log), 0);
    lwp_log_flush(&log);
    assert_int_equal(lwp_log_end(&log), 30);
    assert_bytes_equal(lwp_log_read(&log, 4, 4), lwp_bytes_text("bcab"));
    assert_int_equal(lwp_log_read(&log, 30, 4).size, 0);
    assert_int_equal(lwp_log_read(&log, UINT64_MAX, SIZE_MAX).size, 0);
    assert_bytes_equal(lwp_log_read(&log, 28, SIZE_MAX), lwp_bytes_text("bc"));
    lwp_log_done(&log);
    assert_null(log.data);
}

static void a_log_drops_only_closed_segments_that_are_visible(void **state)
{
    (void)state;
    const struct lwp_retention all = {.by_size = true, .max_bytes = 0};
    struct lwp_log log = {.data = NULL};
    assert_int_equal(lwp_log_append(&log, lwp_bytes_text("abcd"), 1, 4), LWP_OK);
    assert_int_equal(lwp_log_expire(&log, &all), 0);
    lwp_log_flush(&log);
    assert_int_equal(lwp_log_append(&log, lwp_bytes_text("efgh"), 1, 4), LWP_OK);
    assert_int_equal(lwp_log_expire(&log, &all), 4);
    assert_int_equal(lwp_log_end(&log), 4);
    lwp_log_flush(&log);
    assert_int_equal(lwp_log_append(&log, lwp_bytes_text("i"), 1, 4), LWP_OK);
    lwp_log_flush(&log);
    assert_int_equal(lwp_log_expire(&log, &all), 4);
    assert_int_equal(log.first_offset, 8);
    assert_int_equal(lwp_log_read(&log, 7, 10).size, 0);
    assert_bytes_equal(lwp_log_read(&log, 8, 10), lwp_bytes_text("i"));
    assert_int_equal(lwp_log_expire(&log, &all), 0);
    assert_int_equal(lwp_log_close(&log), LWP_OK);
    assert_int_equal(lwp_log_close(&log), LWP_OK);
    assert_int_equal(lwp_log_expire(&log, &all), 1);
    assert_int_equal(lwp_log_end(&log), 9);
    lwp_log_done(&log);
}

static void a_segment_is_old_at_its_age_and_not_before(void **state)
{
    (void)state;
    struct lwp_log log = {.data = NULL};
    struct lwp_retention retention = {.by_age = true, .max_age_secs = 60};
    assert_int_equal(lwp_log_append(&log, lwp_bytes_text("abcd"), START_NS, 4), LWP_OK);
    lwp_log_flush(&log);
    retention.now_ns = START_NS - 1;
    assert_int_equal(lwp_log_expire(&log, &retention), 0);
    retention.now_ns = START_NS + SECONDS(60) - 1;
    assert_int_equal(lwp_log_expire(&log, &retention), 0);
    retention.now_ns = START_NS + SECONDS(60);
    assert_int_equal(lwp_log_expire(&log, &retention), 4);
    lwp_log_done(&log);
}

static void what_is_inserted_is_visible_if_what_is_behind_it_is(void **state)
{
    (void)state;
    struct lwp_log log = {.data = NULL};
    assert_int_equal(lwp_log_insert(&log, 0, lwp_bytes_text("b"), 1), LWP_OK);
    assert_int_equal(lwp_log_end(&log), 0);
    lwp_log_flush(&log);
    assert_int_equal(lwp_log_insert(&log, 0, lwp_bytes_text("a"), 1), LWP_OK);
    assert_bytes_equal(lwp_log_read(&log, 0, 9), lwp_bytes_text("ab"));
    assert_int_equal(lwp_log_insert(&log, 2, lwp_bytes_text("c"), 1), LWP_OK);
    assert_bytes_equal(lwp_log_read(&log, 0, 9), lwp_bytes_text("ab"));
    lwp_log_flush(&log);
    assert_bytes_equal(lwp_log_read(&log, 0, 9), lwp_bytes_text("abc"));
    lwp_log_done(&log);
}

static void a_log_gives_back_the_memory_of_what_it_drops(void **state)
{
    (void)state;
    const size_t block_size = 1048576;
    struct lwp_log log = {.data = NULL};
    uint8_t *block = calloc(1, block_size);
    assert_non_null(block);
    for (int i = 0; i < 8; i++)
        assert_int_equal(lwp_log_append(&log, bytes_of(block, block_size), 1, block_size), LWP_OK);
    lwp_log_flush(&log);
    const struct lwp_retention some = {.by_size = true, .max_bytes = block_size};
    assert_int_equal(lwp_log_expire(&log, &some), 7 * block_size);
    assert_true(log.capacity <= 2 * block_size);
    assert_int_equal(lwp_log_append(&log, bytes_of(block, block_size), 1, block_size), LWP_OK);
    free(block);
    lwp_log_done(&log);
}

static void retention_by_size_drops_the_oldest_segments(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create_retained(&talk, "a", 0, 6);
    store(&talk, 1, "abcd");
    store(&talk, 1, "efgh");
    store(&talk, 1, "ij");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcdefghij", 10);
    at(&talk, 59);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcdefghij", 10);
    at(&talk, 60);
    fetch(&talk, 1, 4, 100);
    assert_fetched(&talk, "efghij", 10);
    talk_done(&talk);
}

static void an_offset_that_is_gone_is_out_of_range(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create_retained(&talk, "a", 0, 6);
    store(&talk, 1, "abcd");
    store(&talk, 1, "efgh");
    at(&talk, 60);
    fetch(&talk, 1, 3, 100);
    assert_error(&talk, "Offset out of range: the log begins at 4");
    fetch(&talk, 1, 0, 0);
    assert_error(&talk, "Offset out of range: the log begins at 4");
    talk.asker.dialect = &lwp_dialect_spec;
    fetch(&talk, 1, 0, 100);
    assert_error(&talk, "{\"code\":81,\"message\":\"Offset out of range: the log begins at 4\"}");
    talk_done(&talk);
}

static void retention_by_age_drops_segments_that_are_old_enough(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create_retained(&talk, "a", 90, 0);
    store(&talk, 1, "abcd");
    at(&talk, 40);
    store(&talk, 1, "efgh");
    at(&talk, 60);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcdefgh", 8);
    at(&talk, 121);
    fetch(&talk, 1, 4, 100);
    assert_fetched(&talk, "efgh", 8);
    fetch(&talk, 1, 0, 100);
    assert_int_equal(talk.reply.command, LWP_COMMAND_ERROR_RESPONSE);
    at(&talk, 180);
    fetch(&talk, 1, 8, 100);
    assert_fetched(&talk, "", 8);
    fetch(&talk, 1, UINT64_MAX, 100);
    assert_fetched(&talk, "", 8);
    talk_done(&talk);
}

static void a_pass_that_is_late_finds_what_it_would_have_found(void **state)
{
    (void)state;
    struct talk watched = talk_with_quirks(&lwp_dialect_lance, 0);
    struct talk late = talk_with_quirks(&lwp_dialect_lance, 0);
    struct talk *const both[] = {&watched, &late};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        create_retained(both[i], "a", 130, 0);
        store(both[i], 1, "abcd");
    }
    for (uint64_t second = 0; second <= 170; second++)
        at(&watched, second);
    at(&late, 170);
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        fetch(both[i], 1, 0, 100);
        assert_fetched(both[i], "abcd", 4);
        at(both[i], 100000);
        fetch(both[i], 1, 0, 100);
        assert_int_equal(both[i]->reply.command, LWP_COMMAND_ERROR_RESPONSE);
        talk_done(both[i]);
    }
}

static void huge_retentions_keep_everything(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B13));
    create_retained(&talk, "a", UINT64_MAX, UINT64_MAX);
    store(&talk, 1, "abcd");
    at(&talk, 1000000);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcd", 4);
    talk_done(&talk);
}

static void a_retention_of_0_is_no_limit(void **state)
{
    (void)state;
    static const struct lwp_dialect *const dialects[] = {&lwp_dialect_spec, &lwp_dialect_lance};
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        struct talk talk = talk_with_quirks(dialects[i], 0);
        create_retained(&talk, "a", 0, 0);
        store(&talk, 1, "abcd");
        assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
        at(&talk, 1000);
        fetch(&talk, 1, 0, 100);
        assert_fetched(&talk, "abcd", 4);
        talk_done(&talk);
    }
}

static void with_b13_a_retention_of_0_deletes_all_that_is_closed(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B13));
    create_retained(&talk, "a", 0, 1000);
    create(&talk, "never-given-any");
    store(&talk, 1, "abcd");
    store(&talk, 1, "ef");
    store(&talk, 2, "abcd");
    at(&talk, 60);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "ef", 2);
    fetch(&talk, 1, 6, 100);
    assert_catching_up(&talk, 2);
    fetch(&talk, 2, 0, 100);
    assert_fetched(&talk, "abcd", 4);
    talk_done(&talk);
}

static void with_b13_the_specification_still_keeps_all_for_0(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_spec, bits(LWP_QUIRK_B13));
    create_retained(&talk, "a", 0, 0);
    store(&talk, 1, "abcd");
    at(&talk, 60);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "abcd", 4);
    set_retention(&talk, 1, 0, 3);
    at(&talk, 120);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "", 0);
    talk_done(&talk);
}

static void the_deadline_is_the_next_pass_that_may_change_something(void **state)
{
    (void)state;
    struct talk talk = talk_with(
        &lwp_dialect_lance, (struct lwp_broker_options){
                                .segment_size = 4, .retention_interval_ns = 10 * LWP_SECOND_NS});
    create(&talk, "a");
    assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
    store(&talk, 1, "abcd");
    assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
    set_retention(&talk, 1, 1, 0);
    at(&talk, 5);
    assert_true(lwp_broker_deadline(talk.broker) == START_NS + SECONDS(10));
    at(&talk, 10);
    assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
    store(&talk, 1, "abc");
    assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
    talk_done(&talk);
}

static void room_that_retention_makes_can_be_used_again(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance,
                  (struct lwp_broker_options){.segment_size = 4, .limits = {.max_log_bytes = 8}});
    create_retained(&talk, "a", 0, 4);
    store(&talk, 1, "abcd");
    store(&talk, 1, "efgh");
    assert_int_equal(lwp_broker_ingest(talk.broker, 0, lwp_bytes_text("x")), LWP_FULL);
    at(&talk, 60);
    store(&talk, 0, "xxxx");
    assert_int_equal(lwp_broker_ingest(talk.broker, 0, lwp_bytes_text("x")), LWP_FULL);
    talk_done(&talk);
}

static void a_restart_keeps_what_was_acknowledged_and_no_commits(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create_retained(&talk, "a", 7, 80);
    create(&talk, "b");
    create(&talk, "c");
    store(&talk, 1, "no records");
    store(&talk, 0, "x");
    commit(&talk, 1, 9, 3);
    delete_topic(&talk, 3);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    store(&talk, 1, "more");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "no recordsmore", 14);
    subscribe(&talk, 1, 9, 0);
    assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 0);
    create(&talk, "d");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":3,\"name\":\"d\",\"topic_epoch\":1}");
    talk_done(&talk);
}

static void a_restart_closes_segments_and_makes_a_pass(void **state)
{
    (void)state;
    struct talk talk = talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.quirks = 0});
    create_retained(&talk, "a", 7, 8);
    store(&talk, 1, "much too large");
    at(&talk, 600);
    fetch(&talk, 1, 0, 4);
    assert_fetched(&talk, "much", 4);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    fetch(&talk, 1, 0, 4);
    assert_error(&talk, "Offset out of range: the log begins at 14");
    talk_done(&talk);
}

static void a_restart_fills_the_bucket(void **state)
{
    (void)state;
    struct talk talk = talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.rate_limit = 10});
    create(&talk, "a");
    fetch(&talk, 1, 0, 10);
    fetch(&talk, 1, 0, 10);
    assert_error(&talk, "Rate limit exceeded");
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    fetch(&talk, 1, 0, 10);
    assert_fetched(&talk, "", 0);
    talk_done(&talk);
}

/* An ingest of records with something behind them. */
static void store_bytes(struct talk *talk, struct lwp_bytes bytes)
{
    assert_int_equal(lwp_broker_ingest(talk->broker, 1, bytes), LWP_OK);
    lwp_broker_flush(talk->broker);
}

static uint64_t end_after_restart(struct lwp_bytes bytes, uint32_t quirks)
{
    struct talk talk = talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.quirks = quirks});
    create(&talk, "a");
    store_bytes(&talk, bytes_of("\x01\x01\0\0\0x", 6));
    store_bytes(&talk, bytes);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    fetch(&talk, 1, UINT64_MAX, 0);
    const uint64_t end = answered(&talk, LWP_COMMAND_FETCH_RESPONSE).next_offset;
    talk_done(&talk);
    return end;
}

static void with_b4_a_restart_cuts_what_does_not_read_as_records(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        uint64_t kept;
    } rows[] = {
        {"plain text", 10, 6},                           /* A length past the end. */
        {"\x7f\x02\0\0\0ab\0\0\0\0\0", 12, 18},          /* Any type. */
        {"\x7f\x02\0\0\0abc", 8, 13},                    /* A head that is cut. */
        {"\xff\0\0\0\0\x01\x01\0\0\0x", 11, 6},          /* The specification's Null. */
        {"\xff\x09\x09\x01\0\0\0x\x01\0\0\0\0", 13, 19}, /* A head of seven bytes. */
        {"\xff\0\0\0\0\0", 6, 6},                        /* And one that is cut. */
        {"\x01\xff\xff\xff\xff", 5, 6},                  /* A huge length. */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct lwp_bytes bytes = bytes_of(rows[i].bytes, rows[i].size);
        assert_int_equal(end_after_restart(bytes, bits(LWP_QUIRK_B4)), rows[i].kept);
        assert_int_equal(end_after_restart(bytes, 0), 6 + rows[i].size);
    }
}

static void with_b4_closed_segments_are_not_cut(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B4));
    create(&talk, "a");
    store(&talk, 1, "rubbish");
    store(&talk, 1, "abc");
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "rubbish", 7);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "rubbish", 7);
    talk_done(&talk);
}

static void ids_are_not_used_twice_without_b1(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create(&talk, "a");
    delete_topic(&talk, 1);
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    at(&talk, 60);
    create(&talk, "b");
    assert_topic(&talk, "{\"created_at\":1700000060,\"id\":2,\"name\":\"b\",\"topic_epoch\":1}");
    talk_done(&talk);
}

/* Topic 1 with records is deleted and made again, so that its id is used twice. */
static struct talk talk_with_id_used_twice(const char *first_records, bool listed)
{
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B1));
    create(&talk, "a");
    if (first_records)
        store(&talk, 1, first_records);
    commit(&talk, 1, 9, 33);
    delete_topic(&talk, 1);
    if (listed) {
        ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    } else {
        assert_true(lwp_broker_deadline(talk.broker) == START_NS + SECONDS(60));
        at(&talk, 60);
        assert_true(lwp_broker_deadline(talk.broker) == LWP_NEVER);
    }
    create(&talk, "b");
    ask(&talk, (struct lwp_message){.command = LWP_COMMAND_GET_TOPIC, .topic_id = 1});
    assert_int_equal(talk.reply.command, LWP_COMMAND_TOPIC_RESPONSE);
    return talk;
}

static void with_b1_records_of_an_id_that_is_used_twice_are_lost(void **state)
{
    (void)state;
    for (int listed = 0; listed < 2; listed++) {
        struct talk talk = talk_with_id_used_twice("records", listed);
        store(&talk, 1, "gone");
        fetch(&talk, 1, 0, 100);
        assert_fetched(&talk, "", 0);
        subscribe(&talk, 1, 9, 0);
        assert_int_equal(answered(&talk, LWP_COMMAND_SUBSCRIBE_ACK).offset, 33);
        assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
        store(&talk, 1, "kept");
        fetch(&talk, 1, 0, 100);
        assert_fetched(&talk, "kept", 4);
        talk_done(&talk);
    }
}

static void with_b1_an_id_without_records_can_be_used_twice(void **state)
{
    (void)state;
    struct talk talk = talk_with_id_used_twice(NULL, true);
    store(&talk, 1, "kept");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "kept", 4);
    talk_done(&talk);
}

static void with_b1_a_restart_forgets_which_ids_are_lost(void **state)
{
    (void)state;
    struct talk talk = talk_with_id_used_twice("records", true);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    delete_topic(&talk, 1);
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    create(&talk, "c");
    store(&talk, 1, "kept");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "kept", 4);
    talk_done(&talk);
}

static void with_b1_only_an_empty_list_starts_over(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B1));
    create(&talk, "a");
    create(&talk, "b");
    delete_topic(&talk, 2);
    ask_raw(&talk, LWP_COMMAND_LIST_TOPICS, bytes_of(NULL, 0));
    delete_topic(&talk, 1);
    create(&talk, "c");
    assert_topic(&talk, "{\"created_at\":1700000000,\"id\":3,\"name\":\"c\",\"topic_epoch\":1}");
    talk_done(&talk);
}

static void a_topic_named_0_is_one_of_its_own_without_b2(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    create(&talk, "0");
    store(&talk, 0, "default");
    store(&talk, 1, "named");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "named", 5);
    talk_done(&talk);
}

static void with_b2_a_topic_named_0_and_the_default_topic_are_one(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.quirks = bits(LWP_QUIRK_B2)});
    store(&talk, 0, "one-");
    create(&talk, "0");
    create(&talk, "00");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "one-", 4);
    store(&talk, 1, "named");
    fetch(&talk, 1, 4, 100);
    assert_fetched(&talk, "named", 9);
    store(&talk, 0, "two-");
    fetch(&talk, 1, 4, 100);
    assert_fetched(&talk, "two-named", 13);
    store(&talk, 1, "!");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "one-two-named!", 14);
    store(&talk, 2, "apart");
    fetch(&talk, 2, 0, 100);
    assert_fetched(&talk, "apart", 5);
    talk_done(&talk);
}

static void with_b2_the_first_writer_may_be_that_of_the_name(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.quirks = bits(LWP_QUIRK_B2)});
    create(&talk, "0");
    store(&talk, 1, "N");
    store(&talk, 0, "D");
    store(&talk, 1, "N");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "NND", 3);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    store(&talk, 0, "d");
    store(&talk, 1, "n");
    store(&talk, 0, "d");
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "NNDddn", 6);
    talk_done(&talk);
}

static void with_b2_deleting_the_name_loses_what_comes_for_topic_0(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance, (struct lwp_broker_options){.quirks = bits(LWP_QUIRK_B2)});
    store(&talk, 0, "default");
    create(&talk, "0");
    delete_topic(&talk, 1);
    store(&talk, 0, "lost");
    create(&talk, "0");
    store(&talk, 2, "kept");
    store(&talk, 0, "lost");
    fetch(&talk, 2, 0, 100);
    assert_fetched(&talk, "kept", 4);
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    store(&talk, 0, "+");
    fetch(&talk, 2, 0, 100);
    assert_fetched(&talk, "kept+", 5);
    talk_done(&talk);
}

static void with_b2_and_retention_no_byte_is_counted_twice(void **state)
{
    (void)state;
    struct talk talk =
        talk_with(&lwp_dialect_lance,
                  (struct lwp_broker_options){.segment_size = 4,
                                              .limits = {.max_log_bytes = 12},
                                              .quirks = bits(LWP_QUIRK_B2) | bits(LWP_QUIRK_B13)});
    create_retained(&talk, "0", 0, 0);
    store(&talk, 0, "aaaa");
    store(&talk, 1, "nnnn");
    store(&talk, 0, "bbbb");
    at(&talk, 60);
    fetch(&talk, 1, 0, 100);
    const uint64_t left = answered(&talk, LWP_COMMAND_FETCH_RESPONSE).next_offset;
    assert_true(left < 12);
    for (uint64_t i = left; i < 12; i++)
        store(&talk, 0, "x");
    assert_int_equal(lwp_broker_ingest(talk.broker, 0, lwp_bytes_text("x")), LWP_FULL);
    delete_topic(&talk, 1);
    create(&talk, "other");
    store(&talk, 2, "123456789012");
    talk_done(&talk);
}

static void lost_acks_stay_in_flight_only_with_b14(void **state)
{
    (void)state;
    struct talk talk = talk_with_quirks(&lwp_dialect_lance, 0);
    lwp_broker_lose_acks(talk.broker, 3);
    assert_int_equal(lwp_broker_in_flight(talk.broker), 0);
    assert_true(lwp_broker_drain_ns(talk.broker) == 0);
    talk_done(&talk);
    talk = talk_with_quirks(&lwp_dialect_lance, bits(LWP_QUIRK_B14));
    lwp_broker_lose_acks(talk.broker, 0);
    assert_true(lwp_broker_drain_ns(talk.broker) == 0);
    lwp_broker_lose_acks(talk.broker, 3);
    assert_int_equal(lwp_broker_in_flight(talk.broker), 3);
    assert_true(lwp_broker_drain_ns(talk.broker) == SECONDS(25));
    assert_int_equal(lwp_broker_restart(talk.broker), LWP_OK);
    assert_int_equal(lwp_broker_in_flight(talk.broker), 0);
    talk_done(&talk);
}

static void quirks_are_found_by_number_and_by_word(void **state)
{
    (void)state;
    static const char *const none[] = {"", "B", "B3", "b1", "B11", "B1 ", "reuses_ids", "none"};
    enum lwp_quirk quirk = LWP_QUIRK_COUNT;
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_false(lwp_quirk_named(none[i], &quirk));
        assert_int_equal(quirk, LWP_QUIRK_COUNT);
    }
    for (unsigned i = 0; i < LWP_QUIRK_COUNT; i++) {
        assert_true(lwp_quirk_named(lwp_quirk_rows[i].number, &quirk));
        assert_int_equal(quirk, i);
        assert_true(lwp_quirk_named(lwp_quirk_rows[i].word, &quirk));
        assert_int_equal(quirk, i);
        assert_true(strlen(lwp_quirk_rows[i].suffering) > 0);
    }
    assert_true(lwp_quirk_named("B13", &quirk));
    assert_int_equal(quirk, LWP_QUIRK_B13);
}

static struct talk limited_talk(const struct lwp_dialect *dialect, uint64_t rate_limit)
{
    struct talk talk = talk_with(dialect, (struct lwp_broker_options){.rate_limit = rate_limit});
    create(&talk, "a");
    store(&talk, 1, "hello");
    return talk;
}

static void the_rate_limit_charges_what_is_asked_for(void **state)
{
    (void)state;
    struct talk talk = limited_talk(&lwp_dialect_lance, 100);
    fetch(&talk, 1, 5, 99);
    assert_fetched(&talk, "", 5);
    fetch(&talk, 1, 0, UINT32_MAX);
    assert_fetched(&talk, "hello", 5);
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "Rate limit exceeded");
    at(&talk, 1);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "hello", 5);
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "Rate limit exceeded");
    at(&talk, 1000);
    fetch(&talk, 1, 0, 100);
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "Rate limit exceeded");
    talk_done(&talk);
}

static void an_empty_bucket_refuses_every_fetch_of_the_right_form(void **state)
{
    (void)state;
    struct talk talk = limited_talk(&lwp_dialect_lance, 10);
    fetch(&talk, 1, 0, 0);
    assert_fetched(&talk, "", 0);
    fetch(&talk, 77, 0, 100);
    assert_error(&talk, "Topic 77 not found");
    fetch(&talk, 1, 0, 0);
    assert_error(&talk, "Rate limit exceeded");
    fetch(&talk, 77, 0, 1);
    assert_error(&talk, "Rate limit exceeded");
    fetch(&talk, 1, UINT64_MAX, 1);
    assert_error(&talk, "Rate limit exceeded");
    ask_raw(&talk, LWP_COMMAND_FETCH, bytes_of("short", 5));
    assert_error(&talk, "Protocol error: Fetch request payload too small");
    ask_raw(&talk, LWP_COMMAND_FETCH, bytes_of(NULL, 0));
    assert_error(&talk, "Fetch request payload required");
    subscribe(&talk, 1, 9, 0);
    assert_int_equal(talk.reply.command, LWP_COMMAND_SUBSCRIBE_ACK);
    talk_done(&talk);
}

static void one_bucket_serves_all_clients(void **state)
{
    (void)state;
    struct talk talk = limited_talk(&lwp_dialect_lance, 10);
    struct talk other = talk;
    fetch(&talk, 1, 0, 10);
    assert_fetched(&talk, "hello", 5);
    fetch(&other, 1, 0, 10);
    assert_error(&other, "Rate limit exceeded");
    talk_done(&talk);
}

static void the_specification_is_told_when_to_try_again(void **state)
{
    (void)state;
    struct talk talk = limited_talk(&lwp_dialect_spec, 2);
    fetch(&talk, 1, 0, 100);
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "{\"code\":48,\"message\":\"Rate limit exceeded\",\"details\":"
                        "{\"retry_after_ms\":500}}");
    lwp_broker_set_time(talk.broker, START_NS + 499 * LWP_MILLISECOND_NS);
    fetch(&talk, 1, 0, 1);
    assert_error(&talk, "{\"code\":48,\"message\":\"Rate limit exceeded\",\"details\":"
                        "{\"retry_after_ms\":1}}");
    lwp_broker_set_time(talk.broker, START_NS + 500 * LWP_MILLISECOND_NS);
    fetch(&talk, 1, 0, 100);
    assert_fetched(&talk, "hello", 5);
    talk_done(&talk);
}

/* How many fetches of one byte pass in three seconds, a millisecond apart. */
static uint64_t count_passed(uint64_t rate_limit)
{
    struct talk talk = limited_talk(&lwp_dialect_lance, rate_limit);
    uint64_t count = 0;
    for (uint64_t k = 0; k <= 3000; k++) {
        lwp_broker_set_time(talk.broker, START_NS + k * LWP_MILLISECOND_NS);
        fetch(&talk, 1, 0, 1);
        count += talk.reply.command == LWP_COMMAND_FETCH_RESPONSE;
    }
    talk_done(&talk);
    return count;
}

static void no_part_of_a_token_is_lost_between_looks_at_the_clock(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1, 3, 7, 300, 750};
    for (size_t i = 0; i < COUNT_OF(rates); i++) /* A burst, and three seconds of tokens. */
        assert_in_range(count_passed(rates[i]), 4 * rates[i] - 1, 4 * rates[i]);
    assert_int_equal(count_passed(1000), 3001);
}

static void a_huge_rate_is_taken_for_the_highest(void **state)
{
    (void)state;
    struct talk talk = limited_talk(&lwp_dialect_lance, UINT64_MAX);
    for (int i = 0; i < 3; i++) {
        fetch(&talk, 1, 0, UINT32_MAX);
        assert_fetched(&talk, "hello", 5);
    }
    fetch(&talk, 1, 0, UINT32_MAX);
    assert_error(&talk, "Rate limit exceeded");
    lwp_broker_set_time(talk.broker, UINT64_MAX);
    fetch(&talk, 1, 0, UINT32_MAX);
    assert_fetched(&talk, "hello", 5);
    talk_done(&talk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_log_reads_what_was_appended_over_segments),
    cmocka_unit_test(a_log_drops_only_closed_segments_that_are_visible),
    cmocka_unit_test(a_segment_is_old_at_its_age_and_not_before),
    cmocka_unit_test(what_is_inserted_is_visible_if_what_is_behind_it_is),
    cmocka_unit_test(a_log_gives_back_the_memory_of_what_it_drops),
    cmocka_unit_test(retention_by_size_drops_the_oldest_segments),
    cmocka_unit_test(an_offset_that_is_gone_is_out_of_range),
    cmocka_unit_test(retention_by_age_drops_segments_that_are_old_enough),
    cmocka_unit_test(a_pass_that_is_late_finds_what_it_would_have_found),
    cmocka_unit_test(huge_retentions_keep_everything),
    cmocka_unit_test(a_retention_of_0_is_no_limit),
    cmocka_unit_test(with_b13_a_retention_of_0_deletes_all_that_is_closed),
    cmocka_unit_test(with_b13_the_specification_still_keeps_all_for_0),
    cmocka_unit_test(the_deadline_is_the_next_pass_that_may_change_something),
    cmocka_unit_test(room_that_retention_makes_can_be_used_again),
    cmocka_unit_test(a_restart_keeps_what_was_acknowledged_and_no_commits),
    cmocka_unit_test(a_restart_closes_segments_and_makes_a_pass),
    cmocka_unit_test(a_restart_fills_the_bucket),
    cmocka_unit_test(with_b4_a_restart_cuts_what_does_not_read_as_records),
    cmocka_unit_test(with_b4_closed_segments_are_not_cut),
    cmocka_unit_test(ids_are_not_used_twice_without_b1),
    cmocka_unit_test(with_b1_records_of_an_id_that_is_used_twice_are_lost),
    cmocka_unit_test(with_b1_an_id_without_records_can_be_used_twice),
    cmocka_unit_test(with_b1_a_restart_forgets_which_ids_are_lost),
    cmocka_unit_test(with_b1_only_an_empty_list_starts_over),
    cmocka_unit_test(a_topic_named_0_is_one_of_its_own_without_b2),
    cmocka_unit_test(with_b2_a_topic_named_0_and_the_default_topic_are_one),
    cmocka_unit_test(with_b2_the_first_writer_may_be_that_of_the_name),
    cmocka_unit_test(with_b2_deleting_the_name_loses_what_comes_for_topic_0),
    cmocka_unit_test(with_b2_and_retention_no_byte_is_counted_twice),
    cmocka_unit_test(lost_acks_stay_in_flight_only_with_b14),
    cmocka_unit_test(quirks_are_found_by_number_and_by_word),
    cmocka_unit_test(the_rate_limit_charges_what_is_asked_for),
    cmocka_unit_test(an_empty_bucket_refuses_every_fetch_of_the_right_form),
    cmocka_unit_test(one_bucket_serves_all_clients),
    cmocka_unit_test(the_specification_is_told_when_to_try_again),
    cmocka_unit_test(no_part_of_a_token_is_lost_between_looks_at_the_clock),
    cmocka_unit_test(a_huge_rate_is_taken_for_the_highest),
};

int main(void)
{
    return cmocka_run_group_tests_name("broker_storage", tests, NULL, NULL);
}
