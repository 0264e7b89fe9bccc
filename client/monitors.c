/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitors.h"

#include <gst/app/gstappsink.h>
#include <stdio.h>

#include "gst-plugins/display/damage-meta.h"
#include "gst-plugins/display/heads-event.h"

/** A branch of the pipeline. */
typedef struct {
    SpiceMonitors *owner;
    guint id;
    GstElement *heads;   /* NULL: one monitor is all */
    gint64 message_time; /* when the first message after the last frame came; 0: none yet */
} Display;

/** Where it ends. */
typedef struct {
    SpiceMonitors *owner;
    guint number;
    Display *display;
    GstElement *sink; /* NULL: there is no such monitor */
    gint x, y;
    SpiceNewFrame newest;
    gboolean told;
} Monitor;

struct SpiceMonitors {
    GstBin *pipeline;
    GstSpiceSession *session;
    gboolean all;
    void (*changed)(guint monitor, gpointer user_data);
    gpointer user_data;
    GPtrArray *displays; /* of one thread */

    GMutex lock;
    Monitor monitors[SPICE_MAX_MONITORS]; /* under lock, as what displays have of time */
    guint64 bytes;
};

static void new_frame_init(SpiceNewFrame *frame)
{
    *frame = (SpiceNewFrame){0};
    pixman_region32_init(&frame->damage);
}

void spice_new_frame_clear(SpiceNewFrame *frame)
{
    g_clear_pointer(&frame->sample, gst_sample_unref);
    pixman_region32_fini(&frame->damage);
}

/* Streaming threads */

static GstPadProbeReturn on_message(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Display *display = user_data;
    SpiceMonitors *self = display->owner;

    g_mutex_lock(&self->lock);
    self->bytes += gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info));
    if (display->message_time == 0)
        display->message_time = g_get_monotonic_time();
    g_mutex_unlock(&self->lock);
    return GST_PAD_PROBE_OK;
}

static void add_damage(SpiceNewFrame *newest, GstSample *sample)
{
    GstSpiceDamageMeta *meta = gst_buffer_get_spice_damage_meta(gst_sample_get_buffer(sample));
    gint width = 0, height = 0;
    guint i;

    gst_structure_get(gst_caps_get_structure(gst_sample_get_caps(sample), 0), "width", G_TYPE_INT,
                      &width, "height", G_TYPE_INT, &height, NULL);
    if (!meta)
        pixman_region32_union_rect(&newest->damage, &newest->damage, 0, 0, (guint)width,
                                   (guint)height);
    for (i = 0; meta && i < meta->n_rects; i++) {
        const GstVideoRectangle *r = &meta->rects[i];

        pixman_region32_union_rect(&newest->damage, &newest->damage, r->x, r->y, (guint)r->w,
                                   (guint)r->h);
    }
    /* Frames that were not taken may have been larger. */
    pixman_region32_intersect_rect(&newest->damage, &newest->damage, 0, 0, (guint)width,
                                   (guint)height);
}

static GstFlowReturn on_sample(GstAppSink *sink, gpointer user_data)
{
    Monitor *monitor = user_data;
    SpiceMonitors *self = monitor->owner;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    gint64 *message_time;
    gboolean told;

    if (!sample)
        return GST_FLOW_OK;
    g_mutex_lock(&self->lock);
    message_time = &monitor->display->message_time;
    add_damage(&monitor->newest, sample);
    g_clear_pointer(&monitor->newest.sample, gst_sample_unref);
    monitor->newest.sample = sample;
    if (monitor->newest.n_frames++ == 0)
        monitor->newest.arrived = *message_time ? *message_time : g_get_monotonic_time();
    *message_time = 0;
    told = monitor->told;
    monitor->told = TRUE;
    g_mutex_unlock(&self->lock);
    if (!told)
        self->changed(monitor->number, self->user_data);
    return GST_FLOW_OK;
}

/** Where the monitor lies comes before its frames. */
static GstPadProbeReturn on_event(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Monitor *monitor = user_data;
    GstVideoRectangle areas[GST_SPICE_MAX_HEADS];
    guint n;

    if (gst_spice_event_parse_heads(GST_PAD_PROBE_INFO_EVENT(info), areas, &n) && n == 1) {
        g_mutex_lock(&monitor->owner->lock);
        monitor->x = areas[0].x;
        monitor->y = areas[0].y;
        g_mutex_unlock(&monitor->owner->lock);
    }
    return GST_PAD_PROBE_OK;
}

/* Monitors come and go */

/** A monitor that shows what comes from `pad`; NULL if there are too many. */
static Monitor *take_number(SpiceMonitors *self, Display *display, guint number)
{
    Monitor *monitor = NULL;

    g_mutex_lock(&self->lock);
    for (; number < SPICE_MAX_MONITORS && !monitor; number++)
        if (!self->monitors[number].sink)
            monitor = &self->monitors[number];
    if (monitor) {
        monitor->display = display;
        monitor->x = monitor->y = 0;
        monitor->sink = gst_object_ref_sink(g_object_new(GST_TYPE_APP_SINK, NULL)); /* not by name:
                                                                                     see main.c */
    }
    g_mutex_unlock(&self->lock);
    return monitor;
}

static void add_monitor(Display *display, GstPad *pad, guint number)
{
    static GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    SpiceMonitors *self = display->owner;
    Monitor *monitor = take_number(self, display, number);
    GstPad *end;

    if (!monitor)
        return;
    g_object_set(monitor->sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(monitor->sink), &callbacks, monitor, NULL);
    end = gst_element_get_static_pad(monitor->sink, "sink");
    gst_pad_add_probe(end, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, monitor, NULL);
    gst_bin_add(self->pipeline, monitor->sink);
    gst_element_sync_state_with_parent(monitor->sink);
    gst_pad_link(pad, end);
    gst_object_unref(end);
    g_object_set_data(G_OBJECT(pad), "monitor", monitor);
}

