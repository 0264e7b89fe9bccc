/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicesrc
 * @title: spicesrc
 * @short_description: the desktop of a SPICE server as a live video source
 *
 * Connects to a SPICE server, such as a virtual machine of QEMU, and exposes its displays as pads
 * `display_%u`. Frames come when the picture changes and bear no timestamps unless `timestamps`
 * asks for them; #GstNavigation events that come back from a sink go to the server as keyboard and
 * pointer input.
 *
 * What the guest plays comes from the pad `audio`, if the server has sound, as raw sound that is timed to
 * be together with the picture and as loud as the guest's mixer says; nothing comes while the guest is
 * silent. What goes into the pad `record`, a request pad, the guest hears while it records.
 *
 * By default display 0 alone is exposed (see `monitor`), so that a pipeline with one sink sends
 * each click once. `all-displays` exposes each monitor that the server has: those of several graphics
 * devices, and those of one, which lie on one surface (a pad for each comes and goes as the server's
 * monitors do). The pad's number is that of the device plus that of the monitor on it.
 *
 * Keys come from sinks as names and are read as on a US keyboard. An application that knows the
 * exact key sends an upstream custom event whose structure is `application/x-gst-spice-scancode`
 * with `code` (uint, PC/AT set 1, extended keys as 0xE0xx) and `pressed` (boolean).
 *
 * Errors are %GST_RESOURCE_ERROR_NOT_AUTHORIZED for a wrong or missing password,
 * %GST_RESOURCE_ERROR_OPEN_READ_WRITE if no session could be made, and %GST_RESOURCE_ERROR_READ if
 * it was lost.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 ! videoconvert ! autovideosink
 * ]| Shows a virtual machine in a window; keys and pointer work.
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 num-buffers=1 ! videoconvert ! pngenc ! filesink location=shot.png
 * ]| Takes a picture of it.
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink desktop.audio ! audioconvert ! autoaudiosink
 * ]| The same with its sound.
 */
#include "spicesrc.h"

#include <gst/video/video.h>
#include <stdio.h>

#include "core/wire/channel.h"
#include "gst-plugins/audio/session-audio.h"
#include "gst-plugins/display/spicedisplaydec.h"
#include "gst-plugins/display/spiceheads.h"
#include "session-context.h"
#include "session/image-compression.h"
#include "spicechannelsrc.h"
#include "transport/address.h"

GST_DEBUG_CATEGORY_STATIC(spicesrc_debug);
#define GST_CAT_DEFAULT spicesrc_debug

enum {
    DEFAULT_TIMEOUT_S = 30,
    MAX_DISPLAYS = 16, /* each may take a gigabyte of surfaces */
};

enum {
    PROP_0,
    PROP_LOCATION,
    PROP_USERNAME,
    PROP_PASSWORD,
    PROP_CA_FILE,
    PROP_HOST_SUBJECT,
    PROP_TIMEOUT,
    PROP_MONITOR,
    PROP_ALL_DISPLAYS,
    PROP_AUDIO,
    PROP_SHOW_CURSOR,
    PROP_PREFERRED_COMPRESSION,
    PROP_TIMESTAMPS,
    PROP_NUM_BUFFERS,
    PROP_SESSION,
};

struct _GstSpiceSrc {
    GstBin parent_instance;

    /* properties, under the object lock */
    char *location, *username, *password, *ca_file, *host_subject;
    guint timeout, monitor;
    gboolean all_displays, audio, show_cursor;
    GstElement *record; /* the bin behind the pad `record`; a reference */
    GstSpiceImageCompression preferred_compression;
    GstSpiceTimestamps timestamps;
    gint num_buffers;

    GstSpiceSession *session; /* under the object lock */
    gulong handlers[3];
    /* The session's I/O thread alone, or while there is no session: */
    GArray *new_displays; /* ids since the last list */
    guint n_displays;
    gboolean new_audio; /* since the last list */
    gboolean listed;    /* the first list has come */
    GMutex lock;
    GCond cond;
    gboolean closing;      /* under lock: no display is added any more */
    guint adding;          /* under lock: how many tasks are just adding displays */
    gboolean error_posted; /* under lock */
};

