/* Running video streams of a surface: which draws are their frames, and when they begin, change
 * and end.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-state.h"

#include <string.h>

enum {
    SIDE_LIMIT = 65535,
    CHECK_PERIOD = 250000, /* us between looks at whether a stream's box still fits */
    SHRINK_AFTER = 500000, /* us for which a stream's draws must fill less than its box */
    KEEP_MEMORY = 2000000, /* us over which the share of gradual frames is taken */
    STILL_AFTER = 600000,  /* us after which a place that is not painted leaves the clip */
    SWEEP_PERIOD = 300000, /* us between looks at what stands still */
    SETTLE_FRAMES = 3,     /* frames of another size after which the stream has that size */
};

void spice_stream_policy_default(SpiceStreamPolicy *policy)
{
    *policy = (SpiceStreamPolicy){
        .mode = SPICE_STREAM_MODE_FILTER,
        .least_side = 96,
        .start_frames = 5,
        .start_time = 350000,
        .start_gap = 260000,
        .end_after = 500000,
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

static void move_clock(SpiceStreamDetector *self, uint64_t time)
{
    const SpiceStreamPolicy *policy = &self->policy;

    self->event_count = 0;
    if (time > self->now)
        self->now = time;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->running_count; id++) {
        const SpiceStream *stream = &self->streams[id];

        if (!stream->running)
            continue;
        if (self->now - stream->last_frame >= policy->end_after)
            end_stream(self, id, stream->last_frame + policy->end_after);
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

/* A draw as the detector sees it: inside the surface, with what it paints. */
typedef struct {
    SpiceStreamDraw draw; /* its box cut to the surface, its clip not to be used */
    bool gradual;
    uint32_t count;
    SpiceRect painted[SPICE_STREAM_DRAW_CLIP_LIMIT];
} Painted;

/* Whether anything of the draw is left. */
static bool cut_draw(const SpiceStreamDetector *self, const SpiceStreamDraw *draw, Painted *cut)
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

/* How much of a frame of the stream a bitmap is, in pixels of the stream's box; 0: it is none. */
static int64_t frame_share(const SpiceStreamDetector *self, const SpiceStream *stream,
                           const Painted *cut)
{
    const SpiceRect *box = &cut->draw.box;
    int64_t shared = spice_box_overlap(box, &stream->box);
    int64_t own = spice_box_area(box), whole = spice_box_area(&stream->box);

    if (!shared)
        return 0;
    /* the same picture, whatever it shows now: credits, a black scene */
    if (shared * 10 >= (own + whole - shared) * 9)
        return shared;
    if (shared * 2 >= own && shared * 2 >= whole && own <= 2 * whole)
        return cut->gradual ? shared : 0;
    /* the window was moved */
    if (spice_box_same_size(box, &stream->box) && shared * 10 >= whole * 3)
        return cut->gradual ? shared : 0;
    if (shared * 2 < own)
        return 0;
    if (stream->parts)
        return cut->gradual || cut->draw.content == SPICE_FRAME_FLAT ? shared : 0;
    /* a frame of which little changed comes when a frame is due; what comes between, is over it */
    return cut->gradual && own * 16 >= whole &&
                   (self->now - stream->last_frame) * 2 >= stream->interval
               ? shared
               : 0;
}

static int32_t stream_of(const SpiceStreamDetector *self, const Painted *cut)
{
    int64_t best = 0;
    int32_t found = -1;

    if (cut->draw.kind != SPICE_STREAM_DRAW_BITMAP || !self->running_count)
        return -1;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (self->streams[id].running) {
            int64_t share = frame_share(self, &self->streams[id], cut);

            if (share > best) {
                best = share;
                found = (int32_t)id;
            }
        }
    return found;
}

/* Takes what a draw paints out of the clips of all streams but its own. */
static void cut_clips(SpiceStreamDetector *self, const Painted *cut, int32_t own)
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

static void keep_clip_inside(SpiceStream *stream)
{
    SpiceBoxList old = stream->clip;

    stream->clip.count = 0;
    for (uint32_t i = 0; i < old.count; i++) {
        SpiceRect box = spice_box_intersect(&old.boxes[i], &stream->box);

        spice_box_list_add(&stream->clip, &box);
    }
}

/* Whether a whole frame gives the stream another place or size. Then its clip starts anew. */
static bool follow_frame(SpiceStream *stream, const SpiceRect *box)
{
    bool settled;

    if (spice_box_equal(box, &stream->box)) {
        stream->other_count = 0;
        return false;
    }
    if (stream->other_count && spice_box_equal(box, &stream->other_box))
        stream->other_count++;
    else
        stream->other_count = 1;
    stream->other_box = *box;
    settled = spice_box_same_size(box, &stream->box) || stream->other_count >= SETTLE_FRAMES;
    if (settled) {
        stream->box = *box;
        stream->clip.count = 0;
        stream->other_count = 0;
    }
    return settled;
}

/* Fits the box to the frames of late, where they come in parts. It grows at once and shrinks when
 * they have filled less for a while. Whether it changed. */
static bool follow_parts(SpiceStreamDetector *self, uint32_t id)
{
    SpiceStream *stream = &self->streams[id];
    SpiceRect recent, old = stream->box;

    if (self->now - stream->checked < CHECK_PERIOD)
        return false;
    stream->checked = self->now;
    recent = spice_stream_recent_box(self, id, SPICE_STREAM_HISTORY_SPAN);
    if (spice_box_area(&recent) * 10 >= spice_box_area(&stream->box) * 7) {
        stream->shrunk = 0;
        stream->box =
            spice_box_contains(&stream->box, &recent)
                ? stream->box
                : (spice_box_overlap(&recent, &stream->box) * 10 < spice_box_area(&stream->box) * 9
                       ? recent
                       : spice_box_unite(&stream->box, &recent));
    } else if (!stream->shrunk) {
        stream->shrunk = self->now;
    } else if (self->now - stream->shrunk >= SHRINK_AFTER) {
        stream->shrunk = 0;
        stream->box = recent;
    }
    if (spice_box_equal(&old, &stream->box))
        return false;
    keep_clip_inside(stream);
    return true;
}

/* What frames in parts have not painted for a while is perhaps a window over the film, drawn together
 * with a part of it: it leaves the clip, and is made exact. Whether the clip changed. */
static bool leave_still(SpiceStreamDetector *self, uint32_t id)
{
    SpiceStream *stream = &self->streams[id];
    SpiceBoxList still = stream->clip;
    bool clipped = false;

    if (!stream->parts || self->now - stream->swept < SWEEP_PERIOD)
        return false;
    stream->swept = self->now;
    spice_stream_take_away_recent(self, id, STILL_AFTER, &still);
    for (uint32_t i = 0; i < still.count; i++)
        clipped |= spice_box_list_subtract(&stream->clip, &still.boxes[i]);
    return clipped;
}

static bool is_large_enough(const SpiceStreamDetector *self, const SpiceRect *box)
{
    return self->policy.mode == SPICE_STREAM_MODE_ALL ||
           (box->right - box->left >= (int64_t)self->policy.least_side &&
            box->bottom - box->top >= (int64_t)self->policy.least_side);
}

/* A frame of a running stream. Whether the stream still runs. */
static bool take_frame(SpiceStreamDetector *self, uint32_t id, const Painted *cut)
{
    SpiceStream *stream = &self->streams[id];
    uint64_t gap = self->now - stream->last_frame;
    bool whole =
        spice_box_overlap(&cut->draw.box, &stream->box) * 2 >= spice_box_area(&stream->box);
    bool resized, clipped = false;

    if (gap >= SPICE_STREAM_SAME_FRAME)
        stream->interval = (stream->interval * 7 + gap) / 8;
    stream->last_frame = self->now;
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
    resized =
        stream->parts || !whole ? follow_parts(self, id) : follow_frame(stream, &cut->draw.box);
    if (resized && !is_large_enough(self, &stream->box)) {
        end_stream(self, id, self->now);
        return false;
    }
    for (uint32_t i = 0; i < cut->count; i++)
        clipped |= spice_box_list_add(&stream->clip, &cut->painted[i]);
    clipped |= leave_still(self, id);
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

/* Looks for a region below the draw, and begins its stream. Its id, or -1. */
static int32_t begin_stream(SpiceStreamDetector *self, const Painted *cut)
{
    SpiceStreamRegion region;
    SpiceStream *stream;
    uint32_t id = 0;

    if (self->now < self->next_search)
        return -1;
    if (!spice_stream_find_region(self, &cut->draw.box, &region)) {
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
    Painted cut;
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
