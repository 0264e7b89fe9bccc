/* Running video streams of a surface: which draws are their frames, and when they begin, change
 * and end.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-state.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIDE_LIMIT = 65535,
    KEEP_MEMORY = 2000000, /* us over which the share of gradual frames is taken */
    WHOLE_AGAIN = 1000000, /* us without parts after which frames come whole again */
    NEIGHBOUR_GAP = 32,    /* px between parts of one film */
};

/* Frames that may be missing before a stream ends. */
enum { END_FRAMES = 8 };

void spice_stream_policy_default(SpiceStreamPolicy *policy)
{
    *policy = (SpiceStreamPolicy){
        .mode = SPICE_STREAM_MODE_FILTER,
        .least_side = 96,
        .start_frames = 5,
        .start_time = 350000,
        .start_gap = 260000,
        .end_after = 400000,
        .gradual_percent = 60,
        .keep_percent = 25,
        .fill_percent = 40,
        .coverage_percent = 25,
        .moved_percent = 30,
    };
}

static bool is_sane(const SpiceStreamPolicy *policy)
{
    return policy->mode >= SPICE_STREAM_MODE_OFF && policy->mode <= SPICE_STREAM_MODE_FILTER &&
           policy->start_frames >= 2 && policy->start_frames <= 100 &&
           policy->start_time <= 60000000 && policy->start_gap <= 60000000 &&
           policy->end_after <= 600000000 && policy->gradual_percent <= 100 &&
           policy->keep_percent <= 100 && policy->fill_percent <= 100 &&
           policy->coverage_percent <= 100 && policy->moved_percent <= 100;
}

