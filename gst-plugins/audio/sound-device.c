/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-device-private.h"

GST_DEBUG_CATEGORY(sound_device_debug);
#define GST_CAT_DEFAULT sound_device_debug

enum {
    PROP_0,
    PROP_BUFFER_TIME,
    PROP_LATENCY_TIME,
};

/* Microseconds: less than devices hold by themselves, as pictures wait for sound. */
enum { BUFFER_TIME_US = 60000, LATENCY_TIME_US = 10000 };
/* Attempts at the same kind of device before any other is taken. */
enum { SAME_ATTEMPTS = 16 };
#define ATTEMPT_US      (250 * G_TIME_SPAN_MILLISECOND)
#define MOST_ATTEMPT_US (30 * G_TIME_SPAN_SECOND)
/* One that lasted longer than that is opened again at once. */
#define LASTING_US G_TIME_SPAN_SECOND
/* Between looks for a device if there is none; it doubles from one to the next. */
#define SEARCH_US      (2 * G_TIME_SPAN_SECOND)
#define MOST_SEARCH_US G_TIME_SPAN_MINUTE

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(GstSpiceSoundDevice, gst_spice_sound_device, GST_TYPE_BIN)

GstSpiceSoundDevicePrivate *gst_spice_sound_device_private(GstSpiceSoundDevice *self)
{
    return gst_spice_sound_device_get_instance_private(self);
}

GstPad *gst_spice_sound_device_get_pad(GstSpiceSoundDevice *self)
{
    return gst_spice_sound_device_private(self)->pad;
}

gboolean gst_spice_sound_device_is_lost(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gboolean lost;

    g_mutex_lock(&p->lock);
    lost = p->lost;
    g_mutex_unlock(&p->lock);
    return lost;
}

gboolean gst_spice_sound_device_set_ended(GstSpiceSoundDevice *self, gboolean ended)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gboolean takes_it;

    g_mutex_lock(&p->chain_lock); /* no other device now */
    g_mutex_lock(&p->lock);
    p->ended = ended;
    takes_it = p->chain && !p->lost;
    g_cond_signal(&p->wake);
    g_mutex_unlock(&p->lock);
    g_mutex_unlock(&p->chain_lock);
    return takes_it;
}

void gst_spice_sound_device_lose(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gboolean owes_end;

    g_mutex_lock(&p->lock);
    owes_end = p->ended && !p->lost; /* it will not tell any more */
    p->lost = TRUE;
    g_cond_signal(&p->wake);
    g_mutex_unlock(&p->lock);
    if (owes_end && GST_PAD_IS_SINK(p->pad))
        gst_element_post_message(GST_ELEMENT(self), gst_message_new_eos(GST_OBJECT(self)));
    else if (owes_end)
        gst_pad_push_event(p->pad, gst_event_new_eos());
}

/* The worker: finds another device */

/** Under lock: waits, but not for longer than needed. FALSE: it is to end. */
static gboolean pause_for(GstSpiceSoundDevicePrivate *p, gint64 us)
{
    const gint64 end = g_get_monotonic_time() + us;

    while (!p->ending && g_cond_wait_until(&p->wake, &p->lock, end)) {
    }
    return !p->ending;
}

/** Any other, if `kind` is NULL. */
static void replace(GstSpiceSoundDevice *self, GstElementFactory *kind)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gboolean ended;

    g_mutex_lock(&p->chain_lock);
    g_mutex_lock(&p->lock);
    ended = p->ended;
    g_mutex_unlock(&p->lock);
    if (p->target >= GST_STATE_READY && !ended) {
        gst_spice_sound_device_end_chain(self);
        gst_spice_sound_device_begin_chain(self, kind);
    }
    g_mutex_unlock(&p->chain_lock);
}

/** `lasts`: a lost device is not found again soon. */
static void tell_if_silent(GstSpiceSoundDevice *self, gboolean lasts)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gboolean tell;

    g_mutex_lock(&p->lock);
    tell = (p->pretends || (p->lost && lasts)) && !p->told;
    p->told |= tell;
    g_mutex_unlock(&p->lock);
    if (tell)
        GST_ELEMENT_WARNING(self, RESOURCE, NOT_FOUND, ("There is no device for sound."), (NULL));
}

/** Under lock: how long to wait before the attempt of that number. */
static gint64 attempt_pause_us(guint attempt)
{
    const guint more = attempt > SAME_ATTEMPTS ? MIN(attempt - SAME_ATTEMPTS, 8) : 0;

    return attempt == 0 ? 0 : MIN(ATTEMPT_US << more, MOST_ATTEMPT_US);
}

