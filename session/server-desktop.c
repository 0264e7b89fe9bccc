/* What clients see and move: displays, cursors, mouse modes, lock state, and who is told of input.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include <string.h>

#include "cpu.h"

enum { MAX_CURSOR_SIDE = 512 };

/* Displays */

guint32 gst_spice_server_get_display_bits(GstSpiceServer *self)
{
    guint32 bits = 0;
    guint i;

    g_mutex_lock(&self->lock);
    bits = self->guest_displays;
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++)
        if (self->displays[i])
            bits |= 1u << i;
    g_mutex_unlock(&self->lock);
    return bits;
}

static void display_added_task(GstSpiceServer *self, gpointer data)
{
    const guint id = GPOINTER_TO_UINT(data);
    GList *item;

    gst_spice_guest_stream_make_way(self, (guint8)id);
    for (item = self->clients; item; item = item->next)
        gst_spice_server_main_channels_added(item->data, 1u << id);
}

GstSpiceSharedDisplay *gst_spice_server_get_display(GstSpiceServer *self, guint id)
{
    GstSpiceSharedDisplay *display;
    gboolean created = FALSE;

    g_return_val_if_fail(id < GST_SPICE_SERVER_MAX_DISPLAYS, NULL);
    g_mutex_lock(&self->lock);
    if (!self->displays[id]) {
        self->displays[id] =
            gst_spice_shared_display_new(gst_spice_cpu_flags(), (SpiceStreamMode)self->streaming);
        created = self->thread != NULL;
    }
    display = self->displays[id];
    g_mutex_unlock(&self->lock);
    if (created)
        gst_spice_server_run(self, display_added_task, GUINT_TO_POINTER(id), NULL);
    return display;
}

void gst_spice_server_set_streaming_video(GstSpiceServer *self, GstSpiceStreamingVideo mode)
{
    GstSpiceSharedDisplay *displays[GST_SPICE_SERVER_MAX_DISPLAYS];
    guint i;

    g_mutex_lock(&self->lock);
    self->streaming = mode;
    memcpy(displays, self->displays, sizeof displays);
    g_mutex_unlock(&self->lock);
    for (i = 0; i < G_N_ELEMENTS(displays); i++)
        if (displays[i]) /* which lives as long as the server */
            gst_spice_shared_display_set_streaming(displays[i], (SpiceStreamMode)mode);
}

gboolean gst_spice_server_has_channel(GstSpiceServer *self, guint8 type, guint8 id)
{
    gboolean free;

    switch (type) {
    case SPICE_CHANNEL_MAIN:
    case SPICE_CHANNEL_INPUTS:
        return id == 0;
    case SPICE_CHANNEL_DISPLAY:
    case SPICE_CHANNEL_CURSOR:
        return id < GST_SPICE_SERVER_MAX_DISPLAYS &&
               gst_spice_server_get_display_bits(self) & 1u << id;
    case SPICE_CHANNEL_PLAYBACK:
    case SPICE_CHANNEL_RECORD:
        return id == 0 && gst_spice_server_offers_sound(self, type);
    default:
        return gst_spice_server_has_device(self, type, id, &free);
    }
}

/* Mouse modes, locks, handlers */

GstSpiceMouseModes gst_spice_server_get_mouse_modes(GstSpiceServer *self)
{
    GstSpiceMouseModes modes;

    g_mutex_lock(&self->lock);
    modes = self->mouse_modes;
    g_mutex_unlock(&self->lock);
    return modes;
}

static void modes_task(GstSpiceServer *self, gpointer data)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        gst_spice_server_main_modes_changed(item->data);
}

void gst_spice_server_set_mouse_modes(GstSpiceServer *self, GstSpiceMouseModes modes)
{
    gboolean changed;

    g_return_if_fail(modes != 0);
    g_mutex_lock(&self->lock);
    changed = self->mouse_modes != modes && self->thread;
    self->mouse_modes = modes;
    g_mutex_unlock(&self->lock);
    if (changed)
        gst_spice_server_run(self, modes_task, NULL, NULL);
}

