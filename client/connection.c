/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"

#include <gst/app/gstappsink.h>

#include "client/clipboard-grabs.h"
#include "client/sound.h"
#include "gst-plugins/display/damage-meta.h"
#include "transport/error.h"

struct SpiceConnection {
    gatomicrefcount refs; /* the owner's, and one for each notice under way */
    GMainContext *context;
    const SpiceConnectionHandler *handler;
    gpointer user_data;

    GstSpiceSession *session;
    gulong signals[3];
    SpiceSound *sound; /* NULL: a screenshot has none */
    GstElement *pipeline;
    GSource *bus_source;
    gboolean closed, failed; /* the owner's thread alone */

    GMutex lock;
    SpiceNewFrame newest; /* under lock, as all below */
    gboolean frame_told, cursor_told;
    gint64 message_time; /* when the first message after the last frame came; 0: none yet */
    guint64 bytes;
};

static void connection_unref(gpointer data)
{
    SpiceConnection *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    spice_new_frame_clear(&self->newest);
    g_main_context_unref(self->context);
    g_mutex_clear(&self->lock);
    g_free(self);
}

/* Notices: from any thread to the owner's */

static void notify(SpiceConnection *self, GSourceFunc func, gint priority)
{
    GSource *source = g_idle_source_new();

    g_atomic_ref_count_inc(&self->refs);
    g_source_set_priority(source, priority);
    g_source_set_callback(source, func, self, connection_unref);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

static gboolean tell_frame(gpointer data)
{
    SpiceConnection *self = data;

    if (!self->closed)
        self->handler->frame(self, self->user_data);
    return G_SOURCE_REMOVE;
}

static gboolean tell_cursor(gpointer data)
{
    SpiceConnection *self = data;

    g_mutex_lock(&self->lock);
    self->cursor_told = FALSE;
    g_mutex_unlock(&self->lock);
    if (!self->closed && self->handler->cursor_changed)
        self->handler->cursor_changed(self, self->user_data);
    return G_SOURCE_REMOVE;
}

static gboolean tell_mouse_mode(gpointer data)
{
    SpiceConnection *self = data;

    if (!self->closed && self->handler->mouse_mode_changed)
        self->handler->mouse_mode_changed(self, self->user_data);
    return G_SOURCE_REMOVE;
}

static void tell_failure(SpiceConnection *self, SpiceViewStatus status, const char *text)
{
    if (self->closed || self->failed)
        return;
    self->failed = TRUE;
    self->handler->failed(self, status, text, self->user_data);
}

typedef struct {
    SpiceConnection *connection;
    SpiceViewStatus status;
    GError *error;
} Failure;

static void failure_free(gpointer data)
{
    Failure *failure = data;

    connection_unref(failure->connection);
    g_error_free(failure->error);
    g_free(failure);
}

static gboolean tell_session_failure(gpointer data)
{
    const Failure *failure = data;

    tell_failure(failure->connection, failure->status, failure->error->message);
    return G_SOURCE_REMOVE;
}

SpiceViewStatus spice_view_status_of(const GError *error)
{
    if (error->domain != SPICE_TRANSPORT_ERROR)
        return SPICE_VIEW_FAILED;
    if (error->code == SPICE_TRANSPORT_ERROR_AUTHENTICATION)
        return SPICE_VIEW_TICKET;
    if (error->code == SPICE_TRANSPORT_ERROR_TLS)
        return SPICE_VIEW_TLS;
    return error->code >= SPICE_TRANSPORT_ERROR_PROTOCOL ? SPICE_VIEW_LOST : SPICE_VIEW_CONNECT;
}

/* The session: its I/O thread */

static void queue_failure(SpiceConnection *self, SpiceViewStatus status, const GError *error)
{
    Failure *failure = g_new(Failure, 1);
    GSource *source = g_idle_source_new();

    g_atomic_ref_count_inc(&self->refs);
    *failure = (Failure){self, status, g_error_copy(error)};
    /* Before what the pipeline has to say of the same event, which is less exact. */
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(source, tell_session_failure, failure, failure_free);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

static void on_failed(GstSpiceSession *session, const GError *error, gpointer user_data)
{
    queue_failure(user_data, spice_view_status_of(error), error);
}

static void on_cursor_changed(GstSpiceSession *session, gpointer user_data)
{
    SpiceConnection *self = user_data;
    gboolean told;

    g_mutex_lock(&self->lock);
    told = self->cursor_told;
    self->cursor_told = TRUE;
    g_mutex_unlock(&self->lock);
    if (!told)
        notify(self, tell_cursor, G_PRIORITY_DEFAULT);
}

static void on_mouse_mode_changed(GstSpiceSession *session, gpointer user_data)
{
    notify(user_data, tell_mouse_mode, G_PRIORITY_DEFAULT);
}

/* The pipeline: its streaming thread */

static GstPadProbeReturn on_message(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    SpiceConnection *self = user_data;

    g_mutex_lock(&self->lock);
    self->bytes += gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info));
    if (self->message_time == 0)
        self->message_time = g_get_monotonic_time();
    g_mutex_unlock(&self->lock);
    return GST_PAD_PROBE_OK;
}

