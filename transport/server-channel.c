/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-channel.h"

#include <string.h>

#include "core/wire/channel.h"
#include "error.h"

enum { MAX_PINGS = 4 };

typedef struct {
    guint32 id;
    guint64 sent; /* microseconds of the monotonic clock; 0: none */
} Ping;

struct SpiceServerChannel {
    gatomicrefcount refs;
    const SpiceServerChannelHandler *handler;
    gpointer user_data;
    SpiceConnection *connection; /* its lock is over what sending changes */
    gboolean ended;              /* under lock */
    gboolean secure;
    guint8 type, id;
    SpiceCaps caps;
    SpiceFramer framer;
    guint64 out_serial, bytes_sent; /* under lock */
    guint64 bytes_received;

    guint32 window;         /* under lock */
    guint64 unacknowledged; /* under lock */
    guint32 generation, synced_generation;
    Ping pings[MAX_PINGS]; /* oldest first */
};

/** What a client may say in one message of a channel: bytes of body. */
static guint32 max_message_size(guint8 channel_type)
{
    switch (channel_type) {
    case SPICE_CHANNEL_MAIN:
    case SPICE_CHANNEL_DISPLAY:
        return 64 << 10;
    case SPICE_CHANNEL_RECORD:
        return 1 << 20;
    case SPICE_CHANNEL_SMARTCARD:
        return 128 << 10;
    case SPICE_CHANNEL_USBREDIR:
    case SPICE_CHANNEL_PORT:
    case SPICE_CHANNEL_WEBDAV:
        return (1 << 20) + (64 << 10);
    default: /* inputs; cursor and playback, which hear common messages only */
        return 4 << 10;
    }
}

/** Of what a server gave its client to carry to another server. */
static guint32 max_migrate_size(guint8 channel_type)
{
    return channel_type == SPICE_CHANNEL_MAIN ? 4 << 20 : 0;
}

