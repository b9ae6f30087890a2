/* SPDX-License-Identifier: MIT */
#include "lwp/tests/net_support.h"

#include <errno.h>

#include "lwp/net/fault.h"
#include "lwp/net/pace.h"
#include "lwp/session/session.h"

enum {
    FRAME_SIZE = 50,
    TWO_FRAMES = 100,
    LIMIT = 65536,
    PIPE_ROOM = 8192,
    WRITES = 4096,
    STEPS = 100000
};

/* A transport that takes as much at once as it is told, and remembers all. */
struct fake {
    struct lwp_transport transport; /* First, so that one is the other. */
    size_t most;                    /* Bytes per write; 0 blocks. */
    bool alternates;                /* Blocks before each write that it takes. */
    bool blocks_next;
    enum lwp_status fails; /* What a write answers once `fails_at` bytes are there. */
    size_t fails_at;
    uint8_t bytes[LIMIT + WRITES];
    size_t size;
    size_t offers[WRITES]; /* How far each offered write would have reached. */
    size_t offer_count;
    size_t write_count; /* Writes that were taken. */
    bool closed;
    enum lwp_close how;
    bool freed;
};

static struct fake *fake_of(struct lwp_transport *transport)
{
    return (struct fake *)(void *)transport;
}

static enum lwp_status fake_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                 size_t *count)
{
    assert_true(size > 0);
    transport->error = EIO;
    *out = 'r';
    *count = 1;
    return LWP_OK;
}

static enum lwp_status fake_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                  size_t *count)
{
    struct fake *fake = fake_of(transport);
    assert_true(bytes.size > 0);
    assert_false(fake->closed);
    if (fake->fails != LWP_OK && fake->size >= fake->fails_at) {
        transport->error = ECONNRESET;
        return fake->fails;
    }
    assert_true(fake->offer_count < WRITES);
    fake->offers[fake->offer_count++] = fake->size + bytes.size;
    fake->blocks_next = fake->alternates && !fake->blocks_next;
    if (fake->blocks_next || fake->most == 0)
        return LWP_WOULD_BLOCK;
    *count = bytes.size < fake->most ? bytes.size : fake->most;
    if (fake->fails != LWP_OK && *count > fake->fails_at - fake->size)
        *count = fake->fails_at - fake->size;
    assert_true(fake->size + *count <= sizeof(fake->bytes));
    memcpy(fake->bytes + fake->size, bytes.data, *count);
    fake->size += *count;
    fake->write_count++;
    return LWP_OK;
}

static void fake_close(struct lwp_transport *transport, enum lwp_close how)
{
    fake_of(transport)->closed = true;
    fake_of(transport)->how = how;
}

static int fake_fd(const struct lwp_transport *transport)
{
    (void)transport;
    return 4711;
}

static void fake_free(struct lwp_transport *transport)
{
    fake_of(transport)->freed = true;
}

static const struct lwp_transport_ops fake_ops = {fake_read, fake_write, fake_close,
                                                  fake_fd,   fake_free,  NULL};

/* A fault transport around a fake that takes `most` bytes at once. */
static struct lwp_transport *around(struct fake *fake, size_t most)
{
    struct lwp_transport *outer = NULL;
    *fake = (struct fake){.transport = {&fake_ops, 0}, .most = most, .fails = LWP_OK};
    assert_int_equal(lwp_fault_new(&fake->transport, LIMIT, &outer), LWP_OK);
    return outer;
}

static struct lwp_bytes sent_by(const struct fake *fake)
{
    return bytes_of(fake->bytes, fake->size);
}

/* Fifty bytes, all different. */
static struct lwp_bytes fifty(void)
{
    static uint8_t bytes[FRAME_SIZE];
    for (size_t i = 0; i < FRAME_SIZE; i++)
        bytes[i] = (uint8_t)(i + 'A');
    return bytes_of(bytes, FRAME_SIZE);
}

static struct lwp_bytes part_of(struct lwp_bytes bytes, size_t at, size_t size)
{
    struct lwp_bytes part = lwp_bytes_from(bytes, at);
    if (part.size > size)
        part.size = size;
    return part;
}

static void say(struct lwp_transport *outer, struct lwp_bytes bytes)
{
    size_t count = 0;
    assert_int_equal(lwp_transport_write(outer, bytes, &count), LWP_OK);
    assert_int_equal(count, bytes.size);
}

static void say_text(struct lwp_transport *outer, const char *text)
{
    say(outer, lwp_bytes_text(text));
}

static const struct lwp_fault_plan no_plan;

static void announce(struct lwp_transport *outer, size_t size, struct lwp_fault_plan plan)
{
    assert_int_equal(lwp_fault_announce(outer, size, &plan), LWP_OK);
}

static void announce_text(struct lwp_transport *outer, const char *text, struct lwp_fault_plan plan)
{
    announce(outer, strlen(text), plan);
    say_text(outer, text);
}

static void move_to(struct lwp_transport *outer, uint64_t now_ns)
{
    lwp_fault_advance(outer, now_ns);
    assert_int_equal(lwp_fault_flush(outer), LWP_OK);
}

/* Flushes, as an owner does, until nothing is left to be done. */
static void finish(struct lwp_transport *outer)
{
    for (int step = 0; lwp_fault_pending(outer) || lwp_fault_deadline(outer) != LWP_NEVER; step++) {
        assert_true(step < STEPS);
        if (lwp_fault_deadline(outer) != LWP_NEVER)
            lwp_fault_advance(outer, lwp_fault_deadline(outer));
        const enum lwp_status status = lwp_fault_flush(outer);
        assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
    }
}

/* Writes all, in parts of at most `most` bytes, flushing where it blocks. */
static void say_in_parts(struct lwp_transport *outer, struct lwp_bytes bytes, size_t most)
{
    for (int step = 0; bytes.size; step++) {
        size_t count = 0;
        assert_true(step < STEPS);
        const enum lwp_status status = lwp_transport_write(outer, part_of(bytes, 0, most), &count);
        if (status == LWP_OK)
            bytes = lwp_bytes_from(bytes, count);
        else
            assert_int_equal(status, LWP_WOULD_BLOCK);
    }
}

/* A pipe with faults on one end. */
struct rig {
    struct lwp_transport *outer;
    struct lwp_transport *peer;
};

static struct rig rig_over(struct pair pair)
{
    struct rig rig = {.peer = pair.ends[1]};
    assert_int_equal(lwp_fault_new(pair.ends[0], LIMIT, &rig.outer), LWP_OK);
    return rig;
}

static struct rig piped(size_t capacity)
{
    struct pair pair;
    assert_int_equal(lwp_pipe_new(capacity, pair.ends), LWP_OK);
    return rig_over(pair);
}

static void rig_free(const struct rig *rig)
{
    lwp_transport_free(rig->outer);
    lwp_transport_free(rig->peer);
}

/* What the peer reads at once; the view lives until the next call. */
static struct lwp_bytes heard(struct lwp_transport *peer)
{
    static uint8_t in[PIPE_ROOM];
    size_t count = 0;
    const enum lwp_status status = lwp_transport_read(peer, in, sizeof(in), &count);
    assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
    return bytes_of(in, count);
}

static void assert_hears(struct lwp_transport *peer, const char *text)
{
    assert_bytes_equal(heard(peer), lwp_bytes_text(text));
}

static void assert_peer_sees(struct lwp_transport *peer, enum lwp_status status)
{
    uint8_t in[16];
    size_t count = 0;
    assert_int_equal(read_next(peer, in, sizeof(in), &count), status);
}

/* What the hook was told. */
struct told {
    uint64_t id;
    enum lwp_fault_fate fate;
    uint8_t bytes[256];
    size_t size;
    size_t touched;
};

struct diary {
    struct told told[64];
    size_t count;
};

static void write_down(void *context, const struct lwp_fault_sent *sent)
{
    struct diary *diary = context;
    assert_true(diary->count < COUNT_OF(diary->told));
    struct told *told = &diary->told[diary->count++];
    *told = (struct told){
        .id = sent->id, .fate = sent->fate, .size = sent->bytes.size, .touched = sent->touched};
    assert_true(told->size <= sizeof(told->bytes));
    if (told->size)
        memcpy(told->bytes, sent->bytes.data, told->size);
}

static void assert_told(const struct told *told, uint64_t id, enum lwp_fault_fate fate,
                        const char *text)
{
    assert_int_equal(told->id, id);
    assert_int_equal(told->fate, fate);
    assert_bytes_equal(bytes_of(told->bytes, told->size), lwp_bytes_text(text));
}

static void without_faults_all_calls_are_those_of_the_inner_transport(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, 3);
    uint8_t in = 0;
    size_t count = 0;
    assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_OK);
    assert_int_equal(count, 3);
    assert_int_equal(fake.write_count, 1);
    fake.most = 0;
    assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_WOULD_BLOCK);
    assert_true(lwp_fault_blocked(outer));
    assert_int_equal(lwp_transport_read(outer, &in, 1, &count), LWP_OK);
    assert_int_equal(in, 'r');
    assert_int_equal(outer->error, EIO);
    assert_int_equal(lwp_transport_fd(outer), 4711);
    assert_int_equal(lwp_fault_pending(outer), 0);
    assert_int_equal(lwp_fault_written(outer), 3);
    assert_true(lwp_fault_deadline(outer) == LWP_NEVER);
    assert_int_equal(lwp_fault_flush(outer), LWP_OK);
    lwp_transport_close(outer, LWP_CLOSE_HALF);
    assert_true(fake.closed && fake.how == LWP_CLOSE_HALF);
    lwp_transport_free(outer);
    assert_true(fake.freed);
}

