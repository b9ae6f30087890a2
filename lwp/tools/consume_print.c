/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>

#include "lwp/json/members.h"
#include "lwp/tools/consume.h"
#include "lwp/tools/server.h"
#include "lwp/tools/text.h"

static void print_raw(const struct consume_style *style, struct lwp_bytes bytes)
{
    if (style->is_terminal)
        text_print(stdout, bytes);
    else if (bytes.size)
        (void)fwrite(bytes.data, 1, bytes.size, stdout);
}

void consume_print(const struct consume_style *style, uint64_t offset,
                   const struct lwp_record *record)
{
    struct lwp_record_parts parts = {.value = record->value};
    struct json_object *object = NULL;
    switch (style->format) {
    case CONSUME_RAW:
        (void)lwp_record_parts(record, &parts);
        print_raw(style, parts.value);
        (void)putchar('\n');
        break;
    case CONSUME_JSON:
        object = json_object_new_object();
        lwp_json_add_number(object, "offset", offset);
        /* Clients number the types as 8.2 does, whatever the server's core makes of it (D21). */
        lwp_json_add_record(object, &lwp_dialect_spec, record, LWP_TLV_MAX_VALUE);
        server_print_json(object);
        break;
    case CONSUME_HEX:
        (void)printf("%" PRIu64 " %02x %zu ", offset, record->type, record->value.size);
        text_print_hex(stdout, record->value);
        (void)putchar('\n');
        break;
    }
}

void consume_print_bytes(const struct consume_style *style, uint64_t offset, struct lwp_bytes bytes)
{
    struct json_object *object = NULL;
    switch (style->format) {
    case CONSUME_RAW:
        print_raw(style, bytes);
        break;
    case CONSUME_JSON:
        object = json_object_new_object();
        lwp_json_add_number(object, "offset", offset);
        lwp_json_add_bytes(object, "data", bytes, bytes.size);
        server_print_json(object);
        break;
    case CONSUME_HEX:
        text_print_hex(stdout, bytes);
        (void)putchar('\n');
        break;
    }
}
