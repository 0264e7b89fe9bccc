/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicelzenc
 * @title: spicelzenc
 * @short_description: compresses frames as SPICE LZ images
 *
 * Each frame becomes one image of SPICE's LZ type, lossless, as it stands in a message.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! videoconvert ! spicelzenc ! spicelzdec ! videoconvert ! fakesink
 * ]|
 */
#include "spicelzenc.h"

#include "core/image/lz.h"
#include "session/cpu.h"

struct _GstSpiceLzEnc {
    GstSpiceImageEnc parent_instance;
    SpiceLzEncoder *encoder;
};

G_DEFINE_FINAL_TYPE(GstSpiceLzEnc, gst_spice_lz_enc, GST_TYPE_SPICE_IMAGE_ENC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, BGR, RGB15, GRAY8 }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-lz"));

static guint8 lz_type(GstVideoFormat format)
{
    switch (format) {
    case GST_VIDEO_FORMAT_BGRx:
        return SPICE_LZ_RGB32;
    case GST_VIDEO_FORMAT_BGRA:
        return SPICE_LZ_RGBA;
    case GST_VIDEO_FORMAT_BGR:
        return SPICE_LZ_RGB24;
    case GST_VIDEO_FORMAT_RGB15:
        return SPICE_LZ_RGB16;
    default:
        return SPICE_LZ_A8;
    }
}

static gboolean gst_spice_lz_enc_open(GstSpiceImageEnc *enc)
{
    GstSpiceLzEnc *self = GST_SPICE_LZ_ENC(enc);

    self->encoder = spice_lz_encoder_new(&spice_allocator_libc, gst_spice_cpu_flags());
    return self->encoder != NULL;
}

static void gst_spice_lz_enc_close(GstSpiceImageEnc *enc)
{
    g_clear_pointer(&GST_SPICE_LZ_ENC(enc)->encoder, spice_lz_encoder_free);
}

static gsize gst_spice_lz_enc_encode(GstSpiceImageEnc *enc, const GstVideoFrame *frame, guint8 *out,
                                     gsize capacity)
{
    const SpiceLzSource source = {
        .type = lz_type(GST_VIDEO_FRAME_FORMAT(frame)),
        .width = (guint32)GST_VIDEO_FRAME_WIDTH(frame),
        .height = (guint32)GST_VIDEO_FRAME_HEIGHT(frame),
        .top = GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
    };

    return spice_lz_encode(GST_SPICE_LZ_ENC(enc)->encoder, &source, out, capacity);
}

static void gst_spice_lz_enc_init(GstSpiceLzEnc *self)
{
}

static void gst_spice_lz_enc_class_init(GstSpiceLzEncClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageEncClass *enc_class = GST_SPICE_IMAGE_ENC_CLASS(klass);

    enc_class->media_type = "image/x-spice-lz";
    enc_class->open = gst_spice_lz_enc_open;
    enc_class->close = gst_spice_lz_enc_close;
    enc_class->encode = gst_spice_lz_enc_encode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE LZ encoder", "Codec/Encoder/Image",
                                          "Compresses frames as SPICE LZ images",
                                          "The gst-spice developers");
}
