/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedamage
 * @title: spicedamage
 * @short_description: turns the frames of a desktop into draws
 *
 * Compares each frame with the one before and sends what it takes to make one of the other: areas
 * that moved (scrolling) as COPY_BITS, areas of one colour as FILL, the rest as pictures that refer
 * to the frame's own memory. A frame that did not change sends nothing. The first frame, and the
 * first of another size, is a picture of all of it.
 *
 * Frames with a #GstSpiceDamageMeta are compared only where it says that they changed.
 *
 * A buffer of caps `application/x-spice-draw` has no bytes but a #GstSpiceDrawMeta; the caps tell
 * the size of the desktop.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! videoconvert ! spicedamage ! fakesink
 * ]|
 */
#include "spicedamage.h"

#include <gst/video/video.h>

#include <string.h>

#include "core/display/desktop-damage.h"
#include "core/wire/display.h"
#include "damage-meta.h"
#include "draw-meta.h"
#include "session/cpu.h"

GST_DEBUG_CATEGORY_STATIC(spicedamage_debug);
#define GST_CAT_DEFAULT spicedamage_debug

enum { SCRATCH_LIMIT = 64 << 20 };
/* A picture of less than this part of a frame is copied out of it. */
enum { SMALL_PART = 8 };
enum { PROP_0, PROP_SCROLLS };

/** A frame that is being read, held by whoever reads it. */
typedef struct {
    gatomicrefcount refs;
    GstVideoFrame frame; /* mapped; has a reference of its buffer */
    guint64 time;        /* when it came, monotonic: finding what changed takes a while */
} Frame;

struct _GstSpiceDamage {
    GstElement parent_instance;
    GstPad *sink, *src;
    gboolean scrolls;

    /* streaming thread */
    GstVideoInfo info;
    Frame *previous; /* NULL: everything is new */
    SpiceArena scratch;
    SpiceDesktopOps ops;
};

G_DEFINE_FINAL_TYPE(GstSpiceDamage, gst_spice_damage, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        "application/x-spice-draw, width = (int) [ 1, max ], height = (int) [ 1, max ], "
        "framerate = (fraction) [ 0, max ]"));

/* Frames */

static void frame_unref(void *data)
{
    Frame *self = data;

    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
    gst_video_frame_unmap(&self->frame);
    g_free(self);
}

static Frame *frame_ref(Frame *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

/** NULL if the buffer cannot be read, or not in words. */
static Frame *frame_new(GstBuffer *buffer, const GstVideoInfo *info)
{
    Frame *self = g_new0(Frame, 1);

    g_atomic_ref_count_init(&self->refs);
    self->time = (guint64)g_get_monotonic_time();
    if (!gst_video_frame_map(&self->frame, info, buffer, GST_MAP_READ)) {
        g_free(self);
        return NULL;
    }
    if (((gsize)GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0) & 3) ||
        (GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, 0) & 3)) {
        frame_unref(self);
        return NULL;
    }
    return self;
}

static SpiceDesktopFrame desktop_frame(const Frame *self)
{
    return (SpiceDesktopFrame){GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0),
                               GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, 0)};
}

/* Draws */

static SpiceDrawable *make_copy_bits(const SpiceDesktopOp *op, SpiceError *error)
{
    const SpiceMsgDisplayCopyBits message = {.base = {.box = op->box}, .source = op->source};
    const SpiceDrawableSource source = {.type = SPICE_MSG_DISPLAY_COPY_BITS, .message = &message};

    return spice_drawable_create(&spice_allocator_libc, &source, error);
}

static SpiceDrawable *make_fill(const SpiceDesktopOp *op, SpiceError *error)
{
    const SpiceMsgDisplayDrawFill message = {
        .base = {.box = op->box},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = op->color},
        .rop = SPICE_ROPD_OP_PUT,
    };
    const SpiceDrawableSource source = {.type = SPICE_MSG_DISPLAY_DRAW_FILL, .message = &message};

    return spice_drawable_create(&spice_allocator_libc, &source, error);
}

/** A picture of `width` x `height` pixels at `data`, which is given back by `release`. */
static SpiceDrawable *make_picture(const SpiceDesktopOp *op, const guint8 *data, gsize stride,
                                   guint64 time, void (*release)(void *context), void *context,
                                   SpiceError *error)
{
    const guint32 width = (guint32)(op->box.right - op->box.left);
    const guint32 height = (guint32)(op->box.bottom - op->box.top);
    SpiceImage image = {
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = width,
        .height = height,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = width,
        .bitmap_height = height,
        .stride = (guint32)stride,
        .data = {data, stride * height},
    };
    const SpiceMsgDisplayDrawCopy message = {
        .base = {.box = op->box},
        .source = &image,
        .source_area = {0, 0, (gint32)height, (gint32)width},
        .rop = SPICE_ROPD_OP_PUT,
        .scale_mode = SPICE_IMAGE_SCALE_MODE_NEAREST,
    };
    const SpiceDrawableSource source = {
        .type = SPICE_MSG_DISPLAY_DRAW_COPY,
        .message = &message,
        .time = time,
        .release = release,
        .context = context,
    };
    SpiceDrawable *drawable = spice_drawable_create(&spice_allocator_libc, &source, error);

    if (!drawable)
        release(context);
    return drawable;
}

