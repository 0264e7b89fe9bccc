/* Who is let in: the clients of a server, and what its listener asks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include <string.h>
#include <sys/random.h>

#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "core/wire/vmc.h"
#include "transport/error.h"
#include "transport/link-backoff.h"

enum { MAX_CLIENTS = 256, REFUSALS_A_SECOND = 10 };

static gint64 now_s(void)
{
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

/* Clients */

static GstSpiceServerClient *find_client(GstSpiceServer *self, guint32 session_id)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        if (((GstSpiceServerClient *)item->data)->session_id == session_id)
            return item->data;
    return NULL;
}

static gboolean has_link(const GstSpiceServerClient *client, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < client->links->len; i++) {
        const GstSpiceServerLink *link = client->links->pdata[i];

        if (link->type == type && link->id == id)
            return TRUE;
    }
    return FALSE;
}

/** 0 if there is no randomness to be had. */
static guint32 new_session_id(GstSpiceServer *self)
{
    guint32 id;

    do {
        if (getrandom(&id, sizeof id, 0) != sizeof id)
            return 0;
    } while (id == 0 || find_client(self, id));
    return id;
}

/** Who a peer is, for people. (transfer full) */
static char *peer_name(const SpicePeer *peer)
{
    g_autofree char *address = NULL;

    if (!peer->address || !G_IS_INET_SOCKET_ADDRESS(peer->address))
        return g_strdup("unix");
    address = g_inet_address_to_string(
        g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(peer->address)));
    return g_strdup_printf(strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                           g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(peer->address)));
}

static GstSpiceServerClient *add_client(GstSpiceServer *self, const SpicePeer *peer)
{
    GstSpiceServerClient *client = g_new0(GstSpiceServerClient, 1);

    client->server = self;
    client->number = ++self->last_client;
    client->session_id = new_session_id(self);
    client->from = peer_name(peer);
    client->key = spice_link_address_key(peer->address);
    client->user = g_strdup(peer->user);
    client->secure = peer->secure;
    client->local = peer->local;
    client->connected_us = g_get_monotonic_time();
    client->links = g_ptr_array_new();
    client->told_devices = g_array_new(FALSE, FALSE, sizeof(guint16));
    client->agent_order = ++self->agent_order;
    client->mouse_mode = gst_spice_server_get_mouse_modes(self) & GST_SPICE_MOUSE_MODES_SERVER
                             ? GST_SPICE_MOUSE_MODES_SERVER
                             : GST_SPICE_MOUSE_MODES_CLIENT;
    self->clients = g_list_append(self->clients, client);
    return client;
}

/** Closes the channels that are left, and forgets the client. */
void gst_spice_server_drop_client(GstSpiceServerClient *client, const GError *error)
{
    GstSpiceServer *self = client->server;

    if (client->closing)
        return;
    client->closing = TRUE;
    while (client->links->len > 0)
        gst_spice_server_link_close(client->links->pdata[client->links->len - 1], error);
    self->clients = g_list_remove(self->clients, client);
    g_signal_emit_by_name(self, "client-disconnected", client->number,
                          error ? error->message : "the server closed");
    g_clear_pointer(&client->shared, gst_spice_client_shared_unref);
    g_ptr_array_unref(client->links);
    g_array_unref(client->told_devices);
    g_free(client->from);
    g_free(client->key);
    g_free(client->user);
    g_free(client);
}

/* What the listener asks */

static SpiceLinkError check_security(GstSpiceServer *self, guint8 type, const SpicePeer *peer)
{
    GstSpiceChannelSecurity security;

    g_mutex_lock(&self->lock);
    security = self->security[type];
    g_mutex_unlock(&self->lock);
    if (security == GST_SPICE_CHANNEL_SECURITY_TLS && !peer->secure && !peer->local)
        return SPICE_LINK_ERR_NEED_SECURED;
    if (security == GST_SPICE_CHANNEL_SECURITY_PLAIN && peer->secure)
        return SPICE_LINK_ERR_NEED_UNSECURED;
    return SPICE_LINK_ERR_OK;
}

