/* A drawing message copied with all that it points to, but for the pixels of its images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/display.h"

/** Memory that is filled from its start. Without memory it only counts. */
typedef struct {
    uint8_t *memory; /* aligned for any type; NULL: count */
    uint64_t size;   /* used, or needed */
    bool incomplete; /* an array has a count but no address */
} SpiceDrawCopy;

/** Copies the message; called first to count, then, after a check of the size, with memory. Images
 * are made sound on the way: flags that only make sense on a wire are taken out, a bitmap's data
 * are cut to its rows, and its dimensions become the image's. Returns the copy, NULL when
 * counting. */
void *spice_draw_copy(SpiceDrawCopy *copy, uint16_t type, const void *message);
