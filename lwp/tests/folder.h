/* SPDX-License-Identifier: MIT */
/* folder.h - a folder for the files of a test. */
#ifndef LWP_TESTS_FOLDER_H
#define LWP_TESTS_FOLDER_H

#include <dirent.h>

#include "lwp/tests/support.h"

enum { FOLDER_SIZE = 1024, FOLDER_PATH_SIZE = 1600 };

/** Makes an empty folder in TMPDIR, or in /tmp; `name` has FOLDER_SIZE characters. */
static inline void folder_make(char *name)
{
    const char *parent = getenv("TMPDIR");
    assert_in_range(snprintf(name, FOLDER_SIZE, "%s/lwp-test-XXXXXX", parent ? parent : "/tmp"), 1,
                    FOLDER_SIZE - 1);
    assert_non_null(mkdtemp(name));
}

/** The path of a file in it; the next three calls leave it alone. */
static inline const char *folder_path(const char *folder, const char *file)
{
    static char paths[4][FOLDER_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % COUNT_OF(paths)];
    assert_in_range(snprintf(path, FOLDER_PATH_SIZE, "%s/%s", folder, file), 1,
                    FOLDER_PATH_SIZE - 1);
    return path;
}

/** Calls `visit`, if there is one, with each file in the folder; returns how many there are. */
static inline size_t folder_visit(const char *folder, void (*visit)(const char *path))
{
    size_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (const struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (visit)
            visit(folder_path(folder, entry->d_name));
    }
    closedir(open);
    return count;
}

static inline void folder_remove_file(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

/** Removes the folder and the files in it. */
static inline void folder_remove(const char *folder)
{
    (void)folder_visit(folder, folder_remove_file);
    assert_int_equal(rmdir(folder), 0);
}

#endif