static void gst_spice_src_uri_handler_init(gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE(GstSpiceSrc, gst_spice_src, GST_TYPE_BIN,
                              G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER,
                                                    gst_spice_src_uri_handler_init))

static GstStaticPadTemplate display_template = GST_STATIC_PAD_TEMPLATE(
    "display_%u", GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio", GST_PAD_SRC, GST_PAD_SOMETIMES,
                            GST_STATIC_CAPS("audio/x-raw, layout = (string) interleaved, "
                                            "rate = (int) [ 8000, 192000 ], channels = (int) 2"));

static GstStaticPadTemplate record_template = GST_STATIC_PAD_TEMPLATE(
    "record", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("audio/x-raw"));

/* Sound */

static void add_audio(GstSpiceSrc *self)
{
    GstElement *bin = gst_spice_playback_bin_new(self->session);
    GstPadTemplate *template = gst_static_pad_template_get(&audio_template);
    GstPad *target, *pad;

    gst_bin_add(GST_BIN(self), bin); /* which unlinks its pads */
    target = gst_element_get_static_pad(bin, "src");
    pad = gst_ghost_pad_new_from_template("audio", target, template);
    gst_object_unref(target);
    gst_object_unref(template);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(GST_ELEMENT(self), pad);
    gst_element_sync_state_with_parent(bin);
}

static GstPad *gst_spice_src_request_new_pad(GstElement *element, GstPadTemplate *template,
                                             const char *name, const GstCaps *caps)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    GstPad *target, *pad;

    if (self->record || GST_PAD_TEMPLATE_DIRECTION(template) != GST_PAD_SINK)
        return NULL;
    self->record = gst_spice_record_bin_new(self->session);
    if (!self->record) {
        GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN,
                          ("audioconvert and audioresample are needed."), (NULL));
        return NULL;
    }
    gst_bin_add(GST_BIN(self), gst_object_ref(self->record));
    target = gst_element_get_static_pad(self->record, "sink");
    pad = gst_ghost_pad_new_from_template("record", target, template);
    gst_object_unref(target);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element, pad);
    gst_element_sync_state_with_parent(self->record);
    return pad;
}

static void gst_spice_src_release_pad(GstElement *element, GstPad *pad)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    GstElement *record = g_steal_pointer(&self->record);

    gst_element_remove_pad(element, pad);
    if (!record)
        return;
    gst_element_set_state(record, GST_STATE_NULL);
    if (GST_OBJECT_PARENT(record) == GST_OBJECT(self)) /* else the bin is being disposed of */
        gst_bin_remove(GST_BIN(self), record);
    gst_object_unref(record);
}

static void set_record_session(GstSpiceSrc *self, GstSpiceSession *session)
{
    if (self->record)
        gst_spice_record_bin_set_session(self->record, session);
}

/* Displays come and go */

/** Exposes `target` as display `number`, or the next number that is free. */
static void expose(GstSpiceSrc *self, GstPad *target, guint number)
{
    GstPadTemplate *template = gst_static_pad_template_get(&display_template);
    GstPad *pad = NULL;

    while (!pad) {
        g_autofree char *name = g_strdup_printf("display_%u", number++);
        GstPad *other = gst_element_get_static_pad(GST_ELEMENT(self), name);

        if (other)
            gst_object_unref(other);
        else
            pad = gst_ghost_pad_new_from_template(name, target, template);
    }
    gst_object_unref(template);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(GST_ELEMENT(self), pad);
}

/** The server has turned a monitor on, which lies on the surface of another. */
static void on_head_added(GstElement *heads, GstPad *head, gpointer user_data)
{
    GstSpiceSrc *self = user_data;
    guint channel, number;

    channel = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(heads), "channel"));
    if (sscanf(GST_PAD_NAME(head), "head_%u", &number) == 1)
        expose(self, head, channel + number);
}

