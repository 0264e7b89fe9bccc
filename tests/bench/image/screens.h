/* Pictures for benches, the same on every machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

typedef enum {
    SCREEN_TEXT,  /* windows full of anti-aliased text on flat colours */
    SCREEN_PHOTO, /* soft shapes with grain */
    SCREEN_UI,    /* widgets with gradients, borders, icons and labels */
    SCREEN_COUNT,
} Screen;

extern const char *const screen_names[SCREEN_COUNT];

/** Draws `width` x `height` 32-bit pixels without gaps (bytes B G R, fourth 0). */
void screen_draw(Screen screen, int width, int height, uint32_t *pixels);

/** The next of a series of numbers that depends on *state only. */
uint32_t screen_random(uint64_t *state);
