/* SPDX-License-Identifier: MIT */
#include "lwp/tools/flows.h"

#include <stdlib.h>

static uint32_t hash_bytes(uint32_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619U; /* FNV-1a. */
    return hash;
}

static uint32_t hash_endpoint(uint32_t hash, const struct lwp_endpoint *endpoint)
{
    const uint8_t port[] = {(uint8_t)(endpoint->port >> 8), (uint8_t)endpoint->port};
    hash = hash_bytes(hash, endpoint->address, sizeof(endpoint->address));
    return hash_bytes(hash, port, sizeof(port));
}

/* The slot of the flow: an empty one if there is no stream of it. */
static uint16_t *slot_of(struct lwp_flows *flows, const struct lwp_flow *flow)
{
    uint32_t at = hash_endpoint(hash_endpoint(2166136261U, &flow->source), &flow->destination);
    for (;; at++) {
        uint16_t *slot = &flows->slots[at % LWP_FLOWS_SLOTS];
        if (!*slot || lwp_flow_equal(&flows->entries[*slot - 1]->stream.flow, flow))
            return slot;
    }
}

static struct lwp_flows_entry *entry_of(struct lwp_flows *flows, const struct lwp_flow *flow)
{
    const uint16_t slot = *slot_of(flows, flow);
    return slot ? flows->entries[slot - 1] : NULL;
}

static enum lwp_status add_entry(struct lwp_flows *flows, const struct lwp_flow *flow,
                                 struct lwp_flows_entry **added)
{
    if (!flows->entries)
        flows->entries = calloc(flows->options.max_streams, sizeof(struct lwp_flows_entry *));
    struct lwp_flows_entry *entry = calloc(1, sizeof(*entry));
    if (!flows->entries || !entry) {
        free(entry);
        return LWP_NO_MEMORY;
    }
    entry->stream.flow = *flow;
    entry->stream.limit = flows->options.stream_limit;
    lwp_flow_print(flow, entry->label);
    uint16_t *slot = slot_of(flows, flow);
    flows->entries[flows->count++] = entry;
    *slot = (uint16_t)flows->count;
    *added = entry;
    return LWP_OK;
}

/* Memory to put the stream's runs together in. */
static bool make_buffer(struct lwp_flows *flows, const struct lwp_stream *stream)
{
    if (stream->store_size > flows->buffer_room) {
        free(flows->buffer);
        flows->buffer = malloc(stream->store_size);
        flows->buffer_room = flows->buffer ? stream->store_size : 0;
    }
    return flows->buffer || stream->store_size == 0;
}

/* What the runs of a stream show of its dialect; the offset counts from the stream's first byte. */
static struct lwp_guess guess_stream(struct lwp_flows *flows, struct lwp_stream *stream)
{
    struct lwp_guess best = {NULL, 0, false};
    struct lwp_stream_walk walk = lwp_stream_order(stream);
    struct lwp_stream_run run;
    while (!best.by_errors && make_buffer(flows, stream) &&
           lwp_stream_next_run(stream, &walk, flows->buffer, &run)) {
        struct lwp_guess guess = lwp_dialect_guess(run.bytes);
        if (!guess.dialect || (best.dialect && !guess.by_errors))
            continue;
        guess.offset = best.dialect ? best.offset : (size_t)(run.at - stream->first) + guess.offset;
        best = guess;
    }
    return best;
}

static void tell_stream(struct lwp_flows *flows, struct lwp_flows_entry *entry)
{
    struct lwp_report_stream told = {entry->label, entry->stream.store_size, entry->dump.dialect,
                                     "", true};
    if (flows->report->stream != entry->label)
        lwp_report_stream(flows->report, &told);
}

/* Begins to dump the stream if it is one of those that are wanted. */
static void choose(struct lwp_flows *flows, struct lwp_flows_entry *entry)
{
    struct lwp_guess guess = guess_stream(flows, &entry->stream);
    if (!guess.dialect && (!flows->options.port || !entry->stream.part_count))
        return;
    const struct lwp_flow reverse = lwp_flow_reverse(&entry->stream.flow);
    struct lwp_flows_entry *answers = entry_of(flows, &reverse);
    if (answers && guess.dialect == &lwp_dialect_lance &&
        guess_stream(flows, &answers->stream).by_errors) {
        guess.dialect = &lwp_dialect_lance_py;
        guess.by_errors = true;
    }
    const struct lwp_dump_choice choice = lwp_dump_choose(flows->options.dialect, &guess);
    const struct lwp_report_stream told = {entry->label, entry->stream.store_size, choice.dialect,
                                           choice.why, false};
    entry->chosen = true;
    entry->dump = (struct lwp_dump){
        .report = flows->report,
        .dialect = choice.dialect,
        .joined_late = !entry->stream.syn,
        .offset = entry->left_size,
    };
    flows->dumped_count++;
    lwp_report_stream(flows->report, &told);
}

/* How much of what is held is judged: what can be; all; all, and the connection is over. */
enum extent { EXTENT_SOUND, EXTENT_ALL, EXTENT_END };

/* Whether more is waited for behind the run: the rest of a frame, or what fills the gap. */
static bool is_waited_for(const struct lwp_flows *flows, const struct lwp_stream_run *run,
                          enum extent extent)
{
    return extent == EXTENT_SOUND && run->behind < flows->options.stream_limit / 2;
}

