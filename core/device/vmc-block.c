/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmc-block.h"

#include <limits.h>
#include <lz4.h>

size_t spice_vmc_block_pack(const uint8_t *data, size_t size, uint8_t *out, size_t capacity)
{
    int n;

    if (size == 0 || size > SPICE_VMC_MAX_BLOCK || capacity == 0)
        return 0;
    n = LZ4_compress_default((const char *)data, (char *)out, (int)size,
                             capacity > INT_MAX ? INT_MAX : (int)capacity);
    return n > 0 && (size_t)n < capacity ? (size_t)n : 0;
}

bool spice_vmc_block_unpack(const uint8_t *data, size_t packed_size, uint8_t *out, size_t size)
{
    if (size == 0 || size > SPICE_VMC_MAX_BLOCK || packed_size == 0 || packed_size > INT_MAX)
        return false;
    return LZ4_decompress_safe((const char *)data, (char *)out, (int)packed_size, (int)size) ==
           (int)size;
}
