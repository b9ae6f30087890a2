/* SPDX-License-Identifier: MIT */
/* What servers do wrong, one row each: the first request meets it, the next ones are answered well. Each
 * ends in the status of its row, within the request's deadline, and no answer goes to a wrong request.
 * The names of findings (B-05, P-14 …) are those of docs/client.md. */
#include "lwp/tests/fake_server.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "lwp/wire/compress.h"

#define MS LWP_MILLISECOND_NS
#define END UINT64_MAX

enum {
    ANSWER_ROOM = 4096,
    TIMEOUT_MS = 1000,
    CONSUMER_ID = 42,
    NODE_ID = 7,
    LATE = 4, /* Answers that wait at a time. */
    RECORDS = 6,
    LARGEST_FETCH = 40
};

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

/* Bytes that are on their way. */
struct parcel {
    struct lwp_link *link; /* NULL: none. */
    uint64_t due_ns;
    uint8_t bytes[ANSWER_ROOM];
    size_t size;
    bool drips; /* One byte each 100 ms. */
};

struct misdeed;

/* A server, and the log that it keeps. */
struct stage {
    struct fake *fake;
    const struct misdeed *misdeed;
    unsigned before; /* Requests that are answered well before it is done. */
    unsigned left;   /* How often it is still done. */
    uint8_t log[ANSWER_ROOM];
    size_t size;
    struct parcel parcels[LATE];
};

/* What is said in place of the right answer, or besides. */
struct saying {
    uint8_t flags; /* 0: the bytes alone, without a frame. */
    uint64_t batch_id;
    const char *bytes;
    size_t size; /* 0: up to the end of the text. */
};

struct misdeed {
    const char *name; /* A sentence, and the findings that it is about. */
    enum lwp_status (*ask)(struct lwp_client *client, unsigned number);
    void (*deed)(struct stage *stage, struct lwp_link *link, struct lwp_bytes right);
    enum lwp_status status;
    size_t connections; /* In the end. */
    struct saying says;
    size_t place;   /* In the bytes of the answer. */
    unsigned times; /* 0: once. */
};

/* The bytes of a frame; they live until the next call. */
static struct lwp_bytes bytes_of_frame(struct lwp_frame frame, uint32_t keep)
{
    static uint8_t room[ANSWER_ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    lwp_frame_seal(&frame, dialect->polynomial, keep);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    return lwp_writer_bytes(&out);
}

static struct lwp_bytes bytes_of_message(const struct lwp_message *message)
{
    uint8_t room[ANSWER_ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    assert_int_equal(lwp_message_encode(message, &out), LWP_OK);
    return bytes_of_frame(lwp_message_frame(message->command, lwp_writer_bytes(&out)), 0);
}

static struct lwp_bytes bytes_of_saying(const struct saying *saying)
{
    const size_t size = saying->size || !saying->bytes ? saying->size : strlen(saying->bytes);
    struct lwp_frame frame = frame_of(saying->flags, bytes_of(saying->bytes, size));
    if (!saying->flags)
        return frame.payload;
    frame.header.batch_id = saying->batch_id;
    return bytes_of_frame(frame, 0);
}

static void push(struct stage *stage, struct lwp_link *link, struct lwp_bytes bytes)
{
    if (link->transport)
        assert_int_equal(lwp_link_push(link, bytes, stage->fake->now_ns), LWP_OK);
}

static void answer_fetch(const struct stage *stage, const struct lwp_message *asked,
                         struct lwp_message *answer)
{
    const bool tail = asked->start_offset == END;
    const uint64_t start =
        tail || asked->start_offset > stage->size ? stage->size : asked->start_offset;
    const uint64_t left = stage->size - start;
    const size_t size = (size_t)(left < asked->max_bytes ? left : asked->max_bytes);
    answer->command = LWP_COMMAND_FETCH_RESPONSE;
    answer->next_offset = start + size;
    answer->bytes_returned = size;
    answer->data = bytes_of(stage->log + start, size);
}

/* The answer to a control frame. */
static struct lwp_bytes right_answer(const struct stage *stage, const struct lwp_message *asked)
{
    char text[64] = "{\"topics\":[]}";
    struct lwp_message answer = {.command = LWP_COMMAND_TOPIC_RESPONSE,
                                 .consumer_id = asked->consumer_id,
                                 .offset = asked->offset};
    switch (asked->command) {
    case LWP_COMMAND_GET_TOPIC:
        (void)snprintf(text, sizeof(text), "{\"id\":%u,\"name\":\"t%u\"}",
                       (unsigned)asked->topic_id, (unsigned)asked->topic_id);
        break;
    case LWP_COMMAND_GET_CLUSTER_STATUS:
        answer.command = LWP_COMMAND_CLUSTER_STATUS_RESPONSE;
        (void)snprintf(text, sizeof(text), "{\"node_id\":%d}", NODE_ID);
        break;
    case LWP_COMMAND_SUBSCRIBE:
        answer.command = LWP_COMMAND_SUBSCRIBE_ACK;
        answer.offset = asked->start_offset;
        break;
    case LWP_COMMAND_COMMIT_OFFSET:
        answer.command = LWP_COMMAND_COMMIT_ACK;
        break;
    case LWP_COMMAND_UNSUBSCRIBE: {
        struct lwp_frame ack = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
        ack.header.batch_id = asked->consumer_id;
        return bytes_of_frame(ack, 0);
    }
    case LWP_COMMAND_FETCH:
        answer_fetch(stage, asked, &answer);
        break;
    default:
        assert_int_equal(asked->command, LWP_COMMAND_LIST_TOPICS);
        break;
    }
    answer.json = lwp_bytes_text(text);
    return bytes_of_message(&answer);
}

static struct lwp_bytes right_reaction(struct stage *stage, const struct lwp_frame *frame)
{
    struct lwp_frame ack = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
    if (frame->header.flags == LWP_FLAG_KEEPALIVE)
        return bytes_of_frame(frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)), 0);
    if (frame->header.flags == LWP_FLAG_CONTROL) {
        const struct lwp_message asked = fake_message(frame);
        return right_answer(stage, &asked);
    }
    assert_int_equal(frame->header.flags, LWP_FLAG_BATCH);
    memcpy(stage->log + stage->size, frame->payload.data, frame->payload.size);
    stage->size += frame->payload.size;
    ack.header.batch_id = frame->header.batch_id;
    return bytes_of_frame(ack, 0);
}

