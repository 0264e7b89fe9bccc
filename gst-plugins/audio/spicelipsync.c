/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicelipsync
 * @title: spicelipsync
 * @short_description: gives a session's sound the time at which it is to be heard
 *
 * Takes raw sound that bears the session's media time, as spicesounddec makes it of what
 * spiceplaybacksrc receives, and sets timestamps by which sound and pictures of a session are together.
 * Pictures ask the same clock of the session (session/media-clock.h).
 *
 * Timestamps go on without a gap: where server and clock drift apart, or the delay has to change, sound
 * is made longer or shorter by resampling, by 0.5 % at most, which is not heard (2 % if it is 20 ms too early,
 * or 80 ms too late), and pictures follow it. Only where sound
 * begins anew, or is off by more than 200 ms, it is set anew. Packets that come when they should have been heard
 * already, so that sinks would drop them, are played all the same, after a pause, and all that follows waits as long,
 * if by now that is known to be needed.
 *
 * A GAP event says that nothing is played: pictures no longer wait for sound. What it lasts becomes
 * silence, in buffers with %GST_BUFFER_FLAG_GAP, which goes on to where sound begins again. (Not an event:
 * matroskamux and other muxers wait until there is a buffer on each of their pads.)
 *
 * What plays it may say that it is heard later than by its timestamp (sound-lateness.h): that counts as latency, too.
 *
 * The element adds 40 ms of latency, which is how much before its time sound may come to lie.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink desktop.audio ! spiceaudiosink
 * ]|
 */
#include "spicelipsync.h"

#include <gst/audio/audio.h>
#include <math.h>

#include "core/audio/sample-time.h"
#include "media-time-meta.h"
#include "session/media-clock.h"
#include "session/sound-codec.h"
#include "sound-lateness.h"

GST_DEBUG_CATEGORY_STATIC(spicelipsync_debug);
#define GST_CAT_DEFAULT spicelipsync_debug

enum {
    PROP_0,
    PROP_SESSION,
    PROP_STATS,
};

/* Own share of the latency. */
#define HEADROOM    (40 * GST_MSECOND)
#define MAX_BUFFERS GST_SECOND
/* Beyond that, sound is set anew. */
#define MAX_SKEW (200 * GST_MSECOND)
/* Sound that comes so much after it should have been played has a pause before it. */
#define MAX_LATE (5 * GST_MSECOND)
/* Beyond that it is lost: one stall shall not make all that follows late. */
#define MAX_PAUSE (150 * GST_MSECOND)
/* What is missing beyond that is not filled with silence. */
#define MAX_SILENCE GST_SECOND

/* An error is taken away within some seconds, by so many millionths at most; if it is large, or sound is so
 * early that packets come too late for it, by so many. Pictures follow meanwhile. */
enum {
    CORRECTION_S = 3,
    MAX_REST_PPM = 5000,
    MAX_SLEW_PPM = 20000,
    REST_US = 80000,
    EARLY_US = 20000
};
/* Rates are told to the resampler in this part of a hertz: steps of some 10 ppm. It has a table of as many
 * places as a rate has parts, which costs more than the resampling if it is large. */
enum { RATE_SCALE = 2 };

struct _GstSpiceLipsync {
    GstElement parent_instance;
    GstPad *sink, *src;
    GstSpiceSession *session; /* under the object lock; does not change while it runs */
    GstClockTime latency;     /* under the object lock: of the pipeline; NONE: not known yet */
    /* under the object lock: of what plays it (sound-lateness.h), and by how much more it holds now */
    GstClockTimeDiff late, held, more;
    gboolean
        latency_changed; /* under the object lock: what was played with another one does not count */

    /* streaming thread; `stats` reads some of it, under the object lock */
    guint rate;
    GstAudioResampler *resampler;
    gint ppm; /* that it is set to */
    SpiceSampleTime time;
    GstClockTime next; /* where the next buffer goes on; NONE: anew */
    gboolean silent;   /* what came last was a GAP event that lasted */
    gboolean heard;    /* somebody is linked */
    gint64 skew_us;    /* last one */
    guint64 n_anew, n_buffers;
};

G_DEFINE_FINAL_TYPE(GstSpiceLipsync, gst_spice_lipsync, GST_TYPE_ELEMENT)

#define SOUND_CAPS                                                                                 \
    "audio/x-raw, format = (string) " GST_AUDIO_NE(                                                \
        S16) ", layout = (string) interleaved, rate = (int) [ 8000, 192000 ], channels = (int) 2"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(SOUND_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(SOUND_CAPS));

