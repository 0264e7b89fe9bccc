/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicesrc
 * @title: spicesrc
 * @short_description: the desktop of a SPICE server as a live video source
 *
 * Connects to a SPICE server, such as a virtual machine of QEMU, and exposes its displays as pads
 * `display_%u`. Frames come when the picture changes and bear no timestamps unless `timestamps`
 * asks for them (then a picture that stays as it is comes again twice a second); #GstNavigation events that come back from a sink go to the server as keyboard and
 * pointer input.
 *
 * What the guest plays comes from the pad `audio`, if the server has sound, as raw sound that is timed to
 * be together with the picture and as loud as the guest's mixer says. While the guest plays nothing it is
 * silence, so that muxers and mixers go on (see `silence`). What goes into the pad `record`, a request pad, the guest hears while it records.
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
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink desktop.audio ! spiceaudiosink
 * ]| The same with its sound.
 * |[
 * gst-launch-1.0 -e spicesrc location=spice://localhost:5900 name=desktop timestamps=arrival ! videoconvert ! jpegenc ! queue ! matroskamux name=file ! filesink location=desktop.mkv desktop.audio ! audioconvert ! audioresample ! opusenc ! queue ! file.
 * ]| Records it with its sound, until it is interrupted.
 * |[
 * gst-launch-1.0 spicesrc location=spice://localhost:5900 name=desktop ! videoconvert ! autovideosink spiceaudiosrc ! desktop.record
 * ]| Lets the guest hear the microphone.
 */
#include <gst/video/video.h>
#include <stdio.h>

#include "core/wire/channel.h"
#include "gst-plugins/display/spiceheads.h"
#include "session-context.h"
#include "spicechannelsrc.h"
#include "spicesrc-private.h"

GST_DEBUG_CATEGORY_STATIC(spicesrc_debug);
#define GST_CAT_DEFAULT spicesrc_debug

enum {
    MAX_DISPLAYS = 16, /* each may take a gigabyte of surfaces */
};

G_DEFINE_FINAL_TYPE_WITH_CODE(GstSpiceSrc, gst_spice_src, GST_TYPE_BIN,
                              G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gst_spice_src_uri_init))

static GstStaticPadTemplate display_template = GST_STATIC_PAD_TEMPLATE(
    "display_%u", GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

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
        gst_spice_src_add_audio(self);
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
    gst_spice_login_apply(&self->login, G_OBJECT(session));
    g_object_set(session, "record", self->record != NULL, NULL);
    self->session = session;
    GST_OBJECT_UNLOCK(self);
    gst_spice_src_set_record_session(self, session);
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
    gst_spice_src_set_record_session(self, NULL);
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

static void send_eos_async(GstElement *source, gpointer event)
{
    gst_element_send_event(source, gst_event_ref(event));
}

static void send_eos(const GValue *item, gpointer event)
{
    gst_element_call_async(g_value_get_object(item), send_eos_async, gst_event_ref(event),
                           (GDestroyNotify)gst_event_unref);
}

/** To all at once: a source waits until what it pushes has been taken, and that may wait for another one's EOS. */
static gboolean end_all(GstBin *bin, GstEvent *event)
{
    GstIterator *sources = gst_bin_iterate_sources(bin);

    while (gst_iterator_foreach(sources, send_eos, event) == GST_ITERATOR_RESYNC)
        gst_iterator_resync(sources);
    gst_iterator_free(sources);
    gst_event_unref(event);
    return TRUE;
}

/** An event that the application sends to the element itself, not to a pad. */
static gboolean gst_spice_src_send_event(GstElement *element, GstEvent *event)
{
    GstPad *pad = NULL;
    gboolean handled;

    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        return end_all(GST_BIN(element), event);
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

/* Object */

static void gst_spice_src_finalize(GObject *object)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);

    g_array_unref(self->new_displays);
    gst_spice_login_clear(&self->login);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    G_OBJECT_CLASS(gst_spice_src_parent_class)->finalize(object);
}

static void gst_spice_src_init(GstSpiceSrc *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->new_displays = g_array_new(FALSE, FALSE, sizeof(guint));
    gst_spice_login_init(&self->login);
    self->num_buffers = -1;
    self->audio = self->silence = TRUE;
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void gst_spice_src_class_init(GstSpiceSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicesrc_debug, "spicesrc", 0, "SPICE desktop source");

    object_class->finalize = gst_spice_src_finalize;
    element_class->change_state = gst_spice_src_change_state;
    element_class->send_event = gst_spice_src_send_event;
    GST_BIN_CLASS(klass)->handle_message = gst_spice_src_handle_message;
    gst_spice_src_install_properties(object_class);
    gst_spice_src_install_sound(element_class);

    gst_element_class_add_static_pad_template(element_class, &display_template);
    gst_element_class_set_static_metadata(element_class, "SPICE source", "Source/Network/Video",
                                          "Shows the desktop of a SPICE server",
                                          "The gst-spice developers");
}
