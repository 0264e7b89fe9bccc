/* Where a display's monitors lie on its surface, as a sticky event that goes before the frames.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>

#include "core/wire/display.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum { GST_SPICE_MAX_HEADS = 16 };

/** Downstream, sticky: the monitors that lie on the primary surface, in the order of the server. Those
 * that are off are left out, and those beyond %GST_SPICE_MAX_HEADS. */
GstEvent *gst_spice_event_new_heads(const SpiceHead *heads, guint n_heads);
/** The same from rectangles. spiceheads sends the one that each of its pads shows along that pad. */
GstEvent *gst_spice_event_new_head_areas(const GstVideoRectangle *areas, guint n_areas);
/** FALSE if it is another event. */
gboolean gst_spice_event_parse_heads(GstEvent *event, GstVideoRectangle *heads, guint *n_heads);

/** What of each monitor lies in a frame of width x height, those left out of which nothing does: never
 * none, for the frame itself stands for what is not known. Returns how many. */
guint gst_spice_heads_in_frame(const GstVideoRectangle *heads, guint n_heads, gint width,
                               gint height, GstVideoRectangle *visible);

#pragma GCC visibility pop
G_END_DECLS
