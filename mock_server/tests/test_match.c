/* SPDX-License-Identifier: MIT */
/* Members of documents are compared by type as well: a server must not pass by answering "" or 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mock_server/script/frames.h"

/* Whether `topic-response <fields>` accepts this document, with $n and $id bound. */
static bool accepts(const char *fields, const char *document)
{
    struct script script = {.cases = {NULL, 0}};
    struct script_variables variables = {.arena = &script.arena};
    struct script_mismatch mismatch = {.field = NULL};
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "case LWP-5/x must server\ntext \"t\"\nreq R5-x\ngiven name $n\n"
                   "given topic $id\nexpect topic-response %s\n",
                   fields);
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_OK);
    script_bind_bytes(&variables, lwp_bytes_text("n"), lwp_bytes_text("name"));
    script_bind_number(&variables, lwp_bytes_text("id"), 0);
    struct lwp_frame frame =
        lwp_message_frame(LWP_COMMAND_TOPIC_RESPONSE, lwp_bytes_text(document));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    const struct script_case *of = &script.cases.items[0];
    const struct script_pattern *pattern = &of->steps.items[2].patterns.items[0];
    const bool matches = script_match(pattern, &frame, &lwp_dialect_lance, &variables, &mismatch);
    script_done(&script);
    return matches;
}

static void numbers_are_not_equal_to_strings(void **state)
{
    (void)state;
    assert_true(accepts("json.deleted=$id", "{\"deleted\":0}"));
    assert_true(accepts("json.a=7 json.a>=7 json.a in [1,9]", "{\"a\":7}"));
    static const char *const strings[] = {"{\"a\":\"\"}", "{\"a\":\"7\"}", "{\"a\":\"yesterday\"}"};
    static const char *const fields[] = {"json.a=0",          "json.a=7",   "json.a>=0",
                                         "json.a in [0,max]", "json.a=$id", "json.a!=5"};
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
            assert_false(accepts(fields[f], strings[i]));
}

static void strings_are_not_equal_to_numbers(void **state)
{
    (void)state;
    assert_true(accepts("json.a=$n json.a=\"name\" json.a=\"na\"+\"me\"", "{\"a\":\"name\"}"));
    static const char *const others[] = {"{\"a\":0}", "{\"a\":false}", "{\"a\":null}",
                                         "{\"a\":{}}"};
    static const char *const fields[] = {"json.a=\"\"", "json.a=\"name\"", "json.a=$n",
                                         "json.a!=\"x\""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
            assert_false(accepts(fields[f], others[i]));
}

static void a_list_is_an_array_and_no_object(void **state)
{
    (void)state;
    assert_true(accepts("json.topics.*.id=1", "{\"topics\":[{\"id\":2},{\"id\":1}]}"));
    assert_false(accepts("json.topics.*.id=1", "{\"topics\":{\"0\":{\"id\":1}}}"));
}

static void members_can_be_missing(void **state)
{
    (void)state;
    assert_true(accepts("json.b=none json.a!=none", "{\"a\":null}"));
    assert_false(accepts("json.a=none", "{\"a\":null}"));
    assert_false(accepts("json.b!=none", "{\"a\":1}"));
    assert_false(accepts("json.b=1", "{\"a\":1}"));
}

/* An ack of this batch against `ack <field>`: what the whole comparison says, and what the condition. */
static void check_condition(const char *field, uint64_t batch_id)
{
    struct script script = {.cases = {NULL, 0}};
    struct script_variables variables = {.arena = &script.arena};
    struct script_mismatch mismatch = {.field = NULL};
    struct script_condition condition;
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_ACK, .batch_id = batch_id}};
    char text[1024];
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    (void)snprintf(text, sizeof(text),
                   "case LWP-5/x must server\ntext \"t\"\nreq R5-x\nexpect ack %s\n", field);
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_OK);
    const struct script_case *of = &script.cases.items[0];
    const struct script_pattern *pattern = &of->steps.items[0].patterns.items[0];
    assert_true(script_condition_of(&pattern->frame.fields.items[0], &condition));
    assert_int_equal(script_condition_holds(&condition, &frame.header),
                     script_match(pattern, &frame, &lwp_dialect_lance, &variables, &mismatch));
    script_done(&script);
}

static void a_condition_on_the_header_says_what_the_whole_comparison_says(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "batch_id=3",  "batch_id!=3",   "batch_id<3",    "batch_id<=3",        "batch_id>3",
        "batch_id>=3", "batch_id=max",  "batch_id=zero", "batch_id in [2,3]",  "flags=0x02",
        "flags!=max",  "topic_id<=max", "batch_id<0",    "batch_id in [4,max]"};
    static const uint64_t ids[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        for (size_t j = 0; j < sizeof(ids) / sizeof(ids[0]); j++)
            check_condition(fields[i], ids[j]);
}

static void what_depends_on_a_variable_is_no_condition(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    struct script_condition condition;
    static const char text[] = "case LWP-5/x must server\ntext \"t\"\nreq R5-x\ngiven topic $id\n"
                               "expect ack batch_id=$id\nexpect topic-response json.a=1\n";
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_OK);
    const struct script_case *of = &script.cases.items[0];
    for (size_t i = 1; i < of->steps.count; i++)
        assert_false(script_condition_of(
            &of->steps.items[i].patterns.items[0].frame.fields.items[0], &condition));
    script_done(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_not_equal_to_strings),
        cmocka_unit_test(strings_are_not_equal_to_numbers),
        cmocka_unit_test(a_list_is_an_array_and_no_object),
        cmocka_unit_test(members_can_be_missing),
        cmocka_unit_test(a_condition_on_the_header_says_what_the_whole_comparison_says),
        cmocka_unit_test(what_depends_on_a_variable_is_no_condition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
