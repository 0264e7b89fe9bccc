/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceceltenc
 * @title: spiceceltenc
 * @short_description: compresses sound as CELT 0.5.1
 *
 * CELT 0.5.1 is what SPICE peers without Opus understand. Each buffer that comes out is one packet
 * of a fixed size, without a header. SPICE wants the defaults: 256 samples of two channels in 47
 * bytes, whatever the rate.
 *
 * The last frame is filled up with silence. Decoded sound is half a frame (a short block's length)
 * later than its time stamps say.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! spiceceltenc ! spiceceltdec ! fakesink
 * ]|
 */
#include "spiceceltenc.h"

#include <string.h>

#include "core/audio/celt051.h"

GST_DEBUG_CATEGORY_STATIC(spice_celt_enc_debug);
#define GST_CAT_DEFAULT spice_celt_enc_debug

struct _GstSpiceCeltEnc {
    GstAudioEncoder parent_instance;

    /* properties; object lock */
    guint frame_size, packet_size;

    /* streaming thread */
    SpiceCelt051Mode *mode;
    SpiceCelt051Encoder *encoder;
    gsize packet_bytes;
    gint16 *frame; /* one that is not full */
    gsize frame_bytes;
};

G_DEFINE_FINAL_TYPE(GstSpiceCeltEnc, gst_spice_celt_enc, GST_TYPE_AUDIO_ENCODER)

enum {
    PROP_FRAME_SIZE = 1,
    PROP_PACKET_SIZE,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(
        S16) ", layout = (string) interleaved, rate = (int) [ 32000, 96000 ], "
             "channels = (int) [ 1, 2 ]"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-celt, version = (string) 0.5.1, rate = (int) [ 32000, 96000 ], "
                    "channels = (int) [ 1, 2 ], frame-size = (int) [ 64, 512 ]"));

static void close_codec(GstSpiceCeltEnc *self)
{
    g_clear_pointer(&self->encoder, spice_celt051_encoder_free);
    g_clear_pointer(&self->mode, spice_celt051_mode_free);
    g_clear_pointer(&self->frame, g_free);
}

static gboolean gst_spice_celt_enc_stop(GstAudioEncoder *encoder)
{
    close_codec(GST_SPICE_CELT_ENC(encoder));
    return TRUE;
}

static gboolean gst_spice_celt_enc_set_format(GstAudioEncoder *encoder, GstAudioInfo *info)
{
    GstSpiceCeltEnc *self = GST_SPICE_CELT_ENC(encoder);
    guint rate = (guint)GST_AUDIO_INFO_RATE(info), channels = (guint)GST_AUDIO_INFO_CHANNELS(info);
    GstClockTime duration;
    SpiceError error = {0};
    guint frame_size;
    GstCaps *caps;
    gboolean ok;

    close_codec(self);
    GST_OBJECT_LOCK(self);
    frame_size = self->frame_size;
    self->packet_bytes = self->packet_size;
    GST_OBJECT_UNLOCK(self);
    self->mode = spice_celt051_mode_new(&spice_allocator_libc, rate, channels, frame_size, &error);
    if (self->mode)
        self->encoder = spice_celt051_encoder_new(&spice_allocator_libc, self->mode);
    if (!self->encoder) {
        GST_ELEMENT_ERROR(
            self, STREAM, FORMAT,
            ("CELT cannot encode %u Hz in frames of %u samples.", rate, frame_size),
            ("%s: %s", error.field ? error.field : "encoder", spice_error_phrase(error.code)));
        return FALSE;
    }
    self->frame_bytes = (gsize)frame_size * channels * sizeof(gint16);
    self->frame = g_malloc(self->frame_bytes);

    gst_audio_encoder_set_frame_samples_min(encoder, (gint)frame_size);
    gst_audio_encoder_set_frame_samples_max(encoder, (gint)frame_size);
    gst_audio_encoder_set_frame_max(encoder, 1);
    duration = gst_util_uint64_scale_int(frame_size, GST_SECOND, (gint)rate);
    gst_audio_encoder_set_latency(encoder, duration, duration);

    caps = gst_caps_new_simple("audio/x-celt", "version", G_TYPE_STRING, "0.5.1", "rate",
                               G_TYPE_INT, (gint)rate, "channels", G_TYPE_INT, (gint)channels,
                               "frame-size", G_TYPE_INT, (gint)frame_size, NULL);
    ok = gst_audio_encoder_set_output_format(encoder, caps);
    gst_caps_unref(caps);
    return ok;
}

