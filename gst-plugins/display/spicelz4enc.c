/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicelz4enc
 * @title: spicelz4enc
 * @short_description: compresses frames as SPICE LZ4 images
 *
 * Each frame becomes one image of SPICE's LZ4 type, lossless, as it stands in a message. The image
 * does not tell its size: that is in the caps.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! videoconvert ! spicelz4enc ! spicelz4dec ! videoconvert ! fakesink
 * ]|
 */
#include "spicelz4enc.h"

#include "core/image/lz4.h"

struct _GstSpiceLz4Enc {
    GstSpiceImageEnc parent_instance;
    SpiceLz4 *coder;
};

G_DEFINE_FINAL_TYPE(GstSpiceLz4Enc, gst_spice_lz4_enc, GST_TYPE_SPICE_IMAGE_ENC)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, BGR, RGB15 }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-lz4"));

static guint8 lz4_format(GstVideoFormat format)
{
    switch (format) {
    case GST_VIDEO_FORMAT_BGRx:
        return SPICE_LZ4_32BIT;
    case GST_VIDEO_FORMAT_BGRA:
        return SPICE_LZ4_RGBA;
    case GST_VIDEO_FORMAT_BGR:
        return SPICE_LZ4_24BIT;
    default:
        return SPICE_LZ4_16BIT;
    }
}

static gboolean gst_spice_lz4_enc_open(GstSpiceImageEnc *enc)
{
    GstSpiceLz4Enc *self = GST_SPICE_LZ4_ENC(enc);

    self->coder = spice_lz4_new(&spice_allocator_libc);
    return self->coder != NULL;
}

static void gst_spice_lz4_enc_close(GstSpiceImageEnc *enc)
{
    g_clear_pointer(&GST_SPICE_LZ4_ENC(enc)->coder, spice_lz4_free);
}

static gsize gst_spice_lz4_enc_encode(GstSpiceImageEnc *enc, const GstVideoFrame *frame,
                                      guint8 *out, gsize capacity)
{
    return spice_lz4_encode(
        GST_SPICE_LZ4_ENC(enc)->coder, lz4_format(GST_VIDEO_FRAME_FORMAT(frame)),
        (guint32)GST_VIDEO_FRAME_WIDTH(frame), (guint32)GST_VIDEO_FRAME_HEIGHT(frame),
        GST_VIDEO_FRAME_PLANE_DATA(frame, 0), GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0), out,
        capacity);
}

static void gst_spice_lz4_enc_init(GstSpiceLz4Enc *self)
{
}

static void gst_spice_lz4_enc_class_init(GstSpiceLz4EncClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageEncClass *enc_class = GST_SPICE_IMAGE_ENC_CLASS(klass);

    enc_class->media_type = "image/x-spice-lz4";
    enc_class->open = gst_spice_lz4_enc_open;
    enc_class->close = gst_spice_lz4_enc_close;
    enc_class->encode = gst_spice_lz4_enc_encode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE LZ4 encoder", "Codec/Encoder/Image",
                                          "Compresses frames as SPICE LZ4 images",
                                          "The gst-spice developers");
}
