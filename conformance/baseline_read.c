/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/baseline.h"
#include "conformance/report.h"
#include "lwp/json/json.h"

enum { LINE_MAX_SIZE = LWP_JSON_MAX_SIZE, MAX_CASES = 65536 };

/* A report that is being read. */
struct reading {
    struct baseline *baseline;
    const struct lwp_dialect *dialect;
    unsigned line;
    bool begun; /* A run in this dialect. */
    bool ended; /* Every run that has begun. */
};

static bool complain(const struct reading *reading, const char *problem, const char *value)
{
    (void)fprintf(stderr, "%s:%u: %s%s\n", reading->baseline->path, reading->line, problem, value);
    return false;
}

static bool is_word(const struct lwp_json *json, const char *key, const char *word)
{
    struct lwp_bytes value = {NULL, 0};
    return lwp_json_string(json, key, &value) == LWP_OK &&
           lwp_bytes_equal(value, lwp_bytes_text(word));
}

static bool verdict_named(struct lwp_bytes word, enum verdict *verdict)
{
    for (enum verdict v = 0; v < VERDICT_COUNT; v++)
        if (lwp_bytes_equal(word, lwp_bytes_text(verdict_word(v)))) {
            *verdict = v;
            return true;
        }
    return false;
}

static bool read_begin(struct reading *reading, const struct lwp_json *json)
{
    char problem[64];
    uint64_t version = 0;
    (void)lwp_json_integer(json, "schema_version", &version);
    (void)snprintf(problem, sizeof(problem), "schema version %" PRIu64 ", expected %d", version,
                   REPORT_SCHEMA_VERSION);
    if (version != REPORT_SCHEMA_VERSION)
        return complain(reading, problem, "");
    reading->begun = reading->begun || is_word(json, "dialect", reading->dialect->name);
    reading->ended = false;
    return true;
}

static bool read_case(struct reading *reading, const struct lwp_json *json)
{
    struct lwp_bytes id = {NULL, 0};
    struct lwp_bytes word = {NULL, 0};
    struct lwp_bytes class = {NULL, 0};
    struct baseline_case read = {.verdict = VERDICT_ERROR};
    struct baseline *baseline = reading->baseline;
    if (!is_word(json, "dialect", reading->dialect->name))
        return true;
    if (lwp_json_string(json, "id", &id) != LWP_OK ||
        lwp_json_string(json, "verdict", &word) != LWP_OK || !verdict_named(word, &read.verdict))
        return complain(reading, "a case without an id or a verdict that is known", "");
    (void)lwp_json_string(json, "class", &class);
    if (baseline->cases.count == MAX_CASES)
        return complain(reading, "too many cases", "");
    read.id = script_arena_copy(&baseline->arena, id);
    read.class = script_arena_copy(&baseline->arena, class);
    struct baseline_case *added = SCRIPT_ADD(&baseline->arena, &baseline->cases);
    if (!added || !read.id.data || !read.class.data)
        return complain(reading, lwp_status_text(LWP_NO_MEMORY), "");
    *added = read;
    return true;
}

static bool read_event(struct reading *reading, const struct lwp_json *json)
{
    struct lwp_bytes name = {NULL, 0};
    const bool is_begin = is_word(json, "event", "begin");
    if (lwp_json_string(json, "event", &name) != LWP_OK)
        return complain(reading, "no event of a report", "");
    if (!is_begin && !reading->begun && reading->line == 1)
        return complain(reading, "no report of lwp-conform in JSON Lines", "");
    if (is_begin)
        return read_begin(reading, json);
    reading->ended = reading->ended || is_word(json, "event", "end");
    return !is_word(json, "event", "case") || read_case(reading, json);
}

static bool read_line(struct reading *reading, struct lwp_bytes line)
{
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    const enum lwp_status status = lwp_json_read(line, &json, &fault);
    if (status != LWP_OK)
        return complain(reading, "no event: ", lwp_status_text(status));
    const bool sound = read_event(reading, json);
    lwp_json_free(json);
    return sound;
}

static bool read_lines(struct reading *reading, FILE *file, char *room)
{
    while (fgets(room, LINE_MAX_SIZE, file)) {
        reading->line++;
        if (!read_line(reading, lwp_bytes_text(room)))
            return false;
    }
    if (ferror(file))
        return complain(reading, "can not be read: ", strerror(errno));
    if (reading->line && reading->ended && !reading->begun)
        return complain(reading, "of another dialect than this run's: ", reading->dialect->name);
    return (reading->begun && reading->ended) ||
           complain(reading, reading->line ? "its run did not end" : "it is empty", "");
}

bool baseline_read(struct baseline *baseline, const char *path, const struct lwp_dialect *dialect)
{
    struct reading reading = {.baseline = baseline, .dialect = dialect};
    char *room = malloc(LINE_MAX_SIZE);
    FILE *file = fopen(path, "r");
    baseline->path = path;
    bool sound = file && room;
    if (!sound)
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    sound = sound && read_lines(&reading, file, room);
    if (file)
        (void)fclose(file);
    free(room);
    return sound;
}
