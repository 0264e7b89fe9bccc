/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include <string.h>

#include "connection.h"
#include "core/wire/channel.h"
#include "error.h"
#include "link-client.h"

enum {
    /* What may wait to be written when there is more to be read: a peer that does not read the
     * answers to what it asks is not read from, either. */
    MAX_BACKLOG = 4 << 20,
};

typedef enum { CONNECTING, TLS_HANDSHAKE, LINKING, OPEN, CLOSED } State;

struct SpiceChannel {
    grefcount refs;
    State state;
    const SpiceChannelHandler *handler;
    gpointer user_data;
    guint8 type, id;

    char *host, *where, *ca_file, *host_subject;
    gboolean use_tls;
    guint handshake_timeout_ms, idle_timeout_ms;
    guint32 max_message_size;

    GMainContext *context;
    GCancellable *cancellable;
    GSocketConnection *stream; /* closes the socket with its last reference */
    SpiceConnection *connection;
    GSource *timer;
    gboolean reading;
    gboolean awaits_first; /* message, within the handshake's time */

    SpiceLinkClient *link;
    SpiceSaslClient *sasl;
    char *username, *password; /* for SASL; until it is linked */
    SpiceFramer framer;
    guint64 out_serial;
    guint32 ack_window, ack_left;
};

static void forget_password(SpiceChannel *self)
{
    if (self->password)
        explicit_bzero(self->password, strlen(self->password));
    g_clear_pointer(&self->password, g_free);
}

static void channel_unref(SpiceChannel *self)
{
    if (!g_ref_count_dec(&self->refs))
        return;
    g_free(self->host);
    g_free(self->where);
    g_free(self->ca_file);
    g_free(self->host_subject);
    g_main_context_unref(self->context);
    g_object_unref(self->cancellable);
    spice_link_client_free(self->link);
    spice_sasl_client_free(self->sasl);
    forget_password(self);
    g_free(self->username);
    spice_framer_clear(&self->framer);
    g_free(self);
}

static void drop_timer(SpiceChannel *self)
{
    if (self->timer) {
        g_source_destroy(self->timer);
        g_clear_pointer(&self->timer, g_source_unref);
    }
}

/** Lets go of the socket and of everything that could call back. */
static void channel_shut(SpiceChannel *self)
{
    self->state = CLOSED;
    drop_timer(self);
    g_cancellable_cancel(self->cancellable);
    g_clear_pointer(&self->connection, spice_connection_close);
    g_clear_object(&self->stream);
}

/** Takes ownership of `error`. */
static void channel_fail(SpiceChannel *self, GError *error)
{
    g_autoptr(GError) owned = error;

    if (self->state == CLOSED)
        return;
    channel_shut(self);
    self->handler->closed(self, owned, self->user_data);
}

static void channel_fail_timeout(SpiceChannel *self, const char *what)
{
    channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_TIMEOUT, "%s: %s",
                                   self->where, what));
}

static void start_timer(SpiceChannel *self, guint ms, GSourceFunc func)
{
    drop_timer(self);
    if (ms == 0)
        return;
    self->timer = g_timeout_source_new(ms);
    g_source_set_callback(self->timer, func, self, NULL);
    g_source_attach(self->timer, self->context);
}

static gboolean on_connect_timeout(gpointer data)
{
    channel_fail_timeout(data, "no connection in time");
    return G_SOURCE_REMOVE;
}

static gboolean on_handshake_timeout(gpointer data)
{
    channel_fail_timeout(data, "the server did not finish the handshake in time");
    return G_SOURCE_REMOVE;
}

static gboolean on_idle_check(gpointer data)
{
    SpiceChannel *self = data;
    const gint64 now = g_get_monotonic_time();
    gint64 silent_ms = (now - spice_connection_get_last_heard(self->connection)) / 1000;

    if (!self->reading)
        silent_ms = 0; /* we are not listening */
    if (silent_ms >= self->idle_timeout_ms) {
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_IDLE,
                                       "%s: nothing heard for %u s", self->where,
                                       self->idle_timeout_ms / 1000));
        return G_SOURCE_REMOVE;
    }
    start_timer(self, (guint)(self->idle_timeout_ms - silent_ms) + 1, on_idle_check);
    return G_SOURCE_REMOVE;
}

/* Writing */

