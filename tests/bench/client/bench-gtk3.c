/* What a small change costs with GTK 3.
 *
 *     bench-gtk3 stock|shm [SECONDS]
 *
 * stock: gtk_widget_queue_draw_area() and a cairo image. shm: straight to the X window.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gdk/gdkx.h>
#include <gtk/gtk.h>

#include "changes.h"
#include "client/x11-shm-image.h"

static Changes changes;
static SpiceX11ShmImage *shm;
static gboolean use_shm;
static char *name;

static gboolean on_draw(GtkWidget *widget, cairo_t *cr, gpointer data)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        changes.pixels, CAIRO_FORMAT_RGB24, WIDTH, HEIGHT, (int)changes.stride);

    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_surface_destroy(surface);
    return TRUE;
}

static gboolean on_tick(gpointer data)
{
    GtkWidget *area = data;

    changes_next(&changes, name);
    if (use_shm) {
        GdkWindow *window = gdk_window_get_toplevel(gtk_widget_get_window(area));
        Display *display = gdk_x11_display_get_xdisplay(gdk_window_get_display(window));

        spice_x11_shm_image_put(shm, gdk_x11_window_get_xid(window),
                                DefaultGC(display, DefaultScreen(display)), changes.x, changes.y,
                                CHANGE_WIDTH, CHANGE_HEIGHT, 0, 0);
        XFlush(display);
    } else {
        gtk_widget_queue_draw_area(area, changes.x, changes.y, CHANGE_WIDTH, CHANGE_HEIGHT);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean start(gpointer area)
{
    g_timeout_add(1000 / PER_SECOND, on_tick, area);
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
    GtkWidget *window, *area = NULL;

    gtk_init(&argc, &argv);
    use_shm = argc > 1 && strcmp(argv[1], "shm") == 0;
    changes.n_max = PER_SECOND * (argc > 2 ? atoi(argv[2]) : 10);
    name = g_strdup_printf("GTK 3, %s, %s", use_shm ? "shm" : "stock",
                           GDK_IS_X11_DISPLAY(gdk_display_get_default()) ? "X11" : "Wayland");
    window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    area = gtk_drawing_area_new();
    gtk_widget_set_size_request(area, WIDTH, HEIGHT);
    gtk_container_add(GTK_CONTAINER(window), area);
    g_signal_connect(area, "draw", G_CALLBACK(on_draw), NULL);
    gtk_widget_realize(window);
    if (use_shm) {
        GdkVisual *visual = gdk_window_get_visual(gtk_widget_get_window(window));

        shm = spice_x11_shm_image_new(gdk_x11_get_default_xdisplay(),
                                      gdk_x11_visual_get_xvisual(visual),
                                      (guint)gdk_visual_get_depth(visual), WIDTH, HEIGHT);
        if (!shm)
            return 1;
        changes.pixels = spice_x11_shm_image_data(shm, &changes.stride);
    } else {
        changes.stride = WIDTH * 4;
        changes.pixels = g_malloc0(changes.stride * HEIGHT);
    }
    gtk_widget_show_all(window);
    g_timeout_add(1500, start, area);
    gtk_main();
    return 0;
}
