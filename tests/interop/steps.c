/* A desktop that changes on command, served by spicesink, for tests of clients.
 *
 *     steps [--displays N] [PROPERTY=VALUE...]      properties of spicesink
 *
 * Prints "port N", then takes commands from its standard input and answers each with "ok":
 *
 *     step N MS       makes N changes to each display, and waits MS milliseconds after each
 *     size W H        gives each display another size
 *     save FILE       writes the first display as it should be seen as PPM, the second to FILE.1,
 * ... stats           prints the sink's statistics before "ok"
 *
 * Changes are text, gradients, photos (noise over gradients), areas of one colour, scrolls, and
 * pictures that were there before.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { MAX_DISPLAYS = 4, PICTURE_WIDTH = 160, PICTURE_HEIGHT = 96, N_PICTURES = 6 };

typedef struct {
    gint width, height;
    guint32 *pixels;
    GstElement *source;
} Display;

static Display displays[MAX_DISPLAYS];
static gint n_displays = 1;
static guint32 pictures[N_PICTURES][PICTURE_WIDTH * PICTURE_HEIGHT];
static GRand *chance;

static const GOptionEntry entries[] = {
    {"displays", 0, 0, G_OPTION_ARG_INT, &n_displays, "how many displays", "N"}, {NULL}};

/* Changes */

static gint below(gint n)
{
    return g_rand_int_range(chance, 0, n);
}

static guint32 text_pixel(gint x, gint y, guint32 seed)
{
    const guint32 cell = ((guint32)(x / 8) * 2654435761u ^ (guint32)(y / 16) * 40503u) + seed;
    const guint32 glyph = cell ^ cell >> 13;

    return (glyph >> ((x % 8) + (y % 16 / 2) * 3) % 29) & 1 && y % 16 > 2 ? 0x202020 : 0xf4f4f0;
}

static guint32 gradient_pixel(gint x, gint y, guint32 seed)
{
    return ((guint32)(x + (gint)seed) & 0xff) << 16 | ((guint32)(y * 2) & 0xff) << 8 |
           ((guint32)(x + y) & 0xff);
}

static guint32 photo_pixel(gint x, gint y, guint32 seed)
{
    const guint32 noise = g_rand_int(chance) & 0x0f0f0f;

    return (gradient_pixel(x / 2, y / 2, seed) & 0xf0f0f0) + noise;
}

typedef guint32 (*Pattern)(gint x, gint y, guint32 seed);

static const Pattern patterns[] = {text_pixel, gradient_pixel, photo_pixel};

static void draw(Display *self, gint x0, gint y0, gint w, gint h, Pattern pattern)
{
    const guint32 seed = g_rand_int(chance);
    gint x, y;

    for (y = 0; y < h && y0 + y < self->height; y++)
        for (x = 0; x < w && x0 + x < self->width; x++)
            self->pixels[(y0 + y) * self->width + x0 + x] = pattern(x, y, seed);
}

static void fill(Display *self, gint x0, gint y0, gint w, gint h)
{
    const guint32 color = g_rand_int(chance) & 0xffffff;
    gint x, y;

    for (y = y0; y < MIN(y0 + h, self->height); y++)
        for (x = x0; x < MIN(x0 + w, self->width); x++)
            self->pixels[y * self->width + x] = color;
}

/** One of the pictures that come again and again, at one of few places. */
static void show_picture(Display *self)
{
    const guint32 *picture = pictures[below(N_PICTURES)];
    const gint x0 = 32 * below(8), y0 = 32 * below(6);
    gint x, y;

    for (y = 0; y < PICTURE_HEIGHT && y0 + y < self->height; y++)
        for (x = 0; x < PICTURE_WIDTH && x0 + x < self->width; x++)
            self->pixels[(y0 + y) * self->width + x0 + x] = picture[y * PICTURE_WIDTH + x];
}

static void scroll(Display *self)
{
    const gint by = 16 * self->width, all = self->width * self->height;

    if (self->height <= 16)
        return;
    memmove(self->pixels, self->pixels + by, (gsize)(all - by) * sizeof(guint32));
    draw(self, 0, self->height - 16, self->width, 16, text_pixel);
}

static void change(Display *self)
{
    const gint x = below(self->width), y = below(self->height);

    switch (below(8)) {
    case 0:
        fill(self, x, y, 20 + below(200), 20 + below(100));
        break;
    case 1:
    case 2:
        scroll(self);
        break;
    case 3:
    case 4:
        show_picture(self);
        break;
    default:
        draw(self, x, y, 20 + below(300), 20 + below(200), patterns[below(3)]);
    }
}

static void make_pictures(void)
{
    guint i;
    gint x, y;

    for (i = 0; i < N_PICTURES; i++)
        for (y = 0; y < PICTURE_HEIGHT; y++)
            for (x = 0; x < PICTURE_WIDTH; x++)
                pictures[i][y * PICTURE_WIDTH + x] = patterns[i % 3](x, y, i);
}

