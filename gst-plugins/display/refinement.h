/* What is asked for without loss next, of what a client has only in lossy form: on a slow link so little
 * at a time that what is drawn meanwhile need not wait for it.
 *
 * Pure; any thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

#include "idle-events.h"

G_BEGIN_DECLS

/** Chooses boxes of a region that is not empty, for a link of so many bits a second (0: not known,
 * nothing is kept for later). How many there are; one that was cut, or left others for later, comes
 * alone, and *more is TRUE. */
guint gst_spice_refinement_choose(const pixman_region32_t *lossy, guint64 bits_per_second,
                                  pixman_box32_t boxes[GST_SPICE_MAX_DAMAGE_BOXES], gboolean *more);

/** Pixels of a region. */
guint64 gst_spice_refinement_area(const pixman_region32_t *lossy);

G_END_DECLS
