/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedisplaysink
 * @title: spicedisplaysink
 * @short_description: publishes draws as a display that clients can view
 *
 * Takes the draws of a desktop (see spicedamage) and publishes them as one display of a server, of
 * which each client then has a view of its own. The size of the display is that of the caps; it is
 * shown once a first frame is complete, that is after a buffer with the flag MARKER.
 *
 * A buffer without MARKER says that more draws follow at once: clients' pipelines are woken for the
 * last of them.
 *
 * The element never waits: neither for a preroll nor for a client.
 *
 * The server is the one of the property #GstSpiceDisplaySink:server, else that of the elements
 * around it, which share it as a #GstContext of type `gst.spice.Server`. Most pipelines use
 * spicesink instead, which is made of this element and a server that listens.
 *
 * The debug category `spicedraws` logs at level LOG what each draw is to the detector of video, and
 * whether it was taken for a frame.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=50 ! spicedamage ! spicedisplaysink spicedrawsrc num-buffers=5 ! spicedisplayenc ! spicedisplaydec ! fakesink
 * ]|
 */
#include "spicedisplaysink.h"

#include <string.h>

#include "draw-meta.h"
#include "gst-plugins/net/server-context.h"

GST_DEBUG_CATEGORY_STATIC(spicedisplaysink_debug);
GST_DEBUG_CATEGORY_STATIC(spicedraws_debug);
#define GST_CAT_DEFAULT spicedisplaysink_debug

/* How long a draw that was not needed yet may keep the memory of its frame. */
enum { HOLD_US = 200 * 1000 };

enum { PROP_0, PROP_SERVER, PROP_DISPLAY_ID, PROP_STATS };

struct _GstSpiceDisplaySink {
    GstElement parent_instance;
    GstPad *sink;
    GstSpiceServer *server; /* under the object lock */
    guint display_id;

    /* streaming thread */
    GstSpiceSharedDisplay *display; /* NULL below PAUSED; the server's */
    gboolean marked;
};

G_DEFINE_FINAL_TYPE(GstSpiceDisplaySink, gst_spice_display_sink, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-draw"));

/* Publishing */

static gboolean create_primary(SpiceDisplay *display, guint32 width, guint32 height,
                               SpiceError *error)
{
    const SpiceSurfaceSource source = {
        .width = width, .height = height, .format = SPICE_SURFACE_FMT_32_xRGB};
    SpiceHead head = {.width = width, .height = height};
    const SpiceMsgDisplayMonitorsConfig monitors = {.n_heads = 1, .max_allowed = 1, .heads = &head};

    spice_display_destroy_surfaces(display);
    return spice_display_create_surface(display, &source, error) &&
           spice_display_set_monitors(display, &monitors, error);
}

static gboolean set_caps(GstSpiceDisplaySink *self, GstCaps *caps)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    SpiceError error = {0};
    const SpicePixels *primary;
    SpiceDisplay *display;
    gint width, height;
    gboolean ok = TRUE;

    if (!self->display)
        return FALSE;
    if (!gst_structure_get_int(structure, "width", &width) ||
        !gst_structure_get_int(structure, "height", &height))
        return TRUE; /* surfaces are the source's own affair */
    display = gst_spice_shared_display_lock(self->display);
    primary = spice_display_surface(display, 0);
    if (!primary || primary->width != width || primary->height != height) {
        self->marked = FALSE;
        ok = create_primary(display, (guint32)width, (guint32)height, &error);
    }
    gst_spice_shared_display_unlock(self->display);
    if (!ok)
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT,
                          ("A display of %d x %d cannot be had.", width, height),
                          ("%s %s", error.field, spice_error_phrase(error.code)));
    return ok;
}

