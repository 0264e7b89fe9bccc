/* Measures how long a change of an X screen takes to its viewers.
 *
 *     marker [OPTION...] DISPLAY
 *
 * Paints a small window at the place of --at in one of eight colours after the other, --every
 * milliseconds and a bit, for --seconds; and looks when the colour is seen: by a spicesrc of its own
 * (--location), and on the screen of other viewers (--viewers DISPLAY, --watch NAME=X,Y for a point
 * of each). All by one clock. At the end prints
 * "latency NAME COUNT MEDIAN P95 MAX MISSED", in milliseconds, for each; a colour that is not seen
 * before the next one that is counts as seen with that, and as missed. As soon as --phase FILE
 * exists it prints the same, and "phase", and the measurement begins anew, for --seconds.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <xcb/xcb.h>

#include "gst-plugins/elements.h"

enum { N_COLOURS = 8, SIDE = 160, MAX_WATCHED = 8, LOOK_US = 2000 };

static gchar *location, *viewers, *phase_file;
static gchar **watched;
static gint at_x = 320, at_y = 240, seconds = 5, every_ms = 100;

static const GOptionEntry entries[] = {
    {"location", 0, 0, G_OPTION_ARG_STRING, &location, "server for a spicesrc", "URI"},
    {"viewers", 0, 0, G_OPTION_ARG_STRING, &viewers, "screen of other viewers", "DISPLAY"},
    {"watch", 0, 0, G_OPTION_ARG_STRING_ARRAY, &watched, "a point of one", "NAME=X,Y"},
    {"at-x", 0, 0, G_OPTION_ARG_INT, &at_x, "middle of the window", "X"},
    {"at-y", 0, 0, G_OPTION_ARG_INT, &at_y, "middle of the window", "Y"},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "how long", "S"},
    {"every", 0, 0, G_OPTION_ARG_INT, &every_ms, "time between colours", "MS"},
    {"phase", 0, 0, G_OPTION_ARG_FILENAME, &phase_file, "begin anew when it exists", "FILE"},
    {NULL},
};

/** Whoever looks at the picture, and what it has seen. */
typedef struct {
    const char *name;
    int x, y;
    guint corner; /* colour that it showed last */
    guint seen;   /* colours are counted from 1 on */
    guint missed;
    GArray *latencies; /* gint64, us */
} Watcher;

/** Shared with the streaming thread. */
typedef struct {
    GMutex lock;
    GArray *painted; /* gint64: when colour i + 1 was */
    Watcher watchers[MAX_WATCHED];
    guint n_watchers;
} Marks;

/** The corners of the cube of colours: they survive any codec. */
static guint32 colour_of(guint number)
{
    const guint corner = number % N_COLOURS;

    return (corner & 1 ? 0xff0000u : 0) | (corner & 2 ? 0xff00u : 0) | (corner & 4 ? 0xffu : 0);
}

static guint corner_of(guint32 pixel)
{
    return (pixel >> 16 & 0x80 ? 1u : 0) | (pixel >> 8 & 0x80 ? 2u : 0) | (pixel & 0x80 ? 4u : 0);
}

/** The watcher sees a pixel now. */
static void look(Marks *marks, Watcher *watcher, guint32 pixel, gint64 now)
{
    guint newest, number;

    g_mutex_lock(&marks->lock);
    if (corner_of(pixel) == watcher->corner) { /* an old one, though its turn may have come again */
        g_mutex_unlock(&marks->lock);
        return;
    }
    watcher->corner = corner_of(pixel);
    newest = marks->painted->len;
    for (number = newest; number > watcher->seen && newest - number < N_COLOURS - 1; number--)
        if (number % N_COLOURS == corner_of(pixel))
            break;
    if (number > watcher->seen && number % N_COLOURS == corner_of(pixel)) {
        watcher->missed += number - watcher->seen - 1;
        while (watcher->seen < number) {
            const gint64 latency = now - g_array_index(marks->painted, gint64, watcher->seen++);

            g_array_append_val(watcher->latencies, latency);
        }
    }
    g_mutex_unlock(&marks->lock);
}