static void frames_are_damaged_and_other_bytes_pass_as_they_are(void **state)
{
    (void)state;
    const struct lwp_damage cut = {.kind = LWP_DAMAGE_CUT, .offset = -1, .size = 1};
    const struct lwp_damage insert = {
        .kind = LWP_DAMAGE_INSERT, .offset = 1, .bytes = lwp_bytes_text("++")};
    const struct lwp_fault_plan shorter = {.damage = {&cut, 1, LWP_CRC32}};
    const struct lwp_fault_plan longer = {.damage = {&insert, 1, LWP_CRC32}};
    for (size_t most = 1; most < 20; most++)
        for (size_t part = 1; part < 20; part++) {
            struct fake fake;
            struct lwp_transport *outer = around(&fake, most);
            say_in_parts(outer, lwp_bytes_text("before,"), part);
            announce(outer, 3, shorter);
            announce(outer, 4, longer);
            announce(outer, 1, shorter);
            say_in_parts(outer, lwp_bytes_text("abcdefgh,between,"), part);
            announce(outer, 2, longer);
            say_in_parts(outer, lwp_bytes_text("ij,after"), part);
            finish(outer);
            assert_bytes_equal(sent_by(&fake),
                               lwp_bytes_text("before,abd++efg,between,i++j,after"));
            assert_int_equal(lwp_fault_written(outer), fake.size);
            lwp_transport_free(outer);
        }
}

static void a_frame_is_one_write_once_it_is_whole(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    announce(outer, FRAME_SIZE, no_plan);
    for (size_t i = 0; i < FRAME_SIZE; i++) {
        assert_int_equal(fake.size, 0);
        assert_int_equal(lwp_fault_pending(outer), i);
        assert_true(lwp_fault_deadline(outer) == LWP_NEVER);
        say(outer, part_of(fifty(), i, 1));
    }
    assert_int_equal(fake.write_count, 1);
    assert_bytes_equal(sent_by(&fake), fifty());
    assert_int_equal(lwp_fault_pending(outer), 0);
    lwp_transport_free(outer);
}

static void the_plan_is_copied_with_all_it_points_to(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    char inserted[] = "XY", flipped[] = "\x20";
    size_t pieces[] = {2, 0};
    struct lwp_damage damages[] = {
        {.kind = LWP_DAMAGE_INSERT, .offset = 1, .bytes = lwp_bytes_text(inserted)},
        {.kind = LWP_DAMAGE_XOR, .offset = 0, .bytes = lwp_bytes_text(flipped)},
        {.kind = LWP_DAMAGE_CUT, .offset = -1, .size = 1, .bytes = {NULL, 4711}}};
    announce(outer, 4,
             (struct lwp_fault_plan){
                 .damage = {damages, 3, LWP_CRC32}, .pieces = pieces, .piece_count = 2});
    memset(inserted, '!', 2);
    memset(flipped, 0, 1);
    memset(pieces, 0, sizeof(pieces));
    memset(damages, 0, sizeof(damages));
    say_text(outer, "abcd");
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("AX"));
    finish(outer);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("AXYbc"));
    assert_int_equal(fake.write_count, 2);
    lwp_transport_free(outer);
}

/* No write that was offered reaches over one of the places. */
static void assert_cut_at(const struct fake *fake, const size_t *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool met = false;
        for (size_t k = 0; k < fake->offer_count; k++) {
            const bool later = k && fake->offers[k - 1] >= places[i];
            met |= fake->offers[k] == places[i];
            assert_true(later || met || fake->offers[k] < places[i]);
        }
        assert_true(met);
    }
}

/* A frame in two writes and as many parts as there are, onto an inner transport of any acceptance. */
static void exactly(size_t first, size_t part, size_t most, bool alternates)
{
    static const size_t pieces[] = {43, 1, 0}, places[] = {43, 44, 51};
    const struct lwp_damage damages[] = {
        {.kind = LWP_DAMAGE_INSERT, .offset = 10, .bytes = lwp_bytes_text("xyz")},
        {.kind = LWP_DAMAGE_CUT, .offset = -4, .size = 2},
        {.kind = LWP_DAMAGE_XOR, .offset = -1, .bytes = lwp_bytes_text("\x80")}};
    struct fake fake;
    struct lwp_transport *outer = around(&fake, most);
    fake.alternates = alternates;
    uint8_t expected[FRAME_SIZE + 1];
    const struct lwp_bytes frame = fifty();
    memcpy(expected, frame.data, 10);
    memcpy(expected + 10, "xyz", 3);
    memcpy(expected + 13, frame.data + 10, 36);
    memcpy(expected + 49, frame.data + 48, 2);
    expected[50] ^= 0x80;
    announce(outer, FRAME_SIZE,
             (struct lwp_fault_plan){
                 .damage = {damages, 3, LWP_CRC32}, .pieces = pieces, .piece_count = 3});
    say_in_parts(outer, part_of(frame, 0, first), part);
    say_in_parts(outer, lwp_bytes_from(frame, first), part);
    finish(outer);
    assert_bytes_equal(sent_by(&fake), bytes_of(expected, sizeof(expected)));
    assert_cut_at(&fake, places, COUNT_OF(places));
    lwp_transport_free(outer);
}

static void every_split_and_every_acceptance_give_the_same_bytes_and_pieces(void **state)
{
    (void)state;
    for (int alternates = 0; alternates < 2; alternates++)
        for (size_t most = 1; most <= FRAME_SIZE + 1; most++) {
            for (size_t part = 1; part <= FRAME_SIZE; part++)
                exactly(0, part, most, alternates);
            for (size_t first = 1; first < FRAME_SIZE; first++)
                exactly(first, FRAME_SIZE, most, alternates);
        }
}

/* What a peer reads that reads after every call. */
struct chop_row {
    size_t pieces[4];
    size_t piece_count;
    size_t expected[8]; /* Ends with 0. */
};

static void a_peer_that_reads_after_each_call_reads_exactly_the_pieces(void **state)
{
    (void)state;
    static const struct chop_row rows[] = {{{43, 1, 0}, 3, {43, 1, 6}},
                                           {{0}, 1, {50}},
                                           {{50}, 1, {50}},
                                           {{51}, 1, {50}},
                                           {{49}, 1, {49, 1}},
                                           {{20}, 1, {20, 20, 10}},
                                           {{10, 15}, 2, {10, 15, 15, 10}},
                                           {{44, 0, 2}, 3, {44, 6}},
                                           {{50, 1}, 2, {50}},
                                           {{SIZE_MAX}, 1, {50}},
                                           {{1, 49}, 2, {1, 49}},
                                           {{7, 7, 7, 29}, 4, {7, 7, 7, 29}}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct rig rig = piped(PIPE_ROOM);
        size_t at = 0;
        announce(
            rig.outer, FRAME_SIZE,
            (struct lwp_fault_plan){.pieces = rows[i].pieces, .piece_count = rows[i].piece_count});
        say(rig.outer, fifty());
        for (const size_t *size = rows[i].expected; *size; size++) {
            assert_bytes_equal(heard(rig.peer), part_of(fifty(), at, *size));
            at += *size;
            assert_int_equal(lwp_fault_pending(rig.outer), FRAME_SIZE - at);
            assert_true(lwp_fault_deadline(rig.outer) == (at < FRAME_SIZE ? 0 : LWP_NEVER));
            assert_int_equal(lwp_fault_flush(rig.outer), LWP_OK);
        }
        assert_int_equal(at, FRAME_SIZE);
        assert_int_equal(heard(rig.peer).size, 0);
        rig_free(&rig);
    }
}

static void chopped_by_one_each_byte_is_read_alone(void **state)
{
    (void)state;
    static const size_t one = 1;
    const struct rig rig = piped(PIPE_ROOM);
    const struct lwp_fault_plan plan = {.pieces = &one, .piece_count = 1};
    for (int i = 0; i < 2; i++) {
        announce(rig.outer, FRAME_SIZE, plan);
        say(rig.outer, fifty());
    }
    for (size_t i = 0; i < 2 * (size_t)FRAME_SIZE; i++) {
        if (i > 1) /* Each of the two writes has sent a byte. */
            assert_int_equal(lwp_fault_flush(rig.outer), LWP_OK);
        if (i != 1)
            assert_bytes_equal(heard(rig.peer),
                               i ? part_of(fifty(), i % FRAME_SIZE, 1) : part_of(fifty(), 0, 2));
    }
    assert_int_equal(lwp_fault_pending(rig.outer), 0);
    rig_free(&rig);
}

