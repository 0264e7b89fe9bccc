/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"

#include <gio/gunixfdmessage.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "error.h"
#include "websocket.h"

enum {
    READ_SIZE = 64 * 1024,
    READS_A_TURN = 16,
};

struct SpiceConnection {
    gatomicrefcount refs;
    GRecMutex lock; /* over all that queueing and flushing touch */
    const SpiceConnectionHandler *handler;
    gpointer user_data;
    GMainContext *context;
    GSocket *socket; /* NULL once the stream has ended */
    gboolean started;
    gboolean reading;
    GSource *readable, *writable;
    gint64 last_heard;

    SpiceTls *tls;
    gboolean in_handshake;
    GByteArray *out; /* for the socket: encrypted if there is TLS */
    guint out_done;
    GQueue passed; /* Passed: the descriptors that go with bytes of `out`, in their order */

    GByteArray *first; /* bytes too few to tell a WebSocket; NULL once it is told */
    char **origins;
    SpiceWebSocket *websocket;
    SpiceSaslLayer *layer;
};

/** A descriptor that waits to be sent. */
typedef struct {
    GSocketControlMessage *message;
    guint at; /* its byte in `out` */
} Passed;

static void passed_free(gpointer data)
{
    Passed *passed = data;

    g_object_unref(passed->message);
    g_free(passed);
}

void spice_connection_unref(SpiceConnection *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_queue_clear_full(&self->passed, passed_free);
    g_rec_mutex_clear(&self->lock);
    g_clear_object(&self->socket);
    spice_tls_free(self->tls);
    spice_websocket_free(self->websocket);
    spice_sasl_layer_free(self->layer);
    g_strfreev(self->origins);
    g_clear_pointer(&self->first, g_byte_array_unref);
    g_main_context_unref(self->context);
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
static void shut(SpiceConnection *self)
{
    drop_source(&self->readable);
    drop_source(&self->writable);
    g_clear_object(&self->socket);
}

gboolean spice_connection_try_lock(SpiceConnection *self)
{
    return g_rec_mutex_trylock(&self->lock);
}

void spice_connection_lock(SpiceConnection *self)
{
    g_rec_mutex_lock(&self->lock);
}

void spice_connection_unlock(SpiceConnection *self)
{
    g_rec_mutex_unlock(&self->lock);
}

/** For a call from outside: what it does is done under the lock, and the connection outlives it. */
static void enter(SpiceConnection *self)
{
    g_atomic_ref_count_inc(&self->refs);
    g_rec_mutex_lock(&self->lock);
}

static void leave(SpiceConnection *self)
{
    g_rec_mutex_unlock(&self->lock);
    spice_connection_unref(self);
}

/** The stream has ended by itself. Takes ownership of `error`. */
static void end(SpiceConnection *self, GError *error)
{
    g_autoptr(GError) owned = error;

    if (!self->socket)
        return;
    shut(self);
    self->handler->closed(self, owned, self->user_data);
}

static void watch(SpiceConnection *self, GSource **source, GIOCondition condition,
                  GSocketSourceFunc func)
{
    *source = g_socket_create_source(self->socket, condition, NULL);
    g_source_set_callback(*source, G_SOURCE_FUNC(func), self, NULL);
    g_source_attach(*source, self->context);
}

/* Writing */

static gboolean on_writable(GSocket *socket, GIOCondition condition, gpointer data);
static void flush_websocket(SpiceConnection *self);

/** Offers what waits to the socket, up to the next byte that a descriptor goes with, or that one by
 * itself. What it took, or -1. */
static gssize write_some(SpiceConnection *self, GError **error)
{
    Passed *passed = g_queue_peek_head(&self->passed);
    const gboolean passes = passed && passed->at == self->out_done;
    const guint end = passes ? passed->at + 1 : passed ? passed->at : self->out->len;
    GOutputVector vector = {self->out->data + self->out_done, end - self->out_done};
    gssize n;

    if (!passes)
        return g_socket_send(self->socket, vector.buffer, vector.size, NULL, error);
    n = g_socket_send_message(self->socket, NULL, &vector, 1, &passed->message, 1, 0, NULL, error);
    if (n > 0)
        passed_free(g_queue_pop_head(&self->passed));
    return n;
}

/** Forgets what the socket has taken. */
static void drop_written(SpiceConnection *self)
{
    GList *item;

    for (item = self->passed.head; item; item = item->next)
        ((Passed *)item->data)->at -= self->out_done;
    g_byte_array_remove_range(self->out, 0, self->out_done);
    self->out_done = 0;
}

/** Writes what the socket takes; asks to be called again for the rest. */
static void write_out(SpiceConnection *self)
{
    while (self->socket && self->out_done < self->out->len) {
        g_autoptr(GError) error = NULL;
        gssize n = write_some(self, &error);

        if (n >= 0) {
            self->out_done += (guint)n;
            continue;
        }
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            /* The reading side sees the end of the stream, after what came before it. */
            g_queue_clear_full(&self->passed, passed_free);
            self->out_done = self->out->len;
            break;
        }
        if (self->out_done > self->out->len / 2)
            drop_written(self);
        if (!self->writable)
            watch(self, &self->writable, G_IO_OUT, on_writable);
        return;
    }
    drop_source(&self->writable);
    if (self->out->len > 0 && self->out_done == self->out->len) {
        g_byte_array_set_size(self->out, 0);
        self->out_done = 0;
    }
}

