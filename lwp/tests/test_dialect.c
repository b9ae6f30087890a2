/* SPDX-License-Identifier: MIT */
#include "lwp/wire/dialect.h"

#include "lwp/tests/support.h"

static void the_dialects_are_listed_and_found_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"spec", "lance", "lance-py"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(lwp_dialects[i]->name, names[i]);
        assert_ptr_equal(lwp_dialect_named(names[i]), lwp_dialects[i]);
    }
    assert_null(lwp_dialects[COUNT_OF(names)]);
    assert_ptr_equal(lwp_dialect_named("spec"), &lwp_dialect_spec);
    assert_ptr_equal(lwp_dialect_named("lance"), &lwp_dialect_lance);
    assert_ptr_equal(lwp_dialect_named("lance-py"), &lwp_dialect_lance_py);
}

static void a_name_must_be_whole_to_name_a_dialect(void **state)
{
    (void)state;
    static const char *const names[] = {"", "lanc", "lance-", "lance-pyx", "Lance", "auto"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(lwp_dialect_named(names[i]));
}

/* The three columns of docs/dialects.md that say how the same thing is done. */
static void assert_row(uint64_t spec, uint64_t lance, uint64_t lance_py, const uint64_t *actual)
{
    assert_true(actual[0] == spec);
    assert_true(actual[1] == lance);
    assert_true(actual[2] == lance_py);
}

/* The values of one member in all three dialects. */
#define VALUES_OF(member)                                                                          \
    ((const uint64_t[]){(uint64_t)lwp_dialect_spec.member, (uint64_t)lwp_dialect_lance.member,     \
                        (uint64_t)lwp_dialect_lance_py.member})

static void checksums_and_errors_differ_as_documented(void **state)
{
    (void)state;
    assert_row(LWP_CRC32C, LWP_CRC32, LWP_CRC32, VALUES_OF(polynomial)); /* D1 */
    assert_row(LWP_ERRORS_AS_JSON, LWP_ERRORS_AS_TEXT, LWP_ERRORS_AS_JSON,
               VALUES_OF(error_form)); /* D2, D3, D4 */
}

static void fetching_differs_as_documented(void **state)
{
    (void)state;
    assert_row(0, UINT64_MAX, (uint64_t)INT64_MAX, VALUES_OF(tail_offset)); /* D5 */
    assert_row(LWP_BEYOND_EMPTY, LWP_BEYOND_CATCHING_UP, LWP_BEYOND_ERROR,
               VALUES_OF(beyond_end));                                 /* D4, D6 */
    assert_row(true, false, false, VALUES_OF(counts_records));         /* D8 */
    assert_row(true, false, false, VALUES_OF(default_topic_readable)); /* D32 */
}

static void commands_and_topics_differ_as_documented(void **state)
{
    (void)state;
    assert_row(true, false, false, VALUES_OF(zero_keeps_all));       /* D11 */
    assert_row(true, true, false, VALUES_OF(unsubscribe_acked));     /* D13 */
    assert_row(0x30, 0x07, 0x07, VALUES_OF(cluster_status_command)); /* D14 */
    assert_row(false, true, true, VALUES_OF(command_is_low_byte));   /* D16 */
    assert_row(true, false, true, VALUES_OF(any_topic_name));        /* D17 */
    assert_row(false, true, true, VALUES_OF(topic_epoch));           /* D18 */
}

static void frames_and_payloads_differ_as_documented(void **state)
{
    (void)state;
    assert_row(LWP_LZ4_BLOCK, LWP_LZ4_LIBRARY, LWP_LZ4_BLOCK, VALUES_OF(lz4_framing));   /* D20 */
    assert_row(LWP_TYPES_SPEC, LWP_TYPES_SERVER, LWP_TYPES_SPEC, VALUES_OF(type_names)); /* D21 */
    assert_row(LWP_KIND_EXACT, LWP_KIND_BY_PRIORITY, LWP_KIND_BY_PRIORITY,
               VALUES_OF(kind_rule));                              /* D26 */
    assert_row(true, false, false, VALUES_OF(refuses_unsound));    /* D23, D24, D25, D38 */
    assert_row(false, true, true, VALUES_OF(defers_acks));         /* D27 */
    assert_row(false, true, true, VALUES_OF(late_size_check));     /* D30 */
    assert_row(true, false, true, VALUES_OF(decompresses_ingest)); /* D40 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialects_are_listed_and_found_by_name),
        cmocka_unit_test(a_name_must_be_whole_to_name_a_dialect),
        cmocka_unit_test(checksums_and_errors_differ_as_documented),
        cmocka_unit_test(fetching_differs_as_documented),
        cmocka_unit_test(commands_and_topics_differ_as_documented),
        cmocka_unit_test(frames_and_payloads_differ_as_documented),
    };
    return cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
}
