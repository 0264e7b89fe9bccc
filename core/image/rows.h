/* Conversions of rows of pixels. Each works on 16 pixels at once in arrays that a compiler keeps in
 * vector registers, and then on those left over.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>

#include "bytes.h"

enum { SPICE_ROW_BLOCK = 16 };

static inline uint32_t spice_555_to_bytes(uint32_t x)
{
    return (x & 0x7c00) << 6 | (x & 0x03e0) << 3 | (x & 0x001f);
}

static inline uint32_t spice_555_to_32(uint32_t x)
{
    uint32_t high = spice_555_to_bytes(x) << 3;

    return high | (high >> 5 & 0x070707);
}

/** x1r5g5b5 to 32 bits a pixel with 5-bit values in bytes (0 R G B). */
static inline void spice_row_unpack_555(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint16_t from[SPICE_ROW_BLOCK];
        uint32_t to[SPICE_ROW_BLOCK];

        memcpy(from, in + 2 * x, sizeof from);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++)
            to[i] = SPICE_LE32(spice_555_to_bytes(SPICE_LE16(from[i])));
        memcpy(out + 4 * x, to, sizeof to);
    }
    for (; x < width; x++)
        spice_store32(out + 4 * x, spice_555_to_bytes(spice_load16(in + 2 * x)));
}

/** The reverse. */
static inline void spice_row_pack_555(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint32_t from[SPICE_ROW_BLOCK];
        uint16_t to[SPICE_ROW_BLOCK];

        memcpy(from, in + 4 * x, sizeof from);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++) {
            uint32_t p = SPICE_LE32(from[i]);

            to[i] = SPICE_LE16((uint16_t)((p >> 6 & 0x7c00) | (p >> 3 & 0x03e0) | (p & 0x001f)));
        }
        memcpy(out + 2 * x, to, sizeof to);
    }
    for (; x < width; x++) {
        uint32_t p = spice_load32(in + 4 * x);

        spice_store16(out + 2 * x,
                      (uint16_t)((p >> 6 & 0x7c00) | (p >> 3 & 0x03e0) | (p & 0x001f)));
    }
}

/** 5-bit values in bytes to 8-bit ones. */
static inline void spice_row_widen(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint32_t p[SPICE_ROW_BLOCK];

        memcpy(p, in + 4 * x, sizeof p);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++)
            p[i] = (p[i] << 3 & 0xf8f8f8f8) | (p[i] >> 2 & 0x07070707);
        memcpy(out + 4 * x, p, sizeof p);
    }
    for (; x < width; x++) {
        uint32_t p = spice_load32(in + 4 * x);

        spice_store32(out + 4 * x, (p << 3 & 0xf8f8f8f8) | (p >> 2 & 0x07070707));
    }
}

/** The fourth bytes of 32-bit pixels. */
static inline void spice_row_take_alpha(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint32_t from[SPICE_ROW_BLOCK];
        uint8_t to[SPICE_ROW_BLOCK];

        memcpy(from, in + 4 * x, sizeof from);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++)
            to[i] = (uint8_t)(SPICE_LE32(from[i]) >> 24);
        memcpy(out + x, to, sizeof to);
    }
    for (; x < width; x++)
        out[x] = in[4 * x + 3];
}

/** Pixels whose fourth byte is 0, with `alpha` for it. */
static inline void spice_row_join_alpha(uint8_t *out, const uint8_t *in, const uint8_t *alpha,
                                        size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint32_t pixels[SPICE_ROW_BLOCK];
        uint8_t from[SPICE_ROW_BLOCK];

        memcpy(pixels, in + 4 * x, sizeof pixels);
        memcpy(from, alpha + x, sizeof from);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++)
            pixels[i] |= SPICE_LE32((uint32_t)from[i] << 24);
        memcpy(out + 4 * x, pixels, sizeof pixels);
    }
    for (; x < width; x++)
        spice_store32(out + 4 * x, spice_load32(in + 4 * x) | (uint32_t)alpha[x] << 24);
}

/** 32-bit pixels with 0 for the fourth byte. `out` may be `in`. */
static inline void spice_row_clear_alpha(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + SPICE_ROW_BLOCK <= width; x += SPICE_ROW_BLOCK) {
        uint32_t p[SPICE_ROW_BLOCK];

        memcpy(p, in + 4 * x, sizeof p);
        for (int i = 0; i < SPICE_ROW_BLOCK; i++)
            p[i] &= SPICE_LE32(0x00ffffffu);
        memcpy(out + 4 * x, p, sizeof p);
    }
    for (; x < width; x++)
        spice_store32(out + 4 * x, spice_load32(in + 4 * x) & 0xffffff);
}

/** Three bytes a pixel to four, the fourth 0. */
static inline void spice_row_spread_24(uint8_t *out, const uint8_t *in, size_t width)
{
    size_t x = 0;

    for (; x + 3 <= width; x += 2) { /* eight bytes are read for two pixels */
        uint64_t two = spice_load64(in + 3 * x);

        spice_store64(out + 4 * x, (two & 0xffffff) | (two << 8 & 0x00ffffff00000000));
    }
    for (; x < width; x++)
        spice_store32(out + 4 * x, (uint32_t)in[3 * x] | (uint32_t)in[3 * x + 1] << 8 |
                                       (uint32_t)in[3 * x + 2] << 16);
}
