/* SPDX-License-Identifier: MIT */
/* failure.h - in which way a case failed, as a word that stays the same from run to run. */
#ifndef LWP_CONFORM_FAILURE_H
#define LWP_CONFORM_FAILURE_H

#include "conformance/result.h"

enum { FAILURE_CLASS_SIZE = 128 };

/**
 * Writes the class, at most FAILURE_CLASS_SIZE bytes with the zero at its end, and returns `out`:
 *
 * timeout      what is required did not come in time
 * close        the connection ended where something else was required
 * malformed    what came is no sound frame
 * field:NAME   a frame came, and NAME is the first field that differs
 * frame        a frame came where or when none may
 * crash, error the verdict says it all
 *
 * It is empty for a case that did not fail. A failure that was expected keeps its class.
 */
const char *failure_class(const struct result *result, char *out);

/** Whether it is one that an expectation can pin: those above but for crash and error. */
bool failure_is_class(struct lwp_bytes word);

#endif
