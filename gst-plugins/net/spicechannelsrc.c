/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicechannelsrc
 * @title: spicechannelsrc
 * @short_description: the messages of one channel of a SPICE session
 *
 * Links a display channel and hands on its messages, one a buffer: a mini header (type and size,
 * little endian) and the body. What the link itself needs (acknowledgements, pings, the INIT of a
 * display channel) is answered here.
 *
 * The element takes part in the session of its `session` property. Without one it opens a session
 * of its own to `location`, and lets the elements around it know by a GstContext
 * `gst.spice.Session`.
 *
 * The last message that was there when it was taken bears %GST_BUFFER_FLAG_MARKER: nothing more is
 * known to follow at once, so now is the time to show what was drawn. A buffer's offset is the
 * message's serial number.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicechannelsrc location=spice://localhost:5900 ! spicedisplaydec ! videoconvert ! autovideosink
 * ]|
 */
#include "spicechannelsrc.h"

#include "core/wire/channel.h"
#include "core/wire/display.h"
#include "core/wire/endian.h"
#include "core/wire/link.h"
#include "gst-plugins/audio/media-time-meta.h"
#include "gst-plugins/display/display-group.h"
#include "gst-plugins/display/idle-events.h"
#include "gst-plugins/video/video-decoder.h"
#include "session-context.h"
#include "session/streaming-video.h"
#include "session/image-compression.h"
#include "session/login.h"
#include "session/media-clock.h"
#include "transport/error.h"
#include "transport/framer.h"

GST_DEBUG_CATEGORY_STATIC(spicechannelsrc_debug);
#define GST_CAT_DEFAULT spicechannelsrc_debug

enum {
    QUEUE_FULL = 16 << 20, /* bytes that wait here before the socket is left alone */
    QUEUE_RESUME = 4 << 20,
    MESSAGE_OVERHEAD = 512, /* what a message takes beside its bytes, about */
    SHARED_CACHE_ID = 1,
    MAX_CHANNEL_ID = 253, /* each has a cache id of its own */
};

enum {
    PROP_SESSION = GST_SPICE_LOGIN_N_PROPERTIES,
    PROP_CHANNEL_ID,
    PROP_SHARED_CACHES,
    PROP_PREFERRED_COMPRESSION,
};

struct _GstSpiceChannelSrc {
    GstPushSrc parent_instance;

    GstSpiceLogin login;
    guint channel_id;
    gboolean shared_caches;
    GstSpiceImageCompression preferred_compression;
    GstSpiceSession *session; /* under the object lock */
    gboolean own_session;
    gboolean session_lent; /* it came by context, for one run; under the object lock */
    gulong failed_handler;

    GMutex lock;
    GCond cond;
    GQueue *queue; /* GstBuffer, under lock */
    gsize queued;
    gboolean reading;
    gboolean flushing;
    GError *error; /* the channel's end, under lock */
    GstSpiceAttachment *attachment;
};

G_DEFINE_FINAL_TYPE(GstSpiceChannelSrc, gst_spice_channel_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-display"));

/* Attachment: the I/O thread */

static void send_message(GstSpiceAttachment *attachment, guint16 type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_CLIENT, type);
    SpiceBuffer body = {.allocator = &spice_allocator_libc};

    if (spice_message_write(def, message, &body, NULL)) {
        g_autoptr(GBytes) bytes = g_bytes_new(body.data, body.size);

        gst_spice_attachment_send(attachment, type, bytes);
    }
    spice_buffer_clear(&body);
}

static void send_display_init(GstSpiceChannelSrc *self, GstSpiceAttachment *attachment)
{
    /* The server may refer to what it sent on any channel of the same cache: one that is not
     * received must not take part. */
    const guint8 cache_id =
        self->shared_caches ? SHARED_CACHE_ID : (guint8)(SHARED_CACHE_ID + 1 + self->channel_id);
    const SpiceMsgcDisplayInit init = {
        .pixmap_cache_id = cache_id,
        .pixmap_cache_size = GST_SPICE_PIXMAP_CACHE_PIXELS,
        .glz_dictionary_id = cache_id,
        .glz_dictionary_window_size = GST_SPICE_GLZ_WINDOW_PIXELS,
    };

    send_message(attachment, SPICE_MSGC_DISPLAY_INIT, &init);
}

