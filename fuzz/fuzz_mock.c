/* SPDX-License-Identifier: MIT */
/* The input is what three clients say to a mock, on pipes and a clock of ours; FUZZ_OP_CALL tells who goes on. Each
 * connection keeps the laws of model_mock.h: all answers are sound, acks are for batches that were sent, and
 * what the specification calls the end is one. */
#include "fuzz/fuzz.h"
#include "fuzz/model_mock.h"
#include "fuzz/stream.h"
#include "lwp/net/clock.h"

enum { HEAD_SIZE = 4 };

static void happen(struct model_mock *model, const struct fuzz_piece *piece)
{
    static const uint32_t pieces[] = {1, 43, 44, 100};
    if (piece->is_frame)
        model_mock_send(model, piece->bytes);
    else if (piece->op == FUZZ_OP_RAW)
        model_mock_send(model, piece->raw);
    else if (piece->op == FUZZ_OP_CUT)
        model->cut = pieces[piece->argument % 4];
    else if (piece->op == FUZZ_OP_WAIT)
        model_mock_pass(model, piece->argument * LWP_MILLISECOND_NS);
    else if (piece->op == FUZZ_OP_CALL)
        model_mock_choose(model, piece->argument);
    else if (piece->op == FUZZ_OP_FIN || piece->op == FUZZ_OP_RESET)
        model_mock_hang_up(model, piece->op == FUZZ_OP_FIN ? LWP_CLOSE_FIN : LWP_CLOSE_RST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t head[HEAD_SIZE] = {0};
    memcpy(head, data, size < HEAD_SIZE ? size : HEAD_SIZE);
    struct model_mock model;
    model_mock_init(&model, head);
    struct lwp_bytes in = fuzz_flush(data, size);
    for (in = lwp_bytes_from(in, HEAD_SIZE); in.size;) {
        const struct fuzz_piece piece = fuzz_piece_at(in);
        happen(&model, &piece);
        in = lwp_bytes_from(in, piece.bytes.size);
    }
    model_mock_done(&model);
    return 0;
}