static void add_damage(SpiceConnection *self, GstSample *sample)
{
    GstSpiceDamageMeta *meta = gst_buffer_get_spice_damage_meta(gst_sample_get_buffer(sample));
    gint width = 0, height = 0;
    guint i;

    gst_structure_get(gst_caps_get_structure(gst_sample_get_caps(sample), 0), "width", G_TYPE_INT,
                      &width, "height", G_TYPE_INT, &height, NULL);
    if (!meta)
        pixman_region32_union_rect(&self->newest.damage, &self->newest.damage, 0, 0, (guint)width,
                                   (guint)height);
    for (i = 0; meta && i < meta->n_rects; i++) {
        const GstVideoRectangle *r = &meta->rects[i];

        pixman_region32_union_rect(&self->newest.damage, &self->newest.damage, r->x, r->y,
                                   (guint)r->w, (guint)r->h);
    }
    /* Frames that were not taken may have been larger. */
    pixman_region32_intersect_rect(&self->newest.damage, &self->newest.damage, 0, 0, (guint)width,
                                   (guint)height);
}

static GstFlowReturn on_sample(GstAppSink *sink, gpointer user_data)
{
    SpiceConnection *self = user_data;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    gboolean told;

    if (!sample)
        return GST_FLOW_OK;
    g_mutex_lock(&self->lock);
    add_damage(self, sample);
    g_clear_pointer(&self->newest.sample, gst_sample_unref);
    self->newest.sample = sample;
    if (self->newest.n_frames++ == 0)
        self->newest.arrived = self->message_time ? self->message_time : g_get_monotonic_time();
    self->message_time = 0;
    told = self->frame_told;
    self->frame_told = TRUE;
    g_mutex_unlock(&self->lock);
    if (!told)
        notify(self, tell_frame, G_PRIORITY_DEFAULT);
    return GST_FLOW_OK;
}

static gboolean on_bus_message(GstBus *bus, GstMessage *message, gpointer user_data)
{
    SpiceConnection *self = user_data;
    g_autoptr(GError) error = NULL;
    g_autofree char *debug = NULL, *text = NULL;
    const char *reason;
    SpiceViewStatus status = SPICE_VIEW_LOST;

    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
        return G_SOURCE_CONTINUE;
    gst_message_parse_error(message, &error, &debug);
    if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
        status = SPICE_VIEW_TICKET;
    else if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE))
        status = SPICE_VIEW_CONNECT;
    /* The last line of it says why; those before say where in the source. */
    reason = debug ? strrchr(debug, '\n') : NULL;
    text = g_strconcat(error->message, reason ? " " : NULL, reason ? reason + 1 : NULL, NULL);
    tell_failure(self, status, text);
    return G_SOURCE_CONTINUE;
}

static GstElement *add(SpiceConnection *self, GstElement *element)
{
    if (!element)
        g_error("gst_spice_register_elements() has not been called");
    gst_bin_add(GST_BIN(self->pipeline), element);
    return element;
}

