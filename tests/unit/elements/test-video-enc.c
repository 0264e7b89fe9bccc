/* spicevideoenc: a picture in, an access unit out, in each codec that there is an encoder for; key frames
 * when they are asked for; encoders that are there but do not start, or do not even fit their text, or work
 * on a thread of their own; pipelines of the administrator's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <string.h>

#include <glib/gstdio.h>

#include "core/wire/display.h"
#include "gst-plugins/elements.h"
#include "gst-plugins/video/encoder-pipeline.h"
#include "gst-plugins/video/encoder-texts.h"

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

/* A fake encoder of V4L2's: vp8enc on a thread of its own */

enum { PROP_EXTRA_CONTROLS = 1 };

typedef struct {
    GstBin parent;
    GstElement *encoder;
    GstStructure *controls;
} ThreadedEncoder;
typedef GstBinClass ThreadedEncoderClass;

static guint n_threaded_made;

G_DEFINE_TYPE(ThreadedEncoder, threaded_encoder, GST_TYPE_BIN)

static void threaded_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    ThreadedEncoder *self = (ThreadedEncoder *)object;
    gint rate;

    g_clear_pointer(&self->controls, gst_structure_free);
    self->controls = g_value_dup_boxed(value);
    if (self->controls && gst_structure_get_int(self->controls, "video_bitrate", &rate))
        g_object_set(self->encoder, "target-bitrate", rate, NULL);
}

static void threaded_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_boxed(value, ((ThreadedEncoder *)object)->controls);
}

static void threaded_finalize(GObject *object)
{
    g_clear_pointer(&((ThreadedEncoder *)object)->controls, gst_structure_free);
    G_OBJECT_CLASS(threaded_encoder_parent_class)->finalize(object);
}

static void threaded_encoder_init(ThreadedEncoder *self)
{
    GstElement *queue = gst_element_factory_make("queue", NULL);
    g_autoptr(GstPad) sink = gst_element_get_static_pad(queue, "sink");
    g_autoptr(GstPad) src = NULL;

    n_threaded_made++;
    self->encoder = gst_element_factory_make("vp8enc", NULL);
    src = gst_element_get_static_pad(self->encoder, "src");
    gst_util_set_object_arg(G_OBJECT(self->encoder), "deadline", "1");
    gst_bin_add_many(GST_BIN(self), queue, self->encoder, NULL);
    gst_element_link(queue, self->encoder);
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("sink", sink));
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("src", src));
}

static GstStaticPadTemplate threaded_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-vp8"));

static void threaded_encoder_class_init(ThreadedEncoderClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    object_class->set_property = threaded_set_property;
    object_class->get_property = threaded_get_property;
    object_class->finalize = threaded_finalize;
    g_object_class_install_property(
        object_class, PROP_EXTRA_CONTROLS,
        g_param_spec_boxed("extra-controls", NULL, NULL, GST_TYPE_STRUCTURE, G_PARAM_READWRITE));
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &fake_sink);
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &threaded_src);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Fake",
                                          "Codec/Encoder/Video/Hardware", "Fake", "Test");
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

/** As a server's stream does it. */
static void test_threaded(void)
{
    const GstSpiceVideoSettings settings = {.bit_rate = 400000, .fps_milli = 25000};
    GstSpiceEncoderPipeline *pipeline =
        gst_spice_encoder_pipeline_new(SPICE_VIDEO_CODEC_TYPE_VP8, WIDTH, HEIGHT);
    guint n, units = 0;
    gboolean begins_with_key = FALSE;

    for (n = 0; n < N_PICTURES; n++) {
        GstBuffer *picture = make_picture(n);
        GstMapInfo map;
        GBytes *unit;

        gst_buffer_map(picture, &map, GST_MAP_READ);
        unit = gst_spice_encoder_pipeline_encode(pipeline, map.data, WIDTH * 4,
                                                 (guint64)n * 40 * 1000, &settings);
        gst_buffer_unmap(picture, &map);
        gst_buffer_unref(picture);
        if (!unit)
            continue;
        if (units++ == 0) /* the first bit of VP8's says whether it is none */
            begins_with_key = (((const guint8 *)g_bytes_get_data(unit, NULL))[0] & 1) == 0;
        g_bytes_unref(unit);
    }
    g_print("# %u units of %u pictures\n", units, N_PICTURES);
    ok(n_threaded_made > 0, "was chosen", "an encoder on a thread of its own");
    ok(units >= N_PICTURES / 2 && begins_with_key, "gives units, a key frame first",
       "an encoder on a thread of its own");
    gst_spice_encoder_pipeline_free(pipeline);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_file_set_contents(path, text, -1, NULL);
}

static void remove_folder(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
}

/** As in a process without a registry. */
static void forget_plugin(const char *name)
{
    GstPlugin *plugin = gst_registry_find_plugin(gst_registry_get(), name);

    if (plugin)
        gst_registry_remove_plugin(gst_registry_get(), plugin);
    gst_clear_object(&plugin);
}

static gboolean knows_plugin(const char *name)
{
    g_autoptr(GstPlugin) plugin = gst_registry_find_plugin(gst_registry_get(), name);

    return plugin != NULL;
}

/** Which of the administrator's is taken, and that those of the library come after. */
static void test_folder(void)
{
    g_autofree char *folder = g_dir_make_tmp("pipelines-XXXXXX", NULL);
    g_autofree char *large = g_strnfill(70 * 1024, 'x');
    g_auto(GStrv) own = gst_spice_encoder_texts(NULL, "vp8");
    g_auto(GStrv) texts = NULL;
    GstElement *encoder = gst_element_factory_make("spicevideoenc", NULL), *found;

    write_file(folder, "video-vp8-b.launch", "videoconvert ! vp8enc name=second deadline=1\n");
    write_file(folder, "video-vp8.launch",
               "  # load: audiotestsrc ../../etc nonsense \n# a comment\n\nno-such-element\n"
               "videoconvert ! vp8enc name=third deadline=1\n");
    write_file(folder, "video-vp8-a.launch", large);
    write_file(folder, "video-vp80.launch", "wrong codec");
    write_file(folder, "video-vp9.launch", "wrong codec");
    write_file(folder, "video-vp8.txt", "wrong name");
    forget_plugin("audiotestsrc");
    ok(!knows_plugin("audiotestsrc"), "a plug-in is not known", "a folder");
    texts = gst_spice_encoder_texts(folder, "vp8");
    ok(g_strv_length(texts) == g_strv_length(own) + 3 && strstr(texts[0], "second") &&
           strcmp(texts[1], "no-such-element") == 0 && strstr(texts[2], "third") &&
           strcmp(texts[3], own[0]) == 0,
       "files of the codec are read in their order, those of the library last", "a folder");
    ok(knows_plugin("audiotestsrc"), "it is loaded, as a file names it", "a folder");
    g_object_set(encoder, "pipelines", folder, "codec", "vp8", NULL);
    ok(gst_element_set_state(encoder, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS, "starts",
       "a folder");
    found = gst_bin_get_by_name(GST_BIN(encoder), "second");
    ok(found != NULL, "the first that starts encodes", "a folder");
    gst_clear_object(&found);
    gst_element_set_state(encoder, GST_STATE_NULL);
    gst_object_unref(gst_object_ref_sink(encoder));
    remove_folder(folder);
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
    test_folder();
    gst_element_register(NULL, "v4l2vp8enc", GST_RANK_PRIMARY + 100, threaded_encoder_get_type());
    test_threaded();
    g_print("1..%d\n", n_tests);
    gst_deinit();
    return n_failed > 0;
}