/** A picture of the box, which borrows the frame's memory if that is worth it. */
static SpiceDrawable *make_copy(const SpiceDesktopOp *op, Frame *frame, SpiceError *error)
{
    const SpiceDesktopFrame pixels = desktop_frame(frame);
    const guint8 *top = pixels.data + op->box.top * pixels.stride + (gsize)op->box.left * 4;
    const gint32 height = op->box.bottom - op->box.top;
    const gsize row = (gsize)(op->box.right - op->box.left) * 4;
    guint8 *packed;
    gint32 y;

    /* A bitmap has whole rows of its stride: those of one that stands in the frame's last line may
     * not, as they would end beyond the frame. And a small picture is no reason to keep a frame. */
    if (row * (gsize)height >= GST_VIDEO_FRAME_SIZE(&frame->frame) / SMALL_PART &&
        (op->box.left == 0 || op->box.bottom < GST_VIDEO_FRAME_HEIGHT(&frame->frame)))
        return make_picture(op, top, (gsize)pixels.stride, frame->time, frame_unref,
                            frame_ref(frame), error);
    packed = g_malloc(row * (gsize)height);
    for (y = 0; y < height; y++)
        memcpy(packed + y * row, top + y * pixels.stride, row);
    return make_picture(op, packed, row, frame->time, g_free, packed, error);
}

static SpiceDrawable *make_draw(const SpiceDesktopOp *op, Frame *frame, SpiceError *error)
{
    switch (op->kind) {
    case SPICE_DESKTOP_COPY_BITS:
        return make_copy_bits(op, error);
    case SPICE_DESKTOP_FILL:
        return make_fill(op, error);
    default:
        return make_copy(op, frame, error);
    }
}

/** Fills self->ops with what changed. */
static gboolean find_damage(GstSpiceDamage *self, const Frame *frame, GstBuffer *buffer,
                            SpiceError *error)
{
    const GstSpiceDamageMeta *meta = gst_buffer_get_spice_damage_meta(buffer);
    SpiceRect hints[GST_SPICE_DAMAGE_MAX_RECTS];
    SpiceDesktopChange change = {
        .width = (guint32)GST_VIDEO_INFO_WIDTH(&self->info),
        .height = (guint32)GST_VIDEO_INFO_HEIGHT(&self->info),
        .current = desktop_frame(frame),
        .no_scrolls = !self->scrolls,
        .cpu = gst_spice_cpu_flags(),
    };
    guint i;

    if (!self->previous) {
        self->ops.n_ops = 1;
        self->ops.ops[0] = (SpiceDesktopOp){
            .kind = SPICE_DESKTOP_COPY,
            .box = {0, 0, (gint32)change.height, (gint32)change.width},
        };
        return TRUE;
    }
    change.previous = desktop_frame(self->previous);
    if (meta) {
        for (i = 0; i < meta->n_rects; i++)
            hints[i] =
                (SpiceRect){meta->rects[i].y, meta->rects[i].x, meta->rects[i].y + meta->rects[i].h,
                            meta->rects[i].x + meta->rects[i].w};
        change.hints = hints;
        change.n_hints = meta->n_rects;
    }
    spice_arena_reset(&self->scratch);
    return spice_desktop_find_damage(&self->ops, &change, &self->scratch, error);
}

static GstFlowReturn push_draws(GstSpiceDamage *self, Frame *frame, GstBuffer *timing,
                                SpiceError *error)
{
    GstFlowReturn flow = GST_FLOW_OK;
    guint i;

    for (i = 0; i < self->ops.n_ops && flow == GST_FLOW_OK; i++) {
        SpiceDrawable *drawable = make_draw(&self->ops.ops[i], frame, error);
        GstBuffer *buffer;

        if (!drawable)
            return GST_FLOW_ERROR;
        buffer = gst_spice_draw_buffer_new(drawable);
        gst_buffer_copy_into(buffer, timing, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
        if (i + 1 == self->ops.n_ops)
            GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER); /* the frame is complete */
        flow = gst_pad_push(self->src, buffer);
    }
    return flow;
}

