/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region-cover.h"

guint region_cover(const pixman_region32_t *region, pixman_box32_t *boxes, guint most)
{
    int n, i;
    const pixman_box32_t *all = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    guint n_boxes = 0;

    /* A region's rectangles stand in bands from the top, so those that follow each other are
     * neighbours. */
    for (i = 0; i < n; i++) {
        const guint at = (guint)n <= most ? (guint)i : (guint)((gint64)i * most / n);

        if (at == n_boxes) {
            boxes[n_boxes++] = all[i];
            continue;
        }
        boxes[at].x1 = MIN(boxes[at].x1, all[i].x1);
        boxes[at].y1 = MIN(boxes[at].y1, all[i].y1);
        boxes[at].x2 = MAX(boxes[at].x2, all[i].x2);
        boxes[at].y2 = MAX(boxes[at].y2, all[i].y2);
    }
    return n_boxes;
}
