/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "desktop-source.h"

G_BEGIN_DECLS

#define TYPE_X11_DESKTOP (x11_desktop_get_type())
/** A source of what an X screen shows, without the cursor. Property `display`: its name. */
G_DECLARE_FINAL_TYPE(X11Desktop, x11_desktop, X11, DESKTOP, DesktopSource)

G_END_DECLS