SpiceServerChannel *spice_server_channel_ref(SpiceServerChannel *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void spice_server_channel_unref(SpiceServerChannel *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    spice_connection_close(self->connection);
    spice_framer_clear(&self->framer);
    g_free(self->caps.words);
    g_free(self);
}

/** Nothing is sent or taken any more. */
static void end(SpiceServerChannel *self)
{
    spice_connection_lock(self->connection);
    self->ended = TRUE;
    spice_connection_shut(self->connection);
    spice_connection_unlock(self->connection);
}

void spice_server_channel_close(SpiceServerChannel *self)
{
    self->handler = NULL;
    end(self);
    spice_server_channel_unref(self);
}

/** Takes ownership of `error`. */
static void fail(SpiceServerChannel *self, GError *error)
{
    g_autoptr(GError) owned = error;

    if (self->ended)
        return;
    end(self);
    self->handler->closed(self, owned, self->user_data);
}

/* Sending */

/** Queues a message; under lock. */
static void queue_message(SpiceServerChannel *self, guint16 type, const void *body, gsize size,
                          guint32 sub_list)
{
    guint8 header[SPICE_FULL_HEADER_SIZE];
    const SpiceDataHeader values = {
        .serial = ++self->out_serial, .type = type, .size = (guint32)size, .sub_list = sub_list};

    if (self->window)
        self->unacknowledged++;
    if (self->framer.mini) {
        spice_mini_data_header_encode(&values, header);
        spice_connection_queue(self->connection, header, SPICE_MINI_HEADER_SIZE);
        self->bytes_sent += SPICE_MINI_HEADER_SIZE;
    } else {
        spice_data_header_encode(&values, header);
        spice_connection_queue(self->connection, header, SPICE_FULL_HEADER_SIZE);
        self->bytes_sent += SPICE_FULL_HEADER_SIZE;
    }
    self->bytes_sent += size;
    if (size > 0)
        spice_connection_queue(self->connection, body, size);
}

void spice_server_channel_send(SpiceServerChannel *self, guint16 type, const void *body, gsize size)
{
    spice_server_channel_send_carrying(self, type, body, size, 0);
}

void spice_server_channel_send_carrying(SpiceServerChannel *self, guint16 type, const void *body,
                                        gsize size, guint32 sub_list)
{
    g_return_if_fail(sub_list == 0 || !self->framer.mini);
    spice_connection_lock(self->connection);
    if (!self->ended) {
        queue_message(self, type, body, size, sub_list);
        spice_connection_flush(self->connection);
    }
    spice_connection_unlock(self->connection);
}

gboolean spice_server_channel_can_pass_fds(const SpiceServerChannel *self)
{
    return spice_connection_can_pass_fds(self->connection);
}

void spice_server_channel_send_fd(SpiceServerChannel *self, guint16 type, const void *body,
                                  gsize size, int fd)
{
    spice_connection_lock(self->connection);
    if (!self->ended) {
        queue_message(self, type, body, size, 0);
        spice_connection_queue_fd(self->connection, fd);
        self->bytes_sent++;
        spice_connection_flush(self->connection);
    }
    spice_connection_unlock(self->connection);
}

gboolean spice_server_channel_try_queue(SpiceServerChannel *self, guint16 type, const void *body,
                                        gsize size, SpiceServerChannelState *state)
{
    gboolean queues;

    if (!spice_connection_try_lock(self->connection))
        return FALSE;
    queues = spice_server_channel_may_send(self) && !spice_connection_is_full(self->connection);
    if (queues)
        queue_message(self, type, body, size, 0);
    state->backlog = spice_connection_get_backlog(self->connection);
    state->may_send = spice_server_channel_may_send(self);
    spice_connection_unlock(self->connection);
    return queues;
}

gboolean spice_server_channel_try_flush(SpiceServerChannel *self, SpiceServerChannelState *state)
{
    if (!spice_connection_try_lock(self->connection))
        return FALSE;
    spice_connection_flush(self->connection);
    state->backlog = spice_connection_get_backlog(self->connection);
    state->may_send = spice_server_channel_may_send(self);
    spice_connection_unlock(self->connection);
    return TRUE;
}

void spice_server_channel_flush(SpiceServerChannel *self)
{
    spice_connection_flush(self->connection);
}

void spice_server_channel_set_ack_window(SpiceServerChannel *self, guint32 window)
{
    guint32 body[2];

    body[0] = GUINT32_TO_LE(++self->generation);
    body[1] = GUINT32_TO_LE(window);
    spice_connection_lock(self->connection);
    self->window = window;
    self->unacknowledged = 0; /* and SET_ACK itself is the first that counts */
    spice_server_channel_send(self, SPICE_MSG_SET_ACK, body, sizeof body);
    spice_connection_unlock(self->connection);
}

gboolean spice_server_channel_may_send(const SpiceServerChannel *self)
{
    gboolean may;

    spice_connection_lock(self->connection);
    may = !self->ended && (self->window == 0 || self->unacknowledged <= 2 * (guint64)self->window);
    spice_connection_unlock(self->connection);
    return may;
}

void spice_server_channel_ping(SpiceServerChannel *self, guint32 id, gsize padding)
{
    const Ping ping = {.id = id, .sent = (guint64)g_get_monotonic_time()};
    const guint32 wire_id = GUINT32_TO_LE(id);
    const guint64 wire_time = GUINT64_TO_LE(ping.sent);
    g_autofree guint8 *body = NULL;
    guint i = 0;

    g_return_if_fail(padding <= SPICE_SERVER_CHANNEL_MAX_PADDING);
    while (i < MAX_PINGS && self->pings[i].sent)
        i++;
    if (i == MAX_PINGS) {
        memmove(self->pings, self->pings + 1, sizeof self->pings - sizeof self->pings[0]);
        i--;
    }
    self->pings[i] = ping;
    body = g_malloc0(12 + padding);
    memcpy(body, &wire_id, 4);
    memcpy(body + 4, &wire_time, 8);
    spice_server_channel_send(self, SPICE_MSG_PING, body, 12 + padding);
}

/* Messages */

static void take_ack(SpiceServerChannel *self)
{
    const gboolean could = spice_server_channel_may_send(self);

    /* One that was not asked for, or not yet due, is ignored. */
    if (self->window == 0 || self->synced_generation != self->generation ||
        self->unacknowledged < self->window)
        return;
    self->unacknowledged -= self->window;
    if (!could && spice_server_channel_may_send(self) && self->handler->writable)
        self->handler->writable(self, self->user_data);
}

static void take_pong(SpiceServerChannel *self, guint32 id)
{
    guint64 sent;
    guint i = 0;

    while (i < MAX_PINGS && !(self->pings[i].sent && self->pings[i].id == id))
        i++;
    if (i == MAX_PINGS) {
        if (self->handler->other_pong)
            self->handler->other_pong(self, id, self->user_data);
        return;
    }
    sent = self->pings[i].sent;
    memmove(self->pings + i, self->pings + i + 1, (MAX_PINGS - 1 - i) * sizeof self->pings[0]);
    self->pings[MAX_PINGS - 1] = (Ping){0};
    if (self->handler->pong)
        self->handler->pong(self, id, g_get_monotonic_time() - (gint64)sent, self->user_data);
}

/** A message that the channel answers for. FALSE if it is too short. */
static gboolean take_common(SpiceServerChannel *self, guint16 type, const guint8 *body, gsize size)
{
    static const gsize least[] = {
        [SPICE_MSGC_ACK_SYNC] = 4,
        [SPICE_MSGC_ACK] = 0,
        [SPICE_MSGC_PONG] = 12,
        [SPICE_MSGC_DISCONNECTING] = 12,
    };
    guint32 first = 0;

    if (size < least[type])
        return FALSE;
    if (size >= 4)
        memcpy(&first, body, 4);
    first = GUINT32_FROM_LE(first);
    if (type == SPICE_MSGC_ACK_SYNC)
        self->synced_generation = first;
    else if (type == SPICE_MSGC_ACK)
        take_ack(self);
    else if (type == SPICE_MSGC_PONG)
        take_pong(self, first);
    return TRUE;
}

typedef struct {
    SpiceServerChannel *channel;
    GError *error;
} Delivery;

static gboolean deliver(const SpiceFrame *frame, gpointer user_data)
{
    Delivery *delivery = user_data;
    SpiceServerChannel *self = delivery->channel;
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    switch (frame->type) {
    case SPICE_MSGC_ACK_SYNC:
    case SPICE_MSGC_ACK:
    case SPICE_MSGC_PONG:
    case SPICE_MSGC_DISCONNECTING:
        if (!take_common(self, frame->type, data + SPICE_MINI_HEADER_SIZE,
                         size - SPICE_MINI_HEADER_SIZE)) {
            g_set_error(&delivery->error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                        "message %u ends too early", frame->type);
            return FALSE;
        }
        break;
    default:
        if (!self->handler->message(self, frame, self->user_data, &delivery->error))
            return FALSE;
    }
    return !self->ended;
}

void spice_server_channel_take(SpiceServerChannel *self, const guint8 *data, gsize size)
{
    Delivery delivery = {.channel = self};

    if (self->ended)
        return;
    self->bytes_received += size;
    spice_server_channel_ref(self);
    if (!spice_framer_push(&self->framer, data, size, deliver, &delivery, &delivery.error) &&
        delivery.error)
        fail(self, delivery.error);
    spice_server_channel_unref(self);
}

/* The connection */

static void on_bytes(SpiceConnection *connection, const guint8 *data, gsize size,
                     gpointer user_data)
{
    spice_server_channel_take(user_data, data, size);
}

static void on_drained(SpiceConnection *connection, gpointer user_data)
{
    SpiceServerChannel *self = user_data;

    if (self->handler->writable && spice_server_channel_may_send(self))
        self->handler->writable(self, self->user_data);
}

static void on_closed(SpiceConnection *connection, const GError *error, gpointer user_data)
{
    fail(user_data, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED, "%s",
                                error ? error->message : "the client closed the connection"));
}

