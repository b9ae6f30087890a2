/* SPDX-License-Identifier: MIT */
#include "lwp/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) ((struct lwp_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* The end of readable memory: every text of these tests is read from right before it. */
static uint8_t *edge;
static size_t room;

static int make_edge(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    room = LWP_JSON_MAX_SIZE + page;
    uint8_t *start =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + room, page, PROT_NONE) != 0)
        return -1;
    edge = start + room;
    return 0;
}

static struct lwp_bytes at_edge(struct lwp_bytes text)
{
    assert_true(text.size <= room);
    if (text.size)
        memcpy(edge - text.size, text.data, text.size);
    return (struct lwp_bytes){edge - text.size, text.size};
}

static struct lwp_json *read_ok(struct lwp_bytes text)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault = {LWP_END, 77, "untouched"};
    assert_int_equal(lwp_json_read(at_edge(text), &json, &fault), LWP_OK);
    assert_non_null(json);
    assert_int_equal(fault.status, LWP_END);
    assert_int_equal(fault.offset, 77);
    return json;
}

static struct lwp_json *read_text(const char *text)
{
    return read_ok(lwp_bytes_text(text));
}

static void refuse(struct lwp_bytes text, enum lwp_status status, uint64_t offset)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault = {LWP_END, 77, "touched"};
    const enum lwp_status found = lwp_json_read(at_edge(text), &json, &fault);
    if (found != status || fault.offset != offset)
        print_message("%.*s\n", (int)(text.size > 80 ? 80 : text.size), (const char *)text.data);
    assert_int_equal(found, status);
    assert_null(json);
    assert_int_equal(fault.status, status);
    assert_int_equal(fault.offset, offset);
    assert_null(fault.field);
}

static void assert_integer(const struct lwp_json *json, const char *path, uint64_t expected)
{
    uint64_t value = ~expected;
    assert_int_equal(lwp_json_integer(json, path, &value), LWP_OK);
    assert_true(value == expected);
}

static void assert_no_integer(const struct lwp_json *json, const char *path)
{
    uint64_t value = 4711;
    assert_int_equal(lwp_json_integer(json, path, &value), LWP_INVALID_ARGUMENT);
    assert_true(value == 4711);
}

static void assert_bytes(struct lwp_bytes found, struct lwp_bytes expected)
{
    if (!lwp_bytes_equal(found, expected))
        print_message("%.*s\n", (int)found.size, (const char *)found.data);
    assert_true(lwp_bytes_equal(found, expected));
}

static void assert_string(const struct lwp_json *json, const char *path, struct lwp_bytes expected)
{
    struct lwp_bytes value = {NULL, 0};
    assert_int_equal(lwp_json_string(json, path, &value), LWP_OK);
    assert_bytes(value, expected);
}

static void assert_no_string(const struct lwp_json *json, const char *path)
{
    struct lwp_bytes value = BYTES("untouched");
    assert_int_equal(lwp_json_string(json, path, &value), LWP_INVALID_ARGUMENT);
    assert_bytes(value, BYTES("untouched"));
}

static void assert_no_boolean(const struct lwp_json *json, const char *path)
{
    bool value = true;
    assert_int_equal(lwp_json_boolean(json, path, &value), LWP_INVALID_ARGUMENT);
    assert_true(value);
    value = false;
    assert_int_equal(lwp_json_boolean(json, path, &value), LWP_INVALID_ARGUMENT);
    assert_false(value);
}

/* Integers. */

static void integers_of_64_bits_survive(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"1", 1},
        {"2147483648", 2147483648U},
        {"9007199254740993", 9007199254740993U},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", (uint64_t)INT64_MAX + 1},
        {"18446744073709551614", UINT64_MAX - 1},
        {"18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[64];
        struct lwp_json *bare = read_text(rows[i].text);
        assert_integer(bare, "", rows[i].value);
        lwp_json_free(bare);
        (void)snprintf(text, sizeof(text), "{\"a\":[1,%s]}", rows[i].text);
        struct lwp_json *inside = read_text(text);
        assert_integer(inside, "a.1", rows[i].value);
        lwp_json_free(inside);
    }
}

static void integers_beyond_64_bits_are_no_integers(void **state)
{
    (void)state;
    static const char *const texts[] = {"18446744073709551616", "18446744073709551620",
                                        "99999999999999999999", "100000000000000000000",
                                        "340282366920938463463374607431768211456"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char text[128];
        struct lwp_json *bare = read_text(texts[i]);
        assert_no_integer(bare, "");
        lwp_json_free(bare);
        (void)snprintf(text, sizeof(text), "[%s,18446744073709551615,{\"a\":%s ,\"b\":2}]",
                       texts[i], texts[i]);
        struct lwp_json *inside = read_text(text);
        assert_no_integer(inside, "0");
        assert_integer(inside, "1", UINT64_MAX);
        assert_no_integer(inside, "2.a");
        assert_integer(inside, "2.b", 2);
        lwp_json_free(inside);
    }
}

static void negative_numbers_are_no_integers(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("[-1,-2147483648,-9223372036854775808,-9223372036854775809,"
                                      "-18446744073709551615,-18446744073709551616]");
    assert_int_equal(lwp_json_count(json, ""), 6);
    for (char path[] = "0"; path[0] < '6'; path[0]++)
        assert_no_integer(json, path);
    lwp_json_free(json);
}

