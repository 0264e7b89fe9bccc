/* Uncompressed images: every SPICE_BITMAP_FMT_*, either direction, any stride.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/draw.h"

#include "picture.h"

/** The working format that a bitmap unfolds to when it is meant for a surface of `surface_format`
 * (SPICE protocol, "Source images"): 16BIT x1r5g5b5, 24BIT and 32BIT x8r8g8b8, RGBA a8r8g8b8,
 * 8BIT_A a8; indexed ones x8r8g8b8 on 32-bit surfaces and x1r5g5b5 on 16_555, as their palettes
 * hold raw pixels of the surface. 0 if there is none: unknown format, or indexed on another
 * surface. */
pixman_format_code_t spice_bitmap_working_format(uint8_t bitmap_format,
                                                 pixman_format_code_t surface_format);

/** Whether the format holds indices into a palette. */
static inline bool spice_bitmap_is_indexed(uint8_t bitmap_format)
{
    return bitmap_format >= SPICE_BITMAP_FMT_1BIT_LE && bitmap_format <= SPICE_BITMAP_FMT_8BIT;
}

/** Unfolds a BITMAP image into a new picture of the working format; HIGH_BITS_SET is the caller's
 * to apply. Indices unfold as palette.h says. `palette` is the one that the image names (NULL if it
 * has none or it is not needed). NULL and *error: VALUE for a format, palette or stride that does
 * not fit, TRUNCATED if the data end before the last row, LIMIT, MEMORY. */
SpicePicture *spice_bitmap_read(const SpiceImage *image, const SpicePalette *palette,
                                pixman_format_code_t surface_format,
                                const SpiceAllocator *allocator, SpiceError *error);

/** Unfolds a BITMAP image that is used as a mask, which must be 1BIT_LE or 1BIT_BE, into an a1
 * picture: the bits as they are, not inverted. */
SpicePicture *spice_bitmap_read_mask(const SpiceImage *image, const SpiceAllocator *allocator,
                                     SpiceError *error);

/** Points `pixels` at the rows inside the message if they can be used as they lie there (16BIT,
 * 32BIT, RGBA, 8BIT_A), which saves a copy. Nothing may be written through it, and it is likely
 * to be unaligned. False without an error if the image has to be read. */
bool spice_bitmap_borrow(const SpiceImage *image, SpicePixels *pixels);
