/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/outbox.h"
#include "lwp/session/session.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static struct lwp_outbox_options usual(void)
{
    struct lwp_outbox_options options = lwp_outbox_defaults(&lwp_dialect_lance);
    options.backoff.jitter_percent = 0;
    return options;
}

/* One frame for each record, so that a test can speak of batches. */
static struct lwp_outbox_options single(void)
{
    struct lwp_outbox_options options = usual();
    options.batch_size = 1;
    return options;
}

static struct lwp_outbox *outbox_with(struct lwp_outbox_options options)
{
    struct lwp_outbox *outbox = NULL;
    assert_int_equal(lwp_outbox_new(&options, 1, &outbox), LWP_OK);
    lwp_outbox_connected(outbox);
    return outbox;
}

static struct lwp_outgoing record_of(uint32_t topic_id, struct lwp_bytes value)
{
    return (struct lwp_outgoing){.topic_id = topic_id, .type = LWP_TLV_RAW, .parts = {value}};
}

static enum lwp_status put_bytes(struct lwp_outbox *outbox, uint32_t topic_id,
                                 struct lwp_bytes value, uint64_t now_ns)
{
    const struct lwp_outgoing record = record_of(topic_id, value);
    return lwp_outbox_put(outbox, &record, now_ns, NULL);
}

static void put(struct lwp_outbox *outbox, const char *text, uint64_t now_ns)
{
    assert_int_equal(put_bytes(outbox, 1, lwp_bytes_text(text), now_ns), LWP_OK);
}

static void put_many(struct lwp_outbox *outbox, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put(outbox, "x", 0);
}

/* Sends the next frame and returns it; its batch id is 0 if nothing may be sent. */
static struct lwp_frame send_next(struct lwp_outbox *outbox, uint64_t now_ns)
{
    struct lwp_frame frame = {.header = {.batch_id = 0}};
    if (lwp_outbox_next(outbox, now_ns, 1700, &frame) == LWP_OK)
        lwp_outbox_sent(outbox, now_ns);
    return frame;
}

static unsigned send_all(struct lwp_outbox *outbox, uint64_t now_ns)
{
    unsigned count = 0;
    while (send_next(outbox, now_ns).header.batch_id)
        count++;
    return count;
}

static void ack(struct lwp_outbox *outbox, uint64_t batch_id)
{
    assert_int_equal(lwp_outbox_ack(outbox, batch_id, 0), LWP_OK);
}

static void refuse(struct lwp_outbox *outbox, enum lwp_status status, uint64_t now_ns)
{
    const struct lwp_details details = lwp_details_of(status);
    assert_int_equal(lwp_outbox_error(outbox, &details, now_ns), LWP_OK);
}

static void expect_report(struct lwp_outbox *outbox, uint64_t sequence, enum lwp_status status)
{
    struct lwp_delivery delivery = {.status = LWP_OK};
    assert_true(lwp_outbox_report(outbox, &delivery));
    assert_int_equal(delivery.sequence, sequence);
    assert_int_equal(delivery.status, status);
}

static void expect_no_report(struct lwp_outbox *outbox)
{
    struct lwp_delivery delivery;
    assert_false(lwp_outbox_report(outbox, &delivery));
}

static void a_batch_is_sent_when_it_is_full(void **state)
{
    struct lwp_outbox_options options = usual();
    uint8_t value[95] = {1};
    (void)state;
    options.batch_size = 1000;
    struct lwp_outbox *outbox = outbox_with(options);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
        assert_int_equal(put_bytes(outbox, 7, bytes_of(value, sizeof(value)), 0), LWP_OK);
    }
    const struct lwp_frame frame = send_next(outbox, 0);
    assert_int_equal(frame.header.flags, LWP_FLAG_BATCH);
    assert_int_equal(frame.header.batch_id, 1);
    assert_int_equal(frame.header.topic_id, 7);
    assert_int_equal(frame.header.record_count, 10);
    assert_int_equal(frame.header.timestamp_ns, 1700);
    assert_int_equal(frame.payload.size, 1000);
    uint64_t count = 0;
    struct lwp_fault fault;
    assert_int_equal(lwp_tlv_count(frame.payload, &count, &fault), LWP_OK);
    assert_int_equal(count, 10);
    lwp_outbox_free(outbox);
}

static void a_record_that_does_not_fit_begins_the_next_batch(void **state)
{
    struct lwp_outbox_options options = usual();
    uint8_t value[595] = {1};
    (void)state;
    options.batch_size = 1000;
    struct lwp_outbox *outbox = outbox_with(options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put_bytes(outbox, 7, bytes_of(value, sizeof(value)), 0), LWP_OK);
    assert_int_equal(send_next(outbox, 0).payload.size, 600);
    assert_int_equal(send_next(outbox, 0).payload.size, 600);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    lwp_outbox_free(outbox);
}

static void a_record_larger_than_a_batch_goes_alone(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    uint8_t *value = calloc(1, 100000);
    (void)state;
    assert_non_null(value);
    put(outbox, "before", 0);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, 100000), 0), LWP_OK);
    put(outbox, "behind", 0);
    lwp_outbox_flush(outbox);
    assert_int_equal(send_next(outbox, 0).payload.size, 11);
    assert_int_equal(send_next(outbox, 0).payload.size, 100005);
    assert_int_equal(send_next(outbox, 0).payload.size, 11);
    free(value);
    lwp_outbox_free(outbox);
}

