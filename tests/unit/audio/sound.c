/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const SoundStream sound_streams[SOUND_STREAMS] = {
    {"sweep", 44100, 47, 160, 6.9, 16.4},   {"speech", 44100, 47, 160, 12.6, 8.9},
    {"noise", 44100, 47, 160, 6.9, 6.8},    {"castanets", 44100, 47, 160, 5.6, 14.2},
    {"silence", 44100, 47, 160, 6.1, 13.7}, {"panning", 44100, 47, 160, 20.8, 21.3},
    {"saw", 44100, 47, 160, 15.1, 15.8},    {"syntax", 44100, 47, 160, 0, 0},
    {"big160", 44100, 160, 40, 17.0, 23.4}, {"rate48000", 48000, 47, 60, 10.4, 9.2},
    {"frames", 44100, 47, 400, 8.1, 9.9},
};

uint8_t *sound_load(const char *folder, const char *name, size_t *size)
{
    enum { MOST = 1 << 20 };
    char path[4096];
    uint8_t *data = malloc(MOST);
    FILE *file;

    snprintf(path, sizeof path, "%s/celt051/%s", folder, name);
    file = fopen(path, "rb");
    if (!data || !file) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    *size = fread(data, 1, MOST, file);
    fclose(file);
    return data;
}

uint8_t *sound_packets(const char *folder, const SoundStream *stream, size_t *size)
{
    char name[64];

    snprintf(name, sizeof name, "%s.celt", stream->name);
    return sound_load(folder, name, size);
}

/* Little endian to the machine's. */
static int16_t *load_samples(const char *folder, const SoundStream *stream, const char *kind,
                             size_t *count)
{
    char name[64];
    uint8_t *bytes;
    int16_t *samples;

    if (!strcmp(stream->name, "frames"))
        snprintf(name, sizeof name, "%s.s16", kind);
    else
        snprintf(name, sizeof name, "%s.%s.s16", stream->name, kind);
    bytes = sound_load(folder, name, count);
    *count /= 2;
    samples = malloc((*count + 1) * sizeof *samples);
    for (size_t i = 0; samples && i < *count; i++)
        samples[i] = (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
    free(bytes);
    return samples;
}

int16_t *sound_input(const char *folder, const SoundStream *stream, size_t *samples)
{
    return load_samples(folder, stream, "in", samples);
}

int16_t *sound_output(const char *folder, const SoundStream *stream, size_t *samples)
{
    return load_samples(folder, stream, "out", samples);
}

static void add_powers(const int16_t *wanted, const int16_t *got, size_t count, double *signal,
                       double *noise)
{
    for (size_t i = 0; i < count; i++) {
        double difference = (double)wanted[i] - got[i];

        *signal += (double)wanted[i] * wanted[i];
        *noise += difference * difference;
    }
}

double sound_snr(const int16_t *wanted, const int16_t *got, size_t count)
{
    double signal = 0, noise = 0;

    add_powers(wanted, got, count, &signal, &noise);
    return noise > 0 ? 10 * log10(signal / noise) : 999;
}

double sound_segmental_snr(const int16_t *wanted, const int16_t *got, size_t frames)
{
    double sum = 0;
    int counted = 0;

    for (size_t f = 0; f < frames; f++) {
        double signal = 0, noise = 0, snr;

        add_powers(wanted + f * SOUND_FRAME_VALUES, got + f * SOUND_FRAME_VALUES,
                   SOUND_FRAME_VALUES, &signal, &noise);
        if (signal <= 100.0 * SOUND_FRAME_VALUES)
            continue;
        snr = noise > 0 ? 10 * log10(signal / noise) : 35;
        sum += snr < -10 ? -10 : snr > 35 ? 35 : snr;
        counted++;
    }
    return counted ? sum / counted : 0;
}

int sound_largest_difference(const int16_t *a, const int16_t *b, size_t count)
{
    int largest = 0;

    for (size_t i = 0; i < count; i++)
        if (abs(a[i] - b[i]) > largest)
            largest = abs(a[i] - b[i]);
    return largest;
}

uint32_t sound_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}
