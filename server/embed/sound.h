/* Playback and record instances of a host.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server-state.h"

/** -1 if there is one already: what it plays would have nowhere to go. */
int spice_host_add_playback(SpiceServer *server, SpicePlaybackInstance *instance);
void spice_host_remove_playback(SpiceServer *server);
int spice_host_add_record(SpiceServer *server, SpiceRecordInstance *instance);
void spice_host_remove_record(SpiceServer *server);

/** NULL if the instance belongs to none. */
SpiceServer *spice_host_playback_get_server(SpicePlaybackInstance *instance);
SpiceServer *spice_host_record_get_server(SpiceRecordInstance *instance);
