/* SPDX-License-Identifier: MIT */
#include "mock_server/lint.h"

#include "lwp/tests/support.h"
#include "lwp/wire/dialect.h"
#include "mock_server/script/script.h"

/* What the rows of tables stand behind: the fourth line is theirs. */
#define STAGE "scenario s\nnode A; node B\ntopic orders\n"
#define STAGE_LINES 3

/* A line with something wrong in it: the first error that is told, to the letter. */
struct broken {
    const char *line;
    unsigned column;
    const char *found;
    const char *expected;
};

static void assert_broken(const char *before, unsigned lines, const struct broken *row)
{
    char text[1024];
    struct script script = {.cases = {NULL, 0}};
    (void)snprintf(text, sizeof(text), "%s%s\n", before, row->line);
    if (script_read(&script, "f", lwp_bytes_text(text)) != LWP_INVALID_PAYLOAD)
        fail_msg("'%s' was read", row->line);
    const struct script_error *error = script.errors.items;
    if (error->place.column != row->column || error->place.line != lines + 1 ||
        strcmp((const char *)error->found.data, row->found) != 0 ||
        strcmp(error->expected, row->expected) != 0)
        fail_msg("'%s': %u:%u: found %s, expected %s", row->line, error->place.line,
                 error->place.column, (const char *)error->found.data, error->expected);
    assert_string_equal(error->place.file, "f");
    script_done(&script);
}

