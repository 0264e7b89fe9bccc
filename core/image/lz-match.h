/* What the encoders of LZ and GLZ look for and write. Internal.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "always-inline.h"
#include "bytes.h"

enum {
    MAX_LITERAL = 32, /* units after one control byte */
    WILD_LITERALS = 16,
};

/* Units in memory. */
typedef enum {
    UNIT_BYTE,
    UNIT_555, /* two bytes, bit 15 is not looked at */
    UNIT_BGR, /* four bytes, the last is not looked at */
} Unit;

ALWAYS_INLINE size_t unit_size(Unit unit)
{
    return unit == UNIT_BYTE ? 1 : unit == UNIT_555 ? 2 : 4;
}

ALWAYS_INLINE size_t unit_wire_size(Unit unit)
{
    return unit == UNIT_BYTE ? 1 : unit == UNIT_555 ? 2 : 3;
}

ALWAYS_INLINE size_t unit_bias(Unit unit)
{
    return unit == UNIT_BYTE ? 2 : unit == UNIT_555 ? 1 : 0;
}

/* The bits that count, in eight bytes of units. */
ALWAYS_INLINE uint64_t unit_mask(Unit unit)
{
    return unit == UNIT_BYTE  ? UINT64_MAX
           : unit == UNIT_555 ? 0x7fff7fff7fff7fff
                              : 0x00ffffff00ffffff;
}

/* Units that a hash covers: enough that a match of them pays. */
ALWAYS_INLINE size_t unit_hashed(Unit unit)
{
    return unit == UNIT_BGR ? 2 : 3;
}

/* The units that a hash covers, of eight bytes, with all their bits mixed into each; best on top.
 */
ALWAYS_INLINE uint64_t unit_mix(Unit unit, uint64_t units)
{
    units = (units & unit_mask(unit)) << (64 - 8 * unit_hashed(unit) * unit_size(unit));
    return units * 0x9e3779b97f4a7c15;
}

ALWAYS_INLINE uint32_t hash_of(Unit unit, uint64_t units, int bits)
{
    return (uint32_t)(unit_mix(unit, units) >> (64 - bits));
}

ALWAYS_INLINE uint32_t hash(Unit unit, const uint8_t *p, int bits)
{
    return hash_of(unit, spice_load64(p), bits);
}

/* The bits of eight bytes that have to agree if a match is to save anything. */
ALWAYS_INLINE uint64_t worthwhile_mask(Unit unit, bool after_match)
{
    if (unit == UNIT_BYTE)
        return 0xffffff;
    if (unit == UNIT_555)
        return 0x7fff7fff7fff; /* two save little, and one more token costs time */
    /* one pixel saves a byte, but amid literals it costs one */
    return after_match ? 0x00ffffff : 0x00ffffff00ffffff;
}

/* Equal units at `a` and `b`, at most `limit`. */
ALWAYS_INLINE size_t equal_units(Unit unit, const uint8_t *a, const uint8_t *b, size_t limit)
{
    const size_t size = unit_size(unit), at_once = 8 / size;
    const uint64_t mask = unit_mask(unit);
    size_t n = 0;

    while (limit - n >= 4 * at_once) {
        const uint8_t *p = a + n * size, *q = b + n * size;
        uint64_t x0 = (spice_load64(p) ^ spice_load64(q)) & mask;
        uint64_t x1 = (spice_load64(p + 8) ^ spice_load64(q + 8)) & mask;
        uint64_t x2 = (spice_load64(p + 16) ^ spice_load64(q + 16)) & mask;
        uint64_t x3 = (spice_load64(p + 24) ^ spice_load64(q + 24)) & mask;

        if (x0 | x1 | x2 | x3) {
            if (x0)
                return n + (size_t)__builtin_ctzll(x0) / (8 * size);
            if (x1)
                return n + at_once + (size_t)__builtin_ctzll(x1) / (8 * size);
            if (x2)
                return n + 2 * at_once + (size_t)__builtin_ctzll(x2) / (8 * size);
            return n + 3 * at_once + (size_t)__builtin_ctzll(x3) / (8 * size);
        }
        n += 4 * at_once;
    }
    while (n < limit) {
        uint64_t x = 0, y = 0;

        memcpy(&x, a + n * size, size);
        memcpy(&y, b + n * size, size);
        if ((SPICE_LE64(x) ^ SPICE_LE64(y)) & mask)
            break;
        n++;
    }
    return n;
}

