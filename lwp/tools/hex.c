/* SPDX-License-Identifier: MIT */
#include "lwp/tools/hex.h"

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_XXD, FORM_CANONICAL };

enum { OFFSET_DIGITS = 8, MAX_OFFSET_DIGITS = 16 };

static int digit_of(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    const uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_space(uint8_t character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static bool is_blank(struct lwp_bytes line)
{
    for (size_t i = 0; i < line.size; i++)
        if (!is_space(line.data[i]))
            return false;
    return true;
}

/* Takes the next line off the front of `text`, without its end. */
static struct lwp_bytes take_line(struct lwp_bytes *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->size);
    const struct lwp_bytes line = {text->data, end ? (size_t)(end - text->data) : text->size};
    *text = lwp_bytes_from(*text, line.size + 1);
    return line;
}

/* The number of digits at the front, and what they say. */
static size_t count_digits(struct lwp_bytes line, uint64_t *value)
{
    size_t count = 0;
    *value = 0;
    while (count < line.size && digit_of(line.data[count]) >= 0)
        *value = *value << 4 | (uint64_t)digit_of(line.data[count++]);
    return count;
}

static enum form form_of(struct lwp_bytes line)
{
    uint64_t offset = 0;
    const size_t digits = count_digits(line, &offset);
    const struct lwp_bytes behind = lwp_bytes_from(line, digits);
    if (digits >= OFFSET_DIGITS && digits <= MAX_OFFSET_DIGITS && behind.size &&
        behind.data[0] == ':')
        return FORM_XXD;
    const bool spaced = behind.size > 1 && behind.data[0] == ' ' && behind.data[1] == ' ';
    if (digits == OFFSET_DIGITS && spaced && memchr(behind.data, '|', behind.size))
        return FORM_CANONICAL;
    return FORM_PLAIN;
}

/* The part of the line that is digits: behind the offset, in front of the column of characters. */
static struct lwp_bytes digits_of(enum form form, struct lwp_bytes behind)
{
    struct lwp_bytes digits = behind;
    if (form == FORM_CANONICAL) {
        const uint8_t *bar = behind.size ? memchr(behind.data, '|', behind.size) : NULL;
        if (bar)
            digits.size = (size_t)(bar - behind.data);
        return digits;
    }
    digits = lwp_bytes_from(behind, 1);
    for (size_t i = 1; i + 1 < digits.size; i++)
        if (digits.data[i] == ' ' && digits.data[i + 1] == ' ') {
            digits.size = i;
            break;
        }
    return digits;
}

/* Pairs of digits with white space between them. Returns what is wrong, or NULL. */
static const char *decode_digits(struct lwp_bytes digits, struct lwp_writer *out)
{
    for (size_t i = 0; i < digits.size; i++) {
        if (is_space(digits.data[i]))
            continue;
        const int high = digit_of(digits.data[i]);
        if (high < 0)
            return "a character that is no hexadecimal digit";
        const int low = i + 1 < digits.size ? digit_of(digits.data[i + 1]) : -1;
        if (low < 0)
            return "a digit without its second one";
        lwp_write_integer(out, 1, (uint64_t)(high << 4 | low));
        i++;
    }
    return out->full ? "more bytes than there is room for" : NULL;
}

/* The text under way. */
struct reading {
    enum form form;
    bool based; /* The first offset has been read. */
    uint64_t base;
};

/* Takes the offset off the front of the line; `size` is what there must be before it. Returns what
 * is wrong, or NULL. */
static const char *take_offset(struct reading *reading, struct lwp_bytes *line, size_t size)
{
    uint64_t offset = 0;
    const size_t digits = count_digits(*line, &offset);
    const struct lwp_bytes behind = lwp_bytes_from(*line, digits);
    if (line->data[0] == '*')
        return "lines were left out (*): print them with hexdump -v";
    if (digits < OFFSET_DIGITS || digits > MAX_OFFSET_DIGITS)
        return "no offset at the front of the line";
    if (reading->form == FORM_XXD && (behind.size == 0 || behind.data[0] != ':'))
        return "no colon behind the offset";
    if (!reading->based)
        reading->base = offset;
    reading->based = true;
    if (offset - reading->base != size)
        return "the offset does not follow from the line before";
    *line = behind;
    return NULL;
}

static const char *decode_line(struct reading *reading, struct lwp_bytes line,
                               struct lwp_writer *out)
{
    if (reading->form == FORM_UNKNOWN)
        reading->form = form_of(line);
    if (reading->form == FORM_PLAIN)
        return decode_digits(line, out);
    const char *wrong = take_offset(reading, &line, out->size);
    return wrong ? wrong : decode_digits(digits_of(reading->form, line), out);
}

bool lwp_hex_decode(struct lwp_bytes text, struct lwp_writer *out, struct lwp_hex_fault *fault)
{
    struct reading reading = {FORM_UNKNOWN, false, 0};
    for (size_t number = 1; text.size; number++) {
        const struct lwp_bytes line = take_line(&text);
        if (is_blank(line))
            continue;
        const size_t before = out->size;
        const char *wrong = decode_line(&reading, line, out);
        if (wrong) {
            out->size = before;
            *fault = (struct lwp_hex_fault){number, wrong};
            return false;
        }
    }
    return true;
}

bool lwp_hex_recognise(struct lwp_bytes text)
{
    uint8_t decoded[256];
    while (text.size) {
        struct lwp_bytes line = take_line(&text);
        if (is_blank(line))
            continue;
        const bool cut = line.size > 2 * sizeof(decoded);
        if (cut)
            line.size = 2 * sizeof(decoded);
        struct lwp_writer out = lwp_writer_on(decoded, sizeof(decoded));
        struct reading reading = {FORM_UNKNOWN, false, 0};
        const char *wrong = decode_line(&reading, line, &out);
        /* A pair of digits may have been cut in two. */
        return !wrong || (cut && out.size >= sizeof(decoded) / 4);
    }
    return false;
}
