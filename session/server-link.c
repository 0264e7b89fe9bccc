/* What the channels of a server's client have in common.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include "core/wire/channel.h"
#include "transport/error.h"

/* Bytes that a client may leave unread of channels that have no view to fall back to. */
enum { MAX_BACKLOG = 1 << 20 };

/** NULL and PROTOCOL if the body is malformed or the number is none of the channel's. */
static gpointer parse(GstSpiceServerLink *link, const SpiceFrame *frame, GError **error)
{
    SpiceArena *arena = &link->client->server->arena;
    const SpiceMessageDef *def = spice_message_find(link->type, SPICE_FROM_CLIENT, frame->type);
    SpiceError wire_error = {0};
    gpointer message;
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    if (!def) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "message %u is none of channel type %u", frame->type, link->type);
        return NULL;
    }
    spice_arena_reset(arena);
    message = spice_message_read(def, data + SPICE_MINI_HEADER_SIZE, size - SPICE_MINI_HEADER_SIZE,
                                 arena, &wire_error);
    if (!message)
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, "%s: %s %s",
                    def->name, wire_error.field, spice_error_phrase(wire_error.code));
    return message;
}

static gboolean on_message(SpiceServerChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    GstSpiceServerLink *link = user_data;
    gpointer message = parse(link, frame, error);

    if (!message)
        return FALSE;
    return link->klass->message(link, frame->type, message, error);
}

static void on_writable(SpiceServerChannel *channel, gpointer user_data)
{
    GstSpiceServerLink *link = user_data;

    if (link->klass->writable)
        link->klass->writable(link);
}

static void on_pong(SpiceServerChannel *channel, guint32 id, gint64 round_trip_us,
                    gpointer user_data)
{
    GstSpiceServerLink *link = user_data;

    if (link->klass->pong)
        link->klass->pong(link, id, round_trip_us);
}

static void on_other_pong(SpiceServerChannel *channel, guint32 id, gpointer user_data)
{
    GstSpiceServerLink *link = user_data;

    if (link->klass->marked)
        link->klass->marked(link, id);
}

static void on_closed(SpiceServerChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceServerLink *link = user_data;

    link->klass->closed(link, error);
}

static const SpiceServerChannelHandler handler = {
    .message = on_message,
    .writable = on_writable,
    .pong = on_pong,
    .other_pong = on_other_pong,
    .closed = on_closed,
};

void gst_spice_server_link_init(GstSpiceServerLink *link, const GstSpiceServerLinkClass *klass,
                                GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    link->klass = klass;
    link->client = client;
    link->connection = client->next_connection;
    link->channel = channel;
    link->type = spice_server_channel_get_type_number(channel);
    link->id = spice_server_channel_get_id(channel);
    g_ptr_array_add(client->links, link);
    spice_server_channel_set_handler(channel, &handler, link);
}

void gst_spice_server_link_clear(GstSpiceServerLink *link)
{
    GstSpiceServer *server = link->client->server;

    if (server->connections)
        server->connections->closed(link->connection, server->connections_data);
    g_ptr_array_remove(link->client->links, link);
    g_clear_pointer(&link->channel, spice_server_channel_close);
}

void gst_spice_server_link_close(GstSpiceServerLink *link, const GError *error)
{
    link->klass->closed(link, error);
}

/** Closes the links that are behind by too much. */
static void close_overrun_task(GstSpiceServer *server, gpointer data)
{
    g_autoptr(GError) error = g_error_new_literal(
        SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED, "it does not read what it is sent");
    GstSpiceServerLink *found;
    GList *item;
    guint i;

    do {
        found = NULL;
        for (item = server->clients; item && !found; item = item->next) {
            const GstSpiceServerClient *client = item->data;

            for (i = 0; i < client->links->len && !found; i++)
                if (((GstSpiceServerLink *)client->links->pdata[i])->overrun)
                    found = client->links->pdata[i];
        }
        if (found)
            gst_spice_server_link_close(found, error);
    } while (found);
}

void gst_spice_server_link_send(GstSpiceServerLink *link, guint16 type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(link->type, SPICE_FROM_SERVER, type);
    SpiceBuffer body = {.allocator = &spice_allocator_libc};

    g_return_if_fail(def != NULL);
    if (link->overrun)
        return;
    if (spice_server_channel_get_backlog(link->channel) > MAX_BACKLOG) {
        link->overrun = TRUE;
        gst_spice_server_run(link->client->server, close_overrun_task, NULL, NULL);
        return;
    }
    if (def->size == 0 || spice_message_write(def, message, &body, NULL))
        spice_server_channel_send(link->channel, type, body.data, body.size);
    spice_buffer_clear(&body);
}

gboolean gst_spice_server_link_refuse(GstSpiceServerLink *link, GError **error, const char *why)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, "channel type %u: %s",
                link->type, why);
    return FALSE;
}
