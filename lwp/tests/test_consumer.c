/* SPDX-License-Identifier: MIT */
#include "lwp/tests/fake_server.h"
#include "lwp/tests/mock_service.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"

#define MS LWP_MILLISECOND_NS

enum { RECORDS = 3000, LOG_ROOM = 1 << 16 };

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

/* A log that a played server serves. */
struct play {
    uint8_t log[LOG_ROOM];
    size_t size;
    uint64_t commit;
    unsigned commits;
    unsigned fetches;
    unsigned lose_every; /* Each such fetch loses the connection. */
    const char *refuse;  /* Text with which fetches are refused. */
    bool mute_commits;   /* Neither a commit nor what comes behind it is answered. */
    size_t muted;        /* The number of the connection on which that has begun, from 1. */
};

static void store(struct play *play, const char *text)
{
    struct lwp_writer out = lwp_writer_on(play->log + play->size, LOG_ROOM - play->size);
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text(text));
    assert_false(out.full);
    play->size += out.size;
}

static void answer_fetch(struct fake *fake, struct lwp_link *link, const struct lwp_message *asked)
{
    const struct play *play = fake->own;
    const bool tail = asked->start_offset == UINT64_MAX;
    const uint64_t start = tail ? play->size : asked->start_offset;
    if (start > play->size) {
        fake_tell(
            fake, link,
            (struct lwp_message){.command = LWP_COMMAND_CATCHING_UP, .server_offset = play->size});
        return;
    }
    const uint64_t left = play->size - start;
    const size_t size = (size_t)(left < asked->max_bytes ? left : asked->max_bytes);
    fake_tell(fake, link,
              (struct lwp_message){.command = LWP_COMMAND_FETCH_RESPONSE,
                                   .next_offset = start + size,
                                   .bytes_returned = size,
                                   .data = bytes_of(play->log + start, size)});
}

static void hear(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (frame->header.flags != LWP_FLAG_CONTROL)
        return;
    const struct lwp_message message = fake_message(frame);
    if (message.command == LWP_COMMAND_COMMIT_OFFSET) {
        play->commit = message.offset;
        play->commits++;
        play->muted = play->mute_commits ? fake->count : 0;
        if (!play->mute_commits)
            fake_tell(fake, link,
                      (struct lwp_message){.command = LWP_COMMAND_COMMIT_ACK,
                                           .consumer_id = message.consumer_id,
                                           .offset = message.offset});
        return;
    }
    assert_int_equal(message.command, LWP_COMMAND_FETCH);
    if (play->muted == fake->count)
        return;
    if (play->lose_every && ++play->fetches % play->lose_every == 0)
        fake_close(link);
    else if (play->refuse)
        fake_error(fake, link, play->refuse);
    else
        answer_fetch(fake, link, &message);
}

static struct fake *fake_with(struct play *play)
{
    struct fake *fake = fake_new(dialect, hear);
    fake->own = play;
    return fake;
}

static struct lwp_consumer_options options_of(struct fake *fake)
{
    struct lwp_consumer_options options = lwp_consumer_defaults("home", "reader", 1);
    options.connect = fake_options(fake);
    return options;
}

static struct lwp_consumer *consumer_of(const struct lwp_consumer_options *options)
{
    struct lwp_consumer *consumer = NULL;
    assert_int_equal(lwp_consumer_open(options, &consumer, NULL), LWP_OK);
    return consumer;
}