static void a_batch_waits_for_linger_and_no_longer(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    (void)state;
    assert_true(lwp_outbox_deadline(outbox) == LWP_NEVER);
    put(outbox, "a", 100);
    put(outbox, "b", 3 * MS);
    assert_int_equal(lwp_outbox_deadline(outbox), 100 + 5 * MS);
    assert_int_equal(lwp_outbox_tick(outbox, 99 + 5 * MS), LWP_OK);
    assert_int_equal(send_next(outbox, 99 + 5 * MS).header.batch_id, 0);
    assert_int_equal(lwp_outbox_tick(outbox, 100 + 5 * MS), LWP_OK);
    assert_int_equal(send_next(outbox, 100 + 5 * MS).header.record_count, 2);
    lwp_outbox_free(outbox);
}

static void topics_have_batches_of_their_own(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    (void)state;
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(put_bytes(outbox, i % 1000, bytes_of("x", 1), i), LWP_OK);
    lwp_outbox_flush(outbox);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct lwp_frame frame = send_next(outbox, 0);
        assert_int_equal(frame.header.batch_id, i + 1);
        assert_int_equal(frame.header.topic_id, i);
        assert_int_equal(frame.header.record_count, 3);
        ack(outbox, i + 1);
    }
    lwp_outbox_free(outbox);
}

static void values_are_put_together_from_their_parts(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    const struct lwp_outgoing record = {
        .topic_id = 1,
        .type = LWP_TLV_KEY_VALUE,
        .parts = {bytes_of("\1\0", 2), lwp_bytes_text("k"), lwp_bytes_text("value")}};
    const struct lwp_outgoing raw = {
        .topic_id = 1, .raw = true, .parts = {lwp_bytes_text("raw"), {NULL, 0}, bytes_of("!", 1)}};
    uint64_t sequence = 0;
    (void)state;
    assert_int_equal(lwp_outbox_put(outbox, &record, 0, &sequence), LWP_OK);
    assert_int_equal(sequence, 1);
    assert_int_equal(lwp_outbox_put(outbox, &raw, 0, &sequence), LWP_OK);
    assert_int_equal(sequence, 2);
    lwp_outbox_flush(outbox);
    assert_bytes_equal(send_next(outbox, 0).payload, bytes_of("\x10\x08\0\0\0\1\0kvalueraw!", 17));
    lwp_outbox_free(outbox);
}

static void what_no_server_can_take_is_refused(void **state)
{
    struct lwp_outbox_options options = usual();
    (void)state;
    options.max_payload = 40000;
    struct lwp_outbox *outbox = outbox_with(options);
    uint8_t *value = calloc(1, 40000);
    assert_non_null(value);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, 39995), 0), LWP_OK);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, 39996), 0), LWP_PAYLOAD_TOO_LARGE);
    struct lwp_outgoing record = record_of(1, bytes_of(value, 1));
    record.type = 0;
    assert_int_equal(lwp_outbox_put(outbox, &record, 0, NULL), LWP_INVALID_ARGUMENT);
    record.type = LWP_TLV_NULL_RECORD;
    assert_int_equal(lwp_outbox_put(outbox, &record, 0, NULL), LWP_INVALID_ARGUMENT);
    record = record_of(1, bytes_of(NULL, 0));
    assert_int_equal(lwp_outbox_put(outbox, &record, 0, NULL), LWP_OK);
    /* B-24: the deployed server would never answer it. */
    record.raw = true;
    assert_int_equal(lwp_outbox_put(outbox, &record, 0, NULL), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_outbox_statistics(outbox).records, 2);
    free(value);
    lwp_outbox_free(outbox);
}

static void options_out_of_range_are_refused(void **state)
{
    struct lwp_outbox *outbox = NULL;
    struct lwp_outbox_options options = usual();
    (void)state;
    options.max_pending_acks = 0;
    assert_int_equal(lwp_outbox_new(&options, 1, &outbox), LWP_INVALID_ARGUMENT);
    options.max_pending_acks = LWP_OUTBOX_MAX_PENDING + 1;
    assert_int_equal(lwp_outbox_new(&options, 1, &outbox), LWP_INVALID_ARGUMENT);
    options = usual();
    options.batch_size = 0;
    assert_int_equal(lwp_outbox_new(&options, 1, &outbox), LWP_INVALID_ARGUMENT);
    options.batch_size = (size_t)options.max_payload + 1;
    assert_int_equal(lwp_outbox_new(&options, 1, &outbox), LWP_INVALID_ARGUMENT);
    assert_null(outbox);
    lwp_outbox_free(NULL);
}

/* P-22. */
static void no_more_than_max_pending_acks_are_in_flight(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 200);
    assert_int_equal(send_all(outbox, 0), 64);
    assert_int_equal(lwp_outbox_statistics(outbox).batches_in_flight, 64);
    ack(outbox, 1);
    ack(outbox, 2);
    assert_int_equal(send_all(outbox, 0), 2);
    lwp_outbox_free(outbox);
}

