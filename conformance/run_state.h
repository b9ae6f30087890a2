/* SPDX-License-Identifier: MIT */
/* run_state.h - a case under way; shared by the run_*.c files and nobody else. */
#ifndef LWP_CONFORM_RUN_STATE_H
#define LWP_CONFORM_RUN_STATE_H

#include "conformance/run.h"
#include "lwp/net/link.h"
#include "mock_server/script/frames.h"

enum {
    OWN_CONNECTION = SCRIPT_MAX_CONNECTIONS, /* The runner's own, behind c1 to c16. */
    CONNECTION_COUNT
};

#define DEFAULT_WAIT_NS (2 * UINT64_C(1000000000))

/* What was waited for. */
enum arrival { ARRIVAL_FRAME, ARRIVAL_FIN, ARRIVAL_RESET, ARRIVAL_MALFORMED, ARRIVAL_NONE };

struct peer {
    struct lwp_link link;
    bool open;
    uint64_t last_batch_id;
    bool held;              /* A frame was taken and put back. */
    struct lwp_frame frame; /* The last one that arrived. */
    bool fence_sent;        /* The fence's frame went out with the expect before it. */
    bool close_allowed;     /* The expect before the fence took a close as well. */
    uint64_t fence_batch_id;
};

struct run {
    const struct run_options *options;
    const struct script_case *of;
    struct script_arena *arena;
    struct result *result;
    struct script_variables variables;
    struct peer peers[CONNECTION_COUNT];
    bool holds; /* What was sent last is held back on the connection `holder`. */
    unsigned holder;
    unsigned ordinal;
    unsigned name_count;
    uint64_t began_ns;
    unsigned line;                       /* Of the step under way; 0 if none is. */
    SCRIPT_LIST(struct lwp_bytes) wires; /* Of the events, if there is a sink. */
    struct script_arena wire_arena;
    bool failed;                                 /* The verdict is in: no further step. */
    SCRIPT_LIST(struct lwp_bytes) created_names; /* Names that the case asked to create. */
    SCRIPT_LIST(uint64_t) created_ids;           /* Topics to be deleted afterwards. */
};

/* run_wire.c: connections and what arrives on them. */

/** Opens a connection, authenticated if the target wants that and `authenticate` says so. */
enum lwp_status wire_open(struct run *run, unsigned connection, bool authenticate);

/** Sends bytes as they are. */
void wire_send(struct run *run, unsigned connection, struct lwp_bytes bytes);

/** Sends a control message. */
void wire_send_message(struct run *run, unsigned connection, const struct lwp_message *message);

/** The next thing that arrives until the deadline. A frame is in the peer's `frame`, until the next
 * call. */
enum arrival wire_next(struct run *run, unsigned connection, uint64_t deadline_ns);

/** What an arrival means as a status: LWP_OK for a frame. */
enum lwp_status wire_status(const struct run *run, unsigned connection, enum arrival arrival);

/** Puts the frame back, for the next wire_next(). */
void wire_hold(struct run *run, unsigned connection);

/** Ends a connection from our side. */
void wire_end(struct run *run, unsigned connection, enum script_end how);

/** Closes all connections and frees what they hold. */
void wire_done(struct run *run);

/** Adds to the transcript. */
void wire_note(struct run *run, enum event_kind kind, unsigned connection, struct lwp_bytes bytes);

/* run_steps.c: what the steps of a case do. */

/** Carries out a step. */
void step_carry_out(struct run *run, const struct script_step *step);

/** The verdict is in. */
void step_verdict(struct run *run, const struct script_step *step, enum verdict verdict,
                  const char *reason);

/* run_set_up.c: topics made for a case and deleted after it. */

void set_up_topic(struct run *run, const struct script_step *step);
void set_up_name(struct run *run, const struct script_step *step);

/** Remembers a frame that asks for a topic, so that what comes of it is deleted. */
void set_up_watch_sent(struct run *run, struct lwp_bytes wire);

/** Looks at a frame that came for topics that the case asked for. */
void set_up_watch_received(struct run *run, const struct lwp_frame *frame);

/** Deletes what the case made. */
void set_up_clean(struct run *run);

#endif
