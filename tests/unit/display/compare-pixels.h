/* Whether two surfaces show the same.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/pixels.h"

/** Inside `box`, of surfaces of one format. The top byte of x8r8g8b8 is not shown. */
bool pixels_equal_in(const SpicePixels *a, const SpicePixels *b, const pixman_box32_t *box);

/** All over, with format and size. */
bool pixels_equal(const SpicePixels *a, const SpicePixels *b);
