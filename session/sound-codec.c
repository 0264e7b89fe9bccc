/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-codec.h"

#include <opus.h>
#include <string.h>

#include "core/audio/celt051.h"

enum {
    OPUS_LOW_RATE_BITS = 64000, /* a second */
    PACKETS_A_SECOND = 100,
    RAW_PACKET_SAMPLES = 480, /* what the field's clients have room for, at any rate */
    CELT_RATE = 44100,
    OPUS_MAX_PACKET = 480,       /* bytes, likewise */
    OPUS_MAX_DECODED = 48 * 120, /* samples: the longest packet there is, at the highest rate */
    OPUS_COMPLEXITY = 5,         /* of 10: what more costs is not heard at these rates */
};

gboolean gst_spice_sound_mode_takes(SpiceAudioDataMode mode, guint rate)
{
    switch (mode) {
    case SPICE_AUDIO_DATA_MODE_RAW:
        return rate >= GST_SPICE_SOUND_MIN_RATE && rate <= GST_SPICE_SOUND_MAX_RATE;
    case SPICE_AUDIO_DATA_MODE_CELT_0_5_1:
        return rate == CELT_RATE;
    case SPICE_AUDIO_DATA_MODE_OPUS:
        return rate == 48000 || rate == 24000 || rate == 16000 || rate == 12000 || rate == 8000;
    default:
        return FALSE;
    }
}

SpiceAudioDataMode gst_spice_sound_choose_mode(guint modes, guint rate)
{
    static const SpiceAudioDataMode by_worth[] = {
        SPICE_AUDIO_DATA_MODE_OPUS, SPICE_AUDIO_DATA_MODE_CELT_0_5_1, SPICE_AUDIO_DATA_MODE_RAW};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(by_worth); i++)
        if ((modes & 1u << by_worth[i]) && gst_spice_sound_mode_takes(by_worth[i], rate))
            return by_worth[i];
    return SPICE_AUDIO_DATA_MODE_INVALID;
}

/* Encoder */

struct GstSpiceSoundEncoder {
    SpiceAudioDataMode mode;
    OpusEncoder *opus;
    SpiceCelt051Mode *celt_mode;
    SpiceCelt051Encoder *celt;
    guint packet_samples;
    gint16 *pending; /* room for a packet */
    guint n_pending;
};

GstSpiceSoundEncoder *gst_spice_sound_encoder_new(SpiceAudioDataMode mode, guint rate)
{
    g_autoptr(GstSpiceSoundEncoder) self = NULL;

    if (!gst_spice_sound_mode_takes(mode, rate))
        return NULL;
    self = g_new0(GstSpiceSoundEncoder, 1);
    self->mode = mode;
    self->packet_samples = MIN(rate / PACKETS_A_SECOND, RAW_PACKET_SAMPLES);
    if (mode == SPICE_AUDIO_DATA_MODE_OPUS) {
        /* Without the look-ahead that speech modes want: 4 ms less delay, and any decoder takes it. */
        self->opus = opus_encoder_create((opus_int32)rate, GST_SPICE_SOUND_CHANNELS,
                                         OPUS_APPLICATION_RESTRICTED_LOWDELAY, NULL);
        if (!self->opus)
            return NULL;
        opus_encoder_ctl(self->opus, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY));
        /* By itself it takes less at lower rates, and makes one channel of two. */
        if (rate < 48000)
            opus_encoder_ctl(self->opus, OPUS_SET_BITRATE(OPUS_LOW_RATE_BITS));
        opus_encoder_ctl(self->opus, OPUS_SET_FORCE_CHANNELS(GST_SPICE_SOUND_CHANNELS));
    } else if (mode == SPICE_AUDIO_DATA_MODE_CELT_0_5_1) {
        self->packet_samples = SPICE_CELT051_FRAME_SIZE;
        self->celt_mode = spice_celt051_mode_new(
            &spice_allocator_libc, rate, SPICE_CELT051_CHANNELS, SPICE_CELT051_FRAME_SIZE, NULL);
        if (self->celt_mode)
            self->celt = spice_celt051_encoder_new(&spice_allocator_libc, self->celt_mode);
        if (!self->celt)
            return NULL;
    }
    self->pending = g_new(gint16, self->packet_samples * GST_SPICE_SOUND_CHANNELS);
    return g_steal_pointer(&self);
}

