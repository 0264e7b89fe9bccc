/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The X11 parts of spice-serve by themselves, driven by commands on stdin: a line each, answered by
 * a line. Each frame is compared with the one before outside of its damage.
 *
 *     x11-probe DISPLAY
 *     frame PATH | count | cursor | locks | setlocks N | resize W H | restore
 *     key CODE 0|1 | button N 0|1 | motion DX DY | position X Y | release | errors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "gst-plugins/display/damage-meta.h"
#include "server/serve/x11-cursor.h"
#include "server/serve/x11-desktop.h"
#include "server/serve/x11-input.h"
#include "server/serve/x11-resize.h"

typedef struct {
    GMutex lock;
    GstSample *last;
    guint n_frames;
    guint n_undeclared; /* pixels that changed outside of the damage */
    char cursor[128];
    gint x, y;
    guint n_shapes, n_moves;
    gint locks;
} Seen;

/* Frames */

static gboolean in_damage(const GstSpiceDamageMeta *meta, gint x, gint y)
{
    guint i;

    for (i = 0; i < meta->n_rects; i++)
        if (x >= meta->rects[i].x && y >= meta->rects[i].y &&
            x < meta->rects[i].x + meta->rects[i].w && y < meta->rects[i].y + meta->rects[i].h)
            return TRUE;
    return FALSE;
}

static gboolean map_sample(GstSample *sample, GstVideoFrame *frame)
{
    GstVideoInfo info;

    return gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) &&
           gst_video_frame_map(frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ);
}

static guint count_undeclared(GstSample *before, GstSample *after)
{
    const GstSpiceDamageMeta *meta = gst_buffer_get_spice_damage_meta(gst_sample_get_buffer(after));
    GstVideoFrame a, b;
    guint n = 0;
    gint x, y;

    if (!meta || !before || !map_sample(before, &a))
        return 0;
    if (!map_sample(after, &b)) {
        gst_video_frame_unmap(&a);
        return 0;
    }
    for (y = 0; y < GST_VIDEO_FRAME_HEIGHT(&b); y++) {
        const guint32 *p = (const guint32 *)((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&a, 0) +
                                             y * GST_VIDEO_FRAME_PLANE_STRIDE(&a, 0));
        const guint32 *q = (const guint32 *)((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&b, 0) +
                                             y * GST_VIDEO_FRAME_PLANE_STRIDE(&b, 0));

        if (memcmp(p, q, (gsize)GST_VIDEO_FRAME_WIDTH(&b) * 4) == 0)
            continue;
        for (x = 0; x < GST_VIDEO_FRAME_WIDTH(&b); x++)
            n += p[x] != q[x] && !in_damage(meta, x, y);
    }
    gst_video_frame_unmap(&a);
    gst_video_frame_unmap(&b);
    return n;
}

static GstFlowReturn got_frame(GstAppSink *sink, gpointer data)
{
    Seen *seen = data;
    GstSample *sample = gst_app_sink_pull_sample(sink);

    if (!sample)
        return GST_FLOW_EOS;
    g_mutex_lock(&seen->lock);
    seen->n_undeclared += count_undeclared(seen->last, sample);
    if (seen->last)
        gst_sample_unref(seen->last);
    seen->last = sample;
    seen->n_frames++;
    g_mutex_unlock(&seen->lock);
    return GST_FLOW_OK;
}

static void write_frame(Seen *seen, const char *path)
{
    GstVideoFrame frame;
    FILE *file = fopen(path, "wb");
    gint x, y;

    g_mutex_lock(&seen->lock);
    if (!file || !seen->last || !map_sample(seen->last, &frame)) {
        printf("error no frame\n");
    } else {
        fprintf(file, "P6 %d %d 255\n", GST_VIDEO_FRAME_WIDTH(&frame),
                GST_VIDEO_FRAME_HEIGHT(&frame));
        for (y = 0; y < GST_VIDEO_FRAME_HEIGHT(&frame); y++) {
            const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                                y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);

            for (x = 0; x < GST_VIDEO_FRAME_WIDTH(&frame); x++) {
                const guint8 rgb[] = {row[x * 4 + 2], row[x * 4 + 1], row[x * 4]};

                fwrite(rgb, 1, 3, file);
            }
        }
        printf("frame %dx%d of %u, undeclared %u\n", GST_VIDEO_FRAME_WIDTH(&frame),
               GST_VIDEO_FRAME_HEIGHT(&frame), seen->n_frames, seen->n_undeclared);
        gst_video_frame_unmap(&frame);
    }
    g_mutex_unlock(&seen->lock);
    if (file)
        fclose(file);
}

/* Cursor and lights */

static void got_shape(const X11CursorShape *shape, gpointer data)
{
    Seen *seen = data;
    char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, shape->pixels);

    g_mutex_lock(&seen->lock);
    seen->n_shapes++;
    g_snprintf(seen->cursor, sizeof seen->cursor, "%ux%u hot %u,%u visible %d %.16s", shape->width,
               shape->height, shape->hot_x, shape->hot_y, shape->visible, sum);
    g_mutex_unlock(&seen->lock);
    g_free(sum);
}

static void got_place(gint x, gint y, gpointer data)
{
    Seen *seen = data;

    g_mutex_lock(&seen->lock);
    seen->n_moves++;
    seen->x = x;
    seen->y = y;
    g_mutex_unlock(&seen->lock);
}

