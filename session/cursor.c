/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cursor.h"

G_DEFINE_BOXED_TYPE(GstSpiceCursor, gst_spice_cursor, gst_spice_cursor_ref, gst_spice_cursor_unref)

GstSpiceCursor *gst_spice_cursor_new(void)
{
    GstSpiceCursor *self = g_new0(GstSpiceCursor, 1);

    g_atomic_ref_count_init(&self->refs);
    return self;
}

GstSpiceCursor *gst_spice_cursor_ref(GstSpiceCursor *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void gst_spice_cursor_unref(GstSpiceCursor *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_clear_pointer(&self->pixels, g_bytes_unref);
    g_free(self);
}

GstSpiceCursor *gst_spice_cursor_copy(const GstSpiceCursor *self)
{
    GstSpiceCursor *copy = gst_spice_cursor_new();

    copy->x = self->x;
    copy->y = self->y;
    copy->visible = self->visible;
    copy->width = self->width;
    copy->height = self->height;
    copy->hot_x = self->hot_x;
    copy->hot_y = self->hot_y;
    copy->pixels = self->pixels ? g_bytes_ref(self->pixels) : NULL;
    return copy;
}
