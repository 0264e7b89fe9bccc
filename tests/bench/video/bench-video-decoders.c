/* What a picture of 1920x1080 costs the client in each decoder that this machine has: time until it is
 * there, and the processor's own; beside the first of the processor's decoders of the same codec. Turn
 * by turn, medians.
 *
 *   bench-video-decoders [codec …]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>
#include <string.h>
#include <sys/resource.h>

#include "film.h"
#include "gst-plugins/elements.h"
#include "gst-plugins/video/video-decoder.h"
#include "tests/unit/elements/video-units.h"

enum { TILES = 3, WIDTH = TILES * FILM_WIDTH, HEIGHT = TILES * FILM_HEIGHT };
enum { N_PICTURES = 50, N_TURNS = 5, MAX_DECODERS = 16 };

typedef struct {
    GstPluginFeature *feature;
    double wall_ms[N_TURNS], cpu_ms[N_TURNS]; /* a picture */
    double start_ms[N_TURNS];                 /* until the first one, of a new decoder */
    guint shown;
    gboolean gave_up; /* another one did the work */
} Decoder;

static double cpu_now_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/** The film, nine times in a picture. */
static GstBuffer *make_picture(guint n)
{
    g_autofree guint32 *film = g_new(guint32, FILM_WIDTH * FILM_HEIGHT);
    guint32 *pixels = g_new(guint32, WIDTH * HEIGHT);
    guint y, tile;

    film_paint(film, n);
    for (y = 0; y < HEIGHT; y++)
        for (tile = 0; tile < TILES; tile++)
            memcpy(&pixels[y * WIDTH + tile * FILM_WIDTH], &film[y % FILM_HEIGHT * FILM_WIDTH],
                   FILM_WIDTH * sizeof(*film));
    return gst_buffer_new_wrapped(pixels, (gsize)WIDTH * HEIGHT * 4);
}

/** The first picture counts by itself: devices are opened then. */
static void measure(Decoder *decoder, const VideoCodec *codec, GPtrArray *units, guint turn)
{
    const guint rank = gst_plugin_feature_get_rank(decoder->feature);
    GstSpiceVideoDecoder *video;
    gint64 start_us = g_get_monotonic_time(), since_us = 0;
    double cpu = 0;
    guint n, age;

    gst_plugin_feature_set_rank(decoder->feature, GST_RANK_PRIMARY + 1000);
    video = gst_spice_video_decoder_new(codec->type);
    gst_plugin_feature_set_rank(decoder->feature, rank);
    for (n = 0; video && n < units->len; n++) {
        SpicePixels picture;
        gsize size;
        const guint8 *data = g_bytes_get_data(units->pdata[n], &size);

        decoder->shown += gst_spice_video_decoder_decode(video, (SpiceBytes){data, size}, WIDTH,
                                                         HEIGHT, &picture, &age);
        if (n == 0) {
            since_us = g_get_monotonic_time();
            decoder->start_ms[turn] = (double)(since_us - start_us) / 1000;
            cpu = cpu_now_ms();
        }
    }
    decoder->gave_up |= !video || strcmp(gst_spice_video_decoder_name(video),
                                         GST_OBJECT_NAME(decoder->feature)) != 0;
    decoder->wall_ms[turn] = (double)(g_get_monotonic_time() - since_us) / 1000 / (N_PICTURES - 1);
    decoder->cpu_ms[turn] = (cpu_now_ms() - cpu) / (N_PICTURES - 1);
    gst_spice_video_decoder_free(video);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, N_TURNS, sizeof(*values), compare);
    return values[N_TURNS / 2];
}

static void bench(const VideoCodec *codec)
{
    g_autoptr(GPtrArray) units =
        video_units_encode(codec, WIDTH, HEIGHT, N_PICTURES, 0, 20000000, make_picture);
    GList *fit = video_units_decoders(codec), *item;
    Decoder decoders[MAX_DECODERS] = {0}, *base = NULL;
    guint n = 0, turn, i;

    for (item = fit; item && n < MAX_DECODERS; item = item->next)
        decoders[n++].feature = item->data;
    for (turn = 0; turn < N_TURNS; turn++)
        for (i = 0; i < n; i++)
            measure(&decoders[i], codec, units, turn);
    for (i = 0; i < n && !base; i++)
        if (!video_units_is_of_a_card(decoders[i].feature))
            base = &decoders[i];
    for (i = 0; i < n; i++) {
        const double wall = median(decoders[i].wall_ms), cpu = median(decoders[i].cpu_ms);

        if (decoders[i].gave_up) {
            g_print("%-6s %-14s does not decode it\n", codec->name,
                    GST_OBJECT_NAME(decoders[i].feature));
            continue;
        }
        g_print("%-6s %-14s %-9s start %5.1f ms; %6.2f ms a picture, %6.2f ms of processor",
                codec->name, GST_OBJECT_NAME(decoders[i].feature),
                video_units_is_of_a_card(decoders[i].feature) ? "card" : "processor",
                median(decoders[i].start_ms), wall, cpu);
        if (base)
            g_print(" (%.2f, %.2f of %s)", wall / median(base->wall_ms), cpu / median(base->cpu_ms),
                    GST_OBJECT_NAME(base->feature));
        g_print(", %u of %u shown\n", decoders[i].shown, N_TURNS * N_PICTURES);
    }
    gst_plugin_feature_list_free(fit);
}

int main(int argc, char **argv)
{
    gsize i;
    int k;

    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    film_prepare();
    for (i = 0; i < N_VIDEO_CODECS; i++) {
        gboolean wanted = argc < 2;

        for (k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], video_codecs[i].name) == 0;
        if (wanted)
            bench(&video_codecs[i]);
    }
    return 0;
}
