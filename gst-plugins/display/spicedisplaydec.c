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
#include "spicedisplaydec.h"

#include "damage-meta.h"
#include "display-painter.h"
#include "frame-stamps.h"
#include "frame-slots.h"
#include "idle-events.h"
#include "heads-event.h"
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

struct _GstSpiceDisplayDec {
    GstElement parent_instance;
    GstPad *sink, *src;

    GstSpiceSession *session; /* under the object lock */
    guint channel_id;
    gboolean shared_caches;
    gboolean show_cursor;
    GstSpiceTimestamps timestamps;
    gint num_buffers;

    gboolean session_lent;    /* it came by context, for one run; under the object lock */
    GstSpiceSession *watched; /* whose cursor is shown; state changes */
    gulong cursor_handler;
    gint cursor_pending;        /* atomic: a task will show the latest cursor */
    guint unknown_keys;         /* under the object lock */
    GstSpiceFrameStamps stamps; /* under the object lock */

    /* All below under the sink pad's stream lock, the first two also under the object lock. */
    GstSpiceDisplayPainter *painter;
    guint64 n_frames;
    GstSpiceFrameSlots slots;
    gboolean caps_sent;
    GstEvent *segment;
    GstEvent *heads; /* where the monitors lie; NULL: it has been sent */
    pixman_region32_t damage;
    gboolean all_damaged; /* the next frame has nothing in common with the last */
    gint64 damaged_since; /* monotonic time of the first damage; 0: none */
    gint64 media_time;    /* of the message that is being taken; negative: it has none */
    GstClockID alarm;     /* for the next stream frame that waits; NULL: none does */
    gint64 alarm_us;      /* when it rings */
    pixman_image_t *cursor_image;
    GstSpiceCursor *cursor;
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

/* Frames */

static void add_damage(GstSpiceDisplayDec *self, const pixman_region32_t *damage)
{
    pixman_region32_t *region = (pixman_region32_t *)damage; /* pixman's reading calls lack const */

    if (!pixman_region32_not_empty(region))
        return;
    pixman_region32_union(&self->damage, &self->damage, region);
    gst_spice_region_simplify(&self->damage);
    gst_spice_frame_slots_damage(&self->slots, region);
    if (self->damaged_since == 0)
        self->damaged_since = g_get_monotonic_time();
}

static gboolean send_caps(GstSpiceDisplayDec *self, guint width, guint height)
{
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                        G_TYPE_INT, (gint)width, "height", G_TYPE_INT, (gint)height,
                                        "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
    gboolean ok = gst_pad_push_event(self->src, gst_event_new_caps(caps));

    gst_caps_unref(caps);
    if (self->segment)
        gst_pad_push_event(self->src, g_steal_pointer(&self->segment));
    self->caps_sent = TRUE;
    return ok;
}

/** Makes frames fit the picture. */
static void fit_frames(GstSpiceDisplayDec *self, const SpicePixels *picture)
{
    guint width = (guint)picture->width, height = (guint)picture->height;

    if (self->slots.width != width || self->slots.height != height) {
        gst_spice_frame_slots_resize(&self->slots, width, height);
        self->caps_sent = FALSE;
        self->all_damaged = TRUE;
    }
    if (!self->caps_sent)
        send_caps(self, width, height);
    if (self->heads)
        gst_pad_push_event(self->src, g_steal_pointer(&self->heads));
}

static void add_damage_meta(GstSpiceDisplayDec *self, GstBuffer *buffer)
{
    GstSpiceDamageMeta *meta;
    int n, i;
    pixman_box32_t *boxes = pixman_region32_rectangles(&self->damage, &n);

    if (self->all_damaged)
        return;
    meta = gst_buffer_add_spice_damage_meta(buffer);
    if (n > GST_SPICE_DAMAGE_MAX_RECTS) {
        boxes = pixman_region32_extents(&self->damage);
        n = 1;
    }
    for (i = 0; i < n; i++)
        meta->rects[i] = (GstVideoRectangle){boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
                                             boxes[i].y2 - boxes[i].y1};
    meta->n_rects = (guint)n;
}

static void stamp(GstSpiceDisplayDec *self, GstBuffer *buffer)
{
    GstSpiceFrameStamps stamps;

    if (self->timestamps != GST_SPICE_TIMESTAMPS_ARRIVAL)
        return;
    GST_OBJECT_LOCK(self);
    stamps = self->stamps;
    GST_OBJECT_UNLOCK(self);
    GST_BUFFER_PTS(buffer) = gst_spice_frame_stamps_next(&stamps, GST_ELEMENT(self));
    GST_OBJECT_LOCK(self);
    self->stamps.last = stamps.last;
    GST_OBJECT_UNLOCK(self);
}

static pixman_image_t *wrap(const SpicePixels *pixels)
{
    return pixman_image_create_bits(pixels->format, pixels->width, pixels->height,
                                    (uint32_t *)pixels->data, (int)pixels->stride);
}

/** Whether all the frames that were asked for have been sent. */
static gboolean has_sent_all(GstSpiceDisplayDec *self)
{
    return self->num_buffers >= 0 && self->n_frames >= (guint64)self->num_buffers;
}

/** Sends the picture as it is now, if there is something to show and it has changed. */
static GstFlowReturn push_frame(GstSpiceDisplayDec *self)
{
    const SpicePixels *picture = gst_spice_display_painter_get_picture(self->painter);
    gboolean cursor_shown;
    pixman_image_t *surface;
    GstBuffer *buffer;
    GstFlowReturn flow;

    if (has_sent_all(self))
        return GST_FLOW_EOS;
    if (!picture || self->damaged_since == 0)
        return GST_FLOW_OK;
    fit_frames(self, picture);
    cursor_shown = self->cursor_image && self->cursor->visible;
    surface = wrap(picture);
    buffer =
        gst_spice_frame_slots_take(&self->slots, surface, cursor_shown ? self->cursor_image : NULL,
                                   cursor_shown ? self->cursor->x - (gint)self->cursor->hot_x : 0,
                                   cursor_shown ? self->cursor->y - (gint)self->cursor->hot_y : 0);
    pixman_image_unref(surface);
    if (!buffer) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a frame."),
                          (NULL));
        return GST_FLOW_FLUSHING; /* ERROR would make the source post a second message */
    }
    add_damage_meta(self, buffer);
    stamp(self, buffer);
    pixman_region32_clear(&self->damage);
    self->all_damaged = FALSE;
    self->damaged_since = 0;
    GST_OBJECT_LOCK(self);
    self->n_frames++;
    GST_OBJECT_UNLOCK(self);
    flow = gst_pad_push(self->src, buffer);
    if (flow != GST_FLOW_OK)
        self->all_damaged = TRUE; /* this frame was not seen */
    if (flow == GST_FLOW_NOT_LINKED)
        flow = GST_FLOW_OK; /* nobody looks on: the surfaces go on being kept */
    return flow == GST_FLOW_OK && has_sent_all(self) ? GST_FLOW_EOS : flow;
}

