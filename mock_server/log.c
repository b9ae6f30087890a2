/* SPDX-License-Identifier: MIT */
#include "mock_server/log.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4096 };

enum lwp_status lwp_log_append(struct lwp_log *log, struct lwp_bytes bytes)
{
    if (bytes.size > log->capacity - log->size) {
        size_t capacity = log->capacity ? 2 * log->capacity : FIRST_CAPACITY;
        if (capacity < log->size + bytes.size)
            capacity = log->size + bytes.size;
        uint8_t *data = realloc(log->data, capacity);
        if (!data)
            return LWP_NO_MEMORY;
        log->data = data;
        log->capacity = capacity;
    }
    if (bytes.size)
        memcpy(log->data + log->size, bytes.data, bytes.size);
    log->size += bytes.size;
    return LWP_OK;
}

void lwp_log_flush(struct lwp_log *log)
{
    log->visible = log->size;
}

struct lwp_bytes lwp_log_read(const struct lwp_log *log, uint64_t offset, size_t max_bytes)
{
    if (offset >= log->visible)
        return (struct lwp_bytes){NULL, 0};
    const size_t left = log->visible - (size_t)offset;
    return (struct lwp_bytes){log->data + offset, left < max_bytes ? left : max_bytes};
}

void lwp_log_done(struct lwp_log *log)
{
    free(log->data);
    *log = (struct lwp_log){.data = NULL};
}