static SpiceLinkError check_channel(const SpiceLinkRequest *request, const SpicePeer *peer,
                                    gboolean *exists, gpointer user_data)
{
    GstSpiceServer *self = user_data;

    *exists = gst_spice_server_has_channel(self, request->channel_type, request->channel_id);
    return *exists ? check_security(self, request->channel_type, peer) : SPICE_LINK_ERR_OK;
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    static guint32 main_words[] = {1u << SPICE_MAIN_CAP_NAME_AND_UUID |
                                   1u << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS};
    static guint32 display_words[] = {
        1u << SPICE_DISPLAY_CAP_MONITORS_CONFIG | 1u << SPICE_DISPLAY_CAP_LZ4_COMPRESSION |
        1u << SPICE_DISPLAY_CAP_PREF_COMPRESSION | 1u << SPICE_DISPLAY_CAP_STREAM_REPORT |
        1u << SPICE_DISPLAY_CAP_PREF_VIDEO_CODEC_TYPE};
    static guint32 inputs_words[] = {1u << SPICE_INPUTS_CAP_KEY_SCANCODE};
    static guint32 vmc_words[] = {1u << SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4};

    switch (channel_type) {
    case SPICE_CHANNEL_MAIN:
        return (SpiceCaps){G_N_ELEMENTS(main_words), main_words};
    case SPICE_CHANNEL_DISPLAY:
        return (SpiceCaps){G_N_ELEMENTS(display_words), display_words};
    case SPICE_CHANNEL_INPUTS:
        return (SpiceCaps){G_N_ELEMENTS(inputs_words), inputs_words};
    case SPICE_CHANNEL_PLAYBACK:
    case SPICE_CHANNEL_RECORD:
        return gst_spice_server_sound_caps(user_data, channel_type);
    case SPICE_CHANNEL_USBREDIR:
    case SPICE_CHANNEL_PORT:
    case SPICE_CHANNEL_WEBDAV:
        return (SpiceCaps){G_N_ELEMENTS(vmc_words), vmc_words};
    default:
        return (SpiceCaps){0, NULL};
    }
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    gboolean good;

    g_mutex_lock(&self->lock);
    good = spice_ticket_check(&self->ticket, block, size, now_s());
    g_mutex_unlock(&self->lock);
    return good;
}

static SpiceLinkError admit(const SpiceLinkRequest *request, const SpicePeer *peer,
                            gpointer user_data)
{
    GstSpiceServer *self = user_data;
    GstSpiceServerClient *client;
    g_autofree char *key = NULL;
    gboolean free;

    if (request->channel_type == SPICE_CHANNEL_MAIN) {
        if (request->connection_id != 0) /* a guest that migrates to us; it does not */
            return SPICE_LINK_ERR_BAD_CONNECTION_ID;
        return g_list_length(self->clients) < MAX_CLIENTS ? SPICE_LINK_ERR_OK
                                                          : SPICE_LINK_ERR_PERMISSION_DENIED;
    }
    client = find_client(self, request->connection_id);
    key = spice_link_address_key(peer->address);
    if (!client || client->closing || strcmp(client->key, key) != 0 ||
        g_strcmp0(client->user, peer->user) != 0)
        return SPICE_LINK_ERR_BAD_CONNECTION_ID;
    if (has_link(client, request->channel_type, request->channel_id))
        return SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE;
    if (gst_spice_server_has_device(self, request->channel_type, request->channel_id, &free) &&
        !free) {
        /* it is told again when the device is free */
        gst_spice_server_main_forget_device(client, request->channel_type, request->channel_id);
        return SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE;
    }
    return SPICE_LINK_ERR_OK;
}

/** Tells whoever looks on that the connection is a client's channel now, and lets the link that is
 * made next know which connection it is. */
static void announce_link(GstSpiceServer *self, GstSpiceServerClient *client,
                          const SpiceLinkRequest *request, const SpicePeer *peer)
{
    client->next_connection = peer->owner_data;
    if (self->connections)
        self->connections->linked(peer->owner_data, client->session_id, request->channel_type,
                                  request->channel_id, self->connections_data);
}

static void on_linked(SpiceListener *listener, SpiceServerChannel *channel,
                      const SpiceLinkRequest *request, const SpicePeer *peer, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    GstSpiceServerClient *client;
    gboolean free;

    if (request->channel_type == SPICE_CHANNEL_MAIN) {
        client = add_client(self, peer);
        announce_link(self, client, request, peer);
        gst_spice_server_main_open(client, channel);
        g_signal_emit_by_name(self, "client-connected", client->number, client->from);
        return;
    }
    client = find_client(self, request->connection_id);
    announce_link(self, client, request, peer);
    if (request->channel_type == SPICE_CHANNEL_INPUTS)
        gst_spice_server_inputs_open(client, channel);
    else if (request->channel_type == SPICE_CHANNEL_CURSOR)
        gst_spice_server_cursor_open(client, channel);
    else if (request->channel_type == SPICE_CHANNEL_PLAYBACK)
        gst_spice_server_playback_open(client, channel);
    else if (request->channel_type == SPICE_CHANNEL_RECORD)
        gst_spice_server_record_open(client, channel);
    else if (gst_spice_server_has_device(self, request->channel_type, request->channel_id, &free))
        gst_spice_server_vmc_open(client, channel);
    else
        gst_spice_server_media_open(client, channel);
}