/* Stream frames that wait for their time */

/** Paints what is due, and sees to it that it is called again. Under the stream lock. */
static void paint_due(GstSpiceDisplayDec *self);

static void paint_due_async(GstElement *element, gpointer data)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);

    GST_PAD_STREAM_LOCK(self->sink);
    if (self->painter && GST_PAD_IS_ACTIVE(self->sink)) {
        paint_due(self);
        if (push_frame(self) == GST_FLOW_EOS)
            gst_pad_push_event(self->src, gst_event_new_eos());
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
    gint64 due_us;

    if (self->alarm && self->alarm_us <= now_us)
        g_clear_pointer(&self->alarm,
                        gst_clock_id_unref); /* it has rung, or is about to, in vain */
    gst_spice_display_painter_paint_due(self->painter, now_us);
    due_us = gst_spice_display_painter_get_due(self->painter);
    if (due_us > 0)
        set_alarm(self, MAX(due_us, now_us));
}

/* The cursor in the picture */

/** Damages where `cursor` is drawn. */
static void damage_cursor(GstSpiceDisplayDec *self, const GstSpiceCursor *cursor)
{
    const SpicePixels *picture = gst_spice_display_painter_get_picture(self->painter);
    pixman_region32_t region;

    if (!picture || !cursor || !cursor->visible || cursor->width == 0)
        return;
    pixman_region32_init_rect(&region, cursor->x - (gint)cursor->hot_x,
                              cursor->y - (gint)cursor->hot_y, cursor->width, cursor->height);
    pixman_region32_intersect_rect(&region, &region, 0, 0, (guint)picture->width,
                                   (guint)picture->height);
    add_damage(self, &region);
    pixman_region32_fini(&region);
}

