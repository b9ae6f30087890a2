/* SPDX-License-Identifier: MIT */
/* Who answers a request in a cluster, what those say who do not, and what scripts change. */
#include "mock_server/cluster.h"

#include "lwp/tests/support.h"

#define MS UINT64_C(1000000)
#define TEXT(literal) lwp_bytes_text(literal)

/* What the last change was noted as, and how many there were. */
struct notes {
    char last[512];
    size_t count;
};

static void take_note(void *context, struct lwp_bytes text)
{
    struct notes *notes = context;
    assert_true(text.size < sizeof(notes->last));
    memcpy(notes->last, text.data, text.size);
    notes->last[text.size] = 0;
    notes->count++;
}

/* Nodes A, B and C; A leads. The next call makes it anew. */
static struct lwp_cluster *three_nodes(void)
{
    static struct lwp_cluster cluster;
    lwp_cluster_init(&cluster, &(struct lwp_cluster_options){.forward_ns = 6 * MS});
    for (const char *name = "A\0B\0C\0"; *name; name += 2)
        assert_int_equal(lwp_cluster_add(&cluster, TEXT(name)), LWP_OK);
    for (size_t i = 0; i < 3; i++) {
        char address[] = "127.0.0.1:9000";
        address[strlen(address) - 1] = (char)('0' + i);
        assert_int_equal(lwp_cluster_set_address(&cluster, i, TEXT(address)), LWP_OK);
    }
    return &cluster;
}

/* The same, and what is noted. */
static struct lwp_cluster *three_noted_nodes(struct notes *notes)
{
    struct lwp_cluster *cluster = three_nodes();
    *notes = (struct notes){.count = 0};
    cluster->options.note = take_note;
    cluster->options.context = notes;
    return cluster;
}

static struct lwp_cluster_request request_of(int command)
{
    return (struct lwp_cluster_request){.dialect = &lwp_dialect_lance,
                                        .command = command,
                                        .topic = TEXT("orders"),
                                        .topic_exists = true,
                                        .payload_size = 10};
}

static struct lwp_route route_of(struct lwp_cluster *cluster, size_t node,
                                 struct lwp_cluster_request request)
{
    struct lwp_route route;
    assert_int_equal(lwp_cluster_route(cluster, node, &request, 0, &route), LWP_OK);
    return route;
}

static void assert_does(const struct lwp_route *route, enum lwp_route_kind kind, size_t node,
                        uint64_t delay_ns)
{
    assert_int_equal(route->kind, kind);
    assert_int_equal(route->node, node);
    assert_int_equal(route->delay_ns, delay_ns);
    assert_int_equal(route->is_blocking, kind == LWP_ROUTE_FORWARD || delay_ns != 0);
    assert_false(route->applies);
    assert_false(route->drops_acks);
}

/* The error as it is said in dialect `lance`, after so long. */
static void assert_refuses(const struct lwp_route *route, const char *text, uint64_t delay_ns)
{
    char said[512];
    struct lwp_writer out = lwp_writer_on(said, sizeof(said));
    assert_int_equal(route->kind, LWP_ROUTE_REFUSE);
    lwp_text_write(route->text, false, route->argument, &out);
    assert_bytes_equal(lwp_writer_bytes(&out), TEXT(text));
    assert_int_equal(route->delay_ns, delay_ns);
}

static const char NOT_READY[] = "FORWARD_FAILED: Leader not ready (apply/metadata catch-up)";
static const char NO_LEADER[] = "FORWARD_FAILED: Leader address unknown";
static const char NO_CONTACT[] =
    "FORWARD_FAILED: Failed to connect to leader: Connection refused (os error 111)";
static const char NO_QUORUM[] = "FORWARD_FAILED: Quorum not reached - required 2 ACKs, got 1";

/* The deployed server's table, restated: does the request wait for a leader that is ready, and is it
 * forwarded by a follower. */
