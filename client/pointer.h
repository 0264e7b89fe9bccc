/* The pointer: places in client mode, motion of a captured pointer in server mode, buttons and
 * wheel in both.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>

#include "client/monitors.h"
#include "client/placement.h"
#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpicePointer SpicePointer;

typedef struct {
    /** Where the picture lies, asked for at each event. */
    const SpicePlacement *(*placement)(gpointer user_data);
    /** The pointer was captured or set free. */
    void (*captured)(gboolean captured, gpointer user_data);
} SpicePointerHandler;

/** For a realized widget, whose pointer events go to `place` of the session, which is looked at with each.
 * Neither it nor the handler is copied. (transfer full) */
SpicePointer *spice_pointer_new(GtkWidget *widget, GstSpiceSession *session,
                                const SpiceMonitorPlace *place, const SpicePointerHandler *handler,
                                gpointer user_data);
void spice_pointer_free(SpicePointer *pointer);

gboolean spice_pointer_is_captured(SpicePointer *pointer);
/** Sets a captured pointer free, and lets go of the buttons that are held. */
void spice_pointer_release(SpicePointer *pointer);

G_END_DECLS
