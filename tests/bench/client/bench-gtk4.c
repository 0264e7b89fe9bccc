/* What a small change costs with GTK 4.
 *
 *     bench-gtk4 picture|area|shm [SECONDS]
 *
 * picture: a GdkMemoryTexture in a GtkPicture, as GTK's documentation has it. area: a
 * GtkDrawingArea with a cairo image. shm: straight to the X window. The renderer is chosen by
 * GSK_RENDERER.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gdk/x11/gdkx.h>
#include <gtk/gtk.h>

#include "changes.h"
#include "client/x11-shm-image.h"

static Changes changes;
static SpiceX11ShmImage *shm;
static GC gc;
static const char *way;
static char *name;

static void on_draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        changes.pixels, CAIRO_FORMAT_RGB24, WIDTH, HEIGHT, (int)changes.stride);

    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_paint(cr);
    cairo_surface_destroy(surface);
}

static void show_texture(GtkWidget *picture)
{
    GBytes *bytes = g_bytes_new_static(changes.pixels, changes.stride * HEIGHT);
    GdkTexture *texture =
        gdk_memory_texture_new(WIDTH, HEIGHT, GDK_MEMORY_B8G8R8A8, bytes, changes.stride);

    gtk_picture_set_paintable(GTK_PICTURE(picture), GDK_PAINTABLE(texture));
    g_object_unref(texture);
    g_bytes_unref(bytes);
}

static gboolean on_tick(gpointer data)
{
    GtkWidget *child = data;

    changes_next(&changes, name);
    if (*way == 's') {
        GdkSurface *surface = gtk_native_get_surface(gtk_widget_get_native(child));
        Display *display = gdk_x11_display_get_xdisplay(gdk_surface_get_display(surface));

        spice_x11_shm_image_put(shm, gdk_x11_surface_get_xid(surface), gc, changes.x, changes.y,
                                CHANGE_WIDTH, CHANGE_HEIGHT, 0, 0);
        XFlush(display);
    } else if (*way == 'p') {
        show_texture(child);
    } else {
        gtk_widget_queue_draw(child);
    }
    return G_SOURCE_CONTINUE;
}

static void make_shm(GtkWidget *child)
{
    GdkSurface *surface = gtk_native_get_surface(gtk_widget_get_native(child));
    Display *display = gdk_x11_display_get_xdisplay(gdk_surface_get_display(surface));
    XWindowAttributes attributes;

    XGetWindowAttributes(display, gdk_x11_surface_get_xid(surface), &attributes);
    shm =
        spice_x11_shm_image_new(display, attributes.visual, (guint)attributes.depth, WIDTH, HEIGHT);
    if (!shm)
        exit(1);
    changes.pixels = spice_x11_shm_image_data(shm, &changes.stride);
    gc = XCreateGC(display, gdk_x11_surface_get_xid(surface), 0, NULL);
}

static gboolean start(gpointer data)
{
    if (*way == 's')
        make_shm(data);
    g_timeout_add(1000 / PER_SECOND, on_tick, data);
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
    GtkWidget *window, *child;
    GdkDisplay *display;

    gtk_init();
    way = argc > 1 ? argv[1] : "picture";
    changes.n_max = PER_SECOND * (argc > 2 ? atoi(argv[2]) : 10);
    display = gdk_display_get_default();
    name = g_strdup_printf("GTK 4, %s, %s", way, GDK_IS_X11_DISPLAY(display) ? "X11" : "Wayland");
    if (*way == 's') {
        changes.stride = 0; /* not before there is a window, whose visual it needs */
    } else {
        changes.stride = WIDTH * 4;
        changes.pixels = g_malloc0(changes.stride * HEIGHT);
    }
    window = gtk_window_new();
    child = *way == 'p' ? gtk_picture_new() : gtk_drawing_area_new();
    gtk_widget_set_size_request(child, WIDTH, HEIGHT);
    if (*way == 'p')
        show_texture(child);
    else if (*way == 'a')
        gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(child), on_draw, NULL, NULL);
    gtk_window_set_child(GTK_WINDOW(window), child);
    gtk_window_present(GTK_WINDOW(window));
    g_timeout_add(1500, start, child);
    for (;;)
        g_main_context_iteration(NULL, TRUE);
}
