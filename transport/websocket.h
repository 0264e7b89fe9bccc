/* The server's side of a WebSocket (RFC 6455) as a filter between byte arrays: the HTTP upgrade,
 * then frames. No socket, no clock, no thread of its own; one object a connection.
 *
 * The SPICE bytes travel in the payload of the data frames; where a frame or a message ends means
 * nothing. What comes out of it is the byte stream of a link, which begins with "REDQ": a second
 * upgrade inside it is the caller's to refuse.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** What a connection speaks, by its first bytes. */
typedef enum {
    SPICE_FIRST_BYTES_MORE,    /* too few to say */
    SPICE_FIRST_BYTES_SPICE,   /* "REDQ" */
    SPICE_FIRST_BYTES_HTTP,    /* "GET " */
    SPICE_FIRST_BYTES_UNKNOWN, /* neither can come of them */
} SpiceFirstBytes;

/** Pure; needs at most 4 bytes. */
SpiceFirstBytes spice_first_bytes_recognise(const guint8 *data, gsize size);

typedef struct SpiceWebSocket SpiceWebSocket;

typedef enum {
    SPICE_WEBSOCKET_UPGRADING, /* the request is not complete yet */
    SPICE_WEBSOCKET_OPEN,
    SPICE_WEBSOCKET_CLOSED, /* the peer said CLOSE: end of stream */
    SPICE_WEBSOCKET_FAILED, /* the request was refused or a frame was unlawful */
} SpiceWebSocketState;

/** `allowed_origins`: origins ("https://console.example:8443") of web pages that may connect
 * besides those that came from the same host and port; NULL-terminated and copied, NULL for none.
 */
SpiceWebSocket *spice_websocket_new(const char *const *allowed_origins);
void spice_websocket_free(SpiceWebSocket *websocket);

/** Takes `size` bytes from the peer, the first ones from the "GET " on; appends the payload of data
 * frames to `payload`, never more than `size` bytes. All bytes are taken; those behind a CLOSE or
 * a failure are dropped. FAILED sets *error, SPICE_TRANSPORT_ERROR_HANDSHAKE for a request and
 * SPICE_TRANSPORT_ERROR_PROTOCOL for a frame (a further call: CLOSED); drain the answer to the
 * peer, then close. */
SpiceWebSocketState spice_websocket_push(SpiceWebSocket *websocket, const guint8 *data, gsize size,
                                         GByteArray *payload, GError **error);

/** Appends to `out` what is due to the peer: the response to the request, PONGs, a CLOSE. Call it
 * when the socket has taken what came before: till then PONGs wait here, and only a few of them
 * (RFC 6455, 5.5.3: the last PING's alone may be sent). */
void spice_websocket_drain(SpiceWebSocket *websocket, GByteArray *out);

/** Appends to `out` what spice_websocket_drain() would, then one binary frame of `data` (none if
 * `size` is 0). FALSE, and `out` untouched, unless the state is OPEN and no CLOSE was queued, or if
 * `out` would outgrow its 32-bit length. */
gboolean spice_websocket_write(SpiceWebSocket *websocket, const guint8 *data, gsize size,
                               GByteArray *out);

/** The server's own end of the stream: queues a CLOSE of status 1000. No more writing; what still
 * comes is read until the peer's CLOSE. Nothing happens unless OPEN. */
void spice_websocket_close(SpiceWebSocket *websocket);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceWebSocket, spice_websocket_free)

G_END_DECLS
