/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spiceglzdec
 * @title: spiceglzdec
 * @short_description: decodes SPICE GLZ images
 *
 * Each buffer is one image of SPICE's GLZ type as it stands in a message; an image may refer to
 * those before it. Images of 16, 24 and 32 bit become BGRx frames, those with alpha BGRA.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! video/x-raw,format=BGRx ! spiceglzenc ! spiceglzdec ! videoconvert ! autovideosink
 * ]|
 */
#include "spiceglzdec.h"

#include "core/image/glz.h"

enum { WINDOW_PIXELS = 16 << 20, MAX_IMAGES = 1 << 16 };

struct _GstSpiceGlzDec {
    GstSpiceImageDec parent_instance;
    SpiceGlzWindow *window;
    SpiceGlzDecoder *decoder;
    SpiceGlzHeader header; /* of the image in hand */
};

G_DEFINE_FINAL_TYPE(GstSpiceGlzDec, gst_spice_glz_dec, GST_TYPE_SPICE_IMAGE_DEC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-glz"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA }")));

static gboolean gst_spice_glz_dec_open(GstSpiceImageDec *dec)
{
    GstSpiceGlzDec *self = GST_SPICE_GLZ_DEC(dec);

    self->window = spice_glz_window_new(&spice_allocator_libc, 2 * WINDOW_PIXELS, MAX_IMAGES);
    if (self->window)
        self->decoder = spice_glz_decoder_new(self->window);
    return self->decoder != NULL;
}

static void gst_spice_glz_dec_close(GstSpiceImageDec *dec)
{
    GstSpiceGlzDec *self = GST_SPICE_GLZ_DEC(dec);

    g_clear_pointer(&self->decoder, spice_glz_decoder_free);
    g_clear_pointer(&self->window, spice_glz_window_free);
}

static gboolean gst_spice_glz_dec_read_size(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                            GstSpiceImageSize *image, SpiceError *error)
{
    SpiceGlzHeader *header = &GST_SPICE_GLZ_DEC(dec)->header;

    if (!spice_glz_read_header(header, data, size, GST_SPICE_IMAGE_MAX_PIXELS, error))
        return FALSE;
    image->width = header->width;
    image->height = header->height;
    image->format = header->type == SPICE_LZ_RGBA ? GST_VIDEO_FORMAT_BGRA : GST_VIDEO_FORMAT_BGRx;
    return TRUE;
}

static gboolean gst_spice_glz_dec_decode(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                         GstVideoFrame *frame, SpiceError *error)
{
    GstSpiceGlzDec *self = GST_SPICE_GLZ_DEC(dec);
    SpiceGlzImage image;
    guint64 missing;

    if (!spice_glz_decoder_start(self->decoder, &self->header, data, size, error))
        return FALSE;
    switch (spice_glz_decoder_run(self->decoder, &image, &missing, error)) {
    case SPICE_GLZ_DONE:
        spice_glz_image_copy(&image, GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
                             GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0));
        return TRUE;
    case SPICE_GLZ_WAIT: /* there is no other channel that could bring it */
        spice_glz_decoder_stop(self->decoder);
        return spice_error_set(error, SPICE_ERROR_STATE, "glz.id");
    default:
        return FALSE;
    }
}

static void gst_spice_glz_dec_init(GstSpiceGlzDec *self)
{
}

static void gst_spice_glz_dec_class_init(GstSpiceGlzDecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageDecClass *dec_class = GST_SPICE_IMAGE_DEC_CLASS(klass);

    dec_class->open = gst_spice_glz_dec_open;
    dec_class->close = gst_spice_glz_dec_close;
    dec_class->read_size = gst_spice_glz_dec_read_size;
    dec_class->decode = gst_spice_glz_dec_decode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE GLZ decoder", "Codec/Decoder/Image",
                                          "Decodes SPICE GLZ images", "The gst-spice developers");
}
