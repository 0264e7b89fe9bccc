/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"

#include "client/clipboard-grabs.h"
#include "client/sound.h"
#include "core/wire/channel.h"
#include "transport/error.h"

struct SpiceConnection {
    gatomicrefcount refs; /* the owner's, and one for each notice under way */
    GMainContext *context;
    const SpiceConnectionHandler *handler;
    gpointer user_data;

    GstSpiceSession *session;
    gulong signals[4];
    SpiceSound *sound; /* NULL: a screenshot has none */
    GstElement *pipeline;
    GSource *bus_source;
    gboolean closed, failed; /* the owner's thread alone */

    SpiceMonitors *monitors;

    GMutex lock;
    gboolean cursor_told; /* under lock */
    guint32 displays;     /* under lock: channels that the server has named, a bit each */
};

static void connection_unref(gpointer data)
{
    SpiceConnection *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
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

/** Something about a monitor. */
typedef struct {
    SpiceConnection *connection;
    guint monitor;
} MonitorNotice;

static void monitor_notice_free(gpointer data)
{
    MonitorNotice *notice = data;

    connection_unref(notice->connection);
    g_free(notice);
}

static gboolean tell_monitor(gpointer data)
{
    const MonitorNotice *notice = data;
    SpiceConnection *self = notice->connection;
    SpiceNewFrame frame;

    if (self->closed)
        return G_SOURCE_REMOVE;
    if (!spice_monitors_take(self->monitors, notice->monitor, &frame))
        self->handler->monitor_gone(self, notice->monitor, self->user_data);
    else if (frame.sample)
        self->handler->frame(self, notice->monitor, &frame, self->user_data);
    spice_new_frame_clear(&frame);
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

/** From any thread. */
static void on_monitor_changed(guint monitor, gpointer user_data)
{
    SpiceConnection *self = user_data;
    MonitorNotice *notice = g_new(MonitorNotice, 1);
    GSource *source = g_idle_source_new();

    g_atomic_ref_count_inc(&self->refs);
    *notice = (MonitorNotice){self, monitor};
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, tell_monitor, notice, monitor_notice_free);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

/* The pipeline */

static gboolean add_displays(gpointer data)
{
    SpiceConnection *self = data;
    guint32 displays;
    guint id;

    g_mutex_lock(&self->lock);
    displays = self->displays;
    g_mutex_unlock(&self->lock);
    for (id = 0; !self->closed && id < SPICE_MAX_MONITORS; id++)
        if (displays & 1u << id)
            spice_monitors_add_display(self->monitors, id);
    return G_SOURCE_REMOVE;
}

static void on_channel_available(GstSpiceSession *session, guint type, guint id, gpointer user_data)
{
    SpiceConnection *self = user_data;

    if (type != SPICE_CHANNEL_DISPLAY || id >= SPICE_MAX_MONITORS)
        return;
    g_mutex_lock(&self->lock);
    self->displays |= 1u << id;
    g_mutex_unlock(&self->lock);
    notify(self, add_displays, G_PRIORITY_DEFAULT);
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

static void make_pipeline(SpiceConnection *self)
{
    GstBus *bus;

    self->pipeline = gst_pipeline_new(NULL);
    self->monitors =
        spice_monitors_new(GST_BIN(self->pipeline), self->session,
                           self->handler->monitor_gone != NULL, on_monitor_changed, self);
    spice_monitors_add_display(self->monitors, 0);

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

    self->session = gst_spice_session_new();
    g_object_set(self->session, "location", options->uri, "username", options->username, "password",
                 password, "ca-file", options->ca_file, "host-subject", options->host_subject,
                 NULL);
    self->signals[0] = g_signal_connect(self->session, "failed", G_CALLBACK(on_failed), self);
    self->signals[1] =
        g_signal_connect(self->session, "cursor-changed", G_CALLBACK(on_cursor_changed), self);
    self->signals[2] = g_signal_connect(self->session, "mouse-mode-changed",
                                        G_CALLBACK(on_mouse_mode_changed), self);
    if (handler->monitor_gone)
        self->signals[3] = g_signal_connect(self->session, "channel-available",
                                            G_CALLBACK(on_channel_available), self);
    if (!options->screenshot) {
        self->sound = spice_sound_new(self->session, options);
        gst_spice_session_set_agent_caps(self->session,
                                         spice_clipboard_caps | 1u << VD_AGENT_CAP_MONITORS_CONFIG);
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
        g_clear_signal_handler(&self->signals[i], self->session);
    spice_monitors_free(self->monitors);
    gst_object_unref(self->pipeline);
    g_object_unref(self->session);
    connection_unref(self);
}

GstSpiceSession *spice_connection_get_session(SpiceConnection *self)
{
    return self->session;
}

SpiceMonitorPlace spice_connection_get_place(SpiceConnection *self, guint monitor)
{
    return spice_monitors_get_place(self->monitors, monitor);
}

guint64 spice_connection_get_bytes(SpiceConnection *self)
{
    return spice_monitors_get_bytes(self->monitors);
}
