/* SPDX-License-Identifier: MIT */
#include "lwp/tools/consume.h"

#include <unistd.h>

#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"
#include "lwp/tools/server.h"

enum { POLL_MS = 100 }; /* How late a signal is noticed. */

struct arguments {
    struct server server; /* First, so that the rows of its options find it. */
    enum lwp_place from;
    uint64_t offset; /* With LWP_PLACE_OFFSET. */
    bool has_from;
    bool stored; /* --from stored. */
    bool follow;
    bool bytes;     /* The log is no records. */
    uint64_t count; /* Of records; 0: all. */
    enum consume_format format;
    const char *folder;
    const char *name;
};

static const char *take_from(void *into, const char *value)
{
    struct arguments *arguments = into;
    arguments->has_from = true;
    arguments->stored = strcmp(value, "stored") == 0;
    if (arguments->stored)
        return NULL;
    arguments->from = strcmp(value, "end") == 0 ? LWP_PLACE_END : LWP_PLACE_BEGINNING;
    if (arguments->from == LWP_PLACE_END || strcmp(value, "beginning") == 0)
        return NULL;
    arguments->from = LWP_PLACE_OFFSET;
    return lwp_read_number(value, 0, INT64_MAX, &arguments->offset)
               ? NULL
               : "--from takes beginning, end, stored, or an offset in bytes";
}

static const char *take_format(void *into, const char *value)
{
    static const char *const words[] = {
        [CONSUME_RAW] = "raw", [CONSUME_JSON] = "json", [CONSUME_HEX] = "hex"};
    for (enum consume_format i = CONSUME_RAW; i <= CONSUME_HEX; i++)
        if (strcmp(words[i], value) == 0) {
            ((struct arguments *)into)->format = i;
            return NULL;
        }
    return "no such format";
}

static const char *take_follow(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->follow = true;
    return NULL;
}

static const char *take_bytes(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->bytes = true;
    return NULL;
}

static const char *take_count(void *into, const char *value)
{
    return lwp_read_number(value, 1, UINT64_MAX, &((struct arguments *)into)->count)
               ? NULL
               : "--count takes a number from 1 on";
}

static const char *take_offsets(void *into, const char *value)
{
    ((struct arguments *)into)->folder = value;
    return value[0] ? NULL : "--offsets takes a folder";
}

static const char *take_name(void *into, const char *value)
{
    const struct lwp_bytes name = lwp_bytes_text(value);
    ((struct arguments *)into)->name = value;
    return name.size && name.size <= LWP_OFFSET_MAX_NAME && lwp_utf8_valid(name)
               ? NULL
               : "a name is UTF-8, of 1 to 200 bytes";
}

static const struct lwp_option options[] = {
    {"from", "PLACE",
     "beginning, end, an offset in bytes, or stored: where the\n"
     "last run with the same --offsets and --name has ended\n"
     "[stored with --offsets, else beginning]",
     take_from},
    {"follow", NULL, "at the end of the log wait for more", take_follow},
    {"count", "N", "end after so many records", take_count},
    {"format", "F", "raw, json or hex                      [raw]", take_format},
    {"offsets", "DIR", "keep the place in a file there, and tell the server", take_offsets},
    {"name", "NAME", "whose place it is                     [lwp]", take_name},
    {"bytes", NULL, "the log is no records: print it as it comes", take_bytes},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp consume",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp consume - records out of a topic\n"
              "\n"
              "Usage: lwp consume [OPTION]... ADDRESS TOPIC\n"
              "\n",
    .after =
        "\n"
        "Prints a record a line, up to the present end of the log. raw is the value as it is,\n"
        "but that control characters are escaped on a terminal; json has offset, type, time\n"
        "and key as well; hex is offset, type, size and the value's bytes. Ctrl-C ends it in\n"
        "order: the place behind the last record that was printed is kept.\n"
        "'lwp --help' explains addresses, topics and exit statuses.\n"
        "\n"
        "Examples:\n"
        "  lwp consume --format json localhost:1992 orders\n"
        "  lwp consume --follow --offsets ~/offsets --name billing localhost:1992 orders\n",
    .options = {options, server_options},
};

/* Where it has come to. */
struct consuming {
    const struct arguments *arguments;
    struct consume_style style;
    struct lwp_consumer *consumer;
    int interrupt;
    uint64_t count;      /* Records that were printed. */
    uint64_t quiet_from; /* When something came last. */
};

static bool has_enough(const struct consuming *consuming)
{
    return consuming->arguments->count && consuming->count == consuming->arguments->count;
}

/* Where the log goes on behind what was printed of a batch. In one that came compressed no place but
 * the front is known: then some records come twice, but none is lost. */
static uint64_t place_in(const struct lwp_batch *batch, size_t printed)
{
    if (printed == batch->data.size)
        return batch->end_offset;
    return batch->end_offset - batch->start_offset == batch->data.size
               ? batch->start_offset + printed
               : batch->start_offset;
}

