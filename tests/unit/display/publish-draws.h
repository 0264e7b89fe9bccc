/* Random draws of every kind, with images in memory of a guest.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "publish-world.h"

enum { MAX_SIDE = 64, N_IDS = 6, CLIP_RECTS = 56 };

typedef union {
    SpiceDisplayBase base;
    SpiceMsgDisplayCopyBits copy_bits;
    SpiceMsgDisplayDrawFill fill;
    SpiceMsgDisplayDrawOpaque opaque;
    SpiceMsgDisplayDrawCopy copy;
    SpiceMsgDisplayDrawMasked masked;
    SpiceMsgDisplayDrawRop3 rop3;
    SpiceMsgDisplayDrawStroke stroke;
    SpiceMsgDisplayDrawText text;
    SpiceMsgDisplayDrawTransparent transparent;
    SpiceMsgDisplayDrawAlphaBlend alpha_blend;
    SpiceMsgDisplayDrawComposite composite;
} AnyDraw;

/** A draw with all that it points to. */
typedef struct {
    uint16_t type;
    bool broken;
    AnyDraw message;
    SpiceImage images[4];
    SpicePalette palettes[4];
    uint32_t entries[4][16];
    unsigned n_images;
    uint8_t *blocks[4]; /* the images' memory, from malloc() */
    unsigned n_blocks;
    SpiceRect clip[CLIP_RECTS];
    SpicePath path;
    SpicePathSegment segment;
    SpicePointFix points[6];
    int32_t style[4];
    SpiceString string;
    SpiceGlyph glyphs[3];
    uint8_t glyph_data[3][64];
} RandomDraw;

/** Makes a draw for a surface of `width` x `height`; `broken`: it may be one that fails. */
void random_draw_make(RandomDraw *draw, const Choices *choices, uint32_t surface_id, int32_t width,
                      int32_t height, bool broken);
