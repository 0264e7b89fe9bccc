/* Connections to an X server. Each part of the program has one of its own, used by one thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <xcb/xcb.h>

G_BEGIN_DECLS

typedef struct {
    xcb_connection_t *xcb;
    xcb_screen_t *screen;
    char *display; /* its name, for messages */
} X11Connection;

/** Connects to `display` (NULL: $DISPLAY). NULL and SERVE_ERROR_SOURCE without such a server. */
X11Connection *x11_connection_open(const char *display, GError **error);
/** May be NULL. Does not wait for the server. */
void x11_connection_close(X11Connection *self);

/** Whether the server has the extension; FALSE and SERVE_ERROR_SOURCE if not. */
gboolean x11_connection_require(X11Connection *self, xcb_extension_t *extension, const char *name,
                                GError **error);
/** FALSE and SERVE_ERROR_LOST if the connection has broken. */
gboolean x11_connection_check(X11Connection *self, GError **error);
/** Makes whatever waits for the server return with a broken connection. Any thread. */
void x11_connection_break(X11Connection *self);

G_END_DECLS
