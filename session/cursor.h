/* A cursor: its shape as pixels, and where it is.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define GST_SPICE_TYPE_CURSOR (gst_spice_cursor_get_type())

/** Immutable once shared. */
typedef struct {
    /*< private >*/
    gatomicrefcount refs;
    /*< public >*/
    gint x, y; /* of the hot spot, in display 0's pixels; server mode only */
    gboolean visible;
    guint width, height; /* 0 x 0: no shape */
    guint hot_x, hot_y;
    GBytes *pixels; /* B,G,R,A premultiplied, width x height; NULL without shape */
} GstSpiceCursor;

GType gst_spice_cursor_get_type(void);
GstSpiceCursor *gst_spice_cursor_new(void);
GstSpiceCursor *gst_spice_cursor_ref(GstSpiceCursor *cursor);
void gst_spice_cursor_unref(GstSpiceCursor *cursor);
/** A copy that may be changed. (transfer full) */
GstSpiceCursor *gst_spice_cursor_copy(const GstSpiceCursor *cursor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstSpiceCursor, gst_spice_cursor_unref)

#pragma GCC visibility pop
G_END_DECLS
