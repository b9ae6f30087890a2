/* SPDX-License-Identifier: MIT */
/*
 * soak.h - producers and consumers against a mock cluster over real sockets, with real time and threads,
 * while nodes, leaders and connections come and go. What the simulation proves one interleaving at a
 * time is seen here at once: in the end every record is accounted for.
 */
#ifndef LWP_SIM_SOAK_H
#define LWP_SIM_SOAK_H

#include <pthread.h>
#include <stdatomic.h>

#include "lwp/lwp.h"
#include "lwp/sim/dice.h"
#include "mock_server/lwpmock.h"

enum {
    SOAK_TOPICS = 3, /* Their ids are 1, 2, 3. */
    SOAK_PRODUCERS = 4,
    SOAK_CONSUMERS = 4,
    SOAK_RECORDS = 1 << 18, /* Of one producer; with so many it rests. */
    SOAK_LARGEST = 600,     /* A value, in bytes. */
    SOAK_SETTLE_MS = 60000, /* For what is pending once all is well. */
    SOAK_CLOSE_MS = 1000,
    SOAK_SLACK_MS = 5000, /* Of a machine that is busy with other things. */
    SOAK_PATH_SIZE = 256
};

/* A record that a producer has taken in; its number is its place. */
struct soak_record {
    uint32_t topic_id;
    uint32_t size;
    unsigned sendings;
    unsigned reports;
    unsigned found; /* In the log. */
    enum lwp_status status;
};

/* What all have in common. */
struct soak {
    struct lwp_mock *mock;
    const struct lwp_security *security; /* NULL: plain. */
    char folder[SOAK_PATH_SIZE];         /* For certificates and places. */
    uint64_t seed;
    atomic_bool is_over;   /* No more records; all is well from now on. */
    atomic_bool is_stored; /* All producers are done. */
};

/* One producer after the other, by the same thread. */
struct soak_producer {
    struct soak *soak;
    unsigned number;
    bool caller_driven;
    struct sim_dice dice;
    pthread_t thread;
    struct lwp_producer *producer;
    struct soak_record records[SOAK_RECORDS];
    unsigned count;
    uint64_t disconnects;
};

/* One consumer after the other, with one place. */
struct soak_consumer {
    struct soak *soak;
    unsigned number;
    bool caller_driven;
    struct sim_dice dice;
    pthread_t thread;
    struct lwp_consumer *consumer;
    char name[16];
    char places[SOAK_PATH_SIZE + 16]; /* The folder. */
    uint32_t topic_id;
    uint64_t offset;   /* Behind what was handed on. */
    uint32_t checksum; /* Of all of it. */
};

/** Says what went wrong and ends the program with status 1. */
__attribute__((format(printf, 2, 3), noreturn)) void soak_fail(const struct soak *soak,
                                                               const char *format, ...);

/** The options of all handles. */
struct lwp_connect_options soak_connect(const struct soak *soak, struct sim_dice *dice,
                                        bool caller_driven);

/** Lets a caller's loop go round until this has passed: waits for the descriptor, and processes. */
void soak_drive_producer(struct lwp_producer *producer, uint64_t duration_ns);

/** What the threads run; the argument is a struct soak_producer or soak_consumer. */
void *soak_produce(void *argument);
void *soak_consume(void *argument);

/** Writes the value of a record, of `size` bytes. */
void soak_write_value(unsigned producer, unsigned number, uint32_t size, uint8_t *value);

/** Whose record this is and which, `size` and all; fails if it is none of the soak's. */
void soak_read_value(const struct soak *soak, const struct lwp_record *record, unsigned *producer,
                     unsigned *number);

/** Reads each log as it is in the end, and judges producers and consumers by it. */
void soak_judge(struct soak *soak, struct soak_producer *const *producers,
                const struct soak_consumer *consumers);

#endif
