/* The area is seen as strips, some 32 pixels wide, and each row of a strip as a number. A row of
 * the current frame that was there exactly once before votes for the distance between the two
 * places. A first vote among a few strips tells whether it is worth while to look at all.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "desktop-scroll.h"

#include <stdlib.h>
#include <string.h>

enum {
    STRIP = 32,
    MIN_HEIGHT = 32,
    MIN_WIDTH = 48,
    SAMPLES = 4,
    MIN_VOTES = 6,
};

/** Rows by their number, to find where a number was. */
typedef struct {
    uint32_t mask;
    uint64_t *keys;
    int32_t *rows; /* NO_ROW: free; NOT_UNIQUE */
} Rows;

enum { NO_ROW = -1, NOT_UNIQUE = -2 };

typedef struct {
    const SpiceDesktopChange *change;
    const SpiceRect *area;
    uint32_t n_strips, height;
    uint64_t *before, *now; /* of a strip: one number a row */
    Rows rows;
    uint32_t *votes; /* for dy = i - (height - 1) */
} Search;

static const uint8_t *row_of(const SpiceDesktopFrame *frame, int32_t x, int32_t y)
{
    return frame->data + frame->stride * y + (ptrdiff_t)x * 4;
}

static uint64_t number_of(const uint8_t *row, uint32_t n_pixels)
{
    uint64_t number = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word;

    for (; n_pixels >= 2; n_pixels -= 2, row += 8) {
        memcpy(&word, row, 8);
        number = (number ^ word) * UINT64_C(0xff51afd7ed558ccd);
        number ^= number >> 29;
    }
    word = 0;
    memcpy(&word, row, 4 * n_pixels);
    number = (number ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return number ^ number >> 32;
}

static int32_t strip_left(const Search *self, uint32_t strip)
{
    return self->area->left + (int32_t)(strip * STRIP);
}

static uint32_t strip_width(const Search *self, uint32_t strip)
{
    const int32_t left = self->area->right - strip_left(self, strip);

    /* The last one takes what is too narrow to be one. */
    return strip + 1 == self->n_strips ? (uint32_t)left : STRIP;
}

static void number_rows(Search *self, uint32_t strip)
{
    const int32_t x = strip_left(self, strip);
    const uint32_t width = strip_width(self, strip);

    for (uint32_t y = 0; y < self->height; y++) {
        const int32_t row = self->area->top + (int32_t)y;

        self->before[y] = number_of(row_of(&self->change->previous, x, row), width);
        self->now[y] = number_of(row_of(&self->change->current, x, row), width);
    }
}

static uint32_t slot_of(const Rows *rows, uint64_t key)
{
    uint32_t slot = (uint32_t)key & rows->mask;

    while (rows->rows[slot] != NO_ROW && rows->keys[slot] != key)
        slot = (slot + 1) & rows->mask;
    return slot;
}

static void enter_rows(Search *self)
{
    Rows *rows = &self->rows;

    for (uint32_t i = 0; i <= rows->mask; i++)
        rows->rows[i] = NO_ROW;
    for (uint32_t y = 0; y < self->height; y++) {
        const uint32_t slot = slot_of(rows, self->before[y]);

        rows->keys[slot] = self->before[y];
        rows->rows[slot] = rows->rows[slot] == NO_ROW ? (int32_t)y : NOT_UNIQUE;
    }
}

/** Lets the rows of a strip vote, of which the numbers are there. */
static uint32_t vote(Search *self)
{
    uint32_t voters = 0;

    enter_rows(self);
    for (uint32_t y = 0; y < self->height; y++) {
        int32_t from;

        if (self->now[y] == self->before[y])
            continue;
        from = self->rows.rows[slot_of(&self->rows, self->now[y])];
        if (from < 0)
            continue;
        self->votes[(int32_t)y - from + (int32_t)self->height - 1]++;
        voters++;
    }
    return voters;
}

static int32_t winner(const Search *self, uint32_t *votes)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < 2 * self->height - 1; i++)
        if (self->votes[i] > self->votes[best])
            best = i;
    *votes = self->votes[best];
    return (int32_t)best - (int32_t)self->height + 1;
}

static bool take_memory(Search *self, SpiceArena *scratch)
{
    uint32_t size = 64;

    while (size < 2 * self->height)
        size *= 2;
    self->before = spice_arena_take(scratch, self->height, sizeof(self->before[0]));
    self->now = spice_arena_take(scratch, self->height, sizeof(self->now[0]));
    self->votes = spice_arena_take(scratch, 2 * (size_t)self->height, sizeof(self->votes[0]));
    self->rows.mask = size - 1;
    self->rows.keys = spice_arena_take(scratch, size, sizeof(self->rows.keys[0]));
    self->rows.rows = spice_arena_take(scratch, size, sizeof(self->rows.rows[0]));
    return self->before && self->now && self->votes && self->rows.keys && self->rows.rows;
}

