/* The video streams of the primary: what the detector finds among the draws, for views to send.
 *
 * The detector stands here and not in an element before the display, since it needs what is known
 * of a draw once it is published, and since streams end when nothing is drawn: those who wait for
 * something to send tell it the time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "publisher-state.h"

static SpiceRect rect_of(const pixman_box32_t *box)
{
    return (SpiceRect){box->y1, box->x1, box->y2, box->x2};
}

static pixman_box32_t box_of(const SpiceRect *rect)
{
    return (pixman_box32_t){rect->left, rect->top, rect->right, rect->bottom};
}

/* --- what a draw is to the detector --- */

/** The source of a draw that may be a frame; NULL if it may not. */
static const SpiceImage *frame_source(const SpiceDrawable *drawable)
{
    const SpiceMsgDisplayDrawCopy *copy = spice_drawable_message(drawable);

    return spice_drawable_type(drawable) == SPICE_MSG_DISPLAY_DRAW_COPY && !copy->mask.bitmap &&
                   copy->rop == SPICE_ROPD_OP_PUT && copy->source &&
                   copy->source->type == SPICE_IMAGE_TYPE_BITMAP
               ? copy->source
               : NULL;
}

/** The pixels that are drawn, as they stand in memory. */
typedef struct {
    const uint8_t *top; /* NULL: they cannot be looked at, as those of other than 32 bits */
    ptrdiff_t stride;
    uint32_t width, height;
} SourcePixels;

static SourcePixels pixels_of(const SpiceDrawable *drawable, const SpiceImage *source)
{
    const SpiceMsgDisplayDrawCopy *copy = spice_drawable_message(drawable);
    const SpiceRect *area = &copy->source_area;
    const bool top_down = source->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN;
    const ptrdiff_t stride = source->stride;
    const uint8_t *top = source->data.data;

    if ((source->bitmap_format != SPICE_BITMAP_FMT_32BIT &&
         source->bitmap_format != SPICE_BITMAP_FMT_RGBA) ||
        area->left < 0 || area->top < 0 || area->left >= area->right || area->top >= area->bottom ||
        (uint32_t)area->right > source->bitmap_width ||
        (uint32_t)area->bottom > source->bitmap_height ||
        source->stride < source->bitmap_width * (uint64_t)4)
        return (SourcePixels){0};
    if (!top_down)
        top += stride * (ptrdiff_t)(source->bitmap_height - 1);
    top += (top_down ? stride : -stride) * (ptrdiff_t)area->top + (ptrdiff_t)area->left * 4;
    return (SourcePixels){top, top_down ? stride : -stride, (uint32_t)(area->right - area->left),
                          (uint32_t)(area->bottom - area->top)};
}

/** Whether a stream runs there already, so that nobody asks any more what it is. */
static bool is_streamed(const SpiceDisplay *self, const SpiceRect *box)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT && self->n_streams > 0; id++) {
        const SpiceDisplayStream *stream = &self->streams[id];
        const SpiceRect there = rect_of(&stream->box);

        if (stream->generation && spice_box_overlap(&there, box) * 2 > spice_box_area(box))
            return true;
    }
    return false;
}

/** Looks at what a draw that may be a frame shows. */
static void look_at(SpiceDisplay *self, const SpiceDrawable *drawable, const SpiceImage *source,
                    SpiceStreamDraw *seen)
{
    const SpiceMsgDisplayDrawCopy *copy = spice_drawable_message(drawable);
    const SourcePixels pixels = pixels_of(drawable, source);
    const SpiceRect *box = &copy->base.box;

    seen->content = spice_content_classify(pixels.top, pixels.stride, pixels.width, pixels.height);
    /* In mode ALL what is scrolled by painting anew is taken, too. */
    if (self->streaming != SPICE_STREAM_MODE_FILTER || !pixels.top ||
        (int64_t)box->right - box->left != pixels.width ||
        (int64_t)box->bottom - box->top != pixels.height || is_streamed(self, box))
        return;
    if (!self->shifts)
        self->shifts = spice_shift_finder_new(self->config.allocator);
    seen->shifted =
        self->shifts && spice_shift_finder_look(self->shifts, box, pixels.top, pixels.stride);
}

/** Whether it is a picture of one colour: what finds draws between the frames of a desktop makes
 * fills of the flat parts of a film. */
