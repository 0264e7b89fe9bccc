/* Captures the pointer for a guest that wants relative motion: a small vtable, one implementation
 * for each window system.
 *
 * While it is taken, the pointer stays within the widget and is not shown, and motion comes as
 * differences without end.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct SpiceGrab SpiceGrab;

typedef struct {
    /** The captured pointer moved by so many device pixels. */
    void (*motion)(gdouble dx, gdouble dy, gpointer user_data);
} SpiceGrabHandler;

typedef struct {
    const char *name;
    /** For a realized widget; NULL if it is of another window system, or that cannot do it. */
    SpiceGrab *(*create)(GtkWidget *widget);
    /** Captures pointer and keyboard because of `event`. FALSE: the window system refused. */
    gboolean (*take)(SpiceGrab *self, const GdkEvent *event);
    void (*release)(SpiceGrab *self);
    /** A motion event that GTK brought while the pointer is captured. */
    void (*moved)(SpiceGrab *self, const GdkEventMotion *event);
    void (*destroy)(SpiceGrab *self);
} SpiceGrabClass;

struct SpiceGrab {
    const SpiceGrabClass *klass;
    const SpiceGrabHandler *handler;
    gpointer user_data;
};

/** NULL if there is no way: then the guest gets the motion of a pointer that is free. The handler
 * is not copied. (transfer full) */
SpiceGrab *spice_grab_new(GtkWidget *widget, const SpiceGrabHandler *handler, gpointer user_data);
static inline void spice_grab_free(SpiceGrab *self)
{
    if (self)
        self->klass->destroy(self);
}

extern const SpiceGrabClass spice_grab_x11, spice_grab_wayland;

G_END_DECLS
