/* A session's sound on this machine: what the guest plays, and the microphone while the guest records.
 *
 * Nothing is loaded or opened before the server has sound, and the microphone not before it asks. If this
 * machine has no sound, that is told once on standard error, and the picture goes on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "client/options.h"
#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpiceSound SpiceSound;

/** Before the session is opened. Everything happens on the thread that calls this, by its
 * thread-default context. */
SpiceSound *spice_sound_new(GstSpiceSession *session, const SpiceViewOptions *options);
/** When the session is closed, so that no signal of it is under way. */
void spice_sound_free(SpiceSound *sound);

G_END_DECLS
