/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicerecordsink
 * @title: spicerecordsink
 * @short_description: the microphone of a SPICE session
 *
 * What is rendered here a guest hears, while its server asks for it; at other times it is dropped. The
 * session of the property `session` has to have its property `record` set.
 *
 * spicesrc has this element behind its pad `record`.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink audiotestsrc is-live=true ! desktop.record
 * ]|
 */
#include "spicerecordsink.h"

#include <gst/audio/audio.h>

#include "session/session-sound.h"

GST_DEBUG_CATEGORY_STATIC(spicerecordsink_debug);
#define GST_CAT_DEFAULT spicerecordsink_debug

enum {
    PROP_0,
    PROP_SESSION,
};

struct _GstSpiceRecordSink {
    GstBaseSink parent_instance;
    GstSpiceSession *session; /* under the object lock */

    /* streaming thread */
    guint rate;                   /* of what comes */
    GstAudioResampler *resampler; /* to `wanted`; NULL: it is the same, or nothing is wanted */
    guint wanted;
};

G_DEFINE_FINAL_TYPE(GstSpiceRecordSink, gst_spice_record_sink, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(
        S16) ", layout = (string) interleaved, rate = (int) [ 8000, 192000 ], "
             "channels = (int) 2"));

static GstSpiceSession *get_session(GstSpiceRecordSink *self)
{
    GstSpiceSession *session;

    GST_OBJECT_LOCK(self);
    session = self->session ? g_object_ref(self->session) : NULL;
    GST_OBJECT_UNLOCK(self);
    return session;
}

static gboolean gst_spice_record_sink_set_caps(GstBaseSink *base, GstCaps *caps)
{
    GstSpiceRecordSink *self = GST_SPICE_RECORD_SINK(base);
    GstAudioInfo info;

    if (!gst_audio_info_from_caps(&info, caps))
        return FALSE;
    self->rate = (guint)GST_AUDIO_INFO_RATE(&info);
    self->wanted = 0;
    return TRUE;
}

/** Sound goes out in this rate from now on. */
static void set_wanted(GstSpiceRecordSink *self, guint wanted)
{
    if (self->wanted == wanted)
        return;
    GST_DEBUG_OBJECT(self, "%u Hz are wanted", wanted);
    g_clear_pointer(&self->resampler, gst_audio_resampler_free);
    self->wanted = wanted;
    if (wanted && wanted != self->rate)
        self->resampler = gst_audio_resampler_new(
            GST_AUDIO_RESAMPLER_METHOD_KAISER, GST_AUDIO_RESAMPLER_FLAG_NONE, GST_AUDIO_FORMAT_S16,
            GST_SPICE_SOUND_CHANNELS, (gint)self->rate, (gint)wanted, NULL);
}

static void record(GstSpiceRecordSink *self, GstSpiceSession *session, const guint8 *data,
                   gsize size)
{
    const gsize n_in = size / GST_SPICE_SOUND_SAMPLE_SIZE;
    gpointer in = (gpointer)data;

    if (self->resampler) {
        const gsize n_out = gst_audio_resampler_get_out_frames(self->resampler, n_in);
        g_autofree gint16 *samples = g_new(gint16, n_out * GST_SPICE_SOUND_CHANNELS + 1);
        gpointer out = samples;

        gst_audio_resampler_resample(self->resampler, &in, n_in, &out, n_out);
        gst_spice_session_record(session, samples, n_out);
    } else {
        gst_spice_session_record(session, in, n_in);
    }
}

static GstFlowReturn gst_spice_record_sink_render(GstBaseSink *base, GstBuffer *buffer)
{
    GstSpiceRecordSink *self = GST_SPICE_RECORD_SINK(base);
    g_autoptr(GstSpiceSession) session = get_session(self);
    GstMapInfo map;

    set_wanted(self, session ? gst_spice_session_get_record_rate(session) : 0);
    if (!self->wanted || !gst_buffer_map(buffer, &map, GST_MAP_READ))
        return GST_FLOW_OK;
    record(self, session, map.data, map.size);
    gst_buffer_unmap(buffer, &map);
    return GST_FLOW_OK;
}

static gboolean gst_spice_record_sink_stop(GstBaseSink *base)
{
    set_wanted(GST_SPICE_RECORD_SINK(base), 0);
    return TRUE;
}

static void gst_spice_record_sink_set_property(GObject *object, guint id, const GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceRecordSink *self = GST_SPICE_RECORD_SINK(object);

    if (id != PROP_SESSION) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        return;
    }
    GST_OBJECT_LOCK(self);
    g_set_object(&self->session, g_value_get_object(value));
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_record_sink_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    if (id == PROP_SESSION)
        g_value_take_object(value, get_session(GST_SPICE_RECORD_SINK(object)));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_record_sink_finalize(GObject *object)
{
    GstSpiceRecordSink *self = GST_SPICE_RECORD_SINK(object);

    g_clear_object(&self->session);
    g_clear_pointer(&self->resampler, gst_audio_resampler_free);
    G_OBJECT_CLASS(gst_spice_record_sink_parent_class)->finalize(object);
}

static void gst_spice_record_sink_init(GstSpiceRecordSink *self)
{
    gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
}

static void gst_spice_record_sink_class_init(GstSpiceRecordSinkClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicerecordsink_debug, "spicerecordsink", 0, "SPICE microphone");

    object_class->set_property = gst_spice_record_sink_set_property;
    object_class->get_property = gst_spice_record_sink_get_property;
    object_class->finalize = gst_spice_record_sink_finalize;
    base_class->set_caps = gst_spice_record_sink_set_caps;
    base_class->render = gst_spice_record_sink_render;
    base_class->stop = gst_spice_record_sink_stop;
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object(
            "session", "Session", "Session that may have it", GST_SPICE_TYPE_SESSION,
            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(element_class, "SPICE record sink", "Sink/Network/Audio",
                                          "The microphone of a SPICE session",
                                          "The gst-spice developers");
}
