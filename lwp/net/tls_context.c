/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/tls_state.h"

enum {
    MAX_CHAIN_SIZE = 65536,  /* Bytes of the certificates that a peer sends. */
    MAX_CHAIN_DEPTH = 8,     /* Certificates between a peer's and an authority's. */
    READ_BUFFER_SIZE = 65536 /* Some records at once, so that a read is seldom a call each. */
};

static const int versions[] = {
    [LWP_TLS_ANY] = 0, [LWP_TLS_1_2] = TLS1_2_VERSION, [LWP_TLS_1_3] = TLS1_3_VERSION};

static enum lwp_status refuse(char *reason, const char *text)
{
    (void)snprintf(reason, LWP_TLS_REASON_SIZE, "%s", text);
    return LWP_INVALID_ARGUMENT;
}

/* OpenSSL did not like what `about` names. */
static enum lwp_status refuse_by_openssl(char *reason, const char *about)
{
    tls_take_errors(about, reason);
    return LWP_INVALID_ARGUMENT;
}

/* OpenSSL would say less than errno does. */
static enum lwp_status check_readable(const char *file, char *reason)
{
    FILE *in = fopen(file, "re");
    if (!in) {
        (void)snprintf(reason, LWP_TLS_REASON_SIZE, "%s: %s", file, strerror(errno));
        return LWP_IO;
    }
    (void)fclose(in);
    return LWP_OK;
}

/* OpenSSL would ask at the terminal. */
static int have_no_password(char *out, int size, int is_new, void *unused)
{
    (void)out;
    (void)size;
    (void)is_new;
    (void)unused;
    return -1;
}

static enum lwp_status take_certificate(SSL_CTX *ssl, const struct lwp_tls_options *options,
                                        char *reason)
{
    const char *file = options->certificate_file;
    const char *key = options->key_file ? options->key_file : file;
    if (!file)
        return key ? refuse(reason, "there is a key and no certificate") : LWP_OK;
    enum lwp_status status = check_readable(file, reason);
    if (status == LWP_OK)
        status = check_readable(key, reason);
    if (status != LWP_OK)
        return status;
    SSL_CTX_set_default_passwd_cb(ssl, have_no_password);
    if (SSL_CTX_use_certificate_chain_file(ssl, file) != 1)
        return refuse_by_openssl(reason, file);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return refuse_by_openssl(reason, key);
    return LWP_OK;
}

/* Whom a server names to clients as the authorities that it trusts. */
static bool name_authorities(SSL_CTX *ssl, const char *file)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (names)
        SSL_CTX_set_client_CA_list(ssl, names);
    return names != NULL;
}

static enum lwp_status take_authorities(struct lwp_tls_context *context,
                                        const struct lwp_tls_options *options, char *reason)
{
    const char *file = options->ca_file;
    if (!file && context->is_server)
        return LWP_OK;
    if (!file)
        return SSL_CTX_set_default_verify_paths(context->ssl) == 1
                   ? LWP_OK
                   : refuse_by_openssl(reason, "the system's authorities");
    const enum lwp_status status = check_readable(file, reason);
    if (status != LWP_OK)
        return status;
    if (SSL_CTX_load_verify_locations(context->ssl, file, NULL) != 1)
        return refuse_by_openssl(reason, file);
    if (context->is_server && !name_authorities(context->ssl, file))
        return refuse_by_openssl(reason, file);
    return LWP_OK;
}

static void decide_verification(struct lwp_tls_context *context,
                                const struct lwp_tls_options *options)
{
    int mode = SSL_VERIFY_PEER;
    if (context->insecure || (context->is_server && !options->ca_file))
        mode = SSL_VERIFY_NONE;
    if (options->certificate_required)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context->ssl, mode, NULL);
    SSL_CTX_set_verify_depth(context->ssl, MAX_CHAIN_DEPTH);
    if (options->judged_at_secs)
        X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context->ssl),
                                   (time_t)options->judged_at_secs);
}