static void numbers_with_point_or_exponent_are_no_integers(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("[1.0,0.0,1e3,1E+3,1e-3,18446744073709551616.5,1e400,-1.5]");
    assert_int_equal(lwp_json_count(json, ""), 8);
    for (char path[] = "0"; path[0] < '8'; path[0]++) {
        assert_no_integer(json, path);
        assert_no_string(json, path);
    }
    lwp_json_free(json);
}

/* Members. */

static void each_type_is_only_itself(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("{\"i\":1,\"s\":\"1\",\"t\":true,\"f\":false,\"n\":null,"
                                      "\"d\":1.5,\"o\":{},\"a\":[]}");
    bool value = false;
    assert_integer(json, "i", 1);
    assert_string(json, "s", BYTES("1"));
    assert_int_equal(lwp_json_boolean(json, "t", &value), LWP_OK);
    assert_true(value);
    assert_int_equal(lwp_json_boolean(json, "f", &value), LWP_OK);
    assert_false(value);
    for (const char *names = "istfndoa"; *names; names++) {
        const char path[] = {*names, 0};
        if (*names != 'i')
            assert_no_integer(json, path);
        if (*names != 's')
            assert_no_string(json, path);
        if (*names != 't' && *names != 'f')
            assert_no_boolean(json, path);
        assert_int_equal(lwp_json_count(json, path), 0);
    }
    assert_no_integer(json, "");
    lwp_json_free(json);
}

static void paths_lead_through_objects_and_arrays(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("{\"topics\":[{\"id\":1},{\"id\":2,\"name\":\"b\"}],"
                                      "\"0\":[[10,11],[12]],\"\":{\"\":7},\"x\":{\"10\":3}}");
    assert_integer(json, "topics.0.id", 1);
    assert_integer(json, "topics.1.id", 2);
    assert_string(json, "topics.1.name", BYTES("b"));
    assert_integer(json, "0.0.1", 11);
    assert_integer(json, "0.1.0", 12);
    assert_integer(json, "x.10", 3);
    assert_integer(json, ".", 7); /* The member "" of the member "". */
    lwp_json_free(json);
}

static void missing_members_are_told(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "b",    "a.3", "a.0.0", "a.-1", "a.+1", "a. 1",
        "a.1x", "a.x", "a.",    "a..1", ".a",   "a.18446744073709551616",
        "o.p.", "o.q", "o.p.p", "0",    " a",   "a.18446744073709551617"};
    struct lwp_json *json = read_text("{\"a\":[0,1,2],\"o\":{\"p\":1}}");
    assert_integer(json, "a.2", 2);
    assert_integer(json, "o.p", 1);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_no_integer(json, paths[i]);
        assert_no_string(json, paths[i]);
        assert_no_boolean(json, paths[i]);
        assert_int_equal(lwp_json_count(json, paths[i]), 0);
    }
    lwp_json_free(json);
}

static void a_path_too_long_is_no_member(void **state)
{
    (void)state;
    for (int size = LWP_JSON_MAX_PATH - 1; size <= LWP_JSON_MAX_PATH; size++) {
        char name[LWP_JSON_MAX_PATH + 1] = "";
        char text[LWP_JSON_MAX_PATH + 16];
        memset(name, 'n', (size_t)size);
        (void)snprintf(text, sizeof(text), "{\"%s\":5}", name);
        struct lwp_json *json = read_text(text);
        if (size < LWP_JSON_MAX_PATH)
            assert_integer(json, name, 5);
        else
            assert_no_integer(json, name);
        lwp_json_free(json);
    }
}

static void members_and_elements_are_counted(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("{\"a\":[1,null,[]],\"b\":{\"c\":1,\"d\":2},\"e\":\"xx\"}");
    assert_int_equal(lwp_json_count(json, ""), 3);
    assert_int_equal(lwp_json_count(json, "a"), 3);
    assert_int_equal(lwp_json_count(json, "a.2"), 0);
    assert_int_equal(lwp_json_count(json, "b"), 2);
    assert_int_equal(lwp_json_count(json, "e"), 0);
    assert_int_equal(lwp_json_count(json, "none"), 0);
    lwp_json_free(json);
}

static void the_last_of_equal_keys_wins(void **state)
{
    (void)state;
    struct lwp_json *json = read_text("{\"a\":1,\"b\":2,\"a\":\"three\"}");
    assert_string(json, "a", BYTES("three"));
    assert_int_equal(lwp_json_count(json, ""), 2);
    lwp_json_free(json);
}

static void strings_keep_zeros_and_escapes(void **state)
{
    (void)state;
    struct lwp_json *json =
        read_text("[\"a\\u0000b\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9\\u20AC\","
                  "\"\\ud83d\\ude00\",\"\\ud800\",\"\\udc00x\",\"\",\"\x7f\"]");
    assert_string(json, "0", BYTES("a\0b"));
    assert_string(json, "1", BYTES("\"\\/\b\f\n\r\t"));
    assert_string(json, "2", BYTES("\xc3\xa9\xe2\x82\xac"));
    assert_string(json, "3", BYTES("\xf0\x9f\x98\x80"));
    assert_string(json, "4", BYTES("\xef\xbf\xbd"));
    assert_string(json, "5", BYTES("\xef\xbf\xbdx"));
    assert_string(json, "6", BYTES(""));
    assert_string(json, "7", BYTES("\x7f"));
    lwp_json_free(json);
}

