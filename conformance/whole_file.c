/* SPDX-License-Identifier: MIT */
#include "conformance/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a new file may have, as fopen() gives it. */
static mode_t usual_mode(void)
{
    const mode_t mask = umask(0);
    (void)umask(mask);
    return 0666 & ~mask;
}

bool whole_file_open(struct whole_file *file, const char *path)
{
    struct stat about;
    static const char suffix[] = ".XXXXXX";
    *file = (struct whole_file){.out = NULL};
    /* A link stays, and leads to the new file. */
    char *real = realpath(path, NULL);
    const int size = snprintf(file->path, sizeof(file->path), "%s", real ? real : path);
    free(real);
    if (size < 0 || (size_t)size >= sizeof(file->path) - sizeof(suffix)) {
        errno = ENAMETOOLONG;
        return false;
    }
    const bool exists = stat(file->path, &about) == 0;
    if (exists && !S_ISREG(about.st_mode)) {
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
        return false;
    }
    memcpy(file->aside, file->path, (size_t)size);
    memcpy(file->aside + size, suffix, sizeof(suffix));
    const int fd = mkstemp(file->aside);
    if (fd < 0)
        return false;
    (void)fchmod(fd, exists ? about.st_mode & 07777 : usual_mode());
    file->out = fdopen(fd, "w");
    return file->out != NULL;
}

bool whole_file_close(struct whole_file *file)
{
    bool sound = fflush(file->out) == 0 && fsync(fileno(file->out)) == 0 && !ferror(file->out);
    sound = fclose(file->out) == 0 && sound;
    file->out = NULL;
    if (sound && rename(file->aside, file->path) == 0)
        return true;
    const int error = errno;
    (void)unlink(file->aside);
    errno = error;
    return false;
}
