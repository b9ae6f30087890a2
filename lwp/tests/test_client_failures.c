/* SPDX-License-Identifier: MIT */
/* Every allocation, dial, read and write of the main flows fails once: whatever follows, nothing crashes,
 * leaks or hangs, every call says why, no record is lost in silence, and what can go on does. */
#include "lwp/tests/fake_server.h"
#include "lwp/tests/folder.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "mock_server/certs.h"
#include "mock_server/mock.h"

enum { MOST = 5000, HOURS = 3, RECORDS = 60, LOG_ROOM = 1 << 18 };

/* What fails. */
enum means { ALLOCATION, DIAL, READ, WRITE, MEANS };

static unsigned moves;          /* Reads and writes of bytes. */
static unsigned counts[MEANS];  /* Since the flow began. */
static unsigned failing[MEANS]; /* The number of the one that fails; 0: none. */

static bool fails(enum means means)
{
    return ++counts[means] == failing[means];
}

/* NOLINTBEGIN: the linker wants these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(ALLOCATION) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(ALLOCATION) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails(ALLOCATION) ? NULL : __real_realloc(memory, size);
}
/* NOLINTEND */

/* A connection that breaks when its turn has come. */
struct fragile {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct lwp_transport *inner;
    bool broken;
};

static struct fragile *fragile_of(struct lwp_transport *transport)
{
    return (struct fragile *)(void *)transport;
}

static enum lwp_status breaks(struct fragile *fragile)
{
    fragile->broken = true;
    lwp_transport_close(fragile->inner, LWP_CLOSE_RST);
    return LWP_RESET;
}

static enum lwp_status fragile_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                    size_t *count)
{
    struct fragile *fragile = fragile_of(transport);
    if (fragile->broken)
        return LWP_RESET;
    const enum lwp_status status = lwp_transport_read(fragile->inner, out, size, count);
    moves += status == LWP_OK;
    return status == LWP_OK && fails(READ) ? breaks(fragile) : status;
}

static enum lwp_status fragile_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                     size_t *count)
{
    struct fragile *fragile = fragile_of(transport);
    if (fragile->broken)
        return LWP_RESET;
    const enum lwp_status status = lwp_transport_write(fragile->inner, bytes, count);
    moves += status == LWP_OK;
    return status == LWP_OK && fails(WRITE) ? breaks(fragile) : status;
}

static enum lwp_status fragile_gather(struct lwp_transport *transport,
                                      const struct lwp_bytes *parts, size_t part_count,
                                      size_t *count)
{
    struct fragile *fragile = fragile_of(transport);
    if (fragile->broken)
        return LWP_RESET;
    const enum lwp_status status = lwp_transport_gather(fragile->inner, parts, part_count, count);
    moves += status == LWP_OK;
    return status == LWP_OK && fails(WRITE) ? breaks(fragile) : status;
}

static void fragile_close(struct lwp_transport *transport, enum lwp_close how)
{
    if (!fragile_of(transport)->broken)
        lwp_transport_close(fragile_of(transport)->inner, how);
}

static int fragile_fd(const struct lwp_transport *transport)
{
    (void)transport;
    return -1;
}

static void fragile_free(struct lwp_transport *transport)
{
    lwp_transport_free(fragile_of(transport)->inner);
    free(transport);
}

static enum lwp_status dial(void *user, const struct lwp_address *address, uint64_t now_ns,
                            uint64_t deadline_ns, struct lwp_dial **dialled)
{
    static const struct lwp_transport_ops ops = {fragile_read, fragile_write, fragile_close,
                                                 fragile_fd,   fragile_free,  fragile_gather};
    struct lwp_transport *inner = NULL;
    (void)address;
    (void)now_ns;
    if (fails(DIAL))
        return LWP_REFUSED;
    const enum lwp_status status = lwp_world_connect(user, deadline_ns, &inner);
    struct fragile *fragile = status == LWP_OK ? calloc(1, sizeof(*fragile)) : NULL;
    if (!fragile) {
        lwp_transport_free(inner);
        return status == LWP_OK ? LWP_NO_MEMORY : status;
    }
    *fragile = (struct fragile){{&ops, 0}, inner, false};
    *dialled = instant_dial_of(&fragile->transport);
    return *dialled ? LWP_OK : LWP_NO_MEMORY;
}

