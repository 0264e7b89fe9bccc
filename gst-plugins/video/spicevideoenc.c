/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicevideoenc
 * @title: spicevideoenc
 * @short_description: encodes a video stream of a SPICE display
 *
 * Encodes raw video for a stream of the display channel, one access unit for each picture and at
 * once, by the first of the pipelines for #GstSpiceVideoEnc:codec that this machine has the
 * elements for: those of the administrator's (#GstSpiceVideoEnc:pipelines, a folder below /etc), then those
 * of the library (`pipelines/video-*.launch`). Nothing that a user may write to decides what runs in a
 * virtual machine's host. An encoder that is there but does not start, as one of a graphics card that is
 * busy, is passed over without a word.
 *
 * #GstSpiceVideoEnc:bitrate may change at any time. A key frame is made for a force-key-unit event.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! spicevideoenc codec=vp8 bitrate=1000000 ! fakesink
 * ]|
 */
#include "spicevideoenc.h"

#include <gst/gst.h>

#include "encoder-texts.h"

GST_DEBUG_CATEGORY_STATIC(spicevideoenc_debug);
#define GST_CAT_DEFAULT spicevideoenc_debug

#define DEFAULT_CODEC "vp8"
enum { DEFAULT_BITRATE = 2000000 };
enum { PROP_0, PROP_CODEC, PROP_BITRATE, PROP_PIPELINES };

struct _GstSpiceVideoEnc {
    GstBin parent_instance;
    char *codec, *pipelines;
    guint bitrate; /* bits a second */
    GstPad *sink, *src;
    GstElement *chain; /* the bin's; NULL until it is needed */
};

G_DEFINE_FINAL_TYPE(GstSpiceVideoEnc, gst_spice_video_enc, GST_TYPE_BIN)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("image/jpeg; video/x-vp8; video/x-vp9; "
                    "video/x-h264, stream-format = (string) byte-stream, alignment = (string) au; "
                    "video/x-h265, stream-format = (string) byte-stream, alignment = (string) au"));

/* Pipelines */

/** V4L2's encoders have their rate among other settings of the driver's. */
static void set_rate_of_controls(GstElement *encoder, guint bits)
{
    g_autoptr(GstStructure) controls = NULL;

    g_object_get(encoder, "extra-controls", &controls, NULL);
    if (!controls)
        controls = gst_structure_new_empty("controls");
    gst_structure_set(controls, "video_bitrate", G_TYPE_INT, (gint)bits, NULL);
    g_object_set(encoder, "extra-controls", controls, NULL);
}

static void set_rate(GstElement *chain, guint bits)
{
    static const struct {
        const char *name;
        guint unit;
    } names[] = {{"encoder-bits", 1}, {"encoder-kbits", 1000}};
    g_autoptr(GstElement) with_controls = gst_bin_get_by_name(GST_BIN(chain), "encoder-controls");
    guint i;

    if (with_controls)
        set_rate_of_controls(with_controls, bits);
    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GstElement) encoder = gst_bin_get_by_name(GST_BIN(chain), names[i].name);
        g_autofree char *value = g_strdup_printf("%u", MAX(bits / names[i].unit, 1));

        if (encoder)
            gst_util_set_object_arg(
                G_OBJECT(encoder),
                g_object_class_find_property(G_OBJECT_GET_CLASS(encoder), "target-bitrate")
                    ? "target-bitrate"
                    : "bitrate",
                value);
    }
}

/** A bin of the pipeline in READY, so that it is known to start; NULL if it does not, or if an
 * element is not there. */
