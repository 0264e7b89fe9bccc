/* Video streams in a view: frames are left out of the queue, and the newest picture of a stream's
 * box is cut when its turn comes.
 *
 * Of a stream that runs a view keeps what is *due*: where frames were drawn that the client has not
 * been sent. It is always inside the stream's clip; what leaves the clip without being overwritten
 * becomes damage. A stream with something due has one place in the queue, behind all that was
 * published before its last frame. So when that place is reached, whatever is still queued was
 * drawn after that frame, and the detector has cut it out of the clip: the newest picture may be
 * painted there.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "publisher-state.h"

static uint64_t bit(uint32_t id)
{
    return UINT64_C(1) << id;
}

static pixman_region32_t *readable(const pixman_region32_t *region)
{
    return (pixman_region32_t *)region; /* pixman's reading calls lack const */
}

bool spice_view_init_streams(SpiceView *self)
{
    const size_t size = SPICE_STREAM_LIMIT * sizeof(self->streams[0]);

    self->streams = spice_display_alloc(self->display, size);
    if (!self->streams)
        return false;
    memset(self->streams, 0, size);
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        pixman_region32_init(&self->streams[id].due);
    return true;
}

/** The client does not have the stream any more. */
static void forget_sent(SpiceViewStream *stream)
{
    if (stream->sent == 0)
        return;
    stream->sent = 0;
    pixman_region32_fini(&stream->clip);
}

void spice_view_fini_streams(SpiceView *self)
{
    if (!self->streams)
        return;
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        forget_sent(&self->streams[id]);
        pixman_region32_fini(&self->streams[id].due);
    }
    spice_display_free(self->display, self->streams);
}

bool spice_view_streams(const SpiceView *self, uint32_t id)
{
    const uint64_t generation = self->display->streams[id].generation;

    return self->streams && generation != 0 && self->streams[id].refused != generation;
}

/* --- what is due --- */

static void set_due(SpiceView *self, uint32_t id)
{
    if (pixman_region32_not_empty(&self->streams[id].due))
        self->due_streams |= bit(id);
    else
        self->due_streams &= ~bit(id);
}

static void forget_marker(SpiceView *self, uint32_t id)
{
    SpiceQueued *marker = self->streams[id].marker;

    if (!marker)
        return;
    spice_view_unlink(marker);
    spice_view_item_done(&marker->item);
}

/** Gives the stream a place at the end of the queue. */
static void mark_place(SpiceView *self, uint32_t id)
{
    SpiceQueued *marker = self->streams[id].marker;

    if (marker) {
        spice_view_unlink(marker);
    } else {
        marker = spice_queued_create(self, SPICE_QUEUED_FRAME, 0);
        if (!marker) {
            spice_view_collapse(self, SPICE_COLLAPSE_MEMORY);
            return;
        }
        marker->stream = id;
    }
    spice_view_push(self, marker);
    self->streams[id].marker = marker;
}

void spice_view_queue_due(SpiceView *self)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->following && self->due_streams; id++)
        if (self->due_streams & bit(id))
            mark_place(self, id);
}

/** What was overwritten need not come any more. */
static void overwrite_due(SpiceView *self, const pixman_region32_t *by)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        if (!(self->due_streams & bit(id)) || !spice_region_meets(&self->streams[id].due, by))
            continue;
        spice_region_take_away(&self->streams[id].due, by);
        set_due(self, id);
        if (!(self->due_streams & bit(id)))
            forget_marker(self, id);
    }
}

/** Whether the draw reads what the client has not been sent. */
static bool reads_due(const SpiceView *self, const SpiceLiveDraw *draw)
{
    for (unsigned i = 0; i < draw->n_reads; i++)
        for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && draw->reads[i].from.id == 0; id++)
            if ((self->due_streams & bit(id)) &&
                spice_region_meets_box(&self->streams[id].due, &draw->reads[i].box))
                return true;
    return false;
}

