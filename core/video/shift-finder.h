/* Whether a picture is the one that was at its place before, moved along: a page that is scrolled or a
 * photo that is panned by painting all of it anew.
 *
 * Of each picture some strips are looked at: rows of three strips from top to bottom, columns of three
 * from left to right, a number for each. The rows of the new picture vote for how far from the old ones
 * they are. Film does not pass: after a lossy codec, or with grain, hardly a row is exactly one of before.
 *
 * One finder a surface, under its lock. It keeps the last pictures of two places.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/box-list.h"
#include "core/wire/arena.h"

typedef struct SpiceShiftFinder SpiceShiftFinder;

/* px, of a picture that is looked at. */
enum { SPICE_SHIFT_LEAST_SIDE = 64, SPICE_SHIFT_MOST_SIDE = 4096 };

/** NULL without memory; some 200 kB. */
SpiceShiftFinder *spice_shift_finder_new(const SpiceAllocator *allocator);
void spice_shift_finder_free(SpiceShiftFinder *self);

/** Takes the picture that `box` shows from now on: 4 bytes a pixel, of which the fourth is not looked
 * at; the next row is `stride` bytes further (may be negative). Whether most of it was there before, along by
 * a whole number of rows, or of columns. A picture of another place or size than both that are kept takes
 * the place of the older one. */
bool spice_shift_finder_look(SpiceShiftFinder *self, const SpiceRect *box, const uint8_t *pixels,
                             ptrdiff_t stride);
