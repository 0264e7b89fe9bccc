/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "presenter.h"

#include <string.h>

SpicePresenter *spice_presenter_new(GtkWidget *widget)
{
    static const SpicePresenterClass *const classes[] = {
#ifdef GDK_WINDOWING_X11
        &spice_presenter_x11,
#endif
#ifdef GDK_WINDOWING_WAYLAND
        &spice_presenter_wayland,
#endif
    };
    const char *wanted = g_getenv("SPICE_VIEW_PRESENTER");
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(classes); i++) {
        SpicePresenter *presenter = NULL;

        if (!wanted || strcmp(wanted, classes[i]->name) == 0)
            presenter = classes[i]->create(widget);
        if (presenter)
            return presenter;
    }
    return spice_presenter_plain.create(widget);
}

void spice_presenter_draw_canvas(GtkWidget *widget, pixman_image_t *canvas, cairo_t *cr)
{
    gdouble scale = gtk_widget_get_scale_factor(widget);
    cairo_surface_t *surface;

    if (!canvas)
        return;
    surface = cairo_image_surface_create_for_data(
        (guint8 *)pixman_image_get_data(canvas), CAIRO_FORMAT_RGB24, pixman_image_get_width(canvas),
        pixman_image_get_height(canvas), pixman_image_get_stride(canvas));
    cairo_surface_set_device_scale(surface, scale, scale);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_surface_destroy(surface);
}
