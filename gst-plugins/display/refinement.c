/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refinement.h"

/* ms that a piece may take of the link. Photos, which are most of what is sent lossy, take about ten
 * bits a pixel without loss. */
enum { PIECE_MS = 60, BITS_A_PIXEL = 10 };
/* Lower pieces cost more than they are worth: codecs begin anew with each. */
enum { LEAST_ROWS = 4 };
/* Bits a second from which on all is asked for at once. */
static const guint64 fast_link = 50000000;

static guint64 area_of(const pixman_box32_t *box)
{
    return (guint64)(box->x2 - box->x1) * (guint64)(box->y2 - box->y1);
}

guint64 gst_spice_refinement_area(const pixman_region32_t *lossy)
{
    const pixman_box32_t *boxes;
    guint64 sum = 0;
    int n, i;

    boxes = pixman_region32_rectangles((pixman_region32_t *)lossy, &n);
    for (i = 0; i < n; i++)
        sum += area_of(&boxes[i]);
    return sum;
}

guint gst_spice_refinement_choose(const pixman_region32_t *lossy, guint64 bits_per_second,
                                  pixman_box32_t boxes[GST_SPICE_MAX_DAMAGE_BOXES], gboolean *more)
{
    const guint64 pixels = bits_per_second * PIECE_MS / 1000 / BITS_A_PIXEL;
    const gboolean at_once = bits_per_second == 0 || bits_per_second >= fast_link ||
                             gst_spice_refinement_area(lossy) <= pixels;
    const pixman_box32_t *all;
    int n, i;

    *more = FALSE;
    all = pixman_region32_rectangles((pixman_region32_t *)lossy, &n);
    if (at_once && n <= GST_SPICE_MAX_DAMAGE_BOXES) {
        for (i = 0; i < n; i++)
            boxes[i] = all[i];
        return (guint)n;
    }
    if (at_once) {
        boxes[0] = *pixman_region32_extents((pixman_region32_t *)lossy);
        return 1;
    }
    boxes[0] = all[0];
    if (area_of(&boxes[0]) > pixels) {
        const gint rows = (gint)(pixels / (guint64)(boxes[0].x2 - boxes[0].x1));

        boxes[0].y2 = MIN(boxes[0].y2, boxes[0].y1 + MAX(rows, LEAST_ROWS));
    }
    *more = gst_spice_refinement_area(lossy) > area_of(&boxes[0]);
    return 1;
}