static void *take(const SpiceAllocator *allocator, size_t size)
{
    void *memory = allocator->alloc(allocator->context, size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

SpiceStreamDetector *spice_stream_detector_new(const SpiceAllocator *allocator, uint32_t width,
                                               uint32_t height, const SpiceStreamPolicy *policy)
{
    SpiceStreamDetector *self;
    uint32_t side = SPICE_STREAM_CELL;
    size_t cells;

    if (width < 1 || width > SIDE_LIMIT || height < 1 || height > SIDE_LIMIT || !is_sane(policy))
        return NULL;
    while ((uint64_t)((width + side - 1) / side) * ((height + side - 1) / side) >
           SPICE_STREAM_CELL_LIMIT)
        side *= 2;
    self = take(allocator, sizeof(*self));
    if (!self)
        return NULL;
    self->allocator = allocator;
    self->policy = *policy;
    self->surface = (SpiceRect){.bottom = (int32_t)height, .right = (int32_t)width};
    self->cell_side = (int32_t)side;
    self->columns = (width + side - 1) / side;
    self->rows = (height + side - 1) / side;
    cells = (size_t)self->columns * self->rows;
    self->cells = take(allocator, cells * sizeof(*self->cells));
    self->queue = take(allocator, cells * sizeof(*self->queue));
    if (!self->cells || !self->queue) {
        spice_stream_detector_free(self);
        return NULL;
    }
    return self;
}

void spice_stream_detector_free(SpiceStreamDetector *self)
{
    if (!self)
        return;
    if (self->cells)
        self->allocator->release(self->allocator->context, self->cells);
    if (self->queue)
        self->allocator->release(self->allocator->context, self->queue);
    self->allocator->release(self->allocator->context, self);
}

/* A call makes at most END, RESIZE and CLIP for each stream and one BEGIN, so there is room. */
static void add_event(SpiceStreamDetector *self, SpiceStreamEventType type, uint32_t id,
                      uint64_t time)
{
    if (self->event_count < SPICE_STREAM_EVENT_LIMIT)
        self->events[self->event_count++] = (SpiceStreamEvent){
            .type = type,
            .id = id,
            .generation = self->streams[id].generation,
            .time = time,
            .box = self->streams[id].box,
        };
}

static void end_stream(SpiceStreamDetector *self, uint32_t id, uint64_t time)
{
    add_event(self, SPICE_STREAM_END, id, time);
    self->streams[id].running = false;
    self->running_count--;
}

/** When a stream ends if no frame of it comes: the sooner the faster they came. */
static uint64_t end_of(const SpiceStreamDetector *self, const SpiceStream *stream)
{
    const uint64_t most = self->policy.end_after, frames = END_FRAMES * stream->interval;
    const uint64_t least = most - most / 4;

    return stream->last_frame + (frames < least ? least : frames > most ? most : frames);
}

static void move_clock(SpiceStreamDetector *self, uint64_t time)
{
    self->event_count = 0;
    if (time > self->now)
        self->now = time;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->running_count; id++) {
        const SpiceStream *stream = &self->streams[id];

        if (!stream->running)
            continue;
        if (self->now >= end_of(self, stream))
            end_stream(self, id, end_of(self, stream));
    }
}

static SpiceStreamVerdict verdict_of(const SpiceStreamDetector *self, int32_t stream)
{
    return (SpiceStreamVerdict){
        .stream = stream,
        .generation = stream >= 0 ? self->streams[stream].generation : 0,
        .events = self->events,
        .event_count = self->event_count,
    };
}

/* Whether anything of the draw is left. */
static bool cut_draw(const SpiceStreamDetector *self, const SpiceStreamDraw *draw,
                     SpiceStreamPainted *cut)
{
    cut->draw = *draw;
    cut->draw.box = spice_box_intersect(&draw->box, &self->surface);
    cut->gradual = self->policy.mode == SPICE_STREAM_MODE_ALL ||
                   draw->content == SPICE_FRAME_GRADUAL || draw->content == SPICE_FRAME_UNKNOWN;
    cut->count = 0;
    if (spice_box_is_empty(&cut->draw.box))
        return false;
    if (!draw->clip || draw->clip_count > SPICE_STREAM_DRAW_CLIP_LIMIT) {
        cut->painted[cut->count++] = cut->draw.box;
        if (draw->clip && draw->kind == SPICE_STREAM_DRAW_BITMAP)
            cut->draw.kind = SPICE_STREAM_DRAW_COVER;
        return true;
    }
    for (uint32_t i = 0; i < draw->clip_count; i++) {
        SpiceRect box = spice_box_intersect(&draw->clip[i], &cut->draw.box);

        if (!spice_box_is_empty(&box))
            cut->painted[cut->count++] = box;
    }
    return cut->count > 0;
}

static int32_t stream_of(const SpiceStreamDetector *self, const SpiceStreamPainted *cut)
{
    int64_t best = 0;
    int32_t found = -1;

    if (cut->draw.kind != SPICE_STREAM_DRAW_BITMAP || !self->running_count)
        return -1;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (self->streams[id].running) {
            int64_t share = spice_stream_frame_share(self, &self->streams[id], cut);

            if (share > best) {
                best = share;
                found = (int32_t)id;
            }
        }
    return found;
}

/* Takes what a draw paints out of the clips of all streams but its own. */
static void cut_clips(SpiceStreamDetector *self, const SpiceStreamPainted *cut, int32_t own)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->running_count; id++) {
        bool changed = false;

        if (!self->streams[id].running || (int32_t)id == own)
            continue;
        for (uint32_t i = 0; i < cut->count; i++)
            changed |= spice_box_list_subtract(&self->streams[id].clip, &cut->painted[i]);
        if (changed)
            add_event(self, SPICE_STREAM_CLIP, id, self->now);
    }
}

static bool is_large_enough(const SpiceStreamDetector *self, const SpiceRect *box)
{
    return self->policy.mode == SPICE_STREAM_MODE_ALL ||
           (box->right - box->left >= (int64_t)self->policy.least_side &&
            box->bottom - box->top >= (int64_t)self->policy.least_side);
}

