/* The figures of --stats: one line a second on standard output.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "client/connection.h"

G_BEGIN_DECLS

typedef struct SpiceStats SpiceStats;

/** Prints a line each second until it is freed:
 *
 *     stats s=3 frames=12 shown=11 damage=24000 bytes=51234 latency-ms=0.84 latency-max-ms=2.10
 *
 * damage: pixels. latency: from a frame's first message out of the socket until its pixels were
 * handed to the window system; what passes before the server sends and after the hand-over is not
 * known here. (transfer full) */
SpiceStats *spice_stats_new(SpiceConnection *connection);
void spice_stats_free(SpiceStats *stats);

/** `frame` has just been shown. */
void spice_stats_shown(SpiceStats *stats, const SpiceNewFrame *frame);

G_END_DECLS