/* Prints what is wanted of the batch; how many of its bytes that is. */
static size_t print_batch(struct consuming *consuming, const struct lwp_batch *batch)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch->data);
    struct lwp_record record;
    if (consuming->arguments->bytes) {
        consume_print_bytes(&consuming->style, batch->start_offset, batch->data);
        return batch->data.size;
    }
    while (!has_enough(consuming)) {
        const uint64_t offset = place_in(batch, walk.offset);
        if (lwp_tlv_next(&walk, &record) != LWP_OK)
            break;
        consume_print(&consuming->style, offset, &record);
        consuming->count++;
    }
    return walk.offset;
}

/* Takes a batch. What could not be printed is not done with, so the place stays in front of it. */
static int take_batch(struct consuming *consuming, const struct lwp_batch *batch)
{
    const uint64_t start_offset = batch->start_offset;
    const size_t printed = print_batch(consuming, batch);
    const uint64_t place = place_in(batch, printed);
    const bool cut = printed < batch->data.size;
    const int ended = server_flush_output(&program);
    if (ended != EXIT_SOUND)
        lwp_consumer_seek(consuming->consumer, LWP_PLACE_OFFSET, start_offset);
    else if (cut)
        lwp_consumer_seek(consuming->consumer, LWP_PLACE_OFFSET, place);
    return ended;
}

static int fail(const struct consuming *consuming, enum lwp_status status)
{
    struct lwp_details why;
    lwp_consumer_why(consuming->consumer, &why);
    if (why.status != status)
        why = lwp_details_of(status);
    return server_failed(&program, &consuming->arguments->server, &why);
}

/* Nothing has come for longer than a request may take, and nobody wants to wait for more. */
static bool is_overdue(const struct consuming *consuming)
{
    const uint64_t timeout_ms = consuming->arguments->server.connect.request_timeout_ms;
    return !consuming->arguments->follow &&
           lwp_clock_now() - consuming->quiet_from > timeout_ms * LWP_MILLISECOND_NS;
}

/* Goes on after a poll without a batch: -1, or the exit status. */
static int after_silence(const struct consuming *consuming, enum lwp_status status)
{
    const bool follow = consuming->arguments->follow;
    if (status == LWP_END && !follow)
        return EXIT_SOUND;
    if (status == LWP_WOULD_BLOCK || status == LWP_END)
        return is_overdue(consuming) ? fail(consuming, LWP_TIMEOUT) : -1;
    return follow && lwp_status_is_retryable(status) ? -1 : fail(consuming, status);
}

static int consume_all(struct consuming *consuming)
{
    struct lwp_batch batch;
    int ended = -1;
    consuming->quiet_from = lwp_clock_now();
    while (ended < 0 && !interrupt_came(consuming->interrupt)) {
        const enum lwp_status status = lwp_consumer_poll(consuming->consumer, POLL_MS, &batch);
        if (status != LWP_OK) {
            ended = after_silence(consuming, status);
            continue;
        }
        const bool last = batch.end_of_log && !consuming->arguments->follow;
        const int printed = take_batch(consuming, &batch);
        if (printed != EXIT_SOUND || last || has_enough(consuming))
            ended = printed;
        consuming->quiet_from = lwp_clock_now();
    }
    return ended < 0 ? EXIT_SOUND : ended;
}

static int consume(const struct arguments *arguments, uint32_t topic_id)
{
    struct consuming consuming = {
        .arguments = arguments,
        .style = {arguments->format, isatty(STDOUT_FILENO)},
    };
    struct lwp_consumer_options open = lwp_consumer_defaults(NULL, arguments->name, topic_id);
    struct lwp_details why;
    open.connect = arguments->server.connect;
    open.raw = arguments->bytes;
    open.folder = arguments->folder;
    open.commit_to_server = arguments->folder;
    open.start = arguments->from;
    open.start_offset = arguments->offset;
    const enum lwp_status status = lwp_consumer_open(&open, &consuming.consumer, &why);
    if (status != LWP_OK)
        return server_unreached(&program, &arguments->server, &why);
    if (arguments->has_from && !arguments->stored)
        lwp_consumer_seek(consuming.consumer, arguments->from, arguments->offset);
    consuming.interrupt = interrupt_open();
    const int ended = consume_all(&consuming);
    interrupt_close(consuming.interrupt);
    const enum lwp_status kept =
        arguments->folder ? lwp_consumer_commit(consuming.consumer) : LWP_OK;
    const int commit_ended = kept == LWP_OK ? EXIT_SOUND : fail(&consuming, kept);
    const enum lwp_status closed = lwp_consumer_close(consuming.consumer);
    if (closed != LWP_OK && kept == LWP_OK && arguments->folder) {
        const struct lwp_details unkept = lwp_details_of(closed);
        return server_failed(&program, &arguments->server, &unkept);
    }
    return ended != EXIT_SOUND ? ended : commit_ended;
}

int command_consume(int argc, char **argv)
{
    struct arguments arguments = {.server = server_defaults(), .name = "lwp"};
    uint32_t topic_id = 0;
    int ended = server_read(&program, argc, argv, &arguments, 2);
    if (ended < 0 && arguments.stored && !arguments.folder)
        ended = lwp_options_problem(&program, "--from stored needs --offsets", NULL);
    if (ended < 0)
        ended = server_find_topic(&program, &arguments.server, argv[argc - 1], &topic_id);
    if (ended < 0)
        ended = consume(&arguments, topic_id);
    server_done(&arguments.server);
    return ended;
}
