/* Shares the clipboard, and the primary selection, with the guest by its agent: text and pictures, on
 * demand.
 *
 * Everything happens on GTK's thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpiceClipboard SpiceClipboard;

/** Before the session is opened it has to have been told spice_clipboard_caps
 * (gst_spice_session_set_agent_caps()). */
SpiceClipboard *spice_clipboard_new(GstSpiceSession *session);
/** Programs that wait for what they paste get nothing, and the main loop that they wait in ends. */
void spice_clipboard_cancel(SpiceClipboard *clipboard);
/** When the session has been closed: before, it might just be saying something. */
void spice_clipboard_free(SpiceClipboard *clipboard);

G_END_DECLS
