/* Cells of a surface, and regions of them that play video.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-state.h"

#include <stdlib.h>

/* us: the share of gradual frames is that of about so long, so that a page with pictures, which is
 * scrolled, does not become video with each picture. A run begins little above what it needs. */
enum { GRADUAL_MEMORY = 1000000, FIRST_GRADUAL = 160 };
enum { LEAST_MOVE = 2 }; /* px */

/* The cells that a box inside the surface touches. */
typedef struct {
    uint32_t left, top, right, bottom; /* right and bottom not included */
} CellBox;

static CellBox cells_of(const SpiceStreamDetector *self, const SpiceRect *box)
{
    int32_t side = self->cell_side;

    return (CellBox){
        .left = (uint32_t)(box->left / side),
        .top = (uint32_t)(box->top / side),
        .right = (uint32_t)((box->right - 1) / side + 1),
        .bottom = (uint32_t)((box->bottom - 1) / side + 1),
    };
}

SpiceStreamPast *spice_stream_remember(SpiceStreamDetector *self, const SpiceStreamDraw *draw,
                                       const SpiceRect *visible, uint32_t visible_count)
{
    SpiceStreamPast *past = &self->history[self->history_next];

    past->time = self->now;
    past->box = draw->box;
    past->kind = draw->kind;
    past->gradual = draw->content == SPICE_FRAME_GRADUAL || draw->content == SPICE_FRAME_UNKNOWN;
    past->stream = -1;
    past->generation = 0;
    past->visible_count = 0;
    for (uint32_t i = 0; i < visible_count; i++) { /* the largest ones */
        uint32_t at = past->visible_count;

        if (at == SPICE_STREAM_PAST_CLIP) {
            at = 0;
            for (uint32_t j = 1; j < SPICE_STREAM_PAST_CLIP; j++)
                if (spice_box_area(&past->visible[j]) < spice_box_area(&past->visible[at]))
                    at = j;
            if (spice_box_area(&past->visible[at]) >= spice_box_area(&visible[i]))
                continue;
        } else {
            past->visible_count++;
        }
        past->visible[at] = visible[i];
    }
    self->history_next = (self->history_next + 1) % SPICE_STREAM_HISTORY;
    if (self->history_count < SPICE_STREAM_HISTORY)
        self->history_count++;
    return past;
}

/* The draw `back` draws ago: 0 is the newest. */
static const SpiceStreamPast *past_at(const SpiceStreamDetector *self, uint32_t back)
{
    return &self->history[(self->history_next + SPICE_STREAM_HISTORY - 1 - back) %
                          SPICE_STREAM_HISTORY];
}

static bool is_ripe(const SpiceStreamDetector *self, const SpiceStreamCell *cell)
{
    const SpiceStreamPolicy *policy = &self->policy;

    return cell->frames >= policy->start_frames &&
           cell->last - cell->run_start >= policy->start_time &&
           self->now - cell->last <= policy->start_gap &&
           (policy->mode == SPICE_STREAM_MODE_ALL ||
            cell->gradual * 100u >= policy->gradual_percent * 256u);
}

/* Ripe, or at the rim of a region: reached by most of the draws, with a run of its own. */
static bool is_playing(const SpiceStreamDetector *self, const SpiceStreamCell *cell)
{
    const SpiceStreamPolicy *policy = &self->policy;

    return cell->frames >= 3 && self->now - cell->last <= policy->start_gap &&
           (policy->mode == SPICE_STREAM_MODE_ALL ||
            cell->gradual * 100u >= policy->gradual_percent * 256u);
}

static void restart(SpiceStreamCell *cell, uint64_t now, uint16_t gradual)
{
    cell->run_start = cell->last = now;
    cell->frames = 1;
    cell->interval = 0;
    cell->gradual = gradual;
}

/* One more draw on a cell. A gap that is long by the run's own pace starts another run: bursts of
 * a scroll wheel or of key presses never get old. */
static void count_frame(const SpiceStreamDetector *self, SpiceStreamCell *cell, bool gradual)
{
    uint64_t gap = self->now - cell->last, span;
    uint16_t share = gradual ? 256 : 0;

    if (!cell->frames || gap > self->policy.start_gap ||
        (cell->frames >= 3 && gap > 4 * (uint64_t)cell->interval + 20000)) {
        restart(cell, self->now, gradual ? FIRST_GRADUAL : 0);
        return;
    }
    if (gap < SPICE_STREAM_SAME_FRAME) {
        if (gradual && cell->gradual < 256)
            cell->gradual = (uint16_t)(cell->gradual + (256 - cell->gradual) / 4);
        return;
    }
    span = gap < GRADUAL_MEMORY ? gap : GRADUAL_MEMORY;
    cell->interval = cell->frames == 1 ? (uint32_t)gap : (uint32_t)((cell->interval * 3 + gap) / 4);
    cell->gradual =
        (uint16_t)(((GRADUAL_MEMORY - span) * cell->gradual + span * share) / GRADUAL_MEMORY);
    cell->last = self->now;
    if (cell->frames < UINT16_MAX)
        cell->frames++;
}

