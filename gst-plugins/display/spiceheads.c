/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceheads
 * @title: spiceheads
 * @short_description: a pad for each monitor of a SPICE display
 *
 * The monitors of one graphics device may all lie on one surface, beside each other. Takes the frames
 * of spicedisplaydec and hands each monitor's part of them on by a pad of its own, `head_%u`, as
 * frames that share the memory of the whole (or as copies, where downstream takes no #GstVideoMeta).
 * A monitor gets a frame only when something on it has changed. `head_0` is always there; others
 * come and go with the server's monitors.
 *
 * Pointer events that come back are moved to where the monitor lies on the surface; whoever has another
 * way to send them hears of that place by an event before the frames (heads-event.h).
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicechannelsrc location=spice://localhost:5900 ! spicedisplaydec ! spiceheads ! videoconvert ! autovideosink
 * ]| Shows the first monitor alone.
 */
#include "spiceheads.h"

#include <gst/base/gstflowcombiner.h>
#include <gst/video/navigation.h>
#include <string.h>

#include "damage-meta.h"
#include "heads-event.h"

GST_DEBUG_CATEGORY_STATIC(spiceheads_debug);
#define GST_CAT_DEFAULT spiceheads_debug

typedef struct {
    GstPad *pad;
    GstVideoRectangle area; /* on the surface; under the object lock */
    gboolean shared;        /* downstream takes frames with gaps between their rows */
    gboolean told;          /* stream, caps, segment */
    gboolean whole_due;     /* the next frame has nothing in common with its last */
} Head;

struct _GstSpiceHeads {
    GstElement parent_instance;
    GstPad *sink;

    /* All under the sink pad's stream lock. */
    Head heads[GST_SPICE_MAX_HEADS];
    guint n_heads;                                /* at least 1 */
    GstVideoRectangle named[GST_SPICE_MAX_HEADS]; /* by the server */
    guint n_named;
    GstVideoInfo info;
    GstSegment segment;
    GstFlowCombiner *flows;
};

G_DEFINE_FINAL_TYPE(GstSpiceHeads, gst_spice_heads, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "head_%u", GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

/* Pads */

static Head *find_head(GstSpiceHeads *self, GstPad *pad)
{
    guint i;

    for (i = 0; i < self->n_heads; i++)
        if (self->heads[i].pad == pad)
            return &self->heads[i];
    return NULL;
}

static gboolean gst_spice_heads_src_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceHeads *self = GST_SPICE_HEADS(parent);
    gint dx = 0, dy = 0;
    gdouble x, y;
    const Head *head;

    if (GST_EVENT_TYPE(event) != GST_EVENT_NAVIGATION ||
        !gst_navigation_event_get_coordinates(event, &x, &y))
        return gst_pad_event_default(pad, parent, event);
    GST_OBJECT_LOCK(self);
    head = find_head(self, pad);
    if (head) {
        dx = head->area.x;
        dy = head->area.y;
    }
    GST_OBJECT_UNLOCK(self);
    event = gst_event_make_writable(event);
    gst_navigation_event_set_coordinates(event, x + dx, y + dy);
    return gst_pad_push_event(self->sink, event);
}

static void add_head(GstSpiceHeads *self)
{
    g_autofree char *name = g_strdup_printf("head_%u", self->n_heads);
    GstPad *pad = gst_pad_new_from_static_template(&src_template, name);

    gst_pad_set_event_function(pad, gst_spice_heads_src_event);
    gst_pad_use_fixed_caps(pad);
    if (self->n_heads > 0)
        gst_pad_set_active(pad, TRUE);
    gst_flow_combiner_add_pad(self->flows, pad);
    GST_OBJECT_LOCK(self);
    self->heads[self->n_heads++] = (Head){.pad = pad};
    GST_OBJECT_UNLOCK(self);
    gst_element_add_pad(GST_ELEMENT(self), pad);
}

static void remove_last_head(GstSpiceHeads *self)
{
    GstPad *pad;

    GST_OBJECT_LOCK(self);
    pad = self->heads[--self->n_heads].pad;
    GST_OBJECT_UNLOCK(self);
    gst_flow_combiner_remove_pad(self->flows, pad);
    gst_pad_push_event(pad, gst_event_new_eos());
    gst_pad_set_active(pad, FALSE);
    gst_element_remove_pad(GST_ELEMENT(self), pad);
}

/** Whether downstream of the pad takes frames that are parts of others. */
static gboolean takes_video_meta(GstPad *pad, GstCaps *caps)
{
    GstQuery *query = gst_query_new_allocation(caps, FALSE);
    const gboolean takes = gst_pad_peer_query(pad, query) &&
                           gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);

    gst_query_unref(query);
    return takes;
}

