/* Where two rows of 32-bit pixels differ.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"

/** Finds the first and the last pixel that differ. False if none does. */
typedef bool (*SpiceRowDiff)(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first,
                             uint32_t *last);

/** The fastest one that the flags allow; all find the same. */
SpiceRowDiff spice_row_diff_find(SpiceCpuFlags cpu);

/** Whether a row of at least one pixel is all of one colour. */
static inline bool spice_row_is_solid(const uint8_t *row, uint32_t n_pixels)
{
    /* each pixel equals the one before */
    return __builtin_memcmp(row, row + 4, ((size_t)n_pixels - 1) * 4) == 0;
}