static Watcher *add_watcher(Marks *marks, const char *name, int x, int y)
{
    Watcher *watcher = &marks->watchers[marks->n_watchers++];

    *watcher = (Watcher){
        .name = name, .x = x, .y = y, .latencies = g_array_new(FALSE, FALSE, sizeof(gint64))};
    return watcher;
}

/* Our own client */

typedef struct {
    Marks *marks;
    Watcher *watcher;
} Own;

static GstFlowReturn on_sample(GstAppSink *sink, gpointer data)
{
    Own *own = data;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    GstVideoInfo info;
    GstVideoFrame frame;

    if (!sample)
        return GST_FLOW_EOS;
    if (gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) && info.width > at_x &&
        info.height > at_y &&
        gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ)) {
        const guint8 *p = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                          at_y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + at_x * 4;

        look(own->marks, own->watcher, (guint32)(p[2] << 16 | p[1] << 8 | p[0]),
             g_get_monotonic_time());
        gst_video_frame_unmap(&frame);
    }
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

static GstElement *start_own(Own *own)
{
    GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch("spicesrc name=source ! video/x-raw,format=BGRx ! "
                                            "appsink name=sink sync=false async=false",
                                            &error);
    GstElement *source, *sink;

    if (error) {
        g_printerr("%s\n", error->message);
        exit(2);
    }
    source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_object_set(source, "location", location, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, own, NULL);
    gst_object_unref(source);
    gst_object_unref(sink);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    return pipeline;
}

/* X */

static xcb_connection_t *open_display(const char *name, xcb_screen_t **screen)
{
    xcb_connection_t *connection = xcb_connect(name, NULL);

    if (xcb_connection_has_error(connection)) {
        g_printerr("display %s cannot be opened\n", name);
        exit(2);
    }
    *screen = xcb_setup_roots_iterator(xcb_get_setup(connection)).data;
    return connection;
}

static xcb_window_t make_window(xcb_connection_t *c, const xcb_screen_t *screen)
{
    const guint32 values[] = {0, 1};
    xcb_window_t window = xcb_generate_id(c);

    xcb_create_window(c, XCB_COPY_FROM_PARENT, window, screen->root, (gint16)(at_x - SIDE / 2),
                      (gint16)(at_y - SIDE / 2), SIDE, SIDE, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
                      screen->root_visual, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, values);
    xcb_map_window(c, window);
    xcb_flush(c);
    return window;
}

static void paint(Marks *marks, xcb_connection_t *c, xcb_window_t window)
{
    const gint64 now = g_get_monotonic_time();
    guint32 colour;

    g_mutex_lock(&marks->lock);
    g_array_append_val(marks->painted, now);
    colour = colour_of(marks->painted->len);
    g_mutex_unlock(&marks->lock);
    xcb_change_window_attributes(c, window, XCB_CW_BACK_PIXEL, &colour);
    xcb_clear_area(c, 0, window, 0, 0, 0, 0);
    xcb_flush(c);
}

/** Looks at the points of all viewers. */
static void look_at_viewers(Marks *marks, guint first, xcb_connection_t *c, xcb_window_t root)
{
    xcb_get_image_cookie_t cookies[MAX_WATCHED];
    guint i;

    for (i = first; i < marks->n_watchers; i++)
        cookies[i] = xcb_get_image(c, XCB_IMAGE_FORMAT_Z_PIXMAP, root, (gint16)marks->watchers[i].x,
                                   (gint16)marks->watchers[i].y, 1, 1, ~0u);
    for (i = first; i < marks->n_watchers; i++) {
        xcb_get_image_reply_t *reply = xcb_get_image_reply(c, cookies[i], NULL);

        if (reply && xcb_get_image_data_length(reply) >= 4) {
            guint32 pixel;

            memcpy(&pixel, xcb_get_image_data(reply), 4);
            look(marks, &marks->watchers[i], pixel, g_get_monotonic_time());
        }
        free(reply);
    }
}

