/* What a viewer sees of bench-video-host, and when:
 *
 *     bench-video-client URI
 *
 * Prints what watch.h says, with the monotonic time in microseconds, and "create T", "data T BYTES" and
 * "destroy T" when messages of streams come. Ends when the server does.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>

#include "core/wire/display.h"
#include "core/wire/link.h"
#include "film.h"
#include "gst-plugins/elements.h"
#include "watch.h"

static Watch *watch;

/** Keeps what is needed of a picture. */
static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    const gint64 now = g_get_monotonic_time();
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
    GstVideoInfo info;
    GstVideoFrame frame;

    if (!caps || !gst_video_info_from_caps(&info, caps) || info.width < FILM_X + FILM_WIDTH ||
        info.height < watch_rows() || !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
        return;
    watch_picture(watch, now, GST_VIDEO_FRAME_PLANE_DATA(&frame, 0),
                  (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0), info.width);
    gst_video_frame_unmap(&frame);
}

/** A message of the display channel. */
static GstPadProbeReturn on_message(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    const gint64 now = g_get_monotonic_time();
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    guint8 bytes[SPICE_MINI_DATA_HEADER_SIZE];
    char size[32];

    if (gst_buffer_extract(buffer, 0, bytes, sizeof bytes) < sizeof bytes)
        return GST_PAD_PROBE_OK;
    g_snprintf(size, sizeof size, "%" G_GSIZE_FORMAT, gst_buffer_get_size(buffer));
    switch (GST_READ_UINT16_LE(bytes)) {
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        watch_say(watch, "create", now, size);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DATA:
    case SPICE_MSG_DISPLAY_STREAM_DATA_SIZED:
        watch_say(watch, "data", now, size);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        watch_say(watch, "destroy", now, size);
        break;
    default:
        break;
    }
    return GST_PAD_PROBE_OK;
}

static void on_element(GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
    GstPad *pad;

    if (g_strcmp0(G_OBJECT_TYPE_NAME(element), "GstSpiceChannelSrc") != 0)
        return;
    pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_message, NULL, NULL);
    gst_object_unref(pad);
}

int main(int argc, char **argv)
{
    g_autoptr(GstBus) bus = NULL;
    g_autoptr(GstMessage) message = NULL;
    GstElement *pipeline, *element;

    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    film_prepare();
    watch = watch_start();
    pipeline = gst_parse_launch("spicesrc name=source source.display_0 ! fakesink name=picture "
                                "signal-handoffs=true sync=false async=false",
                                NULL);
    g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(on_element), NULL);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_object_set(element, "location", argv[1], NULL);
    gst_object_unref(element);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "picture");
    g_signal_connect(element, "handoff", G_CALLBACK(on_picture), NULL);
    gst_object_unref(element);
    bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message =
        gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    watch_end(watch);
    gst_object_unref(pipeline);
    return 0;
}
