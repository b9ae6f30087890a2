/* SPDX-License-Identifier: MIT */
/* replay.c - runs a fuzz target over files, and over folders with all that is in them, in the order
 * of their names:
 *
 *     fuzz_NAME [--verdicts FILE | --write-verdicts FILE] FILE|FOLDER...
 *
 * Fails if it can not read one, or if there is none; with --verdicts, also if the verdict on an input is not the
 * one in the file, or if an input or a line has no partner. A line is an input's name and its verdict. */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

enum { LINE_SIZE = 512 };

struct replay {
    unsigned count;
    unsigned wrong;
    FILE *kept;           /* Verdicts to compare with, or NULL. */
    FILE *written;        /* Where they are written, or NULL. */
    char line[LINE_SIZE]; /* The next of `kept`; empty behind the last. */
};

static bool run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    /* Exactly the input's size, so that a sanitizer sees who reads past it. */
    uint8_t *data = fuzz_room(size);
    const bool whole = fread(data, 1, size, file) == size;
    (void)fclose(file);
    if (whole)
        (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return whole;
}

static void next_line(struct replay *replay)
{
    if (!replay->kept || !fgets(replay->line, LINE_SIZE, replay->kept))
        replay->line[0] = '\0';
    replay->line[strcspn(replay->line, "\n")] = '\0';
}

static void complain(struct replay *replay, const char *what, const char *line)
{
    replay->wrong++;
    (void)fprintf(stderr, "%s: %s\n", what, line);
}

/* Both are in the order of names, which end at the tab. */
static int compare_names(const char *a, const char *b)
{
    const size_t a_size = strcspn(a, "\t"), b_size = strcspn(b, "\t");
    const int order = strncmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static void judge(struct replay *replay, const char *name)
{
    char line[LINE_SIZE];
    (void)snprintf(line, sizeof(line), "%s\t%016" PRIx64, name, fuzz_verdict());
    if (replay->written)
        (void)fprintf(replay->written, "%s\n", line);
    if (!replay->kept)
        return;
    for (; replay->line[0] && compare_names(replay->line, line) < 0; next_line(replay))
        complain(replay, "no such input any more", replay->line);
    if (compare_names(replay->line, line) != 0) {
        complain(replay, "no verdict is kept for", line);
        return;
    }
    if (strcmp(replay->line, line) != 0)
        complain(replay, "another verdict than is kept", line);
    next_line(replay);
}

static bool run_entry(struct replay *replay, const FTSENT *entry)
{
    if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
        return true;
    (void)fuzz_verdict();
    if (entry->fts_info == FTS_F && run_file(entry->fts_path, (size_t)entry->fts_statp->st_size)) {
        replay->count++;
        judge(replay, entry->fts_name);
        return true;
    }
    const int error = entry->fts_errno ? entry->fts_errno : errno;
    (void)fprintf(stderr, "%s: cannot be read: %s\n", entry->fts_path, strerror(error));
    return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool run_all(struct replay *replay, char *const *paths)
{
    bool ok = true;
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return false;
    for (const FTSENT *entry; (entry = fts_read(walk)) != NULL;)
        ok = run_entry(replay, entry) && ok;
    (void)fts_close(walk);
    for (; replay->line[0]; next_line(replay))
        complain(replay, "no such input any more", replay->line);
    (void)printf("%u inputs\n", replay->count);
    return ok && replay->count > 0 && replay->wrong == 0;
}

/* Opens the file of verdicts, if there is to be one. */
static bool begin(struct replay *replay, const char *option, const char *name)
{
    const bool writes = strcmp(option, "--write-verdicts") == 0;
    if (!writes && strcmp(option, "--verdicts") != 0)
        return false;
    FILE *file = fopen(name, writes ? "w" : "r");
    if (!file)
        (void)fprintf(stderr, "%s: %s\n", name, strerror(errno));
    *(writes ? &replay->written : &replay->kept) = file;
    next_line(replay);
    return file;
}

static int usage(const char *program)
{
    (void)fprintf(stderr, "usage: %s [--verdicts FILE | --write-verdicts FILE] FILE|FOLDER...\n",
                  program);
    return 2;
}

int main(int argc, char **argv)
{
    struct replay replay = {.count = 0};
    const bool has_option = argc > 1 && argv[1][0] == '-';
    const int first = has_option ? 3 : 1;
    if (argc <= first || (has_option && !begin(&replay, argv[1], argv[2])))
        return usage(argv[0]);
    bool ok = run_all(&replay, argv + first);
    if (replay.written)
        ok = fclose(replay.written) == 0 && ok;
    if (replay.kept)
        (void)fclose(replay.kept);
    return ok ? 0 : 1;
}
