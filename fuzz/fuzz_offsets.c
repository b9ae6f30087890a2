/* SPDX-License-Identifier: MIT */
/* The input is a layout and what an offset file holds. It is an offset, or the file is damaged or another's, and
 * then the offset is left alone; an offset is written and read again as the same. */
#include "fuzz/fuzz.h"
#include "lwp/client/offset_store_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lwp_offset_key key = {"reader", 7, "events"};
    if (size == 0 || size > OFFSET_FILE_ROOM)
        return 0;
    const struct offset_layout *layout =
        offset_layout_of(data[0] & 1 ? LWP_OFFSETS_RUST : LWP_OFFSETS_PYTHON);
    uint64_t offset = 42, again = 0;
    const enum lwp_status status = layout->read(&key, fuzz_flush(data + 1, size - 1), &offset);
    fuzz_note(status);
    fuzz_note(offset);
    FUZZ_ASSERT(status == LWP_OK || status == LWP_STORE_DAMAGED || status == LWP_STORE_FOREIGN);
    if (status != LWP_OK) {
        FUZZ_ASSERT(offset == 42);
        return 0;
    }
    uint8_t room[OFFSET_FILE_ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    FUZZ_ASSERT(layout->write(&key, offset, &out) == LWP_OK);
    FUZZ_ASSERT(layout->read(&key, lwp_writer_bytes(&out), &again) == LWP_OK && again == offset);
    return 0;
}
