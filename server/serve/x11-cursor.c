/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-cursor.h"

#include <poll.h>
#include <stdlib.h>

#include <xcb/xfixes.h>
#include <xcb/xinput.h>

#include "serve-error.h"
#include "x11-connection.h"

/* Shapes come as they are drawn; larger ones than this no client shows. */
enum { MAX_SIDE = 512 };
/* The pointer's place is asked for at most this often while it moves. */
enum { POSITION_INTERVAL_US = 10000 };

struct X11Cursor {
    X11CursorHandler handler;
    gpointer user_data;
    X11Connection *x11;
    GThread *thread;
    gint stopping; /* atomic */

    guint8 xfixes_event, xinput_opcode;
    gboolean shape_due, position_due;
    gint64 position_asked; /* monotonic us */
    gboolean told_position;
    gint x, y; /* as last told */
};

/* Shape */

static gboolean any_visible(const guint32 *pixels, gsize n)
{
    gsize i;

    for (i = 0; i < n; i++)
        if (pixels[i] >> 24)
            return TRUE;
    return FALSE;
}

/** Pixels of the wire's order from words of the host's. */
static GBytes *pixel_bytes(const guint32 *pixels, gsize n)
{
    guint32 *words = g_new(guint32, n);
    gsize i;

    for (i = 0; i < n; i++)
        words[i] = GUINT32_TO_LE(pixels[i]);
    return g_bytes_new_take(words, n * 4);
}

static void tell_shape(X11Cursor *self)
{
    xcb_xfixes_get_cursor_image_reply_t *image = xcb_xfixes_get_cursor_image_reply(
        self->x11->xcb, xcb_xfixes_get_cursor_image(self->x11->xcb), NULL);
    X11CursorShape shape = {0};

    self->shape_due = FALSE;
    if (image && image->width > 0 && image->height > 0 && image->width <= MAX_SIDE &&
        image->height <= MAX_SIDE) {
        const guint32 *pixels = xcb_xfixes_get_cursor_image_cursor_image(image);
        const gsize n = (gsize)image->width * image->height;

        shape = (X11CursorShape){image->width,
                                 image->height,
                                 MIN(image->xhot, image->width - 1u),
                                 MIN(image->yhot, image->height - 1u),
                                 any_visible(pixels, n),
                                 pixel_bytes(pixels, n)};
        self->handler.shape(&shape, self->user_data);
        g_bytes_unref(shape.pixels);
    }
    free(image);
}

/* Position */

static void tell_position(X11Cursor *self)
{
    xcb_query_pointer_reply_t *pointer = xcb_query_pointer_reply(
        self->x11->xcb, xcb_query_pointer(self->x11->xcb, self->x11->screen->root), NULL);

    self->position_due = FALSE;
    self->position_asked = g_get_monotonic_time();
    if (pointer &&
        (!self->told_position || pointer->root_x != self->x || pointer->root_y != self->y)) {
        self->told_position = TRUE;
        self->x = pointer->root_x;
        self->y = pointer->root_y;
        self->handler.moved(self->x, self->y, self->user_data);
    }
    free(pointer);
}

/* The thread */

static void read_events(X11Cursor *self)
{
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_event(self->x11->xcb))) {
        const guint8 type = event->response_type & 0x7f;

        if (type == self->xfixes_event + XCB_XFIXES_CURSOR_NOTIFY)
            self->shape_due = self->position_due = TRUE; /* perhaps the pointer was warped */
        if (type == XCB_GE_GENERIC &&
            ((xcb_ge_generic_event_t *)event)->extension == self->xinput_opcode)
            self->position_due = TRUE;
        free(event);
    }
}

/** Does what is due. Returns for how long to sleep, in ms; -1: until something comes. */
static int work(X11Cursor *self)
{
    for (;;) {
        gint64 turn;

        read_events(self);
        if (xcb_connection_has_error(self->x11->xcb))
            return -1;
        turn = self->position_asked + POSITION_INTERVAL_US - g_get_monotonic_time();
        if (self->shape_due)
            tell_shape(self);
        else if (self->position_due && turn > 0)
            return (int)(turn / 1000) + 1;
        else if (self->position_due)
            tell_position(self);
        else
            return -1;
        /* While answers were waited for, further events may have come. */
    }
}

static gpointer cursor_thread(gpointer data)
{
    X11Cursor *self = data;

    while (!g_atomic_int_get(&self->stopping)) {
        const int sleep = work(self);
        struct pollfd fd = {.fd = xcb_get_file_descriptor(self->x11->xcb), .events = POLLIN};

        if (xcb_connection_has_error(self->x11->xcb))
            break;
        xcb_flush(self->x11->xcb);
        poll(&fd, 1, sleep);
    }
    return NULL;
}

/* Opening */

static gboolean select_cursor(X11Cursor *self, GError **error)
{
    xcb_connection_t *xcb = self->x11->xcb;

    if (!x11_connection_require(self->x11, &xcb_xfixes_id, "XFIXES", error))
        return FALSE;
    self->xfixes_event = xcb_get_extension_data(xcb, &xcb_xfixes_id)->first_event;
    free(xcb_xfixes_query_version_reply(xcb, xcb_xfixes_query_version(xcb, 4, 0), NULL));
    xcb_xfixes_select_cursor_input(xcb, self->x11->screen->root,
                                   XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    return TRUE;
}

/* Raw events tell that the pointer moves to whoever asks, also while another client grabs it. */
static gboolean select_motion(X11Cursor *self, GError **error)
{
    xcb_connection_t *xcb = self->x11->xcb;
    struct {
        xcb_input_event_mask_t head;
        guint32 mask;
    } events = {{.deviceid = XCB_INPUT_DEVICE_ALL_MASTER, .mask_len = 1},
                XCB_INPUT_XI_EVENT_MASK_RAW_MOTION};

    if (!x11_connection_require(self->x11, &xcb_input_id, "XInputExtension", error))
        return FALSE;
    self->xinput_opcode = xcb_get_extension_data(xcb, &xcb_input_id)->major_opcode;
    free(xcb_input_xi_query_version_reply(xcb, xcb_input_xi_query_version(xcb, 2, 0), NULL));
    xcb_input_xi_select_events(xcb, self->x11->screen->root, 1, &events.head);
    return x11_connection_check(self->x11, error);
}

X11Cursor *x11_cursor_new(const char *display, const X11CursorHandler *handler, gpointer user_data,
                          GError **error)
{
    X11Cursor *self = g_new0(X11Cursor, 1);

    self->handler = *handler;
    self->user_data = user_data;
    self->shape_due = self->position_due = TRUE;
    self->x11 = x11_connection_open(display, error);
    if (!self->x11 || !select_cursor(self, error) || !select_motion(self, error)) {
        x11_connection_close(self->x11);
        g_free(self);
        return NULL;
    }
    self->thread = g_thread_new("x11-cursor", cursor_thread, self);
    return self;
}

void x11_cursor_free(X11Cursor *self)
{
    if (!self)
        return;
    g_atomic_int_set(&self->stopping, TRUE);
    x11_connection_break(self->x11); /* ends its poll, and any wait for an answer */
    g_thread_join(self->thread);
    x11_connection_close(self->x11);
    g_free(self);
}
