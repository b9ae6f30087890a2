/* SPDX-License-Identifier: MIT */
/* broker_options.h - what a server is told at its start: limits, storage, tokens, access lists, and
 * which of the deployed server's bugs it is to have. All zeros is a server like the deployed one. */
#ifndef LWP_MOCK_BROKER_OPTIONS_H
#define LWP_MOCK_BROKER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwp/wire/status.h"

/* Hard limits, so that no client can fill the machine. Past them requests get a storage error, and
 * ingests end the connection, as they do on the deployed server when its disk is full. */
struct lwp_broker_limits {
    size_t max_topics;    /* Default 16384. */
    size_t max_commits;   /* Default 1000000. */
    size_t max_log_bytes; /* Of all logs together. Default 1 GiB. */
    uint32_t max_payload; /* Of a frame, both ways. Default 16 MiB. */
};

/* A token that Authenticate takes. */
struct lwp_token {
    const char *text;
    const char *client; /* Whom it makes of the connection, for access lists; NULL: nobody new. */
};

struct lwp_auth_options {
    bool enabled; /* Whether tokens are asked for at all. */
    const struct lwp_token *tokens;
    size_t token_count;
    const char *token_file; /* More tokens: one a line, and after a blank the client's name. */
    bool write_only;        /* As on the deployed server, where it turns the one gate off. */
    bool strict; /* All but Authenticate and Keepalive needs a token; without tokens nobody gets in.
                    Otherwise as deployed: only ingests need one, and without tokens all get in. */
    uint32_t max_failures; /* So many wrong tokens end a connection; 0: none do. For strict only. */
};

/* A row of the access lists (specification 7). Where there are rows, a client may do to a topic
 * what some row allows. */
struct lwp_access {
    const char *client; /* The name in its certificate or of its token; "*" is everybody. */
    const char *topic;  /* Its name; "*" is all, "0" the default topic. */
    bool read;          /* Get, fetch, subscribe, unsubscribe, commit. */
    bool write;         /* Ingest, create, delete, set retention. */
};

/* The rows of a file, which they point into. */
struct lwp_access_list {
    struct lwp_access *rows;
    size_t count;
    char *text;
};

/**
 * Reads access lists: a row a line, `CLIENT TOPIC RIGHTS` with blanks between them, where the rights
 * are `r`, `w` or `rw`. Blank lines and lines that begin with # are passed over. A file without rows
 * gives a list without, which allows everything.
 *
 * LWP_OK                `*list` is the caller's, for lwp_access_done().
 * LWP_IO                the file can not be read (errno set; EFBIG: more than 1 MiB).
 * LWP_INVALID_ARGUMENT  line number `*line` is not a row, or is one more than 16384.
 * LWP_NO_MEMORY
 */
enum lwp_status lwp_access_read(const char *name, struct lwp_access_list *list, size_t *line);

/** Frees the rows and the text; harmless on a list that is all zeros. */
void lwp_access_done(struct lwp_access_list *list);

/* The strings and arrays must outlive the broker. */
struct lwp_broker_options {
    struct lwp_broker_limits limits;
    struct lwp_auth_options auth;
    const struct lwp_access *access;
    size_t access_count;
    uint64_t rate_limit; /* Bytes per second that all fetches together may ask for; 0: no limit. */
    size_t segment_size; /* A segment that holds so many bytes is closed. Default 1 GiB. */
    uint64_t retention_interval_ns; /* Between two passes of retention. Default 60 s. */
    uint32_t quirks; /* lwp_quirk_bit() of each bug of the deployed server that it is to have. */
};

#endif
