/* SPDX-License-Identifier: MIT */
/* The program lwp and the examples, against lwp-mock. */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "lwp/tests/folder.h"
#include "mock_server/certs.h"

enum { SAID_SIZE = 65536, COMMAND_SIZE = 8192, DEADLINE_MS = 30000 };

struct scene {
    pid_t mock;
    char address[LWP_ADDRESS_SIZE];
    char folder[FOLDER_SIZE];
    int status;
    char said[SAID_SIZE]; /* On both outputs. */
};

/* Starts a mock with these options, as the shell reads them. */
static void open_scene(struct scene *scene, const char *options)
{
    char command[COMMAND_SIZE];
    char line[128];
    int fds[2];
    (void)snprintf(command, sizeof(command), "exec '%s' %s", LWP_MOCK, options);
    folder_make(scene->folder);
    assert_int_equal(pipe(fds), 0);
    scene->mock = fork();
    assert_true(scene->mock >= 0);
    if (scene->mock == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* A test that fails leaves nobody behind. */
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    FILE *said = fdopen(fds[0], "r");
    assert_non_null(said);
    assert_non_null(fgets(line, sizeof(line), said));
    assert_int_equal(sscanf(line, "listening on %63s", scene->address), 1);
    (void)fclose(said);
}

static int status_after(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void close_scene(struct scene *scene)
{
    assert_int_equal(kill(scene->mock, SIGTERM), 0);
    assert_int_equal(status_after(scene->mock), 0);
    folder_remove(scene->folder);
}

/* Runs a command of the shell, in which $L is the program, $A the address of the mock, $D a folder and $X
 * the one of the examples. */
static void run(struct scene *scene, const char *text)
{
    static char command[COMMAND_SIZE];
    assert_in_range(snprintf(command, sizeof(command),
                             "exec 2>&1; L='%s'; A='%s'; D='%s'; X='%s'; %s", LWP_PROGRAM,
                             scene->address, scene->folder, LWP_EXAMPLES, text),
                    1, COMMAND_SIZE - 1);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    const size_t size = fread(scene->said, 1, sizeof(scene->said) - 1, pipe);
    scene->said[size] = 0;
    const int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    scene->status = WEXITSTATUS(status);
}

static void expect(struct scene *scene, const char *text, int status, const char *said)
{
    run(scene, text);
    if (scene->status != status || strcmp(scene->said, said) != 0)
        fail_msg("%s: status %d, said: %s", text, scene->status, scene->said);
}

static void expect_part(struct scene *scene, const char *text, int status, const char *part)
{
    run(scene, text);
    if (scene->status != status || !strstr(scene->said, part))
        fail_msg("%s: status %d, said: %s", text, scene->status, scene->said);
}

static struct scene scene;

static const char as_deployed[] = "--dialect lance";

/* Its id is 1. */
static void make_topic(void)
{
    expect(&scene, "$L topic create $A records", 0, "1\trecords\n");
}

static void ping_tells_how_long_answers_take(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    expect_part(&scene, "$L ping --count 3 $A", 0, "3 answers, in ms: min ");
    expect_part(&scene, "$L ping --count 2 --pause 1ms lwp://$A", 0, "2 answers");
    close_scene(&scene);
}

static void topics_are_made_listed_changed_and_deleted(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    expect(&scene, "$L topic create $A orders", 0, "1\torders\n");
    expect(&scene, "$L topic create --max-age 1h $A logs", 0,
           "2\tlogs\tmax_age_secs=3600 max_bytes=0\n");
    expect(&scene, "$L topic list $A", 0, "1\torders\n2\tlogs\n");
    expect(&scene, "$L topic get $A logs", 0, "2\tlogs\n");
    expect_part(&scene, "$L topic get --json $A 1", 0, "{\"id\":1,\"name\":\"orders\",");
    expect(&scene, "$L topic retention --max-bytes 1M $A orders", 0, "");
    expect(&scene, "$L topic delete $A logs && $L topic list $A", 0, "1\torders\n");
    expect_part(&scene, "$L status $A", 0, "quorum            yes\n");
    expect_part(&scene, "$L status --json $A", 0, "\"quorum_available\":true}\n");
    close_scene(&scene);
}

static void what_the_server_refuses_is_status_1(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    expect_part(&scene, "$L topic create $A a_b", 1, "lwp topic create: 127.0.0.1:");
    expect_part(&scene, "$L topic get $A 77", 1, "the topic does not exist: Topic not found\n");
    expect_part(&scene, "$L topic get $A nothing", 1, "the topic does not exist\n");
    expect_part(&scene, "$L consume $A nothing", 1, "the topic does not exist\n");
    expect_part(&scene, "echo x | $L produce $A 77", 1, "0 acknowledged, 1 failed\n");
    expect_part(&scene, "$L bench produce --records 3 $A 77", 1, "the topic does not exist");
    close_scene(&scene);
}

static void what_is_not_there_is_status_3(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    expect_part(&scene, "$L ping 127.0.0.1:1", 3, "the connection was refused\n");
    expect_part(&scene, "$L topic list 127.0.0.1:1", 3, "refused");
    expect_part(&scene, "echo x | $L produce 127.0.0.1:1 1", 3, "refused");
    expect_part(&scene, "$L consume 127.0.0.1:1 1", 3, "refused");
    expect_part(&scene, "$L bench fetch 127.0.0.1:1 1", 3, "refused");
    expect_part(&scene, "$L produce $A 1 $D/none", 3, "No such file");
    expect_part(&scene, "$L produce $A 1 $D", 3, "Is a directory");
    expect_part(&scene, "$L ping --count 1 $A >/dev/full", 3, "can not be written");
    close_scene(&scene);
}

static void wrong_usage_is_status_64(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "nothing",
        "topic",
        "topic nothing",
        "bench",
        "bench nothing",
        "ping",
        "ping a b",
        "ping http://a",
        "ping a:b:c",
        "ping --count 0 a",
        "ping --pause 1 a",
        "ping --timeout 1us a",
        "ping --dialect x a",
        "ping --token '' a",
        "ping --token-file /nonexistent a",
        "ping --ca ca.pem a",
        "ping --key k lwp://a",
        "topic create a",
        "topic create --max-age 1500ms a b",
        "topic create --max-bytes x a b",
        "produce a",
        "produce --type null a 1",
        "produce --type 127 a 1",
        "produce --type kv a 1",
        "produce --type raw --key k a 1",
        "produce --key $(printf '\\377') a 1",
        "produce --rate 0 a 1",
        "consume a",
        "consume --from nowhere a 1",
        "consume --from -1 a 1",
        "consume --from stored a 1",
        "consume --format xml a 1",
        "consume --count 0 a 1",
        "consume --offsets '' a 1",
        "consume --name '' --offsets d a 1",
        "bench produce --size 2M a 1",
        "bench produce --records 0 a 1",
        "bench fetch --time 0 a 1",
        "bench fetch --size 1 a 1",
    };
    open_scene(&scene, as_deployed);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char command[256];
        (void)snprintf(command, sizeof(command), "$L %s </dev/null", wrong[i]);
        expect_part(&scene, command, 64, " --help'.\n");
    }
    close_scene(&scene);
}