static const struct {
    enum script_action_kind kind;
    struct broken broken;
} misused_actions[] = {
    {SCRIPT_ACTION_ACK, {"on out ingest -> ack", 18, "ack", "an action for a frame that goes out"}},
    {SCRIPT_ACTION_ACK, {"at 5ms -> ack", 11, "ack", "an action for a time"}},
    {SCRIPT_ACTION_ACK, {"on ingest -> ack 5", 18, "5", "the end of the line or ;"}},
    {SCRIPT_ACTION_ACK,
     {"on ingest -> akc", 14, "akc", "an action, for example ack or close rst; did you mean ack?"}},
    {SCRIPT_ACTION_ERROR,
     {"on ingest -> error", 19, "the end of the line",
      "an error's word or a number from 0 to 255"}},
    {SCRIPT_ACTION_ERROR,
     {"on ingest -> error not-leadr", 20, "not-leadr",
      "an error's word or a number from 0 to 255; did you mean not-leader?"}},
    {SCRIPT_ACTION_ERROR,
     {"on ingest -> error 256", 20, "256", "an error's word or a number from 0 to 255"}},
    {SCRIPT_ACTION_ERROR,
     {"on ingest -> error not-leader as frame", 34, "frame",
      "text or json: only catching-up has a frame of its own"}},
    {SCRIPT_ACTION_ERROR,
     {"on ingest -> error not-leader text", 31, "text", "the end of the line or ;"}},
    {SCRIPT_ACTION_REDIRECT,
     {"on ingest -> redirect", 22, "the end of the line", "the name of a node"}},
    {SCRIPT_ACTION_REDIRECT, {"on ingest -> redirect C", 23, "C", "a node of this scenario"}},
    {SCRIPT_ACTION_REDIRECT,
     {"on ingest -> redirect A as frame", 28, "frame",
      "text or json: only catching-up has a frame of its own"}},
    {SCRIPT_ACTION_REDIRECT, {"at 5ms -> redirect A", 11, "redirect", "an action for a time"}},
    {SCRIPT_ACTION_LEADER_UNKNOWN,
     {"on ingest -> leader-unknown as frame", 32, "frame",
      "text or json: only catching-up has a frame of its own"}},
    {SCRIPT_ACTION_LEADER_UNKNOWN,
     {"on ingest -> leader-unknown A", 29, "A", "the end of the line or ;"}},
    {SCRIPT_ACTION_RATE_LIMITED,
     {"on ingest -> rate-limited 5", 27, "5", "the end of the line or ;"}},
    {SCRIPT_ACTION_RATE_LIMITED,
     {"on ingest -> rate-limited 11m", 27, "11m",
      "a duration of 10 minutes at most, for example 300ms"}},
    {SCRIPT_ACTION_BACKPRESSURE,
     {"on connect -> backpressure", 15, "backpressure", "an action for a new connection"}},
    {SCRIPT_ACTION_BACKPRESSURE,
     {"on ingest -> backpressure 5 5ms", 29, "5ms", "the end of the line or ;"}},
    {SCRIPT_ACTION_CATCHING_UP,
     {"on fetch -> catching-up", 24, "the end of the line", "an offset"}},
    {SCRIPT_ACTION_CATCHING_UP,
     {"on fetch -> catching-up 5 step", 31, "the end of the line", "what is added each time"}},
    {SCRIPT_ACTION_FETCH_REPLY,
     {"on fetch -> fetch-reply offset=5", 25, "offset",
      "a field of this frame, payload, records or fill"}},
    {SCRIPT_ACTION_FETCH_REPLY,
     {"on fetch -> fetch-reply next_ofset=5", 25, "next_ofset",
      "a field of this frame, payload, records or fill; did you mean next_offset?"}},
    {SCRIPT_ACTION_FETCH_REPLY,
     {"at 5ms -> fetch-reply", 11, "fetch-reply", "an action for a time"}},
    {SCRIPT_ACTION_TOPIC_REPLY, {"on get-topic -> topic-reply id=\"x\"", 32, "\"x\"", "a number"}},
    {SCRIPT_ACTION_TOPIC_REPLY, {"on get-topic -> topic-reply name=5", 34, "5", "a string"}},
    {SCRIPT_ACTION_TOPIC_REPLY,
     {"on get-topic -> topic-reply id=5 json=\"{}\"", 34, "json",
      "members of the document, or json= in their place"}},
    {SCRIPT_ACTION_AUTH_REPLY,
     {"on authenticate -> auth-reply", 30, "the end of the line", "ok or no"}},
    {SCRIPT_ACTION_AUTH_REPLY, {"on authenticate -> auth-reply maybe", 31, "maybe", "ok or no"}},
    {SCRIPT_ACTION_KEEPALIVE,
     {"on out ack -> keepalive", 15, "keepalive", "an action for a frame that goes out"}},
    {SCRIPT_ACTION_KEEPALIVE,
     {"on ingest -> keepalive flags=5", 24, "flags", "the end of the line or ;"}},
    {SCRIPT_ACTION_REPLY,
     {"on ingest -> reply", 19, "the end of the line",
      "keepalive, ack, backpressure, ingest, frame or a command"}},
    {SCRIPT_ACTION_REPLY,
     {"on ingest -> reply akc", 20, "akc",
      "keepalive, ack, backpressure, ingest, frame or a command; did you mean ack?"}},
    {SCRIPT_ACTION_REPLY,
     {"on ingest -> reply ack batch_id=$x", 33, "$x", "a variable that has been bound before"}},
    {SCRIPT_ACTION_RAW, {"on ingest -> raw", 17, "the end of the line", "a string or hex(…)"}},
    {SCRIPT_ACTION_RAW, {"on ingest -> raw 5", 18, "5", "a string or hex(…)"}},
    {SCRIPT_ACTION_APPLY,
     {"on out ack -> apply", 15, "apply", "an action for a frame that goes out"}},
    {SCRIPT_ACTION_APPLY,
     {"on ingest -> apply, no-apply", 21, "no-apply", "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_NO_APPLY,
     {"on connect -> no-apply", 15, "no-apply", "an action for a new connection"}},
    {SCRIPT_ACTION_NO_APPLY, {"on ingest -> no-apply 3", 23, "3", "the end of the line or ;"}},
    {SCRIPT_ACTION_DROP_REPLY, {"at 5ms -> drop-reply", 11, "drop-reply", "an action for a time"}},
    {SCRIPT_ACTION_DROP_REPLY,
     {"on ingest -> drop-reply, dup-reply", 26, "dup-reply",
      "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_DUP_REPLY,
     {"on connect -> dup-reply", 15, "dup-reply", "an action for a new connection"}},
    {SCRIPT_ACTION_DUP_REPLY,
     {"on ingest -> dup-reply, drop-reply", 25, "drop-reply",
      "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_LATE_REPLY,
     {"on ingest -> late-reply", 24, "the end of the line",
      "a duration of 10 minutes at most, for example 300ms"}},
    {SCRIPT_ACTION_LATE_REPLY,
     {"on ingest -> late-reply 2s~1s", 28, "1s", "a duration that is not shorter"}},
    {SCRIPT_ACTION_REORDER,
     {"on ingest -> reorder", 21, "the end of the line", "a number from 1 to 1024"}},
    {SCRIPT_ACTION_REORDER, {"on ingest -> reorder 0", 22, "0", "a number from 1 to 1024"}},
    {SCRIPT_ACTION_REORDER, {"on ingest -> reorder 1025", 22, "1025", "a number from 1 to 1024"}},
    {SCRIPT_ACTION_HOLD, {"on connect -> hold", 15, "hold", "an action for a new connection"}},
    {SCRIPT_ACTION_HOLD,
     {"on ingest -> drop-reply, hold", 26, "hold", "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_RELEASE,
     {"at 5ms -> release", 11, "release", "a hold in some rule, to be released"}},
    {SCRIPT_ACTION_RELEASE,
     {"on connect -> release", 15, "release", "an action for a new connection"}},
    {SCRIPT_ACTION_SET,
     {"on ingest -> set", 17, "the end of the line",
      "a field of this frame, payload, records or fill"}},
    {SCRIPT_ACTION_SET,
     {"on ingest -> set batchid=5", 18, "batchid",
      "a field of this frame, payload, records or fill; did you mean batch_id?"}},
    {SCRIPT_ACTION_SET, {"on ingest -> set batch_id=\"x\"", 27, "\"x\"", "a number"}},
    {SCRIPT_ACTION_SET,
     {"on ingest -> set batch_id=5 crc", 32, "the end of the line", "fix or keep"}},
    {SCRIPT_ACTION_SET,
     {"on ingest -> set header_crc=5 crc fix", 35, "fix",
      "keep: the field is the checksum itself"}},
    {SCRIPT_ACTION_SET,
     {"on connect -> set batch_id=5", 15, "set", "an action for a new connection"}},
    {SCRIPT_ACTION_XOR, {"on ingest -> xor 5", 19, "the end of the line", "a string or hex(…)"}},
    {SCRIPT_ACTION_XOR, {"on ingest -> xor hex(ff)", 18, "hex", "an offset, for example 43 or -1"}},
    {SCRIPT_ACTION_XOR, {"on ingest -> xor 5 \"\"", 20, "\"\"", "one byte at least"}},
    {SCRIPT_ACTION_CUT,
     {"on ingest -> cut -5", 20, "the end of the line", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_CUT, {"on ingest -> cut 5 0", 20, "0", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_INSERT, {"on ingest -> insert 5 5", 23, "5", "a string or hex(…)"}},
    {SCRIPT_ACTION_INSERT, {"at 5ms -> insert 5 \"x\"", 11, "insert", "an action for a time"}},
    {SCRIPT_ACTION_TRUNCATE,
     {"on ingest -> truncate", 22, "the end of the line", "a number up to 4294967295"}},
    {SCRIPT_ACTION_TRUNCATE, {"on ingest -> truncate -1", 23, "-1", "a number up to 4294967295"}},
    {SCRIPT_ACTION_CHOP,
     {"on ingest -> chop", 18, "the end of the line", "a number of bytes from 1, or *"}},
    {SCRIPT_ACTION_CHOP, {"on ingest -> chop 0", 19, "0", "a number of bytes from 1, or *"}},
    {SCRIPT_ACTION_CHOP,
     {"on ingest -> chop *,1", 21, "1", "nothing behind *, which is all the rest"}},
    {SCRIPT_ACTION_CHOP,
     {"on ingest -> chop 43,1,* gap 5", 30, "5",
      "a duration of 10 minutes at most, for example 300ms"}},
    {SCRIPT_ACTION_COALESCE,
     {"on ingest -> coalesce", 22, "the end of the line", "a number from 1 to 1024"}},
    {SCRIPT_ACTION_COALESCE, {"at 5ms -> coalesce 2", 11, "coalesce", "an action for a time"}},
    {SCRIPT_ACTION_DELAY,
     {"on ingest -> delay", 19, "the end of the line",
      "a duration of 10 minutes at most, for example 300ms"}},
    {SCRIPT_ACTION_DELAY,
     {"on ingest -> delay 5ms inorer", 24, "inorer", "the end of the line or ;"}},
    {SCRIPT_ACTION_RATE, {"on ingest -> rate 0", 19, "0", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_RATE, {"on ingest -> rate 5ms", 19, "5ms", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_CLOSE,
     {"on ingest -> close sideways", 20, "sideways", "the end of the line or ;"}},
    {SCRIPT_ACTION_CLOSE, {"on ingest -> close rst after 5", 31, "the end of the line", "bytes"}},
    {SCRIPT_ACTION_REFUSE,
     {"on ingest -> refuse", 14, "refuse", "an action for a frame that comes in"}},
    {SCRIPT_ACTION_REFUSE,
     {"on connect -> refuse, keepalive", 23, "keepalive",
      "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_SILENCE, {"on ingest -> silence 5s", 22, "5s", "the end of the line or ;"}},
    {SCRIPT_ACTION_STOP_READ, {"on ingest -> stop-read 5", 24, "5", "the end of the line or ;"}},
    {SCRIPT_ACTION_STOP_READ,
     {"at 5ms -> stop-read, resume-read", 22, "resume-read",
      "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_RESUME_READ,
     {"on ingest -> resume-read", 14, "resume-read", "an action for a frame that comes in"}},
    {SCRIPT_ACTION_LEADER,
     {"on ingest -> leader", 20, "the end of the line", "the name of a topic"}},
    {SCRIPT_ACTION_LEADER,
     {"on ingest -> leader orders", 27, "the end of the line", "the name of a node, or none"}},
    {SCRIPT_ACTION_LEADER, {"on ingest -> leader orders C", 28, "C", "a node of this scenario"}},
    {SCRIPT_ACTION_LEADER,
     {"on ingest -> leader stock A", 21, "stock", "a topic of this scenario"}},
    {SCRIPT_ACTION_DOWN, {"on ingest -> down", 18, "the end of the line", "the name of a node"}},
    {SCRIPT_ACTION_DOWN, {"on ingest -> down C", 19, "C", "a node of this scenario"}},
    {SCRIPT_ACTION_UP, {"on ingest -> up none", 17, "none", "a node of this scenario"}},
    {SCRIPT_ACTION_LAG,
     {"on ingest -> lag A", 19, "the end of the line", "a number up to 4294967295"}},
    {SCRIPT_ACTION_LAG, {"on ingest -> lag 5", 18, "5", "the name of a node"}},
    {SCRIPT_ACTION_STALE_LEADER,
     {"on ingest -> stale-leader", 26, "the end of the line", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_STALE_LEADER,
     {"on ingest -> stale-leader 0", 27, "0", "a number from 1 to 4294967295"}},
    {SCRIPT_ACTION_ADVANCE,
     {"at 5ms -> advance 5", 19, "5", "a duration of 366 days at most, for example 30s"}},
    {SCRIPT_ACTION_ADVANCE,
     {"at 5ms -> advance 0s", 19, "0s", "a duration of 366 days at most, for example 30s"}},
    {SCRIPT_ACTION_FREEZE, {"on ingest -> freeze 5s", 21, "5s", "the end of the line or ;"}},
    {SCRIPT_ACTION_GOTO, {"on ingest -> goto", 18, "the end of the line", "the name of a state"}},
    {SCRIPT_ACTION_GOTO, {"on ingest -> goto nowhere", 19, "nowhere", "a state of this scenario"}},
    {SCRIPT_ACTION_BARRIER,
     {"on ingest -> barrier", 21, "the end of the line", "the name of a barrier"}},
    {SCRIPT_ACTION_BARRIER, {"on ingest -> barrier 5", 22, "5", "the name of a barrier"}},
    {SCRIPT_ACTION_AWAIT, {"on ingest -> await x", 20, "x", "a barrier that some rule sets"}},
    {SCRIPT_ACTION_AWAIT, {"at 5ms -> await x", 11, "await", "an action for a time"}},
    {SCRIPT_ACTION_LOG,
     {"on ingest -> log", 17, "the end of the line", "a string of 65535 bytes at most"}},
    {SCRIPT_ACTION_LOG, {"on ingest -> log hello", 18, "hello", "a string of 65535 bytes at most"}},
    {SCRIPT_ACTION_FAIL,
     {"on ingest -> fail", 18, "the end of the line", "a string of 65535 bytes at most"}},
    {SCRIPT_ACTION_FAIL,
     {"on ingest -> fail \"x\", pass", 24, "pass", "no action that undoes another of its rule"}},
    {SCRIPT_ACTION_PASS, {"on ingest -> pass \"x\"", 19, "\"x\"", "the end of the line or ;"}},
    {SCRIPT_ACTION_PASS,
     {"on ingest -> pass, fail \"x\"", 20, "fail", "no action that undoes another of its rule"}},
};

static void every_action_is_refused_when_it_is_misused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(misused_actions); i++)
        assert_broken(STAGE, STAGE_LINES, &misused_actions[i].broken);
    for (int kind = 0; kind < SCRIPT_ACTION_COUNT; kind++) {
        bool is_tried = false;
        for (size_t i = 0; i < COUNT_OF(misused_actions); i++)
            is_tried = is_tried || misused_actions[i].kind == (enum script_action_kind)kind;
        if (!is_tried)
            fail_msg("no misuse of %s is tried", script_action_rows[kind].word);
    }
}

/* By its row in actions.def, an action may stand in a rule of this kind or is refused there. */
static void actions_stand_only_where_their_row_says(void **state)
{
    (void)state;
    static const struct {
        unsigned where;
        const char *rule;
    } rules[] = {{SCRIPT_AT_IN, "on in frame -> "},
                 {SCRIPT_AT_OUT, "on out frame -> "},
                 {SCRIPT_AT_CONNECT, "on connect -> "},
                 {SCRIPT_AT_TIME, "at 5ms -> "}};
    for (int kind = 0; kind < SCRIPT_ACTION_COUNT; kind++)
        for (size_t i = 0; i < COUNT_OF(rules); i++) {
            char text[128];
            struct script script = {.cases = {NULL, 0}};
            const struct script_action_row *row = &script_action_rows[kind];
            (void)snprintf(text, sizeof(text), "%s%s", rules[i].rule, row->word);
            (void)script_read(&script, "f", lwp_bytes_text(text));
            bool is_misplaced = false;
            for (size_t e = 0; e < script.errors.count; e++)
                is_misplaced = is_misplaced ||
                               strncmp(script.errors.items[e].expected, "an action for ", 14) == 0;
            if (is_misplaced == ((row->where & rules[i].where) != 0))
                fail_msg("'%s' is %s", text, is_misplaced ? "refused" : "not refused");
            script_done(&script);
        }
}

static const struct broken senseless_rows[] = {
    {"on ingest nth -> ack", 15, "->", "a number from 1 to 4294967295"},
    {"on ingest nth 0 -> ack", 15, "0", "a number from 1 to 4294967295"},
    {"on ingest nth 5 nth 6 -> ack", 17, "nth", "each trigger once"},
    {"on ingest nth 4294967296 -> ack", 15, "4294967296", "a number from 1 to 4294967295"},
    {"on ingest nht 5 -> ack", 11, "nht",
     "a field of this frame, or a word that may follow a frame; did you mean nth?"},
    {"on ingest nth 5 every 2 -> ack", 17, "every", "nth or every, not both"},
    {"on ingest every 0 -> ack", 17, "0", "a number from 1 to 4294967295"},
    {"on ingest every 2s -> ack", 17, "2s", "a number from 1 to 4294967295"},
    {"on ingest every 2 every 2 -> ack", 19, "every", "each trigger once"},
    {"on ingest skip -> ack", 16, "->", "a number from 1 to 4294967295"},
    {"on ingest skip 0 -> ack", 16, "0", "a number from 1 to 4294967295"},
    {"on ingest nth 5 skip 5 -> ack", 17, "skip",
     "an nth beyond what is skipped: this rule is never live"},
    {"on ingest skip 5 skip 5 -> ack", 18, "skip", "each trigger once"},
    {"on ingest times 0 -> ack", 17, "0", "a number from 1 to 4294967295"},
    {"on ingest times x -> ack", 17, "x", "a number from 1 to 4294967295"},
    {"on ingest times 1 times 1 -> ack", 19, "times", "each trigger once"},
    {"on ingest after -> ack", 17, "->", "the name of a rule"},
    {"on ingest after nobody -> ack", 17, "nobody", "the name of a rule, given by as NAME"},
    {"on ingest after x after x -> ack as x", 19, "after", "each trigger once"},
    {"on ingest after x -> ack as x", 1, "x", "after another rule: it waits for itself"},
    {"on ingest p -> ack", 13, "->", "="},
    {"on ingest p=1 -> ack", 13, "1", "a decimal between 0 and 1, for example 0.25"},
    {"on ingest p=0.0 -> ack", 13, "0.0", "a decimal between 0 and 1, for example 0.25"},
    {"on ingest p=1.5 -> ack", 13, "1.5", "a decimal between 0 and 1, for example 0.25"},
    {"on ingest p=0.1234567 -> ack", 13, "0.1234567",
     "a decimal between 0 and 1, for example 0.25"},
    {"on ingest p=0.0234567 -> ack", 13, "0.0234567",
     "a decimal between 0 and 1, for example 0.25"},
    {"state one; state two; on ingest -> goto two", 23, "two",
     "a goto to this state: its rules are never live"},
    {"on ingest p=0.5 of -> ack", 20, "->", "the name of a stream of dice"},
    {"on ingest p=0.5 p=0.5 -> ack", 17, "p", "each trigger once"},
    {"on ingest optional -> ack", 11, "optional", "nth, every, skip, times, after, p= or ->"},
    {"on ingest ack", 11, "ack",
     "a field of this frame, or a word that may follow a frame; did you mean as?"},
    {"on ingest ->", 13, "the end of the line", "an action, for example ack or close rst"},
    {"on ingest -> ack,", 18, "the end of the line", "an action, for example ack or close rst"},
    {"on ingest -> then ack after 5ms", 14, "then", "another action before then"},
    {"on ingest -> ack, then hold after 5ms", 24, "hold", "an answer behind then"},
    {"on ingest -> ack, then keepalive", 33, "the end of the line", "after"},
    {"on ingest -> ack, then keepalive after 5", 40, "5",
     "a duration of 10 minutes at most, for example 300ms"},
    {"on ingest -> ack as", 20, "the end of the line", "a name for the rule"},
    {"on ingest -> ack as text", 21, "text", "a name other than text, json and frame"},
    {"on ingest -> ack as a as b", 26, "b", "a name that no other rule has"},
    {"on ingest -> ack optional optional", 27, "optional", "the end of the line or ;"},
    {"on close -> ack", 4, "close", "a frame or connect: close is for expect and never"},
    {"on -> ack", 4, "->", "keepalive, ack, backpressure, ingest, frame or a command"},
    {"on ingset -> ack", 4, "ingset",
     "keepalive, ack, backpressure, ingest, frame or a command; did you mean ingest?"},
    {"on [C] ingest -> ack", 5, "C", "a node of this scenario"},
    {"on [A ingest -> ack", 7, "ingest", "]"},
    {"on conn 0 ingest -> ack", 9, "0", "a connection's number, from 1"},
    {"on conn ingest -> ack", 16, "->", "keepalive, ack, backpressure, ingest, frame or a command"},
    {"on in connect -> keepalive", 7, "connect", "a frame: connections have no direction"},
    {"on any ingest -> ack", 18, "ack", "an action for frames of both directions"},
    {"on any frame -> resume-read", 17, "resume-read", "an action for frames of both directions"},
    {"on exactly connect -> keepalive", 12, "connect",
     "keepalive, ack, backpressure, ingest, frame or a command"},
    {"on ingest batch=5 -> ack", 11, "batch", "a field of this frame, payload, records or fill"},
    {"on ingest start_offset=5 -> ack", 11, "start_offset",
     "a field of this frame, payload, records or fill"},
    {"on fetch start_offset=\"x\" -> ack", 23, "\"x\"", "a number"},
    {"at -> keepalive", 4, "->", "a duration of 10 minutes at most, for example 300ms"},
    {"at 5 -> keepalive", 4, "5", "a duration of 10 minutes at most, for example 300ms"},
    {"at 11m -> keepalive", 4, "11m", "a duration of 10 minutes at most, for example 300ms"},
    {"at 5ms ingest -> keepalive", 8, "ingest", "[NODE], conn or ->: a time has no triggers"},
    {"at 5ms -> keepalive, hold", 22, "hold", "an action for a time"},
    {"at 5ms nth 3 -> keepalive", 8, "nth", "[NODE], conn or ->: a time has no triggers"},
    {"expect", 7, "the end of the line",
     "keepalive, ack, backpressure, ingest, frame or a command"},
    {"expect count ingest", 20, "the end of the line", "= != < <= > >= or in [a,b]"},
    {"expect ingest >= 0", 18, "0", "a count that can be missed"},
    {"expect ingest in [3,1]", 21, "1", "an upper end that is not less"},
    {"expect ingest in [3", 20, "the end of the line", ","},
    {"expect ingest >= x", 18, "x", "how often, at most 4294967295 times"},
    {"expect ingest within", 21, "the end of the line",
     "a duration of 10 minutes at most, for example 300ms"},
    {"expect ingest after nobody", 21, "nobody", "the name of a rule, given by as NAME"},
    {"expect ingest optional optional", 24, "optional", "the end of the line or ;"},
    {"expect report status=ok", 8, "report", "a case for clients: only they report"},
    {"expect nothing", 8, "nothing", "keepalive, ack, backpressure, ingest, frame or a command"},
    {"never", 6, "the end of the line", "keepalive, ack, backpressure, ingest, frame or a command"},
    {"never ingest >= 3", 14, ">=", "the end of the line or ;"},
    {"never ingest optional", 14, "optional",
     "never without optional: it asks for nothing that could be missing"},
    {"rate ingest", 12, "the end of the line", "<="},
    {"rate ingest >= 50% of the 100ms before", 13, ">=", "<="},
    {"rate ingest <= 50 of the 100ms before", 19, "of", "%"},
    {"rate ingest <= 50% of 100ms before", 23, "100ms", "the"},
    {"rate ingest <= 50% of the 0ms before", 27, "0ms", "a duration, for example 100ms"},
    {"rate ingest <= 50% of the 100ms after", 33, "after", "before"},
    {"rate ingest <= 1001% of the 100ms before", 16, "1001", "a number of per cent up to 1000"},
    {"on ingest -> ack; on ingest -> error 5", 19, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on fetch -> ack as x; on ingest -> ack as x", 43, "x", "a name that no other rule has"},
    {"on ingest -> ack; on ingest nth 3 -> error 5", 19, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on ingest times 3 -> ack; on ingest nth 2 -> error 5", 27, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on ingest every 2 -> ack; on ingest nth 4 -> error 5", 27, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on ingest skip 2 -> ack; on ingest nth 3 times 2 -> error 5", 26, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on frame -> drop-reply; on ingest -> ack", 25, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"on ingest topic_id=3 -> ack; on ingest batch_id=5 topic_id=3 -> ack", 30, "f:4",
     "a rule that can be reached: f:4 always answers in its place"},
    {"state one; state two; on ingest -> ack", 23, "two",
     "a goto to this state: its rules are never live"},
    {"state one; state one", 18, "one", "a state that is not there yet"},
    {"state one; on ingest -> goto two; state two; on ingest -> goto one; state three; on "
     "fetch -> ack",
     82, "three", "a goto to this state: its rules are never live"},
};

static void rules_and_expectations_that_make_no_sense_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(senseless_rows); i++)
        assert_broken(STAGE, STAGE_LINES, &senseless_rows[i]);
}

static const struct broken misplaced_rows[] = {
    {"scenario", 9, "the end of the line", "the scenario's id"},
    {"scenario 5", 10, "5", "the scenario's id"},
    {"scenario a;scenario a", 21, "a", "an id that no other scenario has"},
    {"scenario a b", 12, "b", "the end of the line or ;"},
    {"seed", 5, "the end of the line", "a seed, for example 7"},
    {"seed x", 6, "x", "a seed, for example 7"},
    {"seed 5; seed 6", 9, "seed", "one seed only"},
    {"dialect", 8, "the end of the line", "a dialect: spec, lance or lance-py"},
    {"dialect lnace", 9, "lnace", "a dialect: spec, lance or lance-py; did you mean lance?"},
    {"dialect lance; dialect spec", 16, "dialect", "one dialect only"},
    {"needs", 6, "the end of the line", "a word, or an id in quotes"},
    {"node", 5, "the end of the line", "the name of a node, for example A"},
    {"node A; node A", 14, "A", "a node that is not there yet"},
    {"node none", 6, "none", "a name other than none, which means no node"},
    {"node A leader", 14, "the end of the line", "of"},
    {"node A leader of", 17, "the end of the line", "the name of a topic"},
    {"node A leader of orders", 18, "orders", "a topic of this scenario"},
    {"topic orders; node A leader of orders; node B leader of orders", 57, "orders",
     "a topic that no other node leads"},
    {"topic", 6, "the end of the line", "the name of a topic"},
    {"topic orders id=0", 17, "0", "an id from 1 to 4294967295"},
    {"topic orders id=4294967296", 17, "4294967296", "an id from 1 to 4294967295"},
    {"topic orders id=5 id=5", 19, "id", "one id and one records= only"},
    {"topic orders; topic orders", 21, "orders", "a topic that is not there yet"},
    {"topic orders id=5; topic stock id=5", 26, "stock", "an id that no other topic has"},
    {"topic orders records=", 22, "the end of the line", "("},
    {"topic orders records=1000001", 22, "1000001", "at most 1000000 records"},
    {"topic orders records=lz4(raw(\"x\"))", 22, "lz4",
     "records without lz4: they are those of the log"},
    {"topic orders size=5", 14, "size", "id=NUMBER or records="},
    {"state", 6, "the end of the line", "the name of a state"},
    {"on ingest -> down A", 19, "A", "a node of this scenario"},
    {"on ingest -> redirect A", 23, "A", "a node of this scenario"},
    {"scenario s; text \"x\"", 13, "text", "a case around this"},
    {"scenario s; send ack", 13, "send",
     "a case for servers around this: it is the other side that sends here"},
    {"scenario s; run produce", 13, "run", "a case for clients around this"},
    {"scenario s; given topic $t", 13, "given", "a case around this"},
    {"case LWP-1/x must server; on ingest -> ack", 27, "on",
     "a scenario or a case for clients around this"},
    {"case LWP-1/x must server; seed 5", 27, "seed", "a scenario around this"},
    {"case LWP-1/x must server; run produce", 27, "run", "a case for clients around this"},
    {"case LWP-1/x must client; send ack", 27, "send",
     "a case for servers around this: it is the other side that sends here"},
    {"case LWP-1/x must client; seed 5", 27, "seed", "a scenario around this"},
    {"case LWP-1/x must client; run", 30, "the end of the line",
     "a command of the client under test, for example produce"},
    {"case LWP-1/x must client; run produce topic", 44, "the end of the line", "="},
    {"case LWP-1/x must client; run produce topic<5", 44, "<", "="},
    {"case LWP-1/x must client; run produce topic=$t", 45, "$t",
     "a variable that has been bound before"},
    {"case LWP-1/x must client; expect report", 40, "the end of the line",
     "what the client reports, for example status=ok"},
    {"case LWP-1/x must client; expect report status", 47, "the end of the line",
     "= != < <= > >= or in [a,b]"},
    {"case LWP-1/x must client; expect report status in [1,2]", 51, "[", "= != < <= > or >="},
    {"case LWP-1/x must cleint", 19, "cleint", "server or client"},
    {"dialect spec; on authenticate -> auth-reply ok", 34, "auth-reply",
     "an action that the dialect has: spec knows no tokens (D15)"},
    {"dialect spec; on fetch -> catching-up 5 as frame", 27, "catching-up",
     "another form: spec has no frame for it (D4)"},
    {"dialect lance; on fetch -> error not-leader as json", 28, "error",
     "another form: lance has no error documents (D2)"},
    {"dialect lance-py; on fetch -> catching-up 5 as frame", 31, "catching-up",
     "another form: lance-py takes the frame for records (D4)"},
    {"scenraio x", 1, "scenraio",
     "a statement, for example case, scenario, on, send or expect; did you mean scenario?"},
    {"onn ingest -> ack", 1, "onn",
     "a statement, for example case, scenario, on, send or expect; did you mean on?"},
};

static void set_ups_and_statements_out_of_place_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(misplaced_rows); i++)
        assert_broken("", 0, &misplaced_rows[i]);
}

static void rules_that_can_be_reached_are_not_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "on ingest nth 3 -> ack; on ingest -> error 5",
        "on ingest times 3 -> ack; on ingest nth 4 -> error 5",
        "on ingest times 3 -> ack; on ingest nth 3 times 2 -> error 5",
        "on ingest every 2 -> ack; on ingest nth 3 -> error 5",
        "on ingest every 2 -> ack; on ingest every 3 -> error 5",
        "on ingest skip 2 -> ack; on ingest nth 2 -> error 5",
        "on ingest p=0.5 -> ack; on ingest -> error 5",
        "on fetch -> ack as x; on ingest after x -> ack; on ingest -> error 5",
        "on ingest -> delay 5ms; on ingest -> error 5",
        "on ingest -> ack; on ingest -> delay 5ms",
        "on ingest -> ack; on fetch -> error 5",
        "on ingest -> ack; on out ack -> hold; at 5ms -> release",
        "on ingest -> ack; on [A] ingest -> error 5",
        "on ingest -> ack; on conn 2 ingest -> error 5",
        "on ingest -> ack; on ingest topic_id=1 -> error 5",
        "on ingest topic_id=1 -> ack; on ingest topic_id=2 -> error 5",
        "on ingest batch_id>1 -> ack; on ingest batch_id=1 -> error 5",
        "on ingest batch_id=$x -> ack; on ingest batch_id=$x -> error 5",
        "on ingest records=raw(\"a\") -> ack; on ingest -> error 5",
        "on exactly ack -> drop-reply; on ack -> dup-reply",
        "state one; on ingest -> ack, goto two; state two; on ingest -> error 5",
        "state one; on ingest -> goto two; state two; on ingest -> goto three; state three",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[512];
        struct script script = {.cases = {NULL, 0}};
        (void)snprintf(text, sizeof(text), STAGE "%s\n", rows[i]);
        if (script_read(&script, "f", lwp_bytes_text(text)) != LWP_OK)
            fail_msg("'%s': found %s, expected %s", rows[i],
                     (const char *)script.errors.items[0].found.data,
                     script.errors.items[0].expected);
        script_done(&script);
    }
}

static void all_that_is_wrong_with_a_scenario_is_told_at_once(void **state)
{
    (void)state;
    static const char text[] = "scenario s\n"
                               "  seed x\n"
                               "  node A leader of nothing\n"
                               "  on ingest -> akc; on ingest nht 3 -> ack\n"
                               "  on fetch -> redirect B, goto nowhere, await nobody\n"
                               "  at 5ms -> hold, release\n"
                               "scenario s\n"
                               "  never ingest after none\n";
    static const struct {
        unsigned line;
        unsigned column;
        const char *found;
    } rows[] = {{2, 8, "x"},        {4, 16, "akc"}, {4, 31, "nht"},     {6, 13, "hold"},
                {3, 20, "nothing"}, {5, 24, "B"},   {5, 32, "nowhere"}, {5, 47, "nobody"},
                {7, 10, "s"},       {8, 22, "none"}};
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_INVALID_PAYLOAD);
    assert_int_equal(script.errors.count, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(script.errors.items[i].place.line, rows[i].line);
        assert_int_equal(script.errors.items[i].place.column, rows[i].column);
        assert_string_equal((const char *)script.errors.items[i].found.data, rows[i].found);
    }
    script_done(&script);
}

static void a_broken_statement_is_told_once(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(
        script_read(&script, "f",
                    lwp_bytes_text("on [C] ingest after x -> redirect D, goto y, foo")),
        LWP_INVALID_PAYLOAD);
    assert_int_equal(script.errors.count, 1);
    assert_string_equal((const char *)script.errors.items[0].found.data, "foo");
    script_done(&script);
}

static void a_dialect_that_lacks_something_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned lacking; /* Bits by the order of lwp_dialects[]: spec, lance, lance-py. */
    } rows[] = {
        {"on authenticate -> auth-reply ok", 1},
        {"on fetch -> catching-up 5", 0},
        {"on fetch -> catching-up 5 as frame", 1 | 4},
        {"on fetch -> catching-up 5 as json", 2},
        {"on fetch -> catching-up 5 as text", 0},
        {"on fetch -> error not-leader as json", 2},
        {"case LWP-1/x must client\ntext \"t\"\nreq R1-x\non fetch -> error 5 as json\nexpect "
         "fetch",
         2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (unsigned d = 0; lwp_dialects[d]; d++) {
            struct script script = {.cases = {NULL, 0}};
            assert_int_equal(script_read(&script, "f", lwp_bytes_text(rows[i].text)), LWP_OK);
            const bool lacks = rows[i].lacking >> d & 1;
            assert_int_equal(script_check_dialect(&script, lwp_dialects[d]),
                             lacks ? LWP_INVALID_PAYLOAD : LWP_OK);
            assert_int_equal(script.errors.count, lacks);
            script_done(&script);
        }
}

static void a_scenario_with_a_dialect_of_its_own_is_not_checked_against_another(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    static const char text[] = "dialect lance\non fetch -> catching-up 5 as frame\n";
    assert_int_equal(script_read(&script, "f", lwp_bytes_text(text)), LWP_OK);
    assert_int_equal(script_check_dialect(&script, &lwp_dialect_spec), LWP_OK);
    script_done(&script);
}

/* Runs lint with these arguments, a blank between them; what it printed is in `out`. */
static enum lint_exit lint(const char *arguments, char *out, size_t size)
{
    enum { MOST = 8 };
    char *copy = strdup(arguments), *rest = copy, *argv[MOST] = {NULL};
    int argc = 0;
    while (argc + 1 < MOST && (argv[argc] = strsep(&rest, " ")))
        argc++;
    memset(out, 0, size);
    FILE *file = fmemopen(out, size, "w");
    assert_non_null(file);
    const enum lint_exit status = lint_main(argc, argv, file);
    fclose(file);
    free(copy);
    return status;
}

static char *file_with(char *path, const char *text)
{
    static const char pattern[] = "/tmp/lwp-lint-XXXXXX";
    memcpy(path, pattern, sizeof(pattern));
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void lint_prints_what_is_wrong_and_exits_by_it(void **state)
{
    (void)state;
    char good[32], bad[32], line[128], out[1024], expected[512];
    file_with(good, "on ingest -> ack\non fetch -> catching-up 5 as frame\n");
    file_with(bad, "on ingest -> akc\n\nfoo \x1b\n");
    (void)snprintf(line, sizeof(line), "lint %s", good);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_FINE);
    assert_string_equal(out, "");
    (void)snprintf(line, sizeof(line), "lint %s %s", good, bad);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_BROKEN);
    (void)snprintf(expected, sizeof(expected),
                   "%s:1:14: found akc, expected an action, for example ack or close rst; "
                   "did you mean ack?\n%s:3:1: found foo, expected a statement, for example case, "
                   "scenario, on, send or expect; did you mean on?\n",
                   bad, bad);
    assert_string_equal(out, expected);
    assert_int_equal(unlink(good), 0);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_BROKEN);
    (void)snprintf(line, sizeof(line), "lint %s", good);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_UNREADABLE);
    assert_int_equal(unlink(bad), 0);
}

static void lint_checks_against_a_dialect_if_it_is_told_one(void **state)
{
    (void)state;
    char file[32], line[128], out[1024], expected[256];
    file_with(file, "on ingest -> ack\non fetch -> catching-up 5 as frame\n");
    (void)snprintf(line, sizeof(line), "lint --dialect spec %s", file);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_BROKEN);
    (void)snprintf(expected, sizeof(expected),
                   "%s:2:13: found catching-up, expected another form: spec has no frame for it "
                   "(D4)\n",
                   file);
    assert_string_equal(out, expected);
    (void)snprintf(line, sizeof(line), "lint --dialect lance %s", file);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_FINE);
    assert_int_equal(unlink(file), 0);
}