/** The device was lost: one attempt at another. */
static void attempt(GstSpiceSoundDevice *self, guint number)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    GstElementFactory *kind;

    g_mutex_lock(&p->lock);
    kind = p->kind && number < SAME_ATTEMPTS ? gst_object_ref(p->kind) : NULL;
    g_mutex_unlock(&p->lock);
    replace(self, kind);
    g_clear_pointer(&kind, gst_object_unref);
}

/** (transfer full) What was there, or is to be tried first. */
static GstElementFactory *get_likely_kind(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    GstElementFactory *kind;

    g_mutex_lock(&p->lock);
    kind = p->kind ? gst_object_ref(p->kind) : NULL;
    g_mutex_unlock(&p->lock);
    return kind ? kind : gst_element_factory_find(GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->likely);
}

/** There was none: whether there is by now. Only one kind is tried, as ALSA's library says on standard error each time
 * that it finds no card. */
static void search(GstSpiceSoundDevice *self)
{
    GstElementFactory *kind = get_likely_kind(self);
    GstElement *device = kind ? gst_element_factory_create(kind, NULL) : NULL;

    if (device) {
        const gboolean works =
            gst_element_set_state(device, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;

        gst_element_set_state(device, GST_STATE_NULL);
        gst_object_unref(device);
        if (works)
            replace(self, kind);
    }
    g_clear_pointer(&kind, gst_object_unref);
}

static gpointer work(gpointer data)
{
    GstSpiceSoundDevice *self = data;
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gint64 search_us = SEARCH_US;
    gboolean has_worked = FALSE;
    guint attempts = 0;

    g_mutex_lock(&p->lock);
    while (!p->ending) {
        const gboolean lost = p->lost;

        if (p->ended || (!lost && !p->pretends)) {
            search_us = SEARCH_US;
            g_cond_wait(&p->wake, &p->lock);
            continue;
        }
        has_worked |= p->works;
        if (lost && p->works && g_get_monotonic_time() - p->opened_us > LASTING_US)
            attempts = 0;
        if (lost)
            p->works = FALSE;
        if (lost && !has_worked) /* it may be no device at all */
            attempts = MAX(attempts, SAME_ATTEMPTS);
        if (!pause_for(p, lost ? attempt_pause_us(attempts) : search_us))
            break;
        g_mutex_unlock(&p->lock);
        if (lost)
            attempt(self, attempts++);
        else
            search(self);
        search_us = lost ? SEARCH_US : MIN(2 * search_us, MOST_SEARCH_US);
        tell_if_silent(self, attempts > SAME_ATTEMPTS);
        g_mutex_lock(&p->lock);
    }
    g_mutex_unlock(&p->lock);
    return NULL;
}

/* Messages: streaming threads, and those that change states */

/** The device's state is its own, and so are its errors. */
static void gst_spice_sound_device_handle_message(GstBin *bin, GstMessage *message)
{
    GstSpiceSoundDevice *self = GST_SPICE_SOUND_DEVICE(bin);
    g_autoptr(GError) error = NULL;

    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, NULL);
        GST_WARNING_OBJECT(self, "%s: %s", GST_MESSAGE_SRC_NAME(message), error->message);
        gst_spice_sound_device_lose(self);
        break;
    case GST_MESSAGE_WARNING: /* autoaudiosink's, that there is nothing: we say it once */
    case GST_MESSAGE_ASYNC_START:
    case GST_MESSAGE_ASYNC_DONE:
        break;
    default:
        GST_BIN_CLASS(gst_spice_sound_device_parent_class)->handle_message(bin, message);
        return;
    }
    gst_message_unref(message);
}

/* States */

static void start_worker(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    p->ending = p->ended = p->told = FALSE;
    p->worker = g_thread_new("spice-sound", work, self);
}

static void end_worker(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    if (!p->worker)
        return;
    g_mutex_lock(&p->lock);
    p->ending = TRUE;
    g_cond_signal(&p->wake);
    g_mutex_unlock(&p->lock);
    g_clear_pointer(&p->worker, g_thread_join);
}

static GstStateChangeReturn gst_spice_sound_device_change_state(GstElement *element,
                                                                GstStateChange transition)
{
    GstSpiceSoundDevice *self = GST_SPICE_SOUND_DEVICE(element);
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    const GstState next = GST_STATE_TRANSITION_NEXT(transition);
    GstStateChangeReturn result;
    gboolean complete = TRUE;

    if (transition == GST_STATE_CHANGE_READY_TO_NULL)
        end_worker(self);
    g_mutex_lock(&p->chain_lock);
    p->target = next;
    if (transition == GST_STATE_CHANGE_NULL_TO_READY)
        complete =
            gst_spice_sound_device_begin_chain(self, NULL) || gst_spice_sound_device_is_lost(self);
    else if (next == GST_STATE_NULL)
        gst_spice_sound_device_end_chain(self);
    else if (p->chain && !gst_spice_sound_device_set_chain_state(self, next))
        gst_spice_sound_device_lose(self);
    g_mutex_unlock(&p->chain_lock);
    if (!complete) {
        GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN,
                          ("GStreamer's plug-ins for sound are not installed."), (NULL));
        return GST_STATE_CHANGE_FAILURE;
    }
    if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
        tell_if_silent(self, FALSE);
        start_worker(self);
    }
    result =
        GST_ELEMENT_CLASS(gst_spice_sound_device_parent_class)->change_state(element, transition);
    if (result == GST_STATE_CHANGE_SUCCESS && GST_PAD_IS_SRC(p->pad) &&
        (transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
         transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED))
        return GST_STATE_CHANGE_NO_PREROLL;
    return result;
}

