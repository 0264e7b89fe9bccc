/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceplaybacksrc
 * @title: spiceplaybacksrc
 * @short_description: the sound of a SPICE session, as it comes
 *
 * Receives the playback channel of the session of its `session` property, and hands on what the guest
 * plays: one packet a buffer, Opus, CELT 0.5.1 or raw, whichever the server chose; caps change when it
 * begins to play anew. How loud the guest wants it, the session is told.
 *
 * Buffers bear no timestamps of the pipeline, but the session's media time as a
 * #GstReferenceTimestampMeta: spicelipsync makes timestamps of it. If what follows is slow, the oldest
 * packets are dropped.
 *
 * When the guest has come to be silent a GAP event without a duration says so. With `silence` GAP events
 * follow as time passes, of which spicelipsync makes silence.
 *
 * spicesrc has this element in it.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink desktop.audio ! spiceaudiosink
 * ]|
 */
#include "spiceplaybacksrc.h"

#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "media-time-meta.h"
#include "session/media-clock.h"
#include "session/session-sound.h"
#include "transport/error.h"
#include "transport/framer.h"

GST_DEBUG_CATEGORY_STATIC(spiceplaybacksrc_debug);
#define GST_CAT_DEFAULT spiceplaybacksrc_debug

enum {
    PROP_0,
    PROP_SESSION,
    PROP_SILENCE,
};

enum { MAX_WAITING = 50 }; /* packets; half a second, mostly */
/* A guest that plays, but has nothing come for so long, is silent. */
#define STARVED_US (200 * G_TIME_SPAN_MILLISECOND)
/* Of one GAP event. */
#define GAP_US GST_TIME_AS_USECONDS(GST_SPICE_PLAYBACK_GAP)
/* If nobody hears them, they come so often. */
#define UNHEARD_US (500 * G_TIME_SPAN_MILLISECOND)
/* START follows at once if the guest plays already; until then its rate is not known. */
#define FIRST_GAP_US (100 * G_TIME_SPAN_MILLISECOND)

struct _GstSpicePlaybackSrc {
    GstPushSrc parent_instance;

    GstSpiceSession *session; /* under the object lock; does not change while it runs */
    gboolean silence;         /* under the object lock */

    /* the session's I/O thread */
    SpiceArena arena;
    SpiceAudioDataMode mode;
    guint rate; /* 0: nothing is played */
    GstCaps *caps;
    gboolean discont;
    gboolean refused; /* it broke the protocol: nothing more is heard of it */

    GMutex lock;
    GCond cond;
    GQueue queue;  /* under lock: GstSample, packets with their caps */
    gboolean lost; /* under lock: packets before the next were dropped */
    gboolean flushing;
    GstCaps *form;      /* under lock: of what is played, or would be; NULL: not known yet */
    gint64 silent_from; /* under lock: monotonic, when the next GAP event is due */
    gboolean told;      /* under lock: that it is silent */
    gboolean unheard;   /* streaming thread: nobody took the last GAP event */
    GError *error;      /* under lock: the channel's end */
    GstSpiceAttachment *attachment;
};

G_DEFINE_FINAL_TYPE(GstSpicePlaybackSrc, gst_spice_playback_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-opus, channel-mapping-family = (int) 0, channels = (int) 2, "
                    "rate = (int) { 48000, 24000, 16000, 12000, 8000 }; "
                    "audio/x-celt, version = (string) 0.5.1, channels = (int) 2, "
                    "rate = (int) 44100, frame-size = (int) 256; "
                    "audio/x-raw, format = (string) S16LE, layout = (string) interleaved, "
                    "channels = (int) 2, rate = (int) [ 8000, 192000 ]"));

static GstCaps *make_caps(SpiceAudioDataMode mode, guint rate)
{
    switch (mode) {
    case SPICE_AUDIO_DATA_MODE_OPUS:
        return gst_caps_new_simple("audio/x-opus", "channel-mapping-family", G_TYPE_INT, 0,
                                   "channels", G_TYPE_INT, 2, "rate", G_TYPE_INT, (gint)rate, NULL);
    case SPICE_AUDIO_DATA_MODE_CELT_0_5_1:
        return gst_caps_new_simple("audio/x-celt", "version", G_TYPE_STRING, "0.5.1", "channels",
                                   G_TYPE_INT, 2, "rate", G_TYPE_INT, (gint)rate, "frame-size",
                                   G_TYPE_INT, 256, NULL);
    default:
        return gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout",
                                   G_TYPE_STRING, "interleaved", "channels", G_TYPE_INT, 2, "rate",
                                   G_TYPE_INT, (gint)rate, NULL);
    }
}

