/* A region's few rectangles cover all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server/serve/region-cover.h"
#include "tests/unit/tap.h"

enum { MOST = 32 };

static gboolean covers(const pixman_box32_t *boxes, guint n, pixman_region32_t *region)
{
    pixman_region32_t left;
    gboolean all;
    guint i;

    pixman_region32_init(&left);
    pixman_region32_copy(&left, region);
    for (i = 0; i < n; i++) {
        pixman_region32_t box;

        pixman_region32_init_rect(&box, boxes[i].x1, boxes[i].y1,
                                  (unsigned)(boxes[i].x2 - boxes[i].x1),
                                  (unsigned)(boxes[i].y2 - boxes[i].y1));
        pixman_region32_subtract(&left, &left, &box);
        pixman_region32_fini(&box);
    }
    all = !pixman_region32_not_empty(&left);
    pixman_region32_fini(&left);
    return all;
}

static gboolean inside(const pixman_box32_t *boxes, guint n, pixman_region32_t *region)
{
    const pixman_box32_t *extents = pixman_region32_extents(region);
    guint i;

    for (i = 0; i < n; i++)
        if (boxes[i].x1 < extents->x1 || boxes[i].y1 < extents->y1 || boxes[i].x2 > extents->x2 ||
            boxes[i].y2 > extents->y2 || boxes[i].x1 >= boxes[i].x2 || boxes[i].y1 >= boxes[i].y2)
            return FALSE;
    return TRUE;
}

int main(void)
{
    pixman_box32_t boxes[MOST];
    pixman_region32_t region;
    guint32 state = 5;
    guint run, i, wrong = 0, exact = 0;

    pixman_region32_init(&region);
    TAP_OK(region_cover(&region, boxes, MOST) == 0, "none of an empty region");
    for (run = 0; run < 400; run++) {
        guint n;
        const guint most = 1 + run % MOST;

        pixman_region32_clear(&region);
        for (i = 0; i <= run % 60; i++) {
            state = state * 1664525 + 1013904223;
            pixman_region32_union_rect(&region, &region, (int)(state >> 8 & 1023),
                                       (int)(state >> 20 & 511), 1 + (state >> 3 & 31),
                                       1 + (state >> 14 & 31));
        }
        n = region_cover(&region, boxes, most);
        wrong += n > most || !covers(boxes, n, &region) || !inside(boxes, n, &region);
        if (pixman_region32_n_rects(&region) <= (int)most)
            exact += n == (guint)pixman_region32_n_rects(&region);
        else
            exact += n == most;
    }
    TAP_OK(wrong == 0, "all of each region is covered, by not too many, and not beyond it");
    TAP_OK(exact == 400, "none is united without need");
    pixman_region32_fini(&region);
    return tap_done();
}
