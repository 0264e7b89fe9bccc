/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view-window.h"

#include <glib-unix.h>
#include <gtk/gtk.h>

#include "client/clipboard.h"
#include "client/connection.h"
#include "client/keys.h"
#include "client/local-cursor.h"
#include "client/picture.h"
#include "client/pointer.h"
#include "client/presenter.h"
#include "client/scancodes.h"
#include "client/stats.h"
#include "client/window-size.h"

typedef struct {
    const SpiceViewOptions *options;
    GMainLoop *loop;
    SpiceViewStatus status;
    SpiceConnection *connection;
    SpiceStats *stats;
    SpiceClipboard *clipboard;
    SpicePicture *picture;
    SpiceKeys *keys;

    /* NULL until the first picture */
    GtkWidget *window, *area;
    SpicePresenter *presenter;
    SpicePointer *pointer;

    gint guest_width, guest_height;
    SpiceWindowSize size;
    gboolean full_screen;
} View;

/* Painting */

static void paint(View *view, pixman_region32_t *damage)
{
    pixman_region32_t painted;

    if (!view->presenter)
        return;
    pixman_region32_init(&painted);
    spice_picture_paint(view->picture, damage, &painted);
    if (pixman_region32_not_empty(&painted))
        view->presenter->klass->present(view->presenter, &painted);
    pixman_region32_fini(&painted);
}

/** The canvas gets the widget's size; the picture is painted anew. */
static void fit_canvas(View *view)
{
    gint scale = gtk_widget_get_scale_factor(view->area);
    gint width = gtk_widget_get_allocated_width(view->area) * scale;
    gint height = gtk_widget_get_allocated_height(view->area) * scale;
    const SpicePlacement *placement = spice_picture_get_placement(view->picture);
    pixman_image_t *canvas;

    if (placement->window_width == width && placement->window_height == height)
        return;
    canvas = view->presenter->klass->resize(view->presenter, width, height);
    if (!canvas) { /* no shared memory of this size: ordinary memory may be had */
        spice_picture_set_canvas(view->picture, NULL);
        spice_presenter_free(view->presenter);
        view->presenter = spice_presenter_plain.create(view->area);
        canvas = view->presenter->klass->resize(view->presenter, width, height);
    }
    spice_picture_set_canvas(view->picture, canvas);
    paint(view, NULL);
}

static gboolean on_draw(GtkWidget *area, cairo_t *cr, gpointer user_data)
{
    View *view = user_data;

    view->presenter->klass->draw(view->presenter, cr);
    return TRUE;
}

/* Size */

static void on_size_allocate(GtkWidget *area, GtkAllocation *allocation, gpointer user_data)
{
    View *view = user_data;

    fit_canvas(view);
    if (!view->full_screen)
        spice_window_size_is(&view->size, allocation->width, allocation->height);
}

static void on_scale_changed(GtkWidget *area, GParamSpec *pspec, gpointer user_data)
{
    fit_canvas(user_data);
}

static void follow_guest_size(View *view)
{
    GdkDisplay *display = gtk_widget_get_display(view->window);
    GdkMonitor *monitor = gdk_display_get_primary_monitor(display);
    GdkRectangle most = {0};

    if (!monitor)
        monitor = gdk_display_get_monitor(display, 0);
    if (monitor)
        gdk_monitor_get_workarea(monitor, &most);
    if (spice_window_size_follow(&view->size, view->guest_width, view->guest_height,
                                 gtk_widget_get_scale_factor(view->area), most.width,
                                 most.height) &&
        !view->full_screen)
        gtk_window_resize(GTK_WINDOW(view->window), view->size.width, view->size.height);
}

static gboolean on_window_state(GtkWidget *window, GdkEventWindowState *event, gpointer user_data)
{
    View *view = user_data;
    gboolean full_screen = (event->new_window_state & GDK_WINDOW_STATE_FULLSCREEN) != 0;

    gboolean left = view->full_screen && !full_screen;

    view->full_screen = full_screen;
    if (left) /* what the guest did meanwhile */
        follow_guest_size(view);
    return FALSE;
}

/* Title and cursor */

