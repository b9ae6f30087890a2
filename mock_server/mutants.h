/* SPDX-License-Identifier: MIT */
/* mutants.h - the named bugs that have no place of their own in the mock: they spoil what comes in, what
 * is stored, what goes out. Nothing in a build without mutants. */
#ifndef LWP_MOCK_MUTANTS_H
#define LWP_MOCK_MUTANTS_H

#include "lwp/bug/bug.h"
#include "lwp/net/link.h"
#include "mock_server/broker.h"

#ifdef LWP_MUTANTS

/** The limit that the chosen bug has in the place of this one. */
uint32_t mutants_limit(uint32_t max_payload);

/** Mends what the chosen bug overlooks in the frame at the front of the input queue, or spoils what it
 * finds fault with, before the strict split. */
void mutants_mend_front(struct lwp_session *session);

/** A frame that was split off, as the chosen bug reads it. */
void mutants_misread(struct lwp_session *session, const struct lwp_broker *broker,
                     struct lwp_frame *frame);

/** A command that was decoded from this payload, as the chosen bug reads it. */
void mutants_misread_message(struct lwp_bytes payload, struct lwp_message *message);

/** How long the chosen bug takes a name to be. */
size_t mutants_name_size(struct lwp_bytes name);

/** What was appended last to a log, as the chosen bug stores it. */
void mutants_misstore(struct lwp_log *log, size_t size);

/** The text that the chosen bug takes for this one. */
enum lwp_text mutants_misjudge(enum lwp_text text);

/** An answer of numbers, as the chosen bug says it. */
void mutants_missay(struct lwp_message *answer);

/** Any answer, as the chosen bug says it; its payload lives until the next one. */
void mutants_misanswer(struct lwp_frame *frame);

/** What the chosen bug says about the session's fault. */
void mutants_explain(struct lwp_link *link, uint64_t now_ns);

/** The frame behind its seal, at the end of the output queue. */
void mutants_misseal(struct lwp_session *session, const struct lwp_frame *frame);

#else
#define mutants_limit(max_payload) (max_payload)
#define mutants_mend_front(session) ((void)0)
#define mutants_misread(session, broker, frame) ((void)0)
#define mutants_misread_message(payload, message) ((void)0)
#define mutants_name_size(name) ((name).size)
#define mutants_misstore(log, size) ((void)0)
#define mutants_misjudge(text) (text)
#define mutants_missay(answer) ((void)0)
#define mutants_misanswer(frame) ((void)0)
#define mutants_explain(link, now_ns) ((void)0)
#define mutants_misseal(session, frame) ((void)0)
#endif

#endif
