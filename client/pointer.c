/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pointer.h"

#include <math.h>

#include "grab.h"

#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>
#endif

/* SPICE's numbers of what GDK counts differently or not at all. */
enum { BUTTON_UP = 4, BUTTON_DOWN = 5, BUTTON_SIDE = 6, BUTTON_EXTRA = 7, N_BUTTONS = 8 };
enum { GDK_BUTTON_BACK = 8, GDK_BUTTON_FORWARD = 9 };
/* A touchpad that is swept makes no more clicks of the wheel than this at once. */
enum { MAX_CLICKS = 10 };

struct SpicePointer {
    GtkWidget *widget;
    GstSpiceSession *session;
    const SpiceMonitorPlace *place;
    const SpicePointerHandler *handler;
    gpointer user_data;
    SpiceGrab *grab; /* NULL: this window system has none */
    gboolean captured;
    gboolean held[N_BUTTONS];
    gdouble rest_x, rest_y; /* of captured motion, less than a pixel */
    gdouble wheel;          /* smooth scrolling that has not made a click yet */
    gulong handlers[4];
};

static gboolean is_client_mode(SpicePointer *self)
{
    return gst_spice_session_get_mouse_mode(self->session) == GST_SPICE_MOUSE_MODE_CLIENT;
}

static void send_place(SpicePointer *self, gdouble x, gdouble y)
{
    gint scale = gtk_widget_get_scale_factor(self->widget);
    const SpicePlacement *placement = self->handler->placement(self->user_data);
    gint guest_x, guest_y;

    if (placement->width < 1)
        return;
    spice_placement_to_guest(placement, x * scale, y * scale, &guest_x, &guest_y);
    gst_spice_session_pointer(self->session, self->place->display, self->place->x + guest_x,
                              self->place->y + guest_y);
}

static void on_captured_motion(gdouble dx, gdouble dy, gpointer user_data)
{
    SpicePointer *self = user_data;
    gint whole_x = (gint)trunc(self->rest_x += dx), whole_y = (gint)trunc(self->rest_y += dy);

    self->rest_x -= whole_x;
    self->rest_y -= whole_y;
    if (whole_x || whole_y)
        gst_spice_session_pointer_motion(self->session, whole_x, whole_y);
}

static gboolean on_motion(GtkWidget *widget, GdkEventMotion *event, gpointer user_data)
{
    SpicePointer *self = user_data;

    if (is_client_mode(self))
        send_place(self, event->x, event->y);
    else if (self->captured)
        self->grab->klass->moved(self->grab, event);
    else if (!self->grab)
        send_place(self, event->x, event->y); /* the session makes motion of it */
    return TRUE;
}

static guint spice_button(guint gdk_button)
{
    if (gdk_button >= 1 && gdk_button <= 3)
        return gdk_button;
    if (gdk_button == GDK_BUTTON_BACK)
        return BUTTON_SIDE;
    return gdk_button == GDK_BUTTON_FORWARD ? BUTTON_EXTRA : 0;
}

static void set_captured(SpicePointer *self, gboolean captured)
{
    self->captured = captured;
    self->rest_x = self->rest_y = 0;
    self->handler->captured(captured, self->user_data);
}

static void send_button(SpicePointer *self, guint button, gboolean pressed)
{
    if (!button || self->held[button] == pressed)
        return;
    self->held[button] = pressed;
    gst_spice_session_button(self->session, button, pressed);
}

static gboolean on_button(GtkWidget *widget, GdkEventButton *event, gpointer user_data)
{
    SpicePointer *self = user_data;
    guint button = spice_button(event->button);

    gtk_widget_grab_focus(widget);
    if (event->type == GDK_BUTTON_PRESS) {
        if (is_client_mode(self)) {
            send_place(self, event->x, event->y);
        } else if (self->grab && !self->captured) {
            /* This click is for us: the guest's pointer is elsewhere. */
            if (self->grab->klass->take(self->grab, (GdkEvent *)event))
                set_captured(self, TRUE);
            return TRUE;
        }
        send_button(self, button, TRUE);
    } else if (event->type == GDK_BUTTON_RELEASE) {
        if (is_client_mode(self))
            send_place(self, event->x, event->y);
        send_button(self, button, FALSE);
    }
    return TRUE; /* GDK's double clicks are presses once more */
}

