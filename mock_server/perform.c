/* SPDX-License-Identifier: MIT */
/* What scripts do to a connection. */
#include "mock_server/perform.h"

#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault.h"
#include "mock_server/compose.h"

/* How long joined frames wait for the others at most, so that a script's mistake ends as a failure and
 * not in silence. */
#define COALESCE_NS LWP_SECOND_NS

static const enum lwp_close ways_to_close[] = {
    [SCRIPT_END_FIN] = LWP_CLOSE_FIN,
    [SCRIPT_END_RST] = LWP_CLOSE_RST,
    [SCRIPT_END_HALF] = LWP_CLOSE_HALF,
};

/* What is queued still goes out; the peer is read on. */
static void halve(struct connection *connection)
{
    connection->halved = true;
    lwp_link_close(&connection->link, LWP_CLOSE_HALF);
}

static void close_now(struct connection *connection, const struct script_action *close,
                      uint64_t now_ns)
{
    connection->closed_by = LWP_BY_RULE;
    connection->closed_rule = stage_rule_id(connection->host->stage, close);
    if (close->end == SCRIPT_END_RST)
        connection_reset(connection, now_ns);
    else if (close->end == SCRIPT_END_FIN)
        connection_hang_up(connection, now_ns);
    else
        halve(connection);
}

bool connection_close_before(struct connection *connection, const struct stage_decision *decision,
                             uint64_t now_ns)
{
    close_now(connection, decision->close, now_ns);
    return false;
}

/* close … after N bytes, counted from now. */
static void close_later(struct connection *connection, const struct script_action *close,
                        uint64_t now_ns)
{
    struct lwp_transport *faults = connection_faults(connection, now_ns);
    connection->closed_rule = stage_rule_id(connection->host->stage, close);
    if (faults)
        lwp_fault_close_after(faults, ways_to_close[close->end],
                              lwp_fault_written(faults) + close->number);
    else
        connection_hang_up(connection, now_ns);
}

static void refuse(struct connection *connection, const struct script_rule *rule, uint64_t now_ns)
{
    connection->closed_by = LWP_BY_RULE;
    connection->closed_rule = rule->id;
    connection_reset(connection, now_ns);
}

/* Faults that stay. What was answered before has nothing to do with them, also if it is of the same read
 * batch. */
static void perform_standing(struct connection *connection, const struct script_action *action,
                             uint64_t now_ns)
{
    (void)lwp_link_write(&connection->link);
    struct lwp_transport *faults = connection_faults(connection, now_ns);
    if (!faults)
        connection_hang_up(connection, now_ns);
    else if (action->kind == SCRIPT_ACTION_COALESCE)
        lwp_fault_coalesce(faults, (size_t)action->number, COALESCE_NS);
    else if (action->kind == SCRIPT_ACTION_RATE)
        lwp_fault_rate(faults, action->number);
    else if (action->kind == SCRIPT_ACTION_SILENCE)
        lwp_fault_silence(faults, true);
}

static void perform_transport(struct connection *connection, const struct script_rule *rule,
                              const struct script_action *action, uint64_t now_ns)
{
    switch ((int)action->kind) {
    case SCRIPT_ACTION_REFUSE:
        refuse(connection, rule, now_ns);
        break;
    case SCRIPT_ACTION_STOP_READ:
        connection->stopped = true;
        break;
    case SCRIPT_ACTION_RESUME_READ:
        connection->resumed = connection->stopped;
        connection->stopped = false;
        break;
    case SCRIPT_ACTION_CLOSE:
        if (action->has_number)
            close_later(connection, action, now_ns);
        else
            close_now(connection, action, now_ns);
        break;
    default:
        perform_standing(connection, action, now_ns);
        break;
    }
}

void perform_once(const struct connection_host *host, const struct script_rule *rule,
                  const struct script_action *action, uint64_t now_ns)
{
    struct lwp_event note = {.kind = LWP_EVENT_NOTE, .time_ns = now_ns, .text = action->bytes};
    note.rule = rule->id;
    note.scenario = stage_scenario_id(host->stage, rule);
    if (action->kind == SCRIPT_ACTION_LOG && lwp_events_wanted(host->events))
        lwp_events_add(host->events, &note);
    stage_perform(host->stage, rule, action);
    host->perform(host->owner, rule, action, now_ns);
}

