/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare-pixels.h"

#include <string.h>

bool pixels_equal_in(const SpicePixels *a, const SpicePixels *b, const pixman_box32_t *box)
{
    for (int32_t y = box->y1; y < box->y2; y++) {
        const uint8_t *row_a = spice_pixels_row(a, y), *row_b = spice_pixels_row(b, y);

        for (int32_t x = box->x1; x < box->x2; x++) {
            switch (spice_pixels_bits(a)) {
            case 1:
                if ((row_a[x / 8] ^ row_b[x / 8]) >> x % 8 & 1)
                    return false;
                break;
            case 32:
                if (memcmp(row_a + 4 * x, row_b + 4 * x, a->format == PIXMAN_x8r8g8b8 ? 3 : 4) != 0)
                    return false;
                break;
            default:
                if (memcmp(row_a + (size_t)x * spice_pixels_bits(a) / 8,
                           row_b + (size_t)x * spice_pixels_bits(a) / 8,
                           (size_t)spice_pixels_bits(a) / 8) != 0)
                    return false;
            }
        }
    }
    return true;
}

bool pixels_equal(const SpicePixels *a, const SpicePixels *b)
{
    const pixman_box32_t all = {0, 0, a->width, a->height};

    return a->format == b->format && a->width == b->width && a->height == b->height &&
           pixels_equal_in(a, b, &all);
}
