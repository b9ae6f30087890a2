/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *function, const char *property)
{
    (void)fprintf(stderr, "%s:%d: %s: violated: %s\n", file, line, function, property);
    abort();
}

const struct lwp_dialect *fuzz_dialect(uint8_t choice)
{
    static const struct lwp_dialect *const all[] = {&lwp_dialect_spec, &lwp_dialect_lance,
                                                    &lwp_dialect_lance_py};
    return all[choice % (sizeof(all) / sizeof(all[0]))];
}

static uint8_t *flush_end;
static uint8_t *room_end;

/* The end of an area behind which lies a page that nobody may touch. */
static uint8_t *map_area(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, FUZZ_MAX_INPUT + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    FUZZ_ASSERT(area != MAP_FAILED);
    FUZZ_ASSERT(mprotect(area + FUZZ_MAX_INPUT, page, PROT_NONE) == 0);
    return area + FUZZ_MAX_INPUT;
}

/* Before main(), so that the first input takes the same path as all others: AFL++ wants that. */
__attribute__((constructor)) static void map_areas(void)
{
    flush_end = map_area();
    room_end = map_area();
}

struct lwp_bytes fuzz_flush(const uint8_t *data, size_t size)
{
    FUZZ_ASSERT(size <= FUZZ_MAX_INPUT);
    if (size)
        memcpy(flush_end - size, data, size);
    return (struct lwp_bytes){flush_end - size, size};
}

static uint64_t verdict;

void fuzz_note_bytes(struct lwp_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        verdict = (verdict ^ bytes.data[i]) * UINT64_C(0x100000001b3);
}

void fuzz_note(uint64_t value)
{
    uint8_t bytes[8];
    lwp_put64(bytes, value);
    fuzz_note_bytes((struct lwp_bytes){bytes, sizeof(bytes)});
}

uint64_t fuzz_verdict(void)
{
    const uint64_t given = verdict;
    verdict = UINT64_C(0xcbf29ce484222325);
    return given;
}

uint8_t *fuzz_flush_room(size_t size)
{
    FUZZ_ASSERT(size <= FUZZ_MAX_INPUT);
    return room_end - size;
}

uint8_t *fuzz_room(size_t size)
{
    uint8_t *room = malloc(size);
    FUZZ_ASSERT(room || size == 0);
    return room;
}
