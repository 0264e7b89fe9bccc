/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedisplaydec
 * @title: spicedisplaydec
 * @short_description: paints the messages of a SPICE display channel into frames
 *
 * Takes the messages of a display channel as spicechannelsrc sends them and keeps the surfaces that
 * they describe. Whenever the picture of the primary surface is complete and has changed, it is
 * sent as a BGRx frame with a #GstSpiceDamageMeta that tells what changed. Several draws that came
 * together make one frame.
 *
 * Frames share their memory with those before them: only what changed is copied. The memory is
 * read-only, so elements that paint into frames in place work on a copy.
 *
 * Video streams are decoded by libjpeg-turbo, or by whatever decoder of GStreamer's takes them, and
 * painted as they come; the server hears how they do.
 *
 * #GstNavigation events that come from downstream go to the session as input.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicechannelsrc location=spice://localhost:5900 ! spicedisplaydec show-cursor=true ! videoconvert ! autovideosink
 * ]|
 */
#include "spicedisplaydec-private.h"

#include "heads-event.h"
#include "idle-events.h"
#include "core/wire/channel.h"
#include "gst-plugins/audio/media-time-meta.h"
#include "gst-plugins/net/navigation.h"
#include "gst-plugins/net/session-context.h"
#include "session/media-clock.h"

GST_DEBUG_CATEGORY_STATIC(spicedisplaydec_debug);
#define GST_CAT_DEFAULT spicedisplaydec_debug

enum {
    /* A frame is sent when nothing more is known to follow at once, or after so much of drawing. */
    FRAME_INTERVAL_US = 16000,
    /* How often it is looked whether a pipeline plays again. */
    PAUSE_US = 500000,
};

enum {
    PROP_0,
    PROP_SESSION,
    PROP_CHANNEL_ID,
    PROP_SHARED_CACHES,
    PROP_SHOW_CURSOR,
    PROP_TIMESTAMPS,
    PROP_NUM_BUFFERS,
    PROP_STATS,
};

G_DEFINE_FINAL_TYPE(GstSpiceDisplayDec, gst_spice_display_dec, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-display"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

GType gst_spice_timestamps_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {GST_SPICE_TIMESTAMPS_NONE, "No timestamps: frames are shown at once", "none"},
        {GST_SPICE_TIMESTAMPS_ARRIVAL, "The time at which they are seen, for recording", "arrival"},
        {0, NULL, NULL},
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstSpiceTimestamps", values));
    return type;
}

/* What comes at a time of its own: stream frames that waited for theirs, and pictures that stay as they are
 * while they are recorded */

/** Paints what is due. Under the stream lock. */
static void paint_due(GstSpiceDisplayDec *self);
/** Sees to it that what is due later will be painted. Under the stream lock. */
static void expect_next(GstSpiceDisplayDec *self);

static void paint_due_async(GstElement *element, gpointer data)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);

    GST_PAD_STREAM_LOCK(self->sink);
    if (self->painter && GST_PAD_IS_ACTIVE(self->sink)) {
        paint_due(self);
        if (gst_spice_display_dec_push_frame(self) == GST_FLOW_EOS)
            gst_pad_push_event(self->src, gst_event_new_eos());
        expect_next(self);
    }
    GST_PAD_STREAM_UNLOCK(self->sink);
}

static gboolean on_alarm(GstClock *clock, GstClockTime time, GstClockID id, gpointer user_data)
{
    if (GST_CLOCK_TIME_IS_VALID(time)) /* else it was called off */
        gst_element_call_async(GST_ELEMENT(user_data), paint_due_async, NULL, NULL);
    return TRUE;
}

static void call_off_alarm(GstSpiceDisplayDec *self)
{
    if (self->alarm)
        gst_clock_id_unschedule(self->alarm);
    g_clear_pointer(&self->alarm, gst_clock_id_unref);
}

