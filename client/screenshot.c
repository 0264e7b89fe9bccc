/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "screenshot.h"

#include <cairo.h>
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/video/video.h>

#include "client/connection.h"
#include "client/stats.h"

enum {
    /* A server sends the picture of a desktop in several messages and does not say which is the
     * last: it is complete when nothing has come for a while, and something has to be taken of one
     * that never rests. */
    QUIET_MS = 150,
    RESTLESS_MS = 2000,
};

typedef struct {
    const SpiceViewOptions *options;
    GMainLoop *loop;
    SpiceStats *stats;
    GstSample *sample;
    guint quiet, limit; /* timers; 0: not running */
    SpiceViewStatus status;
} Screenshot;

static gboolean write_png(GstSample *sample, const char *path)
{
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    cairo_surface_t *surface;
    cairo_status_t status;
    GstVideoInfo info;
    GstVideoFrame frame;

    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
        return FALSE;
    surface = cairo_image_surface_create_for_data(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0),
                                                  CAIRO_FORMAT_RGB24, info.width, info.height,
                                                  GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));
    errno = 0;
    status = cairo_surface_write_to_png(surface, part);
    cairo_surface_destroy(surface);
    gst_video_frame_unmap(&frame);
    if (status == CAIRO_STATUS_SUCCESS && g_rename(part, path) == 0)
        return TRUE;
    g_printerr("spice-view: %s cannot be written: %s\n", path,
               errno ? g_strerror(errno) : cairo_status_to_string(status));
    g_unlink(part);
    return FALSE;
}

static gboolean on_complete(gpointer data)
{
    Screenshot *self = data;

    self->status =
        write_png(self->sample, self->options->screenshot) ? SPICE_VIEW_OK : SPICE_VIEW_FAILED;
    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE; /* the timers are removed when all is over */
}

static void on_frame(SpiceConnection *connection, guint monitor, const SpiceNewFrame *frame,
                     gpointer user_data)
{
    Screenshot *self = user_data;
    gint wait_ms = self->options->wait_ms;

    g_clear_pointer(&self->sample, gst_sample_unref);
    self->sample = gst_sample_ref(frame->sample);
    if (self->stats)
        spice_stats_shown(self->stats, frame);
    if (!self->limit)
        self->limit = g_timeout_add(wait_ms >= 0 ? (guint)wait_ms : RESTLESS_MS, on_complete, self);
    if (wait_ms < 0) {
        if (self->quiet)
            g_source_remove(self->quiet);
        self->quiet = g_timeout_add(QUIET_MS, on_complete, self);
    }
}

static void on_failed(SpiceConnection *connection, SpiceViewStatus status, const char *text,
                      gpointer user_data)
{
    Screenshot *self = user_data;

    g_printerr("spice-view: %s\n", text);
    self->status = status;
    g_main_loop_quit(self->loop);
}

static gboolean on_signal(gpointer data)
{
    Screenshot *self = data;

    g_printerr("spice-view: interrupted before there was a picture\n");
    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

SpiceViewStatus spice_screenshot_run(const SpiceViewOptions *options, const char *password)
{
    static const SpiceConnectionHandler handler = {.frame = on_frame, .failed = on_failed};
    Screenshot self = {.options = options, .status = SPICE_VIEW_FAILED};
    guint signals[] = {g_unix_signal_add(SIGINT, on_signal, &self),
                       g_unix_signal_add(SIGTERM, on_signal, &self)};
    SpiceConnection *connection;

    self.loop = g_main_loop_new(NULL, FALSE);
    connection = spice_connection_new(options, password, &handler, &self);
    if (options->stats)
        self.stats = spice_stats_new(connection);
    g_main_loop_run(self.loop);
    if (self.quiet)
        g_source_remove(self.quiet);
    if (self.limit)
        g_source_remove(self.limit);
    spice_stats_free(self.stats);
    spice_connection_free(connection);
    g_clear_pointer(&self.sample, gst_sample_unref);
    g_source_remove(signals[0]);
    g_source_remove(signals[1]);
    g_main_loop_unref(self.loop);
    return self.status;
}
