/* A decoded picture: pixels that it owns, shared by counting.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/arena.h"
#include "core/wire/error.h"

#include "pixels.h"

/** What an image message decodes to. Its format tells whether it has alpha: only a8r8g8b8 and a8
 * have. The count is not atomic: where pictures are shared between threads (the pixmap cache of
 * several display channels), spice_picture_ref() and _unref() are called under the sharers' lock.
 * The pixels do not change after the first sharing, so they may be read without it. */
typedef struct {
    SpicePixels pixels;
    unsigned references;
    const SpiceAllocator *allocator; /* must outlive the picture */
} SpicePicture;

/** A picture with one reference; its pixels are not initialised; rows follow each other top-down
 * with no more of a gap than makes them four-byte aligned. NULL and *error: size out of bounds, or
 * no memory. */
SpicePicture *spice_picture_create(const SpiceAllocator *allocator, pixman_format_code_t format,
                                   uint32_t width, uint32_t height, SpiceError *error);

/** Turns the memory of a picture upside down: the bottom row then lies first. What decodes images
 * that were sent so writes them in one go. To be done before there are pixels. */
void spice_picture_flip(SpicePicture *picture);

SpicePicture *spice_picture_ref(SpicePicture *picture);

/** Gives a reference back; frees with the last. NULL is allowed. */
void spice_picture_unref(SpicePicture *picture);

/** Sets the top byte of each pixel of an x8r8g8b8 picture: SPICE_IMAGE_FLAGS_HIGH_BITS_SET. */
void spice_picture_set_high_bits(SpicePicture *picture);
