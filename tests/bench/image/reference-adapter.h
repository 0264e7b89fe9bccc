/* What libreference.so (built by tests/bench/reference.sh) exports: the reference's codecs behind
 * plain functions, found by dlsym().
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* LZ: `type` as in SpiceLzType; rows without gaps, top row first. */
typedef size_t (*ReferenceLzEncode)(int type, int width, int height, int stride,
                                    const uint8_t *pixels, uint8_t *out, size_t capacity);
/* RGB types to 32 bits, RGB16 to x1r5g5b5. 0 if it failed. */
typedef int (*ReferenceLzDecode)(const uint8_t *data, size_t size, uint8_t *pixels);

/* QUIC: `type` as in its header. */
typedef size_t (*ReferenceQuicEncode)(int type, int width, int height, int stride,
                                      const uint8_t *pixels, uint8_t *out, size_t capacity);
typedef int (*ReferenceQuicDecode)(const uint8_t *data, size_t size, uint8_t *pixels, int stride);

/* GLZ: `count` pictures of one client, in order, top row first without gaps, of the same size; each
 * goes to `out` behind the other and *sizes. 0 if it failed. */
typedef int (*ReferenceGlzEncode)(int type, int width, int height, int stride,
                                  const uint8_t *const *pixels, int count, unsigned window,
                                  uint8_t *out, size_t capacity, size_t *sizes);
typedef int (*ReferenceGlzDecode)(const uint8_t *const *data, int count);
