/* What encodes the desktop's sound for its clients: a thread, and an encoder for each form in which
 * somebody wants it.
 *
 * Sound is handed in by the one that makes it, who never waits; packets come out on the thread. What
 * raw and Opus clients get is encoded once for all of them, as their decoders begin anywhere. A CELT
 * decoder has to hear a stream from its beginning: there is an encoder for each.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "sound-codec.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpicePlaybackEncoders GstSpicePlaybackEncoders;

/** A packet of an encoder. `time`: of the server's multimedia clock at its last sample. */
typedef void (*GstSpicePlaybackPacketFunc)(guint encoder, GBytes *packet, guint32 time,
                                           gpointer user_data);

/** `packet` is called on the thread, which begins with the first encoder. */
GstSpicePlaybackEncoders *gst_spice_playback_encoders_new(GstSpicePlaybackPacketFunc packet,
                                                          gpointer user_data);
/** Waits for the thread; no packet comes afterwards. Not to be called by `packet`. */
void gst_spice_playback_encoders_free(GstSpicePlaybackEncoders *encoders);

/** From now on sound is of this rate. What was handed in before is forgotten. Whoever needs an
 * encoder asks for a new one. Any thread, as all that follow. */
void gst_spice_playback_encoders_set_rate(GstSpicePlaybackEncoders *encoders, guint rate);
/** An encoder of a mode that takes the rate; its number, never 0. Each is to be let go once. */
guint gst_spice_playback_encoders_want(GstSpicePlaybackEncoders *encoders, SpiceAudioDataMode mode);
void gst_spice_playback_encoders_let_go(GstSpicePlaybackEncoders *encoders, guint encoder);

/** Sound that ends at `end_us` of the monotonic clock, about: ends of what follows each other are
 * smoothed. If the thread is behind by more than 80 ms, the oldest is lost. */
void gst_spice_playback_encoders_push(GstSpicePlaybackEncoders *encoders, const gint16 *samples,
                                      gsize n_samples, gint64 end_us);

#pragma GCC visibility pop
G_END_DECLS
