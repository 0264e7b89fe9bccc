/* A pipeline for each media channel of a server's clients:
 *
 *     spicedrawsrc ! spicedisplayenc ! spicechannelsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session/server.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceClientPipelines GstSpiceClientPipelines;

/** Becomes the media handler of `server`, of which it keeps a reference; before it listens. What
 * takes time is done on a thread of its own. */
GstSpiceClientPipelines *gst_spice_client_pipelines_new(GstSpiceServer *server);
/** Ends all pipelines; clients that are still there are not fed any more. */
void gst_spice_client_pipelines_free(GstSpiceClientPipelines *self);

#pragma GCC visibility pop
G_END_DECLS
