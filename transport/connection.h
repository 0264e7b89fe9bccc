/* A connected socket, plain or under TLS, as a stream of bytes both ways: reads in turns, keeps
 * what the socket does not take, never blocks. What both roles of a channel stand on.
 *
 * Everything happens on one thread: the one whose GMainContext was the thread default when
 * spice_connection_new() was called. Handlers are called there, and all functions must be, but for
 * those whose comment says otherwise.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

#include "sasl-layer.h"
#include "tls.h"

G_BEGIN_DECLS

typedef struct SpiceConnection SpiceConnection;

/** Any of them may close the connection or change its handler. All but `bytes` and `closed` may be
 * NULL. */
typedef struct {
    /** The TLS handshake is done: bytes can be sent. Not called without TLS. */
    void (*secured)(SpiceConnection *connection, gpointer user_data);
    /** Plain bytes from the peer; size > 0. */
    void (*bytes)(SpiceConnection *connection, const guint8 *data, gsize size, gpointer user_data);
    /** All that had waited to be written has been taken by the socket. */
    void (*drained)(SpiceConnection *connection, gpointer user_data);
    /** The stream ended: `error` is NULL if the peer closed it, else SPICE_TRANSPORT_ERROR_TLS or
     * SPICE_TRANSPORT_ERROR_CLOSED (the network). Comes once, and nothing after it; the connection
     * is still to be given back by spice_connection_close(). */
    void (*closed)(SpiceConnection *connection, const GError *error, gpointer user_data);
} SpiceConnectionHandler;

/** Takes over a connected socket (transfer none: a reference is taken) and, if not NULL, the TLS
 * that runs on it (transfer full). Nothing happens before spice_connection_start(). */
SpiceConnection *spice_connection_new(GSocket *socket, SpiceTls *tls,
                                      const SpiceConnectionHandler *handler, gpointer user_data);
/** Lets a peer whose first bytes ask for it go on as a WebSocket, whose payload is then the stream;
 * before spice_connection_start(). `origins`: see spice_websocket_new(). */
void spice_connection_accept_websocket(SpiceConnection *connection, const char *const *origins);
/** Begins the TLS handshake, if any, and, unless told otherwise, to read. May call `closed`. */
void spice_connection_start(SpiceConnection *connection);
/** From now on, another is told. */
void spice_connection_set_handler(SpiceConnection *connection,
                                  const SpiceConnectionHandler *handler, gpointer user_data);
/** Calls no handler any more and gives the caller's reference back. What was sent before is still
 * written as far as the socket takes it at once. */
void spice_connection_close(SpiceConnection *connection);
/** The same, but the caller keeps its reference: there is a connection still, that nothing is sent
 * to. */
void spice_connection_shut(SpiceConnection *connection);
/** From any thread. */
void spice_connection_unref(SpiceConnection *connection);

/** While a thread holds this lock, it may queue and flush, though it is not the connection's; that
 * one holds it, recursively, in each function here and while it calls handlers. A thread that is
 * not the connection's must not wait for it, for a handler may wait for that thread: FALSE if it
 * is taken. */
gboolean spice_connection_try_lock(SpiceConnection *connection);
void spice_connection_lock(SpiceConnection *connection);
void spice_connection_unlock(SpiceConnection *connection);

/** Queues bytes, encrypted if there is TLS, without writing yet. Not before `secured`. */
void spice_connection_queue(SpiceConnection *connection, const void *data, gsize size);
/** Whether descriptors can go with the bytes: on a unix socket with nothing around them. */
gboolean spice_connection_can_pass_fds(const SpiceConnection *connection);
/** Queues one byte that a descriptor travels with, which is duplicated. Only where that can be. */
void spice_connection_queue_fd(SpiceConnection *connection, int fd);
/** Writes what the socket takes of the queue; the rest is written as it takes more. */
void spice_connection_flush(SpiceConnection *connection);
/** Whether the socket took less than it was offered; then it is written to as it takes more. */
gboolean spice_connection_is_full(const SpiceConnection *connection);
/** Bytes that wait to be taken by the socket. */
gsize spice_connection_get_backlog(SpiceConnection *connection);

/** Stops or resumes reading. What has been read when it stops, 64 KiB at most, is still handed
 * on. */
void spice_connection_set_reading(SpiceConnection *connection, gboolean reading);
gboolean spice_connection_get_reading(const SpiceConnection *connection);
/** When bytes last came from the peer, in microseconds of the monotonic clock; resuming to read
 * counts as such, for a pause of ours is not the peer's silence. */
gint64 spice_connection_get_last_heard(const SpiceConnection *connection);

/** From now on all bytes of the stream pass a layer of SASL (transfer full). */
void spice_connection_set_layer(SpiceConnection *connection, SpiceSaslLayer *layer);

GSocket *spice_connection_get_socket(const SpiceConnection *connection);
gboolean spice_connection_is_secure(const SpiceConnection *connection);
/** Strength of the TLS in bits; 0: there is none. */
guint spice_connection_get_tls_bits(const SpiceConnection *connection);

G_END_DECLS
