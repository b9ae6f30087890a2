/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "lwp/net/tls_state.h"

/* A record's first byte is its type (RFC 8446, 5.1). */
enum { FIRST_RECORD_TYPE = 20, LAST_RECORD_TYPE = 23, ALERTS = 1000 };

static const char *text_of(unsigned long error)
{
    const char *text =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    return text ? text : "OpenSSL gives no reason";
}

void tls_take_errors(const char *about, char *reason)
{
    (void)snprintf(reason, LWP_TLS_REASON_SIZE, "%s: %s", about, text_of(ERR_peek_error()));
    ERR_clear_error();
}

/* Whether the peer's alert is about our certificate, or says that it has to have one. */
static bool is_refusal(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

bool tls_is_foreign(const struct tls *tls)
{
    return !tls->established && tls->heard &&
           (tls->first_byte < FIRST_RECORD_TYPE || tls->first_byte > LAST_RECORD_TYPE);
}

static enum lwp_status explain_alert(struct tls *tls, int alert)
{
    const bool refusal = is_refusal(alert);
    (void)snprintf(tls->reason, sizeof(tls->reason), "the peer %s (alert %d, %s)",
                   refusal ? "refuses our certificate" : "ended the connection", alert,
                   SSL_alert_desc_string_long(alert));
    return refusal ? LWP_CERTIFICATE_REFUSED : LWP_TLS_FAILED;
}

static enum lwp_status explain_ours(struct tls *tls, unsigned long error)
{
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
        (void)snprintf(tls->reason, sizeof(tls->reason), "%s", lwp_status_text(LWP_NO_MEMORY));
        return LWP_NO_MEMORY;
    }
    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        (void)snprintf(tls->reason, sizeof(tls->reason), "the peer's certificate is refused: %s",
                       X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl)));
        return LWP_CERTIFICATE_REFUSED;
    }
    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        (void)snprintf(tls->reason, sizeof(tls->reason), "the peer shows no certificate");
        return LWP_CERTIFICATE_REFUSED;
    }
    tls_take_errors(tls->established ? "TLS failed" : "the TLS handshake failed", tls->reason);
    return LWP_TLS_FAILED;
}

enum lwp_status tls_explain(struct tls *tls)
{
    const unsigned long error = ERR_peek_error();
    const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    enum lwp_status status = LWP_TLS_FAILED;
    if (tls_is_foreign(tls))
        (void)snprintf(tls->reason, sizeof(tls->reason),
                       "the peer does not speak TLS: its first byte is 0x%02x", tls->first_byte);
    else if (reason >= ALERTS)
        status = explain_alert(tls, reason - ALERTS);
    else
        status = explain_ours(tls, error);
    ERR_clear_error();
    return status;
}

bool lwp_tls_is_established(const struct lwp_transport *transport)
{
    return tls_of_const(transport)->established;
}

const char *lwp_tls_version(const struct lwp_transport *transport)
{
    const struct tls *tls = tls_of_const(transport);
    return tls->established ? SSL_get_version(tls->ssl) : NULL;
}

const char *lwp_tls_cipher(const struct lwp_transport *transport)
{
    const struct tls *tls = tls_of_const(transport);
    return tls->established ? SSL_get_cipher_name(tls->ssl) : NULL;
}

/* Copies the entry's text, if it is one that can be compared with others. */
static bool copy_name(const X509_NAME_ENTRY *entry, char *name)
{
    unsigned char *text = NULL;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    const bool fits = size > 0 && size < LWP_TLS_NAME_SIZE && !memchr(text, 0, (size_t)size);
    if (fits) {
        memcpy(name, text, (size_t)size);
        name[size] = '\0';
    }
    OPENSSL_free(text);
    return fits;
}

bool lwp_tls_peer_name(const struct lwp_transport *transport, char *name)
{
    const X509 *certificate = SSL_get0_peer_certificate(tls_of_const(transport)->ssl);
    const X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
    name[0] = '\0';
    if (!subject || !tls_of_const(transport)->established)
        return false;
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const bool is_one = at >= 0 && X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0;
    const bool copied = is_one && copy_name(X509_NAME_get_entry(subject, at), name);
    ERR_clear_error();
    return copied;
}

const char *lwp_tls_reason(const struct lwp_transport *transport)
{
    return tls_of_const(transport)->reason;
}
