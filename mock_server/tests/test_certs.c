/* SPDX-License-Identifier: MIT */
#include "lwp/tests/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "mock_server/certs.h"

#define NOW_SECS UINT64_C(1700000000)

enum { DAY = 86400, FILES = 14 };

static char folder[FOLDER_SIZE];

static int begin(void **state)
{
    (void)state;
    folder_make(folder);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static const char *path(const char *file)
{
    return folder_path(folder, file);
}

static void make(uint64_t now_secs)
{
    char problem[LWP_CERTS_PROBLEM_SIZE];
    assert_int_equal(lwp_certs_make(folder, now_secs, true, problem), LWP_OK);
    assert_int_equal(ERR_peek_error(), 0);
}

static void make_fails(const char *where, bool force, enum lwp_status status, const char *expected)
{
    char problem[LWP_CERTS_PROBLEM_SIZE] = "";
    assert_int_equal(lwp_certs_make(where, NOW_SECS, force, problem), status);
    assert_non_null(strstr(problem, expected));
    assert_int_equal(ERR_peek_error(), 0);
}

static X509 *read_certificate(const char *file)
{
    FILE *in = fopen(path(file), "r");
    assert_non_null(in);
    X509 *certificate = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(certificate);
    return certificate;
}

/* How somebody who trusts `ca` judges a certificate. */
struct question {
    const char *file;
    const char *ca;
    const char *host; /* NULL: any. */
    int purpose;
    int days; /* From now. */
    int answer;
};

static int judge(const struct question *question)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *certificate = read_certificate(question->file);
    assert_int_equal(X509_STORE_load_file(store, path(question->ca)), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)NOW_SECS + (time_t)question->days * DAY);
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, question->purpose), 1);
    if (question->host && !X509_VERIFY_PARAM_set1_ip_asc(param, question->host))
        assert_int_equal(X509_VERIFY_PARAM_set1_host(param, question->host, 0), 1);
    const int verified = X509_verify_cert(context);
    const int error = X509_STORE_CTX_get_error(context);
    assert_int_equal(verified == 1, error == X509_V_OK);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(certificate);
    ERR_clear_error();
    return error;
}

static void check_answers(const struct question *questions, size_t count)
{
    make(NOW_SECS);
    for (size_t i = 0; i < count; i++)
        if (judge(&questions[i]) != questions[i].answer)
            fail_msg("%s by %s for %s after %d days: %s", questions[i].file, questions[i].ca,
                     questions[i].host ? questions[i].host : "anybody", questions[i].days,
                     X509_verify_cert_error_string(judge(&questions[i])));
}

static void the_right_certificates_are_accepted(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"server.pem", "ca.pem", "localhost", X509_PURPOSE_SSL_SERVER, 0, X509_V_OK},
        {"server.pem", "ca.pem", "127.0.0.1", X509_PURPOSE_SSL_SERVER, 0, X509_V_OK},
        {"server.pem", "ca.pem", "::1", X509_PURPOSE_SSL_SERVER, 364, X509_V_OK},
        {"client.pem", "ca.pem", NULL, X509_PURPOSE_SSL_CLIENT, 0, X509_V_OK},
        {"other-client.pem", "other-ca.pem", NULL, X509_PURPOSE_SSL_CLIENT, 0, X509_V_OK},
    };
    check_answers(questions, COUNT_OF(questions));
}

static void each_wrong_certificate_is_wrong_in_one_way(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"wrong-host.pem", "ca.pem", "localhost", X509_PURPOSE_SSL_SERVER, 0,
         X509_V_ERR_HOSTNAME_MISMATCH},
        {"wrong-host.pem", "ca.pem", "127.0.0.1", X509_PURPOSE_SSL_SERVER, 0,
         X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"wrong-host.pem", "ca.pem", "wrong.example", X509_PURPOSE_SSL_SERVER, 0, X509_V_OK},
        {"expired.pem", "ca.pem", "localhost", X509_PURPOSE_SSL_SERVER, 0,
         X509_V_ERR_CERT_HAS_EXPIRED},
        {"not-yet-valid.pem", "ca.pem", "localhost", X509_PURPOSE_SSL_SERVER, 29,
         X509_V_ERR_CERT_NOT_YET_VALID},
        {"not-yet-valid.pem", "ca.pem", "localhost", X509_PURPOSE_SSL_SERVER, 31, X509_V_OK},
        {"other-client.pem", "ca.pem", NULL, X509_PURPOSE_SSL_CLIENT, 0,
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"client.pem", "ca.pem", NULL, X509_PURPOSE_SSL_SERVER, 0, X509_V_ERR_INVALID_PURPOSE},
        {"server.pem", "ca.pem", NULL, X509_PURPOSE_SSL_CLIENT, 0, X509_V_ERR_INVALID_PURPOSE},
        {"server.pem", "ca.pem", NULL, X509_PURPOSE_SSL_SERVER, 366, X509_V_ERR_CERT_HAS_EXPIRED},
        {"server.pem", "other-ca.pem", NULL, X509_PURPOSE_SSL_SERVER, 0,
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    };
    check_answers(questions, COUNT_OF(questions));
}

static void check_mode(const char *file)
{
    struct stat found;
    const bool is_key = strstr(file, ".key") != NULL;
    assert_int_equal(stat(file, &found), 0);
    assert_int_equal(found.st_mode & 0777, is_key ? 0600 : 0644);
}

