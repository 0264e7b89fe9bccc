/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device-private.h"

#include <string.h>

#include "core/wire/inputs.h"
#include "core/wire/vdagent.h"
#include "core/wire/vmc.h"

/* States of the pointer that wait; beyond them only the last counts. */
enum { MAX_POINTERS = 32 };
/* Pieces that wait for a client beside those that there was room for: events. */
enum { MAX_GIVEN_PIECES = 2 * GST_SPICE_DEVICE_MAX_GIVEN / GST_SPICE_DEVICE_CHARGE };

static void kept_free(gpointer data)
{
    GstSpiceKept *kept = data;

    g_bytes_unref(kept->bytes);
    g_clear_pointer(&kept->monitors, g_bytes_unref);
    g_free(kept);
}

static void given_free(gpointer data)
{
    GstSpiceGiven *given = data;

    g_clear_pointer(&given->bytes, g_bytes_unref);
    g_free(given);
}

GstSpiceDevice *gst_spice_device_ref(GstSpiceDevice *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void gst_spice_device_unref(GstSpiceDevice *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_queue_clear_full(&self->kept, kept_free);
    g_queue_clear_full(&self->given, given_free);
    g_array_unref(self->pointers);
    spice_buffer_clear(&self->smartcard_rest);
    g_mutex_clear(&self->lock);
    g_object_unref(self->server);
    g_free(self->name);
    g_free(self);
}

/** Under lock. */
static void wake(GstSpiceDevice *self)
{
    if (self->handler)
        self->handler->wake(self, self->user_data);
}

static void work_task(GstSpiceServer *server, gpointer data)
{
    GstSpiceDevice *self = data;

    g_mutex_lock(&self->lock);
    self->work_posted = FALSE;
    g_mutex_unlock(&self->lock);
    gst_spice_device_work(self);
}

/** Has the I/O thread look at the device. Under lock, which is given up. */
static void unlock_and_post_work(GstSpiceDevice *self)
{
    const gboolean post = !self->work_posted && self->handler;

    if (post)
        self->work_posted = TRUE;
    g_mutex_unlock(&self->lock);
    if (post)
        gst_spice_server_run(self->server, work_task, gst_spice_device_ref(self),
                             (GDestroyNotify)gst_spice_device_unref);
}

/* For the host: taking */

guint gst_spice_device_get_connection(GstSpiceDevice *self)
{
    guint connection;

    g_mutex_lock(&self->lock);
    connection = self->connection;
    g_mutex_unlock(&self->lock);
    return connection;
}

/** Puts the first state of the pointer in front, as a chunk; under lock. */
static void keep_pointer(GstSpiceDevice *self)
{
    const GstSpiceKept *head = g_queue_peek_head(&self->kept);
    const SpiceMessageDef *def = spice_vd_agent_find(VD_AGENT_MOUSE_STATE);
    guint8 headers[SPICE_VDI_CHUNK_HEADER_SIZE + SPICE_VD_AGENT_HEADER_SIZE];
    SpiceVDAgentMessageHeader header = {.protocol = VD_AGENT_PROTOCOL,
                                        .type = VD_AGENT_MOUSE_STATE};
    SpiceVDIChunkHeader chunk = {.port = VDP_SERVER_PORT};
    SpiceBuffer bytes = {.allocator = &spice_allocator_libc};
    GstSpiceKept kept = {.pointer = TRUE};

    if (self->pointers->len == 0 || (head && head->taken > 0))
        return;
    if (head && head->pointer) /* as it was when it was looked at last */
        kept_free(g_queue_pop_head(&self->kept));
    spice_buffer_append(&bytes, headers, sizeof headers);
    spice_message_write(def, &g_array_index(self->pointers, SpiceVDAgentMouseState, 0), &bytes,
                        NULL);
    header.size = (guint32)(bytes.size - sizeof headers);
    chunk.size = SPICE_VD_AGENT_HEADER_SIZE + header.size;
    spice_vdi_chunk_header_encode(&chunk, bytes.data);
    spice_vd_agent_header_encode(&header, bytes.data + SPICE_VDI_CHUNK_HEADER_SIZE);
    kept.bytes = g_bytes_new(bytes.data, bytes.size);
    spice_buffer_clear(&bytes);
    g_queue_push_head(&self->kept, g_memdup2(&kept, sizeof kept));
}

/** The first piece was dealt with; under lock. */
static void drop_head(GstSpiceDevice *self)
{
    GstSpiceKept *head = g_queue_pop_head(&self->kept);

    if (!head->pointer)
        self->kept_charge -=
            MIN(self->kept_charge, g_bytes_get_size(head->bytes) + GST_SPICE_DEVICE_CHARGE);
    self->tokens += head->tokens;
    kept_free(head);
}

/** Bytes that have to be offered to the host as a monitors config first; under lock. */
static GBytes *config_to_offer(GstSpiceDevice *self)
{
    const GstSpiceKept *head = g_queue_peek_head(&self->kept);

    return head && head->monitors && head->taken == 0 && self->handler && self->handler->monitors
               ? g_bytes_ref(head->monitors)
               : NULL;
}

/** Offers the monitors configs that are next; those that the host wants are not for the agent. */
static void offer_configs(GstSpiceDevice *self)
{
    const GstSpiceDeviceHandler *handler;
    GstSpiceKept *head;
    gpointer user_data;
    GBytes *config;
    gboolean wanted;

    g_mutex_lock(&self->lock);
    while ((config = config_to_offer(self))) {
        handler = self->handler;
        user_data = self->user_data;
        g_mutex_unlock(&self->lock);
        wanted = handler->monitors(self, config, user_data);
        g_mutex_lock(&self->lock);
        head = g_queue_peek_head(&self->kept);
        if (head && head->monitors == config) {
            g_clear_pointer(&head->monitors, g_bytes_unref);
            if (wanted) {
                drop_head(self);
                g_bytes_unref(config);
                unlock_and_post_work(self);
                g_mutex_lock(&self->lock);
                continue;
            }
        }
        g_bytes_unref(config);
    }
    g_mutex_unlock(&self->lock);
}

GBytes *gst_spice_device_peek(GstSpiceDevice *self, guint connection)
{
    GBytes *bytes = NULL;
    const GstSpiceKept *head;

    offer_configs(self);
    g_mutex_lock(&self->lock);
    if (self->connection == connection && connection) {
        keep_pointer(self);
        head = g_queue_peek_head(&self->kept);
        if (head)
            bytes = g_bytes_new_from_bytes(head->bytes, head->taken,
                                           g_bytes_get_size(head->bytes) - head->taken);
    }
    g_mutex_unlock(&self->lock);
    return bytes;
}

/** Whether `bytes` are what is left of the piece. */
static gboolean is_rest_of(GBytes *bytes, const GstSpiceKept *kept)
{
    gsize size, whole_size;
    const guint8 *rest = g_bytes_get_data(bytes, &size);
    const guint8 *whole = g_bytes_get_data(kept->bytes, &whole_size);

    /* `bytes` has a reference of what it is a part of: no other piece is at that place. */
    return whole_size - kept->taken == size && whole + kept->taken == rest;
}

void gst_spice_device_took(GstSpiceDevice *self, GBytes *bytes, gsize size)
{
    GstSpiceKept *head;
    gboolean done = FALSE;

    g_mutex_lock(&self->lock);
    head = g_queue_peek_head(&self->kept);
    if (head && is_rest_of(bytes, head)) {
        if (head->pointer && head->taken == 0 && size > 0)
            g_array_remove_index(self->pointers, 0);
        head->taken += MIN(size, g_bytes_get_size(bytes));
        done = head->taken == g_bytes_get_size(head->bytes);
        if (done)
            drop_head(self);
    }
    g_bytes_unref(bytes);
    if (done && (self->tokens > 0 ||
                 (self->kept_full && self->kept_charge < GST_SPICE_DEVICE_MAX_KEPT / 2)))
        unlock_and_post_work(self);
    else
        g_mutex_unlock(&self->lock);
}

gboolean gst_spice_device_take_event(GstSpiceDevice *self, guint connection, guint8 *event)
{
    gboolean taken = FALSE;

    g_mutex_lock(&self->lock);
    if (self->connection == connection && self->n_events > 0) {
        *event = self->events[0];
        memmove(self->events, self->events + 1, --self->n_events);
        taken = TRUE;
    }
    g_mutex_unlock(&self->lock);
    return taken;
}

/* For the host: giving */

/** What of the bound is used; under lock. */
static gsize given_charge(GstSpiceDevice *self)
{
    return self->given_size + g_queue_get_length(&self->given) * GST_SPICE_DEVICE_CHARGE;
}

gsize gst_spice_device_get_room(GstSpiceDevice *self, guint connection)
{
    gsize room = 0, used;

    g_mutex_lock(&self->lock);
    used = given_charge(self);
    if (self->connection == connection && connection && used < GST_SPICE_DEVICE_MAX_GIVEN)
        room = GST_SPICE_DEVICE_MAX_GIVEN - used;
    if (room == 0)
        self->wants_room = TRUE;
    g_mutex_unlock(&self->lock);
    return room;
}

/** Under lock. */
static void give(GstSpiceDevice *self, GstSpiceGiven given)
{
    g_queue_push_tail(&self->given, g_memdup2(&given, sizeof given));
}

void gst_spice_device_give(GstSpiceDevice *self, guint connection, const void *data, gsize size)
{
    g_mutex_lock(&self->lock);
    if (size == 0 || self->connection != connection || !connection) {
        g_mutex_unlock(&self->lock);
        return;
    }
    give(self, (GstSpiceGiven){.bytes = g_bytes_new(data, size)});
    self->given_size += size;
    unlock_and_post_work(self);
}

void gst_spice_device_send_event(GstSpiceDevice *self, guint8 event)
{
    g_mutex_lock(&self->lock);
    if (event == SPICE_PORT_EVENT_OPENED || event == SPICE_PORT_EVENT_CLOSED)
        self->port_opened = event == SPICE_PORT_EVENT_OPENED;
    if (self->connection && g_queue_get_length(&self->given) < MAX_GIVEN_PIECES)
        give(self, (GstSpiceGiven){.event = event});
    unlock_and_post_work(self);
}

void gst_spice_device_point(GstSpiceDevice *self, guint x, guint y, guint32 buttons, guint8 display)
{
    const SpiceVDAgentMouseState state = {
        .x = x, .y = y, .buttons = buttons, .display_id = display};

    g_mutex_lock(&self->lock);
    if (self->connection) {
        const guint n = self->pointers->len;
        SpiceVDAgentMouseState *last =
            n ? &g_array_index(self->pointers, SpiceVDAgentMouseState, n - 1) : NULL;

        /* Motion is merged; each change of a button is an event of its own. */
        if (last && (last->buttons == buttons || n >= MAX_POINTERS))
            *last = state;
        else
            g_array_append_val(self->pointers, state);
        wake(self);
    }
    g_mutex_unlock(&self->lock);
}

/* For the I/O thread */

static void drop_kept(GstSpiceDevice *self, gboolean all)
{
    GstSpiceKept *head = g_queue_peek_head(&self->kept);
    GstSpiceKept *begun = !all && head && head->taken > 0 ? g_queue_pop_head(&self->kept) : NULL;

    g_queue_clear_full(&self->kept, kept_free);
    self->kept_charge = self->tokens = 0;
    if (begun) {
        begun->tokens = 0; /* of whoever is no more */
        g_queue_push_head(&self->kept, begun);
    }
    self->n_events = 0;
}

void gst_spice_device_set_connected(GstSpiceDevice *self, gboolean connected)
{
    g_mutex_lock(&self->lock);
    if (connected && ++self->last_connection == 0)
        self->last_connection = 1;
    self->connection = connected ? self->last_connection : 0;
    drop_kept(self, TRUE);
    g_queue_clear_full(&self->given, given_free);
    self->given_size = 0;
    self->kept_full = FALSE;
    g_array_set_size(self->pointers, 0);
    self->smartcard_rest.size = 0;
    wake(self);
    g_mutex_unlock(&self->lock);
}

void gst_spice_device_drop_kept(GstSpiceDevice *self)
{
    g_mutex_lock(&self->lock);
    drop_kept(self, FALSE);
    g_mutex_unlock(&self->lock);
}

gboolean gst_spice_device_keep(GstSpiceDevice *self, GBytes *bytes, guint tokens, GBytes *monitors)
{
    const GstSpiceKept kept = {.bytes = bytes, .tokens = tokens, .monitors = monitors};
    gboolean room;

    g_mutex_lock(&self->lock);
    g_queue_push_tail(&self->kept, g_memdup2(&kept, sizeof kept));
    self->kept_charge += g_bytes_get_size(bytes) + GST_SPICE_DEVICE_CHARGE;
    room = self->kept_charge < GST_SPICE_DEVICE_MAX_KEPT;
    self->kept_full |= !room;
    wake(self);
    g_mutex_unlock(&self->lock);
    return room;
}

gboolean gst_spice_device_has_room(GstSpiceDevice *self)
{
    gboolean room;

    g_mutex_lock(&self->lock);
    room = self->kept_charge < GST_SPICE_DEVICE_MAX_KEPT;
    g_mutex_unlock(&self->lock);
    return room;
}

gboolean gst_spice_device_wants_monitors(GstSpiceDevice *self)
{
    gboolean wants;

    g_mutex_lock(&self->lock);
    wants = self->handler && self->handler->monitors;
    g_mutex_unlock(&self->lock);
    return wants;
}

void gst_spice_device_keep_event(GstSpiceDevice *self, guint8 event)
{
    g_mutex_lock(&self->lock);
    if (self->n_events < G_N_ELEMENTS(self->events))
        self->events[self->n_events++] = event;
    wake(self);
    g_mutex_unlock(&self->lock);
}

void gst_spice_device_free_tokens(GstSpiceDevice *self, guint tokens)
{
    g_mutex_lock(&self->lock);
    self->tokens += tokens;
    g_mutex_unlock(&self->lock);
}

gboolean gst_spice_device_may_resume(GstSpiceDevice *self)
{
    gboolean resume;

    g_mutex_lock(&self->lock);
    resume = self->kept_full && self->kept_charge < GST_SPICE_DEVICE_MAX_KEPT / 2;
    if (resume)
        self->kept_full = FALSE;
    g_mutex_unlock(&self->lock);
    return resume;
}

guint gst_spice_device_take_tokens(GstSpiceDevice *self, guint least)
{
    guint tokens = 0;

    g_mutex_lock(&self->lock);
    if (self->tokens >= least) {
        tokens = self->tokens;
        self->tokens = 0;
    }
    g_mutex_unlock(&self->lock);
    return tokens;
}

gboolean gst_spice_device_take_given(GstSpiceDevice *self, gsize most, GstSpiceGiven *given)
{
    GstSpiceGiven *head;
    gsize size;

    g_mutex_lock(&self->lock);
    head = g_queue_peek_head(&self->given);
    size = head && head->bytes ? g_bytes_get_size(head->bytes) : 0;
    if (size > most) {
        GBytes *whole = head->bytes;

        *given = (GstSpiceGiven){.bytes = g_bytes_new_from_bytes(whole, 0, most)};
        head->bytes = g_bytes_new_from_bytes(whole, most, size - most);
        g_bytes_unref(whole);
        size = most;
    } else if (head) {
        *given = *head;
        g_free(g_queue_pop_head(&self->given));
    }
    self->given_size -= size;
    g_mutex_unlock(&self->lock);
    return head != NULL;
}

void gst_spice_device_room_made(GstSpiceDevice *self)
{
    g_mutex_lock(&self->lock);
    if (self->wants_room && given_charge(self) < GST_SPICE_DEVICE_MAX_GIVEN / 2) {
        self->wants_room = FALSE;
        wake(self);
    }
    g_mutex_unlock(&self->lock);
}
