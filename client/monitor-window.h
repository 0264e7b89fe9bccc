/* The window of one monitor: its picture, its pointer, its size.
 *
 * It opens with the first frame, follows the guest's size until somebody gives it another, and closes with
 * the object.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gtk/gtk.h>

#include "client/monitors.h"
#include "client/options.h"

G_BEGIN_DECLS

typedef struct SpiceMonitorWindow SpiceMonitorWindow;

/** What it tells. */
typedef struct {
    /** A key of the keyboard as evdev counts them. */
    void (*key)(SpiceMonitorWindow *window, guint code, gboolean pressed, gpointer user_data);
    /** Keys that are held are not heard of any more. */
    void (*keys_lost)(gpointer user_data);
    /** Somebody has given it a size: device pixels. */
    void (*resized)(SpiceMonitorWindow *window, gpointer user_data);
    /** Somebody wants it closed, which is up to its owner. */
    void (*closed)(SpiceMonitorWindow *window, gpointer user_data);
} SpiceMonitorWindowHandler;

/** Of monitor `number` of a session (not owned). The handler is not copied. (transfer full) */
SpiceMonitorWindow *spice_monitor_window_new(GstSpiceSession *session, guint number,
                                             const SpiceViewOptions *options,
                                             const SpiceMonitorWindowHandler *handler,
                                             gpointer user_data);
void spice_monitor_window_free(SpiceMonitorWindow *self);

void spice_monitor_window_show(SpiceMonitorWindow *self, const SpiceNewFrame *frame,
                               const SpiceMonitorPlace *place);
/** Cursor or mouse mode are others. */
void spice_monitor_window_update_cursor(SpiceMonitorWindow *self);
/** There are several, or no more: the title tells which this is. */
void spice_monitor_window_set_numbered(SpiceMonitorWindow *self, gboolean numbered);
void spice_monitor_window_release_pointer(SpiceMonitorWindow *self);
void spice_monitor_window_toggle_full_screen(SpiceMonitorWindow *self);
/** The size that its picture would fill, in device pixels; 0 x 0: it is not open. */
void spice_monitor_window_get_size(SpiceMonitorWindow *self, gint *width, gint *height);

G_END_DECLS