static void queue_message(SpiceChannel *self, guint16 type, const void *body, gsize size)
{
    guint8 header[SPICE_FULL_HEADER_SIZE] = {0};

    self->out_serial++;
    if (self->framer.mini) {
        spice_mini_header_write(header, type, (guint32)size);
        spice_connection_queue(self->connection, header, SPICE_MINI_HEADER_SIZE);
    } else {
        guint64 serial = GUINT64_TO_LE(self->out_serial);

        memcpy(header, &serial, 8);
        spice_mini_header_write(header + 8, type, (guint32)size);
        spice_connection_queue(self->connection, header, SPICE_FULL_HEADER_SIZE);
    }
    if (size > 0)
        spice_connection_queue(self->connection, body, size);
}

void spice_channel_send(SpiceChannel *self, guint16 type, const void *body, gsize size)
{
    if (self->state != OPEN)
        return;
    queue_message(self, type, body, size);
    spice_connection_flush(self->connection);
}

gsize spice_channel_get_backlog(const SpiceChannel *self)
{
    return self->connection ? spice_connection_get_backlog(self->connection) : 0;
}

/* Messages */

static gboolean answer_ping(SpiceChannel *self, const guint8 *body, gsize size)
{
    guint32 id;

    if (size < 12)
        return FALSE;
    spice_channel_send(self, SPICE_MSGC_PONG, body, 12); /* id and timestamp as they came */
    /* A server that asks outside the net test asks again and again: from now on its silence
     * means that it is gone. One that never asks may be silent for ever. */
    memcpy(&id, body, 4);
    id = GUINT32_FROM_LE(id);
    if (self->idle_timeout_ms && !self->timer && id > SPICE_PING_LAST_OF_NET_TEST &&
        (id & ~(guint32)SPICE_PING_MARK_NUMBER) != SPICE_PING_MARK)
        start_timer(self, self->idle_timeout_ms, on_idle_check);
    return TRUE;
}

static gboolean answer_set_ack(SpiceChannel *self, const guint8 *body, gsize size)
{
    guint32 window;

    if (size < 8)
        return FALSE;
    spice_channel_send(self, SPICE_MSGC_ACK_SYNC, body, 4);
    memcpy(&window, body + 4, 4);
    self->ack_window = self->ack_left = GUINT32_FROM_LE(window);
    return TRUE;
}

static void count_for_ack(SpiceChannel *self)
{
    if (self->ack_window == 0 || --self->ack_left > 0)
        return;
    self->ack_left = self->ack_window;
    spice_channel_send(self, SPICE_MSGC_ACK, NULL, 0);
}

typedef struct {
    SpiceChannel *channel;
    GError *error;
} Delivery;

static gboolean deliver(const SpiceFrame *frame, gpointer user_data)
{
    Delivery *delivery = user_data;
    SpiceChannel *self = delivery->channel;
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);
    const guint8 *body = data + SPICE_MINI_HEADER_SIZE;

    size -= SPICE_MINI_HEADER_SIZE;
    if (self->awaits_first) {
        self->awaits_first = FALSE;
        drop_timer(self);
    }
    if (!frame->carried && frame->type != SPICE_MSG_SET_ACK)
        count_for_ack(self);
    switch (frame->type) {
    case SPICE_MSG_PING:
    case SPICE_MSG_SET_ACK:
        if (!(frame->type == SPICE_MSG_PING ? answer_ping : answer_set_ack)(self, body, size)) {
            g_set_error(&delivery->error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                        "%s: message %u ends too early", self->where, frame->type);
            return FALSE;
        }
        break;
    case SPICE_MSG_LIST: /* its parts have been delivered */
        break;
    default:
        if (!self->handler->message(self, frame, self->user_data, &delivery->error))
            return FALSE;
    }
    return self->state == OPEN;
}

/** Bytes of the open link. FALSE if the channel has come to its end. */
static gboolean take_messages(SpiceChannel *self, const guint8 *data, gsize size)
{
    Delivery delivery = {.channel = self};

    if (spice_framer_push(&self->framer, data, size, deliver, &delivery, &delivery.error))
        return TRUE;
    if (delivery.error)
        channel_fail(self, delivery.error);
    return FALSE;
}

/* The link */

static void enter_open(SpiceChannel *self)
{
    self->state = OPEN;
    forget_password(self);
    /* The first message of a main channel is part of getting a session: it comes at once. */
    self->awaits_first = self->type == SPICE_CHANNEL_MAIN;
    if (!self->awaits_first)
        drop_timer(self);
    spice_framer_init(&self->framer, spice_link_client_uses_mini_header(self->link),
                      self->max_message_size);
    self->handler->opened(self, self->user_data);
}

