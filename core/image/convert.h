/* From a picture's working format to the format of the surface that it is drawn on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/arena.h"

#include "pixels.h"

/** Writes the pixels of `source` into `target`, which has the same size and another format, by
 * the exact rules of the SPICE protocol, "Conversion to the surface's format". False and
 * UNSUPPORTED for a pair that the protocol does not know (a1, or from 565). */
bool spice_pixels_convert(const SpicePixels *target, const SpicePixels *source, SpiceError *error);

/** Makes `taken` hold the pixels of `source` in memory of `scratch`, converted to `format` unless
 * they may stay raw (then the format stays too). False and LIMIT if scratch has no more. */
bool spice_pixels_take(SpicePixels *taken, const SpicePixels *source, pixman_format_code_t format,
                       SpiceArena *scratch, SpiceError *error);

/** New zeroed pixels from `scratch`. */
bool spice_pixels_new(SpicePixels *pixels, pixman_format_code_t format, int32_t width,
                      int32_t height, SpiceArena *scratch, SpiceError *error);