static void every_record_is_reported_once_with_its_user_data(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    static char names[300];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct lwp_outgoing record = record_of(9, bytes_of("x", 1));
        record.user = &names[i];
        assert_int_equal(lwp_outbox_put(outbox, &record, 0, NULL), LWP_OK);
        if (i % 100 == 99)
            lwp_outbox_flush(outbox);
    }
    assert_int_equal(send_all(outbox, 0), 3);
    expect_no_report(outbox);
    for (uint64_t batch_id = 1; batch_id <= 3; batch_id++)
        ack(outbox, batch_id);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct lwp_delivery delivery;
        assert_true(lwp_outbox_report(outbox, &delivery));
        assert_int_equal(delivery.status, LWP_OK);
        assert_int_equal(delivery.sequence, i + 1);
        assert_int_equal(delivery.batch_id, i / 100 + 1);
        assert_int_equal(delivery.topic_id, 9);
        assert_int_equal(delivery.index, i % 100);
        assert_int_equal(delivery.record_count, 1);
        assert_ptr_equal(delivery.user, &names[i]);
    }
    expect_no_report(outbox);
    lwp_outbox_free(outbox);
}

static void batches_can_be_reported_at_once(void **state)
{
    struct lwp_outbox_options options = usual();
    struct lwp_delivery delivery;
    (void)state;
    options.reports = LWP_REPORT_BATCHES;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 5);
    lwp_outbox_flush(outbox);
    put_many(outbox, 7);
    lwp_outbox_flush(outbox);
    assert_int_equal(send_all(outbox, 0), 2);
    ack(outbox, 2);
    ack(outbox, 1);
    assert_true(lwp_outbox_report(outbox, &delivery));
    assert_int_equal(delivery.sequence, 6);
    assert_int_equal(delivery.record_count, 7);
    assert_null(delivery.user);
    assert_true(lwp_outbox_report(outbox, &delivery));
    assert_int_equal(delivery.sequence, 1);
    assert_int_equal(delivery.record_count, 5);
    expect_no_report(outbox);
    lwp_outbox_free(outbox);
}

static void acks_are_matched_by_id_in_any_order(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 4);
    assert_int_equal(send_all(outbox, 0), 4);
    ack(outbox, 3);
    ack(outbox, 1);
    ack(outbox, 4);
    ack(outbox, 2);
    expect_report(outbox, 3, LWP_OK);
    expect_report(outbox, 1, LWP_OK);
    expect_report(outbox, 4, LWP_OK);
    expect_report(outbox, 2, LWP_OK);
    assert_int_equal(lwp_outbox_statistics(outbox).records_pending, 0);
    lwp_outbox_free(outbox);
}

static void an_ack_that_came_before_is_counted_and_harmless(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 3);
    assert_int_equal(send_all(outbox, 0), 3);
    ack(outbox, 2);
    ack(outbox, 2);
    ack(outbox, 1);
    ack(outbox, 1);
    assert_int_equal(lwp_outbox_statistics(outbox).duplicate_acks, 2);
    assert_int_equal(lwp_outbox_statistics(outbox).batches_acked, 2);
    lwp_outbox_free(outbox);
}

static void an_ack_for_what_was_not_sent_is_unexpected(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_pending_acks = 2;
    struct lwp_outbox *outbox = outbox_with(options);
    assert_int_equal(lwp_outbox_ack(outbox, 1, 0), LWP_UNEXPECTED_FRAME);
    put_many(outbox, 3);
    assert_int_equal(send_all(outbox, 0), 2);
    assert_int_equal(lwp_outbox_ack(outbox, 0, 0), LWP_UNEXPECTED_FRAME);
    assert_int_equal(lwp_outbox_ack(outbox, 3, 0), LWP_UNEXPECTED_FRAME);
    assert_int_equal(lwp_outbox_ack(outbox, UINT64_MAX, 0), LWP_UNEXPECTED_FRAME);
    /* Sent on the last connection, but not on this one. */
    lwp_outbox_disconnected(outbox, LWP_CLOSED);
    lwp_outbox_connected(outbox);
    assert_int_equal(lwp_outbox_ack(outbox, 1, 0), LWP_UNEXPECTED_FRAME);
    lwp_outbox_free(outbox);
}

static void what_is_unacknowledged_is_sent_again_in_order(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 5);
    for (int i = 0; i < 4; i++)
        (void)send_next(outbox, 0);
    ack(outbox, 1);
    lwp_outbox_disconnected(outbox, LWP_RESET);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    lwp_outbox_connected(outbox);
    for (uint64_t batch_id = 2; batch_id <= 5; batch_id++)
        assert_int_equal(send_next(outbox, 0).header.batch_id, batch_id);
    for (uint64_t batch_id = 2; batch_id <= 5; batch_id++)
        ack(outbox, batch_id);
    for (uint64_t sequence = 1; sequence <= 5; sequence++)
        expect_report(outbox, sequence, LWP_OK);
    const struct lwp_outbox_statistics statistics = lwp_outbox_statistics(outbox);
    assert_int_equal(statistics.batches_sent, 8);
    assert_int_equal(statistics.batches_resent, 3);
    assert_int_equal(statistics.disconnects, 1);
    lwp_outbox_free(outbox);
}

