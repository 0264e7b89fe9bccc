/* Gives an X screen the size that a client asks for, by RandR.
 *
 * One thread, but for x11_resize_break(); calls wait for the server.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct X11Resize X11Resize;

/** NULL and SERVE_ERROR_SOURCE without such a server, or if it lacks RandR 1.3. */
X11Resize *x11_resize_open(const char *display, GError **error);
/** The screen stays as it is. May be NULL. */
void x11_resize_close(X11Resize *self);

/** Asks for a size: a mode of the first connected output that has it, a new mode, or the nearest
 * mode that there is. Tells what the screen has now, which may be what it had. FALSE and *error,
 * nothing changed: no sane size, or the server refused. */
gboolean x11_resize_to(X11Resize *self, guint width, guint height, guint *got_width,
                       guint *got_height, GError **error);
/** Back to the size that there was when it was opened. */
gboolean x11_resize_restore(X11Resize *self, GError **error);

/** Makes a call that waits for the server, and all that follow, fail. Any thread. */
void x11_resize_break(X11Resize *self);

G_END_DECLS
