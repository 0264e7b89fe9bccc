/* Little-endian integers at unaligned addresses, which is all that the protocol knows.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

static inline uint16_t spice_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t spice_get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static inline uint64_t spice_get_u64(const uint8_t *from)
{
    return (uint64_t)spice_get_u32(from) | (uint64_t)spice_get_u32(from + 4) << 32;
}

static inline void spice_put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void spice_put_u32(uint8_t *to, uint32_t value)
{
    spice_put_u16(to, (uint16_t)value);
    spice_put_u16(to + 2, (uint16_t)(value >> 16));
}

static inline void spice_put_u64(uint8_t *to, uint64_t value)
{
    spice_put_u32(to, (uint32_t)value);
    spice_put_u32(to + 4, (uint32_t)(value >> 32));
}