static bool is_flat(const SpiceDrawable *drawable, bool opaque)
{
    const SpiceMsgDisplayDrawFill *fill = spice_drawable_message(drawable);

    return opaque && spice_drawable_type(drawable) == SPICE_MSG_DISPLAY_DRAW_FILL &&
           fill->brush.type == SPICE_BRUSH_TYPE_SOLID && fill->rop == SPICE_ROPD_OP_PUT;
}

static SpiceStreamDrawKind kind_of(const SpiceLiveDraw *draw, bool opaque, bool is_frame)
{
    if (is_frame)
        return SPICE_STREAM_DRAW_BITMAP;
    if (spice_drawable_type(draw->drawable) == SPICE_MSG_DISPLAY_COPY_BITS)
        return SPICE_STREAM_DRAW_MOVE;
    return opaque ? SPICE_STREAM_DRAW_COVER : SPICE_STREAM_DRAW_BLEND;
}

/* --- the streams --- */

static void end_stream(SpiceDisplay *self, uint32_t id)
{
    SpiceDisplayStream *stream = &self->streams[id];

    if (stream->generation == 0)
        return;
    pixman_region32_fini(&stream->clip);
    *stream = (SpiceDisplayStream){0};
    self->n_streams--;
}

/** Takes over the clip as the detector has it. Without memory nothing may be painted. */
static void take_clip(SpiceDisplayStream *stream, const SpiceStreamInfo *info)
{
    pixman_box32_t boxes[SPICE_BOX_LIST_LIMIT];

    for (uint32_t i = 0; i < info->clip->count; i++)
        boxes[i] = box_of(&info->clip->boxes[i]);
    pixman_region32_fini(&stream->clip);
    if (!pixman_region32_init_rects(&stream->clip, boxes, (int)info->clip->count) ||
        !pixman_region32_intersect_rect(&stream->clip, &stream->clip, stream->box.x1,
                                        stream->box.y1, (unsigned)(stream->box.x2 - stream->box.x1),
                                        (unsigned)(stream->box.y2 - stream->box.y1))) {
        pixman_region32_fini(&stream->clip);
        pixman_region32_init(&stream->clip);
    }
}

/** Makes stream `id` what the detector has under that number now. `anew`: clients have to create it
 * again. */
static void take_stream(SpiceDisplay *self, uint32_t id, bool anew)
{
    SpiceDisplayStream *stream = &self->streams[id];
    SpiceStreamInfo info;

    if (!spice_stream_detector_info(self->detector, id, &info) || spice_box_is_empty(&info.box)) {
        end_stream(self, id);
        return;
    }
    if (stream->generation == 0) {
        pixman_region32_init(&stream->clip);
        self->n_streams++;
        self->counters.streams++;
        anew = true;
    }
    if (anew) {
        stream->generation = ++self->last_generation;
        stream->box = box_of(&info.box);
    }
    stream->last_frame = info.last_frame;
    stream->interval = info.interval;
    take_clip(stream, &info);
}

static void take_events(SpiceDisplay *self, const SpiceStreamVerdict *verdict)
{
    for (uint32_t i = 0; i < verdict->event_count; i++) {
        const SpiceStreamEvent *event = &verdict->events[i];

        if (event->type == SPICE_STREAM_END || event->type == SPICE_STREAM_BEGIN)
            end_stream(self, event->id);
        if (event->type != SPICE_STREAM_END)
            take_stream(self, event->id, event->type == SPICE_STREAM_RESIZE);
    }
}

static void tell_views(SpiceDisplay *self, const SpiceStreamVerdict *verdict)
{
    for (SpiceView *view = self->views; view; view = view->next)
        for (uint32_t i = 0; i < verdict->event_count; i++)
            spice_view_stream_changed(view, verdict->events[i].id);
}

/** What is due of streams that ended has to be sent otherwise. */
static void settle_views(SpiceDisplay *self)
{
    for (SpiceView *view = self->views; view; view = view->next)
        spice_view_settle_due(view);
}

/* --- calls --- */

/** The detector, made when it is first needed: there is no video on most surfaces' first draws, and
 * none at all without memory, or in 16 bits. */
static SpiceStreamDetector *detector(SpiceDisplay *self)
{
    const SpiceSurface *primary = self->surfaces[0];
    SpiceStreamPolicy policy;

    if (self->detector || self->streaming == SPICE_STREAM_MODE_OFF || !primary ||
        PIXMAN_FORMAT_BPP(primary->pixels.format) != 32)
        return self->detector;
    spice_stream_policy_default(&policy);
    policy.mode = self->streaming;
    self->detector =
        spice_stream_detector_new(self->config.allocator, (uint32_t)primary->pixels.width,
                                  (uint32_t)primary->pixels.height, &policy);
    return self->detector;
}

