/* The sound of a session as two bins, for spicesrc and the viewer.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "session/session.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

/** What the guest plays, as raw sound on a pad `src`: spiceplaybacksrc ! spicesounddec ! spicelipsync
 * ! volume. The last follows the guest's mixer; where there is no element `volume`, the sound is as
 * loud as it comes. `silence`: there is sound all the time, silent while the guest is; otherwise nothing
 * comes then. (transfer floating) */
GstElement *gst_spice_playback_bin_new(GstSpiceSession *session, gboolean silence);

/** What is rendered to its pad `sink` the guest hears: audioconvert ! audioresample ! volume !
 * spicerecordsink, of which `volume` is as above. NULL: a plug-in is missing. The session is set later, by
 * gst_spice_record_bin_set_session(), if it is NULL. (transfer floating) */
GstElement *gst_spice_record_bin_new(GstSpiceSession *session);
void gst_spice_record_bin_set_session(GstElement *bin, GstSpiceSession *session);

#pragma GCC visibility pop
G_END_DECLS
