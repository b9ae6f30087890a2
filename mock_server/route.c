/* SPDX-License-Identifier: MIT */
/* What a connection to a node of a cluster does with a frame that another node may have to answer. */
#include "lwp/net/clock.h"
#include "mock_server/connection.h"

static struct lwp_bytes topic_of_command(const struct connection *connection, int command,
                                         struct lwp_bytes payload, bool *exists)
{
    struct lwp_message message = {.command = 0};
    struct lwp_bytes rest;
    struct lwp_fault fault;
    *exists = true;
    if (command < 0 || !lwp_command_of((uint8_t)command) ||
        lwp_message_decode((uint8_t)command, payload, &message, &rest, &fault) ==
            LWP_INVALID_LENGTH)
        return (struct lwp_bytes){NULL, 0};
    if (message.name.size)
        return message.name;
    const struct lwp_bytes name = lwp_broker_topic_name(connection->host->broker, message.topic_id);
    *exists = name.size || message.topic_id == 0;
    return name;
}

static struct lwp_cluster_request request_of(const struct connection *connection,
                                             const struct lwp_frame *frame)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    struct lwp_cluster_request request = {.dialect = dialect, .payload_size = frame->payload.size};
    if (lwp_frame_kind(frame, dialect) == LWP_KIND_INGEST) {
        request.command = LWP_CLUSTER_INGEST;
        request.topic = lwp_broker_topic_name(connection->host->broker, frame->header.topic_id);
        request.topic_exists = request.topic.size || frame->header.topic_id == 0;
        return request;
    }
    request.command = lwp_frame_command(frame, dialect);
    request.topic =
        topic_of_command(connection, request.command, frame->payload, &request.topic_exists);
    return request;
}

/* What the node says of itself; asking uses up a stale answer, so only where it is wanted. */
static void look(struct connection *connection, const struct lwp_cluster_request *request,
                 const struct lwp_route *route)
{
    const struct connection_host *host = connection->host;
    host->view->lag_bytes = route->lag_bytes;
    if (request->command == request->dialect->cluster_status_command)
        (void)lwp_cluster_tell(host->cluster, connection->node, host->peers, &host->view->status);
    connection->asker.view = host->view;
}

/* What becomes of the answer, and the time that the way to another node takes. */
static void late_fate(const struct connection *connection, const struct lwp_route *route,
                      struct stage_fate *fate)
{
    stage_fate_init(fate);
    if (connection->fate)
        *fate = *connection->fate;
    fate->late_ns += route->delay_ns;
    fate->set = true;
}

/* Handles the frame with a fate of its own. */
static void handle_late(struct connection *connection, const struct lwp_frame *frame,
                        const struct lwp_route *route, uint64_t now_ns)
{
    const struct stage_fate *outer = connection->fate;
    struct stage_fate fate;
    late_fate(connection, route, &fate);
    connection->fate = &fate;
    connection_handle_here(connection, frame, now_ns);
    /* One frame at a time: its ack does not wait for the end of the batch. */
    if (route->is_blocking)
        connection_pay(connection, now_ns);
    connection->fate = outer;
}

static void refuse_late(struct connection *connection, const struct lwp_frame *frame,
                        const struct lwp_route *route, uint64_t now_ns)
{
    const bool was_muted = connection->muted;
    const bool said = route->drops_acks && connection->batch_lost;
    struct stage_fate fate;
    struct lwp_reply reply;
    const enum lwp_status status = lwp_broker_error(
        connection->host->broker, connection->asker.dialect, route->text, route->argument, &reply);
    late_fate(connection, route, &fate);
    if (status != LWP_OK) {
        connection_hang_up(connection, now_ns);
        return;
    }
    const struct lwp_frame refusal = lwp_message_frame(reply.command, reply.payload);
    if (!said)
        connection_send(connection, &refusal, &fate, now_ns);
    if (route->applies) {
        connection->muted = true;
        connection_handle_here(connection, frame, now_ns);
        connection->muted = was_muted;
    }
    if (route->drops_acks) {
        connection_default(connection);
        connection->batch_lost = true;
    }
}

void connection_route(struct connection *connection, const struct lwp_frame *frame, uint64_t now_ns)
{
    const struct lwp_cluster_request request = request_of(connection, frame);
    struct lwp_route route;
    if (lwp_cluster_route(connection->host->cluster, connection->node, &request, now_ns, &route) !=
        LWP_OK) {
        connection_handle_here(connection, frame, now_ns);
        return;
    }
    look(connection, &request, &route);
    if (route.kind == LWP_ROUTE_REFUSE)
        refuse_late(connection, frame, &route, now_ns);
    else if (route.delay_ns || route.is_blocking)
        handle_late(connection, frame, &route, now_ns);
    else
        connection_handle_here(connection, frame, now_ns);
    /* What a lost quorum takes is waited for behind the whole batch. */
    const uint64_t answered_ns = lwp_clock_later(now_ns, route.delay_ns);
    if (route.is_blocking && connection->busy_until_ns < answered_ns)
        connection->busy_until_ns = answered_ns;
}
