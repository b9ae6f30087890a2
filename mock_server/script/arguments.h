/* SPDX-License-Identifier: MIT */
/* arguments.h - what stands behind the words of actions that damage frames, hold them up or break
 * connections; each function is for one form in actions.def. */
#ifndef LWP_SCRIPT_ARGUMENTS_H
#define LWP_SCRIPT_ARGUMENTS_H

#include "mock_server/script/reader.h"

/** COUNT: a number, in limits that depend on the action. */
void arguments_count(struct reader *reader, struct script_action *action);

/** RANGE, D or D~D; and DELAY, the same with inorder behind it. */
void arguments_range(struct reader *reader, struct script_action *action);
void arguments_delay(struct reader *reader, struct script_action *action);

/** SET: FIELD=VALUE [crc fix|keep]. */
void arguments_set(struct reader *reader, struct script_action *action);

/** AT_BYTES and AT_COUNT: an offset, negative from the frame's end, and bytes or how many. */
void arguments_at_bytes(struct reader *reader, struct script_action *action);
void arguments_at_count(struct reader *reader, struct script_action *action);

/** SIZES: 43,1,* [gap D]. */
void arguments_sizes(struct reader *reader, struct script_action *action);

/** CLOSE: [fin|rst|half] [after N bytes]. */
void arguments_close(struct reader *reader, struct script_action *action);

#endif