static void got_locks(guint locks, gpointer data)
{
    g_atomic_int_set(&((Seen *)data)->locks, (gint)locks);
}

/* Commands */

typedef struct {
    Seen seen;
    GstElement *pipeline;
    X11Input *input;
    X11Cursor *cursor;
    X11Resize *resize;
} Probe;

static void resize(Probe *self, guint width, guint height)
{
    GError *error = NULL;
    guint got_width, got_height;

    if (x11_resize_to(self->resize, width, height, &got_width, &got_height, &error))
        printf("got %u %u\n", got_width, got_height);
    else
        printf("error %s\n", error->message);
    g_clear_error(&error);
}

static void tell_errors(Probe *self)
{
    GstBus *bus = gst_element_get_bus(self->pipeline);
    GstMessage *message;
    guint n = 0;
    char *first = NULL;

    while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR))) {
        GError *error;

        gst_message_parse_error(message, &error, NULL);
        if (n++ == 0)
            first = g_strdup(error->message);
        g_error_free(error);
        gst_message_unref(message);
    }
    printf("errors %u %s\n", n, first ? first : "");
    g_free(first);
    gst_object_unref(bus);
}

static void command(Probe *self, const char *line)
{
    char path[256];
    gint a, b;

    if (sscanf(line, "frame %255s", path) == 1) {
        write_frame(&self->seen, path);
    } else if (g_str_has_prefix(line, "count")) {
        g_mutex_lock(&self->seen.lock);
        printf("count %u shapes %u moves %u\n", self->seen.n_frames, self->seen.n_shapes,
               self->seen.n_moves);
        g_mutex_unlock(&self->seen.lock);
    } else if (g_str_has_prefix(line, "cursor")) {
        g_mutex_lock(&self->seen.lock);
        printf("cursor %s at %d,%d\n", self->seen.cursor, self->seen.x, self->seen.y);
        g_mutex_unlock(&self->seen.lock);
    } else if (g_str_has_prefix(line, "locks")) {
        printf("locks %d\n", g_atomic_int_get(&self->seen.locks));
    } else if (g_str_has_prefix(line, "errors")) {
        tell_errors(self);
    } else if (sscanf(line, "resize %d %d", &a, &b) == 2) {
        resize(self, (guint)a, (guint)b);
    } else if (g_str_has_prefix(line, "restore")) {
        printf("%s\n", x11_resize_restore(self->resize, NULL) ? "ok" : "error");
    } else {
        if (sscanf(line, "key %i %d", &a, &b) == 2)
            x11_input_key(self->input, (guint)a, b);
        else if (sscanf(line, "button %d %d", &a, &b) == 2)
            x11_input_button(self->input, (guint)a, b);
        else if (sscanf(line, "motion %d %d", &a, &b) == 2)
            x11_input_motion(self->input, a, b);
        else if (sscanf(line, "position %d %d", &a, &b) == 2)
            x11_input_position(self->input, a, b);
        else if (sscanf(line, "setlocks %d", &a) == 1)
            x11_input_set_locks(self->input, (guint)a);
        else if (g_str_has_prefix(line, "release"))
            x11_input_release_all(self->input);
        printf("ok\n");
    }
    fflush(stdout);
}

static GstElement *make_pipeline(Seen *seen, const char *display)
{
    GstElement *pipeline = gst_pipeline_new(NULL);
    GstElement *source = g_object_new(TYPE_X11_DESKTOP, "display", display, NULL);
    GstElement *sink = gst_element_factory_make("appsink", NULL);
    GstAppSinkCallbacks callbacks = {.new_sample = got_frame};

    g_object_set(sink, "sync", FALSE, "async", FALSE, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, seen, NULL);
    gst_bin_add_many(GST_BIN(pipeline), source, sink, NULL);
    gst_element_link(source, sink);
    return pipeline;
}

static gboolean probe_start(Probe *self, const char *display, GError **error)
{
    const X11CursorHandler cursor = {got_shape, got_place};
    const X11InputHandler input = {got_locks};

    g_mutex_init(&self->seen.lock);
    self->pipeline = make_pipeline(&self->seen, display);
    if (!(self->cursor = x11_cursor_new(display, &cursor, &self->seen, error)) ||
        !(self->input = x11_input_new(display, &input, &self->seen, error)) ||
        !(self->resize = x11_resize_open(display, error)))
        return FALSE;
    gst_element_set_state(self->pipeline, GST_STATE_PLAYING);
    return TRUE;
}

static void probe_stop(Probe *self)
{
    if (self->pipeline)
        gst_element_set_state(self->pipeline, GST_STATE_NULL);
    x11_input_free(self->input);
    x11_cursor_free(self->cursor);
    x11_resize_close(self->resize);
    gst_clear_object(&self->pipeline);
    g_clear_pointer(&self->seen.last, gst_sample_unref);
    g_mutex_clear(&self->seen.lock);
}

int main(int argc, char **argv)
{
    Probe probe = {0};
    char line[512];
    GError *error = NULL;

    gst_init(&argc, &argv);
    if (argc != 2)
        return 2;
    if (probe_start(&probe, argv[1], &error)) {
        printf("ready\n");
        fflush(stdout);
        while (fgets(line, sizeof line, stdin))
            command(&probe, line);
    } else {
        printf("error %s\n", error->message);
        g_error_free(error);
    }
    probe_stop(&probe);
    return 0;
}
