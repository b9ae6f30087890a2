/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <glob.h>

#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"
#include "mock_server/script/frames.h"
#include "mock_server/script/lexer.h"

enum { WIRE_ROOM = 65536, OUR_BATCH = 41, SOUP = 20000 };

#define HEAD "case LWP-5.9/x must server\n text \"t\"\n req R5.9-x\n"
#define HEAD_LINES 3

/* Reads one more text as the file "f". */
static enum lwp_status read_text(struct script *script, const char *text)
{
    return script_read(script, "f", lwp_bytes_text(text));
}

static void fail_with_first_error(const struct script *script, const char *text)
{
    const struct script_error *error = script->errors.items;
    if (script->errors.count == 0)
        fail_msg("'%s' has no error", text);
    fail_msg("'%s': %u:%u: found %s, expected %s", text, error->place.line, error->place.column,
             (const char *)error->found.data, error->expected);
}

/* Reads a case that consists of the steps `body`. */
static void read_case(struct script *script, const char *body)
{
    char text[4096];
    assert_in_range(snprintf(text, sizeof(text), HEAD "%s", body), 1, sizeof(text) - 1);
    *script = (struct script){.cases = {NULL, 0}};
    if (read_text(script, text) != LWP_OK)
        fail_with_first_error(script, body);
    assert_int_equal(script->cases.count, 1);
    assert_int_equal(script->errors.count, 0);
}

static void every_step_of_the_manual_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum script_step_kind kind;
    } rows[] = {
        {"given topic $t\nexpect ack", SCRIPT_GIVEN_TOPIC},
        {"given topic $t records=raw(\"a\")+null\nexpect ack", SCRIPT_GIVEN_TOPIC},
        {"given name $n\nexpect ack", SCRIPT_GIVEN_NAME},
        {"connect c2\nexpect ack", SCRIPT_CONNECT},
        {"connect c16\nexpect ack", SCRIPT_CONNECT},
        {"send keepalive\nexpect ack", SCRIPT_SEND},
        {"send keepalive, ack, \\\n backpressure\nexpect ack", SCRIPT_SEND},
        {"send[c1] keepalive\nexpect ack", SCRIPT_SEND},
        {"send[lance] keepalive\nexpect ack", SCRIPT_SEND},
        {"send-raw hex(4c 41 4e 43)\nexpect ack", SCRIPT_SEND_RAW},
        {"send-raw \"LANC\"\nexpect ack", SCRIPT_SEND_RAW},
        {"expect ack", SCRIPT_EXPECT},
        {"expect ack | close", SCRIPT_EXPECT},
        {"expect ack within 300ms", SCRIPT_EXPECT},
        {"expect ack within 1s~2s", SCRIPT_EXPECT},
        {"expect[lance] ack", SCRIPT_EXPECT},
        {"expect[spec,c1] ack", SCRIPT_EXPECT},
        {"expect close", SCRIPT_EXPECT},
        {"expect close fin", SCRIPT_EXPECT},
        {"expect close rst", SCRIPT_EXPECT},
        {"expect nothing\nfence keepalive", SCRIPT_EXPECT},
        {"expect[spec] error-response | close | lenient nothing\nfence keepalive", SCRIPT_EXPECT},
        {"expect exactly ack batch_id=7", SCRIPT_EXPECT},
        {"expect lenient ack", SCRIPT_EXPECT},
        {"expect lenient exactly ack", SCRIPT_EXPECT},
        {"any-order { ack ; keepalive }", SCRIPT_ANY_ORDER},
        {"any-order { exactly ack batch_id=1 ; ack batch_id=2 ; fetch-response }",
         SCRIPT_ANY_ORDER},
        {"fence keepalive", SCRIPT_FENCE},
        {"fence list", SCRIPT_FENCE},
        {"fence[c1] ack topic_id=0", SCRIPT_FENCE},
        {"silent 300ms", SCRIPT_SILENT},
        {"silent[c1] 2s", SCRIPT_SILENT},
        {"close\nsilent 1ms", SCRIPT_END_CONNECTION},
        {"close fin\nsilent 1ms", SCRIPT_END_CONNECTION},
        {"close rst\nsilent 1ms", SCRIPT_END_CONNECTION},
        {"close half\nexpect close", SCRIPT_END_CONNECTION},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct script script;
        read_case(&script, rows[i].body);
        assert_int_equal(script.cases.items[0].steps.items[0].kind, rows[i].kind);
        script_done(&script);
    }
}

