/* SPDX-License-Identifier: MIT */
/* certs.h - certificates to test TLS with: those that are right, and those that must be refused. */
#ifndef LWP_MOCK_CERTS_H
#define LWP_MOCK_CERTS_H

#include "lwp/wire/status.h"

enum { LWP_CERTS_PROBLEM_SIZE = 4352 }; /* A path of 4096 characters, and what is wrong with it. */

/**
 * Writes these files to `folder`, which is made if it is missing; its parent must be there. Keys are
 * new ones on the curve P-256, of mode 0600; those of the authorities are not kept.
 *
 *   ca.pem                  the authority, valid for ten years
 *   server.pem, .key        for localhost, 127.0.0.1 and ::1, valid for a year
 *   client.pem, .key        the client `client`
 *   wrong-host.pem, .key    a server's, for wrong.example
 *   expired.pem, .key       a server's that was valid until a day before `now_secs`
 *   not-yet-valid.pem, .key a server's that is valid from 30 days after it
 *   other-ca.pem            another authority
 *   other-client.pem, .key  the client `client` of the other authority
 *
 * `now_secs` is in seconds since the Unix epoch; what is valid is so from a day before. If any of
 * the files exists nothing is written, except if `force` is true, which replaces them.
 *
 * LWP_OK; LWP_INVALID_ARGUMENT if the name of the folder is too long; LWP_IO if a file exists or
 * can not be written, with some perhaps written already; LWP_NO_MEMORY if OpenSSL fails. Then
 * `problem`, LWP_CERTS_PROBLEM_SIZE characters, names the file and says why.
 */
enum lwp_status lwp_certs_make(const char *folder, uint64_t now_secs, bool force, char *problem);

/**
 * `lwp-mock make-certs`, with argv[0] the word `make-certs`. Reads the options, writes the files as
 * of today, and says so. Returns the exit status: 0; 3 if a file can not be written; 64 for wrong
 * usage.
 */
int certs_main(int argc, char **argv);

#endif