/* Resampling */

static void set_correction(GstSpiceLipsync *self, gint ppm)
{
    const gint scaled = (gint)self->rate * RATE_SCALE;

    if (ABS(ppm - self->ppm) < 20)
        return;
    self->ppm = ppm;
    gst_audio_resampler_update(self->resampler, scaled,
                               scaled + (gint)((gint64)scaled * ppm / 1000000), NULL);
}

static void begin(GstSpiceLipsync *self, guint rate)
{
    const gint scaled = (gint)rate * RATE_SCALE;

    g_clear_pointer(&self->resampler, gst_audio_resampler_free);
    self->rate = rate;
    self->ppm = 0;
    self->time = (SpiceSampleTime){0};
    if (!self->silent) /* else sound of another form goes on from silence */
        self->next = GST_CLOCK_TIME_NONE;
    self->resampler = gst_audio_resampler_new(
        GST_AUDIO_RESAMPLER_METHOD_KAISER, GST_AUDIO_RESAMPLER_FLAG_VARIABLE_RATE,
        GST_AUDIO_FORMAT_S16, GST_SPICE_SOUND_CHANNELS, scaled, scaled, NULL);
}

/** Sound of the same rate that lasts as much longer as is set. NULL: nothing comes out yet. */
static GstBuffer *stretch(GstSpiceLipsync *self, GstBuffer *sound)
{
    const gsize n_in = gst_buffer_get_size(sound) / GST_SPICE_SOUND_SAMPLE_SIZE;
    const gsize n_out = gst_audio_resampler_get_out_frames(self->resampler, n_in);
    GstBuffer *out;
    GstMapInfo from, to;
    gpointer in_samples, out_samples;

    if (!gst_buffer_map(sound, &from, GST_MAP_READ))
        return NULL;
    out = gst_buffer_new_allocate(NULL, n_out * GST_SPICE_SOUND_SAMPLE_SIZE, NULL);
    gst_buffer_map(out, &to, GST_MAP_WRITE);
    in_samples = from.data;
    out_samples = to.data;
    gst_audio_resampler_resample(self->resampler, &in_samples, n_in, &out_samples, n_out);
    gst_buffer_unmap(out, &to);
    gst_buffer_unmap(sound, &from);
    if (n_out == 0)
        g_clear_pointer(&out, gst_buffer_unref);
    return out;
}

/* Time */

/** The running time now, and the monotonic one. FALSE: there is no clock. */
static gboolean get_now(GstSpiceLipsync *self, GstClockTimeDiff *running, gint64 *monotonic_us)
{
    GstClock *clock = gst_element_get_clock(GST_ELEMENT(self));

    if (!clock)
        return FALSE;
    *running =
        GST_CLOCK_DIFF(gst_element_get_base_time(GST_ELEMENT(self)), gst_clock_get_time(clock));
    *monotonic_us = g_get_monotonic_time();
    gst_object_unref(clock);
    return TRUE;
}

/** What is known of what plays it. */
typedef struct {
    GstClockTimeDiff latency;    /* of the pipeline; 0: not known yet, as sinks have it */
    gboolean changed;            /* that has */
    GstClockTimeDiff late, held; /* sound-lateness.h */
    GstClockTimeDiff more;       /* by which it holds more than before */
} Device;

static Device take_device(GstSpiceLipsync *self)
{
    Device device = {0};

    GST_OBJECT_LOCK(self);
    if (GST_CLOCK_TIME_IS_VALID(self->latency))
        device.latency = (GstClockTimeDiff)self->latency;
    device.changed = self->latency_changed;
    device.late = self->late;
    device.held = self->held;
    device.more = self->more;
    self->latency_changed = FALSE;
    self->more = 0;
    GST_OBJECT_UNLOCK(self);
    return device;
}

