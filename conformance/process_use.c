/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/process.h"

enum { PATH_SIZE = 64, TEXT_SIZE = 4096 };

/* Reads a small file of /proc; false if the process has gone. */
static bool read_file(const char *pid, const char *name, char text[TEXT_SIZE])
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const size_t size = fread(text, 1, TEXT_SIZE - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    return size > 0;
}

/* The group is the third word behind the name, which stands in parentheses and can hold anything. */
static bool is_of_group(const char *pid, pid_t group)
{
    char text[TEXT_SIZE];
    int found = 0;
    if (!read_file(pid, "stat", text))
        return false;
    const char *behind = strrchr(text, ')');
    return behind && sscanf(behind + 1, " %*c %*d %d", &found) == 1 && found == group;
}

static uint64_t number_behind(const char *text, const char *label)
{
    const char *found = strstr(text, label);
    return found ? strtoull(found + strlen(label), NULL, 10) : 0;
}

static uint64_t count_entries(const char *pid, const char *name)
{
    char path[PATH_SIZE];
    uint64_t count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
    DIR *folder = opendir(path);
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
         entry = readdir(folder))
        count += entry->d_name[0] != '.';
    if (folder)
        (void)closedir(folder);
    return count;
}

struct process_use process_use(const struct process *process)
{
    struct process_use use = {.processes = 0};
    DIR *folder = process->pid ? opendir("/proc") : NULL;
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
         entry = readdir(folder)) {
        const char *pid = entry->d_name;
        char text[TEXT_SIZE];
        if (pid[0] < '0' || pid[0] > '9' || !is_of_group(pid, process->pid) ||
            !read_file(pid, "status", text))
            continue;
        use.processes++;
        use.peak_size += number_behind(text, "\nVmHWM:") << 10;
        use.threads += number_behind(text, "\nThreads:");
        use.descriptors += count_entries(pid, "fd");
    }
    if (folder)
        (void)closedir(folder);
    return use;
}
