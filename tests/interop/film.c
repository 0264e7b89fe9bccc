/* A desktop on which a film plays, served by spicesink, for tests of video streams.
 *
 *     film [PROPERTY=VALUE...]      properties of spicesink
 *     film x11                      the film alone, in a window of the X server
 *     film pictures                 the film alone, shown nowhere: for the command "frame"
 *
 * Text stands around a film of 320 x 240 at (160, 120) of a desktop of 640 x 480. Each of its frames
 * bears its number in its top 20 rows: 16 boxes, the highest bit first, white for 1. Prints
 * "port N", then takes commands from its standard input and answers each with "ok":
 *
 *     play            25 frames a second from here on
 *     stop            none any more; the last one stays
 *     overlay 0|1     a window of text over the film's lower right corner
 *     save FILE       writes what should be seen as PPM
 *     codecs LIST     changes the property video-codecs
 *     frame N FILE    writes what should be seen with frame N
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { WIDTH = 640, HEIGHT = 480, FILM_X = 160, FILM_Y = 120, FILM_WIDTH = 320, FILM_HEIGHT = 240 };
enum { BOX = 20, N_BITS = 16, FRAME_US = 40000 };

static GMutex lock;
static gboolean plays, overlay, ended, alone;
static guint number;
static GstElement *source, *sink;

static guint32 text_pixel(gint x, gint y)
{
    const guint32 cell = (guint32)(x / 8) * 2654435761u ^ (guint32)(y / 16) * 40503u;
    const guint32 glyph = cell ^ cell >> 13;

    return (glyph >> ((x % 8) + (y % 16 / 2) * 3) % 29) & 1 && y % 16 > 2 ? 0x202020 : 0xf4f4f0;
}

static guint32 shade(double value)
{
    return (guint32)(128 + 100 * sin(value));
}

static guint32 film_pixel(gint x, gint y, guint n)
{
    if (y < BOX)
        return n >> (N_BITS - 1 - x * N_BITS / FILM_WIDTH) & 1 ? 0xffffff : 0;
    return shade((x + n * 3.0) / 40) << 16 | shade((y - n * 2.0) / 30) << 8 |
           shade((x + y + n) / 50.0);
}

static gint shown_width(void)
{
    return alone ? FILM_WIDTH : WIDTH;
}

static gint shown_height(void)
{
    return alone ? FILM_HEIGHT : HEIGHT;
}

static void paint(guint32 *pixels, guint n, gboolean with_overlay)
{
    gint x, y;

    for (y = 0; y < shown_height(); y++)
        for (x = 0; x < shown_width(); x++) {
            const gint fx = alone ? x : x - FILM_X, fy = alone ? y : y - FILM_Y;
            const gboolean in_film = fx >= 0 && fx < FILM_WIDTH && fy >= 0 && fy < FILM_HEIGHT;

            pixels[y * shown_width() + x] =
                in_film && !(with_overlay && fx >= FILM_WIDTH / 2 && fy >= FILM_HEIGHT / 2)
                    ? film_pixel(fx, fy, n)
                    : text_pixel(x, y);
        }
}

static void push(guint n, gboolean with_overlay)
{
    const gsize size = (gsize)shown_width() * (gsize)shown_height();
    guint32 *pixels = g_new(guint32, size);

    paint(pixels, n, with_overlay);
    gst_app_src_push_buffer(GST_APP_SRC(source),
                            gst_buffer_new_wrapped(pixels, size * sizeof(guint32)));
}

static gpointer play(gpointer data)
{
    gint64 due = g_get_monotonic_time();
    gboolean goes_on = TRUE;

    while (goes_on) {
        guint n;
        gboolean with_overlay, is_new;
        gint64 now;

        g_mutex_lock(&lock);
        /* What captures the desktop sees that nothing changes; an X server would draw it again. */
        is_new = plays || !alone || number == 0;
        number += plays;
        n = number;
        with_overlay = overlay;
        goes_on = !ended;
        g_mutex_unlock(&lock);
        if (is_new)
            push(n, with_overlay);
        due += FRAME_US;
        now = g_get_monotonic_time();
        if (due > now)
            g_usleep((gulong)(due - now));
        else
            due = now; /* it was held up: frames are not made up for */
    }
    return NULL;
}

static void save(const char *path, guint n, gboolean with_overlay)
{
    const gint size = shown_width() * shown_height();
    guint32 *pixels = g_new(guint32, (gsize)size);
    FILE *file = fopen(path, "wb");
    gint i;

    paint(pixels, n, with_overlay);
    fprintf(file, "P6\n%d %d\n255\n", shown_width(), shown_height());
    for (i = 0; i < size; i++) {
        const guint8 rgb[3] = {(guint8)(pixels[i] >> 16), (guint8)(pixels[i] >> 8),
                               (guint8)pixels[i]};

        fwrite(rgb, 1, 3, file);
    }
    fclose(file);
    g_free(pixels);
}

static void obey(const char *command)
{
    char path[256];
    guint n;

    g_mutex_lock(&lock);
    if (strcmp(command, "play") == 0)
        plays = TRUE;
    else if (strcmp(command, "stop") == 0)
        plays = FALSE;
    else if (sscanf(command, "overlay %u", &n) == 1)
        overlay = n != 0;
    else if (sscanf(command, "codecs %255s", path) == 1)
        g_object_set(sink, "video-codecs", path, NULL);
    else if (sscanf(command, "frame %u %255s", &n, path) == 2)
        save(path, n, overlay);
    else if (sscanf(command, "save %255s", path) == 1)
        save(path, number, overlay);
    else
        g_printerr("no such command: %s\n", command);
    g_mutex_unlock(&lock);
    puts("ok");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *sink_name = "spicesink";
    GstElement *pipeline;
    char line[300];
    GThread *thread;
    gint port = 0, i;
    GstCaps *caps;

    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    pipeline = gst_pipeline_new(NULL);
    source = gst_element_factory_make("appsrc", NULL);
    if (argc > 1 && strcmp(argv[1], "x11") == 0)
        sink_name = "ximagesink";
    else if (argc > 1 && strcmp(argv[1], "pictures") == 0)
        sink_name = "fakesink";
    alone = !g_str_equal(sink_name, "spicesink");
    sink = gst_element_factory_make(sink_name, NULL);
    caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT,
                               shown_width(), "height", G_TYPE_INT, shown_height(), "framerate",
                               GST_TYPE_FRACTION, 25, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1,
                               1, NULL);
    g_object_set(source, "caps", caps, "is-live", TRUE, "do-timestamp", TRUE, "format",
                 GST_FORMAT_TIME, "block", TRUE, NULL);
    gst_caps_unref(caps);
    g_object_set(sink, "sync", FALSE, NULL);
    if (!alone)
        g_object_set(sink, "address", "127.0.0.1", NULL);
    for (i = alone ? 2 : 1; i < argc; i++) {
        char **parts = g_strsplit(argv[i], "=", 2);

        gst_util_set_object_arg(G_OBJECT(sink), parts[0], parts[1]);
        g_strfreev(parts);
    }
    gst_bin_add_many(GST_BIN(pipeline), source, sink, NULL);
    gst_element_link(source, sink);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    if (!alone)
        g_object_get(sink, "port", &port, NULL);
    printf("port %d\n", port);
    fflush(stdout);
    thread = g_thread_new("film", play, NULL);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    g_mutex_lock(&lock);
    ended = TRUE;
    g_mutex_unlock(&lock);
    g_thread_join(thread);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return 0;
}
