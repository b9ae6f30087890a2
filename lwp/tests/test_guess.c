/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"
#include "lwp/wire/guess.h"
#include "lwp/wire/message.h"

/* A control frame, sealed, at `wire`; its size. */
static size_t put_control(uint8_t *wire, uint8_t command, const char *payload,
                          enum lwp_polynomial polynomial)
{
    struct lwp_writer out = lwp_writer_on(wire, 512);
    struct lwp_frame frame = lwp_message_frame(command, lwp_bytes_text(payload));
    lwp_frame_seal(&frame, polynomial, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    return out.size;
}

static void the_polynomial_of_the_first_header_tells(void **state)
{
    (void)state;
    uint8_t wire[512];
    const size_t size = put_control(wire, LWP_COMMAND_LIST_TOPICS, "", LWP_CRC32C);
    assert_ptr_equal(lwp_dialect_guess((struct lwp_bytes){wire, size}).dialect, &lwp_dialect_spec);
    (void)put_control(wire, LWP_COMMAND_LIST_TOPICS, "", LWP_CRC32);
    assert_ptr_equal(lwp_dialect_guess((struct lwp_bytes){wire, size}).dialect, &lwp_dialect_lance);
}

static void an_error_as_json_is_the_python_clients_form(void **state)
{
    (void)state;
    uint8_t wire[1024];
    size_t size = put_control(wire, LWP_COMMAND_TOPIC_RESPONSE, "{}", LWP_CRC32);
    size += put_control(wire + size, LWP_COMMAND_ERROR_RESPONSE, "{\"code\":16}", LWP_CRC32);
    const struct lwp_guess guess = lwp_dialect_guess((struct lwp_bytes){wire, size});
    assert_ptr_equal(guess.dialect, &lwp_dialect_lance_py);
    assert_true(guess.by_errors);
    size = put_control(wire, LWP_COMMAND_ERROR_RESPONSE, "Topic not found", LWP_CRC32);
    assert_ptr_equal(lwp_dialect_guess((struct lwp_bytes){wire, size}).dialect, &lwp_dialect_lance);
}

static void a_header_is_found_behind_any_rubbish(void **state)
{
    (void)state;
    uint8_t wire[600];
    memset(wire, 'L', sizeof(wire));
    for (size_t before = 0; before < 50; before++) {
        memset(wire, 'L', before);
        const size_t size = put_control(wire + before, LWP_COMMAND_LIST_TOPICS, "", LWP_CRC32);
        const struct lwp_bytes captured = guarded((struct lwp_bytes){wire, before + size});
        const struct lwp_guess guess = lwp_dialect_guess(captured);
        assert_int_equal(guess.offset, before);
        assert_ptr_equal(guess.dialect, &lwp_dialect_lance);
    }
}

static void rubbish_alone_is_no_dialect(void **state)
{
    (void)state;
    uint8_t wire[512];
    for (size_t size = 0; size < 100; size++) {
        memset(wire, 'L', sizeof(wire));
        const struct lwp_guess guess = lwp_dialect_guess(guarded((struct lwp_bytes){wire, size}));
        assert_null(guess.dialect);
        assert_int_equal(guess.offset, size);
    }
    const size_t whole = put_control(wire, LWP_COMMAND_LIST_TOPICS, "", LWP_CRC32);
    wire[8] ^= 1;
    assert_null(lwp_dialect_guess((struct lwp_bytes){wire, whole}).dialect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_polynomial_of_the_first_header_tells),
        cmocka_unit_test(an_error_as_json_is_the_python_clients_form),
        cmocka_unit_test(a_header_is_found_behind_any_rubbish),
        cmocka_unit_test(rubbish_alone_is_no_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