static void hear(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct stage *stage = fake->own;
    const bool does_it = stage->before == 0 && stage->left > 0;
    stage->before -= stage->before > 0;
    stage->left -= does_it;
    const struct lwp_bytes right = right_reaction(stage, frame);
    if (does_it)
        stage->misdeed->deed(stage, link, right);
    else
        push(stage, link, right);
}

/* Sends what is due, and tells when to look again. */
static void send_parcels(struct fake *fake)
{
    struct stage *stage = fake->own;
    fake->next_ns = 0;
    for (size_t i = 0; i < LATE; i++) {
        struct parcel *parcel = &stage->parcels[i];
        if (parcel->link && fake->now_ns >= parcel->due_ns) {
            const size_t size = parcel->drips && parcel->size ? 1 : parcel->size;
            push(stage, parcel->link, bytes_of(parcel->bytes, size));
            parcel->size -= size;
            memmove(parcel->bytes, parcel->bytes + size, parcel->size);
            parcel->due_ns = fake->now_ns + 100 * MS;
            if (parcel->size == 0)
                parcel->link = NULL;
        }
        if (parcel->link && (fake->next_ns == 0 || parcel->due_ns < fake->next_ns))
            fake->next_ns = parcel->due_ns;
    }
}

/* The deeds. */

static void say(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    (void)right;
    push(stage, link, bytes_of_saying(&stage->misdeed->says));
}

static void say_twice(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    say(stage, link, right);
    say(stage, link, right);
}

static void say_too(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    push(stage, link, right);
    push(stage, link, bytes_of_saying(&stage->misdeed->says));
}

static void say_before(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    uint8_t kept[ANSWER_ROOM];
    memcpy(kept, right.data, right.size);
    push(stage, link, bytes_of_saying(&stage->misdeed->says));
    push(stage, link, bytes_of(kept, right.size));
}

static void say_a_thousand_times(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    (void)right;
    for (int i = 0; i < 1000; i++)
        push(stage, link, bytes_of_saying(&stage->misdeed->says));
}

static void answer_twice(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    push(stage, link, right);
    push(stage, link, right);
}

static void say_nothing(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    (void)stage;
    (void)link;
    (void)right;
}

static void post(struct stage *stage, struct lwp_link *link, struct lwp_bytes right, bool drips)
{
    struct parcel *parcel = stage->parcels;
    while (parcel->link)
        parcel++;
    assert_true(parcel < stage->parcels + LATE);
    *parcel = (struct parcel){.link = link,
                              .due_ns = stage->fake->now_ns + (drips ? 0 : 1500) * MS,
                              .size = right.size,
                              .drips = drips};
    memcpy(parcel->bytes, right.data, right.size);
    send_parcels(stage->fake);
}

/* On this connection it is late for ever. */
static void answer_late(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    stage->left = link == stage->fake->links;
    if (stage->left)
        post(stage, link, right, false);
    else
        push(stage, link, right);
}

static void answer_in_drips(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    post(stage, link, right, true);
}

/* The bit of the row's place is wrong, and whoever made it has checksums to match if he could. */
static void answer_damaged(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    uint8_t bytes[ANSWER_ROOM];
    memcpy(bytes, right.data, right.size);
    bytes[stage->misdeed->place] ^= 1;
    push(stage, link, bytes_of(bytes, right.size));
}

static void answer_with_version_0(struct stage *stage, struct lwp_link *link,
                                  struct lwp_bytes right)
{
    struct lwp_header header;
    uint8_t bytes[ANSWER_ROOM];
    memcpy(bytes, right.data, right.size);
    lwp_header_decode(bytes, &header);
    header.version = 0;
    reseal_header(&header, dialect->polynomial);
    lwp_header_encode(&header, bytes);
    push(stage, link, bytes_of(bytes, right.size));
}

static void answer_with_castagnoli(struct stage *stage, struct lwp_link *link,
                                   struct lwp_bytes right)
{
    struct lwp_header header;
    uint8_t bytes[ANSWER_ROOM];
    memcpy(bytes, right.data, right.size);
    lwp_header_decode(bytes, &header);
    reseal_header(&header, LWP_CRC32C);
    lwp_header_encode(&header, bytes);
    push(stage, link, bytes_of(bytes, right.size));
}

static void answer_without_payload_crc(struct stage *stage, struct lwp_link *link,
                                       struct lwp_bytes right)
{
    uint8_t bytes[ANSWER_ROOM];
    memcpy(bytes, right.data, right.size);
    lwp_put32(bytes + lwp_header_fields[LWP_HEADER_payload_crc].offset, 0);
    push(stage, link, bytes_of(bytes, right.size));
}

static void claim(struct stage *stage, struct lwp_link *link, uint32_t size)
{
    uint8_t head[LWP_HEADER_SIZE];
    struct lwp_frame frame = lwp_message_frame(LWP_COMMAND_TOPIC_RESPONSE, bytes_of(NULL, 0));
    frame.header.payload_length = size;
    lwp_frame_seal(&frame, dialect->polynomial, 1U << LWP_HEADER_payload_length);
    lwp_header_encode(&frame.header, head);
    push(stage, link, bytes_of(head, sizeof(head)));
}