static void forget_cursor(GstSpiceDisplayDec *self)
{
    g_clear_pointer(&self->cursor_image, pixman_image_unref);
    g_clear_pointer(&self->cursor, gst_spice_cursor_unref);
}

static void take_cursor(GstSpiceDisplayDec *self, GstSpiceCursor *cursor)
{
    damage_cursor(self, self->cursor);
    forget_cursor(self);
    self->cursor = cursor;
    if (cursor->pixels)
        self->cursor_image = pixman_image_create_bits(
            PIXMAN_a8r8g8b8, (int)cursor->width, (int)cursor->height,
            (uint32_t *)g_bytes_get_data(cursor->pixels, NULL), (int)cursor->width * 4);
    damage_cursor(self, cursor);
}

static void show_cursor_async(GstElement *element, gpointer data)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);
    GstSpiceSession *session = data;

    GST_PAD_STREAM_LOCK(self->sink);
    g_atomic_int_set(&self->cursor_pending, FALSE); /* what changes from here on asks again */
    if (self->painter && GST_PAD_IS_ACTIVE(self->sink)) {
        take_cursor(self, gst_spice_session_get_cursor(session));
        if (push_frame(self) == GST_FLOW_EOS)
            gst_pad_push_event(self->src, gst_event_new_eos());
    }
    GST_PAD_STREAM_UNLOCK(self->sink);
}

static void on_cursor_changed(GstSpiceSession *session, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;

    /* One task at a time: all want but the latest cursor. */
    if (!g_atomic_int_compare_and_exchange(&self->cursor_pending, FALSE, TRUE))
        return;
    /* Not on the I/O thread: a frame may wait for the sink. */
    gst_element_call_async(GST_ELEMENT(self), show_cursor_async, g_object_ref(session),
                           g_object_unref);
}

static void unwatch_cursor(GstSpiceDisplayDec *self)
{
    if (self->watched)
        g_signal_handler_disconnect(self->watched, self->cursor_handler);
    g_clear_object(&self->watched);
}

static void closure_unref(gpointer data, GClosure *closure)
{
    gst_object_unref(data);
}

/** Follows the session's cursor, if it is to be shown. The cursor channel is that of display 0. */
static void watch_cursor(GstSpiceDisplayDec *self)
{
    unwatch_cursor(self);
    if (!self->show_cursor || !self->session || self->channel_id != 0)
        return;
    self->watched = g_object_ref(self->session);
    /* The closure's reference outlives an emission that is under way when it is disconnected. */
    self->cursor_handler =
        g_signal_connect_data(self->watched, "cursor-changed", G_CALLBACK(on_cursor_changed),
                              gst_object_ref(self), closure_unref, 0);
    GST_PAD_STREAM_LOCK(self->sink);
    take_cursor(self, gst_spice_session_get_cursor(self->watched));
    GST_PAD_STREAM_UNLOCK(self->sink);
}

static GstFlowReturn gst_spice_display_dec_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(parent);
    gboolean last = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER);
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
        return push_frame(self);
    return has_sent_all(self) ? GST_FLOW_EOS : GST_FLOW_OK;
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
        push_frame(self);
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

    add_damage(self, damage);
    self->all_damaged |= anew;
}

static void on_waits(gpointer user_data)
{
    push_frame(user_data);
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
    watch_cursor(self);
    return TRUE;
}

static void stop(GstSpiceDisplayDec *self)
{
    GstSpiceDisplayPainter *painter;

    unwatch_cursor(self);
    GST_OBJECT_LOCK(self);
    if (self->session_lent)
        g_clear_object(&self->session);
    self->session_lent = FALSE;
    GST_OBJECT_UNLOCK(self);
    /* A cursor that is just being shown holds the stream lock. */
    GST_PAD_STREAM_LOCK(self->sink);
    call_off_alarm(self);
    forget_cursor(self);
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
        watch_cursor(self);
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