/* The channel: the I/O thread */

/** Takes the packet over. */
static void enqueue(GstSpicePlaybackSrc *self, GstBuffer *packet)
{
    GstSample *sample = gst_sample_new(packet, self->caps, NULL, NULL);

    gst_buffer_unref(packet);
    g_mutex_lock(&self->lock);
    g_queue_push_tail(&self->queue, sample);
    self->silent_from = g_get_monotonic_time() + STARVED_US;
    self->told = FALSE;
    if (self->queue.length > MAX_WAITING) {
        gst_sample_unref(g_queue_pop_head(&self->queue));
        self->lost = TRUE;
    }
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static void end(GstSpicePlaybackSrc *self, const GError *error)
{
    g_mutex_lock(&self->lock);
    if (!self->error)
        self->error = g_error_copy(error);
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static void refuse(GstSpicePlaybackSrc *self, const char *what)
{
    g_autoptr(GError) error =
        g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, "playback: %s", what);

    self->refused = TRUE;
    end(self, error);
}

/** What is played from now on, or, as far as is known, would be; it counts as silent from then on unless packets come. */
static void set_form(GstSpicePlaybackSrc *self, GstCaps *caps, gint64 silent_from)
{
    g_mutex_lock(&self->lock);
    gst_caps_replace(&self->form, caps);
    self->told = FALSE;
    self->silent_from = silent_from;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static void take_start(GstSpicePlaybackSrc *self, const SpiceMsgPlaybackStart *start)
{
    if (start->channels != GST_SPICE_SOUND_CHANNELS || start->format != SPICE_AUDIO_FMT_S16 ||
        !gst_spice_sound_mode_takes(self->mode, start->frequency)) {
        refuse(self, "START of a form that there is not");
        return;
    }
    GST_DEBUG_OBJECT(self, "mode %d at %u Hz", self->mode, start->frequency);
    self->rate = start->frequency;
    self->discont = TRUE;
    gst_clear_caps(&self->caps);
    self->caps = make_caps(self->mode, self->rate);
    set_form(self, self->caps, g_get_monotonic_time() + STARVED_US);
}

static void take_stop(GstSpicePlaybackSrc *self)
{
    self->rate = 0;
    if (self->caps)
        set_form(self, self->caps, g_get_monotonic_time());
}

/** `bytes` is what the packet lies in. */
static void take_data(GstSpicePlaybackSrc *self, const SpiceMsgAudioData *data, GBytes *bytes)
{
    const guint8 *begin = g_bytes_get_data(bytes, NULL);
    GBytes *packet;
    GstBuffer *buffer;
    gint64 length_us, stream_us;
    gsize n;

    if (self->rate == 0)
        return;
    n = gst_spice_sound_packet_samples(self->mode, self->rate, data->data.data, data->data.size);
    if (n == 0) {
        GST_WARNING_OBJECT(self, "%zu bytes that are no packet", data->data.size);
        return;
    }
    length_us = (gint64)(n * G_USEC_PER_SEC / self->rate);
    stream_us = gst_spice_media_clock_take(gst_spice_session_get_media_clock(self->session),
                                           SPICE_MEDIA_AUDIO, data->time, length_us,
                                           g_get_monotonic_time(), NULL);
    packet = g_bytes_new_from_bytes(bytes, (gsize)(data->data.data - begin), data->data.size);
    buffer = gst_buffer_new_wrapped_bytes(packet);
    g_bytes_unref(packet);
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(n, GST_SECOND, self->rate);
    if (stream_us >= 0)
        gst_spice_buffer_set_media_time(buffer, stream_us);
    if (self->discont)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    self->discont = FALSE;
    enqueue(self, buffer);
}

static void take_mode(GstSpicePlaybackSrc *self, const SpiceMsgAudioMode *mode)
{
    if (mode->mode != SPICE_AUDIO_DATA_MODE_RAW && mode->mode != SPICE_AUDIO_DATA_MODE_OPUS &&
        mode->mode != SPICE_AUDIO_DATA_MODE_CELT_0_5_1) {
        refuse(self, "a MODE that there is not");
        return;
    }
    self->mode = (SpiceAudioDataMode)mode->mode;
    if (!self->caps) {
        g_autoptr(GstCaps) likely = make_caps(
            self->mode,
            self->mode == SPICE_AUDIO_DATA_MODE_CELT_0_5_1 ? 44100 : GST_SPICE_SOUND_RATE);

        set_form(self, likely, g_get_monotonic_time() + FIRST_GAP_US);
    }
}

static void take(GstSpicePlaybackSrc *self, guint16 type, gpointer message, GBytes *bytes)
{
    switch (type) {
    case SPICE_MSG_PLAYBACK_MODE:
        take_mode(self, message);
        break;
    case SPICE_MSG_PLAYBACK_START:
        take_start(self, message);
        break;
    case SPICE_MSG_PLAYBACK_STOP:
        take_stop(self);
        break;
    case SPICE_MSG_PLAYBACK_DATA:
        take_data(self, message, bytes);
        break;
    case SPICE_MSG_PLAYBACK_VOLUME:
        gst_spice_session_take_volume(self->session, SPICE_CHANNEL_PLAYBACK, message);
        break;
    case SPICE_MSG_PLAYBACK_MUTE:
        gst_spice_session_take_mute(self->session, SPICE_CHANNEL_PLAYBACK, message);
        break;
    default:
        break;
    }
}

static void on_opened(GstSpiceAttachment *attachment, gpointer user_data)
{
    GST_DEBUG_OBJECT(user_data, "the channel is linked");
}

static void on_message(GstSpiceAttachment *attachment, GBytes *bytes, guint64 serial,
                       gpointer user_data)
{
    GstSpicePlaybackSrc *self = user_data;
    SpiceDataHeader header;
    const SpiceMessageDef *def;
    SpiceError error = {0};
    gpointer message;
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    spice_mini_data_header_decode(&header, data);
    def = spice_message_find(SPICE_CHANNEL_PLAYBACK, SPICE_FROM_SERVER, header.type);
    if (!def || self->refused)
        return;
    spice_arena_reset(&self->arena);
    message = spice_message_read(def, data + SPICE_MINI_HEADER_SIZE, size - SPICE_MINI_HEADER_SIZE,
                                 &self->arena, &error);
    if (message)
        take(self, header.type, message, bytes);
    else
        refuse(self, error.field);
}

static void on_closed(GstSpiceAttachment *attachment, const GError *error, gpointer user_data)
{
    GstSpicePlaybackSrc *self = user_data;

    take_stop(self);
    gst_spice_media_clock_set_audio(gst_spice_session_get_media_clock(self->session), FALSE, 0, 0);
    gst_spice_session_set_volume(self->session, SPICE_CHANNEL_PLAYBACK, NULL);
    end(self, error);
}

static const GstSpiceAttachmentHandler attachment_handler = {
    .opened = on_opened,
    .message = on_message,
    .closed = on_closed,
};

/* Streaming */

/** A desktop that has lost its sound is a desktop still: this stream ends, alone. */
static GstFlowReturn report_end(GstSpicePlaybackSrc *self, const GError *error)
{
    if (g_error_matches(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL))
        GST_ELEMENT_WARNING(self, RESOURCE, READ, ("The server's sound cannot be understood."),
                            ("%s", error->message));
    GST_INFO_OBJECT(self, "the channel ended: %s", error->message);
    return GST_FLOW_EOS;
}

/** Under lock: an empty buffer, of which on_push() makes an event. The base class holds a lock while it
 * has us make buffers, under which nothing must be pushed. */
static GstSample *make_gap(GstSpicePlaybackSrc *self, GstClockTime length)
{
    GstClock *clock = gst_element_get_clock(GST_ELEMENT(self));
    GstBuffer *buffer = gst_buffer_new();
    GstSample *sample;

    GST_BUFFER_PTS(buffer) = 0;
    if (clock)
        GST_BUFFER_PTS(buffer) =
            gst_clock_get_time(clock) - gst_element_get_base_time(GST_ELEMENT(self));
    GST_BUFFER_DURATION(buffer) = length;
    sample = gst_sample_new(buffer, self->form, NULL, NULL);
    gst_buffer_unref(buffer);
    g_clear_pointer(&clock, gst_object_unref);
    return sample;
}

static GstPadProbeReturn on_push(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

    if (gst_buffer_get_size(buffer) > 0)
        return GST_PAD_PROBE_OK;
    GST_SPICE_PLAYBACK_SRC(data)->unheard = !gst_pad_push_event(
        pad, gst_event_new_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer)));
    return GST_PAD_PROBE_DROP;
}

