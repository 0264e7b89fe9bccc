/* Operands of a draw, brought to where drawing loops can use them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "canvas.h"

/** Makes `pixels` hold the operand in the pixel format of `dest`, raw: converted into `scratch`
 * where the format demands it, a copy where it shares memory with `dest`. A surface of another
 * depth is VALUE; a1 is UNSUPPORTED. */
bool spice_operand_for(SpicePixels *pixels, const SpiceCanvasImage *image, const SpicePixels *dest,
                       SpiceArena *scratch, SpiceError *error);

/** The same for the part of the image that `part` names, which must lie inside. */
bool spice_operand_part_for(SpicePixels *pixels, const SpiceCanvasImage *image,
                            const pixman_box32_t *part, const SpicePixels *dest,
                            SpiceArena *scratch, SpiceError *error);

/** An unscaled source: initialises `covered` with the part of `region` that has a source pixel, the
 * others being left as they are, and makes `pixels` what belongs to the extents of `covered` (not
 * set if that is empty). The caller ends `covered`, also after a failure. */
bool spice_operand_unscaled(SpicePixels *pixels, pixman_region32_t *covered,
                            const pixman_region32_t *region, const SpiceRect *box,
                            const SpiceCanvasImage *source, const SpiceRect *source_area,
                            const SpicePixels *dest, SpiceArena *scratch, SpiceError *error);

/** Makes `pixels` the operand as it is, without conversion, but aligned and in memory of its own
 * where it shares that of `dest`: for pixman. */
bool spice_operand_raw(SpicePixels *pixels, const SpicePixels *operand, const SpicePixels *dest,
                       SpiceArena *scratch, SpiceError *error);

/** Wraps pixels for pixman; NULL and MEMORY if it cannot. They must be aligned. */
pixman_image_t *spice_operand_pixman(const SpicePixels *pixels, SpiceError *error);

/** A brush for many boxes: a constant, or a tile. */
typedef struct {
    SpiceRop rop;
    bool tiled;
    SpiceRopConstant constant; /* repeated to 32 bits */
    SpicePixels tile;
    SpicePoint position;
} SpiceFill;

/** Prepares dest = rop(brush, dest). */
bool spice_fill_prepare(SpiceFill *fill, const SpicePixels *dest, const SpiceCanvasBrush *brush,
                        SpiceRop rop, SpiceArena *scratch, SpiceError *error);

/** Fills a box that lies inside `dest`. */
void spice_fill_box(const SpiceFill *fill, const SpicePixels *dest, const pixman_box32_t *box);

/** Fills the part of `box` that lies in the region; the box may lie anywhere. Bands are found by
 * bisection, so that many small boxes do not walk the whole region each. */
void spice_fill_box_in_region(const SpiceFill *fill, const SpicePixels *dest,
                              const pixman_region32_t *region, const pixman_box32_t *box);

/** The pixel row of a tile for the surface row `y`, and where in it column `x` begins. */
const uint8_t *spice_fill_tile_row(const SpiceFill *fill, int32_t x, int32_t y, int32_t *column);