static void a_batch_that_is_sent_again_is_the_same_to_the_byte(void **state)
{
    struct lwp_outbox_options options = usual();
    uint8_t first[256], second[256];
    (void)state;
    options.compression = true;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 100);
    lwp_outbox_flush(outbox);
    struct lwp_frame frame = send_next(outbox, 0);
    struct lwp_writer out = lwp_writer_on(first, sizeof(first));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    lwp_outbox_disconnected(outbox, LWP_RESET);
    lwp_outbox_connected(outbox);
    struct lwp_writer again = lwp_writer_on(second, sizeof(second));
    assert_int_equal(lwp_outbox_next(outbox, 9 * SECOND, 9999, &frame), LWP_OK);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &again), LWP_OK);
    assert_bytes_equal(lwp_writer_bytes(&again), lwp_writer_bytes(&out));
    lwp_outbox_free(outbox);
}

/* P-08: the Python client only logs it. */
static void an_error_fails_the_one_batch_in_flight(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 2);
    (void)send_next(outbox, 0);
    refuse(outbox, LWP_TOPIC_NOT_FOUND, 0);
    expect_report(outbox, 1, LWP_TOPIC_NOT_FOUND);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 2);
    lwp_outbox_free(outbox);
}

static void an_error_that_overtakes_acks_fails_the_batch_that_stays(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 5);
    for (int i = 0; i < 3; i++)
        (void)send_next(outbox, 0);
    refuse(outbox, LWP_TOPIC_NOT_FOUND, 0);
    expect_no_report(outbox);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    ack(outbox, 1);
    expect_report(outbox, 1, LWP_OK);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    ack(outbox, 3);
    expect_report(outbox, 3, LWP_OK);
    expect_report(outbox, 2, LWP_TOPIC_NOT_FOUND);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 4);
    lwp_outbox_free(outbox);
}

static void errors_are_given_in_the_order_of_the_batches(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 4);
    assert_int_equal(send_all(outbox, 0), 4);
    refuse(outbox, LWP_TOPIC_NOT_FOUND, 0);
    refuse(outbox, LWP_ACCESS_DENIED, 0);
    ack(outbox, 1);
    ack(outbox, 4);
    expect_report(outbox, 1, LWP_OK);
    expect_report(outbox, 4, LWP_OK);
    expect_report(outbox, 2, LWP_TOPIC_NOT_FOUND);
    expect_report(outbox, 3, LWP_ACCESS_DENIED);
    lwp_outbox_free(outbox);
}

static void an_unclear_error_ends_in_a_new_connection_at_the_deadline(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 3);
    assert_int_equal(send_all(outbox, 7), 3);
    refuse(outbox, LWP_TOPIC_NOT_FOUND, 8);
    ack(outbox, 2);
    assert_int_equal(lwp_outbox_deadline(outbox), 7 + 30 * SECOND);
    assert_int_equal(lwp_outbox_tick(outbox, 6 + 30 * SECOND), LWP_OK);
    assert_int_equal(lwp_outbox_tick(outbox, 7 + 30 * SECOND), LWP_TIMEOUT);
    lwp_outbox_disconnected(outbox, LWP_TIMEOUT);
    expect_report(outbox, 2, LWP_OK);
    /* Its topic has gone on, so it would come too late. */
    expect_report(outbox, 1, LWP_TIMEOUT);
    lwp_outbox_connected(outbox);
    assert_int_equal(send_next(outbox, 31 * SECOND).header.batch_id, 3);
    lwp_outbox_free(outbox);
}

static void more_errors_than_batches_are_unexpected(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    const struct lwp_details details = lwp_details_of(LWP_AUTH_REQUIRED);
    (void)state;
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_UNEXPECTED_FRAME);
    put_many(outbox, 1);
    assert_int_equal(send_all(outbox, 0), 1);
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_OK);
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_UNEXPECTED_FRAME);
    lwp_outbox_free(outbox);
}

static void a_refusal_that_may_pass_is_tried_again_after_a_wait(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    put_many(outbox, 3);
    assert_int_equal(send_all(outbox, 0), 3);
    refuse(outbox, LWP_FORWARD_FAILED, 0);
    refuse(outbox, LWP_FORWARD_FAILED, 0);
    refuse(outbox, LWP_QUORUM_NOT_REACHED, SECOND);
    expect_no_report(outbox);
    assert_int_equal(send_next(outbox, SECOND).header.batch_id, 0);
    assert_int_equal(lwp_outbox_deadline(outbox), SECOND + 100 * MS);
    for (uint64_t batch_id = 1; batch_id <= 3; batch_id++)
        assert_int_equal(send_next(outbox, SECOND + 100 * MS).header.batch_id, batch_id);
    for (uint64_t batch_id = 1; batch_id <= 3; batch_id++) {
        ack(outbox, batch_id);
        expect_report(outbox, batch_id, LWP_OK);
    }
    lwp_outbox_free(outbox);
}

