/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <glob.h>

#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"
#include "mock_server/script/frames.h"
#include "mock_server/script/lexer.h"

enum { WIRE_ROOM = 65536, OUR_BATCH = 41, NOISES = 20000, SOUPS = 5000 };

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
                                        "  req R2.3-a, R2.3-b\n  source golden ka, \"300-acks\"\n"
                                        "  source server \"Frames\"\n  needs slow, topics\n"
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
    assert_int_equal(c->recorded.count, 2);
    assert_bytes_equal(c->recorded.items[1], lwp_bytes_text("300-acks"));
    assert_int_equal(c->sections.count, 1);
    assert_bytes_equal(c->sections.items[0], lwp_bytes_text("Frames"));
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
    assert_int_equal(c->steps.items[2].place.line, 12);
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
        {"expect ingest fill=100:5", 1, 15, "only sent"},
        {"send ingest size=x", 1, 18, "size"},
        {"send ingest size=99999M", 1, 18, "size"},
        {"send fetch size=1 size=2", 1, 19, "one size"},
        {"expect ingest size=5", 1, 15, "that is sent"},
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
        {"case LWP-1/x must server\nsource ka\n", 2, 8, "golden"},
        {"case LWP-1/x must server\nsource server\n", 2, 14, "a word"},
        {"case LWP-1/x must client\nsource golden ka\n", 2, 1, "case for servers"},
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

static void a_broken_file_leaves_the_cases_of_others(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(read_text(&script, HEAD "expect ack\n"), LWP_OK);
    assert_int_equal(script_read(&script, "g", lwp_bytes_text("case LWP-1/z must server\n")),
                     LWP_INVALID_PAYLOAD);
    assert_string_equal(script.errors.items[0].place.file, "g");
    assert_string_equal((const char *)script.cases.items[0].id.data, "LWP-5.9/x");
    assert_int_equal(script.cases.items[0].steps.count, 1);
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
    for (int i = 0; i < NOISES; i++) {
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
                                   "size=5",
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
    for (int i = 0; i < SOUPS; i++) {
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

/* What a test of frames needs: a script with one case, and room for a frame. */
struct bench {
    struct script script;
    struct script_variables variables;
    uint8_t wire[WIRE_ROOM];
};

static struct bench *bench_of(const char *body)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    read_case(&bench->script, body);
    bench->variables.arena = &bench->script.arena;
    return bench;
}

static void bench_free(struct bench *bench)
{
    script_done(&bench->script);
    free(bench);
}

static const struct script_step *step_of(const struct bench *bench, size_t index)
{
    return &bench->script.cases.items[0].steps.items[index];
}

/* Builds the frame of a step in memory that just fits it. */
static struct lwp_bytes built(struct bench *bench, const struct script_frame *frame,
                              const struct lwp_dialect *dialect)
{
    struct lwp_writer out = lwp_writer_on(bench->wire, sizeof(bench->wire));
    assert_int_equal(script_build(frame, dialect, &bench->variables, OUR_BATCH, &out), LWP_OK);
    assert_true(out.size <= script_frame_bound(frame, &bench->variables));
    return lwp_writer_bytes(&out);
}

static void assert_builds(const char *frame, const struct lwp_dialect *dialect,
                          struct lwp_frame expected, uint32_t keep)
{
    char body[1024];
    uint8_t wire[1024];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    (void)snprintf(body, sizeof(body), "send %s\nexpect ack", frame);
    struct bench *bench = bench_of(body);
    lwp_frame_seal(&expected, dialect->polynomial, keep);
    assert_int_equal(lwp_frame_encode(&expected, &out), LWP_OK);
    const struct lwp_bytes actual = built(bench, step_of(bench, 0)->frames.items, dialect);
    if (!lwp_bytes_equal(actual, lwp_writer_bytes(&out)))
        print_message("'%s' in dialect %s:\n", frame, dialect->name);
    assert_bytes_equal(actual, lwp_writer_bytes(&out));
    bench_free(bench);
}

static void bare_frames_are_sealed_by_the_dialect(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        uint8_t flags;
    } rows[] = {{"keepalive", 0x20}, {"ack", 0x08}, {"backpressure", 0x10}, {"frame", 0}};
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            assert_builds(rows[i].frame, lwp_dialects[d],
                          frame_of(rows[i].flags, bytes_of(NULL, 0)), 0);
}

static void commands_are_built_from_their_fields(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        struct lwp_message message;
    } rows[] = {
        {"list-topics", {.command = LWP_COMMAND_LIST_TOPICS}},
        {"get-topic", {.command = LWP_COMMAND_GET_TOPIC}},
        {"get-topic topic_id=max", {.command = LWP_COMMAND_GET_TOPIC, .topic_id = UINT32_MAX}},
        {"create-topic name=\"ab\"",
         {.command = LWP_COMMAND_CREATE_TOPIC, .name = {(const uint8_t *)"ab", 2}}},
        {"create-topic-with-retention name=hex(61) max_bytes=1K max_age_secs=max",
         {.command = LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
          .name = {(const uint8_t *)"a", 1},
          .max_bytes = 1024,
          .max_age_secs = UINT64_MAX}},
        {"fetch topic_id=5 start_offset=0x10 max_bytes=64K",
         {.command = LWP_COMMAND_FETCH, .topic_id = 5, .start_offset = 16, .max_bytes = 65536}},
        {"fetch-response next_offset=9 data=\"abc\"",
         {.command = LWP_COMMAND_FETCH_RESPONSE,
          .next_offset = 9,
          .bytes_returned = 3,
          .data = {(const uint8_t *)"abc", 3}}},
        {"error-response text=\"Topic not found\"",
         {.command = LWP_COMMAND_ERROR_RESPONSE, .text = {(const uint8_t *)"Topic not found", 15}}},
        {"authenticate-response ok=1 text=\"x\"",
         {.command = LWP_COMMAND_AUTHENTICATE_RESPONSE,
          .ok = 1,
          .text = {(const uint8_t *)"x", 1}}},
    };
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            uint8_t payload[256];
            struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
            assert_int_equal(lwp_message_encode(&rows[i].message, &out), LWP_OK);
            assert_builds(rows[i].frame, lwp_dialects[d],
                          lwp_message_frame(rows[i].message.command, lwp_writer_bytes(&out)), 0);
        }
}

