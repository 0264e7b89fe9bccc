/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicesink
 * @title: spicesink
 * @short_description: makes a SPICE server of a pipeline
 *
 * Shows the frames of a pipeline to any number of SPICE clients, such as remote-viewer or spicesrc.
 * Each `video_%u` pad is one display; its frames may change size at any time. Between two frames
 * only what changed is sent.
 *
 * The pad `audio` takes sound, which all clients hear, each in the best form that it knows: Opus, or raw.
 *
 * What a client types and points at comes out of the pads as #GstNavigation events; keys first as a
 * custom upstream event with the exact scan code, structure `application/x-gst-spice-scancode` with
 * `code` (uint, PC/AT set 1, extended 0xE0xx) and `pressed` (boolean), and by name only if nobody
 * handles that.
 *
 * It listens from READY on: on #GstSpiceSink:port, #GstSpiceSink:tls-port, #GstSpiceSink:unix-path,
 * or the port 5900 if none of them is set. Whoever sets #GstSpiceSink:server has it listen himself,
 * and handles the input.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! videoconvert ! spicesink address=127.0.0.1 port=0
 * gst-launch-1.0 videotestsrc num-buffers=50 ! videoconvert ! spicesink unix-path=/tmp/spice.sock ticket=secret
 * gst-launch-1.0 videotestsrc num-buffers=50 ! videoconvert ! spicesink name=desktop address=127.0.0.1 port=0 audiotestsrc num-buffers=100 ! desktop.audio
 * ]|
 */
#include "spicesink.h"

#include <stdio.h>

#include "client-pipelines.h"
#include "input-events.h"

GST_DEBUG_CATEGORY_STATIC(spicesink_debug);
#define GST_CAT_DEFAULT spicesink_debug

enum { DEFAULT_PORT = 5900 };

enum {
    PROP_0,
    PROP_SERVER,
    PROP_SYNC,
    PROP_STATS,
    /* those of the server, handed on */
    PROP_ADDRESS,
    PROP_PORT,
    PROP_TLS_PORT,
    PROP_UNIX_PATH,
    PROP_TICKET,
    PROP_TLS_CERT_FILE,
    PROP_TLS_KEY_FILE,
    PROP_TLS_KEY_PASSWORD,
    PROP_TLS_CIPHERS,
    PROP_WEBSOCKET,
    PROP_WEBSOCKET_ORIGINS,
    PROP_SASL,
    PROP_SASL_MECHANISMS,
    PROP_MOUSE_MODES,
    PROP_IMAGE_COMPRESSION,
    PROP_JPEG_COMPRESSION,
    PROP_ZLIB_GLZ_COMPRESSION,
    PROP_STREAMING_VIDEO,
    PROP_VIDEO_CODECS,
    PROP_TITLE,
    N_PROPS
};

/** The names of the server's properties that are ours, too (`name` as `title`, as elements have a
 * name of their own); the texts for users are theirs. */
static const char *const server_properties[N_PROPS] = {
    [PROP_ADDRESS] = "address",
    [PROP_PORT] = "port",
    [PROP_TLS_PORT] = "tls-port",
    [PROP_UNIX_PATH] = "unix-path",
    [PROP_TICKET] = "ticket",
    [PROP_TLS_CERT_FILE] = "tls-cert-file",
    [PROP_TLS_KEY_FILE] = "tls-key-file",
    [PROP_TLS_KEY_PASSWORD] = "tls-key-password",
    [PROP_TLS_CIPHERS] = "tls-ciphers",
    [PROP_WEBSOCKET] = "websocket",
    [PROP_WEBSOCKET_ORIGINS] = "websocket-origins",
    [PROP_SASL] = "sasl",
    [PROP_SASL_MECHANISMS] = "sasl-mechanisms",
    [PROP_MOUSE_MODES] = "mouse-modes",
    [PROP_IMAGE_COMPRESSION] = "image-compression",
    [PROP_JPEG_COMPRESSION] = "jpeg-wan-compression",
    [PROP_ZLIB_GLZ_COMPRESSION] = "zlib-glz-wan-compression",
    [PROP_STREAMING_VIDEO] = "streaming-video",
    [PROP_VIDEO_CODECS] = "video-codecs",
    [PROP_TITLE] = "name",
};

