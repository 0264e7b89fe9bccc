/* What a Wayland compositor offers beyond GDK's own use of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>

#ifdef GDK_WINDOWING_WAYLAND
#include <gdk/gdkwayland.h>

#include "pointer-constraints-unstable-v1-client-protocol.h"
#include "relative-pointer-unstable-v1-client-protocol.h"

/** Each NULL if the compositor does not have it. */
typedef struct {
    struct wl_subcompositor *subcompositor;
    struct wl_shm *shm;
    struct zwp_pointer_constraints_v1 *constraints;
    struct zwp_relative_pointer_manager_v1 *relative_pointers;
} SpiceWaylandGlobals;

/** Asks the compositor, and waits for its answer. */
void spice_wayland_globals_init(SpiceWaylandGlobals *globals, GdkDisplay *display);
void spice_wayland_globals_clear(SpiceWaylandGlobals *globals);
#endif
