/* SPDX-License-Identifier: MIT */
/* Files of tokens and of access lists, read whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mock_server/broker_state.h"

enum { MAX_FILE_SIZE = 1048576, MAX_ROWS = 16384 };

/* Reads what fits, and one byte more to tell that it was all. */
static enum lwp_status read_text(FILE *file, char **text)
{
    char *made = malloc(MAX_FILE_SIZE + 1);
    if (!made)
        return LWP_NO_MEMORY;
    const size_t size = fread(made, 1, MAX_FILE_SIZE + 1, file);
    const int error = size > MAX_FILE_SIZE ? EFBIG : errno;
    if (ferror(file) || size > MAX_FILE_SIZE) {
        free(made);
        errno = error;
        return LWP_IO;
    }
    made[size] = 0;
    *text = made;
    return LWP_OK;
}

enum lwp_status broker_read_file(const char *name, char **text)
{
    FILE *file = fopen(name, "r");
    if (!file)
        return LWP_IO;
    const enum lwp_status status = read_text(file, text);
    const int error = errno;
    (void)fclose(file);
    errno = error;
    return status;
}

/* CLIENT TOPIC r|w|rw. */
static bool split_row(char *line, struct lwp_access *row)
{
    static const char blanks[] = " \t\r";
    char *rest = NULL;
    const char *client = strtok_r(line, blanks, &rest);
    const char *topic = strtok_r(NULL, blanks, &rest);
    const char *rights = strtok_r(NULL, blanks, &rest);
    if (!rights || strtok_r(NULL, blanks, &rest))
        return false;
    const bool both = strcmp(rights, "rw") == 0;
    *row = (struct lwp_access){client, topic, both || strcmp(rights, "r") == 0,
                               both || strcmp(rights, "w") == 0};
    return row->read || row->write;
}

/* Whether the line says nothing: it is blank or a comment. */
static bool is_idle(const char *line)
{
    const char first = line[strspn(line, " \t\r")];
    return first == 0 || first == '#';
}

/* Takes all lines apart; sets `*line` to the number of the one that is read. */
static enum lwp_status split_rows(struct lwp_access_list *list, size_t *line)
{
    char *at = list->text;
    for (*line = 1; at; ++*line) {
        char *text = strsep(&at, "\n");
        if (is_idle(text))
            continue;
        if (list->count == MAX_ROWS || !split_row(text, &list->rows[list->count]))
            return LWP_INVALID_ARGUMENT;
        list->count++;
    }
    return LWP_OK;
}

enum lwp_status lwp_access_read(const char *name, struct lwp_access_list *list, size_t *line)
{
    struct lwp_access_list made = {.rows = NULL};
    enum lwp_status status = broker_read_file(name, &made.text);
    if (status != LWP_OK)
        return status;
    made.rows = calloc(MAX_ROWS, sizeof(*made.rows));
    status = made.rows ? split_rows(&made, line) : LWP_NO_MEMORY;
    if (status != LWP_OK)
        lwp_access_done(&made);
    else
        *list = made;
    return status;
}

void lwp_access_done(struct lwp_access_list *list)
{
    free(list->rows);
    free(list->text);
    *list = (struct lwp_access_list){.rows = NULL};
}
