/* SPDX-License-Identifier: MIT */
#include "mock_server/script/file.h"

#include <errno.h>
#include <stdlib.h>

static char *read_text(FILE *file, size_t *size)
{
    char *text = malloc(SCRIPT_MAX_FILE_SIZE + 2);
    *size = text ? fread(text, 1, SCRIPT_MAX_FILE_SIZE + 1, file) : 0;
    const bool too_large = *size > SCRIPT_MAX_FILE_SIZE;
    if (!text || ferror(file) || too_large) {
        const int error = too_large ? EFBIG : errno;
        free(text);
        errno = error;
        return NULL;
    }
    text[*size] = '\0';
    return text;
}

char *script_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = read_text(file, size);
    const int error = errno;
    (void)fclose(file);
    errno = error;
    return text;
}

char *script_slurp(const char *path, size_t *size)
{
    char *text = script_read_file(path, size);
    if (!text)
        (void)fprintf(stderr, "%s: %s\n", path,
                      errno == EFBIG ? "larger than 1 MiB" : strerror(errno));
    return text;
}

void script_write_problem(struct lwp_writer *out, const struct script_place *place,
                          const char *found, const char *expected)
{
    enum { MAX_SHOWN = 80 };
    char line[1024];
    char shown[MAX_SHOWN + 1];
    size_t size = 0;
    for (; size < MAX_SHOWN && found[size]; size++) {
        const unsigned char c = (unsigned char)found[size];
        shown[size] = found[size];
        if (c < 0x20 || c == 0x7f)
            shown[size] = '?';
    }
    shown[size] = '\0';
    (void)snprintf(line, sizeof(line), "%s:%u:%u: found %s%s, expected %s\n", place->file,
                   place->line, place->column, shown, found[size] ? "..." : "", expected);
    lwp_write(out, lwp_bytes_text(line));
}

void script_print_errors(const struct script *script, FILE *out)
{
    char line[1024];
    for (size_t i = 0; i < script->errors.count; i++) {
        const struct script_error *error = &script->errors.items[i];
        struct lwp_writer writer = lwp_writer_on(line, sizeof(line));
        script_write_problem(&writer, &error->place, (const char *)error->found.data,
                             error->expected);
        (void)fwrite(line, 1, writer.size, out);
    }
}