/* A mock, options that lead to it, and what is known of its one topic. */
struct place {
    enum means means;
    struct lwp_mock *mock;
    struct lwp_world world;
    struct lwp_mock_world inner;
    unsigned moves; /* So many when somebody waited last. */
    unsigned troubles;
    struct lwp_network network;
    struct lwp_connect_options options;
    unsigned reports[RECORDS + 1]; /* By sequence. */
    unsigned acked;
    uint64_t stored; /* Bytes of the log. */
    uint64_t offset; /* Behind what was handed on. */
};

static struct place *place_of(const struct lwp_world *world)
{
    return (struct place *)(uintptr_t)((uintptr_t)world - offsetof(struct place, world));
}

static uint64_t now(const struct lwp_world *world)
{
    return place_of(world)->inner.now_ns;
}

/* As long as bytes come and go no time passes: a handshake looks as if nothing happened. */
static void wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                 uint64_t deadline_ns)
{
    struct place *place = place_of(world);
    if (place->moves == moves) {
        lwp_world_wait(&place->inner.world, transports, count, deadline_ns);
        return;
    }
    place->moves = moves;
    (void)lwp_mock_step(place->mock, place->inner.now_ns);
}

/* For all tests. */
static char folder[FOLDER_SIZE];
static char certificate[FOLDER_PATH_SIZE], key[FOLDER_PATH_SIZE], authority[FOLDER_PATH_SIZE];
static struct lwp_tls_context *context;

static void open_place(struct place *place, enum means means, const struct lwp_security *security)
{
    static const struct lwp_world_ops ops = {now, NULL, wait};
    struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    if (security) {
        options.tls_certificate = certificate;
        options.tls_key = key;
    }
    memset(place, 0, sizeof(*place));
    place->means = means;
    assert_int_equal(lwp_mock_new(&options, &place->mock), LWP_OK);
    lwp_mock_world_init(&place->inner, place->mock);
    place->world = (struct lwp_world){&ops};
    place->network = (struct lwp_network){dial, &place->inner.world};
    place->options = lwp_connect_defaults("localhost");
    place->options.caller_driven = true;
    place->options.network = &place->network;
    place->options.world = &place->world;
    place->options.security = security;
    assert_int_equal(lwp_mock_script(place->mock, "failures",
                                     "topic orders id=1\n"
                                     "on ingest nth 3 -> close rst\n"
                                     "on fetch nth 4 -> close fin\n"),
                     LWP_OK);
}

/* Every call ends in a status that the failure explains. Without memory the mock, which is in the same
 * process, may be the one that has none. */
static void check(struct place *place, enum lwp_status status)
{
    static const enum lwp_status explained[] = {LWP_RESET, LWP_REFUSED, LWP_CLOSED, LWP_WOULD_BLOCK,
                                                LWP_END};
    bool found = status == LWP_OK;
    for (size_t i = 0; i < COUNT_OF(explained); i++)
        found = found || status == explained[i];
    if (place->means == ALLOCATION)
        found = found || status == LWP_NO_MEMORY || status == LWP_PEER_STORAGE ||
                status == LWP_TIMEOUT || status == LWP_TOPIC_NOT_FOUND;
    if (!found)
        print_error("%s\n", lwp_status_text(status));
    assert_true(found);
    place->troubles += status != LWP_OK && status != LWP_WOULD_BLOCK && status != LWP_END;
}

static bool passes(struct place *place, enum lwp_status status)
{
    check(place, status);
    return status == LWP_OK;
}

static void use_client(struct place *place)
{
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic, *topics = NULL;
    struct lwp_cluster_info cluster;
    size_t count = 0;
    if (!passes(place, lwp_client_connect(&place->options, &client, NULL)))
        return;
    check(place, lwp_client_create_topic(client, "stock", &topic));
    if (passes(place, lwp_client_list_topics(client, &topics, &count)))
        free(topics);
    check(place, lwp_client_cluster_status(client, &cluster));
    check(place, lwp_client_subscribe(client, 1, 0, 42, NULL));
    check(place, lwp_client_unsubscribe(client, 1, 42));
    check(place, lwp_client_ping(client, NULL));
    check(place, lwp_client_get_topic(client, 1, &topic));
    lwp_client_close(client);
    /* One failure fails one request. */
    if (place->means != ALLOCATION)
        assert_in_range(place->troubles, 0, 1);
}

