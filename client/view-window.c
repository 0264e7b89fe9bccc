/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view-window.h"

#include <glib-unix.h>
#include <gtk/gtk.h>

#include "client/clipboard.h"
#include "client/connection.h"
#include "client/guest-size.h"
#include "client/keys.h"
#include "client/monitor-window.h"
#include "client/stats.h"

typedef struct {
    const SpiceViewOptions *options;
    GMainLoop *loop;
    SpiceViewStatus status;
    SpiceConnection *connection;
    SpiceStats *stats;
    SpiceClipboard *clipboard;
    SpiceGuestSize *guest_size;
    SpiceKeys *keys;
    SpiceMonitorWindow *windows[SPICE_MAX_MONITORS]; /* NULL: there is none */
    gboolean hidden[SPICE_MAX_MONITORS];             /* somebody has closed it */
    SpiceMonitorWindow *typing;                      /* in which a key was pressed last */
} View;

static void quit(View *view)
{
    spice_clipboard_cancel(view->clipboard);
    g_main_loop_quit(view->loop);
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

    if (!view->typing)
        return;
    if (command == SPICE_KEY_COMMAND_RELEASE_POINTER)
        spice_monitor_window_release_pointer(view->typing);
    else
        spice_monitor_window_toggle_full_screen(view->typing);
}

static void on_key(SpiceMonitorWindow *window, guint code, gboolean pressed, gpointer user_data)
{
    View *view = user_data;

    view->typing = window;
    if (pressed)
        spice_keys_press(view->keys, code);
    else
        spice_keys_release(view->keys, code);
}

static void on_keys_lost(gpointer user_data)
{
    View *view = user_data;

    spice_keys_release_all(view->keys);
}

/* Windows */

static guint count_windows(const View *view)
{
    guint n = 0, i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        n += view->windows[i] != NULL;
    return n;
}

/** With one window there is no number to tell. */
static void number_windows(View *view)
{
    const gboolean several = count_windows(view) > 1;
    guint i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        if (view->windows[i])
            spice_monitor_window_set_numbered(view->windows[i], several);
}

static void close_window(View *view, guint monitor)
{
    if (!view->windows[monitor])
        return;
    if (view->typing == view->windows[monitor]) {
        spice_keys_release_all(view->keys);
        view->typing = NULL;
    }
    g_clear_pointer(&view->windows[monitor], spice_monitor_window_free);
    spice_guest_size_set(view->guest_size, monitor, 0, 0);
    number_windows(view);
}

static guint find_window(const View *view, const SpiceMonitorWindow *window)
{
    guint i = 0;

    while (view->windows[i] != window)
        i++;
    return i;
}

static gboolean close_later(gpointer data)
{
    View *view = data;
    guint i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        if (view->hidden[i])
            close_window(view, i);
    return G_SOURCE_REMOVE;
}

/** The last window ends the viewer; another one alone is not shown any more. */
static void on_closed(SpiceMonitorWindow *window, gpointer user_data)
{
    View *view = user_data;

    if (count_windows(view) == 1) {
        quit(view);
        return;
    }
    view->hidden[find_window(view, window)] = TRUE;
    g_idle_add(close_later, view); /* not within its own event */
}

static void on_resized(SpiceMonitorWindow *window, gpointer user_data)
{
    View *view = user_data;
    gint width, height;

    spice_monitor_window_get_size(window, &width, &height);
    spice_guest_size_wish(view->guest_size, find_window(view, window), width, height);
}

/* The connection */

static void on_frame(SpiceConnection *connection, guint monitor, const SpiceNewFrame *frame,
                     gpointer user_data)
{
    static const SpiceMonitorWindowHandler handler = {on_key, on_keys_lost, on_resized, on_closed};
    View *view = user_data;
    const SpiceMonitorPlace place = spice_connection_get_place(connection, monitor);
    gint width, height;

    if (view->hidden[monitor])
        return;
    if (!view->windows[monitor]) {
        view->windows[monitor] = spice_monitor_window_new(spice_connection_get_session(connection),
                                                          monitor, view->options, &handler, view);
        number_windows(view);
    }
    spice_monitor_window_show(view->windows[monitor], frame, &place);
    gst_structure_get(gst_caps_get_structure(gst_sample_get_caps(frame->sample), 0), "width",
                      G_TYPE_INT, &width, "height", G_TYPE_INT, &height, NULL);
    spice_guest_size_set(view->guest_size, monitor, width, height);
    if (view->stats)
        spice_stats_shown(view->stats, frame);
}

static void on_monitor_gone(SpiceConnection *connection, guint monitor, gpointer user_data)
{
    View *view = user_data;

    close_window(view, monitor);
    view->hidden[monitor] = FALSE;
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
    View *view = user_data;
    guint i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        if (view->windows[i])
            spice_monitor_window_update_cursor(view->windows[i]);
}

static void on_mouse_mode_changed(SpiceConnection *connection, gpointer user_data)
{
    View *view = user_data;
    guint i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        if (view->windows[i])
            spice_monitor_window_release_pointer(view->windows[i]);
    on_cursor_changed(connection, view);
}

static gboolean on_signal(gpointer data)
{
    quit(data);
    return G_SOURCE_CONTINUE;
}

SpiceViewStatus spice_view_window_run(const SpiceViewOptions *options, const char *password)
{
    static const SpiceConnectionHandler handler = {on_frame, on_failed, on_cursor_changed,
                                                   on_mouse_mode_changed, on_monitor_gone};
    static const SpiceKeysHandler keys_handler = {on_guest_key, on_command};
    View view = {.options = options, .status = SPICE_VIEW_OK};
    guint signals[] = {g_unix_signal_add(SIGINT, on_signal, &view),
                       g_unix_signal_add(SIGTERM, on_signal, &view)};
    guint i;

    view.loop = g_main_loop_new(NULL, FALSE);
    view.keys = spice_keys_new(&keys_handler, &view);
    view.connection = spice_connection_new(options, password, &handler, &view);
    view.clipboard = spice_clipboard_new(spice_connection_get_session(view.connection));
    view.guest_size = spice_guest_size_new(spice_connection_get_session(view.connection));
    if (options->stats)
        view.stats = spice_stats_new(view.connection);
    g_main_loop_run(view.loop);
    spice_keys_release_all(view.keys);
    for (i = 0; i < SPICE_MAX_MONITORS; i++)
        close_window(&view, i);
    spice_stats_free(view.stats);
    spice_guest_size_free(view.guest_size);
    spice_connection_free(view.connection);
    spice_clipboard_free(view.clipboard); /* the session says nothing more */
    spice_keys_free(view.keys);
    while (g_idle_remove_by_data(&view))
        ;
    g_source_remove(signals[0]);
    g_source_remove(signals[1]);
    g_main_loop_unref(view.loop);
    return view.status;
}