static void on_head_added(GstElement *heads, GstPad *pad, gpointer user_data)
{
    Display *display = user_data;
    guint number;

    if (sscanf(GST_PAD_NAME(pad), "head_%u", &number) == 1)
        add_monitor(display, pad, display->id + number);
}

static void on_head_removed(GstElement *heads, GstPad *pad, gpointer user_data)
{
    Monitor *monitor = g_object_get_data(G_OBJECT(pad), "monitor");
    SpiceMonitors *self;
    GstElement *sink;

    if (!monitor)
        return;
    self = monitor->owner;
    g_mutex_lock(&self->lock);
    sink = g_steal_pointer(&monitor->sink);
    spice_new_frame_clear(&monitor->newest);
    new_frame_init(&monitor->newest);
    monitor->told = FALSE;
    g_mutex_unlock(&self->lock);
    gst_element_set_state(sink, GST_STATE_NULL);
    gst_bin_remove(self->pipeline, sink);
    gst_object_unref(sink);
    self->changed(monitor->number, self->user_data);
}

/* Displays */

static GstElement *add(SpiceMonitors *self, const char *name)
{
    GstElement *element = gst_element_factory_make(name, NULL);

    if (!element)
        g_error("gst_spice_register_elements() has not been called");
    gst_bin_add(self->pipeline, element);
    return element;
}

static gboolean has_display(const SpiceMonitors *self, guint id)
{
    guint i;

    for (i = 0; i < self->displays->len; i++)
        if (((Display *)self->displays->pdata[i])->id == id)
            return TRUE;
    return FALSE;
}

void spice_monitors_add_display(SpiceMonitors *self, guint id)
{
    Display *display;
    GstElement *source, *decoder, *end;
    GstPad *pad;

    if (has_display(self, id) || self->displays->len >= SPICE_MAX_MONITORS)
        return;
    display = g_new0(Display, 1);
    display->owner = self;
    display->id = id;
    g_ptr_array_add(self->displays, display);
    source = add(self, "spicechannelsrc");
    decoder = end = add(self, "spicedisplaydec");
    g_object_set(source, "session", self->session, "channel-id", id, NULL);
    g_object_set(decoder, "session", self->session, "channel-id", id, NULL);
    pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_message, display, NULL);
    gst_object_unref(pad);
    gst_element_link(source, decoder);
    if (self->all) {
        end = add(self, "spiceheads");
        display->heads = gst_object_ref(end);
        g_signal_connect(end, "pad-added", G_CALLBACK(on_head_added), display);
        g_signal_connect(end, "pad-removed", G_CALLBACK(on_head_removed), display);
        gst_element_link(decoder, end);
    }
    pad = gst_element_get_static_pad(end, self->all ? "head_0" : "src");
    add_monitor(display, pad, id);
    gst_object_unref(pad);
    if (self->all)
        gst_element_sync_state_with_parent(end);
    gst_element_sync_state_with_parent(decoder);
    gst_element_sync_state_with_parent(source);
}

/** Its pads go with the pipeline, and nobody is to hear of it. */
static void display_free(gpointer data)
{
    Display *display = data;

    if (display->heads) {
        g_signal_handlers_disconnect_by_data(display->heads, display);
        gst_object_unref(display->heads);
    }
    g_free(display);
}

/* What the owner sees */

gboolean spice_monitors_take(SpiceMonitors *self, guint number, SpiceNewFrame *frame)
{
    Monitor *monitor = &self->monitors[number];
    gboolean exists;

    g_mutex_lock(&self->lock);
    exists = monitor->sink != NULL;
    *frame = monitor->newest;
    new_frame_init(&monitor->newest);
    monitor->told = FALSE;
    g_mutex_unlock(&self->lock);
    return exists;
}

SpiceMonitorPlace spice_monitors_get_place(SpiceMonitors *self, guint number)
{
    const Monitor *monitor = &self->monitors[number];
    SpiceMonitorPlace place;

    g_mutex_lock(&self->lock);
    place =
        (SpiceMonitorPlace){monitor->display ? monitor->display->id : 0, monitor->x, monitor->y};
    g_mutex_unlock(&self->lock);
    return place;
}

guint64 spice_monitors_get_bytes(SpiceMonitors *self)
{
    guint64 bytes;

    g_mutex_lock(&self->lock);
    bytes = self->bytes;
    g_mutex_unlock(&self->lock);
    return bytes;
}

SpiceMonitors *spice_monitors_new(GstBin *pipeline, GstSpiceSession *session, gboolean all,
                                  void (*changed)(guint monitor, gpointer user_data),
                                  gpointer user_data)
{
    SpiceMonitors *self = g_new0(SpiceMonitors, 1);
    guint i;

    self->pipeline = pipeline;
    self->session = session;
    self->all = all;
    self->changed = changed;
    self->user_data = user_data;
    self->displays = g_ptr_array_new_with_free_func(display_free);
    g_mutex_init(&self->lock);
    for (i = 0; i < SPICE_MAX_MONITORS; i++) {
        self->monitors[i].owner = self;
        self->monitors[i].number = i;
        new_frame_init(&self->monitors[i].newest);
    }
    return self;
}

void spice_monitors_free(SpiceMonitors *self)
{
    guint i;

    g_ptr_array_unref(self->displays);
    for (i = 0; i < SPICE_MAX_MONITORS; i++) {
        g_clear_object(&self->monitors[i].sink);
        spice_new_frame_clear(&self->monitors[i].newest);
    }
    g_mutex_clear(&self->lock);
    g_free(self);
}