static void the_cluster_status_has_the_code_of_the_dialect(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++)
        assert_builds("get-cluster-status", lwp_dialects[d],
                      lwp_message_frame(lwp_dialects[d]->cluster_status_command, bytes_of(NULL, 0)),
                      0);
}

/* An ingest as the script should make it. */
static struct lwp_frame expected_ingest(struct lwp_bytes payload, uint32_t records)
{
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, payload);
    frame.header.batch_id = OUR_BATCH;
    frame.header.record_count = records;
    return frame;
}

static void ingests_take_the_next_batch_id_and_count_their_records(void **state)
{
    (void)state;
    uint8_t payload[256];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("a"));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("a"));
    lwp_tlv_put_null(&out);
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct lwp_frame frame = expected_ingest(lwp_writer_bytes(&out), 3);
        assert_builds("ingest timestamp_ns=0 records=raw(\"a\")*2+null", lwp_dialects[d], frame, 0);
        frame.header.topic_id = 7;
        frame.header.batch_id = 5;
        frame.header.record_count = 9;
        assert_builds(
            "ingest timestamp_ns=0 topic_id=7 batch_id=5 record_count=9 records=raw(\"a\")*2+null",
            lwp_dialects[d], frame, 0);
    }
}

static void each_kind_of_record_is_written(void **state)
{
    (void)state;
    uint8_t payload[512];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("v"));
    lwp_tlv_put(&out, LWP_TLV_JSON, lwp_bytes_text("{}"));
    lwp_tlv_put(&out, LWP_TLV_MSGPACK, lwp_bytes_text("m"));
    lwp_tlv_put(&out, LWP_TLV_PROTOBUF, lwp_bytes_text("p"));
    lwp_tlv_put(&out, LWP_TLV_AVRO, bytes_of("\0\xff", 2));
    lwp_tlv_put_key_value(&out, lwp_bytes_text("k"), lwp_bytes_text("v"));
    lwp_tlv_put_timestamped(&out, 5, lwp_bytes_text("v"));
    lwp_tlv_put_key_timestamped(&out, UINT64_MAX, lwp_bytes_text("k"), lwp_bytes_text("v"));
    lwp_tlv_put_null(&out);
    lwp_tlv_put(&out, 0x80, lwp_bytes_text("u"));
    lwp_write(&out, bytes_of("\x07\x09\0\0\0abc", 8));
    assert_false(out.full);
    assert_builds(
        "ingest timestamp_ns=0 records=raw(\"v\")+json(\"{}\")+msgpack(\"m\")+protobuf(\"p\")"
        "+avro(hex(00 ff))+kv(\"k\",\"v\")+ts(5,\"v\")+kts(0xffffffffffffffff,\"k\",\"v\")"
        "+null+user(0x80,\"u\")+tlv(7,9,\"abc\")",
        &lwp_dialect_spec, expected_ingest(lwp_writer_bytes(&out), 11), 0);
}

static void compressed_records_come_out_again(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        uint8_t plain[512], again[512];
        struct lwp_writer out = lwp_writer_on(plain, sizeof(plain));
        struct lwp_writer unpacked = lwp_writer_on(again, sizeof(again));
        const struct lwp_frame_rules rules = {lwp_dialects[d]->polynomial, LWP_MAX_PAYLOAD_DEFAULT};
        struct lwp_frame frame;
        struct lwp_fault fault;
        for (int i = 0; i < 20; i++)
            lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("hello"));
        struct bench *bench = bench_of("send ingest records=lz4(raw(\"hello\")*20)\nexpect ack");
        const struct lwp_bytes wire =
            built(bench, step_of(bench, 0)->frames.items, lwp_dialects[d]);
        assert_int_equal(lwp_frame_split(&rules, wire, &frame, &fault), LWP_OK);
        assert_int_equal(frame.header.flags, LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED);
        assert_int_equal(frame.header.record_count, 20);
        assert_true(frame.payload.size < out.size);
        assert_int_equal(
            lwp_lz4_decompress(lwp_dialects[d]->lz4_framing, frame.payload, 512, &unpacked),
            LWP_OK);
        assert_bytes_equal(lwp_writer_bytes(&unpacked), lwp_writer_bytes(&out));
        bench_free(bench);
    }
}

/* The sound header of a frame that the script makes wrong in one field. */
static struct lwp_header sound_header(const struct lwp_dialect *dialect)
{
    struct lwp_frame frame = expected_ingest(lwp_bytes_text("hello"), 0);
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    return frame.header;
}

static struct lwp_header header_built(const char *field, const char *value,
                                      const struct lwp_dialect *dialect)
{
    char body[256];
    struct lwp_header header;
    (void)snprintf(body, sizeof(body),
                   "send ingest payload=\"hello\" record_count=0 %s=%s\nexpect ack", field, value);
    struct bench *bench = bench_of(body);
    const struct lwp_bytes wire = built(bench, step_of(bench, 0)->frames.items, dialect);
    assert_int_equal(wire.size, LWP_HEADER_SIZE + 5);
    lwp_header_decode(wire.data, &header);
    bench_free(bench);
    return header;
}

static void every_header_field_can_be_wrong_zero_or_all_bits(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
            const enum lwp_header_index field = (enum lwp_header_index)i;
            const char *name = lwp_header_fields[i].name;
            const struct lwp_header sound = sound_header(lwp_dialects[d]);
            const uint64_t right = lwp_header_get(&sound, field);
            const uint64_t all = UINT64_MAX >> (64 - 8 * lwp_header_fields[i].size);
            struct lwp_header header;
            if (field != LWP_HEADER_record_count && field != LWP_HEADER_timestamp_ns) {
                header = header_built(name, "wrong", lwp_dialects[d]);
                assert_true(lwp_header_get(&header, field) == (right ^ 1));
            }
            header = header_built(name, "zero", lwp_dialects[d]);
            assert_true(lwp_header_get(&header, field) == 0);
            header = header_built(name, "max", lwp_dialects[d]);
            assert_true(lwp_header_get(&header, field) == all);
        }
}

