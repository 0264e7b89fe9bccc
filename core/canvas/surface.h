/* A surface: pixels that are drawn on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/picture.h"

/** The format of a SPICE_SURFACE_FMT_* value; 0 if there is no such value. */
pixman_format_code_t spice_surface_pixman_format(uint32_t surface_format);

/** A new surface, all zero bits, owned by one reference. NULL and *error: VALUE for an unknown
 * format or no pixels, LIMIT for too many, MEMORY. */
SpicePicture *spice_surface_create(const SpiceAllocator *allocator, uint32_t surface_format,
                                   uint32_t width, uint32_t height, SpiceError *error);

/** Bytes that such a surface takes, after the same checks; 0 and *error if it is refused. */
uint64_t spice_surface_size(uint32_t surface_format, uint32_t width, uint32_t height,
                            SpiceError *error);

/** Makes `pixels` name a surface in memory of somebody else, for example a guest's: `data` is its
 * top row, `stride` (negative if it is stored bottom-up) reaches the next. Both must be divisible
 * by four, and rows must not overlap. That the memory is there is the caller's to know. */
bool spice_surface_wrap(SpicePixels *pixels, uint32_t surface_format, uint32_t width,
                        uint32_t height, uint8_t *data, ptrdiff_t stride, SpiceError *error);