/* Only servers that know the wish may be told. */
static void send_preferred_compression(GstSpiceChannelSrc *self, GstSpiceAttachment *attachment)
{
    static const guint8 wire_values[] = {
        [GST_SPICE_IMAGE_COMPRESSION_OFF] = SPICE_IMAGE_COMPRESSION_OFF,
        [GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ] = SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
        [GST_SPICE_IMAGE_COMPRESSION_AUTO_LZ] = SPICE_IMAGE_COMPRESSION_AUTO_LZ,
        [GST_SPICE_IMAGE_COMPRESSION_QUIC] = SPICE_IMAGE_COMPRESSION_QUIC,
        [GST_SPICE_IMAGE_COMPRESSION_GLZ] = SPICE_IMAGE_COMPRESSION_GLZ,
        [GST_SPICE_IMAGE_COMPRESSION_LZ] = SPICE_IMAGE_COMPRESSION_LZ,
        [GST_SPICE_IMAGE_COMPRESSION_LZ4] = SPICE_IMAGE_COMPRESSION_LZ4,
    };
    const GstSpiceImageCompression wish = self->preferred_compression;
    SpiceMsgcDisplayPreferredCompression message = {0};

    if (wish == GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE)
        return;
    if (!gst_spice_attachment_peer_has(attachment, SPICE_DISPLAY_CAP_PREF_COMPRESSION)) {
        GST_INFO_OBJECT(self, "the server takes no wish for a compression");
        return;
    }
    message.compression = wire_values[wish];
    send_message(attachment, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, &message);
}

static void on_opened(GstSpiceAttachment *attachment, gpointer user_data)
{
    GstSpiceChannelSrc *self = user_data;

    GST_DEBUG_OBJECT(self, "display channel %u is linked", self->channel_id);
    send_display_init(self, attachment);
    send_preferred_compression(self, attachment);
}

/** A stream frame gets its media time, as of now: later it may have waited for who draws it. */
static void set_media_time(GstSpiceChannelSrc *self, GstBuffer *buffer, GBytes *message)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(message, &size);
    SpiceDataHeader header;
    gint64 stream_us;
    guint32 mm;

    if (size < SPICE_MINI_HEADER_SIZE + 8)
        return;
    spice_mini_data_header_decode(&header, data);
    if (header.type != SPICE_MSG_DISPLAY_STREAM_DATA &&
        header.type != SPICE_MSG_DISPLAY_STREAM_DATA_SIZED)
        return;
    mm = spice_get_u32(data + SPICE_MINI_HEADER_SIZE + 4); /* behind the stream's id */
    if (mm == 0) /* as the field's clients have it: no time */
        return;
    stream_us = gst_spice_media_clock_take(gst_spice_session_get_media_clock(self->session),
                                           SPICE_MEDIA_VIDEO, mm, 0, g_get_monotonic_time(), NULL);
    if (stream_us >= 0)
        gst_spice_buffer_set_media_time(buffer, stream_us);
}

static void on_message(GstSpiceAttachment *attachment, GBytes *message, guint64 serial,
                       gpointer user_data)
{
    GstSpiceChannelSrc *self = user_data;
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(message);

    GST_BUFFER_OFFSET(buffer) = serial;
    set_media_time(self, buffer, message);
    g_mutex_lock(&self->lock);
    g_queue_push_tail(self->queue, buffer);
    self->queued += g_bytes_get_size(message) + MESSAGE_OVERHEAD;
    if (self->queued > QUEUE_FULL && self->reading) {
        self->reading = FALSE;
        gst_spice_attachment_set_reading(attachment, FALSE);
    }
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static void on_closed(GstSpiceAttachment *attachment, const GError *error, gpointer user_data)
{
    GstSpiceChannelSrc *self = user_data;

    g_mutex_lock(&self->lock);
    if (!self->error)
        self->error = g_error_copy(error);
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static const GstSpiceAttachmentHandler attachment_handler = {
    .opened = on_opened,
    .message = on_message,
    .closed = on_closed,
};

/** Our own session could not be made or was lost; the attachment need not exist yet. */
static void on_session_failed(GstSpiceSession *session, const GError *error, gpointer user_data)
{
    on_closed(NULL, error, user_data);
}

/* Streaming */

static GstFlowReturn gst_spice_channel_src_create(GstPushSrc *src, GstBuffer **buffer)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);
    gboolean last;
    GError *error = NULL;

    g_mutex_lock(&self->lock);
    while (!self->flushing && !self->error && g_queue_is_empty(self->queue))
        g_cond_wait(&self->cond, &self->lock);
    if (self->flushing || g_queue_is_empty(self->queue)) {
        if (!self->flushing)
            error = g_error_copy(self->error);
        g_mutex_unlock(&self->lock);
        if (error) {
            gst_spice_post_error(GST_ELEMENT(self), error);
            g_error_free(error);
        }
        return GST_FLOW_FLUSHING; /* ERROR would post a second, vaguer message */
    }
    *buffer = g_queue_pop_head(self->queue);
    last = g_queue_is_empty(self->queue);
    self->queued -= gst_buffer_get_size(*buffer) + MESSAGE_OVERHEAD;
    if (!self->reading && self->queued < QUEUE_RESUME) {
        self->reading = TRUE;
        gst_spice_attachment_set_reading(self->attachment, TRUE);
    }
    g_mutex_unlock(&self->lock);

    if (last)
        GST_BUFFER_FLAG_SET(*buffer, GST_BUFFER_FLAG_MARKER);
    return GST_FLOW_OK;
}