static void checksums_fit_what_the_frame_then_says(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        const char *value;
    } rows[] = {{"magic", "wrong"},      {"version", "2"},  {"version", "max"},
                {"flags", "0xff"},       {"reserved", "5"}, {"payload_length", "3"},
                {"payload_length", "0"}, {"batch_id", "9"}, {"topic_id", "max"}};
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            const struct lwp_header header =
                header_built(rows[i].field, rows[i].value, lwp_dialects[d]);
            const enum lwp_polynomial polynomial = lwp_dialects[d]->polynomial;
            struct lwp_header sealed = header;
            reseal_header(&sealed, polynomial);
            assert_int_equal(header.header_crc, sealed.header_crc);
            assert_int_equal(header.payload_crc, bitwise_crc(polynomial, lwp_bytes_text("hello")));
        }
}

static void checksums_that_are_given_stay(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        const enum lwp_polynomial other =
            lwp_dialects[d]->polynomial == LWP_CRC32 ? LWP_CRC32C : LWP_CRC32;
        struct lwp_header sealed = sound_header(lwp_dialects[d]);
        reseal_header(&sealed, other);
        struct lwp_header header = header_built("header_crc", "4711", lwp_dialects[d]);
        assert_int_equal(header.header_crc, 4711);
        header = header_built("payload_crc", "4711", lwp_dialects[d]);
        assert_int_equal(header.payload_crc, 4711);
        header = header_built("header_crc", "other-polynomial", lwp_dialects[d]);
        assert_int_equal(header.header_crc, sealed.header_crc);
        header = header_built("payload_crc", "other-polynomial", lwp_dialects[d]);
        assert_int_equal(header.payload_crc, bitwise_crc(other, lwp_bytes_text("hello")));
    }
}

static void fillings_have_their_size_and_depend_on_their_seed(void **state)
{
    (void)state;
    struct bench *bench =
        bench_of("send ingest fill=1K, ingest fill=1K:7, ingest fill=1K:8, "
                 "ingest fill=1K:7, ingest fill=0, ingest fill=100:7\nexpect ack");
    const struct script_frame *frames = step_of(bench, 0)->frames.items;
    uint8_t first[1024];
    const struct lwp_bytes seven = built(bench, &frames[1], &lwp_dialect_spec);
    assert_int_equal(seven.size, LWP_HEADER_SIZE + 1024);
    memcpy(first, seven.data + LWP_HEADER_SIZE, 1024);
    assert_memory_equal(built(bench, &frames[3], &lwp_dialect_spec).data + LWP_HEADER_SIZE, first,
                        1024);
    assert_memory_not_equal(built(bench, &frames[2], &lwp_dialect_spec).data + LWP_HEADER_SIZE,
                            first, 1024);
    assert_int_equal(built(bench, &frames[0], &lwp_dialect_spec).size, LWP_HEADER_SIZE + 1024);
    assert_int_equal(built(bench, &frames[4], &lwp_dialect_spec).size, LWP_HEADER_SIZE);
    assert_int_equal(built(bench, &frames[5], &lwp_dialect_spec).size, LWP_HEADER_SIZE + 100);
    bench_free(bench);
}

static void a_size_cuts_or_pads_what_the_payload_would_be(void **state)
{
    (void)state;
    struct bench *bench =
        bench_of("given topic $t\nsend unsubscribe topic_id=$t consumer_id=7 size=5, "
                 "get-topic topic_id=$t size=1K, ingest fill=10 size=0\nexpect ack");
    const struct script_frame *frames = step_of(bench, 1)->frames.items;
    script_bind_number(&bench->variables, lwp_bytes_text("t"), 0x01020304);
    struct lwp_bytes wire = built(bench, &frames[0], &lwp_dialect_spec);
    assert_bytes_equal(lwp_bytes_from(wire, LWP_HEADER_SIZE),
                       lwp_bytes_text("\x04\x03\x02\x01\x07"));
    wire = built(bench, &frames[1], &lwp_dialect_spec);
    assert_int_equal(wire.size, LWP_HEADER_SIZE + 1024);
    assert_int_equal(lwp_get32(wire.data + 32), 1024);
    assert_int_equal(lwp_get32(wire.data + 36),
                     bitwise_crc(LWP_CRC32C, lwp_bytes_from(wire, LWP_HEADER_SIZE)));
    for (size_t i = 4; i < 1024; i++)
        assert_int_equal(wire.data[LWP_HEADER_SIZE + i], 0);
    assert_int_equal(built(bench, &frames[2], &lwp_dialect_spec).size, LWP_HEADER_SIZE);
    bench_free(bench);
}

static void variables_stand_for_their_values(void **state)
{
    (void)state;
    struct bench *bench = bench_of("given topic $t\nsend fetch topic_id=$t, create-topic "
                                   "name=$t.name, ingest topic_id=$t batch_id=$t\nexpect ack");
    const struct script_frame *frames = step_of(bench, 1)->frames.items;
    char name[] = "a name";
    script_bind_number(&bench->variables, lwp_bytes_text("t"), 0x01020304);
    script_bind_bytes(&bench->variables, lwp_bytes_text("t.name"), lwp_bytes_text(name));
    name[0] = 'x';
    assert_memory_equal(built(bench, &frames[0], &lwp_dialect_spec).data + LWP_HEADER_SIZE,
                        "\x04\x03\x02\x01", 4);
    assert_memory_equal(built(bench, &frames[1], &lwp_dialect_spec).data + LWP_HEADER_SIZE,
                        "a name", 6);
    const struct lwp_bytes ingest = built(bench, &frames[2], &lwp_dialect_spec);
    assert_int_equal(lwp_get64(ingest.data + 12), 0x01020304);
    assert_int_equal(lwp_get32(ingest.data + 40), 0x01020304);
    bench_free(bench);
}