static void on_head_removed(GstElement *heads, GstPad *head, gpointer user_data)
{
    GstSpiceSrc *self = user_data;
    GstElement *element = GST_ELEMENT(self);
    GstPad *ghost = NULL;
    GList *item;

    GST_OBJECT_LOCK(self);
    for (item = element->srcpads; item && !ghost; item = item->next) {
        GstPad *target = gst_ghost_pad_get_target(GST_GHOST_PAD(item->data));

        if (target == head)
            ghost = gst_object_ref(item->data);
        g_clear_pointer(&target, gst_object_unref);
    }
    GST_OBJECT_UNLOCK(self);
    if (ghost) {
        gst_pad_set_active(ghost, FALSE);
        gst_element_remove_pad(element, ghost);
        gst_object_unref(ghost);
    }
}

static void add_display(GstSpiceSrc *self, guint id)
{
    GstElement *source = g_object_new(GST_TYPE_SPICE_CHANNEL_SRC, "session", self->session,
                                      "channel-id", id, "shared-caches", self->all_displays,
                                      "preferred-compression", self->preferred_compression, NULL);
    GstElement *decoder =
        g_object_new(GST_TYPE_SPICE_DISPLAY_DEC, "session", self->session, "channel-id", id,
                     "shared-caches", self->all_displays, "show-cursor", self->show_cursor,
                     "timestamps", self->timestamps, "num-buffers", self->num_buffers, NULL);
    GstElement *heads = NULL;
    GstPad *target;

    gst_bin_add_many(GST_BIN(self), source, decoder, NULL);
    gst_element_link(source, decoder);
    if (self->all_displays) {
        heads = g_object_new(GST_TYPE_SPICE_HEADS, NULL);
        g_object_set_data(G_OBJECT(heads), "channel", GUINT_TO_POINTER(id));
        g_signal_connect(heads, "pad-added", G_CALLBACK(on_head_added), self);
        g_signal_connect(heads, "pad-removed", G_CALLBACK(on_head_removed), self);
        gst_bin_add(GST_BIN(self), heads);
        gst_element_link(decoder, heads);
        gst_element_sync_state_with_parent(heads);
    }
    target = heads ? gst_element_get_static_pad(heads, "head_0")
                   : gst_element_get_static_pad(decoder, "src");
    gst_element_sync_state_with_parent(decoder);
    expose(self, target, id);
    gst_object_unref(target);
    gst_element_sync_state_with_parent(source);
}

/** Whether displays of `session` may be added; then closing waits for end_adding(). */
static gboolean begin_adding(GstSpiceSrc *self, GstSpiceSession *session)
{
    gboolean open;

    g_mutex_lock(&self->lock);
    open = !self->closing && self->session == session;
    self->adding += open;
    g_mutex_unlock(&self->lock);
    return open;
}

static void end_adding(GstSpiceSrc *self)
{
    g_mutex_lock(&self->lock);
    self->adding--;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

/** From here on no display is added: an application must not hear of a pad of an element that it
 * is taking down. */
static void stop_adding(GstSpiceSrc *self)
{
    g_mutex_lock(&self->lock);
    self->closing = TRUE;
    while (self->adding > 0)
        g_cond_wait(&self->cond, &self->lock);
    g_mutex_unlock(&self->lock);
}

/** Whether this is the first error. A lost server is noticed on each of its channels; people want
 * to hear it once. */
static gboolean claim_error(GstSpiceSrc *self)
{
    gboolean first;

    g_mutex_lock(&self->lock);
    first = !self->error_posted;
    self->error_posted = TRUE;
    g_mutex_unlock(&self->lock);
    return first;
}

typedef struct {
    GstSpiceSession *session; /* a task may outlive its session */
    GArray *ids;
    gboolean audio;
} NewDisplays;

static void new_displays_free(gpointer data)
{
    NewDisplays *displays = data;

    g_object_unref(displays->session);
    g_array_unref(displays->ids);
    g_free(displays);
}

/** Adds the displays that a list named, and says that they are all. One task for both, as tasks may
 * run side by side. */
static void add_displays_async(GstElement *element, gpointer data)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    const NewDisplays *displays = data;
    guint i;

    if (!begin_adding(self, displays->session))
        return;
    for (i = 0; i < displays->ids->len; i++)
        add_display(self, g_array_index(displays->ids, guint, i));
    if (displays->audio)
        add_audio(self);
    gst_element_no_more_pads(element);
    end_adding(self);
}

