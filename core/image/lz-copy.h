/* What the decoders of LZ and GLZ do with memory: literals put there, matches copied. Internal.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "always-inline.h"
#include "bytes.h"
#include "rows.h"

/* What one unit of a pass is on the wire and in memory. */
typedef enum {
    UNIT_BYTE,      /* index bytes, alpha plane */
    UNIT_ALPHA,     /* a byte that goes to byte 3 of a 32-bit pixel */
    UNIT_555,       /* big endian x1r5g5b5, kept */
    UNIT_555_TO_32, /* the same, widened */
    UNIT_BGR_TO_32,
} Unit;

ALWAYS_INLINE size_t unit_wire_size(Unit unit)
{
    return unit == UNIT_BGR_TO_32 ? 3 : unit == UNIT_555 || unit == UNIT_555_TO_32 ? 2 : 1;
}

ALWAYS_INLINE size_t unit_size(Unit unit)
{
    return unit == UNIT_BYTE ? 1 : unit == UNIT_555 ? 2 : 4;
}

/* What is added to the length field of a match. */
ALWAYS_INLINE size_t unit_bias(Unit unit)
{
    return unit == UNIT_BGR_TO_32 ? 0 : unit == UNIT_555 || unit == UNIT_555_TO_32 ? 1 : 2;
}

enum {
    MAX_LITERAL = 32,
    WILD = 64, /* fast copies may write that many bytes past their end, or read so many */
};

/* --- literals --- */

/* Stays within the `n` units on both sides. */
ALWAYS_INLINE void put_literal(Unit unit, uint8_t *out, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t x;

        switch (unit) {
        case UNIT_BYTE:
            out[i] = in[i];
            break;
        case UNIT_ALPHA:
            out[4 * i + 3] = in[i];
            break;
        case UNIT_555:
            spice_store16(out + 2 * i, (uint16_t)((in[2 * i] & 0x7f) << 8 | in[2 * i + 1]));
            break;
        case UNIT_555_TO_32:
            x = (uint32_t)in[2 * i] << 8 | in[2 * i + 1];
            spice_store32(out + 4 * i, spice_555_to_32(x));
            break;
        case UNIT_BGR_TO_32:
            x = (uint32_t)in[3 * i] | (uint32_t)in[3 * i + 1] << 8 | (uint32_t)in[3 * i + 2] << 16;
            spice_store32(out + 4 * i, x);
            break;
        }
    }
}

/* May read and write up to WILD bytes too many. */
ALWAYS_INLINE void put_literal_wild(Unit unit, uint8_t *out, const uint8_t *in, size_t n)
{
    if (unit == UNIT_BYTE) {
        memcpy(out, in, 16);
        if (n > 16)
            memcpy(out + 16, in + 16, 16);
    } else if (unit == UNIT_BGR_TO_32) {
        for (size_t i = 0; i < n; i += 4, in += 12, out += 16) {
            uint64_t x = spice_load64(in), y = spice_load64(in + 6);

            spice_store64(out, (x & 0xffffff) | (x << 8 & 0x00ffffff00000000));
            spice_store64(out + 8, (y & 0xffffff) | (y << 8 & 0x00ffffff00000000));
        }
    } else {
        put_literal(unit, out, in, n);
    }
}

/* --- matches --- */

/* Copies `n` bytes from `distance` bytes before `out`, as if byte by byte. May write up to WILD
 * bytes too many. */
ALWAYS_INLINE void repeat_wild(uint8_t *out, size_t distance, size_t n)
{
    const uint8_t *from = out - distance;
    uint8_t *const end = out + n;
    uint8_t pattern[16];
    size_t step;

    if (distance >= 16) {
        do {
            memcpy(pattern, from, 16);
            memcpy(out, pattern, 16);
            memcpy(pattern, from + 16, 16);
            memcpy(out + 16, pattern, 16);
            from += 32;
            out += 32;
        } while (out < end);
        return;
    }
    if (n <= 8) { /* not worth a pattern */
        for (size_t i = 0; i < n; i++)
            out[i] = from[i];
        return;
    }
    step = 16 - 16 % distance;
    if (distance == 4) {
        memcpy(pattern, from, 4);
        memcpy(pattern + 4, pattern, 4);
        memcpy(pattern + 8, pattern, 8);
    } else if (distance == 8) {
        memcpy(pattern, from, 8);
        memcpy(pattern + 8, from, 8);
    } else {
        for (size_t i = 0, j = 0; i < 16; i++) {
            pattern[i] = from[j];
            j = j + 1 == distance ? 0 : j + 1;
        }
    }
    do {
        memcpy(out, pattern, 16);
        memcpy(out + step, pattern, 16);
        out += 2 * step;
    } while (out < end);
}

/* The same within bounds; and for alpha bytes, which leave the colours alone. */
ALWAYS_INLINE void repeat(Unit unit, uint8_t *out, ptrdiff_t distance, size_t n)
{
    const uint8_t *from = out - distance;

    if (unit == UNIT_ALPHA) {
        for (size_t i = 0; i < 4 * n; i += 4)
            out[i + 3] = from[i + 3];
    } else {
        for (size_t i = 0; i < unit_size(unit) * n; i++)
            out[i] = from[i];
    }
}

/* Alpha bytes `distance` pixels back, two pixels at a time. */
ALWAYS_INLINE void repeat_alpha(uint8_t *out, size_t distance, size_t n)
{
    const uint64_t colours = 0x00ffffff00ffffff;
    const uint8_t *from = out - 4 * distance;
    size_t i = 0;

    if (distance == 1) {
        uint64_t alpha = (uint64_t)from[3] << 24 | (uint64_t)from[3] << 56;

        for (; i + 2 <= n; i += 2)
            spice_store64(out + 4 * i, (spice_load64(out + 4 * i) & colours) | alpha);
    } else {
        for (; i + 2 <= n; i += 2)
            spice_store64(out + 4 * i, (spice_load64(out + 4 * i) & colours) |
                                           (spice_load64(from + 4 * i) & ~colours));
    }
    if (i < n)
        out[4 * i + 3] = from[4 * i + 3];
}

/* --- from elsewhere --- */

/* The colours of `n` pixels of another image; the fourth byte becomes 0. */
ALWAYS_INLINE void take_colours(uint8_t *out, const uint8_t *from, size_t n)
{
    spice_row_clear_alpha(out, from, n);
}

/* Their alpha; the colours stay. */
ALWAYS_INLINE void take_alpha(uint8_t *out, const uint8_t *from, size_t n)
{
    const uint64_t colours = 0x00ffffff00ffffff;
    size_t i = 0;

    for (; i + 2 <= n; i += 2)
        spice_store64(out + 4 * i, (spice_load64(out + 4 * i) & colours) |
                                       (spice_load64(from + 4 * i) & ~colours));
    if (i < n)
        out[4 * i + 3] = from[4 * i + 3];
}
