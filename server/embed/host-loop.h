/* Work for the host's main loop from threads of ours: one descriptor that the host watches.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "spice.h"

typedef struct HostLoop HostLoop;

/** On the host's thread. NULL if there is no descriptor to be had. */
HostLoop *host_loop_new(const SpiceCoreInterface *core);
/** On the host's thread; what was not run yet is dropped. */
void host_loop_free(HostLoop *self);

/** On the host's thread: does at once what waits. */
void host_loop_flush(HostLoop *self);

/** Runs `func` in the host's main loop, in the order of the calls; `data` is then given to `destroy`
 * (may be NULL), which also happens to what is dropped. Any thread; never waits. */
void host_loop_post(HostLoop *self, void (*func)(gpointer data), gpointer data,
                    GDestroyNotify destroy);