static void a_document_outlives_its_text(void **state)
{
    (void)state;
    const struct lwp_bytes text = BYTES("{\"name\":\"alpha\"}");
    struct lwp_json *json = read_ok(text);
    memset(edge - text.size, 'x', text.size);
    assert_string(json, "name", BYTES("alpha"));
    lwp_json_free(json);
    lwp_json_free(NULL);
}

/* What is JSON, and what is not. */

static void every_value_may_be_the_document(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "12",
                                        "-1.5e-7",
                                        "\"\"",
                                        "\"x\"",
                                        "true",
                                        "false",
                                        "null",
                                        "{}",
                                        "[]",
                                        " [ ] ",
                                        "\t\r\n{\n}\r\t",
                                        "[null]\n",
                                        "\n1 ",
                                        "1e5",
                                        "0.5",
                                        "[0e1,0E-1,0.0,-0]",
                                        "[1 ,\n2]",
                                        "{\"a\" : 1 }",
                                        "[\"/'\"]",
                                        "true ",
                                        "\"\\u0041\"",
                                        "18446744073709551616 ",
                                        "[{},[],{\"\":[]}]",
                                        "\"[{\"",
                                        "[\"\\\\\",\"}\"]"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        lwp_json_free(read_text(texts[i]));
}

/* clang-format off */
static const struct {
    const char *text;
    uint64_t offset;
} not_json[] = {
    {"", 0}, {"  ", 2}, {"]", 0}, {"}", 0}, {"[}", 1}, {"{]", 1}, {",", 0}, {":", 0},
    /* Separators. */
    {"[1,]", 3}, {"[,1]", 1}, {"[1 2]", 3}, {"[1,,2]", 3}, {"[1:2]", 2}, {"{\"a\":1,}", 7},
    {"{,}", 1}, {"{\"a\"}", 4}, {"{\"a\" 1}", 5}, {"{\"a\":}", 5}, {"{\"a\":1 \"b\":2}", 7},
    {"{\"a\":1:2}", 6}, {"{1:2}", 1}, {"{a:1}", 1}, {"{null:1}", 1}, {"{[]:1}", 1},
    /* Numbers. */
    {"01", 1}, {"[00]", 2}, {"-01", 2}, {"[-01.5]", 3}, {"1.", 2}, {"[1.]", 3}, {"[1.e3]", 3},
    {".5", 0}, {"[-.5]", 2}, {"-", 1}, {"[-]", 2}, {"+1", 0}, {"[+1]", 1}, {"1e", 2}, {"[1e+]", 4},
    {"[1eE2]", 3}, {"[1e5.5]", 4}, {"1e5.5", 3}, {"[1-2]", 2}, {"[--1]", 2}, {"[0x10]", 2},
    {"[1.2.3]", 4}, {"[1_0]", 2}, {"NaN", 0}, {"[Infinity]", 1}, {"[-Infinity]", 2}, {"[nan]", 2},
    {"[18446744073709551616x]", 21}, {"18446744073709551616.", 21},
    {"[18446744073709551616 1]", 22},
    /* Words. */
    {"TRUE", 0}, {"nul", 3}, {"[nul]", 4}, {"[tru]", 4}, {"[fals ]", 5}, {"[truee]", 5},
    {"[nulll]", 5}, {"truefalse", 4}, {"undefined", 0}, {"True", 0}, {"[a]", 1},
    /* Strings. */
    {"'a'", 0}, {"{'a':1}", 1}, {"\"a", 2}, {"[\"a]", 4}, {"\"a\\", 3}, {"[\"\\x\"]", 3},
    {"[\"\\u12\"]", 6}, {"[\"\\u00g0\"]", 6}, {"[\"a\tb\"]", 3}, {"[\"a\nb\"]", 3},
    {"[\"\x1f\"]", 2}, {"{\"a\rb\":1}", 3}, {"[\"\\\n\"]", 3},
    /* White space and comments. */
    {"\f[1]", 0}, {"\v[1]", 0}, {"[1]\f", 3}, {"/*a*/1", 0}, {"[1]//x", 3}, {"#1", 0},
    {"\xef\xbb\xbf[]", 0}, {"[\xc2\xa0]", 1},
    /* The first fault counts. */
    {"[1 2 '", 3}, {"[' 1 2", 1},
};
/* clang-format on */

static void what_is_not_json_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(not_json); i++)
        refuse(lwp_bytes_text(not_json[i].text), LWP_INVALID_PAYLOAD, not_json[i].offset);
}

static void bytes_after_the_document_are_refused(void **state)
{
    (void)state;
    refuse(BYTES("[1]x"), LWP_INVALID_PAYLOAD, 3);
    refuse(BYTES("[1] [2]"), LWP_INVALID_PAYLOAD, 4);
    refuse(BYTES("{}}"), LWP_INVALID_PAYLOAD, 2);
    refuse(BYTES("{},"), LWP_INVALID_PAYLOAD, 2);
    refuse(BYTES("1 2"), LWP_INVALID_PAYLOAD, 2);
    refuse(BYTES("\"a\"\"b\""), LWP_INVALID_PAYLOAD, 3);
    refuse(BYTES("null 18446744073709551616"), LWP_INVALID_PAYLOAD, 5);
    refuse(BYTES("18446744073709551616 18446744073709551616"), LWP_INVALID_PAYLOAD, 21);
    refuse(BYTES("18446744073709551616]"), LWP_INVALID_PAYLOAD, 20);
    refuse(BYTES("[1] '"), LWP_INVALID_PAYLOAD, 4);
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    refuse(BYTES("\0"), LWP_INVALID_PAYLOAD, 0);
    refuse(BYTES("[1]\0"), LWP_INVALID_PAYLOAD, 3);
    refuse(BYTES("[1]\0x"), LWP_INVALID_PAYLOAD, 3);
    refuse(BYTES("1\0"), LWP_INVALID_PAYLOAD, 1);
    refuse(BYTES("1\0"
                 "2"),
           LWP_INVALID_PAYLOAD, 1);
    refuse(BYTES("[1,\0 2]"), LWP_INVALID_PAYLOAD, 3);
    refuse(BYTES("\"a\0b\""), LWP_INVALID_PAYLOAD, 2);
    refuse(BYTES("{\"a\0b\":1}"), LWP_INVALID_PAYLOAD, 3);
}

