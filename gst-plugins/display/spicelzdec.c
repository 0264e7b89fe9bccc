/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicelzdec
 * @title: spicelzdec
 * @short_description: decodes SPICE LZ images
 *
 * Each buffer is one image of SPICE's LZ type as it stands in a message. Images of 16, 24 and 32
 * bit become BGRx frames, those with alpha BGRA, alpha planes GRAY8. Images of indices (LZ_PLT)
 * have their palette elsewhere in their message and are refused.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! video/x-raw,format=BGRx ! spicelzenc ! spicelzdec ! videoconvert ! autovideosink
 * ]|
 */
#include "spicelzdec.h"

#include "core/image/lz.h"
#include "session/cpu.h"

struct _GstSpiceLzDec {
    GstSpiceImageDec parent_instance;
    SpiceLzHeader header; /* of the image in hand */
};

G_DEFINE_FINAL_TYPE(GstSpiceLzDec, gst_spice_lz_dec, GST_TYPE_SPICE_IMAGE_DEC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/x-spice-lz"));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, GRAY8 }")));

static gboolean gst_spice_lz_dec_read_size(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                           GstSpiceImageSize *image, SpiceError *error)
{
    SpiceLzHeader *header = &GST_SPICE_LZ_DEC(dec)->header;

    if (!spice_lz_read_header(header, data, size, GST_SPICE_IMAGE_MAX_PIXELS, error))
        return FALSE;
    if (spice_lz_is_palette(header->type))
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "palette");
    image->width = header->width;
    image->height = header->height;
    switch (header->type) {
    case SPICE_LZ_RGBA:
        image->format = GST_VIDEO_FORMAT_BGRA;
        break;
    case SPICE_LZ_A8:
    case SPICE_LZ_XXXA:
        image->format = GST_VIDEO_FORMAT_GRAY8;
        break;
    default:
        image->format = GST_VIDEO_FORMAT_BGRx;
        break;
    }
    return TRUE;
}

static gboolean gst_spice_lz_dec_decode(GstSpiceImageDec *dec, const guint8 *data, gsize size,
                                        GstVideoFrame *frame, SpiceError *error)
{
    const SpiceLzHeader *header = &GST_SPICE_LZ_DEC(dec)->header;
    SpiceLzTarget target = GST_VIDEO_FRAME_FORMAT(frame) == GST_VIDEO_FORMAT_GRAY8
                               ? SPICE_LZ_TO_PLANE
                               : SPICE_LZ_TO_32;

    return spice_lz_decode(header, data, size, target, GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
                           GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0), gst_spice_cpu_flags(), error);
}

static void gst_spice_lz_dec_init(GstSpiceLzDec *self)
{
}

static void gst_spice_lz_dec_class_init(GstSpiceLzDecClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstSpiceImageDecClass *dec_class = GST_SPICE_IMAGE_DEC_CLASS(klass);

    dec_class->read_size = gst_spice_lz_dec_read_size;
    dec_class->decode = gst_spice_lz_dec_decode;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE LZ decoder", "Codec/Decoder/Image",
                                          "Decodes SPICE LZ images", "The gst-spice developers");
}
