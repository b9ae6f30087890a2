/* SPDX-License-Identifier: MIT */
/* The linker leads every allocation of our own code here (--wrap), so that a seed can tell whether it
 * has left anything behind, in every build. */
#include <stdlib.h>

#include "lwp/sim/sim.h"

/* NOLINTBEGIN(readability-identifier-naming): the linker gives these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);

static long allocations; /* One thread, one count. */

static void *counted(void *memory)
{
    allocations += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    void *moved = __real_realloc(memory, size);
    return memory ? moved : counted(moved);
}

char *__wrap_strdup(const char *text)
{
    return counted(__real_strdup(text));
}

void __wrap_free(void *memory)
{
    allocations -= memory != NULL;
    __real_free(memory);
}

/* NOLINTEND(readability-identifier-naming) */

long sim_allocations(void)
{
    return allocations;
}
