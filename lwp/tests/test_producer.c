/* SPDX-License-Identifier: MIT */
#include "lwp/tests/fake_server.h"
#include "lwp/tests/mock_service.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lwp/client/producer.h"
#include "lwp/net/clock.h"
#include "lwp/wire/tlv.h"

#define MS LWP_MILLISECOND_NS

enum { RECORDS = 5000 };

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

static struct lwp_outgoing record_of(const char *text)
{
    return (struct lwp_outgoing){
        .topic_id = 1, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text(text)}};
}

static enum lwp_status put(struct lwp_producer *producer, const char *text)
{
    const struct lwp_outgoing record = record_of(text);
    return lwp_producer_put(producer, &record, NULL);
}

static enum lwp_status send_one(struct lwp_producer *producer, const char *text)
{
    const struct lwp_outgoing record = record_of(text);
    return lwp_producer_send(producer, &record);
}

/* What was reported. */
struct reports {
    atomic_uint acked;
    atomic_uint failed;
    enum lwp_status last;
    uint64_t newest;
    bool in_order;
};

static void note(void *user, const struct lwp_delivery *delivery)
{
    struct reports *reports = user;
    if (delivery->status == LWP_OK)
        atomic_fetch_add(&reports->acked, delivery->record_count);
    else
        atomic_fetch_add(&reports->failed, delivery->record_count);
    reports->last = delivery->status;
    reports->in_order = reports->in_order && delivery->sequence > reports->newest;
    reports->newest = delivery->sequence;
}

/* What the played server knows, and what it got. */
struct play {
    unsigned heard;      /* Ingests. */
    unsigned lose_every; /* The ack of each such one is lost with its connection. */
    const char *refuse;  /* Text with which the next ingest is refused. */
    char log[1 << 16];   /* The records' values, one behind the other. */
    size_t size;
};

static void keep(struct play *play, const struct lwp_frame *frame)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(frame->payload);
    struct lwp_record record;
    while (lwp_tlv_next(&walk, &record) == LWP_OK) {
        assert_true(play->size + record.value.size < sizeof(play->log));
        memcpy(play->log + play->size, record.value.data, record.value.size);
        play->size += record.value.size;
    }
}

static void hear(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (frame->header.flags != LWP_FLAG_BATCH)
        return;
    play->heard++;
    if (play->refuse) {
        fake_error(fake, link, play->refuse);
        play->refuse = NULL;
        return;
    }
    keep(play, frame);
    if (play->lose_every && play->heard % play->lose_every == 0)
        fake_close(link);
    else
        fake_ack(fake, link, frame->header.batch_id);
}

static struct lwp_producer_options options_of(struct fake *fake, struct reports *reports)
{
    struct lwp_producer_options options = lwp_producer_defaults("home");
    options.connect = fake_options(fake);
    if (reports) {
        *reports = (struct reports){.in_order = true};
        options.delivered = note;
        options.user = reports;
    }
    return options;
}

static struct lwp_producer *producer_of(const struct lwp_producer_options *options)
{
    struct lwp_producer *producer = NULL;
    assert_int_equal(lwp_producer_open(options, &producer, NULL), LWP_OK);
    return producer;
}

static void send_waits_for_the_ack(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    (void)state;
    fake->own = &play;
    const struct lwp_producer_options options = options_of(fake, &reports);
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(send_one(producer, "one"), LWP_OK);
    assert_int_equal(reports.acked, 1);
    assert_int_equal(send_one(producer, "two"), LWP_OK);
    assert_int_equal(play.heard, 2);
    /* Nobody waited for linger. */
    assert_int_equal(fake->now_ns, MS);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    assert_int_equal(play.size, 6);
    assert_memory_equal(play.log, "onetwo", 6);
    fake_free(fake);
}

static void records_are_batched_until_linger(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    (void)state;
    fake->own = &play;
    const struct lwp_producer_options options = options_of(fake, &reports);
    struct lwp_producer *producer = producer_of(&options);
    for (int i = 0; i < 100; i++)
        assert_int_equal(put(producer, "x"), LWP_OK);
    for (int i = 0; i < 10; i++) {
        lwp_world_wait(&fake->world, NULL, 0, lwp_producer_deadline(producer));
        lwp_producer_process(producer);
    }
    assert_int_equal(play.heard, 1);
    assert_int_equal(reports.acked, 100);
    assert_true(reports.in_order);
    assert_int_equal(lwp_producer_close(producer, 1000), LWP_OK);
    fake_free(fake);
}

