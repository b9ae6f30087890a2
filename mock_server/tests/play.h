/* SPDX-License-Identifier: MIT */
/* play.h - a mock with a script, peers that talk in the words of scripts and write down what they
 * hear, and a clock that is moved by hand. What the tests of the script engine share. */
#ifndef LWP_MOCK_TESTS_PLAY_H
#define LWP_MOCK_TESTS_PLAY_H

#include "lwp/net/clock.h"
#include "lwp/tests/support.h"
#include "lwp/wire/trace.h"
#include "mock_server/mock_state.h"

enum { PLAY_PEERS = 16, PLAY_SCRIPTS = 80, PLAY_NOTES = 65536, PLAY_ENTRY = 4096 };

/* A peer of the mock. The mock's end of its connection hands each write over as it is, so that
 * pieces are seen as a network would carry them. */
struct play_peer {
    struct play *play;
    uint8_t *said; /* What the mock has not read yet. */
    size_t said_size;
    size_t said_at;
    size_t said_capacity;
    bool hung_up;  /* We say no more, */
    bool torn;     /* or have reset the connection. */
    bool deaf;     /* We read nothing. */
    bool quiet;    /* We write down nothing of what we hear but its bytes. */
    uint8_t *came; /* All that was heard. */
    size_t came_size;
    size_t came_capacity;
    size_t taken;  /* So much of it is written down as frames. */
    bool confused; /* What comes now can be no frame. */
    char *notes;   /* What was heard and not asked for yet. */
    size_t notes_size;
    uint64_t noted_ns;
    char *pieces; /* The sizes of the writes. */
    size_t pieces_size;
    uint64_t piece_ns;
    bool reset; /* The mock has reset the connection, */
    bool freed; /* and let go of its end. */
};

struct play {
    struct lwp_mock *mock;
    const struct lwp_dialect *dialect;
    uint64_t now_ns;
    uint64_t begin_ns;
    struct play_peer peers[PLAY_PEERS]; /* By number, from 1. */
    size_t peer_count;
    struct script scripts[PLAY_SCRIPTS]; /* As they were loaded. */
    size_t script_count;
    struct lwp_events *events;
    FILE *log;
    char *log_text;
    size_t log_size;
    char verdict[16384];
};

/* --- The transport. --- */

struct play_wire {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct play_peer *peer;
    bool ended;
};

static inline struct play_peer *peer_of(struct lwp_transport *transport)
{
    return ((struct play_wire *)(void *)transport)->peer;
}

static inline void put_note(char *notes, size_t *size, const char *text)
{
    const size_t more = strlen(text);
    assert_true(*size + more < PLAY_NOTES);
    memcpy(notes + *size, text, more + 1);
    *size += more;
}

/* The time, if it is another than that of the entry before; in milliseconds, or exactly. */
static inline void put_time(const struct play_peer *peer, char *notes, size_t *size, uint64_t *last)
{
    char text[32];
    const uint64_t at_ns = peer->play->now_ns - peer->play->begin_ns;
    if (at_ns == *last)
        return;
    *last = at_ns;
    if (at_ns % LWP_MILLISECOND_NS == 0)
        (void)snprintf(text, sizeof(text), "@%llu ",
                       (unsigned long long)(at_ns / LWP_MILLISECOND_NS));
    else
        (void)snprintf(text, sizeof(text), "@%lluns ", (unsigned long long)at_ns);
    put_note(notes, size, text);
}

static inline void note(struct play_peer *peer, const char *text)
{
    if (peer->quiet)
        return;
    if (peer->notes_size)
        put_note(peer->notes, &peer->notes_size, "; ");
    put_time(peer, peer->notes, &peer->notes_size, &peer->noted_ns);
    put_note(peer->notes, &peer->notes_size, text);
}

/* A frame in a few words: errors and documents as they stand, all others as in a trace. */
static inline void note_frame(struct play_peer *peer, const struct lwp_frame *frame)
{
    char text[PLAY_ENTRY];
    const struct lwp_dialect *dialect = peer->play->dialect;
    const int command = lwp_frame_command(frame, dialect);
    const bool is_text = command == LWP_COMMAND_ERROR_RESPONSE ||
                         command == LWP_COMMAND_TOPIC_RESPONSE ||
                         command == LWP_COMMAND_CLUSTER_STATUS_RESPONSE;
    if (lwp_frame_kind(frame, dialect) == LWP_KIND_CONTROL && is_text)
        (void)snprintf(text, sizeof(text), "%s %.*s", lwp_command_of((uint8_t)command)->word,
                       (int)frame->payload.size, (const char *)frame->payload.data);
    else
        (void)lwp_trace_frame(dialect, frame, text, sizeof(text));
    note(peer, text);
}

