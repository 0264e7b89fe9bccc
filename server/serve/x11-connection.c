/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-connection.h"

#include <sys/socket.h>

#include "serve-error.h"

static xcb_screen_t *find_screen(xcb_connection_t *xcb, int number)
{
    xcb_screen_iterator_t screens = xcb_setup_roots_iterator(xcb_get_setup(xcb));

    for (; screens.rem; xcb_screen_next(&screens))
        if (number-- == 0)
            return screens.data;
    return NULL;
}

X11Connection *x11_connection_open(const char *display, GError **error)
{
    X11Connection *self = g_new0(X11Connection, 1);
    int number = 0, code;

    self->display = g_strdup(display ? display : g_getenv("DISPLAY"));
    if (!self->display) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "No X display is named, and DISPLAY is not set");
        goto failed;
    }
    self->xcb = xcb_connect(self->display, &number);
    code = xcb_connection_has_error(self->xcb);
    if (code == 0)
        self->screen = find_screen(self->xcb, number);
    if (code == XCB_CONN_CLOSED_PARSE_ERR)
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE, "'%s' is not the name of an X display",
                    self->display);
    else if (!self->screen)
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "The X display %s cannot be opened: there is no such server, or it does not "
                    "let us in",
                    self->display);
    if (self->screen)
        return self;
failed:
    x11_connection_close(self);
    return NULL;
}

void x11_connection_close(X11Connection *self)
{
    if (!self)
        return;
    if (self->xcb)
        xcb_disconnect(self->xcb);
    g_free(self->display);
    g_free(self);
}

gboolean x11_connection_require(X11Connection *self, xcb_extension_t *extension, const char *name,
                                GError **error)
{
    const xcb_query_extension_reply_t *data = xcb_get_extension_data(self->xcb, extension);

    if (data && data->present)
        return TRUE;
    g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE, "The X server %s lacks the extension %s",
                self->display, name);
    return FALSE;
}

gboolean x11_connection_check(X11Connection *self, GError **error)
{
    if (xcb_connection_has_error(self->xcb) == 0)
        return TRUE;
    g_set_error(error, SERVE_ERROR, SERVE_ERROR_LOST, "The X server %s has gone", self->display);
    return FALSE;
}

void x11_connection_break(X11Connection *self)
{
    shutdown(xcb_get_file_descriptor(self->xcb), SHUT_RDWR);
}
