/* What goes on, as a line of text a second.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "session/server.h"

G_BEGIN_DECLS

/** Zero-initialise. */
typedef struct {
    gint64 time;                      /* of the last line, monotonic us; 0: none yet */
    gint64 cpu;                       /* us that the process had used */
    guint64 frames;                   /* that had been fetched */
    guint64 sent, received, messages; /* of the clients that were there */
} StatsLine;

/** The line for the time since the last call. `frames` is the number fetched so far. (transfer
 * full) */
char *stats_line_next(StatsLine *self, GstSpiceServer *server, guint64 frames);

G_END_DECLS
