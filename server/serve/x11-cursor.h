/* The cursor of an X server: its shape, and where the pointer is.
 *
 * A thread of its own talks to the server; it sleeps while neither changes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct X11Cursor X11Cursor;

typedef struct {
    guint width, height, hot_x, hot_y;
    gboolean visible; /* some pixel is not transparent */
    GBytes *pixels;   /* B,G,R,A, premultiplied */
} X11CursorShape;

/** Called on the cursor's thread. */
typedef struct {
    /** The shape; once at first, then when it changes. */
    void (*shape)(const X11CursorShape *shape, gpointer user_data);
    /** The pixel that the hot spot is at; once at first, then when it has moved, whoever moved it.
     */
    void (*moved)(gint x, gint y, gpointer user_data);
} X11CursorHandler;

/** NULL and SERVE_ERROR_SOURCE without such a server, or if it lacks XFIXES or XI2. */
X11Cursor *x11_cursor_new(const char *display, const X11CursorHandler *handler, gpointer user_data,
                          GError **error);
/** No handler is called any more once it returns. May be NULL. */
void x11_cursor_free(X11Cursor *self);

G_END_DECLS