static gboolean gst_spice_channel_src_unlock(GstBaseSrc *src)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);

    g_mutex_lock(&self->lock);
    self->flushing = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static gboolean gst_spice_channel_src_unlock_stop(GstBaseSrc *src)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);

    g_mutex_lock(&self->lock);
    self->flushing = FALSE;
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static gboolean open_own_session(GstSpiceChannelSrc *self)
{
    g_autoptr(GError) error = NULL;

    self->session = gst_spice_session_new();
    self->own_session = TRUE;
    gst_spice_login_apply(&self->login, G_OBJECT(self->session));
    self->failed_handler =
        g_signal_connect(self->session, "failed", G_CALLBACK(on_session_failed), self);
    if (!gst_spice_session_open(self->session, &error)) {
        gst_spice_post_error(GST_ELEMENT(self), error);
        return FALSE;
    }
    gst_spice_context_announce(GST_ELEMENT(self), self->session);
    return TRUE;
}

static void drop_session(GstSpiceChannelSrc *self)
{
    GST_OBJECT_LOCK(self);
    if (self->session_lent)
        g_clear_object(&self->session);
    self->session_lent = FALSE;
    GST_OBJECT_UNLOCK(self);
    if (!self->own_session)
        return;
    g_signal_handler_disconnect(self->session, self->failed_handler);
    gst_spice_session_close(self->session);
    g_clear_object(&self->session);
    self->own_session = FALSE;
}

/** What this client does; video by the decoders that there are. */
static guint32 display_caps(void)
{
    guint32 caps = 1u << SPICE_DISPLAY_CAP_SIZED_STREAM | 1u << SPICE_DISPLAY_CAP_MONITORS_CONFIG |
                   1u << SPICE_DISPLAY_CAP_COMPOSITE | 1u << SPICE_DISPLAY_CAP_A8_SURFACE |
                   1u << SPICE_DISPLAY_CAP_LZ4_COMPRESSION | 1u << SPICE_DISPLAY_CAP_STREAM_REPORT |
                   1u << SPICE_DISPLAY_CAP_MULTI_CODEC | 1u << SPICE_DISPLAY_CAP_CODEC_MJPEG;
    guint8 codec;

    for (codec = SPICE_VIDEO_CODEC_TYPE_VP8; gst_spice_video_codec_name(codec); codec++)
        if (gst_spice_video_decoder_is_possible(codec))
            caps |= 1u << gst_spice_video_codec_capability(codec);
    return caps;
}

static gboolean gst_spice_channel_src_start(GstBaseSrc *src)
{
    const guint32 caps = display_caps();
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);
    GstSpiceAttachment *attachment;

    if (!self->session && !open_own_session(self)) {
        drop_session(self);
        return FALSE;
    }
    self->reading = TRUE;
    attachment =
        gst_spice_session_attach(self->session, SPICE_CHANNEL_DISPLAY, (guint8)self->channel_id,
                                 &caps, 1, &attachment_handler, self);
    g_mutex_lock(&self->lock);
    self->attachment = attachment;
    g_mutex_unlock(&self->lock);
    return TRUE;
}

/** Sends what the decoder has to say to the server. */
static gboolean gst_spice_channel_src_event(GstBaseSrc *src, GstEvent *event)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);
    guint16 type;
    GBytes *body;

    if (!gst_spice_event_parse_message(event, &type, &body))
        return GST_BASE_SRC_CLASS(gst_spice_channel_src_parent_class)->event(src, event);
    g_mutex_lock(&self->lock);
    if (self->attachment)
        gst_spice_attachment_send(self->attachment, type, body);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static gboolean gst_spice_channel_src_stop(GstBaseSrc *src)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(src);
    GstSpiceAttachment *attachment;

    g_mutex_lock(&self->lock);
    attachment = g_steal_pointer(&self->attachment);
    g_mutex_unlock(&self->lock);
    /* Not under our lock: the I/O thread takes the two in the other order. */
    if (attachment)
        gst_spice_attachment_detach(attachment);
    drop_session(self);
    g_mutex_lock(&self->lock);
    g_queue_clear_full(self->queue, (GDestroyNotify)gst_buffer_unref);
    self->queued = 0;
    g_clear_error(&self->error);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static void gst_spice_channel_src_set_context(GstElement *element, GstContext *context)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(element);
    GstSpiceSession *session = gst_spice_context_get_session(context);

    GST_OBJECT_LOCK(self);
    if (session && !self->own_session && (!self->session || self->session_lent)) {
        g_set_object(&self->session, session);
        self->session_lent = TRUE;
    }
    GST_OBJECT_UNLOCK(self);
    g_clear_object(&session);
    GST_ELEMENT_CLASS(gst_spice_channel_src_parent_class)->set_context(element, context);
}

