/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedrawsrc
 * @title: spicedrawsrc
 * @short_description: what one client has yet to be sent of a display
 *
 * The head of a client's pipeline: takes messages (draws, surfaces, monitors) one by one out of the
 * client's view of a display. While a client is slow, what later draws have covered is left out,
 * and beyond a limit all is replaced by the newest picture; so a view never grows, and clients do
 * not wait for one another.
 *
 * Its buffers have no bytes, but bear a message for spicedisplayenc. Of a video stream it gives the
 * newest picture, when its turn comes.
 *
 * The display is that of the property #GstSpiceDrawSrc:server, else of the server of the elements
 * around it. With a #GstSpiceDrawSrc:channel the view is fit for what that client can do.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=50 ! spicedamage ! spicedisplaysink spicedrawsrc num-buffers=5 ! spicedisplayenc ! fakesink
 * ]|
 */
#include "spicedrawsrc.h"

#include "gst-plugins/net/server-context.h"
#include "idle-events.h"
#include "item-meta.h"

GST_DEBUG_CATEGORY_STATIC(spicedrawsrc_debug);
#define GST_CAT_DEFAULT spicedrawsrc_debug

/* After so long without anything to send the client's picture counts as still. */
enum { IDLE_US = 300 * 1000 };

enum { PROP_0, PROP_SERVER, PROP_DISPLAY_ID, PROP_CHANNEL, PROP_STATS };

struct _GstSpiceDrawSrc {
    GstPushSrc parent_instance;
    GstSpiceServer *server; /* under the object lock */
    guint display_id;
    GstSpiceMediaChannel *channel;
    GstSpiceSharedView *view; /* NULL while stopped; under the object lock for `stats` */
    gint64 idle_at;           /* streaming thread: when the picture counts as still; 0: it does */
    gboolean sends_draw;      /* streaming thread: what was sent last was no frame */
};

G_DEFINE_FINAL_TYPE(GstSpiceDrawSrc, gst_spice_draw_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-draw"));

/* Streaming */

/** Tells when the picture, but for video, has been still for a while. */
static void tell_idle(GstSpiceDrawSrc *self, const SpiceViewItem *item)
{
    const gint64 now = g_get_monotonic_time();

    if (self->idle_at && now >= self->idle_at) {
        self->idle_at = 0;
        gst_pad_push_event(GST_BASE_SRC_PAD(self), gst_spice_event_new_idle());
    }
    self->sends_draw = item && item->type != SPICE_MSG_DISPLAY_STREAM_DATA;
    if (self->sends_draw)
        self->idle_at = now + IDLE_US;
}

/** Waits for a message. What was sent before must not wait with us. NULL: flushing. */
static SpiceViewItem *wait_for_item(GstSpiceDrawSrc *self)
{
    SpiceViewItem *item;

    if (self->channel)
        gst_spice_media_channel_cork(self->channel, FALSE);
    do {
        if (!gst_spice_shared_view_next(self->view, self->idle_at, &item))
            return NULL;
        if (!item)
            gst_pad_push_event(GST_BASE_SRC_PAD(self), gst_spice_event_new_woken());
        tell_idle(self, item);
    } while (!item);
    if (self->channel)
        gst_spice_media_channel_cork(self->channel, TRUE);
    return item;
}

static GstFlowReturn gst_spice_draw_src_create(GstPushSrc *base, GstBuffer **buffer)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);
    SpiceViewItem *item;

    /* What waits in the view is merged with what comes; what is encoded only grows old. */
    if (self->channel)
        gst_spice_media_channel_wait(self->channel);
    item = gst_spice_shared_view_try_next(self->view);
    if (self->sends_draw) /* sending may have taken its time, in which the picture was not still */
        self->idle_at = g_get_monotonic_time() + IDLE_US;
    if (item)
        tell_idle(self, item);
    else
        item = wait_for_item(self);
    if (!item)
        return GST_FLOW_FLUSHING;
    GST_LOG_OBJECT(self, "message %u", item->type);
    *buffer = gst_spice_item_buffer_new(item);
    return GST_FLOW_OK;
}

static gboolean gst_spice_draw_src_event(GstBaseSrc *base, GstEvent *event)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);
    pixman_box32_t boxes[GST_SPICE_MAX_DAMAGE_BOXES];
    guint64 generation;
    guint32 id;
    guint i, n;

    if (gst_spice_event_is_wake(event) || gst_spice_event_is_restart_streams(event) ||
        gst_spice_event_parse_refuse_stream(event, &id, &generation)) {
        GST_OBJECT_LOCK(self);
        if (self->view && gst_spice_event_is_wake(event))
            gst_spice_shared_view_wake(self->view);
        else if (self->view && gst_spice_event_is_restart_streams(event))
            gst_spice_shared_view_restart_streams(self->view);
        else if (self->view)
            gst_spice_shared_view_refuse_stream(self->view, id, generation);
        GST_OBJECT_UNLOCK(self);
        return TRUE;
    }
    if (!gst_spice_event_parse_damage(event, boxes, &n))
        return GST_BASE_SRC_CLASS(gst_spice_draw_src_parent_class)->event(base, event);
    GST_OBJECT_LOCK(self);
    if (self->view && n == 0)
        gst_spice_shared_view_damage(self->view, NULL);
    for (i = 0; self->view && i < n; i++) {
        const SpiceRect area = {boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2};

        gst_spice_shared_view_damage(self->view, &area);
    }
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean gst_spice_draw_src_unlock(GstBaseSrc *base)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);

    gst_spice_shared_view_set_flushing(self->view, TRUE);
    if (self->channel)
        gst_spice_media_channel_set_flushing(self->channel, TRUE);
    return TRUE;
}

