/* The CELT 0.5.1 decoder against recorded streams and malformed ones.
 *
 *     test-celt051 VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/audio/celt051-frame.h"
#include "core/audio/celt051.h"
#include "sound.h"

static const char *folder;
static SpiceCelt051Mode *mode_44100, *mode_48000;

static SpiceCelt051Decoder *new_decoder(uint32_t rate)
{
    return spice_celt051_decoder_new(&spice_allocator_libc,
                                     rate == 48000 ? mode_48000 : mode_44100);
}

/* How many frames of the stream "frames" are near the reference's, and how near the others are:
 * there prediction amplifies rounding. */
enum { STEADY_FRAMES = 350 };

static void decodes_as_the_reference(const SoundStream *stream)
{
    size_t size, samples, refused = 0;
    uint8_t *packets = sound_packets(folder, stream, &size);
    int16_t *wanted = sound_output(folder, stream, &samples);
    int16_t *got = malloc(stream->frames * SOUND_FRAME_VALUES * sizeof *got);
    SpiceCelt051Decoder *decoder = new_decoder(stream->rate);
    bool exact = strcmp(stream->name, "frames") != 0;
    size_t steady = (exact ? stream->frames : STEADY_FRAMES) * SOUND_FRAME_VALUES;
    bool complete = size == stream->frames * stream->packet_size &&
                    samples == stream->frames * SOUND_FRAME_VALUES;

    for (size_t f = 0; complete && f < stream->frames; f++)
        if (!spice_celt051_decode(decoder, packets + f * stream->packet_size, stream->packet_size,
                                  got + f * SOUND_FRAME_VALUES, NULL))
            refused++;
    TAP_OK(complete && refused == 0, "%s: %zu packets are taken", stream->name, stream->frames);
    if (complete) {
        int difference = sound_largest_difference(wanted, got, steady);

        TAP_OK(difference <= 2, "%s: no sample differs by more than %d", stream->name, difference);
        TAP_NOTE("SNR %.1f dB", sound_snr(wanted, got, samples));
    }
    if (complete && !exact) {
        double snr = sound_snr(wanted + steady, got + steady, samples - steady);

        TAP_OK(snr >= 45, "%s: the unsteady end is near: %.1f dB", stream->name, snr);
    }
    spice_celt051_decoder_free(decoder);
    free(got);
    free(wanted);
    free(packets);
}

/* The text that the trace has for a frame, but for levels, into `text`. */
static void describe_frame(const SpiceCelt051Frame *frame, int number, char *text, size_t size)
{
    const SpiceCelt051Mode *mode = mode_44100;
    const SpiceCelt051Shares *shares = &frame->shares;
    char *end = text + size;

#define PRINT(...) (text += snprintf(text, (size_t)(end - text), __VA_ARGS__))
    PRINT("frame %d\n", number);
    PRINT("pitch %d fold %d short %d shift %d time %d", frame->has_pitch, frame->folds,
          frame->transient.is_short, frame->transient.shift,
          frame->transient.is_short ? frame->transient.time : -1);
    if (frame->has_pitch)
        PRINT(" gain %d index %d", frame->gain, frame->position);
    PRINT("\n");
    for (int c = 0; c < 2; c++) {
        PRINT(" coarse");
        for (int i = 0; i < mode->bands; i++)
            PRINT(" %d", frame->energy.coarse[c][i]);
        PRINT("\n");
    }
    PRINT(" total %d\n fine_bits", shares->total);
    for (int i = 0; i < mode->bands; i++)
        PRINT(" %d", shares->fine_bits[i]);
    PRINT("\n alloc");
    for (int i = 0; i < mode->bands; i++)
        PRINT(" %d", (int)shares->pulses[i]);
    PRINT("\n");
    for (int c = 0; c < 2; c++) {
        PRINT(" fine");
        for (int i = 0; i < mode->bands; i++)
            if (shares->fine_bits[i] > 0)
                PRINT(" %d:%u", i, (unsigned)frame->energy.fine[c][i]);
        PRINT("\n");
    }
    for (int i = 0; i < mode->bands; i++) {
        PRINT(" band %d tell16 %d q %d", i, (int)frame->used[i], frame->pulse_count[i]);
        if (frame->pulse_count[i] > 0)
            PRINT(" y");
        for (int j = 2 * mode->edge[i]; j < 2 * mode->edge[i + 1]; j++)
            if (frame->pulses[j] != 0)
                PRINT(" %d:%d", j - 2 * mode->edge[i], frame->pulses[j]);
        PRINT("\n");
    }
    PRINT(" end tell16 %d\n", (int)frame->used[mode->bands]);
#undef PRINT
}

