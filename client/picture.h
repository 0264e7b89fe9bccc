/* The guest's picture on a canvas: the frame, scaled if need be, black beside it, and in server
 * mouse mode the cursor over it.
 *
 * Pure painting: no window, no toolkit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>
#include <pixman.h>

#include "client/placement.h"
#include "session/cursor.h"

G_BEGIN_DECLS

typedef struct SpicePicture SpicePicture;

SpicePicture *spice_picture_new(void);
void spice_picture_free(SpicePicture *picture);

/** The frame to show from now on; FALSE if it cannot be mapped. Painting is up to the caller. */
gboolean spice_picture_set_frame(SpicePicture *picture, GstSample *sample);
/** Size of the frame; 0 x 0 without one. */
void spice_picture_get_size(SpicePicture *picture, gint *width, gint *height);
/** The canvas to paint on, or NULL; the caller keeps it alive. */
void spice_picture_set_canvas(SpicePicture *picture, pixman_image_t *canvas);
/** Where the frame lies on the canvas. */
const SpicePlacement *spice_picture_get_placement(SpicePicture *picture);

/** The cursor to draw over the frame, or NULL; the frame is what lies at (x, y) of its display. Adds to `damage` the guest's pixels that change. */
void spice_picture_set_cursor(SpicePicture *picture, const GstSpiceCursor *cursor, gint x, gint y,
                              pixman_region32_t *damage);

/** Paints the guest's pixels in `damage`, all of the canvas for NULL. Sets `painted`, an
 * initialised region, to what changed on the canvas. */
void spice_picture_paint(SpicePicture *picture, pixman_region32_t *damage,
                         pixman_region32_t *painted);

G_END_DECLS