static void each_command_teaches_by_an_example(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "topic",        "topic create", "topic list", "topic get",    "topic retention",
        "topic delete", "produce",      "consume",    "ping",         "status",
        "bench",        "bench fetch",  "dump",       "bench produce"};
    open_scene(&scene, as_deployed);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        char command[256];
        (void)snprintf(command, sizeof(command), "$L %s --help", commands[i]);
        expect_part(&scene, command, 0, "\nExample");
        expect_part(&scene, command, 0, "Usage: lwp ");
    }
    expect_part(&scene, "$L --help", 0, "\n  64  wrong usage\n");
    expect_part(&scene, "$L --version", 0, "lwp 0.");
    close_scene(&scene);
}

static void lines_come_out_as_they_went_in(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "seq 1 20000 | $L produce $A records", 0,
           "lwp produce: 20000 records: 20000 acknowledged, 0 failed\n");
    expect(&scene, "seq 1 20000 >$D/in; $L consume $A records | cmp - $D/in", 0, "");
    expect(&scene, "$L consume --count 2 --from 12 $A 1", 0, "3\n4\n");
    expect(&scene, "$L consume --from end $A 1", 0, "");
    close_scene(&scene);
}

static void empty_and_unended_lines_are_records(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "printf 'a\\n\\nb' | $L produce --quiet $A 1 && $L consume --format hex $A 1", 0,
           "0 01 1 61\n6 01 0 \n11 01 1 62\n");
    expect(&scene, "$L produce --quiet $A 1 </dev/null", 0, "");
    close_scene(&scene);
}

