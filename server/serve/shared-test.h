/* The test desktop, shared: its picture, an arrow as cursor, its input, tied to a server.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "options.h"
#include "session/server.h"

G_BEGIN_DECLS

typedef struct SharedTest SharedTest;

/** Sets the input handler of `server`, which has to outlive it. *source is the element that shows
 * the desktop (floating). */
SharedTest *shared_test_new(const ServeOptions *options, GstSpiceServer *server,
                            GstElement **source);
/** After the server was closed. May be NULL. */
void shared_test_free(SharedTest *self);

G_END_DECLS