static void every_kind_and_command_makes_a_frame(void **state)
{
    (void)state;
    static const char *const kinds[] = {"keepalive", "ack", "backpressure", "ingest", "frame"};
    char body[128];
    struct script script;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        (void)snprintf(body, sizeof(body), "send %s\nexpect %s", kinds[i], kinds[i]);
        read_case(&script, body);
        assert_null(script.cases.items[0].steps.items[0].frames.items[0].command);
        script_done(&script);
    }
    for (size_t i = 0; lwp_command_at(i); i++) {
        const struct lwp_command *command = lwp_command_at(i);
        (void)snprintf(body, sizeof(body), "send %s\nexpect %s", command->word, command->word);
        read_case(&script, body);
        const struct script_step *steps = script.cases.items[0].steps.items;
        assert_ptr_equal(steps[0].frames.items[0].command, command);
        assert_int_equal(steps[1].patterns.items[0].frame.kind, LWP_KIND_CONTROL);
        script_done(&script);
    }
}

static void every_header_field_can_be_given_and_compared(void **state)
{
    (void)state;
    static const char *const values[] = {"1", "0x1f", "max", "zero", "wrong", "$x"};
    static const char *const relations[] = {"=1", "!=1",   "<1",        "<=1",
                                            ">1", ">=0x1", " in [1,2]", "=$x"};
    for (int field = 0; field < LWP_HEADER_FIELD_COUNT; field++) {
        const char *name = lwp_header_fields[field].name;
        struct script script;
        char body[128];
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            (void)snprintf(body, sizeof(body), "given topic $x\nsend frame %s=%s\nexpect ack", name,
                           values[i]);
            read_case(&script, body);
            const struct script_frame *frame = script.cases.items[0].steps.items[1].frames.items;
            assert_int_equal(frame->fields.items[0].subject, SCRIPT_HEADER);
            assert_int_equal(frame->fields.items[0].header, field);
            script_done(&script);
        }
        for (size_t i = 0; i < COUNT_OF(relations); i++) {
            (void)snprintf(body, sizeof(body), "expect frame %s%s", name, relations[i]);
            read_case(&script, body);
            script_done(&script);
        }
    }
}

static void a_case_is_what_stands_there(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(read_text(&script, "# A comment.\n\ncase LWP-2.3/two should server # another\n"
                                        "  text \"One.\"\n  text \"A \\\"quoted\\\" \\x41.\"\n"
                                        "  req R2.3-a, R2.3-b\n  needs slow, topics\n"
                                        "  connect c3\n  send[c3] ack batch_id=5, keepalive\n"
                                        "  expect[lance,c3] ack within 1s~2s\n"),
                     LWP_OK);
    const struct script_case *c = script.cases.items;
    assert_string_equal((const char *)c->id.data, "LWP-2.3/two");
    assert_int_equal(c->level, SCRIPT_SHOULD);
    assert_int_equal(c->place.line, 3);
    assert_string_equal(c->place.file, "f");
    assert_int_equal(c->texts.count, 2);
    assert_string_equal((const char *)c->texts.items[1].data, "A \"quoted\" A.");
    assert_int_equal(c->requirements.count, 2);
    assert_bytes_equal(c->requirements.items[1], lwp_bytes_text("R2.3-b"));
    assert_int_equal(c->needs.count, 2);
    assert_string_equal((const char *)c->needs.items[0].data, "slow");
    assert_int_equal(c->steps.count, 3);
    assert_int_equal(c->steps.items[0].connection, 2);
    assert_int_equal(c->steps.items[1].frames.count, 2);
    assert_int_equal(c->steps.items[1].connection, 2);
    assert_int_equal(c->steps.items[1].dialects, 0);
    assert_int_equal(c->steps.items[2].dialects, 2);
    assert_int_equal(c->steps.items[2].connection, 2);
    assert_int_equal(c->steps.items[2].least_ns, UINT64_C(1000000000));
    assert_int_equal(c->steps.items[2].most_ns, UINT64_C(2000000000));
    assert_int_equal(c->steps.items[2].place.line, 10);
    script_done(&script);
}

