/* SPDX-License-Identifier: MIT */
#include "conformance/catalogue.h"

#include <stdlib.h>

#include "conformance/features.h"
#include "conformance/requirements.h"
#include "mock_server/script/file.h"

static void note(struct catalogue *catalogue, const struct script_case *at, struct lwp_bytes found,
                 const char *expected)
{
    struct script_error *error = SCRIPT_ADD(&catalogue->script.arena, &catalogue->script.errors);
    if (error)
        *error = (struct script_error){at->place, found, expected};
}

/* The section of LWP-<section>/<slug> is one of the requirement's. */
static bool is_of_section(struct lwp_bytes id, const struct requirement *requirement)
{
    const size_t size = strlen(requirement->section);
    const size_t prefix = sizeof("LWP-") - 1;
    return id.size > prefix + size && memcmp(id.data + prefix, requirement->section, size) == 0 &&
           (id.data[prefix + size] == '/' || id.data[prefix + size] == '.');
}

static void check_requirements(struct catalogue *catalogue, const struct script_case *made)
{
    bool of_section = false;
    for (size_t i = 0; i < made->requirements.count; i++) {
        const struct lwp_bytes id = made->requirements.items[i];
        const struct requirement *requirement = requirement_of(id);
        if (!requirement)
            note(catalogue, made, id, "an id of the requirement table");
        else
            of_section = of_section || is_of_section(made->id, requirement);
    }
    if (!of_section)
        note(catalogue, made, made->id, "a req of the same section as the id");
}

/* What the set-up of a case takes for granted is among its needs. */
static void check_given(struct catalogue *catalogue, const struct script_case *made)
{
    for (size_t i = 0; i < made->steps.count; i++) {
        const struct script_step *step = &made->steps.items[i];
        if (step->kind == SCRIPT_GIVEN_TOPIC && !feature_needed(made, "topics"))
            note(catalogue, made, made->id, "needs topics, for a given topic");
        if (step->kind == SCRIPT_GIVEN_TOPIC && step->frames.count &&
            !feature_needed(made, "ingest"))
            note(catalogue, made, made->id, "needs ingest, for the given records");
        if (step->kind == SCRIPT_SILENT && !feature_needed(made, "slow"))
            note(catalogue, made, made->id, "needs slow, for the silence");
    }
}

/* A case that judges nothing in some dialect would be green there without having looked. */
static void check_dialects(struct catalogue *catalogue, const struct script_case *made)
{
    for (unsigned i = 0; lwp_dialects[i]; i++) {
        bool judges = false;
        for (size_t s = 0; s < made->steps.count; s++) {
            const struct script_step *step = &made->steps.items[s];
            const bool is_verdict = step->kind >= SCRIPT_EXPECT && step->kind <= SCRIPT_SILENT;
            judges = judges || (is_verdict && script_step_applies(step, lwp_dialects[i]));
        }
        if (!judges)
            note(catalogue, made, lwp_bytes_text(lwp_dialects[i]->name),
                 "a step that judges in this dialect, too");
    }
}

static size_t count_of(const struct lwp_bytes *items, size_t count, struct lwp_bytes name)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += lwp_bytes_equal(items[i], name);
    return found;
}

/* What the deployed server does is known from somewhere, and that place is there. */
static void check_sources(struct catalogue *catalogue, const struct script_case *made)
{
    for (size_t i = 0; i < made->recorded.count; i++)
        if (count_of(catalogue->recorded.items, catalogue->recorded.count,
                     made->recorded.items[i]) != 1)
            note(catalogue, made, made->recorded.items[i],
                 "an id that one recorded exchange has, and no other");
    for (size_t i = 0; i < made->sections.count; i++)
        if (!count_of(catalogue->sections.items, catalogue->sections.count,
                      made->sections.items[i]))
            note(catalogue, made, made->sections.items[i], "a section of docs/server.md");
    if (made->recorded.count + made->sections.count == 0)
        note(catalogue, made, made->id, "a source of what the deployed server does");
}

/* Cases for clients are judged by what the mock has seen, in whatever dialect it speaks. */
static void check_case(struct catalogue *catalogue, const struct script_case *made)
{
    check_requirements(catalogue, made);
    if (made->role == SCRIPT_SERVER) {
        check_given(catalogue, made);
        check_dialects(catalogue, made);
        if (catalogue->sections.count)
            check_sources(catalogue, made);
    }
    for (size_t i = 0; i < made->needs.count; i++)
        if (!feature_named(made->needs.items[i]))
            note(catalogue, made, made->needs.items[i], "a feature that exists");
    if (count_of(catalogue->retired.items, catalogue->retired.count, made->id))
        note(catalogue, made, made->id, "an id that is not retired");
}

/* The suite would pass over it without a word. */
static void note_scenario(struct catalogue *catalogue, const struct script_scenario *scenario)
{
    struct script_error *error = SCRIPT_ADD(&catalogue->script.arena, &catalogue->script.errors);
    const struct lwp_bytes found =
        scenario->id.size ? scenario->id : lwp_bytes_text("a statement outside of a case");
    if (error)
        *error = (struct script_error){scenario->place, found,
                                       "cases only: scenarios are played by lwp-mock"};
}

