/* Images of type LZ4: two bytes of description and raw LZ4 blocks, by liblz4.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/wire/arena.h"
#include "core/wire/error.h"

/** Pixel formats in the numbers of SPICE_BITMAP_FMT_*. Others cannot be sent as LZ4: the field's
 * clients do not take them. */
typedef enum {
    SPICE_LZ4_16BIT = 6, /* x1r5g5b5, little endian */
    SPICE_LZ4_24BIT = 7, /* bytes B G R */
    SPICE_LZ4_32BIT = 8, /* bytes B G R x */
    SPICE_LZ4_RGBA = 9,  /* bytes B G R A */
} SpiceLz4Format;

typedef struct SpiceLz4 SpiceLz4;

/** A coder for both directions: scratch memory that grows as images need it, and liblz4's state.
 * One image at a time. NULL if the allocator, which must outlive it, refuses. */
SpiceLz4 *spice_lz4_new(const SpiceAllocator *allocator);
void spice_lz4_free(SpiceLz4 *lz4);

/** Decodes an image of `width` x `height` pixels (from its descriptor, checked by the caller) into
 * rows of 32-bit pixels, 5-bit colours widened. `top` is the top row, `stride` the step to the row
 * below. Byte 3 is the alpha of RGBA, else 0. *format becomes the format found.
 *
 * False if the data is bad (TRUNCATED, VALUE, CORRUPT) or memory was refused (MEMORY); the picture
 * is then partly written. Data after the last pixel is ignored. */
bool spice_lz4_decode(SpiceLz4 *lz4, const uint8_t *data, size_t size, uint32_t width,
                      uint32_t height, uint8_t *top, ptrdiff_t stride, uint8_t *format,
                      SpiceError *error);

/** Encodes rows of `format` into `out`, as one block. The bytes written, or 0 if they would be more
 * than `capacity`, memory was refused, or the picture is empty or larger than 1 GiB. The direction
 * is that of the memory: bottom-up for a negative stride. */
size_t spice_lz4_encode(SpiceLz4 *lz4, uint8_t format, uint32_t width, uint32_t height,
                        const uint8_t *top, ptrdiff_t stride, uint8_t *out, size_t capacity);
