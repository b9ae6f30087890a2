/* SPDX-License-Identifier: MIT */
#include "lwp/json/json.h"

#include <inttypes.h>
#include <stdio.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

/*
 * Writing. A draft is an object or array in the making; after the first allocation that fails it
 * stays failed, and finish() tells.
 */
struct draft {
    struct json_object *object;
    size_t bound; /* Its text is no longer. */
    bool failed;
};

enum {
    SCALAR_BOUND = 64, /* A number or word with all that surrounds it, except its key. */
    ESCAPE_SIZE = 6    /* \u0000: the longest form of one byte. */
};

static struct draft draft_of(struct json_object *object)
{
    return (struct draft){.object = object, .bound = SCALAR_BOUND, .failed = !object};
}

/* Adds a member, or an element if there is no key. The draft owns the value, whatever happens. */
static void add(struct draft *draft, const char *key, struct json_object *value)
{
    struct json_object *to = draft->object;
    draft->bound += SCALAR_BOUND + (key ? ESCAPE_SIZE * strlen(key) : 0);
    if (to && value &&
        (key ? json_object_object_add(to, key, value) : json_object_array_add(to, value)) == 0)
        return;
    json_object_put(value);
    draft->failed = true;
}

static void add_draft(struct draft *draft, const char *key, struct draft value)
{
    draft->bound += value.bound;
    draft->failed = draft->failed || value.failed;
    add(draft, key, value.object);
}

static void add_integer(struct draft *draft, const char *key, uint64_t value)
{
    add(draft, key, json_object_new_uint64(value));
}

static void add_null(struct draft *draft, const char *key)
{
    draft->bound += SCALAR_BOUND + ESCAPE_SIZE * strlen(key);
    if (!draft->object || json_object_object_add(draft->object, key, NULL) != 0)
        draft->failed = true;
}

static void add_string(struct draft *draft, const char *key, struct lwp_bytes value)
{
    const char *text = value.size ? (const char *)value.data : "";
    const bool fits = value.size <= INT32_MAX;
    draft->bound += ESCAPE_SIZE * value.size;
    add(draft, key, fits ? json_object_new_string_len(text, (int)value.size) : NULL);
}

/* A serializer that only makes room. */
static int make_room(struct json_object *object, struct printbuf *out, int level, int flags)
{
    (void)level;
    (void)flags;
    const size_t *bound = json_object_get_userdata(object);
    return *bound > INT32_MAX ? -1 : printbuf_memset(out, 0, 0, (int)*bound);
}

/* The text of the draft, which owns it, or NULL. Where json-c can not enlarge the text it leaves
 * out the piece and says nothing; so all the room is made before, which it does report. */
static const char *draft_text(struct draft *draft, size_t *size)
{
    const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    if (draft->failed)
        return NULL;
    json_object_set_serializer(draft->object, make_room, &draft->bound, NULL);
    if (!json_object_to_json_string_ext(draft->object, flags))
        return NULL;
    json_object_set_serializer(draft->object, NULL, NULL, NULL);
    return json_object_to_json_string_length(draft->object, flags, size);
}

static enum lwp_status finish(struct draft draft, struct lwp_writer *out)
{
    size_t size = 0;
    const char *text = draft_text(&draft, &size);
    if (text)
        lwp_write(out, (struct lwp_bytes){(const uint8_t *)text, size});
    json_object_put(draft.object);
    if (!text)
        return LWP_NO_MEMORY;
    return out->full ? LWP_FULL : LWP_OK;
}

static void add_retention(struct draft *draft, const struct lwp_topic *topic)
{
    add_integer(draft, "max_age_secs", topic->max_age_secs);
    add_integer(draft, "max_bytes", topic->max_bytes);
}

static void add_name_and_time(struct draft *draft, const struct lwp_topic *topic)
{
    add_integer(draft, "id", topic->id);
    add_string(draft, "name", topic->name);
    add_integer(draft, "created_at", topic->created_at);
}

enum lwp_status lwp_json_write_topic(const struct lwp_dialect *dialect,
                                     const struct lwp_topic *topic, struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    if (dialect->topic_epoch) {
        add_integer(&draft, "created_at", topic->created_at);
        add_integer(&draft, "id", topic->id);
    } else {
        add_name_and_time(&draft, topic);
    }
    if (topic->with_retention)
        add_retention(&draft, topic);
    if (dialect->topic_epoch) {
        add_string(&draft, "name", topic->name);
        add_integer(&draft, "topic_epoch", topic->topic_epoch);
    }
    return finish(draft, out);
}

