/* SPDX-License-Identifier: MIT */
/* A stream of frames. For both polynomials and at every frame's place: the verdict is that of
 * plain.h, including which fault wins and where; every beginning of the stream gives LWP_MORE until
 * the verdict is due and the same verdict from then on, so how a stream is cut changes nothing; an
 * accepted frame points into the input and obeys laws.h. */
#include "fuzz/fuzz.h"
#include "fuzz/laws.h"
#include "fuzz/plain.h"

/* Where the verdict falls: behind the header if it is on the header, else behind the payload. */
static size_t decided_at(const struct lwp_fault *verdict, struct lwp_bytes in)
{
    if (verdict->status == LWP_OK || verdict->status == LWP_PAYLOAD_CHECKSUM)
        return LWP_HEADER_SIZE + plain_integer(in, 32, 4);
    return verdict->status == LWP_MORE ? SIZE_MAX : LWP_HEADER_SIZE;
}

/* Splits a beginning of the input, on which the verdict is out if it reaches `edge`. */
static struct lwp_frame split(const struct lwp_frame_rules *rules, struct lwp_bytes front,
                              size_t edge, const struct lwp_fault *verdict)
{
    static const struct lwp_fault none = {LWP_OK, 0, ""};
    const bool more = front.size < edge;
    const struct lwp_fault expected = more || verdict->status == LWP_OK ? none : *verdict;
    struct lwp_frame frame = {.payload = {NULL, 0}};
    struct lwp_fault fault = none;
    const enum lwp_status status = lwp_frame_split(rules, front, &frame, &fault);
    FUZZ_ASSERT(status == (more ? LWP_MORE : expected.status));
    FUZZ_ASSERT(plain_same_fault(&fault, &expected));
    FUZZ_ASSERT(frame.payload.data == (status == LWP_OK ? front.data + LWP_HEADER_SIZE : NULL));
    return frame;
}

/* Judges the front of `in` and every beginning of it; the size of the frame there, or 0. */
static size_t split_front(const struct lwp_frame_rules *rules, struct lwp_bytes in)
{
    const struct lwp_fault verdict = plain_verdict(rules, in);
    const size_t edge = decided_at(&verdict, in);
    for (size_t size = 0; size <= in.size && size <= LWP_HEADER_SIZE; size++)
        split(rules, (struct lwp_bytes){in.data, size}, edge, &verdict);
    for (size_t size = edge - 1; size <= in.size && size <= edge + 1; size++)
        split(rules, (struct lwp_bytes){in.data, size}, edge, &verdict);
    const struct lwp_frame frame = split(rules, in, edge, &verdict);
    fuzz_note(verdict.status);
    fuzz_note(verdict.offset);
    if (verdict.status != LWP_OK)
        return 0;
    law_frame(&(struct accepted_frame){rules->polynomial, frame, {in.data, edge}});
    return edge;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lwp_bytes in = fuzz_flush(data, size);
    for (unsigned i = 0; i < 4; i++) {
        const struct lwp_frame_rules rules = {i & 1U ? LWP_CRC32 : LWP_CRC32C,
                                              i & 2U ? 1024 : LWP_MAX_PAYLOAD_DEFAULT};
        for (size_t at = 0, taken = 1; taken; at += taken)
            taken = split_front(&rules, lwp_bytes_from(in, at));
    }
    return 0;
}
