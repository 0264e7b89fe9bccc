/* What stands for the pipelines that send displays, for a server that is run on one thread: feeders that send what
 * they can, and go on later where they would have to wait. Time is theirs, too: the monotonic clock (clock_gettime)
 * and GLib's waiting (g_cond_wait) are taken the place of in the whole program.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session/server.h"

typedef struct {
    GstSpiceServer *server;
    GPtrArray *list; /* one a media channel that is open */
    guint n_opened;
} Feeders;

/** us, of the monotonic clock; stands still unless it is set. */
extern gint64 now_us;

/** Says what is wrong, and aborts. */
_Noreturn void fail(const char *what);

/** Lets the server do what it has to do. */
void server_turn(GstSpiceServer *server);

/** On the thread that runs the server. */
void feeders_init(Feeders *self, GstSpiceServer *server);
void feeders_clear(Feeders *self);
/** Its user_data is the Feeders. */
extern const GstSpiceMediaHandler feeders_media_handler;
/** Each sends some of what there is. */
void feeders_feed(Feeders *self);
