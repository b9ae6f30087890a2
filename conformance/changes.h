/* SPDX-License-Identifier: MIT */
/* changes.h - which cases leave a server as it was: for runs against one that must not be changed. */
#ifndef LWP_CONFORM_CHANGES_H
#define LWP_CONFORM_CHANGES_H

#include "mock_server/script/script.h"

/**
 * Whether a server may be another one after the case: topics made or deleted, records written, limits
 * or offsets set, consumers noted, or a command sent that nobody has defined. Worked out from what the
 * case sends, whether or not a right server refuses it: false is a promise. What only reads is ListTopics,
 * GetTopic, Fetch, GetClusterStatus and Authenticate, with all that servers say themselves, keepalives,
 * acks, backpressure and empty ingests.
 */
bool run_changes_server(const struct script_case *of);

#endif
