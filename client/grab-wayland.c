/* On Wayland a client cannot move the pointer: the compositor locks it where it is, and tells its
 * motion by a protocol of its own.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "grab.h"

#ifdef GDK_WINDOWING_WAYLAND
#include "wayland-globals.h"

typedef struct {
    SpiceGrab parent;
    GtkWidget *widget;
    GdkCursor *blank;
    SpiceWaylandGlobals globals;
    /* while it is captured: */
    struct zwp_locked_pointer_v1 *lock;
    struct zwp_relative_pointer_v1 *relative;
} WaylandGrab;

static SpiceGrab *wayland_create(GtkWidget *widget)
{
    GdkDisplay *display = gtk_widget_get_display(widget);
    WaylandGrab *self;

    if (!GDK_IS_WAYLAND_DISPLAY(display))
        return NULL;
    self = g_new0(WaylandGrab, 1);
    self->widget = widget;
    spice_wayland_globals_init(&self->globals, display);
    if (!self->globals.constraints || !self->globals.relative_pointers) {
        spice_wayland_globals_clear(&self->globals);
        g_free(self);
        return NULL;
    }
    self->blank = gdk_cursor_new_for_display(display, GDK_BLANK_CURSOR);
    return &self->parent;
}

static void on_relative_motion(void *data, struct zwp_relative_pointer_v1 *pointer,
                               uint32_t time_high, uint32_t time_low, wl_fixed_t dx, wl_fixed_t dy,
                               wl_fixed_t raw_dx, wl_fixed_t raw_dy)
{
    WaylandGrab *self = data;
    gint scale = gtk_widget_get_scale_factor(self->widget);

    self->parent.handler->motion(wl_fixed_to_double(dx) * scale, wl_fixed_to_double(dy) * scale,
                                 self->parent.user_data);
}

static gboolean wayland_take(SpiceGrab *grab, const GdkEvent *event)
{
    static const struct zwp_relative_pointer_v1_listener listener = {on_relative_motion};
    WaylandGrab *self = (WaylandGrab *)grab;
    GdkWindow *window = gdk_window_get_toplevel(gtk_widget_get_window(self->widget));
    struct wl_surface *surface = gdk_wayland_window_get_wl_surface(window);
    struct wl_pointer *pointer =
        gdk_wayland_device_get_wl_pointer(gdk_seat_get_pointer(gdk_event_get_seat(event)));

    if (!surface || !pointer)
        return FALSE;
    self->lock =
        zwp_pointer_constraints_v1_lock_pointer(self->globals.constraints, surface, pointer, NULL,
                                                ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_PERSISTENT);
    self->relative = zwp_relative_pointer_manager_v1_get_relative_pointer(
        self->globals.relative_pointers, pointer);
    zwp_relative_pointer_v1_add_listener(self->relative, &listener, self);
    gdk_window_set_cursor(gtk_widget_get_window(self->widget), self->blank);
    return TRUE;
}

static void wayland_release(SpiceGrab *grab)
{
    WaylandGrab *self = (WaylandGrab *)grab;

    if (!self->lock)
        return;
    g_clear_pointer(&self->relative, zwp_relative_pointer_v1_destroy);
    g_clear_pointer(&self->lock, zwp_locked_pointer_v1_destroy);
    gdk_window_set_cursor(gtk_widget_get_window(self->widget), NULL);
}

static void wayland_moved(SpiceGrab *grab, const GdkEventMotion *event)
{
    /* A locked pointer has no place. */
}

static void wayland_destroy(SpiceGrab *grab)
{
    WaylandGrab *self = (WaylandGrab *)grab;

    wayland_release(grab);
    spice_wayland_globals_clear(&self->globals);
    g_object_unref(self->blank);
    g_free(self);
}

const SpiceGrabClass spice_grab_wayland = {
    "wayland", wayland_create, wayland_take, wayland_release, wayland_moved, wayland_destroy,
};
#endif
