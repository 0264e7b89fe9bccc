/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder-pipeline.h"

#include <gst/video/video.h>
#include <string.h>

#include "session/streaming-video.h"
#include "spicevideoenc.h"

enum {
    LEAST_RATE = 100000, /* bits a second */
    /* Of a picture's pixels, in hundredths of a bit: more makes film no better to the eye. */
    MOST_BITS_OF_100_PIXELS = 40,
};

/* Encoders that work on threads of their own (V4L2's) are waited for, for so long. */
enum { ASYNCHRONOUS_WAIT_US = 50 * 1000 };

struct GstSpiceEncoderPipeline {
    GstElement *encoder;
    GstPad *feed, *collect; /* ours, before and behind it */
    gsize row, size;        /* bytes */
    guint height, pixels, rate;
    gboolean began;
    guint64 first_time; /* us */

    /* What comes out, on whatever thread the encoder has */
    GMutex lock;
    GCond arrived;
    GThread *feeder;
    GByteArray *out;         /* of the picture at hand */
    gboolean is_synchronous; /* pictures come before the push returns */
};

static GstFlowReturn take(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceEncoderPipeline *self = gst_pad_get_element_private(pad);
    GstMapInfo map;

    g_mutex_lock(&self->lock);
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        g_byte_array_append(self->out, map.data, (guint)map.size);
        gst_buffer_unmap(buffer, &map);
    }
    self->is_synchronous |= g_thread_self() == self->feeder;
    g_cond_signal(&self->arrived);
    g_mutex_unlock(&self->lock);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    gst_event_unref(event);
    return TRUE;
}

static gboolean link_pads(GstSpiceEncoderPipeline *self)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(self->encoder, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(self->encoder, "src");

    gst_pad_set_element_private(self->collect, self);
    gst_pad_set_chain_function(self->collect, take);
    gst_pad_set_event_function(self->collect, take_event);
    return gst_pad_set_active(self->feed, TRUE) && gst_pad_set_active(self->collect, TRUE) &&
           gst_pad_link(self->feed, sink) == GST_PAD_LINK_OK &&
           gst_pad_link(src, self->collect) == GST_PAD_LINK_OK;
}

static void begin(GstSpiceEncoderPipeline *self, guint width)
{
    GstSegment segment;
    GstCaps *caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT, (gint)width, "height",
        G_TYPE_INT, (gint)self->height, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->feed, gst_event_new_stream_start("video"));
    gst_pad_push_event(self->feed, gst_event_new_caps(caps));
    gst_pad_push_event(self->feed, gst_event_new_segment(&segment));
    gst_caps_unref(caps);
}

GstSpiceEncoderPipeline *gst_spice_encoder_pipeline_new(guint8 codec, guint width, guint height)
{
    GstSpiceEncoderPipeline *self = g_new0(GstSpiceEncoderPipeline, 1);

    self->row = (gsize)width * 4;
    self->size = self->row * height;
    self->height = height;
    self->pixels = width * height;
    self->out = g_byte_array_new();
    g_mutex_init(&self->lock);
    g_cond_init(&self->arrived);
    self->feed = gst_pad_new("feed", GST_PAD_SRC);
    self->collect = gst_pad_new("collect", GST_PAD_SINK);
    self->encoder = gst_element_factory_make("spicevideoenc", NULL);
    if (self->encoder) {
        g_object_set(self->encoder, "codec", gst_spice_video_codec_name(codec), NULL);
        if (gst_element_set_state(self->encoder, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE &&
            link_pads(self)) {
            begin(self, width);
            return self;
        }
    }
    gst_spice_encoder_pipeline_free(self);
    return NULL;
}

void gst_spice_encoder_pipeline_free(GstSpiceEncoderPipeline *self)
{
    if (!self)
        return;
    gst_pad_set_active(self->feed, FALSE);
    gst_pad_set_active(self->collect, FALSE);
    if (self->encoder) {
        gst_element_set_state(self->encoder, GST_STATE_NULL);
        gst_object_unref(gst_object_ref_sink(self->encoder));
    }
    gst_object_unref(self->feed);
    gst_object_unref(self->collect);
    g_byte_array_unref(self->out);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->arrived);
    g_free(self);
}

static GstBuffer *copy_picture(GstSpiceEncoderPipeline *self, const guint8 *top, gssize stride)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, self->size, NULL);
    GstMapInfo map;
    guint y;

    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (y = 0; y < self->height; y++)
        memcpy(map.data + y * self->row, top + (gssize)y * stride, self->row);
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

/** Gives the encoder another rate if it is another one. */
static void set_rate(GstSpiceEncoderPipeline *self, const GstSpiceVideoSettings *settings)
{
    const guint64 most = (guint64)self->pixels * MOST_BITS_OF_100_PIXELS *
                         MAX(settings->fps_milli, 1000) / 100 / 1000;
    const guint64 rate = MIN(settings->bit_rate, MIN(MAX(most, LEAST_RATE), (guint64)G_MAXINT));
    const guint wanted = (guint)MAX(rate, LEAST_RATE);

    if (wanted > self->rate - self->rate / 10 && wanted < self->rate + self->rate / 10)
        return;
    self->rate = wanted;
    g_object_set(self->encoder, "bitrate", wanted, NULL);
}

/** What came out; NULL if nothing did. */
static GBytes *take_unit(GstSpiceEncoderPipeline *self, gboolean works)
{
    const gint64 until = g_get_monotonic_time() + ASYNCHRONOUS_WAIT_US;
    GBytes *unit = NULL;

    g_mutex_lock(&self->lock);
    while (works && self->out->len == 0 && !self->is_synchronous &&
           g_cond_wait_until(&self->arrived, &self->lock, until))
        ;
    if (works && self->out->len > 0)
        unit = g_bytes_new(self->out->data, self->out->len);
    g_byte_array_set_size(self->out, 0);
    g_mutex_unlock(&self->lock);
    return unit;
}

GBytes *gst_spice_encoder_pipeline_encode(GstSpiceEncoderPipeline *self, const guint8 *top,
                                          gssize stride, guint64 time,
                                          const GstSpiceVideoSettings *settings)
{
    GstBuffer *buffer = copy_picture(self, top, stride);
    GstFlowReturn flow;

    if (!self->began)
        self->first_time = time;
    self->began = TRUE;
    set_rate(self, settings);
    if (settings->key)
        gst_pad_push_event(self->feed, gst_video_event_new_downstream_force_key_unit(
                                           GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                                           GST_CLOCK_TIME_NONE, TRUE, 0));
    GST_BUFFER_PTS(buffer) = (MAX(time, self->first_time) - self->first_time) * GST_USECOND;
    self->feeder = g_thread_self();
    flow = gst_pad_push(self->feed, buffer);
    return take_unit(self, flow == GST_FLOW_OK);
}