static void a_chopped_frame_is_not_mixed_with_its_neighbours(void **state)
{
    (void)state;
    static const size_t two = 2;
    const struct rig rig = piped(PIPE_ROOM);
    announce(rig.outer, 2, no_plan);
    announce(rig.outer, 2, no_plan);
    announce(rig.outer, 3, (struct lwp_fault_plan){.pieces = &two, .piece_count = 1});
    announce(rig.outer, 2, no_plan);
    say_text(rig.outer, "aabbcccddplain");
    static const char *const reads[] = {"aabb", "cc", "c", "ddplain"};
    for (size_t i = 0; i < COUNT_OF(reads); i++) {
        assert_hears(rig.peer, reads[i]);
        assert_int_equal(lwp_fault_flush(rig.outer), LWP_OK);
    }
    assert_int_equal(lwp_fault_pending(rig.outer), 0);
    rig_free(&rig);
}

static void a_piece_that_a_pipe_takes_in_part_goes_on_where_it_was_left(void **state)
{
    (void)state;
    static const size_t pieces[] = {30, 0};
    const struct rig rig = piped(16);
    announce(rig.outer, FRAME_SIZE, (struct lwp_fault_plan){.pieces = pieces, .piece_count = 2});
    say(rig.outer, fifty());
    assert_true(lwp_fault_blocked(rig.outer));
    assert_true(lwp_fault_deadline(rig.outer) == LWP_NEVER);
    static const size_t reads[] = {16, 14, 16, 4};
    size_t at = 0;
    for (size_t i = 0; i < COUNT_OF(reads); i++) {
        assert_bytes_equal(heard(rig.peer), part_of(fifty(), at, reads[i]));
        at += reads[i];
        assert_int_equal(lwp_fault_flush(rig.outer), i == 1 ? LWP_WOULD_BLOCK : LWP_OK);
        assert_int_equal(lwp_fault_blocked(rig.outer), i == 1);
    }
    rig_free(&rig);
}

static void gaps_pass_between_pieces_and_only_there(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2};
    const struct rig rig = piped(PIPE_ROOM);
    move_to(rig.outer, 1000);
    announce(rig.outer, 5,
             (struct lwp_fault_plan){.pieces = pieces, .piece_count = 2, .gap_ns = 100});
    announce(rig.outer, 2, no_plan);
    say_text(rig.outer, "abbccdd");
    static const struct {
        uint64_t now_ns;
        const char *heard;
        uint64_t deadline_ns;
    } rows[] = {{1000, "a", 1100}, {1099, "", 1100}, {1100, "bb", 1200},
                {1150, "", 1200},  {1205, "cc", 0},  {1205, "dd", LWP_NEVER}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (i)
            move_to(rig.outer, rows[i].now_ns);
        assert_hears(rig.peer, rows[i].heard);
        if (rows[i].deadline_ns)
            assert_true(lwp_fault_deadline(rig.outer) == rows[i].deadline_ns);
        else
            assert_true(lwp_fault_deadline(rig.outer) <= rows[i].now_ns);
    }
    rig_free(&rig);
}

static void a_frame_waits_for_its_time_and_those_behind_wait_for_it(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    announce_text(rig.outer, "now", no_plan);
    announce_text(rig.outer, "later", (struct lwp_fault_plan){.not_before_ns = 500});
    announce_text(rig.outer, ",behind", (struct lwp_fault_plan){.not_before_ns = 400});
    say_text(rig.outer, ",plain");
    assert_hears(rig.peer, "now");
    assert_true(lwp_fault_deadline(rig.outer) == 500);
    move_to(rig.outer, 499);
    assert_hears(rig.peer, "");
    move_to(rig.outer, 500);
    assert_hears(rig.peer, "later,behind,plain");
    assert_true(lwp_fault_deadline(rig.outer) == LWP_NEVER);
    announce_text(rig.outer, "past", (struct lwp_fault_plan){.not_before_ns = 100});
    assert_hears(rig.peer, "past");
    rig_free(&rig);
}

static void a_write_that_blocked_before_does_not_hide_a_deadline(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, 0);
    size_t count = 0;
    assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_WOULD_BLOCK);
    announce_text(outer, "later", (struct lwp_fault_plan){.not_before_ns = 500});
    assert_true(lwp_fault_deadline(outer) == 500);
    fake.most = SIZE_MAX;
    finish(outer);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("later"));
    lwp_transport_free(outer);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    move_to(rig.outer, 1000);
    move_to(rig.outer, 10);
    announce_text(rig.outer, "x", (struct lwp_fault_plan){.not_before_ns = 900});
    assert_hears(rig.peer, "x");
    rig_free(&rig);
}

static const enum lwp_close ways[] = {LWP_CLOSE_HALF, LWP_CLOSE_FIN, LWP_CLOSE_RST};

/* A frame that ends the connection after `size` of its bytes; another one behind it. */
static void frame_closes(enum lwp_close how, size_t size, size_t piece, size_t most)
{
    struct fake fake;
    struct diary diary = {.count = 0};
    struct lwp_transport *outer = around(&fake, most);
    const size_t sent = size < FRAME_SIZE ? size : FRAME_SIZE;
    enum lwp_close closed = LWP_CLOSE_HALF;
    lwp_fault_watch(outer, write_down, &diary);
    announce(outer, FRAME_SIZE,
             (struct lwp_fault_plan){.id = 7,
                                     .pieces = &piece,
                                     .piece_count = piece != 0,
                                     .closes = true,
                                     .how = how,
                                     .close_after = size});
    announce(outer, FRAME_SIZE, no_plan);
    assert_false(lwp_fault_closed(outer, &closed));
    say_in_parts(outer, fifty(), FRAME_SIZE);
    finish(outer);
    assert_bytes_equal(sent_by(&fake), part_of(fifty(), 0, sent));
    assert_true(fake.closed && fake.how == how);
    assert_true(lwp_fault_closed(outer, &closed));
    assert_int_equal(closed, how);
    assert_int_equal(diary.count, 1);
    assert_int_equal(diary.told[0].id, 7);
    assert_int_equal(diary.told[0].fate, sent < FRAME_SIZE ? LWP_FAULT_CUT : LWP_FAULT_WHOLE);
    assert_bytes_equal(bytes_of(diary.told[0].bytes, diary.told[0].size),
                       part_of(fifty(), 0, sent));
    lwp_transport_free(outer);
}

static void a_frame_closes_after_exactly_so_many_bytes(void **state)
{
    (void)state;
    static const size_t pieces[] = {0, 1, 7, 44}, acceptances[] = {1, 3, SIZE_MAX};
    for (size_t size = 0; size <= FRAME_SIZE + 1; size++)
        for (size_t i = 0; i < COUNT_OF(ways); i++)
            for (size_t k = 0; k < COUNT_OF(pieces); k++)
                for (size_t m = 0; m < COUNT_OF(acceptances); m++)
                    frame_closes(ways[i], size, pieces[k], acceptances[m]);
    frame_closes(LWP_CLOSE_FIN, SIZE_MAX, 0, SIZE_MAX);
}

/* What the peer on a pipe reads, reading after each call, until the end. */
static size_t read_to_the_end(const struct rig *rig, enum lwp_status end)
{
    uint8_t in[PIPE_ROOM];
    size_t total = 0, count = 0;
    for (int step = 0; step < STEPS; step++) {
        const enum lwp_status status =
            lwp_transport_read(rig->peer, in + total, sizeof(in) - total, &count);
        if (status == LWP_OK) {
            total += count;
        } else if (status == LWP_WOULD_BLOCK) {
            lwp_fault_advance(rig->outer, lwp_fault_deadline(rig->outer));
            assert_int_equal(lwp_fault_flush(rig->outer), LWP_OK);
        } else {
            assert_int_equal(status, end);
            assert_bytes_equal(bytes_of(in, total), part_of(fifty(), 0, total));
            return total;
        }
    }
    fail_msg("the connection does not end");
    return 0;
}

static void a_peer_on_a_pipe_reads_all_that_came_before_a_close(void **state)
{
    (void)state;
    static const size_t pieces[] = {43, 1, 0};
    for (size_t size = 0; size <= FRAME_SIZE + 1; size++)
        for (size_t i = 0; i < COUNT_OF(ways); i++)
            for (size_t piece_count = 0; piece_count <= 3; piece_count += 3) {
                const struct rig rig = piped(PIPE_ROOM);
                const bool reset = ways[i] == LWP_CLOSE_RST;
                announce(rig.outer, FRAME_SIZE,
                         (struct lwp_fault_plan){.pieces = pieces,
                                                 .piece_count = piece_count,
                                                 .closes = true,
                                                 .how = ways[i],
                                                 .close_after = size});
                say(rig.outer, fifty());
                assert_int_equal(read_to_the_end(&rig, reset ? LWP_RESET : LWP_CLOSED),
                                 size < FRAME_SIZE ? size : FRAME_SIZE);
                rig_free(&rig);
            }
}

static void after_a_close_both_ways_nothing_can_be_written_or_read(void **state)
{
    (void)state;
    for (size_t i = 1; i < COUNT_OF(ways); i++) {
        struct fake fake;
        struct lwp_transport *outer = around(&fake, SIZE_MAX);
        const enum lwp_status end = ways[i] == LWP_CLOSE_RST ? LWP_RESET : LWP_CLOSED;
        uint8_t in = 0;
        size_t count = 4711;
        lwp_fault_close_after(outer, ways[i], 0);
        lwp_fault_close_after(outer, LWP_CLOSE_HALF, 0);
        assert_int_equal(fake.how, ways[i]);
        assert_false(lwp_fault_reads(outer));
        assert_int_equal(lwp_transport_read(outer, &in, 1, &count), end);
        assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_RESET);
        announce(outer, 5, no_plan);
        assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_RESET);
        assert_int_equal(count, 4711);
        assert_int_equal(lwp_fault_flush(outer), LWP_OK);
        assert_int_equal(lwp_fault_pending(outer), 0);
        lwp_transport_free(outer);
    }
}