typedef struct {
    GstPad *ghost;
    GstElement *clocksync, *damage, *sink; /* references */
} Display;

typedef struct {
    GstPad *ghost;                         /* NULL: there is none */
    GstElement *convert, *resample, *sink; /* references */
} Audio;

struct _GstSpiceSink {
    GstBin parent_instance;
    GstSpiceServer *server;
    gboolean server_is_lent; /* somebody else's */
    gboolean sync;
    GstSpiceClientPipelines *clients;                /* from READY on */
    GstSpiceInputEvents *input;                      /* likewise, if the server is ours */
    Display displays[GST_SPICE_SERVER_MAX_DISPLAYS]; /* under the object lock */
    Audio audio;
};

G_DEFINE_FINAL_TYPE(GstSpiceSink, gst_spice_sink, GST_TYPE_BIN)

static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
                            GST_STATIC_CAPS("video/x-raw, format = (string) BGRx, "
                                            "width = (int) [ 1, 32767 ], "
                                            "height = (int) [ 1, 32767 ], "
                                            "framerate = (fraction) [ 0, max ]"));

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("audio/x-raw"));

/* Displays */

/** The number that `name` asks for, or the first that is free; -1 if there is none. */
static gint choose_display(GstSpiceSink *self, const char *name)
{
    guint wanted = 0;
    gboolean given = name && sscanf(name, "video_%u", &wanted) == 1;

    while (!given && wanted < G_N_ELEMENTS(self->displays) && self->displays[wanted].ghost)
        wanted++;
    return wanted < G_N_ELEMENTS(self->displays) && !self->displays[wanted].ghost ? (gint)wanted
                                                                                  : -1;
}

static GstElement *add(GstSpiceSink *self, const char *factory)
{
    GstElement *element = gst_element_factory_make(factory, NULL);

    if (element)
        gst_bin_add(GST_BIN(self), gst_object_ref(element));
    else
        GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN, ("There is no element %s.", factory), (NULL));
    return element;
}

static void remove_element(GstSpiceSink *self, GstElement *element)
{
    if (!element)
        return;
    gst_element_set_state(element, GST_STATE_NULL);
    if (GST_OBJECT_PARENT(element) == GST_OBJECT(self)) /* else the bin is being disposed of */
        gst_bin_remove(GST_BIN(self), element);
    gst_object_unref(element);
}

static void remove_display(GstSpiceSink *self, Display *display)
{
    remove_element(self, display->clocksync);
    remove_element(self, display->damage);
    remove_element(self, display->sink);
    *display = (Display){0};
}

/* Sound */

static void remove_audio(GstSpiceSink *self)
{
    remove_element(self, self->audio.convert);
    remove_element(self, self->audio.resample);
    remove_element(self, self->audio.sink);
    self->audio = (Audio){0};
}

static GstPad *add_audio(GstSpiceSink *self, GstPadTemplate *template)
{
    Audio audio = {0};
    GstPad *target;

    if (self->audio.ghost)
        return NULL;
    audio.convert = add(self, "audioconvert");
    audio.resample = add(self, "audioresample");
    audio.sink = add(self, "spiceplaybacksink");
    self->audio = audio;
    if (!audio.convert || !audio.resample || !audio.sink ||
        !gst_element_link_many(audio.convert, audio.resample, audio.sink, NULL)) {
        remove_audio(self);
        return NULL;
    }
    g_object_set(audio.sink, "server", self->server, "sync", self->sync, NULL);
    target = gst_element_get_static_pad(audio.convert, "sink");
    self->audio.ghost = gst_ghost_pad_new_from_template("audio", target, template);
    gst_object_unref(target);
    gst_pad_set_active(self->audio.ghost, TRUE);
    gst_element_add_pad(GST_ELEMENT(self), self->audio.ghost);
    gst_element_sync_state_with_parent(audio.sink);
    gst_element_sync_state_with_parent(audio.resample);
    gst_element_sync_state_with_parent(audio.convert);
    return self->audio.ghost;
}