bool spice_stream_touch_cells(SpiceStreamDetector *self, const SpiceStreamDraw *draw,
                              const SpiceRect *part)
{
    bool gradual = draw->content == SPICE_FRAME_GRADUAL || draw->content == SPICE_FRAME_UNKNOWN;
    CellBox touched = cells_of(self, part);
    bool ripe = false;

    for (uint32_t row = touched.top; row < touched.bottom; row++)
        for (uint32_t column = touched.left; column < touched.right; column++) {
            SpiceStreamCell *cell = &self->cells[(size_t)row * self->columns + column];

            if (draw->kind == SPICE_STREAM_DRAW_MOVE || draw->shifted) {
                cell->frames = 0;
                cell->moved = self->now + 1;
            } else if (draw->kind == SPICE_STREAM_DRAW_BITMAP) {
                if (cell->moved && self->now < cell->moved + self->policy.start_time) {
                    cell->frames = 0;
                    continue;
                }
                count_frame(self, cell, gradual);
                ripe |= is_ripe(self, cell);
            }
        }
    return ripe;
}

void spice_stream_clear_cells(SpiceStreamDetector *self, const SpiceRect *box)
{
    CellBox touched = cells_of(self, box);

    for (uint32_t row = touched.top; row < touched.bottom; row++)
        for (uint32_t column = touched.left; column < touched.right; column++)
            self->cells[(size_t)row * self->columns + column].frames = 0;
}

/* Adds a cell to the search if it plays and was not seen. */
static uint32_t enqueue(SpiceStreamDetector *self, uint32_t index, uint32_t end)
{
    SpiceStreamCell *cell = &self->cells[index];

    if (cell->mark != self->mark && is_playing(self, cell)) {
        cell->mark = self->mark;
        self->queue[end++] = index;
    }
    return end;
}

/* The box around all playing cells connected with a ripe one below `box`; empty if none is. */
static SpiceRect connected_cells(SpiceStreamDetector *self, const SpiceRect *box)
{
    CellBox touched = cells_of(self, box);
    uint32_t end = 0;
    SpiceRect found = {0};

    if (++self->mark == 0) { /* after 2^32 searches: forget marks of long ago */
        for (size_t i = 0; i < (size_t)self->columns * self->rows; i++)
            self->cells[i].mark = 0;
        self->mark = 1;
    }
    for (uint32_t row = touched.top; row < touched.bottom && !end; row++)
        for (uint32_t column = touched.left; column < touched.right && !end; column++)
            if (is_ripe(self, &self->cells[(size_t)row * self->columns + column]))
                end = enqueue(self, row * self->columns + column, end);
    for (uint32_t next = 0; next < end; next++) {
        uint32_t row = self->queue[next] / self->columns;
        uint32_t column = self->queue[next] % self->columns;
        SpiceRect cell = {
            .top = (int32_t)row * self->cell_side,
            .left = (int32_t)column * self->cell_side,
            .bottom = (int32_t)(row + 1) * self->cell_side,
            .right = (int32_t)(column + 1) * self->cell_side,
        };

        found = spice_box_unite(&found, &cell);
        if (row > 0)
            end = enqueue(self, self->queue[next] - self->columns, end);
        if (row + 1 < self->rows)
            end = enqueue(self, self->queue[next] + self->columns, end);
        if (column > 0)
            end = enqueue(self, self->queue[next] - 1, end);
        if (column + 1 < self->columns)
            end = enqueue(self, self->queue[next] + 1, end);
    }
    return found;
}

/* Whether a past draw belongs to a place: most of it lies inside. */
static bool belongs(const SpiceStreamPast *past, const SpiceRect *place)
{
    return past->stream < 0 && past->kind == SPICE_STREAM_DRAW_BITMAP &&
           spice_box_overlap(&past->box, place) * 2 >= spice_box_area(&past->box);
}

/* The draws of a place in the last span. */
typedef struct {
    SpiceRect box;
    int64_t area;          /* of all draws */
    uint32_t frames;       /* times at which there was one */
    uint32_t large, moved; /* draws of some size; those of them that are the one before, moved */
    uint32_t draws, whole; /* all; those that paint half of the region or more */
    uint64_t first, last;
} Survey;

static void survey_box(const SpiceStreamDetector *self, const SpiceRect *cells, Survey *survey)
{
    for (uint32_t back = 0; back < self->history_count; back++) {
        const SpiceStreamPast *past = past_at(self, back);

        if (self->now - past->time > SPICE_STREAM_HISTORY_SPAN)
            break;
        if (belongs(past, cells) && (past->gradual || self->policy.mode == SPICE_STREAM_MODE_ALL))
            survey->box = spice_box_unite(&survey->box, &past->box);
    }
}

/* Whether a draw is the one before, moved: both its edges by about as much, as the box around what
 * changes when a window is dragged. Of a film's changing parts each edge goes its own way. */
