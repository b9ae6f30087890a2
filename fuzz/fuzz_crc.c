/* SPDX-License-Identifier: MIT */
/* The input is a start value, an alignment, four sizes, and bytes. For both polynomials: the
 * checksum of the bytes is the one worked out bit by bit, from 0 and from the start value, wherever
 * in memory they lie, and in pieces of those sizes as well as at once; and the checksum of a header
 * by its flags is the checksum of its eight bytes. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/plain.h"

enum { ALIGNMENT_AT = 4, PIECES_AT = 5, PIECE_COUNT = 4, HEAD_SIZE = PIECES_AT + PIECE_COUNT };

static uint32_t crc_in_pieces(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes,
                              const uint8_t *sizes)
{
    for (size_t i = 0; bytes.size; i = (i + 1) % PIECE_COUNT) {
        /* After a round of pieces at least one byte is gone. */
        const size_t wanted = i == 0 && sizes[i] == 0 ? 1 : sizes[i];
        const size_t size = wanted < bytes.size ? wanted : bytes.size;
        crc = lwp_crc_update(polynomial, crc, (struct lwp_bytes){bytes.data, size});
        bytes = lwp_bytes_from(bytes, size);
    }
    return crc;
}

static void agrees(enum lwp_polynomial polynomial, const uint8_t *head, struct lwp_bytes bytes)
{
    const uint32_t start = lwp_get32(head);
    const uint32_t expected = plain_crc(polynomial, start, bytes);
    fuzz_note(lwp_crc_update(polynomial, start, bytes));
    FUZZ_ASSERT(lwp_crc(polynomial, bytes) == plain_crc(polynomial, 0, bytes));
    FUZZ_ASSERT(lwp_crc_update(polynomial, start, bytes) == expected);
    FUZZ_ASSERT(crc_in_pieces(polynomial, start, bytes, head + PIECES_AT) == expected);

    const size_t shift = head[ALIGNMENT_AT] % 64U;
    uint8_t *room = fuzz_room(shift + bytes.size);
    struct lwp_writer shifted = {.data = room, .capacity = shift + bytes.size, .size = shift};
    lwp_write(&shifted, bytes);
    FUZZ_ASSERT(lwp_crc_update(polynomial, start, (struct lwp_bytes){room + shift, bytes.size}) ==
                expected);
    free(room);

    const uint8_t front[] = {'L', 'A', 'N', 'C', 1, head[ALIGNMENT_AT], 0, 0};
    FUZZ_ASSERT(lwp_crc_of_flags(polynomial, head[ALIGNMENT_AT]) ==
                plain_crc(polynomial, 0, (struct lwp_bytes){front, sizeof(front)}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE)
        return 0;
    const struct lwp_bytes bytes = fuzz_flush(data + HEAD_SIZE, size - HEAD_SIZE);
    agrees(LWP_CRC32C, data, bytes);
    agrees(LWP_CRC32, data, bytes);
    return 0;
}
