/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/report.h"

static bool are_one(const struct stat *a, const struct stat *b)
{
    return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether a new file takes the place of what stands there: nothing, or a plain file. Not what our
 * standard output goes to, which is not ours to replace. */
static bool is_replaced(const char *path)
{
    struct stat there;
    struct stat ours;
    if (stat(path, &there) != 0)
        return errno == ENOENT && *path;
    return S_ISREG(there.st_mode) && !(fstat(STDOUT_FILENO, &ours) == 0 && are_one(&there, &ours));
}

/* Opens what will be called `out->path`. Of a link, what it leads to is replaced. */
static FILE *open_part(struct report_out *out)
{
    out->place = realpath(out->path, NULL);
    if (out->place && access(out->place, W_OK) != 0)
        return NULL;
    if (!out->place)
        out->place = strdup(out->path);
    if (!out->place || asprintf(&out->part, "%s.part", out->place) < 0) {
        out->part = NULL;
        return NULL;
    }
    return fopen(out->part, "w");
}

/* Opens what is written in place. A pipe that nobody reads is an error and no wait without end. */
static FILE *open_there(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    (void)fcntl(fd, F_SETFL, 0);
    FILE *file = fdopen(fd, "w");
    if (!file)
        (void)close(fd);
    return file;
}

bool report_out_open(struct report_out *out, const char *path, size_t state_size)
{
    *out = (struct report_out){.path = path};
    if (strcmp(path, "-") == 0)
        out->file = stdout;
    else
        out->file = is_replaced(path) ? open_part(out) : open_there(path);
    if (out->file && state_size)
        out->state = calloc(1, state_size);
    if (out->file && (out->state || !state_size))
        return true;
    (void)fprintf(stderr, "lwp-conform: can not write %s: %s\n", path, strerror(errno));
    return false;
}

/* Whether one report is called as another is until it is whole. */
static bool is_part_of(const struct report_out *a, const struct report_out *b)
{
    return a->part && b->place && strcmp(a->part, b->place) == 0;
}

bool report_out_shares(const struct report_out *a, const struct report_out *b)
{
    struct stat x;
    struct stat y;
    const bool shares = a->file && b->file && fstat(fileno(a->file), &x) == 0 &&
                        fstat(fileno(b->file), &y) == 0 && are_one(&x, &y);
    if (!shares && !is_part_of(a, b) && !is_part_of(b, a))
        return false;
    (void)fprintf(stderr, "lwp-conform: two reports in one file: %s\n", b->path);
    return true;
}

/* Keeps why the first thing failed that did. */
static void check(struct report_out *out, bool done)
{
    if (!done && !out->error)
        out->error = errno;
}

static void close_file(struct report_out *out, bool kept)
{
    check(out, fflush(out->file) == 0);
    if (out->part && kept)
        check(out, fsync(fileno(out->file)) == 0);
    if (out->file != stdout)
        check(out, fclose(out->file) == 0);
}

/* Ends the report; it gets its name if it is `kept` and whole. */
static void end(struct report_out *out, bool kept)
{
    if (out->file) {
        close_file(out, kept);
        if (out->part && kept && !out->error)
            check(out, rename(out->part, out->place) == 0);
        if (out->part && (!kept || out->error))
            (void)unlink(out->part);
    }
    free(out->place);
    free(out->part);
    free(out->state);
}

void report_out_drop(struct report_out *out)
{
    end(out, false);
    *out = (struct report_out){.file = NULL};
}

bool report_out_keep(struct report_out *out)
{
    end(out, true);
    if (out->error)
        (void)fprintf(stderr, "lwp-conform: a report could not be written: %s: %s\n", out->path,
                      strerror(out->error));
    const bool sound = !out->error;
    *out = (struct report_out){.file = NULL};
    return sound;
}