static bool is_moved(const SpiceRect *before, const SpiceRect *box)
{
    const int32_t left = box->left - before->left, right = box->right - before->right;
    const int32_t top = box->top - before->top, bottom = box->bottom - before->bottom;
    const int32_t x = abs(left) > abs(right) ? abs(left) : abs(right);
    const int32_t y = abs(top) > abs(bottom) ? abs(top) : abs(bottom);
    const int32_t width = box->right - box->left, height = box->bottom - box->top;

    if (x + y < LEAST_MOVE || spice_box_overlap(before, box) == 0)
        return false;
    if (spice_box_same_size(before, box))
        return true;
    return abs(left - right) * 8 <= width && abs(top - bottom) * 8 <= height &&
           (x < LEAST_MOVE || abs(left - right) * 10 <= x * 6) &&
           (y < LEAST_MOVE || abs(top - bottom) * 10 <= y * 6);
}

/* Fills in the rest, and the places that the draws left to the video. */
static void survey_draws(const SpiceStreamDetector *self, Survey *survey, SpiceBoxList *clip)
{
    const SpiceStreamPast *before = NULL;
    int64_t region = spice_box_area(&survey->box);

    for (uint32_t back = self->history_count; back-- > 0;) {
        const SpiceStreamPast *past = past_at(self, back);

        if (self->now - past->time > SPICE_STREAM_HISTORY_SPAN)
            continue;
        if (past->kind != SPICE_STREAM_DRAW_BITMAP) {
            spice_box_list_subtract(clip, &past->box);
            continue;
        }
        if (!belongs(past, &survey->box)) {
            spice_box_list_subtract(clip, &past->box);
            continue;
        }
        if (!past->gradual && self->policy.mode != SPICE_STREAM_MODE_ALL &&
            spice_box_area(&past->box) * 2 < region) {
            spice_box_list_subtract(clip, &past->box); /* a control over the picture */
            continue;
        }
        if (!past->visible_count)
            spice_box_list_add(clip, &past->box);
        for (uint32_t i = 0; i < past->visible_count; i++)
            spice_box_list_add(clip, &past->visible[i]);
        survey->draws++;
        survey->whole += spice_box_area(&past->box) * 2 >= region;
        survey->area += spice_box_area(&past->box);
        if (!survey->frames || past->time - survey->last >= SPICE_STREAM_SAME_FRAME) {
            if (!survey->frames)
                survey->first = past->time;
            survey->frames++;
            survey->last = past->time;
        }
        if (spice_box_area(&past->box) * 8 < region)
            continue; /* a strip; or what a dragged window leaves behind */
        survey->large++;
        survey->moved += before && is_moved(&before->box, &past->box);
        before = past;
    }
}

bool spice_stream_find_region(SpiceStreamDetector *self, const SpiceRect *box,
                              SpiceStreamRegion *region)
{
    const SpiceStreamPolicy *policy = &self->policy;
    SpiceRect cells = connected_cells(self, box);
    Survey survey = {0};
    int64_t area;

    if (spice_box_is_empty(&cells))
        return false;
    survey_box(self, &cells, &survey);
    if (spice_box_is_empty(&survey.box))
        return false;
    region->clip.count = 0;
    survey_draws(self, &survey, &region->clip);
    area = spice_box_area(&survey.box);
    if (survey.frames < 2 ||
        spice_box_list_area(&region->clip) * 100 < area * policy->fill_percent ||
        survey.area * 100 < area * policy->coverage_percent * survey.frames ||
        survey.moved * 100 > survey.large * policy->moved_percent)
        return false;
    region->box = survey.box;
    region->parts = survey.whole * 4 < survey.draws * 3;
    region->interval = (survey.last - survey.first) / (survey.frames - 1);
    return true;
}

SpiceRect spice_stream_recent_box(const SpiceStreamDetector *self, uint32_t id, uint64_t span)
{
    SpiceRect box = {0};

    for (uint32_t back = 0; back < self->history_count; back++) {
        const SpiceStreamPast *past = past_at(self, back);

        if (self->now - past->time > span)
            break;
        if (past->stream == (int32_t)id && past->generation == self->streams[id].generation)
            box = spice_box_unite(&box, &past->box);
    }
    return box;
}

void spice_stream_take_away_recent(const SpiceStreamDetector *self, uint32_t id, uint64_t span,
                                   SpiceBoxList *list)
{
    for (uint32_t back = 0; back < self->history_count && list->count; back++) {
        const SpiceStreamPast *past = past_at(self, back);

        if (self->now - past->time > span)
            break;
        if (past->stream != (int32_t)id || past->generation != self->streams[id].generation)
            continue;
        if (past->visible_count == 0)
            spice_box_list_subtract(list, &past->box);
        for (uint32_t i = 0; i < past->visible_count; i++)
            spice_box_list_subtract(list, &past->visible[i]);
    }
}