static GstFlowReturn gst_spice_display_sink_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(parent);
    SpiceDrawable *drawable = gst_spice_draw_buffer_get(buffer);
    const gboolean complete = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER);
    SpiceError error = {0};
    SpiceDisplay *display;
    gboolean published;

    if (!drawable || !self->display) {
        gst_buffer_unref(buffer);
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("A buffer bears no draw."), (NULL));
        return GST_FLOW_ERROR;
    }
    display = gst_spice_shared_display_lock(self->display);
    published = spice_display_publish(display, drawable, &error);
    if (!self->marked && complete) {
        spice_display_mark(display);
        self->marked = TRUE;
    }
    spice_display_release_older_than(display, (guint64)g_get_monotonic_time() - HOLD_US);
    if (complete)
        gst_spice_shared_display_unlock(self->display);
    else
        gst_spice_shared_display_unlock_quietly(self->display);
    if (!published)
        GST_WARNING_OBJECT(self, "a draw was refused: %s %s", error.field,
                           spice_error_phrase(error.code));
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean gst_spice_display_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(parent);
    gboolean ok = TRUE;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps;

        gst_event_parse_caps(event, &caps);
        ok = set_caps(self, caps);
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        GstMessage *message = gst_message_new_eos(GST_OBJECT(self));

        gst_message_set_seqnum(message, gst_event_get_seqnum(event));
        gst_element_post_message(GST_ELEMENT(self), message);
    }
    gst_event_unref(event);
    return ok;
}

/* Looking on */

/** A line that tests/traces/record.py reads: time, surface, kind, content, box, what of it is painted. */
static void log_draw(void *context, const SpiceDisplay *display, const SpiceStreamDraw *draw,
                     int32_t stream)
{
    const SpicePixels *primary = spice_display_surface(display, 0);
    g_autoptr(GString) clip = g_string_new(NULL);
    guint i;

    for (i = 0; draw->clip && i < draw->clip_count; i++)
        g_string_append_printf(clip, " %d,%d,%d,%d", draw->clip[i].left, draw->clip[i].top,
                               draw->clip[i].right, draw->clip[i].bottom);
    GST_CAT_LOG_OBJECT(
        spicedraws_debug, context,
        "draw %" G_GUINT64_FORMAT " on %dx%d kind %d content %d shifted %d box %d,%d,%d,%d "
        "stream %d clip%s",
        draw->time, primary->width, primary->height, draw->kind, draw->content, draw->shifted,
        draw->box.left, draw->box.top, draw->box.right, draw->box.bottom, stream, clip->str);
}

static void look_on(GstSpiceDisplaySink *self, gboolean on)
{
    SpiceDisplay *display = gst_spice_shared_display_lock(self->display);

    spice_display_set_onlooker(display, on ? log_draw : NULL, self);
    gst_spice_shared_display_unlock_quietly(self->display);
}

/* States */

static gboolean start(GstSpiceDisplaySink *self)
{
    gst_spice_context_find_server(GST_ELEMENT(self), &self->server);
    self->display = gst_spice_server_get_display(self->server, self->display_id);
    self->marked = FALSE;
    if (!self->display)
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a display."),
                          (NULL));
    else if (gst_debug_category_get_threshold(spicedraws_debug) >= GST_LEVEL_LOG)
        look_on(self, TRUE);
    return self->display != NULL;
}

static void stop(GstSpiceDisplaySink *self)
{
    SpiceDisplay *display;

    look_on(self, FALSE);
    display = gst_spice_shared_display_lock(self->display);
    spice_display_release_all(display);
    spice_display_destroy_surfaces(display);
    gst_spice_shared_display_unlock(self->display);
    self->display = NULL;
}

static GstStateChangeReturn gst_spice_display_sink_change_state(GstElement *element,
                                                                GstStateChange transition)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start(self))
        return GST_STATE_CHANGE_FAILURE;
    result =
        GST_ELEMENT_CLASS(gst_spice_display_sink_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        stop(self);
    return result;
}

