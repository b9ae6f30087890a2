/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/inbox.h"
#include "lwp/session/session.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

enum { LOG_ROOM = 1 << 16, TOPIC = 7 };

/* A log, and what a server of the dialect answers to fetches of it. */
struct server {
    const struct lwp_dialect *dialect;
    uint8_t log[LOG_ROOM];
    size_t size;
    uint64_t commit;
    uint8_t answer[LOG_ROOM + 64];
};

static struct server *server_of(const struct lwp_dialect *dialect)
{
    struct server *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    server->dialect = dialect;
    return server;
}

static void store(struct server *server, struct lwp_bytes value)
{
    struct lwp_writer out = lwp_writer_on(server->log + server->size, LOG_ROOM - server->size);
    lwp_tlv_put(&out, LWP_TLV_RAW, value);
    assert_false(out.full);
    server->size += out.size;
}

static void store_many(struct server *server, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        store(server, bytes_of("0123456789abcdefghijklmnopqrstuvwxyz", i % 37));
}

static struct lwp_frame frame_with(struct server *server, struct lwp_message message)
{
    struct lwp_writer out = lwp_writer_on(server->answer, sizeof(server->answer));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    return lwp_message_frame(message.command, lwp_writer_bytes(&out));
}

static struct lwp_message fetched(uint64_t next_offset, struct lwp_bytes data)
{
    return (struct lwp_message){.command = LWP_COMMAND_FETCH_RESPONSE,
                                .next_offset = next_offset,
                                .bytes_returned = data.size,
                                .data = data};
}

static struct lwp_frame answer_fetch(struct server *server, const struct lwp_message *asked)
{
    const uint64_t tail = server->dialect->tail_offset;
    const struct lwp_bytes nothing = {NULL, 0};
    if (tail && asked->start_offset == tail)
        return frame_with(server, fetched(server->size, nothing));
    if (asked->start_offset > server->size && server->dialect->beyond_end == LWP_BEYOND_EMPTY)
        return frame_with(server, fetched(asked->start_offset, nothing));
    if (asked->start_offset > server->size)
        return frame_with(server, (struct lwp_message){.command = LWP_COMMAND_CATCHING_UP,
                                                       .server_offset = server->size});
    const uint64_t left = server->size - asked->start_offset;
    const size_t size = (size_t)(left < asked->max_bytes ? left : asked->max_bytes);
    return frame_with(server, fetched(asked->start_offset + size,
                                      bytes_of(server->log + asked->start_offset, size)));
}

static struct lwp_frame answer(struct server *server, const struct lwp_message *asked)
{
    assert_int_equal(asked->topic_id, TOPIC);
    if (asked->command == LWP_COMMAND_FETCH)
        return answer_fetch(server, asked);
    assert_int_equal(asked->command, LWP_COMMAND_COMMIT_OFFSET);
    server->commit = asked->offset;
    return frame_with(server, (struct lwp_message){.command = LWP_COMMAND_COMMIT_ACK,
                                                   .consumer_id = asked->consumer_id,
                                                   .offset = asked->offset});
}

static struct lwp_inbox_options usual(const struct lwp_dialect *dialect)
{
    struct lwp_inbox_options options = lwp_inbox_defaults(dialect, TOPIC);
    options.backoff.jitter_percent = 0;
    options.consumer_id = 99;
    return options;
}

static struct lwp_inbox *inbox_with(struct lwp_inbox_options options)
{
    struct lwp_inbox *inbox = NULL;
    assert_int_equal(lwp_inbox_new(&options, 1, &inbox), LWP_OK);
    lwp_inbox_connected(inbox);
    return inbox;
}

static struct lwp_inbox *plain_inbox(void)
{
    return inbox_with(usual(&lwp_dialect_lance));
}

/* Sends the next request; its command is 0 if there is none now. */
static struct lwp_message ask(struct lwp_inbox *inbox, uint64_t now_ns)
{
    struct lwp_message message = {.command = 0};
    if (lwp_inbox_next(inbox, now_ns, &message) == LWP_OK)
        lwp_inbox_sent(inbox, now_ns);
    return message;
}

static enum lwp_status tell(struct lwp_inbox *inbox, struct server *server,
                            struct lwp_message message, uint64_t now_ns)
{
    const struct lwp_frame frame = frame_with(server, message);
    return lwp_inbox_frame(inbox, &frame, now_ns);
}