static void show_title(View *view)
{
    g_autofree char *name =
        gst_spice_session_get_name(spice_connection_get_session(view->connection));
    const char *title = view->options->title ? view->options->title
                        : name && *name      ? name
                                             : view->options->uri;
    g_autofree char *text = NULL;

    if (view->pointer && spice_pointer_is_captured(view->pointer))
        text = g_strdup_printf("%s (Shift+F12 sets the pointer free)", title);
    gtk_window_set_title(GTK_WINDOW(view->window), text ? text : title);
}

static void show_cursor(View *view)
{
    GstSpiceSession *session = spice_connection_get_session(view->connection);
    g_autoptr(GstSpiceCursor) cursor = gst_spice_session_get_cursor(session);
    gboolean by_server = gst_spice_session_get_mouse_mode(session) != GST_SPICE_MOUSE_MODE_CLIENT;
    pixman_region32_t damage;

    if (!view->window)
        return;
    pixman_region32_init(&damage);
    spice_picture_set_cursor(view->picture, by_server ? cursor : NULL, &damage);
    if (pixman_region32_not_empty(&damage))
        paint(view, &damage);
    pixman_region32_fini(&damage);
    if (!spice_pointer_is_captured(view->pointer)) /* else the grab hides it */
        spice_local_cursor_show(view->area, by_server ? NULL : cursor);
}

/* Keys */

static void on_guest_key(guint scancode, gboolean pressed, gpointer user_data)
{
    View *view = user_data;

    gst_spice_session_key(spice_connection_get_session(view->connection), scancode, pressed);
}

static void on_command(SpiceKeyCommand command, gpointer user_data)
{
    View *view = user_data;

    if (command == SPICE_KEY_COMMAND_RELEASE_POINTER)
        spice_pointer_release(view->pointer);
    else if (view->full_screen)
        gtk_window_unfullscreen(GTK_WINDOW(view->window));
    else
        gtk_window_fullscreen(GTK_WINDOW(view->window));
}

static gboolean on_key(GtkWidget *window, GdkEventKey *event, gpointer user_data)
{
    View *view = user_data;
    guint code = event->hardware_keycode;

    if (code <= SPICE_X_KEYCODE_OFFSET)
        return TRUE;
    if (event->type == GDK_KEY_PRESS)
        spice_keys_press(view->keys, code - SPICE_X_KEYCODE_OFFSET);
    else
        spice_keys_release(view->keys, code - SPICE_X_KEYCODE_OFFSET);
    return TRUE; /* GTK itself has no use for a key here */
}

static gboolean on_focus_out(GtkWidget *window, GdkEventFocus *event, gpointer user_data)
{
    View *view = user_data;

    spice_keys_release_all(view->keys);
    return FALSE;
}

static gboolean on_grab_broken(GtkWidget *window, GdkEventGrabBroken *event, gpointer user_data)
{
    View *view = user_data;

    spice_keys_release_all(view->keys);
    spice_pointer_release(view->pointer);
    return FALSE;
}

/* Pointer */

static const SpicePlacement *on_placement(gpointer user_data)
{
    View *view = user_data;

    return spice_picture_get_placement(view->picture);
}

static void on_captured(gboolean captured, gpointer user_data)
{
    show_title(user_data);
}

/* The window */

static void quit(View *view)
{
    spice_clipboard_cancel(view->clipboard);
    g_main_loop_quit(view->loop);
}

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer user_data)
{
    quit(user_data);
    return TRUE; /* it is destroyed when all that stands on it is */
}

static void open_window(View *view)
{
    static const SpicePointerHandler pointer_handler = {on_placement, on_captured};

    view->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    view->area = gtk_drawing_area_new();
    gtk_widget_set_can_focus(view->area, TRUE);
    gtk_container_add(GTK_CONTAINER(view->window), view->area);
    follow_guest_size(view);
    gtk_window_set_icon_name(GTK_WINDOW(view->window), "video-display");
    show_title(view);
    gtk_widget_realize(view->area);
    view->presenter = spice_presenter_new(view->area);
    view->pointer = spice_pointer_new(view->area, spice_connection_get_session(view->connection), 0,
                                      &pointer_handler, view);

    g_signal_connect(view->area, "draw", G_CALLBACK(on_draw), view);
    g_signal_connect_after(view->area, "size-allocate", G_CALLBACK(on_size_allocate), view);
    g_signal_connect(view->area, "notify::scale-factor", G_CALLBACK(on_scale_changed), view);
    g_signal_connect(view->window, "key-press-event", G_CALLBACK(on_key), view);
    g_signal_connect(view->window, "key-release-event", G_CALLBACK(on_key), view);
    g_signal_connect(view->window, "focus-out-event", G_CALLBACK(on_focus_out), view);
    g_signal_connect(view->window, "grab-broken-event", G_CALLBACK(on_grab_broken), view);
    g_signal_connect(view->window, "window-state-event", G_CALLBACK(on_window_state), view);
    g_signal_connect(view->window, "delete-event", G_CALLBACK(on_delete), view);
    if (view->options->full_screen)
        gtk_window_fullscreen(GTK_WINDOW(view->window));
    gtk_widget_show_all(view->window);
    gtk_widget_grab_focus(view->area);
    show_cursor(view);
}

