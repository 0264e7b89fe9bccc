/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include <string.h>

#include "core/wire/channel.h"
#include "error.h"
#include "link-client.h"
#include "tls.h"

enum {
    READ_SIZE = 64 * 1024,
    READS_A_TURN = 16,
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
    GSocketConnection *connection;
    GSocket *socket;
    GSource *readable, *writable, *timer;
    gint64 last_heard; /* monotonic microseconds */
    gboolean reading;
    gboolean awaits_first; /* message, within the handshake's time */

    SpiceTls *tls;
    SpiceLinkClient *link;
    SpiceFramer framer;
    GByteArray *out; /* for the socket: encrypted if the link is */
    guint out_done;
    guint64 out_serial;
    guint32 ack_window, ack_left;
};

static void channel_flush(SpiceChannel *self);
static void channel_fail(SpiceChannel *self, GError *error);

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
    spice_tls_free(self->tls);
    spice_link_client_free(self->link);
    spice_framer_clear(&self->framer);
    g_byte_array_unref(self->out);
    g_free(self);
}

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

/** Lets go of the socket and of everything that could call back. */
static void channel_shut(SpiceChannel *self)
{
    self->state = CLOSED;
    drop_source(&self->readable);
    drop_source(&self->writable);
    drop_source(&self->timer);
    g_cancellable_cancel(self->cancellable);
    self->socket = NULL;
    g_clear_object(&self->connection);
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
    drop_source(&self->timer);
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
    gint64 silent_ms;

    if (!self->reading)
        self->last_heard = g_get_monotonic_time(); /* we are not listening */
    silent_ms = (g_get_monotonic_time() - self->last_heard) / 1000;

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

static gboolean on_writable(GSocket *socket, GIOCondition condition, gpointer data)
{
    SpiceChannel *self = data;

    g_ref_count_inc(&self->refs);
    channel_flush(self);
    channel_unref(self);
    return G_SOURCE_CONTINUE;
}

/** Writes what the socket takes; asks to be called again for the rest. */
static void channel_flush(SpiceChannel *self)
{
    while (self->state != CLOSED && self->socket && self->out_done < self->out->len) {
        g_autoptr(GError) error = NULL;
        gssize n = g_socket_send(self->socket, (const char *)self->out->data + self->out_done,
                                 self->out->len - self->out_done, NULL, &error);

        if (n >= 0) {
            self->out_done += (guint)n;
            continue;
        }
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            /* The reading side sees the end of the stream, after what came before it. */
            self->out_done = self->out->len;
            break;
        }
        if (self->out_done > self->out->len / 2) {
            g_byte_array_remove_range(self->out, 0, self->out_done);
            self->out_done = 0;
        }
        if (!self->writable) {
            self->writable = g_socket_create_source(self->socket, G_IO_OUT, NULL);
            g_source_set_callback(self->writable, G_SOURCE_FUNC(on_writable), self, NULL);
            g_source_attach(self->writable, self->context);
        }
        return;
    }
    drop_source(&self->writable);
    if (self->out->len > 0 && self->out_done == self->out->len) {
        g_byte_array_set_size(self->out, 0);
        self->out_done = 0;
    }
}

/** Queues plain bytes, encrypting them if the link is, without writing yet. */
static void queue_bytes(SpiceChannel *self, const void *data, gsize size)
{
    if (!self->tls) {
        g_byte_array_append(self->out, data, (guint)size);
        return;
    }
    /* A failure to encrypt shows as a failure to decrypt at the next read. */
    spice_tls_write(self->tls, data, size, NULL);
    spice_tls_drain(self->tls, self->out);
}

static void queue_message(SpiceChannel *self, guint16 type, const void *body, gsize size)
{
    guint8 header[SPICE_FULL_HEADER_SIZE] = {0};

    self->out_serial++;
    if (self->framer.mini) {
        spice_mini_header_write(header, type, (guint32)size);
        queue_bytes(self, header, SPICE_MINI_HEADER_SIZE);
    } else {
        guint64 serial = GUINT64_TO_LE(self->out_serial);

        memcpy(header, &serial, 8);
        spice_mini_header_write(header + 8, type, (guint32)size);
        queue_bytes(self, header, SPICE_FULL_HEADER_SIZE);
    }
    if (size > 0)
        queue_bytes(self, body, size);
}

