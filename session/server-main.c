/* The main channel, server role: what makes a client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "device-private.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/main.h"
#include "link-test.h"

/* How far a client's clock is set back: what is stamped now is due then. */
enum { CLOCK_DELAY_MS = 400 };
/* Told to clients, who make the window of their image dictionary half as large. */
enum { RAM_HINT = 64 << 20 };

typedef struct {
    GstSpiceServerLink link;
    guint agent_tokens;         /* AGENT_DATA that the client may still send */
    GstSpiceServerAgent *agent; /* NULL: none, or not started */
    GstSpiceLinkTest test;
} Main;

guint32 gst_spice_server_clock_ms(void)
{
    return (guint32)(g_get_monotonic_time() / 1000);
}

/** Whether the desktop answers as an agent by itself. */
static gboolean is_agent(const GstSpiceServer *server)
{
    return !server->agent && server->input && server->input->monitors;
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
        .agent_connected = client->agent_told || is_agent(client->server),
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

static void add_channel(GArray *channels, guint8 type, guint8 id)
{
    const SpiceChannelId channel = {type, id};

    g_array_append_val(channels, channel);
}

static void send_channels(Main *self, GArray *channels)
{
    const SpiceMsgMainChannelsList list = {.n_channels = channels->len,
                                           .channels = (SpiceChannelId *)(void *)channels->data};

    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_CHANNELS_LIST, &list);
}

/** Channels of id 0, 1 << type each. */
static void add_types(GArray *channels, guint32 types)
{
    guint8 i;

    for (i = 0; i < SPICE_END_CHANNEL; i++)
        if (types & 1u << i)
            add_channel(channels, i, 0);
}

static void add_displays(GArray *channels, guint32 display_bits)
{
    guint8 i;

    for (i = 0; i < GST_SPICE_SERVER_MAX_DISPLAYS; i++) {
        if (display_bits & 1u << i) {
            add_channel(channels, SPICE_CHANNEL_CURSOR, i);
            add_channel(channels, SPICE_CHANNEL_DISPLAY, i);
        }
    }
}

/** FALSE if the client was told of the device's channel already. */
static gboolean note_device(GstSpiceServerClient *client, guint8 type, guint8 id)
{
    const guint16 both = (guint16)(type << 8 | id);
    guint i;

    for (i = 0; i < client->told_devices->len; i++)
        if (g_array_index(client->told_devices, guint16, i) == both)
            return FALSE;
    g_array_append_val(client->told_devices, both);
    return TRUE;
}

/** Those that no other client has. */
static void add_devices(Main *self, GArray *channels)
{
    GstSpiceServer *server = self->link.client->server;
    guint i;

    for (i = 0; i < server->devices->len; i++) {
        const GstSpiceDevice *device = server->devices->pdata[i];

        if (device->kind != GST_SPICE_DEVICE_AGENT && !device->link &&
            note_device(self->link.client, device->channel_type, device->channel_id))
            add_channel(channels, device->channel_type, device->channel_id);
    }
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
    GstSpiceServerClient *client = self->link.client;

    if (client->server->agent) {
        gst_spice_guest_agent_start(client->server->agent, client, tokens);
    } else if (is_agent(client->server)) {
        if (!self->agent)
            self->agent = gst_spice_server_agent_new(&self->link);
        gst_spice_server_agent_grant(self->agent, tokens);
    }
}

static void grant_tokens(Main *self, guint32 tokens)
{
    GstSpiceServerClient *client = self->link.client;

    if (client->server->agent)
        gst_spice_guest_agent_grant(client->server->agent, client, tokens);
    else if (self->agent)
        gst_spice_server_agent_grant(self->agent, tokens);
}

