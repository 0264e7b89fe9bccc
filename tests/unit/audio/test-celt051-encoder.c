/* The CELT 0.5.1 encoder: how good it is, and that all it makes is lawful.
 *
 *     test-celt051-encoder VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/audio/celt051.h"
#include "sound.h"

static const char *folder;

/* A mode with an encoder and a decoder of its own. */
typedef struct {
    SpiceCelt051Mode *mode;
    SpiceCelt051Encoder *encoder;
    SpiceCelt051Decoder *decoder;
} Codec;

static bool codec_open(Codec *codec, uint32_t rate, uint32_t channels, uint32_t frame_size)
{
    *codec = (Codec){0};
    codec->mode = spice_celt051_mode_new(&spice_allocator_libc, rate, channels, frame_size, NULL);
    if (!codec->mode)
        return false;
    codec->encoder = spice_celt051_encoder_new(&spice_allocator_libc, codec->mode);
    codec->decoder = spice_celt051_decoder_new(&spice_allocator_libc, codec->mode);
    return codec->encoder && codec->decoder;
}

static void codec_close(Codec *codec)
{
    spice_celt051_encoder_free(codec->encoder);
    spice_celt051_decoder_free(codec->decoder);
    spice_celt051_mode_free(codec->mode);
}

/* Encodes and decodes whole frames; how many were refused or had a byte too many. */
static size_t code(Codec *codec, const int16_t *in, size_t frames, size_t frame_values,
                   size_t packet_size, int16_t *out)
{
    uint8_t packet[SPICE_CELT051_MAX_PACKET_SIZE + 1];
    size_t bad = 0;

    for (size_t f = 0; f < frames; f++) {
        packet[packet_size] = 0x5a;
        bad +=
            !spice_celt051_encode(codec->encoder, in + f * frame_values, packet, packet_size, NULL);
        bad += packet[packet_size] != 0x5a;
        bad += !spice_celt051_decode(codec->decoder, packet, packet_size, out + f * frame_values,
                                     NULL);
    }
    return bad;
}

/* `silence` is measured in frames where the reference's encoder and decoder disagree on levels,
 * luckily for it. */
static double segmental_tolerance(const SoundStream *stream)
{
    return strcmp(stream->name, "silence") ? 0.5 : 1.0;
}

static void sounds_as_good_as_the_reference(const SoundStream *stream)
{
    const size_t delay = SOUND_CHANNELS * 128;
    Codec codec;
    size_t samples, bad;
    int16_t *in = sound_input(folder, stream, &samples), *out;
    double snr, segmental;

    if (!TAP_OK(codec_open(&codec, stream->rate, 2, SOUND_FRAME), "%s: a codec", stream->name))
        return;
    out = malloc(samples * sizeof *out);
    bad = code(&codec, in, stream->frames, SOUND_FRAME_VALUES, stream->packet_size, out);
    snr = sound_snr(in, out + delay, samples - delay);
    segmental = sound_segmental_snr(in, out + delay, stream->frames - 1);
    TAP_OK(bad == 0, "%s: all packets decode", stream->name);
    TAP_OK(snr >= stream->snr - 0.5, "%s: SNR %.2f dB, the reference's %.1f", stream->name, snr,
           stream->snr);
    TAP_OK(segmental >= stream->segmental_snr - segmental_tolerance(stream),
           "%s: segmental SNR %.2f dB, the reference's %.1f", stream->name, segmental,
           stream->segmental_snr);
    free(out);
    free(in);
    codec_close(&codec);
}

/* Where no choice hangs on rounding, the reference's packets are made to the bit. */
static void makes_the_packets_of_the_reference(const SoundStream *stream, size_t least)
{
    Codec codec;
    size_t samples, size, same = 0;
    int16_t *in = sound_input(folder, stream, &samples);
    uint8_t *packets = sound_packets(folder, stream, &size);
    uint8_t packet[SPICE_CELT051_MAX_PACKET_SIZE];

    codec_open(&codec, stream->rate, 2, SOUND_FRAME);
    for (size_t f = 0; f < stream->frames; f++) {
        spice_celt051_encode(codec.encoder, in + f * SOUND_FRAME_VALUES, packet,
                             stream->packet_size, NULL);
        same += !memcmp(packet, packets + f * stream->packet_size, stream->packet_size);
    }
    TAP_OK(same >= least, "%s: %zu of %zu packets are the reference's", stream->name, same,
           stream->frames);
    free(packets);
    free(in);
    codec_close(&codec);
}