/** The timestamp by which sound is heard when it is due. FALSE: nothing is known of its time. */
static gboolean get_wanted(GstSpiceLipsync *self, GstBuffer *sound, GstClockTimeDiff *wanted)
{
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self->session);
    const gsize n = gst_buffer_get_size(sound) / GST_SPICE_SOUND_SAMPLE_SIZE;
    const gint64 length_us = (gint64)(n * G_USEC_PER_SEC / self->rate);
    const Device device = take_device(self);
    GstClockTimeDiff running;
    gint64 stream_us, now_us, due_us;

    if (!gst_spice_buffer_get_media_time(sound, &stream_us) || !get_now(self, &running, &now_us))
        return FALSE;
    stream_us =
        spice_sample_time_take(&self->time, self->rate, n, stream_us + length_us, NULL) - length_us;
    if (device.changed) {
        self->next = GST_CLOCK_TIME_NONE;
        self->skew_us = 0;
        gst_spice_media_clock_set_audio(clock, FALSE, 0, 0);
    }
    gst_spice_media_clock_set_audio(clock, TRUE,
                                    (device.latency + device.held - (GstClockTimeDiff)HEADROOM) /
                                        (GstClockTimeDiff)GST_USECOND,
                                    self->skew_us);
    /* Sound stays where it is, and pictures wait longer. */
    if (device.more > 0)
        gst_spice_media_clock_extend_audio(clock, device.more / (GstClockTimeDiff)GST_USECOND);
    due_us = gst_spice_media_clock_get_due(clock, SPICE_MEDIA_AUDIO, stream_us, now_us);
    *wanted =
        running + (due_us - now_us) * (GstClockTimeDiff)GST_USECOND - device.latency - device.late;
    return TRUE;
}

/** How to correct what is off by `skew`: positive, it has to last longer. */
static gint correction_ppm(GstClockTimeDiff skew)
{
    const gint64 us = skew / (gint64)GST_USECOND;
    const gint most = us > EARLY_US || us < -REST_US ? MAX_SLEW_PPM : MAX_REST_PPM;

    return (gint)CLAMP(us / CORRECTION_S, -most, most);
}

static GstFlowReturn push(GstSpiceLipsync *self, GstBuffer *sound, gboolean anew)
{
    const gsize n = gst_buffer_get_size(sound) / GST_SPICE_SOUND_SAMPLE_SIZE;
    const GstClockTime length = gst_util_uint64_scale(n, GST_SECOND, self->rate);
    GstFlowReturn flow;

    GST_BUFFER_PTS(sound) = self->next;
    GST_BUFFER_DURATION(sound) = length;
    if (anew)
        GST_BUFFER_FLAG_SET(sound, GST_BUFFER_FLAG_DISCONT);
    self->next += length;
    flow = gst_pad_push(self->src, sound);
    self->heard = flow != GST_FLOW_NOT_LINKED;
    return self->heard ? flow : GST_FLOW_OK;
}

/* Silence */

/** From where sound is to go on up to `end`. */
static void push_silence(GstSpiceLipsync *self, GstClockTime end, gboolean anew)
{
    const GstClockTime length = end > self->next ? end - self->next : 0;
    const gsize n = gst_util_uint64_scale(length, self->rate, GST_SECOND);
    GstBuffer *silence;

    if (n == 0)
        return;
    silence = gst_buffer_new_allocate(NULL, n * GST_SPICE_SOUND_SAMPLE_SIZE, NULL);
    gst_buffer_memset(silence, 0, 0, n * GST_SPICE_SOUND_SAMPLE_SIZE);
    GST_BUFFER_FLAG_SET(silence, GST_BUFFER_FLAG_GAP);
    push(self, silence, anew);
}

/** Whether something is missing before `time` that silence can stand for. */
static gboolean can_fill(const GstSpiceLipsync *self, GstClockTime time)
{
    return GST_CLOCK_TIME_IS_VALID(self->next) &&
           (time <= self->next || time - self->next <= MAX_SILENCE);
}

/** Nothing has been played up to now: silence until then, less the headroom that sound has. */
static void on_gap(GstSpiceLipsync *self, GstClockTime length)
{
    GstClockTimeDiff end;
    gint64 now_us;
    gboolean anew;

    gst_spice_media_clock_set_audio(gst_spice_session_get_media_clock(self->session), FALSE, 0, 0);
    if (length == 0 || self->rate == 0 || !get_now(self, &end, &now_us))
        return;
    end += (GstClockTimeDiff)length - (GstClockTimeDiff)HEADROOM;
    if (end <= 0)
        return;
    anew = !can_fill(self, (GstClockTime)end);
    if (anew) /* a recording begins at 0 */
        self->next = (GstClockTime)end > MAX_SILENCE ? (GstClockTime)end - length : 0;
    self->silent = TRUE;
    push_silence(self, (GstClockTime)end, anew);
}

/* Sound */

/** Where sound begins anew. TRUE: it goes on from what was there before. */
static gboolean set_anew(GstSpiceLipsync *self, GstClockTime wanted)
{
    const gboolean fill = self->silent && can_fill(self, wanted);

    set_correction(self, 0);
    if (fill) {
        push_silence(self, wanted, FALSE);
        return TRUE;
    }
    /* What plays it places it anew, so that it is in time again. */
    GST_OBJECT_LOCK(self);
    self->next = (GstClockTime)MAX((GstClockTimeDiff)wanted + self->late, 0);
    self->late = 0;
    GST_OBJECT_UNLOCK(self);
    return FALSE;
}

