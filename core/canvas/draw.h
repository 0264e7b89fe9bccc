/* A drawing message, run on a surface: which images it needs, which pixels it touches, and the
 * canvas function that it means. A client runs the messages of its display channel with these, a
 * server the same messages on its own copy of the surface.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/display.h"

#include "canvas.h"

/** What a drawing message uses an image for. */
typedef enum {
    SPICE_DRAW_SOURCE,
    SPICE_DRAW_PATTERN, /* of the brush; of TEXT's fore brush */
    SPICE_DRAW_BACK_PATTERN,
    SPICE_DRAW_MASK,           /* 1 bit a pixel: QMask */
    SPICE_DRAW_COMPOSITE_MASK, /* a picture */
    SPICE_DRAW_N_ROLES,
} SpiceDrawRole;

/** The images of a message by role; NULL where it has none. They belong to the message. */
typedef struct {
    const SpiceImage *images[SPICE_DRAW_N_ROLES];
} SpiceDrawImages;

/** The same, decoded: the mask is a1, the others as the working format is. */
typedef struct {
    SpiceCanvasImage operands[SPICE_DRAW_N_ROLES];
} SpiceDrawOperands;

/** Whether messages of this number draw: COPY_BITS and DRAW_*. */
bool spice_draw_is_draw(uint16_t type);

/** The base of a drawing message; every one begins with it. */
static inline const SpiceDisplayBase *spice_draw_base(const void *message)
{
    return message;
}

void spice_draw_images(SpiceDrawImages *images, uint16_t type, const void *message);

/** Initialises `region` with box and clip on `dest`: what is painted if there is no mask. */
bool spice_draw_region(pixman_region32_t *region, const SpicePixels *dest, const void *message,
                       SpiceError *error);

/** Paints. `operands` holds the images that the message has; `region` is what spice_draw_region()
 * gave, and is cut down to what was painted (roughly, never too little): it is the damage. False
 * and *error: as canvas.h says; `region` is then of no meaning. */
bool spice_draw_paint(const SpicePixels *dest, pixman_region32_t *region, uint16_t type,
                      const void *message, const SpiceDrawOperands *operands, SpiceArena *scratch,
                      SpiceError *error);