static void gst_spice_display_sink_set_context(GstElement *element, GstContext *context)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(element);
    GstSpiceServer *server = gst_spice_context_get_server(context);

    GST_OBJECT_LOCK(self);
    if (server && !self->server)
        self->server = g_object_ref(server);
    GST_OBJECT_UNLOCK(self);
    g_clear_object(&server);
    GST_ELEMENT_CLASS(gst_spice_display_sink_parent_class)->set_context(element, context);
}

/* Object */

static GstStructure *make_stats(GstSpiceDisplaySink *self)
{
    GstSpiceSharedDisplay *display = NULL;
    SpiceDisplayCounters counters = {0};

    GST_OBJECT_LOCK(self);
    if (self->server)
        display = gst_spice_server_get_display(self->server, self->display_id);
    GST_OBJECT_UNLOCK(self);
    if (display) {
        counters = *spice_display_counters(gst_spice_shared_display_lock(display));
        gst_spice_shared_display_unlock(display);
    }
    return gst_structure_new("application/x-spice-display-sink-stats", "published", G_TYPE_UINT64,
                             counters.published, "refused", G_TYPE_UINT64, counters.refused,
                             "covered", G_TYPE_UINT64, counters.covered, "painted", G_TYPE_UINT64,
                             counters.painted, "cut", G_TYPE_UINT64, counters.cut, "shared",
                             G_TYPE_UINT64, counters.shared, "collapses", G_TYPE_UINT64,
                             counters.collapses, "held", G_TYPE_UINT, counters.n_held, NULL);
}

static void gst_spice_display_sink_set_property(GObject *object, guint id, const GValue *value,
                                                GParamSpec *pspec)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_SERVER)
        g_set_object(&self->server, g_value_get_object(value));
    else if (id == PROP_DISPLAY_ID)
        self->display_id = g_value_get_uint(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_display_sink_get_property(GObject *object, guint id, GValue *value,
                                                GParamSpec *pspec)
{
    GstSpiceDisplaySink *self = GST_SPICE_DISPLAY_SINK(object);

    if (id == PROP_SERVER)
        g_value_set_object(value, self->server);
    else if (id == PROP_DISPLAY_ID)
        g_value_set_uint(value, self->display_id);
    else if (id == PROP_STATS)
        g_value_take_boxed(value, make_stats(self));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_display_sink_finalize(GObject *object)
{
    g_clear_object(&GST_SPICE_DISPLAY_SINK(object)->server);
    G_OBJECT_CLASS(gst_spice_display_sink_parent_class)->finalize(object);
}

static void gst_spice_display_sink_init(GstSpiceDisplaySink *self)
{
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_spice_display_sink_chain);
    gst_pad_set_event_function(self->sink, gst_spice_display_sink_event);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

static void gst_spice_display_sink_class_init(GstSpiceDisplaySinkClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    GST_DEBUG_CATEGORY_INIT(spicedisplaysink_debug, "spicedisplaysink", 0, "SPICE display sink");
    GST_DEBUG_CATEGORY_INIT(spicedraws_debug, "spicedraws", 0,
                            "Draws as the video detector sees them");

    object_class->set_property = gst_spice_display_sink_set_property;
    object_class->get_property = gst_spice_display_sink_get_property;
    object_class->finalize = gst_spice_display_sink_finalize;
    element_class->change_state = gst_spice_display_sink_change_state;
    element_class->set_context = gst_spice_display_sink_set_context;
    g_object_class_install_property(
        object_class, PROP_SERVER,
        g_param_spec_object("server", "Server",
                            "Server whose display it is; without one, that of the elements around",
                            GST_SPICE_TYPE_SERVER, flags));
    g_object_class_install_property(object_class, PROP_DISPLAY_ID,
                                    g_param_spec_uint("display-id", "Display id",
                                                      "Which of the server's displays", 0,
                                                      GST_SPICE_SERVER_MAX_DISPLAYS - 1, 0, flags));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics", "Draws published, refused, covered, painted",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(element_class, "SPICE display sink", "Sink/Video",
                                          "Publishes draws as a display that clients can view",
                                          "The gst-spice developers");
}
