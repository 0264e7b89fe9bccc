/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceaudiosink
 * @title: spiceaudiosink
 * @short_description: plays sound on this machine, and goes on when the device is another
 *
 * Plays on what autoaudiosink finds: PulseAudio, PipeWire by way of it, ALSA. If that fails, as a sound server
 * is started anew or a headset is unplugged, it is opened again, or another is, while the pipeline goes on; what
 * comes meanwhile is not heard. If there is no device at all, sound is dropped in its time, and a warning says so.
 *
 * It also finds out how much later than by its timestamps sound is really heard, which spicelipsync takes into
 * account: sound servers have buffers that the latency of a pipeline does not count, and devices drift against the
 * clock of a pipeline. Sinks by themselves let that grow to 20 ms, and then skip what is too much.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink desktop.audio ! spiceaudiosink
 * ]|
 */
#include "spiceaudiosink.h"

#include <gst/audio/audio.h>
#include <gst/audio/gstaudiobasesink.h>
#include <stdlib.h>

#include "sound-lateness.h"

GST_DEBUG_CATEGORY_STATIC(spiceaudiosink_debug);
#define GST_CAT_DEFAULT spiceaudiosink_debug

/* Looks at the device's clock, one a buffer, of which the middle one counts. */
enum { N_LOOKS = 25 };
/* Nothing counts before so much has been heard: clocks of devices begin by fits and starts. */
#define SETTLING (150 * GST_MSECOND)
/* If nobody upstream takes care of it, sound is skipped or left out beyond that. */
#define MOST_LATE (20 * GST_MSECOND)
/* A device that seems to be heard so much too early takes sound in haste when it begins, before its time, and what is
 * placed by its clock comes too late for it. Sinks take less for one piece with what was before. */
#define MOST_EARLY (40 * GST_MSECOND)
/* It moves so far at once only if the device is another, or holds more. */
#define LEAST_JUMP (15 * GST_MSECOND)
/* Less is not worth telling. */
#define LEAST_CHANGE (GST_MSECOND / 2)

struct _GstSpiceAudioSink {
    GstSpiceSoundDevice parent_instance;

    gint begins; /* atomic: what comes next has a pause before it */

    /* the streaming thread of the device, of which there is one at a time */
    GstAudioBaseSink *device; /* not a reference: to know another by */
    GstClockTimeDiff looks[N_LOOKS];
    guint n_looks;
    gboolean settled;            /* it is known how long it holds sound */
    GstClockTimeDiff late, held; /* as was told (sound-lateness.h) */
};

G_DEFINE_FINAL_TYPE(GstSpiceAudioSink, gst_spice_audio_sink, GST_TYPE_SPICE_SOUND_DEVICE)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("audio/x-raw"));

/* How late it is heard: the device's streaming thread */

static int compare(gconstpointer a, gconstpointer b)
{
    const GstClockTimeDiff x = *(const GstClockTimeDiff *)a, y = *(const GstClockTimeDiff *)b;

    return (x > y) - (x < y);
}

/** FALSE: nobody takes care of it. */
static gboolean tell(GstSpiceAudioSink *self, GstAudioBaseSink *device, GstClockTimeDiff late)
{
    GST_DEBUG_OBJECT(self, "late by %" GST_STIME_FORMAT ", of which %" GST_STIME_FORMAT " is held",
                     GST_STIME_ARGS(late), GST_STIME_ARGS(self->held));
    self->late = late;
    return gst_pad_push_event(GST_BASE_SINK_PAD(device),
                              gst_spice_sound_lateness_event_new(late, self->held));
}

static void begin_anew(GstSpiceAudioSink *self, GstAudioBaseSink *device)
{
    self->device = device;
    self->n_looks = 0;
    self->settled = FALSE;
    self->held = 0;
    tell(self, device, 0);
}

/** As often as there are enough looks: *late is what most of them saw. */
static gboolean look(GstSpiceAudioSink *self, GstClockTimeDiff *late)
{
    self->looks[self->n_looks++] = *late;
    if (self->n_looks < N_LOOKS)
        return FALSE;
    self->n_looks = 0;
    qsort(self->looks, N_LOOKS, sizeof *self->looks, compare);
    *late = self->looks[N_LOOKS / 2];
    return TRUE;
}

/** By the times that have passed since it began to play, of the pipeline's clock and of what is heard; *skew: by how
 * much the device shall place all that follows elsewhere, less than 0: earlier in its buffer. */
