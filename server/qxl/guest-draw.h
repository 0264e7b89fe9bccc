/* Drawing commands of a guest (QXLDrawable) as messages of the display channel.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/display.h"

#include "guest-reader.h"

/* What stands before the fields of the operation. */
enum { SPICE_GUEST_DRAWABLE_SIZE = 191, SPICE_GUEST_COMPAT_DRAWABLE_SIZE = 128 };

/** What a command says of itself before its operation is read. */
typedef struct {
    uint32_t surface_id;
    uint8_t type;
    bool self_bitmap; /* it wants the old pixels of self_area as an image */
    SpiceRect self_area;
    SpiceDisplayBase base;
    uint8_t bytes[SPICE_GUEST_DRAWABLE_SIZE]; /* private copy; the operation begins at `union_at` */
    size_t union_at;
    bool compat;
} SpiceGuestDrawable;

/** Reads the head of the drawable at an address. False after an error. */
bool spice_guest_drawable_read(SpiceGuestReader *self, uint64_t address, bool compat,
                               SpiceGuestDrawable *drawable);

/** Reads the operation: *type is that of a message, and what is returned its struct, in the arena.
 * `self_bitmap`: the picture that the drawable asked for, else NULL. NULL after an error, and
 * without an error for a NOP. */
void *spice_guest_drawable_unfold(SpiceGuestReader *self, const SpiceGuestDrawable *drawable,
                                  SpiceImage *self_bitmap, uint16_t *type);