/** Has sound wait longer if a packet comes after its time, by which sinks go if they have a latency.
 * *wanted: where it then lies. TRUE: there has to be a pause before it. */
static gboolean wait_longer(GstSpiceLipsync *self, GstClockTimeDiff *wanted)
{
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self->session);
    GstClockTimeDiff in_time, late;
    GstClockTime latency;
    gint64 now_us;

    GST_OBJECT_LOCK(self);
    latency = GST_CLOCK_TIME_IS_VALID(self->latency) ? self->latency : 0;
    late = self->late - self->held;
    GST_OBJECT_UNLOCK(self);
    if (latency == 0 || !get_now(self, &in_time, &now_us))
        return FALSE;
    in_time -= (GstClockTimeDiff)latency + late;
    late = in_time - (GstClockTimeDiff)self->next;
    if (late <= (GstClockTimeDiff)MAX_LATE || late > (GstClockTimeDiff)MAX_PAUSE)
        return FALSE;
    in_time += (GstClockTimeDiff)MAX_LATE;
    if (*wanted < in_time)
        *wanted += gst_spice_media_clock_extend_audio(clock, (in_time - *wanted) /
                                                                 (GstClockTimeDiff)GST_USECOND) *
                   (GstClockTimeDiff)GST_USECOND;
    GST_DEBUG_OBJECT(self, "late by %" GST_STIME_FORMAT ", a pause of %" GST_STIME_FORMAT,
                     GST_STIME_ARGS(late), GST_STIME_ARGS(*wanted - (GstClockTimeDiff)self->next));
    return *wanted > (GstClockTimeDiff)(self->next + MAX_LATE);
}

static GstFlowReturn on_sound(GstPad *pad, GstObject *parent, GstBuffer *sound)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(parent);
    GstClockTimeDiff wanted, skew = 0;
    GstBuffer *out;
    gboolean anew, goes_on = TRUE;

    if (self->rate == 0) {
        gst_buffer_unref(sound);
        return GST_FLOW_NOT_NEGOTIATED;
    }
    if (!get_wanted(self, sound, &wanted)) {
        gst_buffer_unref(sound);
        return GST_FLOW_OK;
    }
    anew = !GST_CLOCK_TIME_IS_VALID(self->next) || self->silent || GST_BUFFER_IS_DISCONT(sound);
    if (!anew) {
        skew = wanted - (GstClockTimeDiff)self->next;
        anew = ABS(skew) > (GstClockTimeDiff)MAX_SKEW;
    }
    if (!anew && wait_longer(self, &wanted))
        anew = self->silent = TRUE;
    if (anew && wanted < 0) { /* of before the pipeline's beginning */
        gst_buffer_unref(sound);
        return GST_FLOW_OK;
    }
    GST_OBJECT_LOCK(self);
    self->n_buffers++;
    self->n_anew += anew;
    self->skew_us = anew ? 0 : skew / (gint64)GST_USECOND;
    GST_OBJECT_UNLOCK(self);
    if (anew) {
        GST_DEBUG_OBJECT(self, "anew at %" GST_STIME_FORMAT ", by %" GST_STIME_FORMAT,
                         GST_STIME_ARGS(wanted), GST_STIME_ARGS(skew));
        goes_on = set_anew(self, (GstClockTime)wanted);
    } else {
        set_correction(self, correction_ppm(skew));
    }
    self->silent = FALSE;
    GST_LOG_OBJECT(self, "off by %" GST_STIME_FORMAT ", corrected by %d ppm", GST_STIME_ARGS(skew),
                   self->ppm);
    out = stretch(self, sound);
    gst_buffer_unref(sound);
    return out ? push(self, out, !goes_on) : GST_FLOW_OK;
}

/* Events and queries */

static void forget_time(GstSpiceLipsync *self)
{
    self->next = GST_CLOCK_TIME_NONE;
    self->silent = FALSE;
}

static gboolean on_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(parent);
    GstCaps *caps;
    GstClockTime length;
    gint rate = 0;

    if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) {
        gst_event_parse_gap(event, NULL, &length);
        on_gap(self, GST_CLOCK_TIME_IS_VALID(length) ? length : 0);
        gst_event_unref(event);
        return self->heard;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "rate", &rate);
        begin(self, (guint)MAX(rate, 1));
        return gst_pad_push_event(self->src, event) || !gst_pad_is_linked(self->src);
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
        forget_time(self);
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        gst_spice_media_clock_set_audio(gst_spice_session_get_media_clock(self->session), FALSE, 0,
                                        0);
    return gst_pad_event_default(pad, parent, event);
}

