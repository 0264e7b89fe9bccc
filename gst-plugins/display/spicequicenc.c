/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicequicenc
 * @title: spicequicenc
 * @short_description: compresses frames as SPICE QUIC images
 *
 * Each frame becomes one image of SPICE's QUIC type, lossless, as it stands in a message. It suits
 * photo-like pictures.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! videoconvert ! spicequicenc ! spicequicdec ! videoconvert ! fakesink
 * ]|
 */
#include "spicequicenc.h"

#include "core/image/quic.h"
#include "session/cpu.h"

struct _GstSpiceQuicEnc {
    GstSpiceImageEnc parent_instance;
    SpiceQuicEncoder *encoder;
};

G_DEFINE_FINAL_TYPE(GstSpiceQuicEnc, gst_spice_quic_enc, GST_TYPE_SPICE_IMAGE_ENC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, BGR, RGB15, GRAY8 }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-quic"));

static guint8 quic_type(GstVideoFormat format)
{
    switch (format) {
    case GST_VIDEO_FORMAT_BGRx:
        return SPICE_QUIC_RGB32;
    case GST_VIDEO_FORMAT_BGRA:
        return SPICE_QUIC_RGBA;
    case GST_VIDEO_FORMAT_BGR:
        return SPICE_QUIC_RGB24;
    case GST_VIDEO_FORMAT_RGB15:
        return SPICE_QUIC_RGB16;
    default:
        return SPICE_QUIC_GRAY;
    }
}

static gboolean gst_spice_quic_enc_open(GstSpiceImageEnc *enc)
{
    GstSpiceQuicEnc *self = GST_SPICE_QUIC_ENC(enc);

    self->encoder = spice_quic_encoder_new(&spice_allocator_libc, gst_spice_cpu_flags());
    return self->encoder != NULL;
}

static void gst_spice_quic_enc_close(GstSpiceImageEnc *enc)
{
    g_clear_pointer(&GST_SPICE_QUIC_ENC(enc)->encoder, spice_quic_encoder_free);
}

static gsize gst_spice_quic_enc_encode(GstSpiceImageEnc *enc, const GstVideoFrame *frame,
                                       guint8 *out, gsize capacity)
{
    const SpiceQuicSource source = {
        .type = quic_type(GST_VIDEO_FRAME_FORMAT(frame)),
        .width = (guint32)GST_VIDEO_FRAME_WIDTH(frame),
        .height = (guint32)GST_VIDEO_FRAME_HEIGHT(frame),
        .top = GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
    };

    return spice_quic_encode(GST_SPICE_QUIC_ENC(enc)->encoder, &source, out, capacity);
}

static void gst_spice_quic_enc_init(GstSpiceQuicEnc *self)
{
}

static void gst_spice_quic_enc_class_init(GstSpiceQuicEncClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageEncClass *enc_class = GST_SPICE_IMAGE_ENC_CLASS(klass);

    enc_class->media_type = "image/x-spice-quic";
    enc_class->open = gst_spice_quic_enc_open;
    enc_class->close = gst_spice_quic_enc_close;
    enc_class->encode = gst_spice_quic_enc_encode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE QUIC encoder", "Codec/Encoder/Image",
        "Compresses frames as SPICE QUIC images", "The gst-spice developers");
}