static void flush_waits_for_all(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    (void)state;
    fake->own = &play;
    const struct lwp_producer_options options = options_of(fake, &reports);
    struct lwp_producer *producer = producer_of(&options);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(put(producer, "0123456789"), LWP_OK);
    assert_int_equal(lwp_producer_flush(producer, 1000), LWP_OK);
    assert_int_equal(reports.acked, RECORDS);
    assert_int_equal(lwp_producer_statistics(producer).records_pending, 0);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

/* B-23, P-13: lost acks bring records twice, but never out of order, and none is lost. */
static void lost_connections_lose_no_record(void **state)
{
    struct play play = {.lose_every = 3};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    char seen[64] = "";
    (void)state;
    fake->own = &play;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.batch_size = 1;
    options.max_pending_acks = 2;
    struct lwp_producer *producer = producer_of(&options);
    for (char c = 'a'; c <= 'z'; c++) {
        const char text[] = {c, '\0'};
        assert_int_equal(put(producer, text), LWP_OK);
    }
    assert_int_equal(lwp_producer_flush(producer, 600000), LWP_OK);
    assert_int_equal(reports.acked, 26);
    assert_int_equal(reports.failed, 0);
    assert_true(reports.in_order);
    for (size_t i = 0, count = 0; i < play.size; i++)
        if (!strchr(seen, play.log[i]))
            seen[count++] = play.log[i];
    assert_string_equal(seen, "abcdefghijklmnopqrstuvwxyz");
    assert_true(lwp_producer_statistics(producer).disconnects > 5);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

/* P-08: it fails at once, with its reason. */
static void an_error_answer_fails_the_send(void **state)
{
    struct play play = {.refuse = "Unknown topic"};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    struct lwp_details why;
    (void)state;
    fake->own = &play;
    const struct lwp_producer_options options = options_of(fake, &reports);
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(send_one(producer, "x"), LWP_TOPIC_NOT_FOUND);
    lwp_producer_why(producer, &why);
    assert_string_equal(why.text, "Unknown topic");
    assert_int_equal(reports.last, LWP_TOPIC_NOT_FOUND);
    assert_int_equal(send_one(producer, "y"), LWP_OK);
    assert_int_equal(fake->count, 1);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

static void a_refusal_that_may_pass_is_not_a_failure(void **state)
{
    struct play play = {.refuse = "FORWARD_FAILED: Leader not ready (apply)"};
    struct fake *fake = fake_new(dialect, hear);
    (void)state;
    fake->own = &play;
    const struct lwp_producer_options options = options_of(fake, NULL);
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(send_one(producer, "x"), LWP_OK);
    assert_int_equal(fake->now_ns, 101 * MS);
    assert_int_equal(fake->count, 1);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

static void hear_at_leader(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    if (strcmp(fake->addresses[link - fake->links], "leader:7") == 0)
        hear(fake, link, frame);
    else
        fake_error(fake, link, "NOT_LEADER: redirect to leader:7");
}

/* B-10. */
static void a_producer_follows_to_the_leader(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear_at_leader);
    struct reports reports;
    (void)state;
    fake->own = &play;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.batch_size = 1;
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(put(producer, "a"), LWP_OK);
    assert_int_equal(put(producer, "b"), LWP_OK);
    assert_int_equal(put(producer, "c"), LWP_OK);
    assert_int_equal(lwp_producer_flush(producer, 1000), LWP_OK);
    assert_int_equal(reports.acked, 3);
    assert_memory_equal(play.log, "abc", 3);
    assert_int_equal(play.size, 3);
    assert_int_equal(fake->count, 2);
    assert_int_equal(fake->now_ns, MS);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

static void say_nothing(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    (void)frame;
    if (frame->header.flags == LWP_FLAG_KEEPALIVE)
        fake_send(fake, link, (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}});
}

static void a_server_that_never_acknowledges_ends_in_a_time_out(void **state)
{
    struct fake *fake = fake_new(dialect, say_nothing);
    struct reports reports;
    (void)state;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.max_retries = 2;
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(send_one(producer, "x"), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns, 30 * LWP_SECOND_NS + MS);
    assert_int_equal(reports.failed, 0);
    assert_int_equal(lwp_producer_flush(producer, 200000), LWP_OK);
    assert_int_equal(reports.failed, 1);
    assert_int_equal(reports.last, LWP_TIMEOUT);
    assert_true(fake->count >= 3);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

/* P-19. */
static void close_reports_what_it_could_not_send(void **state)
{
    struct fake *fake = fake_new(dialect, say_nothing);
    struct reports reports;
    (void)state;
    const struct lwp_producer_options options = options_of(fake, &reports);
    struct lwp_producer *producer = producer_of(&options);
    for (int i = 0; i < 10; i++)
        assert_int_equal(put(producer, "x"), LWP_OK);
    assert_int_equal(lwp_producer_close(producer, 2000), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns, 2001 * MS);
    assert_int_equal(reports.failed, 10);
    assert_int_equal(reports.last, LWP_CLOSED_BY_CALLER);
    fake_free(fake);
}

/* What a hostile server says to an ingest, and that the connection is the price, not the record. */
static const struct lwp_frame *spoken;

static void speak_once(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (play->heard == 0 && frame->header.flags == LWP_FLAG_BATCH) {
        play->heard++;
        fake_send(fake, link, *spoken);
        return;
    }
    hear(fake, link, frame);
}

static void wrong_frames_cost_the_connection_and_not_the_record(void **state)
{
    struct lwp_frame frames[] = {
        frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0)),
        frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0)),
        lwp_message_frame(LWP_COMMAND_CATCHING_UP, bytes_of("12345678", 8)),
        lwp_message_frame(LWP_COMMAND_TOPIC_RESPONSE, bytes_of("{}", 2)),
        lwp_message_frame(0x77, bytes_of("x", 1)),
        frame_of(LWP_FLAG_BATCH, bytes_of("x", 1)),
    };
    (void)state;
    frames[1].header.batch_id = 2;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        struct play play = {.heard = 0};
        struct fake *fake = fake_new(dialect, speak_once);
        fake->own = &play;
        spoken = &frames[i];
        const struct lwp_producer_options options = options_of(fake, NULL);
        struct lwp_producer *producer = producer_of(&options);
        assert_int_equal(send_one(producer, "x"), LWP_OK);
        assert_int_equal(fake->count, 2);
        assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
        fake_free(fake);
    }
}

