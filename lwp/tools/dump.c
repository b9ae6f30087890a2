/* SPDX-License-Identifier: MIT */
#include "lwp/tools/dump.h"

#include <inttypes.h>

#include "lwp/tools/contents.h"

struct lwp_dump_choice lwp_dump_choose(const struct lwp_dialect *told,
                                       const struct lwp_guess *guess)
{
    struct lwp_dump_choice choice = {.dialect = told ? told : guess->dialect};
    if (told) {
        (void)snprintf(choice.why, sizeof(choice.why), "as told");
    } else if (!choice.dialect) {
        choice.dialect = &lwp_dialect_lance;
        (void)snprintf(choice.why, sizeof(choice.why),
                       "which is only assumed: there is no sound header");
    } else {
        const bool spec = choice.dialect->polynomial == LWP_CRC32C;
        (void)snprintf(choice.why, sizeof(choice.why),
                       "guessed: the checksum of the header at offset %zu is %s%s", guess->offset,
                       spec ? "CRC-32C, the specification's" : "CRC-32, the deployed one",
                       guess->by_errors ? ", and an ErrorResponse is a JSON object" : "");
    }
    return choice;
}

/* The bytes that are being dumped: `at` is how many are behind us. */
struct window {
    struct lwp_bytes in;
    size_t at;
    bool final;
};

static void advance(struct lwp_dump *dump, struct window *window, size_t size)
{
    window->at += size;
    dump->offset += size;
}

static struct lwp_bytes bytes_left(const struct window *window)
{
    return lwp_bytes_from(window->in, window->at);
}

/* There is no frame here: look for one, from the next byte on. */
static void begin_seeking(struct lwp_dump *dump, struct window *window)
{
    dump->seeking = true;
    dump->skipped_from = dump->offset;
    advance(dump, window, 1);
}

/* Ends at a sound header, or with fewer bytes than a header has, or at the end. Returns whether
 * there is a header. */
static bool seek(struct lwp_dump *dump, struct window *window)
{
    const struct lwp_bytes left = bytes_left(window);
    enum lwp_polynomial polynomial = LWP_CRC32;
    const size_t at = lwp_header_find(left, 0, &polynomial);
    const bool found = at < left.size;
    size_t kept = 0;
    if (!found && !window->final)
        kept = left.size < LWP_HEADER_SIZE ? left.size : LWP_HEADER_SIZE - 1;
    advance(dump, window, found ? at : left.size - kept);
    if (!found && !window->final)
        return false;
    if (dump->offset > dump->skipped_from)
        lwp_report_skip(dump->report, dump->skipped_from, dump->offset - dump->skipped_from, found);
    dump->seeking = false;
    return found;
}

static bool begins_with_header(struct lwp_bytes in, enum lwp_polynomial *polynomial)
{
    const struct lwp_bytes first = {in.data, LWP_HEADER_SIZE};
    return in.size >= LWP_HEADER_SIZE && lwp_header_find(first, 0, polynomial) == 0;
}

static const char *polynomial_name(enum lwp_polynomial polynomial)
{
    return polynomial == LWP_CRC32C ? "CRC-32C" : "CRC-32";
}

static void find_here(const struct lwp_dump *dump, enum lwp_severity severity, const char *name,
                      const char *text)
{
    const struct lwp_finding finding = {severity, dump->offset, name, NULL, text};
    lwp_report_finding(dump->report, &finding);
}

/* A fault of the codec in a header field of the frame that is next. */
static void report_field(const struct lwp_dump *dump, enum lwp_status status,
                         enum lwp_header_index field, const char *detail)
{
    const struct lwp_fault fault = {status, lwp_header_fields[field].offset,
                                    lwp_header_fields[field].name};
    lwp_report_fault(dump->report, LWP_SEVERITY_FAULT, dump->offset, &fault, detail);
}

