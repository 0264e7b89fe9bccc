/* Blocks of a device's byte stream under LZ4, as COMPRESSED_DATA carries them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that a block may be once it is unpacked; the peer's word for it is compared with this
 * before memory is taken. No less than any peer sends. */
enum { SPICE_VMC_MAX_BLOCK = (1 << 20) + (64 << 10) };

/** Packs a block. The bytes written to `out`, or 0 if they would not be fewer than `capacity`, or
 * there are none, or more than a block may have. */
size_t spice_vmc_block_pack(const uint8_t *data, size_t size, uint8_t *out, size_t capacity);

/** Unpacks a block that is said to have `size` bytes, 1 to SPICE_VMC_MAX_BLOCK, to `out`. False if it
 * is damaged or has another number of bytes. */
bool spice_vmc_block_unpack(const uint8_t *data, size_t packed_size, uint8_t *out, size_t size);