static void claim_one_byte_too_many(struct stage *stage, struct lwp_link *link,
                                    struct lwp_bytes right)
{
    (void)right;
    claim(stage, link, LWP_MAX_PAYLOAD_DEFAULT + 1);
}

static void claim_4_gib(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    (void)right;
    claim(stage, link, UINT32_MAX);
}

/* All that may be claimed; but it never comes. */
static void claim_16_mib(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    const size_t before = heap_in_use();
    (void)right;
    claim(stage, link, LWP_MAX_PAYLOAD_DEFAULT);
    assert_true(heap_in_use() < before + 65536);
}

static void answer_in_part_and_close(struct stage *stage, struct lwp_link *link,
                                     struct lwp_bytes right)
{
    push(stage, link, bytes_of(right.data, stage->misdeed->place));
    lwp_link_close(link, LWP_CLOSE_FIN);
}

static void answer_in_part_and_reset(struct stage *stage, struct lwp_link *link,
                                     struct lwp_bytes right)
{
    push(stage, link, bytes_of(right.data, stage->misdeed->place));
    (void)lwp_link_write(link);
    lwp_link_close(link, LWP_CLOSE_RST);
}

/* The next place is each time another one. */
static void redirect_ever_further(struct stage *stage, struct lwp_link *link,
                                  struct lwp_bytes right)
{
    char text[64];
    (void)right;
    (void)snprintf(text, sizeof(text), "NOT_LEADER: redirect to node-%zu:1", stage->fake->count);
    fake_error(stage->fake, link, text);
}

/* The questions: each makes sure that a yes is the answer to this very one. */

static enum lwp_status ask_topic(struct lwp_client *client, unsigned number)
{
    struct lwp_topic_info topic;
    const enum lwp_status status = lwp_client_get_topic(client, number, &topic);
    if (status == LWP_OK)
        assert_int_equal(topic.id, number);
    return status;
}

/* Nothing in the answers of these but their place tells which question they belong to. */
static enum lwp_status ask_place(struct lwp_client *client, unsigned number)
{
    const uint64_t asked = 1000 * (uint64_t)number;
    uint64_t offset = 0;
    const enum lwp_status status = lwp_client_subscribe(client, 1, asked, CONSUMER_ID, &offset);
    if (status == LWP_OK)
        assert_int_equal(offset, asked);
    return status;
}

static enum lwp_status ask_topics(struct lwp_client *client, unsigned number)
{
    struct lwp_topic_info *topics = NULL;
    size_t count = 1;
    (void)number;
    const enum lwp_status status = lwp_client_list_topics(client, &topics, &count);
    if (status == LWP_OK)
        assert_int_equal(count, 0);
    free(topics);
    return status;
}

static enum lwp_status ask_cluster(struct lwp_client *client, unsigned number)
{
    struct lwp_cluster_info info;
    (void)number;
    const enum lwp_status status = lwp_client_cluster_status(client, &info);
    if (status == LWP_OK)
        assert_int_equal(info.node_id, NODE_ID);
    return status;
}

static enum lwp_status ask_commit(struct lwp_client *client, unsigned number)
{
    return lwp_client_commit_offset(client, 1, CONSUMER_ID, number);
}

static enum lwp_status ask_unsubscribe(struct lwp_client *client, unsigned number)
{
    (void)number;
    return lwp_client_unsubscribe(client, 1, CONSUMER_ID);
}

static enum lwp_status ask_ping(struct lwp_client *client, unsigned number)
{
    (void)number;
    return lwp_client_ping(client, NULL);
}

static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n";
static const char place_of_43[] = "\x2b\0\0\0\0\0\0\0\xe8\3\0\0\0\0\0";
static const char place_at_end[] = "\x2a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
static const char short_place[] = "\x2a\0\0\0\0\0\0\0\0\0\0\0\0\0";

#define TOPIC(text)                                                                                \
    {                                                                                              \
        LWP_FLAG_CONTROL, LWP_COMMAND_TOPIC_RESPONSE, text, 0                                      \
    }
#define REFUSAL(text)                                                                              \
    {                                                                                              \
        LWP_FLAG_CONTROL, LWP_COMMAND_ERROR_RESPONSE, text, 0                                      \
    }

