/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor-window.h"

#include "client/local-cursor.h"
#include "client/picture.h"
#include "client/pointer.h"
#include "client/presenter.h"
#include "client/scancodes.h"
#include "client/window-size.h"

struct SpiceMonitorWindow {
    GstSpiceSession *session;
    guint number;
    const SpiceViewOptions *options;
    const SpiceMonitorWindowHandler *handler;
    gpointer user_data;

    SpicePicture *picture;
    SpiceMonitorPlace place;
    gboolean numbered;

    /* NULL until the first picture */
    GtkWidget *window, *area;
    SpicePresenter *presenter;
    SpicePointer *pointer;

    gint guest_width, guest_height;
    SpiceWindowSize size;
    gboolean full_screen;
};

/* Painting */

static void paint(SpiceMonitorWindow *self, pixman_region32_t *damage)
{
    pixman_region32_t painted;

    if (!self->presenter)
        return;
    pixman_region32_init(&painted);
    spice_picture_paint(self->picture, damage, &painted);
    if (pixman_region32_not_empty(&painted))
        self->presenter->klass->present(self->presenter, &painted);
    pixman_region32_fini(&painted);
}

/** The canvas gets the widget's size; the picture is painted anew. */
static void fit_canvas(SpiceMonitorWindow *self)
{
    gint scale = gtk_widget_get_scale_factor(self->area);
    gint width = gtk_widget_get_allocated_width(self->area) * scale;
    gint height = gtk_widget_get_allocated_height(self->area) * scale;
    const SpicePlacement *placement = spice_picture_get_placement(self->picture);
    pixman_image_t *canvas;

    if (placement->window_width == width && placement->window_height == height)
        return;
    canvas = self->presenter->klass->resize(self->presenter, width, height);
    if (!canvas) { /* no shared memory of this size: ordinary memory may be had */
        spice_picture_set_canvas(self->picture, NULL);
        spice_presenter_free(self->presenter);
        self->presenter = spice_presenter_plain.create(self->area);
        canvas = self->presenter->klass->resize(self->presenter, width, height);
    }
    spice_picture_set_canvas(self->picture, canvas);
    paint(self, NULL);
}

static gboolean on_draw(GtkWidget *area, cairo_t *cr, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    self->presenter->klass->draw(self->presenter, cr);
    return TRUE;
}

/* Size */

static void on_size_allocate(GtkWidget *area, GtkAllocation *allocation, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    fit_canvas(self);
    if (!self->full_screen)
        spice_window_size_is(&self->size, allocation->width, allocation->height);
    if (self->full_screen || self->size.by_hand)
        self->handler->resized(self, self->user_data);
}

static void on_scale_changed(GtkWidget *area, GParamSpec *pspec, gpointer user_data)
{
    fit_canvas(user_data);
}

static void follow_guest_size(SpiceMonitorWindow *self)
{
    GdkDisplay *display = gtk_widget_get_display(self->window);
    GdkMonitor *monitor = gdk_display_get_primary_monitor(display);
    GdkRectangle most = {0};

    if (!monitor)
        monitor = gdk_display_get_monitor(display, 0);
    if (monitor)
        gdk_monitor_get_workarea(monitor, &most);
    if (spice_window_size_follow(&self->size, self->guest_width, self->guest_height,
                                 gtk_widget_get_scale_factor(self->area), most.width,
                                 most.height) &&
        !self->full_screen)
        gtk_window_resize(GTK_WINDOW(self->window), self->size.width, self->size.height);
}

static gboolean on_window_state(GtkWidget *window, GdkEventWindowState *event, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;
    gboolean full_screen = (event->new_window_state & GDK_WINDOW_STATE_FULLSCREEN) != 0;

    gboolean left = self->full_screen && !full_screen;

    self->full_screen = full_screen;
    if (left) /* what the guest did meanwhile */
        follow_guest_size(self);
    return FALSE;
}

/* Title and cursor */

static void show_title(SpiceMonitorWindow *self)
{
    g_autofree char *name = gst_spice_session_get_name(self->session);
    const char *title = self->options->title ? self->options->title
                        : name && *name      ? name
                                             : self->options->uri;
    g_autofree char *numbered =
        self->numbered ? g_strdup_printf("%s (%u)", title, self->number + 1) : g_strdup(title);
    g_autofree char *text = NULL;

    if (self->pointer && spice_pointer_is_captured(self->pointer))
        text = g_strdup_printf("%s (Shift+F12 sets the pointer free)", numbered);
    gtk_window_set_title(GTK_WINDOW(self->window), text ? text : numbered);
}

static void show_cursor(SpiceMonitorWindow *self)
{
    g_autoptr(GstSpiceCursor) cursor = gst_spice_session_get_cursor(self->session);
    gboolean by_server =
        gst_spice_session_get_mouse_mode(self->session) != GST_SPICE_MOUSE_MODE_CLIENT;
    pixman_region32_t damage;

    if (!self->window)
        return;
    pixman_region32_init(&damage);
    spice_picture_set_cursor(self->picture, by_server && self->place.display == 0 ? cursor : NULL,
                             self->place.x, self->place.y, &damage);
    if (pixman_region32_not_empty(&damage))
        paint(self, &damage);
    pixman_region32_fini(&damage);
    if (!spice_pointer_is_captured(self->pointer)) /* else the grab hides it */
        spice_local_cursor_show(self->area, by_server ? NULL : cursor);
}

/* Keys */

static gboolean on_key(GtkWidget *window, GdkEventKey *event, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;
    guint code = event->hardware_keycode;

    if (code > SPICE_X_KEYCODE_OFFSET)
        self->handler->key(self, code - SPICE_X_KEYCODE_OFFSET, event->type == GDK_KEY_PRESS,
                           self->user_data);
    return TRUE; /* GTK itself has no use for a key here */
}

