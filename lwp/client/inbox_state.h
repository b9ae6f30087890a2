/* SPDX-License-Identifier: MIT */
/* inbox_state.h - what an inbox knows; for inbox*.c only. */
#ifndef LWP_CLIENT_INBOX_STATE_H
#define LWP_CLIENT_INBOX_STATE_H

#include "lwp/client/inbox.h"
#include "lwp/session/queue.h"

enum {
    INBOX_FLIGHTS = LWP_INBOX_MAX_AHEAD + 2, /* Fetches, the end, a commit. */
    INBOX_PIECES = 64
};

/* What an answer is for. */
enum inbox_purpose { INBOX_DATA, INBOX_TAIL, INBOX_END, INBOX_COMMIT };

/* A request that is on its way. */
struct inbox_flight {
    enum inbox_purpose purpose;
    bool stale; /* Its answer is of no use any more: a seek, or a wrong guess of its offset. */
    struct lwp_request request;
};

/* Some of the waiting bytes, and where in the log they come from. */
struct inbox_piece {
    size_t size;
    uint64_t start_offset;
    uint64_t end_offset;
    bool compressed; /* Its bytes have no offsets of their own. */
};

struct lwp_inbox {
    struct lwp_inbox_options options;
    bool connected;
    struct inbox_flight flights[INBOX_FLIGHTS]; /* In the order of their answers. */
    unsigned flight_count;
    struct inbox_flight next; /* What lwp_inbox_next() gave. */

    uint64_t position; /* Where the next answer should begin. */
    uint64_t offset;   /* Behind what was handed on. */
    bool seeks_end;    /* The position is the end, which is not known yet. */
    bool skips;        /* It is found by reading on and dropping all. */
    bool plenty;       /* The last answer was full: so may be those behind it. */
    bool at_end;       /* The last answer was empty. */
    uint64_t not_before_ns;
    struct lwp_backoff backoff;
    unsigned catch_ups;     /* Without progress. */
    uint64_t server_offset; /* Of the last of them. */

    struct lwp_queue queue; /* Bytes that wait, those handed on last in front. */
    struct lwp_bytes lent;  /* The same behind those, where they came. */
    bool lends;             /* The frame that is being taken stays where it is. */
    size_t handed;          /* Of all that, what was handed on. */
    struct inbox_piece pieces[INBOX_PIECES];
    unsigned piece_count;

    bool has_failed; /* `failure` is to be told. */
    struct lwp_details failure;
    bool has_redirect;
    struct lwp_details redirect;
    bool wants_end, has_end;
    uint64_t end_offset;
    struct lwp_details end;
    bool wants_commit, has_commit;
    uint64_t commit_offset;    /* To be committed. */
    uint64_t committed_offset; /* What the server told. */
    struct lwp_details commit;
    struct lwp_inbox_statistics statistics;
};

/* inbox.c */

/** What is on its way to fetch data will come from the wrong place. */
void inbox_make_stale(struct lwp_inbox *inbox);

/* inbox_buffer.c */

/** Whether one more answer may come, with `flights` on their way already. */
bool inbox_has_room(const struct lwp_inbox *inbox, unsigned flights);

/** Keeps the data of an answer, or notes where it is lent: LWP_OK, LWP_NO_MEMORY, or what is wrong with
 * compressed data. */
enum lwp_status inbox_keep(struct lwp_inbox *inbox, const struct inbox_piece *piece,
                           struct lwp_bytes data);

/** Forgets all that waits. */
void inbox_drop(struct lwp_inbox *inbox);

/** Gives back what was handed on: its reader is done with it. */
void inbox_release(struct lwp_inbox *inbox);

#endif