static void tell_error(struct lwp_inbox *inbox, struct server *server, const char *text,
                       uint64_t now_ns)
{
    const struct lwp_message error = {.command = LWP_COMMAND_ERROR_RESPONSE,
                                      .text = lwp_bytes_text(text)};
    assert_int_equal(tell(inbox, server, error, now_ns), LWP_OK);
}

/* One request and its answer; false if there was none. */
static bool exchange(struct lwp_inbox *inbox, struct server *server, uint64_t now_ns)
{
    const struct lwp_message asked = ask(inbox, now_ns);
    if (asked.command == 0)
        return false;
    const struct lwp_frame frame = answer(server, &asked);
    assert_int_equal(lwp_inbox_frame(inbox, &frame, now_ns), LWP_OK);
    return true;
}

static enum lwp_status take(struct lwp_inbox *inbox, struct lwp_batch *batch)
{
    struct lwp_details details;
    const enum lwp_status status = lwp_inbox_take(inbox, batch, &details);
    if (status != LWP_OK && status != LWP_WOULD_BLOCK && status != LWP_END)
        assert_int_equal(details.status, status);
    return status;
}

static enum lwp_status take_nothing(struct lwp_inbox *inbox)
{
    struct lwp_batch batch;
    return take(inbox, &batch);
}

static void a_fetch_gives_records_and_the_end_is_told(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 10);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_bytes_equal(batch.data, bytes_of(server->log, server->size));
    assert_int_equal(batch.record_count, 10);
    assert_int_equal(batch.start_offset, 0);
    assert_int_equal(batch.end_offset, server->size);
    assert_int_equal(lwp_inbox_offset(inbox), server->size);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take_nothing(inbox), LWP_END);
    /* At the end it asks again after a while. */
    assert_false(exchange(inbox, server, 10 * MS - 1));
    assert_int_equal(lwp_inbox_deadline(inbox), 10 * MS);
    store_many(server, 2);
    assert_true(exchange(inbox, server, 10 * MS));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.record_count, 2);
    lwp_inbox_free(inbox);
    free(server);
}

/* P-16: the published clients drop what a fetch cuts. */
static void a_record_cut_by_a_fetch_is_completed_by_the_next(void **state)
{
    (void)state;
    for (uint32_t size = 1; size < 100; size++) {
        struct server *server = server_of(&lwp_dialect_lance);
        struct lwp_inbox_options options = usual(&lwp_dialect_lance);
        options.max_fetch_bytes = size;
        struct lwp_inbox *inbox = inbox_with(options);
        struct lwp_batch batch;
        uint64_t records = 0, offset = 0, now_ns = 0;
        store_many(server, 40);
        while (records < 40) {
            assert_true(now_ns < 10000 * MS);
            (void)exchange(inbox, server, now_ns);
            now_ns += MS;
            if (take(inbox, &batch) != LWP_OK)
                continue;
            assert_int_equal(batch.start_offset, offset);
            assert_bytes_equal(batch.data, bytes_of(server->log + offset, batch.data.size));
            offset += batch.data.size;
            assert_int_equal(batch.end_offset, offset);
            records += batch.record_count;
        }
        assert_int_equal(offset, server->size);
        lwp_inbox_free(inbox);
        free(server);
    }
}

/* As exchange(), but the answer lies where the server made it until the next one. */
static void exchange_lent(struct lwp_inbox *inbox, struct server *server)
{
    const struct lwp_message asked = ask(inbox, 0);
    assert_int_equal(asked.command, LWP_COMMAND_FETCH);
    lwp_inbox_copy_lent(inbox);
    const struct lwp_frame frame = answer(server, &asked);
    assert_int_equal(lwp_inbox_lend(inbox, &frame, 0), LWP_OK);
}

static bool lies_in_answer(const struct server *server, struct lwp_bytes data)
{
    return data.data >= server->answer && data.data < server->answer + sizeof(server->answer);
}

static void what_is_lent_is_handed_on_where_it_lies_but_for_torn_records(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    struct lwp_batch batch;
    (void)state;
    options.max_fetch_bytes = 20;
    struct lwp_inbox *inbox = inbox_with(options);
    for (int i = 0; i < 3; i++)
        store(server, lwp_bytes_text("12345678"));
    exchange_lent(inbox, server);
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_true(lies_in_answer(server, batch.data));
    assert_int_equal(batch.data.size, 13);
    assert_int_equal(lwp_inbox_statistics(inbox).torn_size, 7);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    exchange_lent(inbox, server);
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_false(lies_in_answer(server, batch.data));
    assert_bytes_equal(batch.data, bytes_of(server->log + 13, 13));
    assert_int_equal(batch.start_offset, 13);
    assert_int_equal(lwp_inbox_size(inbox), 13);
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_true(lies_in_answer(server, batch.data));
    assert_int_equal(batch.end_offset, server->size);
    lwp_inbox_free(inbox);
    free(server);
}

