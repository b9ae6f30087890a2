/* SPDX-License-Identifier: MIT */
/* replay.c - runs a fuzz target over files, and over folders with all that is in them, in the order
 * of their names. Fails if it can not read one, or if there is none. */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

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

static bool run_entry(const FTSENT *entry, unsigned *count)
{
    if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
        return true;
    if (entry->fts_info == FTS_F && run_file(entry->fts_path, (size_t)entry->fts_statp->st_size)) {
        ++*count;
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

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
        return 2;
    }
    unsigned count = 0;
    bool ok = true;
    FTS *walk = fts_open(argv + 1, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return 1;
    for (const FTSENT *entry; (entry = fts_read(walk)) != NULL;)
        ok = run_entry(entry, &count) && ok;
    (void)fts_close(walk);
    (void)printf("%u inputs\n", count);
    return ok && count > 0 ? 0 : 1;
}
