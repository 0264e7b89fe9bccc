/* A drawing message with the memory that it borrows: what a display publishes.
 *
 * The message is copied when a drawable is made, all but the pixels of its images: these stay
 * where they are, in a guest's memory for example, until the drawable has no need of them or has
 * made a copy of its own. Then it says so, once.
 *
 * References may be taken and given back on any thread. All else belongs to whoever holds the lock
 * of the display that the drawable is, or will be, published on. The message of a drawable that
 * no longer borrows does not change and may be read without.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/canvas/draw.h"

/* Bytes that a message may take in memory beside its images' pixels: clip, path, glyphs. */
enum { SPICE_MAX_DRAW_SIZE = 4 << 20 };

typedef struct SpiceDrawable SpiceDrawable;

typedef struct {
    uint16_t type;       /* COPY_BITS or DRAW_* */
    const void *message; /* its struct; images are BITMAP with raw rows, QUIC, or SURFACE */
    uint64_t time;       /* when it was drawn, by the caller's clock */
    void *annotation;    /* the caller's, handed out again with the drawable; must outlive it */

    /** Called once, when the memory that the images' data are in is no longer needed: at the latest
     * with the last reference, at the earliest from the call that publishes. It is called with
     * whatever locks the caller of core/ holds, so it should only take a note. NULL: nobody asks.
     */
    void (*release)(void *context);
    void *context;
} SpiceDrawableSource;

/** A drawable with one reference. A ROP3 that is a simpler draw becomes that (rop3-reduce.h). NULL
 * and *error: UNSUPPORTED for a type that does not draw or an image that no guest may use,
 * TRUNCATED if a bitmap has less data than rows, VALUE for an array that is missing, LIMIT, MEMORY;
 * then `release` is not called. The allocator must outlive it, and bear calls from the threads that
 * give references back. */
SpiceDrawable *spice_drawable_create(const SpiceAllocator *allocator,
                                     const SpiceDrawableSource *source, SpiceError *error);

SpiceDrawable *spice_drawable_ref(SpiceDrawable *drawable);

/** NULL is allowed. */
void spice_drawable_unref(SpiceDrawable *drawable);

/** Whether somebody beside the caller has a reference. */
bool spice_drawable_is_shared(const SpiceDrawable *drawable);

uint16_t spice_drawable_type(const SpiceDrawable *drawable);
uint64_t spice_drawable_time(const SpiceDrawable *drawable);
void *spice_drawable_annotation(const SpiceDrawable *drawable);

/** The drawable's own copy of the message. An image's dimensions are those of its bitmap. */
const void *spice_drawable_message(const SpiceDrawable *drawable);

/** Bytes of pixels in its images as they were handed in. */
uint64_t spice_drawable_image_bytes(const SpiceDrawable *drawable);

/** Whether the release is still to come. */
bool spice_drawable_is_borrowing(const SpiceDrawable *drawable);

/** Copies the images' data (bitmaps with no more than a word between rows) and releases what was
 * borrowed. Without an effect if that was done before. False and MEMORY: all is as before. */
bool spice_drawable_own(SpiceDrawable *drawable, SpiceError *error);