enum lwp_status lwp_json_write_topics(const struct lwp_dialect *dialect,
                                      const struct lwp_topic *topics, size_t count,
                                      struct lwp_writer *out)
{
    struct draft list = draft_of(json_object_new_array());
    for (size_t i = 0; i < count; i++) {
        struct draft topic = draft_of(json_object_new_object());
        add_name_and_time(&topic, &topics[i]);
        if (dialect->topic_epoch)
            add_integer(&topic, "topic_epoch", topics[i].topic_epoch);
        add_draft(&list, NULL, topic);
    }
    struct draft draft = draft_of(json_object_new_object());
    add_draft(&draft, "topics", list);
    return finish(draft, out);
}

enum lwp_status lwp_json_write_id(const char *key, uint64_t id, struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    add_integer(&draft, key, id);
    return finish(draft, out);
}

enum lwp_status lwp_json_write_retention(const struct lwp_dialect *dialect,
                                         const struct lwp_topic *topic, struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    if (!dialect->topic_epoch)
        add_integer(&draft, "topic_id", topic->id);
    add_retention(&draft, topic);
    if (dialect->topic_epoch)
        add_integer(&draft, "topic_id", topic->id);
    return finish(draft, out);
}

static void add_peers(struct draft *draft, const struct lwp_cluster_status *status)
{
    struct draft peers = draft_of(json_object_new_object());
    for (size_t i = 0; i < status->peer_count; i++) {
        char key[sizeof("18446744073709551615")];
        (void)snprintf(key, sizeof(key), "%" PRIu64, status->peers[i].node_id);
        add_string(&peers, key, lwp_bytes_text(status->peers[i].state));
    }
    add_draft(draft, "peer_states", peers);
}

enum lwp_status lwp_json_write_cluster_status(const struct lwp_cluster_status *status,
                                              struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    add_integer(&draft, "current_term", status->current_term);
    add_integer(&draft, "healthy_nodes", status->healthy_nodes);
    add(&draft, "is_leader", json_object_new_boolean(status->is_leader));
    if (status->has_no_leader)
        add_null(&draft, "leader_id");
    else
        add_integer(&draft, "leader_id", status->leader_id);
    if (!status->is_cluster)
        add_string(&draft, "mode", lwp_bytes_text("standalone"));
    add_integer(&draft, "node_count", status->node_count);
    add_integer(&draft, "node_id", status->node_id);
    add_peers(&draft, status);
    add(&draft, "quorum_available", json_object_new_boolean(status->quorum_available));
    return finish(draft, out);
}

static void add_details(struct draft *draft, const struct lwp_error_document *document)
{
    struct draft details = draft_of(json_object_new_object());
    if (document->leader_addr.size)
        add_string(&details, "leader_addr", document->leader_addr);
    if (document->retry_after_ms)
        add_integer(&details, "retry_after_ms", document->retry_after_ms);
    if (document->has_server_offset)
        add_integer(&details, "server_offset", document->server_offset);
    add_draft(draft, "details", details);
}

enum lwp_status lwp_json_write_error(const struct lwp_error_document *document,
                                     struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    add_integer(&draft, "code", document->code);
    add_string(&draft, "message", document->message);
    if (document->leader_addr.size || document->retry_after_ms || document->has_server_offset)
        add_details(&draft, document);
    return finish(draft, out);
}

enum lwp_status lwp_json_write_offset(const struct lwp_offset_document *document,
                                      struct lwp_writer *out)
{
    struct draft draft = draft_of(json_object_new_object());
    add_string(&draft, "consumer", document->consumer);
    add_integer(&draft, "topic_id", document->topic_id);
    /* json-c takes NULL for JSON's null, so add() would call it a failure. */
    if (document->with_topic_name)
        add_string(&draft, "topic_name", document->topic_name);
    else if (draft.object && json_object_object_add(draft.object, "topic_name", NULL))
        draft.failed = true;
    add_integer(&draft, "offset", document->offset);
    draft.bound += SCALAR_BOUND;
    return finish(draft, out);
}