static void a_frame_that_does_not_fit_is_full_at_every_room(void **state)
{
    (void)state;
    static const char *const frames[] = {"keepalive",
                                         "fetch topic_id=1",
                                         "ingest fill=100",
                                         "ingest fill=10 size=100",
                                         "ingest records=raw(\"abc\")*3",
                                         "ack payload=\"abc\"",
                                         "ingest records=lz4(raw(\"abc\")*3)",
                                         "create-topic name=\"abc\""};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        char body[128];
        (void)snprintf(body, sizeof(body), "send %s\nexpect ack", frames[i]);
        struct bench *bench = bench_of(body);
        const struct script_frame *frame = step_of(bench, 0)->frames.items;
        const size_t size = built(bench, frame, &lwp_dialect_lance).size;
        for (size_t room = 0; room < size; room++) {
            struct lwp_writer out = guarded_writer(room);
            assert_int_equal(script_build(frame, &lwp_dialect_lance, &bench->variables, 1, &out),
                             LWP_FULL);
        }
        struct lwp_writer out = guarded_writer(script_frame_bound(frame, &bench->variables));
        assert_int_equal(script_build(frame, &lwp_dialect_lance, &bench->variables, 1, &out),
                         LWP_OK);
        bench_free(bench);
    }
}

/* A pattern, a frame as scripts write it, and the field that tells them apart, or NULL. */
struct match {
    const char *pattern;
    const char *frame;
    const char *field;
    long offset;
};

/* Builds the second step's frame and holds the first step's pattern against it. */
static bool matches(struct bench *bench, const struct lwp_dialect *dialect,
                    struct script_mismatch *mismatch)
{
    const struct lwp_frame_rules rules = {dialect->polynomial, LWP_MAX_PAYLOAD_DEFAULT};
    struct script_variables nothing = {.arena = &bench->script.arena};
    struct lwp_writer out = lwp_writer_on(bench->wire, sizeof(bench->wire));
    struct lwp_frame frame;
    struct lwp_fault fault;
    assert_int_equal(
        script_build(step_of(bench, 1)->frames.items, dialect, &nothing, OUR_BATCH, &out), LWP_OK);
    const struct lwp_bytes wire = guarded(lwp_writer_bytes(&out));
    assert_int_equal(lwp_frame_split(&rules, wire, &frame, &fault), LWP_OK);
    return script_match(step_of(bench, 0)->patterns.items, &frame, dialect, &bench->variables,
                        mismatch);
}

static struct bench *match_bench(const char *pattern, const char *frame)
{
    char body[2048];
    (void)snprintf(body, sizeof(body), "expect %s\nsend %s", pattern, frame);
    return bench_of(body);
}

static void check_match(const struct match *row, const struct lwp_dialect *dialect)
{
    struct bench *bench = match_bench(row->pattern, row->frame);
    struct script_mismatch mismatch = {.field = "untouched"};
    if (matches(bench, dialect, &mismatch) != !row->field)
        fail_msg("'%s' %s '%s'", row->pattern, row->field ? "took" : "did not take", row->frame);
    if (row->field) {
        if (strcmp(mismatch.field, row->field) != 0 || mismatch.offset != row->offset)
            fail_msg("'%s' and '%s' differ in %s at %ld, not %s at %ld", row->pattern, row->frame,
                     mismatch.field, mismatch.offset, row->field, row->offset);
        assert_non_null(memchr(mismatch.expected, 0, sizeof(mismatch.expected)));
        assert_non_null(memchr(mismatch.actual, 0, sizeof(mismatch.actual)));
        assert_string_not_equal(mismatch.expected, mismatch.actual);
    }
    bench_free(bench);
}

static void check_matches(const struct match *rows, size_t count)
{
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < count; i++)
            check_match(&rows[i], lwp_dialects[d]);
}

static void header_fields_are_compared_by_each_relation(void **state)
{
    (void)state;
    static const struct match rows[] = {
        {"ack batch_id=7", "ack batch_id=7", NULL, 0},
        {"ack batch_id=7", "ack batch_id=8", "batch_id", 12},
        {"ack batch_id=0x100", "ack batch_id=0x200", "batch_id", 13},
        {"ack batch_id!=7", "ack batch_id=8", NULL, 0},
        {"ack batch_id!=7", "ack batch_id=7", "batch_id", 12},
        {"ack batch_id<7", "ack batch_id=6", NULL, 0},
        {"ack batch_id<7", "ack batch_id=7", "batch_id", 12},
        {"ack batch_id<=7", "ack batch_id=7", NULL, 0},
        {"ack batch_id<=7", "ack batch_id=8", "batch_id", 12},
        {"ack batch_id>7", "ack batch_id=8", NULL, 0},
        {"ack batch_id>7", "ack batch_id=7", "batch_id", 12},
        {"ack batch_id>=7", "ack batch_id=7", NULL, 0},
        {"ack batch_id>=7", "ack batch_id=6", "batch_id", 12},
        {"ack batch_id in [5,7]", "ack batch_id=5", NULL, 0},
        {"ack batch_id in [5,7]", "ack batch_id=7", NULL, 0},
        {"ack batch_id in [5,7]", "ack batch_id=4", "batch_id", 12},
        {"ack batch_id in [5,7]", "ack batch_id=8", "batch_id", 12},
        {"ack batch_id=max", "ack batch_id=max", NULL, 0},
        {"ack topic_id=max", "ack topic_id=max", NULL, 0},
        {"ack topic_id=max", "ack topic_id=0x7fffffff", "topic_id", 43},
        {"ack topic_id=zero", "ack topic_id=0", NULL, 0},
        {"ack batch_id=7 topic_id=3", "ack batch_id=7 topic_id=3", NULL, 0},
        {"ack batch_id=7 topic_id=3", "ack batch_id=7 topic_id=4", "topic_id", 40},
        {"ack", "ack batch_id=1 timestamp_ns=2 topic_id=3", NULL, 0},
        {"frame", "ack", NULL, 0},
        {"frame flags=0x08", "ack", NULL, 0},
        {"frame flags=0x20", "ack", "flags", 5},
        {"ingest record_count=2", "ingest records=null*2", NULL, 0},
        {"ingest record_count=2", "ingest records=null*3", "record_count", 28},
    };
    check_matches(rows, COUNT_OF(rows));
}