static void levels_have_their_words(void **state)
{
    (void)state;
    static const char *const words[] = {"must", "should", "may"};
    for (int level = SCRIPT_MUST; level <= SCRIPT_MAY; level++) {
        struct script script = {.cases = {NULL, 0}};
        char text[128];
        (void)snprintf(text, sizeof(text),
                       "case LWP-1/x %s server\ntext \"t\"\nreq R1-x\nexpect ack\n", words[level]);
        assert_int_equal(read_text(&script, text), LWP_OK);
        assert_int_equal(script.cases.items[0].level, level);
        assert_string_equal(script_level_word((enum script_level)level), words[level]);
        script_done(&script);
    }
}

static void an_expect_behind_tagged_ones_is_for_the_other_dialects(void **state)
{
    (void)state;
    struct script script;
    read_case(&script, "expect ack\nexpect[spec] ack\nexpect[lance-py] close\nexpect close\n"
                       "expect ack\nexpect[lance] ack\nfence keepalive\nexpect ack");
    const struct script_step *steps = script.cases.items[0].steps.items;
    static const struct {
        unsigned dialects;
        bool is_else;
    } rows[] = {{0, false}, {1, false}, {4, false}, {0, true},
                {0, false}, {2, false}, {0, false}, {0, false}};
    assert_int_equal(script.cases.items[0].steps.count, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(steps[i].dialects, rows[i].dialects);
        assert_int_equal(steps[i].is_else, rows[i].is_else);
    }
    assert_int_equal(steps[3].covered, 5);
    script_done(&script);
}

/* Calls `visit` with each block between ``` lines of the manual. */
static size_t visit_blocks(void (*visit)(const char *block))
{
    char path[1024], line[1024], block[8192] = "";
    size_t count = 0;
    bool inside = false;
    (void)snprintf(path, sizeof(path), "%s/docs/cases.md", LWP_SOURCE_DIR);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        if (strncmp(line, "```", 3) != 0) {
            if (inside)
                (void)strncat(block, line, sizeof(block) - strlen(block) - 1);
            continue;
        }
        if (inside) {
            visit(block);
            count++;
        }
        inside = !inside;
        block[0] = 0;
    }
    fclose(in);
    return count;
}

static size_t sample_cases;

static void read_sample(const char *block)
{
    struct script script = {.cases = {NULL, 0}};
    if (strncmp(block, "case ", 5) == 0) {
        if (read_text(&script, block) != LWP_OK)
            fail_with_first_error(&script, block);
        sample_cases += script.cases.count;
        script_done(&script);
    } else if (strstr(block, "expect[")) {
        read_case(&script, block);
        sample_cases++;
        script_done(&script);
    }
}

static void the_samples_of_the_manual_are_read(void **state)
{
    (void)state;
    sample_cases = 0;
    assert_true(visit_blocks(read_sample) >= 3);
    assert_true(sample_cases >= 2);
}

/* Reads a whole file; free the bytes. */
static struct lwp_bytes file_of(const char *path)
{
    uint8_t *bytes = malloc(SCRIPT_MAX_FILE_SIZE);
    FILE *in = fopen(path, "rb");
    assert_non_null(bytes);
    assert_non_null(in);
    const size_t size = fread(bytes, 1, SCRIPT_MAX_FILE_SIZE, in);
    fclose(in);
    return bytes_of(bytes, size);
}

static void all_cases_of_the_suite_are_read_into_one_script(void **state)
{
    (void)state;
    glob_t paths;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(glob(LWP_SOURCE_DIR "/conformance/cases/*.lwps", 0, NULL, &paths), 0);
    for (size_t i = 0; i < paths.gl_pathc; i++) {
        const struct lwp_bytes text = file_of(paths.gl_pathv[i]);
        const size_t before = script.cases.count;
        if (script_read(&script, paths.gl_pathv[i], text) != LWP_OK)
            fail_with_first_error(&script, paths.gl_pathv[i]);
        assert_true(script.cases.count > before);
        free((void *)(uintptr_t)text.data);
    }
    assert_int_equal(script.errors.count, 0);
    globfree(&paths);
    script_done(&script);
}

/* A script with an error: where the first one is, and a word of what was expected. */
struct broken {
    const char *body;
    unsigned line; /* Of the body. */
    unsigned column;
    const char *expected;
};

