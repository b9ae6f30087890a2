/* SPDX-License-Identifier: MIT */
#include "mock_server/packets.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "mock_server/pcapng.h"

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10 };
enum { IPV4_SIZE = 20, IPV6_SIZE = 40, TCP_SIZE = 20, TCP_OPTIONS_SIZE = 8, MAX_HEAD = 68 };
enum { PROTOCOL_TCP = 6, TIME_TO_LIVE = 64, DONT_FRAGMENT = 0x4000 };
enum { PORT_DEFAULT = 1992, FIRST_PORT = 1024, PORTS = 64000 };
enum { BUCKETS = 1024 };

/* One side of a connection. */
struct side {
    uint8_t address[16]; /* Of IPv4 the last four, mapped. */
    uint16_t port;
    uint32_t next; /* The sequence number of its next byte. */
    bool ended;
};

struct talk {
    uint64_t connection;
    bool ipv6;
    struct side sides[2]; /* By `outgoing`: the peer's, the mock's. */
    struct talk *next;
};

struct lwp_packets {
    struct lwp_pcapng file;
    bool short_of_memory;
    struct talk *buckets[BUCKETS];
};

/* A segment that is being made. */
struct segment {
    const struct talk *talk;
    bool outgoing;
    uint8_t flags;
    struct lwp_bytes parts[2];
};

enum lwp_status lwp_packets_new(FILE *out, const char *program, struct lwp_packets **packets)
{
    struct lwp_packets *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    made->file = lwp_pcapng_begin(out, program);
    *packets = made;
    return LWP_OK;
}

void lwp_packets_free(struct lwp_packets *packets)
{
    for (size_t i = 0; packets && i < BUCKETS; i++)
        while (packets->buckets[i]) {
            struct talk *talk = packets->buckets[i];
            packets->buckets[i] = talk->next;
            free(talk);
        }
    free(packets);
}

