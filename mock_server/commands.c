/* SPDX-License-Identifier: MIT */
/* What the broker answers to each control command: one row and one handler a command. */
#include "mock_server/mutants.h"
#include "mock_server/request.h"

/* An integer as the argument of an error text. */
enum lwp_status request_refuse_id(const struct request *request, enum lwp_text text, uint64_t id)
{
    const struct broker_digits digits = broker_digits_of(id);
    return lwp_broker_error(request->broker, request->asker->dialect, text,
                            broker_digits_bytes(&digits), request->reply);
}

enum lwp_status request_refuse_name(const struct request *request, enum lwp_text text)
{
    return lwp_broker_error(request->broker, request->asker->dialect, text, request->message.name,
                            request->reply);
}

enum lwp_status request_refuse(const struct request *request, enum lwp_text text)
{
    return lwp_broker_error(request->broker, request->asker->dialect, text,
                            (struct lwp_bytes){NULL, 0}, request->reply);
}

/* Answers with what was written, or tries again with more room. */
enum lwp_status request_reply(const struct request *request, uint8_t command,
                              const struct lwp_writer *out)
{
    *request->reply = (struct lwp_reply){.command = command, .payload = lwp_writer_bytes(out)};
    return LWP_OK;
}

enum lwp_status request_reply_id(const struct request *request, const char *key, uint64_t id)
{
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_id(key, id, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return request_reply(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

static enum lwp_status get_cluster_status(const struct request *request)
{
    enum { PEER_SIZE = 128 };
    static const struct lwp_cluster_status alone = {
        .healthy_nodes = 1, .is_leader = true, .node_count = 1, .quorum_available = true};
    const struct lwp_cluster_view *view = request->asker->view;
    const struct lwp_cluster_status *status = view ? &view->status : &alone;
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE + status->peer_count * PEER_SIZE, &out) !=
            LWP_OK ||
        lwp_json_write_cluster_status(status, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return request_reply(request, LWP_COMMAND_CLUSTER_STATUS_RESPONSE, &out);
}

/* A wrong token is counted where that matters: the deployed server lets clients guess for ever. */
static bool is_one_too_many(const struct request *request)
{
    const struct lwp_auth_options *auth = &request->broker->options.auth;
    request->asker->failures++;
    return auth->strict && auth->max_failures && request->asker->failures >= auth->max_failures;
}

static enum lwp_status authenticate(const struct request *request)
{
    const char *fault = broker_judge_token(request->broker, request->asker, request->message.token,
                                           request->text_ok);
    const struct lwp_message answer = {
        .command = LWP_COMMAND_AUTHENTICATE_RESPONSE,
        .ok = fault == NULL,
        .text = lwp_bytes_text(fault ? fault : "Authenticated"),
    };
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    (void)request_reply(request, LWP_COMMAND_AUTHENTICATE_RESPONSE, &out);
    if (fault)
        request->reply->hangs_up = is_one_too_many(request);
    else
        request->asker->authenticated = !LWP_BUG(forgets_who_has_a_token);
    return LWP_OK;
}

static enum lwp_status authenticate_response(const struct request *request)
{
    return request_refuse(request, LWP_TEXT_AUTH_RESPONSE);
}

/* A row: what an access list must allow; the texts for a missing payload, for one shorter than
 * `min_size`, and for one whose inner sizes pass its end; and who answers. A row without texts takes
 * a short payload for zeros (D38). */
struct handler {
    uint8_t command;
    enum broker_right right;
    size_t min_size;
    enum lwp_text if_missing;
    enum lwp_text if_short;
    enum lwp_text if_overrun;
    enum lwp_status (*answer)(const struct request *request);
};

#define NO_TEXT LWP_TEXT_COUNT
/* clang-format off */
static const struct handler handlers[] = {
    {LWP_COMMAND_CREATE_TOPIC,         RIGHT_WRITE,  0, NO_TEXT, NO_TEXT, NO_TEXT, answer_create_topic},
    {LWP_COMMAND_DELETE_TOPIC,         RIGHT_WRITE,  4, NO_TEXT, NO_TEXT, NO_TEXT, answer_delete_topic},
    {LWP_COMMAND_LIST_TOPICS,          RIGHT_NONE,   0, NO_TEXT, NO_TEXT, NO_TEXT, answer_list_topics},
    {LWP_COMMAND_GET_TOPIC,            RIGHT_READ,   4, NO_TEXT, NO_TEXT, NO_TEXT, answer_get_topic},
    {LWP_COMMAND_SET_RETENTION,       RIGHT_WRITE, 20, LWP_TEXT_SET_RETENTION_PAYLOAD, LWP_TEXT_SET_RETENTION_PAYLOAD,
                                          NO_TEXT, answer_set_retention},
    {LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, RIGHT_WRITE, 18, LWP_TEXT_CREATE_TOPIC_PAYLOAD, LWP_TEXT_CREATE_TOPIC_PAYLOAD,
                                          LWP_TEXT_PAYLOAD_LENGTH, answer_create_topic_with_retention},
    {LWP_COMMAND_GET_CLUSTER_STATUS,   RIGHT_NONE,   0, NO_TEXT, NO_TEXT, NO_TEXT, get_cluster_status},
    {LWP_COMMAND_AUTHENTICATE,         RIGHT_NONE,   0, NO_TEXT, NO_TEXT, NO_TEXT, authenticate},
    {LWP_COMMAND_AUTHENTICATE_RESPONSE, RIGHT_NONE,   0, NO_TEXT, NO_TEXT, NO_TEXT, authenticate_response},
    {LWP_COMMAND_FETCH,               RIGHT_READ,  16, LWP_TEXT_FETCH_REQUIRED, LWP_TEXT_FETCH_SMALL, NO_TEXT, answer_fetch},
    {LWP_COMMAND_SUBSCRIBE,           RIGHT_READ,  24, LWP_TEXT_SUBSCRIBE_PAYLOAD, LWP_TEXT_SUBSCRIBE_PAYLOAD,
                                          NO_TEXT, answer_subscribe},
    {LWP_COMMAND_UNSUBSCRIBE,         RIGHT_READ,  12, LWP_TEXT_UNSUBSCRIBE_PAYLOAD, LWP_TEXT_UNSUBSCRIBE_PAYLOAD,
                                          NO_TEXT, answer_unsubscribe},
    {LWP_COMMAND_COMMIT_OFFSET,       RIGHT_READ,  20, LWP_TEXT_COMMIT_PAYLOAD, LWP_TEXT_COMMIT_PAYLOAD,
                                          NO_TEXT, answer_commit_offset},
};
/* clang-format on */

static const struct handler *handler_of(int command)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (handlers[i].command == command)
            return &handlers[i];
    return NULL;
}

/* The text for a payload that does not have the row's form, or NO_TEXT if it is answered all the
 * same. */
static enum lwp_text judge_form(const struct handler *handler, const struct lwp_dialect *dialect,
                                size_t payload_size, bool decoded, size_t rest_size)
{
    const bool lenient = !dialect->refuses_unsound;
    if (decoded || LWP_BUG(takes_cut_commands))
        return rest_size && !lenient ? LWP_TEXT_INVALID_FRAME : NO_TEXT;
    enum lwp_text text = handler->if_overrun;
    if (payload_size < handler->min_size)
        text = payload_size ? handler->if_short : handler->if_missing;
    return text == NO_TEXT && !lenient ? LWP_TEXT_INVALID_FRAME : text;
}

/* The strict variant: nothing but the two that deal with tokens goes without one. */
static bool is_shut_out(const struct request *request, int command)
{
    return request->broker->options.auth.strict && !request->asker->authenticated &&
           command != LWP_COMMAND_AUTHENTICATE && command != LWP_COMMAND_AUTHENTICATE_RESPONSE;
}

/* Answers a request of the right form, if the access lists let the asker have it (7). */
static enum lwp_status answer(const struct request *request, const struct handler *handler)
{
    const bool by_name = handler->command == LWP_COMMAND_CREATE_TOPIC ||
                         handler->command == LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION;
    const struct lwp_message *message = &request->message;
    const struct lwp_bytes name =
        by_name ? message->name : broker_listed_name(request->broker, message->topic_id);
    if (broker_allows(request->broker, request->asker, name, handler->right))
        return handler->answer(request);
    const struct broker_digits digits = broker_digits_of(message->topic_id);
    return broker_deny(request->broker, request->asker,
                       by_name ? name : broker_digits_bytes(&digits), request->reply);
}

enum lwp_status lwp_broker_control(struct lwp_broker *broker, struct lwp_asker *asker, int command,
                                   struct lwp_bytes payload, struct lwp_reply *reply)
{
    struct request request = {.broker = broker, .text_ok = true, .asker = asker, .reply = reply};
    if (command == asker->dialect->cluster_status_command && !LWP_BUG(knows_deployed_codes_alone))
        command = LWP_COMMAND_GET_CLUSTER_STATUS;
    const struct handler *handler = handler_of(command);
    if (is_shut_out(&request, command))
        return request_refuse(&request, LWP_TEXT_AUTH_REQUIRED);
    if (!handler)
        return request_refuse(&request, LWP_TEXT_INVALID_COMMAND);
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const enum lwp_status status =
        lwp_message_decode(handler->command, payload, &request.message, &rest, &fault);
    request.text_ok = status != LWP_INVALID_TEXT;
    const enum lwp_text text =
        judge_form(handler, asker->dialect, payload.size, status != LWP_INVALID_LENGTH, rest.size);
    mutants_misread_message(payload, &request.message);
    if (text != NO_TEXT)
        return lwp_broker_error(broker, asker->dialect, text, lwp_bytes_text("payload length"),
                                reply);
    return answer(&request, handler);
}
