/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video-encoder.h"

#include "core/image/jpeg.h"
#include "core/video/halve.h"
#include "encoder-pipeline.h"
#include "session/cpu.h"

/* What a JPEG takes beside its pixels. */
enum { JPEG_OVERHEAD = 4096 };

struct GstSpiceVideoEncoder {
    guint width, height;
    SpiceJpeg *jpeg; /* MJPEG */
    guint32 *half;   /* pixels of the last picture at half the size; NULL until there is one */
    guint8 *memory;
    gsize capacity;
    GstSpiceEncoderPipeline *pipeline; /* else */
};

GstSpiceVideoEncoder *gst_spice_video_encoder_new(guint8 codec, guint width, guint height)
{
    GstSpiceVideoEncoder *self = g_new0(GstSpiceVideoEncoder, 1);

    self->width = width;
    self->height = height;
    if (codec == SPICE_VIDEO_CODEC_TYPE_MJPEG) {
        self->jpeg = spice_jpeg_new(&spice_allocator_libc, gst_spice_cpu_flags());
        self->capacity = (gsize)width * height * 2 + JPEG_OVERHEAD;
        self->memory = g_try_malloc(self->capacity);
        if (self->jpeg && self->memory)
            return self;
    } else {
        self->pipeline = gst_spice_encoder_pipeline_new(codec, width, height);
        if (self->pipeline)
            return self;
    }
    gst_spice_video_encoder_free(self);
    return NULL;
}

void gst_spice_video_encoder_free(GstSpiceVideoEncoder *self)
{
    if (!self)
        return;
    spice_jpeg_free(self->jpeg);
    g_free(self->half);
    g_free(self->memory);
    gst_spice_encoder_pipeline_free(self->pipeline);
    g_free(self);
}

static const guint8 *top_row(const SpiceImage *picture, gssize *stride)
{
    const gboolean top_down = picture->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN;

    *stride = top_down ? (gssize)picture->stride : -(gssize)picture->stride;
    return picture->data.data +
           (top_down ? 0 : (gsize)picture->stride * (picture->bitmap_height - 1));
}

gboolean gst_spice_video_encoder_can_halve(const GstSpiceVideoEncoder *self)
{
    return self->jpeg != NULL;
}

static void halve(GstSpiceVideoEncoder *self, SpiceJpegSource *source)
{
    const guint width = (self->width + 1) / 2, height = (self->height + 1) / 2;

    if (!self->half)
        self->half = g_new(guint32, (gsize)width * height);
    spice_halve(source->top, source->stride, self->width, self->height, self->half);
    source->top = (const guint8 *)self->half;
    source->stride = (gssize)width * 4;
    source->width = width;
    source->height = height;
}

GBytes *gst_spice_video_encoder_encode(GstSpiceVideoEncoder *self, const SpiceImage *picture,
                                       guint64 time, const GstSpiceVideoSettings *settings)
{
    SpiceJpegSource source = {SPICE_BITMAP_FMT_32BIT, self->width, self->height, NULL, 0};
    gssize stride;
    gsize size;

    if (picture->bitmap_width != self->width || picture->bitmap_height != self->height ||
        (picture->bitmap_format != SPICE_BITMAP_FMT_32BIT &&
         picture->bitmap_format != SPICE_BITMAP_FMT_RGBA))
        return NULL;
    source.top = top_row(picture, &stride);
    source.stride = stride;
    if (self->pipeline)
        return gst_spice_encoder_pipeline_encode(self->pipeline, source.top, stride, time,
                                                 settings);
    if (settings->half)
        halve(self, &source);
    size = spice_jpeg_encode(self->jpeg, &source, (int)settings->quality, self->memory,
                             self->capacity);
    return size > 0 ? g_bytes_new(self->memory, size) : NULL;
}
