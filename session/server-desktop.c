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
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++)
        if (self->displays[i])
            bits |= 1u << i;
    g_mutex_unlock(&self->lock);
    return bits;
}

static void display_added_task(GstSpiceServer *self, gpointer data)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        gst_spice_server_main_channels_added(item->data, 1u << GPOINTER_TO_UINT(data));
}

GstSpiceSharedDisplay *gst_spice_server_get_display(GstSpiceServer *self, guint id)
{
    GstSpiceSharedDisplay *display;
    gboolean created = FALSE;

    g_return_val_if_fail(id < GST_SPICE_SERVER_MAX_DISPLAYS, NULL);
    g_mutex_lock(&self->lock);
    if (!self->displays[id]) {
        self->displays[id] = gst_spice_shared_display_new(gst_spice_cpu_flags());
        created = self->thread != NULL;
    }
    display = self->displays[id];
    g_mutex_unlock(&self->lock);
    if (created)
        gst_spice_server_run(self, display_added_task, GUINT_TO_POINTER(id), NULL);
    return display;
}

gboolean gst_spice_server_has_channel(GstSpiceServer *self, guint8 type, guint8 id)
{
    switch (type) {
    case SPICE_CHANNEL_MAIN:
    case SPICE_CHANNEL_INPUTS:
        return id == 0;
    case SPICE_CHANNEL_DISPLAY:
    case SPICE_CHANNEL_CURSOR:
        return id < GST_SPICE_SERVER_MAX_DISPLAYS &&
               gst_spice_server_get_display_bits(self) & 1u << id;
    default:
        return FALSE;
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

/** Calls `func` for each link of a type and, unless it is negative, an id. */
static void for_each_link(GstSpiceServer *self, guint8 type, gint id,
                          void (*func)(GstSpiceServerLink *link, gpointer data), gpointer data)
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
    for_each_link(self, SPICE_CHANNEL_INPUTS, -1, locks_changed, NULL);
}

void gst_spice_server_set_locks(GstSpiceServer *self, guint locks)
{
    gst_spice_server_run(self, locks_task, GUINT_TO_POINTER(locks), NULL);
}

typedef struct {
    const GstSpiceMediaHandler *media;
    const GstSpiceInputHandler *input;
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

void gst_spice_server_set_media_handler(GstSpiceServer *self, const GstSpiceMediaHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.media = handler, .user_data = user_data};

    gst_spice_server_call_safely(self, media_handler_task, &handlers);
}

void gst_spice_server_set_input_handler(GstSpiceServer *self, const GstSpiceInputHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.input = handler, .user_data = user_data};

    gst_spice_server_call_safely(self, input_handler_task, &handlers);
}

/* Cursor */

typedef struct {
    guint display;
    GstSpiceCursor *cursor; /* NULL: only the place changes */
    gint x, y;
} CursorChange;

static void cursor_change_free(gpointer data)
{
    CursorChange *change = data;

    g_clear_pointer(&change->cursor, gst_spice_cursor_unref);
    g_free(change);
}

/** The number of a shape, the same for equal shapes; 0 for none. */
static guint64 shape_number(const GstSpiceCursor *cursor)
{
    const guint32 facts[] = {cursor->width, cursor->height, cursor->hot_x, cursor->hot_y};
    g_autoptr(GChecksum) sum = NULL;
    guint8 digest[32];
    gsize size, digest_size = sizeof digest;
    const guint8 *pixels;
    guint64 number;

    if (!cursor->pixels || cursor->width == 0 || cursor->height == 0)
        return 0;
    pixels = g_bytes_get_data(cursor->pixels, &size);
    sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *)facts, sizeof facts);
    g_checksum_update(sum, pixels, (gssize)size);
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

static void cursor_task(GstSpiceServer *self, gpointer data)
{
    CursorChange *change = data;
    GstSpiceServerCursor *cursor = &self->cursors[change->display];

    if (change->cursor) {
        gst_spice_cursor_unref(cursor->cursor);
        cursor->cursor = g_steal_pointer(&change->cursor);
        cursor->unique = shape_number(cursor->cursor);
        for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)change->display, shape_changed, NULL);
    } else if (cursor->x != change->x || cursor->y != change->y) {
        cursor->x = change->x;
        cursor->y = change->y;
        for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)change->display, place_changed, NULL);
    }
}

void gst_spice_server_set_cursor(GstSpiceServer *self, guint display, GstSpiceCursor *cursor)
{
    CursorChange change = {.display = display};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    g_return_if_fail(cursor->width <= MAX_CURSOR_SIDE && cursor->height <= MAX_CURSOR_SIDE);
    g_return_if_fail(!cursor->pixels ||
                     g_bytes_get_size(cursor->pixels) == (gsize)cursor->width * cursor->height * 4);
    change.cursor = gst_spice_cursor_ref(cursor);
    gst_spice_server_run(self, cursor_task, g_memdup2(&change, sizeof change), cursor_change_free);
}

void gst_spice_server_move_cursor(GstSpiceServer *self, guint display, gint x, gint y)
{
    const CursorChange change = {.display = display, .x = x, .y = y};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    gst_spice_server_run(self, cursor_task, g_memdup2(&change, sizeof change), cursor_change_free);
}