static gboolean gst_spice_draw_src_unlock_stop(GstBaseSrc *base)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);

    gst_spice_shared_view_set_flushing(self->view, FALSE);
    if (self->channel)
        gst_spice_media_channel_set_flushing(self->channel, FALSE);
    return TRUE;
}

static SpiceViewConfig view_config(const GstSpiceMediaChannel *channel)
{
    SpiceViewConfig config = {0};

    if (channel) {
        config.no_composite =
            !gst_spice_media_channel_peer_has(channel, SPICE_DISPLAY_CAP_COMPOSITE);
        config.no_a8_surfaces =
            !gst_spice_media_channel_peer_has(channel, SPICE_DISPLAY_CAP_A8_SURFACE);
        config.streams = gst_spice_media_channel_get_video_codecs(channel).n > 0;
        config.reports = gst_spice_media_channel_peer_has(channel, SPICE_DISPLAY_CAP_STREAM_REPORT);
    }
    return config;
}

static gboolean gst_spice_draw_src_start(GstBaseSrc *base)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);
    const SpiceViewConfig config = view_config(self->channel);
    GstSpiceSharedDisplay *display;
    GstSpiceSharedView *view;

    gst_spice_context_find_server(GST_ELEMENT(self), &self->server);
    display = gst_spice_server_get_display(self->server, self->display_id);
    view = display ? gst_spice_shared_view_new(display, &config) : NULL;
    if (!view) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a view."),
                          (NULL));
        return FALSE;
    }
    self->idle_at = g_get_monotonic_time() + IDLE_US;
    GST_OBJECT_LOCK(self);
    self->view = view;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean gst_spice_draw_src_stop(GstBaseSrc *base)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(base);
    GstSpiceSharedView *view;

    GST_OBJECT_LOCK(self);
    view = g_steal_pointer(&self->view);
    GST_OBJECT_UNLOCK(self);
    g_clear_pointer(&view, gst_spice_shared_view_free);
    return TRUE;
}

static void gst_spice_draw_src_set_context(GstElement *element, GstContext *context)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(element);
    GstSpiceServer *server = gst_spice_context_get_server(context);

    GST_OBJECT_LOCK(self);
    if (server && !self->server)
        self->server = g_object_ref(server);
    GST_OBJECT_UNLOCK(self);
    g_clear_object(&server);
    GST_ELEMENT_CLASS(gst_spice_draw_src_parent_class)->set_context(element, context);
}

/* Object */

static GstStructure *make_stats(GstSpiceDrawSrc *self)
{
    SpiceViewCounters counters = {0};
    guint64 collapses = 0;
    guint i;

    GST_OBJECT_LOCK(self);
    if (self->view)
        counters = gst_spice_shared_view_get_counters(self->view);
    GST_OBJECT_UNLOCK(self);
    for (i = 0; i < SPICE_COLLAPSE_N_REASONS; i++)
        collapses += counters.collapses[i];
    return gst_structure_new("application/x-spice-view-stats", "sent", G_TYPE_UINT64, counters.sent,
                             "draws", G_TYPE_UINT64, counters.sent_draws, "pictures", G_TYPE_UINT64,
                             counters.sent_pictures, "covered", G_TYPE_UINT64, counters.covered,
                             "collapses", G_TYPE_UINT64, collapses, "queued", G_TYPE_UINT,
                             counters.n_items, NULL);
}

static void gst_spice_draw_src_set_property(GObject *object, guint id, const GValue *value,
                                            GParamSpec *pspec)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_SERVER) {
        g_set_object(&self->server, g_value_get_object(value));
    } else if (id == PROP_DISPLAY_ID) {
        self->display_id = g_value_get_uint(value);
    } else if (id == PROP_CHANNEL) {
        g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
        self->channel = g_value_dup_boxed(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_draw_src_get_property(GObject *object, guint id, GValue *value,
                                            GParamSpec *pspec)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(object);

    if (id == PROP_SERVER)
        g_value_set_object(value, self->server);
    else if (id == PROP_DISPLAY_ID)
        g_value_set_uint(value, self->display_id);
    else if (id == PROP_CHANNEL)
        g_value_set_boxed(value, self->channel);
    else if (id == PROP_STATS)
        g_value_take_boxed(value, make_stats(self));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_draw_src_finalize(GObject *object)
{
    GstSpiceDrawSrc *self = GST_SPICE_DRAW_SRC(object);

    g_clear_object(&self->server);
    g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
    G_OBJECT_CLASS(gst_spice_draw_src_parent_class)->finalize(object);
}

static void gst_spice_draw_src_init(GstSpiceDrawSrc *self)
{
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void gst_spice_draw_src_class_init(GstSpiceDrawSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    GST_DEBUG_CATEGORY_INIT(spicedrawsrc_debug, "spicedrawsrc", 0, "SPICE draw source");

    object_class->set_property = gst_spice_draw_src_set_property;
    object_class->get_property = gst_spice_draw_src_get_property;
    object_class->finalize = gst_spice_draw_src_finalize;
    element_class->set_context = gst_spice_draw_src_set_context;
    base_class->start = gst_spice_draw_src_start;
    base_class->stop = gst_spice_draw_src_stop;
    base_class->event = gst_spice_draw_src_event;
    base_class->unlock = gst_spice_draw_src_unlock;
    base_class->unlock_stop = gst_spice_draw_src_unlock_stop;
    GST_PUSH_SRC_CLASS(klass)->create = gst_spice_draw_src_create;
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
        object_class, PROP_CHANNEL,
        g_param_spec_boxed("channel", "Channel", "The client's channel that this will be sent on",
                           GST_SPICE_TYPE_MEDIA_CHANNEL, flags));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics", "Messages sent, draws covered, collapses",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE draw source", "Source/Video",
                                          "What one client has yet to be sent of a display",
                                          "The gst-spice developers");
}
