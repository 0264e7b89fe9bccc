/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceceltdec
 * @title: spiceceltdec
 * @short_description: decompresses CELT 0.5.1 sound
 *
 * Takes one packet of CELT 0.5.1, as SPICE sends it, in each buffer. A gap in the stream is filled
 * by what was before it, which fades within 10 frames. A packet that contradicts itself gives a
 * frame of silence; the stream goes on.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 freq=660 ! audio/x-raw,channels=2 ! spiceceltenc ! spiceceltdec ! wavenc ! filesink location=tone.wav
 * ]|
 */
#include "spiceceltdec.h"

#include "core/audio/celt051.h"

GST_DEBUG_CATEGORY_STATIC(spice_celt_dec_debug);
#define GST_CAT_DEFAULT spice_celt_dec_debug

/* Of one gap, so that a false duration does not fill the memory. */
#define MAX_GAP (GST_SECOND / 2)

struct _GstSpiceCeltDec {
    GstAudioDecoder parent_instance;

    /* streaming thread */
    SpiceCelt051Mode *mode;
    SpiceCelt051Decoder *decoder;
    gint rate;
    gint frame_size; /* samples a channel */
    gsize frame_bytes;
};

G_DEFINE_FINAL_TYPE(GstSpiceCeltDec, gst_spice_celt_dec, GST_TYPE_AUDIO_DECODER)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-celt, version = (string) 0.5.1, rate = (int) [ 32000, 96000 ], "
                    "channels = (int) [ 1, 2 ], frame-size = (int) [ 64, 512 ]"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(
        S16) ", layout = (string) interleaved, rate = (int) [ 32000, 96000 ], "
             "channels = (int) [ 1, 2 ]"));

static void close_codec(GstSpiceCeltDec *self)
{
    g_clear_pointer(&self->decoder, spice_celt051_decoder_free);
    g_clear_pointer(&self->mode, spice_celt051_mode_free);
}

static gboolean gst_spice_celt_dec_start(GstAudioDecoder *decoder)
{
    /* The base class forgets it between two streams. */
    gst_audio_decoder_set_plc_aware(decoder, TRUE);
    return TRUE;
}

static gboolean gst_spice_celt_dec_stop(GstAudioDecoder *decoder)
{
    close_codec(GST_SPICE_CELT_DEC(decoder));
    return TRUE;
}

static gboolean gst_spice_celt_dec_set_format(GstAudioDecoder *decoder, GstCaps *caps)
{
    GstSpiceCeltDec *self = GST_SPICE_CELT_DEC(decoder);
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    SpiceError error = {0};
    GstAudioInfo info;
    gint channels;

    if (!gst_structure_get_int(structure, "rate", &self->rate) ||
        !gst_structure_get_int(structure, "channels", &channels) ||
        !gst_structure_get_int(structure, "frame-size", &self->frame_size))
        return FALSE;
    close_codec(self);
    self->mode = spice_celt051_mode_new(&spice_allocator_libc, (guint32)self->rate,
                                        (guint32)channels, (guint32)self->frame_size, &error);
    if (self->mode)
        self->decoder = spice_celt051_decoder_new(&spice_allocator_libc, self->mode);
    if (!self->decoder) {
        GST_ELEMENT_ERROR(
            self, STREAM, FORMAT,
            ("CELT cannot decode %d Hz in frames of %d samples.", self->rate, self->frame_size),
            ("%s: %s", error.field ? error.field : "decoder", spice_error_phrase(error.code)));
        return FALSE;
    }
    self->frame_bytes = (gsize)self->frame_size * (gsize)channels * sizeof(gint16);
    gst_audio_info_init(&info);
    gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_S16, self->rate, channels, NULL);
    return gst_audio_decoder_set_output_format(decoder, &info);
}