static void assert_broken(const char *text, unsigned line, unsigned column, const char *expected)
{
    struct script script = {.cases = {NULL, 0}};
    if (read_text(&script, text) != LWP_INVALID_PAYLOAD)
        fail_msg("'%s' was read", text);
    assert_int_equal(script.cases.count, 0);
    assert_true(script.errors.count > 0);
    const struct script_error *error = script.errors.items;
    if (error->place.line != line || error->place.column != column ||
        !strstr(error->expected, expected))
        fail_msg("'%s': %u:%u: expected %s instead of %u:%u: %s", text, error->place.line,
                 error->place.column, error->expected, line, column, expected);
    assert_string_equal(error->place.file, "f");
    assert_non_null(error->found.data);
    assert_int_equal(error->found.data[error->found.size], 0);
    script_done(&script);
}

static void assert_all_broken(const struct broken *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), HEAD "%s\nexpect ack\n", rows[i].body);
        assert_broken(text, HEAD_LINES + rows[i].line, rows[i].column, rows[i].expected);
    }
}

static void broken_statements_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"  sned keepalive", 1, 3, "statement"},
        {"5", 1, 1, "statement"},
        {"\"x\"", 1, 1, "statement"},
        {"send", 1, 5, "keepalive"},
        {"send nothing", 1, 6, "keepalive"},
        {"send foo", 1, 6, "keepalive"},
        {"send keepalive,", 1, 16, "keepalive"},
        {"send keepalive keepalive", 1, 16, "field"},
        {"send ack | ack", 1, 10, "end of the line"},
        {"send-raw 5", 1, 10, "string"},
        {"send-raw", 1, 9, "string"},
        {"send-raw \"a\" \"b\"", 1, 14, "end of the line"},
        {"given", 1, 6, "name"},
        {"given topics $t", 1, 7, "name"},
        {"given topic t", 1, 13, "$name"},
        {"given topic", 1, 12, "$name"},
        {"given name $n records=null", 1, 15, "end of the line"},
        {"connect", 1, 8, "c2"},
        {"connect c1", 1, 9, "c2"},
        {"connect c17", 1, 9, "c16"},
        {"connect c2\nconnect c2", 2, 9, "not yet connected"},
        {"send[c2] keepalive", 1, 6, "open"},
        {"expect[c16] ack", 1, 8, "open"},
        {"expect[lnace] ack", 1, 8, "dialect"},
        {"expect[] ack", 1, 8, "dialect"},
        {"expect[spec ack", 1, 13, "]"},
        {"expect[spec,] ack", 1, 13, "dialect"},
        {"expect", 1, 7, "keepalive"},
        {"expect silence", 1, 8, "keepalive"},
        {"expect ack |", 1, 13, "keepalive"},
        {"expect lenient lenient ack", 1, 16, "keepalive"},
        {"expect exactly close", 1, 16, "keepalive"},
        {"expect exactly nothing", 1, 16, "keepalive"},
        {"expect close sideways", 1, 14, "end of the line"},
        {"expect ack within", 1, 18, "duration"},
        {"expect ack within 5", 1, 19, "duration"},
        {"expect ack within 2s~1s", 1, 22, "shorter"},
        {"expect ack within 1s~", 1, 22, "duration"},
        {"any-order { ack ; ack", 1, 22, "}"},
        {"any-order ack", 1, 11, "{"},
        {"any-order { ack ; close }", 1, 1, "frames only"},
        {"any-order { }", 1, 13, "keepalive"},
        {"fence", 1, 6, "keepalive"},
        {"fence fetch", 1, 7, "list"},
        {"fence ack topic_id=$q", 1, 20, "bound"},
        {"fence keepalive x", 1, 17, "end of the line"},
        {"silent", 1, 7, "duration"},
        {"silent 300", 1, 8, "duration"},
        {"silent 3x", 1, 8, "duration"},
        {"silent 11m", 1, 8, "duration"},
        {"close sideways", 1, 7, "end of the line"},
        {"expect ack \\ ", 1, 12, "end of the line"},
        {"expect ack \\", 2, 1, "field"},
        {"expect ack \x01", 1, 12, "end of the line"},
    };
    assert_all_broken(rows, COUNT_OF(rows));
}