/* Whether the levels of a channel are those of a line " dB0 1.000 2.000...". */
static bool has_levels(const char *line, const float *levels, int count)
{
    char *next;

    line += strlen(" dB0");
    for (int i = 0; i < count; i++) {
        double wanted = strtod(line, &next);

        if (next == line || fabs(wanted - levels[i]) > 0.002)
            return false;
        line = next;
    }
    return true;
}

/* Compares a frame with the trace at `*trace`, and moves that on to the next frame. Tells of the
 * first difference. */
static bool frame_is_as_traced(char **trace, const char *text, const SpiceCelt051Energy *energy)
{
    do {
        char *line = *trace, *end = strchr(line, '\n');
        size_t length = strcspn(text, "\n");

        if (!end)
            return false;
        *end = '\0';
        *trace = end + 1;
        if (!strncmp(line, " dB", 3)) {
            if (!has_levels(line, energy->level[line[3] - '0'], mode_44100->bands)) {
                TAP_NOTE("levels are not %s", line);
                return false;
            }
            continue;
        }
        /* The trace has " tell N" at the end of the first line. */
        if (strncmp(line, text, length) || (line[length] && strncmp(line + length, " tell ", 6))) {
            TAP_NOTE("%.*s, not %s", (int)length, text, line);
            return false;
        }
        text += length + 1;
    } while (*text);
    return true;
}

static void takes_packets_apart_as_traced(void)
{
    enum { TRACED = 60 };
    const SoundStream *stream = NULL;
    static SpiceCelt051Frame frame;
    static SpiceCelt051Energy energy;
    static char text[16384];
    size_t size, trace_size;
    uint8_t *packets;
    char *trace, *at;
    int f = 0;

    for (int i = 0; i < SOUND_STREAMS; i++)
        if (!strcmp(sound_streams[i].name, "syntax"))
            stream = &sound_streams[i];
    packets = sound_packets(folder, stream, &size);
    trace = at = (char *)sound_load(folder, "syntax.trace.txt", &trace_size);
    trace[trace_size] = '\0';
    for (; f < TRACED; f++) {
        spice_celt051_read_frame(mode_44100, packets + 47 * f, 47, &frame);
        spice_celt051_apply_coarse(mode_44100, &frame.energy, &energy);
        spice_celt051_apply_fine(mode_44100, &frame.energy, &frame.shares, &energy);
        describe_frame(&frame, f, text, sizeof text);
        if (!frame_is_as_traced(&at, text, &energy))
            break;
    }
    TAP_OK(f == TRACED && *at == '\0', "syntax: %d frames hold the values of the trace", f);
    free(trace);
    free(packets);
}

/* The line "NAME: i j k N frames, M refused", as a list. */
static bool is_refused(const char *line, long packet)
{
    const char *frames = strstr(line, " frames,");
    char *next;

    while (frames[-1] != ' ')
        frames--;
    for (line = strchr(line, ':') + 1; line < frames; line = next) {
        long number = strtol(line, &next, 10);

        if (next == line)
            break;
        if (next < frames && number == packet)
            return true;
    }
    return false;
}

static void refuses_what_the_reference_refuses(const char *line)
{
    char name[64];
    size_t size, at = 0, name_length = strcspn(line, ":");
    uint8_t *data;
    int16_t pcm[SOUND_FRAME_VALUES];
    SpiceCelt051Decoder *decoder = new_decoder(44100);
    long packet = 0, wrong = 0, refused = 0;

    snprintf(name, sizeof name, "bad/%.*s.lp", (int)name_length, line);
    data = sound_load(folder, name, &size);
    for (; at + 2 <= size; packet++) {
        size_t length = (size_t)(data[at] | data[at + 1] << 8);
        SpiceError error = {0};

        at += 2;
        if (length > size - at)
            break;
        if (!spice_celt051_decode(decoder, data + at, length, pcm, &error)) {
            refused++;
            if (error.code != SPICE_ERROR_CORRUPT)
                wrong++;
        }
        if ((error.code != SPICE_OK) != is_refused(line, packet))
            wrong++;
        at += length;
    }
    TAP_OK(packet > 0 && wrong == 0 && at == size, "bad/%.*s: %ld of %ld packets are refused",
           (int)name_length, line, refused, packet);
    spice_celt051_decoder_free(decoder);
    free(data);
}

static void refuses_bad_packets(void)
{
    size_t size;
    char *list = (char *)sound_load(folder, "bad/refused.txt", &size), *line;
    int files = 0;

    list[size] = '\0';
    for (line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
        refuses_what_the_reference_refuses(line);
        files++;
    }
    TAP_OK(files == 10, "all of bad/ was decoded");
    free(list);
}

/* Decodes a sound stream with a fresh decoder and with one that has been through worse. The first
 * frame from which on the sound is louder than the difference. */