static void payload_fields_are_compared_by_value_and_by_byte(void **state)
{
    (void)state;
    static const struct match rows[] = {
        {"fetch topic_id=7", "fetch topic_id=7", NULL, 0},
        {"fetch topic_id=7", "fetch topic_id=8", "topic_id", 44},
        {"fetch start_offset=0x10000", "fetch start_offset=0x20000", "start_offset", 50},
        {"commit-ack offset<=9 consumer_id=1", "commit-ack offset=9 consumer_id=1", NULL, 0},
        {"commit-ack offset<9", "commit-ack offset=9", "offset", 52},
        {"create-topic name=\"abc\"", "create-topic name=\"abc\"", NULL, 0},
        {"create-topic name=\"abc\"", "create-topic name=\"abd\"", "name", 46},
        {"create-topic name!=\"abc\"", "create-topic name=\"abd\"", NULL, 0},
        {"error-response text=\"Unknown topic\"", "error-response text=\"Unknown topic\"", NULL, 0},
        {"fetch-response data=\"abc\"", "fetch-response data=\"abc\"", NULL, 0},
        {"fetch-response data=\"abc\"", "fetch-response data=\"xbc\"", "data", 60},
        {"fetch-response bytes_returned=3", "fetch-response data=\"abc\"", NULL, 0},
        {"fetch-response records=raw(\"a\")", "fetch-response records=raw(\"a\")", NULL, 0},
        {"ingest records=raw(\"a\")+null", "ingest records=raw(\"a\")+null", NULL, 0},
        {"keepalive payload=\"abc\"", "keepalive payload=\"abc\"", NULL, 0},
    };
    check_matches(rows, COUNT_OF(rows));
}

/* Patterns that do not fit, whatever the field is called. */
static void what_differs_in_kind_form_or_bytes_does_not_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *frame;
    } rows[] = {
        {"ack", "keepalive"},
        {"keepalive", "ack"},
        {"keepalive", "frame flags=0x21"},
        {"ack", "frame flags=0x88"},
        {"ingest", "frame flags=0x06 payload=\"x\""},
        {"fetch-response", "commit-ack"},
        {"fetch-response", "ack"},
        {"ack", "fetch-response"},
        {"commit-ack", "commit-ack payload=\"short\""},
        {"commit-ack",
         "commit-ack payload=hex(00 01 02 03 04 05 06 07 00 01 02 03 04 05 06 07 08)"},
        {"catching-up", "catching-up payload=hex(00 01 02 03 04 05 06 07 08)"},
        {"fetch-response", "fetch-response bytes_returned=5 data=\"abc\""},
        {"fetch-response records=raw(\"a\")", "fetch-response records=raw(\"b\")"},
        {"fetch-response records=raw(\"a\")", "fetch-response records=raw(\"a\")*2"},
        {"fetch-response records=raw(\"a\")*2", "fetch-response records=raw(\"a\")"},
        {"ingest records=null", "ingest records=raw(\"\")"},
        {"keepalive payload=\"abc\"", "keepalive payload=\"abd\""},
        {"keepalive payload=\"abc\"", "keepalive payload=\"ab\""},
        {"keepalive payload=\"abc\"", "keepalive"},
        {"create-topic name!=\"abc\"", "create-topic name=\"abc\""},
        {"error-response text=\"Unknown topic\"", "error-response text=\"Unknown topics\""},
        {"exactly ack batch_id=7", "ack batch_id=7 topic_id=1"},
        {"exactly ack batch_id=7", "ack batch_id=7 timestamp_ns=1"},
        {"exactly ack", "ack batch_id=7"},
        {"exactly keepalive", "keepalive payload=\"x\""},
        {"exactly keepalive", "keepalive reserved=1"},
        {"exactly commit-ack", "commit-ack topic_id=1 record_count=9"},
    };
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct bench *bench = match_bench(rows[i].pattern, rows[i].frame);
            struct script_mismatch mismatch = {.field = NULL};
            if (matches(bench, lwp_dialects[d], &mismatch))
                fail_msg("'%s' took '%s'", rows[i].pattern, rows[i].frame);
            assert_non_null(mismatch.field);
            bench_free(bench);
        }
}

static void exactly_takes_frames_that_are_zero_elsewhere(void **state)
{
    (void)state;
    static const struct match rows[] = {
        {"exactly ack batch_id=7", "ack batch_id=7", NULL, 0},
        {"exactly keepalive", "keepalive", NULL, 0},
        {"exactly commit-ack consumer_id=5", "commit-ack consumer_id=5 offset=9", NULL, 0},
        {"exactly error-response text=\"x\"", "error-response text=\"x\"", NULL, 0},
        {"exactly ack", "ack topic_id=1", "topic_id", 40},
        {"exactly ack", "ack timestamp_ns=0x100", "timestamp_ns", 21},
    };
    check_matches(rows, COUNT_OF(rows));
}

#define LIST                                                                                       \
    "topic-response "                                                                              \
    "json=\"{\\\"topics\\\":[{\\\"id\\\":1,\\\"name\\\":\\\"a\\\"},{\\\"id\\\":2,\\\"name\\\":"    \
    "\\\"b\\\"}],\\\"deleted\\\":9}\""