void spice_channel_send(SpiceChannel *self, guint16 type, const void *body, gsize size)
{
    if (self->state != OPEN)
        return;
    queue_message(self, type, body, size);
    if (!self->writable)
        channel_flush(self);
}

gsize spice_channel_get_backlog(const SpiceChannel *self)
{
    return self->out->len - self->out_done;
}

/* Messages */

static gboolean answer_ping(SpiceChannel *self, const guint8 *body, gsize size)
{
    enum { LAST_ID_OF_NET_TEST = 3 };
    guint32 id;

    if (size < 12)
        return FALSE;
    spice_channel_send(self, SPICE_MSGC_PONG, body, 12); /* id and timestamp as they came */
    /* A server that asks outside the net test asks again and again: from now on its silence
     * means that it is gone. One that never asks may be silent for ever. */
    memcpy(&id, body, 4);
    if (self->idle_timeout_ms && !self->timer && GUINT32_FROM_LE(id) > LAST_ID_OF_NET_TEST)
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
        drop_source(&self->timer);
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
    /* The first message of a main channel is part of getting a session: it comes at once. */
    self->awaits_first = self->type == SPICE_CHANNEL_MAIN;
    if (!self->awaits_first)
        drop_source(&self->timer);
    spice_framer_init(&self->framer, spice_link_client_uses_mini_header(self->link),
                      self->max_message_size);
    self->handler->opened(self, self->user_data);
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
            queue_bytes(self, reply->data, reply->len);
            channel_flush(self);
        }
        if (step == SPICE_LINK_FAILED) {
            g_prefix_error(&error, "%s: ", self->where);
            channel_fail(self, error);
            return FALSE;
        }
        if (step == SPICE_LINK_MORE)
            return TRUE;
        data += used;
        size -= used;
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
    queue_bytes(self, hello->data, hello->len);
    channel_flush(self);
}

/* Reading */

static void fail_tls(SpiceChannel *self, GError *error)
{
    if (self->state == OPEN)
        error->code = SPICE_TRANSPORT_ERROR_CLOSED;
    g_prefix_error(&error, "%s: ", self->where);
    channel_fail(self, error);
}

static void peer_closed(SpiceChannel *self)
{
    if (self->state == OPEN)
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                                       "%s: the server closed the connection", self->where));
    else if (self->state == LINKING && spice_link_client_got_reply(self->link))
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                       "%s: the server closed during authentication", self->where));
    else
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                       "%s: the server closed during the handshake", self->where));
}

/** Ciphertext from the socket. FALSE at the channel's end. */
static gboolean take_encrypted(SpiceChannel *self, const guint8 *data, gsize size)
{
    guint8 plain[16 * 1024];
    GError *error = NULL;
    gsize n;

    spice_tls_feed(self->tls, data, size);
    if (self->state == TLS_HANDSHAKE) {
        SpiceTlsResult result = spice_tls_handshake(self->tls, &error);

        spice_tls_drain(self->tls, self->out);
        channel_flush(self);
        if (result == SPICE_TLS_WANT_INPUT)
            return TRUE;
        if (result == SPICE_TLS_CLOSED) {
            peer_closed(self);
            return FALSE;
        }
        if (result == SPICE_TLS_FAILED) {
            fail_tls(self, error);
            return FALSE;
        }
        start_link(self);
    }
    for (;;) {
        switch (spice_tls_read(self->tls, plain, sizeof plain, &n, &error)) {
        case SPICE_TLS_DONE:
            if (!take_plain(self, plain, n))
                return FALSE;
            break;
        case SPICE_TLS_WANT_INPUT:
            spice_tls_drain(self->tls, self->out);
            channel_flush(self);
            return TRUE;
        case SPICE_TLS_CLOSED:
            peer_closed(self);
            return FALSE;
        case SPICE_TLS_FAILED:
            fail_tls(self, error);
            return FALSE;
        }
    }
}