static void what_is_lent_and_not_handed_on_can_be_copied(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 10);
    exchange_lent(inbox, server);
    lwp_inbox_copy_lent(inbox);
    memset(server->answer, 0xee, sizeof(server->answer));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_bytes_equal(batch.data, bytes_of(server->log, server->size));
    /* What was handed on is not kept. */
    lwp_inbox_copy_lent(inbox);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    lwp_inbox_free(inbox);
    free(server);
}

static void raw_data_is_handed_on_as_it_comes(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    struct lwp_batch batch;
    (void)state;
    options.raw = true;
    struct lwp_inbox *inbox = inbox_with(options);
    memcpy(server->log, "\xff\xff\xff\xff\xff\xff", 6);
    server->size = 6;
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.data.size, 6);
    assert_int_equal(batch.record_count, 0);
    assert_int_equal(batch.end_offset, 6);
    lwp_inbox_free(inbox);
    free(server);
}

/* P-10: also against the deployed server. */
static void the_end_is_found_in_every_dialect(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct server *server = server_of(lwp_dialects[d]);
        struct lwp_inbox *inbox = inbox_with(usual(lwp_dialects[d]));
        struct lwp_batch batch;
        store_many(server, 10);
        const size_t before = server->size;
        lwp_inbox_seek(inbox, LWP_OFFSET_END);
        assert_true(lwp_inbox_offset(inbox) == LWP_OFFSET_END);
        assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
        while (lwp_inbox_offset(inbox) == LWP_OFFSET_END)
            assert_true(exchange(inbox, server, 0));
        assert_int_equal(lwp_inbox_offset(inbox), before);
        assert_int_equal(take_nothing(inbox), LWP_END);
        store_many(server, 2);
        (void)exchange(inbox, server, SECOND);
        assert_int_equal(take(inbox, &batch), LWP_OK);
        assert_int_equal(batch.start_offset, before);
        assert_int_equal(batch.record_count, 2);
        lwp_inbox_free(inbox);
        free(server);
    }
}

/* The deployed server does not know the Python client's sentinel, but tells its end. */
static void a_sentinel_that_the_server_does_not_know_finds_the_end(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = inbox_with(usual(&lwp_dialect_lance_py));
    (void)state;
    store_many(server, 10);
    lwp_inbox_seek(inbox, LWP_OFFSET_END);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(lwp_inbox_offset(inbox), server->size);
    lwp_inbox_free(inbox);
    free(server);
}

static void a_seek_drops_what_was_fetched_and_what_is_on_its_way(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 10);
    assert_true(exchange(inbox, server, 0));
    lwp_inbox_seek(inbox, 5);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    const struct lwp_message first = ask(inbox, 0);
    assert_int_equal(first.start_offset, 5);
    lwp_inbox_seek(inbox, 0);
    assert_int_equal(ask(inbox, 0).command, 0);
    const struct lwp_frame frame = answer(server, &first);
    assert_int_equal(lwp_inbox_frame(inbox, &frame, 0), LWP_OK);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.start_offset, 0);
    lwp_inbox_free(inbox);
    free(server);
}

/* Fetches all with this depth; returns the most requests that were on their way at once. */
static unsigned fetch_ahead(unsigned read_ahead)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    options.read_ahead = read_ahead;
    options.max_fetch_bytes = 1000;
    struct lwp_inbox *inbox = inbox_with(options);
    struct lwp_message asked[32];
    unsigned count = 0, most = 0;
    uint64_t offset = 0;
    store_many(server, 1500);
    for (uint64_t now_ns = 0; offset < server->size; now_ns += MS) {
        struct lwp_batch batch;
        assert_true(now_ns < 10000 * MS);
        while ((asked[count] = ask(inbox, now_ns)).command)
            count++;
        most = count > most ? count : most;
        if (count) {
            const struct lwp_frame frame = answer(server, &asked[0]);
            assert_int_equal(lwp_inbox_frame(inbox, &frame, now_ns), LWP_OK);
            memmove(asked, asked + 1, --count * sizeof(asked[0]));
        }
        while (take(inbox, &batch) == LWP_OK) {
            assert_int_equal(batch.start_offset, offset);
            assert_bytes_equal(batch.data, bytes_of(server->log + offset, batch.data.size));
            offset = batch.end_offset;
        }
    }
    lwp_inbox_free(inbox);
    free(server);
    return most;
}

