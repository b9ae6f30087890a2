/* SPDX-License-Identifier: MIT */
#include "lwp/tools/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char too_large[] = "it is larger than 1 GiB";

enum { FIRST_ROOM = 65536 };

static const char *map_file(int fd, size_t size, struct lwp_input *input)
{
    void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return strerror(errno);
    *input = (struct lwp_input){{at, size}, at, true};
    return NULL;
}

/* Makes room for one byte more than fits into 1 GiB, at most: that byte tells. */
static bool grow(uint8_t **data, size_t *room)
{
    const size_t most = (size_t)LWP_INPUT_MAX_SIZE + 1;
    const size_t wanted = *room > most / 2 ? most : 2 * *room;
    uint8_t *grown = realloc(*data, wanted);
    if (!grown)
        return false;
    *data = grown;
    *room = wanted;
    return true;
}

/* Reads to the end. Returns what went wrong, with what was read still to be freed, or NULL. */
static const char *read_pieces(int fd, uint8_t **data, size_t *size)
{
    size_t room = FIRST_ROOM / 2;
    for (;;) {
        if ((!*data || *size == room) && !grow(data, &room))
            return "there is no memory left";
        const ssize_t got = read(fd, *data + *size, room - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        if (got == 0)
            return NULL;
        *size += (size_t)got;
        if (*size > LWP_INPUT_MAX_SIZE)
            return too_large;
    }
}

static const char *read_file(int fd, struct lwp_input *input)
{
    uint8_t *data = NULL;
    size_t size = 0;
    const char *wrong = read_pieces(fd, &data, &size);
    if (wrong)
        free(data);
    else
        *input = (struct lwp_input){{data, size}, data, false};
    return wrong;
}

const char *lwp_input_open(const char *name, struct lwp_input *input)
{
    const bool standard = strcmp(name, "-") == 0;
    const int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    struct stat about;
    const char *wrong = NULL;
    if (fd < 0 || fstat(fd, &about) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(about.st_mode) || about.st_size == 0 || standard)
        wrong = read_file(fd, input);
    else if (about.st_size > LWP_INPUT_MAX_SIZE)
        wrong = too_large;
    else
        wrong = map_file(fd, (size_t)about.st_size, input);
    if (!standard && fd >= 0)
        (void)close(fd);
    return wrong;
}

void lwp_input_close(struct lwp_input *input)
{
    if (input->mapped)
        (void)munmap(input->held, input->bytes.size);
    else
        free(input->held);
}
