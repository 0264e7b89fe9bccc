/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video-units.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "core/wire/display.h"

const VideoCodec video_codecs[N_VIDEO_CODECS] = {
    {"mjpeg", SPICE_VIDEO_CODEC_TYPE_MJPEG, "image/jpeg"},
    {"vp8", SPICE_VIDEO_CODEC_TYPE_VP8, "video/x-vp8, codec-alpha=(boolean)false"},
    {"vp9", SPICE_VIDEO_CODEC_TYPE_VP9, "video/x-vp9, codec-alpha=(boolean)false"},
    {"h264", SPICE_VIDEO_CODEC_TYPE_H264, "video/x-h264, stream-format=byte-stream, alignment=au"},
    {"h265", SPICE_VIDEO_CODEC_TYPE_H265, "video/x-h265, stream-format=byte-stream, alignment=au"},
};

GPtrArray *video_units_encode(const VideoCodec *codec, guint width, guint height, guint n_pictures,
                              guint key, guint bit_rate, GstBuffer *(*make_picture)(guint n))
{
    g_autofree char *text =
        g_strdup_printf("spicevideoenc codec=%s bitrate=%u", codec->name, bit_rate);
    GstHarness *harness = gst_harness_new_parse(text);
    GPtrArray *units = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    guint n;

    gst_harness_set_src_caps(
        harness, gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                     G_TYPE_INT, (gint)width, "height", G_TYPE_INT, (gint)height,
                                     "framerate", GST_TYPE_FRACTION, 25, 1, "pixel-aspect-ratio",
                                     GST_TYPE_FRACTION, 1, 1, NULL));
    for (n = 0; n < n_pictures; n++) {
        GstBuffer *picture = make_picture(n), *unit;
        gpointer data;
        gsize size;

        GST_BUFFER_PTS(picture) = n * 40 * GST_MSECOND;
        if (n == key)
            gst_harness_push_event(harness, gst_video_event_new_downstream_force_key_unit(
                                                GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                                                GST_CLOCK_TIME_NONE, TRUE, 0));
        gst_harness_push(harness, picture);
        unit = gst_harness_pull(harness);
        gst_buffer_extract_dup(unit, 0, -1, &data, &size);
        g_ptr_array_add(units, g_bytes_new_take(data, size));
        gst_buffer_unref(unit);
    }
    gst_harness_teardown(harness);
    return units;
}

GList *video_units_decoders(const VideoCodec *codec)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(codec->caps);
    GList *all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER |
                                                           GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO |
                                                           GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE,
                                                       GST_RANK_MARGINAL);
    GList *fit = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);

    gst_plugin_feature_list_free(all);
    return fit;
}

gboolean video_units_is_of_a_card(gpointer factory)
{
    return gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_HARDWARE);
}