/** Under lock: waits for a packet, or the end. FALSE: the guest is silent, of which *gap is to be told. */
static gboolean wait_for_packet(GstSpicePlaybackSrc *self, gboolean silence, GstClockTime *gap)
{
    while (!self->flushing && !self->error && g_queue_is_empty(&self->queue)) {
        const gint64 now = g_get_monotonic_time();

        if (!self->form || (self->told && !silence)) {
            g_cond_wait(&self->cond, &self->lock);
        } else if (now < self->silent_from) {
            g_cond_wait_until(&self->cond, &self->lock, self->silent_from);
        } else {
            *gap = self->told ? GST_SPICE_PLAYBACK_GAP : 0;
            self->told = TRUE;
            /* What was missed, as while the pipeline was paused, is not made up for. */
            self->silent_from =
                self->unheard ? now + UNHEARD_US : MAX(self->silent_from + GAP_US, now - GAP_US);
            return FALSE;
        }
    }
    return TRUE;
}

/** The next packet, or silence, which is no packet but the form of one; NULL and *flow: there will be
 * none. */
static GstSample *next(GstSpicePlaybackSrc *self, gboolean *lost, GstFlowReturn *flow)
{
    GstSample *sample = NULL;
    GError *error = NULL;
    gboolean silence;
    GstClockTime gap;

    GST_OBJECT_LOCK(self);
    silence = self->silence;
    GST_OBJECT_UNLOCK(self);
    g_mutex_lock(&self->lock);
    if (!wait_for_packet(self, silence, &gap))
        sample = make_gap(self, gap);
    else if (self->flushing)
        *flow = GST_FLOW_FLUSHING;
    else if (!g_queue_is_empty(&self->queue))
        sample = g_queue_pop_head(&self->queue);
    else
        error = g_error_copy(self->error);
    *lost = self->lost;
    self->lost = FALSE;
    g_mutex_unlock(&self->lock);
    if (error)
        *flow = report_end(self, error);
    g_clear_error(&error);
    return sample;
}