static GstFlowReturn gst_spice_damage_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDamage *self = GST_SPICE_DAMAGE(parent);
    Frame *frame = frame_new(buffer, &self->info);
    SpiceError error = {0};
    GstFlowReturn flow = GST_FLOW_ERROR;

    if (frame && find_damage(self, frame, buffer, &error))
        flow = push_draws(self, frame, buffer, &error);
    gst_buffer_unref(buffer);
    if (!frame || error.code != SPICE_OK) {
        GST_ELEMENT_ERROR(self, STREAM, FAILED, ("A frame could not be read."),
                          ("%s %s", frame ? error.field : "frame",
                           spice_error_phrase(frame ? error.code : SPICE_ERROR_VALUE)));
        frame_unref(frame);
        return GST_FLOW_ERROR;
    }
    frame_unref(self->previous);
    self->previous = frame;
    return flow;
}

/* Events and states */

static void forget_previous(GstSpiceDamage *self)
{
    frame_unref(g_steal_pointer(&self->previous));
}

static gboolean set_caps(GstSpiceDamage *self, GstCaps *caps)
{
    GstCaps *draw_caps;
    gboolean ok;

    if (!gst_video_info_from_caps(&self->info, caps) ||
        GST_VIDEO_INFO_WIDTH(&self->info) > SPICE_MAX_DESKTOP_SIDE ||
        GST_VIDEO_INFO_HEIGHT(&self->info) > SPICE_MAX_DESKTOP_SIDE)
        return FALSE;
    forget_previous(self);
    draw_caps = gst_caps_new_simple(
        "application/x-spice-draw", "width", G_TYPE_INT, GST_VIDEO_INFO_WIDTH(&self->info),
        "height", G_TYPE_INT, GST_VIDEO_INFO_HEIGHT(&self->info), "framerate", GST_TYPE_FRACTION,
        GST_VIDEO_INFO_FPS_N(&self->info), GST_VIDEO_INFO_FPS_D(&self->info), NULL);
    ok = gst_pad_push_event(self->src, gst_event_new_caps(draw_caps));
    gst_caps_unref(draw_caps);
    return ok;
}

static gboolean gst_spice_damage_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceDamage *self = GST_SPICE_DAMAGE(parent);

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps;
        gboolean ok;

        gst_event_parse_caps(event, &caps);
        ok = set_caps(self, caps);
        gst_event_unref(event);
        return ok;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
        forget_previous(self); /* draws may have been lost on the way */
    return gst_pad_event_default(pad, parent, event);
}

static GstStateChangeReturn gst_spice_damage_change_state(GstElement *element,
                                                          GstStateChange transition)
{
    GstSpiceDamage *self = GST_SPICE_DAMAGE(element);
    GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_spice_damage_parent_class)->change_state(element, transition);

    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        forget_previous(self);
        spice_arena_clear(&self->scratch);
    }
    return result;
}

/* Object */

static void gst_spice_damage_set_property(GObject *object, guint id, const GValue *value,
                                          GParamSpec *pspec)
{
    if (id == PROP_SCROLLS)
        GST_SPICE_DAMAGE(object)->scrolls = g_value_get_boolean(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_damage_get_property(GObject *object, guint id, GValue *value,
                                          GParamSpec *pspec)
{
    if (id == PROP_SCROLLS)
        g_value_set_boolean(value, GST_SPICE_DAMAGE(object)->scrolls);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_damage_finalize(GObject *object)
{
    GstSpiceDamage *self = GST_SPICE_DAMAGE(object);

    forget_previous(self);
    spice_arena_clear(&self->scratch);
    G_OBJECT_CLASS(gst_spice_damage_parent_class)->finalize(object);
}

static void gst_spice_damage_init(GstSpiceDamage *self)
{
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_spice_damage_chain);
    gst_pad_set_event_function(self->sink, gst_spice_damage_sink_event);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
    self->scrolls = TRUE;
    spice_arena_init(&self->scratch, &spice_allocator_libc, SCRATCH_LIMIT);
}

static void gst_spice_damage_class_init(GstSpiceDamageClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicedamage_debug, "spicedamage", 0, "SPICE desktop damage");

    object_class->set_property = gst_spice_damage_set_property;
    object_class->get_property = gst_spice_damage_get_property;
    object_class->finalize = gst_spice_damage_finalize;
    element_class->change_state = gst_spice_damage_change_state;
    g_object_class_install_property(
        object_class, PROP_SCROLLS,
        g_param_spec_boolean("scrolls", "Scrolls", "Look for areas that moved", TRUE,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                 GST_PARAM_MUTABLE_PLAYING));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE desktop damage", "Filter/Video",
                                          "Turns the frames of a desktop into draws",
                                          "The gst-spice developers");
}
