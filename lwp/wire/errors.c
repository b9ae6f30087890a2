/* SPDX-License-Identifier: MIT */
#include "lwp/wire/errors.h"

struct error_row {
    unsigned code;
    const char *word;
    enum lwp_status status;
};

static const struct error_row errors[] = {
#define LWP_ERROR(code, name, word, status) {code, word, LWP_##status},
#include "lwp/wire/errors.def"
#undef LWP_ERROR
};

enum { ERROR_COUNT = sizeof(errors) / sizeof(errors[0]) };

static const struct error_row *error_of(unsigned code)
{
    static const struct error_row unassigned = {0, "unassigned", LWP_PEER_REFUSED};
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].code == code)
            return &errors[i];
    return &unassigned;
}

const char *lwp_error_word(unsigned code)
{
    return error_of(code)->word;
}

enum lwp_status lwp_error_status(unsigned code)
{
    return error_of(code)->status;
}

int lwp_error_named(struct lwp_bytes word)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (lwp_bytes_equal(word, lwp_bytes_text(errors[i].word)))
            return (int)errors[i].code;
    return -1;
}

struct text_row {
    const char *text;
    enum lwp_error code;
    const char *message;
};

static const struct text_row texts[LWP_TEXT_COUNT] = {
#define LWP_TEXT(name, text, code, message) [LWP_TEXT_##name] = {text, LWP_ERROR_##code, message},
#include "lwp/wire/texts.def"
#undef LWP_TEXT
};

enum lwp_error lwp_text_code(enum lwp_text text)
{
    return texts[text].code;
}

void lwp_text_write(enum lwp_text text, bool as_message, struct lwp_bytes argument,
                    struct lwp_writer *out)
{
    const struct lwp_bytes form =
        lwp_bytes_text(as_message ? texts[text].message : texts[text].text);
    const uint8_t *mark = memchr(form.data, '%', form.size);
    if (!mark) {
        lwp_write(out, form);
        return;
    }
    const size_t before = (size_t)(mark - form.data);
    lwp_write(out, (struct lwp_bytes){form.data, before});
    lwp_write(out, argument);
    lwp_write(out, lwp_bytes_from(form, before + 1));
}

/* Whether `said` is `form` with something (perhaps nothing) in the place of its %. */
static bool fits(struct lwp_bytes form, struct lwp_bytes said, struct lwp_bytes *argument)
{
    const uint8_t *mark = memchr(form.data, '%', form.size);
    if (!mark)
        return lwp_bytes_equal(form, said);
    const size_t before = (size_t)(mark - form.data);
    const struct lwp_bytes after = lwp_bytes_from(form, before + 1);
    if (said.size < before + after.size || memcmp(said.data, form.data, before) != 0)
        return false;
    const size_t size = said.size - before - after.size;
    if (!lwp_bytes_equal(lwp_bytes_from(said, before + size), after))
        return false;
    *argument = (struct lwp_bytes){said.data + before, size};
    return true;
}

enum lwp_text lwp_text_recognise(struct lwp_bytes said, struct lwp_bytes *argument)
{
    for (enum lwp_text text = 0; text < LWP_TEXT_COUNT; text++) {
        struct lwp_bytes found = {NULL, 0};
        if (!fits(lwp_bytes_text(texts[text].text), said, &found))
            continue;
        *argument = found;
        return text;
    }
    return LWP_TEXT_COUNT;
}

enum lwp_status lwp_text_status(enum lwp_text text)
{
    if (text >= LWP_TEXT_COUNT)
        return LWP_PEER_REFUSED;
    return text == LWP_TEXT_FORWARD_FAILED ? LWP_FORWARD_FAILED
                                           : lwp_error_status(texts[text].code);
}
