/* Images of type JPEG and JPEG_ALPHA, by libjpeg-turbo's TurboJPEG interface, which keeps its error
 * jumps to itself.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"
#include "core/wire/arena.h"
#include "core/wire/error.h"

typedef struct SpiceJpeg SpiceJpeg;

/** A coder for both directions and one image at a time. Its own memory comes from `allocator`,
 * which must outlive it; TurboJPEG takes its own from malloc(). NULL if either refuses. */
SpiceJpeg *spice_jpeg_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu);
void spice_jpeg_free(SpiceJpeg *jpeg);

/** Decodes a JPEG file of exactly `width` x `height` pixels (from the image's descriptor, checked
 * by the caller) into rows of 32-bit pixels, byte 3 is 0. `top` is the top row, `stride` the step
 * to the row below. False if it is not a complete JPEG of that size in colour or grey; the picture
 * is then perhaps partly written. A progressive file may have 500 scans. */
bool spice_jpeg_decode(SpiceJpeg *jpeg, const uint8_t *data, size_t size, uint32_t width,
                       uint32_t height, uint8_t *top, ptrdiff_t stride, SpiceError *error);

/** JPEG_ALPHA: `jpeg_size` bytes of JPEG, then the alpha plane as LZ, with `flags` as in the
 * image's descriptor. Byte 3 of the pixels becomes the alpha. */
bool spice_jpeg_alpha_decode(SpiceJpeg *jpeg, uint8_t flags, uint32_t jpeg_size,
                             const uint8_t *data, size_t size, uint32_t width, uint32_t height,
                             uint8_t *top, ptrdiff_t stride, SpiceError *error);

/** An uncompressed picture. */
typedef struct {
    uint8_t format;         /* SPICE_BITMAP_FMT_16BIT, 24BIT, 32BIT or RGBA */
    uint32_t width, height; /* at most 65500 each */
    const uint8_t *top;
    ptrdiff_t stride;
} SpiceJpegSource;

/** Encodes the colours of `source` with 4:2:0 subsampling and `quality` of 1 to 100 (the field's
 * servers take 85). The bytes written, or 0 if they would be more than `capacity`, or it failed. */
size_t spice_jpeg_encode(SpiceJpeg *jpeg, const SpiceJpegSource *source, int quality, uint8_t *out,
                         size_t capacity);

/** The same and the alpha plane behind it; `source` is RGBA. *jpeg_size and *flags are for the
 * image's descriptor. */
size_t spice_jpeg_alpha_encode(SpiceJpeg *jpeg, const SpiceJpegSource *source, int quality,
                               uint8_t *out, size_t capacity, uint32_t *jpeg_size, uint8_t *flags);
