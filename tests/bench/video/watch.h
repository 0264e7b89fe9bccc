/* What the pictures of a viewer show of bench-video-host, and since when.
 *
 * Prints with the time of the picture: "frame T N DB" when frame N of the film is first seen, with its
 * PSNR, "exact T N" when it is seen without loss, and "letter T N" when a letter is. A thread compares, as
 * that takes longer than the next picture may wait.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

typedef struct Watch Watch;

/** After film_prepare(). */
Watch *watch_start(void);

/** A picture of the screen, at least as large as where film and letters are: `width` pixels are taken of rows
 * that are `stride` bytes apart, and copied. `time`: us. Any thread, one at a time. */
void watch_picture(Watch *self, gint64 time, const void *pixels, gsize stride, gint width);

/** Prints "WHAT TIME REST"; any thread. */
void watch_say(Watch *self, const char *what, gint64 time, const char *rest);

/** Ends, and frees, when all pictures have been compared. */
void watch_end(Watch *self);

/** Rows of the screen that are looked at. */
gint watch_rows(void);