/** Whether `region` lies in the clip. */
static bool lies_in(const pixman_region32_t *region, const pixman_region32_t *clip)
{
    pixman_region32_t outside;
    bool inside;

    pixman_region32_init(&outside);
    inside = pixman_region32_subtract(&outside, readable(region), readable(clip)) &&
             !pixman_region32_not_empty(&outside);
    pixman_region32_fini(&outside);
    return inside;
}

/** Adds to what is due. That may become simpler, that is larger, but not beyond the clip. */
static void add_due(SpiceView *self, uint32_t id, const pixman_region32_t *region)
{
    pixman_region32_t *due = &self->streams[id].due;
    pixman_region32_t most;

    pixman_region32_init(&most);
    if (pixman_region32_union(&most, due, &self->display->streams[id].clip)) {
        spice_region_add(due, region);
        pixman_region32_intersect(due, due, &most);
    } else {
        spice_region_add(due, region); /* without memory: it will be settled */
    }
    pixman_region32_fini(&most);
    set_due(self, id);
}

bool spice_view_take_frame(SpiceView *self, const SpiceLiveDraw *draw, bool opaque, int32_t stream)
{
    if (self->due_streams && self->following && reads_due(self, draw))
        spice_view_collapse(self, SPICE_COLLAPSE_STREAM);
    if (draw->on.id != 0)
        return false;
    if (stream >= 0 && spice_view_streams(self, (uint32_t)stream) &&
        lies_in(&draw->region, &self->display->streams[stream].clip)) {
        add_due(self, (uint32_t)stream, &draw->region);
        if (self->following && (self->due_streams & bit((uint32_t)stream)))
            mark_place(self, (uint32_t)stream);
        return true;
    }
    if (opaque && self->due_streams && self->following)
        overwrite_due(self, &draw->region);
    return false;
}

/** Makes all of what is due damage but what `clip` (NULL: nothing) still lets through. */
static void give_up_due(SpiceView *self, uint32_t id, const pixman_region32_t *clip)
{
    pixman_region32_t *due = &self->streams[id].due;
    pixman_region32_t left;

    /* That may add to what is due, so it comes first. */
    spice_view_collapse(self, SPICE_COLLAPSE_STREAM);
    pixman_region32_init(&left);
    if (clip && pixman_region32_intersect(&left, due, readable(clip)))
        spice_region_take_away(due, clip);
    spice_region_add(&self->damage, due);
    pixman_region32_fini(due);
    *due = left;
    set_due(self, id);
}

void spice_view_settle_due(SpiceView *self)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->due_streams; id++) {
        const pixman_region32_t *clip =
            spice_view_streams(self, id) ? &self->display->streams[id].clip : NULL;

        if ((self->due_streams & bit(id)) && !(clip && lies_in(&self->streams[id].due, clip)))
            give_up_due(self, id, clip);
    }
}

void spice_view_leave_to_streams(SpiceView *self, pixman_region32_t *region)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        const SpiceDisplayStream *stream = &self->display->streams[id];
        pixman_region32_t part;

        if (!spice_view_streams(self, id) || !spice_region_meets(region, &stream->clip))
            continue;
        pixman_region32_init(&part);
        if (pixman_region32_intersect(&part, region, readable(&stream->clip))) {
            add_due(self, id, &part);
            spice_region_take_away(region, &part);
        }
        pixman_region32_fini(&part);
    }
}

/* --- messages --- */

void spice_view_stream_changed(SpiceView *self, uint32_t id)
{
    const SpiceDisplayStream *stream = &self->display->streams[id];
    const SpiceViewStream *at = self->streams ? &self->streams[id] : NULL;

    if (!at || at->sent == 0)
        return;
    if (at->sent != stream->generation || at->refused == stream->generation ||
        !lies_in(&at->clip, &stream->clip))
        self->unsettled |= bit(id);
    else
        self->unsettled &= ~bit(id);
}