/** The server wants SASL. */
static gboolean make_sasl(SpiceChannel *self, GError **error)
{
    GSocket *socket = spice_connection_get_socket(self->connection);
    g_autoptr(GSocketAddress) here = g_socket_get_local_address(socket, NULL);
    g_autoptr(GSocketAddress) there = g_socket_get_remote_address(socket, NULL);
    const SpiceSaslClientConfig config = {
        .username = self->username,
        .password = self->password,
        .host = self->host,
        .tls_bits = spice_connection_get_tls_bits(self->connection),
        .here = here,
        .there = there,
    };

    self->sasl = spice_sasl_client_new(&config, error);
    if (self->sasl)
        spice_link_client_set_sasl(self->link, self->sasl);
    return self->sasl != NULL;
}

static gboolean take_plain(SpiceChannel *self, const guint8 *data, gsize size);

/** SASL is done: what has come after it has passed its layer, if it has one. */
static gboolean take_layered(SpiceChannel *self, const guint8 *data, gsize size)
{
    SpiceSaslLayer *layer = spice_sasl_client_take_layer(self->sasl);
    g_autoptr(GByteArray) decoded = NULL;

    if (!layer)
        return take_plain(self, data, size);
    spice_connection_set_layer(self->connection, layer);
    decoded = g_byte_array_new();
    if (spice_sasl_layer_decode(layer, data, size, decoded))
        return take_plain(self, decoded->data, decoded->len);
    channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                   "%s: what came did not pass the SASL layer", self->where));
    return FALSE;
}

/** Plain bytes from the peer, whatever the state. FALSE at the channel's end. */
static gboolean take_plain(SpiceChannel *self, const guint8 *data, gsize size)
{
    if (self->state == LINKING) {
        g_autoptr(GByteArray) reply = g_byte_array_new();
        GError *error = NULL;
        gsize used;
        SpiceLinkStep step = spice_link_client_push(self->link, data, size, &used, reply, &error);

        if (reply->len > 0) {
            spice_connection_queue(self->connection, reply->data, reply->len);
            spice_connection_flush(self->connection);
        }
        data += used;
        size -= used;
        if (step == SPICE_LINK_WANT_SASL && make_sasl(self, &error))
            return take_plain(self, data, size);
        if (error) {
            g_prefix_error(&error, "%s: ", self->where);
            channel_fail(self, error);
            return FALSE;
        }
        if (step == SPICE_LINK_WANT_LAYER)
            return take_layered(self, data, size);
        if (step == SPICE_LINK_MORE)
            return TRUE;
        enter_open(self);
    }
    if (self->state == OPEN && size > 0)
        return take_messages(self, data, size);
    return self->state != CLOSED;
}

static void start_link(SpiceChannel *self)
{
    g_autoptr(GByteArray) hello = g_byte_array_new();

    self->state = LINKING;
    spice_link_client_start(self->link, hello);
    spice_connection_queue(self->connection, hello->data, hello->len);
    spice_connection_flush(self->connection);
}

/* The connection */

static void peer_closed(SpiceChannel *self)
{
    if (self->state == OPEN)
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                                       "%s: the server closed the connection", self->where));
    else if (self->state == LINKING && spice_link_client_is_authenticating(self->link))
        channel_fail(self,
                     g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                                 "%s: the server refused user name and password", self->where));
    else if (self->state == LINKING && spice_link_client_got_reply(self->link))
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                       "%s: the server closed during authentication", self->where));
    else
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                       "%s: the server closed during the handshake", self->where));
}

static void on_secured(SpiceConnection *connection, gpointer user_data)
{
    start_link(user_data);
}

static void on_bytes(SpiceConnection *connection, const guint8 *data, gsize size,
                     gpointer user_data)
{
    SpiceChannel *self = user_data;

    g_ref_count_inc(&self->refs);
    if (take_plain(self, data, size) && spice_channel_get_backlog(self) > MAX_BACKLOG)
        channel_fail(self,
                     g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                                 "%s: the server does not read what it asks for", self->where));
    channel_unref(self);
}

/** What the end of the stream means depends on how far the link had come. */
static void on_closed(SpiceConnection *connection, const GError *error, gpointer user_data)
{
    SpiceChannel *self = user_data;
    SpiceTransportError code = SPICE_TRANSPORT_ERROR_HANDSHAKE;

    g_ref_count_inc(&self->refs);
    if (!error) {
        peer_closed(self);
    } else {
        if (self->state == OPEN)
            code = SPICE_TRANSPORT_ERROR_CLOSED;
        else if (error->code == SPICE_TRANSPORT_ERROR_TLS)
            code = SPICE_TRANSPORT_ERROR_TLS;
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, (gint)code, "%s: %s", self->where,
                                       error->message));
    }
    channel_unref(self);
}

