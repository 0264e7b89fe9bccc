/* The window of decoded GLZ images. Internal.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "glz.h"

typedef struct SpiceGlzEntry SpiceGlzEntry;

/** An image, decoded or being decoded. */
struct SpiceGlzEntry {
    SpiceGlzHeader header;
    size_t n_pixels;
    SpiceGlzEntry *next; /* with the same hash */
    uint8_t *pixels;     /* behind this struct */
};

struct SpiceGlzWindow {
    const SpiceAllocator *allocator;
    uint64_t max_pixels, n_pixels;
    uint32_t max_images, n_images;
    /* Ids from `first` to `next` - 1 have all been decoded; those below `oldest` are freed again,
     * those below `head` are to be. Nothing is known before the first image has come. */
    bool begun;
    uint64_t first, next, oldest, head;
    bool strays; /* some came too late for the window: what refers to them cannot be shown */
    bool broken; /* an image was refused: what would wait for it must not */
    SpiceGlzEntry *stray; /* the last one that came too late for the window */
    size_t hash_mask;
    SpiceGlzEntry *buckets[];
};

/** A decoded image; NULL if the window does not hold it. */
SpiceGlzEntry *spice_glz_window_find(const SpiceGlzWindow *window, uint64_t id);

/** Whether an image that is not there can still come. */
bool spice_glz_window_may_come(const SpiceGlzWindow *window, uint64_t id);

/** Frees what has left the window. */
void spice_glz_window_evict(SpiceGlzWindow *window);

/** Memory for an image, within the limits. NULL and *error if its id was there or memory is short.
 */
SpiceGlzEntry *spice_glz_window_take(SpiceGlzWindow *window, const SpiceGlzHeader *header,
                                     SpiceError *error);

/** Gives it back unfinished. */
void spice_glz_window_drop(SpiceGlzWindow *window, SpiceGlzEntry *entry);

/** It is decoded: others may refer to it. False if its id came twice. */
bool spice_glz_window_add(SpiceGlzWindow *window, SpiceGlzEntry *entry);
