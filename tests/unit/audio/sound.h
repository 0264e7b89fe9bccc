/* Recorded sound and how near two sounds are.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** A recorded stream and what is known of it. */
typedef struct {
    const char *name;
    uint32_t rate;
    size_t packet_size, frames;
    double snr, segmental_snr; /* of the reference's encoder, dB; 0 if they mean nothing */
} SoundStream;

enum { SOUND_STREAMS = 11, SOUND_CHANNELS = 2, SOUND_FRAME = 256 };
enum { SOUND_FRAME_VALUES = SOUND_CHANNELS * SOUND_FRAME };

extern const SoundStream sound_streams[SOUND_STREAMS];

/** A file below the vectors' folder; free() it. Ends the program if it cannot be read. */
uint8_t *sound_load(const char *folder, const char *name, size_t *size);

/** One of a stream's files, of `count` bytes or samples; free() them. */
uint8_t *sound_packets(const char *folder, const SoundStream *stream, size_t *size);
int16_t *sound_input(const char *folder, const SoundStream *stream, size_t *samples);
int16_t *sound_output(const char *folder, const SoundStream *stream, size_t *samples);

/** dB; 999 if both are the same. */
double sound_snr(const int16_t *wanted, const int16_t *got, size_t count);

/** The mean over `frames` frames of SOUND_FRAME_VALUES samples that are not silent. */
double sound_segmental_snr(const int16_t *wanted, const int16_t *got, size_t frames);

int sound_largest_difference(const int16_t *a, const int16_t *b, size_t count);

/** The next of a row of random numbers; `state` is any number but 0. */
uint32_t sound_random(uint64_t *state);