static void after_a_half_close_the_peer_may_speak_and_we_are_swallowed(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    uint8_t in[8];
    size_t count = 0;
    announce_text(
        rig.outer, "abc",
        (struct lwp_fault_plan){.closes = true, .how = LWP_CLOSE_HALF, .close_after = SIZE_MAX});
    announce(rig.outer, 4, no_plan);
    say_text(rig.outer, "nobody hears this");
    assert_int_equal(lwp_fault_swallowed(rig.outer), 17);
    assert_hears(rig.peer, "abc");
    assert_peer_sees(rig.peer, LWP_CLOSED);
    say_text(rig.peer, "still");
    assert_true(lwp_fault_reads(rig.outer));
    assert_int_equal(lwp_transport_read(rig.outer, in, sizeof(in), &count), LWP_OK);
    assert_bytes_equal(bytes_of(in, count), lwp_bytes_text("still"));
    lwp_fault_close_after(rig.outer, LWP_CLOSE_RST, 0);
    assert_peer_sees(rig.peer, LWP_RESET);
    rig_free(&rig);
}

/* Two frames, of which the connection takes `size` bytes. */
static void stream_closes(enum lwp_close how, size_t size, size_t most)
{
    static const size_t pieces[] = {43, 1, 0};
    struct fake fake;
    struct lwp_transport *outer = around(&fake, most);
    enum lwp_close closed = LWP_CLOSE_HALF;
    lwp_fault_close_after(outer, how, size);
    assert_int_equal(lwp_fault_closed(outer, &closed), size == 0);
    announce(outer, FRAME_SIZE, no_plan);
    announce(outer, FRAME_SIZE, (struct lwp_fault_plan){.pieces = pieces, .piece_count = 3});
    for (int i = 0; i < 2; i++) {
        size_t count = 0;
        (void)lwp_transport_write(outer, fifty(), &count);
    }
    finish(outer);
    assert_bytes_equal(bytes_of(fake.bytes, size < FRAME_SIZE ? size : FRAME_SIZE),
                       part_of(fifty(), 0, size));
    if (size > FRAME_SIZE)
        assert_bytes_equal(lwp_bytes_from(sent_by(&fake), FRAME_SIZE),
                           part_of(fifty(), 0, size - FRAME_SIZE));
    assert_int_equal(fake.size, size < TWO_FRAMES ? size : TWO_FRAMES);
    assert_int_equal(fake.closed, size <= TWO_FRAMES);
    if (fake.closed)
        assert_int_equal(fake.how, how);
    lwp_transport_free(outer);
}

static void a_stream_closes_after_exactly_so_many_bytes(void **state)
{
    (void)state;
    static const size_t acceptances[] = {1, 7, SIZE_MAX};
    for (size_t size = 0; size <= TWO_FRAMES + 1; size++)
        for (size_t i = 0; i < COUNT_OF(ways); i++)
            for (size_t k = 0; k < COUNT_OF(acceptances); k++)
                stream_closes(ways[i], size, acceptances[k]);
}

static void bytes_before_any_fault_count_for_the_close_of_the_stream(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    say_text(outer, "01234");
    lwp_fault_close_after(outer, LWP_CLOSE_FIN, 8);
    say_text(outer, "56789");
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("01234567"));
    assert_true(fake.closed);
    lwp_transport_free(outer);
    outer = around(&fake, SIZE_MAX);
    say_text(outer, "01234");
    lwp_fault_close_after(outer, LWP_CLOSE_FIN, 5);
    assert_true(fake.closed);
    lwp_transport_free(outer);
}

static void a_stream_that_is_to_close_inside_a_piece_under_way_closes_there(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, 10);
    fake.alternates = true;
    announce(outer, FRAME_SIZE, no_plan);
    say(outer, fifty());
    assert_int_equal(lwp_fault_flush(outer), LWP_WOULD_BLOCK);
    assert_int_equal(fake.size, 10);
    lwp_fault_close_after(outer, LWP_CLOSE_FIN, 13);
    finish(outer);
    assert_bytes_equal(sent_by(&fake), part_of(fifty(), 0, 13));
    assert_true(fake.closed);
    lwp_transport_free(outer);
}

static void closing_at_once_drops_what_is_held(void **state)
{
    (void)state;
    struct fake fake;
    struct diary diary = {.count = 0};
    static const size_t pieces[] = {2, 0};
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_watch(outer, write_down, &diary);
    announce_text(outer, "abcd",
                  (struct lwp_fault_plan){
                      .id = 1, .pieces = pieces, .piece_count = 2, .gap_ns = LWP_SECOND_NS});
    announce_text(outer, "never", no_plan);
    assert_int_equal(lwp_fault_pending(outer), 7);
    lwp_fault_close_after(outer, LWP_CLOSE_FIN, 0);
    assert_int_equal(lwp_fault_pending(outer), 0);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("ab"));
    assert_int_equal(diary.count, 1);
    assert_told(&diary.told[0], 1, LWP_FAULT_CUT, "ab");
    lwp_transport_free(outer);
}

static void the_callers_close_waits_until_all_is_sent_at_its_time(void **state)
{
    (void)state;
    static const size_t one = 1;
    for (size_t i = 0; i < 2; i++) {
        const struct rig rig = piped(PIPE_ROOM);
        size_t count = 0;
        enum lwp_close how = LWP_CLOSE_HALF;
        announce_text(rig.outer, "abc",
                      (struct lwp_fault_plan){.pieces = &one, .piece_count = 1, .gap_ns = 100});
        lwp_transport_close(rig.outer, ways[i]);
        assert_hears(rig.peer, "a");
        assert_int_equal(lwp_transport_write(rig.outer, fifty(), &count), LWP_RESET);
        move_to(rig.outer, 100);
        assert_hears(rig.peer, "b");
        assert_hears(rig.peer, "");
        move_to(rig.outer, 200);
        assert_hears(rig.peer, "c");
        assert_peer_sees(rig.peer, LWP_CLOSED);
        assert_false(lwp_fault_closed(rig.outer, &how));
        assert_true(lwp_fault_deadline(rig.outer) == LWP_NEVER);
        rig_free(&rig);
    }
}

static void the_callers_second_close_can_only_close_more(void **state)
{
    (void)state;
    static const enum lwp_close orders[][2] = {{LWP_CLOSE_HALF, LWP_CLOSE_FIN},
                                               {LWP_CLOSE_FIN, LWP_CLOSE_HALF}};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct fake fake;
        struct lwp_transport *outer = around(&fake, SIZE_MAX);
        announce_text(outer, "abc", (struct lwp_fault_plan){.not_before_ns = 10});
        lwp_transport_close(outer, orders[i][0]);
        lwp_transport_close(outer, orders[i][1]);
        assert_false(fake.closed);
        finish(outer);
        assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abc"));
        assert_true(fake.closed && fake.how == LWP_CLOSE_FIN);
        lwp_transport_free(outer);
    }
}

static void the_close_of_a_frame_comes_before_that_of_the_caller(void **state)
{
    (void)state;
    struct fake fake;
    enum lwp_close how = LWP_CLOSE_FIN;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    announce_text(outer, "abc",
                  (struct lwp_fault_plan){.closes = true, .how = LWP_CLOSE_RST, .close_after = 2});
    assert_false(fake.closed);
    lwp_transport_close(outer, LWP_CLOSE_FIN);
    assert_false(fake.closed);
    finish(outer);
    assert_true(fake.closed && fake.how == LWP_CLOSE_RST);
    assert_true(lwp_fault_closed(outer, &how));
    assert_int_equal(how, LWP_CLOSE_RST);
    lwp_transport_free(outer);
}

static void the_callers_reset_waits_for_nothing(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    announce_text(rig.outer, "abc", (struct lwp_fault_plan){.not_before_ns = 100});
    lwp_transport_close(rig.outer, LWP_CLOSE_RST);
    assert_int_equal(lwp_fault_pending(rig.outer), 0);
    assert_peer_sees(rig.peer, LWP_RESET);
    rig_free(&rig);
}

static void a_frame_that_never_becomes_whole_goes_as_it_is_when_the_caller_closes(void **state)
{
    (void)state;
    struct fake fake;
    struct diary diary = {.count = 0};
    static const size_t one = 1;
    const struct lwp_damage cut = {.kind = LWP_DAMAGE_CUT, .size = 1};
    const struct lwp_fault_plan plan = {.id = 3,
                                        .damage = {&cut, 1, LWP_CRC32},
                                        .pieces = &one,
                                        .piece_count = 1,
                                        .closes = true,
                                        .how = LWP_CLOSE_RST,
                                        .close_after = 2};
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_watch(outer, write_down, &diary);
    announce(outer, 10, plan);
    announce(outer, 10, plan);
    say_text(outer, "abc");
    lwp_transport_close(outer, LWP_CLOSE_FIN);
    finish(outer);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abc"));
    assert_true(fake.closed && fake.how == LWP_CLOSE_FIN);
    assert_int_equal(diary.count, 1);
    assert_told(&diary.told[0], 3, LWP_FAULT_WHOLE, "abc");
    lwp_transport_free(outer);
}

