/* Cursor shapes of the wire as premultiplied pixels.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/cursor.h"
#include "cursor.h"

G_BEGIN_DECLS

/** Sets size, hot spot and pixels of `cursor` from a shape. FALSE, `cursor` unchanged, if the shape
 * has no pixels, is larger than 512 x 512, or its data is too short. Where a shape inverts the
 * screen, which pixels cannot express, it is shown as a half transparent checker. */
gboolean gst_spice_cursor_set_shape(GstSpiceCursor *cursor, const SpiceCursor *shape);

G_END_DECLS
