/* Connections of clients, for the host's list of them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include <string.h>

/* The host keeps the pointer to an info between INITIALIZED and DISCONNECTED, so it is one object
 * from the first event to the last, and only the host's thread changes it. */
typedef struct {
    SpiceChannelEventInfo info; /* first: its address is what the host knows */
    SpiceServer *server;
} Connection;

typedef struct {
    Connection *connection;
    int event;
    int connection_id, type, id;
} Event;

static void tell_host(gpointer data)
{
    const Event *event = data;
    Connection *connection = event->connection;
    const SpiceCoreInterface *core = connection->server->core;

    if (event->event == SPICE_CHANNEL_EVENT_INITIALIZED) {
        connection->info.connection_id = event->connection_id;
        connection->info.type = event->type;
        connection->info.id = event->id;
    }
    if (core->base.minor_version >= 3 && core->channel_event)
        core->channel_event(event->event, &connection->info);
}

static void event_done(gpointer data)
{
    Event *event = data;

    if (event->event == SPICE_CHANNEL_EVENT_DISCONNECTED)
        g_free(event->connection);
    g_free(event);
}

static void post(Connection *connection, Event event)
{
    event.connection = connection;
    host_loop_post(connection->server->loop, tell_host, g_memdup2(&event, sizeof event),
                   event_done);
}

static void fill_address(GSocketAddress *from, struct sockaddr *shortened,
                         socklen_t *shortened_size, struct sockaddr_storage *full, socklen_t *size)
{
    const gssize native = from ? g_socket_address_get_native_size(from) : -1;

    full->ss_family = AF_UNIX;
    *size = sizeof full->ss_family;
    if (native > 0 && native <= (gssize)sizeof *full &&
        g_socket_address_to_native(from, full, sizeof *full, NULL))
        *size = (socklen_t)native;
    memcpy(shortened, full, sizeof *shortened);
    *shortened_size = MIN(*size, (socklen_t)sizeof *shortened);
}

static gpointer on_accepted(GSocket *socket, gboolean secure, gpointer user_data)
{
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket, NULL);
    g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket, NULL);
    Connection *connection = g_new0(Connection, 1);
    SpiceChannelEventInfo *info = &connection->info;

    connection->server = user_data;
    info->flags = SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT | (secure ? SPICE_CHANNEL_EVENT_FLAG_TLS : 0);
    fill_address(local, &info->laddr, &info->llen, &info->laddr_ext, &info->llen_ext);
    fill_address(remote, &info->paddr, &info->plen, &info->paddr_ext, &info->plen_ext);
    post(connection, (Event){.event = SPICE_CHANNEL_EVENT_CONNECTED});
    return connection;
}

static void on_linked(gpointer connection, guint32 session_id, guint8 channel_type,
                      guint8 channel_id, gpointer user_data)
{
    post(connection, (Event){.event = SPICE_CHANNEL_EVENT_INITIALIZED,
                             .connection_id = (int)session_id,
                             .type = channel_type,
                             .id = channel_id});
}

static void on_closed(gpointer connection, gpointer user_data)
{
    post(connection, (Event){.event = SPICE_CHANNEL_EVENT_DISCONNECTED});
}

/* Who sees a display */

typedef struct {
    SpiceServer *server;
    guint display;
    GstSpiceViewers viewers;
} Viewers;

static void tell_qxl(gpointer data)
{
    const Viewers *viewers = data;
    guint i;

    for (i = 0; i < viewers->server->qxls->len; i++) {
        QXLInstance *instance = viewers->server->qxls->pdata[i];

        if (instance->id == (int)viewers->display)
            spice_host_qxl_clients_changed(instance, &viewers->viewers);
    }
}

static void on_display_clients(guint id, const GstSpiceViewers *who, gpointer user_data)
{
    const Viewers viewers = {user_data, id, *who};

    host_loop_post(viewers.server->loop, tell_qxl, g_memdup2(&viewers, sizeof viewers), g_free);
}

const GstSpiceConnectionHandler spice_host_connection_handler = {on_accepted, on_linked, on_closed,
                                                                 on_display_clients};
