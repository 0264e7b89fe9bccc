/* What solid and dashed strokes share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "operand.h"
#include "path.h"

typedef struct {
    const SpicePixels *dest;
    const pixman_region32_t *region;
    const SpiceFill *fill;
    SpiceArena *scratch;
} SpiceStroke;

/** Paints dashed polylines. `style` is attr's: lengths in 28.4. VALUE if it has no length, LIMIT if
 * there are more dashes than anybody can see. */
bool spice_stroke_dashed(const SpiceStroke *stroke, const SpicePolylines *polylines,
                         const SpiceLineAttr *attr, SpiceError *error);
