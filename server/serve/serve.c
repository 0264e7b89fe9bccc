/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memfd_create */
#include "serve.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib-unix.h>
#include <gst/gst.h>

#include "movie.h"
#include "serve-error.h"
#include "shared-test.h"
#include "shared-x11.h"
#include "stats-line.h"

typedef struct {
    const ServeOptions *options;
    GstElement *pipeline, *sink, *source; /* source and sink are the pipeline's */
    GstSpiceServer *server;
    gboolean server_is_ours; /* else the sink's, which listens and turns input into events */
    SharedX11 *x11;
    SharedTest *test;
    int chain_fd; /* certificate and authorities; -1: none */
    GMainLoop *loop;
    guint interrupt, terminate, tick; /* GSource ids; 0: gone */
    guint64 frames;                   /* that the source has pushed; atomic */
    StatsLine stats;
    GError *error; /* why it ended; NULL: as it should */
} Serve;

/* Listening */

/** A file that holds certificate and authorities, as the whole chain is sent from one file. */
static char *make_chain(Serve *self, GError **error)
{
    const char *const files[] = {self->options->tls_cert, self->options->tls_ca};
    guint i;

    self->chain_fd = memfd_create("certificates", MFD_CLOEXEC);
    for (i = 0; i < G_N_ELEMENTS(files) && self->chain_fd >= 0; i++) {
        char *text;
        gsize size;
        GError *why = NULL;
        gboolean written;

        if (!g_file_get_contents(files[i], &text, &size, &why)) {
            g_set_error(error, SERVE_ERROR, SERVE_ERROR_LISTEN, "%s", why->message);
            g_error_free(why);
            return NULL;
        }
        written = write(self->chain_fd, text, size) == (gssize)size &&
                  write(self->chain_fd, "\n", 1) == 1;
        g_free(text);
        if (!written)
            break;
    }
    if (i < G_N_ELEMENTS(files)) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_LISTEN, "No memory for certificates");
        return NULL;
    }
    return g_strdup_printf("/proc/self/fd/%d", self->chain_fd);
}

static gboolean configure_server(Serve *self, GError **error)
{
    const ServeOptions *options = self->options;
    char *chain = NULL;

    if (options->tls_ca && !(chain = make_chain(self, error)))
        return FALSE;
    g_object_set(self->server, "address", options->address, "port", options->port, "tls-port",
                 options->tls_port, "unix-path", options->unix_path, "tls-cert-file",
                 chain ? chain : options->tls_cert, "tls-key-file", options->tls_key, "tls-ciphers",
                 options->tls_ciphers, "sasl", options->sasl, "websocket", options->websocket,
                 "websocket-origins", options->websocket_origins, "mouse-modes",
                 options->mouse_modes, "ticket", options->ticket, "image-compression",
                 options->compression, "streaming-video", options->streaming, "video-codecs",
                 options->video_codecs ? options->video_codecs : GST_SPICE_DEFAULT_VIDEO_CODECS,
                 "name", options->title ? options->title : "spice-serve", NULL);
    g_free(chain);
    return TRUE;
}

static void tell_listening(Serve *self)
{
    const char *address = self->options->address ? self->options->address : "all addresses";
    gint port, tls_port;

    g_object_get(self->server, "port", &port, "tls-port", &tls_port, NULL);
    if (port >= 0)
        g_print("listening on %s port %d\n", address, port);
    if (tls_port >= 0)
        g_print("listening on %s TLS port %d\n", address, tls_port);
    if (self->options->unix_path)
        g_print("listening on %s\n", self->options->unix_path);
}

/* Messages of the pipeline */

/** The sentence for a person, and what it came from, which stands in the last line for developers.
 * (transfer full) */
static char *error_text(GstMessage *message)
{
    GError *why;
    char *debug, *text, *detail;

    gst_message_parse_error(message, &why, &debug);
    detail = debug ? strrchr(debug, '\n') : NULL;
    text = g_strdup(why->message);
    if (g_str_has_suffix(text, ".")) /* ours are put into sentences */
        text[strlen(text) - 1] = 0;
    if (detail && detail[1] && !g_str_has_suffix(detail, ":")) {
        char *both = g_strdup_printf("%s (%s)", text, detail + 1);

        g_free(text);
        text = both;
    }
    g_error_free(why);
    g_free(debug);
    return text;
}

