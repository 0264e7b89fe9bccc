/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "echo-channels.h"

#include "transport/error.h"

guint turn_for(guint ms)
{
    gint64 until = g_get_monotonic_time() + ms * G_GINT64_CONSTANT(1000);
    guint n = 0;

    while (g_get_monotonic_time() < until) {
        if (g_main_context_iteration(NULL, FALSE))
            n++;
        else
            g_usleep(200);
    }
    return n;
}

/* The server */

static SpiceLinkError check_channel(const SpiceLinkRequest *request, const SpicePeer *peer,
                                    gboolean *exists, gpointer user_data)
{
    *exists = request->channel_type <= SPICE_CHANNEL_RECORD;
    return request->channel_type == SPICE_CHANNEL_RECORD && !peer->secure
               ? SPICE_LINK_ERR_NEED_SECURED
               : SPICE_LINK_ERR_OK;
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    return (SpiceCaps){0};
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer user_data)
{
    return spice_ticket_check(&((Server *)user_data)->ticket, block, size, 0);
}

static SpiceLinkError admit(const SpiceLinkRequest *request, const SpicePeer *peer,
                            gpointer user_data)
{
    return SPICE_LINK_ERR_OK;
}

static gboolean answer(SpiceServerChannel *channel, const SpiceFrame *frame, gpointer user_data,
                       GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    if (frame->type != QUESTION) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "unknown message %u", frame->type);
        return FALSE;
    }
    spice_server_channel_send(channel, ANSWER, data + SPICE_MINI_HEADER_SIZE,
                              size - SPICE_MINI_HEADER_SIZE);
    return TRUE;
}

static void on_writable(SpiceServerChannel *channel, gpointer user_data)
{
    ((Server *)user_data)->n_writable++;
}

static void on_pong(SpiceServerChannel *channel, guint32 id, gint64 round_trip, gpointer user_data)
{
    Server *server = user_data;

    server->n_pongs++;
    server->round_trip = round_trip;
}

static void on_other_pong(SpiceServerChannel *channel, guint32 id, gpointer user_data)
{
    ((Server *)user_data)->n_other_pongs++;
}

static void on_server_closed(SpiceServerChannel *channel, const GError *error, gpointer user_data)
{
    Server *server = user_data;

    g_clear_error(&server->error);
    server->error = g_error_copy(error);
    g_assert_true(g_ptr_array_remove(server->channels, channel));
    spice_server_channel_close(channel);
}

const SpiceServerChannelHandler server_channel_handler = {answer, on_writable, on_pong,
                                                          on_server_closed, on_other_pong};

static void on_linked(SpiceListener *listener, SpiceServerChannel *channel,
                      const SpiceLinkRequest *request, const SpicePeer *peer, gpointer user_data)
{
    Server *server = user_data;

    spice_server_channel_set_handler(channel, &server_channel_handler, server);
    g_ptr_array_add(server->channels, channel);
    server->n_linked++;
    server->secure = peer->secure;
    server->local = peer->local;
}

static void on_refused(const SpicePeer *peer, const char *why, gpointer user_data)
{
    ((Server *)user_data)->n_refused++;
}

void server_start(Server *server, const SpiceListenerLimits *limits)
{
    static const SpiceListenerHandler handler = {NULL,  check_channel, get_caps,  check_ticket,
                                                 admit, on_linked,     on_refused};

    *server = (Server){.channels = g_ptr_array_new()};
    server->listener = spice_listener_new(limits, &handler, server);
}

guint16 server_listen(Server *server, SpiceTlsServer *tls)
{
    g_autoptr(GError) error = NULL;
    guint16 port = spice_listener_add_tcp(server->listener, "127.0.0.1", 0, tls, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(port, !=, 0);
    return port;
}

void channels_close(Server *server)
{
    guint i;

    for (i = 0; i < server->channels->len; i++)
        spice_server_channel_close(server->channels->pdata[i]);
    g_ptr_array_unref(server->channels);
    g_clear_error(&server->error);
}

void server_stop(Server *server)
{
    channels_close(server);
    spice_listener_free(server->listener);
}

/* The client */

guint client_idle_ms;
const char *client_ca_file;

static void on_opened(SpiceChannel *channel, gpointer user_data)
{
    ((Client *)user_data)->opened = TRUE;
}

static gboolean on_message(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    Client *client = user_data;
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    client->n_answers++;
    client->last = size > SPICE_MINI_HEADER_SIZE ? data[SPICE_MINI_HEADER_SIZE] : 0;
    return TRUE;
}

static void on_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    Client *client = user_data;

    client->closed = TRUE;
    client->error = g_error_copy(error);
}

void client_open(Client *client, const SpiceAddress *address, gboolean tls, guint8 type,
                 const char *password)
{
    static const SpiceChannelHandler handler = {on_opened, on_message, on_closed};
    const SpiceChannelConfig config = {
        .address = address,
        .tls = tls,
        .password = password,
        .ca_file = client_ca_file,
        .connection_id = type == SPICE_CHANNEL_MAIN ? 0 : 7,
        .type = type,
        .connect_timeout_ms = TIMEOUT_MS,
        .handshake_timeout_ms = TIMEOUT_MS,
        .idle_timeout_ms = client_idle_ms,
        .max_message_size = 1 << 20,
    };

    *client = (Client){0};
    client->channel = spice_channel_open(&config, &handler, client);
}

void client_open_tcp(Client *client, guint16 port, const char *password)
{
    char host[] = "127.0.0.1";
    const SpiceAddress address = {.host = host, .port = port};

    client_open(client, &address, FALSE, SPICE_CHANNEL_INPUTS, password);
}

void client_close(Client *client)
{
    spice_channel_close(client->channel);
    g_clear_error(&client->error);
}

void check_answers(Client *client, guint8 byte)
{
    guint n = client->n_answers;

    spice_channel_send(client->channel, QUESTION, &byte, 1);
    WAIT_FOR(client->n_answers > n);
    g_assert_cmpuint(client->last, ==, byte);
}
