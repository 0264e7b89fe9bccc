/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicequicdec
 * @title: spicequicdec
 * @short_description: decodes SPICE QUIC images
 *
 * Each buffer is one image of SPICE's QUIC type as it stands in a message. Images of 16, 24 and 32
 * bit become BGRx frames, those with alpha BGRA, grey ones GRAY8.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! video/x-raw,format=BGRx ! spicequicenc ! spicequicdec ! videoconvert ! autovideosink
 * ]|
 */
#include "spicequicdec.h"

#include "core/image/quic.h"
#include "session/cpu.h"

struct _GstSpiceQuicDec {
    GstSpiceImageDec parent_instance;
    SpiceQuicDecoder *decoder;
    SpiceQuicHeader header; /* of the image in hand */
};

G_DEFINE_FINAL_TYPE(GstSpiceQuicDec, gst_spice_quic_dec, GST_TYPE_SPICE_IMAGE_DEC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-quic"));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, GRAY8 }")));

static gboolean gst_spice_quic_dec_open(GstSpiceImageDec *dec)
{
    GstSpiceQuicDec *self = GST_SPICE_QUIC_DEC(dec);

    self->decoder = spice_quic_decoder_new(&spice_allocator_libc, gst_spice_cpu_flags());
    return self->decoder != NULL;
}

static void gst_spice_quic_dec_close(GstSpiceImageDec *dec)
{
    GstSpiceQuicDec *self = GST_SPICE_QUIC_DEC(dec);

    g_clear_pointer(&self->decoder, spice_quic_decoder_free);
}

static gboolean gst_spice_quic_dec_read_size(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                             GstSpiceImageSize *image, SpiceError *error)
{
    SpiceQuicHeader *header = &GST_SPICE_QUIC_DEC(dec)->header;

    if (!spice_quic_read_header(header, data, size, GST_SPICE_IMAGE_MAX_PIXELS, error))
        return FALSE;
    image->width = header->width;
    image->height = header->height;
    image->format = header->type == SPICE_QUIC_RGBA   ? GST_VIDEO_FORMAT_BGRA
                    : header->type == SPICE_QUIC_GRAY ? GST_VIDEO_FORMAT_GRAY8
                                                      : GST_VIDEO_FORMAT_BGRx;
    return TRUE;
}

static gboolean gst_spice_quic_dec_decode(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                          GstVideoFrame *frame, SpiceError *error)
{
    GstSpiceQuicDec *self = GST_SPICE_QUIC_DEC(dec);
    SpiceQuicTarget target =
        self->header.type == SPICE_QUIC_GRAY ? SPICE_QUIC_TO_GRAY : SPICE_QUIC_TO_32;

    return spice_quic_decode(self->decoder, &self->header, data, size, target,
                             GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
                             GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0), error);
}

static void gst_spice_quic_dec_init(GstSpiceQuicDec *self)
{
}

static void gst_spice_quic_dec_class_init(GstSpiceQuicDecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageDecClass *dec_class = GST_SPICE_IMAGE_DEC_CLASS(klass);

    dec_class->open = gst_spice_quic_dec_open;
    dec_class->close = gst_spice_quic_dec_close;
    dec_class->read_size = gst_spice_quic_dec_read_size;
    dec_class->decode = gst_spice_quic_dec_decode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE QUIC decoder",
                                          "Codec/Decoder/Image", "Decodes SPICE QUIC images",
                                          "The gst-spice developers");
}