/* A frame of a running stream. Whether the stream still runs. */
static bool take_frame(SpiceStreamDetector *self, uint32_t id, const SpiceStreamPainted *cut)
{
    SpiceStream *stream = &self->streams[id];
    uint64_t gap = self->now - stream->last_frame;
    bool whole =
        spice_box_overlap(&cut->draw.box, &stream->box) * 2 >= spice_box_area(&stream->box);
    bool resized, clipped = false;

    if (gap >= SPICE_STREAM_SAME_FRAME)
        stream->interval = (stream->interval * 7 + gap) / 8;
    stream->last_frame = self->now;
    stream->last_box = cut->draw.box;
    if (whole)
        stream->last_whole = self->now;
    else
        stream->last_part = self->now;
    if (self->now - stream->last_part > WHOLE_AGAIN)
        stream->parts = false;
    if (gap > KEEP_MEMORY)
        gap = KEEP_MEMORY;
    stream->gradual =
        (uint32_t)(((KEEP_MEMORY - gap) * stream->gradual + gap * (cut->gradual ? 65536 : 0)) /
                   KEEP_MEMORY);
    if (self->policy.mode == SPICE_STREAM_MODE_FILTER &&
        stream->gradual * (uint64_t)100 < self->policy.keep_percent * (uint64_t)65536) {
        end_stream(self, id, self->now);
        return false;
    }
    resized = stream->parts || !whole ? spice_stream_follow_parts(self, id)
                                      : spice_stream_follow_frame(stream, &cut->draw.box);
    if (resized && !is_large_enough(self, &stream->box)) {
        end_stream(self, id, self->now);
        return false;
    }
    for (uint32_t i = 0; i < cut->count; i++)
        clipped |= spice_box_list_add(&stream->clip, &cut->painted[i]);
    clipped |= spice_stream_leave_still(self, id);
    if (resized)
        add_event(self, SPICE_STREAM_RESIZE, id, self->now);
    if (resized || clipped)
        add_event(self, SPICE_STREAM_CLIP, id, self->now);
    return true;
}

/* Ends streams that a new region takes over. Whether it may begin: not inside a running one. */
static bool make_room(SpiceStreamDetector *self, const SpiceRect *box)
{
    int64_t area = spice_box_area(box);

    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        const SpiceStream *stream = &self->streams[id];
        int64_t other = spice_box_area(&stream->box);

        if (stream->running && area < other && spice_box_overlap(box, &stream->box) * 2 >= area &&
            self->now - stream->last_frame < 2 * stream->interval + SPICE_STREAM_SAME_FRAME)
            return false;
    }
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        const SpiceStream *stream = &self->streams[id];
        int64_t shared = stream->running ? spice_box_overlap(box, &stream->box) : 0;

        if (shared && (shared * 2 >= spice_box_area(&stream->box) || shared * 2 >= area))
            end_stream(self, id, self->now);
    }
    return self->running_count < SPICE_STREAM_LIMIT;
}

/* Whether a region is a part of a running stream's film: beside it or below it, with edges that go on
 * where the other's end, at the same pace. */
static bool is_neighbour(const SpiceStream *stream, const SpiceStreamRegion *region)
{
    const SpiceRect *a = &stream->box, *b = &region->box;
    const bool same_sides =
        abs(a->left - b->left) <= NEIGHBOUR_GAP && abs(a->right - b->right) <= NEIGHBOUR_GAP;
    const bool same_heights =
        abs(a->top - b->top) <= NEIGHBOUR_GAP && abs(a->bottom - b->bottom) <= NEIGHBOUR_GAP;
    const bool below = abs(a->bottom - b->top) <= NEIGHBOUR_GAP,
               above = abs(b->bottom - a->top) <= NEIGHBOUR_GAP;
    const bool right = abs(a->right - b->left) <= NEIGHBOUR_GAP,
               left = abs(b->right - a->left) <= NEIGHBOUR_GAP;

    return stream->interval * 2 <= region->interval * 3 &&
           region->interval * 2 <= stream->interval * 3 &&
           ((same_sides && (below || above)) || (same_heights && (left || right)));
}

/* Gives a region to the stream whose film it is a part of. Its id, or -1. */
static int32_t join_stream(SpiceStreamDetector *self, const SpiceStreamRegion *region)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->running_count; id++) {
        SpiceStream *stream = &self->streams[id];

        if (!stream->running || !is_neighbour(stream, region))
            continue;
        stream->box = spice_box_unite(&stream->box, &region->box);
        stream->parts = true;
        stream->last_frame = stream->last_part = self->now;
        for (uint32_t i = 0; i < region->clip.count; i++)
            spice_box_list_add(&stream->clip, &region->clip.boxes[i]);
        spice_stream_clear_cells(self, &region->box);
        add_event(self, SPICE_STREAM_RESIZE, id, self->now);
        add_event(self, SPICE_STREAM_CLIP, id, self->now);
        return (int32_t)id;
    }
    return -1;
}