static void broken_frames_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"send fetch offset=1", 1, 12, "field"},
        {"send keepalive start_offset=1", 1, 16, "field"},
        {"send keepalive 5", 1, 16, "end of the line"},
        {"send keepalive flags", 1, 21, "="},
        {"send keepalive flags=", 1, 22, "number"},
        {"send keepalive flags<5", 1, 21, "="},
        {"send keepalive flags=\"x\"", 1, 22, "number"},
        {"send keepalive flags=99999999999999999999", 1, 22, "number"},
        {"send keepalive flags=0x10000000000000000", 1, 22, "number"},
        {"send keepalive flags=18446744073709551615K", 1, 22, "number"},
        {"send keepalive flags=12z", 1, 22, "number"},
        {"send keepalive flags=5ms", 1, 22, "number"},
        {"send keepalive batch_id=other-polynomial", 1, 25, "header_crc"},
        {"send fetch topic_id=\"a\"", 1, 21, "number"},
        {"send fetch topic_id=$t", 1, 21, "bound before"},
        {"send create-topic name=5", 1, 24, "string"},
        {"send create-topic name=hex(123)", 1, 28, "even"},
        {"send create-topic name=hex(4g)", 1, 28, "hexadecimal"},
        {"send create-topic name=hex(41", 1, 30, ")"},
        {"send create-topic name=\"a", 1, 24, "string"},
        {"send create-topic name=\"\\q\"", 1, 24, "string"},
        {"send create-topic name=\"\\x4\"", 1, 24, "string"},
        {"send topic-response json.name=\"x\"", 1, 21, "field"},
        {"send error-response code=topic-not-found", 1, 21, "field"},
        {"send fetch records=null", 1, 12, "records"},
        {"send create-topic records=null", 1, 19, "records"},
        {"send ingest records=null payload=\"x\"", 1, 26, "one of"},
        {"send ingest fill=5 records=null", 1, 20, "one of"},
        {"send ingest fill=x", 1, 18, "size"},
        {"send ingest fill=99999M", 1, 18, "size"},
        {"send ingest records=", 1, 21, ""},
        {"send ingest records=foo(\"a\")", 1, 21, "record"},
        {"send ingest records=raw", 1, 24, "("},
        {"send ingest records=raw(", 1, 25, "string"},
        {"send ingest records=raw(\"a\"", 1, 28, ")"},
        {"send ingest records=raw(\"a\")+", 1, 30, ""},
        {"send ingest records=raw(\"a\")*", 1, 30, "times"},
        {"send ingest records=raw(\"a\")*99999999", 1, 30, "times"},
        {"send ingest records=kv(\"a\")", 1, 27, ","},
        {"send ingest records=ts(\"a\",\"b\")", 1, 24, "nanoseconds"},
        {"send ingest records=null(\"a\")", 1, 25, "end of the line"},
        {"send ingest records=user(0x7f,\"a\")", 1, 26, "0x80"},
        {"send ingest records=user(0xff,\"a\")", 1, 26, "0xfe"},
        {"send ingest records=tlv(256,1,\"a\")", 1, 25, "255"},
        {"send ingest records=lz4(lz4(null))", 1, 25, "record"},
        {"send ingest records=lz4(null", 1, 29, ")"},
        {"expect ack batch_id~5", 1, 20, "="},
        {"expect ack batch_id in 5", 1, 24, "["},
        {"expect ack batch_id in [5]", 1, 26, ","},
        {"expect ack batch_id in [5,6", 1, 28, "]"},
        {"expect ack batch_id=wrong", 1, 21, "value"},
        {"expect ack start_offset=1", 1, 12, "field"},
        {"expect error-response code=nope", 1, 28, "topic-not-found"},
        {"expect topic-response json.=5", 1, 23, "field"},
    };
    assert_all_broken(rows, COUNT_OF(rows));
}

static void variables_are_bound_before_they_are_sent(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"send get-topic topic_id=$t", 1, 25, "bound before"},
        {"send get-topic topic_id=$t\ngiven topic $t", 1, 25, "bound before"},
        {"given topic $t\nsend get-topic topic_id=$u", 2, 25, "bound before"},
        {"given name $n\nsend create-topic name=$n.name", 2, 24, "bound before"},
        {"given topic $t\ngiven topic $t", 2, 13, "not bound"},
        {"given topic $t\ngiven name $t", 2, 12, "not bound"},
    };
    static const char *const good[] = {
        "given topic $t\nsend get-topic topic_id=$t\nexpect ack",
        "given topic $t\nsend create-topic name=$t.name\nexpect ack",
        "given name $n\nsend create-topic name=$n\nexpect ack",
        "expect ack batch_id=$x\nsend ingest batch_id=$x\nexpect ack",
        "any-order { ack batch_id=$x ; keepalive }\nsend ack batch_id=$x",
        "expect topic-response json.id=$i\nsend get-topic topic_id=$i",
    };
    assert_all_broken(rows, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct script script;
        read_case(&script, good[i]);
        script_done(&script);
    }
}