/* To a client that asks one thing after the other. */
static const struct misdeed of_requests[] = {
    {"B-05 P-14 a late answer is nobody's", ask_place, answer_late, LWP_TIMEOUT, .connections = 2},
    {"B-05 a late document is nobody's", ask_topic, answer_late, LWP_TIMEOUT, .connections = 2},
    {"P-14 a late Keepalive is nobody's", ask_ping, answer_late, LWP_TIMEOUT, .connections = 2},
    {"B-08 P-13 silence ends at the deadline", ask_topic, say_nothing, LWP_TIMEOUT,
     .connections = 2},
    {"B-08 a slow drip ends at the deadline", ask_topic, answer_in_drips, LWP_TIMEOUT,
     .connections = 2},
    {"B-05 a second answer is nobody's", ask_place, answer_twice, LWP_OK, .connections = 2},
    {"B-06 a Keepalive is no answer", ask_topic, say_before, LWP_OK, .connections = 1,
     .says = {.flags = LWP_FLAG_KEEPALIVE}},
    {"B-06 a Backpressure is no answer", ask_topic, say_before, LWP_OK, .connections = 1,
     .says = {.flags = LWP_FLAG_BACKPRESSURE}},
    {"P-05 nor is one with a payload", ask_place, say_before, LWP_OK, .connections = 1,
     .says = {LWP_FLAG_BACKPRESSURE, 0, "slow down", 0}},
    {"B-06 Keepalives alone end at the deadline", ask_topic, say_a_thousand_times, LWP_TIMEOUT,
     .connections = 2, .says = {.flags = LWP_FLAG_KEEPALIVE}},
    {"B-06 Backpressures alone end at the deadline", ask_place, say_a_thousand_times, LWP_TIMEOUT,
     .connections = 2, .says = {.flags = LWP_FLAG_BACKPRESSURE}},
    {"B-05 an unsolicited Ack ends the connection", ask_topic, say_before, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {.flags = LWP_FLAG_ACK, .batch_id = 5}},
    {"B-05 a pushed batch ends the connection", ask_topic, say_before, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_BATCH, 1, "x", 0}},
    {"B-05 what comes behind the answer is not kept for the next", ask_place, say_too, LWP_OK,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_SUBSCRIBE_ACK, place_at_end, 16}},
    {"B-18 an unknown command is no refusal", ask_topic, say, LWP_UNKNOWN_COMMAND, .connections = 2,
     .says = {LWP_FLAG_CONTROL, 0x55, "Topic not found", 0}},
    {"B-04 another protocol ends the connection", ask_topic, say, LWP_INVALID_MAGIC,
     .connections = 2, .says = {0, 0, http, 0}},
    {"P-20 an answer of another kind is not taken", ask_topic, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK, place_at_end, 16}},
    {"P-20 nor by a commit", ask_commit, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = TOPIC("{}")},
    {"P-09 the server can not catch up with a topic", ask_topic, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_CATCHING_UP, "12345678", 0}},
    {"B-05 a pushed FetchResponse is not taken", ask_topic, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_FETCH_RESPONSE, place_at_end, 16}},
    {"P-14 a ping takes no control frame", ask_ping, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = TOPIC("{}")},
    {"P-14 a ping takes no Ack", ask_ping, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = {.flags = LWP_FLAG_ACK}},
    {"B-15 another consumer's SubscribeAck is not taken", ask_place, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_SUBSCRIBE_ACK, place_of_43, 16}},
    {"B-15 another consumer's CommitAck is not taken", ask_commit, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK, place_of_43, 16}},
    {"B-15 another consumer's Ack is not taken", ask_unsubscribe, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = {.flags = LWP_FLAG_ACK, .batch_id = 43}},
    {"P-06 an Unsubscribe is answered by an Ack", ask_unsubscribe, say, LWP_OK, .connections = 1,
     .says = {.flags = LWP_FLAG_ACK, .batch_id = CONSUMER_ID}},
    {"B-32 what the server says it committed harms nobody", ask_commit, say, LWP_OK,
     .connections = 1, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK, place_at_end, 16}},
    {"a SubscribeAck cut short is not taken", ask_place, say, LWP_INVALID_LENGTH, .connections = 2,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_SUBSCRIBE_ACK, short_place, 14}},
    {"B-05 another topic's document is not taken", ask_topic, say, LWP_UNEXPECTED_FRAME,
     .connections = 2, .says = TOPIC("{\"id\":3,\"name\":\"t3\"}")},
    {"a text is no document", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("not json at all")},
    {"nothing is no document", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC(NULL)},
    {"half a document is none", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"id\":1,")},
    {"an array is no topic", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("[1]")},
    {"an id of 33 bits is no id", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"id\":4294967297,\"name\":\"t1\"}")},
    {"a text is no id", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"id\":\"1\"}")},
    {"a fraction is no id", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"id\":1.5}")},
    {"nor is a negative number", ask_topic, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"id\":-1}")},
    {"B-37 a retention that is null is none", ask_topic, say, LWP_OK, .connections = 1,
     .says = TOPIC("{\"id\":1,\"name\":\"t1\",\"retention\":null}")},
    {"a document that is deep without end is none", ask_topic, say, LWP_PAYLOAD_TOO_LARGE,
     .connections = 2,
     .says = TOPIC(
         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")},
    {"a list without topics is none", ask_topics, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("[]")},
    {"a number in the list is no topic", ask_topics, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = TOPIC("{\"topics\":[1]}")},
    {"a text is no status", ask_cluster, say, LWP_INVALID_PAYLOAD, .connections = 2,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_CLUSTER_STATUS_RESPONSE, "ready", 0}},
    {"P-07 a refusal has its status", ask_topic, say, LWP_TOPIC_NOT_FOUND, .connections = 1,
     .says = REFUSAL("Topic not found")},
    {"B-09 P-07 that may pass or not", ask_topic, say, LWP_FORWARD_FAILED, .connections = 1,
     .says = REFUSAL("FORWARD_FAILED: x")},
    {"B-10 the leader is not known", ask_topic, say, LWP_LEADER_UNKNOWN, .connections = 1,
     .says = REFUSAL("NOT_LEADER: leader unknown")},
    {"P-07 the rate is too high", ask_topic, say, LWP_RATE_LIMITED, .connections = 1,
     .says = REFUSAL("Rate limit exceeded")},
    {"a refusal without words is one", ask_topic, say, LWP_PEER_REFUSED, .connections = 1,
     .says = REFUSAL(NULL)},
    {"a refusal that is no text is one", ask_topic, say, LWP_PEER_REFUSED, .connections = 1,
     .says = REFUSAL("\xff\xfe\x01\x1b[2J")},
    {"a refusal with a broken document is one", ask_topic, say, LWP_PEER_REFUSED, .connections = 1,
     .says = REFUSAL("{\"code\":")},
    {"B-06 a refusal is not taken for the next answer", ask_topic, say_twice, LWP_TOPIC_NOT_FOUND,
     .connections = 2, .says = REFUSAL("Topic not found")},
    {"nobody is redirected to nothing", ask_topic, say, LWP_LEADER_UNKNOWN, .connections = 1,
     .says = REFUSAL("NOT_LEADER: redirect to ")},
    {"nor to nonsense", ask_topic, say, LWP_LEADER_UNKNOWN, .connections = 1,
     .says = REFUSAL("NOT_LEADER: redirect to :::::")},
    {"nor to a port that is none", ask_topic, say, LWP_LEADER_UNKNOWN, .connections = 1,
     .says = REFUSAL("NOT_LEADER: redirect to x:99999")},
    {"nor by a document", ask_topic, say, LWP_LEADER_UNKNOWN, .connections = 1,
     .says =
         REFUSAL("{\"code\":32,\"message\":\"\",\"details\":{\"leader_addr\":\"a b\\u0000:1\"}}")},
    {"whoever redirects to himself is a circle", ask_topic, say, LWP_NOT_LEADER, .connections = 2,
     .says = REFUSAL("NOT_LEADER: redirect to home:1992")},
    {"a chase without end is given up", ask_topic, redirect_ever_further, LWP_NOT_LEADER,
     .connections = 7, .times = 6},
    {"B-03 a payload one byte too large ends the connection", ask_topic, claim_one_byte_too_many,
     LWP_PAYLOAD_TOO_LARGE, .connections = 2},
    {"B-46 a payload of 4 GiB ends the connection", ask_topic, claim_4_gib, LWP_PAYLOAD_TOO_LARGE,
     .connections = 2},
    {"B-02 a claim alone takes no memory, and ends at the deadline", ask_topic, claim_16_mib,
     LWP_TIMEOUT, .connections = 2},
    {"P-02 another version ends the connection", ask_topic, answer_with_version_0,
     LWP_INVALID_VERSION, .connections = 2},
    {"B-01 the other polynomial ends the connection", ask_topic, answer_with_castagnoli,
     LWP_HEADER_CHECKSUM, .connections = 2},
    {"B-04 a wrong magic ends the connection", ask_topic, answer_damaged, LWP_INVALID_MAGIC,
     .connections = 2},
    {"B-04 damage in the header ends the connection", ask_topic, answer_damaged,
     LWP_HEADER_CHECKSUM, .connections = 2, .place = 5},
    {"B-07 so does a reserved byte", ask_topic, answer_damaged, LWP_HEADER_CHECKSUM,
     .connections = 2, .place = 6},
    {"B-04 damage in the payload ends the connection", ask_topic, answer_damaged,
     LWP_PAYLOAD_CHECKSUM, .connections = 2, .place = LWP_HEADER_SIZE + 3},
    {"B-02 a flipped length ends at the deadline at the latest", ask_topic, answer_damaged,
     LWP_TIMEOUT, .connections = 2, .place = 33},
    {"P-03 a payload without a checksum ends the connection", ask_topic, answer_without_payload_crc,
     LWP_PAYLOAD_CHECKSUM, .connections = 2},
    {"B-04 what follows damage is not read", ask_topic, say_before, LWP_INVALID_MAGIC,
     .connections = 2, .says = {0, 0, http, 0}},
    {"a connection that ends inside of a header is closed", ask_topic, answer_in_part_and_close,
     LWP_CLOSED, .connections = 2, .place = 20},
    {"or inside of a payload", ask_topic, answer_in_part_and_close, LWP_CLOSED, .connections = 2,
     .place = LWP_HEADER_SIZE + 5},
    {"or before anything", ask_place, answer_in_part_and_close, LWP_CLOSED, .connections = 2,
     .place = 0},
    {"P-13 a reset is one", ask_topic, answer_in_part_and_reset, LWP_RESET, .connections = 2,
     .place = 20},
};

