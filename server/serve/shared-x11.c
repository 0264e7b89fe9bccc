/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared-x11.h"

#include "x11-cursor.h"
#include "x11-desktop.h"
#include "x11-input.h"
#include "x11-resize.h"

enum { DEFAULT_FPS = 30 };
enum { STOP_MS = 1000 }; /* for a resize that is under way, and for restoring the size */

struct SharedX11 {
    GstSpiceServer *server;
    X11Input *input;
    X11Cursor *cursor;

    /* Sizes are set by a thread, as the X server takes its time. */
    X11Resize *resize; /* NULL: the server cannot do it, or is not to */
    gboolean restore_size;
    GThread *resizer;
    GMutex lock;
    GCond cond;
    guint wanted_width, wanted_height; /* 0: nothing to be done */
    gboolean stopping, ended;
};

/* From the client */

static void on_key(guint scancode, gboolean pressed, gpointer data)
{
    x11_input_key(((SharedX11 *)data)->input, scancode, pressed);
}

static void on_motion(gint dx, gint dy, gpointer data)
{
    x11_input_motion(((SharedX11 *)data)->input, dx, dy);
}

static void on_position(guint display, gint x, gint y, gpointer data)
{
    if (display == 0)
        x11_input_position(((SharedX11 *)data)->input, x, y);
}

static void on_button(guint button, gboolean pressed, gpointer data)
{
    x11_input_button(((SharedX11 *)data)->input, button, pressed);
}

static void on_locks(guint locks, gpointer data)
{
    x11_input_set_locks(((SharedX11 *)data)->input, locks);
}

/* The screen is one display: the first monitor that is on tells its size. */
static void on_monitors(const GstSpiceMonitor *monitors, guint n_monitors, gpointer data)
{
    SharedX11 *self = data;
    guint i;

    for (i = 0; i < n_monitors; i++)
        if (monitors[i].width > 0 && monitors[i].height > 0)
            break;
    if (i == n_monitors)
        return;
    g_mutex_lock(&self->lock);
    self->wanted_width = monitors[i].width;
    self->wanted_height = monitors[i].height;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

static gpointer resizer_thread(gpointer data)
{
    SharedX11 *self = data;

    g_mutex_lock(&self->lock);
    while (!self->stopping) {
        const guint width = self->wanted_width, height = self->wanted_height;
        guint got_width, got_height;
        GError *error = NULL;

        if (width == 0) {
            g_cond_wait(&self->cond, &self->lock);
            continue;
        }
        self->wanted_width = self->wanted_height = 0;
        g_mutex_unlock(&self->lock);
        /* The client learns the size from the picture. */
        if (!x11_resize_to(self->resize, width, height, &got_width, &got_height, &error))
            g_message("%s", error ? error->message : "The screen's size cannot be told");
        g_clear_error(&error);
        g_mutex_lock(&self->lock);
    }
    g_mutex_unlock(&self->lock);
    if (self->restore_size)
        x11_resize_restore(self->resize, NULL);
    g_mutex_lock(&self->lock);
    self->ended = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* To the client */

static void on_shape(const X11CursorShape *shape, gpointer data)
{
    GstSpiceCursor *cursor = gst_spice_cursor_new();

    cursor->visible = shape->visible;
    cursor->width = shape->width;
    cursor->height = shape->height;
    cursor->hot_x = shape->hot_x;
    cursor->hot_y = shape->hot_y;
    cursor->pixels = g_bytes_ref(shape->pixels);
    gst_spice_server_set_cursor(((SharedX11 *)data)->server, 0, cursor);
    gst_spice_cursor_unref(cursor);
}

static void on_moved(gint x, gint y, gpointer data)
{
    gst_spice_server_move_cursor(((SharedX11 *)data)->server, 0, x, y);
}

static void on_lights(guint locks, gpointer data)
{
    gst_spice_server_set_locks(((SharedX11 *)data)->server, locks);
}

/* Object */

/** Without RandR the screen has the size that it has. */
static void start_resizer(SharedX11 *self, const ServeOptions *options)
{
    GError *error = NULL;

    self->resize = x11_resize_open(options->name, &error);
    if (self->resize) {
        self->restore_size = options->restore_size;
        self->resizer = g_thread_new("x11-resize", resizer_thread, self);
    } else {
        g_message("%s; clients cannot change its size", error->message);
        g_error_free(error);
    }
}

SharedX11 *shared_x11_new(const ServeOptions *options, GstSpiceServer *server, GstElement **source,
                          GError **error)
{
    const X11InputHandler from_input = {on_lights};
    const X11CursorHandler from_cursor = {on_shape, on_moved};
    static const GstSpiceInputHandler with_sizes = {
        .key = on_key,
        .motion = on_motion,
        .position = on_position,
        .button = on_button,
        .locks = on_locks,
        .monitors = on_monitors,
    };
    static const GstSpiceInputHandler without_sizes = {
        .key = on_key,
        .motion = on_motion,
        .position = on_position,
        .button = on_button,
        .locks = on_locks,
    };
    SharedX11 *self = g_new0(SharedX11, 1);

    self->server = server;
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->input = x11_input_new(options->name, &from_input, self, error);
    if (self->input)
        self->cursor = x11_cursor_new(options->name, &from_cursor, self, error);
    if (!self->cursor) {
        shared_x11_free(self);
        return NULL;
    }
    if (!options->keep_size)
        start_resizer(self, options);
    gst_spice_server_set_input_handler(server, self->resize ? &with_sizes : &without_sizes, self);
    *source = g_object_new(TYPE_X11_DESKTOP, "display", options->name, "max-framerate",
                           options->fps ? (gint)options->fps : DEFAULT_FPS, NULL);
    return self;
}

static void stop_resizer(SharedX11 *self)
{
    const gint64 until = g_get_monotonic_time() + STOP_MS * G_TIME_SPAN_MILLISECOND;

    if (!self->resizer)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = TRUE;
    g_cond_signal(&self->cond);
    while (!self->ended && g_cond_wait_until(&self->cond, &self->lock, until))
        continue;
    if (!self->ended)
        x11_resize_break(self->resize);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->resizer);
}

void shared_x11_free(SharedX11 *self)
{
    if (!self)
        return;
    x11_cursor_free(self->cursor);
    x11_input_free(self->input);
    stop_resizer(self);
    x11_resize_close(self->resize);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    g_free(self);
}
