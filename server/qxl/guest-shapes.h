/* Clips, paths, strings and lines of a guest's drawing commands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/draw.h"

#include "guest-reader.h"

/** The clip whose bytes (type u32, address u64) are at `bytes`, a private copy. */
void spice_guest_read_clip(SpiceGuestReader *self, const uint8_t *bytes, SpiceClip *clip);

/** NULL after an error. */
SpicePath *spice_guest_read_path(SpiceGuestReader *self, uint64_t address);
SpiceString *spice_guest_read_string(SpiceGuestReader *self, uint64_t address);

enum { SPICE_GUEST_LINE_ATTR_SIZE = 20 };

/** The attributes whose bytes are at `bytes`, a private copy. */
void spice_guest_read_line_attr(SpiceGuestReader *self, const uint8_t *bytes, SpiceLineAttr *attr);