static void on_accepted(SpicePeer *peer, GSocket *socket, gpointer user_data)
{
    GstSpiceServer *self = user_data;

    if (self->connections)
        peer->owner_data =
            self->connections->accepted(socket, peer->secure, self->connections_data);
}

static void on_refused(const SpicePeer *peer, const char *why, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    g_autofree char *from = NULL;

    if (self->connections)
        self->connections->closed(peer->owner_data, self->connections_data);

    if (self->refusals_second != now_s()) {
        self->refusals_second = now_s();
        self->refusals = 0;
    }
    if (++self->refusals > REFUSALS_A_SECOND)
        return;
    from = peer_name(peer);
    g_signal_emit_by_name(self, "refused", from, why);
}

const SpiceListenerHandler gst_spice_server_listener_handler = {
    on_accepted, check_channel, get_caps, check_ticket, admit, on_linked, on_refused};

/* Settings */

gboolean gst_spice_server_set_ticket(GstSpiceServer *self, const char *ticket, guint lifetime)
{
    gboolean ok;

    g_mutex_lock(&self->lock);
    ok = spice_ticket_set(&self->ticket, ticket, lifetime, now_s());
    g_mutex_unlock(&self->lock);
    return ok;
}

void gst_spice_server_set_channel_security(GstSpiceServer *self, guint8 channel_type,
                                           GstSpiceChannelSecurity security)
{
    guint i;

    g_return_if_fail(channel_type < SPICE_END_CHANNEL);
    g_mutex_lock(&self->lock);
    for (i = 0; i < G_N_ELEMENTS(self->security); i++)
        if (channel_type == 0 || channel_type == i)
            self->security[i] = (guint8)security;
    g_mutex_unlock(&self->lock);
}

static void disconnect_task(GstSpiceServer *self, gpointer data)
{
    g_autoptr(GError) error =
        g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED, data);

    while (self->clients)
        gst_spice_server_drop_client(self->clients->data, error);
}

void gst_spice_server_disconnect_clients(GstSpiceServer *self, const char *why)
{
    gst_spice_server_run(self, disconnect_task, g_strdup(why), g_free);
}

void gst_spice_server_open_door(GstSpiceServer *self)
{
    g_mutex_lock(&self->lock);
    spice_ticket_clear(&self->ticket);
    g_mutex_unlock(&self->lock);
}

/* Statistics */

static void stats_task(GstSpiceServer *self, gpointer data)
{
    GArray *all = data;
    GList *item;
    guint i;

    for (item = self->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;
        GstSpiceClientStats stats = {
            .client = client->number,
            .secure = client->secure,
            .n_channels = client->links->len,
            .connected_us = client->connected_us,
            .round_trip_us = client->round_trip_us,
            .mouse_mode = client->mouse_mode,
        };

        g_strlcpy(stats.from, client->from, sizeof stats.from);
        g_strlcpy(stats.user, client->user ? client->user : "", sizeof stats.user);
        for (i = 0; i < client->links->len; i++) {
            const GstSpiceServerLink *link = client->links->pdata[i];

            stats.backlog += (gint64)spice_server_channel_get_backlog(link->channel);
            stats.bytes_sent += spice_server_channel_get_bytes_sent(link->channel);
            stats.bytes_received += spice_server_channel_get_bytes_received(link->channel);
            stats.messages_sent += spice_server_channel_get_serial(link->channel);
        }
        g_array_append_val(all, stats);
    }
}

GArray *gst_spice_server_get_stats(GstSpiceServer *self)
{
    GArray *all = g_array_new(FALSE, TRUE, sizeof(GstSpiceClientStats));
    gboolean runs;

    g_mutex_lock(&self->lock);
    runs = self->thread != NULL;
    g_mutex_unlock(&self->lock);
    if (runs)
        gst_spice_server_call(self, stats_task, all);
    return all;
}