static void put_big16(uint8_t *out, size_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void put_big32(uint8_t *out, uint32_t value)
{
    put_big16(out, value >> 16);
    put_big16(out + 2, value);
}

/* The Internet checksum under way: bytes in pairs, whatever pieces they come in (RFC 1071). */
struct sum {
    uint64_t total;
    bool odd;
};

static void sum_bytes(struct sum *sum, struct lwp_bytes bytes)
{
    size_t at = 0;
    if (sum->odd && bytes.size) {
        sum->total += bytes.data[at++];
        sum->odd = false;
    }
    for (; at + 1 < bytes.size; at += 2)
        sum->total += (uint64_t)bytes.data[at] << 8 | bytes.data[at + 1];
    if (at < bytes.size) {
        sum->total += (uint64_t)bytes.data[at] << 8;
        sum->odd = true;
    }
}

static uint16_t sum_end(struct sum sum)
{
    while (sum.total >> 16)
        sum.total = (sum.total & 0xffff) + (sum.total >> 16);
    return (uint16_t)~sum.total;
}

/* The address as it stands on the wire. */
static struct lwp_bytes address_of(const struct talk *talk, bool outgoing)
{
    const uint8_t *at = talk->sides[outgoing].address;
    return talk->ipv6 ? (struct lwp_bytes){at, 16} : (struct lwp_bytes){at + 12, 4};
}

static void sum_addresses(struct sum *sum, const struct segment *segment)
{
    sum_bytes(sum, address_of(segment->talk, segment->outgoing));
    sum_bytes(sum, address_of(segment->talk, !segment->outgoing));
}

/* The largest segment, and a window of 1 GiB, so that no reader thinks of it as full. */
static const uint8_t syn_options[TCP_OPTIONS_SIZE] = {
    2, 4, LWP_PACKETS_MAX_DATA >> 8, LWP_PACKETS_MAX_DATA & 0xff, 3, 3, 14, 0};

static size_t tcp_size(const struct segment *segment)
{
    return TCP_SIZE + (segment->flags & SYN ? TCP_OPTIONS_SIZE : 0);
}

static void put_tcp(const struct segment *segment, uint8_t *out)
{
    const struct side *from = &segment->talk->sides[segment->outgoing];
    const struct side *to = &segment->talk->sides[!segment->outgoing];
    const size_t size = tcp_size(segment);
    const size_t whole = size + segment->parts[0].size + segment->parts[1].size;
    memset(out, 0, TCP_SIZE);
    put_big16(out, from->port);
    put_big16(out + 2, to->port);
    put_big32(out + 4, from->next);
    if (segment->flags & ACK)
        put_big32(out + 8, to->next);
    out[12] = (uint8_t)(size / 4 << 4);
    out[13] = segment->flags;
    put_big16(out + 14, 0xffff);
    if (segment->flags & SYN)
        memcpy(out + TCP_SIZE, syn_options, sizeof(syn_options));
    struct sum sum = {PROTOCOL_TCP + whole, false};
    sum_addresses(&sum, segment);
    sum_bytes(&sum, (struct lwp_bytes){out, size});
    sum_bytes(&sum, segment->parts[0]);
    sum_bytes(&sum, segment->parts[1]);
    put_big16(out + 16, sum_end(sum));
}

static void put_address(uint8_t *out, struct lwp_bytes address)
{
    memcpy(out, address.data, address.size);
}

static size_t put_ipv4(const struct segment *segment, size_t carried, uint8_t *out)
{
    memset(out, 0, IPV4_SIZE);
    out[0] = 4 << 4 | IPV4_SIZE / 4;
    put_big16(out + 2, IPV4_SIZE + carried);
    put_big16(out + 6, DONT_FRAGMENT);
    out[8] = TIME_TO_LIVE;
    out[9] = PROTOCOL_TCP;
    put_address(out + 12, address_of(segment->talk, segment->outgoing));
    put_address(out + 16, address_of(segment->talk, !segment->outgoing));
    struct sum sum = {0, false};
    sum_bytes(&sum, (struct lwp_bytes){out, IPV4_SIZE});
    put_big16(out + 10, sum_end(sum));
    return IPV4_SIZE;
}

static size_t put_ipv6(const struct segment *segment, size_t carried, uint8_t *out)
{
    memset(out, 0, IPV6_SIZE);
    out[0] = 6 << 4;
    put_big16(out + 4, carried);
    out[6] = PROTOCOL_TCP;
    out[7] = TIME_TO_LIVE;
    put_address(out + 8, address_of(segment->talk, segment->outgoing));
    put_address(out + 24, address_of(segment->talk, !segment->outgoing));
    return IPV6_SIZE;
}

/* Writes a segment of the talk; SYN and FIN take a sequence number as a byte does. */
static void put_segment(struct lwp_packets *packets, struct talk *talk,
                        const struct lwp_packets_place *place, struct segment segment)
{
    uint8_t head[MAX_HEAD];
    segment.talk = talk;
    const size_t data = segment.parts[0].size + segment.parts[1].size;
    const size_t carried = tcp_size(&segment) + data;
    const size_t at =
        talk->ipv6 ? put_ipv6(&segment, carried, head) : put_ipv4(&segment, carried, head);
    put_tcp(&segment, head + at);
    const struct lwp_pcapng_packet packet = {
        .time_ns = place->time_ns,
        .parts = {{head, at + tcp_size(&segment)}, segment.parts[0], segment.parts[1]},
        .comment = place->comment,
    };
    lwp_pcapng_write(&packets->file, &packet);
    talk->sides[segment.outgoing].next += (uint32_t)data + (segment.flags & (SYN | FIN) ? 1U : 0U);
}

static struct talk **place_of(struct lwp_packets *packets, uint64_t connection)
{
    struct talk **place = &packets->buckets[connection % BUCKETS];
    while (*place && (*place)->connection != connection)
        place = &(*place)->next;
    return place;
}

static void forget(struct talk **place)
{
    struct talk *gone = *place;
    *place = gone->next;
    free(gone);
}

static void map_ipv4(uint8_t *address)
{
    memset(address, 0, 10);
    memset(address + 10, 0xff, 2);
}

/* A numeric address into a side; `*ipv6` says of which kind. False if it is none. */
static bool read_side(struct lwp_bytes text, struct side *side, bool *ipv6)
{
    char copy[LWP_ADDRESS_SIZE] = "";
    struct lwp_address address;
    if (text.size == 0 || text.size >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.size);
    if (lwp_address_parse(copy, &address) != LWP_OK)
        return false;
    side->port = (uint16_t)strtoul(address.port, NULL, 10);
    *ipv6 = inet_pton(AF_INET6, address.host, side->address) == 1;
    if (*ipv6)
        return true;
    map_ipv4(side->address);
    return inet_pton(AF_INET, address.host, side->address + 12) == 1;
}

/* An address of the ranges that are set aside for measurements (RFC 2544, RFC 5180). */
static void make_side(struct talk *talk, bool outgoing)
{
    static const uint8_t network[] = {0x20, 0x01, 0x00, 0x02};
    const uint64_t serial = talk->connection / PORTS;
    struct side *side = &talk->sides[outgoing];
    uint8_t *at = side->address;
    side->port = outgoing ? PORT_DEFAULT : (uint16_t)(FIRST_PORT + talk->connection % PORTS);
    memset(at, 0, sizeof(side->address));
    if (talk->ipv6)
        memcpy(at, network, sizeof(network));
    else
        map_ipv4(at);
    at[12] = talk->ipv6 ? 0 : 198;
    at[13] = talk->ipv6 ? !outgoing : outgoing ? 18 : 19;
    at[14] = outgoing ? 0 : (uint8_t)(serial >> 8);
    at[15] = outgoing ? 1 : (uint8_t)serial;
}

static void find_sides(struct talk *talk, struct lwp_bytes local, struct lwp_bytes peer)
{
    bool local_ipv6 = false, peer_ipv6 = false;
    const bool has_local = read_side(local, &talk->sides[1], &local_ipv6);
    const bool has_peer = read_side(peer, &talk->sides[0], &peer_ipv6);
    talk->ipv6 = (has_local && local_ipv6) || (has_peer && peer_ipv6);
    if (!has_local)
        make_side(talk, true);
    if (!has_peer)
        make_side(talk, false);
}

static void shake_hands(struct lwp_packets *packets, struct talk *talk,
                        const struct lwp_packets_place *place)
{
    struct lwp_packets_place plain = *place;
    plain.comment.size = 0;
    put_segment(packets, talk, place, (struct segment){.flags = SYN});
    put_segment(packets, talk, &plain, (struct segment){.flags = SYN | ACK, .outgoing = true});
    put_segment(packets, talk, &plain, (struct segment){.flags = ACK});
}

static struct talk *begin(struct lwp_packets *packets, uint64_t connection, struct lwp_bytes local,
                          struct lwp_bytes peer)
{
    struct talk **at = place_of(packets, connection);
    if (*at)
        forget(at);
    struct talk *talk = calloc(1, sizeof(*talk));
    if (!talk) {
        packets->short_of_memory = true;
        return NULL;
    }
    talk->connection = connection;
    find_sides(talk, local, peer);
    talk->next = packets->buckets[connection % BUCKETS];
    packets->buckets[connection % BUCKETS] = talk;
    return talk;
}

void lwp_packets_connect(struct lwp_packets *packets, const struct lwp_packets_place *place,
                         struct lwp_bytes local, struct lwp_bytes peer)
{
    struct talk *talk = begin(packets, place->connection, local, peer);
    if (talk)
        shake_hands(packets, talk, place);
}

/* The front of `*bytes`, of at most `*room`, which is taken from both. */
static struct lwp_bytes take(struct lwp_bytes *bytes, size_t *room)
{
    const struct lwp_bytes front = {bytes->data, bytes->size < *room ? bytes->size : *room};
    *bytes = lwp_bytes_from(*bytes, front.size);
    *room -= front.size;
    return front;
}

void lwp_packets_send(struct lwp_packets *packets, const struct lwp_packets_place *place,
                      struct lwp_bytes head, struct lwp_bytes body)
{
    struct lwp_packets_place here = *place;
    struct talk *talk = *place_of(packets, place->connection);
    if (!talk) {
        const struct lwp_bytes none = {NULL, 0};
        lwp_packets_connect(packets, place, none, none);
        talk = *place_of(packets, place->connection);
    }
    while (talk && (head.size || body.size)) {
        size_t room = LWP_PACKETS_MAX_DATA;
        struct segment segment = {.outgoing = place->outgoing, .flags = ACK};
        segment.parts[0] = take(&head, &room);
        segment.parts[1] = take(&body, &room);
        if (head.size + body.size == 0)
            segment.flags |= PSH;
        put_segment(packets, talk, &here, segment);
        here.comment.size = 0;
    }
}

void lwp_packets_close(struct lwp_packets *packets, const struct lwp_packets_place *place,
                       enum lwp_close how)
{
    struct talk **at = place_of(packets, place->connection);
    struct talk *talk = *at;
    if (!talk)
        return;
    struct side *side = &talk->sides[place->outgoing];
    const bool reset = how == LWP_CLOSE_RST;
    if (reset || !side->ended)
        put_segment(packets, talk, place,
                    (struct segment){.outgoing = place->outgoing,
                                     .flags = (uint8_t)((reset ? RST : FIN) | ACK)});
    side->ended = true;
    const bool both = talk->sides[0].ended && talk->sides[1].ended;
    if (reset || both || (place->outgoing && how == LWP_CLOSE_FIN))
        forget(at);
}

enum lwp_status lwp_packets_status(const struct lwp_packets *packets, int *error)
{
    *error = packets->file.error;
    if (packets->file.error)
        return LWP_IO;
    return packets->short_of_memory ? LWP_NO_MEMORY : LWP_OK;
}
