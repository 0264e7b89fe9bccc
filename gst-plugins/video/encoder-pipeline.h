/* A video encoder of stock elements, fed and emptied by hand: what comes out for a picture is there
 * when the call returns.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "video-encoder.h"

G_BEGIN_DECLS

typedef struct GstSpiceEncoderPipeline GstSpiceEncoderPipeline;

/** NULL if there is no encoder for it. */
GstSpiceEncoderPipeline *gst_spice_encoder_pipeline_new(guint8 codec, guint width, guint height);
void gst_spice_encoder_pipeline_free(GstSpiceEncoderPipeline *self);

/** `top`: the first row of BGRx pixels, `stride` bytes to the next (may be negative). NULL if
 * nothing came out. (transfer full) */
GBytes *gst_spice_encoder_pipeline_encode(GstSpiceEncoderPipeline *self, const guint8 *top,
                                          gssize stride, guint64 time,
                                          const GstSpiceVideoSettings *settings);

G_END_DECLS