void gst_spice_server_for_each_link(GstSpiceServer *self, guint8 type, gint id,
                                    void (*func)(GstSpiceServerLink *link, gpointer data),
                                    gpointer data)
{
    GList *item;
    guint i;

    for (item = self->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;

        for (i = 0; i < client->links->len; i++) {
            GstSpiceServerLink *link = client->links->pdata[i];

            if (link->type == type && (id < 0 || link->id == id))
                func(link, data);
        }
    }
}

static void locks_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_inputs_locks_changed(link);
}

static void locks_task(GstSpiceServer *self, gpointer data)
{
    if (self->locks == GPOINTER_TO_UINT(data))
        return;
    self->locks = GPOINTER_TO_UINT(data);
    gst_spice_server_for_each_link(self, SPICE_CHANNEL_INPUTS, -1, locks_changed, NULL);
}

void gst_spice_server_set_locks(GstSpiceServer *self, guint locks)
{
    gst_spice_server_run(self, locks_task, GUINT_TO_POINTER(locks), NULL);
}

typedef struct {
    const GstSpiceMediaHandler *media;
    const GstSpiceInputHandler *input;
    const GstSpiceConnectionHandler *connections;
    gpointer user_data;
} Handlers;

static void media_handler_task(GstSpiceServer *self, gpointer data)
{
    const Handlers *handlers = data;

    self->media = handlers->media;
    self->media_data = handlers->user_data;
}

static void input_handler_task(GstSpiceServer *self, gpointer data)
{
    const Handlers *handlers = data;

    self->input = handlers->input;
    self->input_data = handlers->user_data;
}

static void connection_handler_task(GstSpiceServer *self, gpointer data)
{
    const Handlers *handlers = data;

    self->connections = handlers->connections;
    self->connections_data = handlers->user_data;
}

void gst_spice_server_set_connection_handler(GstSpiceServer *self,
                                             const GstSpiceConnectionHandler *handler,
                                             gpointer user_data)
{
    Handlers handlers = {.connections = handler, .user_data = user_data};

    gst_spice_server_call(self, connection_handler_task, &handlers);
}

void gst_spice_server_set_uuid(GstSpiceServer *self, const guint8 *uuid)
{
    g_mutex_lock(&self->lock);
    memcpy(self->uuid, uuid, sizeof self->uuid);
    self->has_uuid = TRUE;
    g_mutex_unlock(&self->lock);
}

void gst_spice_server_set_media_handler(GstSpiceServer *self, const GstSpiceMediaHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.media = handler, .user_data = user_data};

    gst_spice_server_call(self, media_handler_task, &handlers);
}

void gst_spice_server_set_input_handler(GstSpiceServer *self, const GstSpiceInputHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.input = handler, .user_data = user_data};

    gst_spice_server_call(self, input_handler_task, &handlers);
}

/* Cursor */

/** The number of a shape, the same for equal shapes, never 0. */
static guint64 shape_number(const SpiceCursor *shape)
{
    const guint16 facts[] = {shape->type, shape->width, shape->height, shape->hot_spot_x,
                             shape->hot_spot_y};
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize digest_size = sizeof digest;
    guint64 number;

    g_checksum_update(sum, (const guchar *)facts, sizeof facts);
    g_checksum_update(sum, shape->data.data, (gssize)shape->data.size);
    g_checksum_get_digest(sum, digest, &digest_size);
    memcpy(&number, digest, sizeof number);
    return number ? number : 1;
}

static void shape_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_cursor_changed(link, TRUE);
}

static void place_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_cursor_changed(link, FALSE);
}

static void was_reset(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_cursor_was_reset(link);
}

/** Tells clients what was said of a cursor since the last time; what was said in between is lost, as
 * it would be on the screen. */
static void cursor_task(GstSpiceServer *self, gpointer data)
{
    const guint display = GPOINTER_TO_UINT(data);
    GstSpiceServerCursor *cursor = &self->cursors[display];
    GstSpicePendingCursor pending;

    g_mutex_lock(&self->lock);
    pending = self->pending_cursors[display];
    self->pending_cursors[display] = (GstSpicePendingCursor){0};
    g_mutex_unlock(&self->lock);
    if (pending.shape_due) {
        g_clear_pointer(&cursor->data, g_bytes_unref);
        cursor->data = pending.data;
        cursor->shape = pending.shape;
        cursor->visible = pending.visible;
    }
    if (pending.place_due) {
        cursor->x = pending.x;
        cursor->y = pending.y;
    }
    if (pending.reset_due)
        gst_spice_server_for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)display, was_reset, NULL);
    else if (pending.shape_due)
        gst_spice_server_for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)display, shape_changed,
                                       NULL);
    else if (pending.place_due)
        gst_spice_server_for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)display, place_changed,
                                       NULL);
}