static inline void note_frames(struct play_peer *peer)
{
    const struct lwp_frame_rules rules = {peer->play->dialect->polynomial, UINT32_MAX};
    enum lwp_status status = LWP_OK;
    while (!peer->confused && status == LWP_OK && peer->came_size > peer->taken) {
        struct lwp_frame frame;
        struct lwp_fault fault;
        const struct lwp_bytes came =
            bytes_of(peer->came + peer->taken, peer->came_size - peer->taken);
        status = lwp_frame_split(&rules, came, &frame, &fault);
        if (status == LWP_OK) {
            peer->taken += lwp_frame_size(&frame);
            note_frame(peer, &frame);
        } else if (status != LWP_MORE) {
            peer->confused = true;
            note(peer, lwp_status_name(status));
        }
    }
}

static inline enum lwp_status wire_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                        size_t *count)
{
    struct play_peer *peer = peer_of(transport);
    const size_t left = peer->said_size - peer->said_at;
    if (peer->torn)
        return LWP_RESET;
    if (left == 0)
        return peer->hung_up ? LWP_CLOSED : LWP_WOULD_BLOCK;
    *count = left < size ? left : size;
    memcpy(out, peer->said + peer->said_at, *count);
    peer->said_at += *count;
    return LWP_OK;
}

static inline enum lwp_status wire_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                         size_t *count)
{
    struct play_peer *peer = peer_of(transport);
    char text[32];
    assert_false(((struct play_wire *)(void *)transport)->ended);
    if (peer->torn || peer->reset)
        return LWP_RESET;
    if (peer->deaf)
        return LWP_WOULD_BLOCK;
    if (peer->came_size + bytes.size > peer->came_capacity) {
        peer->came_capacity = 2 * (peer->came_size + bytes.size);
        peer->came = realloc(peer->came, peer->came_capacity);
        assert_non_null(peer->came);
    }
    memcpy(peer->came + peer->came_size, bytes.data, bytes.size);
    peer->came_size += bytes.size;
    *count = bytes.size;
    if (peer->pieces_size + 64 < PLAY_NOTES) {
        if (peer->pieces_size)
            put_note(peer->pieces, &peer->pieces_size, " ");
        put_time(peer, peer->pieces, &peer->pieces_size, &peer->piece_ns);
        (void)snprintf(text, sizeof(text), "%zu", bytes.size);
        put_note(peer->pieces, &peer->pieces_size, text);
    }
    note_frames(peer);
    return LWP_OK;
}

static inline void wire_close(struct lwp_transport *transport, enum lwp_close how)
{
    struct play_wire *wire = (struct play_wire *)(void *)transport;
    static const char *const words[] = {
        [LWP_CLOSE_HALF] = "half", [LWP_CLOSE_FIN] = "fin", [LWP_CLOSE_RST] = "rst"};
    if (wire->peer->reset || (wire->ended && how != LWP_CLOSE_RST))
        return;
    if (wire->peer->came_size > wire->peer->taken && !wire->peer->confused)
        note(wire->peer, "a part of a frame");
    wire->peer->taken = wire->peer->came_size;
    note(wire->peer, words[how]);
    wire->ended = how != LWP_CLOSE_RST;
    wire->peer->reset = how == LWP_CLOSE_RST;
}

static inline int wire_fd(const struct lwp_transport *transport)
{
    (void)transport;
    return -1;
}

static inline void wire_free(struct lwp_transport *transport)
{
    struct play_wire *wire = (struct play_wire *)(void *)transport;
    if (!wire->ended && !wire->peer->torn)
        wire_close(transport, LWP_CLOSE_FIN);
    wire->peer->freed = true;
    free(wire);
}

static const struct lwp_transport_ops wire_ops = {wire_read, wire_write, wire_close,
                                                  wire_fd,   wire_free,  NULL};

/* --- Which actions were seen at work. --- */

static bool played[SCRIPT_ACTION_COUNT];

static inline void mark_played(const struct script_rule *rule)
{
    for (size_t i = 0; i < rule->actions.count; i++)
        played[rule->actions.items[i].kind] = true;
}

