/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window-size.h"

#include "placement.h"

/* Nobody works in less, and a window should not shrink for a moment. */
enum { LEAST_WIDTH = 160, LEAST_HEIGHT = 100 };

gboolean spice_window_size_follow(SpiceWindowSize *self, gint guest_width, gint guest_height,
                                  gint scale, gint most_width, gint most_height)
{
    gboolean first = self->width == 0;

    if (self->by_hand || (!first && (guest_width < LEAST_WIDTH || guest_height < LEAST_HEIGHT)))
        return FALSE;
    spice_placement_fit((guest_width + scale - 1) / scale, (guest_height + scale - 1) / scale,
                        most_width, most_height, &self->width, &self->height);
    self->reached = FALSE;
    return TRUE;
}

void spice_window_size_is(SpiceWindowSize *self, gint width, gint height)
{
    gboolean wanted = width == self->width && height == self->height;

    self->reached |= wanted;
    self->by_hand = self->reached && !wanted;
}
