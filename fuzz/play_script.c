/* SPDX-License-Identifier: MIT */
/* From bytes to scripts, by the rows of actions.def: what is written is nearly always right. */
#include <stdarg.h>
#include <stdio.h>

#include "fuzz/play.h"
#include "mock_server/script/scenario.h"

enum { MAX_SAMPLES = 10, MAX_ACTIONS = 4 };

uint8_t play_byte(struct play_input *input)
{
    return input->at < input->bytes.size ? input->bytes.data[input->at++] : 0;
}

size_t play_pick(struct play_input *input, size_t count)
{
    return count ? play_byte(input) % count : 0;
}

/* What may stand behind an action's word, by the column of actions.def. */
static const struct {
    const char *form;
    const char *texts[MAX_SAMPLES];
} samples[] = {
    {"NONE", {""}},
    {"ERROR", {"storage-error", "not-leader \"ask B\"", "255 as json", "timeout-error as text"}},
    {"TARGET", {"\"127.0.0.1:1\"", "\"\" as json", "\"\" as text", "A", "B as json"}},
    {"FORM", {"", "as text", "as json"}},
    {"RETRY", {"", "100ms", "10m as json"}},
    {"SPAN", {"", "3", "200ms", "1", "4294967295", "10m"}},
    {"OFFSET", {"0", "max", "max step 18446744073709551615", "5 step 2 as text", "1 as json"}},
    {"FIELDS",
     {"next_offset=10 records=raw(\"hello\")", "records=raw(\"a\")+null",
      "next_offset=18446744073709551615 bytes_returned=4294967295", "data=\"\"",
      "batch_id=$b record_count=0"}},
    {"VERDICT", {"ok", "no", "no \"expired\""}},
    {"FRAME",
     {"ack batch_id=77", "keepalive", "error-response text=\"no\"", "ack batch_id=$b",
      "topic-response json=\"{\"", "ingest records=raw(\"x\")", "backpressure",
      "ack batch_id=1 payload_length=max"}},
    {"BYTES",
     {"hex(00 ff)", "\"LANC\"", "hex()",
      "hex(4c414e430140000088d91c74ff00000000000000000000000000000000000000ffffffff"
      "ffffffff00000000)",
      "hex(4c414e43014000000000000010000000000000000000000000000000ffffffff00000000"
      "0000000000)"}},
    {"RANGE", {"1ms", "1us~5ms", "10m", "1s"}},
    {"COUNT", {"1", "2", "3", "44", "100", "1024"}},
    {"SET",
     {"batch_id=7", "header_crc=wrong", "payload_length=max crc keep", "payload_length=2",
      "magic=0 crc fix", "version=9", "payload_crc=zero", "flags=0x40", "topic_id=max"}},
    {"AT_BYTES",
     {"0 hex(ff)", "-1 hex(80)", "44 \"junk\"", "2147483647 hex(01)", "-2147483647 \"xyz\"",
      "-44 \"LANC\"", "32 hex(ffffffff)"}},
    {"AT_COUNT", {"0 1", "-4 4", "40 4294967295", "0 44"}},
    {"SIZES", {"1", "43,1,*", "1,1,42,* gap 5ms", "*", "7 gap 1ms", "20,4294967295"}},
    {"DELAY", {"1ms", "1ms~5ms inorder", "10m", "10m inorder", "1s"}},
    {"CLOSE",
     {"", "fin", "rst", "half", "rst after 20 bytes", "half after 20 bytes", "fin after 0 bytes",
      "after 44 bytes", "half after 0 bytes", "rst after 4294967295 bytes"}},
    {"LEADER", {"orders B", "orders none", "orders A"}},
    {"NODE", {"A", "B"}},
    {"NODE_COUNT", {"B 4096", "A 0", "A 1", "B 4294967295"}},
    {"STATE", {"x", "y"}},
    {"NAME", {"b", "c"}},
    {"TEXT", {"\"t\"", "\"\""}},
    {"DURATION", {"1ms", "30s", "500000m", "1s"}},
};

static const char *const forms[SCRIPT_ACTION_COUNT] = {
#define SCRIPT_ACTION(name, word, group, arguments, where) #arguments,
#include "mock_server/script/actions.def"
#undef SCRIPT_ACTION
};

/* A piece of text in the making; what does not fit is left out. */
struct text {
    char *to;
    size_t size;
    size_t at;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    const int size = vsnprintf(text->to + text->at, text->size - text->at, form, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < text->size - text->at)
        text->at += (size_t)size;
    text->to[text->at] = '\0';
}

static const char *pick_sample(struct play_input *input, const char *form)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        size_t count = 0;
        if (strcmp(samples[i].form, form) != 0)
            continue;
        while (count < MAX_SAMPLES && samples[i].texts[count])
            count++;
        return samples[i].texts[play_pick(input, count)];
    }
    return "";
}

/* One of the actions that may stand there. */
static size_t pick_action(struct play_input *input, unsigned where, bool has_nodes)
{
    size_t kind = play_pick(input, SCRIPT_ACTION_COUNT);
    while ((where & ~script_action_rows[kind].where) ||
           (!has_nodes && script_action_rows[kind].group == SCRIPT_CLUSTER))
        kind = (kind + 1) % SCRIPT_ACTION_COUNT;
    return kind;
}