/** The first error is the reason of the end. */
static void end_by_message(Serve *self, GstMessage *message, gint code)
{
    if (!self->error) {
        char *text = error_text(message);

        self->error = g_error_new_literal(SERVE_ERROR, code, text);
        g_free(text);
    }
    g_main_loop_quit(self->loop);
}

static guint64 frames_so_far(Serve *self)
{
    return __atomic_load_n(&self->frames, __ATOMIC_RELAXED);
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data)
{
    Serve *self = data;

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        end_by_message(self, message, frames_so_far(self) ? SERVE_ERROR_LOST : SERVE_ERROR_SOURCE);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
        g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

/** The error that a failed change of state left on the bus. */
static gboolean fail_by_bus(Serve *self, gint code, GError **error)
{
    GstBus *bus = gst_element_get_bus(self->pipeline);
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);

    if (message) {
        end_by_message(self, message, code);
        gst_message_unref(message);
    } else {
        self->error = g_error_new(SERVE_ERROR, code, "The pipeline does not start");
    }
    gst_object_unref(bus);
    g_propagate_error(error, g_steal_pointer(&self->error));
    return FALSE;
}

/* Source */

static gboolean make_source(Serve *self, GError **error)
{
    switch (self->options->what) {
    case SERVE_X11:
        self->x11 = shared_x11_new(self->options, self->server, &self->source, error);
        return self->x11 != NULL;
    case SERVE_TEST:
        self->test = shared_test_new(self->options, self->server, &self->source);
        return TRUE;
    case SERVE_FILE:
        self->source = movie_new(self->options, error);
        return self->source != NULL;
    default:
        self->source = pipeline_text_new(self->options, error);
        return self->source != NULL;
    }
}

static GstPadProbeReturn count_frame(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    __atomic_add_fetch(&((Serve *)data)->frames, 1, __ATOMIC_RELAXED);
    return GST_PAD_PROBE_OK;
}

static gboolean set_offset(GstElement *element, GstPad *pad, gpointer offset)
{
    gst_pad_set_offset(pad, *(gint64 *)offset);
    return TRUE;
}

/** Starts the movie anew. What comes after it never hears of an end: its time goes on. */
static gboolean begin_again(gpointer data)
{
    Serve *self = data;
    GstClock *clock = gst_element_get_clock(self->pipeline);
    gint64 offset;

    gst_element_set_state(self->source, GST_STATE_READY);
    if (clock) {
        offset = (gint64)(gst_clock_get_time(clock) - gst_element_get_base_time(self->pipeline));
        gst_element_foreach_src_pad(self->source, set_offset, &offset);
    }
    gst_element_sync_state_with_parent(self->source);
    g_clear_object(&clock);
    return G_SOURCE_REMOVE;
}

static GstPadProbeReturn loop_at_end(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    if (GST_EVENT_TYPE(gst_pad_probe_info_get_event(info)) != GST_EVENT_EOS)
        return GST_PAD_PROBE_OK;
    g_idle_add(begin_again, data);
    return GST_PAD_PROBE_DROP;
}

/** The picture's end is the movie's. */
static GstPadProbeReturn ignore_end(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    return GST_EVENT_TYPE(gst_pad_probe_info_get_event(info)) == GST_EVENT_EOS ? GST_PAD_PROBE_DROP
                                                                               : GST_PAD_PROBE_OK;
}

/** The movie has sound. */
static void on_pad_added(GstElement *source, GstPad *pad, gpointer data)
{
    Serve *self = data;

    if (strcmp(GST_PAD_NAME(pad), "audio") != 0)
        return;
    if (self->options->loop)
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, ignore_end, NULL, NULL);
    if (!gst_element_link_pads(source, "audio", self->sink, "audio"))
        g_printerr("spice-serve: the movie's sound cannot be played\n");
}

static gboolean link_source(Serve *self, GError **error)
{
    GstPad *pad;
    gboolean linked;

    gst_bin_add(GST_BIN(self->pipeline), self->source);
    pad = gst_element_get_static_pad(self->source, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, self, NULL);
    if (self->options->loop)
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, loop_at_end, self, NULL);
    gst_object_unref(pad);
    g_signal_connect(self->source, "pad-added", G_CALLBACK(on_pad_added), self);
    linked = gst_element_link_pads(self->source, "src", self->sink, "video_0");
    if (!linked)
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "What is to be shared is not raw video");
    return linked;
}

