/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/video/halve.h"

#include <string.h>

static uint32_t load(const uint8_t *row, uint32_t x)
{
    uint32_t pixel;

    memcpy(&pixel, row + (size_t)x * 4, sizeof pixel);
    return pixel;
}

/** Two bytes of each of four pixels, in the even places. */
static uint32_t mean(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t even = 0x00ff00ff, round = 0x00020002;

    return ((a & even) + (b & even) + (c & even) + (d & even) + round) >> 2 & even;
}

void spice_halve(const uint8_t *top, ptrdiff_t stride, uint32_t width, uint32_t height,
                 uint32_t *half)
{
    for (uint32_t y = 0; y < height; y += 2) {
        const uint8_t *row = top + stride * (ptrdiff_t)y;
        const uint8_t *below = y + 1 < height ? row + stride : row;

        for (uint32_t x = 0; x < width; x += 2) {
            const uint32_t next = x + 1 < width ? x + 1 : x;
            const uint32_t a = load(row, x), b = load(row, next);
            const uint32_t c = load(below, x), d = load(below, next);

            *half++ = mean(a, b, c, d) | mean(a >> 8, b >> 8, c >> 8, d >> 8) << 8;
        }
    }
}
