/* SPDX-License-Identifier: MIT */
/* The proof of the suite, proved: each of its checks fails once. */
#include <stdlib.h>

#include "conformance/catalogue.h"
#include "conformance/mutants.h"
#include "conformance/workers.h"
#include "lwp/tests/support.h"

static const char cases[] = "case LWP-2.3/answered must server\n"
                            "  text \"A keepalive is answered.\"\n"
                            "  req  R2.3-keepalive-answer\n"
                            "  send keepalive\n"
                            "  expect keepalive\n"
                            "case LWP-5.5/unknown must server\n"
                            "  text \"There is no such topic.\"\n"
                            "  req  R5.5-unknown\n"
                            "  needs topics\n"
                            "  send get-topic topic_id=max\n"
                            "  expect error-response\n"
                            "case LWP-4.2/acked must server\n"
                            "  text \"A batch is acknowledged.\"\n"
                            "  req  R4.2-ack-batch-id\n"
                            "  needs ingest\n"
                            "  send ingest batch_id=7 topic_id=0 records=null\n"
                            "  expect ack batch_id=7\n";

static const struct lwp_bug_row wrong_batch = {"acks_wrong_batch", "mock", "R4.2-ack-batch-id",
                                               "LWP-4.2/acked", "A test."};
static const struct lwp_bug_row no_keepalive = {
    "ignores_keepalive", "mock", "R2.3-keepalive-answer", "LWP-2.3/answered", "A test."};

/* A run, and what it says. */
struct said {
    struct script script;
    struct mutants mutants;
    char *text;
    size_t size;
};

static const struct kept none_kept[] = {{NULL, NULL}};

static void begin(struct said *said, const struct mutant *items, size_t count)
{
    *said = (struct said){.text = NULL};
    assert_int_equal(script_read(&said->script, "cases", lwp_bytes_text(cases)), LWP_OK);
    said->mutants = (struct mutants){
        .cases = &said->script,
        .items = items,
        .count = count,
        .kept = none_kept,
        .prefix = "test",
        .text = open_memstream(&said->text, &said->size),
    };
    assert_non_null(said->mutants.text);
}

static void end(struct said *said)
{
    assert_int_equal(fclose(said->mutants.text), 0);
    free(said->text);
    script_done(&said->script);
}

static void assert_said(struct said *said, const char *what)
{
    assert_int_equal(fflush(said->mutants.text), 0);
    if (!strstr(said->text, what))
        fail_msg("not said: %s\nbut: %s", what, said->text);
}

static void assert_row_is_refused(const struct lwp_bug_row *row, const char *why)
{
    const struct mutant mutant = {LWP_BUG_acks_wrong_batch, row};
    struct said said;
    begin(&said, &mutant, 1);
    assert_false(mutants_check(&said.mutants));
    assert_said(&said, why);
    assert_int_equal(mutants_run(&said.mutants, false), SUITE_FAILED);
    end(&said);
}

static void a_requirement_that_is_not_in_the_table_is_refused(void **state)
{
    (void)state;
    struct lwp_bug_row row = wrong_batch;
    row.requirement = "R4.2-no-such-requirement";
    assert_row_is_refused(&row, "breaks a requirement that is not in the table");
}

static void a_killer_that_is_no_case_is_refused(void **state)
{
    (void)state;
    struct lwp_bug_row row = wrong_batch;
    row.killer = "LWP-4.2/no-such-case";
    assert_row_is_refused(&row, "is to be killed by a case that does not exist");
}

static void a_killer_that_does_not_name_the_requirement_is_refused(void **state)
{
    (void)state;
    struct lwp_bug_row row = wrong_batch;
    row.killer = "LWP-2.3/answered";
    assert_row_is_refused(&row, "is to be killed by a case that does not name its requirement");
}

static void all_mutants_of_the_table_hold_together(void **state)
{
    (void)state;
    struct catalogue catalogue = {.retired = {NULL, 0}};
    struct mutant chosen[LWP_BUG_COUNT];
    size_t count = 0;
    struct said said;
    assert_null(mutants_choose(NULL, 0, chosen, &count));
    assert_true(count >= 120);
    assert_true(catalogue_read_embedded(&catalogue, catalogue_embedded));
    begin(&said, chosen, count);
    said.mutants.whole = true;
    said.mutants.cases = &catalogue.script;
    if (!mutants_check(&said.mutants))
        assert_said(&said, "nothing at all");
    catalogue_done(&catalogue);
    end(&said);
}

static void a_requirement_without_a_mutant_is_found(void **state)
{
    (void)state;
    const struct mutant some[] = {{LWP_BUG_NONE, &wrong_batch}, {LWP_BUG_NONE, &no_keepalive}};
    struct said said;
    begin(&said, some, 2);
    assert_true(mutants_check(&said.mutants));
    said.mutants.whole = true;
    assert_false(mutants_check(&said.mutants));
    assert_said(&said, "R5.5-unknown has no mutant\n");
    end(&said);
}

static void a_name_that_no_mutant_has_is_told(void **state)
{
    (void)state;
    struct mutant chosen[LWP_BUG_COUNT];
    size_t count = 0;
    static const char *const names[] = {"acks_wrong_batch", "acks_wrong_batch", "never_gives_up"};
    assert_null(mutants_choose(names, 2, chosen, &count));
    assert_int_equal(count, 1);
    assert_string_equal(mutants_choose(names, 3, chosen, &count), "never_gives_up");
}

static void assert_run(enum lwp_bug bug, const struct lwp_bug_row *row, enum suite_exit expected,
                       const char *what)
{
    const struct mutant mutant = {bug, row};
    struct said said;
    begin(&said, &mutant, 1);
    assert_int_equal(mutants_run(&said.mutants, false), expected);
    assert_said(&said, what);
    end(&said);
}

