/* Packets of the playback and record channels, made and taken apart: raw, CELT 0.5.1 and Opus.
 *
 * Sound is two channels of signed 16 bit in the machine's byte order, left and right interleaved; all
 * counts are samples a channel. An encoder or a decoder is used by one thread at a time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/wire/playback.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum {
    GST_SPICE_SOUND_CHANNELS = 2,
    GST_SPICE_SOUND_SAMPLE_SIZE = 4, /* bytes of one sample of both channels */
    GST_SPICE_SOUND_RATE = 48000,    /* what everybody takes */
    GST_SPICE_SOUND_MIN_RATE = 8000,
    GST_SPICE_SOUND_MAX_RATE = 192000,
};

/** Whether sound of `rate` Hz can go by a mode: Opus has five rates, CELT in SPICE one (44100), raw
 * all from GST_SPICE_SOUND_MIN_RATE to GST_SPICE_SOUND_MAX_RATE. */
gboolean gst_spice_sound_mode_takes(SpiceAudioDataMode mode, guint rate);

/** The best mode for a rate of those whose bits (1 << mode) are set: Opus, CELT, raw, in this
 * order. SPICE_AUDIO_DATA_MODE_INVALID if none of them takes it. */
SpiceAudioDataMode gst_spice_sound_choose_mode(guint modes, guint rate);

typedef struct GstSpiceSoundEncoder GstSpiceSoundEncoder;

/** Gets each packet that becomes full; `behind`: samples that were pushed and come after its end. */
typedef void (*GstSpiceSoundPacketFunc)(const guint8 *packet, gsize size, gsize behind,
                                        gpointer user_data);

/** NULL if the mode does not take the rate. */
GstSpiceSoundEncoder *gst_spice_sound_encoder_new(SpiceAudioDataMode mode, guint rate);
void gst_spice_sound_encoder_free(GstSpiceSoundEncoder *encoder);
/** Samples a packet: raw and Opus 10 ms (raw 480 at most), CELT 256. */
guint gst_spice_sound_encoder_get_packet_samples(const GstSpiceSoundEncoder *encoder);
/** Any number of samples; what does not fill a packet is kept for the next call. */
void gst_spice_sound_encoder_push(GstSpiceSoundEncoder *encoder, const gint16 *samples,
                                  gsize n_samples, GstSpiceSoundPacketFunc packet,
                                  gpointer user_data);

typedef struct GstSpiceSoundDecoder GstSpiceSoundDecoder;

/** How many samples a packet stands for, without decoding it; 0 if it is none of the mode. */
gsize gst_spice_sound_packet_samples(SpiceAudioDataMode mode, guint rate, const guint8 *packet,
                                     gsize size);

/** NULL if the mode does not take the rate. */
GstSpiceSoundDecoder *gst_spice_sound_decoder_new(SpiceAudioDataMode mode, guint rate);
void gst_spice_sound_decoder_free(GstSpiceSoundDecoder *decoder);
/** Samples of one packet from a peer, at most GST_SPICE_SOUND_MAX_SAMPLES, valid until the next call;
 * NULL if it is none of the mode: empty, of a wrong length, or contradictory. */
const gint16 *gst_spice_sound_decoder_take(GstSpiceSoundDecoder *decoder, const guint8 *packet,
                                           gsize size, gsize *n_samples);

enum { GST_SPICE_SOUND_MAX_SAMPLES = 48000 };

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstSpiceSoundEncoder, gst_spice_sound_encoder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstSpiceSoundDecoder, gst_spice_sound_decoder_free)

#pragma GCC visibility pop
G_END_DECLS
