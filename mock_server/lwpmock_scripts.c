/* SPDX-License-Identifier: MIT */
/* The calls about scripts, the cluster and what happened: locks around what others do. */
#include <stdlib.h>

#include "mock_server/mock_state.h"

/* Scripts. */

enum lwp_status lwp_mock_script(struct lwp_mock *mock, const char *name, const char *text)
{
    return lwp_mock_scenario(mock, name, text, NULL);
}

enum lwp_status lwp_mock_scenario(struct lwp_mock *mock, const char *name, const char *text,
                                  const char *id)
{
    mock_lock(mock);
    const enum lwp_status status = mock_scenario(mock, name, lwp_bytes_text(text), id);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_script_file(struct lwp_mock *mock, const char *path, const char *id)
{
    mock_lock(mock);
    const enum lwp_status status = mock_script_file(mock, path, id);
    mock_unlock(mock);
    return status;
}

const char *lwp_mock_problems(struct lwp_mock *mock)
{
    mock_lock(mock);
    const char *problems = mock->problems ? mock->problems : "";
    mock_unlock(mock);
    return problems;
}

static enum lwp_status arm(struct lwp_mock *mock, const char *name, bool armed)
{
    mock_lock(mock);
    const enum lwp_status status = mock_arm(mock, name, armed);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_arm(struct lwp_mock *mock, const char *name)
{
    return arm(mock, name, true);
}

enum lwp_status lwp_mock_disarm(struct lwp_mock *mock, const char *name)
{
    return arm(mock, name, false);
}

enum lwp_status lwp_mock_list(struct lwp_mock *mock, char **text)
{
    mock_lock(mock);
    const enum lwp_status status = mock_list(mock, text);
    mock_unlock(mock);
    return status;
}

void lwp_mock_reset(struct lwp_mock *mock)
{
    mock_lock(mock);
    mock_reset_scripts(mock);
    mock_unlock(mock);
}

enum lwp_status lwp_mock_verdict(struct lwp_mock *mock, bool *passed, char **text)
{
    mock_lock(mock);
    const enum lwp_status status = mock_verdict(mock, passed, text);
    mock_unlock(mock);
    return status;
}

bool lwp_mock_is_scripted(struct lwp_mock *mock)
{
    mock_lock(mock);
    const bool is_scripted = stage_is_set(mock->stage);
    mock_unlock(mock);
    return is_scripted;
}

/* The cluster. */

enum lwp_status lwp_mock_leader(struct lwp_mock *mock, const char *topic, const char *node)
{
    mock_lock(mock);
    const enum lwp_status status = mock_leader(mock, topic, node);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_lag(struct lwp_mock *mock, const char *node, uint64_t bytes)
{
    mock_lock(mock);
    const enum lwp_status status = mock_lag(mock, node, bytes);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_stale(struct lwp_mock *mock, const char *node, uint64_t count)
{
    mock_lock(mock);
    const enum lwp_status status = mock_stale(mock, node, count);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_ready(struct lwp_mock *mock, const char *node, bool ready)
{
    mock_lock(mock);
    const enum lwp_status status = mock_ready(mock, node, ready);
    mock_unlock(mock);
    return status;
}

/* What happened. */

enum lwp_status lwp_mock_log(struct lwp_mock *mock, char **text, size_t *size)
{
    mock_lock(mock);
    const enum lwp_status status = mock_log(mock, text, size);
    mock_unlock(mock);
    return status;
}

const char *lwp_mock_log_error(struct lwp_mock *mock)
{
    const char *error = "";
    mock_lock(mock);
    if (mock->events && lwp_events_status(mock->events) != LWP_OK)
        error = lwp_events_error(mock->events);
    mock_unlock(mock);
    return error;
}

void lwp_mock_free_text(char *text)
{
    free(text);
}
