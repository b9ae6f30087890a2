/* SPDX-License-Identifier: MIT */
#include "mock_server/certs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, SERIAL_SIZE = 8, SUFFIX_SIZE = 32 };

#define DAY_SECS 86400

enum use { AUTHORITY, SERVER, CLIENT };

struct certificate {
    const char *file;
    const char *signer;
    const char *name;
    enum use use;
    const char *hosts;
    int from_days;
    int to_days;
};

static const struct certificate certificates[] = {
#define CERTIFICATE(...) {__VA_ARGS__},
#include "mock_server/certs.def"
#undef CERTIFICATE
};

enum { CERTIFICATES = sizeof(certificates) / sizeof(certificates[0]) };

/* What an extension says, in OpenSSL's words. */
struct extension {
    int nid;
    const char *value;
};

static const struct extension extensions[][3] = {
    [AUTHORITY] = {{NID_basic_constraints, "critical,CA:TRUE"},
                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                   {NID_subject_key_identifier, "hash"}},
    [SERVER] = {{NID_basic_constraints, "critical,CA:FALSE"},
                {NID_key_usage, "critical,digitalSignature"},
                {NID_ext_key_usage, "serverAuth"}},
    [CLIENT] = {{NID_basic_constraints, "critical,CA:FALSE"},
                {NID_key_usage, "critical,digitalSignature"},
                {NID_ext_key_usage, "clientAuth"}},
};

/* A certificate with its key. */
struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

struct making {
    const char *folder;
    uint64_t now_secs;
    struct pair made[CERTIFICATES]; /* In the order of the table. */
    char path[PATH_SIZE];           /* The file in hand. */
    char *problem;
};

static enum lwp_status complain(struct making *making, enum lwp_status status, const char *why)
{
    (void)snprintf(making->problem, LWP_CERTS_PROBLEM_SIZE, "%s: %s", making->path, why);
    return status;
}

/* Puts the folder's file NAME.SUFFIX in hand. */
static void take_file(struct making *making, const char *name, const char *suffix)
{
    (void)snprintf(making->path, sizeof(making->path), "%s/%s.%s", making->folder, name, suffix);
}

static const struct pair *signer_of(const struct making *making, size_t at)
{
    size_t signer = 0;
    while (strcmp(certificates[signer].file, certificates[at].signer) != 0)
        signer++;
    return &making->made[signer];
}

static bool add_extension(X509 *certificate, X509 *signer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool add_extensions(const struct certificate *row, X509 *certificate, X509 *signer)
{
    for (size_t i = 0; i < sizeof(extensions[0]) / sizeof(extensions[0][0]); i++) {
        const struct extension *extension = &extensions[row->use][i];
        if (!add_extension(certificate, signer, extension->nid, extension->value))
            return false;
    }
    if (row->use != AUTHORITY &&
        !add_extension(certificate, signer, NID_authority_key_identifier, "keyid:always"))
        return false;
    return !row->hosts || add_extension(certificate, signer, NID_subject_alt_name, row->hosts);
}

/* Numbers at random: two authorities of the same name must not number alike. */
static bool number(X509 *certificate)
{
    uint8_t bytes[SERIAL_SIZE];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), lwp_get64(bytes) >> 1) == 1;
}

static bool set_validity(const struct certificate *row, X509 *certificate, time_t now)
{
    return X509_time_adj_ex(X509_getm_notBefore(certificate), row->from_days, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), row->to_days, 0, &now);
}

static bool set_name(const struct certificate *row, X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)row->name, -1, -1, 0) == 1;
}

/* Fills in and signs. An authority signs itself. */
static bool fill(const struct certificate *row, const struct pair *pair, const struct pair *signer,
                 time_t now)
{
    X509 *certificate = pair->certificate;
    return X509_set_version(certificate, X509_VERSION_3) == 1 && number(certificate) &&
           set_validity(row, certificate, now) && set_name(row, certificate) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate)) == 1 &&
           X509_set_pubkey(certificate, pair->key) == 1 &&
           add_extensions(row, certificate, signer->certificate) &&
           X509_sign(certificate, signer->key, EVP_sha256()) != 0;
}

