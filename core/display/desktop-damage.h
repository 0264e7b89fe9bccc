/* From two frames of a desktop to the draws that make one of the other: moved areas, solid
 * rectangles, pictures of what is left. For desktops that come as frames, without anybody telling
 * how they were drawn.
 *
 * Pure functions: the same frames give the same draws. No thread is needed or made.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"
#include "core/wire/arena.h"
#include "core/wire/draw.h"

/* The longest side of a frame. */
enum { SPICE_MAX_DESKTOP_SIDE = 16384 };

/** A frame of 32-bit pixels, all bits of which count. `data` is its top row, aligned to 4. */
typedef struct {
    const uint8_t *data;
    ptrdiff_t stride; /* bytes to the row below; may be negative; divisible by 4 */
} SpiceDesktopFrame;

typedef struct {
    uint32_t width, height; /* of both frames */
    SpiceDesktopFrame previous, current;

    /* Where the frames may differ; the caller knows that they are equal elsewhere. `hints` NULL:
     * anywhere. They may overlap, and leave the frame. */
    const SpiceRect *hints;
    uint32_t n_hints;

    bool no_scrolls; /* COPY_BITS is of no use */
    SpiceCpuFlags cpu;
} SpiceDesktopChange;

typedef enum {
    SPICE_DESKTOP_COPY_BITS, /* the pixels from `source` on move to `box` */
    SPICE_DESKTOP_FILL,      /* `box` gets `color` */
    SPICE_DESKTOP_COPY,      /* `box` gets the current frame's pixels */
} SpiceDesktopOpKind;

typedef struct {
    SpiceDesktopOpKind kind;
    SpiceRect box; /* not empty, inside of the frame */
    SpicePoint source;
    uint32_t color;
} SpiceDesktopOp;

/* Beyond, neighbours are united even where they have little in common. */
enum { SPICE_MAX_DESKTOP_OPS = 192, SPICE_MAX_DESKTOP_SCROLLS = 4 };

/** In the order in which they are to be done: COPY_BITS first. */
typedef struct {
    uint32_t n_ops;
    SpiceDesktopOp ops[SPICE_MAX_DESKTOP_OPS];
} SpiceDesktopOps;

/** Finds draws that, done on the previous frame, give exactly the current one; none if they are
 * equal. Working memory comes from `scratch`: some 30 bytes a tile of 32 x 32 pixels, and for each
 * group of changed tiles that may have scrolled some 60 a row; the caller resets it. False and
 * *error: VALUE or LIMIT for dimensions, MEMORY. */
bool spice_desktop_find_damage(SpiceDesktopOps *ops, const SpiceDesktopChange *change,
                               SpiceArena *scratch, SpiceError *error);
