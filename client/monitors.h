/* The monitors of a session, and the newest frame of each: one branch of the pipeline a display channel,
 * with an end for each monitor that lies on its surface.
 *
 * Monitor N is that of the display channel plus that on its surface, or the next number that is free. Knows
 * no toolkit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>
#include <pixman.h>

#include "session/session.h"

G_BEGIN_DECLS

enum { SPICE_MAX_MONITORS = 16 };

/** The newest frame, what changed since the one taken before, and what is known of its way here. */
typedef struct {
    GstSample *sample; /* BGRx; NULL: no new frame */
    pixman_region32_t damage;
    guint n_frames; /* how many it stands for: older ones that were never shown are in its damage */
    gint64 arrived; /* monotonic time at which its first message came from the socket */
} SpiceNewFrame;

void spice_new_frame_clear(SpiceNewFrame *frame);

/** Where a monitor's pixels are: on the surface of a display channel. */
typedef struct {
    guint display;
    gint x, y;
} SpiceMonitorPlace;

typedef struct SpiceMonitors SpiceMonitors;

/** Branches for `session` in `pipeline`, neither of which is owned. `all`: a monitor each; else there is
 * one, the whole surface of display 0. `changed` comes from any thread, when a frame waits that was not
 * told of yet, or a monitor has gone. */
SpiceMonitors *spice_monitors_new(GstBin *pipeline, GstSpiceSession *session, gboolean all,
                                  void (*changed)(guint monitor, gpointer user_data),
                                  gpointer user_data);
/** When the pipeline has ended. */
void spice_monitors_free(SpiceMonitors *self);

/** The server has this display channel; again has no effect. On one thread. */
void spice_monitors_add_display(SpiceMonitors *self, guint id);

/** Takes the newest frame, which has to be cleared in any case. FALSE: there is no such monitor. */
gboolean spice_monitors_take(SpiceMonitors *self, guint monitor, SpiceNewFrame *frame);
SpiceMonitorPlace spice_monitors_get_place(SpiceMonitors *self, guint monitor);
/** Bytes of display channels so far. */
guint64 spice_monitors_get_bytes(SpiceMonitors *self);

G_END_DECLS