static void on_drained(SpiceConnection *connection, gpointer user_data)
{
    SpiceChannel *self = user_data;

    if (self->state == OPEN && self->handler->drained)
        self->handler->drained(self, self->user_data);
}

static const SpiceConnectionHandler connection_handler = {
    .secured = on_secured,
    .bytes = on_bytes,
    .drained = on_drained,
    .closed = on_closed,
};

void spice_channel_set_reading(SpiceChannel *self, gboolean reading)
{
    self->reading = reading;
    if (self->connection)
        spice_connection_set_reading(self->connection, reading);
}

/* Connecting */

/** Puts the channel on a socket that has just been connected. */
static void start(SpiceChannel *self, GSocketConnection *stream)
{
    SpiceTlsTrust trust = {
        .ca_file = self->ca_file, .host = self->host, .host_subject = self->host_subject};
    SpiceTls *tls = NULL;
    GError *error = NULL;

    self->stream = stream;
    start_timer(self, self->handshake_timeout_ms, on_handshake_timeout);
    if (self->use_tls) {
        tls = spice_tls_client_new(&trust, &error);
        if (!tls) {
            g_prefix_error(&error, "%s: ", self->where);
            channel_fail(self, error);
            return;
        }
    }
    self->state = TLS_HANDSHAKE;
    self->connection = spice_connection_new(g_socket_connection_get_socket(stream), tls,
                                            &connection_handler, self);
    spice_connection_set_reading(self->connection, self->reading);
    if (!self->use_tls)
        start_link(self);
    spice_connection_start(self->connection);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    SpiceChannel *self = data;
    GError *error = NULL;
    GSocketConnection *stream =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);

    if (self->state == CLOSED) {
        g_clear_object(&stream);
        g_clear_error(&error);
    } else if (!stream) {
        gboolean resolver = error->domain == G_RESOLVER_ERROR;

        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR,
                                       resolver ? SPICE_TRANSPORT_ERROR_ADDRESS
                                                : SPICE_TRANSPORT_ERROR_CONNECT,
                                       "%s: %s", self->where, error->message));
        g_clear_error(&error);
    } else {
        start(self, stream);
    }
    channel_unref(self);
}

SpiceChannel *spice_channel_open(const SpiceChannelConfig *config,
                                 const SpiceChannelHandler *handler, gpointer user_data)
{
    SpiceChannel *self = g_new0(SpiceChannel, 1);
    g_autoptr(GSocketConnectable) connectable = NULL;
    g_autoptr(GSocketClient) client = g_socket_client_new();

    g_ref_count_init(&self->refs);
    self->handler = handler;
    self->user_data = user_data;
    self->type = config->type;
    self->id = config->id;
    self->host = g_strdup(config->address->host);
    self->where = spice_address_describe(config->address, config->tls);
    self->ca_file = g_strdup(config->ca_file);
    self->host_subject = g_strdup(config->host_subject);
    self->use_tls = config->tls;
    self->handshake_timeout_ms = config->handshake_timeout_ms;
    self->idle_timeout_ms = config->idle_timeout_ms;
    self->max_message_size = config->max_message_size;
    self->context = g_main_context_ref_thread_default();
    self->cancellable = g_cancellable_new();
    self->link = spice_link_client_new(config->connection_id, config->type, config->id,
                                       config->caps, config->n_caps, config->password);
    self->username = g_strdup(config->username);
    self->password = g_strdup(config->password);
    self->reading = TRUE;

    connectable = spice_address_connectable(config->address, config->tls);
    g_return_val_if_fail(connectable != NULL, self);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_ref_count_inc(&self->refs);
    g_socket_client_connect_async(client, connectable, self->cancellable, on_connected, self);
    start_timer(self, config->connect_timeout_ms, on_connect_timeout);
    return self;
}

void spice_channel_close(SpiceChannel *self)
{
    if (self->state != CLOSED)
        channel_shut(self);
    channel_unref(self);
}

guint8 spice_channel_get_type_number(const SpiceChannel *self)
{
    return self->type;
}

guint8 spice_channel_get_id(const SpiceChannel *self)
{
    return self->id;
}

gboolean spice_channel_peer_has(const SpiceChannel *self, guint capability)
{
    return spice_link_client_peer_has(self->link, capability);
}
