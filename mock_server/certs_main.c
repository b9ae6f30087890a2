/* SPDX-License-Identifier: MIT */
/* lwp-mock make-certs: certificates to test with. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/certs.h"

enum { EXIT_SET_UP = 3, EXIT_USAGE = 64 };

static const char help[] =
    "lwp-mock make-certs - certificates to test TLS with\n"
    "\n"
    "Usage: lwp-mock make-certs [OPTION]... DIR\n"
    "\n"
    "  --force              replace files that exist\n"
    "  --help\n"
    "\n"
    "Writes to DIR, which is made if it is missing, for --tls-cert, --tls-key and\n"
    "--tls-ca, keys in NAME.key beside NAME.pem:\n"
    "\n"
    "  ca                   the authority\n"
    "  server               for localhost, 127.0.0.1 and ::1\n"
    "  client               the client \"client\"\n"
    "  wrong-host           a server's, for wrong.example\n"
    "  expired              a server's that was valid until yesterday\n"
    "  not-yet-valid        a server's that is valid in 30 days\n"
    "  other-ca             another authority\n"
    "  other-client         the client \"client\" of the other authority\n"
    "\n"
    "They are for tests: the authorities' keys are thrown away, the others lie there\n"
    "unencrypted, of mode 0600.\n"
    "\n"
    "Exit status: 0, 3 if a file exists or can not be written, 64 for wrong usage.\n"
    "\n"
    "Example:\n"
    "  lwp-mock make-certs certs\n";

static int usage(const char *problem)
{
    (void)fprintf(stderr, "lwp-mock make-certs: %s\nTry 'lwp-mock make-certs --help'.\n", problem);
    return EXIT_USAGE;
}

/* Returns -1 if all is well, or the exit status. */
static int read_arguments(int argc, char **argv, bool *force)
{
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    /* 0 begins anew: the program may have read options already. */
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (option != 'f')
            return usage("wrong usage");
        *force = true;
    }
    if (optind + 1 != argc)
        return usage("takes one folder");
    return -1;
}

int certs_main(int argc, char **argv)
{
    char problem[LWP_CERTS_PROBLEM_SIZE];
    bool force = false;
    const int ended = read_arguments(argc, argv, &force);
    if (ended >= 0)
        return ended;
    const char *folder = argv[optind];
    const enum lwp_status status =
        lwp_certs_make(folder, lwp_clock_wall() / LWP_SECOND_NS, force, problem);
    if (status != LWP_OK) {
        (void)fprintf(stderr, "lwp-mock make-certs: %s\n", problem);
        return EXIT_SET_UP;
    }
    (void)printf("certificates are in %s\n", folder);
    return EXIT_SUCCESS;
}
