/* GstNavigation events become SPICE input.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "session/session.h"

G_BEGIN_DECLS

/** Structure of the custom upstream event that carries an exact key: `code` (uint, PC/AT set 1,
 * extended keys as 0xE0xx) and `pressed` (boolean). */
#define GST_SPICE_SCANCODE_STRUCTURE "application/x-gst-spice-scancode"

/** Whether `event` is input: a navigation event, or the custom scancode event. */
gboolean gst_spice_navigation_is_input(GstEvent *event);

/** Sends an input event to display `display` of the session. Keys come as names and are read as on
 * a US keyboard; a name that no key bears adds one to *unknown_keys. */
void gst_spice_navigation_send(GstSpiceSession *session, guint display, GstEvent *event,
                               guint *unknown_keys);

G_END_DECLS
