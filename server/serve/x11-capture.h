/* The picture of an X screen, fetched where XDamage says that it changed.
 *
 * One thread. The server is never waited for but through the caller's wait, so a server that stands
 * still can be left.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS

typedef struct X11Capture X11Capture;

/** Waits until the capture's descriptor can be read; FALSE to give up. */
typedef gboolean (*X11CaptureWait)(gpointer user_data);

/** NULL and SERVE_ERROR_SOURCE without such a server, or if its screen is not one of 32-bit pixels
 * with 8 bits of red, green and blue each. */
X11Capture *x11_capture_open(const char *display, X11CaptureWait wait, gpointer user_data,
                             GError **error);
/** May be NULL. */
void x11_capture_close(X11Capture *self);

int x11_capture_get_fd(const X11Capture *self);
guint x11_capture_get_width(const X11Capture *self);
guint x11_capture_get_height(const X11Capture *self);

typedef enum {
    X11_CAPTURE_IDLE,    /* nothing to be done until the descriptor can be read */
    X11_CAPTURE_CHANGED, /* x11_capture_fetch() has something to do */
    X11_CAPTURE_RESIZED, /* so has it, for a surface of the new size */
    X11_CAPTURE_FAILED,  /* the wait gave up, or with *error: the server has gone */
} X11CaptureState;

/** Takes in what the server has told. */
X11CaptureState x11_capture_poll(X11Capture *self, GError **error);

/** Brings `surface` (x8r8g8b8, of the screen's size) up to date; where it changed is added to
 * `damage`. CHANGED; RESIZED if the screen has another size meanwhile, then the surface is to be
 * made anew; FAILED. */
X11CaptureState x11_capture_fetch(X11Capture *self, pixman_image_t *surface,
                                  pixman_region32_t *damage, GError **error);

G_END_DECLS
