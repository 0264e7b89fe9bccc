/* Where the guest's picture lies in the window, and which of its pixels is where.
 *
 * All in device pixels. Pure arithmetic.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    gint guest_width, guest_height;
    gint window_width, window_height;
    gint x, y, width, height; /* the picture in the window; 0 x 0 without one */
} SpicePlacement;

typedef struct {
    gint x, y, width, height;
} SpiceBox;

/** As large as fits with the aspect kept, in the middle; never scaled if it fits exactly. */
SpicePlacement spice_placement(gint guest_width, gint guest_height, gint window_width,
                               gint window_height);
gboolean spice_placement_is_scaled(const SpicePlacement *placement);

/** The guest's pixel at a place of the window: what lies beside the picture is the nearest of its
 * edge. Every edge can be reached: a picture that is smaller than the guest's has a window pixel
 * for the first and the last column and row. */
void spice_placement_to_guest(const SpicePlacement *placement, gdouble x, gdouble y, gint *guest_x,
                              gint *guest_y);

/** The window's pixels that may change when those of `guest` do, smoothing included; clipped to
 * the picture. */
SpiceBox spice_placement_to_window(const SpicePlacement *placement, const SpiceBox *guest);

/** The size for a window that shows the whole guest, not larger than `most_*` (0: no limit). */
void spice_placement_fit(gint guest_width, gint guest_height, gint most_width, gint most_height,
                         gint *width, gint *height);

G_END_DECLS