static void perform(struct connection *connection, const struct script_rule *rule,
                    const struct script_action *action, uint64_t now_ns)
{
    const enum script_action_group group = script_action_rows[action->kind].group;
    if (group == SCRIPT_TRANSPORT)
        perform_transport(connection, rule, action, now_ns);
    else
        perform_once(connection->host, rule, action, now_ns);
}

/* A line for each rule that had a part in it; without a connection for a rule at a time. */
static void tell_rule(const struct connection_host *host, const struct connection *connection,
                      const struct script_rule *rule, uint64_t now_ns)
{
    char text[256];
    struct lwp_event event = {.kind = LWP_EVENT_RULE, .rule = rule->id, .time_ns = now_ns};
    if (!lwp_events_wanted(host->events))
        return;
    compose_summary(rule, text, sizeof(text));
    event.scenario = stage_scenario_id(host->stage, rule);
    event.text = lwp_bytes_text(text);
    if (connection)
        connection_tell(connection, &event);
    else
        lwp_events_add(host->events, &event);
}

void perform_begin_timed(const struct connection_host *host, const struct script_rule *rule,
                         uint64_t now_ns)
{
    tell_rule(host, NULL, rule, now_ns);
    for (size_t i = 0; i < rule->actions.count; i++) {
        const enum script_action_group group =
            script_action_rows[rule->actions.items[i].kind].group;
        if (group == SCRIPT_CLUSTER || group == SCRIPT_FLOW)
            perform_once(host, rule, &rule->actions.items[i], now_ns);
    }
}

static bool is_about_cluster(const struct script_action *action)
{
    return script_action_rows[action->kind].group == SCRIPT_CLUSTER;
}

void connection_perform_all(struct connection *connection, const struct stage_decision *decision,
                            uint64_t now_ns)
{
    for (unsigned i = 0; i < decision->fired_count; i++)
        tell_rule(connection->host, connection, decision->fired[i], now_ns);
    for (unsigned i = 0; i < decision->action_count && !connection->done; i++)
        if (!is_about_cluster(decision->actions[i]))
            perform(connection, decision->rules[i], decision->actions[i], now_ns);
}

void connection_perform_cluster(struct connection *connection,
                                const struct stage_decision *decision, uint64_t now_ns)
{
    for (unsigned i = 0; i < decision->action_count; i++)
        if (is_about_cluster(decision->actions[i]))
            perform(connection, decision->rules[i], decision->actions[i], now_ns);
}

/* An answer goes out: now, later, or among the acks if one of them comes before it. */
static void give(struct connection *connection, const struct script_action *action,
                 struct parcel *parcel, bool behind_ack, uint64_t now_ns)
{
    const struct owed owed = {.parcel = parcel};
    if (!parcel)
        connection_hang_up(connection, now_ns);
    else if (!action->is_then && (behind_ack || action->kind == SCRIPT_ACTION_ACK))
        connection_owe(connection, &owed, now_ns);
    else
        connection_post(connection, parcel, now_ns);
}

static const struct script_action *last_answer(const struct script_rule *rule)
{
    const struct script_action *last = NULL;
    for (size_t i = 0; i < rule->actions.count; i++)
        if (script_action_rows[rule->actions.items[i].kind].group == SCRIPT_ANSWER)
            last = &rule->actions.items[i];
    return last;
}

/* The fate of one of a rule's answers: interim ones have none of their own, and the close comes
 * behind the last. */
static void give_fate(struct parcel *parcel, const struct stage_decision *decision,
                      const struct script_action *action, uint64_t wait_ns)
{
    if (!stage_is_interim(action->kind))
        parcel->fate = decision->fate;
    if (action == last_answer(decision->answering) && decision->close)
        parcel->fate.close = decision->close;
    parcel->fate.late_ns += wait_ns;
    parcel->fate.rule = decision->answering;
    parcel->fate.set = true;
}

/* Gives the answers of the deciding rule, in order; those behind a `then` wait for the one before. */
static void answer(struct connection *connection, const struct stage_decision *decision,
                   const struct lwp_frame *asked, uint64_t now_ns)
{
    const struct script_rule *rule = decision->answering;
    uint64_t wait_ns = 0;
    bool behind_ack = false;
    for (size_t i = 0; i < rule->actions.count && !connection->link.closing; i++) {
        const struct script_action *action = &rule->actions.items[i];
        if (script_action_rows[action->kind].group != SCRIPT_ANSWER)
            continue;
        const struct composing composing = {connection, rule, action, asked, decision->turn};
        struct parcel *parcel = compose(&composing);
        wait_ns += action->is_then ? action->then_after_ns : 0;
        if (parcel)
            give_fate(parcel, decision, action, wait_ns);
        give(connection, action, parcel, behind_ack, now_ns);
        behind_ack = behind_ack || action->kind == SCRIPT_ACTION_ACK;
    }
}

