/* SPDX-License-Identifier: MIT */
/* answers.h - what a scripted or clustered mock says in the place of its normal answer, in every form
 * that clients meet: as the dialect says it, as a text, as a document, as a frame of its own. */
#ifndef LWP_MOCK_ANSWERS_H
#define LWP_MOCK_ANSWERS_H

#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"
#include "mock_server/script/scenario.h"

/*
 * To whom an answer is given, and where it is written. Every function below sets `*frame` to the
 * answer, not sealed yet; its payload is a view into `out`, which may hold further bytes, and lives
 * as long as they do. LWP_OK; LWP_FULL if `out` has no room; LWP_NO_MEMORY; with the last two and
 * all other statuses `*frame` is left alone.
 */
struct lwp_answering {
    const struct lwp_dialect *dialect;
    enum script_form form; /* Asked for; counts for errors, backpressure and catching up. */
    struct lwp_writer *out;
};

/** The room that an answer takes at most in `out`, in bytes, for texts and data of `size` bytes. */
size_t lwp_answer_bound(size_t size);

/** A Backpressure frame (4.4), which is what every dialect says; as text or document the error
 * 0x31. */
enum lwp_status lwp_answer_backpressure(const struct lwp_answering *to, struct lwp_frame *frame);

/**
 * The error that a row of texts.def stands for, `argument` in the place of its %: its text, or a
 * document with its code and message. A document of NotLeader has details.leader_addr, the
 * argument, unless it is empty (12.3). Also LWP_INVALID_ARGUMENT: an error is no frame of its own.
 */
enum lwp_status lwp_answer_refusal(const struct lwp_answering *to, enum lwp_text text,
                                   struct lwp_bytes argument, struct lwp_frame *frame);

/** NotLeader with an address, whatever it looks like (D3); statuses as above. */
enum lwp_status lwp_answer_redirect(const struct lwp_answering *to, struct lwp_bytes address,
                                    struct lwp_frame *frame);

/** Nobody leads; statuses as above. */
enum lwp_status lwp_answer_leader_unknown(const struct lwp_answering *to, struct lwp_frame *frame);

/** Rate limit exceeded; a document has details.retry_after_ms unless it is 0. Statuses as above. */
enum lwp_status lwp_answer_rate_limited(const struct lwp_answering *to, uint64_t retry_after_ms,
                                        struct lwp_frame *frame);

/**
 * The server has only `server_offset` bytes (D4): the frame 0x12; a text, which does not say how
 * many; or a document of code 0x14 with details.server_offset. A dialect without the frame says it
 * in its form of errors.
 */
enum lwp_status lwp_answer_catching_up(const struct lwp_answering *to, uint64_t server_offset,
                                       struct lwp_frame *frame);

/**
 * An error of any code (12.2): the text as it stands, in a document as the message. Without a text
 * (NULL) it is the one that goes with the code: of texts.def where that has one, with nothing known
 * in the place of its %, else the code's word. Also LWP_INVALID_ARGUMENT, as above.
 */
enum lwp_status lwp_answer_error(const struct lwp_answering *to, unsigned code,
                                 const struct lwp_bytes *text, struct lwp_frame *frame);

/** AuthenticateResponse (D15); without a text (NULL) what the deployed server says. */
enum lwp_status lwp_answer_auth(const struct lwp_answering *to, bool ok,
                                const struct lwp_bytes *text, struct lwp_frame *frame);

/** TopicResponse with a topic's document, members and their order by the dialect (D18). */
enum lwp_status lwp_answer_topic(const struct lwp_answering *to, const struct lwp_topic *topic,
                                 struct lwp_frame *frame);

/** FetchResponse (5.9) with these data; bytes_returned is their size. The record count is the
 * caller's to know (D8). */
enum lwp_status lwp_answer_fetch(const struct lwp_answering *to, uint64_t next_offset,
                                 uint32_t record_count, struct lwp_bytes data,
                                 struct lwp_frame *frame);

#endif
