/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a simulation of clients, producers and consumers against a mock cluster: one thread, virtual
 * time, everything drawn from a seed. The handles of lwp/lwp.h are driven by their caller; all that
 * they wait for passes through sim_pass().
 */
#ifndef LWP_SIM_SIM_H
#define LWP_SIM_SIM_H

#include "lwp/lwp.h"
#include "lwp/sim/dice.h"
#include "mock_server/mock.h"

enum {
    SIM_NODES = 3,
    SIM_TOPICS = 3, /* Their ids are 1, 2, 3. */
    SIM_ACTORS = 6,
    SIM_RECORDS = 2048,       /* Of one seed. */
    SIM_BATCHES = 8192,       /* Of one producer. */
    SIM_LOG_SIZE = 1 << 22,   /* Bytes of a topic's log that are looked at. */
    SIM_PAYLOAD_SIZE = 16384, /* A batch is smaller. */
    SIM_TRACE_LINES = 256,
    SIM_TRACE_BYTES = 240
};

/* What must hold: invariants.def is the list. */
enum sim_invariant {
#define SIM_INVARIANT(name, text) SIM_##name,
#include "lwp/sim/invariants.def"
#undef SIM_INVARIANT
    SIM_INVARIANTS
};

/** Their texts. */
extern const char *const sim_invariant_texts[SIM_INVARIANTS];

/* A line of the trace: a frame's first bytes, or a text. Made readable only when it is shown. */
struct sim_line {
    uint64_t now_ns;
    char who[16];
    const char *sign;                  /* What kind of line: "->", "<-" or "--". */
    const struct lwp_dialect *dialect; /* NULL: a text. */
    size_t size;
    uint8_t bytes[SIM_TRACE_BYTES];
};

struct sim_trace {
    bool verbose; /* Lines are shown at once. */
    uint64_t count;
    struct sim_line lines[SIM_TRACE_LINES]; /* The newest. */
};

/* A record that a producer has taken in. Its number is its place in sim.records. */
struct sim_record {
    uint32_t topic_id;
    uint32_t size;     /* Of the value, in bytes. */
    unsigned producer; /* Counted over all that were opened. */
    unsigned sendings;
    unsigned found; /* In the log. */
    unsigned reports;
    uint64_t batch_id; /* In which it was sent last. */
    enum lwp_status status;
};

/* What has become of the last sending of a batch, as far as the producer can know. */
enum sim_fate {
    SIM_UNSENT,
    SIM_SENT,
    SIM_EXCUSED,       /* An error answer has come since, which may be about it. */
    SIM_EXCUSED_ACKED, /* And then an ack for it, which may have come too late. */
    SIM_LOST,          /* Its connection is gone. */
    SIM_ACKED
};

struct sim;
struct sim_actor;

/* What an actor does. */
struct sim_part {
    /** Opens its handle; false if that failed. */
    bool (*open)(struct sim_actor *actor);
    /** Does one thing. */
    void (*act)(struct sim_actor *actor);
    /** Drives its handle, which is open. */
    void (*process)(struct sim_actor *actor);
    /** When that is due, at the latest. */
    uint64_t (*deadline)(struct sim_actor *actor);
    /** Ends its work, with all faults gone, and closes. */
    void (*finish)(struct sim_actor *actor);
};

/* Where a consumer's place is kept: the bytes of a file in one of the layouts, or a store in memory. */
struct sim_place {
    enum lwp_offset_layout layout;
    uint8_t file[256];
    size_t size;     /* 0: there is none. */
    bool is_failing; /* Now and then a save fails, with the old bytes there or the new ones. */
};

/* A producer, a consumer or a client, one after the other of its kind. */
struct sim_actor {
    struct sim *sim;
    const struct sim_part *part;
    char name[16];
    struct lwp_network network;
    struct lwp_connect_options connect;
    char address[LWP_MOCK_NAME_SIZE];
    bool is_open;
    bool inside;      /* It waits in a call of the library's. */
    uint64_t next_ns; /* When it acts next. */
    uint64_t dials;   /* Connections begun so far. */
    bool ka_asked;    /* A Keepalive of ours is unanswered; */
    unsigned ka_owed; /* and those of the server's that we have not answered. */

    struct lwp_producer *producer;
    struct lwp_producer_options producer_options;
    unsigned number; /* Of the producer. */
    unsigned puts_left;
    uint8_t fates[SIM_BATCHES]; /* enum sim_fate by batch id; */
    uint64_t last_batch;        /* the highest that was sent. */

    struct lwp_consumer *consumer;
    struct lwp_consumer_options consumer_options;
    struct lwp_offset_store *store;
    struct sim_place place;
    uint64_t delivered; /* The offset behind all that was ever handed on. */
    uint64_t expected;  /* Where the next batch begins. */
    uint64_t goal;      /* The end of the log once all was well. */
    uint8_t *image;     /* The log as it was handed on. */
    size_t image_room;

    struct lwp_client *client;
};

