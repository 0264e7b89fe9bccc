/* A picture of the desktop as a PNG file, without a window and without a display.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "client/exit-status.h"
#include "client/options.h"

G_BEGIN_DECLS

/** Connects, waits for the picture, writes it, and tells what went wrong on standard error. Runs
 * until then, or until SIGINT or SIGTERM. */
SpiceViewStatus spice_screenshot_run(const SpiceViewOptions *options, const char *password);

G_END_DECLS