/** Says what comes from a head's pad now. */
static void announce(GstSpiceHeads *self, Head *head, guint number)
{
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                        G_TYPE_INT, head->area.w, "height", G_TYPE_INT,
                                        head->area.h, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);

    if (!head->told) {
        g_autofree char *suffix = g_strdup_printf("head_%u", number);
        g_autofree char *id = gst_pad_create_stream_id(head->pad, GST_ELEMENT(self), suffix);

        gst_pad_push_event(head->pad, gst_event_new_stream_start(id));
    }
    gst_pad_push_event(head->pad, gst_event_new_caps(caps));
    if (!head->told)
        gst_pad_push_event(head->pad, gst_event_new_segment(&self->segment));
    head->shared = takes_video_meta(head->pad, caps);
    head->told = TRUE;
    head->whole_due = TRUE;
    gst_caps_unref(caps);
}

/** Brings the pads to what the server says of its monitors and what there is of them. */
static void fit_heads(GstSpiceHeads *self)
{
    GstVideoRectangle visible[GST_SPICE_MAX_HEADS];
    const guint n =
        gst_spice_heads_in_frame(self->named, self->n_named, GST_VIDEO_INFO_WIDTH(&self->info),
                                 GST_VIDEO_INFO_HEIGHT(&self->info), visible);
    guint i;

    while (self->n_heads > n)
        remove_last_head(self);
    while (self->n_heads < n)
        add_head(self);
    for (i = 0; i < n; i++) {
        Head *head = &self->heads[i];
        const GstVideoRectangle before = head->area;

        if (head->told && memcmp(&before, &visible[i], sizeof before) == 0)
            continue;
        GST_OBJECT_LOCK(self);
        head->area = visible[i];
        GST_OBJECT_UNLOCK(self);
        if (!head->told || before.w != head->area.w || before.h != head->area.h)
            announce(self, head, i);
        gst_pad_push_event(head->pad, gst_spice_event_new_head_areas(&visible[i], 1));
        head->whole_due = TRUE;
    }
}

/* Frames */

/** The part of `damage` that lies on a head, in its pixels. FALSE if there is none. */
static gboolean cut_damage(const GstSpiceDamageMeta *damage, const GstVideoRectangle *area,
                           GstVideoRectangle *rects, guint *n_rects)
{
    guint i;

    *n_rects = 0;
    for (i = 0; i < damage->n_rects; i++) {
        const GstVideoRectangle *r = &damage->rects[i];
        const gint x1 = MAX(r->x, area->x), x2 = MIN(r->x + r->w, area->x + area->w);
        const gint y1 = MAX(r->y, area->y), y2 = MIN(r->y + r->h, area->y + area->h);

        if (x1 < x2 && y1 < y2)
            rects[(*n_rects)++] = (GstVideoRectangle){x1 - area->x, y1 - area->y, x2 - x1, y2 - y1};
    }
    return *n_rects > 0;
}

/** The part of the frame that a head shows, with the frame's own memory if downstream can do with
 * that. NULL without memory. */
static GstBuffer *cut_frame(GstSpiceHeads *self, const Head *head, GstBuffer *buffer,
                            GstVideoFrame *frame)
{
    const GstVideoRectangle *area = &head->area;
    const gint stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
    const gsize first = frame->info.offset[0] + (gsize)area->y * (gsize)stride + 4 * (gsize)area->x;
    GstBuffer *part;
    gint y;

    if (head->shared) {
        gsize offset[GST_VIDEO_MAX_PLANES] = {first};
        gint strides[GST_VIDEO_MAX_PLANES] = {stride};

        part = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_TIMESTAMPS,
                                      0, (gsize)-1);
        gst_buffer_add_video_meta_full(part, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGRx,
                                       (guint)area->w, (guint)area->h, 1, offset, strides);
        return part;
    }
    part = gst_buffer_new_allocate(NULL, 4 * (gsize)area->w * (gsize)area->h, NULL);
    if (!part)
        return NULL;
    gst_buffer_copy_into(part, buffer, GST_BUFFER_COPY_TIMESTAMPS, 0, 0);
    for (y = 0; y < area->h; y++) {
        const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) +
                            (gsize)(area->y + y) * (gsize)stride + 4 * (gsize)area->x;

        gst_buffer_fill(part, 4 * (gsize)area->w * (gsize)y, row, 4 * (gsize)area->w);
    }
    return part;
}