static void open_stage(struct stage *stage, const struct misdeed *misdeed)
{
    stage->misdeed = misdeed;
    stage->left = misdeed->times ? misdeed->times : 1;
    stage->fake = fake_new(dialect, hear);
    stage->fake->own = stage;
    stage->fake->idle = send_parcels;
}

static struct lwp_connect_options options_of(struct stage *stage)
{
    struct lwp_connect_options options = fake_options(stage->fake);
    options.request_timeout_ms = TIMEOUT_MS;
    return options;
}

static void a_request_meets(void **state)
{
    const struct misdeed *misdeed = *state;
    static struct stage stage;
    struct lwp_client *client = NULL;
    stage = (struct stage){.fake = NULL};
    open_stage(&stage, misdeed);
    const struct lwp_connect_options options = options_of(&stage);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    const uint64_t before_ns = stage.fake->now_ns;
    assert_int_equal(misdeed->ask(client, 1), misdeed->status);
    assert_true(stage.fake->now_ns - before_ns <= TIMEOUT_MS * MS);
    for (unsigned number = 2; number < 5; number++)
        assert_int_equal(misdeed->ask(client, number), LWP_OK);
    assert_int_equal(stage.fake->count, misdeed->connections);
    lwp_client_close(client);
    fake_free(stage.fake);
}

/* To a producer of three records, each in a batch of its own, all on their way at once: what becomes of
 * the first. */

/* What became of each. */
struct fates {
    unsigned reports[4];
    enum lwp_status statuses[4];
};

static void note(void *user, const struct lwp_delivery *delivery)
{
    struct fates *fates = user;
    const size_t place = (size_t)delivery->sequence - 1;
    assert_true(place < COUNT_OF(fates->reports));
    fates->reports[place]++;
    fates->statuses[place] = delivery->status;
}

/* It is not even stored. */
static void refuse(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    stage->size = 0;
    say(stage, link, right);
}

