/* SPDX-License-Identifier: MIT */
#include "mock_server/script/file.h"

#include <errno.h>
#include <stdlib.h>

char *script_slurp(const char *path, size_t *size)
{
    char *text = malloc(SCRIPT_MAX_FILE_SIZE + 2);
    FILE *file = text ? fopen(path, "rb") : NULL;
    *size = file ? fread(text, 1, SCRIPT_MAX_FILE_SIZE + 1, file) : 0;
    const bool failed = !file || ferror(file);
    const bool too_large = *size > SCRIPT_MAX_FILE_SIZE;
    if (failed || too_large)
        (void)fprintf(stderr, "%s: %s\n", path, failed ? strerror(errno) : "larger than 1 MiB");
    if (file)
        (void)fclose(file);
    if (!failed && !too_large) {
        text[*size] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static void print_found(struct lwp_bytes found, FILE *out)
{
    enum { MAX_SHOWN = 80 };
    for (size_t i = 0; i < found.size && i < MAX_SHOWN; i++) {
        const bool is_control = found.data[i] < 0x20 || found.data[i] == 0x7f;
        (void)fputc(is_control ? '?' : found.data[i], out);
    }
    if (found.size > MAX_SHOWN)
        (void)fputs("...", out);
}

void script_print_errors(const struct script *script, FILE *out)
{
    for (size_t i = 0; i < script->errors.count; i++) {
        const struct script_error *error = &script->errors.items[i];
        (void)fprintf(out, "%s:%u:%u: found ", error->place.file, error->place.line,
                      error->place.column);
        print_found(error->found, out);
        (void)fprintf(out, ", expected %s\n", error->expected);
    }
}
