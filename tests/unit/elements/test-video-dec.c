/* The client's decoders of video: each that this machine has shows the pictures; cards that are busy,
 * broken or asynchronous.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>
#include <math.h>

#include "gst-plugins/elements.h"
#include "gst-plugins/video/video-decoder.h"
#include "tests/unit/tap.h"
#include "video-units.h"

enum { WIDTH = 192, HEIGHT = 128, N_PICTURES = 24 };
/* Above all that a real one has. */
enum { RANK_OF_FAKES = GST_RANK_PRIMARY + 1000 };

/* Fake cards: bins around vp8dec */

typedef enum {
    IS_BUSY,
    FAILS_AT_ONCE,
    SHOWS_NOTHING,
    FAILS_LATER,
    IS_ASYNCHRONOUS,
    N_FAULTS
} Fault;

static const char *const fault_names[N_FAULTS] = {
    [IS_BUSY] = "a card that is busy",
    [FAILS_AT_ONCE] = "a card that refuses what it is given",
    [SHOWS_NOTHING] = "a card that shows nothing",
    [FAILS_LATER] = "a card that is unplugged",
    [IS_ASYNCHRONOUS] = "a card that works on a thread of its own",
};

typedef struct {
    GstBin parent;
    Fault fault;
    guint units;
} FakeDecoder;
typedef GstBinClass FakeDecoderClass;

static Fault fault_of_next;
static guint n_made, n_units;

G_DEFINE_TYPE(FakeDecoder, fake_decoder, GST_TYPE_BIN)

static GstStaticPadTemplate fake_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-vp8"));
static GstStaticPadTemplate fake_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

static GstPadProbeReturn spoil(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    FakeDecoder *self = user_data;

    n_units++;
    self->units++;
    if (self->fault == FAILS_AT_ONCE || (self->fault == FAILS_LATER && self->units > 5)) {
        gst_buffer_unref(info->data);
        info->data = NULL;
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_ERROR;
        return GST_PAD_PROBE_HANDLED;
    }
    return self->fault == SHOWS_NOTHING ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static GstStateChangeReturn fake_change_state(GstElement *element, GstStateChange transition)
{
    if (transition == GST_STATE_CHANGE_NULL_TO_READY && ((FakeDecoder *)element)->fault == IS_BUSY)
        return GST_STATE_CHANGE_FAILURE;
    return GST_ELEMENT_CLASS(fake_decoder_parent_class)->change_state(element, transition);
}

static void fake_decoder_init(FakeDecoder *self)
{
    GstElement *decoder = gst_element_factory_make("vp8dec", NULL);
    GstElement *queue = gst_element_factory_make("queue", NULL);
    GstElement *first = decoder;
    g_autoptr(GstPad) sink = NULL;
    g_autoptr(GstPad) src = gst_element_get_static_pad(decoder, "src");

    n_made++;
    self->fault = fault_of_next;
    gst_bin_add_many(GST_BIN(self), queue, decoder, NULL);
    if (self->fault == IS_ASYNCHRONOUS) {
        gst_element_link(queue, decoder);
        first = queue;
    } else {
        gst_bin_remove(GST_BIN(self), queue);
    }
    sink = gst_element_get_static_pad(first, "sink");
    gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER, spoil, self, NULL);
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("sink", sink));
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("src", src));
}

static void fake_decoder_class_init(FakeDecoderClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    element_class->change_state = fake_change_state;
    gst_element_class_add_static_pad_template(element_class, &fake_sink);
    gst_element_class_add_static_pad_template(element_class, &fake_src);
    gst_element_class_set_static_metadata(element_class, "Fake", "Codec/Decoder/Video/Hardware",
                                          "Fake", "Test");
}

/* Pictures */

/** Soft waves that move: codecs of all kinds keep them well. */
static guint8 pixel(guint x, guint y, guint channel, guint n)
{
    return (guint8)(128 + 60 * sin((x + 9.0 * n) / 25 + channel) + 60 * cos((y + 8.0 * n) / 20));
}

static GstBuffer *make_picture(guint n)
{
    const gsize size = (gsize)WIDTH * HEIGHT * 4;
    guint8 *pixels = g_malloc(size);
    gsize i;

    for (i = 0; i < size; i++)
        pixels[i] = pixel(i / 4 % WIDTH, i / 4 / WIDTH, i % 4, n);
    return gst_buffer_new_wrapped(pixels, size);
}

static double psnr(const SpicePixels *picture, guint n)
{
    double sum = 0;
    guint x, y, channel;

    if (picture->width != WIDTH || picture->height != HEIGHT)
        return 0;
    for (y = 0; y < HEIGHT; y++)
        for (x = 0; x < WIDTH; x++)
            for (channel = 0; channel < 3; channel++) {
                const double difference =
                    (double)picture->data[(gssize)y * picture->stride + x * 4 + channel] -
                    pixel(x, y, channel, n);

                sum += difference * difference;
            }
    return 10 * log10(255.0 * 255 * WIDTH * HEIGHT * 3 / MAX(sum, 1));
}

