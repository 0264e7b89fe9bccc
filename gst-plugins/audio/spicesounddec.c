/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicesounddec
 * @title: spicesounddec
 * @short_description: decodes what spiceplaybacksrc hands on
 *
 * Makes raw sound of each form in which a SPICE server sends it, and goes from one to another when the
 * server does. A buffer keeps the times that it bears. A packet that is damaged is dropped.
 *
 * What it does, opusdec or spiceceltdec do as well, one form each: it is there so that a client's
 * pipeline stays as it is when the form changes, and needs no registry to find them in.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! spiceceltenc ! spicesounddec ! fakesink
 * ]|
 */
#include "spicesounddec.h"

#include <gst/audio/audio.h>
#include <string.h>

#include "session/sound-codec.h"

GST_DEBUG_CATEGORY_STATIC(spicesounddec_debug);
#define GST_CAT_DEFAULT spicesounddec_debug

struct _GstSpiceSoundDec {
    GstElement parent_instance;
    GstPad *sink, *src;

    /* streaming thread */
    GstSpiceSoundDecoder *decoder;
    SpiceAudioDataMode mode;
    guint rate;
    guint64 n_damaged;
};

G_DEFINE_FINAL_TYPE(GstSpiceSoundDec, gst_spice_sound_dec, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-opus, channel-mapping-family = (int) 0, channels = (int) 2, "
                    "rate = (int) { 48000, 24000, 16000, 12000, 8000 }; "
                    "audio/x-celt, version = (string) 0.5.1, channels = (int) 2, "
                    "rate = (int) 44100, frame-size = (int) 256; "
                    "audio/x-raw, format = (string) S16LE, layout = (string) interleaved, "
                    "channels = (int) 2, rate = (int) [ 8000, 192000 ]"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(
        S16) ", layout = (string) interleaved, rate = (int) [ 8000, 192000 ], "
             "channels = (int) 2"));

static SpiceAudioDataMode mode_of(const GstStructure *structure)
{
    if (gst_structure_has_name(structure, "audio/x-opus"))
        return SPICE_AUDIO_DATA_MODE_OPUS;
    if (gst_structure_has_name(structure, "audio/x-celt"))
        return SPICE_AUDIO_DATA_MODE_CELT_0_5_1;
    return SPICE_AUDIO_DATA_MODE_RAW;
}

static void restart(GstSpiceSoundDec *self)
{
    g_clear_pointer(&self->decoder, gst_spice_sound_decoder_free);
    self->decoder = gst_spice_sound_decoder_new(self->mode, self->rate);
}

static gboolean set_caps(GstSpiceSoundDec *self, GstCaps *caps)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    GstAudioInfo info;
    GstCaps *raw;
    gint rate = 0;
    gboolean ok;

    gst_structure_get_int(structure, "rate", &rate);
    self->mode = mode_of(structure);
    self->rate = (guint)MAX(rate, 0);
    restart(self);
    if (!self->decoder)
        return FALSE;
    gst_audio_info_init(&info);
    gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_S16, rate, GST_SPICE_SOUND_CHANNELS, NULL);
    raw = gst_audio_info_to_caps(&info);
    ok = gst_pad_push_event(self->src, gst_event_new_caps(raw));
    gst_caps_unref(raw);
    return ok || !gst_pad_is_linked(self->src);
}

static gboolean on_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceSoundDec *self = GST_SPICE_SOUND_DEC(parent);
    GstCaps *caps;
    gboolean ok;

    if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
        return gst_pad_event_default(pad, parent, event);
    gst_event_parse_caps(event, &caps);
    ok = set_caps(self, caps);
    gst_event_unref(event);
    return ok;
}

static GstBuffer *decode(GstSpiceSoundDec *self, GstBuffer *packet)
{
    const gint16 *samples;
    GstBuffer *sound = NULL;
    GstMapInfo map;
    gsize n;

    if (!gst_buffer_map(packet, &map, GST_MAP_READ))
        return NULL;
    samples = gst_spice_sound_decoder_take(self->decoder, map.data, map.size, &n);
    if (samples) {
        sound = gst_buffer_new_memdup(samples, n * GST_SPICE_SOUND_SAMPLE_SIZE);
        gst_buffer_copy_into(sound, packet,
                             GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                                 GST_BUFFER_COPY_META,
                             0, (gsize)-1);
        GST_BUFFER_DURATION(sound) = gst_util_uint64_scale(n, GST_SECOND, self->rate);
    }
    gst_buffer_unmap(packet, &map);
    return sound;
}

static GstFlowReturn on_packet(GstPad *pad, GstObject *parent, GstBuffer *packet)
{
    GstSpiceSoundDec *self = GST_SPICE_SOUND_DEC(parent);
    GstBuffer *sound;

    if (GST_BUFFER_IS_DISCONT(packet) && self->decoder) /* an encoder begins anew, too */
        restart(self);
    sound = self->decoder ? decode(self, packet) : NULL;
    gst_buffer_unref(packet);
    if (!self->decoder)
        return GST_FLOW_NOT_NEGOTIATED;
    if (!sound) {
        self->n_damaged++;
        GST_WARNING_OBJECT(self, "a damaged packet, %" G_GUINT64_FORMAT " so far", self->n_damaged);
        return GST_FLOW_OK;
    }
    return gst_pad_push(self->src, sound);
}

static void gst_spice_sound_dec_finalize(GObject *object)
{
    gst_spice_sound_decoder_free(GST_SPICE_SOUND_DEC(object)->decoder);
    G_OBJECT_CLASS(gst_spice_sound_dec_parent_class)->finalize(object);
}

static void gst_spice_sound_dec_init(GstSpiceSoundDec *self)
{
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_event_function(self->sink, on_sink_event);
    gst_pad_set_chain_function(self->sink, on_packet);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

static void gst_spice_sound_dec_class_init(GstSpiceSoundDecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicesounddec_debug, "spicesounddec", 0, "SPICE sound decoder");

    G_OBJECT_CLASS(klass)->finalize = gst_spice_sound_dec_finalize;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE sound decoder", "Codec/Decoder/Audio",
        "Decodes the sound of a SPICE session", "The gst-spice developers");
}