static void nothing_is_followed_by_a_fence(void **state)
{
    (void)state;
    static const char *const bad[] = {"expect nothing\n", "expect nothing\nexpect ack\n",
                                      "expect nothing | ack\nsend keepalive\n",
                                      "expect nothing\nsilent 5ms\n"};
    static const char *const good[] = {"expect nothing\nfence list",
                                       "expect[spec] nothing\nexpect ack\nfence list",
                                       "expect[spec] nothing\nexpect[lance] ack\nfence list"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), HEAD "%s", bad[i]);
        assert_broken(text, HEAD_LINES + 1, 8, "fence");
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct script script;
        read_case(&script, good[i]);
        script_done(&script);
    }
}

static void broken_cases_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"send keepalive\n", 1, 1, "case"},
        {"\n\n  text \"x\"\n", 3, 3, "case"},
        {"case\n", 1, 5, "id"},
        {"case 5 must server\n", 1, 6, "id"},
        {"case foo must server\n", 1, 6, "id"},
        {"case LWP-1/ must server\n", 1, 6, "id"},
        {"case LWP-1/x\n", 1, 13, "must"},
        {"case LWP-1/x shall server\n", 1, 14, "should"},
        {"case LWP-1/x must\n", 1, 18, "server"},
        {"case LWP-1/x must nobody\n", 1, 19, "server"},
        {"case LWP-1/x must server now\n", 1, 26, "end of the line"},
        {"case LWP-1/x must server\ntext t\n", 2, 6, "string"},
        {"case LWP-1/x must server\ntext \"t\n", 2, 6, "string"},
        {"case LWP-1/x must server\ntext \"t\" \"u\"\n", 2, 10, "end of the line"},
        {"case LWP-1/x must server\nreq 5\n", 2, 5, "word"},
        {"case LWP-1/x must server\nreq R1-a,\n", 2, 10, "word"},
        {"case LWP-1/x must server\nneeds a b\n", 2, 9, "end of the line"},
        {"case LWP-1/x must server\nreq R1-x\nexpect ack\n", 1, 1, "text"},
        {"case LWP-1/x must server\ntext \"t\"\nexpect ack\n", 1, 1, "req"},
        {"case LWP-1/x must server\ntext \"t\"\nreq R1-x\nsend keepalive\n", 1, 1, "can fail"},
        {HEAD "expect ack\n" HEAD "expect ack\n", 5, 6, "no other case"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_broken(rows[i].body, rows[i].line, rows[i].column, rows[i].expected);
}

static void all_errors_of_a_file_are_told_at_once(void **state)
{
    (void)state;
    static const unsigned lines[] = {5, 6, 9, 11};
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(read_text(&script, HEAD "expect ack\nsned ack\nsend foo\nsend ack\n"
                                             "case LWP-1/y must server\ntext 5\n"
                                             "req R1-y\nexpect ack batch=5\n"),
                     LWP_INVALID_PAYLOAD);
    assert_true(script.errors.count >= COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        size_t found = 0;
        for (size_t j = 0; j < script.errors.count; j++)
            found += script.errors.items[j].place.line == lines[i];
        assert_int_equal(found, 1);
    }
    script_done(&script);
}

static void a_broken_file_adds_no_case_and_leaves_the_others(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(read_text(&script, HEAD "expect ack\n"), LWP_OK);
    assert_int_equal(script_read(&script, "g",
                                 lwp_bytes_text("case LWP-1/y must server\ntext \"t\"\nreq R1-y\n"
                                                "expect ack\ncase LWP-1/z must server\n")),
                     LWP_INVALID_PAYLOAD);
    assert_int_equal(script.cases.count, 1);
    assert_string_equal(script.errors.items[0].place.file, "g");
    assert_int_equal(script_read(&script, "h",
                                 lwp_bytes_text("case LWP-1/y must server\ntext \"t\"\nreq R1-y\n"
                                                "expect ack\n")),
                     LWP_OK);
    assert_int_equal(script.cases.count, 2);
    script_done(&script);
}

static void no_two_files_have_the_same_case(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(read_text(&script, HEAD "expect ack\n"), LWP_OK);
    assert_int_equal(script_read(&script, "g", lwp_bytes_text(HEAD "expect ack\n")),
                     LWP_INVALID_PAYLOAD);
    assert_int_equal(script.errors.items[0].place.line, 1);
    assert_int_equal(script.cases.count, 1);
    script_done(&script);
}

