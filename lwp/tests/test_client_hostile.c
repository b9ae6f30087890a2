/* SPDX-License-Identifier: MIT */
/* Servers that say anything: whatever comes, every send ends in one report, no byte is handed on twice
 * or out of order, every call ends in time, and memory stays bounded. */
#include "lwp/tests/fake_server.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"

enum { SEEDS = 150, SENDS = 60, LOG_SIZE = 1 << 14 };

/* One hostile server. */
struct villain {
    uint64_t random;
    uint8_t log[LOG_SIZE];
    size_t size;
    bool is_tame; /* From now on it does what it should. */
};

static uint64_t roll(struct villain *villain, uint64_t most)
{
    return (next_random(&villain->random) >> 20) % most;
}

/* What is right, more or less. */
static void answer(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct villain *villain = fake->own;
    if (frame->header.flags & LWP_FLAG_KEEPALIVE) {
        fake_send(fake, link, (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}});
        return;
    }
    if (frame->header.flags & LWP_FLAG_BATCH) {
        fake_ack(fake, link, frame->header.batch_id);
        return;
    }
    const struct lwp_message asked = fake_message(frame);
    if (asked.command == LWP_COMMAND_COMMIT_OFFSET) {
        fake_tell(fake, link,
                  (struct lwp_message){.command = LWP_COMMAND_COMMIT_ACK,
                                       .consumer_id = asked.consumer_id,
                                       .offset = asked.offset});
        return;
    }
    const uint64_t start = asked.start_offset < villain->size ? asked.start_offset : villain->size;
    const uint64_t left = villain->size - start;
    const size_t size = (size_t)(left < asked.max_bytes ? left : asked.max_bytes);
    fake_tell(fake, link,
              (struct lwp_message){.command = LWP_COMMAND_FETCH_RESPONSE,
                                   .next_offset = start + size,
                                   .bytes_returned = size,
                                   .data = bytes_of(villain->log + start, size)});
}

/* Any frame at all, sound or nearly so. */
static void say_anything(struct fake *fake, struct lwp_link *link)
{
    static const uint8_t codes[] = {0x01, 0x09, 0x10, 0x11, 0x12, 0x23, 0x24, 0x55, 0x80, 0xff};
    struct villain *villain = fake->own;
    uint8_t payload[64];
    fill_random(payload, sizeof(payload), villain->random | 1);
    struct lwp_frame frame = {.payload = bytes_of(payload, roll(villain, sizeof(payload)))};
    frame.header.flags = (uint8_t)roll(villain, 128);
    frame.header.batch_id = codes[roll(villain, sizeof(codes))];
    if (roll(villain, 3))
        frame.header.flags = (uint8_t)(1U << roll(villain, 7));
    if (roll(villain, 2))
        frame.header.batch_id = roll(villain, 100);
    fake_send(fake, link, frame);
}

static void say_text(struct fake *fake, struct lwp_link *link)
{
    static const char *const texts[] = {
        "FORWARD_FAILED: x",
        "NOT_LEADER: redirect to other:1",
        "NOT_LEADER: leader unknown",
        "Rate limit exceeded",
        "CATCHING_UP",
        "{\"code\":32,\"message\":\"\"}",
        "{\"code\":48,\"message\":\"\",\"details\":{\"retry_after_ms\":50}}",
        "{",
        ""};
    struct villain *villain = fake->own;
    fake_error(fake, link, texts[roll(villain, COUNT_OF(texts))]);
}

static void misbehave(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct villain *villain = fake->own;
    if (villain->is_tame || roll(villain, 4) || fake->count > FAKE_CONNECTIONS - 16) {
        answer(fake, link, frame);
        return;
    }
    uint8_t noise[50];
    switch (roll(villain, 7)) {
    case 0:
        fake_close(link);
        return;
    case 1:
        say_anything(fake, link);
        answer(fake, link, frame);
        return;
    case 2:
        say_text(fake, link);
        return;
    case 3:
        fill_random(noise, sizeof(noise), villain->random | 1);
        (void)lwp_link_push(link, bytes_of(noise, sizeof(noise)), fake->now_ns);
        return;
    case 4:
        fake_send(fake, link, (struct lwp_frame){.header = {.flags = LWP_FLAG_BACKPRESSURE}});
        answer(fake, link, frame);
        return;
    case 5:
        answer(fake, link, frame);
        answer(fake, link, frame);
        return;
    default:
        say_anything(fake, link);
        return;
    }
}

static void open_villain(struct villain *villain, struct fake *fake, uint64_t seed)
{
    villain->random = seed * 0x9e3779b97f4a7c15 | 1;
    fake->own = villain;
    struct lwp_writer out = lwp_writer_on(villain->log, sizeof(villain->log));
    for (uint8_t i = 0; i < 200; i++) {
        uint8_t value[60];
        memset(value, i, sizeof(value));
        lwp_tlv_put(&out, LWP_TLV_RAW, bytes_of(value, 8 + i % 50));
    }
    assert_false(out.full);
    villain->size = out.size;
}

