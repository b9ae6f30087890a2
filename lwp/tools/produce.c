/* SPDX-License-Identifier: MIT */
#include "lwp/tools/produce.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"

static const char *take_type(void *into, const char *value)
{
    struct produce_arguments *arguments = into;
    uint64_t number = 0;
    const int named = lwp_tlv_type_named(lwp_bytes_text(value));
    if (named >= 0)
        arguments->type = named;
    else if (lwp_read_number(value, LWP_TLV_USER_FIRST, LWP_TLV_USER_LAST, &number))
        arguments->type = (int)number;
    else
        return "a type is raw, json, msgpack, protobuf, avro, kv, ts, kts, or 128 to 254";
    return arguments->type == LWP_TLV_RESERVED || arguments->type == LWP_TLV_NULL_RECORD
               ? "a line can not be of this type"
               : NULL;
}

static const char *take_key(void *into, const char *value)
{
    ((struct produce_arguments *)into)->key = value;
    if (strlen(value) > UINT16_MAX)
        return "a key has at most 65535 bytes";
    return lwp_utf8_valid(lwp_bytes_text(value)) ? NULL : "a key is UTF-8";
}

static const char *take_rate(void *into, const char *value)
{
    return lwp_read_number(value, 1, LWP_SECOND_NS, &((struct produce_arguments *)into)->rate)
               ? NULL
               : "--rate takes a number of records a second";
}

static const char *take_compress(void *into, const char *value)
{
    (void)value;
    ((struct produce_arguments *)into)->compress = true;
    return NULL;
}

static const char *take_whole(void *into, const char *value)
{
    (void)value;
    ((struct produce_arguments *)into)->whole = true;
    return NULL;
}

static const char *take_quiet(void *into, const char *value)
{
    (void)value;
    ((struct produce_arguments *)into)->quiet = true;
    return NULL;
}

static const struct lwp_option options[] = {
    {"type", "TYPE",
     "raw, json, msgpack, protobuf, avro, kv, ts, kts, or\n"
     "128 to 254                    [raw; kv if there is a key]",
     take_type},
    {"key", "KEY", "the key of each record, which is of type kv or kts", take_key},
    {"rate", "N", "so many records a second      [as fast as it goes]", take_rate},
    {"compress", NULL, "LZ4, where it makes a batch smaller", take_compress},
    {"whole", NULL, "each file is a record, not each line", take_whole},
    {"quiet", NULL, "say nothing unless something fails", take_quiet},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp produce",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp produce - lines into a topic\n"
              "\n"
              "Usage: lwp produce [OPTION]... ADDRESS TOPIC [FILE|-]...\n"
              "\n",
    .after =
        "\n"
        "Each line becomes a record, without its end; from standard input if there is no FILE.\n"
        "Says on standard error how many records were acknowledged and how many have failed;\n"
        "the exit status is 1 if any has. Ctrl-C stops reading, and what was read is sent; a\n"
        "second one ends at once. 'lwp --help' explains addresses, topics and exit statuses.\n"
        "\n"
        "Examples:\n"
        "  tail -F app.log | lwp produce --type ts localhost:1992 logs\n"
        "  lwp produce --type json --rate 100 localhost:1992 orders orders.jsonl\n",
    .options = {options, server_options},
};

/* What a line that is not taken in, or a file that is not read, means for the whole. */
static int say_stop(struct producing *producing, const char *name, enum lwp_status status)
{
    const bool is_input = status == LWP_IO;
    const char *why = is_input ? strerror(errno) : lwp_status_text(status);
    produce_show(producing, true);
    if (is_input)
        (void)fprintf(stderr, "%s: %s: %s\n", program.name, name, why);
    else
        (void)fprintf(stderr, "%s: %s: record %" PRIu64 ": %s\n", program.name, name,
                      producing->put + 1, why);
    return is_input ? EXIT_OUT_OF_REACH : EXIT_FAULT;
}