static void set_alarm(GstSpiceDisplayDec *self, gint64 due_us)
{
    GstClock *clock;

    if (self->alarm && self->alarm_us <= due_us)
        return;
    call_off_alarm(self);
    clock = gst_system_clock_obtain(); /* the monotonic one, as g_get_monotonic_time() */
    self->alarm = gst_clock_new_single_shot_id(clock, (GstClockTime)due_us * GST_USECOND);
    self->alarm_us = due_us;
    gst_clock_id_wait_async(self->alarm, on_alarm, gst_object_ref(self), gst_object_unref);
    gst_object_unref(clock);
}

static void paint_due(GstSpiceDisplayDec *self)
{
    const gint64 now_us = g_get_monotonic_time();

    if (self->alarm && self->alarm_us <= now_us)
        g_clear_pointer(&self->alarm,
                        gst_clock_id_unref); /* it has rung, or is about to, in vain */
    gst_spice_display_painter_paint_due(self->painter, now_us);
    if (self->repeat_us == 0 || self->repeat_us > now_us)
        return;
    if (GST_STATE(self) == GST_STATE_PLAYING)
        gst_spice_display_dec_repeat(self);
    else
        self->repeat_us = now_us + PAUSE_US;
}

static void expect_next(GstSpiceDisplayDec *self)
{
    gint64 due_us = gst_spice_display_painter_get_due(self->painter);

    if (self->repeat_us > 0 && (due_us <= 0 || self->repeat_us < due_us))
        due_us = self->repeat_us;
    if (due_us > 0)
        set_alarm(self, MAX(due_us, g_get_monotonic_time()));
}

static GstFlowReturn gst_spice_display_dec_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(parent);
    gboolean last = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER);
    GstFlowReturn flow = GST_FLOW_OK;
    SpiceError error = {0};
    GstMapInfo map;
    gboolean ok;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        gst_buffer_unref(buffer);
        return GST_FLOW_ERROR;
    }
    if (!gst_spice_buffer_get_media_time(buffer, &self->media_time))
        self->media_time = -1;
    ok = gst_spice_display_painter_take(self->painter, map.data, map.size,
                                        GST_BUFFER_OFFSET(buffer), &error);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    if (!ok) {
        /* An image that was not waited for, as we are being stopped, is nobody's fault. */
        if (!gst_spice_display_painter_is_stopped(self->painter))
            GST_ELEMENT_ERROR(self, RESOURCE, READ, ("The server broke the SPICE protocol."),
                              ("%s %s", error.field, spice_error_phrase(error.code)));
        return GST_FLOW_FLUSHING; /* ERROR would make the source post a second message */
    }
    paint_due(self);
    if (self->damaged_since &&
        (last || g_get_monotonic_time() - self->damaged_since >= FRAME_INTERVAL_US))
        flow = gst_spice_display_dec_push_frame(self);
    else if (gst_spice_display_dec_has_sent_all(self))
        flow = GST_FLOW_EOS;
    expect_next(self);
    return flow;
}

/* Events */

static gboolean gst_spice_display_dec_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(parent);

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
        gst_event_unref(event); /* ours follow with the first picture */
        return TRUE;
    case GST_EVENT_SEGMENT:
        if (!self->caps_sent) {
            gst_event_replace(&self->segment, event);
            gst_event_unref(event);
            return TRUE;
        }
        break;
    case GST_EVENT_EOS:
        call_off_alarm(self);
        gst_spice_display_painter_paint_due(self->painter, G_MAXINT64);
        if (self->repeat_us > 0)
            gst_spice_display_dec_repeat(self); /* it was to be seen until now */
        gst_spice_display_dec_push_frame(self);
        self->repeat_us = 0;
        break;
    case GST_EVENT_FLUSH_START:
        gst_spice_display_painter_set_stop(self->painter, TRUE);
        break;
    case GST_EVENT_FLUSH_STOP:
        gst_spice_display_painter_set_stop(self->painter, FALSE);
        break;
    default:
        break;
    }
    return gst_pad_event_default(pad, parent, event);
}

