/* Straight to the X window, from memory that is shared with the server.
 *
 * GTK's drawing would first gather what is new and then copy it twice; it is left with what the
 * server wants again after a window was covered.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "presenter.h"

#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>

#include "x11-shm-image.h"

typedef struct {
    SpicePresenter parent;
    GtkWidget *widget;
    Display *display;
    Window window; /* the toplevel: widgets have none of their own */
    Visual *visual;
    guint depth;
    GC gc;
    SpiceX11ShmImage *shm;
    pixman_image_t *canvas;
} X11Presenter;

static SpicePresenter *x11_create(GtkWidget *widget)
{
    GdkWindow *window = gdk_window_get_toplevel(gtk_widget_get_window(widget));
    GdkVisual *visual = gdk_window_get_visual(window);
    SpiceX11ShmImage *probe;
    X11Presenter *self;

    /* A visual with alpha would show the fourth byte of each pixel, which nobody sets. */
    if (!GDK_IS_X11_WINDOW(window) || gdk_visual_get_depth(visual) != 24)
        return NULL;
    self = g_new0(X11Presenter, 1);
    self->parent.klass = &spice_presenter_x11;
    self->widget = widget;
    self->display = gdk_x11_display_get_xdisplay(gdk_window_get_display(window));
    self->window = gdk_x11_window_get_xid(window);
    self->visual = gdk_x11_visual_get_xvisual(visual);
    self->depth = (guint)gdk_visual_get_depth(visual);
    probe = spice_x11_shm_image_new(self->display, self->visual, self->depth, 16, 16);
    if (!probe) {
        g_free(self);
        return NULL;
    }
    spice_x11_shm_image_free(probe);
    self->gc = XCreateGC(self->display, self->window, 0, NULL);
    return &self->parent;
}

static void drop_canvas(X11Presenter *self)
{
    g_clear_pointer(&self->canvas, pixman_image_unref);
    g_clear_pointer(&self->shm, spice_x11_shm_image_free);
}

static pixman_image_t *x11_resize(SpicePresenter *presenter, gint width, gint height)
{
    X11Presenter *self = (X11Presenter *)presenter;
    guint stride;
    guint8 *data;

    drop_canvas(self);
    self->shm = spice_x11_shm_image_new(self->display, self->visual, self->depth, (guint)width,
                                        (guint)height);
    if (!self->shm)
        return NULL;
    data = spice_x11_shm_image_data(self->shm, &stride);
    self->canvas =
        pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, (uint32_t *)data, (int)stride);
    return self->canvas;
}

static void x11_present(SpicePresenter *presenter, pixman_region32_t *region)
{
    X11Presenter *self = (X11Presenter *)presenter;
    gint scale = gtk_widget_get_scale_factor(self->widget);
    gint x = 0, y = 0;
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(region, &n);

    gtk_widget_translate_coordinates(self->widget, gtk_widget_get_toplevel(self->widget), 0, 0, &x,
                                     &y);
    for (i = 0; i < n; i++, box++)
        spice_x11_shm_image_put(self->shm, self->window, self->gc, box->x1, box->y1,
                                (guint)(box->x2 - box->x1), (guint)(box->y2 - box->y1), x * scale,
                                y * scale);
    XFlush(self->display);
}

static void x11_draw(SpicePresenter *presenter, cairo_t *cr)
{
    X11Presenter *self = (X11Presenter *)presenter;

    spice_presenter_draw_canvas(self->widget, self->canvas, cr);
}

static void x11_destroy(SpicePresenter *presenter)
{
    X11Presenter *self = (X11Presenter *)presenter;

    drop_canvas(self);
    XFreeGC(self->display, self->gc);
    g_free(self);
}

const SpicePresenterClass spice_presenter_x11 = {
    "x11", x11_create, x11_resize, x11_present, x11_draw, x11_destroy,
};
#endif