static GstFlowReturn gst_spice_playback_src_create(GstPushSrc *src, GstBuffer **buffer)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(src);
    GstFlowReturn flow = GST_FLOW_OK;
    gboolean lost;
    GstSample *sample = next(self, &lost, &flow);

    if (!sample)
        return flow;
    if (gst_base_src_set_caps(GST_BASE_SRC(src), gst_sample_get_caps(sample))) {
        *buffer = gst_buffer_copy(gst_sample_get_buffer(sample));
        if (lost)
            GST_BUFFER_FLAG_SET(*buffer, GST_BUFFER_FLAG_DISCONT);
    } else {
        flow = GST_FLOW_NOT_NEGOTIATED;
    }
    gst_sample_unref(sample);
    return flow;
}

/** Caps come with what is played. */
static gboolean gst_spice_playback_src_negotiate(GstBaseSrc *src)
{
    return TRUE;
}

static gboolean gst_spice_playback_src_unlock(GstBaseSrc *src)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(src);

    g_mutex_lock(&self->lock);
    self->flushing = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static gboolean gst_spice_playback_src_unlock_stop(GstBaseSrc *src)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(src);

    g_mutex_lock(&self->lock);
    self->flushing = FALSE;
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static gboolean gst_spice_playback_src_start(GstBaseSrc *src)
{
    /* Not LATENCY: how long sound has to wait is measured here, not asked for. */
    static const guint32 caps = 1u << SPICE_PLAYBACK_CAP_CELT_0_5_1 |
                                1u << SPICE_PLAYBACK_CAP_VOLUME | 1u << SPICE_PLAYBACK_CAP_OPUS;
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(src);

    if (!self->session) {
        GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS, ("There is no session to hear."), (NULL));
        return FALSE;
    }
    self->mode = SPICE_AUDIO_DATA_MODE_RAW;
    self->rate = 0;
    self->refused = FALSE;
    self->attachment = gst_spice_session_attach(self->session, SPICE_CHANNEL_PLAYBACK, 0, &caps, 1,
                                                &attachment_handler, self);
    return TRUE;
}

