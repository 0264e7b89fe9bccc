/* GStreamer in a host's process: without scanning, forking, files, or signals.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <signal.h>

/** Makes GStreamer ready with our own elements alone, unless the host has it up. FALSE if that is
 * not possible. */
gboolean spice_host_start_gstreamer(void);

/** Loads the plug-ins that encode video otherwise than as MJPEG, from a fixed table of files; the only ones
 * that ever come into a host. After the first call, and in a host that has GStreamer itself, without
 * effect. */
void spice_host_load_encoders(void);

/** Between the two, threads are made in which all signals are blocked: a host's signals are for
 * its own threads. */
void spice_host_block_signals(sigset_t *before);
void spice_host_restore_signals(const sigset_t *before);