static void release_audio(GstSpiceSink *self)
{
    /* First what a streaming thread may wait in. */
    gst_element_set_state(self->audio.sink, GST_STATE_NULL);
    gst_element_remove_pad(GST_ELEMENT(self), self->audio.ghost);
    remove_audio(self);
}

static GstPad *gst_spice_sink_request_new_pad(GstElement *element, GstPadTemplate *template,
                                              const char *name, const GstCaps *caps)
{
    GstSpiceSink *self = GST_SPICE_SINK(element);
    const gint number = choose_display(self, name);
    g_autofree char *pad_name = g_strdup_printf("video_%d", number);
    Display display = {0};
    GstPad *target;

    if (template == gst_element_get_pad_template(element, "audio"))
        return add_audio(self, template);
    if (number < 0)
        return NULL;
    display.clocksync = add(self, "clocksync");
    display.damage = add(self, "spicedamage");
    display.sink = add(self, "spicedisplaysink");
    if (!display.clocksync || !display.damage || !display.sink ||
        !gst_element_link_many(display.clocksync, display.damage, display.sink, NULL)) {
        remove_display(self, &display);
        return NULL;
    }
    g_object_set(display.clocksync, "sync", self->sync, NULL);
    g_object_set(display.sink, "server", self->server, "display-id", (guint)number, NULL);
    target = gst_element_get_static_pad(display.clocksync, "sink");
    display.ghost = gst_ghost_pad_new_from_template(pad_name, target, template);
    gst_object_unref(target);
    GST_OBJECT_LOCK(self);
    self->displays[number] = display;
    GST_OBJECT_UNLOCK(self);
    gst_pad_set_active(display.ghost, TRUE);
    gst_element_add_pad(element, display.ghost);
    gst_element_sync_state_with_parent(display.sink);
    gst_element_sync_state_with_parent(display.damage);
    gst_element_sync_state_with_parent(display.clocksync);
    return display.ghost;
}

static void gst_spice_sink_release_pad(GstElement *element, GstPad *pad)
{
    GstSpiceSink *self = GST_SPICE_SINK(element);
    Display display = {0};
    guint i;

    if (pad == self->audio.ghost) {
        release_audio(self);
        return;
    }
    GST_OBJECT_LOCK(self);
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++) {
        if (self->displays[i].ghost == pad) {
            display = self->displays[i];
            self->displays[i] = (Display){0};
        }
    }
    GST_OBJECT_UNLOCK(self);
    /* First what a streaming thread may wait in. */
    if (display.clocksync)
        gst_element_set_state(display.clocksync, GST_STATE_NULL);
    gst_element_remove_pad(element, pad);
    remove_display(self, &display);
}

/** Where events for the maker of a display go. */
static GstPad *find_pad(guint number, gint *width, gint *height, gpointer user_data)
{
    GstSpiceSink *self = user_data;
    GstPad *pad = NULL;
    GstCaps *caps;

    GST_OBJECT_LOCK(self);
    if (number < G_N_ELEMENTS(self->displays) && self->displays[number].clocksync)
        pad = gst_element_get_static_pad(self->displays[number].clocksync, "sink");
    GST_OBJECT_UNLOCK(self);
    caps = pad ? gst_pad_get_current_caps(pad) : NULL;
    if (caps) {
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", width);
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "height", height);
        gst_caps_unref(caps);
    }
    return pad;
}

/* States */

