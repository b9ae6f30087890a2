/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwp/client/offset_store_state.h"

enum {
    NAME_ROOM = 512,   /* For a path relative to the folder. */
    LOCK_TRIES = 1000, /* One each millisecond. */
    FOLDER_MODE = 0755,
    FILE_MODE = 0644
};

struct files {
    const struct offset_layout *layout;
    int folder; /* Everything is opened relative to it: no name leads out. */
};

/* The names of what belongs to one key. */
struct names {
    char folder[NAME_ROOM]; /* Where the file lies: "." or the consumer's own. */
    char file[NAME_ROOM];
    char fresh[NAME_ROOM];
    char lock[NAME_ROOM];
};

/* Writes stem and suffix as a C string; false if the last part is too long for a file's name. */
static bool join(struct lwp_bytes stem, const char *suffix, char *out)
{
    struct lwp_writer writer = lwp_writer_on(out, NAME_ROOM);
    lwp_write(&writer, stem);
    lwp_write(&writer, (struct lwp_bytes){(const uint8_t *)suffix, strlen(suffix) + 1});
    const char *slash = writer.full ? NULL : strchr(out, '/');
    return !writer.full && strlen(slash ? slash + 1 : out) <= NAME_MAX;
}

static bool name_all(const struct files *files, const struct lwp_offset_key *key,
                     struct names *names)
{
    uint8_t room[NAME_ROOM];
    struct lwp_writer writer = lwp_writer_on(room, sizeof(room));
    if (!files->layout->stem(key, &writer) || writer.full)
        return false;
    const struct lwp_bytes stem = lwp_writer_bytes(&writer);
    const uint8_t *slash = memchr(stem.data, '/', stem.size);
    const struct lwp_bytes folder =
        slash ? (struct lwp_bytes){stem.data, (size_t)(slash - stem.data)} : lwp_bytes_text(".");
    return join(folder, "", names->folder) && join(stem, ".offset", names->file) &&
           join(stem, files->layout->new_suffix, names->fresh) &&
           join(stem, files->layout->lock_suffix, names->lock);
}

static enum lwp_status close_after(int fd, enum lwp_status status)
{
    const int error = errno;
    (void)close(fd);
    errno = error;
    return status;
}

/* All that the file holds, up to the room. */
static enum lwp_status read_all(int fd, struct lwp_writer *out)
{
    struct stat about;
    if (fstat(fd, &about))
        return LWP_IO;
    if (!S_ISREG(about.st_mode) || about.st_size >= (off_t)out->capacity)
        return LWP_STORE_DAMAGED;
    while (out->size < out->capacity) {
        const ssize_t got = read(fd, out->data + out->size, out->capacity - out->size);
        if (got == 0)
            return LWP_OK;
        if (got < 0 && errno != EINTR)
            return LWP_IO;
        out->size += got > 0 ? (size_t)got : 0;
    }
    return LWP_STORE_DAMAGED;
}