/* How well the network works, in one seed. */
struct sim_weather {
    uint64_t latency_ns; /* The longest on the way. */
    size_t pipe_size;    /* Bytes that a connection holds at either end. */
    size_t piece_size;   /* Bytes that travel together, at most. */
    bool calm;           /* Nothing goes wrong at all. */
};

struct sim_wire;

struct sim {
    struct lwp_world world; /* First, so that one is the other. */
    uint64_t seed;
    struct sim_dice dice;
    uint64_t now_ns;
    uint64_t end_ns; /* When the faults end. */
    unsigned passes; /* Since time last passed. */
    const struct lwp_dialect *dialect;
    struct lwp_mock *mock;
    unsigned node_count;
    struct sim_weather weather;
    bool skips; /* The mock may refuse an ingest and store one behind it. */
    struct sim_wire *wires;
    uint64_t fault_ns; /* When the next fault is due. */
    struct sim_actor *actors[SIM_ACTORS];
    unsigned actor_count;
    struct sim_record records[SIM_RECORDS];
    unsigned record_count;
    unsigned producer_count;
    struct sim_trace trace;
};

/* sim.c */

/** Runs one seed. Ends the program at the first invariant that does not hold. */
void sim_run(uint64_t seed, bool verbose);

/** Lets things go on until something has happened or time has passed, at most until `until_ns`. */
void sim_pass(struct sim *sim, uint64_t until_ns);

/** Lets time pass up to `until_ns`. */
void sim_sleep(struct sim *sim, uint64_t until_ns);

/* trace.c */

/** Notes what was decided. */
__attribute__((format(printf, 3, 4))) void sim_note(struct sim *sim, const char *who,
                                                    const char *format, ...);

/** Notes a frame; `sign` is "->" for one that was sent, "<-" for one that came. */
void sim_note_frame(struct sim *sim, const char *who, const char *sign,
                    const struct lwp_frame *frame);

/** Says which invariant does not hold, with what was expected and seen, the newest lines of the trace
 * and the command that shows it again, and ends the program with status 1. */
__attribute__((format(printf, 3, 4), noreturn)) void
sim_fail(const struct sim *sim, enum sim_invariant invariant, const char *format, ...);

/* network.c */

/** lwp_network.dial for an actor, which is `user`: the host is a node's name. */
enum lwp_status sim_dial(void *user, const struct lwp_address *address, uint64_t now_ns,
                         uint64_t deadline_ns, struct lwp_dial **dial);

/** Carries bytes that are due, and forgets connections that are over. Whether anything happened. */
bool sim_carry(struct sim *sim);

/** When sim_carry() next has something to do, or LWP_NEVER. */
uint64_t sim_carry_due(const struct sim *sim);

/** Ends a connection, chosen by dice, so that both sides lose what is on its way. */
void sim_cut(struct sim *sim);

/** Ends all of them: the simulation is over. */
void sim_hang_up(struct sim *sim);

/* faults.c */

/** Makes the mock, its topics, and for all but calm weather a script of what goes wrong. */
void sim_begin_faults(struct sim *sim);

/** Does what is due: connections are lost, nodes go down and up, leaders change. */
bool sim_do_faults(struct sim *sim);

/** Everything works from now on. */
void sim_heal(struct sim *sim);

/* ledger.c */

/** lwp_trace_hook of all actors, which are the `user`: notes the frame, and keeps account of it. */
void sim_saw_frame(void *user, enum lwp_trace_direction direction, const struct lwp_frame *frame);

/** A Keepalive was written. */
void sim_saw_keepalive(struct sim_actor *actor);

/** A connection was begun: what the one before had on its way is lost. */
void sim_saw_dial(struct sim_actor *actor);

/** lwp_producer_options.delivered: the actor is the `user`. */
void sim_saw_report(void *user, const struct lwp_delivery *delivery);

/** Writes the value of a record, whose place in sim.records is `number`. */
void sim_write_value(const struct sim_record *record, unsigned number, uint8_t *value);

/** The number of the record with this value in this topic; fails if none was ever produced. */
unsigned sim_number_of(const struct sim *sim, uint32_t topic_id, const struct lwp_record *record);

/* log.c */

/** Reads the log of a topic from the mock, past everything under test: `*size` bytes, to be freed. */
uint8_t *sim_read_log(struct sim *sim, uint32_t topic_id, size_t *size);

/** Judges the logs against what was sent and reported, and consumers' images against the logs. */
void sim_judge_logs(struct sim *sim);

/* places.c */

/** Makes the actor's store, of a kind that dice choose. */
void sim_store_make(struct sim_actor *actor);

/* actors.c */

extern const struct sim_part sim_producer_part;
extern const struct sim_part sim_consumer_part;
extern const struct sim_part sim_client_part;

/** Draws an actor with this part: its options for life. */
struct sim_actor *sim_actor_new(struct sim *sim, const struct sim_part *part, const char *kind);

/** The deadline of a call by the actor is `deadline_ns`: fails if that is past. */
void sim_judge_in_time(const struct sim_actor *actor, const char *call, uint64_t deadline_ns);

/* memory.c */

/** How many allocations of ours are not freed. */
long sim_allocations(void);

#endif