static const struct misdeed of_acks[] = {
    {"an Ack for a batch that was not sent ends the connection", NULL, say, LWP_OK,
     .connections = 2, .says = {.flags = LWP_FLAG_ACK, .batch_id = 4}},
    {"so does one for no batch", NULL, say, LWP_OK, .connections = 2,
     .says = {.flags = LWP_FLAG_ACK, .batch_id = 0}},
    {"so does one far ahead", NULL, say, LWP_OK, .connections = 2,
     .says = {.flags = LWP_FLAG_ACK, .batch_id = END}},
    {"an Ack for a later batch confirms that one alone", NULL, say, LWP_TIMEOUT, .connections = 2,
     .says = {.flags = LWP_FLAG_ACK, .batch_id = 2}},
    {"B-08 Acks that come a thousand times confirm once", NULL, say_a_thousand_times, LWP_OK,
     .connections = 1, .says = {.flags = LWP_FLAG_ACK, .batch_id = 1}},
    {"B-26 an Ack that comes twice confirms once", NULL, answer_twice, LWP_OK, .connections = 1},
    {"B-23 an Ack that never comes is waited for, and then it is too late", NULL, say_nothing,
     LWP_TIMEOUT, .connections = 2},
    {"B-05 a late Ack is nobody's", NULL, answer_late, LWP_OK, .connections = 2},
    {"B-08 a slow drip ends at the deadline", NULL, answer_in_drips, LWP_OK, .connections = 2},
    {"B-26 an Ack that its connection takes along is sent for again", NULL,
     answer_in_part_and_reset, LWP_OK, .connections = 2, .place = 20},
    {"P-13 so is one that comes to its middle", NULL, answer_in_part_and_close, LWP_OK,
     .connections = 2, .place = 43},
    {"B-06 Keepalives alone end at the deadline", NULL, say_a_thousand_times, LWP_TIMEOUT,
     .connections = 2, .says = {.flags = LWP_FLAG_KEEPALIVE}},
    {"Backpressure slows down and loses nothing", NULL, say_before, LWP_OK, .connections = 1,
     .says = {.flags = LWP_FLAG_BACKPRESSURE}},
    {"P-05 with a payload, too", NULL, say_before, LWP_OK, .connections = 1,
     .says = {LWP_FLAG_BACKPRESSURE, 0, "slow down", 0}},
    {"Backpressures alone end at the deadline", NULL, say_a_thousand_times, LWP_TIMEOUT,
     .connections = 2, .says = {.flags = LWP_FLAG_BACKPRESSURE}},
    {"B-05 a document is no Ack", NULL, say, LWP_OK, .connections = 2, .says = TOPIC("{}")},
    {"B-18 an unknown command is none", NULL, say, LWP_OK, .connections = 2,
     .says = {.flags = LWP_FLAG_CONTROL, .batch_id = 0x55}},
    {"B-05 a pushed batch is none", NULL, say, LWP_OK, .connections = 2,
     .says = {LWP_FLAG_BATCH, 1, "x", 0}},
    {"B-05 nor is a CommitAck", NULL, say, LWP_OK, .connections = 2,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK, place_at_end, 16}},
    {"B-04 damage behind the Ack costs the connection alone", NULL, say_too, LWP_OK,
     .connections = 2, .says = {0, 0, http, 0}},
    {"B-04 damage in front of it costs the Ack", NULL, say_before, LWP_OK, .connections = 2,
     .says = {0, 0, http, 0}},
    {"B-01 an Ack of the other polynomial is none", NULL, answer_with_castagnoli, LWP_OK,
     .connections = 2},
    {"P-02 nor is one of another version", NULL, answer_with_version_0, LWP_OK, .connections = 2},
    {"P-08 a refusal fails the record at once", NULL, refuse, LWP_TOPIC_NOT_FOUND, .connections = 1,
     .says = REFUSAL("Unknown topic")},
    {"a refusal without words fails it, too", NULL, refuse, LWP_PEER_REFUSED, .connections = 1,
     .says = REFUSAL(NULL)},
    {"B-22 so does one that comes once too often", NULL, say_a_thousand_times, LWP_TOPIC_NOT_FOUND,
     .connections = 2, .says = REFUSAL("Unknown topic")},
    {"a refusal behind the Ack is the next one's", NULL, say_too, LWP_OK, .connections = 1,
     .says = REFUSAL("Unknown topic")},
};

static struct lwp_outgoing record_of(const char *text)
{
    return (struct lwp_outgoing){
        .topic_id = 1, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text(text)}};
}

/* All that was acknowledged is there, and came first in its order. */
static void check_stored(const struct stage *stage, const struct fates *fates)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(bytes_of(stage->log, stage->size));
    struct lwp_record record;
    unsigned seen = 0;
    while (lwp_tlv_next(&walk, &record) == LWP_OK) {
        const unsigned place = (unsigned)record.value.data[0] - 'a';
        assert_true(place < COUNT_OF(fates->reports));
        assert_true(seen >> (place + 1) == 0 || seen >> place & 1);
        seen |= 1U << place;
    }
    for (unsigned place = 0; place < COUNT_OF(fates->reports); place++)
        assert_true(fates->statuses[place] != LWP_OK || seen >> place & 1);
}

static void a_producer_meets(void **state)
{
    const struct misdeed *misdeed = *state;
    static const char *const texts[] = {"a", "b", "c"};
    static struct stage stage;
    struct fates fates = {.reports = {0}};
    struct lwp_producer *producer = NULL;
    stage = (struct stage){.fake = NULL};
    open_stage(&stage, misdeed);
    struct lwp_producer_options options = lwp_producer_defaults("home");
    options.connect = options_of(&stage);
    options.batch_size = 1;
    options.delivered = note;
    options.user = &fates;
    assert_int_equal(lwp_producer_open(&options, &producer, NULL), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct lwp_outgoing record = record_of(texts[i]);
        assert_int_equal(lwp_producer_put(producer, &record, NULL), LWP_OK);
    }
    /* Its deadline, a wait, and another try. */
    assert_int_equal(lwp_producer_flush(producer, TIMEOUT_MS + 200), LWP_OK);
    assert_int_equal(fates.statuses[0], misdeed->status);
    /* The producer itself is well. */
    const struct lwp_outgoing last = record_of("d");
    assert_int_equal(lwp_producer_send(producer, &last), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(fates.reports); i++)
        assert_int_equal(fates.reports[i], 1);
    check_stored(&stage, &fates);
    assert_int_equal(stage.fake->count, misdeed->connections);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    fake_free(stage.fake);
}

