/* SPDX-License-Identifier: MIT */
#include "mock_server/lint.h"

#include <stdlib.h>

#include "lwp/wire/dialect.h"
#include "mock_server/script/file.h"

static const char help[] =
    "lwp-mock lint - is there anything wrong with these scripts?\n"
    "\n"
    "Usage: lwp-mock lint [--dialect D] FILE...\n"
    "\n"
    "  --dialect D   whom the mock will imitate: lance, spec or lance-py; scenarios that\n"
    "                name no dialect are checked against it\n"
    "  --help\n"
    "\n"
    "Prints every error as FILE:LINE:COLUMN: found ..., expected ...\n"
    "\n"
    "Exit status: 0 if all is well, 64 for an error in a script or wrong usage, 3 if a file\n"
    "cannot be read.\n";

static enum lint_exit lint_file(const char *path, const struct lwp_dialect *dialect, FILE *out)
{
    size_t size = 0;
    char *text = script_slurp(path, &size);
    struct script script = {.arena = {NULL, 0, false}};
    if (!text)
        return LINT_UNREADABLE;
    enum lwp_status status =
        script_read(&script, path, (struct lwp_bytes){(const uint8_t *)text, size});
    if (dialect && (status == LWP_OK || status == LWP_INVALID_PAYLOAD)) {
        const enum lwp_status checked = script_check_dialect(&script, dialect);
        status = checked == LWP_OK ? status : checked;
    }
    script_print_errors(&script, out);
    if (status != LWP_OK && status != LWP_INVALID_PAYLOAD)
        (void)fprintf(stderr, "%s: %s\n", path, lwp_status_text(status));
    script_done(&script);
    free(text);
    return status == LWP_OK ? LINT_FINE : LINT_BROKEN;
}

static enum lint_exit say_usage(const char *problem, const char *value)
{
    (void)fprintf(stderr, "lwp-mock lint: %s%s%s\nTry 'lwp-mock lint --help'.\n", problem,
                  value ? ": " : "", value ? value : "");
    return LINT_BROKEN;
}

/* The worst of all files: broken, else unreadable. */
static enum lint_exit lint_files(char **files, const struct lwp_dialect *dialect, FILE *out)
{
    enum lint_exit worst = LINT_FINE;
    for (; *files; files++) {
        const enum lint_exit status = lint_file(*files, dialect, out);
        worst = status > worst ? status : worst;
    }
    return worst;
}

enum lint_exit lint_main(int argc, char **argv, FILE *out)
{
    const struct lwp_dialect *dialect = NULL;
    char **rest = argv + (argc > 0);
    while (*rest && strncmp(*rest, "--", 2) == 0) {
        const char *option = *rest++;
        if (strcmp(option, "--help") == 0) {
            (void)fputs(help, out);
            return LINT_FINE;
        }
        if (strcmp(option, "--dialect") != 0)
            return say_usage("unknown option", option);
        dialect = *rest ? lwp_dialect_named(*rest) : NULL;
        if (!dialect)
            return say_usage("--dialect wants lance, spec or lance-py", *rest);
        rest++;
    }
    return *rest ? lint_files(rest, dialect, out) : say_usage("no FILE", NULL);
}