static GstFlowReturn gst_spice_celt_enc_handle_frame(GstAudioEncoder *encoder, GstBuffer *buffer)
{
    GstSpiceCeltEnc *self = GST_SPICE_CELT_ENC(encoder);
    const gint16 *samples;
    SpiceError error = {0};
    GstBuffer *packet;
    GstMapInfo in, out;
    gboolean ok;

    if (!buffer) /* all is out */
        return GST_FLOW_OK;
    if (!gst_buffer_map(buffer, &in, GST_MAP_READ)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Could not read sound."), (NULL));
        return GST_FLOW_ERROR;
    }
    samples = (const gint16 *)in.data;
    if (in.size < self->frame_bytes) {
        memset(self->frame, 0, self->frame_bytes);
        memcpy(self->frame, in.data, in.size);
        samples = self->frame;
    }
    packet = gst_audio_encoder_allocate_output_buffer(encoder, self->packet_bytes);
    gst_buffer_map(packet, &out, GST_MAP_WRITE);
    ok = spice_celt051_encode(self->encoder, samples, out.data, out.size, &error);
    gst_buffer_unmap(packet, &out);
    gst_buffer_unmap(buffer, &in);
    if (!ok) {
        gst_buffer_unref(packet);
        GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("Sound could not be encoded."),
                          ("%s: %s", error.field, spice_error_phrase(error.code)));
        return GST_FLOW_ERROR;
    }
    /* Of the input, what there was of it: -1 is all. */
    return gst_audio_encoder_finish_frame(encoder, packet, -1);
}

static void gst_spice_celt_enc_flush(GstAudioEncoder *encoder)
{
    GstSpiceCeltEnc *self = GST_SPICE_CELT_ENC(encoder);

    if (self->encoder)
        spice_celt051_encoder_reset(self->encoder);
}

static void gst_spice_celt_enc_set_property(GObject *object, guint id, const GValue *value,
                                            GParamSpec *pspec)
{
    GstSpiceCeltEnc *self = GST_SPICE_CELT_ENC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_FRAME_SIZE:
        self->frame_size = g_value_get_uint(value);
        break;
    case PROP_PACKET_SIZE:
        self->packet_size = g_value_get_uint(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_celt_enc_get_property(GObject *object, guint id, GValue *value,
                                            GParamSpec *pspec)
{
    GstSpiceCeltEnc *self = GST_SPICE_CELT_ENC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_FRAME_SIZE:
        g_value_set_uint(value, self->frame_size);
        break;
    case PROP_PACKET_SIZE:
        g_value_set_uint(value, self->packet_size);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_celt_enc_init(GstSpiceCeltEnc *self)
{
    self->frame_size = SPICE_CELT051_FRAME_SIZE;
    self->packet_size = SPICE_CELT051_PACKET_SIZE;
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_AUDIO_ENCODER_SINK_PAD(self));
}

static void gst_spice_celt_enc_class_init(GstSpiceCeltEncClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstAudioEncoderClass *enc_class = GST_AUDIO_ENCODER_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    GST_DEBUG_CATEGORY_INIT(spice_celt_enc_debug, "spiceceltenc", 0, "CELT 0.5.1 encoder");

    object_class->set_property = gst_spice_celt_enc_set_property;
    object_class->get_property = gst_spice_celt_enc_get_property;
    enc_class->stop = gst_spice_celt_enc_stop;
    enc_class->set_format = gst_spice_celt_enc_set_format;
    enc_class->handle_frame = gst_spice_celt_enc_handle_frame;
    enc_class->flush = gst_spice_celt_enc_flush;

    /**
     * GstSpiceCeltEnc:frame-size:
     *
     * Samples of each channel in a packet; even. SPICE peers expect 256.
     */
    g_object_class_install_property(
        object_class, PROP_FRAME_SIZE,
        g_param_spec_uint("frame-size", "Frame size", "Samples of each channel in a packet",
                          SPICE_CELT051_MIN_FRAME_SIZE, SPICE_CELT051_MAX_FRAME_SIZE,
                          SPICE_CELT051_FRAME_SIZE, flags));
    /**
     * GstSpiceCeltEnc:packet-size:
     *
     * Bytes of a packet. SPICE peers expect 47: 64 kbit/s at 44100 Hz.
     */
    g_object_class_install_property(
        object_class, PROP_PACKET_SIZE,
        g_param_spec_uint("packet-size", "Packet size", "Bytes of a packet",
                          SPICE_CELT051_MIN_ENCODED_SIZE, SPICE_CELT051_MAX_PACKET_SIZE,
                          SPICE_CELT051_PACKET_SIZE, flags));

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE CELT encoder",
                                          "Codec/Encoder/Audio", "Compresses sound as CELT 0.5.1",
                                          "The gst-spice developers");
}