int32_t spice_display_judge(SpiceDisplay *self, const SpiceLiveDraw *draw, bool opaque)
{
    const SpiceImage *source = frame_source(draw->drawable);
    SpiceRect clip[SPICE_STREAM_DRAW_CLIP_LIMIT];
    SpiceStreamDraw seen = {.time = spice_drawable_time(draw->drawable)};
    SpiceStreamVerdict verdict;
    SpiceStreamInfo info;
    const pixman_box32_t *boxes;
    pixman_box32_t around;
    int n;

    /* Without video, what could become some is all that counts. */
    if (draw->on.id != 0 || (!self->detector && !source) || !detector(self))
        return -1;
    seen.kind = kind_of(draw, opaque, source || is_flat(draw->drawable, opaque));
    if (source)
        look_at(self, draw->drawable, source, &seen);
    else if (seen.kind == SPICE_STREAM_DRAW_BITMAP)
        seen.content = SPICE_FRAME_FLAT;
    around = *pixman_region32_extents((pixman_region32_t *)&draw->region);
    if (seen.kind == SPICE_STREAM_DRAW_MOVE && draw->n_reads > 0) {
        const pixman_box32_t *from = &draw->reads[0].box;

        around.x1 = from->x1 < around.x1 ? from->x1 : around.x1;
        around.y1 = from->y1 < around.y1 ? from->y1 : around.y1;
        around.x2 = from->x2 > around.x2 ? from->x2 : around.x2;
        around.y2 = from->y2 > around.y2 ? from->y2 : around.y2;
    }
    seen.box = rect_of(&around);
    boxes = pixman_region32_rectangles((pixman_region32_t *)&draw->region, &n);
    if (n > 1 && n <= SPICE_STREAM_DRAW_CLIP_LIMIT && seen.kind != SPICE_STREAM_DRAW_MOVE) {
        for (int i = 0; i < n; i++)
            clip[i] = rect_of(&boxes[i]);
        seen.clip = clip;
        seen.clip_count = (uint32_t)n;
    }
    verdict = spice_stream_detector_draw(self->detector, &seen);
    if (self->onlooker)
        self->onlooker(self->onlooker_context, self, &seen, verdict.stream);
    take_events(self, &verdict);
    if (verdict.stream >= 0) {
        self->streams[verdict.stream].last_frame = seen.time;
        if (spice_stream_detector_info(self->detector, (uint32_t)verdict.stream, &info))
            self->streams[verdict.stream].interval = info.interval;
        self->counters.frames++;
    }
    tell_views(self, &verdict);
    return verdict.stream;
}

void spice_display_forget_streams(SpiceDisplay *self)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        if (self->streams[id].generation == 0)
            continue;
        end_stream(self, id);
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_stream_changed(view, id);
    }
    settle_views(self);
    spice_stream_detector_free(self->detector);
    spice_shift_finder_free(self->shifts);
    self->detector = NULL;
    self->shifts = NULL;
}

static void apply(SpiceDisplay *self, const SpiceStreamVerdict *verdict)
{
    if (verdict->event_count == 0)
        return;
    take_events(self, verdict);
    tell_views(self, verdict);
    settle_views(self);
}

void spice_display_set_streaming(SpiceDisplay *self, SpiceStreamMode mode, uint64_t now)
{
    SpiceStreamVerdict verdict;

    if (mode == self->streaming)
        return;
    self->streaming = mode;
    if (!self->detector)
        return;
    verdict = spice_stream_detector_reset(self->detector, now, mode);
    apply(self, &verdict);
}

void spice_display_advance(SpiceDisplay *self, uint64_t now)
{
    SpiceStreamVerdict verdict;

    if (self->n_streams == 0)
        return;
    verdict = spice_stream_detector_advance(self->detector, now);
    apply(self, &verdict);
}

void spice_display_set_onlooker(SpiceDisplay *self, SpiceDisplayOnlooker onlooker, void *context)
{
    self->onlooker = onlooker;
    self->onlooker_context = context;
}

uint64_t spice_display_stream_due(const SpiceDisplay *self)
{
    return self->n_streams > 0 ? spice_stream_detector_due(self->detector) : UINT64_MAX;
}
