/* A session with a server, and the newest frame of each of its monitors.
 *
 * Puts session and display pipeline together and brings all that happens to the thread on which
 * spice_connection_new() was called: no callback comes on another, and none after
 * spice_connection_free(). Knows no toolkit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "client/exit-status.h"
#include "client/monitors.h"
#include "client/options.h"
#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpiceConnection SpiceConnection;

typedef struct {
    /** A frame of a monitor has come. */
    void (*frame)(SpiceConnection *connection, guint monitor, const SpiceNewFrame *frame,
                  gpointer user_data);
    /** The session could not be made or was lost; once. The text is for a person. */
    void (*failed)(SpiceConnection *connection, SpiceViewStatus status, const char *text,
                   gpointer user_data);
    /** Shape, place or visibility of the cursor; NULL allowed. */
    void (*cursor_changed)(SpiceConnection *connection, gpointer user_data);
    /** NULL allowed. */
    void (*mouse_mode_changed)(SpiceConnection *connection, gpointer user_data);
    /** The server has turned a monitor off. NULL: there is but one, the whole surface of display 0. */
    void (*monitor_gone)(SpiceConnection *connection, guint monitor, gpointer user_data);
} SpiceConnectionHandler;

/** Begins to connect; what comes of it, a malformed URI included, `handler` hears later. The
 * handler is not copied. (transfer full) */
SpiceConnection *spice_connection_new(const SpiceViewOptions *options, const char *password,
                                      const SpiceConnectionHandler *handler, gpointer user_data);
void spice_connection_free(SpiceConnection *connection);

/** The session, for input and cursor. */
GstSpiceSession *spice_connection_get_session(SpiceConnection *connection);

/** Where the pixels of a monitor are. */
SpiceMonitorPlace spice_connection_get_place(SpiceConnection *connection, guint monitor);

/** Bytes of the display channels so far. */
guint64 spice_connection_get_bytes(SpiceConnection *connection);

/** The status that a failure of transport/ or session/ ends the viewer with. */
SpiceViewStatus spice_view_status_of(const GError *error);

G_END_DECLS