/* Showing */

static void set_size(Display *self, gint width, gint height)
{
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT, width, "height",
        G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);

    self->width = width;
    self->height = height;
    g_free(self->pixels);
    self->pixels = g_new0(guint32, width * height);
    draw(self, 0, 0, width, height, gradient_pixel);
    gst_app_src_set_caps(GST_APP_SRC(self->source), caps);
}

static void show(Display *self)
{
    const gsize size = (gsize)self->width * (gsize)self->height * 4;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);

    gst_buffer_fill(buffer, 0, self->pixels, size);
    gst_app_src_push_buffer(GST_APP_SRC(self->source), buffer);
}

static void save(const Display *self, const char *path)
{
    FILE *file = fopen(path, "wb");
    gint i;

    if (!file)
        return;
    fprintf(file, "P6\n%d %d\n255\n", self->width, self->height);
    for (i = 0; i < self->width * self->height; i++) {
        const guint32 pixel = self->pixels[i];
        const guint8 rgb[3] = {(guint8)(pixel >> 16), (guint8)(pixel >> 8), (guint8)pixel};

        fwrite(rgb, 1, 3, file);
    }
    fclose(file);
}

/* Commands */

static void step(gint n, gint ms)
{
    gint i, d;

    for (i = 0; i < n; i++) {
        for (d = 0; d < n_displays; d++) {
            change(&displays[d]);
            show(&displays[d]);
        }
        g_usleep((gulong)ms * 1000);
    }
}

static void obey(const char *line, GstElement *sink)
{
    gint a, b, d;
    char path[1024];

    if (sscanf(line, "step %d %d", &a, &b) == 2) {
        step(a, b);
    } else if (sscanf(line, "size %d %d", &a, &b) == 2) {
        for (d = 0; d < n_displays; d++) {
            set_size(&displays[d], a, b);
            show(&displays[d]);
        }
    } else if (sscanf(line, "save %1000s", path) == 1) {
        for (d = 0; d < n_displays; d++) {
            g_autofree char *name = d ? g_strdup_printf("%s.%d", path, d) : g_strdup(path);

            save(&displays[d], name);
        }
    } else if (g_str_has_prefix(line, "stats")) {
        GstStructure *stats;
        g_autofree char *text = NULL;

        g_object_get(sink, "stats", &stats, NULL);
        text = gst_structure_to_string(stats);
        printf("%s\n", text);
        gst_structure_free(stats);
    }
    printf("ok\n");
    fflush(stdout);
}

static gboolean set_properties(GstElement *sink, int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        g_auto(GStrv) parts = g_strsplit(argv[i], "=", 2);

        if (!parts[0] || !parts[1])
            return FALSE;
        gst_util_set_object_arg(G_OBJECT(sink), parts[0], parts[1]);
    }
    return TRUE;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    GOptionContext *options = g_option_context_new(NULL);
    GstElement *pipeline, *sink;
    char line[2048];
    gint d, port;

    g_option_context_add_main_entries(options, entries, NULL);
    g_option_context_add_group(options, gst_init_get_option_group());
    if (!g_option_context_parse(options, &argc, &argv, &error) || n_displays < 1 ||
        n_displays > MAX_DISPLAYS || !gst_spice_register_elements(NULL)) {
        fprintf(stderr, "steps: %s\n", error ? error->message : "bad options");
        return 2;
    }
    g_option_context_free(options);
    chance = g_rand_new_with_seed(7);
    make_pictures();
    pipeline = gst_pipeline_new(NULL);
    sink = gst_element_factory_make("spicesink", NULL);
    gst_bin_add(GST_BIN(pipeline), sink);
    g_object_set(sink, "sync", FALSE, "address", "127.0.0.1", NULL);
    if (!set_properties(sink, argc, argv))
        return 2;
    for (d = 0; d < n_displays; d++) {
        displays[d].source = gst_element_factory_make("appsrc", NULL);
        g_object_set(displays[d].source, "is-live", TRUE, "format", GST_FORMAT_TIME, NULL);
        gst_bin_add(GST_BIN(pipeline), displays[d].source);
        gst_element_link(displays[d].source, sink);
        set_size(&displays[d], 640, 480);
    }
    if (gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        fprintf(stderr, "steps: it cannot listen\n");
        return 1;
    }
    for (d = 0; d < n_displays; d++)
        show(&displays[d]);
    g_object_get(sink, "port", &port, NULL);
    printf("port %d\n", port);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        obey(line, sink);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    for (d = 0; d < n_displays; d++)
        g_free(displays[d].pixels);
    gst_object_unref(pipeline);
    g_rand_free(chance);
    gst_deinit();
    return 0;
}
