/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "local-cursor.h"

static GdkCursor *from_pixels(GdkDisplay *display, const GstSpiceCursor *cursor, gint scale)
{
    gsize size;
    const guint8 *pixels = g_bytes_get_data(cursor->pixels, &size);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)cursor->width, (int)cursor->height);
    GdkCursor *made;
    guint row;

    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    cairo_surface_flush(surface);
    for (row = 0; row < cursor->height; row++)
        memcpy(cairo_image_surface_get_data(surface) +
                   row * (gsize)cairo_image_surface_get_stride(surface),
               pixels + row * (gsize)cursor->width * 4, (gsize)cursor->width * 4);
    cairo_surface_mark_dirty(surface);
    cairo_surface_set_device_scale(surface, scale, scale);
    /* A hot spot beyond the shape is lawful; GDK wants it inside. */
    made = gdk_cursor_new_from_surface(display, surface,
                                       (gdouble)MIN(cursor->hot_x, cursor->width - 1) / scale,
                                       (gdouble)MIN(cursor->hot_y, cursor->height - 1) / scale);
    cairo_surface_destroy(surface);
    return made;
}

void spice_local_cursor_show(GtkWidget *widget, const GstSpiceCursor *cursor)
{
    GdkDisplay *display = gtk_widget_get_display(widget);
    GdkCursor *shown = NULL;

    if (cursor && !cursor->visible)
        shown = gdk_cursor_new_for_display(display, GDK_BLANK_CURSOR);
    else if (cursor && cursor->pixels && cursor->width > 0 && cursor->height > 0)
        shown = from_pixels(display, cursor, gtk_widget_get_scale_factor(widget));
    gdk_window_set_cursor(gtk_widget_get_window(widget), shown);
    g_clear_object(&shown);
}
