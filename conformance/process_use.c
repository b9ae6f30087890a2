/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Behind the name, which stands in parentheses and can hold anything: state, parent, group. 0 if the
 * process has gone. */
static pid_t parent_of(const char *pid, pid_t *group)
{
    char text[TEXT_SIZE];
    *group = 0;
    if (!read_file(pid, "stat", text))
        return 0;
    const char *behind = strrchr(text, ')');
    if (!behind || strlen(behind) < sizeof(") S"))
        return 0;
    char *end = NULL;
    const pid_t parent = (pid_t)strtol(behind + strlen(") S"), &end, 10);
    *group = (pid_t)strtol(end, NULL, 10);
    return parent;
}

static bool is_of_group(const char *pid, pid_t group)
{
    pid_t found = 0;
    (void)parent_of(pid, &found);
    return found == group;
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

/* The next process of the group; NULL when there is none left. */
static const char *next_of_group(DIR *folder, pid_t group)
{
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
         entry = readdir(folder))
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && is_of_group(entry->d_name, group))
            return entry->d_name;
    return NULL;
}

struct process_use process_use(const struct process *process)
{
    struct process_use use = {.processes = 0};
    DIR *folder = process->pid ? opendir("/proc") : NULL;
    for (const char *pid = next_of_group(folder, process->pid); pid;
         pid = next_of_group(folder, process->pid)) {
        char text[TEXT_SIZE];
        if (!read_file(pid, "status", text))
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

bool process_is_shell(const struct process *process)
{
    char pid[PATH_SIZE];
    char name[TEXT_SIZE];
    (void)snprintf(pid, sizeof(pid), "%d", process->pid);
    return read_file(pid, "comm", name) && strcmp(name, "sh\n") == 0;
}

size_t process_end_others(const struct process *process)
{
    size_t count = 0;
    DIR *folder = opendir("/proc");
    for (const char *name = next_of_group(folder, process->pid); name;
         name = next_of_group(folder, process->pid)) {
        const pid_t pid = (pid_t)strtol(name, NULL, 10);
        if (pid != process->pid && kill(pid, SIGTERM) == 0)
            count++;
    }
    if (folder)
        (void)closedir(folder);
    return count;
}

size_t process_kill_children(void)
{
    const pid_t self = getpid();
    size_t count = 0;
    pid_t group = 0;
    DIR *folder = opendir("/proc");
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
         entry = readdir(folder))
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
            parent_of(entry->d_name, &group) == self)
            count += kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL) == 0;
    if (folder)
        (void)closedir(folder);
    return count;
}