static void records_come_and_the_end_is_told_after_the_time_out(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    store(&play, "two");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.record_count, 2);
    assert_bytes_equal(batch.data, bytes_of(play.log, play.size));
    assert_int_equal(lwp_consumer_offset(consumer), play.size);
    const uint64_t before_ns = fake->now_ns;
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_END);
    assert_int_equal(fake->now_ns, before_ns + 1000 * MS);
    assert_int_equal(lwp_consumer_poll(consumer, 0, &batch), LWP_END);
    store(&play, "three");
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.record_count, 1);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void lost_connections_lose_and_double_no_byte(void **state)
{
    struct play play = {.lose_every = 3};
    struct fake *fake = fake_with(&play);
    uint64_t offset = 0;
    (void)state;
    for (int i = 0; i < 40; i++)
        store(&play, "0123456789");
    struct lwp_consumer_options options = options_of(fake);
    options.max_fetch_bytes = 25;
    struct lwp_consumer *consumer = consumer_of(&options);
    while (offset < play.size) {
        struct lwp_batch batch;
        assert_int_equal(lwp_consumer_poll(consumer, 60000, &batch), LWP_OK);
        assert_int_equal(batch.start_offset, offset);
        assert_bytes_equal(batch.data, bytes_of(play.log + offset, batch.data.size));
        offset = batch.end_offset;
    }
    assert_true(fake->count > 5);
    play.lose_every = 0;
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

/* P-12, P-17: it runs, and under a number that is the same in each run. */
static void the_place_is_kept_every_5_s_and_found_again(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_offset_store *memory = NULL;
    struct lwp_batch batch;
    uint64_t offset = 0;
    const struct lwp_offset_key key = {"reader", 1, NULL};
    (void)state;
    assert_int_equal(lwp_offset_store_memory(&memory), LWP_OK);
    store(&play, "one");
    struct lwp_consumer_options options = options_of(fake);
    options.store = memory;
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    const uint64_t first = batch.end_offset;
    store(&play, "two");
    assert_int_equal(lwp_consumer_poll(consumer, 6000, &batch), LWP_OK);
    assert_int_equal(lwp_offset_store_load(memory, &key, &offset), LWP_STORE_EMPTY);
    assert_int_equal(lwp_consumer_poll(consumer, 6000, &batch), LWP_END);
    store(&play, "three");
    assert_int_equal(lwp_consumer_poll(consumer, 6000, &batch), LWP_OK);
    /* What the last poll handed on may not be done with yet. */
    assert_int_equal(lwp_offset_store_load(memory, &key, &offset), LWP_OK);
    assert_int_equal(offset, 2 * first);
    assert_int_equal(play.commit, 2 * first);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    assert_int_equal(lwp_offset_store_load(memory, &key, &offset), LWP_OK);
    assert_int_equal(offset, play.size);
    store(&play, "four");
    consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.start_offset, offset);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    lwp_offset_store_free(memory);
    fake_free(fake);
}

static void without_auto_commit_only_a_commit_keeps_the_place(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_offset_store *memory = NULL;
    struct lwp_batch batch;
    uint64_t offset = 0;
    const struct lwp_offset_key key = {"reader", 1, NULL};
    (void)state;
    assert_int_equal(lwp_offset_store_memory(&memory), LWP_OK);
    store(&play, "one");
    struct lwp_consumer_options options = options_of(fake);
    options.store = memory;
    options.auto_commit_ms = 0;
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_poll(consumer, 60000, &batch), LWP_END);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    assert_int_equal(lwp_offset_store_load(memory, &key, &offset), LWP_STORE_EMPTY);
    assert_int_equal(play.commits, 0);
    consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_commit(consumer), LWP_OK);
    assert_int_equal(lwp_offset_store_load(memory, &key, &offset), LWP_OK);
    assert_int_equal(offset, play.size);
    assert_int_equal(play.commit, play.size);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    lwp_offset_store_free(memory);
    fake_free(fake);
}

/* P-20, B-42: a commit that is not answered is a failure, and no late answer harms. */
static void a_commit_that_the_server_does_not_answer_times_out(void **state)
{
    struct play play = {.mute_commits = true};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_commit(consumer), LWP_TIMEOUT);
    play.mute_commits = false;
    assert_int_equal(lwp_consumer_commit(consumer), LWP_OK);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static enum lwp_status damaged(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    (void)user;
    (void)key;
    (void)offset;
    return LWP_STORE_DAMAGED;
}