static void only_their_owner_can_read_the_keys(void **state)
{
    (void)state;
    const mode_t before = umask(022);
    make(NOW_SECS);
    umask(before);
    assert_int_equal(folder_visit(folder, check_mode), FILES);
}

static void check_key(const char *key_file)
{
    char file[FOLDER_PATH_SIZE];
    const char *dot = strrchr(key_file, '.');
    if (strcmp(dot, ".key") != 0)
        return;
    const char *base = strrchr(key_file, '/') + 1;
    assert_true(snprintf(file, sizeof(file), "%.*s.pem", (int)(dot - base), base) > 0);
    X509 *certificate = read_certificate(file);
    FILE *in = fopen(key_file, "r");
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(key);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static void keys_belong_to_their_certificates(void **state)
{
    (void)state;
    make(NOW_SECS);
    assert_int_equal(folder_visit(folder, check_key), FILES);
}

static void write_text(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void assert_file_is(const char *file, const char *text)
{
    char line[64] = "";
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof(line), in));
    fclose(in);
    assert_string_equal(line, text);
}

static void one_file_that_exists_stops_all(void **state)
{
    (void)state;
    write_text(path("other-client.key"), "precious");
    make_fails(folder, false, LWP_IO, "other-client.key: File exists");
    assert_file_is(path("other-client.key"), "precious");
    assert_int_equal(folder_visit(folder, NULL), 1);
}

static void forced_it_replaces_what_exists(void **state)
{
    (void)state;
    write_text(path("client.key"), "worthless");
    assert_int_equal(chmod(path("client.key"), 0666), 0);
    make(NOW_SECS);
    assert_int_equal(folder_visit(folder, check_key), FILES);
    assert_int_equal(folder_visit(folder, check_mode), FILES);
}

static void nothing_is_written_through_a_link(void **state)
{
    (void)state;
    write_text(path("elsewhere"), "precious");
    assert_int_equal(symlink(path("elsewhere"), path("server.key")), 0);
    make_fails(folder, false, LWP_IO, "server.key: File exists");
    make(NOW_SECS);
    assert_file_is(path("elsewhere"), "precious");
    assert_file_is(path("server.key"), "-----BEGIN PRIVATE KEY-----\n");
}

static void a_folder_that_is_missing_is_made(void **state)
{
    (void)state;
    char problem[LWP_CERTS_PROBLEM_SIZE];
    char below[FOLDER_PATH_SIZE];
    memcpy(below, path("below"), sizeof(below));
    assert_int_equal(lwp_certs_make(below, NOW_SECS, false, problem), LWP_OK);
    assert_int_equal(folder_visit(below, NULL), FILES);
    folder_remove(below);
}

static void problems_name_the_place(void **state)
{
    (void)state;
    char long_name[5000];
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    make_fails(path("no/such"), false, LWP_IO, "no/such: No such file");
    write_text(path("file"), "no folder");
    make_fails(path("file"), true, LWP_IO, "file/ca.pem: Not a directory");
    make_fails(long_name, true, LWP_INVALID_ARGUMENT, "too long");
    make_fails("", true, LWP_INVALID_ARGUMENT, "empty");
    assert_int_equal(mkdir(path("client.pem"), 0700), 0);
    make_fails(folder, true, LWP_IO, "client.pem: ");
    assert_int_equal(rmdir(path("client.pem")), 0);
}

/* The exit status of the command with these words behind it. */
static int run(const char *first, const char *second)
{
    char name[] = "make-certs", one[FOLDER_PATH_SIZE] = "", two[FOLDER_PATH_SIZE] = "";
    char *argv[] = {name, first ? one : NULL, second ? two : NULL, NULL};
    (void)snprintf(one, sizeof(one), "%s", first ? first : "");
    (void)snprintf(two, sizeof(two), "%s", second ? second : "");
    return certs_main(1 + !!first + !!second, argv);
}

static void the_command_says_how_it_went(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL), 64);
    assert_int_equal(run(folder, folder), 64);
    assert_int_equal(run("--forced", folder), 64);
    assert_int_equal(run("--help", NULL), 0);
    assert_int_equal(folder_visit(folder, NULL), 0);
    assert_int_equal(run(folder, NULL), 0);
    assert_int_equal(run(folder, NULL), 3);
    assert_int_equal(run("--force", folder), 0);
    assert_int_equal(folder_visit(folder, NULL), FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_right_certificates_are_accepted, begin, finish),
        cmocka_unit_test_setup_teardown(each_wrong_certificate_is_wrong_in_one_way, begin, finish),
        cmocka_unit_test_setup_teardown(only_their_owner_can_read_the_keys, begin, finish),
        cmocka_unit_test_setup_teardown(keys_belong_to_their_certificates, begin, finish),
        cmocka_unit_test_setup_teardown(one_file_that_exists_stops_all, begin, finish),
        cmocka_unit_test_setup_teardown(forced_it_replaces_what_exists, begin, finish),
        cmocka_unit_test_setup_teardown(nothing_is_written_through_a_link, begin, finish),
        cmocka_unit_test_setup_teardown(a_folder_that_is_missing_is_made, begin, finish),
        cmocka_unit_test_setup_teardown(problems_name_the_place, begin, finish),
        cmocka_unit_test_setup_teardown(the_command_says_how_it_went, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