static void a_full_buffer_is_told_and_can_be_waited_for(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    (void)state;
    fake->own = &play;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.buffer_limit = 1 << 15;
    options.batch_size = 1000;
    struct lwp_producer *producer = producer_of(&options);
    unsigned count = 0;
    while (put(producer, "0123456789") == LWP_OK)
        assert_true(++count < 10000);
    assert_int_equal(put(producer, "0123456789"), LWP_FULL);
    const struct lwp_outgoing record = record_of("0123456789");
    assert_int_equal(lwp_producer_put_wait(producer, &record, 1000, NULL), LWP_OK);
    assert_int_equal(lwp_producer_close(producer, 1000), LWP_OK);
    assert_int_equal(reports.acked, count + 1);
    fake_free(fake);
}

static void many_records_are_taken_in_at_once(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    struct lwp_outgoing records[100];
    size_t taken = 0;
    (void)state;
    fake->own = &play;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.reports = LWP_REPORT_BATCHES;
    struct lwp_producer *producer = producer_of(&options);
    for (size_t i = 0; i < COUNT_OF(records); i++)
        records[i] = record_of("x");
    assert_int_equal(lwp_producer_put_many(producer, records, COUNT_OF(records), &taken), LWP_OK);
    assert_int_equal(taken, 100);
    records[50].type = 0;
    assert_int_equal(lwp_producer_put_many(producer, records, COUNT_OF(records), &taken),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(taken, 50);
    assert_int_equal(send_one(producer, "x"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_producer_close(producer, 1000), LWP_OK);
    assert_int_equal(reports.acked, 150);
    fake_free(fake);
}

/* Ingests must come by ascending ids. */
static void hear_in_order(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    assert_int_equal(frame->header.batch_id, ++play->heard);
    play->size += frame->payload.size;
    fake_ack(fake, link, frame->header.batch_id);
}

/* Large ones are written from where they are, small ones are put together first. */
static void large_and_small_batches_keep_their_order(void **state)
{
    enum { COUNT = 200, LARGEST = 9000 };
    static const uint8_t value[LARGEST];
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, hear_in_order);
    struct lwp_producer_options options = options_of(fake, NULL);
    size_t size = 0;
    (void)state;
    fake->own = &play;
    options.batch_size = 1;
    options.max_pending_acks = COUNT;
    options.reports = LWP_REPORT_NOTHING;
    struct lwp_producer *producer = producer_of(&options);
    for (size_t i = 0; i < COUNT; i++) {
        const size_t part = i % 5 == 2 || i % 7 == 0 ? i : LARGEST - i;
        const struct lwp_outgoing record = {
            .topic_id = 1, .type = LWP_TLV_RAW, .parts = {bytes_of(value, part)}};
        assert_int_equal(lwp_producer_put(producer, &record, NULL), LWP_OK);
        size += LWP_TLV_HEAD_SIZE + part;
    }
    assert_int_equal(lwp_producer_flush(producer, 1000), LWP_OK);
    assert_int_equal(play.heard, COUNT);
    assert_int_equal(play.size, size);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(fake);
}

static void a_producer_that_nobody_lets_in_is_told_why(void **state)
{
    struct fake *fake = fake_new(dialect, say_nothing);
    struct lwp_producer *producer = NULL;
    struct lwp_details why;
    (void)state;
    struct lwp_producer_options options = options_of(fake, NULL);
    fake->refuse = 1;
    assert_int_equal(lwp_producer_open(&options, &producer, &why), LWP_REFUSED);
    assert_int_equal(why.status, LWP_REFUSED);
    options.max_pending_acks = 0;
    assert_int_equal(lwp_producer_open(&options, &producer, &why), LWP_INVALID_ARGUMENT);
    assert_null(producer);
    assert_int_equal(lwp_producer_close(NULL, 0), LWP_OK);
    fake_free(fake);
}

static void without_reconnect_a_lost_connection_ends_the_producer(void **state)
{
    struct play play = {.lose_every = 1};
    struct fake *fake = fake_new(dialect, hear);
    struct reports reports;
    (void)state;
    fake->own = &play;
    struct lwp_producer_options options = options_of(fake, &reports);
    options.connect.reconnect = false;
    struct lwp_producer *producer = producer_of(&options);
    assert_int_equal(send_one(producer, "x"), LWP_CLOSED);
    assert_int_equal(put(producer, "y"), LWP_CLOSED);
    assert_int_equal(lwp_producer_flush(producer, 1000), LWP_CLOSED);
    assert_int_equal(lwp_producer_close(producer, 1000), LWP_OK);
    fake_free(fake);
}

/* The rest is over TCP, with threads, against the mock. */
static void *put_thousands(void *argument)
{
    for (int i = 0; i < RECORDS; i++) {
        const struct lwp_outgoing record = record_of("0123456789");
        assert_int_equal(lwp_producer_put_wait(argument, &record, 10000, NULL), LWP_OK);
    }
    assert_int_equal(send_one(argument, "last"), LWP_OK);
    return NULL;
}

static void threads_share_a_producer_over_tcp(void **state)
{
    struct service service;
    struct reports reports = {.in_order = true};
    pthread_t threads[4];
    (void)state;
    open_service(&service, dialect);
    make_topic(&service);
    struct lwp_producer_options options = lwp_producer_defaults(service.address);
    options.delivered = note;
    options.user = &reports;
    struct lwp_producer *producer = producer_of(&options);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_thousands, producer), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lwp_producer_close(producer, 10000), LWP_OK);
    assert_int_equal(reports.acked, COUNT_OF(threads) * (RECORDS + 1));
    assert_int_equal(reports.failed, 0);
    assert_true(reports.in_order);
    close_service(&service);
}