static enum lwp_status full(void *user, const struct lwp_offset_key *key, uint64_t offset)
{
    (void)user;
    (void)key;
    (void)offset;
    return LWP_IO;
}

static enum lwp_status empty(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    (void)user;
    (void)key;
    (void)offset;
    return LWP_STORE_EMPTY;
}

/* P-18: the published clients begin anew in silence. */
static void a_damaged_place_is_no_place_to_begin_at(void **state)
{
    static const struct lwp_offset_store_calls calls = {damaged, full, NULL, NULL};
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_offset_store *store_of_ours = NULL;
    struct lwp_consumer *consumer = NULL;
    struct lwp_details why;
    (void)state;
    assert_int_equal(lwp_offset_store_custom(&calls, NULL, &store_of_ours), LWP_OK);
    struct lwp_consumer_options options = options_of(fake);
    options.store = store_of_ours;
    assert_int_equal(lwp_consumer_open(&options, &consumer, &why), LWP_STORE_DAMAGED);
    assert_int_equal(why.status, LWP_STORE_DAMAGED);
    assert_null(consumer);
    lwp_offset_store_free(store_of_ours);
    fake_free(fake);
}

static void a_place_that_can_not_be_kept_is_told(void **state)
{
    static const struct lwp_offset_store_calls calls = {empty, full, NULL, NULL};
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_offset_store *store_of_ours = NULL;
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    assert_int_equal(lwp_offset_store_custom(&calls, NULL, &store_of_ours), LWP_OK);
    struct lwp_consumer_options options = options_of(fake);
    options.store = store_of_ours;
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_commit(consumer), LWP_IO);
    assert_int_equal(lwp_consumer_poll(consumer, 6000, &batch), LWP_END);
    store(&play, "two");
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_IO);
    /* Nothing is lost by that. */
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.record_count, 1);
    assert_int_equal(lwp_consumer_close(consumer), LWP_IO);
    lwp_offset_store_free(store_of_ours);
    fake_free(fake);
}

static void places_can_be_sought(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    const size_t first = play.size;
    store(&play, "two");
    struct lwp_consumer_options options = options_of(fake);
    options.start = LWP_PLACE_END;
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_END);
    assert_int_equal(lwp_consumer_offset(consumer), play.size);
    /* B-33. */
    lwp_consumer_seek(consumer, LWP_PLACE_BEGINNING, 0);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.start_offset, 0);
    assert_int_equal(batch.record_count, 2);
    lwp_consumer_seek(consumer, LWP_PLACE_OFFSET, first);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.record_count, 1);
    lwp_consumer_seek(consumer, LWP_PLACE_END, 0);
    assert_true(lwp_consumer_offset(consumer) == LWP_OFFSET_END);
    assert_int_equal(lwp_consumer_commit(consumer), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    /* B-35: the sentinel is nobody's place. */
    assert_true(play.commit != UINT64_MAX);
    fake_free(fake);
}

static void lag_is_true(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    uint64_t lag = 0, end = 0;
    (void)state;
    store(&play, "one");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_lag(consumer, &lag), LWP_OK);
    assert_int_equal(lag, play.size);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_lag(consumer, &lag), LWP_OK);
    assert_int_equal(lag, 0);
    store(&play, "two");
    assert_int_equal(lwp_consumer_end(consumer, &end), LWP_OK);
    assert_int_equal(end, play.size);
    assert_int_equal(lwp_consumer_lag(consumer, &lag), LWP_OK);
    assert_int_equal(lag, 8);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void hear_wrongly(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    /* The same records, as if they lay one byte further. */
    if (fake->count > 1) {
        hear(fake, link, frame);
        return;
    }
    const struct play *play = fake->own;
    fake_tell(fake, link,
              (struct lwp_message){.command = LWP_COMMAND_FETCH_RESPONSE,
                                   .next_offset = play->size + 1,
                                   .bytes_returned = play->size,
                                   .data = bytes_of(play->log, play->size)});
}