/* Object */

static void gst_spice_channel_src_set_property(GObject *object, guint id, const GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_SESSION) {
        g_set_object(&self->session, g_value_get_object(value));
        self->session_lent = FALSE;
    } else if (id == PROP_CHANNEL_ID) {
        self->channel_id = g_value_get_uint(value);
    } else if (id == PROP_SHARED_CACHES) {
        self->shared_caches = g_value_get_boolean(value);
    } else if (id == PROP_PREFERRED_COMPRESSION) {
        self->preferred_compression = g_value_get_enum(value);
    } else if (!gst_spice_login_set_property(&self->login, id, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_channel_src_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_SESSION)
        g_value_set_object(value, self->session);
    else if (id == PROP_CHANNEL_ID)
        g_value_set_uint(value, self->channel_id);
    else if (id == PROP_SHARED_CACHES)
        g_value_set_boolean(value, self->shared_caches);
    else if (id == PROP_PREFERRED_COMPRESSION)
        g_value_set_enum(value, self->preferred_compression);
    else if (!gst_spice_login_get_property(&self->login, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_channel_src_finalize(GObject *object)
{
    GstSpiceChannelSrc *self = GST_SPICE_CHANNEL_SRC(object);

    g_clear_object(&self->session);
    g_queue_free_full(self->queue, (GDestroyNotify)gst_buffer_unref);
    g_clear_error(&self->error);
    gst_spice_login_clear(&self->login);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    G_OBJECT_CLASS(gst_spice_channel_src_parent_class)->finalize(object);
}

static void gst_spice_channel_src_init(GstSpiceChannelSrc *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->queue = g_queue_new();
    gst_spice_login_init(&self->login);
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void gst_spice_channel_src_class_init(GstSpiceChannelSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    GST_DEBUG_CATEGORY_INIT(spicechannelsrc_debug, "spicechannelsrc", 0, "SPICE channel source");

    object_class->set_property = gst_spice_channel_src_set_property;
    object_class->get_property = gst_spice_channel_src_get_property;
    object_class->finalize = gst_spice_channel_src_finalize;
    element_class->set_context = gst_spice_channel_src_set_context;
    base_class->start = gst_spice_channel_src_start;
    base_class->stop = gst_spice_channel_src_stop;
    base_class->event = gst_spice_channel_src_event;
    base_class->unlock = gst_spice_channel_src_unlock;
    base_class->unlock_stop = gst_spice_channel_src_unlock_stop;
    GST_PUSH_SRC_CLASS(klass)->create = gst_spice_channel_src_create;

    gst_spice_login_install_properties(object_class, GST_PARAM_MUTABLE_READY);
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object("session", "Session",
                            "Session to take part in; without one, a session to `location` is made",
                            GST_SPICE_TYPE_SESSION, flags));
    g_object_class_install_property(object_class, PROP_CHANNEL_ID,
                                    g_param_spec_uint("channel-id", "Channel id",
                                                      "Which of the server's display channels", 0,
                                                      MAX_CHANNEL_ID, 0, flags));
    g_object_class_install_property(
        object_class, PROP_SHARED_CACHES,
        g_param_spec_boolean("shared-caches", "Shared caches",
                             "Share image cache and GLZ window with the session's other displays; "
                             "then all of them have to be received",
                             FALSE, flags));
    g_object_class_install_property(
        object_class, PROP_PREFERRED_COMPRESSION,
        g_param_spec_enum("preferred-compression", "Preferred compression",
                          "How the server is asked to send images (adaptive: as it likes); a "
                          "server that takes no wishes is not asked",
                          GST_SPICE_TYPE_IMAGE_COMPRESSION, GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE,
                          flags));

    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE channel source", "Source/Network",
                                          "Receives the messages of a SPICE display channel",
                                          "The gst-spice developers");
}