static void a_full_log_is_fetched_ahead(void **state)
{
    (void)state;
    assert_int_equal(fetch_ahead(1), 1);
    assert_int_equal(fetch_ahead(4), 4);
    assert_int_equal(fetch_ahead(16), 16);
}

static void half_of_what_is_read_ahead_is_asked_for_at_once(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    (void)state;
    options.max_fetch_bytes = 100;
    options.read_ahead = 4;
    struct lwp_inbox *inbox = inbox_with(options);
    store_many(server, 100);
    assert_true(lwp_inbox_is_low(inbox));
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(ask(inbox, 0).command, LWP_COMMAND_FETCH);
    assert_int_equal(ask(inbox, 0).command, LWP_COMMAND_FETCH);
    assert_true(lwp_inbox_is_low(inbox));
    assert_int_equal(ask(inbox, 0).command, LWP_COMMAND_FETCH);
    assert_false(lwp_inbox_is_low(inbox));
    lwp_inbox_free(inbox);
    free(server);
}

static void nothing_is_fetched_that_nobody_takes(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    struct lwp_batch batch;
    (void)state;
    options.max_fetch_bytes = 16384;
    options.read_ahead = 2;
    struct lwp_inbox *inbox = inbox_with(options);
    store_many(server, 2500);
    for (int i = 0; i < 1000; i++)
        (void)exchange(inbox, server, 0);
    assert_true(lwp_inbox_statistics(inbox).buffered_size <= 3 * 16384);
    assert_true(lwp_inbox_deadline(inbox) == LWP_NEVER);
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(take(inbox, &batch), LWP_WOULD_BLOCK);
    assert_true(exchange(inbox, server, 0));
    lwp_inbox_free(inbox);
    free(server);
}

/* P-09, B-16. */
static void a_server_that_catches_up_is_asked_every_5_s(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 4);
    const size_t before = server->size;
    lwp_inbox_seek(inbox, before + 10);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_false(exchange(inbox, server, 5 * SECOND - 1));
    assert_true(exchange(inbox, server, 5 * SECOND));
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    /* It gets on, so the count begins anew. */
    store(server, bytes_of("x", 1));
    for (uint64_t i = 2; i < 4; i++) {
        assert_true(exchange(inbox, server, i * 5 * SECOND));
        assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    }
    store(server, bytes_of("0123456789", 10));
    lwp_inbox_seek(inbox, before + 6);
    assert_true(exchange(inbox, server, 20 * SECOND));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    lwp_inbox_free(inbox);
    free(server);
}

static void a_server_that_does_not_get_on_is_an_error(void **state)
{
    static const char *const forms[] = {NULL, "CATCHING_UP", "server is catching up",
                                        "{\"code\":20,\"message\":\"x\",\"details\":"
                                        "{\"server_offset\":0}}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct server *server = server_of(&lwp_dialect_lance);
        struct lwp_inbox *inbox = plain_inbox();
        lwp_inbox_seek(inbox, 10);
        for (uint64_t n = 0; n < 3; n++) {
            assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
            assert_int_equal(ask(inbox, n * 5 * SECOND).start_offset, 10);
            if (forms[i])
                tell_error(inbox, server, forms[i], n * 5 * SECOND);
            else
                assert_int_equal(tell(inbox, server,
                                      (struct lwp_message){.command = LWP_COMMAND_CATCHING_UP},
                                      n * 5 * SECOND),
                                 LWP_OK);
        }
        assert_int_equal(ask(inbox, 60 * SECOND).command, 0);
        assert_int_equal(take_nothing(inbox), LWP_CATCHING_UP);
        assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
        assert_int_equal(lwp_inbox_offset(inbox), 10);
        assert_int_equal(ask(inbox, 60 * SECOND).start_offset, 10);
        assert_int_equal(lwp_inbox_statistics(inbox).catch_ups, 3);
        lwp_inbox_free(inbox);
        free(server);
    }
}