static enum lwp_status take_ciphers(SSL_CTX *ssl, const struct lwp_tls_options *options,
                                    char *reason)
{
    if (options->cipher_list && SSL_CTX_set_cipher_list(ssl, options->cipher_list) != 1)
        return refuse_by_openssl(reason, "the cipher list");
    if (options->cipher_suites && SSL_CTX_set_ciphersuites(ssl, options->cipher_suites) != 1)
        return refuse_by_openssl(reason, "the cipher suites");
    return LWP_OK;
}

static enum lwp_status take_versions(SSL_CTX *ssl, const struct lwp_tls_options *options,
                                     char *reason)
{
    const int least = options->least ? versions[options->least] : TLS1_2_VERSION;
    const int most = options->most ? versions[options->most] : TLS1_3_VERSION;
    if (least > most)
        return refuse(reason, "the least version is above the most");
    if (SSL_CTX_set_min_proto_version(ssl, least) != 1 ||
        SSL_CTX_set_max_proto_version(ssl, most) != 1)
        return refuse_by_openssl(reason, "the versions");
    return LWP_OK;
}

/* Every connection stands for itself: it resumes nothing and is never negotiated anew. And what it
 * holds has limits. */
static void forbid_surprises(SSL_CTX *ssl)
{
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_num_tickets(ssl, 0);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ssl, MAX_CHAIN_SIZE);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_read_buffer_len(ssl, READ_BUFFER_SIZE);
}

static enum lwp_status check_options(bool is_server, const struct lwp_tls_options *options,
                                     char *reason)
{
    if (is_server && !options->certificate_file)
        return refuse(reason, "a server needs a certificate");
    if (is_server && options->insecure)
        return refuse(reason, "only a client can be insecure");
    if (is_server && options->certificate_required && !options->ca_file)
        return refuse(reason, "to require certificates takes the file of an authority");
    if (!is_server && options->certificate_required)
        return refuse(reason, "only a server can require certificates");
    return LWP_OK;
}

static enum lwp_status take_options(struct lwp_tls_context *context,
                                    const struct lwp_tls_options *options, char *reason)
{
    forbid_surprises(context->ssl);
    decide_verification(context, options);
    enum lwp_status status = take_versions(context->ssl, options, reason);
    if (status == LWP_OK)
        status = take_ciphers(context->ssl, options, reason);
    if (status == LWP_OK)
        status = take_certificate(context->ssl, options, reason);
    if (status == LWP_OK)
        status = take_authorities(context, options, reason);
    return status;
}

static enum lwp_status context_new(bool is_server, const struct lwp_tls_options *options,
                                   struct lwp_tls_context **context, char *reason)
{
    enum lwp_status status = check_options(is_server, options, reason);
    if (status != LWP_OK)
        return status;
    ERR_clear_error();
    struct lwp_tls_context *made = calloc(1, sizeof(*made));
    if (made) {
        made->is_server = is_server;
        made->insecure = options->insecure;
        made->method = tls_method_new();
        made->ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    }
    if (!made || !made->method || !made->ssl) {
        (void)refuse(reason, lwp_status_text(LWP_NO_MEMORY));
        status = LWP_NO_MEMORY;
    } else {
        status = take_options(made, options, reason);
    }
    ERR_clear_error();
    if (status == LWP_OK)
        *context = made;
    else
        lwp_tls_context_free(made);
    return status;
}

enum lwp_status lwp_tls_server_new(const struct lwp_tls_options *options,
                                   struct lwp_tls_context **context, char *reason)
{
    return context_new(true, options, context, reason);
}

enum lwp_status lwp_tls_client_new(const struct lwp_tls_options *options,
                                   struct lwp_tls_context **context, char *reason)
{
    return context_new(false, options, context, reason);
}

void lwp_tls_context_free(struct lwp_tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->method);
    free(context);
}
