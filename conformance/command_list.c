/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "conformance/features.h"
#include "conformance/program.h"
#include "conformance/requirements.h"
#include "conformance/selftest.h"

/* What could not be written in between is told only here. */
static enum suite_exit ended(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? SUITE_AS_EXPECTED : SUITE_NOT_RUN;
}

enum suite_exit command_list(struct program *program)
{
    const struct suite *suite = &program->suite;
    for (size_t i = 0; i < suite->cases->cases.count; i++) {
        const struct script_case *of = &suite->cases->cases.items[i];
        if (!suite_wants(suite, of))
            continue;
        (void)printf("%s\t%s\t%s", (const char *)of->id.data, script_level_word(of->level),
                     (const char *)of->texts.items[0].data);
        for (size_t need = 0; need < of->needs.count; need++)
            (void)printf("%s%s", need ? ", " : "\tneeds ",
                         (const char *)of->needs.items[need].data);
        (void)putchar('\n');
    }
    (void)printf("\nFeatures that a case can need (--without NAME, --with NAME):\n");
    for (size_t i = 0; feature_at(i); i++)
        (void)printf("%s\t%s\n", feature_at(i)->name, feature_at(i)->text);
    return ended();
}

enum suite_exit command_coverage(struct program *program)
{
    (void)program;
    requirement_print_coverage(stdout);
    return ended();
}

enum suite_exit command_export_seeds(struct program *program)
{
    const char *folder = program->arguments.words.items[0];
    return selftest_export_seeds(&program->catalogue.script, folder) ? SUITE_AS_EXPECTED
                                                                     : SUITE_NOT_RUN;
}
