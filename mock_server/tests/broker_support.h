/* SPDX-License-Identifier: MIT */
/* broker_support.h - what the tests of the broker share: somebody who asks, and what was answered. */
#ifndef LWP_MOCK_TESTS_BROKER_SUPPORT_H
#define LWP_MOCK_TESTS_BROKER_SUPPORT_H

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "lwp/tests/support.h"
#include "mock_server/broker.h"

#define START_NS (UINT64_C(1700000000) * LWP_SECOND_NS)

/* A broker, somebody who asks it, and its last answer. */
struct talk {
    struct lwp_broker *broker;
    struct lwp_asker asker;
    struct lwp_reply reply;
};

static inline struct talk talk_with(const struct lwp_dialect *dialect,
                                    struct lwp_broker_options options)
{
    struct talk talk = {.asker = {.dialect = dialect}};
    assert_int_equal(lwp_broker_new(&options, &talk.broker), LWP_OK);
    lwp_broker_set_time(talk.broker, START_NS);
    talk.asker.authenticated = !lwp_broker_guarded(talk.broker);
    return talk;
}

static inline struct talk plain_talk(const struct lwp_dialect *dialect)
{
    return talk_with(dialect, (struct lwp_broker_options){.segment_size = 0});
}

static inline void talk_done(struct talk *talk)
{
    lwp_broker_free(talk->broker);
}

/** Sends a control command with this payload. */
static inline void ask_raw(struct talk *talk, int command, struct lwp_bytes payload)
{
    assert_int_equal(lwp_broker_control(talk->broker, &talk->asker, command, payload, &talk->reply),
                     LWP_OK);
}

/** Sends a message. */
static inline void ask(struct talk *talk, struct lwp_message message)
{
    uint8_t payload[1024];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    ask_raw(talk, message.command, lwp_writer_bytes(&out));
}

static inline void create(struct talk *talk, const char *name)
{
    ask_raw(talk, LWP_COMMAND_CREATE_TOPIC, lwp_bytes_text(name));
}

static inline void delete_topic(struct talk *talk, uint64_t id)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_DELETE_TOPIC, .topic_id = id});
}

static inline void fetch(struct talk *talk, uint64_t id, uint64_t offset, uint64_t max_bytes)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_FETCH,
                                   .topic_id = id,
                                   .start_offset = offset,
                                   .max_bytes = max_bytes});
}

static inline void commit(struct talk *talk, uint64_t id, uint64_t consumer, uint64_t offset)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_COMMIT_OFFSET,
                                   .topic_id = id,
                                   .consumer_id = consumer,
                                   .offset = offset});
}

static inline void subscribe(struct talk *talk, uint64_t id, uint64_t consumer, uint64_t offset)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_SUBSCRIBE,
                                   .topic_id = id,
                                   .start_offset = offset,
                                   .max_batch_bytes = 1,
                                   .consumer_id = consumer});
}

static inline void set_retention(struct talk *talk, uint64_t id, uint64_t max_age_secs,
                                 uint64_t max_bytes)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_SET_RETENTION,
                                   .topic_id = id,
                                   .max_age_secs = max_age_secs,
                                   .max_bytes = max_bytes});
}

static inline void create_retained(struct talk *talk, const char *name, uint64_t max_age_secs,
                                   uint64_t max_bytes)
{
    ask(talk, (struct lwp_message){.command = LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
                                   .name = lwp_bytes_text(name),
                                   .max_age_secs = max_age_secs,
                                   .max_bytes = max_bytes});
}

/** Ingests the text, as it is, and makes it visible. */
static inline void store(struct talk *talk, uint32_t id, const char *text)
{
    assert_int_equal(lwp_broker_ingest(talk->broker, id, lwp_bytes_text(text)), LWP_OK);
    lwp_broker_flush(talk->broker);
}

/** Whether an ingest to this topic is taken; if not, the refusal is the last answer. */
static inline bool admits(struct talk *talk, uint32_t id)
{
    bool admitted = false;
    assert_int_equal(lwp_broker_admit(talk->broker, &talk->asker, id, &admitted, &talk->reply),
                     LWP_OK);
    return admitted;
}

static inline void check_answer(const struct talk *talk, uint8_t command, struct lwp_bytes payload,
                                const char *file, int line)
{
    _assert_int_equal(talk->reply.is_ack, false, file, line);
    _assert_int_equal(talk->reply.command, command, file, line);
    check_bytes(talk->reply.payload, payload, file, line);
}

/* The last answer is a frame of this command with this text, for example a document. */
#define assert_answer(talk, command, text)                                                         \
    check_answer((talk), (command), lwp_bytes_text(text), __FILE__, __LINE__)
#define assert_error(talk, text) assert_answer(talk, LWP_COMMAND_ERROR_RESPONSE, text)
#define assert_topic(talk, text) assert_answer(talk, LWP_COMMAND_TOPIC_RESPONSE, text)

/** The last answer, decoded. */
static inline struct lwp_message answered(const struct talk *talk, uint8_t command)
{
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    assert_false(talk->reply.is_ack);
    assert_int_equal(talk->reply.command, command);
    assert_int_equal(lwp_message_decode(command, talk->reply.payload, &message, &rest, &fault),
                     LWP_OK);
    assert_int_equal(rest.size, 0);
    return message;
}

static inline void check_fetched(const struct talk *talk, const char *data, uint64_t next_offset,
                                 const char *file, int line)
{
    const struct lwp_message message = answered(talk, LWP_COMMAND_FETCH_RESPONSE);
    check_bytes(message.data, lwp_bytes_text(data), file, line);
    _assert_int_equal(message.next_offset, next_offset, file, line);
}

/* The last answer is a fetch-response with this data. */
#define assert_fetched(talk, data, next_offset)                                                    \
    check_fetched((talk), (data), (next_offset), __FILE__, __LINE__)

/* The last answer is the frame catching-up with this offset. */
#define assert_catching_up(talk, offset)                                                           \
    assert_int_equal(answered((talk), LWP_COMMAND_CATCHING_UP).server_offset, offset)

#endif