static void freeing_drops_what_is_held(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    announce_text(rig.outer, "abc", (struct lwp_fault_plan){.not_before_ns = 100});
    announce(rig.outer, 5, no_plan);
    say_text(rig.outer, "de");
    lwp_transport_free(rig.outer);
    assert_peer_sees(rig.peer, LWP_CLOSED);
    lwp_transport_free(rig.peer);
}

/* Plain bytes, frames and chopped frames at a rate; time moves in steps of `step_ns`, or from deadline
 * to deadline if that is 0. */
static void assert_rate(uint64_t rate, size_t frame_size, size_t piece, uint64_t step_ns)
{
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    const struct lwp_bytes frame = part_of(fifty(), 0, frame_size);
    lwp_fault_advance(outer, 77);
    lwp_fault_rate(outer, rate);
    const uint64_t slice = rate < 100 ? 1 : rate / 100;
    const uint64_t burst = piece ? piece : slice;
    uint64_t now_ns = 77;
    while (now_ns < 77 + 3 * LWP_SECOND_NS) {
        while (lwp_fault_pending(outer) < 4 * rate) {
            if (piece || frame_size < FRAME_SIZE)
                announce(outer, frame.size,
                         (struct lwp_fault_plan){.pieces = &piece, .piece_count = piece != 0});
            say(outer, frame);
        }
        while (lwp_fault_deadline(outer) <= now_ns)
            move_to(outer, now_ns);
        const uint64_t allowed = (now_ns - 77) * rate / LWP_SECOND_NS;
        /* A nanosecond is the smallest step of time: a byte may be early by a part of one. */
        assert_in_range(lwp_fault_written(outer), allowed,
                        allowed + burst + (now_ns % LWP_SECOND_NS != 77));
        now_ns = step_ns ? now_ns + step_ns : lwp_fault_deadline(outer);
        lwp_fault_advance(outer, now_ns);
    }
    lwp_transport_free(outer);
}

static void a_rate_is_exact_over_any_time(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1, 3, 7, 99, 100, 101, 777, 3000};
    static const uint64_t steps[] = {0, LWP_SECOND_NS, 300 * LWP_MILLISECOND_NS};
    for (size_t i = 0; i < COUNT_OF(rates); i++)
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            assert_rate(rates[i], FRAME_SIZE, 0, steps[k]);
            assert_rate(rates[i], 44, 0, steps[k]);
            assert_rate(rates[i], FRAME_SIZE, 5, steps[k]);
        }
}

static void a_rate_saves_nothing_up_while_nothing_is_sent(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    lwp_fault_rate(rig.outer, 100);
    say_text(rig.outer, "a");
    move_to(rig.outer, 100 * LWP_SECOND_NS);
    static const size_t one = 1;
    announce_text(rig.outer, "bcd",
                  (struct lwp_fault_plan){
                      .pieces = &one, .piece_count = 1, .not_before_ns = 50 * LWP_SECOND_NS});
    assert_hears(rig.peer, "ab");
    assert_true(lwp_fault_deadline(rig.outer) == 100 * LWP_SECOND_NS + 10 * LWP_MILLISECOND_NS);
    move_to(rig.outer, lwp_fault_deadline(rig.outer));
    assert_hears(rig.peer, "c");
    rig_free(&rig);
}

static void a_rate_saves_nothing_up_while_the_peer_does_not_read(void **state)
{
    (void)state;
    const struct rig rig = piped(1);
    lwp_fault_rate(rig.outer, 100);
    say_text(rig.outer, "abcd");
    move_to(rig.outer, 0);
    lwp_fault_advance(rig.outer, LWP_SECOND_NS);
    assert_int_equal(lwp_fault_flush(rig.outer), LWP_WOULD_BLOCK);
    assert_hears(rig.peer, "a");
    move_to(rig.outer, 2 * LWP_SECOND_NS);
    assert_hears(rig.peer, "b");
    assert_true(lwp_fault_deadline(rig.outer) == 2 * LWP_SECOND_NS + 10 * LWP_MILLISECOND_NS);
    rig_free(&rig);
}

static void without_a_rate_all_goes_at_once_again(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_rate(outer, 1);
    say(outer, fifty());
    assert_int_equal(fake.size, 1);
    lwp_fault_rate(outer, 0);
    assert_int_equal(lwp_fault_flush(outer), LWP_OK);
    assert_bytes_equal(sent_by(&fake), fifty());
    lwp_transport_free(outer);
}

static void a_pace_loses_nothing_to_division(void **state)
{
    (void)state;
    static const uint64_t rates[] = {3, 7, 999999937, LWP_PACE_MAX - 1, LWP_PACE_MAX};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct lwp_pace pace;
        lwp_pace_set(&pace, rates[i]);
        for (uint64_t paid = 0; paid < 7000; paid++)
            lwp_pace_pay(&pace, rates[i] / 7 + (paid % 7 < rates[i] % 7), lwp_pace_due(&pace, 0));
        assert_true(pace.next_ns == 1000 * LWP_SECOND_NS);
        assert_true(pace.rest == 0);
    }
}

static void a_pace_owes_nothing_after_a_rest(void **state)
{
    (void)state;
    struct lwp_pace pace;
    lwp_pace_set(&pace, 3);
    lwp_pace_pay(&pace, 1, 0);
    assert_true(lwp_pace_due(&pace, 0) == 333333333);
    lwp_pace_pay(&pace, 1, LWP_SECOND_NS);
    lwp_pace_pay(&pace, 1, lwp_pace_due(&pace, 0));
    assert_true(lwp_pace_due(&pace, 0) == LWP_SECOND_NS + 666666666);
    lwp_pace_pay(&pace, 1, lwp_pace_due(&pace, 0));
    assert_true(lwp_pace_due(&pace, 0) == 2 * LWP_SECOND_NS);
    assert_true(lwp_pace_due(&pace, 5 * LWP_SECOND_NS) == 5 * LWP_SECOND_NS);
}

static void paces_do_not_overflow(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1, 2, LWP_PACE_MAX, UINT64_MAX};
    static const uint64_t dues[] = {0, 1, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(rates); i++)
        for (size_t k = 0; k < COUNT_OF(dues); k++) {
            struct lwp_pace pace;
            lwp_pace_set(&pace, rates[i]);
            lwp_pace_pay(&pace, SIZE_MAX, dues[k]);
            assert_true(pace.next_ns >= dues[k]);
            assert_true(pace.next_ns == UINT64_MAX || rates[i] >= LWP_PACE_MAX);
            assert_true(lwp_pace_slice(&pace) >= 1);
        }
}

static void coalesced_frames_go_out_in_one_write(void **state)
{
    (void)state;
    struct fake fake;
    struct diary diary = {.count = 0};
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_watch(outer, write_down, &diary);
    lwp_fault_coalesce(outer, 3, LWP_NEVER);
    const char *const frames[] = {"ab", "cde", "f", "ghi", "j", "kl"};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        assert_int_equal(fake.write_count, i / 3);
        assert_true(lwp_fault_deadline(outer) == LWP_NEVER);
        announce_text(outer, frames[i], (struct lwp_fault_plan){.id = i});
    }
    assert_int_equal(fake.write_count, 2);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abcdefghijkl"));
    for (size_t i = 0; i < COUNT_OF(frames); i++)
        assert_told(&diary.told[i], i, LWP_FAULT_WHOLE, frames[i]);
    lwp_transport_free(outer);
}

static void what_coalesced_is_taken_in_any_parts(void **state)
{
    (void)state;
    for (size_t most = 1; most < 8; most++) {
        struct fake fake;
        struct diary diary = {.count = 0};
        struct lwp_transport *outer = around(&fake, most);
        fake.alternates = true;
        lwp_fault_watch(outer, write_down, &diary);
        lwp_fault_coalesce(outer, 3, LWP_NEVER);
        announce_text(outer, "ab", no_plan);
        announce_text(outer, "cde", no_plan);
        announce_text(outer, "f", no_plan);
        finish(outer);
        assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abcdef"));
        assert_int_equal(fake.offers[0], 6);
        assert_int_equal(diary.count, 3);
        lwp_transport_free(outer);
    }
}

static void coalescing_ends_at_its_deadline(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    move_to(outer, 1000);
    lwp_fault_coalesce(outer, 3, 100);
    announce_text(outer, "ab", no_plan);
    move_to(outer, 1050);
    announce_text(outer, "cd", no_plan);
    assert_true(lwp_fault_deadline(outer) == 1100);
    move_to(outer, 1099);
    assert_int_equal(fake.size, 0);
    move_to(outer, 1100);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abcd"));
    assert_int_equal(fake.write_count, 1);
    announce_text(outer, "ef", no_plan);
    assert_true(lwp_fault_deadline(outer) == 1200);
    lwp_transport_free(outer);
}

