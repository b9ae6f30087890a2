/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "lwp/tests/support.h"
#include "mock_server/events.h"

/* --- Events that are written to memory. --- */

static struct lwp_events *events;
static FILE *out;
static char *lines;
static size_t lines_size;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(lwp_events_new(1700000000000000000, &events), LWP_OK);
    out = open_memstream(&lines, &lines_size);
    assert_non_null(out);
    assert_int_equal(lwp_events_log_on(events, out, "log"), LWP_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(lwp_events_status(events), LWP_OK);
    assert_string_equal(lwp_events_error(events), "");
    lwp_events_free(events);
    assert_int_equal(fclose(out), 0);
    free(lines);
    return 0;
}

static const struct lwp_bytes none;

/* The last line, without its end; until the next event. */
static struct lwp_bytes last_line(void)
{
    lwp_events_flush(events);
    assert_true(lines_size > 0 && lines[lines_size - 1] == '\n');
    size_t at = lines_size - 1;
    while (at && lines[at - 1] != '\n')
        at--;
    return bytes_of(lines + at, lines_size - 1 - at);
}

static void assert_line(const char *expected)
{
    assert_bytes_equal(last_line(), lwp_bytes_text(expected));
}

/* A line read by the strictest reader there is; the caller puts it. */
static struct json_object *read_line(struct lwp_bytes line)
{
    struct json_tokener *tokener = json_tokener_new();
    assert_non_null(tokener);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object =
        json_tokener_parse_ex(tokener, (const char *)line.data, (int)line.size);
    if (!object || json_tokener_get_parse_end(tokener) != line.size)
        fail_msg("not JSON: %.*s", (int)line.size, (const char *)line.data);
    json_tokener_free(tokener);
    return object;
}

/* The last line's member at a path such as "sound.status", as text; static until the next. */
static const char *member(const char *path)
{
    static char text[300000];
    char name[64];
    struct json_object *line = read_line(last_line());
    struct json_object *at = line;
    while (at && *path) {
        const size_t size = strcspn(path, ".");
        assert_true(size < sizeof(name));
        memcpy(name, path, size);
        name[size] = 0;
        struct json_object *inner = NULL;
        if (json_object_is_type(at, json_type_array))
            inner = json_object_array_get_idx(at, (size_t)strtoul(name, NULL, 10));
        else
            (void)json_object_object_get_ex(at, name, &inner);
        at = inner;
        path += size + (path[size] == '.');
    }
    assert_true((size_t)snprintf(text, sizeof(text), "%s",
                                 at ? json_object_get_string(at) : "missing") < sizeof(text));
    json_object_put(line);
    return text;
}

#define assert_member(path, expected) assert_string_equal(member(path), expected)

static struct lwp_event event_of(enum lwp_event_kind kind)
{
    return (struct lwp_event){.kind = kind,
                              .time_ns = 12345678,
                              .node = lwp_bytes_text("A"),
                              .connection = 3,
                              .tag = lwp_bytes_text("t1"),
                              .dialect = &lwp_dialect_lance};
}

static void add(struct lwp_event event)
{
    lwp_events_add(events, &event);
}

/* --- Frames. --- */

static uint8_t wire[1024];

static struct lwp_bytes encoded(const struct lwp_frame *frame)
{
    struct lwp_writer writer = lwp_writer_on(wire, sizeof(wire));
    assert_int_equal(lwp_frame_encode(frame, &writer), LWP_OK);
    return lwp_writer_bytes(&writer);
}

static struct lwp_frame hello(void)
{
    return ingest_of(LWP_CRC32, 7, bytes_of("\1\5\0\0\0hello", 10));
}

static struct lwp_frame sealed_control(uint8_t command, struct lwp_bytes payload)
{
    struct lwp_frame frame = lwp_message_frame(command, payload);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    return frame;
}

static void add_frame(const struct lwp_frame *frame)
{
    struct lwp_event event = event_of(LWP_EVENT_FRAME_IN);
    event.frame = frame;
    add(event);
}

static void the_first_line_says_which_schema(void **state)
{
    (void)state;
    assert_line("{\"event\":\"begin\",\"schema_version\":1,\"program\":\"lwp-mock\","
                "\"epoch_ns\":1700000000000000000}");
}

