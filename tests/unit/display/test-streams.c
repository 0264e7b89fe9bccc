/* Video streams from a display through a view, an encoder of any delay and a sender to a client: in
 * random histories of draws, players, overlays and encoders that drop frames, with a codec that
 * loses nothing, the client shows what there is wherever it is not known to be lossy.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>

#include "../tap.h"
#include "streams-world.h"

static uint32_t below_random(void *context, uint32_t n)
{
    uint64_t *state = context;

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 16) % n);
}

static void test_histories(unsigned n_histories, unsigned n_steps)
{
    StreamsTally tally = {0};
    unsigned held = 0;

    for (unsigned i = 0; i < n_histories; i++) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        StreamsWorld *world = streams_world_create((Choices){below_random, &state}, &tally);
        const char *failure;
        unsigned at;

        for (at = 0; at < n_steps && !streams_world_failure(world); at++)
            streams_world_step(world, i % 3 == 0 ? 400 : i % 3 == 1 ? 60 : 12);
        if (!streams_world_failure(world))
            streams_world_settle(world);
        failure = streams_world_destroy(world);
        held += !failure;
        if (failure)
            TAP_NOTE("history %u, step %u: %s", i, at, failure);
    }
    TAP_OK(held == n_histories, "the client shows what there is in %u of %u histories", held,
           n_histories);
    TAP_NOTE("%lu streams created, %lu refused, %lu frames, %lu dropped, %lu of streams that were "
             "gone, %lu clips, %lu refreshes, %lu collapses, %lu comparisons",
             (unsigned long)tally.created, (unsigned long)tally.refused,
             (unsigned long)tally.frames, (unsigned long)tally.dropped,
             (unsigned long)tally.covered_late, (unsigned long)tally.clips,
             (unsigned long)tally.refreshed, (unsigned long)tally.collapses,
             (unsigned long)tally.compared);
    TAP_OK(tally.created > n_histories && tally.frames > tally.created * 5 && tally.dropped > 0 &&
               tally.refused > 0 && tally.covered_late > 0 && tally.clips > tally.created &&
               tally.refreshed > 0,
           "and the histories were lively");
}

int main(int argc, char **argv)
{
    const unsigned n_histories = argc > 2 ? (unsigned)atoi(argv[2]) : 60;
    const unsigned n_steps = argc > 3 ? (unsigned)atoi(argv[3]) : 3000;

    test_histories(n_histories, n_steps);
    return tap_done();
}