/* The rules of all scripts, in the order of stage_list(). */
static inline const struct script_rule *next_rule(const struct play *play, size_t *script,
                                                  size_t *rule)
{
    while (*script < play->script_count) {
        const struct script_scenario *scenario = play->scripts[*script].scenarios.items;
        if (*rule < scenario->play.rules.count)
            return &scenario->play.rules.items[(*rule)++];
        ++*script;
        *rule = 0;
    }
    return NULL;
}

/* Those count that have fired: it is what the last column of the list says. */
static inline void mark_fired(const struct play *play)
{
    char *text = NULL;
    const struct script_rule *rule = NULL;
    size_t script = 0, index = 0;
    assert_int_equal(lwp_mock_list(play->mock, &text), LWP_OK);
    char *line = text;
    while ((rule = next_rule(play, &script, &index)) && *line) {
        char *end = strchr(line, '\n');
        *end = '\0';
        if (strcmp(strrchr(line, ' '), " 0") != 0)
            mark_played(rule);
        line = end + 1;
    }
    assert_false(*line || rule);
    lwp_mock_free_text(text);
}

/** Fails if an action of the group was in no rule that has fired; to be the last test of a group. */
static inline void check_played(enum script_action_group group)
{
    for (size_t i = 0; i < SCRIPT_ACTION_COUNT; i++)
        if (script_action_rows[i].group == group && !played[i])
            fail_msg("no test has seen %s at work", script_action_rows[i].word);
}

/* --- Begin and end. --- */

/** Loads a script, which must be sound and have one scenario. */
static inline void play_load(struct play *play, const char *name, const char *text)
{
    assert_true(play->script_count < PLAY_SCRIPTS);
    if (lwp_mock_script(play->mock, name, text) != LWP_OK)
        fail_msg("%s", lwp_mock_problems(play->mock));
    struct script *script = &play->scripts[play->script_count++];
    *script = (struct script){.arena = {NULL, 0, false}};
    assert_int_equal(script_read(script, name, lwp_bytes_text(text)), LWP_OK);
    play->dialect = play->mock->options.dialect;
    /* A mock that does not serve has no ports; redirects name these. */
    for (size_t i = 0; play->mock->cluster && i < play->mock->node_count; i++) {
        char address[LWP_MOCK_NAME_SIZE + 8];
        (void)snprintf(address, sizeof(address), "%s:1992", play->mock->nodes[i]->name);
        (void)lwp_cluster_set_address(play->mock->cluster, i, lwp_bytes_text(address));
    }
}

/** A mock with these options, of which no script is loaded yet. */
static inline void play_begin_with(struct play *play, struct lwp_mock_options options)
{
    memset(play, 0, sizeof(*play));
    play->begin_ns = play->now_ns = 5 * LWP_SECOND_NS;
    assert_int_equal(lwp_mock_new(&options, &play->mock), LWP_OK);
    play->dialect = options.dialect;
}

/** A mock that plays this script, which is called "t". */
static inline void play_begin(struct play *play, const struct lwp_dialect *dialect,
                              const char *text)
{
    play_begin_with(play, (struct lwp_mock_options){.dialect = dialect});
    play_load(play, "t", text);
}

/** Writes down from now on what happens, as JSON Lines. */
static inline void play_watch(struct play *play)
{
    assert_int_equal(lwp_events_new(0, &play->events), LWP_OK);
    play->log = open_memstream(&play->log_text, &play->log_size);
    assert_non_null(play->log);
    assert_int_equal(lwp_events_log_on(play->events, play->log, "log"), LWP_OK);
    play->mock->events = play->events; /* Which frees it. */
    play->mock->host.events = play->events;
}

/** All that was written down. */
static inline const char *play_log(struct play *play)
{
    lwp_events_flush(play->events);
    return play->log_text;
}

/** Unloads all scripts, as the control socket's reset does. */
static inline void play_reset(struct play *play)
{
    mark_fired(play);
    lwp_mock_reset(play->mock);
    while (play->script_count)
        script_done(&play->scripts[--play->script_count]);
}

/** What is wrong at this moment, a line each; "" if nothing is. */
static inline const char *verdict(struct play *play)
{
    bool passed = false;
    char *text = NULL;
    assert_int_equal(lwp_mock_verdict(play->mock, &passed, &text), LWP_OK);
    assert_true(strlen(text) < sizeof(play->verdict));
    (void)snprintf(play->verdict, sizeof(play->verdict), "%s", text);
    assert_true(passed == (text[0] == '\0'));
    lwp_mock_free_text(text);
    return play->verdict;
}

