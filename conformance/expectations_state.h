/* SPDX-License-Identifier: MIT */
/* expectations_state.h - lines of an expectation file; shared by the expectations*.c files and nobody
 * else. */
#ifndef LWP_CONFORM_EXPECTATIONS_STATE_H
#define LWP_CONFORM_EXPECTATIONS_STATE_H

#include "conformance/expectations.h"

#define EXPECTATION_CLASS "class="
#define EXPECTATION_NEW "new:" /* Begins a reason that is still to be given. */

enum expectation_line { EXPECTATION_COMMENT, EXPECTATION_LINE, EXPECTATION_BROKEN };

/** Takes a line apart, in place: the views of `*expectation` point into it. `*problem` says what is
 * wrong with a broken one. */
enum expectation_line expectation_parse(char *line, struct expectation *expectation,
                                        const char **problem);

/** Whether the line is about a case with this id. */
bool expectation_fits(const struct expectation *expectation, struct lwp_bytes id);

/** Whether its reason is still to be given. */
static inline bool expectation_is_new(const struct expectation *expectation)
{
    const size_t size = sizeof(EXPECTATION_NEW) - 1;
    return expectation->reason.size >= size &&
           memcmp(expectation->reason.data, EXPECTATION_NEW, size) == 0;
}

/** A copy of the file's text that may be cut into lines, without the last line's end; NULL if it is
 * empty. */
char *expectations_lines(const struct expectations *expectations, struct script_arena *arena);

#endif