/** Whether no way in is configured. */
static gboolean has_no_port(GstSpiceServer *server)
{
    g_autofree char *path = NULL;
    gint port, tls_port;

    g_object_get(server, "port", &port, "tls-port", &tls_port, "unix-path", &path, NULL);
    return port < 0 && tls_port < 0 && !path;
}

static gboolean start(GstSpiceSink *self)
{
    g_autoptr(GError) error = NULL;
    gint port;

    self->clients = gst_spice_client_pipelines_new(self->server);
    if (self->server_is_lent)
        return TRUE;
    self->input = gst_spice_input_events_new(self->server, find_pad, self);
    gst_spice_server_get_display(self->server, 0);
    if (has_no_port(self->server))
        g_object_set(self->server, "port", DEFAULT_PORT, NULL);
    if (!gst_spice_server_listen(self->server, &error)) {
        GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ_WRITE, ("Clients cannot be let in."),
                          ("%s", error->message));
        return FALSE;
    }
    g_object_get(self->server, "port", &port, NULL);
    GST_INFO_OBJECT(self, "listening on port %d", port);
    g_object_notify(G_OBJECT(self), "port");
    g_object_notify(G_OBJECT(self), "tls-port");
    return TRUE;
}

static void set_server(GstSpiceSink *self, GstSpiceServer *server)
{
    guint i;

    g_set_object(&self->server, server);
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++)
        if (self->displays[i].sink)
            g_object_set(self->displays[i].sink, "server", server, NULL);
    if (self->audio.sink)
        g_object_set(self->audio.sink, "server", server, NULL);
}

static void stop(GstSpiceSink *self)
{
    if (!self->server_is_lent)
        gst_spice_server_close(self->server);
    g_clear_pointer(&self->clients, gst_spice_client_pipelines_free);
    g_clear_pointer(&self->input, gst_spice_input_events_free);
}

static GstStateChangeReturn gst_spice_sink_change_state(GstElement *element,
                                                        GstStateChange transition)
{
    GstSpiceSink *self = GST_SPICE_SINK(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_NULL_TO_READY && !start(self)) {
        stop(self);
        return GST_STATE_CHANGE_FAILURE;
    }
    result = GST_ELEMENT_CLASS(gst_spice_sink_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
        (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE))
        stop(self);
    return result;
}

/* Object */

static GstStructure *make_stats(GstSpiceSink *self)
{
    g_autoptr(GArray) clients = gst_spice_server_get_stats(self->server);
    guint64 sent = 0, received = 0;
    guint i;

    for (i = 0; i < clients->len; i++) {
        sent += g_array_index(clients, GstSpiceClientStats, i).bytes_sent;
        received += g_array_index(clients, GstSpiceClientStats, i).bytes_received;
    }
    return gst_structure_new("application/x-spice-sink-stats", "clients", G_TYPE_UINT, clients->len,
                             "bytes-sent", G_TYPE_UINT64, sent, "bytes-received", G_TYPE_UINT64,
                             received, NULL);
}

static void set_sync(GstSpiceSink *self, gboolean sync)
{
    guint i;

    self->sync = sync;
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++)
        if (self->displays[i].clocksync)
            g_object_set(self->displays[i].clocksync, "sync", sync, NULL);
    if (self->audio.sink)
        g_object_set(self->audio.sink, "sync", sync, NULL);
}

static void gst_spice_sink_set_property(GObject *object, guint id, const GValue *value,
                                        GParamSpec *pspec)
{
    GstSpiceSink *self = GST_SPICE_SINK(object);

    if (id == PROP_SERVER && self->clients) {
        GST_WARNING_OBJECT(self, "the server cannot be changed while it is in use");
    } else if (id == PROP_SERVER && g_value_get_object(value)) {
        set_server(self, g_value_get_object(value));
        self->server_is_lent = TRUE;
    } else if (id == PROP_SYNC) {
        set_sync(self, g_value_get_boolean(value));
    } else if (server_properties[id]) {
        g_object_set_property(G_OBJECT(self->server), server_properties[id], value);
    }
}