static gboolean on_writable(GSocket *socket, GIOCondition condition, gpointer data)
{
    SpiceConnection *self = data;

    enter(self);
    write_out(self);
    if (self->socket && !self->writable && self->websocket)
        flush_websocket(self);
    if (self->socket && !self->writable && self->handler->drained)
        self->handler->drained(self, self->user_data);
    leave(self);
    return G_SOURCE_CONTINUE;
}

void spice_connection_flush(SpiceConnection *self)
{
    spice_connection_lock(self);
    if (!self->writable)
        write_out(self);
    spice_connection_unlock(self);
}

gboolean spice_connection_is_full(const SpiceConnection *self)
{
    return self->writable != NULL;
}

/** Writes what TLS has to say of its own accord. */
static void flush_tls(SpiceConnection *self)
{
    spice_tls_drain(self->tls, self->out);
    spice_connection_flush(self);
}

/** Queues bytes as they shall arrive, encrypted if there is TLS. */
static void queue_plain(SpiceConnection *self, const void *data, gsize size)
{
    if (!self->tls) {
        g_byte_array_append(self->out, data, (guint)size);
        return;
    }
    /* A failure to encrypt shows as a failure to decrypt at the next read. */
    spice_tls_write(self->tls, data, size, NULL);
    spice_tls_drain(self->tls, self->out);
}

/** Queues bytes as they come out of the layer, if there is one. */
static void queue_stream(SpiceConnection *self, const void *data, gsize size)
{
    g_autoptr(GByteArray) frame = NULL;

    if (!self->websocket) {
        queue_plain(self, data, size);
        return;
    }
    frame = g_byte_array_new();
    if (spice_websocket_write(self->websocket, data, size, frame))
        queue_plain(self, frame->data, frame->len);
}

static void queue(SpiceConnection *self, const void *data, gsize size)
{
    g_autoptr(GByteArray) encoded = NULL;

    if (!self->socket)
        return;
    if (!self->layer) {
        queue_stream(self, data, size);
        return;
    }
    encoded = g_byte_array_new();
    if (spice_sasl_layer_encode(self->layer, data, size, encoded))
        queue_stream(self, encoded->data, encoded->len);
    else
        shutdown(g_socket_get_fd(self->socket), SHUT_RDWR); /* the reading side sees the end */
}

void spice_connection_queue(SpiceConnection *self, const void *data, gsize size)
{
    spice_connection_lock(self);
    queue(self, data, size);
    spice_connection_unlock(self);
}

gboolean spice_connection_can_pass_fds(const SpiceConnection *self)
{
    return self->socket && g_socket_get_family(self->socket) == G_SOCKET_FAMILY_UNIX &&
           !self->tls && !self->websocket && !self->layer;
}