static enum lwp_status make_pair(struct making *making, size_t at)
{
    const struct certificate *row = &certificates[at];
    struct pair *pair = &making->made[at];
    take_file(making, row->file, "pem");
    pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    if (pair->key && pair->certificate &&
        fill(row, pair, signer_of(making, at), (time_t)making->now_secs))
        return LWP_OK;
    const char *why = ERR_reason_error_string(ERR_peek_error());
    return complain(making, LWP_NO_MEMORY, why ? why : "OpenSSL can not make it");
}

/* Opens the file in hand, which must not exist: nothing is written through a link that somebody
 * left there. NULL, with errno. */
static FILE *create(const struct making *making, mode_t mode)
{
    const int fd = open(making->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out && fd >= 0)
        (void)close(fd);
    return out;
}

/* Writes the certificate, or else the key, to the file in hand. */
static enum lwp_status write_file(struct making *making, const struct pair *pair, bool is_key)
{
    FILE *out = create(making, is_key ? S_IRUSR | S_IWUSR : S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    if (!out)
        return complain(making, LWP_IO, strerror(errno));
    const int written = is_key ? PEM_write_PrivateKey(out, pair->key, NULL, NULL, 0, NULL, NULL)
                               : PEM_write_X509(out, pair->certificate);
    if (fclose(out) == 0 && written == 1)
        return LWP_OK;
    return complain(making, LWP_IO, "can not be written");
}

static enum lwp_status write_pair(struct making *making, size_t at)
{
    const struct certificate *row = &certificates[at];
    take_file(making, row->file, "pem");
    const enum lwp_status status = write_file(making, &making->made[at], false);
    if (status != LWP_OK || row->use == AUTHORITY)
        return status;
    take_file(making, row->file, "key");
    return write_file(making, &making->made[at], true);
}

/* Makes the name of the file in hand free: LWP_IO if there is something and it may not go. */
static enum lwp_status make_way(struct making *making, bool force)
{
    struct stat there;
    if (lstat(making->path, &there))
        return errno == ENOENT ? LWP_OK : complain(making, LWP_IO, strerror(errno));
    if (!force)
        return complain(making, LWP_IO, strerror(EEXIST));
    return unlink(making->path) ? complain(making, LWP_IO, strerror(errno)) : LWP_OK;
}

static enum lwp_status make_way_for_all(struct making *making, bool force)
{
    enum lwp_status status = LWP_OK;
    for (size_t at = 0; at < CERTIFICATES && status == LWP_OK; at++) {
        take_file(making, certificates[at].file, "pem");
        status = make_way(making, force);
        if (status != LWP_OK || certificates[at].use == AUTHORITY)
            continue;
        take_file(making, certificates[at].file, "key");
        status = make_way(making, force);
    }
    return status;
}

static enum lwp_status open_folder(struct making *making, const char *folder)
{
    const size_t size = strlen(folder);
    if (size == 0 || size + SUFFIX_SIZE > sizeof(making->path)) {
        (void)snprintf(making->problem, LWP_CERTS_PROBLEM_SIZE, "the folder's name is %s",
                       size ? "too long" : "empty");
        return LWP_INVALID_ARGUMENT;
    }
    making->folder = folder;
    memcpy(making->path, folder, size + 1);
    return mkdir(folder, S_IRWXU | S_IRWXG | S_IRWXO) && errno != EEXIST
               ? complain(making, LWP_IO, strerror(errno))
               : LWP_OK;
}

static void free_pairs(struct making *making)
{
    for (size_t at = 0; at < CERTIFICATES; at++) {
        X509_free(making->made[at].certificate);
        EVP_PKEY_free(making->made[at].key);
    }
    ERR_clear_error();
}

enum lwp_status lwp_certs_make(const char *folder, uint64_t now_secs, bool force, char *problem)
{
    struct making making = {.now_secs = now_secs, .problem = problem};
    enum lwp_status status = open_folder(&making, folder);
    if (status != LWP_OK)
        return status;
    ERR_clear_error();
    /* All are made before the first is written: what can fail for no fault of the folder's leaves
     * it as it is. */
    for (size_t at = 0; at < CERTIFICATES && status == LWP_OK; at++)
        status = make_pair(&making, at);
    if (status == LWP_OK)
        status = make_way_for_all(&making, force);
    for (size_t at = 0; at < CERTIFICATES && status == LWP_OK; at++)
        status = write_pair(&making, at);
    free_pairs(&making);
    return status;
}
