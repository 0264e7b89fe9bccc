/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop-damage.h"

#include <string.h>

#include "desktop-scroll.h"
#include "row-diff.h"

enum {
    TILE = 32,
    MAX_SEARCHES =
        12, /* groups of tiles in which a scroll is looked for: their bounds may overlap */
};

typedef enum { TILE_EQUAL, TILE_PICTURE, TILE_SOLID, TILE_DONE } TileKind;

/** A tile, and the bounds of what differs in it. */
typedef struct {
    int32_t left, top, right, bottom; /* empty: right is 0 */
    uint32_t color;                   /* SOLID */
    uint8_t kind;                     /* TileKind */
    uint8_t group;                    /* was put to a group of tiles that touch */
} Tile;

typedef struct {
    const SpiceDesktopChange *change;
    SpiceRowDiff diff;
    SpiceArena *scratch;
    uint32_t columns, rows;
    Tile *tiles;
    uint32_t n_scrolls;
    SpiceDesktopScroll scrolls[SPICE_MAX_DESKTOP_SCROLLS];
    SpiceDesktopOps *ops;
} Finder;

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static const uint8_t *pixels_at(const SpiceDesktopFrame *frame, int32_t x, int32_t y)
{
    return frame->data + frame->stride * y + (ptrdiff_t)x * 4;
}

static void grow(Tile *tile, int32_t left, int32_t right, int32_t y)
{
    if (tile->right == 0) {
        tile->left = left;
        tile->right = right;
        tile->top = y;
    } else {
        tile->left = least(tile->left, left);
        tile->right = most(tile->right, right);
        tile->top = least(tile->top, y);
    }
    tile->bottom = most(tile->bottom, y + 1);
    tile->kind = TILE_PICTURE;
}

/** Compares [left, right) of row `y` with pixels of the previous frame `dy` rows above. */
static void compare_span(Finder *self, int32_t left, int32_t right, int32_t y, int32_t dy)
{
    const uint8_t *before = pixels_at(&self->change->previous, 0, y - dy);
    const uint8_t *now = pixels_at(&self->change->current, 0, y);
    Tile *tiles = &self->tiles[(uint32_t)y / TILE * self->columns];
    uint32_t first, last;

    /* Most rows are equal, and those that are not often in few tiles. */
    if (!self->diff(before + (ptrdiff_t)left * 4, now + (ptrdiff_t)left * 4,
                    (uint32_t)(right - left), &first, &last))
        return;
    right = left + (int32_t)last + 1;
    left += (int32_t)first;
    while (left < right) {
        const int32_t end = least((left / TILE + 1) * TILE, right);

        if (self->diff(before + (ptrdiff_t)left * 4, now + (ptrdiff_t)left * 4,
                       (uint32_t)(end - left), &first, &last))
            grow(&tiles[left / TILE], left + (int32_t)first, left + (int32_t)last + 1, y);
        left = end;
    }
}

/** Compares [left, right) of a row with what is there after the scrolls. Their boxes do not
 * overlap. */
static void compare_row(Finder *self, int32_t left, int32_t right, int32_t y)
{
    while (left < right) {
        int32_t end = right, dy = 0;

        for (uint32_t i = 0; i < self->n_scrolls; i++) {
            const SpiceDesktopScroll *scroll = &self->scrolls[i];

            if (y < scroll->box.top || y >= scroll->box.bottom || scroll->box.right <= left)
                continue;
            if (scroll->box.left <= left) {
                dy = scroll->dy;
                end = least(end, scroll->box.right);
            } else {
                end = least(end, scroll->box.left);
            }
        }
        compare_span(self, left, end, y, dy);
        left = end;
    }
}

static SpiceRect cut_to_frame(const SpiceDesktopChange *change, const SpiceRect *rect)
{
    return (SpiceRect){most(rect->top, 0), most(rect->left, 0),
                       least(rect->bottom, (int32_t)change->height),
                       least(rect->right, (int32_t)change->width)};
}

static void compare_all(Finder *self)
{
    const SpiceDesktopChange *change = self->change;
    const SpiceRect all = {0, 0, (int32_t)change->height, (int32_t)change->width};
    const uint32_t n = change->hints ? change->n_hints : 1;

    for (uint32_t i = 0; i < n; i++) {
        const SpiceRect rect = cut_to_frame(change, change->hints ? &change->hints[i] : &all);

        for (int32_t y = rect.top; y < rect.bottom; y++)
            compare_row(self, rect.left, rect.right, y);
    }
}

/* --- scrolls --- */

/** Takes the tiles that touch the one at `start` together, and gives their bounds. `stack` has room
 * for all tiles. */