static void a_bug_without_a_place_survives(void **state)
{
    (void)state;
    assert_run(LWP_BUG_NONE, &wrong_batch, SUITE_FAILED,
               "SURVIVED acks_wrong_batch by LWP-4.2/acked\nmutants: 0 of 1 killed\n");
}

static void a_line_of_json_tells_the_same(void **state)
{
    (void)state;
    const struct mutant mutant = {LWP_BUG_NONE, &wrong_batch};
    struct said said;
    begin(&said, &mutant, 1);
    said.mutants.jsonl = said.mutants.text;
    assert_int_equal(mutants_run(&said.mutants, false), SUITE_FAILED);
    assert_said(&said, "\n{\"event\":\"mutant\",\"schema_version\":2,\"name\":\"acks_wrong_batch\","
                       "\"requirement\":\"R4.2-ack-batch-id\",\"killer\":\"LWP-4.2/acked\","
                       "\"killed\":false,\"cases\":[]}\n");
    end(&said);
}

static void a_killer_that_does_not_notice_fails(void **state)
{
    (void)state;
    assert_run(LWP_BUG_ignores_keepalive, &wrong_batch, SUITE_FAILED, "mutants: 0 of 1 killed\n");
}

static void need_mutants(void)
{
    if (!lwp_bugs_compiled_in())
        skip();
}

static void a_mutant_is_killed_by_the_case_beside_it(void **state)
{
    (void)state;
    need_mutants();
    assert_run(LWP_BUG_acks_wrong_batch, &wrong_batch, SUITE_AS_EXPECTED,
               "killed   acks_wrong_batch by LWP-4.2/acked in spec, lance, lance-py\n"
               "mutants: 1 of 1 killed\n");
}

static void a_mutant_that_never_ends_is_killed(void **state)
{
    (void)state;
    need_mutants();
    assert_run(LWP_BUG_never_gets_past_nothing, &wrong_batch, SUITE_AS_EXPECTED,
               " in spec\nmutants: 1 of 1 killed\n");
}

static void a_crash_ends_one_case_and_no_other(void **state)
{
    (void)state;
    static const uint8_t expected[] = {VERDICT_PASS, VERDICT_CRASH, VERDICT_PASS};
    struct said said;
    need_mutants();
    begin(&said, NULL, 0);
    struct worker worker = {.bug = LWP_BUG_dies_of_unknown_topics,
                            .dialect = &lwp_dialect_lance,
                            .end = 3,
                            .verdicts = workers_memory(1, 3)};
    assert_non_null(worker.verdicts);
    assert_int_equal(workers_run(&worker, 1, 1, &said.script, "test"), LWP_OK);
    assert_memory_equal(worker.verdicts, expected, sizeof(expected));
    workers_memory_done(worker.verdicts, 1, 3);
    end(&said);
}

/* All mutants of the cases, two of which never do anything. */
static void run_matrix(struct said *said, const struct kept *kept)
{
    static const struct lwp_bug_row unknown = {"gets_unknown_topics", "mock", "R5.5-unknown",
                                               "LWP-5.5/unknown", "A test."};
    const struct mutant all[] = {{LWP_BUG_NONE, &wrong_batch},
                                 {LWP_BUG_ignores_keepalive, &no_keepalive},
                                 {LWP_BUG_NONE, &unknown}};
    begin(said, all, 3);
    said->mutants.whole = true;
    said->mutants.kept = kept;
    assert_int_equal(mutants_run(&said->mutants, true), SUITE_FAILED);
}

static void a_case_that_kills_nothing_has_to_say_why(void **state)
{
    (void)state;
    static const struct kept kept[] = {{"LWP-5.5/*", "a test"}, {NULL, NULL}};
    struct said said;
    run_matrix(&said, kept);
    assert_said(&said, "LWP-4.2/acked kills 0: why is it there? (kept.def)\n");
    assert_said(&said, "LWP-5.5/unknown kills 0\n");
    end(&said);
}

static void a_reason_for_no_case_that_kills_nothing_is_out_of_date(void **state)
{
    (void)state;
    static const struct kept kept[] = {{"LWP-2.3/*", "a test"}, {"LWP-2/*", "none"}, {NULL, NULL}};
    struct said said;
    run_matrix(&said, kept);
    assert_said(&said, "kept.def: LWP-2/* fits no case that kills nothing (none)\n");
    if (lwp_bugs_compiled_in()) {
        assert_said(&said, "ignores_keepalive dies of 1: LWP-2.3/answered\n");
        assert_said(&said, "LWP-2.3/answered kills 1\n");
        assert_said(&said, "kept.def: LWP-2.3/* fits no case that kills nothing (a test)\n");
    }
    end(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_requirement_that_is_not_in_the_table_is_refused),
        cmocka_unit_test(a_killer_that_is_no_case_is_refused),
        cmocka_unit_test(a_killer_that_does_not_name_the_requirement_is_refused),
        cmocka_unit_test(all_mutants_of_the_table_hold_together),
        cmocka_unit_test(a_requirement_without_a_mutant_is_found),
        cmocka_unit_test(a_name_that_no_mutant_has_is_told),
        cmocka_unit_test(a_bug_without_a_place_survives),
        cmocka_unit_test(a_line_of_json_tells_the_same),
        cmocka_unit_test(a_killer_that_does_not_notice_fails),
        cmocka_unit_test(a_mutant_is_killed_by_the_case_beside_it),
        cmocka_unit_test(a_mutant_that_never_ends_is_killed),
        cmocka_unit_test(a_crash_ends_one_case_and_no_other),
        cmocka_unit_test(a_case_that_kills_nothing_has_to_say_why),
        cmocka_unit_test(a_reason_for_no_case_that_kills_nothing_is_out_of_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