void spice_connection_queue_fd(SpiceConnection *self, int fd)
{
    static const guint8 byte = '@';
    g_autoptr(GSocketControlMessage) message = g_unix_fd_message_new();
    Passed passed;

    g_return_if_fail(spice_connection_can_pass_fds(self) || !self->socket);
    spice_connection_lock(self);
    passed.at = self->out->len;
    if (self->socket && g_unix_fd_message_append_fd(G_UNIX_FD_MESSAGE(message), fd, NULL)) {
        passed.message = g_object_ref(message);
        g_queue_push_tail(&self->passed, g_memdup2(&passed, sizeof passed));
    }
    queue(self, &byte, 1); /* the peer waits for it in any case */
    spice_connection_unlock(self);
}

void spice_connection_set_layer(SpiceConnection *self, SpiceSaslLayer *layer)
{
    spice_sasl_layer_free(self->layer);
    self->layer = layer;
}

gsize spice_connection_get_backlog(SpiceConnection *self)
{
    gsize size;

    spice_connection_lock(self);
    size = self->out->len - self->out_done;
    spice_connection_unlock(self);
    return size;
}

/* A WebSocket */

/** Sends what the WebSocket has to say of its own accord, once the socket took what came before. */
static void flush_websocket(SpiceConnection *self)
{
    g_autoptr(GByteArray) due = g_byte_array_new();

    if (!self->socket || spice_connection_get_backlog(self) > 0)
        return;
    spice_websocket_drain(self->websocket, due);
    if (due->len > 0) {
        queue_plain(self, due->data, due->len);
        spice_connection_flush(self);
    }
}

/** Bytes of the stream. */
static void hand_on(SpiceConnection *self, const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) decoded = NULL;

    if (!self->layer) {
        self->handler->bytes(self, data, size, self->user_data);
        return;
    }
    decoded = g_byte_array_new();
    if (!spice_sasl_layer_decode(self->layer, data, size, decoded))
        end(self, g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                              "what came did not pass the SASL layer"));
    else if (decoded->len > 0)
        self->handler->bytes(self, decoded->data, decoded->len, self->user_data);
}

/** Frames, or the request before them. */
static void take_frames(SpiceConnection *self, const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    GError *error = NULL;
    const SpiceWebSocketState state =
        spice_websocket_push(self->websocket, data, size, payload, &error);

    flush_websocket(self);
    if (payload->len > 0)
        hand_on(self, payload->data, payload->len);
    if (state == SPICE_WEBSOCKET_CLOSED || state == SPICE_WEBSOCKET_FAILED)
        end(self, error);
}

/** The first bytes: a WebSocket or not. */
static void take_first(SpiceConnection *self, const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) first = NULL;
    SpiceFirstBytes kind;

    g_byte_array_append(self->first, data, (guint)size);
    kind = spice_first_bytes_recognise(self->first->data, self->first->len);
    if (kind == SPICE_FIRST_BYTES_MORE)
        return;
    first = g_steal_pointer(&self->first);
    if (kind == SPICE_FIRST_BYTES_HTTP) {
        self->websocket = spice_websocket_new((const char *const *)self->origins);
        take_frames(self, first->data, first->len);
    } else {
        hand_on(self, first->data, first->len);
    }
}

/** Bytes from the peer, decrypted. */
static void take_plain(SpiceConnection *self, const guint8 *data, gsize size)
{
    if (self->first)
        take_first(self, data, size);
    else if (self->websocket)
        take_frames(self, data, size);
    else
        hand_on(self, data, size);
}

void spice_connection_accept_websocket(SpiceConnection *self, const char *const *origins)
{
    g_return_if_fail(!self->started);
    self->first = g_byte_array_new();
    self->origins = g_strdupv((char **)origins);
}

/* Reading */

/** Goes on with the TLS handshake. FALSE unless it is done. */
static gboolean shake_hands(SpiceConnection *self)
{
    GError *error = NULL;
    SpiceTlsResult result = spice_tls_handshake(self->tls, &error);

    flush_tls(self);
    if (result == SPICE_TLS_CLOSED || result == SPICE_TLS_FAILED)
        end(self, error);
    if (result != SPICE_TLS_DONE)
        return FALSE;
    self->in_handshake = FALSE;
    if (self->handler->secured)
        self->handler->secured(self, self->user_data);
    return self->socket != NULL;
}

