/* Keys by the names that GstNavigation events bear, as scancodes of the PC/AT set 1.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** The key that bears `name` (an X keysym name such as "q", "exclam", "Return") on a US keyboard:
 * its make code, extended keys as 0xE0xx. 0: no such key. Shift is not implied: it comes as an
 * event of its own. */
guint gst_spice_key_scancode(const char *name);

/** What the key of a make code bears on a US keyboard, without Shift; NULL for an unknown one. */
const char *gst_spice_key_name(guint scancode);

G_END_DECLS
