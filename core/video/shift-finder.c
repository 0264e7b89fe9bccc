/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/video/shift-finder.h"

#include <stdlib.h>
#include <string.h>

enum {
    STRIPS = 3,
    BREADTH = 32, /* px of a strip across */
    KEPT = 2,
    BUCKETS = 8192, /* of the table of lines; twice as many as there can be lines */
    LEAST_LINES = 24,
    LEAST_PERCENT = 60, /* of the lines that say something */
    NONE = -1,
};

/* Numbers of the lines of a strip: rows of one from top to bottom, or columns. */
typedef struct {
    uint32_t lines[SPICE_SHIFT_MOST_SIDE];
} Strip;

typedef struct {
    SpiceRect box; /* empty: none is kept */
    uint64_t order;
    Strip down[STRIPS], across[STRIPS];
} Print;

struct SpiceShiftFinder {
    const SpiceAllocator *allocator;
    uint64_t order;
    Print kept[KEPT];
    Print next;
    int16_t table[BUCKETS];                    /* the line that has a number; NONE */
    uint16_t votes[2 * SPICE_SHIFT_MOST_SIDE]; /* for a shift, from -MOST_SIDE on */
};

SpiceShiftFinder *spice_shift_finder_new(const SpiceAllocator *allocator)
{
    SpiceShiftFinder *self = allocator->alloc(allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    memset(self, 0, sizeof(*self));
    self->allocator = allocator;
    return self;
}

void spice_shift_finder_free(SpiceShiftFinder *self)
{
    if (self)
        self->allocator->release(self->allocator->context, self);
}

/* Looking */

static uint32_t mix(uint32_t number, const uint8_t *pixel)
{
    number ^= (uint32_t)pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16;
    number *= 0x9e3779b1u;
    return number ^ number >> 15;
}

/* Where strip `i` begins along a side. */
static uint32_t strip_at(uint32_t side, uint32_t i)
{
    return (side - BREADTH) * (i + 1) / (STRIPS + 1);
}

static void look(Print *print, const uint8_t *pixels, ptrdiff_t stride, uint32_t width,
                 uint32_t height)
{
    for (uint32_t i = 0; i < STRIPS; i++) {
        const uint8_t *left = pixels + (ptrdiff_t)strip_at(width, i) * 4;
        const uint8_t *top = pixels + (ptrdiff_t)strip_at(height, i) * stride;

        for (uint32_t y = 0; y < height; y++) {
            uint32_t number = 1;

            for (uint32_t x = 0; x < BREADTH; x++)
                number = mix(number, left + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4);
            print->down[i].lines[y] = number;
        }
        for (uint32_t x = 0; x < width; x++)
            print->across[i].lines[x] = 1;
        for (uint32_t y = 0; y < BREADTH; y++)
            for (uint32_t x = 0; x < width; x++)
                print->across[i].lines[x] =
                    mix(print->across[i].lines[x], top + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4);
    }
}

/* Comparing */

/* A line like the one before it says nothing of where it comes from. */
static bool says_something(const Strip *strip, uint32_t i)
{
    return i == 0 || strip->lines[i] != strip->lines[i - 1];
}

static void fill_table(SpiceShiftFinder *self, const Strip *strip, uint32_t n)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        self->table[i] = NONE;
    for (uint32_t i = 0; i < n; i++)
        if (says_something(strip, i)) {
            uint32_t bucket = strip->lines[i] % BUCKETS;

            while (self->table[bucket] != NONE)
                bucket = (bucket + 1) % BUCKETS;
            self->table[bucket] = (int16_t)i;
        }
}

/* The old line with the number that is nearest after those looked up before; NONE. */
static int32_t find_line(const SpiceShiftFinder *self, const Strip *old, uint32_t number)
{
    uint32_t bucket = number % BUCKETS;

    for (; self->table[bucket] != NONE; bucket = (bucket + 1) % BUCKETS)
        if (old->lines[self->table[bucket]] == number)
            return self->table[bucket];
    return NONE;
}

/* Adds the votes of a strip: of lines that are not as they were. How many could have voted. */
static uint32_t vote(SpiceShiftFinder *self, const Strip *old, const Strip *new, uint32_t n)
{
    uint32_t lines = 0;

    fill_table(self, old, n);
    for (uint32_t i = 0; i < n; i++) {
        int32_t at;

        if (!says_something(new, i) || new->lines[i] == old->lines[i])
            continue;
        lines++;
        at = find_line(self, old, new->lines[i]);
        if (at != NONE)
            self->votes[at - (int32_t)i + SPICE_SHIFT_MOST_SIDE]++;
    }
    return lines;
}

static bool is_shifted(SpiceShiftFinder *self, const Strip *old, const Strip *new, uint32_t n)
{
    uint32_t lines = 0, best = 0, came = 0;
    int32_t shift = 0;

    memset(self->votes, 0, sizeof(self->votes));
    for (uint32_t i = 0; i < STRIPS; i++)
        lines += vote(self, &old[i], &new[i], n);
    for (int32_t i = 0; i < 2 * SPICE_SHIFT_MOST_SIDE; i++)
        if (self->votes[i] > best) {
            best = self->votes[i];
            shift = i - SPICE_SHIFT_MOST_SIDE;
        }
    /* what was out of sight before cannot be found */
    came = (uint32_t)((uint64_t)lines * (uint32_t)abs(shift) / n);
    return best >= LEAST_LINES && best * 100 >= (lines - came) * LEAST_PERCENT;
}

bool spice_shift_finder_look(SpiceShiftFinder *self, const SpiceRect *box, const uint8_t *pixels,
                             ptrdiff_t stride)
{
    const int64_t width = (int64_t)box->right - box->left, height = (int64_t)box->bottom - box->top;
    Print *print = &self->kept[0];
    bool shifted = false;

    if (width < SPICE_SHIFT_LEAST_SIDE || width > SPICE_SHIFT_MOST_SIDE ||
        height < SPICE_SHIFT_LEAST_SIDE || height > SPICE_SHIFT_MOST_SIDE)
        return false;
    look(&self->next, pixels, stride, (uint32_t)width, (uint32_t)height);
    for (uint32_t i = 0; i < KEPT; i++) {
        if (spice_box_equal(&self->kept[i].box, box)) {
            print = &self->kept[i];
            shifted = is_shifted(self, print->down, self->next.down, (uint32_t)height) ||
                      is_shifted(self, print->across, self->next.across, (uint32_t)width);
            break;
        }
        if (self->kept[i].order < print->order)
            print = &self->kept[i];
    }
    self->next.box = *box;
    self->next.order = ++self->order;
    *print = self->next;
    return shifted;
}