SpiceServerChannel *spice_server_channel_new(SpiceConnection *connection,
                                             const SpiceLinkRequest *request)
{
    static const SpiceConnectionHandler handler = {
        .bytes = on_bytes, .drained = on_drained, .closed = on_closed};
    SpiceServerChannel *self = g_new0(SpiceServerChannel, 1);

    g_atomic_ref_count_init(&self->refs);
    self->connection = connection;
    self->secure = spice_connection_is_secure(connection);
    self->type = request->channel_type;
    self->id = request->channel_id;
    self->caps = request->channel_caps;
    self->caps.words = g_memdup2(self->caps.words, self->caps.n_words * sizeof(guint32));
    spice_framer_init_from_client(&self->framer, request->mini_header, max_message_size(self->type),
                                  max_migrate_size(self->type));
    spice_connection_set_handler(connection, &handler, self);
    return self;
}

void spice_server_channel_set_handler(SpiceServerChannel *self,
                                      const SpiceServerChannelHandler *handler, gpointer user_data)
{
    self->handler = handler;
    self->user_data = user_data;
}

gboolean spice_server_channel_has_handler(const SpiceServerChannel *self)
{
    return self->handler != NULL;
}

guint8 spice_server_channel_get_type_number(const SpiceServerChannel *self)
{
    return self->type;
}

guint8 spice_server_channel_get_id(const SpiceServerChannel *self)
{
    return self->id;
}

gboolean spice_server_channel_peer_has(const SpiceServerChannel *self, guint capability)
{
    return spice_caps_has(&self->caps, capability);
}

gboolean spice_server_channel_is_secure(const SpiceServerChannel *self)
{
    return self->secure;
}

GSocket *spice_server_channel_get_socket(const SpiceServerChannel *self)
{
    return spice_connection_get_socket(self->connection);
}

gboolean spice_server_channel_uses_mini_header(const SpiceServerChannel *self)
{
    return self->framer.mini;
}

guint64 spice_server_channel_get_serial(const SpiceServerChannel *self)
{
    guint64 serial;

    spice_connection_lock(self->connection);
    serial = self->out_serial;
    spice_connection_unlock(self->connection);
    return serial;
}

guint64 spice_server_channel_get_bytes_sent(const SpiceServerChannel *self)
{
    guint64 bytes;

    spice_connection_lock(self->connection);
    bytes = self->bytes_sent;
    spice_connection_unlock(self->connection);
    return bytes;
}

guint64 spice_server_channel_get_bytes_received(const SpiceServerChannel *self)
{
    return self->bytes_received;
}

gsize spice_server_channel_get_backlog(const SpiceServerChannel *self)
{
    return spice_connection_get_backlog(self->connection);
}

void spice_server_channel_set_reading(SpiceServerChannel *self, gboolean reading)
{
    spice_connection_set_reading(self->connection, reading);
}