static void the_text_is_not_needed_afterwards(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    char *text = strdup(HEAD "needs slow\nsend-raw \"abc\"\nexpect ack batch_id=$x\n");
    assert_int_equal(read_text(&script, text), LWP_OK);
    free(text);
    const struct script_case *c = script.cases.items;
    assert_string_equal((const char *)c->id.data, "LWP-5.9/x");
    assert_string_equal((const char *)c->texts.items[0].data, "t");
    assert_string_equal((const char *)c->needs.items[0].data, "slow");
    assert_bytes_equal(c->steps.items[0].raw, lwp_bytes_text("abc"));
    const struct script_value *x = &c->steps.items[1].patterns.items[0].frame.fields.items[0].value;
    assert_int_equal(x->kind, SCRIPT_VARIABLE);
    assert_bytes_equal(x->bytes, lwp_bytes_text("x"));
    script_done(&script);
}

static void files_of_up_to_1_mib_are_read(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    char *text = malloc(SCRIPT_MAX_FILE_SIZE + 1);
    memset(text, '#', SCRIPT_MAX_FILE_SIZE + 1);
    memcpy(text, HEAD "expect ack\n", sizeof(HEAD "expect ack\n") - 1);
    assert_int_equal(script_read(&script, "f", bytes_of(text, SCRIPT_MAX_FILE_SIZE)), LWP_OK);
    assert_int_equal(script.cases.count, 1);
    assert_int_equal(script_read(&script, "f", bytes_of(text, SCRIPT_MAX_FILE_SIZE + 1)),
                     LWP_PAYLOAD_TOO_LARGE);
    assert_int_equal(script.cases.count, 1);
    free(text);
    script_done(&script);
}

static void an_empty_file_has_no_cases(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "\n", "# nothing", " \t\r\n", "\\\n"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct script script = {.cases = {NULL, 0}};
        assert_int_equal(read_text(&script, rows[i]), LWP_OK);
        assert_int_equal(script.cases.count, 0);
        script_done(&script);
    }
}

/* Reading gives cases or errors, and never more memory than the arena may have. */
static void assert_reads_or_tells(struct lwp_bytes text)
{
    struct script script = {.cases = {NULL, 0}};
    const enum lwp_status status = script_read(&script, "f", guarded(text));
    assert_true(status == LWP_OK || status == LWP_INVALID_PAYLOAD);
    assert_int_equal(status == LWP_OK, script.errors.count == 0);
    if (status != LWP_OK)
        assert_int_equal(script.cases.count, 0);
    for (size_t i = 0; i < script.errors.count; i++) {
        assert_true(script.errors.items[i].place.line >= 1);
        assert_true(script.errors.items[i].place.column >= 1);
        assert_non_null(script.errors.items[i].expected);
    }
    script_done(&script);
}

static void zero_bytes_are_errors_and_do_not_end_the_text(void **state)
{
    (void)state;
    static const char text[] = HEAD "expect ack\n\0sned\n";
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(script_read(&script, "f", bytes_of(text, sizeof(text) - 1)),
                     LWP_INVALID_PAYLOAD);
    assert_int_equal(script.errors.items[0].place.line, 5);
    assert_int_equal(script.errors.items[0].place.column, 1);
    script_done(&script);
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        copy[at] = 0;
        assert_reads_or_tells(bytes_of(copy, sizeof(text) - 1));
    }
}

static void random_bytes_are_read_or_told(void **state)
{
    (void)state;
    uint64_t seed = 2024;
    for (int i = 0; i < SOUP; i++) {
        uint8_t bytes[100];
        const size_t size = (size_t)(next_random(&seed) >> 20) % sizeof(bytes);
        fill_random(bytes, size, seed);
        assert_reads_or_tells(bytes_of(bytes, size));
    }
}