static const struct {
    int command;
    bool wants_ready;
    bool is_forwarded;
} OPERATIONS[] = {
    {LWP_CLUSTER_INGEST, false, true},
    {LWP_COMMAND_CREATE_TOPIC, true, true},
    {LWP_COMMAND_DELETE_TOPIC, true, true},
    {LWP_COMMAND_LIST_TOPICS, false, false},
    {LWP_COMMAND_GET_TOPIC, true, true},
    {LWP_COMMAND_SET_RETENTION, true, true},
    {LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, true, true},
    {LWP_COMMAND_GET_CLUSTER_STATUS, false, false},
    {LWP_COMMAND_AUTHENTICATE, false, false},
    {LWP_COMMAND_FETCH, true, true},
    {LWP_COMMAND_SUBSCRIBE, false, false},
    {LWP_COMMAND_UNSUBSCRIBE, false, false},
    {LWP_COMMAND_COMMIT_OFFSET, false, false},
    {LWP_COMMAND_ERROR_RESPONSE, false, false},
    {0x77, false, false},
    {-1, false, false},
};

static void a_ready_leader_does_everything_itself(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
        const struct lwp_route route = route_of(cluster, 0, request_of(OPERATIONS[i].command));
        assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
    }
}

static void a_follower_forwards_what_is_the_leaders(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
        const struct lwp_route route = route_of(cluster, 2, request_of(OPERATIONS[i].command));
        if (OPERATIONS[i].is_forwarded)
            assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
        else
            assert_does(&route, LWP_ROUTE_LOCAL, 2, 0);
    }
}

static void a_leader_that_is_not_ready_refuses_commands_and_takes_ingests(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_ready(cluster, TEXT("A"), false), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
        const struct lwp_route at_leader = route_of(cluster, 0, request_of(OPERATIONS[i].command));
        const struct lwp_route relayed = route_of(cluster, 1, request_of(OPERATIONS[i].command));
        if (OPERATIONS[i].wants_ready) {
            assert_refuses(&at_leader, NOT_READY, 0);
            assert_refuses(&relayed, NOT_READY, 6 * MS);
        } else {
            assert_does(&at_leader, LWP_ROUTE_LOCAL, 0, 0);
        }
    }
    assert_int_equal(lwp_cluster_ready(cluster, TEXT("A"), true), LWP_OK);
    const struct lwp_route route = route_of(cluster, 0, request_of(LWP_COMMAND_FETCH));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
}

static void without_a_leader_forwarding_gives_up_after_its_retries(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("none")), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
        const struct lwp_route route = route_of(cluster, 0, request_of(OPERATIONS[i].command));
        if (OPERATIONS[i].is_forwarded) {
            assert_refuses(&route, NO_LEADER, 150 * MS);
            assert_true(route.is_blocking);
        } else {
            assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
        }
    }
    struct lwp_cluster_request other = request_of(LWP_COMMAND_FETCH);
    other.topic = TEXT("stock");
    const struct lwp_route route = route_of(cluster, 0, other);
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
}

static void a_leader_that_is_down_refuses_the_connection(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_down(cluster, TEXT("A")), LWP_OK);
    struct lwp_route route = route_of(cluster, 1, request_of(LWP_COMMAND_FETCH));
    assert_refuses(&route, NO_CONTACT, 0);
    assert_int_equal(lwp_cluster_up(cluster, TEXT("A")), LWP_OK);
    route = route_of(cluster, 1, request_of(LWP_COMMAND_FETCH));
    assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
}

static void a_node_without_peers_is_never_elected(void **state)
{
    (void)state;
    struct lwp_cluster cluster;
    lwp_cluster_init(&cluster, &(struct lwp_cluster_options){.forward_ns = 0});
    assert_int_equal(lwp_cluster_add(&cluster, TEXT("alone")), LWP_OK);
    struct lwp_route route = route_of(&cluster, 0, request_of(LWP_COMMAND_CREATE_TOPIC));
    assert_refuses(&route, NO_LEADER, 150 * MS);
    route = route_of(&cluster, 0, request_of(LWP_COMMAND_LIST_TOPICS));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
    assert_int_equal(lwp_cluster_leader(&cluster, TEXT("*"), TEXT("alone")), LWP_OK);
    route = route_of(&cluster, 0, request_of(LWP_COMMAND_CREATE_TOPIC));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
}

