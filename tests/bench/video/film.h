/* The film that a video bench shows, and the letters that are typed beside it: what each frame looks
 * like is known to both sides, so that a viewer's picture can be compared with the truth.
 *
 * Pixels are xRGB, rows as told.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { FILM_X = 320, FILM_Y = 200, FILM_WIDTH = 640, FILM_HEIGHT = 360, FILM_FPS = 25 };

/** Makes what frames are made of; before anything else. */
void film_prepare(void);

/** Paints frame `number` (below 65536), FILM_WIDTH pixels a row. */
void film_paint(uint32_t *pixels, unsigned number);

/** The number that a picture of the film bears; -1: none can be read. `stride` is in pixels. */
int film_number(const uint32_t *pixels, int stride);

/** dB, of `pixels` to frame `number`; 99 if they are equal. */
double film_psnr(const uint32_t *pixels, int stride, unsigned number);

enum { LETTER_WIDTH = 8, LETTER_HEIGHT = 16, MAX_LETTERS = 400 };

/** Where letter `n` stands, on white. */
void letter_place(unsigned n, int *x, int *y);
void letter_paint(uint32_t *pixels, unsigned n);
/** Whether `pixels` show it there, in a picture of the whole screen. */
bool letter_is_there(const uint32_t *pixels, int stride, unsigned n);
