/* Keys of Linux (evdev) as scancodes of the PC/AT set 1.
 *
 * X servers and Wayland compositors on Linux name a key by its evdev code, X and GDK with 8 added.
 * A key means a place on the keyboard: which letter stands there is the guest's business.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum {
    SPICE_X_KEYCODE_OFFSET = 8, /* X keycode of evdev code 0 */
    /* evdev codes that the viewer itself knows */
    SPICE_EVDEV_LEFT_CTRL = 29,
    SPICE_EVDEV_LEFT_SHIFT = 42,
    SPICE_EVDEV_RIGHT_SHIFT = 54,
    SPICE_EVDEV_LEFT_ALT = 56,
    SPICE_EVDEV_F11 = 87,
    SPICE_EVDEV_F12 = 88,
    SPICE_EVDEV_RIGHT_CTRL = 97,
};

/** The make code, extended keys as 0xE0xx, Pause as 0xE046. 0: no PC keyboard has such a key. */
guint spice_scancode_from_evdev(guint code);

G_END_DECLS