static void a_refusal_that_may_pass_is_waited_for(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    (void)state;
    store_many(server, 3);
    (void)ask(inbox, 0);
    tell_error(inbox, server, "Rate limit exceeded", 0);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_int_equal(lwp_inbox_deadline(inbox), 100 * MS);
    (void)ask(inbox, 100 * MS);
    tell_error(inbox, server,
               "{\"code\":48,\"message\":\"x\",\"details\":{\"retry_after_ms\":900}}", 100 * MS);
    assert_int_equal(lwp_inbox_deadline(inbox), 1000 * MS);
    assert_true(exchange(inbox, server, 1000 * MS));
    lwp_inbox_free(inbox);
    free(server);
}

static void a_refusal_that_does_not_pass_is_told_once(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 3);
    (void)ask(inbox, 0);
    tell_error(inbox, server, "Topic 7 not found", 0);
    assert_int_equal(take_nothing(inbox), LWP_TOPIC_NOT_FOUND);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    assert_true(exchange(inbox, server, SECOND));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    lwp_inbox_free(inbox);
    free(server);
}

static void a_redirect_is_told_and_fetching_goes_on_at_the_leader(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_details details;
    (void)state;
    store_many(server, 3);
    (void)ask(inbox, 0);
    tell_error(inbox, server, "NOT_LEADER: redirect to a:1", 0);
    assert_int_equal(ask(inbox, 0).command, 0);
    assert_true(lwp_inbox_take_redirect(inbox, &details));
    assert_string_equal(details.leader, "a:1");
    assert_false(lwp_inbox_take_redirect(inbox, &details));
    lwp_inbox_disconnected(inbox, LWP_NOT_LEADER);
    lwp_inbox_connected(inbox);
    assert_true(exchange(inbox, server, 0));
    lwp_inbox_free(inbox);
    free(server);
}

/* B-31: what was not read is not passed over. */
static void an_empty_answer_never_moves_the_offset(void **state)
{
    static const uint64_t next_offsets[] = {0, 4, 5, 6, 1000, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(next_offsets); i++) {
        struct server *server = server_of(&lwp_dialect_lance);
        struct lwp_inbox *inbox = plain_inbox();
        lwp_inbox_seek(inbox, 5);
        (void)ask(inbox, 0);
        assert_int_equal(tell(inbox, server, fetched(next_offsets[i], bytes_of(NULL, 0)), 0),
                         LWP_OK);
        assert_int_equal(lwp_inbox_offset(inbox), 5);
        assert_int_equal(ask(inbox, SECOND).start_offset, 5);
        lwp_inbox_free(inbox);
        free(server);
    }
}

static void an_answer_that_contradicts_the_question_ends_the_connection(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    (void)state;
    lwp_inbox_seek(inbox, 1000);
    (void)ask(inbox, 0);
    assert_int_equal(tell(inbox, server, fetched(5, lwp_bytes_text("hello")), 0),
                     LWP_INVALID_OFFSET);
    lwp_inbox_disconnected(inbox, LWP_INVALID_OFFSET);
    lwp_inbox_connected(inbox);
    assert_int_equal(ask(inbox, 0).start_offset, 1000);
    assert_int_equal(tell(inbox, server, (struct lwp_message){.command = 0x80}, 0),
                     LWP_UNEXPECTED_FRAME);
    lwp_inbox_free(inbox);
    free(server);
}

/* B-05: what nobody asked for. */
static void unsolicited_frames_end_the_connection(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    const struct lwp_frame keepalive = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    (void)state;
    assert_int_equal(lwp_inbox_frame(inbox, &keepalive, 0), LWP_OK);
    assert_int_equal(tell(inbox, server, fetched(5, lwp_bytes_text("hello")), 0),
                     LWP_UNEXPECTED_FRAME);
    assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
    lwp_inbox_free(inbox);
    free(server);
}

static void an_answer_has_a_deadline(void **state)
{
    struct lwp_inbox *inbox = plain_inbox();
    (void)state;
    (void)ask(inbox, 7);
    assert_int_equal(lwp_inbox_deadline(inbox), 7 + 30 * SECOND);
    assert_int_equal(lwp_inbox_tick(inbox, 6 + 30 * SECOND), LWP_OK);
    assert_int_equal(lwp_inbox_tick(inbox, 7 + 30 * SECOND), LWP_TIMEOUT);
    lwp_inbox_disconnected(inbox, LWP_TIMEOUT);
    assert_int_equal(lwp_inbox_tick(inbox, 60 * SECOND), LWP_OK);
    assert_int_equal(ask(inbox, 60 * SECOND).command, 0);
    lwp_inbox_free(inbox);
}

