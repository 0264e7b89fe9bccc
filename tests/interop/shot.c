/* Takes a picture of a SPICE server through spicesrc, for tests.
 *
 *     shot [OPTION...] OUT.ppm
 *
 * Waits until no frame has come for --settle milliseconds, writes the last one as PPM, and prints
 * "picture WIDTH HEIGHT FRAMES MS". On an error message prints "error DOMAIN CODE MS TEXT" for
 * each that comes within 300 ms, and exits with 1. With --repeat all is done anew so many times.
 * With --all every display is received, and that of --monitor taken.
 * With --stats prints the decoder's statistics. With --until FILE it goes on until that file exists
 * and the picture has settled. With --cut it leaves at a random moment instead of taking a picture.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>

#include "gst-plugins/elements.h"

static gint settle_ms = 300, max_ms = 20000, repeat = 1;
static gchar *location, *username, *password, *ca_file, *host_subject;
static gint timeout_s = -1, monitor = 0;
static gboolean show_cursor, show_stats, show_sizes, cut_off, all_displays;
static gchar *until, *compression;

static const GOptionEntry entries[] = {
    {"location", 0, 0, G_OPTION_ARG_STRING, &location, "URI of the server", "URI"},
    {"username", 0, 0, G_OPTION_ARG_STRING, &username, "for SASL", "TEXT"},
    {"password", 0, 0, G_OPTION_ARG_STRING, &password, "ticket", "TEXT"},
    {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &ca_file, "trusted certificates", "FILE"},
    {"host-subject", 0, 0, G_OPTION_ARG_STRING, &host_subject, "expected subject", "TEXT"},
    {"compression", 0, 0, G_OPTION_ARG_STRING, &compression, "what the server is asked for",
     "MODE"},
    {"timeout", 0, 0, G_OPTION_ARG_INT, &timeout_s, "the element's timeout", "S"},
    {"monitor", 0, 0, G_OPTION_ARG_INT, &monitor, "display to show", "N"},
    {"show-cursor", 0, 0, G_OPTION_ARG_NONE, &show_cursor, "with the cursor", NULL},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_displays, "receive all displays", NULL},
    {"stats", 0, 0, G_OPTION_ARG_NONE, &show_stats, "print statistics", NULL},
    {"sizes", 0, 0, G_OPTION_ARG_NONE, &show_sizes, "print each size that frames take", NULL},
    {"cut", 0, 0, G_OPTION_ARG_NONE, &cut_off, "leave after some random milliseconds", NULL},
    {"until", 0, 0, G_OPTION_ARG_FILENAME, &until, "not before this file exists", "FILE"},
    {"settle", 0, 0, G_OPTION_ARG_INT, &settle_ms, "quiet time before the picture", "MS"},
    {"max", 0, 0, G_OPTION_ARG_INT, &max_ms, "give up after", "MS"},
    {"repeat", 0, 0, G_OPTION_ARG_INT, &repeat, "how often", "N"},
    {NULL},
};

typedef struct {
    GstSample *last;
    guint frames;
    gint64 last_time;
} Frames;

static void print_size(GstSample *before, GstSample *sample)
{
    GstCaps *caps = gst_sample_get_caps(sample);
    gint width = 0, height = 0;

    if (before && gst_caps_is_equal(gst_sample_get_caps(before), caps))
        return;
    gst_structure_get(gst_caps_get_structure(caps, 0), "width", G_TYPE_INT, &width, "height",
                      G_TYPE_INT, &height, NULL);
    printf("size %dx%d\n", width, height);
}

static void take_frames(GstAppSink *sink, Frames *frames)
{
    GstSample *sample;

    while ((sample = gst_app_sink_try_pull_sample(sink, 0))) {
        if (show_sizes)
            print_size(frames->last, sample);
        g_clear_pointer(&frames->last, gst_sample_unref);
        frames->last = sample;
        frames->frames++;
        frames->last_time = g_get_monotonic_time();
    }
}

static gboolean write_ppm(GstSample *sample, const char *path, gint *width, gint *height)
{
    GstVideoInfo info;
    GstVideoFrame frame;
    FILE *file;

    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
        return FALSE;
    *width = info.width;
    *height = info.height;
    file = fopen(path, "wb");
    if (!file)
        return FALSE;
    fprintf(file, "P6\n%d %d\n255\n", info.width, info.height);
    for (gint y = 0; y < info.height; y++) {
        const guint8 *p = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                          y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);

        for (gint x = 0; x < info.width; x++, p += 4) {
            const guint8 rgb[3] = {p[2], p[1], p[0]};

            fwrite(rgb, 1, 3, file);
        }
    }
    gst_video_frame_unmap(&frame);
    return fclose(file) == 0;
}

static GstElement *make_pipeline(GstElement **sink)
{
    GstElement *pipeline;
    GstElement *source;
    GError *error = NULL;

    gchar *text = g_strdup_printf("spicesrc name=source source.display_%d ! "
                                  "video/x-raw,format=BGRx ! appsink name=sink sync=false "
                                  "async=false max-buffers=0",
                                  monitor);

    pipeline = gst_parse_launch(text, &error);
    g_free(text);
    if (error) { /* a missing element, too: gst_parse_launch() goes on without it */
        g_printerr("%s\n", error->message);
        exit(2);
    }
    source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_object_set(source, "location", location, "username", username, "password", password,
                 "ca-file", ca_file, "host-subject", host_subject, "monitor", (guint)monitor,
                 "all-displays", all_displays, "show-cursor", show_cursor, NULL);
    if (timeout_s >= 0)
        g_object_set(source, "timeout", (guint)timeout_s, NULL);
    if (compression)
        gst_util_set_object_arg(G_OBJECT(source), "preferred-compression", compression);
    gst_object_unref(source);
    *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    return pipeline;
}

