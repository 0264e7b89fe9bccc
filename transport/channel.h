/* One channel on one socket, client role: connection, TLS, link handshake, framing, ACK window,
 * PING, time-outs.
 *
 * Everything here happens on one thread: the one whose GMainContext was the thread default when
 * spice_channel_open() was called. Handlers are called there, and all functions must be.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "address.h"
#include "framer.h"

G_BEGIN_DECLS

typedef struct SpiceChannel SpiceChannel;

/** What a channel needs to know to link. The strings are copied. */
typedef struct {
    const SpiceAddress *address;
    gboolean tls;
    const char *username;     /* for servers that want SASL; NULL: none */
    const char *password;     /* NULL: none */
    const char *ca_file;      /* NULL: the system's */
    const char *host_subject; /* NULL: the certificate must bear the host's name */
    guint32 connection_id;    /* 0 for a new session's main channel, else its session id */
    guint8 type, id;
    const guint32 *caps; /* the channel type's capability words */
    guint n_caps;
    guint connect_timeout_ms, handshake_timeout_ms;
    guint idle_timeout_ms; /* 0: none; heeded once the server has sent a PING of its own accord */
    guint32 max_message_size;
} SpiceChannelConfig;

/** `opened` comes at most once; `closed` exactly once unless the channel was closed from this
 * side. After `closed` no handler is called. A handler may close its channel. */
typedef struct {
    void (*opened)(SpiceChannel *channel, gpointer user_data);
    /** FALSE, having set *error, closes the channel with that error. The channel has counted the
     * message for its ACKs and answered it if it was a PING or SET_ACK; those are not passed on. */
    gboolean (*message)(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                        GError **error);
    void (*closed)(SpiceChannel *channel, const GError *error, gpointer user_data);
    /** All that had waited to be sent has been taken by the socket; may be NULL. */
    void (*drained)(SpiceChannel *channel, gpointer user_data);
} SpiceChannelHandler;

/** Begins to connect. (transfer full) */
SpiceChannel *spice_channel_open(const SpiceChannelConfig *config,
                                 const SpiceChannelHandler *handler, gpointer user_data);
/** Closes without calling `closed`, and gives the caller's reference back. What was sent before is
 * still written as far as the socket takes it at once. */
void spice_channel_close(SpiceChannel *channel);

guint8 spice_channel_get_type_number(const SpiceChannel *channel);
guint8 spice_channel_get_id(const SpiceChannel *channel);
/** Capabilities of the server for this channel type; only after `opened`. */
gboolean spice_channel_peer_has(const SpiceChannel *channel, guint capability);

/** Sends one message. Never blocks: what the socket does not take waits in memory. */
void spice_channel_send(SpiceChannel *channel, guint16 type, const void *body, gsize size);
/** Bytes that wait to be taken by the socket. */
gsize spice_channel_get_backlog(const SpiceChannel *channel);
/** Stops or resumes reading; a stopped channel answers no PING and sends no ACK. */
void spice_channel_set_reading(SpiceChannel *channel, gboolean reading);

G_END_DECLS
