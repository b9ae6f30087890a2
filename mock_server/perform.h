/* SPDX-License-Identifier: MIT */
/* perform.h - what scripts do: to the frame at hand, to a connection, to the mock as a whole. */
#ifndef LWP_MOCK_PERFORM_H
#define LWP_MOCK_PERFORM_H

#include "mock_server/connection.h"

/** Lets the scripts have their say about a frame that came. False if they have none: handle it as
 * normal. */
bool connection_play(struct connection *connection, const struct lwp_frame *frame, uint64_t now_ns);

/** The same for the connection's beginning. */
void connection_play_beginning(struct connection *connection, uint64_t now_ns);

/** Carries out the actions of a decision that are not about the answer: those that come before it, and
 * those about the cluster, which come behind it. */
void connection_perform_all(struct connection *connection, const struct stage_decision *decision,
                            uint64_t now_ns);
void connection_perform_cluster(struct connection *connection,
                                const struct stage_decision *decision, uint64_t now_ns);

/** A frame that goes out has set off a close: closes, and returns false, for it is not sent. */
bool connection_close_before(struct connection *connection, const struct stage_decision *decision,
                             uint64_t now_ns);

/** Carries out a rule at a time: first what is not about connections, then what is, on each of those
 * that it concerns. */
void perform_begin_timed(const struct connection_host *host, const struct script_rule *rule,
                         uint64_t now_ns);
void connection_perform_timed(struct connection *connection, const struct script_rule *rule,
                              uint64_t now_ns);

/** Carries out an action that is about more than one connection: groups CLUSTER and FLOW, release. */
void perform_once(const struct connection_host *host, const struct script_rule *rule,
                  const struct script_action *action, uint64_t now_ns);

#endif