static void a_document_cut_anywhere_is_refused(void **state)
{
    (void)state;
    const struct lwp_bytes text =
        BYTES("{\"s\":\"\\ud83d\\ude00\\n\",\"a\":[-1.5e+3,0,18446744073709551616,true,false,null],"
              "\"o\":{\"p\":{}}}");
    lwp_json_free(read_ok(text));
    for (size_t cut = 0; cut < text.size; cut++)
        refuse((struct lwp_bytes){text.data, cut}, LWP_INVALID_PAYLOAD, cut);
}

static void invalid_utf8_is_refused_at_its_place(void **state)
{
    (void)state;
    lwp_json_free(read_ok(BYTES("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]")));
    refuse(BYTES("[\"a\xff\"]"), LWP_INVALID_TEXT, 3);
    refuse(BYTES("\x80"), LWP_INVALID_TEXT, 0);
    refuse(BYTES("[\"\xc0\x80\"]"), LWP_INVALID_TEXT, 2);
    refuse(BYTES("[\"\xc3\xa9\xed\xa0\x80\"]"), LWP_INVALID_TEXT, 4);
    refuse(BYTES("[\"\xe2\x82\xac\xf4\x90\x80\x80\"]"), LWP_INVALID_TEXT, 5);
    refuse(BYTES("[\"\xf0\x9f\x98\x80\xff\"]"), LWP_INVALID_TEXT, 6);
    refuse(BYTES("[\"\xe2\x82"), LWP_INVALID_TEXT, 2);
    refuse(BYTES("[\"\xf0\x9f\x98\"]"), LWP_INVALID_TEXT, 2);
    refuse(BYTES("{\"\xfe\":1}"), LWP_INVALID_TEXT, 2);
    refuse(BYTES("[1] \xff"), LWP_INVALID_TEXT, 4);
    refuse(BYTES("} \xff"), LWP_INVALID_TEXT, 2); /* Before all else. */
}

/* Limits. */

static void the_largest_document_is_read_and_no_larger(void **state)
{
    (void)state;
    uint8_t *text = malloc(LWP_JSON_MAX_SIZE + 1);
    assert_non_null(text);
    memset(text, 'a', LWP_JSON_MAX_SIZE);
    text[0] = text[LWP_JSON_MAX_SIZE - 1] = '"';
    text[LWP_JSON_MAX_SIZE] = ' ';
    struct lwp_json *json = read_ok((struct lwp_bytes){text, LWP_JSON_MAX_SIZE});
    assert_string(json, "", (struct lwp_bytes){text + 1, LWP_JSON_MAX_SIZE - 2});
    lwp_json_free(json);
    refuse((struct lwp_bytes){text, LWP_JSON_MAX_SIZE + 1}, LWP_PAYLOAD_TOO_LARGE,
           LWP_JSON_MAX_SIZE);
    free(text);
}

/* `depth` times `open`, then `inner`, then `depth` times `close`. */
static size_t nest(char *out, size_t depth, const char *open, const char *inner, const char *close)
{
    char *at = out;
    for (size_t i = 0; i < depth; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, inner);
    for (size_t i = 0; i < depth; i++)
        at = stpcpy(at, close);
    return (size_t)(at - out);
}

