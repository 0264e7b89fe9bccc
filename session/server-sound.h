/* The sound of a server's desktop: what it plays, for all clients, and what one client's microphone
 * hears.
 *
 * A server offers playback and record channels from the moment on that it is told to. Sound is two
 * channels of signed 16 bit, interleaved, in the machine's byte order; counts are samples a channel.
 *
 * Threads: any; nothing waits for a client or an encoder.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server.h"
#include "sound-codec.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

/* Playback: all clients hear it, each in the best form that it takes (Opus, CELT 0.5.1, raw). One that
 * is slow loses old sound. */

/** Whether clients are offered playback. If not any more, their channels are closed. */
void gst_spice_server_offer_playback(GstSpiceServer *server, gboolean offer);
/** From now on sound is of this rate (8000 to 192000; 48000 at first). Opus takes 48000, 24000, 16000,
 * 12000 and 8000, CELT 44100. */
void gst_spice_server_set_playback_rate(GstSpiceServer *server, guint rate);
/** A rate that all clients take in a form that saves bytes, as far as there is one. */
guint gst_spice_server_get_best_playback_rate(GstSpiceServer *server);
/** FALSE: it is sent raw to all. TRUE at first. */
void gst_spice_server_set_playback_compression(GstSpiceServer *server, gboolean compressed);
/** Sound begins, or has ended. */
void gst_spice_server_set_playing(GstSpiceServer *server, gboolean playing);
/** Whether it plays and a client listens. */
gboolean gst_spice_server_is_heard(GstSpiceServer *server);
/** Sound that ends at `end_us` of g_get_monotonic_time(), about. Nothing happens if nobody listens. Of what has been
 * nothing but zeros for some seconds clients are told that it has ended, until it is something else
 * (sound-pause.h). */
void gst_spice_server_play(GstSpiceServer *server, const gint16 *samples, gsize n_samples,
                           gint64 end_us);
/** How loud clients shall play it, a value for each of `n` channels (at most 255), G_MAXUINT16 is
 * full. Before the first call they are told nothing, as of the mute state. */
void gst_spice_server_set_playback_volume(GstSpiceServer *server, const guint16 *volume, guint n);
void gst_spice_server_set_playback_mute(GstSpiceServer *server, gboolean mute);

/* Record: one client is asked for its microphone at a time, whichever has had its record channel open
 * for longest; when it leaves, the next one is. One that is not heard for three seconds is passed over, if
 * there is another. */

void gst_spice_server_offer_record(GstSpiceServer *server, gboolean offer);
void gst_spice_server_set_record_rate(GstSpiceServer *server, guint rate);
void gst_spice_server_set_recording(GstSpiceServer *server, gboolean recording);
/** At most `max` samples, of those that have come; how many. None at first, until there is enough of
 * them that packets may come in bursts (85 ms at 48000 Hz). */
gsize gst_spice_server_record(GstSpiceServer *server, gint16 *samples, gsize max);
void gst_spice_server_set_record_volume(GstSpiceServer *server, const guint16 *volume, guint n);
void gst_spice_server_set_record_mute(GstSpiceServer *server, gboolean mute);

#pragma GCC visibility pop
G_END_DECLS
