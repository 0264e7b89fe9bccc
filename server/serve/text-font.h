/* A small font for the test desktop: 5 x 7 pixels and two rows below the line, ASCII.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS

enum { TEXT_FONT_COLUMNS = 5, TEXT_FONT_ROWS = 9, TEXT_FONT_ADVANCE = 6 };

/** Draws a line of text with its top left corner at (x, y), each pixel `scale` x `scale` large;
 * characters beyond ASCII become question marks. */
void text_font_draw(pixman_image_t *image, const pixman_color_t *color, gint x, gint y, guint scale,
                    const char *text);

G_END_DECLS