static GstElement *try_pipeline(const char *text, guint bitrate)
{
    g_autoptr(GError) error = NULL;
    GstElement *chain =
        gst_parse_bin_from_description_full(text, TRUE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);

    if (!chain || error) {
        GST_INFO("not possible: %s", error ? error->message : text);
        g_clear_object(&chain);
        return NULL;
    }
    set_rate(chain, bitrate);
    if (gst_element_set_state(chain, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE)
        return chain;
    GST_INFO("does not start: %s", text);
    gst_element_set_state(chain, GST_STATE_NULL);
    gst_object_unref(gst_object_ref_sink(chain));
    return NULL;
}

static GstElement *find_pipeline(const char *folder, const char *codec, guint bitrate)
{
    g_auto(GStrv) texts = gst_spice_encoder_texts(folder, codec);
    GstElement *chain = NULL;
    guint i;

    for (i = 0; texts[i] && !chain; i++)
        chain = try_pipeline(texts[i], bitrate);
    return chain;
}

gboolean gst_spice_video_enc_is_possible(const char *codec)
{
    GstElement *chain = find_pipeline(GST_SPICE_PIPELINES_DIR, codec, DEFAULT_BITRATE);

    if (!chain)
        return FALSE;
    gst_element_set_state(chain, GST_STATE_NULL);
    gst_object_unref(gst_object_ref_sink(chain));
    return TRUE;
}

static gboolean build(GstSpiceVideoEnc *self)
{
    g_autoptr(GstPad) sink = NULL;
    g_autoptr(GstPad) src = NULL;

    if (self->chain)
        return TRUE;
    self->chain = find_pipeline(self->pipelines, self->codec, self->bitrate);
    if (!self->chain) {
        GST_ELEMENT_ERROR(self, STREAM, CODEC_NOT_FOUND,
                          ("There is no encoder for %s.", self->codec), (NULL));
        return FALSE;
    }
    gst_bin_add(GST_BIN(self), self->chain);
    sink = gst_element_get_static_pad(self->chain, "sink");
    src = gst_element_get_static_pad(self->chain, "src");
    return gst_ghost_pad_set_target(GST_GHOST_PAD(self->sink), sink) &&
           gst_ghost_pad_set_target(GST_GHOST_PAD(self->src), src);
}

static GstStateChangeReturn gst_spice_video_enc_change_state(GstElement *element,
                                                             GstStateChange transition)
{
    if (transition == GST_STATE_CHANGE_NULL_TO_READY && !build(GST_SPICE_VIDEO_ENC(element)))
        return GST_STATE_CHANGE_FAILURE;
    return GST_ELEMENT_CLASS(gst_spice_video_enc_parent_class)->change_state(element, transition);
}

/* Object */

static void gst_spice_video_enc_set_property(GObject *object, guint id, const GValue *value,
                                             GParamSpec *pspec)
{
    GstSpiceVideoEnc *self = GST_SPICE_VIDEO_ENC(object);

    if (id == PROP_CODEC) {
        g_free(self->codec);
        self->codec = g_value_dup_string(value);
    } else if (id == PROP_PIPELINES) {
        g_free(self->pipelines);
        self->pipelines = g_value_dup_string(value);
    } else if (id == PROP_BITRATE) {
        self->bitrate = g_value_get_uint(value);
        if (self->chain)
            set_rate(self->chain, self->bitrate);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_video_enc_get_property(GObject *object, guint id, GValue *value,
                                             GParamSpec *pspec)
{
    GstSpiceVideoEnc *self = GST_SPICE_VIDEO_ENC(object);

    if (id == PROP_CODEC)
        g_value_set_string(value, self->codec);
    else if (id == PROP_PIPELINES)
        g_value_set_string(value, self->pipelines);
    else if (id == PROP_BITRATE)
        g_value_set_uint(value, self->bitrate);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_video_enc_finalize(GObject *object)
{
    g_free(GST_SPICE_VIDEO_ENC(object)->codec);
    g_free(GST_SPICE_VIDEO_ENC(object)->pipelines);
    G_OBJECT_CLASS(gst_spice_video_enc_parent_class)->finalize(object);
}

static GstPad *add_pad(GstSpiceVideoEnc *self, GstStaticPadTemplate *static_template)
{
    GstPadTemplate *template = gst_static_pad_template_get(static_template);
    GstPad *pad =
        gst_ghost_pad_new_no_target_from_template(static_template->name_template, template);

    gst_object_unref(template);
    gst_element_add_pad(GST_ELEMENT(self), pad);
    return pad;
}

static void gst_spice_video_enc_init(GstSpiceVideoEnc *self)
{
    self->codec = g_strdup(DEFAULT_CODEC);
    self->pipelines = g_strdup(GST_SPICE_PIPELINES_DIR);
    self->bitrate = DEFAULT_BITRATE;
    self->sink = add_pad(self, &sink_template);
    self->src = add_pad(self, &src_template);
}

static void gst_spice_video_enc_class_init(GstSpiceVideoEncClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

    GST_DEBUG_CATEGORY_INIT(spicevideoenc_debug, "spicevideoenc", 0, "SPICE video encoder");

    object_class->set_property = gst_spice_video_enc_set_property;
    object_class->get_property = gst_spice_video_enc_get_property;
    object_class->finalize = gst_spice_video_enc_finalize;
    element_class->change_state = gst_spice_video_enc_change_state;
    g_object_class_install_property(
        object_class, PROP_CODEC,
        g_param_spec_string("codec", "Codec", "mjpeg, vp8, vp9, h264 or h265", DEFAULT_CODEC,
                            flags | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_BITRATE,
        g_param_spec_uint("bitrate", "Bit rate", "Bits a second that are aimed at", 1000, G_MAXINT,
                          DEFAULT_BITRATE, flags | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        object_class, PROP_PIPELINES,
        g_param_spec_string("pipelines", "Pipelines",
                            "Folder of files video-CODEC*.launch, each line a pipeline that is "
                            "tried before those of the library; NULL: none",
                            GST_SPICE_PIPELINES_DIR, flags | GST_PARAM_MUTABLE_READY));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE video encoder", "Codec/Encoder/Video",
        "Encodes a video stream of a SPICE display", "The gst-spice developers");
}
