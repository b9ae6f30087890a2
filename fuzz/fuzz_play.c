/* SPDX-License-Identifier: MIT */
/* The input is a script and what clients do to a mock that plays it, on pipes and a clock of ours. The
 * mock comes to rest, and then nothing is due; connections keep to their memory, and the mock's
 * account of it is right; once all clients have gone only those connections are left that a script
 * does not let read; the same input gives the same bytes and events again; and a script of which no
 * rule fires changes nothing. */
#include "fuzz/fuzz.h"
#include "fuzz/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play_input input = {fuzz_flush(data, size), 0};
    struct play_script script;
    play_write_script(&input, &script);
    const struct play_outcome first = play_run(&input, &script, true);
    const struct play_outcome again = play_run(&input, &script, true);
    FUZZ_ASSERT(first.bytes_digest == again.bytes_digest);
    fuzz_note(first.bytes_digest);
    fuzz_note(first.events_digest);
    FUZZ_ASSERT(first.events_digest == again.events_digest);
    if (first.fired)
        return 0;
    const struct play_outcome plain = play_run(&input, &script, false);
    FUZZ_ASSERT(plain.bytes_digest == first.bytes_digest);
    return 0;
}
