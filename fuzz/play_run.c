/* SPDX-License-Identifier: MIT */
/* From bytes to what clients do. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/play.h"
#include "lwp/net/clock.h"
#include "mock_server/mock_state.h"

enum {
    CLIENT_COUNT = 6,
    UNSENT_ROOM = 65536,
    MAX_ROUNDS = 400000, /* At one time: chopped into bytes, a large answer takes many. */
    MAX_WAITS = 2000     /* For the last words of a mock. */
};

struct client {
    struct lwp_transport *transport; /* NULL: not connected. */
    uint8_t *unsent;
    size_t unsent_size;
    uint64_t digest;
};

struct run {
    struct play_input input;
    const struct play_script *script;
    bool with_rules;
    struct lwp_mock *mock;
    uint64_t now_ns;
    uint64_t batch_id;
    const struct lwp_dialect *dialect;
    struct client clients[CLIENT_COUNT];
    uint8_t wire[PLAY_FRAME_SIZE];
    uint8_t *memory; /* What clients have not sent. */
    struct play_outcome outcome;
};

static uint64_t digest_of(uint64_t digest, struct lwp_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        digest = (digest ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static void note(uint64_t *digest, uint64_t number)
{
    *digest = digest_of(*digest, (struct lwp_bytes){(const uint8_t *)&number, sizeof(number)});
}

/* Laws. */

static void law_memory(const struct lwp_mock *mock)
{
    size_t sum = 0;
    for (const struct member *member = mock->first; member; member = member->next) {
        const size_t memory = connection_memory(&member->connection);
        FUZZ_ASSERT(memory <= mock->options.max_connection_memory);
        sum += memory;
    }
    FUZZ_ASSERT(mock->queued == sum);
}

static void flush(struct run *run)
{
    for (struct client *client = run->clients; client < run->clients + CLIENT_COUNT; client++) {
        size_t count = 0;
        const struct lwp_bytes bytes = {client->unsent, client->unsent_size};
        if (!client->transport || bytes.size == 0)
            continue;
        const enum lwp_status status = lwp_transport_write(client->transport, bytes, &count);
        if (status != LWP_OK)
            count = status == LWP_WOULD_BLOCK ? 0 : bytes.size;
        memmove(client->unsent, client->unsent + count, bytes.size - count);
        client->unsent_size -= count;
    }
}

static void note_fired(struct run *run)
{
    run->outcome.fired = run->outcome.fired || stage_progress(run->mock->stage);
}

static void settle(struct run *run)
{
    int rounds = 0;
    flush(run);
    while (lwp_mock_step(run->mock, run->now_ns)) {
        FUZZ_ASSERT(++rounds < MAX_ROUNDS);
        flush(run);
    }
    FUZZ_ASSERT(lwp_mock_deadline(run->mock) > run->now_ns);
    law_memory(run->mock);
    note_fired(run);
}

/* Clients. */

static struct client *pick_client(struct run *run)
{
    return &run->clients[play_pick(&run->input, CLIENT_COUNT)];
}

static void hear(struct client *client, size_t most)
{
    uint8_t heard[4096];
    while (client->transport && most) {
        size_t count = 0;
        const enum lwp_status status = lwp_transport_read(
            client->transport, heard, most < sizeof(heard) ? most : sizeof(heard), &count);
        if (status != LWP_OK) {
            note(&client->digest, status);
            return;
        }
        client->digest = digest_of(client->digest, (struct lwp_bytes){heard, count});
        most -= count;
    }
}

static void leave(struct client *client)
{
    hear(client, SIZE_MAX);
    lwp_transport_free(client->transport);
    client->transport = NULL;
    client->unsent_size = 0;
}

static void connect_client(struct run *run)
{
    static const size_t rooms[] = {4096, 64, 300, 1000, 65536};
    static const char *const nodes[] = {NULL, "A", "B"};
    struct client *client = pick_client(run);
    struct lwp_transport *ends[2];
    const size_t room = rooms[play_pick(&run->input, 5)];
    const char *node = nodes[play_pick(&run->input, 3)];
    leave(client);
    FUZZ_ASSERT(lwp_pipe_new(room, ends) == LWP_OK);
    client->transport = ends[0];
    note(&client->digest, lwp_mock_accept_on(run->mock, node, ends[1], run->now_ns));
}

static void end_client(struct run *run)
{
    static const enum lwp_close ways[] = {LWP_CLOSE_FIN, LWP_CLOSE_RST, LWP_CLOSE_HALF};
    struct client *client = pick_client(run);
    const size_t how = play_pick(&run->input, 4);
    if (!client->transport)
        return;
    if (how == 3)
        leave(client);
    else
        lwp_transport_close(client->transport, ways[how]);
}

/* Sends what the input decides on, if there is room. */
static void send_frame(struct run *run)
{
    struct client *client = pick_client(run);
    struct lwp_writer wire = lwp_writer_on(run->wire, sizeof(run->wire));
    const size_t times = play_write_frame(&run->input, run->dialect, ++run->batch_id, &wire);
    for (size_t i = 0; i < times; i++)
        if (client->transport && client->unsent_size + wire.size <= UNSENT_ROOM) {
            memcpy(client->unsent + client->unsent_size, wire.data, wire.size);
            client->unsent_size += wire.size;
        }
}

/* The mock. */

static void pass_time(struct run *run)
{
    static const uint64_t steps_ns[] = {1000, LWP_MILLISECOND_NS, 50 * LWP_MILLISECOND_NS,
                                        LWP_SECOND_NS, 600 * LWP_SECOND_NS};
    const size_t step = play_pick(&run->input, 6);
    const uint64_t due_ns = lwp_mock_deadline(run->mock);
    if (step < 5)
        run->now_ns += steps_ns[step];
    else if (due_ns != LWP_NEVER && due_ns > run->now_ns)
        run->now_ns = due_ns;
}

static void load(struct run *run)
{
    char text[PLAY_TEXT_SIZE];
    const size_t index = play_pick(&run->input, PLAY_MAX_RULES);
    if (!run->with_rules || index >= run->script->rule_count)
        return;
    play_write_rule(run->script, index, text, sizeof(text));
    (void)lwp_mock_script(run->mock, "again", text);
    /* It may make the topic anew that a client has deleted. */
    run->outcome.fired = run->outcome.fired || run->script->has_nodes;
}

static const char *pick_name(struct run *run)
{
    static const char *const names[] = {"play", "again", "first", "play:5"};
    return names[play_pick(&run->input, 4)];
}

static void arm(struct run *run)
{
    (void)lwp_mock_arm(run->mock, pick_name(run));
}

static void disarm(struct run *run)
{
    (void)lwp_mock_disarm(run->mock, pick_name(run));
}

static void reset(struct run *run)
{
    lwp_mock_reset(run->mock);
}

static void advance(struct run *run)
{
    static const uint64_t advances_ns[] = {LWP_SECOND_NS, UINT64_C(366) * 86400 * LWP_SECOND_NS,
                                           UINT64_MAX};
    lwp_mock_advance(run->mock, advances_ns[play_pick(&run->input, 3)]);
}

static void freeze(struct run *run)
{
    lwp_mock_freeze(run->mock);
}

static void thaw(struct run *run)
{
    lwp_mock_thaw(run->mock);
}

static void tag(struct run *run)
{
    (void)lwp_mock_tag(run->mock, play_byte(&run->input) & 1 ? "next" : "1", "bob");
}

static const char *pick_node(struct run *run)
{
    return play_pick(&run->input, 2) ? "B" : "A";
}

static void take_down(struct run *run)
{
    (void)lwp_mock_down(run->mock, pick_node(run));
}

static void take_up(struct run *run)
{
    (void)lwp_mock_up(run->mock, pick_node(run));
}

/* As the control socket does it. */
static void reach(struct run *run)
{
    stage_reach(run->mock->stage, lwp_bytes_text("c"));
    mock_touch_waiting(run->mock);
    run->outcome.fired = true;
}

static void change_mock(struct run *run)
{
    static void (*const changes[])(struct run *) = {
        advance,   freeze,  thaw,    tag,   reset, reset, disarm, arm,
        take_down, take_up, take_up, reach, load,  load,  load,   load};
    changes[play_pick(&run->input, sizeof(changes) / sizeof(changes[0]))](run);
}

static void operate(struct run *run)
{
    const uint8_t code = play_byte(&run->input);
    static const size_t amounts[] = {1, 44, 1000, SIZE_MAX};
    switch (code & 15) {
    case 0:
    case 1:
        connect_client(run);
        break;
    case 2:
        end_client(run);
        break;
    case 3:
        change_mock(run);
        break;
    case 4:
    case 5:
        pass_time(run);
        break;
    case 6:
    case 7: {
        struct client *client = pick_client(run);
        hear(client, amounts[play_pick(&run->input, 4)]);
        break;
    }
    default:
        send_frame(run);
        break;
    }
    note_fired(run);
    if (code & 0x80)
        settle(run);
}

/* From beginning to end. */

static void begin(struct run *run, uint8_t how)
{
    struct lwp_mock_options options = {.seed = 5, .dialect = lwp_dialects[how & 3]};
    options.ack_delay_ns = how & 4 ? 5 * LWP_MILLISECOND_NS : 0;
    options.max_connections = how & 8 ? 2 : 0;
    options.max_connection_memory = how & 16 ? (size_t)1 << 18 : 0;
    run->dialect = options.dialect ? options.dialect : &lwp_dialect_lance;
    FUZZ_ASSERT(lwp_mock_new(&options, &run->mock) == LWP_OK);
    if (how & 32) {
        FUZZ_ASSERT(lwp_events_new(0, &run->mock->events) == LWP_OK);
        FUZZ_ASSERT(lwp_events_keep(run->mock->events, 0) == LWP_OK);
        run->mock->host.events = run->mock->events;
    }
    run->memory = fuzz_room(CLIENT_COUNT * (size_t)UNSENT_ROOM);
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        run->clients[i].unsent = run->memory + i * UNSENT_ROOM;
}

/* If the script as a whole is wrong, each of its rules for itself. */
static void load_first(struct run *run)
{
    char text[PLAY_TEXT_SIZE];
    if (run->with_rules && lwp_mock_script(run->mock, "play", run->script->whole) == LWP_OK)
        return;
    (void)lwp_mock_script(run->mock, "play", run->script->begin);
    for (size_t i = 0; i < run->script->rule_count && run->with_rules; i++) {
        play_write_rule(run->script, i, text, sizeof(text));
        (void)lwp_mock_script(run->mock, "play", text);
    }
}

/* All clients have gone: what is left ends in its time, unless nothing of it is read or time itself has
 * ended. */
static void wait_for_end(struct run *run)
{
    for (int i = 0; i < MAX_WAITS; i++) {
        lwp_mock_thaw(run->mock); /* A script may hold the clock again and again. */
        const uint64_t due_ns = lwp_mock_deadline(run->mock);
        if (due_ns == LWP_NEVER)
            break;
        run->now_ns = due_ns;
        settle(run);
    }
    if (lwp_mock_deadline(run->mock) != LWP_NEVER || run->mock->now_ns > LWP_NEVER / 2)
        return;
    for (const struct member *member = run->mock->first; member; member = member->next)
        FUZZ_ASSERT(member->connection.stopped);
}

static void end(struct run *run)
{
    struct lwp_writer verdict = lwp_writer_on(fuzz_room(UNSENT_ROOM), UNSENT_ROOM);
    settle(run);
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        leave(&run->clients[i]);
    settle(run);
    wait_for_end(run);
    (void)stage_verdict(run->mock->stage, &verdict);
    stage_list(run->mock->stage, &verdict);
    free(verdict.data);
    if (run->mock->events) {
        char *text = NULL;
        size_t size = 0;
        FUZZ_ASSERT(lwp_events_text(run->mock->events, &text, &size) == LWP_OK);
        note(&run->outcome.events_digest,
             digest_of(0, (struct lwp_bytes){(const uint8_t *)text, size}));
        free(text);
    }
    lwp_mock_free(run->mock);
    free(run->memory);
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        note(&run->outcome.bytes_digest, run->clients[i].digest);
}

struct play_outcome play_run(const struct play_input *input, const struct play_script *script,
                             bool with_rules)
{
    struct run run = {.input = *input, .script = script, .with_rules = with_rules};
    begin(&run, play_byte(&run.input));
    load_first(&run);
    settle(&run);
    while (run.input.at < run.input.bytes.size)
        operate(&run);
    end(&run);
    return run.outcome;
}