static void coalescing_ends_when_it_is_turned_off_or_the_caller_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fake fake;
        struct lwp_transport *outer = around(&fake, SIZE_MAX);
        lwp_fault_coalesce(outer, 3, LWP_NEVER);
        announce_text(outer, "ab", no_plan);
        announce_text(outer, "cd", no_plan);
        if (i < 2)
            lwp_fault_coalesce(outer, i, LWP_NEVER);
        else
            lwp_transport_close(outer, LWP_CLOSE_FIN);
        finish(outer);
        assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abcd"));
        assert_int_equal(fake.write_count, 1);
        assert_int_equal(fake.closed, i == 2);
        lwp_transport_free(outer);
    }
}

static void coalescing_ends_when_the_limit_is_reached(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    uint8_t *large = calloc(1, LIMIT);
    assert_non_null(large);
    lwp_fault_coalesce(outer, 100, LWP_NEVER);
    announce(outer, LIMIT / 4 * 3, no_plan);
    announce(outer, LIMIT / 2, no_plan);
    announce(outer, LIMIT / 2, no_plan);
    say_in_parts(outer, bytes_of(large, LIMIT / 4 * 3), LIMIT);
    assert_int_equal(fake.size, 0);
    say_in_parts(outer, bytes_of(large, LIMIT / 2), LIMIT);
    assert_int_equal(fake.size, LIMIT / 4 * 3);
    say_in_parts(outer, bytes_of(large, LIMIT / 2), LIMIT);
    assert_int_equal(lwp_fault_pending(outer), LIMIT);
    assert_int_equal(fake.size, LIMIT / 4 * 3);
    free(large);
    lwp_transport_free(outer);
}

static void coalescing_composes_with_the_plans_of_its_frames(void **state)
{
    (void)state;
    static const size_t two = 2;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_coalesce(outer, 6, LWP_NEVER);
    announce_text(outer, "ab", no_plan);
    announce_text(outer, "cd", (struct lwp_fault_plan){.not_before_ns = 100});
    announce_text(outer, "efg", (struct lwp_fault_plan){.pieces = &two, .piece_count = 1});
    announce_text(outer, "hi", no_plan);
    announce_text(outer, "jklm",
                  (struct lwp_fault_plan){.closes = true, .how = LWP_CLOSE_FIN, .close_after = 2});
    announce_text(outer, "no", no_plan);
    assert_true(lwp_fault_deadline(outer) == 100);
    finish(outer);
    static const size_t places[] = {4, 6, 7, 11};
    assert_cut_at(&fake, places, COUNT_OF(places));
    assert_int_equal(fake.write_count, 4);
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abcdefghijk"));
    assert_true(fake.closed);
    lwp_transport_free(outer);
}

static void silence_swallows_and_counts_and_closes_nothing(void **state)
{
    (void)state;
    struct diary diary = {.count = 0};
    const struct rig rig = piped(PIPE_ROOM);
    lwp_fault_watch(rig.outer, write_down, &diary);
    announce_text(rig.outer, "late", (struct lwp_fault_plan){.id = 1, .not_before_ns = 100});
    lwp_fault_silence(rig.outer, true);
    announce_text(rig.outer, "frame", (struct lwp_fault_plan){.id = 2});
    say_text(rig.outer, "plain");
    assert_int_equal(lwp_fault_swallowed(rig.outer), 0);
    move_to(rig.outer, 100);
    assert_int_equal(lwp_fault_swallowed(rig.outer), 14);
    assert_int_equal(lwp_fault_written(rig.outer), 0);
    assert_int_equal(lwp_fault_pending(rig.outer), 0);
    assert_hears(rig.peer, "");
    say_text(rig.outer, "more");
    assert_int_equal(lwp_fault_swallowed(rig.outer), 18);
    lwp_fault_silence(rig.outer, false);
    announce_text(rig.outer, "heard", (struct lwp_fault_plan){.id = 3});
    assert_hears(rig.peer, "heard");
    assert_int_equal(diary.count, 3);
    assert_told(&diary.told[0], 1, LWP_FAULT_SWALLOWED, "late");
    assert_told(&diary.told[1], 2, LWP_FAULT_SWALLOWED, "frame");
    assert_told(&diary.told[2], 3, LWP_FAULT_WHOLE, "heard");
    rig_free(&rig);
}

static void silence_does_not_wait_for_the_inner_transport(void **state)
{
    (void)state;
    const struct rig rig = piped(3);
    announce_text(rig.outer, "abcdef", no_plan);
    assert_true(lwp_fault_blocked(rig.outer));
    lwp_fault_silence(rig.outer, true);
    assert_false(lwp_fault_blocked(rig.outer));
    finish(rig.outer);
    assert_int_equal(lwp_fault_swallowed(rig.outer), 3);
    assert_hears(rig.peer, "abc");
    rig_free(&rig);
}

static void silence_keeps_time(void **state)
{
    (void)state;
    static const size_t one = 1;
    const struct rig rig = piped(PIPE_ROOM);
    lwp_fault_silence(rig.outer, true);
    announce_text(rig.outer, "abc",
                  (struct lwp_fault_plan){.pieces = &one, .piece_count = 1, .gap_ns = 10});
    assert_int_equal(lwp_fault_swallowed(rig.outer), 1);
    move_to(rig.outer, 10);
    assert_int_equal(lwp_fault_swallowed(rig.outer), 2);
    lwp_fault_silence(rig.outer, false);
    move_to(rig.outer, 20);
    assert_hears(rig.peer, "c");
    rig_free(&rig);
}

static void what_is_swallowed_does_not_count_for_the_close_of_the_stream(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_close_after(outer, LWP_CLOSE_FIN, 5);
    lwp_fault_silence(outer, true);
    say(outer, fifty());
    assert_false(fake.closed);
    lwp_fault_silence(outer, false);
    say(outer, fifty());
    assert_int_equal(fake.size, 5);
    assert_true(fake.closed);
    lwp_transport_free(outer);
}

static void reading_stops_and_goes_on(void **state)
{
    (void)state;
    const struct rig rig = piped(PIPE_ROOM);
    uint8_t in[8];
    size_t count = 4711;
    say_text(rig.peer, "hello");
    assert_true(lwp_fault_reads(rig.outer));
    lwp_fault_stop_reading(rig.outer, true);
    assert_false(lwp_fault_reads(rig.outer));
    assert_int_equal(lwp_transport_read(rig.outer, in, sizeof(in), &count), LWP_WOULD_BLOCK);
    assert_int_equal(count, 4711);
    say_text(rig.outer, "writing goes on");
    assert_hears(rig.peer, "writing goes on");
    lwp_fault_stop_reading(rig.outer, false);
    assert_true(lwp_fault_reads(rig.outer));
    assert_int_equal(lwp_transport_read(rig.outer, in, sizeof(in), &count), LWP_OK);
    assert_bytes_equal(bytes_of(in, count), lwp_bytes_text("hello"));
    rig_free(&rig);
}

