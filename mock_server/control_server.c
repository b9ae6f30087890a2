/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mock_server/control.h"
#include "mock_server/mock_state.h"

struct client {
    struct watch watch;
    struct control *control;
    int fd;
    char *in; /* What was read and not run, CONTROL_MAX_LINE and the end of the line at most. */
    size_t in_size;
    char *out; /* What is to be written, from `sent` on; NULL if there is nothing. */
    size_t out_size;
    size_t sent;
    bool waits;
    struct control_talk talk;
    bool greeted; /* It has said a command. */
    bool leaves;  /* Once all is written. */
    bool gone;
};

struct control {
    struct lwp_mock *mock;
    struct watch watch;
    int listener;
    bool is_unix;
    char where[LWP_ADDRESS_SIZE];
    struct client *clients[CONTROL_MAX_CLIENTS];
    size_t count;
};

/* Sockets. */

static bool is_path(const char *where)
{
    return strchr(where, '/') || !strchr(where, ':');
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

bool control_takes(const char *where)
{
    struct lwp_address address;
    if (is_path(where))
        return where[0] && strlen(where) < sizeof(((struct sockaddr_un *)0)->sun_path);
    return lwp_address_parse(where, &address) == LWP_OK && is_loopback(address.host);
}

/* Whether the path is a socket that nobody listens on, left by one who could not clean up. */
static bool is_stale(const struct sockaddr_un *name)
{
    struct stat about;
    if (lstat(name->sun_path, &about) || !S_ISSOCK(about.st_mode))
        return false;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    const bool refused =
        connect(fd, (const struct sockaddr *)name, sizeof(*name)) && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

static enum lwp_status listen_unix(struct control *control)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, control->where, strlen(control->where)); /* control_takes() it. */
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listener < 0)
        return LWP_IO;
    /* The file takes these rights when it is made, so that there is no moment with more. */
    (void)fchmod(control->listener, S_IRUSR | S_IWUSR);
    const struct sockaddr *any = (const struct sockaddr *)&name;
    int failed = bind(control->listener, any, sizeof(name));
    if (failed && errno == EADDRINUSE && is_stale(&name)) {
        (void)unlink(name.sun_path);
        failed = bind(control->listener, any, sizeof(name));
    }
    if (failed)
        return LWP_IO;
    control->is_unix = true;
    return listen(control->listener, CONTROL_MAX_CLIENTS) ? LWP_IO : LWP_OK;
}

/* A name that says loopback may lead elsewhere: it is looked at before anybody can connect. */
static enum lwp_status listen_tcp(struct control *control, const char *where)
{
    struct lwp_address address;
    struct lwp_address bound;
    if (lwp_address_parse(where, &address) != LWP_OK)
        return LWP_INVALID_ARGUMENT;
    const enum lwp_status status = lwp_tcp_reserve(&address, &control->listener, control->where);
    if (status != LWP_OK)
        return status;
    if (lwp_address_parse(control->where, &bound) != LWP_OK || !is_loopback(bound.host))
        return LWP_INVALID_ARGUMENT;
    return listen(control->listener, CONTROL_MAX_CLIENTS) ? LWP_IO : LWP_OK;
}

/* Clients. */

static void free_client(struct client *client)
{
    service_unwatch(client->control->mock, &client->watch, client->fd);
    (void)close(client->fd);
    free(client->in);
    free(client->out);
    free(client);
}

/* Whether all is written. */
static bool flush(struct client *client)
{
    while (client->out && !client->gone) {
        const ssize_t put = send(client->fd, client->out + client->sent,
                                 client->out_size - client->sent, MSG_NOSIGNAL);
        if (put < 0) {
            client->gone = errno != EAGAIN && errno != EINTR;
            return false;
        }
        client->sent += (size_t)put;
        if (client->sent < client->out_size)
            continue;
        free(client->out);
        client->out = NULL;
    }
    return !client->gone;
}

/* Runs the command, or looks again at what it waits for; `line` is NULL then. */
static void run(struct client *client, char *line)
{
    client->sent = 0;
    FILE *out = open_memstream(&client->out, &client->out_size);
    if (!out) {
        client->gone = true;
        return;
    }
    const enum control_outcome outcome =
        line ? control_run(&client->talk, line, out) : control_resume(&client->talk, out);
    client->gone = fclose(out) != 0;
    client->waits = outcome == CONTROL_WAITS;
    /* Whoever speaks HTTP to a port of ours is shown out before a body can hold commands. */
    client->leaves = outcome == CONTROL_UNKNOWN && !client->greeted && !client->control->is_unix;
    client->greeted = true;
    if (client->out_size == 0) {
        free(client->out);
        client->out = NULL;
    }
}

