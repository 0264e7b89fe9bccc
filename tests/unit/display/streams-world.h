/* A display on which video plays, from which one client is sent its streams, driven by a source of
 * choices: draws, players, overlays, an encoder of a codec that loses nothing but takes its time and
 * drops frames, and a client that compares.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "publish-world.h"

typedef struct StreamsWorld StreamsWorld;

/** What happened, to see that a test tests something. */
typedef struct {
    uint64_t created, frames, dropped, refused, clips, refreshed, compared, collapses, covered_late;
} StreamsTally;

/** Adds to `tally`, which has to outlive it. */
StreamsWorld *streams_world_create(Choices choices, StreamsTally *tally);
/** Five milliseconds; about one of `liveliness` brings a draw beside the film. */
void streams_world_step(StreamsWorld *world, unsigned liveliness);
/** Ends all players, lets the client catch up, and compares. */
void streams_world_settle(StreamsWorld *world);
/** What did not hold first; NULL: all did. */
const char *streams_world_failure(const StreamsWorld *world);
/** The same, at the end. */
const char *streams_world_destroy(StreamsWorld *world);
