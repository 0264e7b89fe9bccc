/* Indices into a palette, unfolded to 32-bit pixels.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** How indices are packed, in the numbers of SPICE_BITMAP_FMT_* and of the LZ palette types. */
typedef enum {
    SPICE_INDEX_1_LE = 1, /* bit 0 is the leftmost pixel */
    SPICE_INDEX_1_BE = 2, /* bit 7 is the leftmost pixel */
    SPICE_INDEX_4_LE = 3, /* the low nibble is the left pixel */
    SPICE_INDEX_4_BE = 4,
    SPICE_INDEX_8 = 5,
} SpiceIndexFormat;

/** Writes `width` x `height` pixels: `entries[index]` as it is (0x00RRGGBB, or whatever the caller
 * made of the palette). An index without an entry gives 0; a four-bit index is first taken modulo
 * `n_entries`, as the field's clients do. Strides in bytes, either may be negative. Rows of
 * indices hold ceil(width / pixels a byte) bytes. */
void spice_palette_expand(SpiceIndexFormat format, const uint32_t *entries, size_t n_entries,
                          uint32_t width, uint32_t height, const uint8_t *indices,
                          ptrdiff_t indices_stride, uint8_t *pixels, ptrdiff_t pixels_stride);