/* Sound of every kind that a frame can be surprised by. */
static void fill_frame(int16_t *pcm, int values, int channels, uint64_t *state)
{
    uint32_t kind = sound_random(state) % 8;
    int period = 2 + (int)(sound_random(state) % 300), onset = (int)(sound_random(state) % 200);
    int amplitude = (int)(1u << sound_random(state) % 16) - 1;

    for (int j = 0; j < values; j++) {
        int t = j / channels, noise = (int)(sound_random(state) % 65536) - 32768;

        switch (kind) {
        case 0:
            pcm[j] = 0;
            break;
        case 1: /* rails */
            pcm[j] = t / period % 2 ? 32767 : -32768;
            break;
        case 2:
            pcm[j] = (int16_t)noise;
            break;
        case 3:
            pcm[j] = (int16_t)(noise * amplitude / 32768);
            break;
        case 4:
            pcm[j] = (int16_t)(t < onset ? 0 : noise);
            break;
        case 5:
            pcm[j] = (int16_t)(amplitude * sin(6.2831853 * t / period));
            break;
        case 6:
            pcm[j] = (int16_t)(t == onset ? 32767 : 0);
            break;
        default:
            pcm[j] = (int16_t)(j % channels ? 32767 : -32768);
            break;
        }
    }
}

static void stays_lawful_whatever_comes(bool thorough)
{
    const int count = thorough ? 100000 : 3000;
    Codec codec;
    uint64_t state = 7;
    size_t bad = 0;
    int16_t in[SOUND_FRAME_VALUES], out[SOUND_FRAME_VALUES];

    codec_open(&codec, 44100, 2, SOUND_FRAME);
    for (int f = 0; f < count; f++) {
        fill_frame(in, SOUND_FRAME_VALUES, 2, &state);
        bad += code(&codec, in, 1, SOUND_FRAME_VALUES, 47, out);
    }
    TAP_OK(bad == 0, "%d frames of abrupt extremes make sound packets", count);
    memset(in, 0, sizeof in);
    for (int f = 0; f < 100; f++)
        bad += code(&codec, in, 1, SOUND_FRAME_VALUES, 47, out);
    for (int j = 0; j < SOUND_FRAME_VALUES; j++)
        bad += abs(out[j]) > 1;
    TAP_OK(bad == 0, "silence is silent after them");
    codec_close(&codec);
}

static void takes_every_packet_size(bool thorough)
{
    uint64_t state = 9;
    size_t bad = 0, sizes = 0;
    int16_t in[SOUND_FRAME_VALUES], out[SOUND_FRAME_VALUES];

    for (size_t size = SPICE_CELT051_MIN_ENCODED_SIZE; size <= SPICE_CELT051_MAX_PACKET_SIZE;
         size += thorough || size < 100 ? 1 : 111) {
        Codec codec;

        codec_open(&codec, 44100, 2, SOUND_FRAME);
        for (int f = 0; f < 30; f++) {
            fill_frame(in, SOUND_FRAME_VALUES, 2, &state);
            bad += code(&codec, in, 1, SOUND_FRAME_VALUES, size, out);
        }
        sizes++;
        codec_close(&codec);
    }
    TAP_OK(bad == 0, "packets of %zu sizes from %d bytes on are sound", sizes,
           SPICE_CELT051_MIN_ENCODED_SIZE);
}

static void refuses_other_packet_sizes(void)
{
    static const size_t sizes[] = {0, 1, SPICE_CELT051_MIN_ENCODED_SIZE - 1,
                                   SPICE_CELT051_MAX_PACKET_SIZE + 1};
    static const int16_t in[SOUND_FRAME_VALUES];
    static uint8_t packet[SPICE_CELT051_MAX_PACKET_SIZE + 1];
    Codec codec;

    codec_open(&codec, 44100, 2, SOUND_FRAME);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        SpiceError error = {0};

        TAP_OK(!spice_celt051_encode(codec.encoder, in, packet, sizes[i], &error) &&
                   error.code == SPICE_ERROR_VALUE,
               "%zu bytes are refused", sizes[i]);
    }
    codec_close(&codec);
}