/** Ciphertext from the socket. */
static void take_encrypted(SpiceConnection *self, const guint8 *data, gsize size)
{
    guint8 plain[16 * 1024];
    gsize n;

    spice_tls_feed(self->tls, data, size);
    if (self->in_handshake && !shake_hands(self))
        return;
    while (self->socket) {
        GError *error = NULL;

        switch (spice_tls_read(self->tls, plain, sizeof plain, &n, &error)) {
        case SPICE_TLS_DONE:
            take_plain(self, plain, n);
            break;
        case SPICE_TLS_WANT_INPUT:
            flush_tls(self);
            return;
        case SPICE_TLS_CLOSED:
        case SPICE_TLS_FAILED:
            end(self, error);
            return;
        }
    }
}

/** Reads once. FALSE if there is nothing more for now, or the stream ended. */
static gboolean read_once(SpiceConnection *self)
{
    guint8 data[READ_SIZE];
    g_autoptr(GError) error = NULL;
    gssize n = g_socket_receive(self->socket, (char *)data, sizeof data, NULL, &error);

    if (n < 0) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
            end(self, g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                                          error->message));
        return FALSE;
    }
    if (n == 0) {
        end(self, NULL);
        return FALSE;
    }
    self->last_heard = g_get_monotonic_time();
    if (self->tls)
        take_encrypted(self, data, (gsize)n);
    else
        take_plain(self, data, (gsize)n);
    return self->socket && self->reading && (gsize)n == sizeof data;
}

static gboolean on_readable(GSocket *socket, GIOCondition condition, gpointer data)
{
    SpiceConnection *self = data;
    guint turn = 0;

    enter(self);
    while (turn++ < READS_A_TURN && read_once(self))
        ;
    leave(self);
    return G_SOURCE_CONTINUE; /* destroyed by shut() if it ended */
}

void spice_connection_set_reading(SpiceConnection *self, gboolean reading)
{
    self->reading = reading;
    if (!self->socket || !self->started || reading == (self->readable != NULL))
        return;
    if (!reading) {
        drop_source(&self->readable);
        return;
    }
    self->last_heard = g_get_monotonic_time();
    watch(self, &self->readable, G_IO_IN, on_readable);
}

gboolean spice_connection_get_reading(const SpiceConnection *self)
{
    return self->reading;
}

gint64 spice_connection_get_last_heard(const SpiceConnection *self)
{
    return self->last_heard;
}

/* Beginning and end */

SpiceConnection *spice_connection_new(GSocket *socket, SpiceTls *tls,
                                      const SpiceConnectionHandler *handler, gpointer user_data)
{
    SpiceConnection *self = g_new0(SpiceConnection, 1);

    g_atomic_ref_count_init(&self->refs);
    g_rec_mutex_init(&self->lock);
    self->handler = handler;
    self->user_data = user_data;
    self->context = g_main_context_ref_thread_default();
    self->socket = g_object_ref(socket);
    self->tls = tls;
    self->in_handshake = tls != NULL;
    self->out = g_byte_array_new();
    self->reading = TRUE;
    self->last_heard = g_get_monotonic_time();
    g_socket_set_blocking(socket, FALSE);
    g_socket_set_keepalive(socket, TRUE);
    if (g_socket_get_family(socket) != G_SOCKET_FAMILY_UNIX)
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    return self;
}

void spice_connection_start(SpiceConnection *self)
{
    enter(self);
    self->started = TRUE;
    if (self->in_handshake)
        shake_hands(self);
    spice_connection_set_reading(self, self->reading);
    leave(self);
}

void spice_connection_set_handler(SpiceConnection *self, const SpiceConnectionHandler *handler,
                                  gpointer user_data)
{
    self->handler = handler;
    self->user_data = user_data;
}

void spice_connection_shut(SpiceConnection *self)
{
    spice_connection_lock(self);
    shut(self);
    spice_connection_unlock(self);
}

void spice_connection_close(SpiceConnection *self)
{
    spice_connection_shut(self);
    spice_connection_unref(self);
}

GSocket *spice_connection_get_socket(const SpiceConnection *self)
{
    return self->socket;
}

gboolean spice_connection_is_secure(const SpiceConnection *self)
{
    return self->tls != NULL;
}

guint spice_connection_get_tls_bits(const SpiceConnection *self)
{
    return self->tls ? MAX(spice_tls_get_bits(self->tls), 1) : 0;
}
