/* Packets of sound from a peer, in each mode, with their stamps: a byte for mode and rate, then packets,
 * each after its length in 16 bits and 4 bytes that say when it was made and when it came. What a packet
 * is taken for is what it decodes to, and the session's clock bears any stamps.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/audio/sample-time.h"
#include "core/sync/media-clock.h"
#include "core/sync/playout-delay.h"
#include "session/sound-codec.h"
#include "session/sound-ring.h"

enum { MAX_PACKETS = 16, HEAD = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

typedef struct {
    SpiceMediaClock clock;
    SpiceSampleTime time;
    SpicePlayoutDelay delays[2];
    int64_t now_us;
    uint32_t mm;
} Playing;

/** As an element of the client does it. */
static void play(Playing *self, const uint8_t *head, guint rate, gsize n)
{
    SpicePlayoutFacts facts = {.audio_plays = head[2] & 1};
    const int64_t length_us = (int64_t)(n * G_USEC_PER_SEC / rate);
    int64_t stream_us, end_us, last_us = self->time.end_us;
    bool jump;

    self->now_us += (int64_t)head[1] * head[1] * 500;
    self->mm += head[3] & 0x80 ? (uint32_t)(head[2] << 24 | head[3] << 16) : head[2];
    stream_us = spice_media_clock_take(&self->clock, (SpiceMediaKind)(head[0] & 1), self->mm,
                                       length_us, self->now_us, &jump);
    facts.audio_jitter_us = spice_media_clock_get_jitter(&self->clock, SPICE_MEDIA_AUDIO);
    facts.video_jitter_us = spice_media_clock_get_jitter(&self->clock, SPICE_MEDIA_VIDEO);
    require(facts.audio_jitter_us >= 0 && facts.video_jitter_us >= 0);
    require(spice_playout_delay_wanted(&facts) >= 0 &&
            spice_playout_delay_wanted(&facts) <= 500000);
    spice_playout_delay_move(&self->delays[0], spice_playout_delay_wanted(&facts), self->now_us);
    spice_playout_delay_follow(&self->delays[1], self->delays[0].delay_us, self->now_us);
    require(self->delays[1].delay_us >= 0 && self->delays[1].delay_us <= 500000);
    end_us = spice_sample_time_take(&self->time, rate, n, stream_us + length_us, &jump);
    require(jump || end_us >= last_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const guint rates[] = {48000, 44100, 24000, 16000, 12000, 8000, 192000, 7};
    static GstSpiceSoundRing ring;
    SpiceAudioDataMode mode;
    GstSpiceSoundDecoder *decoder;
    Playing playing = {.now_us = 1000000};
    guint rate;
    size_t at = 1;

    if (size < 1)
        return 0;
    mode = (SpiceAudioDataMode)(data[0] & 3);
    rate = rates[data[0] >> 2 & 7];
    decoder = gst_spice_sound_decoder_new(mode, rate);
    require(!decoder == !gst_spice_sound_mode_takes(mode, rate));
    gst_spice_sound_ring_reset(&ring);
    for (int count = 0; decoder && count < MAX_PACKETS && at + HEAD <= size; count++) {
        const uint8_t *head = data + at + 2;
        size_t length = (size_t)(data[at] | data[at + 1] << 8);
        uint8_t *packet;
        const gint16 *samples;
        gint16 out[64];
        gsize n, said;

        at += HEAD;
        length = length < size - at ? length : size - at;
        packet = malloc(length ? length : 1); /* of its own, so that its ends are watched */
        memcpy(packet, data + at, length);
        said = gst_spice_sound_packet_samples(mode, rate, packet, length);
        samples = gst_spice_sound_decoder_take(decoder, packet, length, &n);
        free(packet);
        at += length;
        require((samples != NULL) == (n > 0) && n <= GST_SPICE_SOUND_MAX_SAMPLES);
        require(!samples || said == n);
        if (!samples)
            continue;
        gst_spice_sound_ring_push(&ring, samples, n);
        require(ring.n <= GST_SPICE_SOUND_RING_SAMPLES);
        require(gst_spice_sound_ring_pop(&ring, out, 32) <= 32);
        play(&playing, head, rate, n);
    }
    gst_spice_sound_decoder_free(decoder);
    return 0;
}