static void note(void *user, const struct lwp_delivery *delivery)
{
    struct place *place = user;
    assert_in_range(delivery->sequence, 1, RECORDS);
    place->reports[delivery->sequence]++;
    place->acked += delivery->status == LWP_OK;
    check(place, delivery->status == LWP_CLOSED_BY_CALLER ? LWP_OK : delivery->status);
}

static void use_producer(struct place *place)
{
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options options = lwp_producer_defaults("localhost");
    static uint8_t value[RECORDS * 80];
    unsigned taken = 0;
    options.connect = place->options;
    options.batch_size = 20000;
    options.delivered = note;
    options.user = place;
    if (!passes(place, lwp_producer_open(&options, &producer, NULL)))
        return;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct lwp_outgoing record = {
            .topic_id = 1, .type = LWP_TLV_RAW, .parts = {bytes_of(value, i * 80)}};
        taken += passes(place, lwp_producer_put(producer, &record, NULL));
    }
    check(place, lwp_producer_flush(producer, 60000));
    check(place, lwp_producer_close(producer, 1000));
    unsigned reported = 0;
    for (unsigned i = 1; i <= RECORDS; i++) {
        assert_true(place->reports[i] <= 1);
        reported += place->reports[i];
    }
    assert_int_equal(reported, taken);
    if (place->means != ALLOCATION)
        assert_int_equal(place->acked, RECORDS);
}

static void use_compression(struct place *place)
{
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options options = lwp_producer_defaults("localhost");
    static uint8_t value[5000];
    options.connect = place->options;
    options.compression = true;
    if (!passes(place, lwp_producer_open(&options, &producer, NULL)))
        return;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct lwp_outgoing record = {
            .topic_id = i % 3, .type = LWP_TLV_RAW, .parts = {bytes_of(value, i * 80)}};
        check(place, lwp_producer_put(producer, &record, NULL));
    }
    check(place, lwp_producer_flush(producer, 60000));
    check(place, lwp_producer_close(producer, 1000));
}

/* Up to the end of the log. */
static void poll_all(struct place *place, struct lwp_consumer *consumer)
{
    enum { MANY = 60 };
    enum lwp_status status = LWP_OK;
    for (int i = 0; i < MANY && status != LWP_END; i++) {
        struct lwp_batch batch;
        status = lwp_consumer_poll(consumer, 100, &batch);
        if (!passes(place, status))
            continue;
        assert_int_equal(batch.start_offset, place->offset);
        assert_true(batch.end_offset <= LOG_ROOM);
        place->offset = batch.end_offset;
    }
}

/* With a place in a file, and a second consumer that goes on from there. */
static void use_consumer(struct place *place)
{
    struct lwp_consumer_options options = lwp_consumer_defaults("localhost", "reader", 1);
    char offsets[FOLDER_PATH_SIZE];
    (void)snprintf(offsets, sizeof(offsets), "%s", folder_path(folder, "offsets"));
    options.connect = place->options;
    options.folder = offsets;
    options.max_fetch_bytes = 30000;
    options.read_ahead = 3;
    for (int runs = 0; runs < 2; runs++) {
        struct lwp_consumer *consumer = NULL;
        if (!passes(place, lwp_consumer_open(&options, &consumer, NULL)))
            continue;
        poll_all(place, consumer);
        check(place, lwp_consumer_commit(consumer));
        check(place, lwp_consumer_close(consumer));
    }
    if (place->means != ALLOCATION)
        assert_int_equal(place->offset, place->stored);
}

static void use_tls(struct place *place)
{
    struct lwp_tls_context *own = NULL;
    const struct lwp_tls_options options = {.ca_file = authority};
    char reason[LWP_TLS_REASON_SIZE];
    if (passes(place, lwp_tls_client_new(&options, &own, reason))) {
        const struct lwp_security security = lwp_security_of(own);
        place->options.security = &security;
        use_client(place);
    }
    lwp_tls_context_free(own);
}