/* Run */

static gboolean on_signal(gpointer data)
{
    g_main_loop_quit(((Serve *)data)->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer data)
{
    Serve *self = data;
    char *line = stats_line_next(&self->stats, self->server, frames_so_far(self));

    g_print("%s\n", line);
    g_free(line);
    return G_SOURCE_CONTINUE;
}

static void on_refused(GstSpiceServer *server, const char *from, const char *why, gpointer data)
{
    g_printerr("spice-serve: refused %s: %s\n", from, why);
}

/** Makes pipeline and server; a sink that has no server from us has its own. */
static gboolean prepare(Serve *self, GError **error)
{
    const ServeWhat what = self->options->what;

    self->pipeline = gst_pipeline_new("spice-serve");
    self->sink = gst_element_factory_make("spicesink", NULL);
    if (!self->sink) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE, "The element spicesink is missing");
        return FALSE;
    }
    gst_bin_add(GST_BIN(self->pipeline), self->sink);
    self->server_is_ours = what == SERVE_X11 || what == SERVE_TEST;
    if (self->server_is_ours) {
        self->server = gst_spice_server_new();
        g_object_set(self->sink, "server", self->server, "sync", FALSE, NULL);
    } else {
        g_object_get(self->sink, "server", &self->server, NULL);
    }
    g_signal_connect(self->server, "refused", G_CALLBACK(on_refused), NULL);
    return configure_server(self, error) && make_source(self, error) && link_source(self, error);
}

/** READY first: then a sink of its own listens, and errors are those of listening. */
static gboolean start(Serve *self, GError **error)
{
    GError *why = NULL;

    if (gst_element_set_state(self->sink, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE)
        return fail_by_bus(self, SERVE_ERROR_LISTEN, error);
    if (self->server_is_ours && !gst_spice_server_listen(self->server, &why)) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_LISTEN, "%s", why->message);
        g_error_free(why);
        return FALSE;
    }
    if (self->options->stats_socket &&
        !gst_spice_server_open_statistics(self->server, self->options->stats_socket, &why)) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_LISTEN, "%s", why->message);
        g_error_free(why);
        return FALSE;
    }
    if (gst_element_set_state(self->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return fail_by_bus(self, SERVE_ERROR_SOURCE, error);
    tell_listening(self);
    return TRUE;
}

static void run(Serve *self)
{
    GstBus *bus = gst_element_get_bus(self->pipeline);

    gst_bus_add_watch(bus, on_message, self);
    self->interrupt = g_unix_signal_add(SIGINT, on_signal, self);
    self->terminate = g_unix_signal_add(SIGTERM, on_signal, self);
    if (self->options->stats)
        self->tick = g_timeout_add_seconds(1, on_tick, self);
    g_main_loop_run(self->loop);
    if (self->tick)
        g_source_remove(self->tick);
    g_source_remove(self->interrupt);
    g_source_remove(self->terminate);
    gst_bus_remove_watch(bus);
    gst_object_unref(bus);
}

/** An element that fails while it stops keeps the others from it; the second time it has stopped. */
static void stop_pipeline(GstElement *pipeline)
{
    if (gst_element_set_state(pipeline, GST_STATE_NULL) == GST_STATE_CHANGE_FAILURE)
        gst_element_set_state(pipeline, GST_STATE_NULL);
}

/** Nobody calls into what is freed: the server goes before those who take its input. */
static void stop(Serve *self)
{
    if (self->server_is_ours)
        gst_spice_server_close(self->server);
    if (self->pipeline)
        stop_pipeline(self->pipeline);
    shared_x11_free(self->x11);
    shared_test_free(self->test);
    gst_clear_object(&self->pipeline);
    g_clear_object(&self->server);
    if (self->chain_fd >= 0)
        close(self->chain_fd);
    g_main_loop_unref(self->loop);
}

gboolean serve(const ServeOptions *options, GError **error)
{
    Serve self = {.options = options, .chain_fd = -1, .loop = g_main_loop_new(NULL, FALSE)};
    gboolean ok = prepare(&self, error) && start(&self, error);

    if (ok) {
        run(&self);
        ok = self.error == NULL;
        if (!ok)
            g_propagate_error(error, g_steal_pointer(&self.error));
    }
    stop(&self);
    return ok;
}
