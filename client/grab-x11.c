/* On X11 a grab keeps events coming, and the pointer is moved back to the middle before it reaches
 * an edge.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "grab.h"

#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>
#include <math.h>

typedef struct {
    SpiceGrab parent;
    GtkWidget *widget;
    GdkCursor *blank;
    GdkDevice *pointer; /* while it is captured */
    gdouble last_x, last_y;
    gint middle_x, middle_y;
    gboolean warping; /* moved back, and the event of that has not come yet */
} X11Grab;

static SpiceGrab *x11_create(GtkWidget *widget)
{
    GdkDisplay *display = gtk_widget_get_display(widget);
    X11Grab *self;

    if (!GDK_IS_X11_DISPLAY(display))
        return NULL;
    self = g_new0(X11Grab, 1);
    self->widget = widget;
    self->blank = gdk_cursor_new_for_display(display, GDK_BLANK_CURSOR);
    return &self->parent;
}

static void warp_to_middle(X11Grab *self)
{
    gint x, y;

    self->middle_x = gtk_widget_get_allocated_width(self->widget) / 2;
    self->middle_y = gtk_widget_get_allocated_height(self->widget) / 2;
    gdk_window_get_root_coords(gtk_widget_get_window(self->widget), self->middle_x, self->middle_y,
                               &x, &y);
    gdk_device_warp(self->pointer, gtk_widget_get_screen(self->widget), x, y);
    self->warping = TRUE;
}

static gboolean x11_take(SpiceGrab *grab, const GdkEvent *event)
{
    X11Grab *self = (X11Grab *)grab;
    GdkSeat *seat = gdk_event_get_seat(event);

    if (gdk_seat_grab(seat, gtk_widget_get_window(self->widget),
                      GDK_SEAT_CAPABILITY_ALL_POINTING | GDK_SEAT_CAPABILITY_KEYBOARD, FALSE,
                      self->blank, event, NULL, NULL) != GDK_GRAB_SUCCESS)
        return FALSE;
    self->pointer = gdk_seat_get_pointer(seat);
    gdk_event_get_coords(event, &self->last_x, &self->last_y);
    return TRUE;
}

static void x11_release(SpiceGrab *grab)
{
    X11Grab *self = (X11Grab *)grab;

    if (self->pointer)
        gdk_seat_ungrab(gdk_device_get_seat(self->pointer));
    self->pointer = NULL;
    self->warping = FALSE;
}

static void x11_moved(SpiceGrab *grab, const GdkEventMotion *event)
{
    X11Grab *self = (X11Grab *)grab;
    gint width = gtk_widget_get_allocated_width(self->widget);
    gint height = gtk_widget_get_allocated_height(self->widget);
    gint scale = gtk_widget_get_scale_factor(self->widget);
    gdouble dx = event->x - self->last_x, dy = event->y - self->last_y;

    if (self->warping) {
        gdouble middle_dx = event->x - self->middle_x, middle_dy = event->y - self->middle_y;

        /* Events from before it still count from the last place, those after it from the middle. */
        if (hypot(middle_dx, middle_dy) < hypot(dx, dy)) {
            self->warping = FALSE;
            dx = middle_dx;
            dy = middle_dy;
        }
    }
    self->last_x = event->x;
    self->last_y = event->y;
    if (dx != 0 || dy != 0)
        grab->handler->motion(dx * scale, dy * scale, grab->user_data);
    if (!self->warping &&
        (ABS(event->x - width / 2) > width / 4 || ABS(event->y - height / 2) > height / 4))
        warp_to_middle(self);
}

static void x11_destroy(SpiceGrab *grab)
{
    X11Grab *self = (X11Grab *)grab;

    x11_release(grab);
    g_object_unref(self->blank);
    g_free(self);
}

const SpiceGrabClass spice_grab_x11 = {
    "x11", x11_create, x11_take, x11_release, x11_moved, x11_destroy,
};
#endif