/** Ends it whatever the verdict is. */
static inline void play_drop(struct play *play)
{
    play_reset(play);
    lwp_mock_free(play->mock);
    for (size_t i = 0; i < PLAY_PEERS; i++) {
        assert_true(i >= play->peer_count || play->peers[i].freed);
        free(play->peers[i].said);
        free(play->peers[i].came);
        free(play->peers[i].notes);
        free(play->peers[i].pieces);
    }
    if (play->log)
        (void)fclose(play->log);
    free(play->log_text);
}

/** Ends it; every rule must have fired and every expectation must hold. */
static inline void play_end(struct play *play)
{
    assert_string_equal(verdict(play), "");
    play_drop(play);
}

/* --- Time. --- */

/** Lets the mock work until nothing happens any more, at this time. */
static inline void settle(struct play *play)
{
    for (int rounds = 0; lwp_mock_step(play->mock, play->now_ns); rounds++)
        assert_true(rounds < 200000);
    const uint64_t due_ns = lwp_mock_deadline(play->mock);
    if (due_ns <= play->now_ns)
        fail_msg("nothing happens, but something is due %llu ns ago",
                 (unsigned long long)(play->now_ns - due_ns));
}

/** Moves the clock on, stopping wherever something is due. */
static inline void pass_ns(struct play *play, uint64_t duration_ns)
{
    const uint64_t end_ns = play->now_ns + duration_ns;
    settle(play);
    for (uint64_t due_ns; (due_ns = lwp_mock_deadline(play->mock)) <= end_ns;) {
        play->now_ns = due_ns;
        settle(play);
    }
    play->now_ns = end_ns;
    settle(play);
}

/** The same in milliseconds. */
static inline void pass_ms(struct play *play, uint64_t duration_ms)
{
    pass_ns(play, duration_ms * LWP_MILLISECOND_NS);
}

/* --- Peers. They are counted from 1, as connections are. --- */

/** Connects to a node, if it takes connections. */
static inline enum lwp_status try_dial_on(struct play *play, const char *node)
{
    assert_true(play->peer_count < PLAY_PEERS);
    struct play_wire *wire = calloc(1, sizeof(*wire));
    struct play_peer *peer = &play->peers[play->peer_count++];
    *peer = (struct play_peer){
        .play = play, .notes = calloc(1, PLAY_NOTES), .pieces = calloc(1, PLAY_NOTES)};
    peer->noted_ns = peer->piece_ns = play->now_ns - play->begin_ns;
    assert_true(wire && peer->notes && peer->pieces);
    *wire = (struct play_wire){.transport = {&wire_ops, 0}, .peer = peer};
    const enum lwp_status status =
        lwp_mock_accept_on(play->mock, node, &wire->transport, play->now_ns);
    settle(play);
    return status;
}

/** Connects to a node; NULL is the only one, or the first. Returns the connection's number. */
static inline size_t dial_on(struct play *play, const char *node)
{
    assert_int_equal(try_dial_on(play, node), LWP_OK);
    return play->peer_count;
}

static inline size_t dial(struct play *play)
{
    return dial_on(play, NULL);
}

static inline struct play_peer *peer_at(struct play *play, size_t number)
{
    const size_t index = number - 1;
    assert_true(index < play->peer_count);
    /* The compiler does not know that it ends the test. */
    return &play->peers[index % PLAY_PEERS];
}

/** Hands bytes to the mock in one write, and does not let it work. */
static inline void push_bytes(struct play *play, size_t number, struct lwp_bytes bytes)
{
    struct play_peer *peer = peer_at(play, number);
    if (peer->said_at == peer->said_size)
        peer->said_at = peer->said_size = 0;
    if (bytes.size == 0)
        return;
    if (peer->said_size + bytes.size > peer->said_capacity) {
        peer->said_capacity = 2 * (peer->said_size + bytes.size);
        peer->said = realloc(peer->said, peer->said_capacity);
        assert_non_null(peer->said);
    }
    memcpy(peer->said + peer->said_size, bytes.data, bytes.size);
    peer->said_size += bytes.size;
}

