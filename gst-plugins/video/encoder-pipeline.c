/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder-pipeline.h"

GstSpiceEncoderPipeline *gst_spice_encoder_pipeline_new(guint8 codec, guint width, guint height)
{
    return NULL;
}

void gst_spice_encoder_pipeline_free(GstSpiceEncoderPipeline *self)
{
}

GBytes *gst_spice_encoder_pipeline_encode(GstSpiceEncoderPipeline *self, const guint8 *top,
                                          gssize stride, guint64 time,
                                          const GstSpiceVideoSettings *settings)
{
    return NULL;
}