void spice_view_refuse_stream(SpiceView *self, uint32_t id, uint64_t generation)
{
    if (!self->streams || id >= SPICE_STREAM_LIMIT || generation == 0 ||
        self->display->streams[id].generation != generation)
        return;
    self->streams[id].refused = generation;
    spice_view_stream_changed(self, id);
    spice_view_settle_due(self);
    /* What the client could not decode is not there, whatever it was sent. */
    spice_view_damage(
        self, &(SpiceRect){self->display->streams[id].box.y1, self->display->streams[id].box.x1,
                           self->display->streams[id].box.y2, self->display->streams[id].box.x2});
}

/* No stream has this generation. */
static const uint64_t outdated = UINT64_MAX;

void spice_view_restart_streams(SpiceView *self)
{
    for (uint32_t id = 0; self->streams && id < SPICE_STREAM_LIMIT; id++)
        if (self->streams[id].sent != 0) {
            self->streams[id].sent = outdated;
            spice_view_stream_changed(self, id);
        }
}

static SpiceQueued *message(SpiceView *self, uint16_t type, const pixman_region32_t *clip)
{
    const size_t n = clip ? (size_t)pixman_region32_n_rects(readable(clip)) : 0;
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_STREAM, n * sizeof(SpiceRect));

    if (queued)
        queued->item.type = type;
    return queued;
}

static SpiceClip clip_of(SpiceQueued *queued, const pixman_region32_t *clip)
{
    SpiceRect *rects = (SpiceRect *)(void *)queued->extra;
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(readable(clip), &n);

    for (int i = 0; i < n; i++)
        rects[i] = (SpiceRect){boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2};
    return (SpiceClip){SPICE_CLIP_TYPE_RECTS, (uint32_t)n, rects};
}

static SpiceQueued *create(SpiceView *self, uint32_t id)
{
    const SpiceDisplayStream *stream = &self->display->streams[id];
    SpiceViewStream *at = &self->streams[id];
    const uint32_t width = (uint32_t)(stream->box.x2 - stream->box.x1);
    const uint32_t height = (uint32_t)(stream->box.y2 - stream->box.y1);
    SpiceQueued *queued = message(self, SPICE_MSG_DISPLAY_STREAM_CREATE, &stream->clip);

    if (!queued)
        return NULL;
    queued->message.stream_create = (SpiceMsgDisplayStreamCreate){
        .id = id,
        .flags = SPICE_STREAM_FLAGS_TOP_DOWN,
        .stream_width = width,
        .stream_height = height,
        .source_width = width,
        .source_height = height,
        .dest = {stream->box.y1, stream->box.x1, stream->box.y2, stream->box.x2},
        .clip = clip_of(queued, &stream->clip),
    };
    queued->frame = (SpiceViewFrame){id, stream->generation, stream->last_frame, stream->interval};
    queued->item.frame = &queued->frame;
    at->sent = stream->generation;
    at->report_due = self->config.reports;
    pixman_region32_init(&at->clip);
    pixman_region32_copy(&at->clip, readable(&stream->clip));
    return queued;
}

static SpiceQueued *activate_report(SpiceView *self, uint32_t id)
{
    enum { WINDOW_FRAMES = 5, TIMEOUT_MS = 1000 };
    SpiceQueued *queued = message(self, SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT, NULL);

    if (!queued)
        return NULL;
    queued->message.activate_report = (SpiceMsgDisplayStreamActivateReport){
        id, (uint32_t)self->streams[id].sent, WINDOW_FRAMES, TIMEOUT_MS};
    self->streams[id].report_due = false;
    return queued;
}

