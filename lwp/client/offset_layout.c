/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "lwp/client/offset_store_state.h"
#include "lwp/json/json.h"

/* The Python client's files. */

static bool has_topic_name(const struct lwp_offset_key *key)
{
    return key->topic_name && key->topic_name[0];
}

static void write_number(struct lwp_writer *out, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    lwp_write(out, lwp_bytes_text(text));
}

static bool python_stem(const struct lwp_offset_key *key, struct lwp_writer *out)
{
    if (has_topic_name(key) && strchr(key->topic_name, '/'))
        return false;
    for (const char *at = key->consumer; *at; at++)
        lwp_write_integer(out, 1, (uint8_t)(*at == '/' || *at == '\\' ? '_' : *at));
    lwp_write(out, lwp_bytes_text("_"));
    if (has_topic_name(key))
        lwp_write(out, lwp_bytes_text(key->topic_name));
    else
        write_number(out, key->topic_id);
    return true;
}

static enum lwp_status python_write(const struct lwp_offset_key *key, uint64_t offset,
                                    struct lwp_writer *out)
{
    const struct lwp_offset_document document = {
        .consumer = lwp_bytes_text(key->consumer),
        .topic_id = key->topic_id,
        .with_topic_name = has_topic_name(key),
        .topic_name = lwp_bytes_text(key->topic_name),
        .offset = offset,
    };
    return lwp_json_write_offset(&document, out);
}

static bool is_of(const struct lwp_offset_document *document, const struct lwp_offset_key *key)
{
    const struct lwp_bytes name = lwp_bytes_text(has_topic_name(key) ? key->topic_name : NULL);
    return lwp_bytes_equal(document->consumer, lwp_bytes_text(key->consumer)) &&
           document->topic_id == key->topic_id && lwp_bytes_equal(document->topic_name, name);
}

static enum lwp_status python_read(const struct lwp_offset_key *key, struct lwp_bytes text,
                                   uint64_t *offset)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    struct lwp_offset_document document;
    enum lwp_status status = lwp_json_read(text, &json, &fault);
    if (status != LWP_OK)
        return status == LWP_NO_MEMORY ? status : LWP_STORE_DAMAGED;
    status = lwp_json_offset(json, &document);
    if (status != LWP_OK)
        status = LWP_STORE_DAMAGED;
    else if (!is_of(&document, key))
        status = LWP_STORE_FOREIGN;
    else
        *offset = document.offset;
    lwp_json_free(json);
    return status;
}

/* The Rust client's files. */

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t lwp_offset_consumer_hash(struct lwp_bytes name)
{
    /* "somepseudorandomlygeneratedbytes", the constants of SipHash; the key is 0. */
    uint64_t v[4] = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
                     0x7465646279746573};
    uint64_t word = 0;
    for (size_t i = 0; i <= name.size; i++) {
        const uint64_t byte = i < name.size ? name.data[i] : 0xff;
        word |= byte << (8 * (i % 8));
        if (i % 8 != 7)
            continue;
        sip_word(v, word);
        word = 0;
    }
    sip_word(v, word | (uint64_t)(name.size + 1) << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool rust_stem(const struct lwp_offset_key *key, struct lwp_writer *out)
{
    const char *name = key->consumer;
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    lwp_write(out, lwp_bytes_text(name));
    lwp_write(out, lwp_bytes_text("/topic-"));
    write_number(out, key->topic_id);
    lwp_write(out, lwp_bytes_text("-consumer-"));
    write_number(out, lwp_offset_consumer_hash(lwp_bytes_text(name)));
    return true;
}

static enum lwp_status rust_write(const struct lwp_offset_key *key, uint64_t offset,
                                  struct lwp_writer *out)
{
    (void)key;
    write_number(out, offset);
    lwp_write(out, lwp_bytes_text("\n"));
    return out->full ? LWP_FULL : LWP_OK;
}

/* Digits and perhaps a line feed: stricter than the Rust client, which takes " +7 ". A file that was
 * cut off in the middle of its number has no line feed, but the Rust client never leaves one so. */
static enum lwp_status rust_read(const struct lwp_offset_key *key, struct lwp_bytes text,
                                 uint64_t *offset)
{
    (void)key;
    uint64_t value = 0;
    size_t at = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        const unsigned digit = text.data[at] - '0';
        if (value > (UINT64_MAX - digit) / 10)
            return LWP_STORE_DAMAGED;
        value = value * 10 + digit;
    }
    if (at == 0 || !lwp_bytes_equal(lwp_bytes_from(text, at), lwp_bytes_text("\n")))
        return LWP_STORE_DAMAGED;
    *offset = value;
    return LWP_OK;
}

const struct offset_layout *offset_layout_of(enum lwp_offset_layout layout)
{
    static const struct offset_layout layouts[] = {
        /* Not ".tmp" as the Python client has it, which takes no lock. */
        [LWP_OFFSETS_PYTHON] = {".offset.new", ".offset.lock", python_stem, python_write,
                                python_read},
        [LWP_OFFSETS_RUST] = {".offset.tmp", ".lock", rust_stem, rust_write, rust_read},
    };
    return &layouts[layout];
}
