/* SPDX-License-Identifier: MIT */
/* server.h - the server that a command speaks with: the options that say where it is and how to
 * speak, the connection, and what is said when it fails. */
#ifndef LWP_TOOLS_SERVER_H
#define LWP_TOOLS_SERVER_H

#include <stdio.h>

#include "lwp/lwp.h"
#include "lwp/tools/command.h"
#include "lwp/tools/options.h"

struct json_object;

enum { SERVER_TOKEN_SIZE = 4096 };

/* The first member of a command's arguments, so that the rows of `server_options` find it. Begin
 * with server_defaults(), end with server_done(). */
struct server {
    const char *address;                /* As it was given, without the scheme. */
    struct lwp_connect_options connect; /* Ready after server_prepare(). */
    struct lwp_tls_options tls;
    struct lwp_tls_context *context;
    struct lwp_security security;
    char token[SERVER_TOKEN_SIZE];
};

/* --dialect, --token, --token-file, --ca, --cert, --key, --timeout. */
extern const struct lwp_option server_options[];

/** The library's defaults, driven by the caller: so no thread is left when signals are blocked. */
struct server server_defaults(void);

/**
 * Takes the address, with its scheme or without, and reads what TLS needs. TLS is spoken with lwps://
 * and never else: options of TLS with another address are wrong usage, so that nobody believes to be
 * safe who is not.
 *
 * Returns -1, or the exit status with which to end after all is said.
 */
int server_prepare(const struct lwp_program *program, struct server *server, const char *address);

/**
 * Reads the command line of a command with exactly `count` words, of which the first one is the address,
 * and prepares the server. `arguments` begins with a struct server.
 *
 * Returns -1, with the words at the end of `argv`, where getopt puts them; or the exit status with
 * which to end after all is said.
 */
int server_read(const struct lwp_program *program, int argc, char **argv, void *arguments,
                int count);

/** Frees what server_prepare() made. */
void server_done(struct server *server);

/** Says that a request of the command has failed, with what the server told; returns EXIT_FAULT. */
int server_failed(const struct lwp_program *program, const struct server *server,
                  const struct lwp_details *why);

/** Says that there is no connection; returns EXIT_OUT_OF_REACH, or EXIT_FAULT if the server was
 * reached and does not let us in. */
int server_unreached(const struct lwp_program *program, const struct server *server,
                     const struct lwp_details *why);

/** Connects a client, to be closed with lwp_client_close(): -1, or the exit status after all is said.
 */
int server_connect(const struct lwp_program *program, const struct server *server,
                   struct lwp_client **client);

/** The same as server_failed() for what the client's last request tells. */
int server_refused(const struct lwp_program *program, const struct server *server,
                   struct lwp_client *client);

/** The id of a topic: the number that the text is, or else that of the topic of this name. LWP_OK,
 * LWP_TOPIC_NOT_FOUND, or why the server can not be asked. */
enum lwp_status server_topic_id(struct lwp_client *client, const char *text, uint32_t *topic_id);

/** The same for commands that have no client yet: -1, or the exit status after all is said. */
int server_find_topic(const struct lwp_program *program, const struct server *server,
                      const char *text, uint32_t *topic_id);

/** Prints the object as one line, and gives it back to json-c. NULL, for no memory, prints nothing. */
void server_print_json(struct json_object *object);

/** Says that standard output can not be written, if that is so: EXIT_SOUND or EXIT_OUT_OF_REACH. */
int server_flush_output(const struct lwp_program *program);

#endif
