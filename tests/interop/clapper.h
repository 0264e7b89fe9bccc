/* What the picture of clapper-host looks like: frames are numbered from 0 to CLAPPER_NUMBERS - 1 and anew, those
 * of whole seconds by multiples of CLAPPER_FPS. There is a square for each bit of the number, white if it is
 * set, the lowest on the left, and a white bar below all of them, by which they are found on a screen.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

enum {
    CLAPPER_WIDTH = 160,
    CLAPPER_HEIGHT = 96, /* a frame of it has room in a cell of the host's */
    CLAPPER_FPS = 25,
    CLAPPER_NUMBERS = 10 * CLAPPER_FPS,
    CLAPPER_BITS = 8,
    CLAPPER_SIDE = 16,
    CLAPPER_Y = 40,
    CLAPPER_BAR_Y = 64,
    CLAPPER_BAR_HEIGHT = 8,
};

#define CLAPPER_X(bit) (16 + (bit)*CLAPPER_SIDE)