/* B-15. */
static void an_answer_that_contradicts_itself_costs_the_connection(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_new(dialect, hear_wrongly);
    struct lwp_batch batch;
    struct lwp_details why;
    (void)state;
    fake->own = &play;
    store(&play, "one");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 50, &batch), LWP_WOULD_BLOCK);
    lwp_consumer_why(consumer, &why);
    assert_int_equal(why.status, LWP_INVALID_OFFSET);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    assert_int_equal(batch.end_offset, play.size);
    assert_int_equal(fake->count, 2);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void hear_too_much(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    const struct play *play = fake->own;
    (void)frame;
    /* A claim of 16 MiB, which is all that it takes. */
    struct lwp_frame large = lwp_message_frame(LWP_COMMAND_FETCH_RESPONSE, bytes_of(play->log, 16));
    large.header.payload_length = 1 << 24;
    lwp_frame_seal(&large, dialect->polynomial, 1U << LWP_HEADER_payload_length);
    assert_int_equal(lwp_link_send(link, &large, UINT32_MAX, fake->now_ns), LWP_OK);
}

static void an_answer_larger_than_asked_for_is_refused_by_its_head(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_new(dialect, hear_too_much);
    struct lwp_batch batch;
    struct lwp_details why;
    (void)state;
    fake->own = &play;
    struct lwp_consumer_options options = options_of(fake);
    options.auto_commit_ms = 0;
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 50, &batch), LWP_WOULD_BLOCK);
    lwp_consumer_why(consumer, &why);
    assert_int_equal(why.status, LWP_PAYLOAD_TOO_LARGE);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void a_silent_server_is_left_at_the_deadline(void **state)
{
    struct play play = {.mute_commits = true, .muted = 1};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 29000, &batch), LWP_WOULD_BLOCK);
    assert_int_equal(fake->count, 1);
    assert_int_equal(lwp_consumer_poll(consumer, 2000, &batch), LWP_OK);
    assert_int_equal(fake->count, 2);
    play.mute_commits = false;
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

/* What was answered in time is not overdue because nobody looked. */
static void a_caller_who_comes_late_finds_what_was_answered(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_consumer_options options = options_of(fake);
    struct lwp_batch batch;
    uint64_t offset = 0;
    bool waited = false;
    (void)state;
    for (int i = 0; i < 100; i++)
        store(&play, "0123456789");
    options.max_fetch_bytes = 100;
    options.read_ahead = 4;
    options.connect.dead_after_ms = 0;
    options.connect.keepalive_ms = 0;
    struct lwp_consumer *consumer = consumer_of(&options);
    while (offset < play.size) {
        assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
        assert_int_equal(batch.start_offset, offset);
        assert_bytes_equal(batch.data, bytes_of(play.log + offset, batch.data.size));
        offset = batch.end_offset;
        waited = waited || lwp_consumer_deadline(consumer) == 0;
        (void)fake_serve_all(fake);
        fake->now_ns += 60000 * MS;
    }
    assert_true(waited);
    assert_int_equal(fake->count, 1);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void refusals_and_catching_up_are_told(void **state)
{
    struct play play = {.refuse = "Topic 1 not found"};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    struct lwp_details why;
    (void)state;
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_TOPIC_NOT_FOUND);
    lwp_consumer_why(consumer, &why);
    assert_string_equal(why.text, "Topic 1 not found");
    play.refuse = NULL;
    lwp_consumer_seek(consumer, LWP_PLACE_OFFSET, 1000);
    const uint64_t before_ns = fake->now_ns;
    assert_int_equal(lwp_consumer_poll(consumer, 60000, &batch), LWP_CATCHING_UP);
    assert_int_equal(fake->now_ns - before_ns, 10 * LWP_SECOND_NS);
    lwp_consumer_seek(consumer, LWP_PLACE_BEGINNING, 0);
    store(&play, "one");
    assert_int_equal(lwp_consumer_poll(consumer, 60000, &batch), LWP_OK);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(fake);
}