static void make_pipeline(SpiceConnection *self)
{
    static GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    GstElement *source, *decoder, *sink;
    GstBus *bus;
    GstPad *pad;

    self->pipeline = gst_pipeline_new(NULL);
    source = add(self, gst_element_factory_make("spicechannelsrc", NULL));
    decoder = add(self, gst_element_factory_make("spicedisplaydec", NULL));
    sink = add(self, g_object_new(GST_TYPE_APP_SINK, NULL)); /* not by name: see main.c */
    g_object_set(source, "session", self->session, NULL);
    g_object_set(decoder, "session", self->session, NULL);
    g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, self, NULL);
    gst_element_link_many(source, decoder, sink, NULL);
    pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_message, self, NULL);
    gst_object_unref(pad);

    bus = gst_element_get_bus(self->pipeline);
    self->bus_source = gst_bus_create_watch(bus);
    g_source_set_callback(self->bus_source, G_SOURCE_FUNC(on_bus_message), self, NULL);
    g_source_attach(self->bus_source, self->context);
    gst_object_unref(bus);
}

/* Life */

SpiceConnection *spice_connection_new(const SpiceViewOptions *options, const char *password,
                                      const SpiceConnectionHandler *handler, gpointer user_data)
{
    SpiceConnection *self = g_new0(SpiceConnection, 1);
    g_autoptr(GError) error = NULL;

    g_atomic_ref_count_init(&self->refs);
    self->context = g_main_context_ref_thread_default();
    self->handler = handler;
    self->user_data = user_data;
    g_mutex_init(&self->lock);
    pixman_region32_init(&self->newest.damage);

    self->session = gst_spice_session_new();
    g_object_set(self->session, "location", options->uri, "username", options->username, "password",
                 password, "ca-file", options->ca_file, "host-subject", options->host_subject,
                 NULL);
    self->signals[0] = g_signal_connect(self->session, "failed", G_CALLBACK(on_failed), self);
    self->signals[1] =
        g_signal_connect(self->session, "cursor-changed", G_CALLBACK(on_cursor_changed), self);
    self->signals[2] = g_signal_connect(self->session, "mouse-mode-changed",
                                        G_CALLBACK(on_mouse_mode_changed), self);
    if (!options->screenshot) {
        self->sound = spice_sound_new(self->session, options);
        gst_spice_session_set_agent_caps(self->session, spice_clipboard_caps);
    }
    make_pipeline(self);
    if (gst_spice_session_open(self->session, &error))
        gst_element_set_state(self->pipeline, GST_STATE_PLAYING);
    else
        queue_failure(self, SPICE_VIEW_USAGE, error);
    return self;
}

void spice_connection_free(SpiceConnection *self)
{
    guint i;

    if (!self)
        return;
    self->closed = TRUE;
    g_source_destroy(self->bus_source);
    g_source_unref(self->bus_source);
    gst_element_set_state(self->pipeline, GST_STATE_NULL);
    /* Waits for the I/O thread, so that no signal comes or runs after it. */
    gst_spice_session_close(self->session);
    spice_sound_free(self->sound);
    for (i = 0; i < G_N_ELEMENTS(self->signals); i++)
        g_signal_handler_disconnect(self->session, self->signals[i]);
    gst_object_unref(self->pipeline);
    g_object_unref(self->session);
    connection_unref(self);
}

GstSpiceSession *spice_connection_get_session(SpiceConnection *self)
{
    return self->session;
}

void spice_connection_take_frame(SpiceConnection *self, SpiceNewFrame *frame)
{
    g_mutex_lock(&self->lock);
    *frame = self->newest;
    self->newest = (SpiceNewFrame){0};
    pixman_region32_init(&self->newest.damage);
    self->frame_told = FALSE;
    g_mutex_unlock(&self->lock);
}

void spice_new_frame_clear(SpiceNewFrame *frame)
{
    g_clear_pointer(&frame->sample, gst_sample_unref);
    pixman_region32_fini(&frame->damage);
}

guint64 spice_connection_get_bytes(SpiceConnection *self)
{
    guint64 bytes;

    g_mutex_lock(&self->lock);
    bytes = self->bytes;
    g_mutex_unlock(&self->lock);
    return bytes;
}