/** Has cursor_task() run, if it is not about to; under lock, which is given up. */
static void unlock_and_schedule(GstSpiceServer *self, guint display)
{
    const gboolean schedule = !self->pending_cursors[display].scheduled;

    self->pending_cursors[display].scheduled = TRUE;
    g_mutex_unlock(&self->lock);
    if (schedule)
        gst_spice_server_run(self, cursor_task, GUINT_TO_POINTER(display), NULL);
}

/** Takes over `data`. */
static void change_shape(GstSpiceServer *self, guint display, const SpiceCursor *shape,
                         GBytes *data, gboolean visible, gboolean reset)
{
    GstSpicePendingCursor *pending = &self->pending_cursors[display];

    g_mutex_lock(&self->lock);
    g_clear_pointer(&pending->data, g_bytes_unref);
    pending->shape = *shape;
    pending->data = data;
    pending->visible = visible;
    pending->shape_due = TRUE;
    if (reset) {
        pending->reset_due = pending->place_due = TRUE;
        pending->x = pending->y = 0;
    }
    unlock_and_schedule(self, display);
}

void gst_spice_server_set_cursor_shape(GstSpiceServer *self, guint display,
                                       const SpiceCursor *shape, gboolean visible)
{
    SpiceCursor copy = *shape;
    GBytes *data = NULL;
    gsize size;

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    if (shape->flags & SPICE_CURSOR_FLAGS_NONE) {
        copy = (SpiceCursor){.flags = SPICE_CURSOR_FLAGS_NONE};
    } else {
        g_return_if_fail(shape->width <= MAX_CURSOR_SIDE && shape->height <= MAX_CURSOR_SIDE);
        g_return_if_fail(shape->data.size ==
                         spice_cursor_data_size(shape->type, shape->width, shape->height));
        data = g_bytes_new(shape->data.data, shape->data.size);
        copy.flags = 0;
        copy.data.data = g_bytes_get_data(data, &size);
        copy.unique = shape_number(&copy);
    }
    change_shape(self, display, &copy, data, visible, FALSE);
}

void gst_spice_server_set_cursor(GstSpiceServer *self, guint display, GstSpiceCursor *cursor)
{
    SpiceCursor shape = {.flags = SPICE_CURSOR_FLAGS_NONE};
    gsize size = 0;

    if (cursor->pixels && cursor->width > 0 && cursor->height > 0) {
        g_return_if_fail(cursor->width <= MAX_CURSOR_SIDE && cursor->height <= MAX_CURSOR_SIDE);
        shape = (SpiceCursor){
            .type = SPICE_CURSOR_TYPE_ALPHA,
            .width = (guint16)cursor->width,
            .height = (guint16)cursor->height,
            .hot_spot_x = (guint16)MIN(cursor->hot_x, cursor->width - 1),
            .hot_spot_y = (guint16)MIN(cursor->hot_y, cursor->height - 1),
        };
        shape.data.data = g_bytes_get_data(cursor->pixels, &size);
        shape.data.size = size;
    }
    gst_spice_server_set_cursor_shape(self, display, &shape, cursor->visible);
}

void gst_spice_server_reset_cursor(GstSpiceServer *self, guint display)
{
    const SpiceCursor none = {.flags = SPICE_CURSOR_FLAGS_NONE};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    change_shape(self, display, &none, NULL, TRUE, TRUE);
}

void gst_spice_server_move_cursor(GstSpiceServer *self, guint display, gint x, gint y)
{
    GstSpicePendingCursor *pending = &self->pending_cursors[display];

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    g_mutex_lock(&self->lock);
    pending->x = x;
    pending->y = y;
    pending->place_due = TRUE;
    unlock_and_schedule(self, display);
}