static SpiceRect gather(Finder *self, uint32_t start, uint32_t *stack)
{
    SpiceRect bounds = {INT32_MAX, INT32_MAX, 0, 0};
    uint32_t n = 0;

    stack[n++] = start;
    self->tiles[start].group = 1;
    while (n > 0) {
        const uint32_t at = stack[--n];
        const Tile *tile = &self->tiles[at];
        const uint32_t column = at % self->columns, row = at / self->columns;

        bounds.left = least(bounds.left, tile->left);
        bounds.top = least(bounds.top, tile->top);
        bounds.right = most(bounds.right, tile->right);
        bounds.bottom = most(bounds.bottom, tile->bottom);
        for (uint32_t y = row ? row - 1 : 0; y <= row + 1 && y < self->rows; y++) {
            for (uint32_t x = column ? column - 1 : 0; x <= column + 1 && x < self->columns; x++) {
                const uint32_t other = y * self->columns + x;

                if (self->tiles[other].kind == TILE_EQUAL || self->tiles[other].group)
                    continue;
                self->tiles[other].group = 1;
                stack[n++] = other;
            }
        }
    }
    return bounds;
}

static bool overlap(const SpiceRect *a, const SpiceRect *b)
{
    return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

/** Whether a scroll can be done after those that are there: what it moves is still in place, and
 * what it writes is not theirs. */
static bool is_independent(const Finder *self, const SpiceDesktopScroll *scroll)
{
    const SpiceRect source = {scroll->box.top - scroll->dy, scroll->box.left,
                              scroll->box.bottom - scroll->dy, scroll->box.right};

    for (uint32_t i = 0; i < self->n_scrolls; i++)
        if (overlap(&source, &self->scrolls[i].box) || overlap(&scroll->box, &self->scrolls[i].box))
            return false;
    return true;
}

static void add_op(Finder *self, const SpiceDesktopOp *op)
{
    self->ops->ops[self->ops->n_ops++] = *op;
}

static void find_scrolls(Finder *self)
{
    const uint32_t n_tiles = self->columns * self->rows;
    uint32_t *stack = spice_arena_take(self->scratch, n_tiles, sizeof(stack[0]));
    unsigned n_searches = 0;

    for (uint32_t i = 0; stack && i < n_tiles; i++) {
        SpiceDesktopScroll scroll;
        SpiceRect bounds;

        if (self->tiles[i].kind == TILE_EQUAL || self->tiles[i].group)
            continue;
        bounds = gather(self, i, stack);
        if (self->n_scrolls < SPICE_MAX_DESKTOP_SCROLLS && n_searches++ < MAX_SEARCHES &&
            spice_desktop_find_scroll(&scroll, self->change, &bounds, self->scratch) &&
            is_independent(self, &scroll))
            self->scrolls[self->n_scrolls++] = scroll;
    }
    for (uint32_t i = 0; i < self->n_scrolls; i++) {
        const SpiceDesktopScroll *scroll = &self->scrolls[i];

        add_op(self, &(SpiceDesktopOp){
                         .kind = SPICE_DESKTOP_COPY_BITS,
                         .box = scroll->box,
                         .source = {scroll->box.left, scroll->box.top - scroll->dy},
                     });
    }
}

/** Looks at the tiles that a scroll touches anew: less is to be done there now, or more, where
 * frames were equal. */
static void compare_again(Finder *self, const SpiceRect *box)
{
    const int32_t left = box->left / TILE * TILE, top = box->top / TILE * TILE;
    const int32_t right =
        least((box->right + TILE - 1) / TILE * TILE, (int32_t)self->change->width);
    const int32_t bottom =
        least((box->bottom + TILE - 1) / TILE * TILE, (int32_t)self->change->height);

    for (int32_t y = top; y < bottom; y += TILE)
        for (int32_t x = left; x < right; x += TILE)
            self->tiles[(uint32_t)(y / TILE) * self->columns + (uint32_t)(x / TILE)] = (Tile){0};
    for (int32_t y = top; y < bottom; y++)
        compare_row(self, left, right, y);
}

/* --- tiles to draws --- */

static bool is_solid(const Finder *self, int32_t left, int32_t top, int32_t right, int32_t bottom,
                     uint32_t *color)
{
    const SpiceDesktopFrame *frame = &self->change->current;
    const uint8_t *first = pixels_at(frame, left, top);
    const uint32_t width = (uint32_t)(right - left);

    if (!spice_row_is_solid(first, width))
        return false;
    for (int32_t y = top + 1; y < bottom; y++)
        if (memcmp(pixels_at(frame, left, y), first, width * 4) != 0)
            return false;
    memcpy(color, first, 4);
    return true;
}

/* What differs in a tile must be this many pixels for a fill of its own to be worth it, unless all
 * of the tile has that colour or it is at the border of something that is filled anyway. */
enum { MIN_FILL = 128 };

/** A tile is SOLID if it, or at least what differs in it, is of one colour. */
static bool is_solid_tile(Finder *self, uint32_t index)
{
    const int32_t left = (int32_t)(index % self->columns) * TILE;
    const int32_t top = (int32_t)(index / self->columns) * TILE;
    Tile *tile = &self->tiles[index];

    if (is_solid(self, left, top, least(left + TILE, (int32_t)self->change->width),
                 least(top + TILE, (int32_t)self->change->height), &tile->color))
        return true;
    return (tile->right - tile->left) * (tile->bottom - tile->top) >= MIN_FILL &&
           is_solid(self, tile->left, tile->top, tile->right, tile->bottom, &tile->color);
}

/** Whether a tile around this one is SOLID in `color`. */
static bool is_at_border(const Finder *self, uint32_t index, uint32_t color)
{
    const uint32_t column = index % self->columns, row = index / self->columns;

    for (uint32_t y = row ? row - 1 : 0; y <= row + 1 && y < self->rows; y++)
        for (uint32_t x = column ? column - 1 : 0; x <= column + 1 && x < self->columns; x++) {
            const Tile *tile = &self->tiles[y * self->columns + x];

            if (tile->kind == TILE_SOLID && tile->color == color)
                return true;
        }
    return false;
}

static void classify(Finder *self)
{
    const uint32_t n = self->columns * self->rows;

    for (uint32_t i = 0; i < n; i++)
        if (self->tiles[i].kind == TILE_PICTURE && is_solid_tile(self, i))
            self->tiles[i].kind = TILE_SOLID;
    for (uint32_t i = 0; i < n; i++) {
        Tile *tile = &self->tiles[i];

        if (tile->kind == TILE_PICTURE &&
            is_solid(self, tile->left, tile->top, tile->right, tile->bottom, &tile->color) &&
            is_at_border(self, i, tile->color))
            tile->kind = TILE_SOLID;
    }
}

static bool same_solid(const Tile *a, const Tile *b)
{
    return b->kind == TILE_SOLID && a->color == b->color;
}

/** The bounds of what differs in a rectangle of tiles. */
static SpiceRect bounds_of_tiles(const Finder *self, uint32_t column, uint32_t row, uint32_t end,
                                 uint32_t bottom)
{
    SpiceRect bounds = {INT32_MAX, INT32_MAX, 0, 0};

    for (uint32_t y = row; y < bottom; y++) {
        for (uint32_t x = column; x < end; x++) {
            const Tile *tile = &self->tiles[y * self->columns + x];

            bounds.left = least(bounds.left, tile->left);
            bounds.top = least(bounds.top, tile->top);
            bounds.right = most(bounds.right, tile->right);
            bounds.bottom = most(bounds.bottom, tile->bottom);
        }
    }
    return bounds;
}

/** A rectangle of solid tiles from (column, row) on: as wide as it gets, then as high. */
static SpiceRect take_solid(Finder *self, uint32_t column, uint32_t row)
{
    const Tile *first = &self->tiles[row * self->columns + column];
    uint32_t end = column, bottom = row, color;
    SpiceRect bounds;

    while (end < self->columns && same_solid(first, &self->tiles[row * self->columns + end]))
        end++;
    for (bool whole = true; whole && bottom < self->rows;) {
        for (uint32_t x = column; x < end && whole; x++)
            whole = same_solid(first, &self->tiles[bottom * self->columns + x]);
        bottom += whole;
    }
    bounds = bounds_of_tiles(self, column, row, end, bottom);
    /* Tiles that are solid in part do not have to meet. */
    if (!is_solid(self, bounds.left, bounds.top, bounds.right, bounds.bottom, &color)) {
        end = column + 1;
        bottom = row + 1;
        bounds = bounds_of_tiles(self, column, row, end, bottom);
    }
    for (uint32_t y = row; y < bottom; y++)
        for (uint32_t x = column; x < end; x++)
            self->tiles[y * self->columns + x].kind = TILE_DONE;
    return bounds;
}

/** Fills, as long as there is room for them with half of it left for pictures. */
static void add_fills(Finder *self)
{
    for (uint32_t i = 0; i < self->columns * self->rows; i++) {
        SpiceDesktopOp op = {.kind = SPICE_DESKTOP_FILL, .color = self->tiles[i].color};

        if (self->tiles[i].kind != TILE_SOLID)
            continue;
        if (self->ops->n_ops >= SPICE_MAX_DESKTOP_OPS / 2) {
            self->tiles[i].kind = TILE_PICTURE;
            continue;
        }
        op.box = take_solid(self, i % self->columns, i / self->columns);
        add_op(self, &op);
    }
}

static int64_t area(const SpiceRect *rect)
{
    return (int64_t)(rect->right - rect->left) * (rect->bottom - rect->top);
}

static SpiceRect bounds_of(const SpiceRect *a, const SpiceRect *b)
{
    return (SpiceRect){least(a->top, b->top), least(a->left, b->left), most(a->bottom, b->bottom),
                       most(a->right, b->right)};
}

/* What one more draw costs, in pixels that might as well be sent. */
enum { DRAW_COST = 400 };

/** Whether one picture of both is no dearer than two. */
static bool worth_uniting(const SpiceRect *a, const SpiceRect *b)
{
    const SpiceRect both = bounds_of(a, b);

    return area(&both) <= area(a) + area(b) + DRAW_COST + (area(a) + area(b)) / 16;
}

/** Unites the two neighbours in the list that waste least, of those from `first` on. */
static void make_room(SpiceDesktopOps *ops, uint32_t first)
{
    uint32_t best = first;
    int64_t best_waste = INT64_MAX;

    for (uint32_t i = first; i + 1 < ops->n_ops; i++) {
        const SpiceRect both = bounds_of(&ops->ops[i].box, &ops->ops[i + 1].box);
        const int64_t waste = area(&both) - area(&ops->ops[i].box) - area(&ops->ops[i + 1].box);

        if (waste < best_waste) {
            best_waste = waste;
            best = i;
        }
    }
    ops->ops[best].box = bounds_of(&ops->ops[best].box, &ops->ops[best + 1].box);
    memmove(&ops->ops[best + 1], &ops->ops[best + 2],
            (ops->n_ops - best - 2) * sizeof(ops->ops[0]));
    ops->n_ops--;
}

/** Adds a run of a row of tiles to a picture of the row above, or as one of its own. */
static void add_run(Finder *self, const SpiceRect *run, uint32_t first)
{
    SpiceDesktopOps *ops = self->ops;

    for (uint32_t i = ops->n_ops; i-- > first;) {
        if (worth_uniting(&ops->ops[i].box, run)) {
            ops->ops[i].box = bounds_of(&ops->ops[i].box, run);
            return;
        }
    }
    if (ops->n_ops == SPICE_MAX_DESKTOP_OPS)
        make_room(ops, first);
    add_op(self, &(SpiceDesktopOp){.kind = SPICE_DESKTOP_COPY, .box = *run});
}

static void add_pictures(Finder *self)
{
    const uint32_t first = self->ops->n_ops;

    for (uint32_t row = 0; row < self->rows; row++) {
        const Tile *tiles = &self->tiles[row * self->columns];
        SpiceRect run = {0};

        for (uint32_t x = 0; x < self->columns; x++) {
            const Tile *tile = &tiles[x];
            const SpiceRect rect = {tile->top, tile->left, tile->bottom, tile->right};

            if (tile->kind != TILE_PICTURE)
                continue;
            if (run.right != 0 && worth_uniting(&run, &rect)) {
                run = bounds_of(&run, &rect);
                continue;
            }
            if (run.right != 0)
                add_run(self, &run, first);
            run = rect;
        }
        if (run.right != 0)
            add_run(self, &run, first);
    }
}

bool spice_desktop_find_damage(SpiceDesktopOps *ops, const SpiceDesktopChange *change,
                               SpiceArena *scratch, SpiceError *error)
{
    Finder self = {.change = change, .scratch = scratch, .ops = ops};

    ops->n_ops = 0;
    if (change->width == 0 || change->height == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "desktop.width");
    if (change->width > SPICE_MAX_DESKTOP_SIDE || change->height > SPICE_MAX_DESKTOP_SIDE)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "desktop.width");
    self.diff = spice_row_diff_find(change->cpu);
    self.columns = (change->width + TILE - 1) / TILE;
    self.rows = (change->height + TILE - 1) / TILE;
    self.tiles = spice_arena_take(scratch, (size_t)self.columns * self.rows, sizeof(Tile));
    if (!self.tiles)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "desktop");
    compare_all(&self);
    if (!change->no_scrolls)
        find_scrolls(&self);
    for (uint32_t i = 0; i < self.n_scrolls; i++)
        compare_again(&self, &self.scrolls[i].box);
    classify(&self);
    add_fills(&self);
    add_pictures(&self);
    return true;
}
