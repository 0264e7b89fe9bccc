/* A stroke's path as polylines of whole pixels.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/arena.h"
#include "core/wire/draw.h"

/* Points of a path after its curves were cut to lines. Beyond: LIMIT. */
enum { SPICE_MAX_PATH_POINTS = 1 << 20 };

/** Polyline i goes from points[i ? ends[i - 1] : 0] to points[ends[i] - 1]. */
typedef struct {
    SpicePoint *points;
    uint32_t *ends;
    uint32_t n_lines;
} SpicePolylines;

/** Rounds the points, cuts Bezier curves and closes what is to be closed (SPICE protocol, "Path to
 * integer polylines"). The result is in `scratch`. VALUE for a curve that lacks points. */
bool spice_path_flatten(SpicePolylines *polylines, const SpicePath *path, SpiceArena *scratch,
                        SpiceError *error);
