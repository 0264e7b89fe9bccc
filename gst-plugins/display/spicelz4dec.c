/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicelz4dec
 * @title: spicelz4dec
 * @short_description: decodes SPICE LZ4 images
 *
 * Each buffer is one image of SPICE's LZ4 type as it stands in a message; width and height are in
 * the caps. Images of 16, 24 and 32 bit become BGRx frames, those with alpha BGRA.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! video/x-raw,format=BGRx ! spicelz4enc ! spicelz4dec ! videoconvert ! autovideosink
 * ]|
 */
#include "spicelz4dec.h"

#include "core/image/lz4.h"

struct _GstSpiceLz4Dec {
    GstSpiceImageDec parent_instance;
    SpiceLz4 *coder;
};

G_DEFINE_FINAL_TYPE(GstSpiceLz4Dec, gst_spice_lz4_dec, GST_TYPE_SPICE_IMAGE_DEC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-lz4"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA }")));

static gboolean gst_spice_lz4_dec_open(GstSpiceImageDec *dec)
{
    GstSpiceLz4Dec *self = GST_SPICE_LZ4_DEC(dec);

    self->coder = spice_lz4_new(&spice_allocator_libc);
    return self->coder != NULL;
}

static void gst_spice_lz4_dec_close(GstSpiceImageDec *dec)
{
    GstSpiceLz4Dec *self = GST_SPICE_LZ4_DEC(dec);

    g_clear_pointer(&self->coder, spice_lz4_free);
}

/** The size is not in the image: it comes with the caps. */
static gboolean gst_spice_lz4_dec_read_size(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                            GstSpiceImageSize *image, SpiceError *error)
{
    enum { FORMAT_AT = 1, LEAST_SIZE = 2 };

    if (!gst_spice_image_dec_get_input_size(dec, &image->width, &image->height))
        return spice_error_set(error, SPICE_ERROR_STATE, "caps");
    if (size < LEAST_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz4.format");
    image->format =
        data[FORMAT_AT] == SPICE_LZ4_RGBA ? GST_VIDEO_FORMAT_BGRA : GST_VIDEO_FORMAT_BGRx;
    return TRUE;
}

static gboolean gst_spice_lz4_dec_decode(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                         GstVideoFrame *frame, SpiceError *error)
{
    guint8 format;

    return spice_lz4_decode(
        GST_SPICE_LZ4_DEC(dec)->coder, data, size, (guint32)GST_VIDEO_FRAME_WIDTH(frame),
        (guint32)GST_VIDEO_FRAME_HEIGHT(frame), GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0), &format, error);
}

static void gst_spice_lz4_dec_init(GstSpiceLz4Dec *self)
{
}

static void gst_spice_lz4_dec_class_init(GstSpiceLz4DecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageDecClass *dec_class = GST_SPICE_IMAGE_DEC_CLASS(klass);

    dec_class->open = gst_spice_lz4_dec_open;
    dec_class->close = gst_spice_lz4_dec_close;
    dec_class->read_size = gst_spice_lz4_dec_read_size;
    dec_class->decode = gst_spice_lz4_dec_decode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE LZ4 decoder", "Codec/Decoder/Image",
                                          "Decodes SPICE LZ4 images", "The gst-spice developers");
}