/* Dumps the runs of a chosen stream; `*at` is then behind what is done with. */
static void dump_runs(struct lwp_flows *flows, struct lwp_flows_entry *entry, enum extent extent,
                      uint64_t *at)
{
    struct lwp_stream *stream = &entry->stream;
    struct lwp_stream_walk walk = lwp_stream_order(stream);
    struct lwp_stream_run run;
    while (make_buffer(flows, stream) && lwp_stream_next_run(stream, &walk, flows->buffer, &run)) {
        const bool last = is_waited_for(flows, &run, extent);
        if (run.at > *at)
            lwp_dump_gap(&entry->dump, run.at - *at);
        *at = run.at + lwp_dump_bytes(&entry->dump, run.bytes, !last);
        if (last)
            return;
    }
}

static void find_here(struct lwp_flows *flows, const struct lwp_flows_entry *entry,
                      enum lwp_severity severity, const char *name, const char *text)
{
    const struct lwp_finding finding = {severity, entry->dump.offset, name, NULL, text};
    lwp_report_finding(flows->report, &finding);
}

static void dump_held(struct lwp_flows *flows, struct lwp_flows_entry *entry, enum extent extent,
                      uint64_t *at)
{
    tell_stream(flows, entry);
    if (extent == EXTENT_ALL)
        find_here(flows, entry, LWP_SEVERITY_NOTE, "BUFFER_LIMIT",
                  "no more can be held of this stream: what is there is judged as it is");
    dump_runs(flows, entry, extent, at);
    if (extent != EXTENT_END)
        return;
    if (entry->stream.end > *at)
        lwp_dump_gap(&entry->dump, entry->stream.end - *at);
    if (entry->stream.conflict)
        find_here(flows, entry, LWP_SEVERITY_NOTE, "OVERLAP",
                  "segments overlapped and differed; the one that begins first counts");
}

/* Dumps what is held of a stream, and lets go of it. */
static enum lwp_status drain(struct lwp_flows *flows, struct lwp_flows_entry *entry,
                             enum extent extent)
{
    struct lwp_stream *stream = &entry->stream;
    if (!make_buffer(flows, stream))
        return LWP_NO_MEMORY;
    (void)lwp_stream_order(stream);
    uint64_t at = stream->next;
    if (!entry->chosen)
        choose(flows, entry);
    if (entry->chosen) {
        dump_held(flows, entry, extent, &at);
    } else if (stream->part_count) {
        const struct lwp_stream_part *last = &stream->parts[stream->part_count - 1];
        at = last->at + last->size;
        entry->left_size = at - stream->first;
    }
    return lwp_stream_forget(stream, at);
}

static bool is_wanted(const struct lwp_flows *flows, const struct lwp_flow *flow)
{
    const uint16_t port = flows->options.port;
    return !port || flow->source.port == port || flow->destination.port == port;
}

/* The entry that the segment belongs to; NULL if it is not to be listed. */
static enum lwp_status find_entry(struct lwp_flows *flows, const struct lwp_segment *segment,
                                  struct lwp_flows_entry **found)
{
    struct lwp_flows_entry *entry = entry_of(flows, &segment->flow);
    if (entry && lwp_stream_is_reused(&entry->stream, segment))
        entry = NULL;
    *found = entry;
    if (entry || (!segment->size && !(segment->flags & LWP_TCP_SYN)))
        return LWP_OK;
    if (flows->count == flows->options.max_streams) {
        flows->other.unlisted_count++;
        return LWP_OK;
    }
    return add_entry(flows, &segment->flow, found);
}

enum lwp_status lwp_flows_add(struct lwp_flows *flows, const struct lwp_segment *segment)
{
    struct lwp_flows_entry *entry = NULL;
    if (!is_wanted(flows, &segment->flow)) {
        flows->other.unwanted_count++;
        return LWP_OK;
    }
    enum lwp_status status = find_entry(flows, segment, &entry);
    if (status != LWP_OK || !entry)
        return status;
    for (enum extent extent = EXTENT_SOUND; extent < EXTENT_END; extent++) {
        status = lwp_stream_add(&entry->stream, segment);
        if (status != LWP_FULL)
            return status;
        status = drain(flows, entry, extent);
        if (status != LWP_OK)
            return status;
    }
    /* More than fits into an empty buffer is left out: there will be a gap. */
    status = lwp_stream_add(&entry->stream, segment);
    return status == LWP_FULL ? LWP_OK : status;
}

enum lwp_status lwp_flows_end(struct lwp_flows *flows)
{
    for (size_t i = 0; i < flows->count; i++) {
        struct lwp_flows_entry *entry = flows->entries[i];
        const enum lwp_status status = drain(flows, entry, EXTENT_END);
        if (status != LWP_OK)
            return status;
        if (entry->chosen || !entry->left_size)
            continue;
        flows->other.stream_count++;
        flows->other.stream_bytes += entry->left_size;
    }
    return LWP_OK;
}

void lwp_flows_done(struct lwp_flows *flows)
{
    for (size_t i = 0; i < flows->count; i++) {
        lwp_stream_done(&flows->entries[i]->stream);
        free(flows->entries[i]);
    }
    free(flows->entries);
    free(flows->buffer);
}
