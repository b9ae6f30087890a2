/* SPDX-License-Identifier: MIT */
#include "conformance/catalogue.h"
#include "conformance/changes.h"
#include "conformance/requirements.h"
#include "lwp/tests/folder.h"

#define CASE "case LWP-2.3/x must server\ntext \"t\"\nreq R2.3-keepalive-answer\n"

#define ZEROS "0000000000000000 0000000000000000 00000000 "
#define KEEPALIVE "hex(4C414E43 01200000 061E9C53 " ZEROS "00000000 00000000 00000000)"
#define INGEST "hex(4C414E43 01040000 3AF0D86C " ZEROS "0A000000 00000000 00000000)"

/* A catalogue, and a folder with what it reads. */
struct desk {
    struct catalogue catalogue;
    char folder[FOLDER_SIZE];
};

static const char *put(const struct desk *desk, const char *name, const char *text)
{
    const char *path = folder_path(desk->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void begin(struct desk *desk)
{
    desk->catalogue = (struct catalogue){.script = {.arena = {NULL, 0, false}}};
    folder_make(desk->folder);
}

static void end(struct desk *desk)
{
    catalogue_done(&desk->catalogue);
    folder_remove(desk->folder);
}

/* A catalogue that knows a manual and two recordings. */
static void begin_with_sources(struct desk *desk)
{
    begin(desk);
    assert_true(
        catalogue_read_source(&desk->catalogue, put(desk, "a.jsonl",
                                                    "{\"id\": \"ka\", \"send\": []}\n"
                                                    "{\"id\": \"twice\", \"send\": []}\n")));
    assert_true(catalogue_read_source(&desk->catalogue,
                                      put(desk, "b.jsonl", "{\"id\": \"twice\", \"send\": []}\n")));
    assert_true(catalogue_read_source(
        &desk->catalogue, put(desk, "m.md", "# Title\n\n## Frames\n\ntext\n## Order\n")));
}

/* Reads a case with this line in it; what is wrong, or NULL. */
static const char *told(struct desk *desk, const char *line)
{
    char text[512];
    char *slurped = NULL;
    size_t size = 0;
    (void)snprintf(text, sizeof(text), CASE "%s\nsend keepalive\nexpect keepalive\n", line);
    const bool sound =
        catalogue_read_file(&desk->catalogue, put(desk, "c.lwps", text), &slurped, &size);
    const size_t count = desk->catalogue.script.errors.count;
    free(slurped);
    assert_int_equal(count, !sound);
    return sound ? NULL : desk->catalogue.script.errors.items[0].expected;
}

static void a_case_names_where_its_answers_are_known_from(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *expected; /* A part of what is told; NULL: it is sound. */
    } rows[] = {
        {"source golden ka", NULL},
        {"source server \"Frames\"", NULL},
        {"source golden ka\nsource server \"Order\", \"Frames\"", NULL},
        {"", "a source"},
        {"source golden kb", "one recorded exchange"},
        {"source golden k", "one recorded exchange"},
        {"source golden twice", "one recorded exchange"},
        {"source server \"Frame\"", "a section"},
        {"source server \"Title\"", "a section"},
        {"source server \"ka\"", "a section"},
        {"source golden ka\nsource server \"Nowhere\"", "a section"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desk desk;
        begin_with_sources(&desk);
        const char *expected = told(&desk, rows[i].line);
        if (rows[i].expected) {
            assert_non_null(expected);
            assert_non_null(strstr(expected, rows[i].expected));
        } else {
            assert_null(expected);
        }
        end(&desk);
    }
}

static void a_case_of_the_user_needs_no_source(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    assert_null(told(&desk, ""));
    end(&desk);
}

static void a_retired_id_is_not_used_again(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    assert_true(catalogue_read_retired(
        &desk.catalogue, put(&desk, "retired", "# ID  reason\n\nLWP-2.3/x  it was wrong\n")));
    assert_int_equal(desk.catalogue.retired.count, 1);
    assert_non_null(strstr(told(&desk, ""), "not retired"));
    end(&desk);
}

static void a_source_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    assert_false(catalogue_read_source(&desk.catalogue, folder_path(desk.folder, "none.md")));
    assert_false(catalogue_read_retired(&desk.catalogue, folder_path(desk.folder, "none")));
    end(&desk);
}

/* Whether a case of these steps changes the server. */
static bool changes(const char *steps)
{
    char text[1024];
    struct script script = {.arena = {NULL, 0, false}};
    (void)snprintf(text, sizeof(text), CASE "%s\nfence keepalive\n", steps);
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_OK);
    const bool found = run_changes_server(script.cases.items);
    script_done(&script);
    return found;
}