static void nesting_is_limited_to_16(void **state)
{
    (void)state;
    static const struct {
        const char *open, *inner, *close;
    } rows[] = {{"[", "", "]"},         {"[", "1", "]"},           {"{\"a\":", "1", "}"},
                {"{\"a\":", "{}", "}"}, {"{\"a\":", "\"x\"", "}"}, {"[0,", "[]", "]"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[256];
        const bool deeper = rows[i].inner[0] == '{' || rows[i].inner[0] == '[';
        const size_t depth = LWP_JSON_MAX_DEPTH - deeper;
        size_t size = nest(text, depth, rows[i].open, rows[i].inner, rows[i].close);
        lwp_json_free(read_ok((struct lwp_bytes){(uint8_t *)text, size}));
        size = nest(text, depth + 1, rows[i].open, rows[i].inner, rows[i].close);
        refuse((struct lwp_bytes){(uint8_t *)text, size}, LWP_PAYLOAD_TOO_LARGE,
               strlen(rows[i].open) * LWP_JSON_MAX_DEPTH);
    }
}

static void brackets_side_by_side_are_not_nested(void **state)
{
    (void)state;
    char text[1024];
    size_t size = nest(text, 100, "[],{},", "\"[[[[[[[[[[[[[[[[[[[[\"", "");
    text[size++] = ']';
    char whole[1025];
    whole[0] = '[';
    memcpy(whole + 1, text, size);
    struct lwp_json *json = read_ok((struct lwp_bytes){(uint8_t *)whole, size + 1});
    assert_int_equal(lwp_json_count(json, ""), 201);
    lwp_json_free(json);
}

/* A container costs json-c some 800 bytes, so their number is limited as well as the size. */
static void a_document_has_at_most_65536_containers(void **state)
{
    (void)state;
    enum { PAIR_SIZE = 3 };
    const size_t most = LWP_JSON_MAX_CONTAINERS - 1; /* The array around them is one, too. */
    for (size_t count = most; count <= most + 1; count++) {
        const size_t size = 1 + PAIR_SIZE * count;
        char *text = malloc(size + 1);
        struct lwp_json *json = NULL;
        struct lwp_fault fault;
        assert_non_null(text);
        text[0] = '[';
        for (size_t i = 0; i < count; i++)
            memcpy(text + 1 + PAIR_SIZE * i, i + 1 < count ? "{}," : "{}]", PAIR_SIZE);
        const enum lwp_status status =
            lwp_json_read((struct lwp_bytes){(uint8_t *)text, size}, &json, &fault);
        assert_int_equal(status, count == most ? LWP_OK : LWP_PAYLOAD_TOO_LARGE);
        if (status == LWP_OK)
            assert_int_equal(lwp_json_count(json, ""), count);
        lwp_json_free(json);
        free(text);
    }
}

static void nesting_bombs_are_refused(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *text = malloc((size_t)DEPTH * 7);
    assert_non_null(text);
    size_t size = nest(text, DEPTH, "[", "", "");
    refuse((struct lwp_bytes){(uint8_t *)text, size}, LWP_PAYLOAD_TOO_LARGE, 16);
    size = nest(text, DEPTH, "{\"a\":", "1", "}");
    refuse((struct lwp_bytes){(uint8_t *)text, size}, LWP_PAYLOAD_TOO_LARGE, 80);
    size = nest(text, DEPTH, "]", "", "[");
    refuse((struct lwp_bytes){(uint8_t *)text, size}, LWP_INVALID_PAYLOAD, 0);
    free(text);
}

/* Writers: each as a function without arguments, and what it writes. */

static const struct lwp_topic alpha = {
    .id = 1, .name = {(const uint8_t *)"alpha", 5}, .created_at = 1700000000, .topic_epoch = 1};

static const struct lwp_topic kept = {.id = UINT64_MAX,
                                      .name = {(const uint8_t *)"b/\"\\\x01", 5},
                                      .created_at = 0,
                                      .topic_epoch = 2,
                                      .with_retention = true,
                                      .max_age_secs = 3600,
                                      .max_bytes = UINT64_MAX};

static enum lwp_status write_topic_lance(struct lwp_writer *out)
{
    return lwp_json_write_topic(&lwp_dialect_lance, &alpha, out);
}

static enum lwp_status write_topic_spec(struct lwp_writer *out)
{
    return lwp_json_write_topic(&lwp_dialect_spec, &alpha, out);
}

static enum lwp_status write_kept_lance(struct lwp_writer *out)
{
    return lwp_json_write_topic(&lwp_dialect_lance, &kept, out);
}

static enum lwp_status write_kept_spec(struct lwp_writer *out)
{
    return lwp_json_write_topic(&lwp_dialect_spec, &kept, out);
}

static enum lwp_status write_topics_lance(struct lwp_writer *out)
{
    const struct lwp_topic topics[] = {alpha, kept};
    return lwp_json_write_topics(&lwp_dialect_lance, topics, 2, out);
}

static enum lwp_status write_topics_spec(struct lwp_writer *out)
{
    const struct lwp_topic topics[] = {alpha, kept};
    return lwp_json_write_topics(&lwp_dialect_spec, topics, 2, out);
}

static enum lwp_status write_no_topics(struct lwp_writer *out)
{
    return lwp_json_write_topics(&lwp_dialect_lance, NULL, 0, out);
}

static enum lwp_status write_deleted(struct lwp_writer *out)
{
    return lwp_json_write_id("deleted", 4294967296, out);
}

static enum lwp_status write_unsubscribed(struct lwp_writer *out)
{
    return lwp_json_write_id("unsubscribed", 0, out);
}

static enum lwp_status write_retention_lance(struct lwp_writer *out)
{
    return lwp_json_write_retention(&lwp_dialect_lance, &kept, out);
}

static enum lwp_status write_retention_spec(struct lwp_writer *out)
{
    return lwp_json_write_retention(&lwp_dialect_spec, &kept, out);
}

static enum lwp_status write_cluster(struct lwp_writer *out)
{
    const struct lwp_cluster_status status = {
        .healthy_nodes = 1, .is_leader = true, .node_count = 1, .quorum_available = true};
    return lwp_json_write_cluster_status(&status, out);
}

static enum lwp_status write_other_cluster(struct lwp_writer *out)
{
    const struct lwp_cluster_status status = {
        .current_term = 1, .healthy_nodes = 2, .leader_id = 3, .node_count = 4, .node_id = 5};
    return lwp_json_write_cluster_status(&status, out);
}

static enum lwp_status write_follower(struct lwp_writer *out)
{
    static const struct lwp_peer peers[] = {{0, "Failed"}, {UINT64_MAX, "Connected"}};
    const struct lwp_cluster_status status = {.current_term = 7,
                                              .healthy_nodes = 2,
                                              .has_no_leader = true,
                                              .leader_id = 9,
                                              .is_cluster = true,
                                              .node_count = 3,
                                              .node_id = 1,
                                              .peers = peers,
                                              .peer_count = COUNT_OF(peers),
                                              .quorum_available = true};
    return lwp_json_write_cluster_status(&status, out);
}

static enum lwp_status write_error(struct lwp_writer *out)
{
    const struct lwp_error_document error = {.code = 16, .message = BYTES("Topic not found")};
    return lwp_json_write_error(&error, out);
}

static enum lwp_status write_redirect(struct lwp_writer *out)
{
    const struct lwp_error_document error = {
        .code = 32, .message = BYTES(""), .leader_addr = BYTES("10.0.0.1:1992")};
    return lwp_json_write_error(&error, out);
}

static enum lwp_status write_rate_limited(struct lwp_writer *out)
{
    const struct lwp_error_document error = {
        .code = 48, .message = BYTES("slow"), .retry_after_ms = 250};
    return lwp_json_write_error(&error, out);
}

static enum lwp_status write_all_details(struct lwp_writer *out)
{
    const struct lwp_error_document error = {.code = 20,
                                             .message = BYTES("x"),
                                             .leader_addr = BYTES("[::1]:1"),
                                             .retry_after_ms = UINT64_MAX,
                                             .has_server_offset = true};
    return lwp_json_write_error(&error, out);
}

static enum lwp_status write_offset(struct lwp_writer *out)
{
    const struct lwp_offset_document offset = {
        .consumer = BYTES("a\"b"), .topic_id = 7, .offset = UINT64_MAX};
    return lwp_json_write_offset(&offset, out);
}

static enum lwp_status write_named_offset(struct lwp_writer *out)
{
    const struct lwp_offset_document offset = {.consumer = BYTES("reader"),
                                               .topic_id = UINT32_MAX,
                                               .with_topic_name = true,
                                               .topic_name = BYTES("orders")};
    return lwp_json_write_offset(&offset, out);
}

static const struct {
    enum lwp_status (*write)(struct lwp_writer *out);
    const char *text;
} documents[] = {
    {write_topic_lance,
     "{\"created_at\":1700000000,\"id\":1,\"name\":\"alpha\",\"topic_epoch\":1}"},
    {write_topic_spec, "{\"id\":1,\"name\":\"alpha\",\"created_at\":1700000000}"},
    {write_kept_lance,
     "{\"created_at\":0,\"id\":18446744073709551615,\"max_age_secs\":3600,"
     "\"max_bytes\":18446744073709551615,\"name\":\"b/\\\"\\\\\\u0001\",\"topic_epoch\":2}"},
    {write_kept_spec,
     "{\"id\":18446744073709551615,\"name\":\"b/\\\"\\\\\\u0001\",\"created_at\":0,"
     "\"max_age_secs\":3600,\"max_bytes\":18446744073709551615}"},
    {write_topics_lance,
     "{\"topics\":[{\"id\":1,\"name\":\"alpha\",\"created_at\":1700000000,\"topic_epoch\":1},"
     "{\"id\":18446744073709551615,\"name\":\"b/\\\"\\\\\\u0001\",\"created_at\":0,"
     "\"topic_epoch\":2}]}"},
    {write_topics_spec,
     "{\"topics\":[{\"id\":1,\"name\":\"alpha\",\"created_at\":1700000000},"
     "{\"id\":18446744073709551615,\"name\":\"b/\\\"\\\\\\u0001\",\"created_at\":0}]}"},
    {write_no_topics, "{\"topics\":[]}"},
    {write_deleted, "{\"deleted\":4294967296}"},
    {write_unsubscribed, "{\"unsubscribed\":0}"},
    {write_retention_lance, "{\"max_age_secs\":3600,\"max_bytes\":18446744073709551615,"
                            "\"topic_id\":18446744073709551615}"},
    {write_retention_spec, "{\"topic_id\":18446744073709551615,\"max_age_secs\":3600,"
                           "\"max_bytes\":18446744073709551615}"},
    {write_cluster, "{\"current_term\":0,\"healthy_nodes\":1,\"is_leader\":true,\"leader_id\":0,"
                    "\"mode\":\"standalone\",\"node_count\":1,\"node_id\":0,\"peer_states\":{},"
                    "\"quorum_available\":true}"},
    {write_other_cluster,
     "{\"current_term\":1,\"healthy_nodes\":2,\"is_leader\":false,\"leader_id\":3,"
     "\"mode\":\"standalone\",\"node_count\":4,\"node_id\":5,\"peer_states\":{},"
     "\"quorum_available\":false}"},
    {write_follower,
     "{\"current_term\":7,\"healthy_nodes\":2,\"is_leader\":false,\"leader_id\":null,"
     "\"node_count\":3,\"node_id\":1,\"peer_states\":{\"0\":\"Failed\","
     "\"18446744073709551615\":\"Connected\"},\"quorum_available\":true}"},
    {write_error, "{\"code\":16,\"message\":\"Topic not found\"}"},
    {write_redirect,
     "{\"code\":32,\"message\":\"\",\"details\":{\"leader_addr\":\"10.0.0.1:1992\"}}"},
    {write_rate_limited, "{\"code\":48,\"message\":\"slow\",\"details\":{\"retry_after_ms\":250}}"},
    {write_all_details, "{\"code\":20,\"message\":\"x\",\"details\":{\"leader_addr\":\"[::1]:1\","
                        "\"retry_after_ms\":18446744073709551615,\"server_offset\":0}}"},
    {write_offset, "{\"consumer\":\"a\\\"b\",\"topic_id\":7,\"topic_name\":null,"
                   "\"offset\":18446744073709551615}"},
    {write_named_offset, "{\"consumer\":\"reader\",\"topic_id\":4294967295,"
                         "\"topic_name\":\"orders\",\"offset\":0}"},
};

static void every_writer_writes_exactly_its_document(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        uint8_t buffer[512];
        struct lwp_writer out = lwp_writer_on(buffer, strlen(documents[i].text));
        assert_int_equal(documents[i].write(&out), LWP_OK);
        assert_bytes(lwp_writer_bytes(&out), lwp_bytes_text(documents[i].text));
        lwp_json_free(read_ok(lwp_writer_bytes(&out)));
    }
}

