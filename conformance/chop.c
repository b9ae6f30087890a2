/* SPDX-License-Identifier: MIT */
#include "conformance/chop.h"

#include <string.h>

#include "lwp/tools/options.h"
#include "lwp/wire/header.h"

/* One size at the front of the text; what stands behind it, or NULL if it is none. */
static const char *read_size(const char *text, size_t *size)
{
    char digits[8];
    uint64_t number = 0;
    const size_t width = strcspn(text, ",");
    if (width >= sizeof(digits))
        return NULL;
    memcpy(digits, text, width);
    digits[width] = '\0';
    if (strcmp(digits, "*") != 0 && !lwp_read_number(digits, 1, UINT16_MAX, &number))
        return NULL;
    *size = (size_t)number;
    return text + width;
}

static bool read_sizes(const char *text, struct chop *chop)
{
    chop->kind = CHOP_SIZES;
    for (const char *at = text; at && chop->count < CHOP_MAX_SIZES; at++) {
        at = read_size(at, &chop->sizes[chop->count++]);
        if (!at)
            return false;
        if (*at == '\0')
            return true;
    }
    return false;
}

bool chop_read(const char *text, struct chop *chop)
{
    static const char random[] = "rand:";
    *chop = (struct chop){.name = text, .kind = CHOP_NONE};
    if (strcmp(text, "none") == 0)
        return true;
    if (strcmp(text, "coalesce") == 0) {
        chop->kind = CHOP_COALESCE;
        return true;
    }
    if (strncmp(text, random, strlen(random)) == 0) {
        chop->kind = CHOP_RANDOM;
        return lwp_read_number(text + strlen(random), 0, UINT64_MAX, &chop->seed);
    }
    return read_sizes(text, chop);
}

bool chop_add(struct chop_list *list, const char *text)
{
    return list->count < CHOP_MOST && chop_read(text, &list->items[list->count]) && ++list->count;
}

bool chop_add_axes(struct chop_list *list)
{
    static const char *const all[] = {"none", "1", "43,1", "44,*", "rand:1", "coalesce"};
    bool fits = true;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        fits = fits && chop_add(list, all[i]);
    return fits;
}

void chop_begin(struct chop_cut *cut, const struct chop *chop, struct lwp_bytes bytes)
{
    *cut =
        (struct chop_cut){.chop = chop, .dice = chop ? chop->seed + bytes.size : 0, .rest = bytes};
}

/* The size of the frame at the front; what is no whole frame is taken for one. */
static size_t frame_size(struct lwp_bytes bytes)
{
    struct lwp_header header;
    if (bytes.size < LWP_HEADER_SIZE)
        return bytes.size;
    lwp_header_decode(bytes.data, &header);
    const uint64_t size = (uint64_t)LWP_HEADER_SIZE + header.payload_length;
    return size < bytes.size ? (size_t)size : bytes.size;
}

/* How much of the frame goes next; 0 for all the rest. */
static size_t piece_size(struct chop_cut *cut)
{
    const struct chop *chop = cut->chop;
    if (chop->kind == CHOP_RANDOM)
        return (size_t)lwp_dice_between(&cut->dice, 1, CHOP_LARGEST);
    const size_t size = chop->sizes[cut->next];
    if (cut->next + 1 < chop->count)
        cut->next++;
    return size;
}

struct lwp_bytes chop_next(struct chop_cut *cut)
{
    const struct chop *chop = cut->chop;
    struct lwp_bytes piece = cut->rest;
    const bool cuts = chop && (chop->kind == CHOP_SIZES || chop->kind == CHOP_RANDOM);
    if (cuts && piece.size && cut->pieces++ < CHOP_MOST_PIECES) {
        if (cut->frame_left == 0) {
            cut->frame_left = frame_size(piece);
            cut->next = 0;
        }
        const size_t size = piece_size(cut);
        piece.size = size && size < cut->frame_left ? size : cut->frame_left;
        cut->frame_left -= piece.size;
    }
    cut->rest = lwp_bytes_from(cut->rest, piece.size);
    return piece;
}
