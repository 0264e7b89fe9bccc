/* Boxes of a surface, and a bounded list of disjoint ones: the clip of a video stream.
 *
 * A box is a SpiceRect; it is empty if right <= left or bottom <= top. Areas are 64 bits wide.
 * Plain values, no memory of their own, any thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>

#include "core/wire/draw.h"

/* Boxes a list may hold. A list that would need more gives up its smallest boxes: a clip that is
 * too small is safe (the next frame brings the place back), one that is too big is not. */
enum { SPICE_BOX_LIST_LIMIT = 32 };

typedef struct {
    uint32_t count;
    SpiceRect boxes[SPICE_BOX_LIST_LIMIT]; /* disjoint, none empty */
} SpiceBoxList;

static inline bool spice_box_is_empty(const SpiceRect *box)
{
    return box->right <= box->left || box->bottom <= box->top;
}

static inline int64_t spice_box_area(const SpiceRect *box)
{
    return spice_box_is_empty(box)
               ? 0
               : ((int64_t)box->right - box->left) * ((int64_t)box->bottom - box->top);
}

static inline bool spice_box_equal(const SpiceRect *a, const SpiceRect *b)
{
    return a->top == b->top && a->left == b->left && a->bottom == b->bottom && a->right == b->right;
}

/** Whether `a` contains all of `b`. */
static inline bool spice_box_contains(const SpiceRect *a, const SpiceRect *b)
{
    return a->top <= b->top && a->left <= b->left && a->bottom >= b->bottom && a->right >= b->right;
}

/** Same width and height. Neither may be empty. */
static inline bool spice_box_same_size(const SpiceRect *a, const SpiceRect *b)
{
    return (int64_t)a->right - a->left == (int64_t)b->right - b->left &&
           (int64_t)a->bottom - a->top == (int64_t)b->bottom - b->top;
}

/** What both share; empty, with all of it 0, if nothing. */
static inline SpiceRect spice_box_intersect(const SpiceRect *a, const SpiceRect *b)
{
    SpiceRect box = {
        .top = a->top > b->top ? a->top : b->top,
        .left = a->left > b->left ? a->left : b->left,
        .bottom = a->bottom < b->bottom ? a->bottom : b->bottom,
        .right = a->right < b->right ? a->right : b->right,
    };

    return spice_box_is_empty(&box) ? (SpiceRect){0} : box;
}

/** The smallest box around both; an empty one counts for nothing. */
static inline SpiceRect spice_box_unite(const SpiceRect *a, const SpiceRect *b)
{
    if (spice_box_is_empty(a))
        return *b;
    if (spice_box_is_empty(b))
        return *a;
    return (SpiceRect){
        .top = a->top < b->top ? a->top : b->top,
        .left = a->left < b->left ? a->left : b->left,
        .bottom = a->bottom > b->bottom ? a->bottom : b->bottom,
        .right = a->right > b->right ? a->right : b->right,
    };
}

/** Pixels that both share. */
static inline int64_t spice_box_overlap(const SpiceRect *a, const SpiceRect *b)
{
    SpiceRect both = spice_box_intersect(a, b);

    return spice_box_area(&both);
}

/** Takes `box` out of the list. Whether the list changed. */
bool spice_box_list_subtract(SpiceBoxList *self, const SpiceRect *box);

/** Adds `box` to the list. Whether the list changed. */
bool spice_box_list_add(SpiceBoxList *self, const SpiceRect *box);

/** Pixels of all boxes together. */
int64_t spice_box_list_area(const SpiceBoxList *self);

/** Whether `box` shares a pixel with the list. */
bool spice_box_list_touches(const SpiceBoxList *self, const SpiceRect *box);