static void lint_prints_no_character_that_steers_a_terminal(void **state)
{
    (void)state;
    char bad[32], line[64], out[1024];
    file_with(bad, "on ingest -> log \x1b\nlog \"\x1b[2J\x7f\"\non \"\x1b[2J\x7f\" -> ack\n");
    (void)snprintf(line, sizeof(line), "lint %s", bad);
    assert_int_equal(lint(line, out, sizeof(out)), LINT_BROKEN);
    assert_true(strlen(out) > 0);
    for (const char *at = out; *at; at++)
        assert_true(*at == '\n' || (*at >= 0x20 && *at != 0x7f) || (unsigned char)*at >= 0x80);
    assert_int_equal(unlink(bad), 0);
}

static void lint_says_how_it_is_used(void **state)
{
    (void)state;
    static const char *const wrong[] = {"lint", "lint --dialect", "lint --dialect x y",
                                        "lint --foo y"};
    char out[2048];
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(lint(wrong[i], out, sizeof(out)), LINT_BROKEN);
    assert_int_equal(lint("lint --help", out, sizeof(out)), LINT_FINE);
    assert_non_null(strstr(out, "Usage: lwp-mock lint"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_is_refused_when_it_is_misused),
        cmocka_unit_test(actions_stand_only_where_their_row_says),
        cmocka_unit_test(rules_and_expectations_that_make_no_sense_are_told),
        cmocka_unit_test(set_ups_and_statements_out_of_place_are_told),
        cmocka_unit_test(rules_that_can_be_reached_are_not_refused),
        cmocka_unit_test(all_that_is_wrong_with_a_scenario_is_told_at_once),
        cmocka_unit_test(a_broken_statement_is_told_once),
        cmocka_unit_test(a_dialect_that_lacks_something_is_told),
        cmocka_unit_test(a_scenario_with_a_dialect_of_its_own_is_not_checked_against_another),
        cmocka_unit_test(lint_prints_what_is_wrong_and_exits_by_it),
        cmocka_unit_test(lint_checks_against_a_dialect_if_it_is_told_one),
        cmocka_unit_test(lint_prints_no_character_that_steers_a_terminal),
        cmocka_unit_test(lint_says_how_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
