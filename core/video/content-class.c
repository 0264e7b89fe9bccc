/* What kind of picture pixels are.
 *
 * Sampled pixels are compared with their right and lower neighbours. On plain ground with lines
 * nearly all are equal; in a photo hardly any, and the steps are small. Noise has no equal
 * neighbours either, so that it is gradual here: it is the share of equal ones that decides, and
 * steep steps count only where the ground is plain.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/content-class.h"

#include <stdlib.h>

/* Percent of pairs, and the difference of one channel that is an edge. */
enum {
    FLAT_EQUAL = 97,
    PLAIN_EQUAL = 60,
    SPARSE_EQUAL = 88,
    EDGE_SHARE_OF_UNEQUAL = 35,
    EDGE = 48
};

typedef struct {
    uint32_t pairs, equal, edges;
} Pairs;

static void compare(Pairs *count, const uint8_t *a, const uint8_t *b)
{
    int most = 0;

    for (int channel = 0; channel < 3; channel++) {
        int difference = abs(a[channel] - b[channel]);

        if (difference > most)
            most = difference;
    }
    count->pairs++;
    count->equal += most == 0;
    count->edges += most >= EDGE;
}

SpiceContentClass spice_content_classify(const uint8_t *pixels, ptrdiff_t stride, uint32_t width,
                                         uint32_t height)
{
    Pairs count = {0};
    uint32_t columns, rows, scatter = 1;

    if (!pixels || width < 2 || height < 2)
        return SPICE_FRAME_UNKNOWN;
    /* one sample in each field of a grid of at most 32 x 32, at a place that differs from field
     * to field, so that no pattern of the picture falls in step with it */
    columns = width - 1 < 32 ? width - 1 : 32;
    rows = height - 1 < 32 ? height - 1 : 32;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t column = 0; column < columns; column++) {
            uint64_t left = (uint64_t)(width - 1) * column / columns;
            uint64_t right = (uint64_t)(width - 1) * (column + 1) / columns;
            uint64_t top = (uint64_t)(height - 1) * row / rows;
            uint64_t bottom = (uint64_t)(height - 1) * (row + 1) / rows;
            const uint8_t *pixel;

            scatter = scatter * 1664525u + 1013904223u;
            left += (scatter >> 16) % (right - left);
            top += (scatter >> 8 & 0xffff) % (bottom - top);
            pixel = pixels + (ptrdiff_t)top * stride + (ptrdiff_t)left * 4;
            compare(&count, pixel, pixel + 4);
            compare(&count, pixel, pixel + stride);
        }
    if (count.equal * 100 >= count.pairs * FLAT_EQUAL)
        return SPICE_FRAME_FLAT;
    if (count.equal * 100 >= count.pairs * SPARSE_EQUAL)
        return SPICE_FRAME_TEXT;
    if (count.equal * 100 >= count.pairs * PLAIN_EQUAL &&
        count.edges * 100 >= (count.pairs - count.equal) * EDGE_SHARE_OF_UNEQUAL)
        return SPICE_FRAME_TEXT;
    return SPICE_FRAME_GRADUAL;
}
