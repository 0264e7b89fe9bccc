/* A display against a plain model of it, in random histories.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>

#include "../tap.h"
#include "publish-world.h"

static uint32_t below_random(void *context, uint32_t n)
{
    uint64_t *state = context;

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 16) % n);
}

static void add(WorldTally *sum, const WorldTally *one)
{
    sum->published += one->published;
    sum->refused += one->refused;
    sum->failed += one->failed;
    sum->collapses += one->collapses;
    sum->covered += one->covered;
    sum->pictures += one->pictures;
    sum->compared += one->compared;
    sum->joined += one->joined;
}

static void test_histories(unsigned n_histories, unsigned n_steps, bool starved)
{
    WorldTally sum = {0};
    unsigned held = 0;

    for (unsigned i = 0; i < n_histories; i++) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        World *world = world_create((Choices){below_random, &state}, starved);
        WorldTally tally;
        const char *failure;
        unsigned step;

        for (step = 0; step < n_steps && !world_failure(world); step++)
            world_step(world);
        world_settle(world);
        tally = world_tally(world);
        failure = world_destroy(world);
        add(&sum, &tally);
        held += !failure;
        if (failure)
            TAP_NOTE("history %u, step %u: %s", i, step, failure);
    }
    TAP_OK(held == n_histories, "%s in %u of %u histories",
           starved ? "without memory now and then, clients equal the display"
                   : "clients and updated areas equal the model",
           held, n_histories);
    TAP_NOTE("%u draws published, %u refused, %u failed, %u covered; %u clients, %u collapses, "
             "%u pictures; %u comparisons",
             sum.published, sum.refused, sum.failed, sum.covered, sum.joined, sum.collapses,
             sum.pictures, sum.compared);
    TAP_OK(sum.published > n_histories * n_steps / 8 && sum.covered > sum.published / 50 &&
               sum.collapses > sum.joined / 4 && sum.pictures > sum.joined &&
               (sum.failed == 0) == !starved,
           "and the histories were lively");
}

int main(int argc, char **argv)
{
    const unsigned n_histories = argc > 2 ? (unsigned)atoi(argv[2]) : 200;
    const unsigned n_steps = argc > 3 ? (unsigned)atoi(argv[3]) : 800;

    test_histories(n_histories, n_steps, false);
    test_histories(n_histories / 2, n_steps, true);
    return tap_done();
}