/* A chord: about as near as it came when this was written. */
static void works_in_other_modes(void)
{
    static const struct {
        uint32_t rate, channels, frame_size;
        size_t packet_size;
        double snr;
    } modes[] = {
        {48000, 2, 256, 60, 24},  {44100, 1, 256, 47, 30},  {48000, 2, 512, 120, 27},
        {32000, 2, 128, 47, 23},  {96000, 2, 384, 100, 40}, {48000, 1, 64, 30, 40},
        {48000, 2, 480, 100, 23}, {44100, 2, 300, 80, 26},  {32000, 1, 512, 90, 24},
        {32000, 1, 142, 47, 28},  {96000, 2, 64, 60, 40},
    };
    enum { FRAMES = 60, MOST = 2 * 512 * FRAMES };
    static int16_t in[MOST], out[MOST];

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const uint32_t channels = modes[i].channels;
        size_t values = (size_t)channels * modes[i].frame_size, count = FRAMES * values, delay;
        Codec codec;
        size_t bad;
        double snr;

        if (!TAP_OK(codec_open(&codec, modes[i].rate, channels, modes[i].frame_size),
                    "a mode of %u Hz, %u channels, %u samples", (unsigned)modes[i].rate,
                    (unsigned)channels, (unsigned)modes[i].frame_size))
            continue;
        for (size_t j = 0; j < count; j++) {
            double t = 6.2831853 * (double)(j / channels) / modes[i].rate;
            double right = j % channels ? 0.5 : 1;

            in[j] = (int16_t)(right * 6000 * (sin(440 * t) + sin(660 * t)) + 3000 * sin(1320 * t));
        }
        delay = channels * spice_celt051_mode_delay(codec.mode);
        bad = code(&codec, in, FRAMES, values, modes[i].packet_size, out);
        snr = sound_snr(in + 10 * values, out + 10 * values + delay, count - 10 * values - delay);
        TAP_OK(bad == 0 && snr >= modes[i].snr, "a chord in %zu bytes a frame: %.1f dB",
               modes[i].packet_size, snr);
        codec_close(&codec);
    }
}

static void starts_afresh_after_a_reset(void)
{
    const SoundStream *stream = &sound_streams[1];
    Codec codec;
    size_t samples, different = 0;
    int16_t *in = sound_input(folder, stream, &samples);
    uint8_t *first = malloc(stream->frames * 47), packet[47];

    codec_open(&codec, 44100, 2, SOUND_FRAME);
    for (size_t f = 0; f < stream->frames; f++)
        spice_celt051_encode(codec.encoder, in + f * SOUND_FRAME_VALUES, first + 47 * f, 47, NULL);
    spice_celt051_encoder_reset(codec.encoder);
    for (size_t f = 0; f < stream->frames; f++) {
        spice_celt051_encode(codec.encoder, in + f * SOUND_FRAME_VALUES, packet, 47, NULL);
        different += memcmp(packet, first + 47 * f, 47) != 0;
    }
    TAP_OK(different == 0, "an encoder that was reset encodes as a new one");
    free(first);
    free(in);
    codec_close(&codec);
}

int main(int argc, char **argv)
{
    bool thorough = tap_long(argc, argv);

    if (argc < 2) {
        fprintf(stderr, "usage: test-celt051-encoder VECTORS [--long]\n");
        return 2;
    }
    folder = argv[1];
    for (int i = 0; i < SOUND_STREAMS; i++)
        if (sound_streams[i].snr > 0)
            sounds_as_good_as_the_reference(&sound_streams[i]);
    for (int i = 0; i < SOUND_STREAMS; i++)
        if (!strcmp(sound_streams[i].name, "noise") || !strcmp(sound_streams[i].name, "big160"))
            makes_the_packets_of_the_reference(&sound_streams[i], sound_streams[i].frames * 9 / 10);
    starts_afresh_after_a_reset();
    refuses_other_packet_sizes();
    works_in_other_modes();
    takes_every_packet_size(thorough);
    stays_lawful_whatever_comes(thorough);
    return tap_done();
}
