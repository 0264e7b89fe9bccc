/* Images, brushes and masks of a guest's drawing commands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/draw.h"

#include "guest-reader.h"

/** A picture that stands for the addresses 0 of a command that asks for the old content of the
 * surface (self_bitmap); NULL: 0 is no image. */
typedef struct {
    SpiceGuestReader *reader;
    SpiceImage *self_bitmap;
} SpiceGuestImages;

/** The image at an address; NULL for 0 without a self_bitmap, or after an error. Its pixels stay
 * where they are, unless they are in pieces or the guest says that they may change. */
SpiceImage *spice_guest_read_image(const SpiceGuestImages *self, uint64_t address,
                                   const char *field);

enum { SPICE_GUEST_BRUSH_SIZE = 20, SPICE_GUEST_MASK_SIZE = 17 };

/** The brush and the mask whose bytes are at `bytes`, a private copy. */
void spice_guest_read_brush(const SpiceGuestImages *self, const uint8_t *bytes, SpiceBrush *brush);
void spice_guest_read_mask(const SpiceGuestImages *self, const uint8_t *bytes, SpiceMask *mask);

/** 0x00RRGGBB of a colour of the guest's. */
uint32_t spice_guest_color(const SpiceGuestReader *self, uint32_t color);