static void a_damaged_log_is_told_after_the_records_before_it(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 3);
    const size_t sound = server->size;
    memcpy(server->log + server->size, "\x01\xff\xff\xff\xff garbage", 13);
    server->size += 13;
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.data.size, sound);
    assert_int_equal(take_nothing(inbox), LWP_PAYLOAD_TOO_LARGE);
    assert_int_equal(take_nothing(inbox), LWP_PAYLOAD_TOO_LARGE);
    assert_false(exchange(inbox, server, SECOND));
    assert_int_equal(lwp_inbox_offset(inbox), sound);
    lwp_inbox_seek(inbox, 0);
    assert_true(exchange(inbox, server, SECOND));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    lwp_inbox_free(inbox);
    free(server);
}

static void a_record_larger_than_all_that_is_read_ahead_gets_through(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    struct lwp_batch batch;
    (void)state;
    options.max_fetch_bytes = 100;
    struct lwp_inbox *inbox = inbox_with(options);
    uint8_t *value = calloc(1, 60000);
    assert_non_null(value);
    store(server, bytes_of(value, 60000));
    free(value);
    for (int i = 0; i < 601; i++) {
        assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
        assert_true(exchange(inbox, server, 0));
    }
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.data.size, 60005);
    lwp_inbox_free(inbox);
    free(server);
}

static void a_torn_record_at_the_end_is_kept_and_told(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_batch batch;
    (void)state;
    store_many(server, 3);
    const size_t whole = server->size;
    store(server, lwp_bytes_text("hello"));
    const size_t all = server->size;
    server->size -= 2;
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.end_offset, whole);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(take_nothing(inbox), LWP_END);
    assert_int_equal(lwp_inbox_statistics(inbox).torn_size, 8);
    server->size = all;
    assert_true(exchange(inbox, server, SECOND));
    assert_int_equal(take(inbox, &batch), LWP_OK);
    assert_int_equal(batch.start_offset, whole);
    assert_int_equal(batch.data.size, 10);
    lwp_inbox_free(inbox);
    free(server);
}

/* A FetchResponse whose data is compressed, as flag 01 says. */
static enum lwp_status tell_compressed(struct lwp_inbox *inbox, struct server *server,
                                       struct lwp_bytes data, uint64_t start, uint64_t *next)
{
    uint8_t room[4096];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    assert_int_equal(lwp_lz4_compress(server->dialect->lz4_framing, data, &out), LWP_OK);
    *next = start + out.size;
    struct lwp_frame frame = frame_with(server, fetched(*next, lwp_writer_bytes(&out)));
    frame.header.flags |= LWP_FLAG_COMPRESSED;
    return lwp_inbox_frame(inbox, &frame, 0);
}

static void compressed_answers_are_decompressed(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct server *server = server_of(lwp_dialects[d]);
        struct lwp_inbox *inbox = inbox_with(usual(lwp_dialects[d]));
        struct lwp_batch batch;
        uint64_t next = 0, last = 0;
        store_many(server, 200);
        assert_int_equal(ask(inbox, 0).start_offset, 0);
        assert_int_equal(tell_compressed(inbox, server, bytes_of(server->log, 1000), 0, &next),
                         LWP_OK);
        assert_int_equal(take(inbox, &batch), LWP_OK);
        assert_true(batch.data.size > 900 && batch.data.size < 1000);
        /* A restart in the middle would have no place to go to but the front. */
        assert_int_equal(batch.end_offset, 0);
        assert_int_equal(ask(inbox, 0).start_offset, next);
        assert_int_equal(tell_compressed(inbox, server,
                                         bytes_of(server->log + 1000, server->size - 1000), next,
                                         &last),
                         LWP_OK);
        const size_t first = batch.data.size;
        assert_int_equal(take(inbox, &batch), LWP_OK);
        assert_bytes_equal(batch.data, bytes_of(server->log + first, server->size - first));
        assert_int_equal(batch.end_offset, last);
        lwp_inbox_free(inbox);
        free(server);
    }
}

/* B-40. */
static void a_compressed_answer_that_swells_too_much_ends_the_connection(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct server *server = server_of(lwp_dialects[d]);
        struct lwp_inbox_options options = usual(lwp_dialects[d]);
        uint64_t next = 0;
        options.max_decompressed = 9999;
        struct lwp_inbox *inbox = inbox_with(options);
        (void)ask(inbox, 0);
        assert_int_equal(tell_compressed(inbox, server, bytes_of(server->log, 10000), 0, &next),
                         LWP_PAYLOAD_TOO_LARGE);
        assert_int_equal(take_nothing(inbox), LWP_WOULD_BLOCK);
        lwp_inbox_free(inbox);
        free(server);
    }
}

