/* The guest's cursor as the window's own: it follows the hand without a way to the server and back.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>

#include "session/cursor.h"

G_BEGIN_DECLS

/** Shows `cursor` over a realized widget: nothing where the guest hides it, the usual arrow where
 * it has no shape or is NULL. */
void spice_local_cursor_show(GtkWidget *widget, const GstSpiceCursor *cursor);

G_END_DECLS
