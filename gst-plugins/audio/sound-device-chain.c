/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-device-private.h"

GST_DEBUG_CATEGORY_EXTERN(sound_device_debug);
#define GST_CAT_DEFAULT sound_device_debug

static void set_if_there(GstElement *element, const char *name, gint64 value)
{
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), name))
        g_object_set(element, name, value, NULL);
}

/** What autoaudiosink and autoaudiosrc make if they find nothing else bears such a name. */
static gboolean does_nothing(GstElement *device)
{
    return g_str_has_prefix(GST_OBJECT_NAME(device), "fake-");
}

static GstPadProbeReturn on_first_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    g_mutex_lock(&p->lock);
    p->works = TRUE;
    g_mutex_unlock(&p->lock);
    return GST_PAD_PROBE_REMOVE;
}

static void watch(GstSpiceSoundDevice *self, GstElement *device)
{
    GstPad *pad = gst_element_get_static_pad(device, GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->pad);

    if (pad)
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_first_buffer, gst_object_ref(self),
                          gst_object_unref);
    g_clear_pointer(&pad, gst_object_unref);
}

static void configure(GstSpiceSoundDevice *self, GstElement *device)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    gint64 buffer_time_us, latency_time_us;

    GST_OBJECT_LOCK(self);
    buffer_time_us = p->buffer_time_us;
    latency_time_us = p->latency_time_us;
    GST_OBJECT_UNLOCK(self);
    set_if_there(device, "buffer-time", buffer_time_us);
    set_if_there(device, "latency-time", latency_time_us);
    /* Nobody waits for its first sound. */
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(device), "async"))
        g_object_set(device, "async", FALSE, NULL);
    /* Pictures shall not inherit the sound card's clock. */
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(device), "provide-clock"))
        g_object_set(device, "provide-clock", FALSE, NULL);
    GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->configure(self, device);
    watch(self, device);
}

/** autoaudiosink tries one after the other; the last one stays. */
static void on_device_added(GstChildProxy *proxy, GObject *device, const char *name,
                            GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    if (!p->opens) /* as it ends it makes what it began with, which does nothing */
        return;
    configure(self, GST_ELEMENT(device));
    g_mutex_lock(&p->lock);
    p->pretends = does_nothing(GST_ELEMENT(device));
    if (!p->pretends)
        gst_object_replace((GstObject **)&p->kind,
                           GST_OBJECT(gst_element_get_factory(GST_ELEMENT(device))));
    g_mutex_unlock(&p->lock);
}

/** `kind`: NULL: whichever there is. */
static GstElement *make_device(GstSpiceSoundDevice *self, GstElementFactory *kind)
{
    GstElement *device;

    if (kind) {
        device = gst_element_factory_create(kind, NULL);
        if (device)
            configure(self, device);
        return device;
    }
    device = gst_element_factory_make(GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->automatic, NULL);
    if (device)
        g_signal_connect_object(device, "child-added", G_CALLBACK(on_device_added), self, 0);
    return device;
}

/** (transfer full) NULL: plug-ins are missing. */
static GstElement *make_chain(GstSpiceSoundDevice *self, GstElementFactory *kind)
{
    const GstSpiceSoundDeviceClass *klass = GST_SPICE_SOUND_DEVICE_GET_CLASS(self);
    const gboolean is_sink = GST_PAD_IS_SINK(gst_spice_sound_device_private(self)->pad);
    GstElement *device = make_device(self, kind), *between, *chain;
    GstPad *pad;

    if (!device)
        return NULL;
    between = gst_parse_bin_from_description(klass->between, TRUE, NULL);
    if (!between) {
        gst_object_unref(device);
        return NULL;
    }
    chain = gst_object_ref_sink(gst_bin_new(NULL));
    gst_bin_add_many(GST_BIN(chain), between, device, NULL);
    gst_element_link(is_sink ? between : device, is_sink ? device : between);
    pad = gst_element_get_static_pad(between, klass->pad);
    gst_element_add_pad(chain, gst_ghost_pad_new(klass->pad, pad));
    gst_object_unref(pad);
    return chain;
}

void gst_spice_sound_device_end_chain(GstSpiceSoundDevice *self)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    if (!p->chain)
        return;
    gst_ghost_pad_set_target(GST_GHOST_PAD(p->pad), NULL);
    gst_element_set_state(p->chain, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(self), p->chain);
    g_clear_pointer(&p->chain, gst_object_unref);
}

gboolean gst_spice_sound_device_set_chain_state(GstSpiceSoundDevice *self, GstState state)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);

    gst_element_set_base_time(p->chain, gst_element_get_base_time(GST_ELEMENT(self)));
    gst_element_set_start_time(p->chain, gst_element_get_start_time(GST_ELEMENT(self)));
    return gst_element_set_state(p->chain, state) != GST_STATE_CHANGE_FAILURE;
}

gboolean gst_spice_sound_device_begin_chain(GstSpiceSoundDevice *self, GstElementFactory *kind)
{
    GstSpiceSoundDevicePrivate *p = gst_spice_sound_device_private(self);
    GstElement *chain = make_chain(self, kind);
    gboolean works;
    GstPad *pad;

    if (!chain)
        return FALSE;
    p->chain = chain;
    g_mutex_lock(&p->lock);
    p->lost = p->works = FALSE;
    if (kind) {
        p->pretends = FALSE;
        gst_object_replace((GstObject **)&p->kind, GST_OBJECT(kind));
    }
    g_mutex_unlock(&p->lock);
    gst_element_set_locked_state(chain, TRUE);
    gst_bin_add(GST_BIN(self), gst_object_ref(chain));
    pad = gst_element_get_static_pad(chain, GST_SPICE_SOUND_DEVICE_GET_CLASS(self)->pad);
    gst_ghost_pad_set_target(GST_GHOST_PAD(p->pad), pad);
    gst_object_unref(pad);
    p->opens = TRUE;
    works = gst_spice_sound_device_set_chain_state(self, p->target);
    p->opens = FALSE;
    if (!works || gst_spice_sound_device_is_lost(self)) {
        gst_spice_sound_device_end_chain(self);
        gst_spice_sound_device_lose(self);
        return FALSE;
    }
    g_mutex_lock(&p->lock);
    p->opened_us = g_get_monotonic_time();
    g_mutex_unlock(&p->lock);
    GST_INFO_OBJECT(self, "there is a device");
    return TRUE;
}
