/* spicevideoenc: a picture in, an access unit out, in each codec that there is an encoder for; key frames
 * when they are asked for; encoders that are there but do not start, or do not even fit their text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { WIDTH = 192, HEIGHT = 128, N_PICTURES = 12 };

static int n_tests, n_failed;

static void ok(gboolean condition, const char *name, const char *detail)
{
    g_print("%sok %d - %s: %s\n", condition ? "" : "not ", ++n_tests, detail, name);
    n_failed += !condition;
}

/* A fake encoder of a graphics card */

enum { PROP_0, PROP_RATE_CONTROL, PROP_TARGET_USAGE, PROP_B_FRAMES, PROP_REF_FRAMES, PROP_AUD };

typedef GstElement FakeEncoder;
typedef GstElementClass FakeEncoderClass;

static guint n_fakes_made, n_fakes_started;

G_DEFINE_TYPE(FakeEncoder, fake_encoder, GST_TYPE_ELEMENT)

static GstStaticPadTemplate fake_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));
static GstStaticPadTemplate fake_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264"));

/** Its device is busy. */
static GstStateChangeReturn fake_change_state(GstElement *element, GstStateChange transition)
{
    if (transition != GST_STATE_CHANGE_NULL_TO_READY)
        return GST_ELEMENT_CLASS(fake_encoder_parent_class)->change_state(element, transition);
    n_fakes_started++;
    return GST_STATE_CHANGE_FAILURE;
}

static void fake_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void fake_encoder_init(FakeEncoder *self)
{
    n_fakes_made++;
    gst_element_add_pad(self, gst_pad_new_from_static_template(&fake_sink, "sink"));
    gst_element_add_pad(self, gst_pad_new_from_static_template(&fake_src, "src"));
}

static void fake_encoder_class_init(FakeEncoderClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    klass->change_state = fake_change_state;
    object_class->set_property = fake_set_property;
    g_object_class_install_property(
        object_class, PROP_RATE_CONTROL,
        g_param_spec_string("rate-control", NULL, NULL, NULL, G_PARAM_WRITABLE));
    g_object_class_install_property(
        object_class, PROP_TARGET_USAGE,
        g_param_spec_uint("target-usage", NULL, NULL, 0, 100, 0, G_PARAM_WRITABLE));
    g_object_class_install_property(
        object_class, PROP_B_FRAMES,
        g_param_spec_uint("b-frames", NULL, NULL, 0, 100, 0, G_PARAM_WRITABLE));
    g_object_class_install_property(
        object_class, PROP_REF_FRAMES,
        g_param_spec_uint("ref-frames", NULL, NULL, 0, 100, 0, G_PARAM_WRITABLE));
    g_object_class_install_property(
        object_class, PROP_AUD, g_param_spec_boolean("aud", NULL, NULL, FALSE, G_PARAM_WRITABLE));
    g_object_class_install_property(
        object_class, PROP_AUD + 1,
        g_param_spec_uint("bitrate", NULL, NULL, 0, 1 << 30, 0, G_PARAM_WRITABLE));
    gst_element_class_add_static_pad_template(klass, &fake_sink);
    gst_element_class_add_static_pad_template(klass, &fake_src);
    gst_element_class_set_static_metadata(klass, "Fake", "Codec/Encoder/Video/Hardware", "Fake",
                                          "Test");
}

/* Pictures */

static GstBuffer *make_picture(guint n)
{
    const gsize size = (gsize)WIDTH * HEIGHT * 4;
    guint8 *pixels = g_malloc(size);
    gsize i;

    for (i = 0; i < size; i++)
        pixels[i] = (guint8)(i / 4 % WIDTH + i / 4 / WIDTH * 2 + i % 4 * 40 + n * 3);
    return gst_buffer_new_wrapped(pixels, size);
}

static GstHarness *open_encoder(const char *codec)
{
    g_autofree char *text = g_strdup_printf("spicevideoenc codec=%s bitrate=400000", codec);
    GstHarness *harness = gst_harness_new_parse(text);

    gst_harness_set_src_caps_str(harness, "video/x-raw, format=BGRx, width=192, height=128, "
                                          "framerate=25/1, pixel-aspect-ratio=1/1");
    return harness;
}

static void test_codec(const char *codec)
{
    GstHarness *harness = open_encoder(codec);
    guint n, at_once = 0, keys = 0;
    gsize bytes = 0;

    for (n = 0; n < N_PICTURES; n++) {
        GstBuffer *picture = make_picture(n), *unit;

        GST_BUFFER_PTS(picture) = n * 40 * GST_MSECOND;
        if (n == N_PICTURES / 2)
            gst_harness_push_event(harness, gst_video_event_new_downstream_force_key_unit(
                                                GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                                                GST_CLOCK_TIME_NONE, TRUE, 0));
        gst_harness_push(harness, picture);
        unit = gst_harness_try_pull(harness);
        if (!unit)
            continue;
        at_once++;
        bytes += gst_buffer_get_size(unit);
        if (!GST_BUFFER_FLAG_IS_SET(unit, GST_BUFFER_FLAG_DELTA_UNIT) &&
            (n == 0 || n == N_PICTURES / 2))
            keys++;
        gst_buffer_unref(unit);
    }
    ok(at_once == N_PICTURES && bytes > 0 && bytes < N_PICTURES * WIDTH * HEIGHT,
       "each picture comes out at once, and smaller", codec);
    ok(keys == 2, "key frames come first, and when they are asked for", codec);
    gst_harness_teardown(harness);
}

static void test_unknown(void)
{
    GstElement *encoder = gst_element_factory_make("spicevideoenc", NULL);

    g_object_set(encoder, "codec", "nonsense", NULL);
    ok(gst_element_set_state(encoder, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE,
       "a codec that there is not is an error", "nonsense");
    gst_element_set_state(encoder, GST_STATE_NULL);
    gst_object_unref(gst_object_ref_sink(encoder));
}

int main(int argc, char **argv)
{
    static const char *const codecs[] = {"mjpeg", "vp8", "vp9", "h264", "h265"};
    gsize i;

    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    for (i = 0; i < G_N_ELEMENTS(codecs); i++)
        test_codec(codecs[i]);
    test_unknown();
    /* A card whose encoder does not start, and one whose encoder is another than it was. */
    gst_element_register(NULL, "vah264enc", GST_RANK_PRIMARY + 100, fake_encoder_get_type());
    gst_element_register(NULL, "nvh264enc", GST_RANK_PRIMARY + 100, fake_encoder_get_type());
    test_codec("h264");
    ok(n_fakes_made >= 1 && n_fakes_started == 1, "encoders of cards were tried, and passed over",
       "h264");
    g_print("1..%d\n", n_tests);
    gst_deinit();
    return n_failed > 0;
}