/** The distance that a few strips, spread over the area, agree on; 0: none. */
static int32_t find_distance(Search *self)
{
    const uint32_t n = self->n_strips < SAMPLES ? self->n_strips : SAMPLES;
    uint32_t voters = 0, votes;
    int32_t dy;

    for (uint32_t i = 0; i < n; i++) {
        number_rows(self, (2 * i + 1) * self->n_strips / (2 * n));
        voters += vote(self);
    }
    dy = winner(self, &votes);
    return votes >= MIN_VOTES && votes * 4 >= voters ? dy : 0;
}

/** A run of rows [from, end) of the area that have moved, and how many of them are not what they
 * were. */
typedef struct {
    int32_t from, end;
    uint32_t changed;
} Run;

/** What is known of a strip while rows are walked. */
typedef struct {
    Run now, best;
} Strip;

static bool is_equal(const uint8_t *a, const uint8_t *b, uint32_t n_pixels)
{
    return memcmp(a, b, (size_t)n_pixels * 4) == 0;
}

static void end_run(Strip *strip, int32_t y)
{
    if (strip->now.end - strip->now.from > strip->best.end - strip->best.from)
        strip->best = strip->now;
    strip->now = (Run){y + 1, y + 1, 0};
}

/** Finds for each strip the longest run of rows that came from `dy` above. Row by row over all
 * strips, as memory likes it. */
static void find_runs(Search *self, int32_t dy, Strip *strips)
{
    const int32_t height = (int32_t)self->height;
    const int32_t first = dy > 0 ? dy : 0, end = dy > 0 ? height : height + dy;

    for (uint32_t i = 0; i < self->n_strips; i++)
        strips[i] = (Strip){.now = {first, first, 0}};
    for (int32_t y = first; y < end; y++) {
        const int32_t row = self->area->top + y;
        const uint8_t *now = row_of(&self->change->current, self->area->left, row);
        const uint8_t *moved = row_of(&self->change->previous, self->area->left, row - dy);
        const uint8_t *before = row_of(&self->change->previous, self->area->left, row);

        for (uint32_t i = 0; i < self->n_strips; i++) {
            const uint32_t width = strip_width(self, i);
            const size_t at = (size_t)i * STRIP * 4;

            if (!is_equal(now + at, moved + at, width)) {
                end_run(&strips[i], y);
                continue;
            }
            strips[i].now.end = y + 1;
            strips[i].now.changed += !is_equal(now + at, before + at, width);
        }
    }
    for (uint32_t i = 0; i < self->n_strips; i++)
        end_run(&strips[i], end);
}

/** Strips side by side that have moved, with the rows that they have in common. */
typedef struct {
    uint32_t first, end;
    Run rows;
    uint64_t worth; /* pixels that need not be sent, about */
} Group;

static uint64_t size_of(const Group *group)
{
    return (uint64_t)(group->end - group->first) * (uint64_t)(group->rows.end - group->rows.from);
}

static bool find_group(Search *self, const Strip *strips, Group *best)
{
    Group group = {0};

    *best = group;
    for (uint32_t strip = 0; strip < self->n_strips; strip++) {
        const Run run = strips[strip].best;
        Group longer = group;

        longer.end = strip + 1;
        longer.worth += (uint64_t)run.changed * STRIP;
        if (group.first == group.end) {
            longer.first = strip;
            longer.rows = run;
        } else {
            longer.rows.from = run.from > group.rows.from ? run.from : group.rows.from;
            longer.rows.end = run.end < group.rows.end ? run.end : group.rows.end;
        }
        /* Not at the price of what was found so far: begin anew with this strip. */
        if (longer.rows.end - longer.rows.from < MIN_HEIGHT / 2 ||
            size_of(&longer) < size_of(&group)) {
            longer = (Group){strip, strip + 1, run, (uint64_t)run.changed * STRIP};
            if (run.end - run.from < MIN_HEIGHT / 2)
                longer = (Group){0};
        }
        group = longer;
        if (size_of(&group) > size_of(best))
            *best = group;
    }
    return best->first < best->end;
}

bool spice_desktop_find_scroll(SpiceDesktopScroll *scroll, const SpiceDesktopChange *change,
                               const SpiceRect *changed, SpiceArena *scratch)
{
    Search self = {.change = change, .area = changed};
    const int32_t width = changed->right - changed->left;
    Strip *strips;
    Group group;
    int32_t dy;

    if (width < MIN_WIDTH || changed->bottom - changed->top < MIN_HEIGHT)
        return false;
    self.height = (uint32_t)(changed->bottom - changed->top);
    self.n_strips = (uint32_t)width / STRIP;
    if (!take_memory(&self, scratch))
        return false;
    dy = find_distance(&self);
    strips = dy ? spice_arena_take(scratch, self.n_strips, sizeof(strips[0])) : NULL;
    if (!strips)
        return false;
    find_runs(&self, dy, strips);
    if (!find_group(&self, strips, &group))
        return false;
    scroll->dy = dy;
    scroll->box = (SpiceRect){
        .top = changed->top + group.rows.from,
        .left = strip_left(&self, group.first),
        .bottom = changed->top + group.rows.end,
        .right = strip_left(&self, group.end - 1) + (int32_t)strip_width(&self, group.end - 1),
    };
    return group.worth >= (uint64_t)MIN_WIDTH * MIN_HEIGHT / 2;
}