/* The normal effect, if there is to be any, with the fate of its answer. */
static void handle_fated(struct connection *connection, const struct stage_decision *decision,
                         const struct lwp_frame *frame, uint64_t now_ns)
{
    if (!decision->handles || connection->link.closing)
        return;
    connection->fate = &decision->fate;
    connection->muted = !decision->replies;
    connection_handle(connection, frame, now_ns);
    connection->fate = NULL;
    connection->muted = false;
}

bool connection_play(struct connection *connection, const struct lwp_frame *frame, uint64_t now_ns)
{
    struct stage_decision decision;
    if (!stage_is_set(connection->host->stage) ||
        !stage_frame_in(connection->host->stage, &connection->peer, frame, now_ns, &decision))
        return false;
    connection_perform_all(connection, &decision, now_ns);
    /* Where the normal answer is given as well, it comes behind. */
    const bool before = decision.answering && decision.replies;
    if (before)
        answer(connection, &decision, frame, now_ns);
    handle_fated(connection, &decision, frame, now_ns);
    if (decision.answering && !before)
        answer(connection, &decision, frame, now_ns);
    if (decision.close && !decision.answering && !connection->link.closing)
        close_now(connection, decision.close, now_ns);
    connection_perform_cluster(connection, &decision, now_ns);
    return true;
}

/* What a rule on the connection's beginning says of answers holds for all of them. */
static void keep_standing(struct connection *connection, const struct stage_fate *fate,
                          uint64_t now_ns)
{
    if (fate->close)
        close_later(connection, fate->close, now_ns);
    if (!fate->chop && !fate->late_ns && !fate->in_order_ns)
        return;
    connection->standing = malloc(sizeof(*connection->standing));
    if (!connection->standing) {
        connection_hang_up(connection, now_ns);
        return;
    }
    stage_fate_init(connection->standing);
    connection->standing->set = true;
    connection->standing->chop = fate->chop;
    connection->standing->late_ns = fate->late_ns;
    connection->standing->in_order_ns = fate->in_order_ns;
    connection->standing->rule = fate->rule;
}

void connection_play_beginning(struct connection *connection, uint64_t now_ns)
{
    struct stage_decision decision;
    if (!stage_is_set(connection->host->stage) ||
        !stage_connected(connection->host->stage, &connection->peer, now_ns, &decision))
        return;
    connection_perform_all(connection, &decision, now_ns);
    connection_perform_cluster(connection, &decision, now_ns);
    if (connection->done)
        return;
    keep_standing(connection, &decision.fate, now_ns);
    decision.fate.chop = NULL;
    decision.fate.close = NULL;
    decision.fate.late_ns = 0;
    decision.fate.in_order_ns = 0;
    if (decision.answering)
        answer(connection, &decision, NULL, now_ns);
    else if (decision.close)
        close_now(connection, decision.close, now_ns);
}

/* An answer at a time; `*wait_ns` is how long those before it have waited. */
static void answer_timed(struct connection *connection, const struct script_rule *rule,
                         const struct script_action *action, uint64_t *wait_ns, uint64_t now_ns)
{
    const struct composing composing = {connection, rule, action, NULL, 0};
    struct parcel *parcel = compose(&composing);
    *wait_ns += action->is_then ? action->then_after_ns : 0;
    if (parcel) {
        parcel->fate.late_ns = *wait_ns;
        parcel->fate.rule = rule;
        parcel->fate.set = true;
    }
    give(connection, action, parcel, false, now_ns);
}

void connection_perform_timed(struct connection *connection, const struct script_rule *rule,
                              uint64_t now_ns)
{
    uint64_t wait_ns = 0;
    for (size_t i = 0; i < rule->actions.count && !connection->link.closing; i++) {
        const struct script_action *action = &rule->actions.items[i];
        const enum script_action_group group = script_action_rows[action->kind].group;
        if (group == SCRIPT_ANSWER)
            answer_timed(connection, rule, action, &wait_ns, now_ns);
        else if (group == SCRIPT_TRANSPORT)
            perform_transport(connection, rule, action, now_ns);
        else if (action->kind == SCRIPT_ACTION_RELEASE)
            connection_release(connection, now_ns);
    }
}