/* To a consumer, at its third fetch. Why it last had trouble is the status. */

/* Writes another number into the answer: `batch_id` at `place` of the payload. */
static void answer_with_number(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    const struct misdeed *misdeed = stage->misdeed;
    uint8_t payload[ANSWER_ROOM];
    struct lwp_frame frame;
    lwp_header_decode(right.data, &frame.header);
    frame.payload = lwp_bytes_from(right, LWP_HEADER_SIZE);
    memcpy(payload, frame.payload.data, frame.payload.size);
    if (misdeed->place == 0)
        lwp_put64(payload, misdeed->says.batch_id);
    else
        lwp_put32(payload + misdeed->place, (uint32_t)misdeed->says.batch_id);
    frame.payload.data = payload;
    push(stage, link, bytes_of_frame(frame, 0));
}

/* The bytes of the row are the compressed data. */
static void answer_compressed(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    const struct saying *says = &stage->misdeed->says;
    uint8_t room[ANSWER_ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    const struct lwp_message message = {.command = LWP_COMMAND_FETCH_RESPONSE,
                                        .next_offset = stage->size,
                                        .bytes_returned = says->size,
                                        .data = bytes_of(says->bytes, says->size)};
    (void)right;
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    struct lwp_frame frame = lwp_message_frame(message.command, lwp_writer_bytes(&out));
    frame.header.flags |= LWP_FLAG_COMPRESSED;
    push(stage, link, bytes_of_frame(frame, 0));
}

static void catch_up_further(struct stage *stage, struct lwp_link *link, struct lwp_bytes right)
{
    (void)right;
    fake_tell(stage->fake, link,
              (struct lwp_message){.command = LWP_COMMAND_CATCHING_UP,
                                   .server_offset = 100 - stage->left});
}

static const char empty_further[] = "\xe8\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
static const char bomb_of_4_gib[] = "\1\xff\xff\xff\xff\xff\xff\xff\xff\x1f"
                                    "a\1\0\xff\xff\xff\xff";
static const char bomb_within[] = "\1\x10\0\0\0\xff\xff\xff\x7f\x1f"
                                  "a\1\0\xff\xff\xff\xff";
static const char swelling[] = "\1\x10\0\0\0\x10\0\0\0\x1f"
                               "a\1\0\xff\xff\xff\xff\0\x50"
                               "aaaaa";
static const char zstd[] = "\2\x10\0\0\0\x28\xb5\x2f\xfd\0\0";

static const struct misdeed of_fetches[] = {
    {"B-31 an empty answer that goes further passes nothing over", NULL, say, LWP_OK,
     .connections = 1, .says = {LWP_FLAG_CONTROL, LWP_COMMAND_FETCH_RESPONSE, empty_further, 16},
     .times = 5},
    {"B-15 an answer that goes backwards is not taken", NULL, answer_with_number,
     LWP_INVALID_OFFSET, .connections = 2, .says.batch_id = 1},
    {"B-15 nor one that goes to the end of all numbers", NULL, answer_with_number,
     LWP_INVALID_OFFSET, .connections = 2, .says.batch_id = END},
    {"B-15 nor one that leaves a gap", NULL, answer_with_number, LWP_INVALID_OFFSET,
     .connections = 2, .says.batch_id = 1000},
    {"B-15 nor one that says another size", NULL, answer_with_number, LWP_INVALID_LENGTH,
     .connections = 2, .says.batch_id = 7, .place = 8},
    {"what it says about its records is not believed", NULL, answer_with_number, LWP_OK,
     .connections = 1, .says.batch_id = 4000000000, .place = 12},
    {"B-15 an answer cut short is not taken", NULL, say, LWP_INVALID_LENGTH, .connections = 2,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_FETCH_RESPONSE, short_place, 14}},
    {"B-05 P-14 a late answer is nobody's", NULL, say_nothing, LWP_TIMEOUT, .connections = 2},
    {"B-08 a slow drip ends at the deadline", NULL, answer_in_drips, LWP_TIMEOUT, .connections = 2},
    /* The next fetch is out already, and it does not fit that. */
    {"B-05 a second answer is nobody's", NULL, answer_twice, LWP_INVALID_OFFSET, .connections = 2},
    {"B-05 a pushed batch ends the connection", NULL, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = {LWP_FLAG_BATCH, 1, "x", 0}},
    {"an Ack ends it", NULL, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = {.flags = LWP_FLAG_ACK, .batch_id = 1}},
    {"B-42 a late CommitAck is no records", NULL, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK, place_at_end, 16}},
    {"a document is no records", NULL, say, LWP_UNEXPECTED_FRAME, .connections = 2,
     .says = TOPIC("{}")},
    {"B-18 an unknown command is no records", NULL, say, LWP_UNKNOWN_COMMAND, .connections = 2,
     .says = {LWP_FLAG_CONTROL, 0x55, "12345678", 0}},
    {"B-06 Keepalives alone end at the deadline", NULL, say_a_thousand_times, LWP_TIMEOUT,
     .connections = 2, .says = {.flags = LWP_FLAG_KEEPALIVE}},
    {"P-05 a Backpressure with a payload is passed over", NULL, say_before, LWP_OK,
     .connections = 1, .says = {LWP_FLAG_BACKPRESSURE, 0, "slow down", 0}},
    {"P-09 a server that catches up is no data", NULL, say, LWP_OK, .connections = 1,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_CATCHING_UP, "12345678", 8}},
    {"B-16 nor without an offset", NULL, say, LWP_OK, .connections = 1,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_CATCHING_UP, "1234", 4}},
    {"a server that does not get on is an error", NULL, say, LWP_CATCHING_UP, .connections = 1,
     .says = {LWP_FLAG_CONTROL, LWP_COMMAND_CATCHING_UP, "12345678", 8}, .times = 3},
    {"P-07 in words, too", NULL, say, LWP_CATCHING_UP, .connections = 1,
     .says = REFUSAL("CATCHING_UP"), .times = 3},
    {"one that gets on is none", NULL, catch_up_further, LWP_OK, .connections = 1, .times = 8},
    {"a refusal is told", NULL, say, LWP_TOPIC_NOT_FOUND, .connections = 1,
     .says = REFUSAL("Topic not found")},
    {"P-07 one that passes is waited for", NULL, say, LWP_OK, .connections = 1,
     .says = REFUSAL("Rate limit exceeded")},
    {"B-10 a leader is followed, whatever it is called", NULL, say, LWP_NOT_LEADER,
     .connections = 2, .says = REFUSAL("NOT_LEADER: redirect to elsewhere:7")},
    {"nobody is redirected to nonsense", NULL, say, LWP_OK, .connections = 1,
     .says = REFUSAL("NOT_LEADER: redirect to [::")},
    {"B-03 an answer larger than asked for is refused by its head", NULL, claim_16_mib,
     LWP_PAYLOAD_TOO_LARGE, .connections = 2},
    {"B-46 so is one of 4 GiB", NULL, claim_4_gib, LWP_PAYLOAD_TOO_LARGE, .connections = 2},
    {"B-40 what claims to become 4 GiB is not decompressed", NULL, answer_compressed,
     LWP_PAYLOAD_TOO_LARGE, .connections = 2,
     .says = {0, 0, bomb_of_4_gib, sizeof(bomb_of_4_gib) - 1}},
    {"B-40 nor what claims two sizes", NULL, answer_compressed, LWP_INVALID_COMPRESSION,
     .connections = 2, .says = {0, 0, bomb_within, sizeof(bomb_within) - 1}},
    {"B-40 nor what becomes more than it claims", NULL, answer_compressed, LWP_INVALID_COMPRESSION,
     .connections = 2, .says = {0, 0, swelling, sizeof(swelling) - 1}},
    {"B-41 nor what another algorithm made", NULL, answer_compressed, LWP_INVALID_COMPRESSION,
     .connections = 2, .says = {0, 0, zstd, sizeof(zstd) - 1}},
    {"P-15 records are not what is compressed", NULL, answer_compressed, LWP_INVALID_COMPRESSION,
     .connections = 2, .says = {0, 0, "\1\3\0\0\0abc", 8}},
    {"B-04 another protocol ends the connection", NULL, say, LWP_INVALID_MAGIC, .connections = 2,
     .says = {0, 0, http, 0}},
    {"B-01 so does the other polynomial", NULL, answer_with_castagnoli, LWP_HEADER_CHECKSUM,
     .connections = 2},
    {"P-02 so does another version", NULL, answer_with_version_0, LWP_INVALID_VERSION,
     .connections = 2},
    {"P-03 so does a payload without a checksum", NULL, answer_without_payload_crc,
     LWP_PAYLOAD_CHECKSUM, .connections = 2},
    {"B-04 so does damage in the records", NULL, answer_damaged, LWP_PAYLOAD_CHECKSUM,
     .connections = 2, .place = LWP_HEADER_SIZE + 20},
    {"a connection that ends inside of a record is made anew", NULL, answer_in_part_and_close,
     LWP_CLOSED, .connections = 2, .place = LWP_HEADER_SIZE + 25},
    {"B-44 so is one that is reset", NULL, answer_in_part_and_reset, LWP_RESET, .connections = 2,
     .place = 50},
};

