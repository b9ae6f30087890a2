/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"
#include "lwp/client/consumer_state.h"
#include "lwp/net/clock.h"

/* Where a consumer was, is and can go: the place, its store, the end of the log. */

static struct lwp_offset_store *store_of(const struct lwp_consumer *consumer)
{
    return consumer->options.store ? consumer->options.store : consumer->own_store;
}

static struct lwp_offset_key key_of(const struct lwp_consumer *consumer)
{
    return (struct lwp_offset_key){
        .consumer = consumer->options.name,
        .topic_id = consumer->options.topic_id,
        .topic_name = consumer->options.topic_name,
    };
}

static uint64_t offset_of(enum lwp_place place, uint64_t offset)
{
    switch (place) {
    case LWP_PLACE_BEGINNING:
        return 0;
    case LWP_PLACE_END:
        return LWP_OFFSET_END;
    case LWP_PLACE_OFFSET:
        break;
    }
    return offset;
}

static uint64_t next_commit(const struct lwp_consumer *consumer, uint64_t now_ns)
{
    const unsigned every_ms = consumer->options.auto_commit_ms;
    return every_ms ? lwp_deadline_after(now_ns, every_ms * LWP_MILLISECOND_NS) : LWP_NEVER;
}

/* Sets `*offset` to the stored place: LWP_OK, LWP_STORE_EMPTY, or why it can not be read. */
static enum lwp_status load_place(struct lwp_consumer *consumer, uint64_t *offset)
{
    const struct lwp_consumer_options *options = &consumer->options;
    const struct lwp_offset_key key = key_of(consumer);
    enum lwp_status status = LWP_OK;
    if (!options->store && options->folder)
        status = lwp_offset_store_files(options->folder, LWP_OFFSETS_PYTHON, &consumer->own_store);
    if (status != LWP_OK)
        return status;
    if (!store_of(consumer))
        return LWP_STORE_EMPTY;
    return lwp_offset_store_load(store_of(consumer), &key, offset);
}

enum lwp_status consumer_begin(struct lwp_consumer *consumer)
{
    const struct lwp_consumer_options *options = &consumer->options;
    uint64_t offset = offset_of(options->start, options->start_offset);
    if (!options->name || !options->name[0])
        return LWP_INVALID_ARGUMENT;
    const enum lwp_status status = load_place(consumer, &offset);
    if (status != LWP_OK && status != LWP_STORE_EMPTY)
        return status;
    consumer->committed = status == LWP_OK ? offset : LWP_OFFSET_END;
    lwp_inbox_seek(consumer->inbox, offset);
    return LWP_OK;
}

/* Keeps the place in the store, and has the server told. */
static enum lwp_status keep(struct lwp_consumer *consumer, uint64_t offset)
{
    const struct lwp_offset_key key = key_of(consumer);
    enum lwp_status status = LWP_OK;
    if (store_of(consumer) && !LWP_BUG(commits_in_vain))
        status = lwp_offset_store_save(store_of(consumer), &key, offset);
    consumer->why = status == LWP_OK ? consumer->why : lwp_details_of(status);
    if (status != LWP_OK)
        return status;
    consumer->committed = offset;
    consumer->commit_is_known = false;
    if (consumer->options.commit_to_server) {
        lwp_inbox_commit(consumer->inbox, offset);
        lwp_runner_wake(&consumer->runner);
    }
    return LWP_OK;
}

enum lwp_status consumer_auto_commit(struct lwp_consumer *consumer)
{
    const uint64_t now_ns = lwp_runner_now(&consumer->runner);
    const uint64_t offset = lwp_inbox_offset(consumer->inbox);
    if (consumer->commit_at_ns == 0)
        consumer->commit_at_ns = next_commit(consumer, now_ns);
    if (now_ns < consumer->commit_at_ns)
        return LWP_OK;
    consumer->commit_at_ns = next_commit(consumer, now_ns);
    const bool is_new = offset != consumer->committed && offset != LWP_OFFSET_END;
    return is_new ? keep(consumer, offset) : LWP_OK;
}

