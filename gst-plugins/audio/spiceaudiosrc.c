/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceaudiosrc
 * @title: spiceaudiosrc
 * @short_description: this machine's microphone, and another when it is lost
 *
 * Records from what autoaudiosrc finds: PulseAudio, PipeWire by way of it, ALSA. If that fails, as a sound server
 * is started anew or a headset is unplugged, it is opened again, or another is, while the pipeline goes on; nothing
 * comes meanwhile. If there is no microphone at all, it is silent, and a warning says so.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink spiceaudiosrc ! desktop.record
 * ]|
 */
#include "spiceaudiosrc.h"

struct _GstSpiceAudioSrc {
    GstSpiceSoundDevice parent_instance;
};

G_DEFINE_FINAL_TYPE(GstSpiceAudioSrc, gst_spice_audio_src, GST_TYPE_SPICE_SOUND_DEVICE)

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("audio/x-raw"));

/** The end of a device that was lost is not the end of the stream. */
static GstPadProbeReturn on_event(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS &&
                   gst_spice_sound_device_is_lost(GST_SPICE_SOUND_DEVICE(data))
               ? GST_PAD_PROBE_DROP
               : GST_PAD_PROBE_OK;
}

/** An application ends the stream. */
static gboolean gst_spice_audio_src_send_event(GstElement *element, GstEvent *event)
{
    GstSpiceSoundDevice *device = GST_SPICE_SOUND_DEVICE(element);

    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && !gst_spice_sound_device_set_ended(device, TRUE))
        return gst_pad_push_event(gst_spice_sound_device_get_pad(device), event);
    return GST_ELEMENT_CLASS(gst_spice_audio_src_parent_class)->send_event(element, event);
}

static void gst_spice_audio_src_configure(GstSpiceSoundDevice *base, GstElement *device)
{
    GstPad *pad = gst_element_get_static_pad(device, "src");

    if (pad)
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, gst_object_ref(base),
                          gst_object_unref);
    g_clear_pointer(&pad, gst_object_unref);
}

static void gst_spice_audio_src_init(GstSpiceAudioSrc *self)
{
}

static void gst_spice_audio_src_class_init(GstSpiceAudioSrcClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceSoundDeviceClass *device_class = GST_SPICE_SOUND_DEVICE_CLASS(klass);

    element_class->send_event = gst_spice_audio_src_send_event;
    device_class->pad = "src";
    device_class->automatic = "autoaudiosrc";
    device_class->likely = "pulsesrc";
    device_class->between = "queue";
    device_class->configure = gst_spice_audio_src_configure;
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE audio source", "Source/Audio",
                                          "Records on this machine, whichever device there is",
                                          "The gst-spice developers");
}
