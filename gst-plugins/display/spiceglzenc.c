/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceglzenc
 * @title: spiceglzenc
 * @short_description: compresses frames as SPICE GLZ images
 *
 * Each frame becomes one image of SPICE's GLZ type, lossless, as it stands in a message. An image
 * may refer to those before it, so none of them may be lost on the way to the decoder.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! videoconvert ! spiceglzenc ! spiceglzdec ! videoconvert ! fakesink
 * ]|
 */
#include "spiceglzenc.h"

#include "core/image/glz.h"

/* As the field's clients announce at the most; a frame must be smaller. */
enum { WINDOW_PIXELS = 16 << 20 };

struct _GstSpiceGlzEnc {
    GstSpiceImageEnc parent_instance;
    SpiceGlzDictionary *dictionary;
};

G_DEFINE_FINAL_TYPE(GstSpiceGlzEnc, gst_spice_glz_enc, GST_TYPE_SPICE_IMAGE_ENC)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, BGR, RGB15 }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-glz"));

static guint8 glz_type(GstVideoFormat format)
{
    switch (format) {
    case GST_VIDEO_FORMAT_BGRx:
        return SPICE_LZ_RGB32;
    case GST_VIDEO_FORMAT_BGRA:
        return SPICE_LZ_RGBA;
    case GST_VIDEO_FORMAT_BGR:
        return SPICE_LZ_RGB24;
    default:
        return SPICE_LZ_RGB16;
    }
}

static gboolean gst_spice_glz_enc_open(GstSpiceImageEnc *enc)
{
    GstSpiceGlzEnc *self = GST_SPICE_GLZ_ENC(enc);

    self->dictionary = spice_glz_dictionary_new(&spice_allocator_libc, WINDOW_PIXELS, 0);
    return self->dictionary != NULL;
}

static void gst_spice_glz_enc_close(GstSpiceImageEnc *enc)
{
    g_clear_pointer(&GST_SPICE_GLZ_ENC(enc)->dictionary, spice_glz_dictionary_free);
}

static gsize gst_spice_glz_enc_encode(GstSpiceImageEnc *enc, const GstVideoFrame *frame,
                                      guint8 *out, gsize capacity)
{
    const SpiceLzSource source = {
        .type = glz_type(GST_VIDEO_FRAME_FORMAT(frame)),
        .width = (guint32)GST_VIDEO_FRAME_WIDTH(frame),
        .height = (guint32)GST_VIDEO_FRAME_HEIGHT(frame),
        .top = GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
    };

    return spice_glz_encode(GST_SPICE_GLZ_ENC(enc)->dictionary, &source, NULL, out, capacity);
}

static void gst_spice_glz_enc_init(GstSpiceGlzEnc *self)
{
}

static void gst_spice_glz_enc_class_init(GstSpiceGlzEncClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageEncClass *enc_class = GST_SPICE_IMAGE_ENC_CLASS(klass);

    enc_class->media_type = "image/x-spice-glz";
    enc_class->open = gst_spice_glz_enc_open;
    enc_class->close = gst_spice_glz_enc_close;
    enc_class->encode = gst_spice_glz_enc_encode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE GLZ encoder", "Codec/Encoder/Image",
                                          "Compresses frames as SPICE GLZ images",
                                          "The gst-spice developers");
}
