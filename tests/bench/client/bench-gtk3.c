/* What a small change costs with GTK 3 and a presenter of the viewer.
 *
 *     bench-gtk3 [SECONDS]
 *
 * SPICE_VIEW_PRESENTER says which one: x11, wayland, or plain, which is GTK's own drawing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "changes.h"
#include "client/presenter.h"

static Changes changes;
static SpicePresenter *presenter;
static char *name;

static gboolean on_draw(GtkWidget *widget, cairo_t *cr, gpointer data)
{
    presenter->klass->draw(presenter, cr);
    return TRUE;
}

static gboolean on_tick(gpointer data)
{
    pixman_region32_t region;

    changes_next(&changes, name);
    pixman_region32_init_rect(&region, changes.x, changes.y, CHANGE_WIDTH, CHANGE_HEIGHT);
    presenter->klass->present(presenter, &region);
    pixman_region32_fini(&region);
    return G_SOURCE_CONTINUE;
}

static gboolean start(gpointer data)
{
    g_timeout_add(1000 / PER_SECOND, on_tick, data);
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
    pixman_image_t *canvas;
    GtkWidget *window, *area;

    gtk_init(&argc, &argv);
    changes.n_max = PER_SECOND * (argc > 1 ? atoi(argv[1]) : 10);
    window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    area = gtk_drawing_area_new();
    gtk_widget_set_size_request(area, WIDTH, HEIGHT);
    gtk_container_add(GTK_CONTAINER(window), area);
    gtk_widget_realize(area);
    presenter = spice_presenter_new(area);
    name = g_strdup_printf("GTK 3, %s on %s", presenter->klass->name,
                           G_OBJECT_TYPE_NAME(gdk_display_get_default()));
    canvas = presenter->klass->resize(presenter, WIDTH, HEIGHT);
    if (!canvas)
        return 1;
    changes.pixels = (guint8 *)pixman_image_get_data(canvas);
    changes.stride = (guint)pixman_image_get_stride(canvas);
    g_signal_connect(area, "draw", G_CALLBACK(on_draw), NULL);
    gtk_widget_show_all(window);
    g_timeout_add(1500, start, NULL);
    gtk_main();
    return 0;
}
