/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdio.h>

#include "conformance/diff_state.h"
#include "lwp/json/json.h"

enum { PATH_SIZE = DIFF_VALUE_SIZE };

/* A document on its way to a list of members. */
struct walk {
    struct diff *diff;
    struct diff_document *document;
    char path[PATH_SIZE];
    size_t sizes[LWP_JSON_MAX_DEPTH + 2]; /* Of the path, at each depth. */
    size_t depth;
};

static bool is_container(struct json_object *value)
{
    return json_object_is_type(value, json_type_object) ||
           json_object_is_type(value, json_type_array);
}

/* What the element of an array goes by: its name, if it has one, since the order is the server's. */
static const char *name_of(struct json_object *value)
{
    struct json_object *name = NULL;
    if (!json_object_is_type(value, json_type_object) ||
        !json_object_object_get_ex(value, "name", &name) ||
        !json_object_is_type(name, json_type_string))
        return NULL;
    return json_object_get_string(name);
}

static const char *keep(struct diff *diff, const char *text)
{
    const struct lwp_bytes copy = script_arena_copy(&diff->arena, lwp_bytes_text(text));
    return copy.data ? (const char *)copy.data : "";
}

static void add_member(struct walk *walk, struct json_object *value)
{
    struct diff_member *member = SCRIPT_ADD(&walk->diff->arena, &walk->document->members);
    if (!member)
        return;
    const char *text = value ? json_object_to_json_string_ext(
                                   value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                             : "null";
    *member = (struct diff_member){
        .path = keep(walk->diff, walk->path),
        .value = keep(walk->diff, is_container(value) ? "" : text),
        .is_number = json_object_is_type(value, json_type_int),
        .number = json_object_get_uint64(value),
    };
}

/* Puts the member's name behind the path. */
static void enter(struct walk *walk, const char *word)
{
    const size_t size = walk->sizes[walk->depth];
    (void)snprintf(walk->path + size, sizeof(walk->path) - size, "%s%s", size && *word ? "." : "",
                   word);
}

/* Whether the member is one to go into. */
static bool take_in(struct walk *walk, struct json_object *value, const char *key,
                    const size_t *index)
{
    char number[24] = "";
    const char *name = index ? name_of(value) : NULL;
    /* Other people's topics. */
    const bool is_foreign =
        name && strncmp(name, walk->diff->prefix, strlen(walk->diff->prefix)) != 0;
    if (is_foreign || walk->depth + 1 >= sizeof(walk->sizes) / sizeof(walk->sizes[0]))
        return false;
    if (index)
        (void)snprintf(number, sizeof(number), "%zu", *index);
    enter(walk, key ? key : name ? name : number);
    add_member(walk, value);
    if (is_container(value))
        walk->sizes[++walk->depth] = strlen(walk->path);
    return true;
}

/* json-c's form of a visitor. NOLINTNEXTLINE(readability-function-size) */
static int visit(struct json_object *value, int flags, struct json_object *parent, const char *key,
                 size_t *index, void *context)
{
    struct walk *walk = context;
    (void)parent;
    if (flags != JSON_C_VISIT_SECOND)
        return take_in(walk, value, key, index) ? JSON_C_VISIT_RETURN_CONTINUE
                                                : JSON_C_VISIT_RETURN_SKIP;
    walk->depth--;
    return JSON_C_VISIT_RETURN_CONTINUE;
}

bool diff_read(struct diff *diff, struct lwp_bytes text, struct diff_document *document)
{
    struct walk walk = {.diff = diff, .document = document};
    struct json_tokener *tokener = json_tokener_new_ex(LWP_JSON_MAX_DEPTH);
    if (!tokener || text.size > LWP_JSON_MAX_SIZE) {
        json_tokener_free(tokener);
        return false;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root =
        json_tokener_parse_ex(tokener, (const char *)text.data, (int)text.size);
    const bool is_whole = json_tokener_get_parse_end(tokener) == text.size && is_container(root);
    if (is_whole)
        (void)json_c_visit(root, 0, visit, &walk);
    json_object_put(root);
    json_tokener_free(tokener);
    return is_whole;
}

const struct diff_member *diff_member_of(const struct diff_document *document, const char *path)
{
    for (size_t i = 0; i < document->members.count; i++)
        if (strcmp(document->members.items[i].path, path) == 0)
            return &document->members.items[i];
    return NULL;
}

static bool ends_with(const char *path, const char *word)
{
    const size_t size = strlen(path);
    const size_t tail = strlen(word);
    return size >= tail && strcmp(path + size - tail, word) == 0;
}

static bool is_same(const struct diff *diff, const struct diff_member *a,
                    const struct diff_member *b)
{
    if (a->is_number && b->is_number)
        return ends_with(a->path, "created_at") || diff_same_number(diff, a->number, b->number);
    return diff_same_text(diff, lwp_bytes_text(a->value), lwp_bytes_text(b->value));
}

/* Who the other nodes are is no matter of the protocol. */
static bool is_passed_over(const struct diff_member *member, bool is_status)
{
    static const char peers[] = "peer_states.";
    return is_status && strncmp(member->path, peers, sizeof(peers) - 1) == 0;
}

static void tell_member(struct diff *diff, const char *path, const char *a, const char *b)
{
    char field[DIFF_VALUE_SIZE];
    (void)snprintf(field, sizeof(field), "json.%s", path);
    diff_tell(diff, field, a, b);
}

/* Tells of the members of `a` that `b` has not, on the side that they stand on. */
static void tell_missing(struct diff *diff, const struct diff_document documents[DIFF_SIDES],
                         int side, bool is_status)
{
    for (size_t i = 0; i < documents[side].members.count; i++) {
        const struct diff_member *here = &documents[side].members.items[i];
        if (diff_member_of(&documents[!side], here->path) || is_passed_over(here, is_status))
            continue;
        tell_member(diff, here->path, side ? "none" : here->value, side ? here->value : "none");
    }
}

void diff_documents(struct diff *diff, const struct diff_document documents[DIFF_SIDES],
                    bool is_status)
{
    for (size_t i = 0; !is_status && i < documents[0].members.count; i++) {
        const struct diff_member *a = &documents[0].members.items[i];
        const struct diff_member *b = diff_member_of(&documents[1], a->path);
        if (b && !is_same(diff, a, b))
            tell_member(diff, a->path, a->value, b->value);
    }
    tell_missing(diff, documents, 0, is_status);
    tell_missing(diff, documents, 1, is_status);
}