static void on_channel_available(GstSpiceSession *session, guint type, guint id, gpointer user_data)
{
    GstSpiceSrc *self = user_data;

    if (type == SPICE_CHANNEL_DISPLAY && (self->all_displays || id == self->monitor) &&
        self->n_displays < MAX_DISPLAYS) {
        g_array_append_val(self->new_displays, id);
        self->n_displays++;
    }
    if (type == SPICE_CHANNEL_PLAYBACK && id == 0 && self->audio)
        self->new_audio = TRUE;
}

static void on_channels_listed(GstSpiceSession *session, gpointer user_data)
{
    GstSpiceSrc *self = user_data;
    gboolean first = !self->listed;
    NewDisplays *displays;

    self->listed = TRUE;
    if (first && self->new_displays->len == 0) {
        if (claim_error(self))
            GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("The server has no such display."),
                              ("display %u", self->monitor));
        return;
    }
    if (self->new_displays->len == 0 && !self->new_audio)
        return;
    displays = g_new(NewDisplays, 1);
    displays->session = g_object_ref(session);
    displays->ids = self->new_displays;
    displays->audio = self->new_audio;
    self->new_audio = FALSE;
    self->new_displays = g_array_new(FALSE, FALSE, sizeof(guint));
    /* Not here on the I/O thread: applications hear of the pads while they are added. */
    gst_element_call_async(GST_ELEMENT(self), add_displays_async, displays, new_displays_free);
}

static void on_failed(GstSpiceSession *session, const GError *error, gpointer user_data)
{
    GstSpiceSrc *self = user_data;

    if (claim_error(self))
        gst_spice_post_error(GST_ELEMENT(self), error);
}

static void gst_spice_src_handle_message(GstBin *bin, GstMessage *message)
{
    GstSpiceSrc *self = GST_SPICE_SRC(bin);

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !claim_error(self)) {
        GST_DEBUG_OBJECT(self, "not the first error: %" GST_PTR_FORMAT, message);
        gst_message_unref(message);
        return;
    }
    GST_BIN_CLASS(gst_spice_src_parent_class)->handle_message(bin, message);
}

/* States */

static gboolean open_session(GstSpiceSrc *self)
{
    g_autoptr(GError) error = NULL;
    GstSpiceSession *session = gst_spice_session_new();

    g_mutex_lock(&self->lock);
    self->closing = FALSE;
    self->error_posted = FALSE;
    g_mutex_unlock(&self->lock);
    GST_OBJECT_LOCK(self);
    g_object_set(session, "location", self->location, "username", self->username, "password",
                 self->password, "ca-file", self->ca_file, "host-subject", self->host_subject,
                 "timeout", self->timeout, "record", self->record != NULL, NULL);
    self->session = session;
    GST_OBJECT_UNLOCK(self);
    set_record_session(self, session);
    self->handlers[0] =
        g_signal_connect(session, "channel-available", G_CALLBACK(on_channel_available), self);
    self->handlers[1] =
        g_signal_connect(session, "channels-listed", G_CALLBACK(on_channels_listed), self);
    self->handlers[2] = g_signal_connect(session, "failed", G_CALLBACK(on_failed), self);
    if (!gst_spice_session_open(session, &error)) {
        gst_spice_post_error(GST_ELEMENT(self), error);
        return FALSE;
    }
    return TRUE;
}

static void close_session(GstSpiceSrc *self)
{
    GstSpiceSession *session;
    guint i;

    GST_OBJECT_LOCK(self);
    session = g_steal_pointer(&self->session);
    GST_OBJECT_UNLOCK(self);
    if (!session)
        return;
    for (i = 0; i < G_N_ELEMENTS(self->handlers); i++)
        g_signal_handler_disconnect(session, self->handlers[i]);
    set_record_session(self, NULL);
    gst_spice_session_close(session);
    g_object_unref(session);
    self->new_audio = FALSE;
    g_array_set_size(self->new_displays, 0);
    self->n_displays = 0;
    self->listed = FALSE;
}

