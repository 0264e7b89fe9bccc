/* A small font, where there is no other: 5 x 7 pixels and two rows below the line, ASCII.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum { TEXT_FONT_COLUMNS = 5, TEXT_FONT_ROWS = 9, TEXT_FONT_ADVANCE = 6 };

/** Draws a line of text, for which there has to be room in the image, with its top left corner at
 * (x, y), each pixel `scale` x `scale` large; characters beyond ASCII become question marks. */
void text_font_draw(pixman_image_t *image, const pixman_color_t *color, gint x, gint y, guint scale,
                    const char *text);

#pragma GCC visibility pop
G_END_DECLS
