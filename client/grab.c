/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grab.h"

SpiceGrab *spice_grab_new(GtkWidget *widget, const SpiceGrabHandler *handler, gpointer user_data)
{
    static const SpiceGrabClass *const classes[] = {
#ifdef GDK_WINDOWING_X11
        &spice_grab_x11,
#endif
#ifdef GDK_WINDOWING_WAYLAND
        &spice_grab_wayland,
#endif
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(classes); i++) {
        SpiceGrab *grab = classes[i]->create(widget);

        if (grab) {
            grab->klass = classes[i];
            grab->handler = handler;
            grab->user_data = user_data;
            return grab;
        }
    }
    return NULL;
}