static void members_of_documents_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool fits;
    } rows[] = {
        {"topic-response json.deleted=9", true},
        {"topic-response json.deleted=8", false},
        {"topic-response json.deleted!=8", true},
        {"topic-response json.deleted<10", true},
        {"topic-response json.deleted in [9,9]", true},
        {"topic-response json.deleted in [1,8]", false},
        {"topic-response json.deleted=\"9\"", false},
        {"topic-response json.missing=9", false},
        {"topic-response json.topics.0.name=\"a\"", true},
        {"topic-response json.topics.1.name=\"a\"", false},
        {"topic-response json.topics.*.id=1", true},
        {"topic-response json.topics.*.id=2", true},
        {"topic-response json.topics.*.id=3", false},
        {"topic-response json.topics.*.id!=3", true},
        {"topic-response json.topics.*.id!=2", false},
        {"topic-response json.topics.*.id!=1", false},
        {"topic-response json.topics.*.name=\"b\"", true},
        {"topic-response json.topics.*.name!=\"c\"", true},
        {"topic-response json.topics.*.name!=\"a\"", false},
        {"topic-response json.topics.2.id=3", false},
        {"topic-response json.topics.*.id=2 json.deleted=9", true},
        {"topic-response json.topics.*.id=2 json.deleted=8", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bench *bench = match_bench(rows[i].pattern, LIST);
        struct script_mismatch mismatch = {.field = NULL};
        if (matches(bench, &lwp_dialect_lance, &mismatch) != rows[i].fits)
            fail_msg("'%s'", rows[i].pattern);
        if (!rows[i].fits)
            assert_non_null(mismatch.field);
        bench_free(bench);
    }
}

static void what_is_no_document_has_no_members(void **state)
{
    (void)state;
    static const char *const documents[] = {"",   "{",        "5",
                                            "[]", "nonsense", "{\\\"id\\\":\\\"5\\\"}"};
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        char frame[128];
        struct script_mismatch mismatch = {.field = NULL};
        (void)snprintf(frame, sizeof(frame), "topic-response json=\"%s\"", documents[i]);
        struct bench *bench = match_bench("topic-response json.id=5", frame);
        assert_false(matches(bench, &lwp_dialect_lance, &mismatch));
        assert_non_null(mismatch.field);
        bench_free(bench);
    }
}

static void errors_are_recognised_as_text_and_as_document(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *said;
        bool fits;
    } rows[] = {
        {"topic-not-found", "Topic not found", true},
        {"topic-not-found", "Configuration error: Topic 5 not found", true},
        {"topic-not-found", "Unknown topic", true},
        {"topic-not-found", "Topic 'a' already exists", false},
        {"topic-already-exists", "Topic 'a' already exists", true},
        {"topic-not-found", "nothing that is known", false},
        {"topic-not-found", "{\\\"code\\\":16,\\\"message\\\":\\\"x\\\"}", true},
        {"topic-not-found", "{\\\"code\\\":17,\\\"message\\\":\\\"Topic not found\\\"}", false},
        {"topic-not-found", "{\\\"message\\\":\\\"x\\\"}", false},
        {"topic-not-found", "", false},
    };
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            char pattern[128], frame[256];
            struct script_mismatch mismatch = {.field = NULL};
            (void)snprintf(pattern, sizeof(pattern), "error-response code=%s", rows[i].code);
            (void)snprintf(frame, sizeof(frame), "error-response text=\"%s\"", rows[i].said);
            struct bench *bench = match_bench(pattern, frame);
            if (matches(bench, lwp_dialects[d], &mismatch) != rows[i].fits)
                fail_msg("%s for '%s'", pattern, rows[i].said);
            bench_free(bench);
        }
}

static void a_variable_is_bound_once_and_compared_afterwards(void **state)
{
    (void)state;
    struct bench *bench = bench_of("expect ack batch_id=$x topic_id=$y\nsend ack batch_id=7 "
                                   "topic_id=3\nexpect ack batch_id=$x\nexpect ack topic_id=$x");
    struct script_mismatch mismatch;
    assert_true(matches(bench, &lwp_dialect_lance, &mismatch));
    const struct script_variable *x = script_variable_of(&bench->variables, lwp_bytes_text("x"));
    assert_false(x->is_bytes);
    assert_int_equal(x->number, 7);
    assert_int_equal(script_variable_of(&bench->variables, lwp_bytes_text("y"))->number, 3);
    assert_true(matches(bench, &lwp_dialect_lance, &mismatch));
    assert_int_equal(bench->variables.list.count, 2);
    struct lwp_frame frame = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
    frame.header.batch_id = 7;
    frame.header.topic_id = 3;
    assert_true(script_match(step_of(bench, 2)->patterns.items, &frame, &lwp_dialect_lance,
                             &bench->variables, &mismatch));
    assert_false(script_match(step_of(bench, 3)->patterns.items, &frame, &lwp_dialect_lance,
                              &bench->variables, &mismatch));
    assert_string_equal(mismatch.field, "topic_id");
    bench_free(bench);
}

static void a_variable_in_two_places_wants_the_same_value(void **state)
{
    (void)state;
    for (uint64_t id = 6; id <= 7; id++) {
        char frame[64];
        struct script_mismatch mismatch;
        (void)snprintf(frame, sizeof(frame), "ack batch_id=7 topic_id=%d", (int)id);
        struct bench *bench = match_bench("ack batch_id=$x topic_id=$x", frame);
        assert_int_equal(matches(bench, &lwp_dialect_lance, &mismatch), id == 7);
        bench_free(bench);
    }
}

static void a_mismatch_binds_nothing(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "ack batch_id=$x topic_id=4", "ack batch_id=$x topic_id>9", "ack batch_id=$x topic_id=$x"};
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        struct script_mismatch mismatch;
        struct bench *bench = match_bench(patterns[i], "ack batch_id=7 topic_id=3");
        assert_false(matches(bench, &lwp_dialect_lance, &mismatch));
        assert_null(script_variable_of(&bench->variables, lwp_bytes_text("x")));
        bench_free(bench);
    }
}

static void strings_and_members_are_bound_as_well(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *frame;
        const char *text; /* NULL for the number 5. */
    } rows[] = {
        {"create-topic name=$x", "create-topic name=\"abc\"", "abc"},
        {"fetch start_offset=$x", "fetch start_offset=5", NULL},
        {"topic-response json.id=$x", "topic-response json=\"{\\\"id\\\":5}\"", NULL},
        {"topic-response json.name=$x", "topic-response json=\"{\\\"name\\\":\\\"abc\\\"}\"",
         "abc"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct script_mismatch mismatch;
        struct bench *bench = match_bench(rows[i].pattern, rows[i].frame);
        assert_true(matches(bench, &lwp_dialect_lance, &mismatch));
        memset(bench->wire, 0xee, sizeof(bench->wire));
        const struct script_variable *x =
            script_variable_of(&bench->variables, lwp_bytes_text("x"));
        assert_non_null(x);
        assert_int_equal(x->is_bytes, rows[i].text != NULL);
        if (rows[i].text)
            assert_bytes_equal(x->bytes, lwp_bytes_text(rows[i].text));
        else
            assert_int_equal(x->number, 5);
        assert_true(matches(bench, &lwp_dialect_lance, &mismatch));
        bench_free(bench);
    }
}

