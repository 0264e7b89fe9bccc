/* How pixels come into a window: a small vtable, one for each way.
 *
 * A presenter owns a canvas of the size of its widget in device pixels. Who paints into the canvas
 * says which parts are new, and the presenter brings those to the window system; what the window
 * system wants to have again is the presenter's own business.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>
#include <pixman.h>

G_BEGIN_DECLS

typedef struct SpicePresenter SpicePresenter;

typedef struct {
    const char *name;
    /** For a realized widget; NULL if this way does not go there. */
    SpicePresenter *(*create)(GtkWidget *widget);
    /** A canvas of this size, x8r8g8b8, of any content; the one before is gone. NULL without
     * memory. Belongs to the presenter. */
    pixman_image_t *(*resize)(SpicePresenter *self, gint width, gint height);
    /** The canvas is new in `region`, which lies within it. */
    void (*present)(SpicePresenter *self, pixman_region32_t *region);
    /** GTK paints the widget (`cr` in its coordinates). */
    void (*draw)(SpicePresenter *self, cairo_t *cr);
    void (*destroy)(SpicePresenter *self);
} SpicePresenterClass;

struct SpicePresenter {
    const SpicePresenterClass *klass;
};

/** The best way for a realized widget; SPICE_VIEW_PRESENTER=NAME asks for one. (transfer full) */
SpicePresenter *spice_presenter_new(GtkWidget *widget);
static inline void spice_presenter_free(SpicePresenter *self)
{
    if (self)
        self->klass->destroy(self);
}

/** Paints a canvas on a widget as GTK's own drawing does, for `draw`. */
void spice_presenter_draw_canvas(GtkWidget *widget, pixman_image_t *canvas, cairo_t *cr);

extern const SpicePresenterClass spice_presenter_x11, spice_presenter_wayland,
    spice_presenter_plain;

G_END_DECLS
