/* Each pixel of a picture at half its size is the mean of those it stands for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include "core/video/halve.h"

enum { MOST = 33, PADDING = 3 };

static uint32_t next_random(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state ^ state >> 15;
}

/** The mean, rounded, of the pixels that there are; at an edge one counts for its neighbour, too. */
static uint32_t mean(const uint32_t *pixels, size_t width, size_t height, size_t x, size_t y)
{
    const size_t right = x + 1 < width ? x + 1 : x, below = y + 1 < height ? y + 1 : y;
    const size_t stride = width + PADDING;
    uint32_t result = 0;

    for (unsigned shift = 0; shift < 32; shift += 8) {
        const uint32_t sum = (pixels[y * stride + x] >> shift & 255) +
                             (pixels[y * stride + right] >> shift & 255) +
                             (pixels[below * stride + x] >> shift & 255) +
                             (pixels[below * stride + right] >> shift & 255);

        result |= (sum + 2) / 4 << shift;
    }
    return result;
}

/** Whether all is as it should be; upside down: the rows are given from the last one up. */
static bool holds(size_t width, size_t height, bool upside_down)
{
    static uint32_t pixels[MOST * (MOST + PADDING)], flipped[MOST * (MOST + PADDING)];
    static uint32_t half[(MOST + 1) / 2 * ((MOST + 1) / 2) + 1];
    const size_t stride = width + PADDING, halves = (width + 1) / 2 * ((height + 1) / 2);
    const uint8_t *top = (const uint8_t *)pixels;

    for (size_t i = 0; i < height * stride; i++)
        pixels[i] = next_random() % 4 ? next_random() : 0xffffffff;
    for (size_t y = 0; y < height; y++)
        memcpy(flipped + y * stride, pixels + (height - 1 - y) * stride, stride * 4);
    half[halves] = 0x12345678;
    if (upside_down)
        spice_halve((const uint8_t *)(flipped + (height - 1) * stride), -(ptrdiff_t)stride * 4,
                    (uint32_t)width, (uint32_t)height, half);
    else
        spice_halve(top, (ptrdiff_t)stride * 4, (uint32_t)width, (uint32_t)height, half);
    for (size_t y = 0; y < height; y += 2)
        for (size_t x = 0; x < width; x += 2)
            if (half[y / 2 * ((width + 1) / 2) + x / 2] != mean(pixels, width, height, x, y))
                return false;
    return half[halves] == 0x12345678;
}

int main(void)
{
    bool all = true;

    for (size_t width = 1; width <= MOST; width++)
        for (size_t height = 1; height <= MOST; height++)
            all &= holds(width, height, false) && holds(width, height, true);
    TAP_OK(all, "pictures of 1 x 1 to 33 x 33, either way up, are halved");
    return tap_done();
}