static void every_built_frame_matches_its_own_words(void **state)
{
    (void)state;
    static const char *const frames[] = {"keepalive",
                                         "ack batch_id=9",
                                         "backpressure",
                                         "fetch topic_id=1 start_offset=2 max_bytes=3",
                                         "ingest topic_id=1 records=raw(\"a\")",
                                         "create-topic name=\"x\"",
                                         "fetch-response next_offset=3 records=kv(\"a\",\"b\")",
                                         "catching-up server_offset=max",
                                         "subscribe-ack consumer_id=5 offset=6",
                                         "authenticate-response ok=1 text=\"y\"",
                                         "topic-response json=\"{}\"",
                                         "frame flags=0x0c batch_id=3",
                                         "ingest payload=\"300 bytes\""};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        const struct match row = {frames[i], frames[i], NULL, 0};
        check_matches(&row, 1);
    }
}

static void descriptions_fit_every_room(void **state)
{
    (void)state;
    static const char *const patterns[] = {"ack",
                                           "exactly ack batch_id=7",
                                           "lenient exactly ack batch_id in [5,6] topic_id!=$x",
                                           "close",
                                           "close fin",
                                           "close rst",
                                           "fetch-response records=raw(\"abc\")*100",
                                           "ack payload=hex(00 ff)",
                                           "error-response code=topic-not-found",
                                           "error-response text=\"Topic not found\"",
                                           "topic-response json.topics.*.id!=5 json.name=$n",
                                           "ingest payload=\"59\" batch_id>=max"};
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        char body[256], whole[512];
        (void)snprintf(body, sizeof(body), "expect %s", patterns[i]);
        struct bench *bench = bench_of(body);
        const struct script_pattern *pattern = step_of(bench, 0)->patterns.items;
        script_describe(pattern, whole, sizeof(whole));
        assert_true(strlen(whole) > 0);
        assert_null(strchr(whole, '\n'));
        for (size_t room = 1; room <= sizeof(whole); room++) {
            char *out = (char *)guarded_writer(room).data;
            memset(out, 'x', room);
            script_describe(pattern, out, room);
            assert_non_null(memchr(out, 0, room));
            assert_int_equal(strncmp(out, whole, strlen(out)), 0);
        }
        bench_free(bench);
    }
}

static void descriptions_name_what_is_expected(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *word;
    } rows[] = {{"exactly ack batch_id=4711", "batch_id"},
                {"exactly ack batch_id=4711", "4711"},
                {"exactly ack batch_id=4711", "ack"},
                {"close fin", "close"},
                {"fetch-response", "fetch-response"},
                {"ack batch_id!=$abc", "abc"},
                {"error-response code=topic-not-found", "topic-not-found"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[128], out[512];
        (void)snprintf(body, sizeof(body), "expect %s", rows[i].pattern);
        struct bench *bench = bench_of(body);
        script_describe(step_of(bench, 0)->patterns.items, out, sizeof(out));
        assert_non_null(strstr(out, rows[i].word));
        bench_free(bench);
    }
}

static void tokens_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum token_kind kind;
        uint64_t number;
    } rows[] = {{"fetch-response", TOKEN_WORD, 0},
                {"json.a.*.b", TOKEN_WORD, 0},
                {"$t.name", TOKEN_WORD, 0},
                {"12", TOKEN_NUMBER, 12},
                {"0x1f", TOKEN_NUMBER, 31},
                {"16K", TOKEN_NUMBER, 16384},
                {"1M", TOKEN_NUMBER, 1048576},
                {"18446744073709551615", TOKEN_NUMBER, UINT64_MAX},
                {"18446744073709551616", TOKEN_BAD, 0},
                {"0x", TOKEN_BAD, 0},
                {"12x", TOKEN_BAD, 0},
                {"40ms", TOKEN_DURATION, 40000000},
                {"2s", TOKEN_DURATION, 2000000000},
                {"500us", TOKEN_DURATION, 500000},
                {"1m", TOKEN_DURATION, UINT64_C(60000000000)},
                {"18446744073709551615s", TOKEN_BAD, 0},
                {"\"text\"", TOKEN_STRING, 0},
                {"\"open", TOKEN_BAD, 0},
                {"!=", TOKEN_SIGN, 0},
                {"|", TOKEN_SIGN, 0},
                {"\n", TOKEN_LINE_END, 0},
                {"", TOKEN_FILE_END, 0},
                {"\x01", TOKEN_BAD, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct script_arena arena = {.used = 0};
        token_list tokens = {NULL, 0};
        assert_true(script_tokens(&arena, "f", guarded(lwp_bytes_text(rows[i].text)), &tokens));
        assert_int_equal(tokens.items[0].kind, rows[i].kind);
        assert_bytes_equal(tokens.items[0].text, lwp_bytes_text(rows[i].text));
        if (rows[i].kind == TOKEN_NUMBER || rows[i].kind == TOKEN_DURATION)
            assert_int_equal(tokens.items[0].number, rows[i].number);
        assert_int_equal(tokens.count, rows[i].kind == TOKEN_FILE_END ? 1 : 2);
        assert_int_equal(tokens.items[tokens.count - 1].kind, TOKEN_FILE_END);
        script_arena_done(&arena);
    }
}

static void strings_are_read_with_their_escapes(void **state)
{
    (void)state;
    struct script_arena arena = {.used = 0};
    token_list tokens = {NULL, 0};
    assert_true(script_tokens(
        &arena, "f", lwp_bytes_text("\"a\\n\\t\\\"\\\\\\x00\\xfF\xc3\xa9#\" # \"no\""), &tokens));
    assert_int_equal(tokens.count, 2);
    assert_bytes_equal(tokens.items[0].bytes, bytes_of("a\n\t\"\\\0\xff\xc3\xa9#", 10));
    script_arena_done(&arena);
}

