/* Input of clients as that of a user of an X server, by XTEST.
 *
 * A thread of its own talks to the server, so that one that stands still holds up nobody.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct X11Input X11Input;

typedef struct {
    /** The lock lights of the keyboard: SPICE_KEYBOARD_MODIFIER_FLAGS_*. Once at first, then when
     * they change. On the input's thread. */
    void (*locks)(guint locks, gpointer user_data);
} X11InputHandler;

/** NULL and SERVE_ERROR_SOURCE without such a server, or if it lacks XTEST or XKB. */
X11Input *x11_input_new(const char *display, const X11InputHandler *handler, gpointer user_data,
                        GError **error);
/** Releases what is held down, for which it waits a second at most, and ends. May be NULL. */
void x11_input_free(X11Input *self);

/* Any thread; these do not wait. */

/** `scancode` of PC/AT set 1, extended ones as 0xE0xx; unknown ones are left out. */
void x11_input_key(X11Input *self, guint scancode, gboolean pressed);
/** `button` as in SPICE: 1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down, 6 side, 7 extra. */
void x11_input_button(X11Input *self, guint button, gboolean pressed);
void x11_input_motion(X11Input *self, gint dx, gint dy);
/** (x, y) is a pixel of the screen. */
void x11_input_position(X11Input *self, gint x, gint y);
/** Releases all keys and buttons. */
void x11_input_release_all(X11Input *self);
/** Brings the lock lights to this state by pressing the lock keys that differ. */
void x11_input_set_locks(X11Input *self, guint locks);

G_END_DECLS