/* Frames in place of those that a gap of some duration has swallowed. */
static GstFlowReturn fill_gap(GstSpiceCeltDec *self, GstClockTime duration)
{
    GstAudioDecoder *decoder = GST_AUDIO_DECODER(self);
    GstClockTime frame = gst_util_uint64_scale_int(self->frame_size, GST_SECOND, self->rate);
    GstBuffer *output;
    GstMapInfo out;
    guint frames = 1;

    if (GST_CLOCK_TIME_IS_VALID(duration))
        frames = (guint)((MIN(duration, MAX_GAP) + frame / 2) / frame);
    frames = MAX(frames, 1);
    output = gst_audio_decoder_allocate_output_buffer(decoder, frames * self->frame_bytes);
    if (!output)
        return GST_FLOW_ERROR;
    gst_buffer_map(output, &out, GST_MAP_WRITE);
    for (guint i = 0; i < frames; i++)
        spice_celt051_conceal(self->decoder, (gint16 *)(out.data + i * self->frame_bytes));
    gst_buffer_unmap(output, &out);
    return gst_audio_decoder_finish_frame(decoder, output, 1);
}

static GstFlowReturn gst_spice_celt_dec_handle_frame(GstAudioDecoder *decoder, GstBuffer *buffer)
{
    GstSpiceCeltDec *self = GST_SPICE_CELT_DEC(decoder);
    GstFlowReturn flow = GST_FLOW_OK;
    SpiceError error = {0};
    GstBuffer *output;
    GstMapInfo in, out;
    gboolean ok;

    if (!buffer) /* the end: nothing is held back */
        return GST_FLOW_OK;
    if (gst_buffer_get_size(buffer) == 0)
        return fill_gap(self, GST_BUFFER_DURATION(buffer));
    if (!gst_buffer_map(buffer, &in, GST_MAP_READ)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Could not read a packet."), (NULL));
        return GST_FLOW_ERROR;
    }
    output = gst_audio_decoder_allocate_output_buffer(decoder, self->frame_bytes);
    if (!output) {
        gst_buffer_unmap(buffer, &in);
        return GST_FLOW_ERROR;
    }
    gst_buffer_map(output, &out, GST_MAP_WRITE);
    ok = spice_celt051_decode(self->decoder, in.data, in.size, (gint16 *)out.data, &error);
    gst_buffer_unmap(output, &out);
    gst_buffer_unmap(buffer, &in);
    if (!ok)
        GST_AUDIO_DECODER_ERROR(decoder, 1, STREAM, DECODE, ("Sound is damaged."),
                                ("%s: %s", error.field, spice_error_phrase(error.code)), flow);
    if (flow != GST_FLOW_OK) {
        gst_buffer_unref(output);
        return flow;
    }
    return gst_audio_decoder_finish_frame(decoder, output, 1);
}

static void gst_spice_celt_dec_flush(GstAudioDecoder *decoder, gboolean hard)
{
    GstSpiceCeltDec *self = GST_SPICE_CELT_DEC(decoder);

    if (hard && self->decoder)
        spice_celt051_decoder_reset(self->decoder);
}

static void gst_spice_celt_dec_init(GstSpiceCeltDec *self)
{
    GstAudioDecoder *decoder = GST_AUDIO_DECODER(self);

    gst_audio_decoder_set_needs_format(decoder, TRUE);
    gst_audio_decoder_set_plc(decoder, TRUE);
    gst_audio_decoder_set_use_default_pad_acceptcaps(decoder, TRUE);
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_AUDIO_DECODER_SINK_PAD(self));
}

static void gst_spice_celt_dec_class_init(GstSpiceCeltDecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstAudioDecoderClass *dec_class = GST_AUDIO_DECODER_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spice_celt_dec_debug, "spiceceltdec", 0, "CELT 0.5.1 decoder");

    dec_class->start = gst_spice_celt_dec_start;
    dec_class->stop = gst_spice_celt_dec_stop;
    dec_class->set_format = gst_spice_celt_dec_set_format;
    dec_class->handle_frame = gst_spice_celt_dec_handle_frame;
    dec_class->flush = gst_spice_celt_dec_flush;

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE CELT decoder",
                                          "Codec/Decoder/Audio", "Decompresses CELT 0.5.1 sound",
                                          "The gst-spice developers");
}