/* Makes a log, and removes the place that the flow before has left. */
static void make_log(struct place *place)
{
    struct lwp_consumer *consumer = NULL;
    struct lwp_consumer_options options = lwp_consumer_defaults("localhost", "looker", 1);
    const struct lwp_offset_key reader = {"reader", 1, NULL};
    struct lwp_offset_store *store = NULL;
    assert_int_equal(
        lwp_offset_store_files(folder_path(folder, "offsets"), LWP_OFFSETS_PYTHON, &store), LWP_OK);
    assert_int_equal(lwp_offset_store_forget(store, &reader), LWP_OK);
    lwp_offset_store_free(store);
    use_producer(place);
    options.connect = place->options;
    assert_int_equal(lwp_consumer_open(&options, &consumer, NULL), LWP_OK);
    assert_int_equal(lwp_consumer_end(consumer, &place->stored), LWP_OK);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
}

/* Fails each in turn, until the flow has fewer. */
static void fail_each(enum means means, void (*use)(struct place *place))
{
    const struct lwp_security security = lwp_security_of(context);
    static struct place place;
    for (unsigned number = 1, all = 0; !all; number++) {
        open_place(&place, means, use == use_tls ? &security : NULL);
        if (use == use_consumer)
            make_log(&place);
        memset(counts, 0, sizeof(counts));
        failing[means] = number;
        use(&place);
        all = counts[means] < number;
        failing[means] = 0;
        assert_true(place.inner.now_ns < HOURS * 3600 * LWP_SECOND_NS);
        lwp_mock_free(place.mock);
        assert_true(!all || (place.troubles == 0 && number > 1));
        assert_true(number < MOST);
    }
}

/* Who does what, and what fails meanwhile. */
struct flow {
    const char *name;
    enum means means;
    void (*use)(struct place *place);
};

static const struct flow flows[] = {
    {"a client survives the failure of any allocation", ALLOCATION, use_client},
    {"a client survives the failure of any dial", DIAL, use_client},
    {"a client survives the failure of any read", READ, use_client},
    {"a client survives the failure of any write", WRITE, use_client},
    {"a producer survives the failure of any allocation", ALLOCATION, use_producer},
    {"a producer survives the failure of any dial", DIAL, use_producer},
    {"a producer survives the failure of any read", READ, use_producer},
    {"a producer survives the failure of any write", WRITE, use_producer},
    {"a producer that compresses survives the failure of any allocation", ALLOCATION,
     use_compression},
    {"a consumer with a place in a file survives the failure of any allocation", ALLOCATION,
     use_consumer},
    {"a consumer with a place in a file survives the failure of any dial", DIAL, use_consumer},
    {"a consumer with a place in a file survives the failure of any read", READ, use_consumer},
    {"a consumer with a place in a file survives the failure of any write", WRITE, use_consumer},
    {"a client that speaks TLS survives the failure of any allocation", ALLOCATION, use_tls},
    {"a client that speaks TLS survives the failure of any dial", DIAL, use_tls},
    {"a client that speaks TLS survives the failure of any read", READ, use_tls},
    {"a client that speaks TLS survives the failure of any write", WRITE, use_tls},
};

static void a_flow_survives(void **state)
{
    const struct flow *flow = *state;
    fail_each(flow->means, flow->use);
}

static int make_certificates(void **state)
{
    char problem[LWP_CERTS_PROBLEM_SIZE], reason[LWP_TLS_REASON_SIZE];
    (void)state;
    folder_make(folder);
    assert_int_equal(lwp_certs_make(folder, lwp_clock_wall() / LWP_SECOND_NS, true, problem),
                     LWP_OK);
    (void)snprintf(certificate, sizeof(certificate), "%s", folder_path(folder, "server.pem"));
    (void)snprintf(key, sizeof(key), "%s", folder_path(folder, "server.key"));
    (void)snprintf(authority, sizeof(authority), "%s", folder_path(folder, "ca.pem"));
    const struct lwp_tls_options options = {.ca_file = authority};
    return lwp_tls_client_new(&options, &context, reason) == LWP_OK ? 0 : -1;
}

static int remove_all(void **state)
{
    (void)state;
    lwp_tls_context_free(context);
    folder_remove(folder_path(folder, "offsets"));
    folder_remove(folder);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(flows)];
    for (size_t i = 0; i < COUNT_OF(flows); i++)
        tests[i] = (struct CMUnitTest){.name = flows[i].name,
                                       .test_func = a_flow_survives,
                                       .initial_state = (void *)(uintptr_t)&flows[i]};
    return cmocka_run_group_tests(tests, make_certificates, remove_all);
}
