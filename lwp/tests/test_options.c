/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <getopt.h>

#include "lwp/tools/options.h"

struct taken {
    const char *word;
    int flags;
};

static const char *take_word(void *into, const char *value)
{
    ((struct taken *)into)->word = value;
    return strcmp(value, "bad") == 0 ? "no such word" : NULL;
}

static const char *take_flag(void *into, const char *value)
{
    assert_null(value);
    ((struct taken *)into)->flags++;
    return NULL;
}

static const struct lwp_option first[] = {{"word", "W", "a word\nwith a second line", take_word},
                                          {NULL, NULL, NULL, NULL}};
static const struct lwp_option second[] = {{"a-flag-with-a-long-name", NULL, "a flag", take_flag},
                                           {NULL, NULL, NULL, NULL}};
static const struct lwp_program program = {
    .name = "test", .version = "test 1", .before = "<\n", .after = ">\n", {first, second}};

enum { MOST_WORDS = 8, SAID_ROOM = 1024 };

/* Reads the command line; what is printed is in `said`. */
static int read_line(const char *const *words, struct taken *taken, char *said, FILE **stream)
{
    char copies[MOST_WORDS][32], *argv[MOST_WORDS + 1] = {NULL};
    int argc = 0, rest = 0, fds[2];
    for (; words[argc]; argc++) {
        (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    assert_int_equal(fflush(*stream), 0);
    const int kept = dup(fileno(*stream));
    assert_int_equal(pipe(fds), 0);
    assert_true(dup2(fds[1], fileno(*stream)) >= 0);
    optind = 0;
    const int status = lwp_options_read(&program, argc, argv, taken, &rest);
    assert_int_equal(fflush(*stream), 0);
    assert_true(dup2(kept, fileno(*stream)) >= 0);
    close(kept);
    close(fds[1]);
    const ssize_t size = read(fds[0], said, SAID_ROOM - 1);
    assert_true(size >= 0);
    said[size] = '\0';
    close(fds[0]);
    return status < 0 ? -rest : status;
}

static void rows_of_all_lists_take_their_values(void **state)
{
    (void)state;
    char said[SAID_ROOM];
    struct taken taken = {NULL, 0};
    const char *const words[] = {"test", "--word", "w", "--a-flag-with-a-long-name", "x", NULL};
    assert_int_equal(read_line(words, &taken, said, &stderr), -4);
    assert_int_equal(taken.flags, 1);
    assert_string_equal(said, "");
}

static void what_a_row_does_not_take_is_told(void **state)
{
    (void)state;
    char said[SAID_ROOM];
    struct taken taken = {NULL, 0};
    const char *const bad[] = {"test", "--word", "bad", NULL};
    assert_int_equal(read_line(bad, &taken, said, &stderr), LWP_EXIT_USAGE);
    assert_string_equal(said, "test: no such word: bad\nTry 'test --help'.\n");
    const char *const unknown[] = {"test", "--strange", NULL};
    assert_int_equal(read_line(unknown, &taken, said, &stderr), LWP_EXIT_USAGE);
    assert_non_null(strstr(said, "strange"));
    assert_non_null(strstr(said, "Try 'test --help'."));
    const char *const missing[] = {"test", "--word", NULL};
    assert_int_equal(read_line(missing, &taken, said, &stderr), LWP_EXIT_USAGE);
}

static void the_help_is_made_of_the_rows(void **state)
{
    (void)state;
    char said[SAID_ROOM];
    struct taken taken = {NULL, 0};
    const char *const help[] = {"test", "--help", NULL};
    assert_int_equal(read_line(help, &taken, said, &stdout), 0);
    assert_string_equal(said, "<\n"
                              "  --word W             a word\n"
                              "                       with a second line\n"
                              "  --a-flag-with-a-long-name\n"
                              "                       a flag\n"
                              "  --help, --version\n"
                              ">\n");
    const char *const version[] = {"test", "--version", NULL};
    assert_int_equal(read_line(version, &taken, said, &stdout), 0);
    assert_string_equal(said, "test 1\n");
}

static void numbers_have_digits_only_and_keep_their_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-1", "+1", " 1", "1 ",
                                      "1K", "0x", "9",  "3",  "18446744073709551616"};
    uint64_t number = 77;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(lwp_read_number(bad[i], 4, 8, &number));
    assert_int_equal(number, 77);
    assert_true(lwp_read_number("4", 4, 8, &number));
    assert_int_equal(number, 4);
    assert_true(lwp_read_number("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
}

static void sizes_are_binary_multiples(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "K", "1k", "1KB", "1 K", "0", "17179869184G", "5G"};
    uint64_t size = 77;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(lwp_read_size(bad[i], 1, UINT64_C(4) << 30, &size));
    assert_int_equal(size, 77);
    assert_true(lwp_read_size("3", 1, 4, &size) && size == 3);
    assert_true(lwp_read_size("2K", 1, 4096, &size) && size == 2048);
    assert_true(lwp_read_size("32M", 1, UINT32_MAX, &size) && size == 33554432);
    assert_true(lwp_read_size("4G", 1, UINT64_MAX, &size) && size == UINT64_C(4) << 30);
}

static void durations_have_their_unit(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "1", "ms", "1 ms", "1.5s", "-1s", "2m", "1ns", "1d"};
    uint64_t duration_ns = 77;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(lwp_read_duration(bad[i], 60000000000, &duration_ns));
    assert_int_equal(duration_ns, 77);
    assert_true(lwp_read_duration("0", 0, &duration_ns) && duration_ns == 0);
    assert_true(lwp_read_duration("5us", 5000, &duration_ns) && duration_ns == 5000);
    assert_true(lwp_read_duration("40ms", UINT64_MAX, &duration_ns) && duration_ns == 40000000);
    assert_true(lwp_read_duration("1m", UINT64_MAX, &duration_ns) && duration_ns == 60000000000);
    assert_true(lwp_read_duration("1h", UINT64_MAX, &duration_ns) && duration_ns == 3600000000000);
    assert_false(lwp_read_duration("18446744073709551615h", UINT64_MAX, &duration_ns));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_of_all_lists_take_their_values),
    cmocka_unit_test(what_a_row_does_not_take_is_told),
    cmocka_unit_test(the_help_is_made_of_the_rows),
    cmocka_unit_test(numbers_have_digits_only_and_keep_their_range),
    cmocka_unit_test(sizes_are_binary_multiples),
    cmocka_unit_test(durations_have_their_unit),
};

int main(void)
{
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