static void every_capacity_too_small_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        for (size_t capacity = 0; capacity < strlen(documents[i].text); capacity++) {
            struct lwp_writer out = lwp_writer_on(edge - capacity, capacity);
            assert_int_equal(documents[i].write(&out), LWP_FULL);
            assert_true(out.full);
            assert_int_equal(out.size, 0);
        }
    }
}

static void documents_are_written_after_one_another(void **state)
{
    (void)state;
    uint8_t buffer[40];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_json_write_id("deleted", 7, &out), LWP_OK);
    assert_int_equal(lwp_json_write_id("unsubscribed", 8, &out), LWP_OK);
    assert_int_equal(write_no_topics(&out), LWP_FULL);
    assert_int_equal(lwp_json_write_id("a", 1, &out), LWP_FULL); /* It would fit, but full stays. */
    assert_bytes(lwp_writer_bytes(&out), BYTES("{\"deleted\":7}{\"unsubscribed\":8}"));
}

static void the_python_dialect_writes_as_the_server(void **state)
{
    (void)state;
    uint8_t buffer[256];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_json_write_topic(&lwp_dialect_lance_py, &alpha, &out), LWP_OK);
    assert_bytes(lwp_writer_bytes(&out), lwp_bytes_text(documents[0].text));
}

static void names_of_all_bytes_come_back(void **state)
{
    (void)state;
    const struct lwp_bytes wide = BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    uint8_t name[128 + 9];
    for (size_t i = 0; i < 128; i++)
        name[i] = (uint8_t)i;
    memcpy(name + 128, wide.data, wide.size);
    struct lwp_topic topic = {.id = 5, .name = {name, sizeof(name)}};
    uint8_t buffer[1024];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_json_write_topic(&lwp_dialect_lance, &topic, &out), LWP_OK);
    struct lwp_json *json = read_ok(lwp_writer_bytes(&out));
    assert_string(json, "name", topic.name);
    lwp_json_free(json);

    topic.name = (struct lwp_bytes){NULL, 0};
    out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_json_write_topic(&lwp_dialect_spec, &topic, &out), LWP_OK);
    assert_bytes(lwp_writer_bytes(&out), BYTES("{\"id\":5,\"name\":\"\",\"created_at\":0}"));
}

