/* What kind of picture pixels are: flat areas, text and line art, or gradual (photos, film).
 *
 * Text must stay sharp, and lossless codecs are good at it and at flat areas; gradual content is
 * what video codecs are for. A pure function, any thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum {
    SPICE_FRAME_UNKNOWN, /* not looked at: counts as gradual, as in the reference */
    SPICE_FRAME_FLAT,    /* nearly all neighbours equal */
    SPICE_FRAME_TEXT,    /* hard edges on plain ground */
    SPICE_FRAME_GRADUAL, /* most neighbours differ, film grain and noise included */
} SpiceContentClass;

/* Pixels looked at, at most, whatever the size: under 0.1 ms with the picture out of the cache. */
enum { SPICE_FRAME_SAMPLES = 1024 };

/** The class of `width` x `height` pixels, 4 bytes each (B, G, R, and one ignored); the next row
 * is `stride` bytes further (may be negative). UNKNOWN if there are fewer than 2 x 2 pixels or
 * `pixels` is NULL. The same pixels always give the same class. */
SpiceContentClass spice_content_classify(const uint8_t *pixels, ptrdiff_t stride, uint32_t width,
                                         uint32_t height);
