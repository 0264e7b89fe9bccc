/* Keys of a PC keyboard as an X server with the evdev key codes knows them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** The X key code of a scancode of PC/AT set 1 (extended ones as 0xE0xx, Pause as 0xE046), whatever
 * the layout. 0: there is no such key. */
guint8 scancode_to_x11(guint scancode);

G_END_DECLS
