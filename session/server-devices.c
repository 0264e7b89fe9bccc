/* The devices of a server: which channels they have, and who is offered them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "device-private.h"

#include <string.h>

#include "transport/error.h"

static guint8 channel_type_of(GstSpiceDeviceKind kind, const char *name)
{
    switch (kind) {
    case GST_SPICE_DEVICE_USBREDIR:
        return SPICE_CHANNEL_USBREDIR;
    case GST_SPICE_DEVICE_SMARTCARD:
        return SPICE_CHANNEL_SMARTCARD;
    case GST_SPICE_DEVICE_PORT:
        return name && strcmp(name, "org.spice-space.webdav.0") == 0 ? SPICE_CHANNEL_WEBDAV
                                                                     : SPICE_CHANNEL_PORT;
    default:
        return 0;
    }
}

GstSpiceDevice *gst_spice_server_find_device(GstSpiceServer *self, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < self->devices->len; i++) {
        GstSpiceDevice *device = self->devices->pdata[i];

        if (device->channel_type && device->channel_type == type &&
            device->channel_id == id)
            return device;
    }
    return NULL;
}

gboolean gst_spice_server_has_device(GstSpiceServer *self, guint8 type, guint8 id, gboolean *free)
{
    const GstSpiceDevice *device = gst_spice_server_find_device(self, type, id);

    *free = device && !device->link;
    return device != NULL;
}

/** Gives the device the first channel of its type that is free. FALSE: there is none. */
static gboolean choose_channel(GstSpiceServer *self, GstSpiceDevice *device)
{
    guint id;

    for (id = 0; id <= G_MAXUINT8; id++) {
        if (gst_spice_server_find_device(self, device->channel_type, (guint8)id))
            continue;
        device->channel_id = (guint8)id;
        return TRUE;
    }
    return FALSE;
}

void gst_spice_device_offer(GstSpiceDevice *self)
{
    GList *item;

    for (item = self->server->clients; item; item = item->next)
        gst_spice_server_main_offer_device(item->data, self->channel_type, self->channel_id);
}

/* Coming and going */

typedef struct {
    GstSpiceDevice *device;
    gboolean ok;
} Add;

static void add_task(GstSpiceServer *self, gpointer data)
{
    Add *add = data;
    GstSpiceDevice *device = add->device;

    if (device->kind == GST_SPICE_DEVICE_AGENT) {
        add->ok = self->agent == NULL;
        if (add->ok) {
            gst_spice_device_set_connected(device, TRUE);
            g_ptr_array_add(self->devices, gst_spice_device_ref(device));
            device->agent = self->agent = gst_spice_guest_agent_new(device);
        }
        return;
    }
    if (device->kind == GST_SPICE_DEVICE_STREAM) {
        add->ok = TRUE;
        gst_spice_device_set_connected(device, TRUE);
        g_ptr_array_add(self->devices, gst_spice_device_ref(device));
        device->stream = gst_spice_guest_stream_new(device);
        return;
    }
    add->ok = choose_channel(self, device);
    if (add->ok) {
        g_ptr_array_add(self->devices, gst_spice_device_ref(device));
        gst_spice_device_offer(device);
    }
}

GstSpiceDevice *gst_spice_server_add_device(GstSpiceServer *self, GstSpiceDeviceKind kind,
                                            const char *name, const GstSpiceDeviceHandler *handler,
                                            gpointer user_data)
{
    GstSpiceDevice *device = g_new0(GstSpiceDevice, 1);
    Add add = {device, FALSE};

    g_atomic_ref_count_init(&device->refs);
    g_mutex_init(&device->lock);
    device->server = g_object_ref(self);
    device->kind = kind;
    device->channel_type = channel_type_of(kind, name);
    device->name = g_strdup(name);
    device->handler = handler;
    device->user_data = user_data;
    device->pointers = g_array_new(FALSE, FALSE, sizeof(SpiceVDAgentMouseState));
    device->smartcard_rest.allocator = &spice_allocator_libc;
    g_queue_init(&device->kept);
    g_queue_init(&device->given);
    gst_spice_server_call(self, add_task, &add);
    if (add.ok)
        return device;
    gst_spice_device_unref(device);
    return NULL;
}

static void remove_task(GstSpiceServer *self, gpointer data)
{
    GstSpiceDevice *device = data;
    g_autoptr(GError) error = g_error_new_literal(
        SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED, "its device was taken away");
    GList *item;

    if (device->agent) {
        self->agent = NULL;
        g_clear_pointer(&device->agent, gst_spice_guest_agent_free);
    }
    g_clear_pointer(&device->stream, gst_spice_guest_stream_free);
    if (device->link)
        gst_spice_server_link_close(device->link, error);
    for (item = self->clients; item && device->channel_type; item = item->next)
        gst_spice_server_main_forget_device(item->data, device->channel_type, device->channel_id);
    g_ptr_array_remove(self->devices, device);
}

void gst_spice_device_remove(GstSpiceDevice *self)
{
    g_mutex_lock(&self->lock);
    self->handler = NULL;
    g_mutex_unlock(&self->lock);
    gst_spice_server_call(self->server, remove_task, self);
    gst_spice_device_unref(self);
}

void gst_spice_device_work(GstSpiceDevice *self)
{
    if (self->agent)
        gst_spice_guest_agent_work(self->agent);
    else if (self->stream)
        gst_spice_guest_stream_work(self->stream);
    else if (self->link)
        gst_spice_device_send_given(self);
}

/* What clients and agent may do */

typedef struct {
    SpiceAgentRules rules;
} Rules;

static void rules_task(GstSpiceServer *self, gpointer data)
{
    self->agent_rules = ((Rules *)data)->rules;
}

void gst_spice_server_set_agent_rules(GstSpiceServer *self, gboolean clipboard,
                                      gboolean file_transfer)
{
    const Rules rules = {{.no_clipboard = !clipboard, .no_file_transfer = !file_transfer}};

    gst_spice_server_run(self, rules_task, g_memdup2(&rules, sizeof rules), g_free);
}

static void display_info_task(GstSpiceServer *self, gpointer data)
{
    g_clear_pointer(&self->display_info, g_bytes_unref);
    self->display_info = g_bytes_ref(data);
    if (self->agent)
        gst_spice_guest_agent_tell_displays(self->agent);
}

void gst_spice_server_set_display_info(GstSpiceServer *self, GBytes *info)
{
    gst_spice_server_run(self, display_info_task, g_bytes_ref(info), (GDestroyNotify)g_bytes_unref);
}