static void clear_queue(GstSpicePlaybackSrc *self)
{
    g_queue_clear_full(&self->queue, (GDestroyNotify)gst_sample_unref);
}

static gboolean gst_spice_playback_src_stop(GstBaseSrc *src)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(src);

    /* Not under our lock: the I/O thread takes the two in the other order. */
    if (self->attachment)
        gst_spice_attachment_detach(g_steal_pointer(&self->attachment));
    gst_spice_media_clock_set_audio(gst_spice_session_get_media_clock(self->session), FALSE, 0, 0);
    gst_clear_caps(&self->caps);
    g_mutex_lock(&self->lock);
    clear_queue(self);
    gst_clear_caps(&self->form);
    g_clear_error(&self->error);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

/* Object */

static void gst_spice_playback_src_set_property(GObject *object, guint id, const GValue *value,
                                                GParamSpec *pspec)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_SESSION)
        g_set_object(&self->session, g_value_get_object(value));
    else if (id == PROP_SILENCE)
        self->silence = g_value_get_boolean(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_playback_src_get_property(GObject *object, guint id, GValue *value,
                                                GParamSpec *pspec)
{
    if (id == PROP_SESSION)
        g_value_set_object(value, GST_SPICE_PLAYBACK_SRC(object)->session);
    else if (id == PROP_SILENCE)
        g_value_set_boolean(value, GST_SPICE_PLAYBACK_SRC(object)->silence);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_playback_src_finalize(GObject *object)
{
    GstSpicePlaybackSrc *self = GST_SPICE_PLAYBACK_SRC(object);

    clear_queue(self);
    gst_clear_caps(&self->caps);
    gst_clear_caps(&self->form);
    g_clear_object(&self->session);
    g_clear_error(&self->error);
    spice_arena_clear(&self->arena);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    G_OBJECT_CLASS(gst_spice_playback_src_parent_class)->finalize(object);
}

static void gst_spice_playback_src_init(GstSpicePlaybackSrc *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    g_queue_init(&self->queue);
    spice_arena_init(&self->arena, &spice_allocator_libc, 1 << 16);
    gst_pad_add_probe(GST_BASE_SRC_PAD(self), GST_PAD_PROBE_TYPE_BUFFER, on_push, self, NULL);
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void gst_spice_playback_src_class_init(GstSpicePlaybackSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spiceplaybacksrc_debug, "spiceplaybacksrc", 0, "SPICE sound source");

    object_class->set_property = gst_spice_playback_src_set_property;
    object_class->get_property = gst_spice_playback_src_get_property;
    object_class->finalize = gst_spice_playback_src_finalize;
    base_class->negotiate = gst_spice_playback_src_negotiate;
    base_class->start = gst_spice_playback_src_start;
    base_class->stop = gst_spice_playback_src_stop;
    base_class->unlock = gst_spice_playback_src_unlock;
    base_class->unlock_stop = gst_spice_playback_src_unlock_stop;
    GST_PUSH_SRC_CLASS(klass)->create = gst_spice_playback_src_create;
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object("session", "Session", "Session to hear", GST_SPICE_TYPE_SESSION,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_SILENCE,
        g_param_spec_boolean(
            "silence", "Silence", "Send GAP events, as time passes, while the guest plays nothing",
            FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE playback source", "Source/Network/Audio",
        "Receives the sound of a SPICE session", "The gst-spice developers");
}
