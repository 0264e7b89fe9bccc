/* The elements of still images: what goes in comes out, and what is bad is one error.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst-plugins/elements.h"

/** A frame of `format` with a little of everything in it: flat, repeated, and noisy. */
static GstBuffer *make_frame(GstVideoInfo *info, guint32 seed)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(info), NULL);
    GRand *random = g_rand_new_with_seed(seed);
    GstMapInfo map;
    gsize i;

    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (i = 0; i < map.size; i++)
        map.data[i] = i % 997 < 500   ? 0x40
                      : i % 997 < 800 ? (guint8)(i / 3)
                                      : (guint8)g_rand_int(random);
    gst_buffer_unmap(buffer, &map);
    g_rand_free(random);
    return buffer;
}

/** Compares the pixels that mean something, row by row: padding and the unused byte do not. */
static void assert_same_pixels(const GstVideoFrame *a, const GstVideoFrame *b, guint bytes,
                               guint used)
{
    gint x, y;
    guint i;

    for (y = 0; y < GST_VIDEO_FRAME_HEIGHT(a); y++) {
        const guint8 *p = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(a, 0) +
                          y * GST_VIDEO_FRAME_PLANE_STRIDE(a, 0);
        const guint8 *q = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(b, 0) +
                          y * GST_VIDEO_FRAME_PLANE_STRIDE(b, 0);

        for (x = 0; x < GST_VIDEO_FRAME_WIDTH(a); x++)
            for (i = 0; i < used; i++)
                g_assert_cmpint(p[(guint)x * bytes + i], ==, q[(guint)x * bytes + i]);
    }
}

typedef struct {
    const char *encoder, *decoder, *format;
    guint bytes, used; /* of a pixel */
} RoundTrip;

static void test_round_trip(gconstpointer data)
{
    const RoundTrip *test = data;
    GstHarness *encoder = gst_harness_new(test->encoder);
    GstHarness *decoder = gst_harness_new(test->decoder);
    GstVideoInfo info, out_info;
    gint width;

    for (width = 1; width < 300; width += 61) {
        GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, test->format,
                                            "width", G_TYPE_INT, width, "height", G_TYPE_INT, 37,
                                            "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
        GstBuffer *frame, *image, *result;
        GstVideoFrame in, out;
        GstCaps *out_caps;

        g_assert_true(gst_video_info_from_caps(&info, caps));
        gst_harness_set_src_caps(encoder, gst_caps_ref(caps));
        frame = make_frame(&info, (guint32)width);
        GST_BUFFER_PTS(frame) = 0;
        g_assert_cmpint(gst_harness_push(encoder, gst_buffer_ref(frame)), ==, GST_FLOW_OK);
        image = gst_harness_pull(encoder);
        g_assert_nonnull(image);

        out_caps = gst_pad_get_current_caps(encoder->sinkpad);
        gst_harness_set_src_caps(decoder, out_caps);
        g_assert_cmpint(gst_harness_push(decoder, image), ==, GST_FLOW_OK);
        result = gst_harness_pull(decoder);
        g_assert_nonnull(result);
        out_caps = gst_pad_get_current_caps(decoder->sinkpad);
        g_assert_true(gst_video_info_from_caps(&out_info, out_caps));
        gst_caps_unref(out_caps);
        g_assert_cmpint(GST_VIDEO_INFO_FORMAT(&out_info), ==, GST_VIDEO_INFO_FORMAT(&info));
        g_assert_true(gst_video_frame_map(&in, &info, frame, GST_MAP_READ));
        g_assert_true(gst_video_frame_map(&out, &out_info, result, GST_MAP_READ));
        assert_same_pixels(&in, &out, test->bytes, test->used);
        gst_video_frame_unmap(&in);
        gst_video_frame_unmap(&out);
        gst_buffer_unref(result);
        gst_buffer_unref(frame);
        gst_caps_unref(caps);
    }
    gst_harness_teardown(encoder);
    gst_harness_teardown(decoder);
}

/** One small frame, encoded, and the caps that go with it. */
static GstBuffer *make_image(const RoundTrip *test, GstCaps **image_caps)
{
    GstHarness *encoder = gst_harness_new(test->encoder);
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, test->format,
                                        "width", G_TYPE_INT, 8, "height", G_TYPE_INT, 8,
                                        "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
    GstVideoInfo info;
    GstBuffer *image;

    g_assert_true(gst_video_info_from_caps(&info, caps));
    gst_harness_set_src_caps(encoder, caps);
    gst_harness_push(encoder, make_frame(&info, 1));
    image = gst_harness_pull(encoder);
    *image_caps = gst_pad_get_current_caps(encoder->sinkpad);
    gst_harness_teardown(encoder);
    return image;
}

static void test_bad_image(gconstpointer data)
{
    const RoundTrip *test = data;
    GstHarness *decoder = gst_harness_new(test->decoder);
    GstCaps *caps;
    GstBuffer *image = make_image(test, &caps);
    guint i;

    gst_harness_set_src_caps(decoder, caps);
    for (i = 0; i < 20; i++) {
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, i * 7, NULL);

        gst_buffer_memset(buffer, 0, (guint8)(i * 29), i * 7);
        g_assert_cmpint(gst_harness_push(decoder, buffer), ==, GST_FLOW_OK);
    }
    g_assert_null(gst_harness_try_pull(decoder));
    /* As GStreamer's decoders do, ours go on with the next image. */
    g_assert_cmpint(gst_harness_push(decoder, image), ==, GST_FLOW_OK);
    gst_buffer_unref(gst_harness_pull(decoder));
    gst_harness_teardown(decoder);
}

int main(int argc, char **argv)
{
    static const RoundTrip tests[] = {
        {"spiceglzenc", "spiceglzdec", "BGRx", 4, 3},
        {"spiceglzenc", "spiceglzdec", "BGRA", 4, 4},
        {"spicelz4enc", "spicelz4dec", "BGRx", 4, 3},
        {"spicelz4enc", "spicelz4dec", "BGRA", 4, 4},
        {"spicequicenc", "spicequicdec", "BGRx", 4, 3},
        {"spicequicenc", "spicequicdec", "BGRA", 4, 4},
        {"spicequicenc", "spicequicdec", "GRAY8", 1, 1},
        {"spicelzenc", "spicelzdec", "BGRx", 4, 3},
        {"spicelzenc", "spicelzdec", "BGRA", 4, 4},
        {"spicelzenc", "spicelzdec", "GRAY8", 1, 1},
    };
    guint i;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(gst_spice_register_elements(NULL));
    for (i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path =
            g_strdup_printf("/images/%s-%s-round-trip", tests[i].encoder, tests[i].format);

        g_test_add_data_func(path, &tests[i], test_round_trip);
    }
    for (i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/images/%s-leaves-out-bad-images-%s",
                                                tests[i].decoder, tests[i].format);

        g_test_add_data_func(path, &tests[i], test_bad_image);
    }
    return g_test_run();
}