static void a_long_list_comes_back(void **state)
{
    (void)state;
    enum { TOPICS = 3000, SIZE = 400000 };
    struct lwp_topic *topics = calloc(TOPICS, sizeof(*topics));
    uint8_t *buffer = malloc(SIZE);
    assert_true(topics && buffer);
    for (size_t i = 0; i < TOPICS; i++)
        topics[i] = (struct lwp_topic){.id = i + 1, .name = alpha.name, .topic_epoch = i};
    struct lwp_writer out = lwp_writer_on(buffer, SIZE);
    assert_int_equal(lwp_json_write_topics(&lwp_dialect_lance, topics, TOPICS, &out), LWP_OK);
    struct lwp_json *json = read_ok(lwp_writer_bytes(&out));
    assert_int_equal(lwp_json_count(json, "topics"), TOPICS);
    assert_integer(json, "topics.0.id", 1);
    assert_integer(json, "topics.2999.id", TOPICS);
    assert_integer(json, "topics.2999.topic_epoch", TOPICS - 1);
    assert_no_integer(json, "topics.3000.id");
    lwp_json_free(json);
    free(buffer);
    free(topics);
}

/* Error documents. */

static struct lwp_error_document error_of(const struct lwp_json *json)
{
    struct lwp_error_document error;
    memset(&error, 0xa5, sizeof(error));
    assert_int_equal(lwp_json_error(json, &error), LWP_OK);
    return error;
}

static void an_error_with_all_details_comes_back(void **state)
{
    (void)state;
    const struct lwp_error_document sent = {.code = UINT64_MAX,
                                            .message = BYTES("not\0leader"),
                                            .leader_addr = BYTES("[::1]:1992"),
                                            .retry_after_ms = 250,
                                            .has_server_offset = true,
                                            .server_offset = 99};
    uint8_t buffer[256];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_json_write_error(&sent, &out), LWP_OK);
    struct lwp_json *json = read_ok(lwp_writer_bytes(&out));
    const struct lwp_error_document error = error_of(json);
    assert_true(error.code == UINT64_MAX);
    assert_bytes(error.message, sent.message);
    assert_bytes(error.leader_addr, sent.leader_addr);
    assert_int_equal(error.retry_after_ms, 250);
    assert_true(error.has_server_offset);
    assert_int_equal(error.server_offset, 99);
    lwp_json_free(json);
}

