/* What the decoders of SPICE's still images have in common: one image in, one frame out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/gstvideodecoder.h>

#include "core/wire/error.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_IMAGE_DEC (gst_spice_image_dec_get_type())
G_DECLARE_DERIVABLE_TYPE(GstSpiceImageDec, gst_spice_image_dec, GST, SPICE_IMAGE_DEC,
                         GstVideoDecoder)

/** What an image's header says of the frame that it becomes. */
typedef struct {
    GstVideoFormat format;
    guint width, height;
} GstSpiceImageSize;

enum { GST_SPICE_IMAGE_MAX_PIXELS = 64 << 20 };

struct _GstSpiceImageDecClass {
    GstVideoDecoderClass parent_class;

    /** Makes and drops the codec's state; called on start and stop. May be NULL. */
    gboolean (*open)(GstSpiceImageDec *self);
    void (*close)(GstSpiceImageDec *self);
    /** Reads the header. FALSE and *error if it is bad or the type has no format here. */
    gboolean (*read_size)(GstSpiceImageDec *self, const guint8 *data, gsize size,
                          GstSpiceImageSize *image, SpiceError *error);
    /** Decodes into a mapped frame of that size. */
    gboolean (*decode)(GstSpiceImageDec *self, const guint8 *data, gsize size, GstVideoFrame *frame,
                       SpiceError *error);
};

/** The dimensions that the input caps tell; FALSE if they tell none. */
gboolean gst_spice_image_dec_get_input_size(GstSpiceImageDec *self, guint *width, guint *height);

G_END_DECLS
