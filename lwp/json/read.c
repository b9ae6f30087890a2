/* SPDX-License-Identifier: MIT */
#include "lwp/json/json.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdlib.h>

struct lwp_json {
    struct json_object *root; /* NULL is JSON's null, as everywhere in json-c. */
};

/*
 * Reading. Even strict, json-c 0.16 takes more than JSON: 'names', NaN, 01, 1., raw control
 * characters and a zero byte as the end; and it reads every integer beyond 2^64-1 as 2^64-1. So the
 * words of the text are checked here, and what they make up by json-c.
 */
struct reader {
    struct lwp_bytes text;
    size_t at; /* The words before it are sound; or where the fault lies. */
    int depth;
    int containers;
    bool huge; /* An integer beyond 64 bits ends at `at`. */
    struct json_tokener *tokener;
    struct json_object *root;
};

/* The next byte; 0 at the end, too, as no word has a 0 in it. */
static uint8_t peek(const struct reader *reader)
{
    return reader->at < reader->text.size ? reader->text.data[reader->at] : 0;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool skip_one_of(struct reader *reader, const char *these)
{
    const bool is = peek(reader) && strchr(these, peek(reader));
    reader->at += is;
    return is;
}

static size_t skip_digits(struct reader *reader)
{
    const size_t from = reader->at;
    while (is_digit(peek(reader)))
        reader->at++;
    return reader->at - from;
}

static bool is_beyond_64_bits(const uint8_t *digits, size_t count)
{
    static const char max[] = "18446744073709551615";
    const size_t max_count = sizeof(max) - 1;
    return count > max_count || (count == max_count && memcmp(digits, max, count) > 0);
}

static enum lwp_status skip_number(struct reader *reader)
{
    skip_one_of(reader, "-");
    const uint8_t *digits = reader->text.data + reader->at;
    const size_t count = skip_one_of(reader, "0") ? 1 : skip_digits(reader);
    if (count == 0 || is_digit(peek(reader)))
        return LWP_INVALID_PAYLOAD;

    const size_t end = reader->at;
    if (skip_one_of(reader, ".") && !skip_digits(reader))
        return LWP_INVALID_PAYLOAD;
    if (skip_one_of(reader, "eE")) {
        skip_one_of(reader, "+-");
        if (!skip_digits(reader))
            return LWP_INVALID_PAYLOAD;
    }
    reader->huge = reader->at == end && is_beyond_64_bits(digits, count);
    return LWP_OK;
}

/* Which escapes there are, and that a string ends, json-c knows. */
static enum lwp_status skip_string(struct reader *reader)
{
    for (reader->at++; peek(reader) >= 0x20 && peek(reader) != '"'; reader->at++)
        if (peek(reader) == '\\' && reader->at + 1 < reader->text.size)
            reader->at++;
    const bool ok = skip_one_of(reader, "\"") || reader->at == reader->text.size;
    return ok ? LWP_OK : LWP_INVALID_PAYLOAD;
}

/* A bracket, a separator, white space, or a letter of true, false and null. */
static enum lwp_status skip_mark(struct reader *reader)
{
    const uint8_t mark = peek(reader);
    if (mark == '[' || mark == '{') {
        reader->depth++;
        reader->containers++;
    }
    if (mark == ']' || mark == '}')
        reader->depth--;
    if (reader->depth > LWP_JSON_MAX_DEPTH || reader->containers > LWP_JSON_MAX_CONTAINERS)
        return LWP_PAYLOAD_TOO_LARGE;
    return skip_one_of(reader, "[]{}:, \t\r\naeflnrstu") ? LWP_OK : LWP_INVALID_PAYLOAD;
}

/* Goes on to the end of the text, the first word that is none, or the end of a huge integer. */
static enum lwp_status check_words(struct reader *reader)
{
    enum lwp_status status = LWP_OK;
    reader->huge = false;
    while (status == LWP_OK && !reader->huge && reader->at < reader->text.size) {
        if (peek(reader) == '"')
            status = skip_string(reader);
        else if (peek(reader) == '-' || is_digit(peek(reader)))
            status = skip_number(reader);
        else
            status = skip_mark(reader);
    }
    return status;
}

/* LWP_OK if the document is whole now, LWP_MORE if not yet. Without memory json-c 0.16 can also
 * crash on a key or lose a member; from 0.17 on it says so. */
static enum lwp_status feed(struct reader *reader, const char *text, size_t size)
{
    reader->root = json_tokener_parse_ex(reader->tokener, text, (int)size);
    const enum json_tokener_error error = json_tokener_get_error(reader->tokener);
    if (error == json_tokener_continue)
        return LWP_MORE;
    if (error != json_tokener_success)
        return LWP_INVALID_PAYLOAD;
    /* Success before the end is how json-c 0.16 says that it has no memory. */
    return json_tokener_get_parse_end(reader->tokener) == size ? LWP_OK : LWP_NO_MEMORY;
}

static enum lwp_status parse(struct reader *reader)
{
    enum lwp_status status = LWP_MORE;
    while (status == LWP_MORE && reader->at < reader->text.size) {
        const size_t from = reader->at;
        const enum lwp_status verdict = check_words(reader);
        status = feed(reader, (const char *)reader->text.data + from, reader->at - from);
        if (status == LWP_INVALID_PAYLOAD)
            reader->at = from + json_tokener_get_parse_end(reader->tokener);
        else if (verdict != LWP_OK)
            status = verdict;
        else if (status == LWP_MORE && reader->huge)
            status = feed(reader, ".0", 2); /* Makes it a double. */
    }
    if (status == LWP_MORE)
        status = feed(reader, "\n", 1); /* Ends a number. */
    return status == LWP_MORE ? LWP_INVALID_PAYLOAD : status;
}

/* The size of the longest front of the text that is UTF-8. */
static size_t sound_size(struct lwp_bytes text)
{
    size_t at = 0;
    for (size_t size = 1; size <= 4 && at + size <= text.size;) {
        if (lwp_utf8_valid((struct lwp_bytes){text.data + at, size})) {
            at += size;
            size = 1;
        } else {
            size++;
        }
    }
    return at;
}

static enum lwp_status read_text(struct reader *reader)
{
    if (reader->text.size > LWP_JSON_MAX_SIZE) {
        reader->at = LWP_JSON_MAX_SIZE;
        return LWP_PAYLOAD_TOO_LARGE;
    }
    if (!lwp_utf8_valid(reader->text)) {
        reader->at = sound_size(reader->text);
        return LWP_INVALID_TEXT;
    }
    /* One more: json-c counts the scalars within the innermost brackets, too. */
    reader->tokener = json_tokener_new_ex(LWP_JSON_MAX_DEPTH + 1);
    if (!reader->tokener)
        return LWP_NO_MEMORY;
    json_tokener_set_flags(reader->tokener, JSON_TOKENER_STRICT);
    const enum lwp_status status = parse(reader);
    json_tokener_free(reader->tokener);
    return status;
}

enum lwp_status lwp_json_read(struct lwp_bytes text, struct lwp_json **json,
                              struct lwp_fault *fault)
{
    struct reader reader = {.text = text};
    enum lwp_status status = read_text(&reader);
    struct lwp_json *result = status == LWP_OK ? malloc(sizeof(*result)) : NULL;
    if (!result) {
        json_object_put(reader.root);
        status = status == LWP_OK ? LWP_NO_MEMORY : status;
        *fault = (struct lwp_fault){status, reader.at, NULL};
        return status;
    }
    result->root = reader.root;
    *json = result;
    return LWP_OK;
}

void lwp_json_free(struct lwp_json *json)
{
    if (json)
        json_object_put(json->root);
    free(json);
}

/* Goes from `*at` to its member or element of that name. */
static bool step(struct json_object **at, const char *name)
{
    if (json_object_is_type(*at, json_type_object))
        return json_object_object_get_ex(*at, name, at);
    if (!json_object_is_type(*at, json_type_array) || name[0] < '0' || name[0] > '9')
        return false;
    char *end = NULL;
    const size_t index = strtoul(name, &end, 10); /* Too large an index is the largest. */
    *at = json_object_array_get_idx(*at, index);  /* NULL if there are fewer. */
    return *end == 0;
}

/* Goes from the document to what is at the path; false if there is nothing. */
static bool walk(const struct lwp_json *json, const char *path, struct json_object **at)
{
    char names[LWP_JSON_MAX_PATH];
    const size_t size = strlen(path);
    if (size >= sizeof(names))
        return false;
    memcpy(names, path, size + 1);
    *at = json->root;
    for (char *rest = size ? names : NULL; rest;)
        if (!step(at, strsep(&rest, ".")))
            return false;
    return true;
}

/* What is at the path, if it is of that type; else NULL. */
static struct json_object *find(const struct lwp_json *json, const char *path, enum json_type type)
{
    struct json_object *at = NULL;
    return walk(json, path, &at) && json_object_is_type(at, type) ? at : NULL;
}

bool lwp_json_is_array(const struct lwp_json *json, const char *path)
{
    return find(json, path, json_type_array) != NULL;
}

bool lwp_json_has(const struct lwp_json *json, const char *path)
{
    struct json_object *at = NULL;
    return walk(json, path, &at);
}

enum lwp_status lwp_json_integer(const struct lwp_json *json, const char *path, uint64_t *value)
{
    const struct json_object *found = find(json, path, json_type_int);
    if (!found || json_object_get_int64(found) < 0)
        return LWP_INVALID_ARGUMENT;
    *value = json_object_get_uint64(found);
    return LWP_OK;
}

enum lwp_status lwp_json_string(const struct lwp_json *json, const char *path,
                                struct lwp_bytes *value)
{
    struct json_object *found = find(json, path, json_type_string);
    if (!found)
        return LWP_INVALID_ARGUMENT;
    value->data = (const uint8_t *)json_object_get_string(found);
    value->size = (size_t)json_object_get_string_len(found);
    return LWP_OK;
}

enum lwp_status lwp_json_boolean(const struct lwp_json *json, const char *path, bool *value)
{
    const struct json_object *found = find(json, path, json_type_boolean);
    if (!found)
        return LWP_INVALID_ARGUMENT;
    *value = json_object_get_boolean(found);
    return LWP_OK;
}

size_t lwp_json_count(const struct lwp_json *json, const char *path)
{
    const struct json_object *array = find(json, path, json_type_array);
    if (array)
        return json_object_array_length(array);
    const struct json_object *object = find(json, path, json_type_object);
    return object ? (size_t)json_object_object_length(object) : 0;
}

enum lwp_status lwp_json_error(const struct lwp_json *json, struct lwp_error_document *document)
{
    struct lwp_error_document result = {.code = 0};
    if (lwp_json_integer(json, "code", &result.code) != LWP_OK ||
        lwp_json_string(json, "message", &result.message) != LWP_OK)
        return LWP_INVALID_PAYLOAD;
    (void)lwp_json_string(json, "details.leader_addr", &result.leader_addr);
    (void)lwp_json_integer(json, "details.retry_after_ms", &result.retry_after_ms);
    result.has_server_offset =
        lwp_json_integer(json, "details.server_offset", &result.server_offset) == LWP_OK;
    *document = result;
    return LWP_OK;
}

enum lwp_status lwp_json_offset(const struct lwp_json *json, struct lwp_offset_document *document)
{
    struct lwp_offset_document result = {.topic_id = 0};
    struct json_object *name = NULL;
    result.with_topic_name = lwp_json_string(json, "topic_name", &result.topic_name) == LWP_OK;
    if (lwp_json_string(json, "consumer", &result.consumer) != LWP_OK ||
        lwp_json_integer(json, "topic_id", &result.topic_id) != LWP_OK ||
        lwp_json_integer(json, "offset", &result.offset) != LWP_OK)
        return LWP_INVALID_PAYLOAD;
    if (!result.with_topic_name && walk(json, "topic_name", &name) && name)
        return LWP_INVALID_PAYLOAD;
    *document = result;
    return LWP_OK;
}