static gpointer copy_ref(gconstpointer object, gpointer data)
{
    return gst_object_ref((gpointer)object);
}

/** And the sound, but for what is behind `record`. */
static void remove_displays(GstSpiceSrc *self)
{
    GstElement *element = GST_ELEMENT(self);
    GList *pads, *children, *l;

    GST_OBJECT_LOCK(self);
    pads = g_list_copy_deep(element->srcpads, copy_ref, NULL);
    children = g_list_copy_deep(GST_BIN(self)->children, copy_ref, NULL);
    GST_OBJECT_UNLOCK(self);
    for (l = pads; l; l = l->next)
        gst_element_remove_pad(element, l->data);
    for (l = children; l; l = l->next) {
        if (l->data == self->record)
            continue;
        gst_element_set_state(l->data, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(self), l->data);
    }
    g_list_free_full(pads, gst_object_unref);
    g_list_free_full(children, gst_object_unref);
}

static GstStateChangeReturn gst_spice_src_change_state(GstElement *element,
                                                       GstStateChange transition)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_session(self)) {
        close_session(self);
        return GST_STATE_CHANGE_FAILURE;
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        stop_adding(self);
    result = GST_ELEMENT_CLASS(gst_spice_src_parent_class)->change_state(element, transition);
    switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
        if (result == GST_STATE_CHANGE_FAILURE) {
            stop_adding(self);
            remove_displays(self);
            close_session(self);
        } else {
            result = GST_STATE_CHANGE_NO_PREROLL;
        }
        break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
        if (result != GST_STATE_CHANGE_FAILURE)
            result = GST_STATE_CHANGE_NO_PREROLL;
        break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
        remove_displays(self);
        close_session(self);
        break;
    default:
        break;
    }
    return result;
}

/** An event that the application sends to the element itself, not to a pad. */
static gboolean gst_spice_src_send_event(GstElement *element, GstEvent *event)
{
    GstPad *pad = NULL;
    gboolean handled;

    if (!GST_EVENT_IS_UPSTREAM(event))
        return GST_ELEMENT_CLASS(gst_spice_src_parent_class)->send_event(element, event);
    GST_OBJECT_LOCK(element);
    if (element->srcpads)
        pad = gst_object_ref(element->srcpads->data);
    GST_OBJECT_UNLOCK(element);
    if (!pad) {
        gst_event_unref(event);
        return FALSE;
    }
    handled = gst_pad_send_event(pad, event);
    gst_object_unref(pad);
    return handled;
}

/* URI handler */

static GstURIType gst_spice_src_uri_get_type(GType type)
{
    return GST_URI_SRC;
}

static const gchar *const *gst_spice_src_uri_get_protocols(GType type)
{
    static const gchar *const protocols[] = {"spice", "spice+tls", "spice+unix", NULL};

    return protocols;
}

static gchar *gst_spice_src_uri_get_uri(GstURIHandler *handler)
{
    GstSpiceSrc *self = GST_SPICE_SRC(handler);
    gchar *uri;

    GST_OBJECT_LOCK(self);
    uri = g_strdup(self->location);
    GST_OBJECT_UNLOCK(self);
    return uri;
}

static gboolean gst_spice_src_uri_set_uri(GstURIHandler *handler, const gchar *uri, GError **error)
{
    g_autoptr(GError) local = NULL;
    SpiceAddress *address = spice_address_parse(uri, &local);

    if (!address) {
        g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s", local->message);
        return FALSE;
    }
    spice_address_free(address);
    if (GST_STATE(handler) > GST_STATE_READY) {
        g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                    "the location cannot be changed while the source is connected");
        return FALSE;
    }
    g_object_set(handler, "location", uri, NULL);
    return TRUE;
}