static SpiceQueued *send_clip(SpiceView *self, uint32_t id, const pixman_region32_t *clip)
{
    SpiceQueued *queued = message(self, SPICE_MSG_DISPLAY_STREAM_CLIP, clip);

    if (!queued)
        return NULL;
    queued->message.stream_clip = (SpiceMsgDisplayStreamClip){id, clip_of(queued, clip)};
    /* Without memory it counts as larger than it is, and is sent again. */
    pixman_region32_copy(&self->streams[id].clip, readable(clip));
    spice_view_stream_changed(self, id);
    return queued;
}

static SpiceQueued *destroy(SpiceView *self, uint32_t id)
{
    SpiceQueued *queued = message(self, SPICE_MSG_DISPLAY_STREAM_DESTROY, NULL);

    if (!queued)
        return NULL;
    queued->message.stream_destroy.id = id;
    forget_sent(&self->streams[id]);
    self->unsettled &= ~bit(id);
    return queued;
}

/** What the client's clip has in common with what it should be. */
static SpiceQueued *shrink_clip(SpiceView *self, uint32_t id)
{
    const SpiceDisplayStream *stream = &self->display->streams[id];
    pixman_region32_t common;
    SpiceQueued *queued;

    pixman_region32_init(&common);
    if (pixman_region32_intersect(&common, &self->streams[id].clip, readable(&stream->clip)))
        queued = send_clip(self, id, &common);
    else
        queued = send_clip(self, id, &stream->clip);
    pixman_region32_fini(&common);
    return queued;
}

SpiceQueued *spice_view_settle_stream(SpiceView *self, SpiceError *error)
{
    SpiceQueued *queued;
    uint32_t id = 0;

    if (!self->unsettled)
        return NULL;
    while (!(self->unsettled & bit(id)))
        id++;
    if (self->streams[id].sent != self->display->streams[id].generation ||
        !spice_view_streams(self, id))
        queued = destroy(self, id);
    else
        queued = shrink_clip(self, id);
    if (!queued)
        spice_error_set(error, SPICE_ERROR_MEMORY, "stream");
    return queued;
}

uint32_t spice_view_next_stream(const SpiceView *self)
{
    uint32_t id = self->last_stream;

    do
        id = (id + 1) % SPICE_STREAM_LIMIT;
    while (!(self->due_streams & bit(id)));
    return id;
}

/** The frame itself. The picture is painted before anything is looked at, as views may collapse. */
static SpiceQueued *frame(SpiceView *self, uint32_t id, SpiceError *error)
{
    const SpiceDisplayStream *stream = &self->display->streams[id];
    SpiceSurface *primary = self->display->surfaces[0];
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_FRAME, 0);

    if (!queued) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "stream");
        return NULL;
    }
    queued->item.drawable = spice_display_cut(self->display, primary, &stream->box, error);
    if (!queued->item.drawable) {
        spice_view_item_done(&queued->item);
        return NULL;
    }
    queued->frame = (SpiceViewFrame){id, stream->generation, stream->last_frame, stream->interval};
    queued->message.stream_data.id = id;
    queued->item.frame = &queued->frame;
    forget_marker(self, id);
    pixman_region32_clear(&self->streams[id].due);
    set_due(self, id);
    self->last_stream = id;
    self->frame_was_last = true;
    return queued;
}

SpiceQueued *spice_view_stream_message(SpiceView *self, uint32_t id, SpiceError *error)
{
    const SpiceDisplayStream *stream = &self->display->streams[id];
    const bool followed = self->following;
    SpiceQueued *queued;

    if (self->streams[id].sent == 0) {
        queued = create(self, id);
    } else if (self->streams[id].report_due) {
        queued = activate_report(self, id);
    } else if (!pixman_region32_equal(&self->streams[id].clip, readable(&stream->clip))) {
        queued = send_clip(self, id, &stream->clip);
    } else {
        spice_display_paint_box(self->display, self->display->surfaces[0], &stream->box);
        return self->following == followed ? frame(self, id, error) : NULL;
    }
    if (!queued)
        spice_error_set(error, SPICE_ERROR_MEMORY, "stream");
    return queued;
}