static void without_a_quorum_ingests_are_stored_and_refused_after_5_s(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_down(cluster, TEXT("B")), LWP_OK);
    struct lwp_route route = route_of(cluster, 0, request_of(LWP_CLUSTER_INGEST));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0); /* Two of three are enough. */
    assert_int_equal(lwp_cluster_down(cluster, TEXT("C")), LWP_OK);
    for (size_t node = 0; node < 2; node++) {
        route = route_of(cluster, node, request_of(LWP_CLUSTER_INGEST));
        assert_refuses(&route, NO_QUORUM, 5000 * MS + node * 6 * MS);
        assert_int_equal(route.node, 0);
        assert_true(route.applies);
        assert_true(route.drops_acks);
        assert_true(route.is_blocking);
    }
    assert_int_equal(lwp_cluster_up(cluster, TEXT("C")), LWP_OK);
    route = route_of(cluster, 0, request_of(LWP_CLUSTER_INGEST));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
}

static void half_of_the_nodes_are_no_quorum(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_add(cluster, TEXT("D")), LWP_OK);
    (void)lwp_cluster_down(cluster, TEXT("B"));
    assert_true(lwp_cluster_has_quorum(cluster));
    (void)lwp_cluster_down(cluster, TEXT("C"));
    assert_false(lwp_cluster_has_quorum(cluster));
}

static void what_a_leader_does_not_replicate_needs_no_quorum(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_down(cluster, TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_down(cluster, TEXT("C")), LWP_OK);
    struct lwp_cluster_request empty = request_of(LWP_CLUSTER_INGEST);
    struct lwp_cluster_request unknown = request_of(LWP_CLUSTER_INGEST);
    struct lwp_cluster_request nameless = request_of(LWP_COMMAND_CREATE_TOPIC);
    empty.payload_size = 0;
    unknown.topic_exists = false;
    nameless.topic.size = 0;
    const struct lwp_cluster_request requests[] = {
        empty,
        unknown,
        nameless,
        request_of(LWP_COMMAND_DELETE_TOPIC),
        request_of(LWP_COMMAND_GET_TOPIC),
        request_of(LWP_COMMAND_SET_RETENTION),
        request_of(LWP_COMMAND_FETCH),
    };
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        const struct lwp_route route = route_of(cluster, 0, requests[i]);
        assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
    }
}

static void topics_can_not_be_made_without_a_quorum(void **state)
{
    (void)state;
    static const int commands[] = {LWP_COMMAND_CREATE_TOPIC,
                                   LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION};
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_down(cluster, TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_down(cluster, TEXT("C")), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct lwp_cluster_request request = request_of(commands[i]);
        struct lwp_route route = route_of(cluster, 0, request);
        assert_refuses(&route,
                       "Failed to replicate existing topic convergence: Topic operation "
                       "replication quorum not reached",
                       41500 * MS);
        request.topic_exists = false;
        route = route_of(cluster, 0, request);
        assert_refuses(&route,
                       "Failed to replicate topic creation: Topic operation replication quorum "
                       "not reached",
                       41500 * MS);
        assert_false(route.applies);
        assert_false(route.drops_acks);
        assert_true(route.is_blocking);
    }
}

static void an_empty_ingest_through_a_follower_times_out(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    struct lwp_cluster_request request = request_of(LWP_CLUSTER_INGEST);
    request.payload_size = 0;
    struct lwp_route route = route_of(cluster, 1, request);
    assert_refuses(&route, "FORWARD_FAILED: Forward operation timed out", 60006 * MS);
    assert_true(route.is_blocking);
    assert_false(route.applies);
    route = route_of(cluster, 0, request);
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
    request.topic_exists = false; /* The leader answers that with an error. */
    route = route_of(cluster, 1, request);
    assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
    request = request_of(LWP_COMMAND_GET_TOPIC);
    request.payload_size = 0;
    route = route_of(cluster, 1, request);
    assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
}