static void compressed_batches_reach_the_mock_over_tcp(void **state)
{
    struct service service;
    (void)state;
    open_service(&service, dialect);
    make_topic(&service);
    struct lwp_producer_options options = lwp_producer_defaults(service.address);
    options.compression = true;
    options.connect.caller_driven = true;
    struct lwp_producer *producer = producer_of(&options);
    assert_true(lwp_producer_warns(producer));
    assert_true(lwp_producer_fd(producer) >= 0);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(put(producer, "0123456789"), LWP_OK);
    assert_int_equal(lwp_producer_flush(producer, 10000), LWP_OK);
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(producer);
    assert_int_equal(statistics.records_acked, RECORDS);
    assert_true(statistics.bytes_sent * 5 < RECORDS * 15);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    close_service(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_waits_for_the_ack),
        cmocka_unit_test(records_are_batched_until_linger),
        cmocka_unit_test(flush_waits_for_all),
        cmocka_unit_test(lost_connections_lose_no_record),
        cmocka_unit_test(an_error_answer_fails_the_send),
        cmocka_unit_test(a_refusal_that_may_pass_is_not_a_failure),
        cmocka_unit_test(a_producer_follows_to_the_leader),
        cmocka_unit_test(a_server_that_never_acknowledges_ends_in_a_time_out),
        cmocka_unit_test(close_reports_what_it_could_not_send),
        cmocka_unit_test(wrong_frames_cost_the_connection_and_not_the_record),
        cmocka_unit_test(a_full_buffer_is_told_and_can_be_waited_for),
        cmocka_unit_test(many_records_are_taken_in_at_once),
        cmocka_unit_test(large_and_small_batches_keep_their_order),
        cmocka_unit_test(a_producer_that_nobody_lets_in_is_told_why),
        cmocka_unit_test(without_reconnect_a_lost_connection_ends_the_producer),
        cmocka_unit_test(threads_share_a_producer_over_tcp),
        cmocka_unit_test(compressed_batches_reach_the_mock_over_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
