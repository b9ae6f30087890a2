/* SPDX-License-Identifier: MIT */
/* request.h - a control command under way, shared by the files that answer them and nobody else. */
#ifndef LWP_MOCK_REQUEST_H
#define LWP_MOCK_REQUEST_H

#include "mock_server/broker_state.h"

enum { DOCUMENT_SIZE = 4096 /* Bytes that any answer but lists, data and errors fits into. */ };

/* A request under way: what was asked, who asked, and where the answer goes. */
struct request {
    struct lwp_broker *broker;
    struct lwp_message message;
    bool text_ok; /* The payload's text is UTF-8. */
    struct lwp_asker *asker;
    struct lwp_reply *reply;
};

/* Answers with an error: with the id, the name asked for, or nothing in the place of the text's %.
 */
enum lwp_status request_refuse_id(const struct request *request, enum lwp_text text, uint64_t id);
enum lwp_status request_refuse_name(const struct request *request, enum lwp_text text);
enum lwp_status request_refuse(const struct request *request, enum lwp_text text);

/** Answers with what was written into the broker's scratch memory. */
enum lwp_status request_reply(const struct request *request, uint8_t command,
                              const struct lwp_writer *out);

/** Answers with {"<key>":<id>}. */
enum lwp_status request_reply_id(const struct request *request, const char *key, uint64_t id);

/* The handlers: LWP_OK, or LWP_NO_MEMORY to end the connection. */
enum lwp_status answer_create_topic(const struct request *request);
enum lwp_status answer_create_topic_with_retention(const struct request *request);
enum lwp_status answer_delete_topic(const struct request *request);
enum lwp_status answer_list_topics(const struct request *request);
enum lwp_status answer_get_topic(const struct request *request);
enum lwp_status answer_set_retention(const struct request *request);
enum lwp_status answer_fetch(const struct request *request);
enum lwp_status answer_subscribe(const struct request *request);
enum lwp_status answer_unsubscribe(const struct request *request);
enum lwp_status answer_commit_offset(const struct request *request);

#endif
