/* SPDX-License-Identifier: MIT */
#include "lwp/wire/bytes.h"

/* The well-formed sequences by their first byte: how many bytes follow, and what the first of them
 * may be (Unicode 15, table 3-7). */
struct utf8_row {
    uint8_t first_min, first_max, tail_count, second_min, second_max;
};

static const struct utf8_row utf8_rows[] = {
    {0x00, 0x7f, 0, 0x00, 0x00}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static const struct utf8_row *row_of(uint8_t first)
{
    for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++)
        if (first >= utf8_rows[i].first_min && first <= utf8_rows[i].first_max)
            return &utf8_rows[i];
    return NULL;
}

static bool continues(const struct utf8_row *row, size_t index, uint8_t byte)
{
    if (index == 1)
        return byte >= row->second_min && byte <= row->second_max;
    return (byte & 0xc0) == 0x80;
}

size_t lwp_utf8_step(struct lwp_bytes text, bool *valid)
{
    const struct utf8_row *row = row_of(text.data[0]);
    size_t size = 1;
    while (row && size <= row->tail_count && size < text.size &&
           continues(row, size, text.data[size]))
        size++;
    *valid = row && size == 1U + row->tail_count;
    return size;
}

bool lwp_utf8_valid(struct lwp_bytes text)
{
    bool valid = true;
    while (text.size && valid)
        text = lwp_bytes_from(text, lwp_utf8_step(text, &valid));
    return valid;
}

void lwp_utf8_clean(struct lwp_bytes text, struct lwp_writer *out)
{
    while (text.size && !out->full) {
        bool valid = false;
        const size_t size = lwp_utf8_step(text, &valid);
        lwp_write(out,
                  valid ? (struct lwp_bytes){text.data, size} : lwp_bytes_text("\xef\xbf\xbd"));
        text = lwp_bytes_from(text, size);
    }
}