static gboolean on_src_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(parent);
    GstClockTimeDiff late, held;

    if (gst_spice_sound_lateness_event_parse(event, &late, &held)) {
        GST_OBJECT_LOCK(self);
        self->late = late;
        self->more += held - self->held;
        self->held = held;
        GST_OBJECT_UNLOCK(self);
        gst_event_unref(event);
        return TRUE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
        GstClockTime latency;

        gst_event_parse_latency(event, &latency);
        GST_OBJECT_LOCK(self);
        self->latency_changed |= latency != self->latency;
        self->latency = latency;
        GST_OBJECT_UNLOCK(self);
    }
    return gst_pad_event_default(pad, parent, event);
}

static gboolean on_src_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstClockTime least, most;
    gboolean live;

    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    if (!gst_pad_peer_query(GST_SPICE_LIPSYNC(parent)->sink, query))
        return FALSE;
    gst_query_parse_latency(query, &live, &least, &most);
    /* What waits for its time waits in the sinks and in what is before us. */
    gst_query_set_latency(query, TRUE, least + HEADROOM,
                          GST_CLOCK_TIME_IS_VALID(most) ? most + MAX_BUFFERS : most);
    return TRUE;
}

static GstStateChangeReturn gst_spice_lipsync_change_state(GstElement *element,
                                                           GstStateChange transition)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !self->session) {
        GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS, ("There is no session to keep time with."),
                          (NULL));
        return GST_STATE_CHANGE_FAILURE;
    }
    result = GST_ELEMENT_CLASS(gst_spice_lipsync_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        g_clear_pointer(&self->resampler, gst_audio_resampler_free);
        self->rate = 0;
        forget_time(self);
    }
    return result;
}

/* Object */

static GstStructure *make_stats(GstSpiceLipsync *self)
{
    GstStructure *stats;

    GST_OBJECT_LOCK(self);
    stats = gst_structure_new("application/x-spice-lipsync-stats", "buffers", G_TYPE_UINT64,
                              self->n_buffers, "anew", G_TYPE_UINT64, self->n_anew, "skew-us",
                              G_TYPE_INT64, self->skew_us, NULL);
    GST_OBJECT_UNLOCK(self);
    return stats;
}

static void gst_spice_lipsync_set_property(GObject *object, guint id, const GValue *value,
                                           GParamSpec *pspec)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(object);

    if (id != PROP_SESSION) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        return;
    }
    GST_OBJECT_LOCK(self);
    g_set_object(&self->session, g_value_get_object(value));
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_lipsync_get_property(GObject *object, guint id, GValue *value,
                                           GParamSpec *pspec)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(object);

    if (id == PROP_SESSION)
        g_value_set_object(value, self->session);
    else if (id == PROP_STATS)
        g_value_take_boxed(value, make_stats(self));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_lipsync_finalize(GObject *object)
{
    GstSpiceLipsync *self = GST_SPICE_LIPSYNC(object);

    g_clear_object(&self->session);
    g_clear_pointer(&self->resampler, gst_audio_resampler_free);
    G_OBJECT_CLASS(gst_spice_lipsync_parent_class)->finalize(object);
}

static void gst_spice_lipsync_init(GstSpiceLipsync *self)
{
    self->latency = self->next = GST_CLOCK_TIME_NONE;
    self->heard = TRUE; /* as far as is known */
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_event_function(self->sink, on_sink_event);
    gst_pad_set_chain_function(self->sink, on_sound);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_event_function(self->src, on_src_event);
    gst_pad_set_query_function(self->src, on_src_query);
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

static void gst_spice_lipsync_class_init(GstSpiceLipsyncClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicelipsync_debug, "spicelipsync", 0, "SPICE lip-sync");

    object_class->set_property = gst_spice_lipsync_set_property;
    object_class->get_property = gst_spice_lipsync_get_property;
    object_class->finalize = gst_spice_lipsync_finalize;
    element_class->change_state = gst_spice_lipsync_change_state;
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object("session", "Session", "Session whose sound it is",
                            GST_SPICE_TYPE_SESSION,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Buffers, how often time was set anew, and by how much the last buffer "
                           "was off",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE lip-sync", "Filter/Effect/Audio",
                                          "Gives sound the time at which it is to be heard",
                                          "The gst-spice developers");
}
