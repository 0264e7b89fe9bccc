/* Regions that stay simple: where a superset does as well, one of few rectangles.
 *
 * pixman takes memory for regions from the C library and reports when there is none. Functions
 * here answer that with a larger region, never with a smaller one, so they cannot fail.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pixman.h>

/* The most rectangles of a bounded region. */
enum { SPICE_BOUND_RECTS = 32 };

/** Makes `region` larger if that is what it takes to have at most SPICE_BOUND_RECTS rectangles, by
 * rounding them to a coarser and coarser grid inside its extents. Whether it did. */
bool spice_region_bound(pixman_region32_t *region);

/** Adds `more` to `region` and bounds it. */
void spice_region_add(pixman_region32_t *region, const pixman_region32_t *more);
void spice_region_add_box(pixman_region32_t *region, const pixman_box32_t *box);

/** Takes `less` away; without memory the region stays as it is. It is not bounded after. */
void spice_region_take_away(pixman_region32_t *region, const pixman_region32_t *less);

static inline bool spice_boxes_meet(const pixman_box32_t *a, const pixman_box32_t *b)
{
    return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

/** For two whose extents meet. */
bool spice_region_meets_closely(const pixman_region32_t *a, const pixman_region32_t *b);

/** Whether two regions have a pixel in common. Most have not, by their extents already. */
static inline bool spice_region_meets(const pixman_region32_t *a, const pixman_region32_t *b)
{
    return spice_boxes_meet(&a->extents, &b->extents) && spice_region_meets_closely(a, b);
}

static inline bool spice_region_meets_box(const pixman_region32_t *region,
                                          const pixman_box32_t *box)
{
    return spice_boxes_meet(&region->extents, box) &&
           pixman_region32_contains_rectangle((pixman_region32_t *)region, (pixman_box32_t *)box) !=
               PIXMAN_REGION_OUT;
}