static void who_has_documents_for_errors_redirects(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
            struct lwp_cluster_request request = request_of(OPERATIONS[i].command);
            request.dialect = lwp_dialects[d];
            const struct lwp_route route = route_of(cluster, 1, request);
            const bool redirects = lwp_dialects[d] != &lwp_dialect_lance;
            if (OPERATIONS[i].is_forwarded && redirects)
                assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9000", 0);
            else
                assert_int_not_equal(route.kind, LWP_ROUTE_REFUSE);
        }
}

static void a_persona_that_is_set_holds_in_every_dialect(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    struct lwp_cluster_request request = request_of(LWP_COMMAND_FETCH);
    assert_int_equal(lwp_cluster_persona(cluster, TEXT(""), LWP_PERSONA_FORWARD), LWP_OK);
    assert_int_equal(lwp_cluster_persona(cluster, TEXT("C"), LWP_PERSONA_REDIRECT), LWP_OK);
    for (size_t d = 0; lwp_dialects[d]; d++) {
        request.dialect = lwp_dialects[d];
        struct lwp_route route = route_of(cluster, 1, request);
        assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
        route = route_of(cluster, 2, request);
        assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9000", 0);
        assert_false(route.is_blocking);
    }
    assert_int_equal(lwp_cluster_persona(cluster, TEXT("D"), LWP_PERSONA_FORWARD),
                     LWP_INVALID_ARGUMENT);
}

static void redirects_name_who_leads_even_if_it_is_down_or_nobody(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    const struct lwp_cluster_request request = request_of(LWP_CLUSTER_INGEST);
    (void)lwp_cluster_persona(cluster, TEXT(""), LWP_PERSONA_REDIRECT);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_down(cluster, TEXT("B")), LWP_OK);
    struct lwp_route route = route_of(cluster, 0, request);
    assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9001", 0);
    assert_int_equal(lwp_cluster_advertise(cluster, TEXT("B"), TEXT("nowhere")), LWP_OK);
    route = route_of(cluster, 0, request);
    assert_refuses(&route, "NOT_LEADER: redirect to nowhere", 0);
    assert_int_equal(lwp_cluster_advertise(cluster, TEXT("B"), TEXT("")), LWP_OK);
    route = route_of(cluster, 0, request);
    assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9001", 0);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("none")), LWP_OK);
    route = route_of(cluster, 0, request);
    assert_refuses(&route, "NOT_LEADER: leader unknown", 0);
}

static void a_stale_node_redirects_to_the_previous_leader_so_often(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    const struct lwp_cluster_request request = request_of(LWP_CLUSTER_INGEST);
    (void)lwp_cluster_persona(cluster, TEXT(""), LWP_PERSONA_REDIRECT);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_stale(cluster, TEXT(""), 2), LWP_OK);
    for (size_t i = 0; i < 3; i++) {
        /* The previous leader names itself. */
        const struct lwp_route itself = route_of(cluster, 0, request);
        const struct lwp_route other = route_of(cluster, 2, request);
        const char *const expected = i < 2 ? "NOT_LEADER: redirect to 127.0.0.1:9000"
                                           : "NOT_LEADER: redirect to 127.0.0.1:9001";
        assert_refuses(&itself, expected, 0);
        assert_refuses(&other, expected, 0);
    }
    assert_int_equal(lwp_cluster_stale(cluster, TEXT("C"), 1), LWP_OK);
    struct lwp_route route = route_of(cluster, 0, request);
    assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9001", 0);
    route = route_of(cluster, 2, request);
    assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9000", 0);
}

static void stale_answers_without_a_change_before_are_right(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    (void)lwp_cluster_persona(cluster, TEXT(""), LWP_PERSONA_REDIRECT);
    assert_int_equal(lwp_cluster_stale(cluster, TEXT("B"), 1), LWP_OK);
    const struct lwp_route route = route_of(cluster, 1, request_of(LWP_CLUSTER_INGEST));
    assert_refuses(&route, "NOT_LEADER: redirect to 127.0.0.1:9000", 0);
}

