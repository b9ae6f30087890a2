/* SPDX-License-Identifier: MIT */
/* lwp-conform-embed: lints case files and writes them as C text, at build time. What ends in .lwps is
 * a case file; what stands before those is where cases may say that answers are known from. */
#include <stdio.h>
#include <stdlib.h>

#include "conformance/catalogue.h"

static void write_c_string(const char *name, struct lwp_bytes text)
{
    (void)printf("{\"%s\", {(const uint8_t[]){", name);
    for (size_t i = 0; i < text.size; i++)
        (void)printf("%s%u,", i % 24 ? "" : "\n", text.data[i]);
    (void)printf("0}, %zu}},\n", text.size);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_case_file(const char *path)
{
    const char *end = strrchr(path, '.');
    return end && strcmp(end, ".lwps") == 0;
}

static bool embed(struct catalogue *catalogue, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    const bool sound = catalogue_read_file(catalogue, path, &text, &size);
    if (text)
        write_c_string(base_name(path), (struct lwp_bytes){(uint8_t *)text, size});
    free(text);
    return sound;
}

int main(int argc, char **argv)
{
    enum { RETIRED = 1, FIRST_FILE = 2 };
    struct catalogue catalogue = {.script = {.arena = {NULL, 0, false}}};
    if (argc < FIRST_FILE) {
        (void)fputs("usage: lwp-conform-embed RETIRED SOURCE... FILE.lwps...\n", stderr);
        return 64;
    }
    bool sound = catalogue_read_retired(&catalogue, argv[RETIRED]);
    (void)printf("#include \"conformance/catalogue.h\"\n"
                 "const struct embedded_file catalogue_embedded[] = {\n");
    for (int i = FIRST_FILE; i < argc; i++)
        sound = (is_case_file(argv[i]) ? embed(&catalogue, argv[i])
                                       : catalogue_read_source(&catalogue, argv[i])) &&
                sound;
    (void)printf("{NULL, {NULL, 0}}};\n");
    sound = catalogue_check_requirements(&catalogue) && sound;
    catalogue_print_errors(&catalogue, stderr);
    catalogue_done(&catalogue);
    return sound ? EXIT_SUCCESS : EXIT_FAILURE;
}