static gboolean on_focus_out(GtkWidget *window, GdkEventFocus *event, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    self->handler->keys_lost(self->user_data);
    return FALSE;
}

static gboolean on_grab_broken(GtkWidget *window, GdkEventGrabBroken *event, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    self->handler->keys_lost(self->user_data);
    spice_pointer_release(self->pointer);
    return FALSE;
}

/* Pointer */

static const SpicePlacement *on_placement(gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    return spice_picture_get_placement(self->picture);
}

static void on_captured(gboolean captured, gpointer user_data)
{
    show_title(user_data);
}

/* The window */

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer user_data)
{
    SpiceMonitorWindow *self = user_data;

    self->handler->closed(self, self->user_data);
    return TRUE; /* it is destroyed when all that stands on it is */
}

static void open_window(SpiceMonitorWindow *self)
{
    static const SpicePointerHandler pointer_handler = {on_placement, on_captured};

    self->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    self->area = gtk_drawing_area_new();
    gtk_widget_set_can_focus(self->area, TRUE);
    gtk_container_add(GTK_CONTAINER(self->window), self->area);
    follow_guest_size(self);
    gtk_window_set_icon_name(GTK_WINDOW(self->window), "video-display");
    show_title(self);
    gtk_widget_realize(self->area);
    self->presenter = spice_presenter_new(self->area);
    self->pointer =
        spice_pointer_new(self->area, self->session, &self->place, &pointer_handler, self);

    g_signal_connect(self->area, "draw", G_CALLBACK(on_draw), self);
    g_signal_connect_after(self->area, "size-allocate", G_CALLBACK(on_size_allocate), self);
    g_signal_connect(self->area, "notify::scale-factor", G_CALLBACK(on_scale_changed), self);
    g_signal_connect(self->window, "key-press-event", G_CALLBACK(on_key), self);
    g_signal_connect(self->window, "key-release-event", G_CALLBACK(on_key), self);
    g_signal_connect(self->window, "focus-out-event", G_CALLBACK(on_focus_out), self);
    g_signal_connect(self->window, "grab-broken-event", G_CALLBACK(on_grab_broken), self);
    g_signal_connect(self->window, "window-state-event", G_CALLBACK(on_window_state), self);
    g_signal_connect(self->window, "delete-event", G_CALLBACK(on_delete), self);
    if (self->options->full_screen)
        gtk_window_fullscreen(GTK_WINDOW(self->window));
    gtk_widget_show_all(self->window);
    gtk_widget_grab_focus(self->area);
    show_cursor(self);
}

static void close_window(SpiceMonitorWindow *self)
{
    if (!self->window)
        return;
    spice_pointer_release(self->pointer);
    g_signal_handlers_disconnect_by_data(self->area, self);
    g_signal_handlers_disconnect_by_data(self->window, self);
    g_clear_pointer(&self->pointer, spice_pointer_free);
    spice_picture_set_canvas(self->picture, NULL);
    g_clear_pointer(&self->presenter, spice_presenter_free);
    gtk_widget_destroy(self->window);
    self->window = self->area = NULL;
}

/* What its owner does */

void spice_monitor_window_show(SpiceMonitorWindow *self, const SpiceNewFrame *frame,
                               const SpiceMonitorPlace *place)
{
    gint width, height;

    self->place = *place;
    if (!spice_picture_set_frame(self->picture, frame->sample))
        return;
    spice_picture_get_size(self->picture, &width, &height);
    if (width == self->guest_width && height == self->guest_height) {
        paint(self, (pixman_region32_t *)&frame->damage);
        return;
    }
    self->guest_width = width;
    self->guest_height = height;
    if (!self->window) {
        open_window(self);
    } else {
        follow_guest_size(self);
        paint(self, NULL);
    }
}

void spice_monitor_window_update_cursor(SpiceMonitorWindow *self)
{
    show_cursor(self);
}

void spice_monitor_window_set_numbered(SpiceMonitorWindow *self, gboolean numbered)
{
    self->numbered = numbered;
    if (self->window)
        show_title(self);
}

void spice_monitor_window_release_pointer(SpiceMonitorWindow *self)
{
    if (self->pointer)
        spice_pointer_release(self->pointer);
}

void spice_monitor_window_toggle_full_screen(SpiceMonitorWindow *self)
{
    if (self->full_screen)
        gtk_window_unfullscreen(GTK_WINDOW(self->window));
    else
        gtk_window_fullscreen(GTK_WINDOW(self->window));
}

void spice_monitor_window_get_size(SpiceMonitorWindow *self, gint *width, gint *height)
{
    const gint scale = self->area ? gtk_widget_get_scale_factor(self->area) : 0;

    *width = self->area ? gtk_widget_get_allocated_width(self->area) * scale : 0;
    *height = self->area ? gtk_widget_get_allocated_height(self->area) * scale : 0;
}

SpiceMonitorWindow *spice_monitor_window_new(GstSpiceSession *session, guint number,
                                             const SpiceViewOptions *options,
                                             const SpiceMonitorWindowHandler *handler,
                                             gpointer user_data)
{
    SpiceMonitorWindow *self = g_new0(SpiceMonitorWindow, 1);

    self->session = session;
    self->number = number;
    self->options = options;
    self->handler = handler;
    self->user_data = user_data;
    self->picture = spice_picture_new();
    return self;
}

void spice_monitor_window_free(SpiceMonitorWindow *self)
{
    if (!self)
        return;
    close_window(self);
    spice_picture_free(self->picture);
    g_free(self);
}