static size_t frames_to_recover(SpiceCelt051Decoder *decoder, const SoundStream *stream)
{
    SpiceCelt051Decoder *fresh = new_decoder(stream->rate);
    int16_t wanted[SOUND_FRAME_VALUES], got[SOUND_FRAME_VALUES];
    size_t size, last = 0;
    uint8_t *packets = sound_packets(folder, stream, &size);

    for (size_t f = 0; f < stream->frames; f++) {
        const uint8_t *packet = packets + f * stream->packet_size;

        spice_celt051_decode(fresh, packet, stream->packet_size, wanted, NULL);
        spice_celt051_decode(decoder, packet, stream->packet_size, got, NULL);
        if (sound_snr(wanted, got, SOUND_FRAME_VALUES) < 0)
            last = f + 1;
    }
    spice_celt051_decoder_free(fresh);
    free(packets);
    return last;
}

static void decode_list(SpiceCelt051Decoder *decoder, const char *name, long count)
{
    size_t size, at = 0;
    uint8_t *data = sound_load(folder, name, &size);
    int16_t pcm[SOUND_FRAME_VALUES];

    for (long packet = 0; at + 2 <= size && packet < count; packet++) {
        size_t length = (size_t)(data[at] | data[at + 1] << 8);

        spice_celt051_decode(decoder, data + at + 2, length, pcm, NULL);
        at += 2 + length;
    }
    free(data);
}

static void recovers_from_the_loudest_packets(void)
{
    static const struct {
        const char *name;
        long loud; /* packets before good ones follow */
    } lists[] = {{"bad/energy.lp", 60}, {"bad/energy_long.lp", 30}};

    for (int i = 0; i < 2; i++) {
        SpiceCelt051Decoder *decoder = new_decoder(44100);
        size_t frames;

        decode_list(decoder, lists[i].name, lists[i].loud);
        frames = frames_to_recover(decoder, &sound_streams[1]);
        TAP_OK(frames <= 20, "%s: sound is right again after %zu frames", lists[i].name, frames);
        spice_celt051_decoder_free(decoder);
    }
}

static void survives_random_packets(bool thorough)
{
    static uint8_t packet[SPICE_CELT051_MAX_PACKET_SIZE + 1];
    const int count = thorough ? 100000 : 2000;
    SpiceCelt051Decoder *decoder = new_decoder(44100);
    int16_t pcm[SOUND_FRAME_VALUES];
    uint64_t state = 1;
    int odd = 0, refused = 0;
    size_t frames;

    for (int i = 0; i < count; i++) {
        size_t size = sound_random(&state) % 4 ? sound_random(&state) % 100
                                               : sound_random(&state) % sizeof packet;
        bool steady = sound_random(&state) % 4 == 0;
        SpiceError error = {0};

        for (size_t j = 0; j < size; j++)
            packet[j] = (uint8_t)sound_random(&state);
        if (steady && size > 1) /* no pitch, short blocks, shift */
            packet[0] = (uint8_t)(0x78 | (packet[0] & 7));
        if (!spice_celt051_decode(decoder, packet, size, pcm, &error)) {
            refused++;
            if (error.code != SPICE_ERROR_CORRUPT)
                odd++;
            for (int j = 0; j < SOUND_FRAME_VALUES; j++)
                odd += pcm[j] != 0;
        }
    }
    TAP_OK(odd == 0, "%d random packets: %d are refused, and silent", count, refused);
    frames = frames_to_recover(decoder, &sound_streams[1]);
    TAP_OK(frames <= 20, "sound is right again %zu frames after them", frames);
    spice_celt051_decoder_free(decoder);
}

static void refuses_a_packet_that_is_too_long(void)
{
    static const uint8_t packet[SPICE_CELT051_MAX_PACKET_SIZE + 1];
    SpiceCelt051Decoder *decoder = new_decoder(44100);
    int16_t pcm[SOUND_FRAME_VALUES];
    SpiceError error = {0};

    TAP_OK(!spice_celt051_decode(decoder, packet, sizeof packet, pcm, &error) &&
               error.code == SPICE_ERROR_LIMIT,
           "a packet of %zu bytes is refused", sizeof packet);
    spice_celt051_decoder_free(decoder);
}

static void starts_afresh_after_a_reset(void)
{
    const SoundStream *stream = &sound_streams[0];
    SpiceCelt051Decoder *decoder = new_decoder(44100);
    size_t size, different = 0;
    uint8_t *packets = sound_packets(folder, stream, &size);
    int16_t *first = malloc(stream->frames * SOUND_FRAME_VALUES * sizeof *first);
    int16_t pcm[SOUND_FRAME_VALUES];

    for (size_t f = 0; f < stream->frames; f++)
        spice_celt051_decode(decoder, packets + f * stream->packet_size, stream->packet_size,
                             first + f * SOUND_FRAME_VALUES, NULL);
    spice_celt051_conceal(decoder, pcm);
    spice_celt051_decoder_reset(decoder);
    for (size_t f = 0; f < stream->frames; f++) {
        spice_celt051_decode(decoder, packets + f * stream->packet_size, stream->packet_size, pcm,
                             NULL);
        different += memcmp(pcm, first + f * SOUND_FRAME_VALUES, sizeof pcm) != 0;
    }
    TAP_OK(different == 0, "a decoder that was reset decodes as a new one");
    spice_celt051_decoder_free(decoder);
    free(first);
    free(packets);
}

