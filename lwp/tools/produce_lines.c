/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <poll.h>

#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"
#include "lwp/tools/produce.h"

enum { SHOW_EVERY_MS = 200, PUT_SLICE_MS = 100 };

void produce_delivered(void *user, const struct lwp_delivery *delivery)
{
    struct producing *producing = user;
    if (delivery->status == LWP_OK) {
        producing->acknowledged += delivery->record_count;
        return;
    }
    if (producing->failed == 0)
        producing->first_failure = delivery->status;
    producing->failed += delivery->record_count;
}

void produce_show(struct producing *producing, bool last)
{
    const uint64_t now_ns = lwp_clock_now();
    const bool due = now_ns - producing->shown_ns >= SHOW_EVERY_MS * LWP_MILLISECOND_NS;
    if (!producing->is_terminal || (!due && !last))
        return;
    producing->shown_ns = now_ns;
    (void)fprintf(stderr,
                  "\r%" PRIu64 " records, %" PRIu64 " acknowledged, %" PRIu64 " failed\x1b[K%s",
                  producing->put, producing->acknowledged, producing->failed, last ? "\n" : "");
}

/* Keeps the producer going until the descriptor can be read, or the time has come; false after a
 * signal. A descriptor of -1 is never ready. */
static bool wait_for(struct producing *producing, int fd, uint64_t deadline_ns)
{
    struct lwp_producer *producer = producing->producer;
    for (;;) {
        lwp_producer_process(producer);
        produce_show(producing, false);
        const uint64_t now_ns = lwp_clock_now();
        struct pollfd fds[] = {
            {.fd = fd, .events = POLLIN},
            {.fd = producing->interrupt, .events = POLLIN},
            {.fd = lwp_producer_fd(producer), .events = lwp_producer_events(producer)},
        };
        uint64_t until_ns = lwp_deadline_earlier(deadline_ns, lwp_producer_deadline(producer));
        if (producing->is_terminal)
            until_ns = lwp_deadline_earlier(until_ns, now_ns + SHOW_EVERY_MS * LWP_MILLISECOND_NS);
        (void)poll(fds, sizeof(fds) / sizeof(fds[0]), lwp_clock_poll_ms(now_ns, until_ns));
        if (interrupt_came(producing->interrupt)) {
            producing->interrupted = true;
            return false;
        }
        if (fds[0].revents || lwp_clock_now() >= deadline_ns)
            return true;
    }
}

/* The value's front by its type (8.3, 8.4): how much of `head` that is. */
static size_t write_head(const struct produce_arguments *arguments, struct lwp_bytes key,
                         uint8_t *head)
{
    struct lwp_writer out = lwp_writer_on(head, PRODUCE_HEAD_SIZE);
    if (arguments->type == LWP_TLV_TIMESTAMPED || arguments->type == LWP_TLV_KEY_TIMESTAMPED)
        lwp_write_integer(&out, sizeof(uint64_t), lwp_clock_wall());
    if (arguments->type == LWP_TLV_KEY_VALUE || arguments->type == LWP_TLV_KEY_TIMESTAMPED)
        lwp_write_integer(&out, sizeof(uint16_t), key.size);
    return out.size;
}

/* The time of the next record, if there is a rate. */
static uint64_t due_ns(const struct producing *producing)
{
    const uint64_t rate = producing->arguments->rate;
    const uint64_t put = producing->put;
    if (rate == 0)
        return 0;
    return producing->began_ns + put / rate * LWP_SECOND_NS + put % rate * LWP_SECOND_NS / rate;
}

static enum lwp_status put(struct producing *producing, struct lwp_bytes line)
{
    uint8_t head[PRODUCE_HEAD_SIZE];
    const struct lwp_bytes key = lwp_bytes_text(producing->arguments->key);
    const struct lwp_outgoing record = {
        .topic_id = producing->topic_id,
        .type = (uint8_t)producing->arguments->type,
        .parts = {{head, write_head(producing->arguments, key, head)}, key, line},
    };
    const uint64_t due = due_ns(producing);
    if (due > lwp_clock_now() && !wait_for(producing, -1, due))
        return LWP_CLOSED_BY_CALLER;
    enum lwp_status status = lwp_producer_put(producing->producer, &record, NULL);
    while (status == LWP_FULL) {
        if (!wait_for(producing, -1, lwp_clock_now()))
            return LWP_CLOSED_BY_CALLER;
        status = lwp_producer_put_wait(producing->producer, &record, PUT_SLICE_MS, NULL);
    }
    producing->put += status == LWP_OK;
    return status;
}

enum lwp_status produce_lines(struct producing *producing, struct lines *lines)
{
    struct lwp_bytes line;
    for (;;) {
        enum lwp_status status = lines_next(lines, &line);
        if (status == LWP_OK)
            status = put(producing, line);
        else if (status == LWP_MORE)
            status = wait_for(producing, lines->fd, UINT64_MAX) ? lines_read(lines)
                                                                : LWP_CLOSED_BY_CALLER;
        if (status != LWP_OK)
            return status == LWP_END ? LWP_OK : status;
    }
}

void produce_settle(struct producing *producing)
{
    const unsigned timeout_ms = producing->arguments->server.connect.request_timeout_ms;
    const uint64_t end_ns = lwp_clock_now() + timeout_ms * LWP_MILLISECOND_NS;
    while (lwp_producer_flush(producing->producer, SHOW_EVERY_MS) == LWP_TIMEOUT) {
        produce_show(producing, false);
        (void)interrupt_came(producing->interrupt); /* So that the next one ends it. */
        if (lwp_clock_now() >= end_ns)
            return;
    }
}