static void details_that_are_missing_or_strange_are_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"code\":1,\"message\":\"m\"}",
        "{\"message\":\"m\",\"code\":1,\"details\":{}}",
        "{\"code\":1,\"message\":\"m\",\"details\":null}",
        "{\"code\":1,\"message\":\"m\",\"details\":[1,2],\"more\":0}",
        "{\"code\":1,\"message\":\"m\",\"leader_addr\":\"x\",\"retry_after_ms\":1}",
        "{\"code\":1,\"message\":\"m\",\"details\":{\"leader_addr\":1,\"server_offset\":-1}}",
        "{\"code\":1,\"message\":\"m\",\"details\":{\"retry_after_ms\":\"1\"}}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct lwp_json *json = read_text(texts[i]);
        const struct lwp_error_document error = error_of(json);
        assert_int_equal(error.code, 1);
        assert_bytes(error.message, BYTES("m"));
        assert_int_equal(error.leader_addr.size, 0);
        assert_int_equal(error.retry_after_ms, 0);
        assert_false(error.has_server_offset);
        assert_int_equal(error.server_offset, 0);
        lwp_json_free(json);
    }
}

static void an_error_needs_code_and_message(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "null",
                                        "\"Topic not found\"",
                                        "{\"code\":1}",
                                        "{\"message\":\"m\"}",
                                        "{\"code\":\"1\",\"message\":\"m\"}",
                                        "{\"code\":-1,\"message\":\"m\"}",
                                        "{\"code\":1.0,\"message\":\"m\"}",
                                        "{\"code\":18446744073709551616,\"message\":\"m\"}",
                                        "{\"code\":1,\"message\":null}",
                                        "{\"code\":1,\"message\":2}",
                                        "{\"Code\":1,\"message\":\"m\"}",
                                        "{\"error\":{\"code\":1,\"message\":\"m\"}}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct lwp_json *json = read_text(texts[i]);
        struct lwp_error_document error = {.code = 4711};
        assert_int_equal(lwp_json_error(json, &error), LWP_INVALID_PAYLOAD);
        assert_int_equal(error.code, 4711);
        lwp_json_free(json);
    }
}

/* What the deployed server said: each line of the golden files is JSON, and in its answers there
 * are JSON documents, from the first brace on. */
static size_t read_answers(const struct lwp_json *line)
{
    size_t found = 0;
    for (size_t i = 0; i < lwp_json_count(line, "recv"); i++) {
        char path[32];
        struct lwp_bytes answer;
        (void)snprintf(path, sizeof(path), "recv.%zu", i);
        assert_int_equal(lwp_json_string(line, path, &answer), LWP_OK);
        const uint8_t *brace = answer.size ? memchr(answer.data, '{', answer.size) : NULL;
        if (!brace)
            continue;
        struct lwp_json *json = read_ok(lwp_bytes_from(answer, (size_t)(brace - answer.data)));
        assert_true(lwp_json_count(json, "") > 0);
        lwp_json_free(json);
        found++;
    }
    return found;
}

static void the_golden_answers_are_read(void **state)
{
    (void)state;
    FILE *file = fopen(LWP_SOURCE_DIR "/corpus/golden/lance-0.2.8.jsonl", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t capacity = 0;
    size_t found = 0;
    for (ssize_t size; (size = getline(&line, &capacity, file)) > 0;) {
        struct lwp_json *json = read_ok((struct lwp_bytes){(uint8_t *)line, (size_t)size});
        found += read_answers(json);
        lwp_json_free(json);
    }
    free(line);
    assert_int_equal(fclose(file), 0);
    assert_true(found >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_64_bits_survive),
        cmocka_unit_test(integers_beyond_64_bits_are_no_integers),
        cmocka_unit_test(negative_numbers_are_no_integers),
        cmocka_unit_test(numbers_with_point_or_exponent_are_no_integers),
        cmocka_unit_test(each_type_is_only_itself),
        cmocka_unit_test(paths_lead_through_objects_and_arrays),
        cmocka_unit_test(missing_members_are_told),
        cmocka_unit_test(a_path_too_long_is_no_member),
        cmocka_unit_test(members_and_elements_are_counted),
        cmocka_unit_test(the_last_of_equal_keys_wins),
        cmocka_unit_test(strings_keep_zeros_and_escapes),
        cmocka_unit_test(a_document_outlives_its_text),
        cmocka_unit_test(every_value_may_be_the_document),
        cmocka_unit_test(what_is_not_json_is_refused_at_its_place),
        cmocka_unit_test(bytes_after_the_document_are_refused),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(a_document_cut_anywhere_is_refused),
        cmocka_unit_test(invalid_utf8_is_refused_at_its_place),
        cmocka_unit_test(the_largest_document_is_read_and_no_larger),
        cmocka_unit_test(nesting_is_limited_to_16),
        cmocka_unit_test(brackets_side_by_side_are_not_nested),
        cmocka_unit_test(a_document_has_at_most_65536_containers),
        cmocka_unit_test(nesting_bombs_are_refused),
        cmocka_unit_test(every_writer_writes_exactly_its_document),
        cmocka_unit_test(every_capacity_too_small_is_told),
        cmocka_unit_test(documents_are_written_after_one_another),
        cmocka_unit_test(the_python_dialect_writes_as_the_server),
        cmocka_unit_test(names_of_all_bytes_come_back),
        cmocka_unit_test(a_long_list_comes_back),
        cmocka_unit_test(an_error_with_all_details_comes_back),
        cmocka_unit_test(details_that_are_missing_or_strange_are_empty),
        cmocka_unit_test(an_error_needs_code_and_message),
        cmocka_unit_test(the_golden_answers_are_read),
    };
    return cmocka_run_group_tests_name("json", tests, make_edge, NULL);
}