static void waits_after_refusals_grow_until_something_is_accepted(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    uint64_t now_ns = 0;
    (void)state;
    put_many(outbox, 2);
    for (uint64_t wait_ns = 100 * MS; wait_ns <= 1600 * MS; wait_ns *= 2) {
        assert_int_equal(send_all(outbox, now_ns), 2);
        refuse(outbox, LWP_FORWARD_FAILED, now_ns);
        refuse(outbox, LWP_FORWARD_FAILED, now_ns);
        assert_int_equal(lwp_outbox_deadline(outbox), now_ns + wait_ns);
        now_ns += wait_ns;
    }
    assert_int_equal(send_all(outbox, now_ns), 2);
    ack(outbox, 1);
    refuse(outbox, LWP_FORWARD_FAILED, now_ns);
    assert_int_equal(lwp_outbox_deadline(outbox), now_ns + 100 * MS);
    lwp_outbox_free(outbox);
}

static void a_refusal_is_not_tried_again_for_ever(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_retries = 3;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 1);
    for (uint64_t i = 0; i < 4; i++) {
        expect_no_report(outbox);
        assert_int_equal(send_all(outbox, i * 60 * SECOND), 1);
        refuse(outbox, LWP_FORWARD_FAILED, i * 60 * SECOND);
    }
    expect_report(outbox, 1, LWP_FORWARD_FAILED);
    lwp_outbox_free(outbox);
}

/* A record that makes the server close would otherwise block all behind it. */
static void a_batch_that_ends_every_connection_is_given_up(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_retries = 2;
    options.max_pending_acks = 1;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_next(outbox, 0).header.batch_id, 1);
        lwp_outbox_disconnected(outbox, LWP_CLOSED);
        lwp_outbox_connected(outbox);
    }
    expect_report(outbox, 1, LWP_CLOSED);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 2);
    lwp_outbox_free(outbox);
}

static void a_server_that_can_not_be_reached_costs_no_attempts(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_retries = 0;
    struct lwp_outbox *outbox = outbox_with(options);
    lwp_outbox_disconnected(outbox, LWP_CLOSED);
    put_many(outbox, 1);
    for (int i = 0; i < 100; i++)
        lwp_outbox_disconnected(outbox, LWP_REFUSED);
    expect_no_report(outbox);
    lwp_outbox_connected(outbox);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 1);
    lwp_outbox_free(outbox);
}

static void what_was_refused_after_its_topic_went_on_fails(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    for (int reorder = 0; reorder < 2; reorder++) {
        options.allow_reorder = reorder;
        struct lwp_outbox *outbox = outbox_with(options);
        put_many(outbox, 2);
        assert_int_equal(send_all(outbox, 0), 2);
        refuse(outbox, LWP_FORWARD_FAILED, 0);
        ack(outbox, 2);
        expect_report(outbox, 2, LWP_OK);
        if (reorder) {
            expect_no_report(outbox);
            assert_int_equal(send_next(outbox, SECOND).header.batch_id, 1);
        } else {
            expect_report(outbox, 1, LWP_FORWARD_FAILED);
        }
        lwp_outbox_free(outbox);
    }
}

static void other_topics_do_not_make_a_refused_batch_late(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    (void)state;
    assert_int_equal(put_bytes(outbox, 1, bytes_of("x", 1), 0), LWP_OK);
    assert_int_equal(put_bytes(outbox, 2, bytes_of("x", 1), 0), LWP_OK);
    assert_int_equal(send_all(outbox, 0), 2);
    refuse(outbox, LWP_FORWARD_FAILED, 0);
    ack(outbox, 2);
    expect_report(outbox, 2, LWP_OK);
    expect_no_report(outbox);
    assert_int_equal(send_next(outbox, SECOND).header.batch_id, 1);
    lwp_outbox_free(outbox);
}

static void a_redirect_waits_until_nothing_is_in_flight(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    struct lwp_details details = lwp_details_of(LWP_NOT_LEADER), told;
    (void)state;
    memcpy(details.leader, "a:1", 4);
    put_many(outbox, 3);
    for (int i = 0; i < 2; i++)
        (void)send_next(outbox, 0);
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_OK);
    assert_false(lwp_outbox_take_redirect(outbox, &told));
    ack(outbox, 1);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    assert_true(lwp_outbox_take_redirect(outbox, &told));
    assert_string_equal(told.leader, "a:1");
    assert_false(lwp_outbox_take_redirect(outbox, &told));
    lwp_outbox_disconnected(outbox, LWP_NOT_LEADER);
    lwp_outbox_connected(outbox);
    /* At once: the leader was not asked before. */
    assert_int_equal(send_next(outbox, 0).header.batch_id, 2);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 3);
    lwp_outbox_free(outbox);
}

static void backpressure_halves_the_rate_until_acks_flow(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_pending_acks = 1000;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 1000);
    unsigned before = 0, after = 0;
    for (uint64_t i = 0; i < 100; i++)
        before += send_next(outbox, i * MS).header.batch_id != 0;
    assert_int_equal(before, 100);
    lwp_outbox_backpressure(outbox, 100 * MS);
    assert_true(lwp_outbox_statistics(outbox).slowed);
    /* What was sent before says nothing about how the server is now. */
    ack(outbox, 1);
    for (uint64_t i = 0; i < 1000; i++)
        after += send_next(outbox, 100 * MS + i * MS / 10).header.batch_id != 0;
    assert_true(after > 40 && after <= 50);
    ack(outbox, 101);
    assert_false(lwp_outbox_statistics(outbox).slowed);
    assert_true(send_all(outbox, 200 * MS) > 50);
    assert_int_equal(lwp_outbox_statistics(outbox).backpressures, 1);
    lwp_outbox_free(outbox);
}