static void no_more_is_held_than_the_limit(void **state)
{
    (void)state;
    const struct rig rig = piped(1);
    size_t count = 0, total = 0;
    lwp_fault_rate(rig.outer, LWP_PACE_MAX);
    while (lwp_transport_write(rig.outer, fifty(), &count) == LWP_OK) {
        total += count;
        assert_in_range(total, 1, LIMIT + 1);
        assert_int_equal(lwp_fault_pending(rig.outer), total - 1);
    }
    assert_int_equal(total, LIMIT + 1);
    assert_int_equal(lwp_transport_write(rig.outer, fifty(), &count), LWP_WOULD_BLOCK);
    assert_hears(rig.peer, "A");
    assert_int_equal(lwp_transport_write(rig.outer, fifty(), &count), LWP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(lwp_transport_write(rig.outer, fifty(), &count), LWP_WOULD_BLOCK);
    rig_free(&rig);
}

static void what_is_held_for_a_peer_that_does_not_read_arrives_when_it_does(void **state)
{
    (void)state;
    const struct rig rig = piped(3);
    size_t count = 0, frames = 0;
    announce(rig.outer, FRAME_SIZE, no_plan);
    while (lwp_transport_write(rig.outer, fifty(), &count) == LWP_OK) {
        assert_int_equal(count, FRAME_SIZE);
        assert_true(lwp_fault_pending(rig.outer) <= LIMIT);
        assert_true(++frames <= LIMIT / FRAME_SIZE);
        if (lwp_fault_announce(rig.outer, FRAME_SIZE, &no_plan) == LWP_FULL)
            break;
    }
    assert_true(frames > 100);
    for (size_t at = 0; at < frames * FRAME_SIZE; at += count) {
        const struct lwp_bytes in = heard(rig.peer);
        count = in.size;
        assert_in_range(count, 1, 3);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(in.data[i], fifty().data[(at + i) % FRAME_SIZE]);
        (void)lwp_fault_flush(rig.outer);
    }
    rig_free(&rig);
}

static void a_frame_waits_for_room_and_then_goes_whole(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    uint8_t *large = malloc(LIMIT);
    size_t count = 0;
    fill_random(large, LIMIT, 9);
    announce(outer, LIMIT / 2, (struct lwp_fault_plan){.not_before_ns = 10});
    announce(outer, LIMIT / 2 + 1, (struct lwp_fault_plan){.not_before_ns = 10});
    say(outer, bytes_of(large, LIMIT / 2));
    assert_int_equal(lwp_transport_write(outer, bytes_of(large, LIMIT / 2), &count),
                     LWP_WOULD_BLOCK);
    assert_int_equal(lwp_fault_pending(outer), LIMIT / 2);
    assert_false(lwp_fault_blocked(outer));
    lwp_fault_advance(outer, 10);
    assert_int_equal(lwp_transport_write(outer, bytes_of(large, LIMIT / 2), &count), LWP_OK);
    assert_int_equal(count, LIMIT / 2);
    assert_int_equal(fake.size, LIMIT / 2);
    free(large);
    lwp_transport_free(outer);
}

static void what_a_frame_will_grow_by_needs_room_as_well(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    uint8_t *large = calloc(1, LIMIT);
    size_t count = 0;
    const struct lwp_damage insert = {.kind = LWP_DAMAGE_INSERT, .bytes = lwp_bytes_text("x")};
    announce(outer, LIMIT / 2, (struct lwp_fault_plan){.not_before_ns = 10});
    announce(outer, LIMIT / 2, (struct lwp_fault_plan){.damage = {&insert, 1, LWP_CRC32}});
    say(outer, bytes_of(large, LIMIT / 2));
    assert_int_equal(lwp_transport_write(outer, bytes_of(large, LIMIT / 2), &count),
                     LWP_WOULD_BLOCK);
    lwp_fault_advance(outer, 10);
    say(outer, bytes_of(large, LIMIT / 2));
    finish(outer);
    assert_int_equal(fake.size, LIMIT + 1);
    free(large);
    lwp_transport_free(outer);
}

static void frames_and_plans_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    struct lwp_damage insert = {.kind = LWP_DAMAGE_INSERT, .bytes = lwp_bytes_text("x")};
    struct lwp_fault_plan plan = {.damage = {&insert, 1, LWP_CRC32}};
    assert_int_equal(lwp_fault_announce(outer, 0, &plan), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_fault_announce(outer, LIMIT, &plan), LWP_FULL);
    assert_int_equal(lwp_fault_announce(outer, SIZE_MAX, &plan), LWP_FULL);
    assert_int_equal(lwp_fault_announce(outer, LIMIT + 1, &no_plan), LWP_FULL);
    plan.damage.count = SIZE_MAX / 2;
    insert.kind = LWP_DAMAGE_XOR;
    insert.bytes = bytes_of(NULL, SIZE_MAX);
    plan = (struct lwp_fault_plan){.damage = {&insert, 1, LWP_CRC32}};
    assert_int_equal(lwp_fault_announce(outer, 1, &plan), LWP_FULL);
    plan = (struct lwp_fault_plan){.piece_count = SIZE_MAX};
    assert_int_equal(lwp_fault_announce(outer, 1, &plan), LWP_FULL);
    say_text(outer, "as it is");
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("as it is"));
    size_t announced = 0;
    while (lwp_fault_announce(outer, 1, &no_plan) == LWP_OK)
        assert_true(++announced < LIMIT);
    assert_int_equal(lwp_fault_announce(outer, 1, &no_plan), LWP_FULL);
    say_text(outer, "x");
    announce(outer, 1, no_plan);
    lwp_transport_free(outer);
}

static void errors_of_the_inner_transport_are_passed_on(void **state)
{
    (void)state;
    static const enum lwp_status errors[] = {LWP_RESET, LWP_IO};
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        for (size_t at = 0; at < FRAME_SIZE; at++) {
            struct fake fake;
            struct diary diary = {.count = 0};
            struct lwp_transport *outer = around(&fake, SIZE_MAX);
            size_t count = 0;
            fake.fails = errors[i];
            fake.fails_at = at;
            lwp_fault_watch(outer, write_down, &diary);
            announce(outer, FRAME_SIZE, (struct lwp_fault_plan){.id = 5});
            announce(outer, FRAME_SIZE, no_plan);
            assert_int_equal(lwp_transport_write(outer, fifty(), &count), errors[i]);
            assert_int_equal(outer->error, ECONNRESET);
            assert_int_equal(lwp_fault_pending(outer), 0);
            assert_int_equal(lwp_fault_flush(outer), errors[i]);
            assert_int_equal(lwp_transport_write(outer, fifty(), &count), errors[i]);
            assert_true(lwp_fault_deadline(outer) == LWP_NEVER);
            assert_int_equal(diary.count, at != 0);
            if (at) {
                assert_int_equal(diary.told[0].fate, LWP_FAULT_CUT);
                assert_int_equal(diary.told[0].size, at);
            }
            lwp_transport_free(outer);
        }
}

static void an_error_without_faults_is_the_inner_ones_each_time(void **state)
{
    (void)state;
    struct fake fake;
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    size_t count = 0;
    fake.fails = LWP_RESET;
    assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_RESET);
    assert_int_equal(outer->error, ECONNRESET);
    fake.fails = LWP_OK;
    say(outer, fifty());
    lwp_transport_free(outer);
}

static void the_hook_is_told_what_went_out_as_damaged(void **state)
{
    (void)state;
    struct fake fake;
    struct diary diary = {.count = 0};
    static const size_t one = 1;
    const struct lwp_damage truncate = {.kind = LWP_DAMAGE_TRUNCATE, .offset = 2};
    const struct lwp_damage nothing = {.kind = LWP_DAMAGE_TRUNCATE, .offset = 0};
    struct lwp_transport *outer = around(&fake, SIZE_MAX);
    lwp_fault_watch(outer, write_down, &diary);
    announce_text(
        outer, "abcdef",
        (struct lwp_fault_plan){
            .id = 1, .damage = {&truncate, 1, LWP_CRC32}, .pieces = &one, .piece_count = 1});
    assert_int_equal(diary.count, 0);
    say_text(outer, "plain");
    announce_text(outer, "ghi",
                  (struct lwp_fault_plan){.id = 2, .damage = {&nothing, 1, LWP_CRC32}});
    finish(outer);
    assert_int_equal(diary.count, 2);
    assert_told(&diary.told[0], 1, LWP_FAULT_WHOLE, "ab");
    assert_int_equal(diary.told[0].touched, 4);
    assert_told(&diary.told[1], 2, LWP_FAULT_WHOLE, "");
    assert_bytes_equal(sent_by(&fake), lwp_bytes_text("abplain"));
    lwp_fault_watch(outer, NULL, NULL);
    announce_text(outer, "x", no_plan);
    assert_int_equal(diary.count, 2);
    lwp_transport_free(outer);
}

static void a_frame_of_which_nothing_is_left_can_still_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct fake fake;
        const struct lwp_damage nothing = {.kind = LWP_DAMAGE_TRUNCATE, .offset = 0};
        struct lwp_transport *outer = around(&fake, SIZE_MAX);
        announce_text(outer, "abc",
                      (struct lwp_fault_plan){.damage = {&nothing, 1, LWP_CRC32},
                                              .not_before_ns = 10,
                                              .closes = true,
                                              .how = ways[i],
                                              .close_after = SIZE_MAX});
        assert_false(fake.closed);
        assert_true(lwp_fault_deadline(outer) == 10);
        finish(outer);
        assert_true(fake.closed && fake.how == ways[i] && fake.size == 0);
        lwp_transport_free(outer);
    }
}

/* A connection in which anything may happen; its bytes are counted through. */
struct life {
    struct fake fake;
    struct lwp_transport *outer;
    uint64_t dice;
    uint64_t now_ns;
    uint8_t next; /* The next byte to be written. */
    size_t owed;  /* Bytes that are announced and not written. */
};

static void life_announces(struct life *life, size_t size)
{
    const size_t pieces[] = {size % 9, size % 4};
    announce(life->outer, size,
             (struct lwp_fault_plan){.pieces = pieces,
                                     .piece_count = size % 3,
                                     .gap_ns = size % 5,
                                     .not_before_ns = life->now_ns + size % 16});
    life->owed += size;
}

static void life_writes(struct life *life, size_t size)
{
    uint8_t bytes[64];
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(life->next + i);
    const enum lwp_status status = lwp_transport_write(life->outer, bytes_of(bytes, size), &count);
    assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
    if (status != LWP_OK)
        return;
    life->next = (uint8_t)(life->next + count);
    life->owed -= count < life->owed ? count : life->owed;
}

static void life_goes_on(struct life *life)
{
    const size_t size = 1 + (size_t)(next_random(&life->dice) >> 20) % 60;
    life->fake.most = size % 7 ? size % 50 : SIZE_MAX;
    life->fake.alternates = size % 2;
    life->now_ns += 10;
    switch (next_random(&life->dice) >> 30 & 7) {
    case 0:
        lwp_fault_rate(life->outer, size % 2 ? 0 : size * 100000000);
        break;
    case 1:
        lwp_fault_coalesce(life->outer, size % 4, size);
        break;
    case 2:
    case 3:
        life_announces(life, size);
        break;
    case 4:
    case 5:
        life_writes(life, size);
        break;
    default:
        lwp_fault_advance(life->outer, life->now_ns);
        (void)lwp_fault_flush(life->outer);
    }
}

