/* The reference server's rule for video.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-plain.h"

#include <string.h>

enum {
    DETECT_GAP = 200000,  /* us between two frames of a stream to be */
    TIMEOUT = 1000000,    /* us without a frame that end a stream */
    START_FRAMES = 20,    /* the first one counts 0 */
    GRADUAL_PERCENT = 20, /* of the frames */
    RESET_AFTER = 100,    /* frames without a gradual one */
    LEAST_AREA = 96 * 96, /* px, mode FILTER */
    GROWTH = 2,           /* times a stream's area: the largest of its frames */
    TRACES = 8,
    PENDING = 64,
    EVENTS = 4 * SPICE_STREAM_LIMIT + 4,
};

/* A draw that may be followed by a frame. */
typedef struct {
    bool used;
    uint64_t time;
    SpiceRect box;
    bool candidate;
    int32_t stream; /* it is a frame of, or -1 */
    uint32_t frames, gradual, last_gradual;
} Trace;

typedef struct {
    bool running;
    uint32_t generation;
    SpiceRect box;
    SpiceBoxList clip;
    uint64_t last_frame, interval;
} Stream;

struct SpicePlainDetector {
    const SpiceAllocator *allocator;
    SpiceStreamMode mode;
    uint64_t now;
    uint32_t generation;
    uint32_t next_trace, next_pending;
    Trace traces[TRACES];
    Trace pending[PENDING]; /* draws still in the tree, a ring */
    Stream streams[SPICE_STREAM_LIMIT];
    uint32_t free_ids[SPICE_STREAM_LIMIT], free_count; /* a stack */
    SpiceStreamEvent events[EVENTS];
    uint32_t event_count;
};

SpicePlainDetector *spice_plain_detector_new(const SpiceAllocator *allocator, SpiceStreamMode mode)
{
    SpicePlainDetector *self = allocator->alloc(allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    memset(self, 0, sizeof(*self));
    self->allocator = allocator;
    self->mode = mode;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        self->free_ids[self->free_count++] = id;
    return self;
}

void spice_plain_detector_free(SpicePlainDetector *self)
{
    if (self)
        self->allocator->release(self->allocator->context, self);
}

static void add_event(SpicePlainDetector *self, SpiceStreamEventType type, uint32_t id,
                      uint64_t time)
{
    if (self->event_count < EVENTS)
        self->events[self->event_count++] = (SpiceStreamEvent){
            .type = type,
            .id = id,
            .generation = self->streams[id].generation,
            .time = time,
            .box = self->streams[id].box,
        };
}

static void move_clock(SpicePlainDetector *self, uint64_t time)
{
    self->event_count = 0;
    if (time > self->now)
        self->now = time;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        Stream *stream = &self->streams[id];

        if (!stream->running || self->now - stream->last_frame < TIMEOUT)
            continue;
        add_event(self, SPICE_STREAM_END, id, stream->last_frame + TIMEOUT);
        stream->running = false;
        self->free_ids[self->free_count++] = id;
        for (uint32_t i = 0; i < PENDING; i++)
            if (self->pending[i].stream == (int32_t)id)
                self->pending[i].used = false;
    }
}

static bool follows_stream(const SpicePlainDetector *self, uint32_t id, const Trace *draw)
{
    const Stream *stream = &self->streams[id];

    return stream->running && draw->candidate && self->now - stream->last_frame <= TIMEOUT &&
           spice_box_contains(&draw->box, &stream->box) &&
           spice_box_area(&draw->box) <= GROWTH * spice_box_area(&stream->box);
}

static bool follows_draw(const SpicePlainDetector *self, const Trace *past, const Trace *draw)
{
    return past->used && past->candidate && past->stream < 0 && draw->candidate &&
           self->now - past->time <= DETECT_GAP && spice_box_equal(&past->box, &draw->box);
}

/* Counts the draw as the frame after `past`. Whether a stream begins with it. */
static bool count_frame(const SpicePlainDetector *self, const Trace *past, Trace *draw,
                        bool is_gradual)
{
    draw->frames = past->frames + 1;
    draw->gradual = past->gradual;
    draw->last_gradual = past->last_gradual;
    if (is_gradual) {
        draw->gradual++;
        if (draw->frames - past->last_gradual > RESET_AFTER)
            draw->frames = draw->gradual = 1;
        draw->last_gradual = draw->frames;
    }
    return draw->frames >= START_FRAMES &&
           (self->mode == SPICE_STREAM_MODE_ALL ||
            (uint64_t)draw->gradual * 100 >= (uint64_t)draw->frames * GRADUAL_PERCENT);
}