static enum lwp_status load_named(const struct files *files, const struct names *names,
                                  const struct lwp_offset_key *key, uint64_t *offset)
{
    uint8_t room[OFFSET_FILE_ROOM];
    struct lwp_writer text = lwp_writer_on(room, sizeof(room));
    /* Not through a link that leads out of the folder, nor waiting for somebody to feed a FIFO. */
    const int fd =
        openat(files->folder, names->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? LWP_STORE_EMPTY : LWP_IO;
    const enum lwp_status status = close_after(fd, read_all(fd, &text));
    return status == LWP_OK ? files->layout->read(key, lwp_writer_bytes(&text), offset) : status;
}

static enum lwp_status load(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    struct names names;
    if (!name_all(user, key, &names))
        return LWP_INVALID_ARGUMENT;
    return load_named(user, &names, key, offset);
}

/* A rename is only durable once the folder is. */
static bool sync_folder(const struct files *files, const char *name)
{
    const int fd = openat(files->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    return close_after(fd, fsync(fd) == 0 ? LWP_OK : LWP_IO) == LWP_OK;
}

/* Makes the consumer's own folder, durable as well: if it can not be, the next try makes it again. */
static bool make_folder(const struct files *files, const char *name)
{
    if (mkdirat(files->folder, name, FOLDER_MODE))
        return errno == EEXIST;
    if (sync_folder(files, "."))
        return true;
    const int error = errno;
    (void)unlinkat(files->folder, name, AT_REMOVEDIR);
    errno = error;
    return false;
}

/* Waits for the lock, though not for ever. The file stays when the lock goes: if it went too, two
 * writers could hold locks on two files of one name. */
static enum lwp_status take_lock(const struct files *files, const struct names *names, int *lock)
{
    if (!make_folder(files, names->folder))
        return LWP_IO;
    const int fd =
        openat(files->folder, names->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return LWP_IO;
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *lock = fd;
            return LWP_OK;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return close_after(fd, LWP_IO);
        (void)poll(NULL, 0, 1);
    }
    return close_after(fd, LWP_TIMEOUT);
}

static bool write_all(int fd, struct lwp_bytes bytes)
{
    while (bytes.size) {
        const ssize_t put = write(fd, bytes.data, bytes.size);
        if (put < 0 && errno != EINTR)
            return false;
        bytes = lwp_bytes_from(bytes, put > 0 ? (size_t)put : 0);
    }
    return fsync(fd) == 0;
}

static enum lwp_status replace(const struct files *files, const struct names *names,
                               struct lwp_bytes text)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    const int fd = openat(files->folder, names->fresh, flags, FILE_MODE);
    if (fd < 0)
        return LWP_IO;
    const enum lwp_status written = close_after(fd, write_all(fd, text) ? LWP_OK : LWP_IO);
    if (written == LWP_OK && renameat(files->folder, names->fresh, files->folder, names->file) == 0)
        return sync_folder(files, names->folder) ? LWP_OK : LWP_IO;
    const int error = errno;
    (void)unlinkat(files->folder, names->fresh, 0);
    errno = error;
    return LWP_IO;
}

static enum lwp_status save_locked(const struct files *files, const struct names *names,
                                   const struct lwp_offset_key *key, uint64_t offset)
{
    uint8_t room[OFFSET_FILE_ROOM];
    struct lwp_writer text = lwp_writer_on(room, sizeof(room));
    uint64_t before = 0;
    enum lwp_status status = load_named(files, names, key, &before);
    if (status != LWP_OK && status != LWP_STORE_EMPTY)
        return status;
    status = files->layout->write(key, offset, &text);
    return status == LWP_OK ? replace(files, names, lwp_writer_bytes(&text)) : status;
}

static enum lwp_status save(void *user, const struct lwp_offset_key *key, uint64_t offset)
{
    struct names names;
    int lock = -1;
    if (!name_all(user, key, &names))
        return LWP_INVALID_ARGUMENT;
    const enum lwp_status status = take_lock(user, &names, &lock);
    return status == LWP_OK ? close_after(lock, save_locked(user, &names, key, offset)) : status;
}

static enum lwp_status forget_locked(const struct files *files, const struct names *names,
                                     const struct lwp_offset_key *key)
{
    uint64_t before = 0;
    const enum lwp_status status = load_named(files, names, key, &before);
    if (status == LWP_STORE_EMPTY)
        return LWP_OK;
    if (status != LWP_OK && status != LWP_STORE_DAMAGED)
        return status;
    if (unlinkat(files->folder, names->file, 0))
        return LWP_IO;
    return sync_folder(files, names->folder) ? LWP_OK : LWP_IO;
}

static enum lwp_status forget(void *user, const struct lwp_offset_key *key)
{
    struct names names;
    int lock = -1;
    if (!name_all(user, key, &names))
        return LWP_INVALID_ARGUMENT;
    const enum lwp_status status = take_lock(user, &names, &lock);
    return status == LWP_OK ? close_after(lock, forget_locked(user, &names, key)) : status;
}

static void release(void *user)
{
    struct files *files = user;
    if (files->folder >= 0)
        (void)close(files->folder);
    free(files);
}

/* Makes the folder and those above it. */
static bool make_folders(const char *folder)
{
    char path[PATH_MAX];
    const size_t size = strlen(folder);
    if (size >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, folder, size + 1);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, FOLDER_MODE) && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST;
}

enum lwp_status lwp_offset_store_files(const char *folder, enum lwp_offset_layout layout,
                                       struct lwp_offset_store **store)
{
    static const struct lwp_offset_store_calls calls = {load, save, forget, release};
    if (!folder || !folder[0])
        return LWP_INVALID_ARGUMENT;
    struct files *files = malloc(sizeof(*files));
    if (!files)
        return LWP_NO_MEMORY;
    *files = (struct files){offset_layout_of(layout), -1};
    if (make_folders(folder))
        files->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const enum lwp_status status =
        files->folder < 0 ? LWP_IO : lwp_offset_store_custom(&calls, files, store);
    const int error = errno;
    if (status != LWP_OK)
        release(files);
    errno = error;
    return status;
}