static gboolean gst_spice_display_dec_src_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(parent);
    GstSpiceSession *session;
    guint unknown = 0;

    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
        GST_OBJECT_LOCK(self);
        gst_spice_frame_stamps_take_latency(&self->stamps, event);
        GST_OBJECT_UNLOCK(self);
    }
    if (!gst_spice_navigation_is_input(event))
        return gst_pad_event_default(pad, parent, event);
    GST_OBJECT_LOCK(self);
    session = self->session ? g_object_ref(self->session) : NULL;
    GST_OBJECT_UNLOCK(self);
    if (session) {
        gst_spice_navigation_send(session, self->channel_id, event, &unknown);
        g_object_unref(session);
    }
    if (unknown) {
        GST_OBJECT_LOCK(self);
        self->unknown_keys += unknown;
        GST_OBJECT_UNLOCK(self);
        GST_INFO_OBJECT(self, "no key bears this name: %" GST_PTR_FORMAT, event);
    }
    gst_event_unref(event);
    return TRUE; /* a sink gives an event that nobody took to its player */
}

static gboolean gst_spice_display_dec_src_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (!gst_pad_query_default(pad, parent, query))
        return FALSE;
    if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY &&
        GST_SPICE_DISPLAY_DEC(parent)->timestamps == GST_SPICE_TIMESTAMPS_ARRIVAL)
        gst_spice_frame_stamps_add_latency(query);
    return TRUE;
}

/* States */

static void on_changed(const pixman_region32_t *damage, gboolean anew, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;

    gst_spice_display_dec_add_damage(self, damage);
    self->all_damaged |= anew;
}

static void on_waits(gpointer user_data)
{
    gst_spice_display_dec_push_frame(user_data);
}

/** Goes before the next frame; a change of monitors makes one. */
static void on_monitors(const SpiceHead *heads, guint n_heads, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;

    if (self->heads)
        gst_event_unref(self->heads);
    self->heads = gst_spice_event_new_heads(heads, n_heads);
    if (self->damaged_since == 0)
        self->damaged_since = g_get_monotonic_time();
}

static void on_send(guint16 type, const void *message, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_CLIENT, type);
    SpiceBuffer buffer = {.allocator = &spice_allocator_libc};

    if (spice_message_write(def, message, &buffer, NULL)) {
        g_autoptr(GBytes) body = g_bytes_new(buffer.data, buffer.size);

        gst_pad_push_event(self->sink, gst_spice_event_new_message(type, body));
    }
    spice_buffer_clear(&buffer);
}

static guint32 on_mm_time(gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;
    guint32 time = 0;

    GST_OBJECT_LOCK(self);
    if (self->session)
        time = gst_spice_session_get_mm_time(self->session);
    GST_OBJECT_UNLOCK(self);
    return time;
}

static gint64 on_due(gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;
    gint64 due_us = 0;

    GST_OBJECT_LOCK(self);
    if (self->session && self->media_time >= 0)
        due_us = gst_spice_media_clock_get_due(gst_spice_session_get_media_clock(self->session),
                                               SPICE_MEDIA_VIDEO, self->media_time,
                                               g_get_monotonic_time());
    GST_OBJECT_UNLOCK(self);
    if (due_us > 0 && self->timestamps == GST_SPICE_TIMESTAMPS_ARRIVAL)
        due_us -= GST_TIME_AS_USECONDS(GST_SPICE_FRAME_HEADROOM);
    return due_us;
}

