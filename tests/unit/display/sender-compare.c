/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sender-compare.h"

#include <math.h>
#include <string.h>

#include "compare-pixels.h"

bool sent_pixels_equal(const SpicePixels *a, const SpicePixels *b)
{
    if (a->format != PIXMAN_x1r5g5b5 || b->format != a->format)
        return pixels_equal(a, b);
    for (int32_t y = 0; y < a->height; y++)
        for (int32_t x = 0; x < a->width; x++) {
            const uint8_t *p = spice_pixels_row(a, y) + 2 * x, *q = spice_pixels_row(b, y) + 2 * x;

            if (p[0] != q[0] || ((p[1] ^ q[1]) & 0x7f))
                return false;
        }
    return true;
}

double sent_pixels_psnr(const SpicePixels *a, const SpicePixels *b)
{
    double sum = 0;

    for (int32_t y = 0; y < a->height; y++)
        for (int32_t x = 0; x < a->width; x++)
            for (int i = 0; i < 3; i++) {
                const int d = spice_pixels_row(a, y)[4 * x + i] - spice_pixels_row(b, y)[4 * x + i];

                sum += d * d;
            }
    if (sum == 0)
        return INFINITY;
    return 10 * log10(255.0 * 255.0 * 3 * a->width * a->height / sum);
}
