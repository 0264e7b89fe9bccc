/* A client's channel at a server that is fuzzed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session/server-private.h"

/** Links a channel as a listener would that has authenticated it. FALSE if it is not admitted; else
 * *client is the client's end, which does not block. Both ends hold little. */
gboolean fuzz_link_channel(GstSpiceServer *server, SpiceLinkRequest *request, gboolean local,
                           int *client);