static void a_file_can_be_one_record(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene,
           "printf 'a\\nb\\n' >$D/one; echo c >$D/two; $L produce --quiet --whole $A 1 $D/one - "
           "$D/two </dev/null && $L consume --format hex $A 1",
           0, "0 01 4 610a620a\n9 01 2 630a\n");
    close_scene(&scene);
}

static void a_line_may_have_16_mib_and_no_more(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "head -c 16000000 /dev/zero | $L produce --quiet $A 1", 0, "");
    expect_part(&scene, "head -c 16777217 /dev/zero | $L produce $A 1", 1,
                "lwp produce: -: record 1: the payload is larger than allowed\n");
    expect_part(&scene, "(echo a; head -c 40000000 /dev/zero) | $L produce $A 1", 1,
                "1 records: 1 acknowledged, 0 failed\n");
    close_scene(&scene);
}

static void types_keys_and_times_are_told(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene,
           "echo v | $L produce --quiet --key k $A 1;"
           "echo t | $L produce --quiet --type ts $A 1;"
           "echo w | $L produce --quiet --type kts --key kk $A 1;"
           "echo u | $L produce --quiet --type 200 $A 1; $L consume $A 1",
           0, "v\nt\nw\nu\n");
    expect(&scene, "$L consume --count 1 --format json $A 1", 0,
           "{\"offset\":0,\"type\":16,\"word\":\"kv\",\"size\":4,\"key\":{\"size\":1,\"text\":"
           "\"k\"},\"value\":{\"size\":1,\"text\":\"v\"}}\n");
    expect_part(&scene, "$L consume --format json $A 1", 0, "\"word\":\"kts\"");
    expect_part(&scene, "$L consume --format json $A 1", 0, "\"timestamp_ns\":1");
    expect_part(&scene, "$L consume --format json $A 1", 0, "\"type\":200,\"word\":\"user\"");
    close_scene(&scene);
}

static void bytes_that_are_no_records_can_be_read(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "echo a | $L produce --quiet $A 1; $L consume --bytes $A 1 | od -An -tx1", 0,
           " 01 01 00 00 00 61\n");
    expect(&scene, "$L consume --bytes --format hex $A 1", 0, "010100000061\n");
    expect_part(&scene, "$L consume --bytes --format json $A 1", 0,
                "{\"offset\":0,\"data\":{\"size\":6,");
    close_scene(&scene);
}

static void a_rate_is_not_exceeded(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    const uint64_t began_ns = lwp_clock_now();
    expect(&scene, "seq 1 21 | $L produce --quiet --rate 100 $A 1", 0, "");
    assert_true(lwp_clock_now() - began_ns >= 200 * LWP_MILLISECOND_NS);
    close_scene(&scene);
}

static void a_consumer_goes_on_behind_what_it_printed(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "seq 1 5 | $L produce --quiet $A 1", 0, "");
    expect(&scene, "$L consume --count 2 --offsets $D $A 1", 0, "1\n2\n");
    expect(&scene, "$L consume --count 1 --offsets $D --from stored $A 1", 0, "3\n");
    expect(&scene, "$L consume --count 1 --offsets $D --name another $A 1", 0, "1\n");
    expect_part(&scene, "$L consume --offsets $D $A 1 >/dev/full", 3, "can not be written");
    expect(&scene, "$L consume --offsets $D $A 1", 0, "4\n5\n");
    expect(&scene, "$L consume --offsets $D $A 1", 0, "");
    expect(&scene, "$L consume --offsets $D --from 24 $A 1", 0, "5\n");
    close_scene(&scene);
}

static void a_damaged_place_is_not_begun_anew(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "echo a | $L produce --quiet $A 1; $L consume --offsets $D $A 1", 0, "a\n");
    expect_part(&scene, "echo x >$D/lwp_1.offset; $L consume --offsets $D $A 1", 3, "damaged");
    expect(&scene, "cat $D/lwp_1.offset", 0, "x\n");
    close_scene(&scene);
}

static void compression_warns_where_consumers_get_it_as_it_is(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect_part(&scene, "seq 1 999 | $L produce --compress $A 1", 0, "as they are");
    close_scene(&scene);
    open_scene(&scene, "--dialect spec");
    expect(&scene, "$L topic create --dialect spec $A a_b", 0, "1\ta_b\n");
    expect(&scene, "seq 1 999 | $L produce --dialect spec --quiet --compress $A a_b", 0, "");
    expect(&scene, "seq 1 999 >$D/in; $L consume --dialect spec $A a_b | cmp - $D/in", 0, "");
    close_scene(&scene);
}

