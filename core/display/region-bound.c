/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region-bound.h"

enum { FIRST_GRID = 16 };

static int32_t at_most(int32_t value, int32_t high)
{
    return value < high ? value : high;
}

static int32_t at_least(int32_t value, int32_t low)
{
    return value > low ? value : low;
}

static void make_box(pixman_region32_t *region, pixman_box32_t box)
{
    pixman_region32_fini(region);
    /* One rectangle takes no memory. */
    pixman_region32_init_with_extents(region, &box);
}

/** Rounds each rectangle outwards to multiples of `grid`. */
static bool coarsen(pixman_region32_t *region, int32_t grid)
{
    const pixman_box32_t extents = *pixman_region32_extents(region);
    pixman_region32_t coarse;
    pixman_box32_t *rects;
    bool done;
    int n;

    pixman_region32_init(&coarse);
    if (!pixman_region32_copy(&coarse, region)) {
        pixman_region32_fini(&coarse);
        return false;
    }
    /* The copy's rectangles are its own to change until they are made a region again. */
    rects = pixman_region32_rectangles(&coarse, &n);
    for (int i = 0; i < n; i++) {
        rects[i].x1 = at_least(rects[i].x1 / grid * grid, extents.x1);
        rects[i].y1 = at_least(rects[i].y1 / grid * grid, extents.y1);
        rects[i].x2 = at_most((rects[i].x2 + grid - 1) / grid * grid, extents.x2);
        rects[i].y2 = at_most((rects[i].y2 + grid - 1) / grid * grid, extents.y2);
    }
    pixman_region32_fini(region);
    done = pixman_region32_init_rects(region, rects, n);
    pixman_region32_fini(&coarse);
    if (!done)
        make_box(region, extents);
    return true;
}

bool spice_region_bound(pixman_region32_t *region)
{
    bool changed = false;

    for (int32_t grid = FIRST_GRID; pixman_region32_n_rects(region) > SPICE_BOUND_RECTS;
         grid *= 2) {
        changed = true;
        if (grid > INT16_MAX || !coarsen(region, grid))
            make_box(region, *pixman_region32_extents(region));
    }
    return changed;
}

void spice_region_add(pixman_region32_t *region, const pixman_region32_t *more)
{
    pixman_region32_t *other = (pixman_region32_t *)more;
    const pixman_box32_t a = *pixman_region32_extents(region), b = *pixman_region32_extents(other);

    if (!pixman_region32_not_empty(other))
        return;
    if (!pixman_region32_not_empty(region)) {
        if (!pixman_region32_copy(region, other))
            make_box(region, b);
    } else if (!pixman_region32_union(region, region, other)) {
        make_box(region, (pixman_box32_t){at_most(a.x1, b.x1), at_most(a.y1, b.y1),
                                          at_least(a.x2, b.x2), at_least(a.y2, b.y2)});
    }
    spice_region_bound(region);
}

void spice_region_add_box(pixman_region32_t *region, const pixman_box32_t *box)
{
    pixman_region32_t more;

    pixman_region32_init_with_extents(&more, (pixman_box32_t *)box);
    spice_region_add(region, &more);
    pixman_region32_fini(&more);
}

void spice_region_take_away(pixman_region32_t *region, const pixman_region32_t *less)
{
    pixman_region32_t rest;

    pixman_region32_init(&rest);
    if (pixman_region32_subtract(&rest, region, (pixman_region32_t *)less)) {
        pixman_region32_fini(region);
        *region = rest;
    } else {
        pixman_region32_fini(&rest);
    }
}

bool spice_region_meets_closely(const pixman_region32_t *a, const pixman_region32_t *b)
{
    pixman_region32_t *more = (pixman_region32_t *)a, *fewer = (pixman_region32_t *)b;
    pixman_box32_t *rects;
    int n;

    if (pixman_region32_n_rects(fewer) > pixman_region32_n_rects(more)) {
        pixman_region32_t *swap = more;

        more = fewer;
        fewer = swap;
    }
    rects = pixman_region32_rectangles(fewer, &n);
    for (int i = 0; i < n; i++)
        if (spice_region_meets_box(more, &rects[i]))
            return true;
    return false;
}