static void a_stale_node_forwards_by_way_of_the_previous_leader(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    const struct lwp_cluster_request request = request_of(LWP_CLUSTER_INGEST);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_stale(cluster, TEXT(""), 3), LWP_OK);
    struct lwp_route route = route_of(cluster, 2, request);
    assert_does(&route, LWP_ROUTE_FORWARD, 1, 12 * MS);
    route = route_of(cluster, 0, request); /* It does not ask itself. */
    assert_does(&route, LWP_ROUTE_FORWARD, 1, 6 * MS);
    assert_int_equal(lwp_cluster_down(cluster, TEXT("B")), LWP_OK);
    route = route_of(cluster, 2, request);
    assert_refuses(&route, NO_CONTACT, 6 * MS);
    assert_int_equal(lwp_cluster_up(cluster, TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_down(cluster, TEXT("A")), LWP_OK);
    route = route_of(cluster, 2, request);
    assert_refuses(&route, NO_CONTACT, 0);
    route = route_of(cluster, 2, request);
    assert_does(&route, LWP_ROUTE_FORWARD, 1, 6 * MS);
}

static void each_topic_can_have_a_leader_of_its_own(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("orders")), 1);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("order")), 0);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("")), 0);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("*"), TEXT("C")), LWP_OK);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("orders")), 1);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("order")), 2);
}

static void a_leader_that_lags_tells_how_far(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_lag(cluster, TEXT("A"), 100), LWP_OK);
    struct lwp_route route = route_of(cluster, 0, request_of(LWP_COMMAND_FETCH));
    assert_int_equal(route.lag_bytes, 100);
    route = route_of(cluster, 1, request_of(LWP_COMMAND_FETCH));
    assert_int_equal(route.kind, LWP_ROUTE_FORWARD);
    assert_int_equal(route.lag_bytes, 100);
}

static void a_follower_that_lags_answers_fetches_itself(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_lag(cluster, TEXT("B"), 7), LWP_OK);
    struct lwp_route route = route_of(cluster, 1, request_of(LWP_COMMAND_FETCH));
    assert_does(&route, LWP_ROUTE_LOCAL, 1, 0);
    assert_int_equal(route.lag_bytes, 7);
    route = route_of(cluster, 1, request_of(LWP_CLUSTER_INGEST));
    assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
    assert_int_equal(route.lag_bytes, 0);
    assert_int_equal(lwp_cluster_lag(cluster, TEXT("B"), 0), LWP_OK);
    route = route_of(cluster, 1, request_of(LWP_COMMAND_FETCH));
    assert_does(&route, LWP_ROUTE_FORWARD, 0, 6 * MS);
}

static void an_election_ends_at_its_time(void **state)
{
    (void)state;
    struct notes notes;
    struct lwp_cluster *cluster = three_noted_nodes(&notes);
    struct lwp_route route;
    const struct lwp_cluster_request request = request_of(LWP_CLUSTER_INGEST);
    assert_int_equal(lwp_cluster_deadline(cluster), UINT64_MAX);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("none")), LWP_OK);
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("orders"), TEXT("C"), 50), LWP_OK);
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("*"), TEXT("B"), 40), LWP_OK);
    assert_int_equal(lwp_cluster_deadline(cluster), 40);
    assert_int_equal(lwp_cluster_route(cluster, 2, &request, 49, &route), LWP_OK);
    assert_refuses(&route, NO_LEADER, 150 * MS);
    assert_string_equal(notes.last, "leader of all others: A → B, term 3");
    assert_int_equal(lwp_cluster_deadline(cluster), 50);
    assert_int_equal(lwp_cluster_route(cluster, 2, &request, 50, &route), LWP_OK);
    assert_does(&route, LWP_ROUTE_LOCAL, 2, 0);
    assert_string_equal(notes.last, "leader of orders: nobody → C, term 4");
    assert_int_equal(lwp_cluster_deadline(cluster), UINT64_MAX);
}

static void changes_that_are_due_come_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct notes notes;
    struct lwp_cluster *cluster = three_noted_nodes(&notes);
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("a"), TEXT("B"), 30), LWP_OK);
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("b"), TEXT("C"), 20), LWP_OK);
    lwp_cluster_tick(cluster, 100);
    assert_int_equal(notes.count, 2);
    assert_string_equal(notes.last, "leader of a: A → B, term 3");
}