static void gst_spice_src_uri_handler_init(gpointer g_iface, gpointer data)
{
    GstURIHandlerInterface *iface = g_iface;

    iface->get_type = gst_spice_src_uri_get_type;
    iface->get_protocols = gst_spice_src_uri_get_protocols;
    iface->get_uri = gst_spice_src_uri_get_uri;
    iface->set_uri = gst_spice_src_uri_set_uri;
}

/* Object */

static char **string_property(GstSpiceSrc *self, guint id)
{
    switch (id) {
    case PROP_LOCATION:
        return &self->location;
    case PROP_USERNAME:
        return &self->username;
    case PROP_PASSWORD:
        return &self->password;
    case PROP_CA_FILE:
        return &self->ca_file;
    case PROP_HOST_SUBJECT:
        return &self->host_subject;
    default:
        return NULL;
    }
}

static void gst_spice_src_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);
    char **text = string_property(self, id);

    GST_OBJECT_LOCK(self);
    if (text) {
        g_free(*text);
        *text = g_value_dup_string(value);
        GST_OBJECT_UNLOCK(self);
        return;
    }
    switch (id) {
    case PROP_TIMEOUT:
        self->timeout = g_value_get_uint(value);
        break;
    case PROP_MONITOR:
        self->monitor = g_value_get_uint(value);
        break;
    case PROP_ALL_DISPLAYS:
        self->all_displays = g_value_get_boolean(value);
        break;
    case PROP_AUDIO:
        self->audio = g_value_get_boolean(value);
        break;
    case PROP_SHOW_CURSOR:
        self->show_cursor = g_value_get_boolean(value);
        break;
    case PROP_PREFERRED_COMPRESSION:
        self->preferred_compression = g_value_get_enum(value);
        break;
    case PROP_TIMESTAMPS:
        self->timestamps = g_value_get_enum(value);
        break;
    case PROP_NUM_BUFFERS:
        self->num_buffers = g_value_get_int(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_src_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);
    char **text = string_property(self, id);

    GST_OBJECT_LOCK(self);
    if (text) {
        g_value_set_string(value, *text);
        GST_OBJECT_UNLOCK(self);
        return;
    }
    switch (id) {
    case PROP_TIMEOUT:
        g_value_set_uint(value, self->timeout);
        break;
    case PROP_MONITOR:
        g_value_set_uint(value, self->monitor);
        break;
    case PROP_ALL_DISPLAYS:
        g_value_set_boolean(value, self->all_displays);
        break;
    case PROP_AUDIO:
        g_value_set_boolean(value, self->audio);
        break;
    case PROP_SHOW_CURSOR:
        g_value_set_boolean(value, self->show_cursor);
        break;
    case PROP_PREFERRED_COMPRESSION:
        g_value_set_enum(value, self->preferred_compression);
        break;
    case PROP_TIMESTAMPS:
        g_value_set_enum(value, self->timestamps);
        break;
    case PROP_NUM_BUFFERS:
        g_value_set_int(value, self->num_buffers);
        break;
    case PROP_SESSION:
        g_value_set_object(value, self->session);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_spice_src_finalize(GObject *object)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);

    g_array_unref(self->new_displays);
    g_free(self->location);
    g_free(self->username);
    g_free(self->password);
    g_free(self->ca_file);
    g_free(self->host_subject);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    G_OBJECT_CLASS(gst_spice_src_parent_class)->finalize(object);
}