static void close_waits_for_a_dead_server_a_second_at_most(void **state)
{
    struct play play = {.mute_commits = true};
    struct fake *fake = fake_with(&play);
    struct lwp_batch batch;
    (void)state;
    store(&play, "one");
    const struct lwp_consumer_options options = options_of(fake);
    struct lwp_consumer *consumer = consumer_of(&options);
    assert_int_equal(lwp_consumer_poll(consumer, 1000, &batch), LWP_OK);
    const uint64_t before_ns = fake->now_ns;
    assert_int_equal(lwp_consumer_close(consumer), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns - before_ns, LWP_SECOND_NS);
    assert_int_equal(lwp_consumer_close(NULL), LWP_OK);
    fake_free(fake);
}

static void a_consumer_that_nobody_lets_in_is_told_why(void **state)
{
    struct play play = {.size = 0};
    struct fake *fake = fake_with(&play);
    struct lwp_consumer *consumer = NULL;
    struct lwp_details why;
    (void)state;
    struct lwp_consumer_options options = options_of(fake);
    fake->refuse = 1;
    assert_int_equal(lwp_consumer_open(&options, &consumer, &why), LWP_REFUSED);
    options.name = "";
    assert_int_equal(lwp_consumer_open(&options, &consumer, &why), LWP_INVALID_ARGUMENT);
    options = options_of(fake);
    options.read_ahead = 0;
    assert_int_equal(lwp_consumer_open(&options, &consumer, &why), LWP_INVALID_ARGUMENT);
    assert_null(consumer);
    fake_free(fake);
}

/* Producer and consumer over TCP, with threads, against the mock of each dialect. */
static void check_over_tcp(const struct lwp_dialect *spoken, bool threads)
{
    struct service service;
    struct lwp_batch batch;
    uint64_t count = 0;
    open_service(&service, spoken);
    struct lwp_producer_options to = lwp_producer_defaults(service.address);
    struct lwp_producer *producer = NULL;
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    to.connect.dialect = spoken;
    assert_int_equal(lwp_client_connect(&to.connect, &client, NULL), LWP_OK);
    assert_int_equal(lwp_client_create_topic(client, "records", &topic), LWP_OK);
    lwp_client_close(client);
    assert_int_equal(lwp_producer_open(&to, &producer, NULL), LWP_OK);
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint8_t value[16] = {0};
        lwp_put64(value, i);
        const struct lwp_outgoing record = {
            .topic_id = topic.id, .type = LWP_TLV_RAW, .parts = {bytes_of(value, 8 + i % 8)}};
        assert_int_equal(lwp_producer_put_wait(producer, &record, 10000, NULL), LWP_OK);
    }
    assert_int_equal(lwp_producer_close(producer, 10000), LWP_OK);

    struct lwp_consumer_options from = lwp_consumer_defaults(service.address, "reader", topic.id);
    from.connect.dialect = spoken;
    from.connect.caller_driven = !threads;
    from.max_fetch_bytes = 777;
    from.read_ahead = 4;
    struct lwp_consumer *consumer = consumer_of(&from);
    while (count < RECORDS) {
        struct lwp_record record;
        assert_int_equal(lwp_consumer_poll(consumer, 10000, &batch), LWP_OK);
        struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
        for (; lwp_tlv_next(&walk, &record) == LWP_OK; count++) {
            assert_int_equal(record.value.size, 8 + count % 8);
            assert_int_equal(lwp_get64(record.value.data), count);
        }
    }
    assert_int_equal(lwp_consumer_commit(consumer), LWP_OK);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    close_service(&service);
}

/* Counts the records that were acknowledged; none may fail. */
static void count_acked(void *user, const struct lwp_delivery *delivery)
{
    assert_int_equal(delivery->status, LWP_OK);
    *(unsigned *)user += 1;
}