/** A key frame the first and one in the middle. */
static GPtrArray *encode(const VideoCodec *codec)
{
    return video_units_encode(codec, WIDTH, HEIGHT, N_PICTURES, N_PICTURES / 2, 6000000,
                              make_picture);
}

typedef struct {
    guint shown;         /* pictures that came */
    guint shown_at_once; /* of them: at the call of their own unit */
    guint first;         /* unit at which the first came */
    double worst_psnr;   /* of a picture and the one that it was said to be */
} Result;

static Result decode(GstSpiceVideoDecoder *decoder, GPtrArray *units)
{
    Result result = {.worst_psnr = 100, .first = G_MAXUINT};
    guint n;

    for (n = 0; n < units->len; n++) {
        gsize size;
        const guint8 *data = g_bytes_get_data(units->pdata[n], &size);
        SpicePixels picture;
        guint age;

        if (!gst_spice_video_decoder_decode(decoder, (SpiceBytes){data, size}, WIDTH, HEIGHT,
                                            &picture, &age))
            continue;
        result.first = MIN(result.first, n);
        result.shown++;
        result.shown_at_once += age == 0;
        result.worst_psnr = MIN(result.worst_psnr, age > n ? 0 : psnr(&picture, n - age));
    }
    return result;
}

/* All decoders that there are */

static void test_decoders_of(const VideoCodec *codec)
{
    g_autoptr(GPtrArray) units = encode(codec);
    GList *fit = video_units_decoders(codec), *item;

    TAP_OK(fit != NULL, "%s: there is a decoder", codec->name);
    for (item = fit; item; item = item->next) {
        GstPluginFeature *feature = item->data;
        const guint rank = gst_plugin_feature_get_rank(feature);
        g_autofree char *name = g_strdup_printf(
            "%s by %s%s", codec->name, GST_OBJECT_NAME(feature),
            gst_element_factory_list_is_type(item->data, GST_ELEMENT_FACTORY_TYPE_HARDWARE)
                ? ", of a card"
                : "");
        GstSpiceVideoDecoder *decoder;
        Result result = {0};

        gst_plugin_feature_set_rank(feature, RANK_OF_FAKES);
        decoder = gst_spice_video_decoder_new(codec->type);
        gst_plugin_feature_set_rank(feature, rank);
        if (decoder)
            result = decode(decoder, units);
        g_print("# %s: %u of %u shown, %u at once, worst PSNR %.1f dB, by %s\n", name, result.shown,
                units->len, result.shown_at_once, result.worst_psnr,
                decoder ? gst_spice_video_decoder_name(decoder) : "none");
        TAP_OK(result.shown >= N_PICTURES - 1 && result.worst_psnr > 27, "%s: shows the pictures",
               name);
        gst_spice_video_decoder_free(decoder);
    }
    gst_plugin_feature_list_free(fit);
}

/* Cards with faults */

static void test_fault(Fault fault, GPtrArray *units)
{
    const char *name = fault_names[fault];
    GstSpiceVideoDecoder *decoder;
    Result result;

    fault_of_next = fault;
    n_made = n_units = 0;
    decoder = gst_spice_video_decoder_new(SPICE_VIDEO_CODEC_TYPE_VP8);
    result = decode(decoder, units);
    g_print("# %s: %u of %u shown, the first at %u, worst PSNR %.1f dB; it got %u\n", name,
            result.shown, units->len, result.first, result.worst_psnr, n_units);
    TAP_OK(n_made == 1 && (fault == IS_BUSY) == (n_units == 0), "%s: was tried first", name);
    TAP_OK(result.worst_psnr > 27, "%s: no picture is wrong", name);
    switch (fault) {
    case IS_BUSY:
    case FAILS_AT_ONCE:
        TAP_OK(result.shown == N_PICTURES, "%s: the next one shows all", name);
        break;
    case SHOWS_NOTHING:
        TAP_OK(n_units < N_PICTURES / 2 && result.first < N_PICTURES / 2 &&
                   result.shown == N_PICTURES - result.first,
               "%s: the next one shows all from when it was given up", name);
        break;
    case FAILS_LATER:
        TAP_OK(result.first == 0 && result.shown >= 5 + N_PICTURES / 2,
               "%s: the next one goes on from the next key frame", name);
        break;
    default:
        TAP_OK(result.shown >= N_PICTURES / 3, "%s: shows pictures",
               name); /* a busy machine: not all */
    }
    gst_spice_video_decoder_free(decoder);
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) units = NULL;
    gsize i;

    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    for (i = 0; i < N_VIDEO_CODECS; i++)
        test_decoders_of(&video_codecs[i]);
    gst_element_register(NULL, "fakevp8dec", RANK_OF_FAKES, fake_decoder_get_type());
    units = encode(&video_codecs[1]);
    for (i = 0; i < N_FAULTS; i++)
        test_fault((Fault)i, units);
    gst_deinit();
    return tap_done();
}