/* Looks for a region below the draw, and begins its stream. Its id, or -1. */
static int32_t begin_stream(SpiceStreamDetector *self, const SpiceStreamPainted *cut)
{
    SpiceStreamRegion region;
    SpiceStream *stream;
    uint32_t id = 0;
    int32_t joined;

    if (self->now < self->next_search)
        return -1;
    if (!spice_stream_find_region(self, &cut->draw.box, &region)) {
        self->next_search = self->now + SPICE_STREAM_SEARCH_PAUSE;
        return -1;
    }
    joined = join_stream(self, &region);
    if (joined >= 0)
        return joined;
    if (region.travels) {
        spice_stream_stop_cells(self, &region.box);
        return -1;
    }
    if (!is_large_enough(self, &region.box)) {
        self->next_search = self->now + SPICE_STREAM_SEARCH_PAUSE;
        return -1;
    }
    if (!make_room(self, &region.box)) {
        spice_stream_clear_cells(self, &region.box);
        return -1;
    }
    while (self->streams[id].running)
        id++;
    stream = &self->streams[id];
    if (++self->generation == 0)
        self->generation = 1;
    *stream = (SpiceStream){
        .running = true,
        .parts = region.parts,
        .generation = self->generation,
        .box = region.box,
        .clip = region.clip,
        .last_frame = self->now,
        .gradual = 65536,
        .interval = region.interval,
        .last_whole = self->now,
        .last_part = self->now,
        .checked = self->now,
        .swept = self->now,
    };
    self->running_count++;
    spice_stream_clear_cells(self, &region.box);
    add_event(self, SPICE_STREAM_BEGIN, id, self->now);
    return (int32_t)id;
}

SpiceStreamVerdict spice_stream_detector_draw(SpiceStreamDetector *self,
                                              const SpiceStreamDraw *draw)
{
    SpiceStreamPainted cut;
    SpiceStreamPast *past;
    int32_t stream;
    bool ripe = false;

    move_clock(self, draw->time);
    if (self->policy.mode == SPICE_STREAM_MODE_OFF || !cut_draw(self, draw, &cut))
        return verdict_of(self, -1);
    past = spice_stream_remember(self, &cut.draw, cut.painted, draw->clip ? cut.count : 0);
    stream = stream_of(self, &cut);
    cut_clips(self, &cut, stream);
    if (stream >= 0) {
        past->stream = stream;
        past->generation = self->streams[stream].generation;
        return verdict_of(self, take_frame(self, (uint32_t)stream, &cut) ? stream : -1);
    }
    for (uint32_t i = 0; i < cut.count; i++)
        ripe |= spice_stream_touch_cells(self, &cut.draw, &cut.painted[i]);
    if (!ripe || !cut.gradual) /* what begins a stream is to be worth it */
        return verdict_of(self, -1);
    stream = begin_stream(self, &cut);
    if (stream >= 0) {
        past->stream = stream;
        past->generation = self->streams[stream].generation;
        return verdict_of(self, stream);
    }
    return verdict_of(self, -1);
}

SpiceStreamVerdict spice_stream_detector_advance(SpiceStreamDetector *self, uint64_t time)
{
    move_clock(self, time);
    return verdict_of(self, -1);
}

SpiceStreamVerdict spice_stream_detector_reset(SpiceStreamDetector *self, uint64_t time,
                                               SpiceStreamMode mode)
{
    move_clock(self, time);
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (self->streams[id].running)
            end_stream(self, id, self->now);
    memset(self->cells, 0, (size_t)self->columns * self->rows * sizeof(*self->cells));
    self->history_count = 0;
    self->next_search = 0;
    if (mode >= SPICE_STREAM_MODE_OFF && mode <= SPICE_STREAM_MODE_FILTER)
        self->policy.mode = mode;
    return verdict_of(self, -1);
}

uint64_t spice_stream_detector_due(const SpiceStreamDetector *self)
{
    uint64_t due = UINT64_MAX;

    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->running_count; id++) {
        const SpiceStream *stream = &self->streams[id];

        if (stream->running && end_of(self, stream) < due)
            due = end_of(self, stream);
    }
    return due;
}

bool spice_stream_detector_info(const SpiceStreamDetector *self, uint32_t id, SpiceStreamInfo *info)
{
    const SpiceStream *stream;

    if (id >= SPICE_STREAM_LIMIT || !self->streams[id].running)
        return false;
    stream = &self->streams[id];
    *info = (SpiceStreamInfo){
        .generation = stream->generation,
        .box = stream->box,
        .clip = &stream->clip,
        .last_frame = stream->last_frame,
        .interval = stream->interval,
    };
    return true;
}
