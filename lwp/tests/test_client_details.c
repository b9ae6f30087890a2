/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/details.h"

static struct lwp_details read_text(const char *text)
{
    return lwp_details_read(guarded(lwp_bytes_text(text)));
}

static void every_text_of_the_deployed_server_has_its_status(void **state)
{
    static const struct {
        const char *text;
        enum lwp_status status;
    } said[] = {
        {"Topic name required", LWP_TOPIC_NAME},
        {"Topic 'orders' already exists", LWP_TOPIC_EXISTS},
        {"Topic not found", LWP_TOPIC_NOT_FOUND},
        {"Topic 7 not found", LWP_TOPIC_NOT_FOUND},
        {"Unknown topic", LWP_TOPIC_NOT_FOUND},
        {"Configuration error: Topic 7 not found", LWP_TOPIC_NOT_FOUND},
        {"Authentication required", LWP_AUTH_REQUIRED},
        {"Access denied: client 'x' not authorized for topic 1", LWP_ACCESS_DENIED},
        {"Rate limit exceeded", LWP_RATE_LIMITED},
        {"CATCHING_UP", LWP_CATCHING_UP},
        {"Server is Catching Up, please wait", LWP_CATCHING_UP},
        {"NOT_LEADER: leader unknown", LWP_LEADER_UNKNOWN},
        {"NOT_LEADER", LWP_LEADER_UNKNOWN},
        {"FORWARD_FAILED: Quorum not reached - required 2 ACKs, got 1", LWP_QUORUM_NOT_REACHED},
        {"FORWARD_FAILED: Leader not ready (apply/metadata catch-up)", LWP_CLUSTER_NOT_READY},
        {"FORWARD_FAILED: Leader address unknown", LWP_FORWARD_FAILED},
        {"FORWARD_FAILED", LWP_FORWARD_FAILED},
        {"I/O error: No space left on device (os error 28)", LWP_PEER_STORAGE},
        {"something new", LWP_PEER_REFUSED},
        {"", LWP_PEER_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        const struct lwp_details details = read_text(said[i].text);
        assert_int_equal(details.status, said[i].status);
        assert_int_equal(details.code, LWP_DETAILS_NO_CODE);
        assert_string_equal(details.text, said[i].text);
        assert_string_equal(details.leader, "");
    }
}

static void every_code_has_its_status(void **state)
{
    static const struct {
        const char *text;
        enum lwp_status status;
        unsigned code;
    } said[] = {
        {"{\"code\":16,\"message\":\"Topic not found\"}", LWP_TOPIC_NOT_FOUND, 0x10},
        {"{\"code\":98,\"message\":\"x\"}", LWP_TIMEOUT, 0x62},
        {"{\"code\":33,\"message\":\"x\"}", LWP_QUORUM_NOT_REACHED, 0x21},
        {"{\"code\":35,\"message\":\"x\"}", LWP_CLUSTER_NOT_READY, 0x23},
        {"{\"code\":64,\"message\":\"x\"}", LWP_AUTH_REQUIRED, 0x40},
        {"{\"code\":81,\"message\":\"x\"}", LWP_OFFSET_OUT_OF_RANGE, 0x51},
        {"{\"code\":200,\"message\":\"x\"}", LWP_PEER_REFUSED, 200},
        {"{\"code\":1,\"message\":\"Rate limit exceeded\"}", LWP_RATE_LIMITED, 1},
        /* An error that calls itself a success is still none. */
        {"{\"code\":0,\"message\":\"x\"}", LWP_PEER_REFUSED, 0},
        {"{\"code\":4294967312,\"message\":\"x\"}", LWP_PEER_REFUSED, LWP_DETAILS_NO_CODE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        const struct lwp_details details = read_text(said[i].text);
        assert_int_equal(details.status, said[i].status);
        assert_int_equal(details.code, said[i].code);
    }
}

static void details_are_taken_along(void **state)
{
    (void)state;
    struct lwp_details details =
        read_text("{\"code\":48,\"message\":\"slow\",\"details\":{\"retry_after_ms\":250}}");
    assert_int_equal(details.status, LWP_RATE_LIMITED);
    assert_int_equal(details.retry_after_ms, 250);
    assert_string_equal(details.text, "slow");
    assert_false(details.has_server_offset);
    details = read_text("{\"code\":20,\"message\":\"x\",\"details\":{\"server_offset\":4096}}");
    assert_int_equal(details.status, LWP_CATCHING_UP);
    assert_true(details.has_server_offset);
    assert_int_equal(details.server_offset, 4096);
}

static void the_leader_is_found_in_text_and_document(void **state)
{
    (void)state;
    struct lwp_details details = read_text("NOT_LEADER: redirect to 10.0.0.2:1992");
    assert_int_equal(details.status, LWP_NOT_LEADER);
    assert_string_equal(details.leader, "10.0.0.2:1992");
    details = read_text("NOT_LEADER: redirect to  node-2.example:1992 ");
    assert_string_equal(details.leader, "node-2.example:1992");
    details =
        read_text("{\"code\":32,\"message\":\"x\",\"details\":{\"leader_addr\":\"[::1]:7\"}}");
    assert_int_equal(details.status, LWP_NOT_LEADER);
    assert_string_equal(details.leader, "[::1]:7");
    /* A code that says nothing, with the text for a message. */
    details = read_text("{\"code\":1,\"message\":\"NOT_LEADER: redirect to a:1\"}");
    assert_int_equal(details.status, LWP_NOT_LEADER);
    assert_string_equal(details.leader, "a:1");
}

static void nobody_is_sent_to_an_address_that_is_none(void **state)
{
    static const char *const texts[] = {
        "NOT_LEADER: redirect to ",
        "NOT_LEADER: redirect to a:b",
        "NOT_LEADER: redirect to a:70000",
        "NOT_LEADER: redirect to [::1",
        "NOT_LEADER: redirect to ::1:1992",
        "{\"code\":32,\"message\":\"x\"}",
        "{\"code\":32,\"message\":\"x\",\"details\":{\"leader_addr\":7}}",
        "{\"code\":32,\"message\":\"x\",\"details\":{\"leader_addr\":\"\"}}",
        "{\"code\":32,\"message\":\"x\",\"details\":{\"leader_addr\":\"a:1\\u0000b\"}}",
    };
    char large[1024];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct lwp_details details = read_text(texts[i]);
        assert_int_equal(details.status, LWP_LEADER_UNKNOWN);
        assert_string_equal(details.leader, "");
    }
    (void)snprintf(large, sizeof(large), "NOT_LEADER: redirect to %0500d:1", 7);
    assert_int_equal(read_text(large).status, LWP_LEADER_UNKNOWN);
}

static void a_text_that_only_looks_like_a_document_is_a_text(void **state)
{
    (void)state;
    assert_int_equal(read_text("{ Rate limit exceeded }").status, LWP_RATE_LIMITED);
    assert_int_equal(read_text("{\"message\":\"x\"}").status, LWP_PEER_REFUSED);
    assert_int_equal(read_text("{\"code\":\"16\",\"message\":\"x\"}").status, LWP_PEER_REFUSED);
    assert_string_equal(read_text("{\"message\":\"x\"}").text, "{\"message\":\"x\"}");
}

static void texts_are_made_fit_for_a_terminal(void **state)
{
    (void)state;
    assert_string_equal(read_text("a\x1b[31mb\n\x7f\xff\xc3").text, "a?[31mb????");
    assert_string_equal(read_text("gr\xc3\xb6\xc3\x9f"
                                  "er")
                            .text,
                        "gr\xc3\xb6\xc3\x9f"
                        "er");
    assert_string_equal(read_text("{\"code\":1,\"message\":\"a\\u001bb\"}").text, "a?b");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    char text[LWP_DETAILS_TEXT * 2];
    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xc3\xb6", 3);
        const struct lwp_details details = read_text(text);
        assert_int_equal(strlen(details.text), LWP_DETAILS_TEXT - 2 + shift);
        assert_true(lwp_utf8_valid(lwp_bytes_text(details.text)));
    }
}

static void a_catching_up_frame_tells_the_offset_if_it_is_there(void **state)
{
    static const uint8_t payload[] = {10, 0, 0, 0, 0, 0, 0, 1, 99};
    (void)state;
    for (size_t size = 0; size < 8; size++) {
        const struct lwp_details details =
            lwp_details_catching_up(guarded(bytes_of(payload, size)));
        assert_int_equal(details.status, LWP_CATCHING_UP);
        assert_false(details.has_server_offset);
    }
    for (size_t size = 8; size <= sizeof(payload); size++)
        assert_true(lwp_details_catching_up(guarded(bytes_of(payload, size))).server_offset ==
                    0x010000000000000a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_the_deployed_server_has_its_status),
        cmocka_unit_test(every_code_has_its_status),
        cmocka_unit_test(details_are_taken_along),
        cmocka_unit_test(the_leader_is_found_in_text_and_document),
        cmocka_unit_test(nobody_is_sent_to_an_address_that_is_none),
        cmocka_unit_test(a_text_that_only_looks_like_a_document_is_a_text),
        cmocka_unit_test(texts_are_made_fit_for_a_terminal),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_catching_up_frame_tells_the_offset_if_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