static bool read_cases(struct catalogue *catalogue, const char *name, struct lwp_bytes text)
{
    const size_t cases_before = catalogue->script.cases.count;
    const size_t scenarios_before = catalogue->script.scenarios.count;
    const size_t errors_before = catalogue->script.errors.count;
    const enum lwp_status status = script_read(&catalogue->script, name, text);
    if (status != LWP_OK && status != LWP_INVALID_PAYLOAD)
        (void)fprintf(stderr, "%s: %s\n", name, lwp_status_text(status));
    for (size_t i = cases_before; i < catalogue->script.cases.count; i++)
        check_case(catalogue, &catalogue->script.cases.items[i]);
    for (size_t i = scenarios_before; i < catalogue->script.scenarios.count; i++)
        note_scenario(catalogue, &catalogue->script.scenarios.items[i]);
    return status == LWP_OK && catalogue->script.errors.count == errors_before;
}

bool catalogue_read_embedded(struct catalogue *catalogue, const struct embedded_file *files)
{
    bool sound = true;
    for (const struct embedded_file *file = files; file->name; file++)
        sound = read_cases(catalogue, file->name, file->text) && sound;
    return sound;
}

bool catalogue_read_file(struct catalogue *catalogue, const char *path, char **text, size_t *size)
{
    *text = script_slurp(path, size);
    if (!*text)
        return false;
    return read_cases(catalogue, path, (struct lwp_bytes){(uint8_t *)*text, *size});
}

/* A list of the catalogue that is read from a file, line by line. */
struct line_list {
    struct catalogue *catalogue;
    struct lwp_bytes **items;
    size_t *count;
    const char *before; /* What an entry's line begins with. */
    const char *behind; /* Bytes that end the entry. */
};

static void add_line(const struct line_list *list, const char *line)
{
    const size_t size = strlen(list->before);
    if (strncmp(line, list->before, size) != 0 || line[size] == '#')
        return;
    const struct lwp_bytes entry = {(const uint8_t *)line + size,
                                    strcspn(line + size, list->behind)};
    struct script_arena *arena = &list->catalogue->script.arena;
    struct lwp_bytes *added = NULL;
    if (entry.size)
        added = script_list_add(arena, list->items, list->count, sizeof(*added));
    if (added)
        *added = script_arena_copy(arena, entry);
}

/* Reads the entries of a file. */
static bool read_lines(const struct line_list *list, const char *path)
{
    size_t size = 0;
    char *text = script_slurp(path, &size);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        add_line(list, line);
    free(text);
    return text != NULL;
}

bool catalogue_read_retired(struct catalogue *catalogue, const char *path)
{
    const struct line_list list = {catalogue, &catalogue->retired.items, &catalogue->retired.count,
                                   "", " \t\r"};
    return read_lines(&list, path);
}

bool catalogue_read_source(struct catalogue *catalogue, const char *path)
{
    const char *end = strrchr(path, '.');
    const struct line_list recorded = {catalogue, &catalogue->recorded.items,
                                       &catalogue->recorded.count, "{\"id\": \"", "\""};
    const struct line_list sections = {catalogue, &catalogue->sections.items,
                                       &catalogue->sections.count, "## ", "\r"};
    return read_lines(end && strcmp(end, ".md") == 0 ? &sections : &recorded, path);
}

bool catalogue_names(const struct script_case *of, const char *requirement)
{
    for (size_t i = 0; i < of->requirements.count; i++)
        if (lwp_bytes_equal(of->requirements.items[i], lwp_bytes_text(requirement)))
            return true;
    return false;
}

static bool is_named(const struct catalogue *catalogue, const struct requirement *requirement)
{
    for (size_t c = 0; c < catalogue->script.cases.count; c++) {
        const struct script_case *of = &catalogue->script.cases.items[c];
        if (of->role == SCRIPT_SERVER && catalogue_names(of, requirement->id))
            return true;
    }
    return false;
}

/* What is wrong with the row, or NULL. */
static const char *row_problem(const struct catalogue *catalogue, const struct requirement *row)
{
    if (requirement_of(lwp_bytes_text(row->id)) != row)
        return "this id stands there twice";
    if (strncmp(row->id + 1, row->section, strlen(row->section)) != 0)
        return "the id does not begin with R and the section";
    if (requirement_class_of(row) == REQUIREMENT_UNCLASSED)
        return "covered by nothing: tested, untestable: WHY or contradicted: DN";
    if (requirement_class_of(row) == REQUIREMENT_TESTED && !is_named(catalogue, row))
        return "said to be tested, but no case names it";
    return NULL;
}

bool catalogue_check_requirements(const struct catalogue *catalogue)
{
    bool sound = true;
    const struct requirement *row = NULL;
    for (size_t i = 0; (row = requirement_at(i)) != NULL; i++) {
        const char *problem = row_problem(catalogue, row);
        if (problem)
            (void)fprintf(stderr, "requirements.def: %s: %s\n", row->id, problem);
        sound = sound && !problem;
    }
    return sound;
}

void catalogue_print_errors(const struct catalogue *catalogue, FILE *out)
{
    script_print_errors(&catalogue->script, out);
}

void catalogue_done(struct catalogue *catalogue)
{
    script_done(&catalogue->script);
}