static void a_life_at_random_delivers_every_byte_in_order(void **state)
{
    (void)state;
    static struct life life;
    for (uint64_t seed = 1; seed < 300; seed++) {
        life = (struct life){.dice = seed * 4711};
        life.outer = around(&life.fake, SIZE_MAX);
        for (int step = 0; step < 200; step++)
            life_goes_on(&life);
        life.fake.most = SIZE_MAX;
        while (life.owed)
            life_writes(&life, 1);
        lwp_fault_coalesce(life.outer, 0, 0);
        finish(life.outer);
        assert_int_equal((uint8_t)life.fake.size, life.next);
        for (size_t i = 0; i < life.fake.size; i++)
            assert_int_equal(life.fake.bytes[i], (uint8_t)i);
        lwp_transport_free(life.outer);
    }
}

/* The allocation that fails, counted down; none below 0. */
static int failing = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (failing >= 0 && failing-- == 0)
        return NULL;
    return __real_malloc(size);
}

/* A damaged frame and plain bytes; the first status that is not LWP_OK. */
static enum lwp_status speak(struct lwp_transport *outer)
{
    const struct lwp_damage insert = {
        .kind = LWP_DAMAGE_INSERT, .offset = -1, .bytes = lwp_bytes_text("inserted")};
    const struct lwp_fault_plan plan = {.damage = {&insert, 1, LWP_CRC32}, .not_before_ns = 10};
    static uint8_t large[2 * WRITES];
    const struct lwp_bytes words[] = {bytes_of(large, WRITES - 3), lwp_bytes_text("plain"),
                                      bytes_of(large, sizeof(large))};
    enum lwp_status status = lwp_fault_announce(outer, words[0].size, &plan);
    for (size_t i = 0; i < COUNT_OF(words) && status == LWP_OK; i++) {
        size_t count = 0;
        status = lwp_transport_write(outer, words[i], &count);
    }
    return status;
}

static void without_memory_the_connection_ends_and_nothing_leaks(void **state)
{
    (void)state;
    enum lwp_status status = LWP_NO_MEMORY;
    int fails_at = 0;
    for (; status == LWP_NO_MEMORY; fails_at++) {
        static struct fake fake;
        struct lwp_transport *outer = NULL;
        size_t count = 0;
        fake = (struct fake){.transport = {&fake_ops, 0}, .most = SIZE_MAX, .fails = LWP_OK};
        failing = fails_at;
        status = lwp_fault_new(&fake.transport, LIMIT, &outer);
        if (status == LWP_OK)
            status = speak(outer);
        failing = -1;
        if (fails_at > 1 && status != LWP_OK) {
            assert_int_equal(lwp_transport_write(outer, fifty(), &count), LWP_NO_MEMORY);
            assert_int_equal(lwp_fault_pending(outer), 0);
        }
        assert_int_equal(fake.size, 0);
        lwp_transport_free(outer);
    }
    assert_int_equal(status, LWP_OK);
    assert_true(fails_at > 6);
}

static void over_tcp_a_frame_ends_the_connection_after_so_many_bytes(void **state)
{
    (void)state;
    static const size_t pieces[] = {43, 1, 0};
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        for (size_t size = 0; size <= FRAME_SIZE + 1; size += 17) {
            const struct rig rig = rig_over(tcp_over("127.0.0.1:0"));
            const bool reset = ways[i] == LWP_CLOSE_RST;
            uint8_t in[2 * FRAME_SIZE];
            size_t total = 0, count = 0;
            announce(rig.outer, FRAME_SIZE,
                     (struct lwp_fault_plan){.pieces = pieces,
                                             .piece_count = 3,
                                             .closes = true,
                                             .how = ways[i],
                                             .close_after = size});
            say(rig.outer, fifty());
            /* A reset takes what was not read: read it before. */
            while (total < size && total < FRAME_SIZE) {
                assert_int_equal(read_next(rig.peer, in + total, sizeof(in) - total, &count),
                                 LWP_OK);
                total += count;
                assert_int_equal(lwp_fault_flush(rig.outer), LWP_OK);
            }
            finish(rig.outer);
            assert_peer_sees(rig.peer, reset ? LWP_RESET : LWP_CLOSED);
            assert_bytes_equal(bytes_of(in, total), part_of(fifty(), 0, size));
            if (ways[i] == LWP_CLOSE_HALF) {
                say_text(rig.peer, "still");
                assert_int_equal(read_next(rig.outer, in, sizeof(in), &count), LWP_OK);
                assert_bytes_equal(bytes_of(in, count), lwp_bytes_text("still"));
            } else {
                assert_int_equal(lwp_transport_fd(rig.outer), -1);
            }
            rig_free(&rig);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_faults_all_calls_are_those_of_the_inner_transport),
    cmocka_unit_test(frames_are_damaged_and_other_bytes_pass_as_they_are),
    cmocka_unit_test(a_frame_is_one_write_once_it_is_whole),
    cmocka_unit_test(the_plan_is_copied_with_all_it_points_to),
    cmocka_unit_test(every_split_and_every_acceptance_give_the_same_bytes_and_pieces),
    cmocka_unit_test(a_peer_that_reads_after_each_call_reads_exactly_the_pieces),
    cmocka_unit_test(chopped_by_one_each_byte_is_read_alone),
    cmocka_unit_test(a_chopped_frame_is_not_mixed_with_its_neighbours),
    cmocka_unit_test(a_piece_that_a_pipe_takes_in_part_goes_on_where_it_was_left),
    cmocka_unit_test(gaps_pass_between_pieces_and_only_there),
    cmocka_unit_test(a_frame_waits_for_its_time_and_those_behind_wait_for_it),
    cmocka_unit_test(a_write_that_blocked_before_does_not_hide_a_deadline),
    cmocka_unit_test(time_does_not_go_back),
    cmocka_unit_test(a_frame_closes_after_exactly_so_many_bytes),
    cmocka_unit_test(a_peer_on_a_pipe_reads_all_that_came_before_a_close),
    cmocka_unit_test(after_a_close_both_ways_nothing_can_be_written_or_read),
    cmocka_unit_test(after_a_half_close_the_peer_may_speak_and_we_are_swallowed),
    cmocka_unit_test(a_stream_closes_after_exactly_so_many_bytes),
    cmocka_unit_test(bytes_before_any_fault_count_for_the_close_of_the_stream),
    cmocka_unit_test(a_stream_that_is_to_close_inside_a_piece_under_way_closes_there),
    cmocka_unit_test(closing_at_once_drops_what_is_held),
    cmocka_unit_test(the_callers_close_waits_until_all_is_sent_at_its_time),
    cmocka_unit_test(the_callers_second_close_can_only_close_more),
    cmocka_unit_test(the_close_of_a_frame_comes_before_that_of_the_caller),
    cmocka_unit_test(the_callers_reset_waits_for_nothing),
    cmocka_unit_test(a_frame_that_never_becomes_whole_goes_as_it_is_when_the_caller_closes),
    cmocka_unit_test(freeing_drops_what_is_held),
    cmocka_unit_test(a_rate_is_exact_over_any_time),
    cmocka_unit_test(a_rate_saves_nothing_up_while_nothing_is_sent),
    cmocka_unit_test(a_rate_saves_nothing_up_while_the_peer_does_not_read),
    cmocka_unit_test(without_a_rate_all_goes_at_once_again),
    cmocka_unit_test(a_pace_loses_nothing_to_division),
    cmocka_unit_test(a_pace_owes_nothing_after_a_rest),
    cmocka_unit_test(paces_do_not_overflow),
    cmocka_unit_test(coalesced_frames_go_out_in_one_write),
    cmocka_unit_test(what_coalesced_is_taken_in_any_parts),
    cmocka_unit_test(coalescing_ends_at_its_deadline),
    cmocka_unit_test(coalescing_ends_when_it_is_turned_off_or_the_caller_closes),
    cmocka_unit_test(coalescing_ends_when_the_limit_is_reached),
    cmocka_unit_test(coalescing_composes_with_the_plans_of_its_frames),
    cmocka_unit_test(silence_swallows_and_counts_and_closes_nothing),
    cmocka_unit_test(silence_does_not_wait_for_the_inner_transport),
    cmocka_unit_test(silence_keeps_time),
    cmocka_unit_test(what_is_swallowed_does_not_count_for_the_close_of_the_stream),
    cmocka_unit_test(reading_stops_and_goes_on),
    cmocka_unit_test(no_more_is_held_than_the_limit),
    cmocka_unit_test(what_is_held_for_a_peer_that_does_not_read_arrives_when_it_does),
    cmocka_unit_test(a_frame_waits_for_room_and_then_goes_whole),
    cmocka_unit_test(what_a_frame_will_grow_by_needs_room_as_well),
    cmocka_unit_test(frames_and_plans_beyond_the_limit_are_refused),
    cmocka_unit_test(errors_of_the_inner_transport_are_passed_on),
    cmocka_unit_test(an_error_without_faults_is_the_inner_ones_each_time),
    cmocka_unit_test(the_hook_is_told_what_went_out_as_damaged),
    cmocka_unit_test(a_frame_of_which_nothing_is_left_can_still_close),
    cmocka_unit_test(a_life_at_random_delivers_every_byte_in_order),
    cmocka_unit_test(without_memory_the_connection_ends_and_nothing_leaks),
    cmocka_unit_test(over_tcp_a_frame_ends_the_connection_after_so_many_bytes),
};

int main(void)
{
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
