/* SPDX-License-Identifier: MIT */
/* dump.h - bytes of a stream become frames and findings; after a fault it goes on at the next sound
 * header. */
#ifndef LWP_TOOLS_DUMP_H
#define LWP_TOOLS_DUMP_H

#include "lwp/tools/report.h"
#include "lwp/wire/guess.h"

enum { LWP_DUMP_WHY_SIZE = 192 };

/* The dialect that a stream is read in, and why it is that one. */
struct lwp_dump_choice {
    const struct lwp_dialect *dialect;
    char why[LWP_DUMP_WHY_SIZE];
};

/** The `told` dialect; or, if that is NULL, the guessed one; or `lance` if nothing could be
 * guessed. */
struct lwp_dump_choice lwp_dump_choose(const struct lwp_dialect *told,
                                       const struct lwp_guess *guess);

/* The dump of one stream. A value; it owns nothing. */
struct lwp_dump {
    struct lwp_report *report;
    const struct lwp_dialect *dialect;
    bool joined_late;      /* The first bytes may lie within a frame: then that is no fault. */
    uint64_t offset;       /* Of the next byte. The rest is the dump's own. */
    bool seeking;          /* A sound header is looked for, */
    uint64_t skipped_from; /* from here on. */
};

/**
 * Reports the frames in `in`, the next bytes of the stream, and all that is wrong with them.
 * `final` tells that nothing follows `in`: then all of it is taken.
 *
 * Returns how many bytes were taken; the rest is the beginning of a frame, at most 16 MiB + 44
 * bytes, and is to be given again with more behind it.
 *
 * A frame that is whole but whose payload checksum is wrong is shown if what follows it is a sound
 * header or the end. A header that is sound by the other polynomial is said to be so and its frame
 * is shown. After any other fault the dump goes on at the next header that is sound by either
 * polynomial, as found by lwp_header_find(), and reports how many bytes were skipped.
 */
size_t lwp_dump_bytes(struct lwp_dump *dump, struct lwp_bytes in, bool final);

/** Reports that `size` bytes of the stream are not there. What came before must have been given as
 * `final`. */
void lwp_dump_gap(struct lwp_dump *dump, uint64_t size);

/** Dumps a file that holds one stream. `told` is the dialect, or NULL to guess. A file without a
 * sound frame is a fault. */
void lwp_dump_file(struct lwp_report *report, const struct lwp_dialect *told, struct lwp_bytes in);

#endif
