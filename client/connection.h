/* A session with a server, and its display's newest frame.
 *
 * Puts session and display pipeline together and brings all that happens to the thread on which
 * spice_connection_new() was called: no callback comes on another, and none after
 * spice_connection_free(). Knows no toolkit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>
#include <pixman.h>

#include "client/exit-status.h"
#include "client/options.h"
#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpiceConnection SpiceConnection;

/** The newest frame, what changed since the one taken before, and what is known of its way here. */
typedef struct {
    GstSample *sample; /* BGRx; NULL: no new frame */
    pixman_region32_t damage;
    guint n_frames; /* how many it stands for: older ones that were never shown are in its damage */
    gint64 arrived; /* monotonic time at which its first message came from the socket */
} SpiceNewFrame;

typedef struct {
    /** A frame waits to be taken. */
    void (*frame)(SpiceConnection *connection, gpointer user_data);
    /** The session could not be made or was lost; once. The text is for a person. */
    void (*failed)(SpiceConnection *connection, SpiceViewStatus status, const char *text,
                   gpointer user_data);
    /** Shape, place or visibility of the cursor; NULL allowed. */
    void (*cursor_changed)(SpiceConnection *connection, gpointer user_data);
    /** NULL allowed. */
    void (*mouse_mode_changed)(SpiceConnection *connection, gpointer user_data);
} SpiceConnectionHandler;

/** Begins to connect; what comes of it, a malformed URI included, `handler` hears later. The
 * handler is not copied. (transfer full) */
SpiceConnection *spice_connection_new(const SpiceViewOptions *options, const char *password,
                                      const SpiceConnectionHandler *handler, gpointer user_data);
void spice_connection_free(SpiceConnection *connection);

/** The session, for input and cursor. */
GstSpiceSession *spice_connection_get_session(SpiceConnection *connection);

/** Takes the newest frame; spice_new_frame_clear() lets it go. */
void spice_connection_take_frame(SpiceConnection *connection, SpiceNewFrame *frame);
void spice_new_frame_clear(SpiceNewFrame *frame);

/** Bytes of the display channel so far. */
guint64 spice_connection_get_bytes(SpiceConnection *connection);

/** The status that a failure of transport/ or session/ ends the viewer with. */
SpiceViewStatus spice_view_status_of(const GError *error);

G_END_DECLS
