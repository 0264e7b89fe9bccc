/* What the encoders of SPICE's still images have in common: one frame in, one image out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/gstvideoencoder.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_IMAGE_ENC (gst_spice_image_enc_get_type())
G_DECLARE_DERIVABLE_TYPE(GstSpiceImageEnc, gst_spice_image_enc, GST, SPICE_IMAGE_ENC,
                         GstVideoEncoder)

struct _GstSpiceImageEncClass {
    GstVideoEncoderClass parent_class;

    const char *media_type; /* of the source caps */
    /** Makes and drops the codec's state; called on start and stop. May be NULL. */
    gboolean (*open)(GstSpiceImageEnc *self);
    void (*close)(GstSpiceImageEnc *self);
    /** Encodes a mapped frame into `out`. The size, or 0 if it does not fit `capacity`. */
    gsize (*encode)(GstSpiceImageEnc *self, const GstVideoFrame *frame, guint8 *out,
                    gsize capacity);
};

G_END_DECLS