static void places_count_lines_and_columns_from_1(void **state)
{
    (void)state;
    struct script_arena arena = {.used = 0};
    token_list tokens = {NULL, 0};
    static const unsigned places[][2] = {{1, 1}, {1, 4}, {1, 5}, {1, 6},
                                         {1, 7}, {2, 3}, {2, 4}, {4, 1}};
    assert_true(script_tokens(&arena, "f", lwp_bytes_text("ab =5 \n  x\\\n\ny"), &tokens) ||
                arena.failed);
    assert_true(tokens.count > 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tokens.items[i].place.line, places[i][0]);
        assert_int_equal(tokens.items[i].place.column, places[i][1]);
    }
    const struct token *last = &tokens.items[tokens.count - 2];
    assert_int_equal(last->place.line, 4);
    assert_int_equal(last->place.column, 1);
    script_arena_done(&arena);
}

static void an_arena_gives_zeroed_aligned_memory_up_to_its_limit(void **state)
{
    (void)state;
    struct script_arena arena = {.used = 0};
    for (size_t size = 1; size < 200; size++) {
        uint8_t *at = script_arena_take(&arena, size);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        memset(at, 0xee, size);
    }
    assert_bytes_equal(script_arena_copy(&arena, lwp_bytes_text("abc")), lwp_bytes_text("abc"));
    assert_false(arena.failed);
    assert_null(script_arena_take(&arena, 65 * 1024 * 1024));
    assert_null(script_arena_take(&arena, SIZE_MAX));
    assert_true(arena.failed);
    script_arena_done(&arena);
    script_arena_done(&arena);
    assert_non_null(script_arena_take(&arena, 1));
    script_arena_done(&arena);
}

static void a_variable_of_the_other_type_builds_nothing(void **state)
{
    (void)state;
    struct bench *bench =
        bench_of("given topic $t\nsend fetch topic_id=$t, create-topic name=$t, ack batch_id=$t\n"
                 "expect ack");
    const struct script_frame *frames = step_of(bench, 1)->frames.items;
    static const bool wants_bytes[] = {false, true, false};
    for (int is_bytes = 0; is_bytes < 2; is_bytes++)
        for (int i = 0; i < 3; i++) {
            struct script_variables variables = {.arena = &bench->script.arena};
            struct lwp_writer out = lwp_writer_on(bench->wire, sizeof(bench->wire));
            if (is_bytes)
                script_bind_bytes(&variables, lwp_bytes_text("t"), lwp_bytes_text("x"));
            else
                script_bind_number(&variables, lwp_bytes_text("t"), 5);
            assert_int_equal(script_build(&frames[i], &lwp_dialect_spec, &variables, 1, &out),
                             wants_bytes[i] == is_bytes ? LWP_OK : LWP_INVALID_ARGUMENT);
        }
    bench_free(bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_variable_of_the_other_type_builds_nothing),
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
    cmocka_unit_test(a_broken_file_leaves_the_cases_of_others),
    cmocka_unit_test(no_two_files_have_the_same_case),
    cmocka_unit_test(the_text_is_not_needed_afterwards),
    cmocka_unit_test(files_of_up_to_1_mib_are_read),
    cmocka_unit_test(an_empty_file_has_no_cases),
    cmocka_unit_test(zero_bytes_are_errors_and_do_not_end_the_text),
    cmocka_unit_test(random_bytes_are_read_or_told),
    cmocka_unit_test(random_words_are_read_or_told),
    cmocka_unit_test(a_case_with_any_byte_changed_or_cut_is_read_or_told),
    cmocka_unit_test(bare_frames_are_sealed_by_the_dialect),
    cmocka_unit_test(commands_are_built_from_their_fields),
    cmocka_unit_test(the_cluster_status_has_the_code_of_the_dialect),
    cmocka_unit_test(ingests_take_the_next_batch_id_and_count_their_records),
    cmocka_unit_test(each_kind_of_record_is_written),
    cmocka_unit_test(compressed_records_come_out_again),
    cmocka_unit_test(every_header_field_can_be_wrong_zero_or_all_bits),
    cmocka_unit_test(checksums_fit_what_the_frame_then_says),
    cmocka_unit_test(checksums_that_are_given_stay),
    cmocka_unit_test(fillings_have_their_size_and_depend_on_their_seed),
    cmocka_unit_test(a_size_cuts_or_pads_what_the_payload_would_be),
    cmocka_unit_test(variables_stand_for_their_values),
    cmocka_unit_test(a_frame_that_does_not_fit_is_full_at_every_room),
    cmocka_unit_test(header_fields_are_compared_by_each_relation),
    cmocka_unit_test(payload_fields_are_compared_by_value_and_by_byte),
    cmocka_unit_test(what_differs_in_kind_form_or_bytes_does_not_match),
    cmocka_unit_test(exactly_takes_frames_that_are_zero_elsewhere),
    cmocka_unit_test(members_of_documents_are_compared),
    cmocka_unit_test(what_is_no_document_has_no_members),
    cmocka_unit_test(errors_are_recognised_as_text_and_as_document),
    cmocka_unit_test(a_variable_is_bound_once_and_compared_afterwards),
    cmocka_unit_test(a_variable_in_two_places_wants_the_same_value),
    cmocka_unit_test(a_mismatch_binds_nothing),
    cmocka_unit_test(strings_and_members_are_bound_as_well),
    cmocka_unit_test(every_built_frame_matches_its_own_words),
    cmocka_unit_test(descriptions_fit_every_room),
    cmocka_unit_test(descriptions_name_what_is_expected),
    cmocka_unit_test(tokens_are_told_apart),
    cmocka_unit_test(strings_are_read_with_their_escapes),
    cmocka_unit_test(places_count_lines_and_columns_from_1),
    cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_up_to_its_limit),
};

int main(void)
{
    return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
