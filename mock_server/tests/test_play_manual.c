/* SPDX-License-Identifier: MIT */
/* The examples of docs/script.md, played by a client that does a bit of everything: each does what
 * the comment above it says, and the same each time. */
#include "mock_server/script/file.h"
#include "mock_server/tests/play.h"

enum { MAX_EXAMPLES = 32, EXAMPLE_ROOM = 4096, ROUNDS = 200 };

static char examples[MAX_EXAMPLES][EXAMPLE_ROOM];
static size_t example_count;

/* A case for clients says besides its rules what the client is told to do and reports. */
static bool is_about_the_client(const char *line)
{
    static const char *const words[] = {"case ", "text ", "req ", "run ", "expect report "};
    line += strspn(line, " ");
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strncmp(line, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static void add_example(const char *from, const char *to)
{
    assert_true(example_count < MAX_EXAMPLES && to - from < EXAMPLE_ROOM - 32);
    char *out = examples[example_count++];
    if (strstr(from, "\ncase ") && strstr(from, "\ncase ") < to)
        out += sprintf(out, "scenario of-a-case\ntopic orders id=1\n");
    while (from < to) {
        const char *end = strchr(from, '\n');
        if (!is_about_the_client(from))
            out += sprintf(out, "%.*s\n", (int)(end - from), from);
        from = end + 1;
    }
}

static int read_examples(void **state)
{
    (void)state;
    size_t size = 0;
    char *manual = script_slurp(LWP_SOURCE_DIR "/docs/script.md", &size);
    static const char fence[] = "\n```lwps\n";
    assert_non_null(manual);
    for (char *at = manual; (at = strstr(at, fence));) {
        char *from = at + sizeof(fence) - 1;
        at = strstr(from, "\n```");
        assert_non_null(at);
        add_example(from, at + 1);
    }
    free(manual);
    return example_count >= 11 ? 0 : -1;
}

/* The example that has this line. */
static const char *example_with(const char *line)
{
    for (size_t i = 0; i < example_count; i++)
        if (strstr(examples[i], line))
            return examples[i];
    fail_msg("no example has %s", line);
    return NULL;
}

/* The number of the connection to go on with: another one, if the mock has ended it. */
static size_t keep(struct play *play, size_t peer, const char *node)
{
    return peer_at(play, peer)->freed ? dial_on(play, node) : peer;
}

/* Does a bit of everything on two connections. */
static void do_all(struct play *play)
{
    const char *second_node = play->mock->node_count > 1 ? play->mock->nodes[1]->name : NULL;
    size_t one = dial(play), two = dial_on(play, second_node);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        one = keep(play, one, NULL);
        two = keep(play, two, second_node);
        ingest(play, one, round);
        if (round % 7 == 0)
            say(play, one, "keepalive");
        if (round % 11 == 0)
            ingest(play, two, round);
        if (round % 5 == 0)
            say(play, two, "keepalive ; fetch topic_id=1 start_offset=0 max_bytes=100");
        if (round == 50)
            say(play, one, "create-topic name=\"other\" ; list-topics ; get-topic topic_id=1");
        pass_ms(play, 10);
    }
    pass_ms(play, 2000);
}

/* All that the peers have heard, byte by byte and when; the caller frees it. */
static char *heard_by_all(struct play *play)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t peer = 1; peer <= play->peer_count; peer++) {
        const struct lwp_bytes came = bytes_heard(play, peer);
        (void)fprintf(out, "%zu: %s\n", peer, pieces(play, peer));
        for (size_t i = 0; i < came.size; i++)
            (void)fprintf(out, "%02x", came.data[i]);
    }
    (void)fclose(out);
    return text;
}

static char *play_example(const char *example)
{
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example);
    do_all(&play);
    if (strstr(verdict(&play), "never fired"))
        fail_msg("%s: %s", example, verdict(&play));
    char *text = heard_by_all(&play);
    play_drop(&play);
    return text;
}

static void each_example_fires_and_gives_the_same_bytes_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < example_count; i++) {
        char *once = play_example(examples[i]);
        char *twice = play_example(examples[i]);
        assert_true(strlen(once) > (size_t)100 * LWP_HEADER_SIZE);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

/* What the peer hears that ingests so often, a keepalive behind that. */
static void check_ingests(const char *line, unsigned count, const char *expected,
                          const char *expected_store)
{
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example_with(line));
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, count);
    pass_ms(&play, 50);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, expected);
    assert_string_equal(stored(&play), expected_store);
    play_end(&play);
}

