/* Scaling a picture to a box.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "operand.h"

/** From the box's coordinates to the source's, 16.16: source = factor * (box + 1/2) + offset. */
typedef struct {
    int64_t factor_x, factor_y, offset_x, offset_y;
} SpiceScale;

/** Whether the sizes differ. */
bool spice_is_scaled(const SpiceRect *box, const SpiceRect *source_area);

/** The scale of COPY, OPAQUE, BLEND, TRANSPARENT and ALPHA_BLEND: whole 16.16 factors, rounded
 * down. The box must not be empty. VALUE for an empty source area, LIMIT for one that is far
 * beyond any image. */
bool spice_scale_whole(SpiceScale *scale, const SpiceRect *box, const SpiceRect *source_area,
                       SpiceError *error);

/** The scale of ROP3: the factor is rounded, and the origin is rounded to a pixel of the box. */
bool spice_scale_rounded(SpiceScale *scale, const SpiceRect *box, const SpiceRect *source_area,
                         SpiceError *error);

/** Sets transform, filter and no repeat on `source`, so that its pixel (0, 0) is what belongs to
 * (x, y) of the surface. LIMIT if the part of `width` x `height` from there on reaches further than
 * pixman counts. */
bool spice_scale_apply(pixman_image_t *source, const SpiceScale *scale, const SpiceRect *box,
                       const pixman_box32_t *part, pixman_filter_t filter, SpiceError *error);

/** Scales `source` to the extents of `region` in new pixels of `scratch` with the format of
 * `dest`; pixels outside of the source are 0. `scale_mode` is SpiceImageScaleMode; VALUE for
 * another. */
bool spice_scale_take(SpicePixels *scaled, const SpicePixels *source, const SpicePixels *dest,
                      const pixman_region32_t *region, const SpiceRect *box,
                      const SpiceScale *scale, uint8_t scale_mode, SpiceArena *scratch,
                      SpiceError *error);

/** Scales `source` straight into the region of `dest`. */
bool spice_scale_paint(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpicePixels *source, const SpiceRect *box, const SpiceScale *scale,
                       uint8_t scale_mode, SpiceArena *scratch, SpiceError *error);
