/* An image in memory that is shared with the X server, put into a window piece by piece.
 *
 * Knows no toolkit: any program that has a Display and a Window may use it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <X11/Xlib.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct SpiceX11ShmImage SpiceX11ShmImage;

/** An image of width x height pixels of 32 bits, B,G,R,x in memory, for windows of `visual` and
 * `depth`. NULL if the server is remote, has other pixels, or gives no memory. (transfer full) */
SpiceX11ShmImage *spice_x11_shm_image_new(Display *display, Visual *visual, guint depth,
                                          guint width, guint height);
/** Waits for the server to have done with it, and frees it. NULL is allowed. */
void spice_x11_shm_image_free(SpiceX11ShmImage *image);

/** The pixels, and the bytes of a row. What is written while the server still reads may be seen at
 * once: put it again, and all is well. */
guint8 *spice_x11_shm_image_data(SpiceX11ShmImage *image, guint *stride);

/** Puts the part at (x, y) to (x + dx, y + dy) of `window`. */
void spice_x11_shm_image_put(SpiceX11ShmImage *image, Window window, GC gc, gint x, gint y,
                             guint width, guint height, gint dx, gint dy);

G_END_DECLS
