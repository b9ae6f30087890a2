/* SPDX-License-Identifier: MIT */
/* Who may do what: tokens and access lists (7). */
#include <stdlib.h>

#include "mock_server/broker_state.h"

enum { MAX_FILE_TOKENS = 16384 };

/* A line's token and, behind a blank, its client. */
static struct lwp_token split_line(char *line)
{
    static const char blanks[] = " \t\r";
    char *rest = NULL;
    const char *text = strtok_r(line, blanks, &rest);
    const char *client = strtok_r(NULL, blanks, &rest);
    return (struct lwp_token){text, client};
}

static void add_file_tokens(struct broker_tokens *tokens)
{
    char *rest = NULL;
    const size_t limit = tokens->count + MAX_FILE_TOKENS;
    for (char *line = strtok_r(tokens->file, "\n", &rest); line && tokens->count < limit;
         line = strtok_r(NULL, "\n", &rest)) {
        const struct lwp_token token = split_line(line);
        if (token.text)
            tokens->all[tokens->count++] = token;
    }
}

enum lwp_status broker_tokens_init(struct lwp_broker *broker)
{
    const struct lwp_auth_options *auth = &broker->options.auth;
    struct broker_tokens *tokens = &broker->tokens;
    if (auth->token_file && broker_read_file(auth->token_file, &tokens->file) == LWP_NO_MEMORY)
        return LWP_NO_MEMORY;
    const size_t room = auth->token_count + (tokens->file ? MAX_FILE_TOKENS : 0);
    if (room == 0)
        return LWP_OK;
    tokens->all = calloc(room, sizeof(*tokens->all));
    if (!tokens->all)
        return LWP_NO_MEMORY;
    for (size_t i = 0; i < auth->token_count; i++)
        if (auth->tokens[i].text && auth->tokens[i].text[0])
            tokens->all[tokens->count++] = auth->tokens[i];
    if (tokens->file)
        add_file_tokens(tokens);
    return LWP_OK;
}

void broker_tokens_done(struct lwp_broker *broker)
{
    free(broker->tokens.all);
    free(broker->tokens.file);
}

bool lwp_broker_fails_open(const struct lwp_broker *broker)
{
    const struct lwp_auth_options *auth = &broker->options.auth;
    return auth->enabled && !auth->strict && broker->tokens.count == 0;
}

/* Whether tokens are looked at. */
static bool is_enabled(const struct lwp_broker *broker)
{
    return broker->options.auth.enabled && !lwp_broker_fails_open(broker);
}

bool lwp_broker_guarded(const struct lwp_broker *broker)
{
    const struct lwp_auth_options *auth = &broker->options.auth;
    return is_enabled(broker) && (auth->strict || !auth->write_only);
}

static const struct lwp_token *find_token(const struct lwp_broker *broker, struct lwp_bytes text)
{
    for (size_t i = 0; i < broker->tokens.count; i++)
        if (lwp_bytes_equal(text, lwp_bytes_text(broker->tokens.all[i].text)) ||
            LWP_BUG(takes_any_token))
            return &broker->tokens.all[i];
    return NULL;
}

const char *broker_judge_token(const struct lwp_broker *broker, struct lwp_asker *asker,
                               struct lwp_bytes text, bool is_utf8)
{
    if (text.size == 0)
        return "No token provided";
    if (!is_utf8)
        return "Invalid token encoding";
    if (!is_enabled(broker))
        return NULL;
    const struct lwp_token *token = find_token(broker, text);
    if (!token)
        return "Invalid token";
    if (token->client)
        asker->client = lwp_bytes_text(token->client);
    return NULL;
}

static bool is_or_any(const char *listed, struct lwp_bytes name)
{
    return strcmp(listed, "*") == 0 || lwp_bytes_equal(name, lwp_bytes_text(listed));
}

bool broker_allows(const struct lwp_broker *broker, const struct lwp_asker *asker,
                   struct lwp_bytes topic, enum broker_right right)
{
    const struct lwp_broker_options *options = &broker->options;
    if (options->access_count == 0 || right == RIGHT_NONE)
        return true;
    for (size_t i = 0; i < options->access_count; i++) {
        const struct lwp_access *row = &options->access[i];
        const bool reads = right == RIGHT_READ || LWP_BUG(takes_readers_for_writers);
        const bool given = reads ? row->read : row->write;
        if (given && is_or_any(row->client, asker->client) && is_or_any(row->topic, topic))
            return true;
    }
    return false;
}

struct lwp_bytes broker_listed_name(const struct lwp_broker *broker, uint64_t topic_id)
{
    if (topic_id == 0)
        return lwp_bytes_text("0");
    const struct broker_topic *topic = broker_topic_by_id(broker, topic_id);
    return topic ? (struct lwp_bytes){topic->name, topic->name_size} : (struct lwp_bytes){NULL, 0};
}

enum lwp_status broker_deny(struct lwp_broker *broker, const struct lwp_asker *asker,
                            struct lwp_bytes topic, struct lwp_reply *reply)
{
    enum { QUOTED_SIZE = 255 };
    uint8_t text[2 * QUOTED_SIZE + 64];
    struct lwp_writer out = lwp_writer_on(text, sizeof(text));
    struct lwp_bytes client = asker->client;
    if (client.size > QUOTED_SIZE)
        client.size = QUOTED_SIZE;
    if (topic.size > QUOTED_SIZE)
        topic.size = QUOTED_SIZE;
    lwp_write(&out, lwp_bytes_text("'"));
    lwp_write(&out, client.size ? client : lwp_bytes_text("anonymous"));
    lwp_write(&out, lwp_bytes_text("' not authorized for topic "));
    lwp_write(&out, topic);
    return lwp_broker_error(broker, asker->dialect, LWP_TEXT_ACCESS_DENIED, lwp_writer_bytes(&out),
                            reply);
}

/* The deployed server's nodes send a text of their own from within a cluster (D19). */
static enum lwp_status refuse_unknown(struct lwp_broker *broker, const struct lwp_asker *asker,
                                      struct lwp_reply *reply)
{
    return broker_is_cluster(asker)
               ? lwp_broker_error(broker, asker->dialect, LWP_TEXT_FORWARD_FAILED,
                                  lwp_bytes_text("Unknown topic (metadata convergence)"), reply)
               : lwp_broker_error(broker, asker->dialect, LWP_TEXT_TOPIC_UNKNOWN,
                                  (struct lwp_bytes){NULL, 0}, reply);
}

enum lwp_status lwp_broker_admit(struct lwp_broker *broker, const struct lwp_asker *asker,
                                 uint32_t topic_id, bool *admitted, struct lwp_reply *reply)
{
    *admitted = false;
    if (!asker->authenticated && !LWP_BUG(takes_ingests_of_anybody))
        return lwp_broker_error(broker, asker->dialect, LWP_TEXT_AUTH_REQUIRED,
                                (struct lwp_bytes){NULL, 0}, reply);
    if (topic_id != 0 && !broker_topic_by_id(broker, topic_id))
        return refuse_unknown(broker, asker, reply);
    if (!broker_allows(broker, asker, broker_listed_name(broker, topic_id), RIGHT_WRITE)) {
        const struct broker_digits digits = broker_digits_of(topic_id);
        return broker_deny(broker, asker, broker_digits_bytes(&digits), reply);
    }
    *admitted = true;
    return LWP_OK;
}
