/* The cursor channel, client role.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "session-private.h"

#include "core/wire/channel.h"
#include "core/wire/cursor.h"
#include "cursor-shape.h"

/* What servers keep to. */
enum { MAX_CACHED = 256 };

static void cache_shape(GstSpiceSession *self, guint64 unique, GstSpiceCursor *cursor)
{
    if (unique == 0 || g_hash_table_size(self->cursor_cache) >= MAX_CACHED)
        return;
    g_hash_table_replace(self->cursor_cache, g_memdup2(&unique, sizeof unique),
                         gst_spice_cursor_copy(cursor));
}

/** A new cursor at `position` with the shape that `wire` brings or names. */
static void set_cursor(GstSpiceSession *self, SpicePoint16 position, gboolean visible,
                       const SpiceCursor *wire)
{
    GstSpiceCursor *cursor;
    guint64 unique = wire->unique;

    if (wire->flags & SPICE_CURSOR_FLAGS_FROM_CACHE) {
        GstSpiceCursor *cached = g_hash_table_lookup(self->cursor_cache, &unique);

        cursor = cached ? gst_spice_cursor_copy(cached) : gst_spice_cursor_new();
    } else {
        cursor = gst_spice_cursor_new();
        if (!(wire->flags & SPICE_CURSOR_FLAGS_NONE) && gst_spice_cursor_set_shape(cursor, wire) &&
            (wire->flags & SPICE_CURSOR_FLAGS_CACHE_ME))
            cache_shape(self, unique, cursor);
    }
    cursor->x = position.x;
    cursor->y = position.y;
    cursor->visible = visible;
    gst_spice_session_take_cursor(self, cursor);
}

static void move_cursor(GstSpiceSession *self, SpicePoint16 position, gboolean visible)
{
    GstSpiceCursor *old = gst_spice_session_get_cursor(self);
    GstSpiceCursor *cursor = gst_spice_cursor_copy(old);

    gst_spice_cursor_unref(old);
    cursor->x = position.x;
    cursor->y = position.y;
    cursor->visible = visible;
    gst_spice_session_take_cursor(self, cursor);
}

static void hide_cursor(GstSpiceSession *self)
{
    GstSpiceCursor *old = gst_spice_session_get_cursor(self);

    move_cursor(self, (SpicePoint16){(gint16)old->x, (gint16)old->y}, FALSE);
    gst_spice_cursor_unref(old);
}

static void on_opened(SpiceChannel *channel, gpointer user_data)
{
}

static gboolean on_message(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    GstSpiceSession *self = user_data;
    GError *local = NULL;
    gpointer message = gst_spice_session_parse(self, SPICE_CHANNEL_CURSOR, frame, &local);

    if (!message) {
        if (!local)
            return TRUE;
        g_propagate_error(error, local);
        return FALSE;
    }
    switch (frame->type) {
    case SPICE_MSG_CURSOR_INIT: {
        const SpiceMsgCursorInit *init = message;

        g_hash_table_remove_all(self->cursor_cache);
        set_cursor(self, init->position, init->visible, &init->cursor);
        break;
    }
    case SPICE_MSG_CURSOR_SET: {
        const SpiceMsgCursorSet *set = message;

        set_cursor(self, set->position, set->visible, &set->cursor);
        break;
    }
    case SPICE_MSG_CURSOR_MOVE:
        move_cursor(self, ((SpiceMsgCursorMove *)message)->position, TRUE);
        break;
    case SPICE_MSG_CURSOR_HIDE:
        hide_cursor(self);
        break;
    case SPICE_MSG_CURSOR_RESET:
        g_hash_table_remove_all(self->cursor_cache);
        gst_spice_session_take_cursor(self, gst_spice_cursor_new());
        break;
    case SPICE_MSG_CURSOR_INVAL_ONE:
        g_hash_table_remove(self->cursor_cache, &((SpiceMsgCursorInvalOne *)message)->id);
        break;
    case SPICE_MSG_CURSOR_INVAL_ALL:
        g_hash_table_remove_all(self->cursor_cache);
        break;
    default:
        break;
    }
    return TRUE;
}

static void on_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceSession *self = user_data;

    g_clear_pointer(&self->cursor_channel, spice_channel_close);
    if (gst_spice_session_accept_redirect(self, SPICE_CHANNEL_CURSOR, error))
        gst_spice_cursor_channel_open(self);
}

static const SpiceChannelHandler handler = {on_opened, on_message, on_closed};

void gst_spice_cursor_channel_open(GstSpiceSession *self)
{
    self->cursor_channel =
        gst_spice_session_open_channel(self, SPICE_CHANNEL_CURSOR, 0, NULL, 0, &handler, self);
}