static void a_rate_limit_is_waited_for(void **state)
{
    struct lwp_outbox *outbox = outbox_with(single());
    struct lwp_details details = lwp_details_of(LWP_RATE_LIMITED);
    (void)state;
    details.retry_after_ms = 750;
    put_many(outbox, 1);
    (void)send_next(outbox, 0);
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_OK);
    assert_int_equal(send_next(outbox, 749 * MS).header.batch_id, 0);
    assert_int_equal(send_next(outbox, 1000 * MS).header.batch_id, 1);
    /* A server does not put us to sleep for ever. */
    details.retry_after_ms = UINT64_MAX;
    assert_int_equal(lwp_outbox_error(outbox, &details, 0), LWP_OK);
    assert_int_equal(send_next(outbox, 3601 * SECOND).header.batch_id, 1);
    lwp_outbox_free(outbox);
}

static void the_buffer_has_a_limit(void **state)
{
    struct lwp_outbox_options options = usual();
    uint8_t value[1000] = {1};
    (void)state;
    options.buffer_limit = 1 << 20;
    struct lwp_outbox *outbox = outbox_with(options);
    size_t count = 0;
    while (put_bytes(outbox, 1, bytes_of(value, sizeof(value)), 0) == LWP_OK) {
        assert_true(lwp_outbox_statistics(outbox).buffered_size <= options.buffer_limit);
        assert_true(++count < 2000);
    }
    assert_true(count > 900);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, sizeof(value)), 0), LWP_FULL);
    (void)send_next(outbox, 0);
    ack(outbox, 1);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, sizeof(value)), 0), LWP_FULL);
    struct lwp_delivery delivery;
    while (lwp_outbox_report(outbox, &delivery))
        assert_int_equal(delivery.status, LWP_OK);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, sizeof(value)), 0), LWP_OK);
    lwp_outbox_free(outbox);
}

static void a_record_that_can_never_fit_the_buffer_is_refused(void **state)
{
    struct lwp_outbox_options options = usual();
    uint8_t *value = calloc(1, 70000);
    (void)state;
    assert_non_null(value);
    options.buffer_limit = 65536;
    struct lwp_outbox *outbox = outbox_with(options);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, 70000), 0), LWP_PAYLOAD_TOO_LARGE);
    assert_int_equal(put_bytes(outbox, 1, bytes_of(value, 64000), 0), LWP_OK);
    free(value);
    lwp_outbox_free(outbox);
}

static void many_small_topics_need_little_memory(void **state)
{
    struct lwp_outbox *outbox = outbox_with(usual());
    (void)state;
    for (uint32_t topic_id = 0; topic_id < 1000; topic_id++)
        assert_int_equal(put_bytes(outbox, topic_id, bytes_of("x", 1), 0), LWP_OK);
    assert_true(lwp_outbox_statistics(outbox).buffered_size < 1000 * 2048);
    lwp_outbox_free(outbox);
}

static void compression_is_used_where_it_helps(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct lwp_outbox_options options = usual();
        uint8_t noise[1000], room[4096];
        fill_random(noise, sizeof(noise), 7);
        options.dialect = lwp_dialects[d];
        options.compression = true;
        struct lwp_outbox *outbox = outbox_with(options);
        put_many(outbox, 200);
        lwp_outbox_flush(outbox);
        const struct lwp_frame small = send_next(outbox, 0);
        assert_int_equal(small.header.flags, LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED);
        assert_int_equal(small.header.record_count, 200);
        assert_true(small.payload.size < 1200);
        struct lwp_writer out = lwp_writer_on(room, sizeof(room));
        assert_int_equal(
            lwp_lz4_decompress(lwp_dialects[d]->lz4_framing, small.payload, sizeof(room), &out),
            LWP_OK);
        assert_int_equal(out.size, 1200);
        assert_int_equal(put_bytes(outbox, 1, bytes_of(noise, sizeof(noise)), 0), LWP_OK);
        lwp_outbox_flush(outbox);
        const struct lwp_frame plain = send_next(outbox, 0);
        assert_int_equal(plain.header.flags, LWP_FLAG_BATCH);
        assert_int_equal(plain.payload.size, 1005);
        assert_int_equal(lwp_outbox_compresses_for_good(outbox),
                         !lwp_dialects[d]->decompresses_ingest);
        lwp_outbox_free(outbox);
    }
}

