/* Whether a drawing message may be published: what no client can paint, or what makes clients of
 * the field end or hang, is refused here, before anybody has it (SPICE protocol, "Drawing
 * semantics", its sections on masks, source images, ROP3, TEXT, STROKE and on hostile input).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/canvas/draw.h"

/** The surfaces that a message may name. */
typedef struct {
    /** The pixels of a surface; NULL if there is none of this id. */
    const SpicePixels *(*find)(void *context, uint32_t surface_id);
    void *context;
} SpiceSurfaces;

/** Bits a pixel of a SPICE_BITMAP_FMT_*; 0 if there is no such format. */
unsigned spice_bitmap_bits(uint8_t bitmap_format);

/** False and *error: STATE if a surface does not exist, VALUE for what clients cannot paint,
 * LIMIT. Data of images are looked at for no more than a header. */
bool spice_draw_check(uint16_t type, const void *message, const SpiceSurfaces *surfaces,
                      SpiceError *error);
