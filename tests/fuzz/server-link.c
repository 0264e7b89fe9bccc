/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-link.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { SMALL_BUFFER = 4096 };

static void no_bytes(SpiceConnection *connection, const guint8 *data, gsize size,
                     gpointer user_data)
{
}

static void no_end(SpiceConnection *connection, const GError *error, gpointer user_data)
{
}

gboolean fuzz_link_channel(GstSpiceServer *server, SpiceLinkRequest *request, gboolean local,
                           int *client)
{
    static const SpiceConnectionHandler handler = {.bytes = no_bytes, .closed = no_end};
    const SpiceListenerHandler *listener = &gst_spice_server_listener_handler;
    g_autoptr(GSocketAddress) address =
        local ? NULL : g_inet_socket_address_new_from_string("192.0.2.1", 4321);
    SpicePeer peer = {.local = local, .address = address};
    g_autoptr(GSocket) socket = NULL;
    SpiceConnection *connection;
    gboolean exists = FALSE;
    int ends[2], size = SMALL_BUFFER;

    if (listener->check_channel(request, &peer, &exists, server) != SPICE_LINK_ERR_OK || !exists ||
        listener->admit(request, &peer, server) != SPICE_LINK_ERR_OK)
        return FALSE;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    socket = g_socket_new_from_fd(ends[0], NULL);
    g_socket_set_blocking(socket, FALSE);
    connection = spice_connection_new(socket, NULL, &handler, NULL);
    spice_connection_start(connection);
    listener->linked(NULL, spice_server_channel_new(connection, request), request, &peer, server);
    *client = ends[1];
    return TRUE;
}