/** Reads once. FALSE if there is nothing more for now, or the channel ended. */
static gboolean read_once(SpiceChannel *self)
{
    guint8 data[READ_SIZE];
    g_autoptr(GError) error = NULL;
    gssize n = g_socket_receive(self->socket, (char *)data, sizeof data, NULL, &error);

    if (n < 0) {
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
            return FALSE;
        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR,
                                       self->state == OPEN ? SPICE_TRANSPORT_ERROR_CLOSED
                                                           : SPICE_TRANSPORT_ERROR_HANDSHAKE,
                                       "%s: %s", self->where, error->message));
        return FALSE;
    }
    if (n == 0) {
        peer_closed(self);
        return FALSE;
    }
    self->last_heard = g_get_monotonic_time();
    if (!(self->use_tls ? take_encrypted(self, data, (gsize)n) : take_plain(self, data, (gsize)n)))
        return FALSE;
    if (spice_channel_get_backlog(self) > MAX_BACKLOG) {
        channel_fail(self,
                     g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                                 "%s: the server does not read what it asks for", self->where));
        return FALSE;
    }
    return (gsize)n == sizeof data && self->reading;
}

static gboolean on_readable(GSocket *socket, GIOCondition condition, gpointer data)
{
    SpiceChannel *self = data;
    guint turn = 0;

    g_ref_count_inc(&self->refs);
    while (turn++ < READS_A_TURN && self->state != CLOSED && read_once(self))
        ;
    channel_unref(self);
    return G_SOURCE_CONTINUE; /* destroyed by channel_shut() if it ended */
}

void spice_channel_set_reading(SpiceChannel *self, gboolean reading)
{
    self->reading = reading;
    if (self->state == CLOSED || self->state == CONNECTING || reading == (self->readable != NULL))
        return;
    if (!reading) {
        drop_source(&self->readable);
        return;
    }
    self->last_heard = g_get_monotonic_time(); /* a pause of ours is not the server's silence */
    self->readable = g_socket_create_source(self->socket, G_IO_IN, NULL);
    g_source_set_callback(self->readable, G_SOURCE_FUNC(on_readable), self, NULL);
    g_source_attach(self->readable, self->context);
}

/* Connecting */

static gboolean start_tls(SpiceChannel *self, GError **error)
{
    SpiceTlsTrust trust = {
        .ca_file = self->ca_file, .host = self->host, .host_subject = self->host_subject};

    self->tls = spice_tls_client_new(&trust, error);
    if (!self->tls)
        return FALSE;
    self->state = TLS_HANDSHAKE;
    if (spice_tls_handshake(self->tls, error) == SPICE_TLS_FAILED)
        return FALSE;
    spice_tls_drain(self->tls, self->out);
    channel_flush(self);
    return TRUE;
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    SpiceChannel *self = data;
    GError *error = NULL;
    GSocketConnection *connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);

    if (self->state == CLOSED) {
        g_clear_object(&connection);
        g_clear_error(&error);
    } else if (!connection) {
        gboolean resolver = error->domain == G_RESOLVER_ERROR;

        channel_fail(self, g_error_new(SPICE_TRANSPORT_ERROR,
                                       resolver ? SPICE_TRANSPORT_ERROR_ADDRESS
                                                : SPICE_TRANSPORT_ERROR_CONNECT,
                                       "%s: %s", self->where, error->message));
        g_clear_error(&error);
    } else {
        self->connection = connection;
        self->socket = g_socket_connection_get_socket(connection);
        g_socket_set_blocking(self->socket, FALSE);
        g_socket_set_keepalive(self->socket, TRUE);
        if (g_socket_get_family(self->socket) != G_SOCKET_FAMILY_UNIX)
            g_socket_set_option(self->socket, 6 /* IPPROTO_TCP */, 1 /* TCP_NODELAY */, 1, NULL);
        start_timer(self, self->handshake_timeout_ms, on_handshake_timeout);
        if (!self->use_tls)
            start_link(self);
        else if (!start_tls(self, &error))
            fail_tls(self, error);
        if (self->state != CLOSED)
            spice_channel_set_reading(self, TRUE);
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
    self->out = g_byte_array_new();
    self->link = spice_link_client_new(config->connection_id, config->type, config->id,
                                       config->caps, config->n_caps, config->password);
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
