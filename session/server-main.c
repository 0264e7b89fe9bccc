/* The main channel, server role: what makes a client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/main.h"

/* How far a client's clock is set back: what is stamped now is due then. */
enum { CLOCK_DELAY_MS = 400 };
/* Told to clients, who make the window of their image dictionary half as large. */
enum { RAM_HINT = 64 << 20 };

typedef struct {
    GstSpiceServerLink link;
    guint agent_tokens;         /* AGENT_DATA that the client may still send */
    GstSpiceServerAgent *agent; /* NULL: none, or not started */
} Main;

guint32 gst_spice_server_clock_ms(void)
{
    return (guint32)(g_get_monotonic_time() / 1000);
}

static gboolean has_agent(const GstSpiceServer *server)
{
    return server->input && server->input->monitors;
}

/* Sent by us */

static void send_init(Main *self)
{
    GstSpiceServerClient *client = self->link.client;
    const SpiceMsgMainInit init = {
        .session_id = client->session_id,
        .display_channels_hint =
            (guint32)__builtin_popcount(gst_spice_server_get_display_bits(client->server)),
        .supported_mouse_modes = gst_spice_server_get_mouse_modes(client->server),
        .current_mouse_mode = client->mouse_mode,
        .agent_connected = has_agent(client->server),
        .agent_tokens = GST_SPICE_SERVER_AGENT_TOKENS,
        .multi_media_time = gst_spice_server_clock_ms() - CLOCK_DELAY_MS,
        .ram_hint = RAM_HINT,
    };

    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_INIT, &init);
}

static void send_name(Main *self)
{
    GstSpiceServer *server = self->link.client->server;
    g_autofree char *name = NULL;

    if (!spice_server_channel_peer_has(self->link.channel, SPICE_MAIN_CAP_NAME_AND_UUID))
        return;
    g_mutex_lock(&server->lock);
    name = g_strdup(server->name);
    g_mutex_unlock(&server->lock);
    if (name) {
        const SpiceMsgMainName message = {{(const guint8 *)name, strlen(name) + 1}};

        gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_NAME, &message);
    }
}

static void send_uuid(Main *self)
{
    GstSpiceServer *server = self->link.client->server;
    SpiceMsgMainUuid message;
    gboolean has_uuid;

    g_mutex_lock(&server->lock);
    has_uuid = server->has_uuid;
    memcpy(message.uuid, server->uuid, sizeof message.uuid);
    g_mutex_unlock(&server->lock);
    if (has_uuid && spice_server_channel_peer_has(self->link.channel, SPICE_MAIN_CAP_NAME_AND_UUID))
        gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_UUID, &message);
}

static void send_mouse_mode(Main *self)
{
    GstSpiceServerClient *client = self->link.client;
    const SpiceMsgMainMouseMode message = {
        .supported_modes = (guint16)gst_spice_server_get_mouse_modes(client->server),
        .current_mode = (guint16)client->mouse_mode,
    };

    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_MOUSE_MODE, &message);
}

/** `types`: channels of id 0, 1 << type each. */
static void send_channels(Main *self, guint32 display_bits, guint32 types)
{
    SpiceChannelId channels[2 * GST_SPICE_SERVER_MAX_DISPLAYS + SPICE_END_CHANNEL];
    SpiceMsgMainChannelsList list = {.channels = channels};
    guint8 i;

    for (i = 0; i < SPICE_END_CHANNEL; i++)
        if (types & 1u << i)
            channels[list.n_channels++] = (SpiceChannelId){i, 0};
    for (i = 0; i < GST_SPICE_SERVER_MAX_DISPLAYS; i++) {
        if (display_bits & 1u << i) {
            channels[list.n_channels++] = (SpiceChannelId){SPICE_CHANNEL_CURSOR, i};
            channels[list.n_channels++] = (SpiceChannelId){SPICE_CHANNEL_DISPLAY, i};
        }
    }
    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_CHANNELS_LIST, &list);
}

/* Said by the client */

static void request_mouse_mode(Main *self, guint mode)
{
    GstSpiceServerClient *client = self->link.client;

    if ((mode != GST_SPICE_MOUSE_MODES_SERVER && mode != GST_SPICE_MOUSE_MODES_CLIENT) ||
        !(gst_spice_server_get_mouse_modes(client->server) & mode) || client->mouse_mode == mode)
        return;
    client->mouse_mode = mode;
    send_mouse_mode(self);
    gst_spice_server_cursor_mode_changed(client);
}

static void start_agent(Main *self, guint32 tokens)
{
    if (has_agent(self->link.client->server)) {
        if (!self->agent)
            self->agent = gst_spice_server_agent_new(&self->link);
        gst_spice_server_agent_grant(self->agent, tokens);
    }
}