/* Figures */

static gint compare(gconstpointer a, gconstpointer b)
{
    const gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

static void print_watcher(Watcher *watcher, guint painted)
{
    GArray *all = watcher->latencies;
    const guint n = all->len;

    g_array_sort(all, compare);
    printf("latency %s %u", watcher->name, n);
    if (n > 0)
        printf(" %.1f %.1f %.1f", (double)g_array_index(all, gint64, n / 2) / 1000,
               (double)g_array_index(all, gint64, n * 95 / 100) / 1000,
               (double)g_array_index(all, gint64, n - 1) / 1000);
    else
        printf(" - - -");
    printf(" %u\n", watcher->missed + painted - watcher->seen);
    g_array_set_size(all, 0);
    watcher->missed = 0;
    watcher->seen = painted;
}

static void print_all(Marks *marks)
{
    guint i;

    g_mutex_lock(&marks->lock);
    for (i = 0; i < marks->n_watchers; i++)
        print_watcher(&marks->watchers[i], marks->painted->len);
    g_mutex_unlock(&marks->lock);
}

static void run(Marks *marks, const char *display)
{
    xcb_screen_t *screen, *viewers_screen = NULL;
    xcb_connection_t *desktop = open_display(display, &screen);
    xcb_connection_t *looks = viewers ? open_display(viewers, &viewers_screen) : NULL;
    const xcb_window_t window = make_window(desktop, screen);
    const guint first = location ? 1 : 0;
    const gint64 length = seconds * G_USEC_PER_SEC;
    gint64 next = g_get_monotonic_time() + G_USEC_PER_SEC, end = next + length;

    while (g_get_monotonic_time() < end + G_USEC_PER_SEC / 2) {
        const gint64 now = g_get_monotonic_time();

        if (now >= next && now < end) {
            paint(marks, desktop, window);
            next = g_get_monotonic_time() + every_ms * 1000 + g_random_int_range(0, 34000);
        }
        if (looks)
            look_at_viewers(marks, first, looks, viewers_screen->root);
        if (phase_file && g_file_test(phase_file, G_FILE_TEST_EXISTS)) {
            print_all(marks);
            printf("phase\n");
            fflush(stdout);
            g_clear_pointer(&phase_file, g_free);
            end = g_get_monotonic_time() + length;
        }
        g_usleep(LOOK_US);
    }
    print_all(marks);
    xcb_disconnect(desktop);
    if (looks)
        xcb_disconnect(looks);
}

int main(int argc, char **argv)
{
    GOptionContext *context = g_option_context_new("DISPLAY");
    GError *error = NULL;
    Marks marks = {.painted = g_array_new(FALSE, FALSE, sizeof(gint64))};
    GstElement *pipeline = NULL;
    Own own = {.marks = &marks};
    guint i;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        g_printerr("%s\n", error ? error->message : "a display is needed");
        return 2;
    }
    g_option_context_free(context);
    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    g_mutex_init(&marks.lock);
    if (location) {
        own.watcher = add_watcher(&marks, "spicesrc", at_x, at_y);
        pipeline = start_own(&own);
    }
    for (i = 0; watched && watched[i]; i++) {
        char *place = strchr(watched[i], '=');
        int x, y;

        if (!place || sscanf(place + 1, "%d,%d", &x, &y) != 2 || marks.n_watchers >= MAX_WATCHED) {
            g_printerr("--watch %s\n", watched[i]);
            return 2;
        }
        *place = '\0';
        add_watcher(&marks, watched[i], x, y);
    }
    run(&marks, argv[1]);
    if (pipeline) {
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
    }
    return 0;
}