static double power(const int16_t *pcm, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)pcm[i] * pcm[i];
    return sum / (double)count;
}

/* Loses one packet after `before`; how near the concealed frame is to what was lost, dB. */
static double conceals_a_frame(const SoundStream *stream, size_t before)
{
    SpiceCelt051Decoder *decoder = new_decoder(stream->rate);
    size_t size, samples;
    uint8_t *packets = sound_packets(folder, stream, &size);
    int16_t *wanted = sound_output(folder, stream, &samples);
    int16_t pcm[SOUND_FRAME_VALUES];
    double snr;

    for (size_t f = 0; f < before; f++)
        spice_celt051_decode(decoder, packets + f * stream->packet_size, stream->packet_size, pcm,
                             NULL);
    spice_celt051_conceal(decoder, pcm);
    snr = sound_snr(wanted + before * SOUND_FRAME_VALUES, pcm, SOUND_FRAME_VALUES);
    spice_celt051_decoder_free(decoder);
    free(wanted);
    free(packets);
    return snr;
}

static void fills_gaps_with_what_was_before(void)
{
    double chord = 0, tone = 0;

    for (size_t before = 40; before < 120; before += 10)
        chord += conceals_a_frame(&sound_streams[5], before) / 8;
    for (size_t before = 20; before < 48; before += 4)
        tone += conceals_a_frame(&sound_streams[10], before) / 7;
    TAP_OK(chord > 2, "a lost frame of a chord is filled: %.1f dB", chord);
    TAP_OK(tone > 10, "a lost frame of a tone is filled: %.1f dB", tone);
}

static void fades_to_silence(void)
{
    enum { LOST = SPICE_CELT051_MAX_CONCEALED + 4 };
    const SoundStream *stream = &sound_streams[5];
    SpiceCelt051Decoder *decoder = new_decoder(stream->rate);
    size_t size;
    uint8_t *packets = sound_packets(folder, stream, &size);
    int16_t pcm[SOUND_FRAME_VALUES];
    double powers[1 + LOST];
    size_t frames;

    for (size_t f = 0; f < 60; f++)
        spice_celt051_decode(decoder, packets + f * stream->packet_size, stream->packet_size, pcm,
                             NULL);
    powers[0] = power(pcm, SOUND_FRAME_VALUES);
    for (int i = 1; i <= LOST; i++) {
        spice_celt051_decode(decoder, NULL, 0, pcm, NULL);
        powers[i] = power(pcm, SOUND_FRAME_VALUES);
    }
    TAP_OK(powers[1] > powers[0] / 4 && powers[1] < powers[0] * 2 && powers[5] > powers[0] / 20,
           "lost frames go on");
    TAP_OK(powers[10] < powers[1] / 3, "lost frames fade");
    TAP_OK(powers[LOST] == 0, "after %d lost frames there is silence", LOST);
    frames = frames_to_recover(decoder, &sound_streams[1]);
    TAP_OK(frames <= 10, "sound is right again %zu frames after a gap", frames);
    spice_celt051_decoder_free(decoder);
    free(packets);
}

int main(int argc, char **argv)
{
    bool thorough = tap_long(argc, argv);

    if (argc < 2) {
        fprintf(stderr, "usage: test-celt051 VECTORS [--long]\n");
        return 2;
    }
    folder = argv[1];
    mode_44100 = spice_celt051_mode_new(&spice_allocator_libc, 44100, 2, 256, NULL);
    mode_48000 = spice_celt051_mode_new(&spice_allocator_libc, 48000, 2, 256, NULL);
    if (!TAP_OK(mode_44100 && mode_48000, "the modes of SPICE are made"))
        return tap_done();
    for (int i = 0; i < SOUND_STREAMS; i++)
        decodes_as_the_reference(&sound_streams[i]);
    takes_packets_apart_as_traced();
    refuses_bad_packets();
    recovers_from_the_loudest_packets();
    refuses_a_packet_that_is_too_long();
    starts_afresh_after_a_reset();
    fills_gaps_with_what_was_before();
    fades_to_silence();
    survives_random_packets(thorough);
    spice_celt051_mode_free(mode_44100);
    spice_celt051_mode_free(mode_48000);
    return tap_done();
}
