/* What an operator can see of a server: one JSON document for each connection to a unix socket, which
 * is then closed. Nothing is read from there.
 *
 *     {"name": "desk", "displays": 1, "clients": [{"id": 1, "from": "192.0.2.7:1234", "user": "joe",
 *      "secure": true, "connected_s": 12, "round_trip_us": 210, "mouse_mode": "client",
 *      "channels": [{"type": "main", "id": 0, "bytes_sent": 380, "bytes_received": 420,
 *                    "messages_sent": 9, "bytes_waiting": 0}, ...]}, ...]}
 *
 * A display has more: `images`, by codec, {"count", "bytes_of_pixels", "bytes_sent"}; `cache`, {"hits",
 * "bytes_of_pixels_not_sent", "added", "invalidated", "palette_hits"}; `video`, {"streams", "frames",
 * "frames_left_out", "bytes_sent", "reports"}. They are a fifth of a second old at most while it is
 * busy.
 *
 * `user` is there if clients have to say who they are. Fields may be added; those here stay.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

#include "server.h"

G_BEGIN_DECLS

typedef struct GstSpiceStatistics GstSpiceStatistics;

/** Listens at `path`, whose file only its owner can use (0600). All on the server's I/O thread. NULL and
 * SPICE_TRANSPORT_ERROR as spice_listen_unix() says. */
GstSpiceStatistics *gst_spice_statistics_new(GstSpiceServer *server, const char *path,
                                             GError **error);
/** Stops listening; the file goes, too. NULL is allowed. */
void gst_spice_statistics_free(GstSpiceStatistics *self);

/** Appends `text` as a JSON string; what is not UTF-8 in it is replaced. Exposed for tests. */
void gst_spice_json_append_string(GString *json, const char *text);

G_END_DECLS
