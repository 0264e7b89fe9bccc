/* Inside of a server: its sound. What is not said to be atomic or under a lock belongs to the I/O
 * thread.
 *
 *     server-sound.c      offering, volumes, what both directions have in common
 *     server-playback.c   playback channels      playback-encoders.c: the thread that encodes
 *     server-record.c     record channels, one of which speaks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "playback-encoders.h"
#include "server-private.h"
#include "server-sound.h"
#include "sound-pause.h"
#include "sound-ring.h"

G_BEGIN_DECLS

/** Clients are told of either only if it was ever set. */
typedef struct {
    gboolean volume_set, mute_set;
    guint8 n;
    guint16 volume[G_MAXUINT8];
    gboolean mute;
} GstSpiceServerVolume;

struct GstSpiceServerSound {
    gint offered;         /* atomic: 1 << SPICE_CHANNEL_PLAYBACK, 1 << SPICE_CHANNEL_RECORD */
    guint32 cap_words[2]; /* what clients were told last: playback, record */

    GstSpicePlaybackEncoders *encoders;
    gint plays;              /* atomic: as the maker of the sound has it */
    gint n_listeners;        /* atomic: playback channels */
    gint best_playback_rate; /* atomic */
    gboolean playing;        /* as the maker of the sound has it */
    gboolean paused;         /* but it makes nothing but zeros */
    GMutex pause_lock;
    GstSpiceSoundPause pause; /* under pause_lock */
    guint
        n_posted; /* under pause_lock: blocks on their way through the I/O thread, before which none must come */
    gboolean compressed;
    guint playback_rate;
    GstSpiceServerVolume playback_volume;

    gboolean recording;
    guint record_rate;
    GstSpiceServerVolume record_volume;
    GstSpiceServerLink *speaker; /* who was asked for its microphone */
    guint last_turn;
    GSource *patience; /* with a speaker that has not been heard yet; NULL: none is needed */
    GMutex ring_lock;
    GstSpiceSoundRing *ring; /* under ring_lock; NULL: nothing has been recorded yet */
};

/** VOLUME and MUTE as far as they were set, to a client that has the capability. */
void gst_spice_server_send_volume(GstSpiceServerLink *link, const GstSpiceServerVolume *volume);
/** Modes that a client's capabilities name, a bit (1 << mode) each; raw always. */
guint gst_spice_server_sound_modes(const SpiceServerChannel *channel, guint celt, guint opus);

/* server-playback.c */
void gst_spice_server_playback_packet(guint encoder, GBytes *packet, guint32 time, gpointer server);

G_END_DECLS