enum lwp_status consumer_commit(struct lwp_consumer *consumer, uint64_t deadline_ns)
{
    const uint64_t offset = lwp_inbox_offset(consumer->inbox);
    const enum lwp_status status =
        offset == LWP_OFFSET_END ? LWP_INVALID_ARGUMENT : keep(consumer, offset);
    if (status != LWP_OK || !consumer->options.commit_to_server)
        return status;
    if (!consumer->runner.has_thread)
        lwp_runner_round(&consumer->runner);
    while (!consumer->commit_is_known)
        if (consumer->connection.life.state == LWP_LIFE_ENDED ||
            !lwp_runner_wait(&consumer->runner, deadline_ns))
            return LWP_TIMEOUT;
    if (consumer->commit_details.status != LWP_OK)
        consumer->why = consumer->commit_details;
    return consumer->commit_details.status;
}

static uint64_t request_deadline(const struct lwp_consumer *consumer)
{
    return lwp_deadline_after(lwp_runner_now(&consumer->runner),
                              consumer->options.connect.request_timeout_ms * LWP_MILLISECOND_NS);
}

enum lwp_status lwp_consumer_commit(struct lwp_consumer *consumer)
{
    lwp_runner_lock(&consumer->runner);
    const enum lwp_status status = consumer_commit(consumer, request_deadline(consumer));
    lwp_runner_unlock(&consumer->runner);
    return status;
}

void lwp_consumer_seek(struct lwp_consumer *consumer, enum lwp_place place, uint64_t offset)
{
    lwp_runner_lock(&consumer->runner);
    lwp_inbox_seek(consumer->inbox, offset_of(place, offset));
    lwp_runner_wake(&consumer->runner);
    lwp_runner_unlock(&consumer->runner);
}

uint64_t lwp_consumer_offset(struct lwp_consumer *consumer)
{
    lwp_runner_lock(&consumer->runner);
    const uint64_t offset = lwp_inbox_offset(consumer->inbox);
    lwp_runner_unlock(&consumer->runner);
    return offset;
}

static enum lwp_status find_end(struct lwp_consumer *consumer, uint64_t *end_offset)
{
    const uint64_t deadline_ns = request_deadline(consumer);
    const struct lwp_life *life = &consumer->connection.life;
    consumer->end_is_known = false;
    if (!lwp_inbox_ask_end(consumer->inbox))
        return LWP_UNKNOWN_COMMAND;
    lwp_runner_wake(&consumer->runner);
    if (!consumer->runner.has_thread)
        lwp_runner_round(&consumer->runner);
    while (!consumer->end_is_known) {
        if (life->state == LWP_LIFE_ENDED)
            return life->why.status;
        if (!lwp_runner_wait(&consumer->runner, deadline_ns))
            return LWP_TIMEOUT;
    }
    if (consumer->end_details.status == LWP_OK)
        *end_offset = consumer->end_offset;
    else
        consumer->why = consumer->end_details;
    return consumer->end_details.status;
}

enum lwp_status lwp_consumer_end(struct lwp_consumer *consumer, uint64_t *end_offset)
{
    lwp_runner_lock(&consumer->runner);
    const enum lwp_status status = find_end(consumer, end_offset);
    lwp_runner_unlock(&consumer->runner);
    return status;
}

enum lwp_status lwp_consumer_lag(struct lwp_consumer *consumer, uint64_t *size)
{
    uint64_t end_offset = 0;
    lwp_runner_lock(&consumer->runner);
    const enum lwp_status status = find_end(consumer, &end_offset);
    const uint64_t offset = lwp_inbox_offset(consumer->inbox);
    if (status == LWP_OK)
        *size = end_offset > offset ? end_offset - offset : 0;
    lwp_runner_unlock(&consumer->runner);
    return status;
}