static void begin_stream(SpicePlainDetector *self, Trace *draw)
{
    uint32_t id;

    if (!self->free_count)
        return;
    id = self->free_ids[--self->free_count];
    if (++self->generation == 0)
        self->generation = 1;
    self->streams[id] = (Stream){
        .running = true,
        .generation = self->generation,
        .box = draw->box,
        .clip = {.count = 1, .boxes = {draw->box}},
        .last_frame = self->now,
    };
    draw->stream = (int32_t)id;
    add_event(self, SPICE_STREAM_BEGIN, id, self->now);
}

/* Finds what the draw is the next frame of: pending draws that it covers or cuts, running
 * streams, past regions. */
static void trace(SpicePlainDetector *self, Trace *draw, bool is_gradual)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < PENDING; i++) {
            Trace *past = &self->pending[i];

            if (!past->used || spice_box_equal(&past->box, &draw->box) != (pass == 0) ||
                !spice_box_overlap(&past->box, &draw->box))
                continue;
            if (past->stream >= 0 && follows_stream(self, (uint32_t)past->stream, draw)) {
                draw->stream = past->stream;
                return;
            }
            if (follows_draw(self, past, draw)) {
                past->used = false;
                if (count_frame(self, past, draw, is_gradual))
                    begin_stream(self, draw);
                return;
            }
        }
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (follows_stream(self, id, draw)) {
            draw->stream = (int32_t)id;
            return;
        }
    for (uint32_t i = 0; i < TRACES; i++)
        if (follows_draw(self, &self->traces[i], draw)) {
            self->traces[i].used = false;
            if (count_frame(self, &self->traces[i], draw, is_gradual))
                begin_stream(self, draw);
            return;
        }
}

/* A draw leaves the tree. */
static void leave(SpicePlainDetector *self, Trace *past)
{
    if (past->used && past->candidate && past->stream < 0) {
        self->traces[self->next_trace] = *past;
        self->next_trace = (self->next_trace + 1) % TRACES;
    }
    past->used = false;
}

static void take_frame(SpicePlainDetector *self, uint32_t id, const SpiceStreamDraw *draw)
{
    Stream *stream = &self->streams[id];
    bool clipped = false;

    if (self->now > stream->last_frame)
        stream->interval = (stream->interval * 7 + (self->now - stream->last_frame)) / 8;
    stream->last_frame = self->now;
    if (draw->clip)
        for (uint32_t i = 0; i < draw->clip_count; i++) {
            SpiceRect box = spice_box_intersect(&draw->clip[i], &draw->box);

            clipped |= spice_box_list_add(&stream->clip, &box);
        }
    else
        clipped = spice_box_list_add(&stream->clip, &draw->box);
    if (clipped)
        add_event(self, SPICE_STREAM_CLIP, id, self->now);
}

SpiceStreamVerdict spice_plain_detector_draw(SpicePlainDetector *self, const SpiceStreamDraw *draw)
{
    Trace next = {.used = true, .time = 0, .box = draw->box, .stream = -1};
    bool is_gradual = draw->content != SPICE_FRAME_TEXT;

    move_clock(self, draw->time);
    next.time = self->now;
    if (self->mode == SPICE_STREAM_MODE_OFF || spice_box_is_empty(&draw->box))
        return (SpiceStreamVerdict){
            .stream = -1, .events = self->events, .event_count = self->event_count};
    next.candidate =
        draw->kind == SPICE_STREAM_DRAW_BITMAP &&
        (self->mode == SPICE_STREAM_MODE_ALL || spice_box_area(&draw->box) >= LEAST_AREA);
    next.gradual = is_gradual;
    if (next.candidate)
        trace(self, &next, is_gradual);
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (self->streams[id].running && next.stream != (int32_t)id &&
            spice_box_list_subtract(&self->streams[id].clip, &draw->box))
            add_event(self, SPICE_STREAM_CLIP, id, self->now);
    if (next.stream >= 0)
        take_frame(self, (uint32_t)next.stream, draw);
    if (draw->kind == SPICE_STREAM_DRAW_BITMAP || draw->kind == SPICE_STREAM_DRAW_COVER)
        for (uint32_t i = 0; i < PENDING; i++)
            if (spice_box_contains(&draw->box, &self->pending[i].box))
                leave(self, &self->pending[i]);
    leave(self, &self->pending[self->next_pending]);
    self->pending[self->next_pending] = next;
    self->next_pending = (self->next_pending + 1) % PENDING;
    return (SpiceStreamVerdict){
        .stream = next.stream,
        .generation = next.stream >= 0 ? self->streams[next.stream].generation : 0,
        .events = self->events,
        .event_count = self->event_count,
    };
}

SpiceStreamVerdict spice_plain_detector_advance(SpicePlainDetector *self, uint64_t time)
{
    move_clock(self, time);
    return (SpiceStreamVerdict){
        .stream = -1, .events = self->events, .event_count = self->event_count};
}

bool spice_plain_detector_info(const SpicePlainDetector *self, uint32_t id, SpiceStreamInfo *info)
{
    const Stream *stream;

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