static void a_token_is_shown(void **state)
{
    (void)state;
    open_scene(&scene, "--auth-token secret");
    expect(&scene, "$L topic create --token secret $A records", 0, "1\trecords\n");
    expect(&scene, "echo secret >$D/token; echo a | $L produce --quiet --token-file $D/token $A 1",
           0, "");
    expect_part(&scene, "echo a | $L produce $A 1", 1, "1 failed");
    expect_part(&scene, "$L ping --token wrong $A", 1, "lwp ping: ");
    close_scene(&scene);
}

static void tls_is_spoken_with_its_scheme_only(void **state)
{
    (void)state;
    char problem[LWP_CERTS_PROBLEM_SIZE];
    char folder[FOLDER_SIZE];
    folder_make(folder);
    assert_int_equal(lwp_certs_make(folder, lwp_clock_wall() / LWP_SECOND_NS, true, problem),
                     LWP_OK);
    char options[COMMAND_SIZE / 2];
    (void)snprintf(options, sizeof(options),
                   "--tls-cert %s/server.pem --tls-key %s/server.key --tls-client-ca %s/ca.pem",
                   folder, folder, folder);
    open_scene(&scene, options);
    char command[COMMAND_SIZE / 2];
    static const struct {
        const char *text; /* %s is the folder of the certificates. */
        int status;
        const char *part;
    } rows[] = {
        {"C=%s; $L ping --ca $C/ca.pem --cert $C/client.pem --key $C/client.key lwps://$A", 0,
         "10 answers"},
        {"C=%s; $L ping --ca $C/other-ca.pem --cert $C/client.pem --key $C/client.key lwps://$A", 3,
         "certificate"},
        {"C=%s; $L ping --ca $C/none.pem lwps://$A", 3, "none.pem"},
        {"C=%s; $X/tls $A $C/ca.pem $C/client.pem $C/client.key", 0, "ok"},
        {"C=%s; $X/tls $A $C/ca.pem", 1, ""},
        {"C=%s; $L ping --timeout 2s $A", 1, "lwp ping: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(command, sizeof(command), rows[i].text, folder);
        expect_part(&scene, command, rows[i].status, rows[i].part);
    }
    close_scene(&scene);
    folder_remove(folder);
}

/* --- Signals and terminals. --- */

/* Reads until the text has come; what came is in scene.said. */
static void wait_for_text(int fd, const char *text)
{
    size_t size = 0;
    scene.said[0] = 0;
    while (!strstr(scene.said, text)) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
        const ssize_t got = read(fd, scene.said + size, sizeof(scene.said) - 1 - size);
        if (got <= 0)
            fail_msg("it ended before it said %s: %s", text, scene.said);
        size += (size_t)got;
        scene.said[size] = 0;
    }
}

/* Begins the program on a terminal, whose other end is `*fd`. */
static pid_t begin_on_terminal(int *fd, char **arguments)
{
    const pid_t child = forkpty(fd, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (child == 0) {
        (void)execv(LWP_PROGRAM, arguments);
        _exit(127);
    }
    return child;
}

static void a_terminal_gets_nothing_that_it_would_obey(void **state)
{
    (void)state;
    int fd = -1;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "printf 'a\\033[2Jb\\302\\233c\\\\\\377z\\303\\244' | $L produce --quiet $A 1",
           0, "");
    char *arguments[] = {(char[]){"lwp"}, (char[]){"consume"}, scene.address, (char[]){"1"}, NULL};
    const pid_t child = begin_on_terminal(&fd, arguments);
    wait_for_text(fd, "\n");
    assert_string_equal(scene.said, "a\\x1b[2Jb\\xc2\\x9bc\\x5c\\xffz\xc3\xa4\r\n");
    assert_int_equal(status_after(child), 0);
    (void)close(fd);
    close_scene(&scene);
}

static void a_signal_ends_a_consumer_in_order(void **state)
{
    (void)state;
    int fd = -1;
    open_scene(&scene, as_deployed);
    make_topic();
    expect(&scene, "echo first | $L produce --quiet $A 1", 0, "");
    char *arguments[] = {
        (char[]){"lwp"}, (char[]){"consume"}, (char[]){"--follow"}, (char[]){"--offsets"},
        scene.folder,    scene.address,       (char[]){"1"},        NULL};
    const pid_t child = begin_on_terminal(&fd, arguments);
    wait_for_text(fd, "first");
    assert_int_equal(kill(child, SIGINT), 0);
    assert_int_equal(status_after(child), 0);
    (void)close(fd);
    expect(&scene, "echo second | $L produce --quiet $A 1", 0, "");
    expect(&scene, "$L consume --offsets $D $A 1", 0, "second\n");
    close_scene(&scene);
}