static void a_leader_named_meanwhile_stays(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("orders"), TEXT("C"), 50), LWP_OK);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("orders"), TEXT("A")), LWP_OK);
    lwp_cluster_tick(cluster, 50);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("orders")), 0);
    assert_int_equal(cluster->term, 1);
}

static void every_change_is_noted_once(void **state)
{
    (void)state;
    struct notes notes;
    struct lwp_cluster *cluster = three_noted_nodes(&notes);
    for (int twice = 0; twice < 2; twice++) {
        (void)lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B"));
        assert_int_equal(notes.count, 1);
        assert_string_equal(notes.last, "leader of orders: A → B, term 2");
    }
    (void)lwp_cluster_leader(cluster, TEXT("*"), TEXT("none"));
    assert_string_equal(notes.last, "leader of all others: A → nobody, term 3");
    for (int twice = 0; twice < 2; twice++) {
        (void)lwp_cluster_down(cluster, TEXT("B"));
        assert_int_equal(notes.count, 3);
        assert_string_equal(notes.last, "B is down: 2 of 3 up, a quorum");
    }
    (void)lwp_cluster_down(cluster, TEXT("C"));
    assert_string_equal(notes.last, "C is down: 1 of 3 up, no quorum");
    (void)lwp_cluster_up(cluster, TEXT("B"));
    assert_string_equal(notes.last, "B is up: 2 of 3 up, a quorum");
    for (int twice = 0; twice < 2; twice++) {
        (void)lwp_cluster_lag(cluster, TEXT("A"), 12);
        assert_int_equal(notes.count, 6);
        assert_string_equal(notes.last, "A lags 12 bytes behind");
    }
    for (int twice = 0; twice < 2; twice++) {
        (void)lwp_cluster_ready(cluster, TEXT("B"), false);
        assert_int_equal(notes.count, 7);
        assert_string_equal(notes.last, "B is not ready to lead");
    }
    (void)lwp_cluster_ready(cluster, TEXT("B"), true);
    assert_string_equal(notes.last, "B is ready to lead");
    (void)lwp_cluster_stale(cluster, TEXT("C"), 3);
    assert_string_equal(notes.last, "C names the previous leader in its next 3 answers");
    assert_int_equal(notes.count, 9);
}

