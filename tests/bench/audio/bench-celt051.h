/* The codec, built twice: as it is, and with its transforms as plain sums.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BENCH_FRAME_VALUES = 512, BENCH_PACKET_SIZE = 47 };

/** One way of building. Stereo, 44100 Hz; each call starts a new stream. */
typedef struct {
    void (*encode)(const int16_t *pcm, size_t frames, uint8_t *packets);
    void (*decode)(const uint8_t *packets, size_t frames, int16_t *pcm);
} BenchCelt;

/** Exported by the two libraries. */
BenchCelt bench_celt_fast(void);
BenchCelt bench_celt_direct(void);