static int produce_file(struct producing *producing, const char *name)
{
    const bool is_stdin = strcmp(name, "-") == 0;
    struct lines lines = {.limit = LWP_TLV_MAX_VALUE, .whole = producing->arguments->whole};
    lines.fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (lines.fd < 0)
        return say_stop(producing, name, LWP_IO);
    const enum lwp_status status = produce_lines(producing, &lines);
    const int ended = status == LWP_OK || status == LWP_CLOSED_BY_CALLER
                          ? EXIT_SOUND
                          : say_stop(producing, name, status);
    lines_done(&lines);
    if (!is_stdin)
        (void)close(lines.fd);
    return ended;
}

static int produce_files(struct producing *producing, char **files)
{
    int ended = files[0] ? EXIT_SOUND : produce_file(producing, "-");
    for (char **file = files; *file && ended == EXIT_SOUND && !producing->interrupted; file++)
        ended = produce_file(producing, *file);
    return ended;
}

/* Says what became of the records. */
static int report(const struct producing *producing, int ended)
{
    const struct produce_arguments *arguments = producing->arguments;
    if (!arguments->quiet || producing->failed)
        (void)fprintf(stderr,
                      "%s: %" PRIu64 " records: %" PRIu64 " acknowledged, %" PRIu64 " failed\n",
                      program.name, producing->put, producing->acknowledged, producing->failed);
    return ended == EXIT_SOUND && producing->failed ? EXIT_FAULT : ended;
}

/* What the server said last is the reason for the first failure only if it is of its kind. */
static void say_failure(struct producing *producing)
{
    struct lwp_details why;
    lwp_producer_why(producing->producer, &why);
    if (why.status != producing->first_failure)
        why = lwp_details_of(producing->first_failure);
    (void)server_failed(&program, &producing->arguments->server, &why);
}

static int produce(struct producing *producing, char **files)
{
    const struct produce_arguments *arguments = producing->arguments;
    struct lwp_producer_options open = lwp_producer_defaults(NULL);
    struct lwp_details why;
    open.connect = arguments->server.connect;
    open.compression = arguments->compress;
    open.reports = LWP_REPORT_BATCHES;
    open.delivered = produce_delivered;
    open.user = producing;
    if (lwp_producer_open(&open, &producing->producer, &why) != LWP_OK)
        return server_unreached(&program, &arguments->server, &why);
    if (lwp_producer_warns(producing->producer))
        (void)fprintf(stderr,
                      "%s: servers of this dialect hand compressed bytes on as they are; not every "
                      "client can read them\n",
                      program.name);
    producing->interrupt = interrupt_open();
    producing->began_ns = producing->shown_ns = lwp_clock_now();
    const int ended = produce_files(producing, files);
    produce_settle(producing);
    produce_show(producing, true);
    if (producing->failed)
        say_failure(producing);
    (void)lwp_producer_close(producing->producer, 0);
    interrupt_close(producing->interrupt);
    return report(producing, ended);
}

/* What can not be seen in one option alone. */
static int check(struct produce_arguments *arguments)
{
    if (arguments->type < 0)
        arguments->type = arguments->key ? LWP_TLV_KEY_VALUE : LWP_TLV_RAW;
    const bool keyed =
        arguments->type == LWP_TLV_KEY_VALUE || arguments->type == LWP_TLV_KEY_TIMESTAMPED;
    if (keyed && !arguments->key)
        return lwp_options_problem(&program, "the types kv and kts need --key", NULL);
    if (!keyed && arguments->key)
        return lwp_options_problem(&program, "a key needs the type kv or kts", NULL);
    return -1;
}

int command_produce(int argc, char **argv)
{
    struct produce_arguments arguments = {.server = server_defaults(), .type = -1};
    struct producing producing = {.arguments = &arguments, .interrupt = -1};
    int rest = 0;
    int ended = lwp_options_read(&program, argc, argv, &arguments, &rest);
    if (ended >= 0)
        return ended;
    if (argc - rest < 2)
        return lwp_options_problem(&program, "a word is missing behind the options", NULL);
    ended = check(&arguments);
    if (ended < 0)
        ended = server_prepare(&program, &arguments.server, argv[rest]);
    if (ended < 0)
        ended = server_find_topic(&program, &arguments.server, argv[rest + 1], &producing.topic_id);
    producing.is_terminal = !arguments.quiet && isatty(STDERR_FILENO);
    if (ended < 0)
        ended = produce(&producing, argv + rest + 2);
    server_done(&arguments.server);
    return ended;
}
