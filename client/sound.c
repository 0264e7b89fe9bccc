/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound.h"

#include <gst/gst.h>

#include "core/wire/channel.h"
#include "gst-plugins/audio/session-audio.h"
#include "session/session-sound.h"

struct SpiceSound {
    gatomicrefcount refs; /* the owner's, and one for each notice under way */
    GMainContext *context;
    GstSpiceSession *session;
    gulong signals[2];
    gboolean closed;               /* the owner's thread alone, as all below */
    GstElement *playback, *record; /* pipelines; NULL: not needed */
    guint complaints;              /* a bit for each kind that was made */
};

static void sound_unref(gpointer data)
{
    SpiceSound *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_main_context_unref(self->context);
    g_object_unref(self->session);
    g_free(self);
}

/** From the session's thread to the owner's. */
static void notify(SpiceSound *self, GSourceFunc func)
{
    GSource *source = g_idle_source_new();

    g_atomic_ref_count_inc(&self->refs);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, func, self, sound_unref);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

/* Elements */

/** Plug-ins are not looked for (main.c), so those for sound are loaded by name; any may be missing. */
static void load_plugins(void)
{
    static const char *const names[] = {"coreelements", "audioconvert", "audioresample", "volume",
                                        "autodetect",   "audiotestsrc", "pulseaudio",    "pipewire",
                                        "alsa",         "openal"};
    static gboolean loaded;
    guint i;

    for (i = 0; i < G_N_ELEMENTS(names) && !loaded; i++) {
        g_autofree char *file = g_strdup_printf("%s/libgst%s.so", GST_PLUGINS_DIR, names[i]);
        GstPlugin *plugin = gst_plugin_load_file(file, NULL);

        g_clear_object(&plugin);
    }
    loaded = TRUE;
}

typedef enum { NO_PLAYBACK = 1, NO_RECORD = 2 } Complaint;

static void complain(SpiceSound *self, Complaint complaint, const char *why)
{
    if (!(self->complaints & complaint))
        g_printerr("spice-view: %s: %s\n",
                   complaint == NO_PLAYBACK ? "sound cannot be played"
                                            : "the microphone cannot be used",
                   why);
    self->complaints |= complaint;
}

static void end(GstElement **pipeline)
{
    GstBus *bus;

    if (!*pipeline)
        return;
    bus = gst_element_get_bus(*pipeline);
    gst_bus_remove_watch(bus);
    gst_object_unref(bus);
    gst_element_set_state(*pipeline, GST_STATE_NULL);
    g_clear_pointer(pipeline, gst_object_unref);
}

/** What it warns of is that there is none; it is looked for from then on. */
static gboolean is_device(GstObject *object)
{
    return GST_IS_ELEMENT(object) &&
           g_str_has_prefix(GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(object))),
                            "spiceaudio");
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data)
{
    SpiceSound *self = data;
    g_autoptr(GError) error = NULL;
    GstElement *pipeline;
    gboolean playback;

    playback = self->playback &&
               gst_object_has_as_ancestor(GST_MESSAGE_SRC(message), GST_OBJECT(self->playback));
    pipeline = playback ? self->playback : self->record;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY && pipeline)
        gst_bin_recalculate_latency(GST_BIN(pipeline));
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING && is_device(GST_MESSAGE_SRC(message))) {
        gst_message_parse_warning(message, &error, NULL);
        complain(self, playback ? NO_PLAYBACK : NO_RECORD, error->message);
    }
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
        return G_SOURCE_CONTINUE;
    gst_message_parse_error(message, &error, NULL);
    complain(self, playback ? NO_PLAYBACK : NO_RECORD, error->message);
    end(playback ? &self->playback : &self->record);
    return G_SOURCE_CONTINUE;
}

/** Takes the elements, which may be NULL, over, and runs them one after another. NULL: it cannot be. */
static GstElement *run(SpiceSound *self, GstElement *elements[], guint n, Complaint complaint)
{
    GstElement *pipeline = gst_pipeline_new(NULL);
    gboolean complete = TRUE;
    GstBus *bus;
    guint i;

    for (i = 0; i < n; i++) {
        complete = complete && elements[i];
        if (elements[i])
            gst_bin_add(GST_BIN(pipeline), elements[i]);
    }
    for (i = 0; i + 1 < n && complete; i++)
        complete = gst_element_link(elements[i], elements[i + 1]);
    if (!complete) {
        complain(self, complaint, "GStreamer's plug-ins for sound are not installed");
        gst_object_unref(pipeline);
        return NULL;
    }
    bus = gst_element_get_bus(pipeline);
    gst_bus_add_watch(bus, on_message, self);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    return pipeline;
}

/* Playback and record: the owner's thread */

static gboolean start_playback(gpointer data)
{
    SpiceSound *self = data;

    if (self->closed || self->playback)
        return G_SOURCE_REMOVE;
    load_plugins();
    {
        GstElement *elements[] = {
            gst_spice_playback_bin_new(self->session, FALSE),
            gst_element_factory_make("spiceaudiosink", NULL),
        };

        self->playback = run(self, elements, G_N_ELEMENTS(elements), NO_PLAYBACK);
    }
    return G_SOURCE_REMOVE;
}

static gboolean update_record(gpointer data)
{
    SpiceSound *self = data;
    const gboolean wanted = gst_spice_session_get_record_rate(self->session) != 0;

    if (self->closed || wanted == (self->record != NULL))
        return G_SOURCE_REMOVE;
    if (!wanted) {
        end(&self->record);
        return G_SOURCE_REMOVE;
    }
    load_plugins();
    {
        GstElement *elements[] = {
            gst_element_factory_make("spiceaudiosrc", NULL),
            gst_spice_record_bin_new(self->session),
        };

        self->record = run(self, elements, G_N_ELEMENTS(elements), NO_RECORD);
    }
    return G_SOURCE_REMOVE;
}

/* The session: its I/O thread */

static void on_channel_available(GstSpiceSession *session, guint type, guint id, gpointer data)
{
    if (type == SPICE_CHANNEL_PLAYBACK && id == 0)
        notify(data, start_playback);
}

static void on_record_changed(GstSpiceSession *session, gpointer data)
{
    notify(data, update_record);
}

/* Life */

SpiceSound *spice_sound_new(GstSpiceSession *session, const SpiceViewOptions *options)
{
    SpiceSound *self = g_new0(SpiceSound, 1);

    g_atomic_ref_count_init(&self->refs);
    self->context = g_main_context_ref_thread_default();
    self->session = g_object_ref(session);
    if (!options->no_audio)
        self->signals[0] =
            g_signal_connect(session, "channel-available", G_CALLBACK(on_channel_available), self);
    if (!options->no_audio && !options->no_record) {
        g_object_set(session, "record", TRUE, NULL);
        self->signals[1] =
            g_signal_connect(session, "record-changed", G_CALLBACK(on_record_changed), self);
    }
    return self;
}

void spice_sound_free(SpiceSound *self)
{
    guint i;

    if (!self)
        return;
    self->closed = TRUE;
    for (i = 0; i < G_N_ELEMENTS(self->signals); i++)
        if (self->signals[i])
            g_signal_handler_disconnect(self->session, self->signals[i]);
    end(&self->playback);
    end(&self->record);
    sound_unref(self);
}