static gboolean take_agent_data(Main *self, const SpiceMsgMainAgentData *message, GError **error)
{
    GstSpiceServerClient *client = self->link.client;
    GstSpiceGuestAgent *guest = client->server->agent;
    const SpiceMsgMainAgentTokens back = {.num_tokens = 1};

    if (message->data.size > SPICE_AGENT_MAX_DATA_SIZE)
        return gst_spice_server_link_refuse(&self->link, error, "too much agent data at once");
    if (guest ? !gst_spice_guest_agent_is_owner(guest, client) : !self->agent)
        return TRUE; /* as with the field's server: it is lost, and costs no token */
    if (self->agent_tokens == 0)
        return gst_spice_server_link_refuse(&self->link, error, "agent data without a token");
    if (guest) {
        self->agent_tokens--;
        return gst_spice_guest_agent_take(guest, message->data.data, message->data.size, error);
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
    g_autoptr(GArray) channels = g_array_new(FALSE, FALSE, sizeof(SpiceChannelId));

    if (client->attached) /* it has them */
        return;
    client->attached = TRUE;
    client->told = gst_spice_server_get_display_bits(client->server);
    client->told_types = 1u << SPICE_CHANNEL_INPUTS;
    if (gst_spice_server_offers_sound(client->server, SPICE_CHANNEL_PLAYBACK))
        client->told_types |= 1u << SPICE_CHANNEL_PLAYBACK;
    if (gst_spice_server_offers_sound(client->server, SPICE_CHANNEL_RECORD))
        client->told_types |= 1u << SPICE_CHANNEL_RECORD;
    add_types(channels, client->told_types);
    add_displays(channels, client->told);
    add_devices(self, channels);
    send_channels(self, channels);
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
        grant_tokens(self, ((SpiceMsgMainAgentTokens *)message)->num_tokens);
        return TRUE;
    case SPICE_MSGC_MAIN_AGENT_DATA:
        return take_agent_data(self, message, error);
    default: /* migration that nobody asked for, and what is obsolete */
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_writable(GstSpiceServerLink *link)
{
    GstSpiceGuestAgent *guest = link->client->server->agent;

    if (guest && gst_spice_guest_agent_is_owner(guest, link->client))
        gst_spice_guest_agent_work(guest);
}

static void send_test(Main *self, guint round)
{
    guint i;

    for (i = 0; i < GST_SPICE_LINK_TEST_PINGS; i++) {
        const guint32 id = gst_spice_link_test_id(round, i);

        spice_server_channel_ping(self->link.channel, id,
                                  self->link.client->local ? 0 : gst_spice_link_test_padding(id));
    }
}

static void on_pong(GstSpiceServerLink *link, guint32 id, gint64 round_trip_us)
{
    Main *self = (Main *)link;
    GstSpiceServerClient *client = link->client;

    if (gst_spice_link_test_padding(id) == 0 &&
        (client->round_trip_us == 0 || round_trip_us < client->round_trip_us))
        client->round_trip_us = (guint)CLAMP(round_trip_us, 1, G_MAXINT);
    gst_spice_link_test_answer(&self->test, id, g_get_monotonic_time());
    if (client->link_rate > 0)
        return;
    client->link_rate = gst_spice_link_test_rate(&self->test);
    if (client->link_rate > 0)
        gst_spice_server_media_link_tested(client);
    else if (!client->local && gst_spice_link_test_goes_on(&self->test))
        send_test(self, 1);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Main *self = (Main *)link;
    GstSpiceServerClient *client = link->client;

    g_clear_pointer(&self->agent, gst_spice_server_agent_free);
    if (client->server->agent)
        gst_spice_guest_agent_client_gone(client->server->agent, client);
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
    g_autoptr(GArray) channels = g_array_new(FALSE, FALSE, sizeof(SpiceChannelId));

    if (!client->attached || !(display_bits & ~client->told))
        return;
    client->told |= display_bits;
    add_displays(channels, display_bits);
    send_channels(client->links->pdata[0], channels);
}

void gst_spice_server_main_display_gone(GstSpiceServerClient *client, guint8 id, const GError *why)
{
    guint i;

    client->told &= ~(1u << id);
    for (i = client->links->len; i-- > 0;) {
        GstSpiceServerLink *link = client->links->pdata[i];

        if (link->type == SPICE_CHANNEL_CURSOR && link->id == id)
            gst_spice_server_link_close(link, why);
    }
}

void gst_spice_server_main_types_added(GstSpiceServerClient *client, guint32 types)
{
    g_autoptr(GArray) channels = g_array_new(FALSE, FALSE, sizeof(SpiceChannelId));

    if (!client->attached || !(types & ~client->told_types))
        return;
    client->told_types |= types;
    add_types(channels, types);
    send_channels(client->links->pdata[0], channels);
}

void gst_spice_server_main_send_clock(GstSpiceServerClient *client)
{
    const SpiceMsgMainMultiMediaTime message = {.time =
                                                    gst_spice_server_clock_ms() - CLOCK_DELAY_MS};

    gst_spice_server_link_send(client->links->pdata[0], SPICE_MSG_MAIN_MULTI_MEDIA_TIME, &message);
}

void gst_spice_server_main_offer_device(GstSpiceServerClient *client, guint8 type, guint8 id)
{
    g_autoptr(GArray) channels = g_array_new(FALSE, FALSE, sizeof(SpiceChannelId));

    if (!client->attached || client->closing || !note_device(client, type, id))
        return;
    add_channel(channels, type, id);
    send_channels(client->links->pdata[0], channels);
}

void gst_spice_server_main_forget_device(GstSpiceServerClient *client, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < client->told_devices->len; i++) {
        if (g_array_index(client->told_devices, guint16, i) == (guint16)(type << 8 | id)) {
            g_array_remove_index_fast(client->told_devices, i);
            return;
        }
    }
}

void gst_spice_server_main_offer_agent(GstSpiceServerClient *client)
{
    Main *self = client->links->pdata[0];
    const SpiceMsgMainAgentTokens tokens = {.num_tokens = GST_SPICE_SERVER_AGENT_TOKENS};

    client->agent_told = TRUE;
    if (spice_server_channel_peer_has(self->link.channel, SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS)) {
        gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS, &tokens);
        self->agent_tokens = GST_SPICE_SERVER_AGENT_TOKENS;
    } else {
        /* Such a client goes on with the tokens that it had. */
        gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_AGENT_CONNECTED, NULL);
        gst_spice_server_main_return_agent_tokens(client, GST_SPICE_SERVER_AGENT_TOKENS -
                                                              self->agent_tokens);
    }
}

void gst_spice_server_main_withdraw_agent(GstSpiceServerClient *client)
{
    const SpiceMsgMainAgentDisconnected message = {.error_code = 0};

    if (!client->agent_told)
        return;
    client->agent_told = FALSE;
    gst_spice_server_link_send(client->links->pdata[0], SPICE_MSG_MAIN_AGENT_DISCONNECTED,
                               &message);
}

void gst_spice_server_main_return_agent_tokens(GstSpiceServerClient *client, guint tokens)
{
    Main *self = client->links->pdata[0];
    const SpiceMsgMainAgentTokens message = {.num_tokens = tokens};

    if (tokens == 0)
        return;
    self->agent_tokens += tokens;
    gst_spice_server_link_send(&self->link, SPICE_MSG_MAIN_AGENT_TOKEN, &message);
}

void gst_spice_server_main_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .pong = on_pong, .closed = on_closed};
    Main *self = g_new0(Main, 1);

    self->agent_tokens = GST_SPICE_SERVER_AGENT_TOKENS;
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    client->agent_told =
        client->server->agent && gst_spice_guest_agent_is_there(client->server->agent);
    send_init(self);
    send_name(self);
    send_uuid(self);
    send_test(self, 0);
}
