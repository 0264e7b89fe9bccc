/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* accept4 */
#include "listen-socket.h"

#include <gio/gunixsocketaddress.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"

enum {
    BACKLOG = 128,
    KEEPALIVE_IDLE_S = 600,
    USER_TIMEOUT_MS = 30000,
};

/** *error with a place before what it says, in our domain. */
static void explain(GError **error, SpiceTransportError code, const char *where, const char *why)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, (gint)code, "cannot listen on %s: %s", where, why);
}

/** A socket bound to `address`; NULL and GIO's error. */
static GSocket *bind_new(GSocketAddress *address, GError **error)
{
    g_autoptr(GSocket) socket =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                     G_SOCKET_PROTOCOL_DEFAULT, error);

    if (!socket)
        return NULL;
    g_socket_set_blocking(socket, FALSE);
    g_socket_set_listen_backlog(socket, BACKLOG);
    if (!g_socket_bind(socket, address, TRUE, error) || !g_socket_listen(socket, error))
        return NULL;
    return g_steal_pointer(&socket);
}

/** The addresses to try, in order. */
static GList *look_up(const char *address, GError **error)
{
    g_autoptr(GResolver) resolver = NULL;

    if (!address || !*address) /* an IPv6 socket takes IPv4, too, if the system has IPv6 */
        return g_list_append(g_list_append(NULL, g_inet_address_new_any(G_SOCKET_FAMILY_IPV6)),
                             g_inet_address_new_any(G_SOCKET_FAMILY_IPV4));
    if (g_hostname_is_ip_address(address))
        return g_list_append(NULL, g_inet_address_new_from_string(address));
    resolver = g_resolver_get_default();
    return g_resolver_lookup_by_name(resolver, address, NULL, error);
}

GSocket *spice_listen_tcp(const char *address, guint16 port, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s port %u", address ? address : "*", port);
    g_autoptr(GError) reason = NULL;
    GList *addresses = look_up(address, &reason), *item;
    GSocket *socket = NULL;

    if (!addresses) {
        explain(error, SPICE_TRANSPORT_ERROR_ADDRESS, where, reason->message);
        return NULL;
    }
    for (item = addresses; item && !socket; item = item->next) {
        g_autoptr(GSocketAddress) bindable = g_inet_socket_address_new(item->data, port);

        g_clear_error(&reason);
        socket = bind_new(bindable, &reason);
    }
    g_resolver_free_addresses(addresses);
    if (!socket)
        explain(error, SPICE_TRANSPORT_ERROR_CONNECT, where, reason->message);
    return socket;
}

/* Unix sockets */

/** Whether somebody answers at the socket file. */
static gboolean is_live(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    gboolean live;

    if (fd < 0)
        return TRUE; /* better refuse than take a place that may be taken */
    live = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
           errno != ECONNREFUSED;
    close(fd);
    return live;
}

/** Makes room for a new socket file. FALSE, *why telling, if the place is taken. */
static gboolean clear_place(const struct sockaddr_un *address, const char **why)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return TRUE;
    if (!S_ISSOCK(status.st_mode)) {
        *why = "there is a file which is no socket";
        return FALSE;
    }
    if (is_live(address)) {
        *why = "another server listens there";
        return FALSE;
    }
    unlink(address->sun_path);
    return TRUE;
}

GSocket *spice_listen_unix(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *why = NULL;
    int fd;

    if (!*path || strlen(path) >= sizeof address.sun_path) {
        explain(error, SPICE_TRANSPORT_ERROR_ADDRESS, path, "unlawful length of a socket's path");
        return NULL;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (!clear_place(&address, &why)) {
        explain(error, SPICE_TRANSPORT_ERROR_CONNECT, path, why);
        return NULL;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of an unbound socket is that of the file which bind() makes, less the umask: so
     * there is no moment in which others could connect. */
    if (fd < 0 || fchmod(fd, 0600) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, 0600) != 0 || listen(fd, BACKLOG) != 0) {
        explain(error, SPICE_TRANSPORT_ERROR_CONNECT, path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return spice_listen_fd(fd, error);
}

void spice_listen_unix_identify(const char *path, guint64 *device, guint64 *inode)
{
    struct stat status = {0};

    if (lstat(path, &status) != 0)
        memset(&status, 0, sizeof status);
    *device = status.st_dev;
    *inode = status.st_ino;
}

void spice_listen_unix_remove(const char *path, guint64 device, guint64 inode)
{
    guint64 device_now, inode_now;

    spice_listen_unix_identify(path, &device_now, &inode_now);
    if (inode_now != 0 && inode_now == inode && device_now == device)
        unlink(path);
}

/** Takes `fd` over as a socket; closes it if it is none. */
static GSocket *adopt(int fd, gboolean is_right, const char *why_not, GError **error)
{
    g_autoptr(GError) reason = NULL;
    GSocket *socket = is_right ? g_socket_new_from_fd(fd, &reason) : NULL;

    if (!socket) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                    "cannot use descriptor %d: %s", fd, reason ? reason->message : why_not);
        close(fd);
        return NULL;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    g_socket_set_blocking(socket, FALSE);
    return socket;
}

GSocket *spice_listen_fd(int fd, GError **error)
{
    int listens = 0;
    socklen_t size = sizeof listens;

    return adopt(fd, getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens,
                 "it is no listening socket", error);
}

static void tune(GSocket *socket)
{
    if (g_socket_get_family(socket) == G_SOCKET_FAMILY_UNIX)
        return;
    g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S, NULL);
    g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS, NULL);
}

GSocket *spice_listen_connected_fd(int fd, GError **error)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    GSocket *socket = adopt(fd, getpeername(fd, (struct sockaddr *)&peer, &size) == 0,
                            "it is no connected socket", error);

    if (socket)
        tune(socket);
    return socket;
}

/* Accepting */

static gboolean is_shortage(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

GSocket *spice_listen_accept(GSocket *listening, gboolean *again)
{
    int fd = accept4(g_socket_get_fd(listening), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    GSocket *socket;

    *again = TRUE;
    if (fd < 0) {
        *again = !is_shortage(errno);
        return NULL;
    }
    socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return NULL;
    }
    tune(socket);
    return socket;
}