/* Words of the language and things that are none. */
static const char *const soup[] = {"case LWP-1/x must server\n",
                                   "text \"t\"\n",
                                   "req R1-a\n",
                                   "needs a\n",
                                   "\n",
                                   "\n",
                                   "\n",
                                   " ",
                                   "given topic $t",
                                   "given name $n",
                                   "connect c2",
                                   "send ",
                                   "send[c2] ",
                                   "send-raw ",
                                   "expect ",
                                   "expect[spec] ",
                                   "expect[lance,c2] ",
                                   "any-order {",
                                   "}",
                                   ";",
                                   "|",
                                   ",",
                                   "=",
                                   "!=",
                                   "<",
                                   ">=",
                                   "in [1,2]",
                                   "fence keepalive",
                                   "fence ack topic_id=$t",
                                   "silent 5ms",
                                   "close",
                                   " half",
                                   "lenient ",
                                   "exactly ",
                                   "nothing",
                                   "keepalive ",
                                   "ingest ",
                                   "frame ",
                                   "fetch ",
                                   "error-response ",
                                   "topic-response ",
                                   "topic_id",
                                   "batch_id",
                                   "payload_crc",
                                   "=wrong ",
                                   "=other-polynomial ",
                                   "=max ",
                                   "=5 ",
                                   "=$t ",
                                   "=$x ",
                                   "json.a.*.b",
                                   "code=topic-not-found",
                                   "records=",
                                   "raw(\"a\")",
                                   "kv(\"a\",\"b\")",
                                   "ts(1,\"a\")",
                                   "null",
                                   "*3",
                                   "+",
                                   "lz4(",
                                   ")",
                                   "tlv(1,2,",
                                   "fill=5:3",
                                   "payload=hex(00 ff)",
                                   "\"text",
                                   "\"",
                                   "\\",
                                   "\\\n",
                                   "#",
                                   "$",
                                   "within 5ms",
                                   "~",
                                   "7s",
                                   "0x",
                                   "-1"};

static void random_words_are_read_or_told(void **state)
{
    (void)state;
    uint64_t seed = 77;
    for (int i = 0; i < SOUP; i++) {
        char text[1024] = "";
        size_t words = (size_t)(next_random(&seed) >> 20) % 40;
        if (next_random(&seed) >> 30 & 1)
            (void)strcat(text, HEAD);
        while (words--)
            (void)strcat(text, soup[(next_random(&seed) >> 20) % COUNT_OF(soup)]);
        assert_reads_or_tells(lwp_bytes_text(text));
    }
}

static void a_case_with_any_byte_changed_or_cut_is_read_or_told(void **state)
{
    (void)state;
    static const char text[] =
        HEAD "expect ack batch_id=$t\nsend[c1] fetch topic_id=$t "
             "start_offset=0x10, ingest records=lz4(ts(5,\"x\")*2+kv(\"k\",hex(00)))\nexpect[spec] "
             "exactly ack "
             "batch_id in [1,2] | lenient nothing within 1s~2s\nfence ack topic_id=$t\n";
    static const char others[] = "\0\n\"\\$#=(*,[5a";
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        assert_reads_or_tells(bytes_of(text, at));
        for (size_t i = 0; i < sizeof(others) - 1; i++) {
            copy[at] = others[i];
            assert_reads_or_tells(bytes_of(copy, sizeof(text) - 1));
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_step_of_the_manual_is_read),
    cmocka_unit_test(every_kind_and_command_makes_a_frame),
    cmocka_unit_test(every_header_field_can_be_given_and_compared),
    cmocka_unit_test(a_case_is_what_stands_there),
    cmocka_unit_test(levels_have_their_words),
    cmocka_unit_test(an_expect_behind_tagged_ones_is_for_the_other_dialects),
    cmocka_unit_test(the_samples_of_the_manual_are_read),
    cmocka_unit_test(all_cases_of_the_suite_are_read_into_one_script),
    cmocka_unit_test(broken_statements_are_told_with_their_place),
    cmocka_unit_test(broken_frames_are_told_with_their_place),
    cmocka_unit_test(variables_are_bound_before_they_are_sent),
    cmocka_unit_test(nothing_is_followed_by_a_fence),
    cmocka_unit_test(broken_cases_are_told_with_their_place),
    cmocka_unit_test(all_errors_of_a_file_are_told_at_once),
    cmocka_unit_test(a_broken_file_adds_no_case_and_leaves_the_others),
    cmocka_unit_test(no_two_files_have_the_same_case),
    cmocka_unit_test(the_text_is_not_needed_afterwards),
    cmocka_unit_test(files_of_up_to_1_mib_are_read),
    cmocka_unit_test(an_empty_file_has_no_cases),
    cmocka_unit_test(zero_bytes_are_errors_and_do_not_end_the_text),
    cmocka_unit_test(random_bytes_are_read_or_told),
    cmocka_unit_test(random_words_are_read_or_told),
    cmocka_unit_test(a_case_with_any_byte_changed_or_cut_is_read_or_told),
};

int main(void)
{
    return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