static void put_actions(struct play_input *input, unsigned where, bool has_nodes, struct text *text)
{
    const size_t count = 1 + play_pick(input, MAX_ACTIONS);
    for (size_t i = 0; i < count; i++) {
        const size_t kind = pick_action(input, where, has_nodes);
        const bool then =
            i && script_action_rows[kind].group == SCRIPT_ANSWER && play_pick(input, 4) == 0;
        const char *sample = kind == SCRIPT_ACTION_TOPIC_REPLY
                                 ? "id=9 name=\"o\" created_at=18446744073709551615"
                                 : pick_sample(input, forms[kind]);
        put(text, "%s %s%s %s%s", i ? "," : "", then ? "then " : "", script_action_rows[kind].word,
            sample, then ? " after 40ms" : "");
    }
}

static void put_trigger(struct play_input *input, struct text *text)
{
    static const char *const triggers[] = {
        "",        "nth 1",    "nth 2",  "nth 2 times 3", "every 2",       "every 2 skip 1",
        "times 1", "times 30", "skip 1", "p=0.5",         "p=0.5 of dice", "after first"};
    put(text, "%s ->", triggers[play_pick(input, sizeof(triggers) / sizeof(triggers[0]))]);
}

static unsigned put_match(struct play_input *input, struct text *text)
{
    static const char *const kinds[] = {"ingest",
                                        "ingest batch_id=$b",
                                        "keepalive",
                                        "fetch",
                                        "frame",
                                        "ack",
                                        "create-topic",
                                        "frame batch_id=$b",
                                        "ingest topic_id=1",
                                        "frame topic_id>0",
                                        "error-response"};
    static const char *const directions[] = {"", "in", "out", "any"};
    static const unsigned bits[] = {SCRIPT_AT_IN, SCRIPT_AT_IN, SCRIPT_AT_OUT,
                                    SCRIPT_AT_IN | SCRIPT_AT_OUT};
    static const char *const connections[] = {"", "", "", "conn 1", "conn 2", "conn bob"};
    const size_t direction = play_pick(input, 4);
    const char *connection = connections[play_pick(input, 6)];
    put(text, "on %s %s %s ", directions[direction], connection,
        kinds[play_pick(input, sizeof(kinds) / sizeof(kinds[0]))]);
    return bits[direction];
}

static void put_rule(struct play_input *input, bool has_nodes, struct text *text)
{
    static const char *const times[] = {"1us", "1ms", "1s", "10m"};
    const size_t what = play_pick(input, 8);
    unsigned where = SCRIPT_AT_CONNECT;
    if (what == 0) {
        put(text, "at %s ->", times[play_pick(input, 4)]);
        where = SCRIPT_AT_TIME;
    } else if (what == 1) {
        put(text, "on connect ");
        put_trigger(input, text);
    } else {
        where = put_match(input, text);
        put_trigger(input, text);
    }
    put_actions(input, where, has_nodes, text);
    put(text, " optional\n");
}

/* What any rule may refer to. */
static const char foundation[] =
    "on conn 999999 keepalive -> hold, barrier b, barrier c as first optional\n"
    "on conn 999999 fetch -> goto x optional\non conn 999999 ingest -> goto y optional\n";
static const char states[] = "state x\non conn 999999 ack -> pass optional\n"
                             "state y\non conn 999999 ack -> pass optional\n";

static const char *const judgements[] = {
    "", "expect out frame >= 2\n", "never in close within 10ms\n",
    "rate ingest <= 50% of the 100ms before\n", "expect count ingest batch_id=$b in [1,3]\n"};

void play_write_rule(const struct play_script *script, size_t index, char *text, size_t size)
{
    (void)snprintf(text, size, "%s%s%s%s",
                   script->has_nodes ? "topic orders\nnode A; node B\n" : "", foundation,
                   script->rules[index], states);
}

/* A text of the input's own; its size is in front. */
static void copy_raw(struct play_input *input, char *text)
{
    const size_t wanted = (size_t)play_byte(input) << 4;
    const size_t left = input->bytes.size - input->at;
    const size_t size = wanted < left ? wanted : left;
    memcpy(text, input->bytes.data + input->at, size);
    text[size] = '\0';
    input->at += size;
}

void play_write_script(struct play_input *input, struct play_script *script)
{
    const uint8_t kind = play_byte(input);
    struct text whole = {script->whole, sizeof(script->whole), 0};
    script->has_nodes = kind & 0x40;
    script->rule_count = kind & 7;
    (void)snprintf(script->begin, sizeof(script->begin), "topic orders id=1 records=2\n%s",
                   script->has_nodes ? "node A leader of orders; node B\n" : "");
    put(&whole, "%s%s", script->begin, foundation);
    for (size_t i = 0; i < script->rule_count; i++) {
        struct text rule = {script->rules[i], PLAY_RULE_SIZE, 0};
        script->rules[i][0] = '\0';
        put_rule(input, script->has_nodes, &rule);
        put(&whole, "%s", script->rules[i]);
    }
    put(&whole, "%s%s", judgements[kind >> 3 & 7 & 3], states);
    if (kind & 0x80)
        copy_raw(input, script->whole);
}