static void gst_spice_sink_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstSpiceSink *self = GST_SPICE_SINK(object);

    if (id == PROP_SERVER)
        g_value_set_object(value, self->server);
    else if (id == PROP_SYNC)
        g_value_set_boolean(value, self->sync);
    else if (id == PROP_STATS)
        g_value_take_boxed(value, make_stats(self));
    else if (server_properties[id])
        g_object_get_property(G_OBJECT(self->server), server_properties[id], value);
}

static void gst_spice_sink_finalize(GObject *object)
{
    g_clear_object(&GST_SPICE_SINK(object)->server);
    G_OBJECT_CLASS(gst_spice_sink_parent_class)->finalize(object);
}

static void gst_spice_sink_init(GstSpiceSink *self)
{
    self->server = gst_spice_server_new();
    self->sync = TRUE;
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

/** A property like `spec`, called `name`. (transfer floating) */
static GParamSpec *copy_spec(const char *name, GParamSpec *spec)
{
    const char *nick = g_param_spec_get_nick(spec), *blurb = g_param_spec_get_blurb(spec);
    const GParamFlags flags = spec->flags | GST_PARAM_MUTABLE_READY;

    if (G_IS_PARAM_SPEC_INT(spec)) {
        const GParamSpecInt *number = G_PARAM_SPEC_INT(spec);

        return g_param_spec_int(name, nick, blurb, number->minimum, number->maximum,
                                number->default_value, flags);
    }
    if (G_IS_PARAM_SPEC_BOOLEAN(spec))
        return g_param_spec_boolean(name, nick, blurb, G_PARAM_SPEC_BOOLEAN(spec)->default_value,
                                    flags);
    if (G_IS_PARAM_SPEC_FLAGS(spec))
        return g_param_spec_flags(name, nick, blurb, spec->value_type,
                                  G_PARAM_SPEC_FLAGS(spec)->default_value, flags);
    if (G_IS_PARAM_SPEC_ENUM(spec))
        return g_param_spec_enum(name, nick, blurb, spec->value_type,
                                 G_PARAM_SPEC_ENUM(spec)->default_value, flags);
    return g_param_spec_string(name, nick, blurb, NULL, flags);
}

static void gst_spice_sink_class_init(GstSpiceSinkClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GObjectClass *server_class = g_type_class_ref(GST_SPICE_TYPE_SERVER);
    guint id;

    GST_DEBUG_CATEGORY_INIT(spicesink_debug, "spicesink", 0, "SPICE sink");

    object_class->set_property = gst_spice_sink_set_property;
    object_class->get_property = gst_spice_sink_get_property;
    object_class->finalize = gst_spice_sink_finalize;
    element_class->change_state = gst_spice_sink_change_state;
    element_class->request_new_pad = gst_spice_sink_request_new_pad;
    element_class->release_pad = gst_spice_sink_release_pad;
    g_object_class_install_property(
        object_class, PROP_SERVER,
        g_param_spec_object("server", "Server",
                            "Server to show the displays of; without one, one is made that listens",
                            GST_SPICE_TYPE_SERVER,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_SYNC,
        g_param_spec_boolean("sync", "Sync", "Show each frame at its time", TRUE,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                 GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics", "Clients, and bytes to and from them",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    for (id = PROP_ADDRESS; id < N_PROPS; id++)
        g_object_class_install_property(
            object_class, id,
            copy_spec(id == PROP_TITLE ? "title" : server_properties[id],
                      g_object_class_find_property(server_class, server_properties[id])));
    g_type_class_unref(server_class);
    gst_element_class_add_static_pad_template(element_class, &video_template);
    gst_element_class_add_static_pad_template(element_class, &audio_template);
    gst_element_class_set_static_metadata(element_class, "SPICE sink", "Sink/Video/Network",
                                          "Makes a SPICE server of a pipeline",
                                          "The gst-spice developers");
}
