/* SPDX-License-Identifier: MIT */
/* broker.h - what a server knows and answers: topics, logs, commits. No frames, no connections. */
#ifndef LWP_MOCK_BROKER_H
#define LWP_MOCK_BROKER_H

#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"
#include "mock_server/broker_options.h"
#include "mock_server/log.h"

struct lwp_broker;

/* What the broker says to a control command: either a control frame or an Ack. */
struct lwp_reply {
    uint8_t command; /* The control frame's code; not used for an Ack. */
    bool is_ack;
    bool hangs_up;            /* The connection ends behind it. */
    uint64_t batch_id;        /* Of the Ack. */
    struct lwp_bytes payload; /* Until the next call of the broker. */
};

/* How a node of a cluster sees it; belongs to whoever runs the cluster. */
struct lwp_cluster_view {
    struct lwp_cluster_status status; /* What GetClusterStatus tells. */
    uint64_t lag_bytes;               /* So much of the end of each log it does not have yet. */
};

/* Who asks, and whom; belongs to the connection. */
struct lwp_asker {
    const struct lwp_dialect *dialect; /* In which the answer is given. */
    bool authenticated;                /* At first: not lwp_broker_guarded(). */
    uint32_t failures;                 /* Wrong tokens so far. */
    struct lwp_bytes client; /* The name in its certificate, or of its token; empty: nobody. What
                                the owner sets must live as long as the connection. */
    const struct lwp_cluster_view *view; /* Of the node that it asks; NULL: a stand-alone server. */
};

/** A broker without topics: LWP_OK or LWP_NO_MEMORY. What the options point to must outlive it.
 * Zeros take their defaults. A token file that can not be read has no tokens. */
enum lwp_status lwp_broker_new(const struct lwp_broker_options *options,
                               struct lwp_broker **broker);

/** Frees the broker and all that it knows; NULL is fine. */
void lwp_broker_free(struct lwp_broker *broker);

/**
 * Sets the time, in nanoseconds since the Unix epoch, for created_at, the rate limit and retention.
 * Passes of retention that have come due since are made up for, as of the time when the last one
 * was due: whoever asks sees what would be there had the clock been watched.
 */
void lwp_broker_set_time(struct lwp_broker *broker, uint64_t epoch_ns);

/** When the next pass of retention is due that may change anything, in nanoseconds since the Unix
 * epoch, or LWP_NEVER: for those who must see it at once, in a listing of memory for example. */
uint64_t lwp_broker_deadline(struct lwp_broker *broker);

/**
 * Answers a control command; a code without a row, or -1, is answered with an error. A right token
 * makes the asker authenticated.
 *
 * LWP_OK, with the answer; LWP_NO_MEMORY: close the connection.
 */
enum lwp_status lwp_broker_control(struct lwp_broker *broker, struct lwp_asker *asker, int command,
                                   struct lwp_bytes payload, struct lwp_reply *reply);

/** The error answer of this text, as the dialect forms it (D2): as a document it has the text's
 * code, and with LWP_TEXT_REDIRECT the argument as its leader_addr (D3). LWP_OK or LWP_NO_MEMORY.
 */
enum lwp_status lwp_broker_error(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                 enum lwp_text text, struct lwp_bytes argument,
                                 struct lwp_reply *reply);

/** The answer that the server is behind and has the log up to `end_offset`, as the dialect forms it
 * (D4): the frame CatchingUp or an error with server_offset. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_broker_catching_up(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                       uint64_t end_offset, struct lwp_reply *reply);

/** Whether connections begin unauthenticated. */
bool lwp_broker_guarded(const struct lwp_broker *broker);

/** Whether authentication was asked for and is off all the same, for want of tokens, as on the
 * deployed server: worth a warning. */
bool lwp_broker_fails_open(const struct lwp_broker *broker);

/**
 * Judges whether an ingest of this asker to this topic is taken: it has authenticated, the topic
 * exists or is the default topic 0, and the access lists let it write.
 *
 * LWP_OK with `*admitted` set; if it is false, `*reply` is the error answer. LWP_NO_MEMORY.
 */
enum lwp_status lwp_broker_admit(struct lwp_broker *broker, const struct lwp_asker *asker,
                                 uint32_t topic_id, bool *admitted, struct lwp_reply *reply);

/** Appends an ingest's payload to a topic that exists. It is visible from the next
 * lwp_broker_flush(). LWP_OK, LWP_FULL past the limit, or LWP_NO_MEMORY. */
enum lwp_status lwp_broker_ingest(struct lwp_broker *broker, uint32_t topic_id,
                                  struct lwp_bytes payload);

/**
 * Makes a topic that is there from the beginning, with these records. The id is at least the next
 * free one; 0 takes that.
 *
 * LWP_OK; LWP_INVALID_ARGUMENT for a name that is empty, too long or taken, and for an id that is not
 * free; LWP_FULL; LWP_NO_MEMORY.
 */
enum lwp_status lwp_broker_add_topic(struct lwp_broker *broker, struct lwp_bytes name, uint64_t id,
                                     struct lwp_bytes records);

/** The id of the topic of this name; 0 if there is none. */
uint64_t lwp_broker_topic_id(const struct lwp_broker *broker, struct lwp_bytes name);

/** The id that the next topic gets. */
uint64_t lwp_broker_next_id(const struct lwp_broker *broker);

/** Undoes what lwp_broker_add_topic() has done since the next id was this one, if nobody has used the
 * topics yet. */
void lwp_broker_take_back(struct lwp_broker *broker, uint64_t next_id);

/** The name of the topic of this id; empty if there is none. A view until topics change. */
struct lwp_bytes lwp_broker_topic_name(const struct lwp_broker *broker, uint64_t id);

/** Gives back memory that a large answer took; ends the life of the last answer. */
void lwp_broker_trim(struct lwp_broker *broker);

/** Makes visible what was ingested. */
void lwp_broker_flush(struct lwp_broker *broker);

/** Whether anything was ingested and not flushed. */
bool lwp_broker_is_dirty(const struct lwp_broker *broker);

/** Tells that a connection ended with so many acks unsent. */
void lwp_broker_lose_acks(struct lwp_broker *broker, size_t count);

/** How many ingests the server believes to be under way although nobody waits for them: 0 without
 * the bug B14. */
size_t lwp_broker_in_flight(const struct lwp_broker *broker);

/** How long the server takes to stop, in nanoseconds: 25 s while lwp_broker_in_flight(), else 0. */
uint64_t lwp_broker_drain_ns(const struct lwp_broker *broker);

/**
 * What is left after the end of the process and a new start: topics and all that was ingested
 * (cut by the bug B4), but no commits, no used-up rate, and the ids go on behind the highest one
 * that is in use. Segments are closed, and retention makes a pass. The owner ends the connections
 * first.
 *
 * LWP_OK, or LWP_NO_MEMORY with some segments not closed.
 */
enum lwp_status lwp_broker_restart(struct lwp_broker *broker);

#endif
