/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceplaybacksink
 * @title: spiceplaybacksink
 * @short_description: plays sound to the clients of a SPICE server
 *
 * What is rendered here all clients of the server of the `server` property hear. Nobody is waited for:
 * a client that is slow loses some of it. Clients are told that sound begins with the first buffer, and that
 * it has ended with the last, or when the pipeline is paused.
 *
 * spicesink has this element behind its pad `audio`.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! videoconvert ! spicesink name=desktop address=127.0.0.1 port=0 audiotestsrc num-buffers=100 ! desktop.audio
 * ]|
 */
#include "spiceplaybacksink.h"

#include <gst/audio/audio.h>

#include "session/server-sound.h"

GST_DEBUG_CATEGORY_STATIC(spiceplaybacksink_debug);
#define GST_CAT_DEFAULT spiceplaybacksink_debug

enum {
    PROP_0,
    PROP_SERVER,
};

struct _GstSpicePlaybackSink {
    GstBaseSink parent_instance;
    GstSpiceServer *server; /* does not change while it runs */
    gint plays;             /* atomic: clients have been told that it does */
};

G_DEFINE_FINAL_TYPE(GstSpicePlaybackSink, gst_spice_playback_sink, GST_TYPE_BASE_SINK)

/* The rate that goes by Opus, for all clients of today. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(
        S16) ", layout = (string) interleaved, rate = (int) 48000, channels = (int) 2"));

static void set_plays(GstSpicePlaybackSink *self, gboolean plays)
{
    if (self->server && g_atomic_int_compare_and_exchange(&self->plays, !plays, plays))
        gst_spice_server_set_playing(self->server, plays);
}

static gboolean gst_spice_playback_sink_start(GstBaseSink *base)
{
    GstSpicePlaybackSink *self = GST_SPICE_PLAYBACK_SINK(base);

    if (!self->server) {
        GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS, ("There is no server to play to."), (NULL));
        return FALSE;
    }
    gst_spice_server_set_playback_rate(self->server, GST_SPICE_SOUND_RATE);
    gst_spice_server_offer_playback(self->server, TRUE);
    return TRUE;
}

static gboolean gst_spice_playback_sink_stop(GstBaseSink *base)
{
    GstSpicePlaybackSink *self = GST_SPICE_PLAYBACK_SINK(base);

    set_plays(self, FALSE);
    gst_spice_server_offer_playback(self->server, FALSE);
    return TRUE;
}

static GstFlowReturn gst_spice_playback_sink_render(GstBaseSink *base, GstBuffer *buffer)
{
    GstSpicePlaybackSink *self = GST_SPICE_PLAYBACK_SINK(base);
    GstMapInfo map;
    gsize n;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return GST_FLOW_OK;
    n = map.size / GST_SPICE_SOUND_SAMPLE_SIZE;
    set_plays(self, TRUE);
    /* Its beginning is due now. */
    gst_spice_server_play(self->server, (const gint16 *)(gconstpointer)map.data, n,
                          g_get_monotonic_time() +
                              (gint64)(n * G_USEC_PER_SEC / GST_SPICE_SOUND_RATE));
    gst_buffer_unmap(buffer, &map);
    return GST_FLOW_OK;
}

static gboolean gst_spice_playback_sink_event(GstBaseSink *base, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        set_plays(GST_SPICE_PLAYBACK_SINK(base), FALSE);
    return GST_BASE_SINK_CLASS(gst_spice_playback_sink_parent_class)->event(base, event);
}

static GstStateChangeReturn gst_spice_playback_sink_change_state(GstElement *element,
                                                                 GstStateChange transition)
{
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_spice_playback_sink_parent_class)->change_state(element, transition);

    if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
        set_plays(GST_SPICE_PLAYBACK_SINK(element), FALSE);
    return result;
}

static void gst_spice_playback_sink_set_property(GObject *object, guint id, const GValue *value,
                                                 GParamSpec *pspec)
{
    if (id == PROP_SERVER)
        g_set_object(&GST_SPICE_PLAYBACK_SINK(object)->server, g_value_get_object(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_playback_sink_get_property(GObject *object, guint id, GValue *value,
                                                 GParamSpec *pspec)
{
    if (id == PROP_SERVER)
        g_value_set_object(value, GST_SPICE_PLAYBACK_SINK(object)->server);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_playback_sink_finalize(GObject *object)
{
    g_clear_object(&GST_SPICE_PLAYBACK_SINK(object)->server);
    G_OBJECT_CLASS(gst_spice_playback_sink_parent_class)->finalize(object);
}

static void gst_spice_playback_sink_init(GstSpicePlaybackSink *self)
{
}

static void gst_spice_playback_sink_class_init(GstSpicePlaybackSinkClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spiceplaybacksink_debug, "spiceplaybacksink", 0, "SPICE sound sink");

    object_class->set_property = gst_spice_playback_sink_set_property;
    object_class->get_property = gst_spice_playback_sink_get_property;
    object_class->finalize = gst_spice_playback_sink_finalize;
    element_class->change_state = gst_spice_playback_sink_change_state;
    base_class->start = gst_spice_playback_sink_start;
    base_class->stop = gst_spice_playback_sink_stop;
    base_class->render = gst_spice_playback_sink_render;
    base_class->event = gst_spice_playback_sink_event;
    g_object_class_install_property(
        object_class, PROP_SERVER,
        g_param_spec_object("server", "Server", "Server whose clients hear it",
                            GST_SPICE_TYPE_SERVER,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE playback sink", "Sink/Network/Audio",
        "Plays sound to the clients of a SPICE server", "The gst-spice developers");
}