static void gst_spice_src_init(GstSpiceSrc *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->new_displays = g_array_new(FALSE, FALSE, sizeof(guint));
    self->timeout = DEFAULT_TIMEOUT_S;
    self->num_buffers = -1;
    self->audio = TRUE;
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void install_properties(GObjectClass *object_class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    g_object_class_install_property(
        object_class, PROP_LOCATION,
        g_param_spec_string("location", "Location",
                            "URI of the server: spice://host:port, spice+tls://host:port or "
                            "spice+unix:///path",
                            NULL, flags));
    g_object_class_install_property(
        object_class, PROP_USERNAME,
        g_param_spec_string("username", "User name", "For servers that want SASL", NULL, flags));
    g_object_class_install_property(
        object_class, PROP_PASSWORD,
        g_param_spec_string("password", "Password", "Ticket of the server, or the user's password",
                            NULL,
                            G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_CA_FILE,
        g_param_spec_string("ca-file", "CA file",
                            "PEM file of trusted certificates; without one, the system's", NULL,
                            flags));
    g_object_class_install_property(
        object_class, PROP_HOST_SUBJECT,
        g_param_spec_string("host-subject", "Host subject",
                            "Subject that the server's certificate must have, such as "
                            "\"O=Example,CN=host\"; the host name is then not looked at",
                            NULL, flags));
    g_object_class_install_property(
        object_class, PROP_TIMEOUT,
        g_param_spec_uint("timeout", "Timeout",
                          "Seconds of silence after which the server counts as gone (0: never); "
                          "connecting and the handshake take 10 s at most, or this if it is less",
                          0, G_MAXUINT / 1000, DEFAULT_TIMEOUT_S, flags));
    g_object_class_install_property(object_class, PROP_MONITOR,
                                    g_param_spec_uint("monitor", "Monitor",
                                                      "The display to expose unless all are", 0,
                                                      255, 0, flags));
    g_object_class_install_property(
        object_class, PROP_ALL_DISPLAYS,
        g_param_spec_boolean("all-displays", "All displays",
                             "Expose a pad for each monitor that the server has", FALSE, flags));
    g_object_class_install_property(
        object_class, PROP_AUDIO,
        g_param_spec_boolean("audio", "Audio", "Expose a pad for the server's sound, if it has any",
                             TRUE, flags));
    g_object_class_install_property(
        object_class, PROP_SHOW_CURSOR,
        g_param_spec_boolean("show-cursor", "Show cursor",
                             "Draw the server's cursor into the frames, for recording", FALSE,
                             flags));
    g_object_class_install_property(
        object_class, PROP_PREFERRED_COMPRESSION,
        g_param_spec_enum("preferred-compression", "Preferred compression",
                          "How the server is asked to send images (adaptive: as it likes); a "
                          "server that takes no wishes is not asked",
                          GST_SPICE_TYPE_IMAGE_COMPRESSION, GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE,
                          flags));
    g_object_class_install_property(
        object_class, PROP_TIMESTAMPS,
        g_param_spec_enum("timestamps", "Timestamps", "What the frames' timestamps say",
                          GST_TYPE_SPICE_TIMESTAMPS, GST_SPICE_TIMESTAMPS_NONE, flags));
    g_object_class_install_property(
        object_class, PROP_NUM_BUFFERS,
        g_param_spec_int("num-buffers", "Number of buffers",
                         "Frames of each display before the end of the stream (-1: no end)", -1,
                         G_MAXINT, -1, flags));
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object("session", "Session",
                            "The session, for input, cursor and mouse mode; from PAUSED on",
                            GST_SPICE_TYPE_SESSION, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void gst_spice_src_class_init(GstSpiceSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicesrc_debug, "spicesrc", 0, "SPICE desktop source");

    object_class->set_property = gst_spice_src_set_property;
    object_class->get_property = gst_spice_src_get_property;
    object_class->finalize = gst_spice_src_finalize;
    element_class->change_state = gst_spice_src_change_state;
    element_class->send_event = gst_spice_src_send_event;
    element_class->request_new_pad = gst_spice_src_request_new_pad;
    element_class->release_pad = gst_spice_src_release_pad;
    GST_BIN_CLASS(klass)->handle_message = gst_spice_src_handle_message;
    install_properties(object_class);

    gst_element_class_add_static_pad_template(element_class, &display_template);
    gst_element_class_add_static_pad_template(element_class, &audio_template);
    gst_element_class_add_static_pad_template(element_class, &record_template);
    gst_element_class_set_static_metadata(element_class, "SPICE source", "Source/Network/Video",
                                          "Shows the desktop of a SPICE server",
                                          "The gst-spice developers");
}
