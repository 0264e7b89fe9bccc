/* What clients do with keyboard and pointer, as events for the pipeline that makes the picture.
 *
 * Pushed from a thread of its own, so that whoever handles an event may take its time. A key comes
 * as the custom scancode event (navigation.h) and, if nobody upstream handles that, as a
 * GstNavigation event with its name on a US keyboard.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "session/server.h"

G_BEGIN_DECLS

typedef struct GstSpiceInputEvents GstSpiceInputEvents;

/** Finds the pad that leads to the maker of a display, and the display's size. (transfer full);
 * NULL if there is none. Any thread. */
typedef GstPad *(*GstSpiceInputPad)(guint display, gint *width, gint *height, gpointer user_data);

/** Becomes the input handler of `server`, of which it keeps a reference; before it listens. */
GstSpiceInputEvents *gst_spice_input_events_new(GstSpiceServer *server, GstSpiceInputPad find_pad,
                                                gpointer user_data);
/** Drops what was not pushed yet. */
void gst_spice_input_events_free(GstSpiceInputEvents *self);

G_END_DECLS
