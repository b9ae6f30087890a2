/* SPDX-License-Identifier: MIT */
#include "conformance/probe_state.h"

#include <stdlib.h>

#include "conformance/report.h"
#include "conformance/run_state.h"
#include "lwp/json/json.h"
#include "lwp/wire/errors.h"

/* Not a section of the specification: nobody but the parser sees it. */
static const char head[] = "case LWP-0/probe must server\ntext \"asks\"\nreq R0\n";

enum { SHOWN_FRAMES = 2, SHOWN_SIZE = 160 };

/* Some lines made into one. */
struct joined {
    char text[PROBE_EVIDENCE_SIZE];
    size_t size;
    size_t count;
};

static void join(void *context, const char *line)
{
    struct joined *joined = context;
    if (joined->count++ >= SHOWN_FRAMES)
        return;
    const int added = snprintf(joined->text + joined->size, sizeof(joined->text) - joined->size,
                               "%s%.*s", joined->size ? "; " : "", SHOWN_SIZE, line);
    joined->size += added > 0 ? (size_t)added : 0;
    if (joined->size >= sizeof(joined->text))
        joined->size = sizeof(joined->text) - 1;
}

static void keep_first(struct probe_answer *answer, struct lwp_bytes bytes)
{
    if (answer->first_size)
        return;
    answer->first_size = bytes.size < sizeof(answer->first) ? bytes.size : sizeof(answer->first);
    if (answer->first_size)
        memcpy(answer->first, bytes.data, answer->first_size);
}

static bool is_of_access(uint64_t code)
{
    return code == LWP_ERROR_AUTHENTICATION_REQUIRED || code == LWP_ERROR_ACCESS_DENIED;
}

/* Whether the payload of an error says that one must authenticate. */
static bool refuses_access(struct lwp_bytes payload)
{
    struct lwp_bytes argument = {NULL, 0};
    const enum lwp_text text = lwp_text_recognise(payload, &argument);
    struct lwp_json *json = NULL;
    struct lwp_fault fault;
    struct lwp_error_document document;
    if (text != LWP_TEXT_COUNT)
        return is_of_access(lwp_text_code(text));
    const bool is_error = lwp_json_read(payload, &json, &fault) == LWP_OK &&
                          lwp_json_error(json, &document) == LWP_OK;
    lwp_json_free(json);
    return is_error && is_of_access(document.code);
}

static void look_at(struct probe_answer *answer, struct lwp_bytes bytes)
{
    struct lwp_header header;
    keep_first(answer, bytes);
    if (bytes.size < LWP_HEADER_SIZE)
        return;
    lwp_header_decode(bytes.data, &header);
    answer->wants_token = header.flags == LWP_FLAG_CONTROL &&
                          header.batch_id == LWP_COMMAND_ERROR_RESPONSE &&
                          refuses_access(lwp_bytes_from(bytes, LWP_HEADER_SIZE));
}

/* The last thing that was sent, and what came of it. */
static void describe(const struct probe *probe, const struct result *result,
                     struct probe_answer *answer)
{
    struct joined sent = {.size = 0};
    struct joined came = {.size = 0};
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        const bool ended = event->kind == EVENT_FIN || event->kind == EVENT_RESET;
        if (event->connection == 0)
            continue;
        if (event->kind == EVENT_SENT) {
            sent = came = (struct joined){.size = 0};
            report_decode(&probe->spoken, event->bytes, join, &sent);
        } else if (event->kind == EVENT_RECEIVED) {
            look_at(answer, event->bytes);
            report_decode(&probe->spoken, event->bytes, join, &came);
        } else if (ended) {
            join(&came, report_event_word(event->kind));
        }
    }
    char nothing[64];
    (void)snprintf(nothing, sizeof(nothing), "nothing in %u s",
                   (unsigned)(DEFAULT_WAIT_NS / 1000000000) * probe->run.time_factor);
    if (came.count == 0)
        join(&came, nothing);
    (void)snprintf(answer->came, sizeof(answer->came), "%s", came.text);
    (void)snprintf(answer->evidence, sizeof(answer->evidence), "%.*s -> %.*s", SHOWN_SIZE,
                   sent.text, SHOWN_SIZE, came.text);
}

static enum probe_reply reply_of(const struct probe *probe, const struct result *result,
                                 const struct probe_answer *answer)
{
    const bool is_judged = result->verdict == VERDICT_PASS || result->verdict == VERDICT_FAIL ||
                           result->verdict == VERDICT_TIMEOUT;
    if (!is_judged || (answer->wants_token && !probe->run.auth_token))
        return PROBE_UNASKED;
    return result->verdict == VERDICT_PASS ? PROBE_YES : PROBE_NO;
}

static void run_question(struct probe *probe, const struct script_case *question,
                         struct probe_answer *answer)
{
    struct script_arena arena = {NULL, 0, false};
    struct result result;
    run_case(&probe->run, question, ++probe->ordinal, &arena, &result);
    describe(probe, &result, answer);
    answer->reply = reply_of(probe, &result, answer);
    answer->is_silent = result.verdict == VERDICT_TIMEOUT;
    if (result.verdict == VERDICT_ERROR)
        (void)snprintf(answer->evidence, sizeof(answer->evidence), "%.*s", SHOWN_SIZE,
                       result.reason);
    script_arena_done(&arena);
}

/* Makes a case of the steps and runs it. */
static void run_steps(struct probe *probe, const char *steps, struct probe_answer *answer)
{
    struct script script = {.arena = {NULL, 0, false}};
    char *text = NULL;
    const int size = asprintf(&text, "%s%s\n", head, steps);
    if (size < 0)
        return;
    const struct lwp_bytes bytes = {(const uint8_t *)text, (size_t)size};
    if (script_read(&script, "probe.def", bytes) == LWP_OK)
        run_question(probe, &script.cases.items[0], answer);
    else if (script.errors.count)
        (void)snprintf(answer->evidence, sizeof(answer->evidence),
                       "the question can not be read: expected %s",
                       script.errors.items[0].expected);
    free(text);
    script_done(&script);
}

void probe_ask(struct probe *probe, const char *steps, struct probe_answer *answer)
{
    *answer = (struct probe_answer){.reply = PROBE_UNASKED};
    const char *why = probe->is_dead ? "the server does not answer any more" : "no time is left";
    if (probe->is_dead || lwp_world_now(probe->run.world) >= probe->deadline_ns) {
        (void)snprintf(answer->evidence, sizeof(answer->evidence), "%s", why);
        return;
    }
    run_steps(probe, steps, answer);
}

static const char *keep(struct probe *probe, const char *text)
{
    return text ? (const char *)script_arena_copy(&probe->arena, lwp_bytes_text(text)).data : NULL;
}

struct probe_finding *probe_found(struct probe *probe, enum probe_use use, const char *key,
                                  const char *value, const char *evidence)
{
    struct probe_finding *finding = SCRIPT_ADD(&probe->arena, &probe->findings);
    if (finding)
        *finding = (struct probe_finding){
            .use = use,
            .key = keep(probe, key),
            .value = keep(probe, value),
            .evidence = keep(probe, evidence),
        };
    return finding;
}
