/* A display, its clients and a plain model of it, driven by a source of choices: random numbers
 * for the test, the fuzzer's bytes for the fuzz target.
 *
 * The model is a receiver that is fed with every message as it is published. A client is a receiver
 * that is fed with what its view gives. Guest memory is freed as soon as it is released, so that
 * the sanitizer sees who reads it later.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/display/view.h"

typedef struct {
    /** A number below `n`. */
    uint32_t (*below)(void *context, uint32_t n);
    void *context;
} Choices;

typedef struct World World;

/** `starved`: memory is refused now and then. Draws may then fail that the model does, so clients
 * are compared with the display's own surfaces. */
World *world_create(Choices choices, bool starved);

/** One random event: a draw, a surface, a client that comes, pulls, stalls or goes. */
void world_step(World *world);

/** Lets all clients catch up, then compares everything. */
void world_settle(World *world);

/** What did not hold first; NULL: all did. */
const char *world_failure(const World *world);

/** What happened, to see that a test tests something. */
typedef struct {
    unsigned published, refused, failed, collapses, covered, pictures, compared, joined, released;
} WorldTally;

WorldTally world_tally(const World *world);

/** Ends it, and looks for what was not given back. Returns the failure as above. */
const char *world_destroy(World *world);
