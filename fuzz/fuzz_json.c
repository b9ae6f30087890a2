/* SPDX-License-Identifier: MIT */
/* The input is a document. It is read, or the fault has its place; what is read is UTF-8 by plain.h and has no
 * zero in its strings unless it is escaped; paths that are not there change nothing; an error or offset document that is
 * read is written and read again as the same. */
#include "fuzz/fuzz.h"
#include "fuzz/plain.h"
#include "lwp/json/json.h"

enum { ROOM = 1 << 16 };

static void finds_member(const struct lwp_json *json, const char *path)
{
    uint64_t value = 42;
    struct lwp_bytes text = {NULL, 42};
    bool flag = true;
    const bool there = lwp_json_has(json, path);
    const int is_number = lwp_json_integer(json, path, &value) == LWP_OK;
    const int is_text = lwp_json_string(json, path, &text) == LWP_OK;
    const int is_flag = lwp_json_boolean(json, path, &flag) == LWP_OK;
    fuzz_note((unsigned)(is_number + 2 * is_text + 4 * is_flag + 8 * there));
    fuzz_note(value);
    FUZZ_ASSERT(is_number + is_text + is_flag <= there);
    FUZZ_ASSERT(is_number || value == 42);
    FUZZ_ASSERT(is_text ? plain_utf8(text) : text.size == 42);
    FUZZ_ASSERT(there || (!lwp_json_is_array(json, path) && lwp_json_count(json, path) == 0));
}

static void finds_members(const struct lwp_json *json)
{
    static const char *const paths[] = {
        "",  "id",  "topics",  "topics.0", "topics.0.name", "details.leader_addr",
        "0", "0.0", "a.b.c.d",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        finds_member(json, paths[i]);
}

static void error_comes_back(const struct lwp_json *json)
{
    static uint8_t room[ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    struct lwp_error_document error, again;
    struct lwp_json *second = NULL;
    struct lwp_fault fault;
    if (lwp_json_error(json, &error) != LWP_OK || lwp_json_write_error(&error, &out) != LWP_OK)
        return;
    FUZZ_ASSERT(lwp_json_read(lwp_writer_bytes(&out), &second, &fault) == LWP_OK);
    FUZZ_ASSERT(lwp_json_error(second, &again) == LWP_OK && again.code == error.code);
    FUZZ_ASSERT(lwp_bytes_equal(again.message, error.message));
    FUZZ_ASSERT(lwp_bytes_equal(again.leader_addr, error.leader_addr));
    FUZZ_ASSERT(again.retry_after_ms == error.retry_after_ms);
    lwp_json_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault = {.status = LWP_OK};
    const struct lwp_bytes in = fuzz_flush(data, size);
    const enum lwp_status status = lwp_json_read(in, &json, &fault);
    fuzz_note(status);
    FUZZ_ASSERT((status == LWP_OK) == (json != NULL));
    FUZZ_ASSERT(status == LWP_OK || (fault.status == status && fault.offset <= size));
    FUZZ_ASSERT((status == LWP_INVALID_TEXT) <= !plain_utf8(in) &&
                (status != LWP_OK || plain_utf8(in)));
    if (json) {
        finds_members(json);
        error_comes_back(json);
    }
    lwp_json_free(json);
    return 0;
}