static void on_decoded(gint64 took_us, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;

    GST_OBJECT_LOCK(self);
    if (self->session)
        gst_spice_media_clock_take_decoding(gst_spice_session_get_media_clock(self->session),
                                            took_us);
    GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstSpiceDisplayDec *self)
{
    static const GstSpiceDisplayPainterEvents events = {on_changed, on_waits, on_monitors, on_send,
                                                        on_mm_time, on_due,   on_decoded};
    GstSpiceDisplayGroup *group =
        gst_spice_display_group_get(self->shared_caches ? G_OBJECT(self->session) : NULL);
    GstSpiceDisplayPainter *painter =
        gst_spice_display_painter_new(group, (guint8)self->channel_id, &events, self);

    gst_spice_display_group_unref(group);
    GST_OBJECT_LOCK(self);
    self->painter = painter;
    self->n_frames = 0;
    self->stamps = (GstSpiceFrameStamps){0};
    GST_OBJECT_UNLOCK(self);
    if (!painter)
        return FALSE;
    self->caps_sent = FALSE;
    self->all_damaged = TRUE;
    self->damaged_since = 0;
    self->repeat_us = 0;
    gst_spice_display_dec_watch_cursor(self);
    return TRUE;
}

static void stop(GstSpiceDisplayDec *self)
{
    GstSpiceDisplayPainter *painter;

    gst_spice_display_dec_unwatch_cursor(self);
    GST_OBJECT_LOCK(self);
    if (self->session_lent)
        g_clear_object(&self->session);
    self->session_lent = FALSE;
    GST_OBJECT_UNLOCK(self);
    /* A cursor that is just being shown holds the stream lock. */
    GST_PAD_STREAM_LOCK(self->sink);
    call_off_alarm(self);
    gst_spice_display_dec_forget_cursor(self);
    gst_spice_frame_slots_resize(&self->slots, 0, 0);
    pixman_region32_clear(&self->damage);
    gst_event_replace(&self->segment, NULL);
    gst_event_replace(&self->heads, NULL);
    GST_OBJECT_LOCK(self);
    painter = g_steal_pointer(&self->painter);
    GST_OBJECT_UNLOCK(self);
    gst_spice_display_painter_free(painter);
    GST_PAD_STREAM_UNLOCK(self->sink);
}

static GstStateChangeReturn gst_spice_display_dec_change_state(GstElement *element,
                                                               GstStateChange transition)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start(self)) {
        stop(self);
        return GST_STATE_CHANGE_FAILURE;
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        gst_spice_display_painter_set_stop(self->painter, TRUE);
    result =
        GST_ELEMENT_CLASS(gst_spice_display_dec_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
        stop(self);
    return result;
}

static void gst_spice_display_dec_set_context(GstElement *element, GstContext *context)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);
    GstSpiceSession *session = gst_spice_context_get_session(context);
    gboolean changed;

    GST_OBJECT_LOCK(self);
    changed = session && session != self->session && (!self->session || self->session_lent);
    if (changed) {
        g_set_object(&self->session, session);
        self->session_lent = TRUE;
    }
    GST_OBJECT_UNLOCK(self);
    if (changed && self->painter)
        gst_spice_display_dec_watch_cursor(self);
    g_clear_object(&session);
    GST_ELEMENT_CLASS(gst_spice_display_dec_parent_class)->set_context(element, context);
}

/* Object */

/** Under the object lock. */
static GstStructure *make_stats(GstSpiceDisplayDec *self)
{
    GstStructure *stats =
        gst_structure_new("application/x-spice-display-stats", "frames", G_TYPE_UINT64,
                          self->n_frames, "unknown-keys", G_TYPE_UINT, self->unknown_keys, NULL);

    if (self->painter)
        gst_spice_display_painter_add_stats(self->painter, stats);
    return stats;
}