/* The same where it is known how the first eight bytes differ (but for bits that do not count). */
ALWAYS_INLINE size_t equal_units_from(Unit unit, const uint8_t *a, const uint8_t *b, size_t limit,
                                      uint64_t differs)
{
    const size_t size = unit_size(unit), first = 8 / size;
    size_t n;

    if (differs) {
        n = (size_t)__builtin_ctzll(differs) / (8 * size);
        return n < limit ? n : limit;
    }
    if (limit <= first)
        return limit;
    return first + equal_units(unit, a + 8, b + 8, limit - first);
}

/* Writes `n` units from `p` as literals. The caller has seen that they fit. */
ALWAYS_INLINE uint8_t *put_literals(Unit unit, uint8_t *out, const uint8_t *p, size_t n)
{
    while (n) {
        size_t piece = n < MAX_LITERAL ? n : MAX_LITERAL;

        *out++ = (uint8_t)(piece - 1);
        for (size_t i = 0; i < piece; i++) {
            if (unit == UNIT_BYTE) {
                *out++ = p[i];
            } else if (unit == UNIT_555) {
                *out++ = p[2 * i + 1] & 0x7f;
                *out++ = p[2 * i];
            } else {
                *out++ = p[4 * i];
                *out++ = p[4 * i + 1];
                *out++ = p[4 * i + 2];
            }
        }
        p += piece * unit_size(unit);
        n -= piece;
    }
    return out;
}

/* Eight bytes of units as they are on the wire, from the lowest byte on. */
ALWAYS_INLINE uint64_t wire_units(Unit unit, uint64_t x)
{
    if (unit == UNIT_555)
        return (x & 0x00ff00ff00ff00ff) << 8 | (x >> 8 & 0x007f007f007f007f);
    if (unit == UNIT_BGR)
        return (x & 0xffffff) | (x >> 8 & 0xffffff000000);
    return x;
}

/* The same, faster, where eight bytes may be read at each unit and WILD_LITERALS more may be
 * written than are. */
ALWAYS_INLINE uint8_t *put_literals_wild(Unit unit, uint8_t *out, const uint8_t *p, size_t n)
{
    while (n) {
        const size_t piece = n < MAX_LITERAL ? n : MAX_LITERAL, at_once = 8 / unit_size(unit);

        *out++ = (uint8_t)(piece - 1);
        for (size_t i = 0; i < piece; i += at_once) {
            uint64_t x = spice_load64(p + i * unit_size(unit));

            spice_store64(out + i * unit_wire_size(unit), wire_units(unit, x));
        }
        out += piece * unit_wire_size(unit);
        p += piece * unit_size(unit);
        n -= piece;
    }
    return out;
}

/* The same for as many units as two loads hold, or fewer, or none, without a branch. `last`
 * is the last place where eight bytes may be read. */
ALWAYS_INLINE uint8_t *put_few_literals(Unit unit, uint8_t *out, const uint8_t *p, size_t n,
                                        const uint8_t *last)
{
    const size_t at_once = 8 / unit_size(unit), wire_size = unit_wire_size(unit);
    const uint8_t *second = p + 8 < last ? p + 8 : last; /* if it is needed it is p + 8 */

    out[0] = (uint8_t)(n - 1);
    spice_store64(out + 1, wire_units(unit, spice_load64(p)));
    spice_store64(out + 1 + at_once * wire_size, wire_units(unit, spice_load64(second)));
    return out + (n ? 1 + n * wire_size : 0);
}

ALWAYS_INLINE size_t literals_size(Unit unit, size_t n)
{
    return n * unit_wire_size(unit) + (n + MAX_LITERAL - 1) / MAX_LITERAL;
}