/* An answer that ends the conversation. */
static void dismiss(struct client *client, const char *text)
{
    client->sent = 0;
    client->out = strdup(text);
    client->out_size = strlen(text);
    client->leaves = true;
}

/* Runs the next line that is there; false if there is none. */
static bool run_line(struct client *client)
{
    char *end = memchr(client->in, '\n', client->in_size);
    if (!end && client->in_size > CONTROL_MAX_LINE) {
        dismiss(client, "error the line is too long\n");
        return true;
    }
    if (!end)
        return false;
    const size_t size = (size_t)(end - client->in);
    *end = '\0';
    if (size && end[-1] == '\r')
        end[-1] = '\0';
    if (memchr(client->in, '\0', size) && strlen(client->in) + 1 < size)
        dismiss(client, "error the line is no text\n");
    else
        run(client, client->in);
    client->in_size -= size + 1;
    memmove(client->in, end + 1, client->in_size);
    return true;
}

static void read_some(struct client *client)
{
    const size_t room = CONTROL_MAX_LINE + 1 - client->in_size;
    const ssize_t got = recv(client->fd, client->in + client->in_size, room, 0);
    if (got > 0)
        client->in_size += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        client->gone = true;
}

/* Goes on until the client must read, say more, or wait. */
static void work(struct client *client)
{
    if (client->waits)
        run(client, NULL);
    while (!client->gone && flush(client) && !client->leaves && !client->waits)
        if (!run_line(client))
            break;
    if (client->leaves && !client->out)
        client->gone = true;
}

static void watch_client(struct client *client)
{
    const uint32_t events = client->out ? EPOLLOUT : client->waits ? 0 : EPOLLIN;
    if (!client->gone)
        client->gone =
            service_watch(client->control->mock, &client->watch, client->fd, events) != LWP_OK;
}

static void client_ready(void *context, struct watch *watch, uint32_t events)
{
    struct client *client = watch->owner;
    (void)context;
    if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
        client->gone = true;
    if (events & EPOLLIN)
        read_some(client);
    work(client);
    watch_client(client);
}

static struct client *new_client(struct control *control, int fd)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->in = malloc(CONTROL_MAX_LINE + 1);
    if (!client->in) {
        free(client);
        return NULL;
    }
    client->fd = fd;
    client->control = control;
    client->talk.mock = control->mock;
    client->talk.is_unix = control->is_unix;
    client->watch.ready = client_ready;
    client->watch.owner = client;
    return client;
}

static void listener_ready(void *context, struct watch *watch, uint32_t events)
{
    struct control *control = watch->owner;
    (void)context;
    (void)events;
    const int fd = accept4(control->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct client *client = control->count < CONTROL_MAX_CLIENTS ? new_client(control, fd) : NULL;
    if (!client) {
        (void)close(fd);
        return;
    }
    control->clients[control->count++] = client;
    watch_client(client);
}

enum lwp_status control_open(struct lwp_mock *mock, const char *where, struct control **control)
{
    if (!control_takes(where))
        return LWP_INVALID_ARGUMENT;
    struct control *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    made->mock = mock;
    made->listener = -1;
    made->watch.ready = listener_ready;
    made->watch.owner = made;
    (void)snprintf(made->where, sizeof(made->where), "%s", where);
    enum lwp_status status = is_path(where) ? listen_unix(made) : listen_tcp(made, where);
    if (status == LWP_OK)
        status = service_watch(mock, &made->watch, made->listener, EPOLLIN);
    if (status != LWP_OK) {
        const int error = errno;
        control_close(made);
        errno = error;
        return status;
    }
    *control = made;
    return LWP_OK;
}

void control_close(struct control *control)
{
    if (!control)
        return;
    for (size_t i = 0; i < control->count; i++)
        free_client(control->clients[i]);
    if (control->listener >= 0)
        (void)close(control->listener);
    if (control->is_unix)
        (void)unlink(control->where);
    free(control);
}

const char *control_address(const struct control *control)
{
    return control->where;
}

void control_step(struct control *control)
{
    for (size_t i = 0; i < control->count;) {
        struct client *client = control->clients[i];
        if (client->waits && !client->gone) {
            work(client);
            watch_client(client);
        }
        if (client->gone) {
            free_client(client);
            control->clients[i] = control->clients[--control->count];
        } else {
            i++;
        }
    }
}

uint64_t control_due_ns(const struct control *control)
{
    uint64_t due_ns = LWP_NEVER;
    for (size_t i = 0; i < control->count; i++)
        if (control->clients[i]->waits && control->clients[i]->talk.until_ns < due_ns)
            due_ns = control->clients[i]->talk.until_ns;
    return due_ns;
}