/* P-19. */
static void the_end_fails_all_that_is_pending(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.max_pending_acks = 1;
    struct lwp_outbox *outbox = outbox_with(options);
    put_many(outbox, 2);
    (void)send_next(outbox, 0);
    lwp_outbox_end(outbox, LWP_CLOSED_BY_CALLER);
    lwp_outbox_end(outbox, LWP_IO);
    struct lwp_delivery delivery;
    assert_true(lwp_outbox_report(outbox, &delivery));
    assert_int_equal(delivery.status, LWP_CLOSED_BY_CALLER);
    assert_int_equal(delivery.batch_id, 1);
    assert_true(lwp_outbox_report(outbox, &delivery));
    assert_int_equal(delivery.batch_id, 0);
    expect_no_report(outbox);
    assert_int_equal(put_bytes(outbox, 1, bytes_of("x", 1), 0), LWP_CLOSED_BY_CALLER);
    assert_int_equal(send_next(outbox, 0).header.batch_id, 0);
    assert_int_equal(lwp_outbox_tick(outbox, 3600 * SECOND), LWP_OK);
    assert_true(lwp_outbox_deadline(outbox) == LWP_NEVER);
    lwp_outbox_free(outbox);
}

static void nobody_needs_to_fetch_reports_that_were_not_asked_for(void **state)
{
    struct lwp_outbox_options options = single();
    (void)state;
    options.reports = LWP_REPORT_NOTHING;
    options.buffer_limit = 1 << 16;
    struct lwp_outbox *outbox = outbox_with(options);
    for (uint64_t i = 1; i <= 10000; i++) {
        put_many(outbox, 1);
        assert_int_equal(send_next(outbox, 0).header.batch_id, i);
        ack(outbox, i);
    }
    expect_no_report(outbox);
    assert_int_equal(lwp_outbox_statistics(outbox).records_acked, 10000);
    lwp_outbox_free(outbox);
}

/*
 * The outbox against a server with moods: it stores or refuses in order, acknowledges late, closes
 * whenever it likes. What must hold whatever it does:
 *   every send ends in exactly one report; what was acknowledged is in the log; the first
 *   occurrences of each topic are in order; a record is in the log twice only if its ack was lost.
 */
enum { TOPICS = 3, SENDS = 400, LOG_ROOM = 20000, LATE_ROOM = 64 };

struct world {
    struct lwp_outbox *outbox;
    uint64_t random;
    uint64_t now_ns;
    uint64_t log[LOG_ROOM]; /* Sequences, as the records' values. */
    uint32_t log_topic[LOG_ROOM];
    size_t log_size;
    uint64_t late[LATE_ROOM]; /* Acks that are owed. */
    size_t late_count;
    bool connected;
    unsigned losses;
    uint64_t sent; /* Records put in. */
    enum lwp_status report[SENDS + 1];
    unsigned reports[SENDS + 1];
};

static bool chance(struct world *world, unsigned percent)
{
    return (next_random(&world->random) >> 20) % 100 < percent;
}

static void store(struct world *world, const struct lwp_frame *frame)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(frame->payload);
    struct lwp_record record;
    while (lwp_tlv_next(&walk, &record) == LWP_OK) {
        assert_true(world->log_size < LOG_ROOM);
        world->log_topic[world->log_size] = frame->header.topic_id;
        world->log[world->log_size++] = lwp_get64(record.value.data);
    }
}

static void lose(struct world *world)
{
    lwp_outbox_disconnected(world->outbox, LWP_RESET);
    world->connected = false;
    world->late_count = 0;
    world->losses++;
}

static void hear(struct world *world, const struct lwp_frame *frame)
{
    static const enum lwp_status moods[] = {LWP_FORWARD_FAILED, LWP_TOPIC_NOT_FOUND,
                                            LWP_QUORUM_NOT_REACHED, LWP_RATE_LIMITED};
    if (chance(world, 6)) {
        refuse(world->outbox, moods[next_random(&world->random) >> 20 & 3], world->now_ns);
        return;
    }
    store(world, frame);
    world->late[world->late_count++] = frame->header.batch_id;
    if (chance(world, 3))
        lwp_outbox_backpressure(world->outbox, world->now_ns);
}

static void acknowledge(struct world *world)
{
    assert_int_equal(lwp_outbox_ack(world->outbox, world->late[0], world->now_ns), LWP_OK);
    memmove(world->late, world->late + 1, --world->late_count * sizeof(world->late[0]));
}

static void fetch_reports(struct world *world)
{
    struct lwp_delivery delivery;
    while (lwp_outbox_report(world->outbox, &delivery)) {
        assert_true(delivery.sequence >= 1 && delivery.sequence <= world->sent);
        world->reports[delivery.sequence]++;
        world->report[delivery.sequence] = delivery.status;
    }
}

static void step(struct world *world)
{
    uint8_t value[8];
    struct lwp_frame frame;
    if (world->sent < SENDS && chance(world, 60)) {
        uint64_t sequence = 0;
        lwp_put64(value, world->sent + 1);
        const struct lwp_outgoing record = record_of(
            (uint32_t)(next_random(&world->random) >> 20) % TOPICS, bytes_of(value, sizeof(value)));
        assert_int_equal(lwp_outbox_put(world->outbox, &record, world->now_ns, &sequence), LWP_OK);
        assert_int_equal(sequence, ++world->sent);
    }
    if (!world->connected && chance(world, 30)) {
        lwp_outbox_connected(world->outbox);
        world->connected = true;
    }
    if (chance(world, 50) && lwp_outbox_next(world->outbox, world->now_ns, 1, &frame) == LWP_OK) {
        assert_true(world->connected);
        assert_true(world->late_count < LATE_ROOM);
        lwp_outbox_sent(world->outbox, world->now_ns);
        hear(world, &frame);
    }
    if (world->late_count && chance(world, 50))
        acknowledge(world);
    if (world->connected && chance(world, 2))
        lose(world);
    if (chance(world, 20))
        world->now_ns += (next_random(&world->random) >> 20) % (20 * MS);
    if (lwp_outbox_tick(world->outbox, world->now_ns) == LWP_TIMEOUT)
        lose(world);
    fetch_reports(world);
}

