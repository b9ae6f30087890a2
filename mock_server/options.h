/* SPDX-License-Identifier: MIT */
/* options.h - the rows of all that can be set by name, on the command line and through the library.
 */
#ifndef LWP_MOCK_OPTIONS_H
#define LWP_MOCK_OPTIONS_H

#include "lwp/tools/options.h"
#include "mock_server/lwpmock.h"

enum { MOCK_DEFAULT_SEED = 1 };

/* Options that write into a struct lwp_mock_options. */
extern const struct lwp_option mock_options[];

#endif
