/* SPDX-License-Identifier: MIT */
/* mutants.h - the named bugs that lie before the strict split: what it refuses is made sound first. */
#ifndef LWP_MOCK_MUTANTS_H
#define LWP_MOCK_MUTANTS_H

#include "lwp/bug/bug.h"
#include "lwp/session/session.h"

#ifdef LWP_MUTANTS
/** Mends what the chosen bug overlooks in the frame at the front of the input queue. */
void mutants_mend_front(struct lwp_session *session);
#else
#define mutants_mend_front(session) ((void)0)
#endif

#endif
