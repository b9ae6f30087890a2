/* SPDX-License-Identifier: MIT */
#include "lwp/tools/capture.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "lwp/tools/flows.h"

static const uint8_t pcapng_magic[] = {0x0a, 0x0d, 0x0d, 0x0a};

/* pcap, with microseconds or nanoseconds or Kuznetzov's headers, of either byte order. */
static const uint8_t pcap_magics[][4] = {
    {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
    {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
};

bool lwp_capture_is_pcapng(struct lwp_bytes file)
{
    return file.size >= sizeof(pcapng_magic) &&
           memcmp(file.data, pcapng_magic, sizeof(pcapng_magic)) == 0;
}

bool lwp_capture_recognise(struct lwp_bytes file)
{
    for (size_t i = 0; i < sizeof(pcap_magics) / sizeof(pcap_magics[0]); i++)
        if (file.size >= 4 && memcmp(file.data, pcap_magics[i], 4) == 0)
            return true;
    return lwp_capture_is_pcapng(file);
}

/* libpcap reads from a FILE: one over the bytes that are in memory. */
static ssize_t read_bytes(void *cookie, char *out, size_t size)
{
    struct lwp_bytes *left = cookie;
    if (size > left->size)
        size = left->size;
    if (size)
        memcpy(out, left->data, size);
    *left = lwp_bytes_from(*left, size);
    return (ssize_t)size;
}

static pcap_t *open_bytes(struct lwp_bytes *left, char *wrong)
{
    static const cookie_io_functions_t functions = {.read = read_bytes};
    FILE *file = fopencookie(left, "rb", functions);
    if (!file) {
        (void)snprintf(wrong, PCAP_ERRBUF_SIZE, "there is no memory left");
        return NULL;
    }
    pcap_t *capture = pcap_fopen_offline(file, wrong);
    if (!capture)
        (void)fclose(file);
    return capture;
}

static void find_in_capture(struct lwp_report *report, enum lwp_severity severity, const char *name,
                            const char *text)
{
    const struct lwp_finding finding = {severity, 0, name, NULL, text};
    report->stream = ""; /* It is of no stream. */
    lwp_report_finding(report, &finding);
}

static enum lwp_status take_packet(struct lwp_flows *flows, int link, struct lwp_bytes packet)
{
    struct lwp_segment segment;
    flows->other.packet_count++;
    switch (lwp_packet_read(link, packet, &segment)) {
    case LWP_PACKET_TCP:
        return lwp_flows_add(flows, &segment);
    case LWP_PACKET_FRAGMENT:
        flows->other.fragment_count++;
        break;
    case LWP_PACKET_DAMAGED:
        flows->other.damaged_count++;
        break;
    case LWP_PACKET_OTHER:
    case LWP_PACKET_LINK:
        flows->other.not_tcp_count++;
        break;
    }
    return LWP_OK;
}

static enum lwp_status read_packets(struct lwp_flows *flows, pcap_t *capture)
{
    const int link = pcap_datalink(capture);
    struct pcap_pkthdr *header = NULL;
    const u_char *data = NULL;
    enum lwp_status status = LWP_OK;
    int got = 0;
    if (!lwp_packet_link_known(link)) {
        char text[96];
        (void)snprintf(text, sizeof(text), "link type %d is not known here", link);
        find_in_capture(flows->report, LWP_SEVERITY_FAULT, "CAPTURE", text);
    }
    while (status == LWP_OK && (got = pcap_next_ex(capture, &header, &data)) == 1)
        status = take_packet(flows, link, (struct lwp_bytes){data, header->caplen});
    if (status == LWP_OK && got == PCAP_ERROR)
        find_in_capture(flows->report, LWP_SEVERITY_FAULT, "CAPTURE", pcap_geterr(capture));
    return status;
}

static void tell_rest(struct lwp_flows *flows)
{
    struct lwp_report *report = flows->report;
    if (!flows->dumped_count)
        find_in_capture(report, LWP_SEVERITY_FAULT, "NOTHING",
                        flows->options.port ? "there is no TCP data from or to this port"
                                            : "no stream has a sound header; --port N shows "
                                              "streams without one");
    if (flows->other.unlisted_count)
        find_in_capture(report, LWP_SEVERITY_FAULT, "STREAM_LIMIT",
                        "there are more streams than are looked at; --port N leaves others out");
    report->stream = "";
    lwp_report_other(report, &flows->other);
}

enum lwp_status lwp_capture_dump(const struct lwp_capture_options *options,
                                 struct lwp_report *report, struct lwp_bytes file)
{
    char wrong[PCAP_ERRBUF_SIZE] = "";
    struct lwp_bytes left = file;
    pcap_t *capture = open_bytes(&left, wrong);
    if (!capture) {
        find_in_capture(report, LWP_SEVERITY_FAULT, "CAPTURE", wrong);
        return LWP_OK;
    }
    struct lwp_flows *flows = calloc(1, sizeof(*flows));
    enum lwp_status status = LWP_NO_MEMORY;
    if (flows) {
        flows->report = report;
        flows->options = *options;
        if (!options->stream_limit)
            flows->options.stream_limit = LWP_STREAM_LIMIT;
        if (!options->max_streams || options->max_streams > LWP_CAPTURE_MAX_STREAMS)
            flows->options.max_streams = LWP_CAPTURE_MAX_STREAMS;
        status = read_packets(flows, capture);
        if (status == LWP_OK)
            status = lwp_flows_end(flows);
        if (status == LWP_OK)
            tell_rest(flows);
        lwp_flows_done(flows);
    }
    free(flows);
    pcap_close(capture);
    return status;
}
