/* The window that shows a desktop and takes its keys and pointer.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "client/exit-status.h"
#include "client/options.h"

G_BEGIN_DECLS

/** Connects, opens the window with the first picture, and runs until it is closed, the session
 * fails (what went wrong is told on standard error), or SIGINT or SIGTERM comes. */
SpiceViewStatus spice_view_window_run(const SpiceViewOptions *options, const char *password);

G_END_DECLS