void gst_spice_sound_encoder_free(GstSpiceSoundEncoder *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->opus, opus_encoder_destroy);
    g_clear_pointer(&self->celt, spice_celt051_encoder_free);
    g_clear_pointer(&self->celt_mode, spice_celt051_mode_free);
    g_free(self->pending);
    g_free(self);
}

guint gst_spice_sound_encoder_get_packet_samples(const GstSpiceSoundEncoder *self)
{
    return self->packet_samples;
}

/** Encodes what is pending into `packet`; its size, 0 if it could not be. */
static gsize encode(GstSpiceSoundEncoder *self, guint8 *packet)
{
    const gsize n_values = (gsize)self->packet_samples * GST_SPICE_SOUND_CHANNELS;
    opus_int32 size;
    gsize i;

    switch (self->mode) {
    case SPICE_AUDIO_DATA_MODE_OPUS:
        size = opus_encode(self->opus, self->pending, (int)self->packet_samples, packet,
                           OPUS_MAX_PACKET);
        return size > 0 ? (gsize)size : 0;
    case SPICE_AUDIO_DATA_MODE_CELT_0_5_1:
        return spice_celt051_encode(self->celt, self->pending, packet, SPICE_CELT051_PACKET_SIZE,
                                    NULL)
                   ? SPICE_CELT051_PACKET_SIZE
                   : 0;
    default:
        for (i = 0; i < n_values; i++) {
            const guint16 value = GUINT16_TO_LE((guint16)self->pending[i]);

            memcpy(packet + 2 * i, &value, sizeof value);
        }
        return 2 * n_values;
    }
}

void gst_spice_sound_encoder_push(GstSpiceSoundEncoder *self, const gint16 *samples,
                                  gsize n_samples, GstSpiceSoundPacketFunc packet,
                                  gpointer user_data)
{
    guint8 bytes[RAW_PACKET_SAMPLES * GST_SPICE_SOUND_SAMPLE_SIZE];

    G_STATIC_ASSERT(sizeof bytes >= OPUS_MAX_PACKET && sizeof bytes >= SPICE_CELT051_PACKET_SIZE);
    while (n_samples > 0) {
        const guint n = (guint)MIN(n_samples, self->packet_samples - self->n_pending);
        gsize size;

        memcpy(self->pending + self->n_pending * GST_SPICE_SOUND_CHANNELS, samples,
               n * GST_SPICE_SOUND_SAMPLE_SIZE);
        self->n_pending += n;
        samples += n * GST_SPICE_SOUND_CHANNELS;
        n_samples -= n;
        if (self->n_pending < self->packet_samples)
            return;
        self->n_pending = 0;
        size = encode(self, bytes);
        if (size > 0)
            packet(bytes, size, n_samples, user_data);
    }
}

/* Decoder */

struct GstSpiceSoundDecoder {
    SpiceAudioDataMode mode;
    OpusDecoder *opus;
    SpiceCelt051Mode *celt_mode;
    SpiceCelt051Decoder *celt;
    gint16 *samples;
    gsize room; /* in samples */
};

GstSpiceSoundDecoder *gst_spice_sound_decoder_new(SpiceAudioDataMode mode, guint rate)
{
    g_autoptr(GstSpiceSoundDecoder) self = NULL;

    if (!gst_spice_sound_mode_takes(mode, rate))
        return NULL;
    self = g_new0(GstSpiceSoundDecoder, 1);
    self->mode = mode;
    self->room = RAW_PACKET_SAMPLES;
    if (mode == SPICE_AUDIO_DATA_MODE_OPUS) {
        self->room = OPUS_MAX_DECODED;
        self->opus = opus_decoder_create((opus_int32)rate, GST_SPICE_SOUND_CHANNELS, NULL);
        if (!self->opus)
            return NULL;
    } else if (mode == SPICE_AUDIO_DATA_MODE_CELT_0_5_1) {
        self->room = SPICE_CELT051_FRAME_SIZE;
        self->celt_mode = spice_celt051_mode_new(
            &spice_allocator_libc, rate, SPICE_CELT051_CHANNELS, SPICE_CELT051_FRAME_SIZE, NULL);
        if (self->celt_mode)
            self->celt = spice_celt051_decoder_new(&spice_allocator_libc, self->celt_mode);
        if (!self->celt)
            return NULL;
    }
    self->samples = g_new(gint16, self->room * GST_SPICE_SOUND_CHANNELS);
    return g_steal_pointer(&self);
}

