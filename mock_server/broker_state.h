/* SPDX-License-Identifier: MIT */
/* broker_state.h - the broker's insides, shared by the files that make up the broker and nobody
 * else. */
#ifndef LWP_MOCK_BROKER_STATE_H
#define LWP_MOCK_BROKER_STATE_H

#include "lwp/bug/bug.h"
#include "mock_server/broker.h"
#include "mock_server/bucket.h"

struct broker_topic {
    uint64_t id;
    uint8_t *name;
    size_t name_size;
    uint64_t created_at;
    bool has_retention; /* Whether anybody ever gave the two below. */
    bool zero_deletes;  /* A 0 among them means "nothing" (bug B13), not "no limit" (D11). */
    uint64_t max_age_secs;
    uint64_t max_bytes;
    bool written;     /* Records have come. */
    bool writer_lost; /* Its records go to the file of a topic that is gone (bug B1). */
    struct lwp_log log;
};

/* The committed offset of a consumer; survives the topic, as on the deployed server. */
struct broker_commit {
    uint64_t topic_id;
    uint64_t consumer_id;
    uint64_t offset;
};

/* The default topic's log. With the bug B2 it is that of the topic "0" as well: then two writers have
 * a file each in one folder, and a reader sees the first one's before the second one's. */
struct broker_default {
    struct lwp_log log;
    bool written;
    bool writer_lost;     /* The folder was deleted under the writer (bug B2). */
    bool named_was_first; /* The first writer was that of the topic "0". */
    bool has_writer;
    size_t first_end; /* Where the first writer's bytes end. */
};

/* The tokens, own and from the file, which `file` holds. */
struct broker_tokens {
    struct lwp_token *all;
    size_t count;
    char *file;
};

struct lwp_broker {
    struct lwp_broker_options options;
    struct broker_tokens tokens;
    uint64_t epoch_ns;
    bool has_time;
    uint64_t next_pass_ns; /* Of retention. */
    struct bucket bucket;
    struct broker_topic *topics; /* By rising id. */
    size_t topic_count;
    size_t topic_capacity;
    uint64_t next_id;
    struct broker_default default_topic;
    size_t log_bytes;
    bool dirty;
    void *commits; /* A tree of struct broker_commit, see tsearch(3). */
    size_t commit_count;
    uint64_t *lost_ids; /* Of deleted topics whose writers live on (bug B1). */
    size_t lost_count;
    size_t lost_capacity;
    size_t leaked;    /* Ingests in flight for ever (bug B14). */
    uint8_t *scratch; /* Where answers are written. */
    size_t scratch_capacity;
};

/* An error answer in full: `details` has what goes into the document besides code and message. */
struct broker_refusal {
    enum lwp_text text;
    struct lwp_bytes argument;
    struct lwp_error_document details;
};

/* What an access list allows. */
enum broker_right { RIGHT_NONE, RIGHT_READ, RIGHT_WRITE };

bool broker_has(const struct lwp_broker *broker, enum lwp_quirk quirk);
void broker_topic_done(struct broker_topic *topic);
struct broker_topic *broker_topic_by_id(const struct lwp_broker *broker, uint64_t id);
struct broker_topic *broker_topic_by_name(const struct lwp_broker *broker, struct lwp_bytes name);
struct lwp_log *broker_log_of(struct lwp_broker *broker, uint64_t topic_id);
enum lwp_status broker_scratch(struct lwp_broker *broker, size_t size, struct lwp_writer *out);

/* Whether the asker asks a node of a cluster that answers as the deployed server's do (D19). */
bool broker_is_cluster(const struct lwp_asker *asker);

/* Forgets the topic and its records. */
void broker_delete_topic(struct lwp_broker *broker, struct broker_topic *topic);

/* The listing of an empty registry: with the bug B1 ids start again. */
void broker_note_empty(struct lwp_broker *broker);

/* Whether records of the topic with this new id would be lost (bug B1). */
bool broker_id_is_lost(const struct lwp_broker *broker, uint64_t id);

/* One pass of retention, as of this time. */
void broker_expire(struct lwp_broker *broker, uint64_t at_ns);

enum lwp_status broker_refuse(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                              const struct broker_refusal *refusal, struct lwp_reply *reply);

/* A number as decimal digits. */
struct broker_digits {
    uint8_t text[20];
    size_t at; /* Where they begin. */
};

static inline struct broker_digits broker_digits_of(uint64_t number)
{
    struct broker_digits digits = {.at = sizeof(digits.text)};
    do {
        digits.text[--digits.at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number);
    return digits;
}

static inline struct lwp_bytes broker_digits_bytes(const struct broker_digits *digits)
{
    return (struct lwp_bytes){digits->text + digits->at, sizeof(digits->text) - digits->at};
}

/* A file's text, ended by a zero, for the caller to free: LWP_OK, LWP_IO (errno set; EFBIG if it is
 * larger than 1 MiB), LWP_NO_MEMORY. */
enum lwp_status broker_read_file(const char *name, char **text);

/* The tokens: LWP_OK or LWP_NO_MEMORY. */
enum lwp_status broker_tokens_init(struct lwp_broker *broker);
void broker_tokens_done(struct lwp_broker *broker);

/* What is wrong with a token, in the deployed server's words, or NULL if it is a right one; then the
 * asker is its client. */
const char *broker_judge_token(const struct lwp_broker *broker, struct lwp_asker *asker,
                               struct lwp_bytes text, bool is_utf8);

/* Whether the lists let the asker do this to the topic with this name. */
bool broker_allows(const struct lwp_broker *broker, const struct lwp_asker *asker,
                   struct lwp_bytes topic, enum broker_right right);

/* The name of a topic as the lists have it: "0" for the default topic, empty for none. */
struct lwp_bytes broker_listed_name(const struct lwp_broker *broker, uint64_t topic_id);

/* The refusal of section 7.4; `topic` is a name or an id. */
enum lwp_status broker_deny(struct lwp_broker *broker, const struct lwp_asker *asker,
                            struct lwp_bytes topic, struct lwp_reply *reply);

#endif
