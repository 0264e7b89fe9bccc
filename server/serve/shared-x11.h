/* An X screen that is shared: its picture, its cursor, its input and its size, tied to a server.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "options.h"
#include "session/server.h"

G_BEGIN_DECLS

typedef struct SharedX11 SharedX11;

/** Sets the input handler of `server`, which has to outlive it. *source is the element that shows
 * the screen (floating). NULL and *error without such a screen. */
SharedX11 *shared_x11_new(const ServeOptions *options, GstSpiceServer *server, GstElement **source,
                          GError **error);
/** After the server was closed. May be NULL. */
void shared_x11_free(SharedX11 *self);

G_END_DECLS