void gst_spice_sound_decoder_free(GstSpiceSoundDecoder *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->opus, opus_decoder_destroy);
    g_clear_pointer(&self->celt, spice_celt051_decoder_free);
    g_clear_pointer(&self->celt_mode, spice_celt051_mode_free);
    g_free(self->samples);
    g_free(self);
}

gsize gst_spice_sound_packet_samples(SpiceAudioDataMode mode, guint rate, const guint8 *packet,
                                     gsize size)
{
    int n;

    switch (size > 0 && size <= G_MAXINT16 * 8 ? mode : SPICE_AUDIO_DATA_MODE_INVALID) {
    case SPICE_AUDIO_DATA_MODE_OPUS:
        n = opus_packet_get_nb_samples(packet, (opus_int32)size, (opus_int32)rate);
        return n > 0 ? (gsize)n : 0;
    case SPICE_AUDIO_DATA_MODE_CELT_0_5_1:
        return size <= SPICE_CELT051_MAX_PACKET_SIZE ? SPICE_CELT051_FRAME_SIZE : 0;
    case SPICE_AUDIO_DATA_MODE_RAW:
        return size % GST_SPICE_SOUND_SAMPLE_SIZE == 0 ? size / GST_SPICE_SOUND_SAMPLE_SIZE : 0;
    default:
        return 0;
    }
}

/** The number of samples; 0 if the packet is bad. */
static gsize take_opus(GstSpiceSoundDecoder *self, const guint8 *packet, gsize size)
{
    int n;

    if (size > G_MAXINT16)
        return 0;
    n = opus_decode(self->opus, packet, (opus_int32)size, self->samples, OPUS_MAX_DECODED, 0);
    return n > 0 ? (gsize)n : 0;
}

static gsize take_celt(GstSpiceSoundDecoder *self, const guint8 *packet, gsize size)
{
    SpiceError error = {0};

    /* A packet that contradicts itself is a frame of silence, as for the field's clients. */
    return spice_celt051_decode(self->celt, packet, size, self->samples, &error) ||
                   error.code == SPICE_ERROR_CORRUPT
               ? SPICE_CELT051_FRAME_SIZE
               : 0;
}

static gsize take_raw(GstSpiceSoundDecoder *self, const guint8 *packet, gsize size)
{
    const gsize n = size / GST_SPICE_SOUND_SAMPLE_SIZE;
    gsize i;

    if (size % GST_SPICE_SOUND_SAMPLE_SIZE != 0 || n > GST_SPICE_SOUND_MAX_SAMPLES)
        return 0;
    if (n > self->room) {
        self->samples = g_renew(gint16, self->samples, n * GST_SPICE_SOUND_CHANNELS);
        self->room = n;
    }
    memcpy(self->samples, packet, size);
    for (i = 0; i < n * GST_SPICE_SOUND_CHANNELS; i++)
        self->samples[i] = GINT16_FROM_LE(self->samples[i]);
    return n;
}

const gint16 *gst_spice_sound_decoder_take(GstSpiceSoundDecoder *self, const guint8 *packet,
                                           gsize size, gsize *n_samples)
{
    *n_samples = 0;
    if (size > 0 && self->mode == SPICE_AUDIO_DATA_MODE_OPUS)
        *n_samples = take_opus(self, packet, size);
    else if (size > 0 && self->mode == SPICE_AUDIO_DATA_MODE_CELT_0_5_1)
        *n_samples = take_celt(self, packet, size);
    else if (size > 0)
        *n_samples = take_raw(self, packet, size);
    return *n_samples > 0 ? self->samples : NULL;
}
