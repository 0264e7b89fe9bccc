/* What the display channels of one client share on the server's side: the ledgers of its pixmap
 * caches, its GLZ dictionaries, and the coders.
 *
 * Used under a lock of the caller's, one a client; all that the senders of the client do is done
 * under it, so that caches and dictionaries move on in the order of encoding.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"
#include "core/wire/arena.h"

typedef struct SpiceClientImages SpiceClientImages;

/** Bounds; 0 stands for the default. */
typedef struct {
    uint64_t pixmap_pixels; /* of a pixmap cache, even if the client has more: 64 Mi */
    uint64_t glz_pixels;    /* of a GLZ window, even if the client has more: 4 Mi; four bytes each
                               are kept here, too */
} SpiceClientImagesLimits;

/** `seed` is a number that differs from client to client, for the hashes of what was sent. NULL if
 * there is no memory. The allocator must outlive it. */
SpiceClientImages *spice_client_images_create(const SpiceAllocator *allocator, SpiceCpuFlags cpu,
                                              uint64_t seed, const SpiceClientImagesLimits *limits);

/** All its senders must be destroyed before. */
void spice_client_images_destroy(SpiceClientImages *images);
