/* Through GTK's own drawing: goes everywhere.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "presenter.h"

typedef struct {
    SpicePresenter parent;
    GtkWidget *widget;
    pixman_image_t *canvas;
} PlainPresenter;

static SpicePresenter *plain_create(GtkWidget *widget)
{
    PlainPresenter *self = g_new0(PlainPresenter, 1);

    self->parent.klass = &spice_presenter_plain;
    self->widget = widget;
    return &self->parent;
}

static pixman_image_t *plain_resize(SpicePresenter *presenter, gint width, gint height)
{
    PlainPresenter *self = (PlainPresenter *)presenter;

    g_clear_pointer(&self->canvas, pixman_image_unref);
    self->canvas = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    return self->canvas;
}

static void plain_present(SpicePresenter *presenter, pixman_region32_t *region)
{
    PlainPresenter *self = (PlainPresenter *)presenter;
    gint scale = gtk_widget_get_scale_factor(self->widget);
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(region, &n);

    for (i = 0; i < n; i++, box++) {
        gint x = box->x1 / scale, y = box->y1 / scale;

        gtk_widget_queue_draw_area(self->widget, x, y, (box->x2 + scale - 1) / scale - x,
                                   (box->y2 + scale - 1) / scale - y);
    }
}

static void plain_draw(SpicePresenter *presenter, cairo_t *cr)
{
    PlainPresenter *self = (PlainPresenter *)presenter;

    spice_presenter_draw_canvas(self->widget, self->canvas, cr);
}

static void plain_destroy(SpicePresenter *presenter)
{
    PlainPresenter *self = (PlainPresenter *)presenter;

    g_clear_pointer(&self->canvas, pixman_image_unref);
    g_free(self);
}

const SpicePresenterClass spice_presenter_plain = {
    "plain", plain_create, plain_resize, plain_present, plain_draw, plain_destroy,
};