static void close_window(View *view)
{
    if (!view->window)
        return;
    spice_pointer_release(view->pointer);
    g_signal_handlers_disconnect_by_data(view->area, view);
    g_signal_handlers_disconnect_by_data(view->window, view);
    g_clear_pointer(&view->pointer, spice_pointer_free);
    spice_picture_set_canvas(view->picture, NULL);
    g_clear_pointer(&view->presenter, spice_presenter_free);
    gtk_widget_destroy(view->window);
    view->window = view->area = NULL;
}

/* The connection */

static void show_frame(View *view, SpiceNewFrame *frame)
{
    gint width, height;

    if (!spice_picture_set_frame(view->picture, frame->sample))
        return;
    spice_picture_get_size(view->picture, &width, &height);
    if (width == view->guest_width && height == view->guest_height) {
        paint(view, &frame->damage);
        return;
    }
    view->guest_width = width;
    view->guest_height = height;
    if (!view->window) {
        open_window(view);
    } else {
        follow_guest_size(view);
        paint(view, NULL);
    }
}

static void on_frame(SpiceConnection *connection, gpointer user_data)
{
    View *view = user_data;
    SpiceNewFrame frame;

    spice_connection_take_frame(connection, &frame);
    if (frame.sample) {
        show_frame(view, &frame);
        if (view->stats)
            spice_stats_shown(view->stats, &frame);
    }
    spice_new_frame_clear(&frame);
}

static void on_failed(SpiceConnection *connection, SpiceViewStatus status, const char *text,
                      gpointer user_data)
{
    View *view = user_data;

    g_printerr("spice-view: %s\n", text);
    view->status = status;
    quit(view);
}

static void on_cursor_changed(SpiceConnection *connection, gpointer user_data)
{
    show_cursor(user_data);
}

static void on_mouse_mode_changed(SpiceConnection *connection, gpointer user_data)
{
    View *view = user_data;

    if (view->pointer)
        spice_pointer_release(view->pointer);
    show_cursor(view);
}

static gboolean on_signal(gpointer data)
{
    quit(data);
    return G_SOURCE_CONTINUE;
}

SpiceViewStatus spice_view_window_run(const SpiceViewOptions *options, const char *password)
{
    static const SpiceConnectionHandler handler = {on_frame, on_failed, on_cursor_changed,
                                                   on_mouse_mode_changed};
    static const SpiceKeysHandler keys_handler = {on_guest_key, on_command};
    View view = {.options = options, .status = SPICE_VIEW_OK};
    guint signals[] = {g_unix_signal_add(SIGINT, on_signal, &view),
                       g_unix_signal_add(SIGTERM, on_signal, &view)};

    view.loop = g_main_loop_new(NULL, FALSE);
    view.picture = spice_picture_new();
    view.keys = spice_keys_new(&keys_handler, &view);
    view.connection = spice_connection_new(options, password, &handler, &view);
    view.clipboard = spice_clipboard_new(spice_connection_get_session(view.connection));
    if (options->stats)
        view.stats = spice_stats_new(view.connection);
    g_main_loop_run(view.loop);
    spice_keys_release_all(view.keys);
    close_window(&view);
    spice_stats_free(view.stats);
    spice_connection_free(view.connection);
    spice_clipboard_free(view.clipboard); /* the session says nothing more */
    spice_keys_free(view.keys);
    spice_picture_free(view.picture);
    g_source_remove(signals[0]);
    g_source_remove(signals[1]);
    g_main_loop_unref(view.loop);
    return view.status;
}