/* Reads all of the log: each number from 0 on, the first time in order, some more than once. */
static void check_numbers(struct service *service, uint64_t count)
{
    const struct lwp_consumer_options from = lwp_consumer_defaults(service->address, "reader", 1);
    struct lwp_consumer *consumer = consumer_of(&from);
    struct lwp_batch batch;
    uint64_t next = 0;
    while (lwp_consumer_poll(consumer, next < count ? 10000 : 0, &batch) == LWP_OK) {
        struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
        struct lwp_record record;
        while (lwp_tlv_next(&walk, &record) == LWP_OK) {
            const uint64_t number = lwp_get64(record.value.data);
            assert_true(number <= next);
            next += number == next;
        }
    }
    assert_int_equal(next, count);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
}

static void a_server_that_goes_down_and_up_loses_no_record(void **state)
{
    struct service service;
    unsigned acked = 0;
    (void)state;
    open_service(&service, dialect);
    make_topic(&service);
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options to = lwp_producer_defaults(service.address);
    to.connect.backoff.first_ns = 5 * MS;
    to.connect.backoff.cap_ns = 20 * MS;
    to.batch_size = 200;
    to.max_retries = 1000;
    to.delivered = count_acked;
    to.user = &acked;
    assert_int_equal(lwp_producer_open(&to, &producer, NULL), LWP_OK);
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint8_t value[8];
        lwp_put64(value, i);
        const struct lwp_outgoing record = {
            .topic_id = 1, .type = LWP_TLV_RAW, .parts = {bytes_of(value, sizeof(value))}};
        assert_int_equal(lwp_producer_put_wait(producer, &record, 10000, NULL), LWP_OK);
        if (i % 500 == 250)
            assert_int_equal(lwp_mock_down(service.mock, NULL), LWP_OK);
        if (i % 500 == 350)
            assert_int_equal(lwp_mock_up(service.mock, NULL), LWP_OK);
    }
    assert_int_equal(lwp_producer_flush(producer, 20000), LWP_OK);
    assert_true(lwp_producer_statistics(producer).disconnects > 0);
    assert_int_equal(lwp_producer_close(producer, 10000), LWP_OK);
    assert_int_equal(acked, RECORDS);
    check_numbers(&service, RECORDS);
    close_service(&service);
}

static void what_goes_in_comes_out_over_tcp_in_every_dialect(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        check_over_tcp(lwp_dialects[d], true);
        check_over_tcp(lwp_dialects[d], false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_and_the_end_is_told_after_the_time_out),
        cmocka_unit_test(lost_connections_lose_and_double_no_byte),
        cmocka_unit_test(the_place_is_kept_every_5_s_and_found_again),
        cmocka_unit_test(without_auto_commit_only_a_commit_keeps_the_place),
        cmocka_unit_test(a_commit_that_the_server_does_not_answer_times_out),
        cmocka_unit_test(a_damaged_place_is_no_place_to_begin_at),
        cmocka_unit_test(a_place_that_can_not_be_kept_is_told),
        cmocka_unit_test(places_can_be_sought),
        cmocka_unit_test(lag_is_true),
        cmocka_unit_test(an_answer_that_contradicts_itself_costs_the_connection),
        cmocka_unit_test(an_answer_larger_than_asked_for_is_refused_by_its_head),
        cmocka_unit_test(a_silent_server_is_left_at_the_deadline),
        cmocka_unit_test(a_caller_who_comes_late_finds_what_was_answered),
        cmocka_unit_test(refusals_and_catching_up_are_told),
        cmocka_unit_test(close_waits_for_a_dead_server_a_second_at_most),
        cmocka_unit_test(a_consumer_that_nobody_lets_in_is_told_why),
        cmocka_unit_test(a_server_that_goes_down_and_up_loses_no_record),
        cmocka_unit_test(what_goes_in_comes_out_over_tcp_in_every_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