static void names_that_nobody_has_change_nothing(void **state)
{
    (void)state;
    struct notes notes;
    struct lwp_cluster *cluster = three_noted_nodes(&notes);
    const struct lwp_bytes strangers[] = {TEXT("D"), TEXT("a"), TEXT("AA"), TEXT("none"),
                                          bytes_of("A", 2)};
    const struct lwp_cluster before = *cluster;
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        const struct lwp_bytes name = strangers[i];
        assert_int_equal(lwp_cluster_down(cluster, name), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_up(cluster, name), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_lag(cluster, name, 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_ready(cluster, name, false), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_stale(cluster, name, 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_advertise(cluster, name, TEXT("x")), LWP_INVALID_ARGUMENT);
        if (!lwp_bytes_equal(name, TEXT("none")))
            assert_int_equal(lwp_cluster_leader(cluster, TEXT("t"), name), LWP_INVALID_ARGUMENT);
        assert_int_equal(lwp_cluster_node(cluster, name), LWP_CLUSTER_NOBODY);
    }
    assert_int_equal(lwp_cluster_down(cluster, TEXT("")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_leader_at(cluster, TEXT("t"), TEXT("D"), 1), LWP_INVALID_ARGUMENT);
    assert_memory_equal(cluster, &before, sizeof(before));
    assert_int_equal(notes.count, 0);
}

static void names_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    char text[300];
    memset(text, 'x', sizeof(text));
    assert_int_equal(lwp_cluster_add(cluster, TEXT("A")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_add(cluster, TEXT("none")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_add(cluster, TEXT("")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_add(cluster, bytes_of("D\0E", 3)), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_add(cluster, bytes_of(text, 64)), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_add(cluster, bytes_of(text, 63)), LWP_OK);
    assert_int_equal(lwp_cluster_set_address(cluster, 0, bytes_of(text, 128)),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_set_address(cluster, 0, bytes_of(text, 127)), LWP_OK);
    assert_int_equal(lwp_cluster_set_address(cluster, 4, TEXT("x")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_advertise(cluster, TEXT("A"), bytes_of(text, 128)),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_leader(cluster, bytes_of(text, 256), TEXT("B")),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT(""), TEXT("B")), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_leader(cluster, bytes_of(text, 255), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_leader_of(cluster, bytes_of(text, 255)), 1);
}

static void nodes_and_topics_have_a_limit(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    char name[16];
    for (int i = 3; i < LWP_CLUSTER_MAX_NODES; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(lwp_cluster_add(cluster, TEXT(name)), LWP_OK);
    }
    assert_int_equal(lwp_cluster_add(cluster, TEXT("more")), LWP_FULL);
    for (int i = 0; i < LWP_CLUSTER_MAX_TOPICS; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        assert_int_equal(lwp_cluster_leader(cluster, TEXT(name), TEXT("n63")), LWP_OK);
    }
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("more"), TEXT("B")), LWP_FULL);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("t0"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_leader(cluster, TEXT("*"), TEXT("B")), LWP_OK);
    assert_int_equal(lwp_cluster_leader_of(cluster, TEXT("t127")), 63);
}

static void a_node_that_is_not_there_answers_nothing(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    const struct lwp_cluster_request request = request_of(LWP_COMMAND_FETCH);
    struct lwp_peer peers[LWP_CLUSTER_MAX_NODES];
    struct lwp_cluster_status status;
    struct lwp_route route = {.delay_ns = 77};
    assert_int_equal(lwp_cluster_route(cluster, 3, &request, 0, &route), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_cluster_route(cluster, LWP_CLUSTER_NOBODY, &request, 0, &route),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(route.delay_ns, 77);
    assert_int_equal(lwp_cluster_tell(cluster, 3, peers, &status), LWP_INVALID_ARGUMENT);
}

static void assert_tells(struct lwp_cluster *cluster, size_t node, const char *expected)
{
    char text[4096];
    struct lwp_writer out = lwp_writer_on(text, sizeof(text));
    struct lwp_peer peers[LWP_CLUSTER_MAX_NODES];
    struct lwp_cluster_status status;
    assert_int_equal(lwp_cluster_tell(cluster, node, peers, &status), LWP_OK);
    assert_int_equal(lwp_json_write_cluster_status(&status, &out), LWP_OK);
    assert_bytes_equal(lwp_writer_bytes(&out), TEXT(expected));
}

static void each_node_tells_the_status_from_its_place(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    assert_tells(cluster, 0,
                 "{\"current_term\":1,\"healthy_nodes\":3,\"is_leader\":true,\"leader_id\":0,"
                 "\"node_count\":3,\"node_id\":0,\"peer_states\":{\"1\":\"Connected\","
                 "\"2\":\"Connected\"},\"quorum_available\":true}");
    (void)lwp_cluster_leader(cluster, TEXT("*"), TEXT("C"));
    (void)lwp_cluster_stale(cluster, TEXT("B"), 1);
    (void)lwp_cluster_down(cluster, TEXT("A"));
    assert_tells(cluster, 1,
                 "{\"current_term\":2,\"healthy_nodes\":2,\"is_leader\":false,\"leader_id\":0,"
                 "\"node_count\":3,\"node_id\":1,\"peer_states\":{\"0\":\"Failed\","
                 "\"2\":\"Connected\"},\"quorum_available\":true}");
    (void)lwp_cluster_leader(cluster, TEXT("*"), TEXT("none"));
    (void)lwp_cluster_down(cluster, TEXT("C"));
    assert_tells(cluster, 1,
                 "{\"current_term\":3,\"healthy_nodes\":1,\"is_leader\":false,\"leader_id\":null,"
                 "\"node_count\":3,\"node_id\":1,\"peer_states\":{\"0\":\"Failed\","
                 "\"2\":\"Failed\"},\"quorum_available\":false}");
}

static void the_largest_cluster_tells_of_all_peers_in_order(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    struct lwp_peer peers[LWP_CLUSTER_MAX_NODES];
    struct lwp_cluster_status status;
    char name[16], before[16] = "";
    for (int i = 3; i < LWP_CLUSTER_MAX_NODES; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(lwp_cluster_add(cluster, TEXT(name)), LWP_OK);
    }
    assert_int_equal(lwp_cluster_tell(cluster, 5, peers, &status), LWP_OK);
    assert_int_equal(status.peer_count, 63);
    for (size_t i = 0; i < status.peer_count; i++) {
        (void)snprintf(name, sizeof(name), "%d", (int)peers[i].node_id);
        assert_true(strcmp(before, name) < 0);
        assert_string_not_equal(name, "5");
        memcpy(before, name, sizeof(name));
    }
}

static void a_copy_is_a_state_to_come_back_to(void **state)
{
    (void)state;
    struct lwp_cluster *cluster = three_nodes();
    const struct lwp_cluster begin = *cluster;
    (void)lwp_cluster_leader(cluster, TEXT("orders"), TEXT("B"));
    (void)lwp_cluster_down(cluster, TEXT("A"));
    *cluster = begin;
    const struct lwp_route route = route_of(cluster, 0, request_of(LWP_CLUSTER_INGEST));
    assert_does(&route, LWP_ROUTE_LOCAL, 0, 0);
    assert_true(lwp_cluster_has_quorum(cluster));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_leader_does_everything_itself),
        cmocka_unit_test(a_follower_forwards_what_is_the_leaders),
        cmocka_unit_test(a_leader_that_is_not_ready_refuses_commands_and_takes_ingests),
        cmocka_unit_test(without_a_leader_forwarding_gives_up_after_its_retries),
        cmocka_unit_test(a_leader_that_is_down_refuses_the_connection),
        cmocka_unit_test(a_node_without_peers_is_never_elected),
        cmocka_unit_test(without_a_quorum_ingests_are_stored_and_refused_after_5_s),
        cmocka_unit_test(half_of_the_nodes_are_no_quorum),
        cmocka_unit_test(what_a_leader_does_not_replicate_needs_no_quorum),
        cmocka_unit_test(topics_can_not_be_made_without_a_quorum),
        cmocka_unit_test(an_empty_ingest_through_a_follower_times_out),
        cmocka_unit_test(who_has_documents_for_errors_redirects),
        cmocka_unit_test(a_persona_that_is_set_holds_in_every_dialect),
        cmocka_unit_test(redirects_name_who_leads_even_if_it_is_down_or_nobody),
        cmocka_unit_test(a_stale_node_redirects_to_the_previous_leader_so_often),
        cmocka_unit_test(stale_answers_without_a_change_before_are_right),
        cmocka_unit_test(a_stale_node_forwards_by_way_of_the_previous_leader),
        cmocka_unit_test(each_topic_can_have_a_leader_of_its_own),
        cmocka_unit_test(a_leader_that_lags_tells_how_far),
        cmocka_unit_test(a_follower_that_lags_answers_fetches_itself),
        cmocka_unit_test(an_election_ends_at_its_time),
        cmocka_unit_test(changes_that_are_due_come_in_the_order_of_their_times),
        cmocka_unit_test(a_leader_named_meanwhile_stays),
        cmocka_unit_test(every_change_is_noted_once),
        cmocka_unit_test(names_that_nobody_has_change_nothing),
        cmocka_unit_test(names_that_do_not_fit_are_refused),
        cmocka_unit_test(nodes_and_topics_have_a_limit),
        cmocka_unit_test(a_node_that_is_not_there_answers_nothing),
        cmocka_unit_test(each_node_tells_the_status_from_its_place),
        cmocka_unit_test(the_largest_cluster_tells_of_all_peers_in_order),
        cmocka_unit_test(a_copy_is_a_state_to_come_back_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