static void every_line_says_who_and_when(void **state)
{
    (void)state;
    struct lwp_event event = event_of(LWP_EVENT_NOTE);
    event.scenario = lwp_bytes_text("s");
    event.rule = lwp_bytes_text("f.lwps:4");
    event.text = lwp_bytes_text("hello");
    add(event);
    assert_line("{\"event\":\"note\",\"number\":1,\"time_ms\":12.345,\"time_ns\":12345678,"
                "\"node\":\"A\",\"connection\":3,\"tag\":\"t1\",\"scenario\":\"s\","
                "\"rule\":\"f.lwps:4\",\"text\":\"hello\"}");
    event.time_ns = UINT64_MAX;
    add(event);
    assert_member("number", "2");
    assert_member("time_ms", "18446744073709.551");
    assert_member("time_ns", "18446744073709551615");
}

static void a_connection_says_from_where_to_where(void **state)
{
    (void)state;
    struct lwp_event event = event_of(LWP_EVENT_CONNECTED);
    event.local = lwp_bytes_text("127.0.0.1:1992");
    event.peer = lwp_bytes_text("127.0.0.1:40000");
    add(event);
    assert_member("event", "connected");
    assert_member("local", "127.0.0.1:1992");
    assert_member("peer", "127.0.0.1:40000");
}

static void a_close_says_who_how_and_why(void **state)
{
    (void)state;
    struct lwp_event event = event_of(LWP_EVENT_CLOSED);
    event.by = LWP_BY_RULE;
    event.how = LWP_CLOSE_RST;
    event.rule = lwp_bytes_text("f:9");
    add(event);
    assert_line("{\"event\":\"closed\",\"number\":1,\"time_ms\":12.345,\"time_ns\":12345678,"
                "\"node\":\"A\",\"connection\":3,\"tag\":\"t1\",\"scenario\":\"\","
                "\"rule\":\"f:9\",\"by\":\"rule\",\"how\":\"rst\",\"status\":\"OK\","
                "\"status_text\":\"ok\"}");
    static const char *const who[] = {"peer", "mock", "rule", "error"};
    static const char *const how[] = {"half", "fin", "rst"};
    event.fault.status = LWP_INVALID_MAGIC;
    for (unsigned by = 0; by < COUNT_OF(who); by++)
        for (unsigned way = 0; way < COUNT_OF(how); way++) {
            event.by = (enum lwp_event_by)by;
            event.how = (enum lwp_close)way;
            add(event);
            assert_member("by", who[by]);
            assert_member("how", how[way]);
            assert_member("status", "INVALID_MAGIC");
        }
}

static void a_fault_says_what_and_where(void **state)
{
    (void)state;
    struct lwp_event event = event_of(LWP_EVENT_FAULT);
    event.fault = (struct lwp_fault){LWP_HEADER_CHECKSUM, 52, "header_crc"};
    add(event);
    assert_member("status", "HEADER_CHECKSUM");
    assert_member("status_text", "the header checksum is wrong");
    assert_member("offset", "52");
    assert_member("field", "header_crc");
}

static void rules_clusters_and_verdicts_have_their_text(void **state)
{
    (void)state;
    static const struct {
        enum lwp_event_kind kind;
        const char *word;
    } kinds[] = {
        {LWP_EVENT_RULE, "rule"}, {LWP_EVENT_CLUSTER, "cluster"}, {LWP_EVENT_VERDICT, "verdict"}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct lwp_event event = event_of(kinds[i].kind);
        event.text = lwp_bytes_text("why");
        event.passed = true;
        add(event);
        assert_member("event", kinds[i].word);
        assert_string_equal(lwp_event_word(kinds[i].kind), kinds[i].word);
        assert_member("text", "why");
    }
    assert_member("passed", "true");
}

static void a_frame_is_decoded(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    add_frame(&frame);
    assert_member("event", "frame");
    assert_member("direction", "in");
    assert_member("dialect", "lance");
    assert_member("sound", "true");
    assert_member("damaged", "false");
    assert_member("kind", "ingest");
    assert_member("command", "missing");
    assert_member("header.batch_id", "7");
    assert_member("header.magic", "1129201996");
    assert_member("payload_size", "10");
    assert_member("payload.size", "10");
    assert_member("records_found", "1");
    assert_member("records.0.word", "json");
    assert_member("records.0.value.text", "hello");
    assert_member("records_fault", "missing");
    assert_member("trace", "ingest batch_id=7 topic_id=1 record_count=1 payload=10 "
                           "[json 5 \"hello\"]");
    assert_member("raw_size", "54");
    assert_member("raw_cut", "missing");
}