static void count_report(void *user, const struct lwp_delivery *delivery)
{
    unsigned *reports = user;
    assert_true(delivery->sequence >= 1 && delivery->sequence <= SENDS);
    reports[delivery->sequence]++;
}

static void produce_to(uint64_t seed)
{
    struct villain *villain = calloc(1, sizeof(*villain));
    struct fake *fake = fake_new(&lwp_dialect_lance, misbehave);
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options options = lwp_producer_defaults("home");
    unsigned reports[SENDS + 1] = {0};
    assert_non_null(villain);
    open_villain(villain, fake, seed);
    options.connect = fake_options(fake);
    options.connect.request_timeout_ms = 1000;
    options.connect.backoff.cap_ns = LWP_SECOND_NS;
    options.batch_size = 1 + seed % 40;
    options.max_pending_acks = 1 + (unsigned)(seed % 5);
    options.max_retries = 5;
    options.delivered = count_report;
    options.user = reports;
    assert_int_equal(lwp_producer_open(&options, &producer, NULL), LWP_OK);
    for (unsigned i = 0; i < SENDS; i++) {
        const struct lwp_outgoing record = {
            .topic_id = 1 + i % 2, .type = LWP_TLV_RAW, .parts = {bytes_of("0123456789", 10)}};
        assert_int_equal(lwp_producer_put(producer, &record, NULL), LWP_OK);
        if (i % 7 == 0)
            lwp_producer_process(producer);
    }
    (void)lwp_producer_flush(producer, 60000);
    villain->is_tame = true;
    const uint64_t before_ns = fake->now_ns;
    (void)lwp_producer_close(producer, 120000);
    assert_true(fake->now_ns - before_ns <= 120 * LWP_SECOND_NS);
    for (unsigned i = 1; i <= SENDS; i++)
        assert_int_equal(reports[i], 1);
    fake_free(fake);
    free(villain);
}

static void every_send_ends_in_one_report(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        produce_to(seed);
}

/* The bytes that came are those of the log: the frames of the villain carry its own, or noise that is
 * told apart by its offset, its size or its form. */
static void consume_from(uint64_t seed)
{
    struct villain *villain = calloc(1, sizeof(*villain));
    struct fake *fake = fake_new(&lwp_dialect_lance, misbehave);
    struct lwp_consumer *consumer = NULL;
    struct lwp_consumer_options options = lwp_consumer_defaults("home", "reader", 1);
    uint64_t offset = 0;
    assert_non_null(villain);
    open_villain(villain, fake, seed);
    options.connect = fake_options(fake);
    options.connect.request_timeout_ms = 1000;
    options.connect.backoff.cap_ns = LWP_SECOND_NS;
    options.max_fetch_bytes = 100 + (uint32_t)(seed % 300);
    options.read_ahead = 1 + (unsigned)(seed % 4);
    assert_int_equal(lwp_consumer_open(&options, &consumer, NULL), LWP_OK);
    for (int i = 0; offset < villain->size; i++) {
        struct lwp_batch batch;
        assert_true(i < 2000);
        villain->is_tame = i > 200;
        if (lwp_consumer_poll(consumer, 2000, &batch) != LWP_OK)
            continue;
        assert_int_equal(batch.start_offset, offset);
        assert_bytes_equal(batch.data, bytes_of(villain->log + offset, batch.data.size));
        offset = batch.end_offset;
    }
    villain->is_tame = true;
    (void)lwp_consumer_close(consumer);
    fake_free(fake);
    free(villain);
}

static void every_byte_comes_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        consume_from(seed);
}

static void every_request_ends_in_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct villain *villain = calloc(1, sizeof(*villain));
        struct fake *fake = fake_new(&lwp_dialect_lance, misbehave);
        struct lwp_client *client = NULL;
        struct lwp_connect_options options = fake_options(fake);
        assert_non_null(villain);
        open_villain(villain, fake, seed);
        options.request_timeout_ms = 1000;
        options.backoff.cap_ns = LWP_SECOND_NS;
        assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
        for (int i = 0; i < 20; i++) {
            const uint64_t before_ns = fake->now_ns;
            (void)lwp_client_commit_offset(client, 1, 42, 7);
            (void)lwp_client_ping(client, NULL);
            assert_true(fake->now_ns - before_ns <= 2 * LWP_SECOND_NS);
        }
        /* Once the server behaves, so does the client. */
        villain->is_tame = true;
        enum lwp_status status = LWP_TIMEOUT;
        for (int i = 0; i < 5 && status != LWP_OK; i++)
            status = lwp_client_commit_offset(client, 1, 42, 7);
        assert_int_equal(status, LWP_OK);
        lwp_client_close(client);
        fake_free(fake);
        free(villain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_send_ends_in_one_report),
        cmocka_unit_test(every_byte_comes_once_and_in_order),
        cmocka_unit_test(every_request_ends_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