/* The header is sound by this polynomial: says so if it is not the dialect's (D1). */
static void report_foreign(const struct lwp_dump *dump, enum lwp_polynomial polynomial)
{
    char detail[120];
    (void)snprintf(detail, sizeof(detail), "it is right by the other polynomial, %s (%s)",
                   polynomial_name(polynomial),
                   polynomial == LWP_CRC32 ? "--dialect lance" : "--dialect spec");
    if (polynomial != dump->dialect->polynomial)
        report_field(dump, LWP_HEADER_CHECKSUM, LWP_HEADER_header_crc, detail);
}

/* The bytes end within the payload of a frame whose header is sound. */
static void report_cut_payload(const struct lwp_dump *dump, struct lwp_bytes left,
                               enum lwp_polynomial polynomial)
{
    struct lwp_header header;
    char text[160];
    lwp_header_decode(left.data, &header);
    report_foreign(dump, polynomial);
    (void)snprintf(
        text, sizeof(text),
        "%zu of %" PRIu32 " bytes of payload are there (flags 0x%02x, batch_id %" PRIu64 ")",
        left.size - LWP_HEADER_SIZE, header.payload_length, header.flags, header.batch_id);
    if (header.payload_length > LWP_MAX_PAYLOAD_DEFAULT)
        report_field(dump, LWP_PAYLOAD_TOO_LARGE, LWP_HEADER_payload_length, text);
    else
        find_here(dump, LWP_SEVERITY_FAULT, "TRUNCATED_FRAME", text);
}

/* The bytes end within a frame. */
static void take_beginning(struct lwp_dump *dump, struct window *window)
{
    const struct lwp_bytes left = bytes_left(window);
    enum lwp_polynomial polynomial = dump->dialect->polynomial;
    if (begins_with_header(left, &polynomial)) {
        report_cut_payload(dump, left, polynomial);
    } else {
        char text[80];
        (void)snprintf(text, sizeof(text), "the last %zu byte%s too few for a header", left.size,
                       left.size == 1 ? " is" : "s are");
        find_here(dump, LWP_SEVERITY_FAULT, "TRUNCATED_FRAME", text);
    }
    /* A damaged payload_length can claim what are other frames. */
    if (lwp_header_find(left, 1, &polynomial) < left.size)
        begin_seeking(dump, window);
    else
        advance(dump, window, left.size);
}

/* What is wrong with a frame although it is whole. */
struct verdict {
    enum lwp_polynomial polynomial; /* By which the header is sound. */
    struct lwp_fault damage;        /* LWP_PAYLOAD_CHECKSUM, or LWP_OK. */
};

static void report_damage(const struct lwp_dump *dump, const struct verdict *verdict,
                          const struct lwp_frame *frame)
{
    const enum lwp_polynomial other = verdict->polynomial == LWP_CRC32 ? LWP_CRC32C : LWP_CRC32;
    const bool fits = lwp_crc(other, frame->payload) == frame->header.payload_crc;
    char detail[80];
    (void)snprintf(detail, sizeof(detail), "it is right by the other polynomial, %s",
                   polynomial_name(other));
    lwp_report_fault(dump->report, LWP_SEVERITY_FAULT, dump->offset, &verdict->damage,
                     fits ? detail : NULL);
}

static void show_frame(const struct lwp_dump *dump, const struct verdict *verdict,
                       const struct lwp_frame *frame)
{
    lwp_contents_report(dump->report, dump->dialect, dump->offset, frame);
    report_foreign(dump, verdict->polynomial);
    if (frame->header.payload_length > LWP_MAX_PAYLOAD_DEFAULT)
        report_field(dump, LWP_PAYLOAD_TOO_LARGE, LWP_HEADER_payload_length, NULL);
    if (verdict->damage.status != LWP_OK)
        report_damage(dump, verdict, frame);
}

/* Whether the payload is small enough to wait for what is missing. `left` begins with a header. */
static bool worth_waiting(struct lwp_bytes left)
{
    const size_t at = lwp_header_fields[LWP_HEADER_payload_length].offset;
    return lwp_get32(left.data + at) <= LWP_MAX_PAYLOAD_DEFAULT;
}