static void ingests_fare_as_the_examples_say(void **state)
{
    (void)state;
    check_ingests("scenario slow-down", 4,
                  "ack batch_id=1; ack batch_id=2; ack batch_id=3; backpressure; ack batch_id=4; "
                  "@50 keepalive",
                  "abcd");
    check_ingests("scenario held-acks", 5,
                  "ack batch_id=1; ack batch_id=2; ack batch_id=3; ack batch_id=5; @50 keepalive",
                  "abce");
    check_ingests("scenario answers", 4,
                  "error-response {\"code\":48,\"message\":\"Rate limit exceeded\","
                  "\"details\":{\"retry_after_ms\":100}}; "
                  "error-response {\"code\":32,\"message\":\"Not the leader\","
                  "\"details\":{\"leader_addr\":\"127.0.0.1:1\"}}; "
                  "ack batch_id=3; ack batch_id=4; @40 backpressure; @50 keepalive",
                  "cd");
    check_ingests("scenario states", 5,
                  "ack batch_id=1; ack batch_id=2; ack batch_id=3; error-response I/O error: ; "
                  "error-response I/O error: ; @50 keepalive",
                  "abc");
    check_ingests("scenario triggers", 10,
                  "ack batch_id=1; ack batch_id=2; ack batch_id=3; ack batch_id=4; ack batch_id=4; "
                  "ack batch_id=5; ack batch_id=6; ack batch_id=6; ack batch_id=7; ack batch_id=8; "
                  "ack batch_id=8; ack batch_id=9; ack batch_id=10; ack batch_id=10; "
                  "@50 keepalive",
                  "abcdefghij");
}

static void a_keepalive_comes_with_two_bytes_behind_it(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example_with("scenario answers"));
    say(&play, dial(&play), "keepalive");
    assert_pieces(&play, 1, "46");
    play_drop(&play);
}

static void fetches_fare_as_the_example_says(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example_with("scenario catching-up"));
    const size_t peer = dial(&play);
    for (int i = 0; i < 4; i++)
        say(&play, peer, "fetch topic_id=1 max_bytes=26");
    assert_heard(&play, peer,
                 "catching-up server_offset=0; catching-up server_offset=10; "
                 "fetch-response next_offset=20 bytes_returned=20 record_count=1 "
                 "[json 5 \"hello\", json 5 \"world\"]; "
                 "fetch-response next_offset=26 bytes_returned=26 record_count=1 "
                 "[json 8 \"orders-0\", json 8 \"orders-1\"]");
    play_end(&play);
}

static void bytes_travel_as_the_examples_say(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example_with("scenario damage"));
    ingest_many(&play, dial(&play), 1, 2);
    assert_heard(&play, 1, "ack batch_id=1; HEADER_CHECKSUM");
    play_end(&play);
    play_begin(&play, &lwp_dialect_lance, example_with("scenario pieces"));
    ingest_many(&play, dial(&play), 1, 5);
    assert_pieces(&play, 1, "1 1 42 1 1 42 1 1 42 1 1 42 1 1 18");
    assert_string_equal(strrchr(heard(&play, 1), ' '), " rst");
    play_end(&play);
}

static void another_node_leads_as_the_example_says(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, &lwp_dialect_lance, example_with("scenario new-leader"));
    const size_t a = dial_on(&play, "A"), b = dial_on(&play, "B");
    ingest_many(&play, a, 1, 3);
    ingest(&play, b, 3);
    assert_heard(&play, a,
                 "ack batch_id=1; ack batch_id=2; error-response {\"code\":32,\"message\":\"Not "
                 "the leader\",\"details\":{\"leader_addr\":\"B:1992\"}}");
    assert_heard(&play, b, "ack batch_id=3");
    play_end(&play);
}

static void a_client_is_judged_as_the_example_says(void **state)
{
    (void)state;
    for (int is_good = 0; is_good < 2; is_good++) {
        struct play play;
        play_begin(&play, &lwp_dialect_lance, example_with("scenario judged"));
        const size_t peer = dial(&play);
        for (unsigned id = 1; id <= 3; id++) {
            ingest(&play, peer, id);
            pass_ms(&play, 10);
        }
        assert_heard(&play, peer, "ack batch_id=1; @10 ack batch_id=2; @20 backpressure");
        if (is_good) {
            pass_ms(&play, 100);
            hang_up(&play, peer);
            play_end(&play);
            continue;
        }
        for (unsigned id = 4; id <= 9; id++) {
            ingest(&play, peer, id);
            pass_ms(&play, 10);
        }
        hang_up(&play, peer);
        assert_verdict(&play, "t:8:3: expected none of these, saw 1\n"
                              "t:9:3: expected a rate <= 100%, saw 3 before and 6 behind\n");
        play_drop(&play);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_example_fires_and_gives_the_same_bytes_twice),
    cmocka_unit_test(ingests_fare_as_the_examples_say),
    cmocka_unit_test(a_keepalive_comes_with_two_bytes_behind_it),
    cmocka_unit_test(fetches_fare_as_the_example_says),
    cmocka_unit_test(bytes_travel_as_the_examples_say),
    cmocka_unit_test(another_node_leads_as_the_example_says),
    cmocka_unit_test(a_client_is_judged_as_the_example_says),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_manual", tests, read_examples, NULL);
}