static void damaged_compression_ends_the_connection(void **state)
{
    struct server *server = server_of(&lwp_dialect_spec);
    struct lwp_inbox *inbox = inbox_with(usual(&lwp_dialect_spec));
    (void)state;
    (void)ask(inbox, 0);
    struct lwp_frame frame = frame_with(server, fetched(5, bytes_of("\xf0\xff\xff\x01x", 5)));
    frame.header.flags |= LWP_FLAG_COMPRESSED;
    assert_int_equal(lwp_inbox_frame(inbox, &frame, 0), LWP_INVALID_COMPRESSION);
    lwp_inbox_free(inbox);
    free(server);
}

/* P-11. */
static void the_end_is_asked_from_the_server(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_details details;
    uint64_t end = 0;
    (void)state;
    store_many(server, 10);
    assert_true(exchange(inbox, server, 0));
    assert_true(lwp_inbox_ask_end(inbox));
    assert_false(lwp_inbox_take_end(inbox, &details, &end));
    assert_true(exchange(inbox, server, 0));
    assert_true(lwp_inbox_take_end(inbox, &details, &end));
    assert_int_equal(details.status, LWP_OK);
    assert_int_equal(end, server->size);
    assert_false(lwp_inbox_take_end(inbox, &details, &end));
    assert_true(lwp_inbox_ask_end(inbox));
    (void)ask(inbox, 0);
    tell_error(inbox, server, "Topic 7 not found", 0);
    assert_true(lwp_inbox_take_end(inbox, &details, &end));
    assert_int_equal(details.status, LWP_TOPIC_NOT_FOUND);
    lwp_inbox_free(inbox);
    inbox = inbox_with(usual(&lwp_dialect_spec));
    assert_false(lwp_inbox_ask_end(inbox));
    lwp_inbox_free(inbox);
    free(server);
}

static void a_commit_is_sent_and_its_answer_told(void **state)
{
    struct server *server = server_of(&lwp_dialect_lance);
    struct lwp_inbox *inbox = plain_inbox();
    struct lwp_details details;
    uint64_t offset = 0;
    (void)state;
    lwp_inbox_commit(inbox, 1);
    lwp_inbox_commit(inbox, 4096);
    assert_int_equal(lwp_inbox_deadline(inbox), 0);
    assert_true(exchange(inbox, server, 0));
    assert_int_equal(server->commit, 4096);
    assert_true(lwp_inbox_take_commit(inbox, &details, &offset));
    assert_int_equal(details.status, LWP_OK);
    assert_int_equal(offset, 4096);
    assert_false(lwp_inbox_take_commit(inbox, &details, &offset));
    lwp_inbox_commit(inbox, 5000);
    (void)ask(inbox, 0);
    lwp_inbox_disconnected(inbox, LWP_RESET);
    assert_true(lwp_inbox_take_commit(inbox, &details, &offset));
    assert_int_equal(details.status, LWP_RESET);
    lwp_inbox_free(inbox);
    free(server);
}

static void options_out_of_range_are_refused(void **state)
{
    struct lwp_inbox *inbox = NULL;
    struct lwp_inbox_options options = usual(&lwp_dialect_lance);
    (void)state;
    options.read_ahead = 0;
    assert_int_equal(lwp_inbox_new(&options, 1, &inbox), LWP_INVALID_ARGUMENT);
    options.read_ahead = LWP_INBOX_MAX_AHEAD + 1;
    assert_int_equal(lwp_inbox_new(&options, 1, &inbox), LWP_INVALID_ARGUMENT);
    options = usual(&lwp_dialect_lance);
    options.max_fetch_bytes = 0;
    assert_int_equal(lwp_inbox_new(&options, 1, &inbox), LWP_INVALID_ARGUMENT);
    assert_null(inbox);
    lwp_inbox_free(NULL);
}

/*
 * The inbox against a server with moods: the log grows, answers are late, refused or short, the
 * connection breaks. Each byte must come once, in order, and only in whole records.
 */
static bool chance(uint64_t *random, unsigned percent)
{
    return (next_random(random) >> 20) % 100 < percent;
}

