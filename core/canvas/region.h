/* Which pixels a draw paints: box, clip, mask.
 *
 * A region is a pixman_region32_t. Every function here that takes one leaves it initialised,
 * whether it succeeds or not; the caller ends it with pixman_region32_fini().
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/pixels.h"
#include "core/wire/draw.h"

/* Rectangles of a clip, and of a region that a clip or a mask unfolds to: a few lying across
 * each other, or a chequered mask, unfold to many. Beyond: LIMIT. */
enum { SPICE_MAX_CLIP_RECTS = 1 << 16, SPICE_MAX_REGION_RECTS = 1 << 22 };

/** Initialises `region` with `clip` inside `bounds`: for RECTS the union of the rectangles, for
 * NONE all of `bounds`. VALUE for another type, LIMIT, MEMORY. */
bool spice_region_init_clip(pixman_region32_t *region, const pixman_box32_t *bounds,
                            const SpiceClip *clip, SpiceError *error);

/** Initialises `region` with the part of `dest` inside `box` and `clip`. */
bool spice_region_init_draw(pixman_region32_t *region, const SpicePixels *dest,
                            const SpiceRect *box, const SpiceClip *clip, SpiceError *error);

/** Cuts `region` down to the rectangle of `width` x `height` at (x, y), anywhere in 64 bits. */
bool spice_region_cut(pixman_region32_t *region, int64_t x, int64_t y, int64_t width,
                      int64_t height, SpiceError *error);

/** Cuts `region` down to the pixels that the mask lets through: `bits` is its a1 image; its pixel
 * (position.x, position.y) lies on the box's top left corner. With `inverted` those where it is 0;
 * outside of the image nothing gets through either way. */
bool spice_region_cut_mask(pixman_region32_t *region, const SpiceRect *box, const SpicePixels *bits,
                           SpicePoint position, bool inverted, SpiceError *error);