static void turn_wheel(SpicePointer *self, guint button, guint clicks)
{
    if (!is_client_mode(self) && self->grab && !self->captured)
        return;
    while (clicks-- > 0) {
        gst_spice_session_button(self->session, button, TRUE);
        gst_spice_session_button(self->session, button, FALSE);
    }
}

static gboolean on_scroll(GtkWidget *widget, GdkEventScroll *event, gpointer user_data)
{
    SpicePointer *self = user_data;
    gdouble clicks;

    if (is_client_mode(self))
        send_place(self, event->x, event->y);
    switch (event->direction) {
    case GDK_SCROLL_UP:
        turn_wheel(self, BUTTON_UP, 1);
        break;
    case GDK_SCROLL_DOWN:
        turn_wheel(self, BUTTON_DOWN, 1);
        break;
    case GDK_SCROLL_SMOOTH:
        clicks = trunc(self->wheel += event->delta_y);
        self->wheel -= clicks;
        turn_wheel(self, clicks < 0 ? BUTTON_UP : BUTTON_DOWN,
                   (guint)MIN(fabs(clicks), MAX_CLICKS));
        break;
    default:
        break; /* sideways: SPICE has no such button */
    }
    return TRUE;
}

SpicePointer *spice_pointer_new(GtkWidget *widget, GstSpiceSession *session,
                                const SpiceMonitorPlace *place, const SpicePointerHandler *handler,
                                gpointer user_data)
{
    static const SpiceGrabHandler grab_handler = {on_captured_motion};
    SpicePointer *self = g_new0(SpicePointer, 1);
    GdkEventMask events =
        GDK_POINTER_MOTION_MASK | GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_SCROLL_MASK;

    self->widget = widget;
    self->session = g_object_ref(session);
    self->place = place;
    self->handler = handler;
    self->user_data = user_data;
    self->grab = spice_grab_new(widget, &grab_handler, self);
#ifdef GDK_WINDOWING_X11
    /* On X11 the first smooth event after the pointer came says nothing; clicks are never lost. */
    if (!GDK_IS_X11_DISPLAY(gtk_widget_get_display(widget)))
#endif
        events |= GDK_SMOOTH_SCROLL_MASK;
    gtk_widget_add_events(widget, (gint)events);
    /* Else GDK keeps motion back until the next frame is due. */
    gdk_window_set_event_compression(gtk_widget_get_window(widget), FALSE);
    self->handlers[0] =
        g_signal_connect(widget, "motion-notify-event", G_CALLBACK(on_motion), self);
    self->handlers[1] = g_signal_connect(widget, "button-press-event", G_CALLBACK(on_button), self);
    self->handlers[2] =
        g_signal_connect(widget, "button-release-event", G_CALLBACK(on_button), self);
    self->handlers[3] = g_signal_connect(widget, "scroll-event", G_CALLBACK(on_scroll), self);
    return self;
}

void spice_pointer_free(SpicePointer *self)
{
    guint i;

    if (!self)
        return;
    for (i = 0; i < G_N_ELEMENTS(self->handlers); i++)
        g_signal_handler_disconnect(self->widget, self->handlers[i]);
    spice_grab_free(self->grab);
    g_object_unref(self->session);
    g_free(self);
}

gboolean spice_pointer_is_captured(SpicePointer *self)
{
    return self->captured;
}

void spice_pointer_release(SpicePointer *self)
{
    guint button;

    for (button = 1; button < N_BUTTONS; button++)
        send_button(self, button, FALSE);
    if (!self->captured)
        return;
    self->grab->klass->release(self->grab);
    set_captured(self, FALSE);
}
