/* A region as a few rectangles.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS

/** Fills `boxes` with at most `most` (1 or more) rectangles that cover the region, and returns how
 * many. They may overlap, and cover more: where there are too many, neighbours are united. */
guint region_cover(const pixman_region32_t *region, pixman_box32_t *boxes, guint most);

G_END_DECLS
