/* SPDX-License-Identifier: MIT */
#include "lwp/client/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct lwp_resolver {
    atomic_int users; /* The owner and the thread; the last one frees. */
    atomic_bool done;
    struct lwp_address address;
    struct addrinfo *found; /* NULL if there is none; the thread's until it is done. */
    int fd;
};

static struct addrinfo *look_up(const struct lwp_address *address, int flags)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(address->host, address->port, &hints, &found) ? NULL : found;
}

static void leave(struct lwp_resolver *resolver)
{
    if (atomic_fetch_sub(&resolver->users, 1) != 1)
        return;
    if (resolver->found)
        freeaddrinfo(resolver->found);
    (void)close(resolver->fd);
    free(resolver);
}

static void *work(void *argument)
{
    struct lwp_resolver *resolver = argument;
    const uint64_t one = 1;
    resolver->found = look_up(&resolver->address, 0);
    atomic_store(&resolver->done, true);
    /* Nobody can do anything about a failure here; an eventfd has none. */
    const ssize_t written = write(resolver->fd, &one, sizeof(one));
    (void)written;
    leave(resolver);
    return NULL;
}

static enum lwp_status begin_thread(struct lwp_resolver *resolver)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes))
        return LWP_NO_MEMORY;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&resolver->users, 1);
    const int error = pthread_create(&thread, &attributes, work, resolver);
    (void)pthread_attr_destroy(&attributes);
    if (error == 0)
        return LWP_OK;
    atomic_fetch_sub(&resolver->users, 1);
    errno = error;
    return LWP_IO;
}

enum lwp_status lwp_resolver_new(const struct lwp_address *address, struct lwp_resolver **resolver)
{
    struct lwp_resolver *result = calloc(1, sizeof(*result));
    if (!result)
        return LWP_NO_MEMORY;
    atomic_init(&result->users, 1);
    result->address = *address;
    result->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum lwp_status status = result->fd < 0 ? LWP_IO : LWP_OK;
    if (status == LWP_OK) {
        result->found = look_up(address, AI_NUMERICHOST);
        atomic_init(&result->done, result->found);
        status = result->found ? LWP_OK : begin_thread(result);
    }
    if (status == LWP_OK)
        *resolver = result;
    else
        leave(result);
    return status;
}

enum lwp_status lwp_resolver_step(struct lwp_resolver *resolver, const struct addrinfo **found)
{
    if (!atomic_load(&resolver->done))
        return LWP_WOULD_BLOCK;
    *found = resolver->found;
    return resolver->found ? LWP_OK : LWP_UNRESOLVED;
}

int lwp_resolver_fd(const struct lwp_resolver *resolver)
{
    return resolver->fd;
}

void lwp_resolver_free(struct lwp_resolver *resolver)
{
    if (resolver)
        leave(resolver);
}
