/* The cursor channel, server role: one a display, which follows the display's cursor.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include "core/wire/channel.h"
#include "core/wire/cursor.h"

/* What the field's clients keep. */
enum { CACHED_SHAPES = 256 };

typedef struct {
    GstSpiceServerLink link;
    GQueue cached;      /* guint64 *: shapes that the client has, last used first */
    gboolean shape_due; /* the client does not have the newest shape or visibility */
    gboolean place_due;
    gboolean reset_due; /* it has to forget all that it knows */
} Cursor;

static const GstSpiceServerCursor *cursor_of(const Cursor *self)
{
    return &self->link.client->server->cursors[self->link.id];
}

static SpicePoint16 position_of(const GstSpiceServerCursor *cursor)
{
    return (SpicePoint16){.x = (gint16)CLAMP(cursor->x, 0, G_MAXINT16),
                          .y = (gint16)CLAMP(cursor->y, 0, G_MAXINT16)};
}

/** Whether the client has the shape; from now on it will. */
static gboolean use_cached(Cursor *self, guint64 unique)
{
    GList *item;

    for (item = self->cached.head; item; item = item->next) {
        if (*(guint64 *)item->data == unique) {
            g_queue_unlink(&self->cached, item);
            g_queue_push_head_link(&self->cached, item);
            return TRUE;
        }
    }
    if (g_queue_get_length(&self->cached) >= CACHED_SHAPES) {
        g_autofree guint64 *oldest = g_queue_pop_tail(&self->cached);
        const SpiceMsgCursorInvalOne message = {.id = *oldest};

        gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_INVAL_ONE, &message);
    }
    g_queue_push_head(&self->cached, g_memdup2(&unique, sizeof unique));
    return FALSE;
}

/** The shape as the client has to be told it. */
static SpiceCursor shape_for(Cursor *self, const GstSpiceServerCursor *cursor)
{
    SpiceCursor shape = cursor->shape;

    if (shape.flags & SPICE_CURSOR_FLAGS_NONE)
        return shape;
    if (use_cached(self, shape.unique)) {
        shape.flags = SPICE_CURSOR_FLAGS_FROM_CACHE;
        shape.data = (SpiceBytes){0};
    } else {
        shape.flags = SPICE_CURSOR_FLAGS_CACHE_ME;
    }
    return shape;
}

static void send_init(Cursor *self)
{
    const GstSpiceServerCursor *cursor = cursor_of(self);
    const SpiceMsgCursorInit init = {
        .position = position_of(cursor),
        .visible = (guint8)cursor->visible,
        .cursor = shape_for(self, cursor),
    };

    gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_INIT, &init);
}

static void send_shape(Cursor *self)
{
    const GstSpiceServerCursor *cursor = cursor_of(self);
    SpiceMsgCursorSet set = {.position = position_of(cursor), .visible = (guint8)cursor->visible};

    if (!cursor->visible || (cursor->shape.flags & SPICE_CURSOR_FLAGS_NONE)) {
        gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_HIDE, NULL);
        return;
    }
    set.cursor = shape_for(self, cursor);
    gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_SET, &set);
}

/** Sends what is due, unless the client is behind: then only the newest will be sent. */
static void update(Cursor *self)
{
    if (!spice_server_channel_may_send(self->link.channel) ||
        spice_server_channel_get_backlog(self->link.channel) > 0)
        return;
    if (self->reset_due) {
        g_queue_clear_full(&self->cached, g_free);
        gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_INVAL_ALL, NULL);
        gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_RESET, NULL);
        send_init(self);
    } else if (self->shape_due) {
        send_shape(self);
    } else if (self->place_due) {
        const SpiceMsgCursorMove move = {.position = position_of(cursor_of(self))};

        gst_spice_server_link_send(&self->link, SPICE_MSG_CURSOR_MOVE, &move);
    }
    self->shape_due = self->place_due = self->reset_due = FALSE;
}

void gst_spice_server_cursor_mode_changed(GstSpiceServerClient *client)
{
    guint i;

    for (i = 0; i < client->links->len; i++)
        if (((GstSpiceServerLink *)client->links->pdata[i])->type == SPICE_CHANNEL_CURSOR)
            gst_spice_server_cursor_changed(client->links->pdata[i], FALSE);
}

void gst_spice_server_cursor_changed(GstSpiceServerLink *link, gboolean shape)
{
    Cursor *self = (Cursor *)link;

    if (shape)
        self->shape_due = TRUE;
    /* MOVE would also show a hidden cursor; and who moves the pointer itself knows where it is. */
    else if (link->client->mouse_mode == GST_SPICE_MOUSE_MODES_SERVER && cursor_of(self)->visible)
        self->place_due = TRUE;
    update(self);
}

void gst_spice_server_cursor_was_reset(GstSpiceServerLink *link)
{
    Cursor *self = (Cursor *)link;

    self->reset_due = TRUE;
    update(self);
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    return gst_spice_server_link_refuse(link, error, "nothing is to be said here");
}

static void on_writable(GstSpiceServerLink *link)
{
    update((Cursor *)link);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Cursor *self = (Cursor *)link;

    gst_spice_server_link_clear(link);
    g_queue_clear_full(&self->cached, g_free);
    g_free(self);
}

void gst_spice_server_cursor_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .closed = on_closed};
    Cursor *self = g_new0(Cursor, 1);

    g_queue_init(&self->cached);
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    spice_server_channel_set_ack_window(channel, GST_SPICE_SERVER_ACK_WINDOW);
    send_init(self);
}
