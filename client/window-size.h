/* Which size the window is asked to have, and whether it has one that somebody chose.
 *
 * Pure: sizes are in the toolkit's pixels, of which `scale` times `scale` device pixels make one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** Zero-initialise. */
typedef struct {
    gint width, height; /* what the window was last asked to be */
    gboolean reached;   /* it was so large since */
    gboolean by_hand;   /* and then was given another size: it does not follow the guest */
} SpiceWindowSize;

/** The guest has a new size. TRUE: the window is to have `width` and `height`, which show all of
 * it and are not beyond `most_*` (0: no limit). FALSE: it stays as it is, as its size was chosen
 * by hand, or as the guest's is one of those that drivers only pass through. */
gboolean spice_window_size_follow(SpiceWindowSize *size, gint guest_width, gint guest_height,
                                  gint scale, gint most_width, gint most_height);

/** The window now has this size. That a window manager refused the one that was wanted does not
 * count as chosen; and choosing the guest's own size lets the window follow again. */
void spice_window_size_is(SpiceWindowSize *size, gint width, gint height);

G_END_DECLS
