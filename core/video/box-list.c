/* A bounded list of disjoint boxes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/box-list.h"

static void remove_at(SpiceBoxList *self, uint32_t index)
{
    self->boxes[index] = self->boxes[--self->count];
}

/* Appends; if the list is full the smallest box, which may be the new one, is given up. */
static void append(SpiceBoxList *self, const SpiceRect *box)
{
    uint32_t smallest = 0;

    if (spice_box_is_empty(box))
        return;
    if (self->count < SPICE_BOX_LIST_LIMIT) {
        self->boxes[self->count++] = *box;
        return;
    }
    for (uint32_t i = 1; i < self->count; i++)
        if (spice_box_area(&self->boxes[i]) < spice_box_area(&self->boxes[smallest]))
            smallest = i;
    if (spice_box_area(&self->boxes[smallest]) < spice_box_area(box))
        self->boxes[smallest] = *box;
}

bool spice_box_list_subtract(SpiceBoxList *self, const SpiceRect *box)
{
    SpiceBoxList old = *self;
    bool changed = false;

    self->count = 0;
    for (uint32_t i = 0; i < old.count; i++) {
        const SpiceRect *from = &old.boxes[i];
        SpiceRect cut = spice_box_intersect(from, box);

        if (spice_box_is_empty(&cut)) {
            append(self, from);
            continue;
        }
        changed = true;
        append(self, &(SpiceRect){from->top, from->left, cut.top, from->right});
        append(self, &(SpiceRect){cut.bottom, from->left, from->bottom, from->right});
        append(self, &(SpiceRect){cut.top, from->left, cut.bottom, cut.left});
        append(self, &(SpiceRect){cut.top, cut.right, cut.bottom, from->right});
    }
    return changed;
}

/* Whether two disjoint boxes make one. */
static bool joins(const SpiceRect *a, const SpiceRect *b)
{
    if (a->top == b->top && a->bottom == b->bottom)
        return a->right == b->left || b->right == a->left;
    if (a->left == b->left && a->right == b->right)
        return a->bottom == b->top || b->bottom == a->top;
    return false;
}

/* Merges what can be. Each merge takes one box away, so there are at most as many as boxes. */
static void coalesce(SpiceBoxList *self)
{
    bool merged;

    do {
        merged = false;
        for (uint32_t i = 0; i < self->count && !merged; i++)
            for (uint32_t j = i + 1; j < self->count && !merged; j++)
                if (joins(&self->boxes[i], &self->boxes[j])) {
                    self->boxes[i] = spice_box_unite(&self->boxes[i], &self->boxes[j]);
                    remove_at(self, j);
                    merged = true;
                }
    } while (merged);
}

bool spice_box_list_add(SpiceBoxList *self, const SpiceRect *box)
{
    int64_t inside = 0;

    if (spice_box_is_empty(box))
        return false;
    for (uint32_t i = 0; i < self->count; i++)
        inside += spice_box_overlap(&self->boxes[i], box);
    if (inside == spice_box_area(box))
        return false;
    spice_box_list_subtract(self, box);
    coalesce(self);
    append(self, box);
    coalesce(self);
    return true;
}

int64_t spice_box_list_area(const SpiceBoxList *self)
{
    int64_t area = 0;

    for (uint32_t i = 0; i < self->count; i++)
        area += spice_box_area(&self->boxes[i]);
    return area;
}

bool spice_box_list_touches(const SpiceBoxList *self, const SpiceRect *box)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (spice_box_overlap(&self->boxes[i], box) > 0)
            return true;
    return false;
}
