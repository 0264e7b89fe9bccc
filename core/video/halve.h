/* A picture at half its width and height, for links that have room for no more.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Pixels of 32 bits, `width` x `height`, at least 1 x 1, become (width + 1) / 2 x (height + 1) / 2 without gaps:
 * each the mean of up to four, byte by byte. `stride` may be negative. */
void spice_halve(const uint8_t *top, ptrdiff_t stride, uint32_t width, uint32_t height,
                 uint32_t *half);
