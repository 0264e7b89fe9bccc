/* Which part of a desktop's picture has moved up or down.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "desktop-damage.h"

/** An area whose pixels are those that were `dy` rows above it (below, if negative). */
typedef struct {
    SpiceRect box; /* in the current frame */
    int32_t dy;
} SpiceDesktopScroll;

/** Looks for a scroll inside `changed`, the bounds of an area of which most has changed. False if
 * there is none that is worth it, or no memory. What it finds holds but for chance: the caller
 * compares again anyway. */
bool spice_desktop_find_scroll(SpiceDesktopScroll *scroll, const SpiceDesktopChange *change,
                               const SpiceRect *changed, SpiceArena *scratch);