static void run_world(uint64_t seed)
{
    struct server *server = server_of(lwp_dialects[seed % 3]);
    struct lwp_inbox_options options = usual(lwp_dialects[seed % 3]);
    uint64_t random = seed * 0x9e3779b97f4a7c15 | 1, now_ns = 0, offset = 0;
    struct lwp_message asked[32];
    unsigned count = 0;
    options.max_fetch_bytes = 1 + (uint32_t)(next_random(&random) >> 20) % 200;
    options.read_ahead = 1 + (unsigned)(seed % 7);
    struct lwp_inbox *inbox = inbox_with(options);
    for (int i = 0; server->size < 30000 || offset < server->size; i++) {
        struct lwp_batch batch;
        assert_true(i < 200000);
        if (server->size < 30000 && chance(&random, 30))
            store_many(server, (unsigned)(next_random(&random) >> 20) % 20);
        while (count < 32 && chance(&random, 70) && (asked[count] = ask(inbox, now_ns)).command)
            count++;
        if (count && chance(&random, 60)) {
            lwp_inbox_copy_lent(inbox);
            struct lwp_frame frame = answer(server, &asked[0]);
            if (chance(&random, 5))
                frame = frame_with(server,
                                   (struct lwp_message){.command = LWP_COMMAND_ERROR_RESPONSE,
                                                        .text = lwp_bytes_text("FORWARD_FAILED")});
            const bool lends = chance(&random, 50);
            assert_int_equal(lends ? lwp_inbox_lend(inbox, &frame, now_ns)
                                   : lwp_inbox_frame(inbox, &frame, now_ns),
                             LWP_OK);
            memmove(asked, asked + 1, --count * sizeof(asked[0]));
        }
        if (chance(&random, 2)) {
            lwp_inbox_disconnected(inbox, LWP_RESET);
            lwp_inbox_connected(inbox);
            count = 0;
        }
        if (chance(&random, 50) && take(inbox, &batch) == LWP_OK) {
            assert_int_equal(batch.start_offset, offset);
            assert_bytes_equal(batch.data, bytes_of(server->log + offset, batch.data.size));
            offset = batch.end_offset;
        }
        now_ns += (next_random(&random) >> 20) % (200 * MS);
    }
    lwp_inbox_free(inbox);
    free(server);
}

static void whatever_the_server_does_each_byte_comes_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        run_world(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fetch_gives_records_and_the_end_is_told),
        cmocka_unit_test(a_record_cut_by_a_fetch_is_completed_by_the_next),
        cmocka_unit_test(what_is_lent_is_handed_on_where_it_lies_but_for_torn_records),
        cmocka_unit_test(what_is_lent_and_not_handed_on_can_be_copied),
        cmocka_unit_test(raw_data_is_handed_on_as_it_comes),
        cmocka_unit_test(the_end_is_found_in_every_dialect),
        cmocka_unit_test(a_sentinel_that_the_server_does_not_know_finds_the_end),
        cmocka_unit_test(a_seek_drops_what_was_fetched_and_what_is_on_its_way),
        cmocka_unit_test(a_full_log_is_fetched_ahead),
        cmocka_unit_test(half_of_what_is_read_ahead_is_asked_for_at_once),
        cmocka_unit_test(nothing_is_fetched_that_nobody_takes),
        cmocka_unit_test(a_server_that_catches_up_is_asked_every_5_s),
        cmocka_unit_test(a_server_that_does_not_get_on_is_an_error),
        cmocka_unit_test(a_refusal_that_may_pass_is_waited_for),
        cmocka_unit_test(a_refusal_that_does_not_pass_is_told_once),
        cmocka_unit_test(a_redirect_is_told_and_fetching_goes_on_at_the_leader),
        cmocka_unit_test(an_empty_answer_never_moves_the_offset),
        cmocka_unit_test(an_answer_that_contradicts_the_question_ends_the_connection),
        cmocka_unit_test(unsolicited_frames_end_the_connection),
        cmocka_unit_test(an_answer_has_a_deadline),
        cmocka_unit_test(a_damaged_log_is_told_after_the_records_before_it),
        cmocka_unit_test(a_record_larger_than_all_that_is_read_ahead_gets_through),
        cmocka_unit_test(a_torn_record_at_the_end_is_kept_and_told),
        cmocka_unit_test(compressed_answers_are_decompressed),
        cmocka_unit_test(a_compressed_answer_that_swells_too_much_ends_the_connection),
        cmocka_unit_test(damaged_compression_ends_the_connection),
        cmocka_unit_test(the_end_is_asked_from_the_server),
        cmocka_unit_test(a_commit_is_sent_and_its_answer_told),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(whatever_the_server_does_each_byte_comes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