static void fill_log(struct stage *stage)
{
    struct lwp_writer out = lwp_writer_on(stage->log, sizeof(stage->log));
    for (int i = 0; i < RECORDS; i++)
        lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("a record's value of 30 bytes: 5"));
    stage->size = out.size;
}

static void a_consumer_meets(void **state)
{
    const struct misdeed *misdeed = *state;
    static struct stage stage;
    struct lwp_consumer *consumer = NULL;
    struct lwp_details why;
    uint64_t offset = 0;
    stage = (struct stage){.before = 2};
    open_stage(&stage, misdeed);
    fill_log(&stage);
    struct lwp_consumer_options options = lwp_consumer_defaults("home", "reader", 1);
    options.connect = options_of(&stage);
    options.max_fetch_bytes = LARGEST_FETCH;
    options.catch_up_ms = 10;
    assert_int_equal(lwp_consumer_open(&options, &consumer, NULL), LWP_OK);
    const uint64_t before_ns = stage.fake->now_ns;
    while (offset < stage.size) {
        struct lwp_batch batch;
        if (lwp_consumer_poll(consumer, 100, &batch) == LWP_OK) {
            assert_int_equal(batch.start_offset, offset);
            assert_bytes_equal(batch.data, bytes_of(stage.log + offset, batch.data.size));
            offset = batch.end_offset;
        }
        /* The deadline, a wait, and another try. */
        assert_true(stage.fake->now_ns - before_ns <= (TIMEOUT_MS + 300) * MS);
    }
    lwp_consumer_why(consumer, &why);
    assert_int_equal(why.status, misdeed->status);
    assert_int_equal(stage.fake->count, misdeed->connections);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
    fake_free(stage.fake);
}

/* A test for each row. */
static size_t add_rows(struct CMUnitTest *tests, const struct misdeed *rows, size_t count,
                       CMUnitTestFunction run)
{
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = run, .initial_state = (void *)(uintptr_t)&rows[i]};
    return count;
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(of_requests) + COUNT_OF(of_acks) + COUNT_OF(of_fetches)];
    size_t count = add_rows(tests, of_requests, COUNT_OF(of_requests), a_request_meets);
    count += add_rows(tests + count, of_acks, COUNT_OF(of_acks), a_producer_meets);
    (void)add_rows(tests + count, of_fetches, COUNT_OF(of_fetches), a_consumer_meets);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
