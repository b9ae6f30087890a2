/* SPDX-License-Identifier: MIT */
/* TLS, with an authority of our own and a certificate of ours (mTLS): tls ADDRESS CA [CERT KEY]. */
#include "example.h"

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fputs("usage: tls ADDRESS CA [CERT KEY]\n", stderr);
        return EXIT_FAILURE;
    }
    const struct lwp_tls_options tls = {
        .ca_file = argv[2],
        .certificate_file = argc > 4 ? argv[3] : NULL,
        .key_file = argc > 4 ? argv[4] : NULL,
    };
    char reason[LWP_TLS_REASON_SIZE];
    struct lwp_tls_context *context = NULL;
    if (lwp_tls_client_new(&tls, &context, reason) != LWP_OK) {
        (void)fprintf(stderr, "%s\n", reason);
        return EXIT_FAILURE;
    }

    /* One context for all connections; each later one, redirects included, has TLS, too. */
    const struct lwp_security security = lwp_security_of(context);
    struct lwp_connect_options options = lwp_connect_defaults(argv[1]);
    struct lwp_client *client = NULL;
    struct lwp_details why;
    options.security = &security;
    enum lwp_status status = lwp_client_connect(&options, &client, &why);
    if (status == LWP_OK)
        status = lwp_client_ping(client, NULL);
    (void)printf("%s %s\n", lwp_status_text(status), status == LWP_OK ? "" : why.text);
    lwp_client_close(client);
    lwp_tls_context_free(context);
    return status == LWP_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
