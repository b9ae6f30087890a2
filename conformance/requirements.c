/* SPDX-License-Identifier: MIT */
#include "conformance/requirements.h"

static const struct requirement rows[] = {
#define REQUIREMENT(id, section, level, who, text, covered)                                        \
    {id, section, #level, #who, text, covered},
#include "conformance/requirements.def"
#undef REQUIREMENT
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const struct requirement *requirement_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}

const struct requirement *requirement_of(struct lwp_bytes id)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (lwp_bytes_equal(id, lwp_bytes_text(rows[i].id)))
            return &rows[i];
    return NULL;
}

enum requirement_class requirement_class_of(const struct requirement *row)
{
    static const char *const words[] = {[REQUIREMENT_TESTED] = "tested",
                                        [REQUIREMENT_UNTESTABLE] = "untestable: ",
                                        [REQUIREMENT_CONTRADICTED] = "contradicted: "};
    if (strcmp(row->covered, words[REQUIREMENT_TESTED]) == 0)
        return REQUIREMENT_TESTED;
    for (int class = REQUIREMENT_UNTESTABLE; class < REQUIREMENT_UNCLASSED; class ++)
        if (strncmp(row->covered, words[class], strlen(words[class])) == 0)
            return (enum requirement_class) class;
    return REQUIREMENT_UNCLASSED;
}

/* The part of a section's number before its first point: 5.9 is of section 5. */
static size_t chapter_size(const char *section)
{
    return strcspn(section, ".");
}

static bool same_chapter(const char *a, const char *b)
{
    return chapter_size(a) == chapter_size(b) && strncmp(a, b, chapter_size(a)) == 0;
}

struct coverage {
    size_t of[REQUIREMENT_UNCLASSED + 1];
    size_t total;
};

static void print_line(FILE *out, const char *name, int name_size, const struct coverage *coverage)
{
    (void)fprintf(out, "%-8.*s %4zu of %4zu tested, %4zu untestable, %4zu contradicted\n",
                  name_size, name, coverage->of[REQUIREMENT_TESTED], coverage->total,
                  coverage->of[REQUIREMENT_UNTESTABLE], coverage->of[REQUIREMENT_CONTRADICTED]);
}

static void add_row(struct coverage *coverage, const struct requirement *row)
{
    coverage->of[requirement_class_of(row)]++;
    coverage->total++;
}

/* Whether an earlier row is of the same chapter: then that line has been printed. */
static bool is_printed(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_chapter(rows[i].section, rows[index].section))
            return true;
    return false;
}

void requirement_print_coverage(FILE *out)
{
    struct coverage all = {.total = 0};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct coverage chapter = {.total = 0};
        add_row(&all, &rows[i]);
        if (is_printed(i))
            continue;
        for (size_t k = i; k < ROW_COUNT; k++)
            if (same_chapter(rows[k].section, rows[i].section))
                add_row(&chapter, &rows[k]);
        print_line(out, rows[i].section, (int)chapter_size(rows[i].section), &chapter);
    }
    print_line(out, "all", 3, &all);
}