/* The payload's checksum is wrong. The payload may be damaged, or its length: no checksum covers
 * that (3). What comes behind it tells. */
static bool take_damaged(struct lwp_dump *dump, struct window *window, struct verdict *verdict)
{
    const struct lwp_bytes left = bytes_left(window);
    struct lwp_frame frame;
    lwp_header_decode(left.data, &frame.header);
    frame.payload = (struct lwp_bytes){left.data + LWP_HEADER_SIZE, frame.header.payload_length};
    const struct lwp_bytes behind = lwp_bytes_from(left, lwp_frame_size(&frame));
    enum lwp_polynomial polynomial = LWP_CRC32;
    if (behind.size < LWP_HEADER_SIZE && !window->final && worth_waiting(left))
        return false;
    if (behind.size == 0 || begins_with_header(behind, &polynomial)) {
        show_frame(dump, verdict, &frame);
        advance(dump, window, lwp_frame_size(&frame));
        return true;
    }
    report_foreign(dump, verdict->polynomial);
    report_damage(dump, verdict, &frame);
    begin_seeking(dump, window);
    return true;
}

/* No header is sound here. */
static void take_fault(struct lwp_dump *dump, struct window *window, const struct lwp_fault *fault)
{
    if (dump->joined_late && dump->offset == 0)
        find_here(dump, LWP_SEVERITY_NOTE, "JOINED_LATE",
                  "the capture begins after the connection did, in mid-frame");
    else
        lwp_report_fault(dump->report, LWP_SEVERITY_FAULT, dump->offset, fault, NULL);
    begin_seeking(dump, window);
}

/* Takes what is next. Returns false if more bytes are needed. */
static bool step(struct lwp_dump *dump, struct window *window)
{
    const struct lwp_bytes left = bytes_left(window);
    struct lwp_frame_rules rules = {dump->dialect->polynomial, UINT32_MAX};
    const bool headed = begins_with_header(left, &rules.polynomial);
    struct verdict verdict = {rules.polynomial, {LWP_OK, 0, NULL}};
    struct lwp_frame frame;
    const enum lwp_status status = lwp_frame_split(&rules, left, &frame, &verdict.damage);
    if (status == LWP_OK) {
        show_frame(dump, &verdict, &frame);
        advance(dump, window, lwp_frame_size(&frame));
        return true;
    }
    if (status == LWP_MORE) {
        const bool waits = !window->final && (!headed || worth_waiting(left));
        if (!waits)
            take_beginning(dump, window);
        return !waits;
    }
    if (status == LWP_PAYLOAD_CHECKSUM)
        return take_damaged(dump, window, &verdict);
    take_fault(dump, window, &verdict.damage);
    return true;
}

size_t lwp_dump_bytes(struct lwp_dump *dump, struct lwp_bytes in, bool final)
{
    struct window window = {in, 0, final};
    for (;;) {
        if (dump->seeking && !seek(dump, &window))
            break;
        if (window.at >= in.size || !step(dump, &window))
            break;
    }
    return window.at;
}

void lwp_dump_gap(struct lwp_dump *dump, uint64_t size)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "%" PRIu64 " byte%s not captured", size,
                   size == 1 ? " was" : "s were");
    find_here(dump, LWP_SEVERITY_FAULT, "GAP", text);
    dump->offset += size;
    dump->seeking = true;
    dump->skipped_from = dump->offset;
}

void lwp_dump_file(struct lwp_report *report, const struct lwp_dialect *told, struct lwp_bytes in)
{
    const struct lwp_guess guess = lwp_dialect_guess(in);
    const struct lwp_dump_choice choice = lwp_dump_choose(told, &guess);
    const struct lwp_report_stream stream = {"", in.size, choice.dialect, choice.why, false};
    struct lwp_dump dump = {.report = report, .dialect = choice.dialect};
    lwp_report_stream(report, &stream);
    if (in.size)
        (void)lwp_dump_bytes(&dump, in, true);
    else
        find_here(&dump, LWP_SEVERITY_FAULT, "NOTHING", "there are no bytes");
}
