/* SPDX-License-Identifier: MIT */
#include "lwp/tools/options.h"
#include "mock_server/mock_state.h"

uint64_t mock_due_ns(const struct lwp_mock *mock)
{
    const struct deadline *first = deadlines_first(&mock->deadlines);
    uint64_t due_ns = lwp_deadline_earlier(mock->flush_due_ns, stage_deadline(mock->stage));
    if (mock->touched)
        return 0;
    if (mock->cluster)
        due_ns = lwp_deadline_earlier(due_ns, lwp_cluster_deadline(mock->cluster));
    return first ? lwp_deadline_earlier(due_ns, first->at_ns) : due_ns;
}

/* `connections N` */
static bool is_count(const char *what, uint64_t *count)
{
    static const char word[] = "connections ";
    return strncmp(what, word, sizeof(word) - 1) == 0 &&
           lwp_read_number(what + sizeof(word) - 1, 0, UINT64_MAX, count);
}

enum lwp_status mock_reached(const struct lwp_mock *mock, const char *what)
{
    const struct lwp_bytes name = lwp_bytes_text(what);
    uint64_t count = 0;
    bool reached = false;
    if (strcmp(what, "idle") == 0)
        reached = mock->counts.accepted && !mock->connection_count;
    else if (strcmp(what, "decided") == 0)
        reached = stage_has_failed(mock->stage) || stage_has_passed(mock->stage);
    else if (is_count(what, &count))
        reached = mock->counts.accepted >= count;
    else if (stage_knows(mock->stage, name))
        reached = stage_reached(mock->stage, name);
    else
        return LWP_INVALID_ARGUMENT;
    return reached ? LWP_OK : LWP_WOULD_BLOCK;
}
