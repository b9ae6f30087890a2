/* SPDX-License-Identifier: MIT */
/* compose.h - the answers that a script gives, as bytes. */
#ifndef LWP_MOCK_COMPOSE_H
#define LWP_MOCK_COMPOSE_H

#include "mock_server/connection.h"

/* What an answer is made of. */
struct composing {
    const struct connection *connection;
    const struct script_rule *rule;
    const struct script_action *action; /* Of the group ANSWER. */
    const struct lwp_frame *asked;      /* What it answers; NULL: nothing. */
    uint64_t turn;                      /* How often the rule had fired before. */
};

/** The answer, sealed or as the script wants it, for the caller to free; NULL without memory, or if a
 * variable is not bound. */
struct parcel *compose(const struct composing *composing);

/** Writes the words of the rule's actions, ended by a zero. */
void compose_summary(const struct script_rule *rule, char *out, size_t size);

#endif
