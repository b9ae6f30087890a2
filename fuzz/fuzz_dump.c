/* SPDX-License-Identifier: MIT */
/* The input is a form and a file for `lwp dump`: a stream, a hex text or a capture. The dump ends; as text and as JSON
 * Lines it counts the same; and each line of JSON is a document by itself. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "lwp/json/json.h"
#include "lwp/tools/capture.h"
#include "lwp/tools/hex.h"

static void run(struct lwp_report *report, uint8_t form, struct lwp_bytes in)
{
    struct lwp_writer out = lwp_writer_on(fuzz_room(in.size / 2), in.size / 2);
    struct lwp_hex_fault fault;
    const struct lwp_capture_options options = {.stream_limit = 1 << 16, .max_streams = 16};
    if (form % 3 == 0)
        lwp_dump_file(report, NULL, in);
    if (form % 3 == 1 && lwp_hex_decode(in, &out, &fault))
        lwp_dump_file(report, NULL, lwp_writer_bytes(&out));
    if (form % 3 == 2)
        (void)lwp_capture_dump(&options, report, in);
    free(out.data);
}

/* `*said` is for free(). */
static struct lwp_report dump(const struct lwp_report_form *form, uint8_t kind, struct lwp_bytes in,
                              char **said, size_t *said_size)
{
    FILE *out = open_memstream(said, said_size);
    FUZZ_ASSERT(out);
    struct lwp_report report = lwp_report_begin(form, out, true);
    run(&report, kind, in);
    lwp_report_end(&report);
    FUZZ_ASSERT(fclose(out) == 0);
    return report;
}

static void is_json_lines(struct lwp_bytes said)
{
    while (said.size) {
        const uint8_t *end = memchr(said.data, '\n', said.size);
        FUZZ_ASSERT(end);
        struct lwp_json *json = NULL;
        struct lwp_fault fault;
        const struct lwp_bytes line = {said.data, (size_t)(end - said.data)};
        FUZZ_ASSERT(lwp_json_read(line, &json, &fault) == LWP_OK);
        lwp_json_free(json);
        said = lwp_bytes_from(said, line.size + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = NULL, *json = NULL;
    size_t text_size = 0, json_size = 0;
    const struct lwp_bytes in = fuzz_flush(data + 1, size - 1);
    const struct lwp_report first = dump(&lwp_report_text, data[0], in, &text, &text_size);
    const struct lwp_report second = dump(&lwp_report_json, data[0], in, &json, &json_size);
    FUZZ_ASSERT(first.frame_count == second.frame_count &&
                first.record_count == second.record_count);
    FUZZ_ASSERT(first.fault_count == second.fault_count && first.note_count == second.note_count);
    FUZZ_ASSERT(first.skipped_size == second.skipped_size);
    fuzz_note(first.frame_count);
    fuzz_note_bytes((struct lwp_bytes){(uint8_t *)text, text_size});
    is_json_lines((struct lwp_bytes){(uint8_t *)json, json_size});
    free(text);
    free(json);
    return 0;
}
