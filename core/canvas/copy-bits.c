/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "canvas.h"
#include "region.h"

static void move_bits(const SpicePixels *dest, const pixman_box32_t *rect, int32_t y, int32_t dx,
                      int32_t dy)
{
    const uint8_t *from = spice_pixels_row(dest, y - dy);
    uint8_t *to = spice_pixels_row(dest, y);

    for (int32_t i = 0; i < rect->x2 - rect->x1; i++) {
        const int32_t x = dx > 0 ? rect->x2 - 1 - i : rect->x1 + i;
        const unsigned bit = from[(x - dx) >> 3] >> ((x - dx) & 7) & 1;

        to[x >> 3] = (uint8_t)((to[x >> 3] & ~(1u << (x & 7))) | bit << (x & 7));
    }
}

static void move_rect(const SpicePixels *dest, const pixman_box32_t *rect, int32_t dx, int32_t dy)
{
    const int bits = spice_pixels_bits(dest);
    const size_t bytes = (size_t)bits / 8;

    for (int32_t i = 0; i < rect->y2 - rect->y1; i++) {
        const int32_t y = dy > 0 ? rect->y2 - 1 - i : rect->y1 + i;

        if (bits == 1)
            move_bits(dest, rect, y, dx, dy);
        else
            memmove(spice_pixels_row(dest, y) + (size_t)rect->x1 * bytes,
                    spice_pixels_row(dest, y - dy) + (size_t)(rect->x1 - dx) * bytes,
                    (size_t)(rect->x2 - rect->x1) * bytes);
    }
}

bool spice_canvas_copy_bits(const SpicePixels *dest, pixman_region32_t *region,
                            const SpiceRect *box, SpicePoint source, SpiceError *error)
{
    const int64_t dx = (int64_t)box->left - source.x, dy = (int64_t)box->top - source.y;
    const pixman_box32_t *rects;
    int n, band, next;

    if (!spice_region_cut(region, dx, dy, dest->width, dest->height, error))
        return false;
    rects = pixman_region32_rectangles(region, &n);
    if (n == 0 || (dx == 0 && dy == 0))
        return true;

    /* No rectangle may be painted before those that still need its pixels: bands of the region
     * from the side that is moved to, and within a band likewise. */
    for (band = dy > 0 ? n : 0; dy > 0 ? band > 0 : band < n; band = next) {
        int first = band, end = band;

        if (dy > 0)
            for (first--; first > 0 && rects[first - 1].y1 == rects[band - 1].y1;)
                first--;
        else
            for (end++; end < n && rects[end].y1 == rects[band].y1;)
                end++;
        for (int i = 0; i < end - first; i++)
            move_rect(dest, &rects[dx > 0 ? end - 1 - i : first + i], (int32_t)dx, (int32_t)dy);
        next = dy > 0 ? first : end;
    }
    return true;
}