static void gst_spice_display_dec_set_property(GObject *object, guint id, const GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_SESSION:
        g_set_object(&self->session, g_value_get_object(value));
        self->session_lent = FALSE;
        break;
    case PROP_CHANNEL_ID:
        self->channel_id = g_value_get_uint(value);
        break;
    case PROP_SHARED_CACHES:
        self->shared_caches = g_value_get_boolean(value);
        break;
    case PROP_SHOW_CURSOR:
        self->show_cursor = g_value_get_boolean(value);
        break;
    case PROP_TIMESTAMPS:
        self->timestamps = g_value_get_enum(value);
        break;
    case PROP_NUM_BUFFERS:
        self->num_buffers = g_value_get_int(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_display_dec_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_SESSION:
        g_value_set_object(value, self->session);
        break;
    case PROP_CHANNEL_ID:
        g_value_set_uint(value, self->channel_id);
        break;
    case PROP_SHARED_CACHES:
        g_value_set_boolean(value, self->shared_caches);
        break;
    case PROP_SHOW_CURSOR:
        g_value_set_boolean(value, self->show_cursor);
        break;
    case PROP_TIMESTAMPS:
        g_value_set_enum(value, self->timestamps);
        break;
    case PROP_NUM_BUFFERS:
        g_value_set_int(value, self->num_buffers);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, make_stats(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_display_dec_finalize(GObject *object)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(object);

    g_clear_object(&self->session);
    gst_event_replace(&self->segment, NULL);
    gst_event_replace(&self->heads, NULL);
    pixman_region32_fini(&self->damage);
    G_OBJECT_CLASS(gst_spice_display_dec_parent_class)->finalize(object);
}

static void gst_spice_display_dec_init(GstSpiceDisplayDec *self)
{
    GstElement *element = GST_ELEMENT(self);

    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_spice_display_dec_chain);
    gst_pad_set_event_function(self->sink, gst_spice_display_dec_sink_event);
    gst_element_add_pad(element, self->sink);
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_event_function(self->src, gst_spice_display_dec_src_event);
    gst_pad_set_query_function(self->src, gst_spice_display_dec_src_query);
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(element, self->src);
    self->num_buffers = -1;
    pixman_region32_init(&self->damage);
}

static void install_properties(GObjectClass *object_class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    g_object_class_install_property(object_class, PROP_SESSION,
                                    g_param_spec_object("session", "Session",
                                                        "The session that input goes to",
                                                        GST_SPICE_TYPE_SESSION, flags));
    g_object_class_install_property(object_class, PROP_CHANNEL_ID,
                                    g_param_spec_uint("channel-id", "Channel id",
                                                      "Which of the server's display channels", 0,
                                                      255, 0, flags));
    g_object_class_install_property(
        object_class, PROP_SHARED_CACHES,
        g_param_spec_boolean("shared-caches", "Shared caches",
                             "Share image cache and GLZ window with the session's other displays; "
                             "then all of them have to be received",
                             FALSE, flags));
    g_object_class_install_property(
        object_class, PROP_SHOW_CURSOR,
        g_param_spec_boolean("show-cursor", "Show cursor",
                             "Draw the server's cursor into the frames, for recording", FALSE,
                             flags));
    g_object_class_install_property(
        object_class, PROP_TIMESTAMPS,
        g_param_spec_enum("timestamps", "Timestamps", "What the frames' timestamps say",
                          GST_TYPE_SPICE_TIMESTAMPS, GST_SPICE_TIMESTAMPS_NONE, flags));
    g_object_class_install_property(
        object_class, PROP_NUM_BUFFERS,
        g_param_spec_int("num-buffers", "Number of buffers",
                         "Frames before the end of the stream (-1: no end)", -1, G_MAXINT, -1,
                         flags));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Messages, frames, refused messages, sources of DRAW_COPY by image type",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void gst_spice_display_dec_class_init(GstSpiceDisplayDecClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicedisplaydec_debug, "spicedisplaydec", 0, "SPICE display decoder");

    object_class->set_property = gst_spice_display_dec_set_property;
    object_class->get_property = gst_spice_display_dec_get_property;
    object_class->finalize = gst_spice_display_dec_finalize;
    element_class->change_state = gst_spice_display_dec_change_state;
    element_class->set_context = gst_spice_display_dec_set_context;
    install_properties(object_class);

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE display decoder", "Codec/Decoder/Video",
        "Paints the messages of a SPICE display channel into frames", "The gst-spice developers");
}
