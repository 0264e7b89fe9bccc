/* Cells of a surface, and regions of them that play video.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-state.h"

#include <stdlib.h>

/* us: the share of gradual frames is that of about so long, so that a page with pictures, which is
 * scrolled, does not become video with each picture. A run begins little above what it needs. */
enum { GRADUAL_MEMORY = 1000000, FIRST_GRADUAL = 160 };
/* Half pixels that a travelling middle goes at least; us that the draws of a frame take at most. */
enum { LEAST_WAY = 4, LONGEST_FRAME = 40000, TRAVEL_SPAN = 1000000 };
/* px by which a film's frame may miss an edge of it; share of frames that do not. */
enum { NEAR = 4, STEADY_PERCENT = 65 };

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

/* What is dragged or resized travels: the middle of what is drawn, or its size, goes on the way that it
 * came, or a long way in all. Of a film that changes here and there both go to and fro. Frames are told
 * apart by time, as a frame in strips goes its way, too. */
typedef struct {
    uint32_t changes, onward;  /* times that it went; and within 60 degrees of the way of before */
    double x, y;               /* the last way */
    double net_x, net_y, path; /* from the first place to the last; all ways together */
} Way;

typedef struct {
    uint32_t frames;
    uint64_t first, last; /* us: of the frame's draws */
    SpiceRect box;        /* of the frame so far */
    SpiceRect before;     /* of the last one */
    Way middle, size;     /* doubled */
} Travel;

static double length(double x, double y)
{
    return (x < 0 ? -x : x) + (y < 0 ? -y : y);
}

static void go(Way *way, double x, double y)
{
    const double now = x * x + y * y, then = way->x * way->x + way->y * way->y;
    const double along = x * way->x + y * way->y;

    if (length(x, y) < LEAST_WAY)
        return;
    way->changes++;
    way->onward += along > 0 && along * along * 4 >= now * then;
    way->x = x;
    way->y = y;
    way->net_x += x;
    way->net_y += y;
    way->path += length(x, y);
}

static bool goes_far(const Way *way, uint32_t frames, uint32_t percent)
{
    return way->changes >= 2 && way->changes * 100 >= frames * percent &&
           (way->onward * 2 >= way->changes ||
            (way->changes >= 3 && length(way->net_x, way->net_y) * 10 >= way->path * 6));
}

static void end_frame(Travel *travel)
{
    const SpiceRect *a = &travel->before, *b = &travel->box;
    const double left = b->left - a->left, right = b->right - a->right;
    const double top = b->top - a->top, bottom = b->bottom - a->bottom;

    if (spice_box_is_empty(&travel->box))
        return;
    if (travel->frames++ > 0) {
        go(&travel->middle, left + right, top + bottom);
        go(&travel->size, 2 * (right - left), 2 * (bottom - top));
    }
    travel->before = travel->box;
    travel->box = (SpiceRect){0};
}

static void add_to_travel(Travel *travel, const SpiceStreamPast *past)
{
    if (past->time - travel->last >= SPICE_STREAM_SAME_FRAME ||
        past->time - travel->first >= LONGEST_FRAME) {
        end_frame(travel);
        travel->first = past->time;
    }
    travel->last = past->time;
    travel->box = spice_box_unite(&travel->box, &past->box);
}

static bool is_near(const SpiceRect *a, const SpiceRect *b)
{
    return abs(a->left - b->left) <= NEAR && abs(a->top - b->top) <= NEAR &&
           abs(a->right - b->right) <= NEAR && abs(a->bottom - b->bottom) <= NEAR;
}

/* Whether frames, with all their parts, have the place's own edges again and again, as a film's have
 * that changes here and there, and those of what travels have not. */
static bool is_steady(const SpiceStreamDetector *self, const SpiceRect *place)
{
    uint32_t frames = 0, steady = 0;
    SpiceRect frame = {0};
    uint64_t last = 0;

    for (uint32_t back = self->history_count; back-- > 0;) {
        const SpiceStreamPast *past = past_at(self, back);

        if (self->now - past->time > TRAVEL_SPAN || !belongs(past, place))
            continue;
        if (past->time - last >= SPICE_STREAM_SAME_FRAME && !spice_box_is_empty(&frame)) {
            frames++;
            steady += is_near(place, &frame);
            frame = (SpiceRect){0};
        }
        last = past->time;
        frame = spice_box_unite(&frame, &past->box);
    }
    return steady * 100 >= frames * STEADY_PERCENT;
}

/* Whether what is drawn on a place is dragged, or resized. This is looked at for longer than the rest, so
 * that the point where it turns back does not hide it. */
static bool travels(const SpiceStreamDetector *self, const SpiceRect *place)
{
    const int64_t area = spice_box_area(place);
    Travel travel = {0};

    if (is_steady(self, place))
        return false;
    for (uint32_t back = self->history_count; back-- > 0;) {
        const SpiceStreamPast *past = past_at(self, back);

        /* what is small is a strip; or what a dragged window leaves behind */
        if (self->now - past->time <= TRAVEL_SPAN && belongs(past, place) &&
            (past->gradual || self->policy.mode == SPICE_STREAM_MODE_ALL) &&
            spice_box_area(&past->box) * 8 >= area)
            add_to_travel(&travel, past);
    }
    end_frame(&travel);
    return goes_far(&travel.middle, travel.frames, self->policy.moved_percent) ||
           goes_far(&travel.size, travel.frames, self->policy.moved_percent);
}

/* Fills in the rest, and the places that the draws left to the video. */
static void survey_draws(const SpiceStreamDetector *self, Survey *survey, SpiceBoxList *clip)
{
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
    }
}

void spice_stream_stop_cells(SpiceStreamDetector *self, const SpiceRect *box)
{
    CellBox touched = cells_of(self, box);

    for (uint32_t row = touched.top; row < touched.bottom; row++)
        for (uint32_t column = touched.left; column < touched.right; column++) {
            SpiceStreamCell *cell = &self->cells[(size_t)row * self->columns + column];

            cell->frames = 0;
            cell->moved = self->now + 1;
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
        survey.area * 100 < area * policy->coverage_percent * survey.frames)
        return false;
    region->box = survey.box;
    region->travels = travels(self, &survey.box);
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
