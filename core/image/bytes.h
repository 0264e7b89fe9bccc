/* Unaligned little-endian loads and stores. Compilers turn each into one instruction.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SPICE_LE16(x) __builtin_bswap16(x)
#define SPICE_LE32(x) __builtin_bswap32(x)
#define SPICE_LE64(x) __builtin_bswap64(x)
#else
#define SPICE_LE16(x) (x)
#define SPICE_LE32(x) (x)
#define SPICE_LE64(x) (x)
#endif

static inline uint16_t spice_load16(const uint8_t *p)
{
    uint16_t x;

    memcpy(&x, p, sizeof x);
    return SPICE_LE16(x);
}

static inline uint32_t spice_load32(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return SPICE_LE32(x);
}

static inline uint64_t spice_load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return SPICE_LE64(x);
}

static inline void spice_store16(uint8_t *p, uint16_t x)
{
    x = SPICE_LE16(x);
    memcpy(p, &x, sizeof x);
}

static inline void spice_store32(uint8_t *p, uint32_t x)
{
    x = SPICE_LE32(x);
    memcpy(p, &x, sizeof x);
}

static inline void spice_store64(uint8_t *p, uint64_t x)
{
    x = SPICE_LE64(x);
    memcpy(p, &x, sizeof x);
}

/** Big endian: the order of all numbers inside LZ and GLZ data. */
static inline uint32_t spice_load32_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void spice_store32_be(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}
