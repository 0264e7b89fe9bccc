/* When a client's picture turns bright or dark, and when its sound begins: lipsync URI SECONDS.
 *
 * Prints "video US 0|1" when the middle of the picture has turned dark or bright, "audio US" when a tone
 * begins after silence, both in monotonic microseconds at which it is seen or heard, and at the end
 * "stream-frames N".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>

#include "gst-plugins/elements.h"

enum { RATE = 48000, LOUD = 3000, SILENCE_SAMPLES = RATE / 5 };

static gint bright = -1;
static guint silent = SILENCE_SAMPLES; /* samples so far */

static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    const gint64 now = g_get_monotonic_time();
    GstCaps *caps = gst_pad_get_current_caps(pad);
    GstVideoInfo info;
    GstVideoFrame frame;
    guint sum = 0;
    gint turned, i;

    if (!caps || !gst_video_info_from_caps(&info, caps) ||
        !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
        return;
    for (i = 0; i < 64; i++) {
        const gint x = info.width / 2 - 32 + i, y = info.height / 2 - 32 + i;

        sum += ((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(
            &frame, 0))[y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + x * 4 + 1];
    }
    gst_video_frame_unmap(&frame);
    gst_caps_unref(caps);
    turned = sum / 64 > 128;
    if (turned != bright)
        printf("video %" G_GINT64_FORMAT " %d\n", now, turned);
    bright = turned;
}

/** Comes when the first of the samples is heard. */
static void on_sound(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    const gint64 now = g_get_monotonic_time();
    GstMapInfo map;
    gsize i;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    for (i = 0; i < map.size / 4; i++) {
        const gint16 value = ((const gint16 *)(gconstpointer)map.data)[2 * i];

        if (ABS((gint)value) < LOUD) {
            silent++;
        } else {
            if (silent >= SILENCE_SAMPLES)
                printf("audio %" G_GINT64_FORMAT "\n", now + (gint64)(i * 1000000 / RATE));
            silent = 0;
        }
    }
    gst_buffer_unmap(buffer, &map);
}

static void count_frames(const GValue *item, gpointer data)
{
    GstElement *element = g_value_get_object(item);
    GstStructure *stats = NULL;
    guint64 frames = 0;

    if (g_strcmp0(G_OBJECT_TYPE_NAME(element), "GstSpiceDisplayDec") != 0)
        return;
    g_object_get(element, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "stream-frames", &frames);
    printf("stream-frames %" G_GUINT64_FORMAT "\n", frames);
    gst_structure_free(stats);
}

static void recalculate_latency(GstElement *pipeline, gpointer data)
{
    gst_bin_recalculate_latency(GST_BIN(pipeline));
}

/** As every application has to. */
static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer pipeline)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY)
        gst_element_call_async(pipeline, recalculate_latency, NULL, NULL);
    return GST_BUS_PASS;
}

int main(int argc, char **argv)
{
    GstElement *pipeline, *source, *sink;
    GstBus *bus;
    GstIterator *elements;

    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    pipeline = gst_parse_launch(
        "spicesrc name=source source.display_0 ! fakesink name=picture signal-handoffs=true "
        "sync=false async=false source.audio ! fakesink name=sound signal-handoffs=true sync=true "
        "async=false",
        NULL);
    source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_object_set(source, "location", argv[1], NULL);
    sink = gst_bin_get_by_name(GST_BIN(pipeline), "picture");
    g_signal_connect(sink, "handoff", G_CALLBACK(on_picture), NULL);
    gst_object_unref(sink);
    sink = gst_bin_get_by_name(GST_BIN(pipeline), "sound");
    g_signal_connect(sink, "handoff", G_CALLBACK(on_sound), NULL);
    gst_object_unref(sink);
    bus = gst_element_get_bus(pipeline);
    gst_bus_set_sync_handler(bus, on_message, pipeline, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_usleep((gulong)(atof(argv[2]) * 1e6));
    elements = gst_bin_iterate_recurse(GST_BIN(pipeline));
    gst_iterator_foreach(elements, count_frames, NULL);
    gst_iterator_free(elements);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_bus_set_sync_handler(bus, NULL, NULL, NULL);
    gst_object_unref(bus);
    gst_object_unref(source);
    gst_object_unref(pipeline);
    return 0;
}