/** Prints the error messages that come until `until`, a first one at hand. */
static void print_errors(GstBus *bus, GstMessage *first, gint64 start)
{
    GstMessage *message = first;

    while (message) {
        GError *error;
        gchar *debug;

        gst_message_parse_error(message, &error, &debug);
        printf("error %s %d %d %s (%s)\n", g_quark_to_string(error->domain), error->code,
               (int)((g_get_monotonic_time() - start) / 1000), error->message,
               debug ? g_strrstr(debug, "\n") ? g_strrstr(debug, "\n") + 1 : debug : "");
        g_error_free(error);
        g_free(debug);
        gst_message_unref(message);
        message = gst_bus_timed_pop_filtered(bus, 300 * GST_MSECOND, GST_MESSAGE_ERROR);
    }
}

static void print_stats(GstElement *pipeline)
{
    GstIterator *it = gst_bin_iterate_recurse(GST_BIN(pipeline));
    GValue value = G_VALUE_INIT;

    while (gst_iterator_next(it, &value) == GST_ITERATOR_OK) {
        GObject *element = g_value_get_object(&value);

        if (g_str_equal(G_OBJECT_TYPE_NAME(element), "GstSpiceDisplayDec")) {
            GstStructure *stats;
            gchar *text;

            g_object_get(element, "stats", &stats, NULL);
            text = gst_structure_to_string(stats);
            puts(text);
            g_free(text);
            gst_structure_free(stats);
        }
        g_value_unset(&value);
    }
    gst_iterator_free(it);
}

static int take(const char *out)
{
    GstElement *sink;
    GstElement *pipeline = make_pipeline(&sink);
    GstBus *bus = gst_element_get_bus(pipeline);
    gint64 start = g_get_monotonic_time();
    Frames frames = {0};
    gint cut_ms = cut_off ? g_random_int_range(0, 60) : G_MAXINT;
    int result = 1;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (;;) {
        GstMessage *message =
            gst_bus_timed_pop_filtered(bus, 10 * GST_MSECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        gint64 now = g_get_monotonic_time();
        gint width, height;

        take_frames(GST_APP_SINK(sink), &frames);
        if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            print_errors(bus, message, start);
            break;
        }
        g_clear_pointer(&message, gst_message_unref);
        if (now - start > cut_ms * (gint64)1000) {
            result = 0;
            break;
        }
        if (until && !g_file_test(until, G_FILE_TEST_EXISTS)) {
            if (now - start <= max_ms * 1000)
                continue;
        } else if (until) {
            g_clear_pointer(&until, g_free);
            frames.last_time = now;
        }
        if (frames.last && now - frames.last_time > settle_ms * 1000) {
            if (write_ppm(frames.last, out, &width, &height)) {
                printf("picture %d %d %u %d\n", width, height, frames.frames,
                       (int)((frames.last_time - start) / 1000));
                result = 0;
            }
            break;
        }
        if (now - start > max_ms * 1000) {
            printf("nothing %u frames\n", frames.frames);
            break;
        }
    }
    if (show_stats)
        print_stats(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_clear_pointer(&frames.last, gst_sample_unref);
    gst_object_unref(sink);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
    fflush(stdout);
    return result;
}

int main(int argc, char **argv)
{
    GOptionContext *context = g_option_context_new("OUT.ppm");
    GError *error = NULL;
    int result = 0;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        g_printerr("%s\n", error ? error->message : "one output file is needed");
        return 2;
    }
    g_option_context_free(context);
    gst_init(NULL, NULL);
    /* Not by the plug-in: GStreamer's scanner, which knows no sanitizers, could not load it. */
    gst_spice_register_elements(NULL);
    while (repeat-- > 0)
        result |= take(argv[1]);
    g_free(location);
    g_free(password);
    g_free(ca_file);
    g_free(host_subject);
    g_free(compression);
    gst_deinit();
    return result;
}
