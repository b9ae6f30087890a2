/* SPDX-License-Identifier: MIT */
#include "lwp/client/details.h"

#include <ctype.h>

#include "lwp/json/json.h"
#include "lwp/wire/errors.h"

struct lwp_details lwp_details_of(enum lwp_status status)
{
    return (struct lwp_details){.status = status, .code = LWP_DETAILS_NO_CODE};
}

/* A server's words end up on terminals and in logs: no control characters, nothing but UTF-8. */
static void copy_text(struct lwp_bytes from, char text[LWP_DETAILS_TEXT])
{
    struct lwp_writer out = lwp_writer_on(text, LWP_DETAILS_TEXT - 1);
    for (size_t at = 0; at < from.size && !out.full;) {
        bool valid = false;
        const size_t step = lwp_utf8_step(lwp_bytes_from(from, at), &valid);
        const bool plain = valid && from.data[at] >= 0x20 && from.data[at] != 0x7f;
        const struct lwp_bytes character = {from.data + at, step};
        lwp_write(&out, plain ? character : lwp_bytes_text("?"));
        at += step;
    }
    text[out.size] = '\0';
}

static bool contains(struct lwp_bytes text, const char *word)
{
    const size_t size = strlen(word);
    for (size_t at = 0; at + size <= text.size; at++) {
        size_t same = 0;
        while (same < size && tolower(text.data[at + same]) == word[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

/* Takes the address only if it is one: nobody is sent to what can not be read. */
static void set_leader(struct lwp_details *details, struct lwp_bytes address)
{
    struct lwp_address parsed;
    char text[LWP_ADDRESS_SIZE];
    const bool fits = address.size > 0 && address.size < sizeof(text) &&
                      !memchr(address.data, '\0', address.size);
    if (fits) {
        memcpy(text, address.data, address.size);
        text[address.size] = '\0';
    }
    details->status = LWP_LEADER_UNKNOWN;
    if (!fits || lwp_address_parse(text, &parsed) != LWP_OK)
        return;
    details->status = LWP_NOT_LEADER;
    memcpy(details->leader, text, address.size + 1);
}

static struct lwp_bytes trimmed(struct lwp_bytes text)
{
    while (text.size && text.data[0] == ' ')
        text = lwp_bytes_from(text, 1);
    while (text.size && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* Words that mean something wherever they stand, for texts that no row fits. */
static enum lwp_status status_of_words(struct lwp_bytes text)
{
    static const struct {
        const char *word; /* In lower case. */
        enum lwp_status status;
    } words[] = {
        {"catching_up", LWP_CATCHING_UP},   {"catching up", LWP_CATCHING_UP},
        {"not_leader", LWP_LEADER_UNKNOWN}, {"forward_failed", LWP_FORWARD_FAILED},
        {"rate limit", LWP_RATE_LIMITED},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (contains(text, words[i].word))
            return words[i].status;
    return LWP_PEER_REFUSED;
}

static void read_text(struct lwp_bytes text, struct lwp_details *details)
{
    struct lwp_bytes argument = {NULL, 0};
    const enum lwp_text row = lwp_text_recognise(text, &argument);
    details->status = row == LWP_TEXT_COUNT ? status_of_words(text) : lwp_text_status(row);
    if (row == LWP_TEXT_REDIRECT)
        set_leader(details, trimmed(argument));
}

static void read_document(const struct lwp_error_document *document, struct lwp_details *details)
{
    copy_text(document->message, details->text);
    if (document->code <= 0xff) {
        details->code = (unsigned)document->code;
        details->status = lwp_error_status(details->code);
    }
    if (details->status == LWP_NOT_LEADER)
        set_leader(details, trimmed(document->leader_addr));
    /* A code that tells nothing, with the deployed server's text for a message. */
    if (details->status == LWP_PEER_REFUSED || details->status == LWP_OK)
        read_text(document->message, details);
    details->retry_after_ms = document->retry_after_ms;
    details->has_server_offset = document->has_server_offset;
    details->server_offset = document->server_offset;
}

static bool read_json(struct lwp_bytes payload, struct lwp_details *details)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    struct lwp_error_document document;
    if (payload.size == 0 || payload.data[0] != '{' ||
        lwp_json_read(payload, &json, &fault) != LWP_OK)
        return false;
    const bool ok = lwp_json_error(json, &document) == LWP_OK;
    if (ok)
        read_document(&document, details);
    lwp_json_free(json);
    return ok;
}

struct lwp_details lwp_details_read(struct lwp_bytes payload)
{
    struct lwp_details details = lwp_details_of(LWP_PEER_REFUSED);
    if (read_json(payload, &details))
        return details;
    copy_text(payload, details.text);
    read_text(payload, &details);
    return details;
}

struct lwp_details lwp_details_catching_up(struct lwp_bytes payload)
{
    struct lwp_details details = lwp_details_of(LWP_CATCHING_UP);
    details.has_server_offset = payload.size >= sizeof(uint64_t);
    if (details.has_server_offset)
        details.server_offset = lwp_get64(payload.data);
    return details;
}
