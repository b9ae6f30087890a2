/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lwp/tools/options.h"
#include "mock_server/mock_state.h"

static bool is_label(const char *label)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    const size_t size = strlen(label);
    return size > 0 && size < LWP_MOCK_NAME_SIZE && strspn(label, letters) == size &&
           strspn(label, "0123456789") < size;
}

static void put_label(char *tag, const char *label)
{
    (void)snprintf(tag, LWP_MOCK_NAME_SIZE, "%s", label);
}

static void label_member(struct member *member, const char *label)
{
    put_label(member->tag, label);
    member->connection.peer.label = lwp_bytes_text(member->tag);
}

/* The peer's port; 0 for a pipe. */
static uint64_t port_of(const struct member *member)
{
    char name[LWP_ADDRESS_SIZE];
    uint64_t port = 0;
    const int fd = lwp_transport_fd(member->connection.link.transport);
    if (fd < 0 || lwp_tcp_name(fd, true, name) != LWP_OK)
        return 0;
    const char *colon = strrchr(name, ':');
    return colon && lwp_read_number(colon + 1, 1, UINT16_MAX, &port) ? port : 0;
}

static enum lwp_status put_pending(struct lwp_mock *mock, uint16_t port, const char *label)
{
    if (mock->pending_count == MOCK_PENDING_TAGS)
        return LWP_FULL;
    struct pending_tag *pending = &mock->pending[mock->pending_count++];
    pending->port = port;
    put_label(pending->tag, label);
    return LWP_OK;
}

static enum lwp_status tag_port(struct lwp_mock *mock, const char *text, const char *label)
{
    uint64_t port = 0;
    if (!lwp_read_number(text, 1, UINT16_MAX, &port))
        return LWP_INVALID_ARGUMENT;
    for (struct member *member = mock->first; member; member = member->next)
        if (!member->refused && port_of(member) == port) {
            label_member(member, label);
            return LWP_OK;
        }
    return put_pending(mock, (uint16_t)port, label);
}

enum lwp_status mock_tag(struct lwp_mock *mock, const char *connection, const char *label)
{
    uint64_t number = 0;
    if (!is_label(label))
        return LWP_INVALID_ARGUMENT;
    if (strcmp(connection, "next") == 0)
        return put_pending(mock, 0, label);
    if (strncmp(connection, "port ", 5) == 0)
        return tag_port(mock, connection + 5, label);
    if (!lwp_read_number(connection, 1, UINT64_MAX, &number))
        return LWP_INVALID_ARGUMENT;
    for (struct member *member = mock->first; member; member = member->next)
        if (member->connection.peer.number == number) {
            label_member(member, label);
            return LWP_OK;
        }
    return LWP_INVALID_ARGUMENT;
}

/* A label for a port is for that connection alone, so it goes before those for the next one. */
void mock_tag_new(struct lwp_mock *mock, struct member *member)
{
    if (mock->pending_count == 0)
        return;
    const uint64_t port = port_of(member);
    size_t found = mock->pending_count;
    for (size_t i = mock->pending_count; i-- > 0;)
        if (mock->pending[i].port == 0)
            found = i;
    for (size_t i = 0; i < mock->pending_count; i++)
        if (port && mock->pending[i].port == port)
            found = i;
    if (found == mock->pending_count)
        return;
    label_member(member, mock->pending[found].tag);
    mock->pending_count--;
    memmove(&mock->pending[found], &mock->pending[found + 1],
            (mock->pending_count - found) * sizeof(mock->pending[0]));
}
