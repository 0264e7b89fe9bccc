/* What a draw does to whom: the pixels it writes and reads, and whether it hides what was below.
 * From these facts alone it follows which draws may be left out, and which have to be painted
 * before others.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "draw-check.h"

/** Pixels that a draw reads from elsewhere than the place it writes: the source of COPY_BITS, or a
 * surface that it names as an image. */
typedef struct {
    uint32_t surface_id;
    pixman_box32_t box;
} SpiceDrawRead;

typedef struct {
    pixman_region32_t region; /* what it writes, at most */
    bool opaque;              /* writes all of `region`, without regard to what was there */
    unsigned n_reads;
    SpiceDrawRead reads[SPICE_DRAW_N_ROLES];
} SpiceDrawFacts;

/** The facts about a message that spice_draw_check() has passed. Initialises facts->region, also
 * when it fails (LIMIT, MEMORY: a clip too complex). */
bool spice_draw_facts(SpiceDrawFacts *facts, uint16_t type, const void *message,
                      const SpiceSurfaces *surfaces, SpiceError *error);
