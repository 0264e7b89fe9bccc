/* The sound of a session, client role: how loud the guest wants it, and the microphone. What the guest
 * plays comes through spiceplaybacksrc.
 *
 * Threads: any.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session.h"
#include "sound-codec.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum { GST_SPICE_MAX_VOLUMES = 8 }; /* channels beyond are not looked at */

/** What a guest's mixer says. */
typedef struct {
    guint n; /* 0: not said */
    guint16
        volume[GST_SPICE_MAX_VOLUMES]; /* of each channel; as a slider stands, G_MAXUINT16 full */
    gboolean mute;
} GstSpiceVolume;

/** Of the channel type SPICE_CHANNEL_PLAYBACK or SPICE_CHANNEL_RECORD; FALSE: nothing has been said.
 * The session's signal `volume-changed` (guint type) tells of changes. */
gboolean gst_spice_session_get_volume(GstSpiceSession *session, guint8 type,
                                      GstSpiceVolume *volume);
/** For those who read the channels. NULL: nothing is said of it any more. */
void gst_spice_session_set_volume(GstSpiceSession *session, guint8 type,
                                  const GstSpiceVolume *volume);
/** The same from messages. */
void gst_spice_session_take_volume(GstSpiceSession *session, guint8 type,
                                   const SpiceMsgAudioVolume *message);
void gst_spice_session_take_mute(GstSpiceSession *session, guint8 type,
                                 const SpiceMsgAudioMute *message);
/** The loudest channel's, as a factor for samples: sliders stand by the cube root of it. 1 if nothing
 * was said. */
gdouble gst_spice_volume_get_factor(const GstSpiceVolume *volume);

/** The rate in which the server wants to hear the microphone now; 0: it does not, or the session's
 * property `record` is not set. The signal `record-changed` () tells of changes. */
guint gst_spice_session_get_record_rate(GstSpiceSession *session);
/** Sound of that rate, from one thread at a time; of two channels, samples a channel. What the server
 * does not take soon is dropped, as is what it did not ask for. */
void gst_spice_session_record(GstSpiceSession *session, const gint16 *samples, gsize n_samples);

#pragma GCC visibility pop
G_END_DECLS