/** Writes the frames, which are said as in `reply` and separated by " ; ", behind each other. */
static inline void write_frames(const struct play *play, const char *frames, struct lwp_writer *out)
{
    const struct script_variables none = {.arena = NULL};
    char text[PLAY_ENTRY];
    while (frames) {
        const char *next = strstr(frames, " ; ");
        const int size = next ? (int)(next - frames) : (int)strlen(frames);
        struct script script = {.arena = {NULL, 0, false}};
        (void)snprintf(text, sizeof(text), "on frame -> reply %.*s", size, frames);
        if (script_read(&script, "said", lwp_bytes_text(text)) != LWP_OK)
            fail_msg("%s: found %s, expected %s", text,
                     (const char *)script.errors.items[0].found.data,
                     script.errors.items[0].expected);
        const struct script_frame *frame =
            &script.scenarios.items[0].play.rules.items[0].actions.items[0].frame;
        assert_int_equal(script_build(frame, play->dialect, &none, 1, out), LWP_OK);
        script_done(&script);
        frames = next ? next + 3 : NULL;
    }
}

/** Says the same frames so many times, and does not let the mock work. */
static inline void push_many(struct play *play, size_t number, const char *frames, size_t times)
{
    enum { ROOM = 65536 };
    uint8_t memory[ROOM];
    struct lwp_writer out = lwp_writer_on(memory, ROOM);
    write_frames(play, frames, &out);
    for (size_t i = 0; i < times; i++)
        push_bytes(play, number, lwp_writer_bytes(&out));
}

/** Says frames in one write, and does not let the mock work. */
static inline void push(struct play *play, size_t number, const char *frames)
{
    push_many(play, number, frames, 1);
}

/** Says frames in one write, for example "keepalive ; fetch topic_id=1 max_bytes=100". */
static inline void say(struct play *play, size_t number, const char *frames)
{
    push(play, number, frames);
    settle(play);
}

/** Ingests one record to topic 1: the letter of the batch, 'a' for 1. */
static inline void ingest(struct play *play, size_t number, unsigned batch_id)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "ingest batch_id=%u topic_id=1 records=raw(\"%c\")",
                   batch_id, (char)('a' + (batch_id - 1) % 26));
    say(play, number, text);
}

/** Ingests so many, one after the other, with batch ids from `first` on. */
static inline void ingest_many(struct play *play, size_t number, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ingest(play, number, first + i);
}

/** The peer says no more. */
static inline void hang_up(struct play *play, size_t number)
{
    peer_at(play, number)->hung_up = true;
    settle(play);
}

/** The peer resets the connection. */
static inline void tear(struct play *play, size_t number)
{
    peer_at(play, number)->torn = true;
    settle(play);
}

/** What the peer has heard since it was last asked: frames as texts, "; " between them, "@40 " in
 * front of what came at another time than the entry before (ms since the play began; the first time is
 * that at which the peer connected), "fin", "rst" or "half" where the mock closed. */
static inline const char *heard(struct play *play, size_t number)
{
    static char text[PLAY_NOTES];
    struct play_peer *peer = peer_at(play, number);
    memcpy(text, peer->notes, peer->notes_size + 1);
    peer->notes_size = 0;
    peer->notes[0] = '\0';
    return text;
}

/** The sizes of the mock's writes since this was last asked, with times as above. */
static inline const char *pieces(struct play *play, size_t number)
{
    static char text[PLAY_NOTES];
    struct play_peer *peer = peer_at(play, number);
    memcpy(text, peer->pieces, peer->pieces_size + 1);
    peer->pieces_size = 0;
    peer->pieces[0] = '\0';
    return text;
}

/** All bytes that the peer has heard. */
static inline struct lwp_bytes bytes_heard(struct play *play, size_t number)
{
    return bytes_of(peer_at(play, number)->came, peer_at(play, number)->came_size);
}

#define assert_heard(play, number, text) assert_string_equal(heard((play), (number)), text)
#define assert_pieces(play, number, text) assert_string_equal(pieces((play), (number)), text)
#define assert_verdict(play, text) assert_string_equal(verdict(play), text)

/** Fetches topic 1 from the begin on a connection of its own: the letters of the records that are stored.
 */
static inline const char *stored_on(struct play *play, const char *node)
{
    static char letters[256];
    size_t count = 0;
    const size_t number = dial_on(play, node);
    pass_ms(play, 25);
    say(play, number, "fetch topic_id=1 start_offset=0 max_bytes=1000000");
    const struct lwp_bytes came = bytes_heard(play, number);
    for (size_t i = LWP_HEADER_SIZE + 16; i + 5 < came.size && count < sizeof(letters) - 1; i += 6)
        letters[count++] = (char)came.data[i + 5];
    letters[count] = '\0';
    tear(play, number);
    return letters;
}

static inline const char *stored(struct play *play)
{
    return stored_on(play, NULL);
}

#endif