static void check_order(const struct world *world)
{
    static bool seen[SENDS + 1];
    uint64_t newest[TOPICS] = {0};
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < world->log_size; i++) {
        assert_true(world->log[i] >= 1 && world->log[i] <= SENDS);
        if (!seen[world->log[i]]) {
            assert_true(world->log[i] > newest[world->log_topic[i]]);
            newest[world->log_topic[i]] = world->log[i];
        } else {
            assert_true(world->losses > 0);
        }
        seen[world->log[i]] = true;
    }
    for (uint64_t sequence = 1; sequence <= SENDS; sequence++) {
        assert_int_equal(world->reports[sequence], 1);
        if (world->report[sequence] == LWP_OK)
            assert_true(seen[sequence]);
    }
}

static void run_world(uint64_t seed)
{
    struct lwp_outbox_options options = usual();
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    options.batch_size = 13 * (1 + seed % 4);
    options.max_pending_acks = 1 + (unsigned)(seed % 9);
    options.request_timeout_ns = 200 * MS;
    options.backoff.cap_ns = 300 * MS;
    options.compression = false;
    world->random = seed * 0x9e3779b97f4a7c15 | 1;
    world->connected = true;
    world->outbox = outbox_with(options);
    for (int i = 0; lwp_outbox_statistics(world->outbox).records_pending || world->sent < SENDS;
         i++) {
        assert_true(i < 1000000);
        step(world);
    }
    fetch_reports(world);
    check_order(world);
    lwp_outbox_free(world->outbox);
    free(world);
}

static void whatever_the_server_does_nothing_is_lost_or_out_of_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        run_world(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_sent_when_it_is_full),
        cmocka_unit_test(a_record_that_does_not_fit_begins_the_next_batch),
        cmocka_unit_test(a_record_larger_than_a_batch_goes_alone),
        cmocka_unit_test(a_batch_waits_for_linger_and_no_longer),
        cmocka_unit_test(topics_have_batches_of_their_own),
        cmocka_unit_test(values_are_put_together_from_their_parts),
        cmocka_unit_test(what_no_server_can_take_is_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(no_more_than_max_pending_acks_are_in_flight),
        cmocka_unit_test(every_record_is_reported_once_with_its_user_data),
        cmocka_unit_test(batches_can_be_reported_at_once),
        cmocka_unit_test(acks_are_matched_by_id_in_any_order),
        cmocka_unit_test(an_ack_that_came_before_is_counted_and_harmless),
        cmocka_unit_test(an_ack_for_what_was_not_sent_is_unexpected),
        cmocka_unit_test(what_is_unacknowledged_is_sent_again_in_order),
        cmocka_unit_test(a_batch_that_is_sent_again_is_the_same_to_the_byte),
        cmocka_unit_test(an_error_fails_the_one_batch_in_flight),
        cmocka_unit_test(an_error_that_overtakes_acks_fails_the_batch_that_stays),
        cmocka_unit_test(errors_are_given_in_the_order_of_the_batches),
        cmocka_unit_test(an_unclear_error_ends_in_a_new_connection_at_the_deadline),
        cmocka_unit_test(more_errors_than_batches_are_unexpected),
        cmocka_unit_test(a_refusal_that_may_pass_is_tried_again_after_a_wait),
        cmocka_unit_test(waits_after_refusals_grow_until_something_is_accepted),
        cmocka_unit_test(a_refusal_is_not_tried_again_for_ever),
        cmocka_unit_test(a_batch_that_ends_every_connection_is_given_up),
        cmocka_unit_test(a_server_that_can_not_be_reached_costs_no_attempts),
        cmocka_unit_test(what_was_refused_after_its_topic_went_on_fails),
        cmocka_unit_test(other_topics_do_not_make_a_refused_batch_late),
        cmocka_unit_test(a_redirect_waits_until_nothing_is_in_flight),
        cmocka_unit_test(backpressure_halves_the_rate_until_acks_flow),
        cmocka_unit_test(a_rate_limit_is_waited_for),
        cmocka_unit_test(the_buffer_has_a_limit),
        cmocka_unit_test(a_record_that_can_never_fit_the_buffer_is_refused),
        cmocka_unit_test(many_small_topics_need_little_memory),
        cmocka_unit_test(compression_is_used_where_it_helps),
        cmocka_unit_test(the_end_fails_all_that_is_pending),
        cmocka_unit_test(nobody_needs_to_fetch_reports_that_were_not_asked_for),
        cmocka_unit_test(whatever_the_server_does_nothing_is_lost_or_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