static void what_only_reads_changes_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "send keepalive payload=\"abc\" batch_id=1",
        "send list-topics, get-topic topic_id=1",
        "send fetch topic_id=1 start_offset=0 max_bytes=1",
        "send get-cluster-status",
        "send authenticate token=\"t\"",
        "send subscribe-ack consumer_id=1, topic-response json=\"{}\", error-response text=\"x\"",
        "send ack batch_id=1 payload=\"abc\", backpressure",
        "send frame flags=0x0C records=raw(\"x\")",
        "send frame flags=0x24 records=raw(\"x\")",
        "send frame flags=0xff batch_id=3",
        "send frame flags=0",
        "send ingest topic_id=1",
        "given name $n",
        "connect c2\nfence[c2] list\nclose",
        "send-raw \"GET / HTTP/1.1\"",
        "send-raw " KEEPALIVE,
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (changes(rows[i]))
            fail_msg("%s", rows[i]);
}

static void what_writes_changes_the_server(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "given topic $t",
        "send create-topic name=\"a\"",
        "send create-topic",
        "send delete-topic topic_id=max",
        "send set-retention topic_id=1",
        "send create-topic-with-retention name=\"a\"",
        "send subscribe topic_id=1",
        "send unsubscribe topic_id=1",
        "send commit-offset topic_id=1",
        "send keepalive, ingest topic_id=max records=raw(\"x\")",
        "send ingest fill=1",
        "send ingest payload_length=5",
        "fence ack topic_id=0",
        "send frame flags=0 records=raw(\"x\")",
        "send frame flags=0x80 payload=\"x\"",
        "send frame flags=0x40 batch_id=1",
        "send frame flags=0x40 batch_id=0xff00000002",
        "send frame flags=0x40 batch_id=0x25",
        "send frame flags=0x44 batch_id=1",
        "send frame flags=max batch_id=1",
        "send keepalive flags=0x40 batch_id=1",
        "send-raw hex(4C414E43 0140)",
        "send-raw " INGEST,
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!changes(rows[i]))
            fail_msg("%s", rows[i]);
}

static void a_requirement_has_a_class_or_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *covered;
        enum requirement_class class;
    } rows[] = {{"tested", REQUIREMENT_TESTED},
                {"untestable: why", REQUIREMENT_UNTESTABLE},
                {"contradicted: D1", REQUIREMENT_CONTRADICTED},
                {"", REQUIREMENT_UNCLASSED},
                {"tested somewhere", REQUIREMENT_UNCLASSED},
                {"untestable", REQUIREMENT_UNCLASSED}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct requirement row = {.covered = rows[i].covered};
        assert_int_equal(requirement_class_of(&row), rows[i].class);
    }
    for (size_t i = 0; requirement_at(i); i++)
        if (requirement_class_of(requirement_at(i)) == REQUIREMENT_UNCLASSED)
            fail_msg("%s has no class", requirement_at(i)->id);
}

static void a_requirement_that_no_case_names_is_told(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    assert_false(catalogue_check_requirements(&desk.catalogue));
    end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_names_where_its_answers_are_known_from),
        cmocka_unit_test(a_case_of_the_user_needs_no_source),
        cmocka_unit_test(a_retired_id_is_not_used_again),
        cmocka_unit_test(a_source_that_is_not_there_is_told),
        cmocka_unit_test(what_only_reads_changes_nothing),
        cmocka_unit_test(what_writes_changes_the_server),
        cmocka_unit_test(a_requirement_has_a_class_or_is_told),
        cmocka_unit_test(a_requirement_that_no_case_names_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