static GstFlowReturn push_head(GstSpiceHeads *self, Head *head, GstBuffer *buffer,
                               GstVideoFrame *frame)
{
    const GstSpiceDamageMeta *damage = gst_buffer_get_spice_damage_meta(buffer);
    GstVideoRectangle rects[GST_SPICE_DAMAGE_MAX_RECTS];
    guint n_rects = 0;
    GstBuffer *part;
    GstFlowReturn flow;

    if (damage && !cut_damage(damage, &head->area, rects, &n_rects) && !head->whole_due)
        return GST_FLOW_OK;
    part = cut_frame(self, head, buffer, frame);
    if (!part) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a frame."),
                          (NULL));
        return GST_FLOW_FLUSHING;
    }
    if (damage && !head->whole_due) {
        GstSpiceDamageMeta *meta = gst_buffer_add_spice_damage_meta(part);

        memcpy(meta->rects, rects, n_rects * sizeof *rects);
        meta->n_rects = n_rects;
    }
    flow = gst_pad_push(head->pad, part);
    head->whole_due = flow != GST_FLOW_OK;
    return gst_flow_combiner_update_pad_flow(self->flows, head->pad, flow);
}

static GstFlowReturn gst_spice_heads_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceHeads *self = GST_SPICE_HEADS(parent);
    GstFlowReturn flow = GST_FLOW_OK;
    GstVideoFrame frame;
    guint i;

    if (GST_VIDEO_INFO_FORMAT(&self->info) != GST_VIDEO_FORMAT_BGRx) {
        gst_buffer_unref(buffer);
        return GST_FLOW_NOT_NEGOTIATED;
    }
    fit_heads(self);
    if (!gst_video_frame_map(&frame, &self->info, buffer, GST_MAP_READ)) {
        gst_buffer_unref(buffer);
        return GST_FLOW_ERROR;
    }
    for (i = 0; i < self->n_heads && flow == GST_FLOW_OK; i++)
        flow = push_head(self, &self->heads[i], buffer, &frame);
    gst_video_frame_unmap(&frame);
    gst_buffer_unref(buffer);
    return flow;
}

/* Events */

static gboolean gst_spice_heads_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceHeads *self = GST_SPICE_HEADS(parent);
    gboolean ok = TRUE;
    GstCaps *caps;

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
        break; /* each pad has a stream of its own */
    case GST_EVENT_CAPS:
        gst_event_parse_caps(event, &caps);
        ok = gst_video_info_from_caps(&self->info, caps);
        break;
    case GST_EVENT_SEGMENT:
        gst_event_copy_segment(event, &self->segment);
        break;
    default:
        if (!gst_spice_event_parse_heads(event, self->named, &self->n_named))
            return gst_pad_event_default(pad, parent, event);
        break;
    }
    gst_event_unref(event);
    return ok;
}

/* States */

static GstStateChangeReturn gst_spice_heads_change_state(GstElement *element,
                                                         GstStateChange transition)
{
    GstSpiceHeads *self = GST_SPICE_HEADS(element);
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_spice_heads_parent_class)->change_state(element, transition);

    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        while (self->n_heads > 1)
            remove_last_head(self);
        self->heads[0] = (Head){.pad = self->heads[0].pad};
        self->n_named = 0;
        gst_video_info_init(&self->info);
        gst_segment_init(&self->segment, GST_FORMAT_TIME);
        gst_flow_combiner_reset(self->flows);
    }
    return result;
}

static void gst_spice_heads_finalize(GObject *object)
{
    GstSpiceHeads *self = GST_SPICE_HEADS(object);

    gst_flow_combiner_free(self->flows);
    G_OBJECT_CLASS(gst_spice_heads_parent_class)->finalize(object);
}

static void gst_spice_heads_init(GstSpiceHeads *self)
{
    self->flows = gst_flow_combiner_new();
    gst_video_info_init(&self->info);
    gst_segment_init(&self->segment, GST_FORMAT_TIME);
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_spice_heads_chain);
    gst_pad_set_event_function(self->sink, gst_spice_heads_sink_event);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    add_head(self);
}

static void gst_spice_heads_class_init(GstSpiceHeadsClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spiceheads_debug, "spiceheads", 0, "SPICE monitors");

    G_OBJECT_CLASS(klass)->finalize = gst_spice_heads_finalize;
    element_class->change_state = gst_spice_heads_change_state;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE monitors", "Filter/Video",
                                          "A pad for each monitor of a SPICE display",
                                          "The gst-spice developers");
}
