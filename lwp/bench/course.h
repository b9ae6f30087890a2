/* SPDX-License-Identifier: MIT */
/* course.h - where clients are measured: an lwp-mock, and a topic there. */
#ifndef LWP_BENCH_COURSE_H
#define LWP_BENCH_COURSE_H

#include "lwp/bench/load.h"
#include "lwp/bench/mock_process.h"
#include "lwp/bench/places.h"
#include "lwp/client/client.h"
#include "lwp/client/security.h"

enum course_kind {
    COURSE_EMPTY,    /* A topic without records. */
    COURSE_FULL,     /* A topic with COURSE_LOG_SIZE bytes. */
    COURSE_ONE_CORE, /* As COURSE_EMPTY, with client and mock on one processor. */
    COURSE_TLS,      /* As COURSE_EMPTY, with TLS 1.3 and COURSE_CIPHER. */
    COURSE_TEXTS,    /* As COURSE_EMPTY, with texts, and producers pack them. */
    COURSE_PACKED,   /* As COURSE_FULL, with texts, packed: a fetch of as much as a payload has gets
                        one. One processor, so that answers do not come one by one. */
    COURSE_AS_FOUND  /* As COURSE_EMPTY, and clients keep the system's congestion control: the
                        published ones can not choose. */
};

enum {
    COURSE_MOST_LOADS = 16,
    COURSE_LOG_SIZE = 536870912, /* At least so much. */
    COURSE_BATCH_SIZE = 32768    /* The most that is in the payload of the load's frame. */
};

#define COURSE_CIPHER "TLS_AES_256_GCM_SHA384"

struct course {
    enum course_kind kind;
    struct mock_process mock;
    /* Records of 100 bytes, as many as fit a batch. Several different ones where they are packed, all
     * of one size: LZ4 is the faster the better the processor knows the block already. */
    struct load *loads[COURSE_MOST_LOADS];
    size_t load_count;
    uint32_t topic_id;
    struct lwp_client *client; /* For topics. */
    struct lwp_tls_context *tls;
    struct lwp_security security;
    cpu_set_t before; /* Where this thread was. */
};

/** Starts it all, and puts this thread where clients are to be. False, with the reason on standard
 * error, if it can not be had. In both cases for course_close(). */
bool course_open(enum course_kind kind, struct course *course);

/** Ends it. */
void course_close(struct course *course);

/** Changes the topic for a new one, unless it is a full one. False if the mock refuses. */
bool course_clear(struct course *course);

/** The load of the batch with this number. */
static inline const struct load *course_load(const struct course *course, size_t batch)
{
    return course->loads[batch % course->load_count];
}

/** What a client needs to come here. Lives no longer than the course. */
struct lwp_connect_options course_connect_options(const struct course *course);

/** Makes a client's socket cubic, unless the course is as found. */
void course_tune(const struct course *course, int fd);

#endif
