/* One linked channel on one connection, server role: framing, ACK window, PING.
 *
 * Everything happens on the thread of its connection's GMainContext, but for
 * spice_server_channel_try_queue() and _try_flush(). A listener makes channels; whoever gets one sets its handler and
 * closes it some day.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "connection.h"
#include "framer.h"
#include "link-server.h"

G_BEGIN_DECLS

typedef struct SpiceServerChannel SpiceServerChannel;

/** Any of them may close the channel. All but `message` and `closed` may be NULL. */
typedef struct {
    /** FALSE, having set *error, closes the channel with that error. ACK_SYNC, ACK, PONG and
     * DISCONNECTING are dealt with by the channel and not passed on. */
    gboolean (*message)(SpiceServerChannel *channel, const SpiceFrame *frame, gpointer user_data,
                        GError **error);
    /** Sending may go on: spice_server_channel_may_send() became true, or the backlog empty. */
    void (*writable)(SpiceServerChannel *channel, gpointer user_data);
    /** An answer to spice_server_channel_ping(). */
    void (*pong)(SpiceServerChannel *channel, guint32 id, gint64 round_trip_us, gpointer user_data);
    /** The channel ended by itself: SPICE_TRANSPORT_ERROR_CLOSED if the peer or the network did
     * it, _PROTOCOL if the peer broke the protocol, or what `message` said. Comes once, and
     * nothing after it; the channel is still to be given back by spice_server_channel_close(). */
    void (*closed)(SpiceServerChannel *channel, const GError *error, gpointer user_data);
    /** Any other PONG: to a PING that was sent as a message, or to none. */
    void (*other_pong)(SpiceServerChannel *channel, guint32 id, gpointer user_data);
} SpiceServerChannelHandler;

/** Takes over a connection (transfer full) that has been linked by `request`, which is copied
 * without its capability words; of those, `channel_caps`, too, is copied. */
SpiceServerChannel *spice_server_channel_new(SpiceConnection *connection,
                                             const SpiceLinkRequest *request);
void spice_server_channel_set_handler(SpiceServerChannel *channel,
                                      const SpiceServerChannelHandler *handler, gpointer user_data);
gboolean spice_server_channel_has_handler(const SpiceServerChannel *channel);
/** Takes bytes that came together with the end of the link. */
void spice_server_channel_take(SpiceServerChannel *channel, const guint8 *data, gsize size);

/** From any thread. */
SpiceServerChannel *spice_server_channel_ref(SpiceServerChannel *channel);
void spice_server_channel_unref(SpiceServerChannel *channel);
/** Closes without calling `closed`, and gives the caller's reference back. What was sent before is
 * still written as far as the socket takes it at once. */
void spice_server_channel_close(SpiceServerChannel *channel);

guint8 spice_server_channel_get_type_number(const SpiceServerChannel *channel);
guint8 spice_server_channel_get_id(const SpiceServerChannel *channel);
/** Whether the client announced a capability of this channel type. */
gboolean spice_server_channel_peer_has(const SpiceServerChannel *channel, guint capability);
/** Whether TLS protects it. */
gboolean spice_server_channel_is_secure(const SpiceServerChannel *channel);
/** NULL once the channel has ended. */
GSocket *spice_server_channel_get_socket(const SpiceServerChannel *channel);
/** Whether sub-messages have to travel in a LIST of their own, because the header has no place
 * that could point to them. */
gboolean spice_server_channel_uses_mini_header(const SpiceServerChannel *channel);

/** Sends one message. Never blocks: what the socket does not take waits in memory. It is sent
 * whatever spice_server_channel_may_send() says. */
void spice_server_channel_send(SpiceServerChannel *channel, guint16 type, const void *body,
                               gsize size);
/** The same for a body that carries sub-messages, see spice_sub_list_append(); only without the
 * mini header. */
void spice_server_channel_send_carrying(SpiceServerChannel *channel, guint16 type, const void *body,
                                        gsize size, guint32 sub_list);
/** What sending has come to. */
typedef struct {
    gsize backlog;     /* bytes that wait for the socket */
    gboolean may_send; /* see spice_server_channel_may_send() */
} SpiceServerChannelState;

/** Queues a message from any thread, if that can be done at once: the socket takes all so far, the
 * window is not full, and the channel's own thread is not busy with it; else FALSE, and that thread
 * has to do it. Who sends so has to see to the order of what is sent from both threads. */
gboolean spice_server_channel_try_queue(SpiceServerChannel *channel, guint16 type, const void *body,
                                        gsize size, SpiceServerChannelState *state);
/** Sends from any thread what was queued; FALSE if the channel's own thread has to do it. */
gboolean spice_server_channel_try_flush(SpiceServerChannel *channel,
                                        SpiceServerChannelState *state);
void spice_server_channel_flush(SpiceServerChannel *channel);
/** Whether messages can bring a descriptor: on a plain unix socket. */
gboolean spice_server_channel_can_pass_fds(const SpiceServerChannel *channel);
/** The same as spice_server_channel_send(), with a descriptor (duplicated) on a byte after it. */
void spice_server_channel_send_fd(SpiceServerChannel *channel, guint16 type, const void *body,
                                  gsize size, int fd);
/** Serial of the message last sent; 0: none yet. */
guint64 spice_server_channel_get_serial(const SpiceServerChannel *channel);
/** Bytes of messages, headers included, that were sent and taken so far. */
guint64 spice_server_channel_get_bytes_sent(const SpiceServerChannel *channel);
guint64 spice_server_channel_get_bytes_received(const SpiceServerChannel *channel);
/** Bytes that wait to be taken by the socket. */
gsize spice_server_channel_get_backlog(const SpiceServerChannel *channel);
/** Stops or resumes reading; ACKs and PONGs are then not heard either. */
void spice_server_channel_set_reading(SpiceServerChannel *channel, gboolean reading);

/** Sends SET_ACK: from now on, at most two windows of messages are to be unacknowledged. Can be
 * repeated; what was acknowledged before then counts no more. 0: no window. */
void spice_server_channel_set_ack_window(SpiceServerChannel *channel, guint32 window);
/** False while more than two windows of messages, SET_ACK included, are unacknowledged: of a
 * window of 20 a client that never acknowledges gets 41 messages. */
gboolean spice_server_channel_may_send(const SpiceServerChannel *channel);

enum { SPICE_SERVER_CHANNEL_MAX_PADDING = 256000 };

/** Sends a PING with so many zero bytes of padding (at most SPICE_SERVER_CHANNEL_MAX_PADDING). Of
 * more than four that are not answered yet the oldest is forgotten. */
void spice_server_channel_ping(SpiceServerChannel *channel, guint32 id, gsize padding);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceServerChannel, spice_server_channel_unref)

G_END_DECLS