static void a_signal_lets_a_producer_send_what_it_has_read(void **state)
{
    (void)state;
    int fd = -1;
    open_scene(&scene, as_deployed);
    make_topic();
    char *arguments[] = {(char[]){"lwp"}, (char[]){"produce"}, scene.address, (char[]){"1"}, NULL};
    const pid_t child = begin_on_terminal(&fd, arguments);
    assert_int_equal(write(fd, "typed\n", 6), 6);
    wait_for_text(fd, "1 records, 1 acknowledged, 0 failed"); /* Progress, as it goes. */
    assert_int_equal(kill(child, SIGTERM), 0);
    wait_for_text(fd, "lwp produce: 1 records: 1 acknowledged, 0 failed");
    assert_int_equal(status_after(child), 0);
    (void)close(fd);
    expect(&scene, "$L consume $A 1", 0, "typed\n");
    close_scene(&scene);
}

/* --- Measurements and examples. --- */

static void bench_measures_both_ways(void **state)
{
    (void)state;
    open_scene(&scene, as_deployed);
    make_topic();
    expect_part(&scene, "$L bench produce --records 5000 --size 1K $A records", 0,
                "5000 records, 5120000 bytes, ");
    expect_part(&scene, "$L bench fetch $A records", 0, "5000 records, 5120000 bytes, ");
    expect_part(&scene, "$L bench fetch --records 7 $A records", 0, "7 records, ");
    close_scene(&scene);
}

static void each_example_does_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *part;
    } rows[] = {
        {"$X/quick_start $A", "Hello, Lance!\n"},
        {"$X/topics $A", "afterwards: the topic does not exist\n"},
        {"$X/producer $A", "1000 acknowledged, 0 failed"},
        {"$X/batch $A", "3 taken, 3 acknowledged"},
        {"$X/compression $A", "consumers will get the compressed bytes as they are\n"},
        {"$X/consumer $A", "raw: record 4\n"},
        {"$X/seek $A", "0: first\n10: second\n0: first\n"},
        {"$X/offset_store $A $D", "the first run read 3 records, the second 0\n"},
        {"$X/errors $A", "TOPIC_NOT_FOUND"},
    };
    open_scene(&scene, as_deployed);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_part(&scene, rows[i].command, 0, rows[i].part);
    expect_part(&scene, "$X/quick_start 127.0.0.1:1", 1, "the connection was refused\n");
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ping_tells_how_long_answers_take),
        cmocka_unit_test(topics_are_made_listed_changed_and_deleted),
        cmocka_unit_test(what_the_server_refuses_is_status_1),
        cmocka_unit_test(what_is_not_there_is_status_3),
        cmocka_unit_test(wrong_usage_is_status_64),
        cmocka_unit_test(each_command_teaches_by_an_example),
        cmocka_unit_test(lines_come_out_as_they_went_in),
        cmocka_unit_test(empty_and_unended_lines_are_records),
        cmocka_unit_test(a_file_can_be_one_record),
        cmocka_unit_test(a_line_may_have_16_mib_and_no_more),
        cmocka_unit_test(types_keys_and_times_are_told),
        cmocka_unit_test(bytes_that_are_no_records_can_be_read),
        cmocka_unit_test(a_rate_is_not_exceeded),
        cmocka_unit_test(a_consumer_goes_on_behind_what_it_printed),
        cmocka_unit_test(a_damaged_place_is_not_begun_anew),
        cmocka_unit_test(compression_warns_where_consumers_get_it_as_it_is),
        cmocka_unit_test(a_token_is_shown),
        cmocka_unit_test(tls_is_spoken_with_its_scheme_only),
        cmocka_unit_test(a_terminal_gets_nothing_that_it_would_obey),
        cmocka_unit_test(a_signal_ends_a_consumer_in_order),
        cmocka_unit_test(a_signal_lets_a_producer_send_what_it_has_read),
        cmocka_unit_test(bench_measures_both_ways),
        cmocka_unit_test(each_example_does_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