static void on_slaving(GstAudioBaseSink *device, GstClockTime outside, GstClockTime inside,
                       GstClockTimeDiff *skew, GstAudioBaseSinkDiscontReason reason, gpointer data)
{
    GstSpiceAudioSink *self = GST_SPICE_AUDIO_SINK(data);
    GstClockTimeDiff late = GST_CLOCK_DIFF(inside, outside), jump;

    if (device != self->device)
        begin_anew(self, device);
    if (!skew) { /* only says that something is not where it was */
        self->n_looks = 0;
        if (reason == GST_AUDIO_BASE_SINK_DISCONT_REASON_SYNC_LATENCY)
            begin_anew(self, device);
        return;
    }
    if (inside < SETTLING)
        return;
    if (g_atomic_int_compare_and_exchange(&self->begins, TRUE, FALSE) && self->settled) {
        /* What has drifted is forgotten; who sends the sound does so, too. */
        *skew = -late;
        self->n_looks = 0;
        tell(self, device, 0);
        return;
    }
    if (!look(self, &late))
        return;
    jump = self->settled ? late - self->late : late;
    if (ABS(jump) < (GstClockTimeDiff)LEAST_CHANGE && self->settled)
        return;
    if (!self->settled && late < -(GstClockTimeDiff)MOST_EARLY) {
        *skew = -late;
        self->settled = TRUE;
        return;
    }
    if (!self->settled || ABS(jump) > (GstClockTimeDiff)LEAST_JUMP)
        self->held = MAX(self->held + jump, 0);
    self->settled = TRUE;
    if (!tell(self, device, late) && ABS(late) > (GstClockTimeDiff)MOST_LATE) {
        *skew = -late;
        self->late = 0;
    }
}

static void gst_spice_audio_sink_configure(GstSpiceSoundDevice *base, GstElement *device)
{
    if (!GST_IS_AUDIO_BASE_SINK(device))
        return;
    gst_audio_base_sink_set_slave_method(GST_AUDIO_BASE_SINK(device),
                                         GST_AUDIO_BASE_SINK_SLAVE_CUSTOM);
    gst_audio_base_sink_set_custom_slaving_callback(GST_AUDIO_BASE_SINK(device), on_slaving,
                                                    gst_object_ref(base), gst_object_unref);
}

/* Data flow: upstream's streaming thread */

static GstFlowReturn on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceAudioSink *self = GST_SPICE_AUDIO_SINK(parent);
    GstFlowReturn flow;

    if (GST_BUFFER_IS_DISCONT(buffer))
        g_atomic_int_set(&self->begins, TRUE);
    flow = gst_proxy_pad_chain_default(pad, parent, buffer);
    if (GST_PAD_IS_FLUSHING(pad))
        return GST_FLOW_FLUSHING;
    /* A sound server without a device has no form in which it takes sound, which sinks count as no error of theirs. */
    if (flow <= GST_FLOW_NOT_NEGOTIATED)
        gst_spice_sound_device_lose(GST_SPICE_SOUND_DEVICE(self));
    return flow == GST_FLOW_EOS && !gst_spice_sound_device_is_lost(GST_SPICE_SOUND_DEVICE(self))
               ? GST_FLOW_EOS
               : GST_FLOW_OK;
}

/** A device that is not there takes all. */
static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceSoundDevice *self = GST_SPICE_SOUND_DEVICE(parent);
    const GstEventType type = GST_EVENT_TYPE(event);

    if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_STREAM_START)
        gst_spice_sound_device_set_ended(self, FALSE);
    if (type == GST_EVENT_EOS && !gst_spice_sound_device_set_ended(self, TRUE))
        gst_element_post_message(GST_ELEMENT(self), gst_message_new_eos(parent));
    gst_pad_event_default(pad, parent, event);
    return TRUE;
}

/* Object */

static void gst_spice_audio_sink_constructed(GObject *object)
{
    GstPad *pad;

    G_OBJECT_CLASS(gst_spice_audio_sink_parent_class)->constructed(object);
    pad = gst_spice_sound_device_get_pad(GST_SPICE_SOUND_DEVICE(object));
    gst_pad_set_chain_function(pad, on_buffer);
    gst_pad_set_event_function(pad, on_event);
}

static void gst_spice_audio_sink_init(GstSpiceAudioSink *self)
{
}

static void gst_spice_audio_sink_class_init(GstSpiceAudioSinkClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceSoundDeviceClass *device_class = GST_SPICE_SOUND_DEVICE_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spiceaudiosink_debug, "spiceaudiosink", 0, "SPICE audio sink");
    G_OBJECT_CLASS(klass)->constructed = gst_spice_audio_sink_constructed;
    device_class->pad = "sink";
    device_class->automatic = "autoaudiosink";
    device_class->likely = "pulsesink";
    device_class->between = "queue ! audioconvert ! audioresample";
    device_class->configure = gst_spice_audio_sink_configure;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(element_class, "SPICE audio sink", "Sink/Audio",
                                          "Plays on this machine, whichever device there is",
                                          "The gst-spice developers");
}
