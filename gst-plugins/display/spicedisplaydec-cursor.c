/* The cursor of a session, painted into a display's frames.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "spicedisplaydec-private.h"

/** Damages where `cursor` is drawn. */
static void damage_cursor(GstSpiceDisplayDec *self, const GstSpiceCursor *cursor)
{
    const SpicePixels *picture = gst_spice_display_painter_get_picture(self->painter);
    pixman_region32_t region;

    if (!picture || !cursor || !cursor->visible || cursor->width == 0)
        return;
    pixman_region32_init_rect(&region, cursor->x - (gint)cursor->hot_x,
                              cursor->y - (gint)cursor->hot_y, cursor->width, cursor->height);
    pixman_region32_intersect_rect(&region, &region, 0, 0, (guint)picture->width,
                                   (guint)picture->height);
    gst_spice_display_dec_add_damage(self, &region);
    pixman_region32_fini(&region);
}

void gst_spice_display_dec_forget_cursor(GstSpiceDisplayDec *self)
{
    g_clear_pointer(&self->cursor_image, pixman_image_unref);
    g_clear_pointer(&self->cursor, gst_spice_cursor_unref);
}

static void take_cursor(GstSpiceDisplayDec *self, GstSpiceCursor *cursor)
{
    damage_cursor(self, self->cursor);
    gst_spice_display_dec_forget_cursor(self);
    self->cursor = cursor;
    if (cursor->pixels)
        self->cursor_image = pixman_image_create_bits(
            PIXMAN_a8r8g8b8, (int)cursor->width, (int)cursor->height,
            (uint32_t *)g_bytes_get_data(cursor->pixels, NULL), (int)cursor->width * 4);
    damage_cursor(self, cursor);
}

static void show_cursor_async(GstElement *element, gpointer data)
{
    GstSpiceDisplayDec *self = GST_SPICE_DISPLAY_DEC(element);
    GstSpiceSession *session = data;

    GST_PAD_STREAM_LOCK(self->sink);
    g_atomic_int_set(&self->cursor_pending, FALSE); /* what changes from here on asks again */
    if (self->painter && GST_PAD_IS_ACTIVE(self->sink)) {
        take_cursor(self, gst_spice_session_get_cursor(session));
        if (gst_spice_display_dec_push_frame(self) == GST_FLOW_EOS)
            gst_pad_push_event(self->src, gst_event_new_eos());
    }
    GST_PAD_STREAM_UNLOCK(self->sink);
}

static void on_cursor_changed(GstSpiceSession *session, gpointer user_data)
{
    GstSpiceDisplayDec *self = user_data;

    /* One task at a time: all want but the latest cursor. */
    if (!g_atomic_int_compare_and_exchange(&self->cursor_pending, FALSE, TRUE))
        return;
    /* Not on the I/O thread: a frame may wait for the sink. */
    gst_element_call_async(GST_ELEMENT(self), show_cursor_async, g_object_ref(session),
                           g_object_unref);
}

void gst_spice_display_dec_unwatch_cursor(GstSpiceDisplayDec *self)
{
    if (self->watched)
        g_signal_handler_disconnect(self->watched, self->cursor_handler);
    g_clear_object(&self->watched);
}

static void closure_unref(gpointer data, GClosure *closure)
{
    gst_object_unref(data);
}

void gst_spice_display_dec_watch_cursor(GstSpiceDisplayDec *self)
{
    gst_spice_display_dec_unwatch_cursor(self);
    if (!self->show_cursor || !self->session || self->channel_id != 0)
        return;
    self->watched = g_object_ref(self->session);
    /* The closure's reference outlives an emission that is under way when it is disconnected. */
    self->cursor_handler =
        g_signal_connect_data(self->watched, "cursor-changed", G_CALLBACK(on_cursor_changed),
                              gst_object_ref(self), closure_unref, 0);
    GST_PAD_STREAM_LOCK(self->sink);
    take_cursor(self, gst_spice_session_get_cursor(self->watched));
    GST_PAD_STREAM_UNLOCK(self->sink);
}