static gboolean take_agent_data(Main *self, const SpiceMsgMainAgentData *message, GError **error)
{
    const SpiceMsgMainAgentTokens back = {.num_tokens = 1};

    if (self->agent_tokens == 0)
        return gst_spice_server_link_refuse(&self->link, error, "agent data without a token");
    if (message->data.size > SPICE_AGENT_MAX_DATA_SIZE)
        return gst_spice_server_link_refuse(&self->link, error, "too much agent data at once");
    if (!self->agent) { /* as to a guest that has none: it is lost, and its token, too */
        self->agent_tokens--;
        return TRUE;
    }
    if (!gst_spice_server_agent_take(self->agent, message->data.data, message->data.size, error))
        return FALSE;
    /* It was taken at once, so the token goes back at once. */
    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_AGENT_TOKEN, &back);
    return TRUE;
}

static void attach_channels(Main *self)
{
    GstSpiceServerClient *client = self->link.client;

    if (client->attached) /* it has them */
        return;
    client->attached = TRUE;
    client->told = gst_spice_server_get_display_bits(client->server);
    client->told_types = 1u << SPICE_CHANNEL_INPUTS;
    if (gst_spice_server_offers_sound(client->server, SPICE_CHANNEL_PLAYBACK))
        client->told_types |= 1u << SPICE_CHANNEL_PLAYBACK;
    if (gst_spice_server_offers_sound(client->server, SPICE_CHANNEL_RECORD))
        client->told_types |= 1u << SPICE_CHANNEL_RECORD;
    send_channels(self, client->told, client->told_types);
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    Main *self = (Main *)link;

    switch (type) {
    case SPICE_MSGC_MAIN_ATTACH_CHANNELS:
        attach_channels(self);
        return TRUE;
    case SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST:
        request_mouse_mode(self, ((SpiceMsgcMainMouseModeRequest *)message)->mode);
        return TRUE;
    case SPICE_MSGC_MAIN_AGENT_START:
        start_agent(self, ((SpiceMsgMainAgentTokens *)message)->num_tokens);
        return TRUE;
    case SPICE_MSGC_MAIN_AGENT_TOKEN:
        if (self->agent)
            gst_spice_server_agent_grant(self->agent,
                                         ((SpiceMsgMainAgentTokens *)message)->num_tokens);
        return TRUE;
    case SPICE_MSGC_MAIN_AGENT_DATA:
        return take_agent_data(self, message, error);
    default: /* migration that nobody asked for, and what is obsolete */
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_pong(GstSpiceServerLink *link, gint64 round_trip_us)
{
    link->client->round_trip_us = (guint)CLAMP(round_trip_us, 1, G_MAXINT);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Main *self = (Main *)link;
    GstSpiceServerClient *client = link->client;

    g_clear_pointer(&self->agent, gst_spice_server_agent_free);
    gst_spice_server_link_clear(link);
    g_free(self);
    gst_spice_server_drop_client(client, error);
}

/* The client's state changed */

void gst_spice_server_main_modes_changed(GstSpiceServerClient *client)
{
    const guint supported = gst_spice_server_get_mouse_modes(client->server);

    if (!(client->mouse_mode & supported))
        client->mouse_mode = supported & GST_SPICE_MOUSE_MODES_SERVER
                                 ? GST_SPICE_MOUSE_MODES_SERVER
                                 : GST_SPICE_MOUSE_MODES_CLIENT;
    gst_spice_server_cursor_mode_changed(client);
    send_mouse_mode(client->links->pdata[0]);
}

void gst_spice_server_main_channels_added(GstSpiceServerClient *client, guint32 display_bits)
{
    if (!client->attached || !(display_bits & ~client->told))
        return;
    client->told |= display_bits;
    send_channels(client->links->pdata[0], display_bits, 0);
}

void gst_spice_server_main_types_added(GstSpiceServerClient *client, guint32 types)
{
    if (!client->attached || !(types & ~client->told_types))
        return;
    client->told_types |= types;
    send_channels(client->links->pdata[0], 0, types);
}

void gst_spice_server_main_send_clock(GstSpiceServerClient *client)
{
    const SpiceMsgMainMultiMediaTime message = {.time =
                                                    gst_spice_server_clock_ms() - CLOCK_DELAY_MS};

    gst_spice_server_link_send(client->links->pdata[0], SPICE_MSG_MAIN_MULTI_MEDIA_TIME, &message);
}

void gst_spice_server_main_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .pong = on_pong, .closed = on_closed};
    Main *self = g_new0(Main, 1);

    self->agent_tokens = GST_SPICE_SERVER_AGENT_TOKENS;
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    send_init(self);
    send_name(self);
    send_uuid(self);
    spice_server_channel_ping(channel, 1, 0);
}
