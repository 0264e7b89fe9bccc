/* A display channel's part in its client's GLZ window: one image at a time, begun and, where it has
 * to wait for another channel's, gone on with when it is fed again.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/glz.h"

#include "image-decoder.h"
#include "pixmap-cache.h"

/** Zero-initialise; without a window GLZ images are refused. */
typedef struct SpiceGlzChannel {
    const SpiceAllocator *allocator;
    const SpiceLock *lock; /* of the window; NULL if all its users are on one thread */
    SpiceGlzDecoder *decoder;
    SpiceGlzZlib *zlib;
    const uint8_t *begun; /* the image data that the decoder has begun with; NULL: none */
    uint8_t *inflated;    /* what it reads, for ZLIB_GLZ_RGB; owned */
} SpiceGlzChannel;

/** False without memory. */
bool spice_glz_channel_init(SpiceGlzChannel *channel, const SpiceAllocator *allocator,
                            SpiceGlzWindow *window, const SpiceLock *lock);
void spice_glz_channel_clear(SpiceGlzChannel *channel);