static void raw_bytes_are_those_of_the_wire(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    const struct lwp_bytes bytes = encoded(&frame);
    char hex[2 * sizeof(wire) + 1];
    for (size_t i = 0; i < bytes.size; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
    add_frame(&frame);
    assert_member("raw", hex);
    struct lwp_event event = event_of(LWP_EVENT_FRAME_OUT);
    event.wire = bytes;
    add(event);
    assert_member("direction", "out");
    assert_member("raw", hex);
    assert_member("kind", "ingest");
}

static void a_control_frame_has_its_fields(void **state)
{
    (void)state;
    const struct lwp_frame create =
        sealed_control(LWP_COMMAND_CREATE_TOPIC, lwp_bytes_text("orders"));
    add_frame(&create);
    assert_member("kind", "control");
    assert_member("command", "create-topic");
    assert_member("message.name.text", "orders");
    const struct lwp_frame fetched = sealed_control(
        LWP_COMMAND_FETCH_RESPONSE, bytes_of("\7\0\0\0\0\0\0\0\7\0\0\0\1\0\0\0\1\1\0\0\0x\1", 23));
    add_frame(&fetched);
    assert_member("command", "fetch-response");
    assert_member("message.next_offset", "7");
    assert_member("records_found", "1");
    assert_member("records.0.value.text", "x");
    assert_member("records_fault.status", "TRUNCATED_RECORD");
    assert_member("records_fault.offset", "6");
}

static void a_damaged_frame_says_what_is_wrong_with_it(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    struct lwp_event event = event_of(LWP_EVENT_FRAME_OUT);
    event.wire = encoded(&frame);
    event.frame = &frame;
    event.damaged = true;
    wire[50] ^= 1;
    add(event);
    assert_member("damaged", "true");
    assert_member("sound.status", "PAYLOAD_CHECKSUM");
    assert_member("sound.offset", "36");
    assert_member("sound.field", "payload_crc");
    assert_member("records.0.value.text", "hello");
    event.wire.size = 20;
    add(event);
    assert_member("sound.status", "MORE");
    assert_member("sound.offset", "20");
    assert_member("raw_size", "20");
    wire[50] ^= 1;
    event.wire.size = 55;
    add(event);
    assert_member("sound.status", "INVALID_LENGTH");
    assert_member("sound.offset", "54");
    event.frame = NULL;
    add(event);
    assert_member("kind", "missing");
}

static void an_unknown_dialect_is_taken_from_the_checksum(void **state)
{
    (void)state;
    const struct lwp_frame frame = ingest_of(LWP_CRC32C, 7, bytes_of("\1\5\0\0\0hello", 10));
    struct lwp_event event = event_of(LWP_EVENT_FRAME_IN);
    event.dialect = NULL;
    event.wire = encoded(&frame);
    add(event);
    assert_member("dialect", "spec");
    assert_member("sound", "true");
    event.wire = lwp_bytes_text("GET / HTTP/1.1\r\n\r\n                          ");
    add(event);
    assert_member("dialect", "lance");
    assert_member("sound.status", "INVALID_MAGIC");
}

static void compressed_records_are_not_looked_into(void **state)
{
    (void)state;
    struct lwp_frame frame = hello();
    frame.header.flags |= LWP_FLAG_COMPRESSED;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    add_frame(&frame);
    assert_member("payload_size", "10");
    assert_member("records", "missing");
}

static void bytes_that_are_no_frame_are_raw(void **state)
{
    (void)state;
    struct lwp_event event = event_of(LWP_EVENT_BYTES_OUT);
    event.wire = bytes_of("\0\xff", 2);
    add(event);
    assert_line("{\"event\":\"bytes\",\"number\":1,\"time_ms\":12.345,\"time_ns\":12345678,"
                "\"node\":\"A\",\"connection\":3,\"tag\":\"t1\",\"scenario\":\"\",\"rule\":\"\","
                "\"direction\":\"out\",\"raw_size\":2,\"raw\":\"00ff\"}");
    event.kind = LWP_EVENT_BYTES_IN;
    event.wire = none;
    add(event);
    assert_member("direction", "in");
    assert_member("raw_size", "0");
}

/* --- Bad input. --- */

static void every_byte_survives_in_a_text(void **state)
{
    (void)state;
    uint8_t all[257];
    for (size_t i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    all[256] = 0xf0;
    struct lwp_event event = event_of(LWP_EVENT_NOTE);
    event.text = event.node = event.tag = event.scenario = event.rule = bytes_of(all, 257);
    event.local = event.peer = event.text;
    add(event);
    json_object_put(read_line(last_line()));
    assert_non_null(strstr((const char *)last_line().data, "\\u0000\\u0001"));
    assert_null(memchr(last_line().data, '\n', last_line().size));
    assert_non_null(strstr((const char *)last_line().data, "\xef\xbf\xbd"));
    event.kind = LWP_EVENT_CONNECTED;
    add(event);
    json_object_put(read_line(last_line()));
    const struct lwp_frame frame =
        sealed_control(LWP_COMMAND_ERROR_RESPONSE, lwp_bytes_text("\"\\\n</script>\x7f"));
    add_frame(&frame);
    assert_member("message.text.text", "\"\\\n</script>\x7f");
}

/* Frames of any header and payload, of every dialect: each is a line of JSON. */
static void any_bytes_are_one_line_of_json(void **state)
{
    (void)state;
    uint64_t seed = 11;
    uint8_t payload[300];
    for (int i = 0; i < 2000; i++) {
        const size_t size = next_random(&seed) % sizeof(payload);
        fill_random(payload, sizeof(payload), next_random(&seed));
        struct lwp_frame frame = frame_of((uint8_t)next_random(&seed), bytes_of(payload, size));
        if (i % 2)
            frame.header.flags = LWP_FLAG_CONTROL;
        frame.header.batch_id = next_random(&seed) % 0x120;
        struct lwp_event event = event_of((enum lwp_event_kind)(i % LWP_EVENT_KIND_COUNT));
        event.dialect = lwp_dialects[i % 3];
        event.frame = &frame;
        event.text = event.tag = frame.payload;
        if (i % 3 == 0)
            event.wire = frame.payload;
        add(event);
        json_object_put(read_line(last_line()));
    }
}

static void the_largest_frame_has_a_line_of_bounded_size(void **state)
{
    (void)state;
    enum { SIZE = 16 * 1024 * 1024 };
    uint8_t *payload = calloc(1, SIZE); /* Three million records of type 0. */
    assert_non_null(payload);
    const struct lwp_frame frame = ingest_of(LWP_CRC32, 1, bytes_of(payload, SIZE));
    add_frame(&frame);
    free(payload);
    assert_true(last_line().size < 2 * LWP_EVENTS_RAW_DEFAULT + 40000);
    assert_member("records_found", "3355443");
    assert_member("records.15.size", "0");
    assert_member("records.16.size", "missing");
    assert_member("records_fault.status", "TRUNCATED_RECORD");
    assert_member("payload.cut", "true");
    assert_member("raw_size", "16777260");
    assert_member("raw_cut", "true");
}

static void raw_bytes_are_cut_at_the_limit(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    for (size_t limit = 0; limit <= 60; limit++) {
        lwp_events_set_raw_limit(events, limit);
        add_frame(&frame);
        assert_int_equal(strlen(member("raw")), 2 * (limit < 54 ? limit : 54));
        assert_member("raw_size", "54");
        assert_member("raw_cut", limit < 54 ? "true" : "missing");
    }
    lwp_events_set_raw_limit(events, SIZE_MAX);
    add_frame(&frame);
    assert_member("raw_cut", "missing");
}

/* --- What is kept. --- */

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void what_is_kept_is_what_is_written(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    assert_int_equal(lwp_events_keep(events, 0), LWP_OK);
    assert_int_equal(lwp_events_keep(events, 5), LWP_INVALID_ARGUMENT);
    for (int i = 0; i < 100; i++)
        add_frame(&frame);
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(lwp_events_text(events, &text, &size), LWP_OK);
    lwp_events_flush(events);
    assert_bytes_equal(bytes_of(text, size), bytes_of(lines, lines_size));
    assert_int_equal(strlen(text), size);
    free(text);
}

static void nothing_is_kept_that_was_not_asked_for(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 1;
    add(event_of(LWP_EVENT_NOTE));
    assert_int_equal(lwp_events_text(events, &text, &size), LWP_OK);
    assert_int_equal(size, 0);
    free(text);
}

/* Notes of many sizes into a memory of `limit` bytes: what is said to be gone and what is there are
 * all that was written. */
static void keep_notes(size_t limit)
{
    static const char said[] = "{\"event\":\"dropped\",\"count\":";
    static char note[1500];
    struct lwp_events *kept = NULL;
    char *log = NULL, *text = NULL;
    size_t log_size = 0, size = 0;
    FILE *to = open_memstream(&log, &log_size);
    memset(note, 'x', sizeof(note));
    assert_int_equal(lwp_events_new(0, &kept), LWP_OK);
    assert_int_equal(lwp_events_keep(kept, limit), LWP_OK);
    assert_int_equal(lwp_events_log_on(kept, to, "log"), LWP_OK);
    for (size_t i = 0; i < 60; i++) {
        struct lwp_event event = event_of(LWP_EVENT_NOTE);
        event.text = bytes_of(note, i * 131 % sizeof(note));
        lwp_events_add(kept, &event);
    }
    assert_int_equal(lwp_events_status(kept), LWP_OK);
    assert_int_equal(lwp_events_text(kept, &text, &size), LWP_OK);
    const char *dropped = strstr(text, said);
    assert_non_null(dropped);
    const char *first = strchr(dropped, '\n') + 1;
    const size_t left_size = strlen(first);
    const char *written = strchr(log, '\n') + 1;
    assert_true(left_size <= limit);
    assert_int_equal(strtoul(dropped + strlen(said), NULL, 10) + count_of(first, "\n"), 60);
    assert_int_equal(strtoul(strstr(dropped, "size\":") + 6, NULL, 10) + left_size,
                     strlen(written));
    assert_string_equal(first, written + strlen(written) - left_size);
    lwp_events_free(kept);
    assert_int_equal(fclose(to), 0);
    free(text);
    free(log);
}

static void what_was_dropped_is_counted(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 12000; limit += 397)
        keep_notes(limit);
}

/* --- Sinks. --- */

static void nobody_is_told_of_nothing(void **state)
{
    (void)state;
    struct lwp_events *silent = NULL;
    assert_false(lwp_events_wanted(NULL));
    assert_int_equal(lwp_events_new(0, &silent), LWP_OK);
    assert_false(lwp_events_wanted(silent));
    assert_int_equal(lwp_events_keep(silent, 100), LWP_OK);
    assert_true(lwp_events_wanted(silent));
    assert_true(lwp_events_wanted(events));
    lwp_events_free(silent);
    lwp_events_free(NULL);
}

struct told {
    uint64_t numbers[4];
    size_t count;
    struct lwp_bytes text;
};

static void tell(void *context, uint64_t number, const struct lwp_event *event)
{
    struct told *told = context;
    told->numbers[told->count++] = number;
    told->text = event->text;
}

static void subscribers_are_called_until_they_leave(void **state)
{
    (void)state;
    struct told one = {.count = 0}, two = {.count = 0};
    struct lwp_event event = event_of(LWP_EVENT_NOTE);
    event.text = lwp_bytes_text("x");
    assert_int_equal(lwp_events_subscribe(events, tell, &one), LWP_OK);
    add(event);
    assert_int_equal(lwp_events_subscribe(events, tell, &two), LWP_OK);
    add(event);
    lwp_events_unsubscribe(events, tell, &one);
    lwp_events_unsubscribe(events, tell, &one);
    add(event);
    assert_int_equal(one.count, 2);
    assert_int_equal(two.count, 2);
    assert_int_equal(two.numbers[0], 2);
    assert_int_equal(two.numbers[1], 3);
    assert_ptr_equal(two.text.data, event.text.data);
    assert_int_equal(lwp_events_count(events), 3);
    for (int i = 1; i < LWP_EVENTS_MAX_SUBSCRIBERS; i++)
        assert_int_equal(lwp_events_subscribe(events, tell, &one), LWP_OK);
    assert_int_equal(lwp_events_subscribe(events, tell, &one), LWP_FULL);
}

static void a_sink_is_set_once(void **state)
{
    (void)state;
    assert_int_equal(lwp_events_log_on(events, out, "log"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_events_log_to(events, "/dev/null"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_events_capture_to(events, "/dev/null"), LWP_OK);
    assert_int_equal(lwp_events_capture_on(events, out, "log"), LWP_INVALID_ARGUMENT);
    add(event_of(LWP_EVENT_CONNECTED));
}

static void a_capture_shows_what_was_on_the_wire(void **state)
{
    (void)state;
    char *capture = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&capture, &size);
    const struct lwp_frame frame = hello();
    struct lwp_event event = event_of(LWP_EVENT_FRAME_OUT);
    assert_int_equal(lwp_events_capture_on(events, to, "capture"), LWP_OK);
    event.frame = &frame;
    event.damaged = true;
    event.scenario = lwp_bytes_text("s\xff");
    event.rule = lwp_bytes_text("f:1");
    add(event);
    event.wire = lwp_bytes_text("WIRE");
    add(event);
    event.connection = 0;
    lwp_events_flush(events);
    const size_t before = size;
    event.kind = LWP_EVENT_CLUSTER;
    add(event);
    lwp_events_flush(events);
    assert_int_equal(size, before);
    const char *comment = "connection=3 node=A tag=t1 scenario=s\xef\xbf\xbd rule=f:1 damaged";
    assert_non_null(memmem(capture, size, comment, strlen(comment)));
    assert_non_null(memmem(capture, size, "\1\5\0\0\0hello", 10));
    assert_non_null(memmem(capture, size, "WIRE", 4));
    lwp_events_free(events);
    assert_int_equal(lwp_events_new(0, &events), LWP_OK);
    assert_int_equal(fclose(to), 0);
    free(capture);
}

static void a_file_that_can_not_be_made_is_named(void **state)
{
    (void)state;
    struct lwp_events *there = NULL;
    assert_int_equal(lwp_events_new(0, &there), LWP_OK);
    assert_int_equal(lwp_events_log_to(there, "/nowhere/log.jsonl"), LWP_IO);
    assert_string_equal(lwp_events_error(there), "/nowhere/log.jsonl: No such file or directory");
    assert_int_equal(lwp_events_capture_to(there, "/"), LWP_IO);
    assert_string_equal(lwp_events_error(there), "/nowhere/log.jsonl: No such file or directory");
    assert_int_equal(lwp_events_status(there), LWP_IO);
    assert_false(lwp_events_wanted(there));
    lwp_events_free(there);
}

static void a_full_device_is_remembered(void **state)
{
    (void)state;
    for (int capture = 0; capture < 2; capture++) {
        struct lwp_events *there = NULL;
        struct told told = {.count = 0};
        assert_int_equal(lwp_events_new(0, &there), LWP_OK);
        assert_int_equal((capture ? lwp_events_capture_to : lwp_events_log_to)(there, "/dev/full"),
                         LWP_OK);
        assert_int_equal(lwp_events_keep(there, 0), LWP_OK);
        assert_int_equal(lwp_events_subscribe(there, tell, &told), LWP_OK);
        struct lwp_event event = event_of(LWP_EVENT_CONNECTED);
        lwp_events_add(there, &event);
        assert_int_equal(lwp_events_status(there), LWP_IO);
        assert_string_equal(lwp_events_error(there), "/dev/full: No space left on device");
        lwp_events_add(there, &event);
        assert_int_equal(told.count, 2);
        char *text = NULL;
        size_t size = 0;
        assert_int_equal(lwp_events_text(there, &text, &size), LWP_OK);
        assert_int_equal(count_of(text, "\n"), 3);
        assert_int_equal(lwp_events_status(there), LWP_IO);
        free(text);
        lwp_events_free(there);
    }
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(the_first_line_says_which_schema),
        LOG_TEST(every_line_says_who_and_when),
        LOG_TEST(a_connection_says_from_where_to_where),
        LOG_TEST(a_close_says_who_how_and_why),
        LOG_TEST(a_fault_says_what_and_where),
        LOG_TEST(rules_clusters_and_verdicts_have_their_text),
        LOG_TEST(a_frame_is_decoded),
        LOG_TEST(raw_bytes_are_those_of_the_wire),
        LOG_TEST(a_control_frame_has_its_fields),
        LOG_TEST(a_damaged_frame_says_what_is_wrong_with_it),
        LOG_TEST(an_unknown_dialect_is_taken_from_the_checksum),
        LOG_TEST(compressed_records_are_not_looked_into),
        LOG_TEST(bytes_that_are_no_frame_are_raw),
        LOG_TEST(every_byte_survives_in_a_text),
        LOG_TEST(any_bytes_are_one_line_of_json),
        LOG_TEST(the_largest_frame_has_a_line_of_bounded_size),
        LOG_TEST(raw_bytes_are_cut_at_the_limit),
        LOG_TEST(what_is_kept_is_what_is_written),
        LOG_TEST(nothing_is_kept_that_was_not_asked_for),
        LOG_TEST(what_was_dropped_is_counted),
        LOG_TEST(nobody_is_told_of_nothing),
        LOG_TEST(subscribers_are_called_until_they_leave),
        LOG_TEST(a_sink_is_set_once),
        LOG_TEST(a_capture_shows_what_was_on_the_wire),
        cmocka_unit_test(a_file_that_can_not_be_made_is_named),
        cmocka_unit_test(a_full_device_is_remembered),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
