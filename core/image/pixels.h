/* Pixels in somebody's memory: what drawing reads and writes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pixman.h>

#include "core/wire/error.h"

/* The most pixels of one image or surface, and the longest side: pixman silently paints nothing
 * when an image that it has to scale or blend is longer. */
enum { SPICE_MAX_PIXELS = 64 << 20, SPICE_MAX_SIDE = 32766 };

/** A rectangle of pixels. The format is one of
 *
 *     PIXMAN_a1        1 bit, the leftmost pixel in the least significant bit: masks, 1_A
 *     PIXMAN_a8        8_A
 *     PIXMAN_x1r5g5b5  16_555
 *     PIXMAN_r5g6b5    16_565
 *     PIXMAN_x8r8g8b8  32_xRGB: opaque; the top byte is stored all the same
 *     PIXMAN_a8r8g8b8  32_ARGB, premultiplied
 *
 * Pixels are little-endian words. What is painted on, and masks, must have `data` and `stride`
 * divisible by four; pictures that are only read need not (a message's body is not aligned). */
typedef struct {
    pixman_format_code_t format;
    int32_t width, height; /* 1 to SPICE_MAX_SIDE */
    ptrdiff_t stride;      /* bytes from a row to the one below; negative: stored bottom-up */
    uint8_t *data;         /* the top row */
} SpicePixels;

static inline int spice_pixels_bits(const SpicePixels *pixels)
{
    return (int)PIXMAN_FORMAT_BPP(pixels->format);
}

static inline uint8_t *spice_pixels_row(const SpicePixels *pixels, int32_t y)
{
    return pixels->data + pixels->stride * y;
}

/** Bytes that a row's pixels take. */
static inline size_t spice_pixels_row_size(pixman_format_code_t format, int32_t width)
{
    return ((size_t)width * PIXMAN_FORMAT_BPP(format) + 7) / 8;
}

/** Whether pixels of one format are stored unchanged where the other is wanted: x8r8g8b8 and
 * a8r8g8b8 mix raw (SPICE protocol, "Conversion to the surface's format"). */
static inline bool spice_pixels_raw_equal(pixman_format_code_t a, pixman_format_code_t b)
{
    return a == b || (PIXMAN_FORMAT_BPP(a) == 32 && PIXMAN_FORMAT_BPP(b) == 32);
}

static inline bool spice_pixels_aligned(const SpicePixels *pixels)
{
    return ((uintptr_t)pixels->data & 3) == 0 && (pixels->stride & 3) == 0;
}

/** The part of `pixels` that `box` names, which must lie inside; not for a1. */
static inline SpicePixels spice_pixels_part(const SpicePixels *pixels, const pixman_box32_t *box)
{
    SpicePixels part = *pixels;

    part.width = box->x2 - box->x1;
    part.height = box->y2 - box->y1;
    part.data =
        spice_pixels_row(pixels, box->y1) + (size_t)box->x1 * PIXMAN_FORMAT_BPP(part.format) / 8;
    return part;
}

/** Whether a picture of this size may exist; false and VALUE for none, LIMIT for too large. */
bool spice_pixels_check_size(uint32_t width, uint32_t height, SpiceError *error);