/* Object */

static void gst_spice_sound_device_set_property(GObject *object, guint id, const GValue *value,
                                                GParamSpec *pspec)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(GST_SPICE_SOUND_DEVICE(object));

    GST_OBJECT_LOCK(object);
    if (id == PROP_BUFFER_TIME)
        p->buffer_time_us = g_value_get_int64(value);
    else if (id == PROP_LATENCY_TIME)
        p->latency_time_us = g_value_get_int64(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(object);
}

static void gst_spice_sound_device_get_property(GObject *object, guint id, GValue *value,
                                                GParamSpec *pspec)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(GST_SPICE_SOUND_DEVICE(object));

    GST_OBJECT_LOCK(object);
    if (id == PROP_BUFFER_TIME)
        g_value_set_int64(value, p->buffer_time_us);
    else if (id == PROP_LATENCY_TIME)
        g_value_set_int64(value, p->latency_time_us);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(object);
}

static void gst_spice_sound_device_constructed(GObject *object)
{
    GstSpiceSoundDevice *self = GST_SPICE_SOUND_DEVICE(object);
    const char *name = GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->pad;
    GstPadTemplate *template =
        gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), name);

    gst_spice_sound_device_private(self)->pad =
        gst_ghost_pad_new_no_target_from_template(name, template);
    gst_element_add_pad(GST_ELEMENT(self), gst_spice_sound_device_private(self)->pad);
    GST_OBJECT_FLAG_SET(self, GST_PAD_IS_SINK(gst_spice_sound_device_private(self)->pad)
                                  ? GST_ELEMENT_FLAG_SINK
                                  : GST_ELEMENT_FLAG_SOURCE);
    G_OBJECT_CLASS(gst_spice_sound_device_parent_class)->constructed(object);
}

static void gst_spice_sound_device_finalize(GObject *object)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(GST_SPICE_SOUND_DEVICE(object));

    g_clear_pointer(&p->kind, gst_object_unref);
    g_mutex_clear(&p->chain_lock);
    g_mutex_clear(&p->lock);
    g_cond_clear(&p->wake);
    G_OBJECT_CLASS(gst_spice_sound_device_parent_class)->finalize(object);
}

static void gst_spice_sound_device_init(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    /* It is a sink or a source even while there is no device. */
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SINK | GST_ELEMENT_FLAG_SOURCE |
                                                    GST_ELEMENT_FLAG_PROVIDE_CLOCK |
                                                    GST_ELEMENT_FLAG_REQUIRE_CLOCK);
    g_mutex_init(&p->chain_lock);
    g_mutex_init(&p->lock);
    g_cond_init(&p->wake);
    p->target = GST_STATE_NULL;
    p->buffer_time_us = BUFFER_TIME_US;
    p->latency_time_us = LATENCY_TIME_US;
}

static void gst_spice_sound_device_class_init(GstSpiceSoundDeviceClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(sound_device_debug, "spicesounddevice", 0, "SPICE sound devices");
    object_class->set_property = gst_spice_sound_device_set_property;
    object_class->get_property = gst_spice_sound_device_get_property;
    object_class->constructed = gst_spice_sound_device_constructed;
    object_class->finalize = gst_spice_sound_device_finalize;
    GST_ELEMENT_CLASS(klass)->change_state = gst_spice_sound_device_change_state;
    GST_BIN_CLASS(klass)->handle_message = gst_spice_sound_device_handle_message;
    g_object_class_install_property(
        object_class, PROP_BUFFER_TIME,
        g_param_spec_int64("buffer-time", "Buffer time",
                           "What the device holds, in microseconds, if it can be told", 1000,
                           10 * G_USEC_PER_SEC, BUFFER_TIME_US,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_LATENCY_TIME,
        g_param_spec_int64("latency-time", "Latency time",
                           "What it takes or gives at once, in microseconds, if it can be told",
                           1000, G_USEC_PER_SEC, LATENCY_TIME_US,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
}
