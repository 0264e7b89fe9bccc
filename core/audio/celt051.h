/* CELT 0.5.1: the lossy sound codec of old SPICE servers and clients (audio mode CELT_0_5_1). It is
 * neither Opus nor any later CELT. Bit-stream version 0x80000006.
 *
 * A frame is `frame_size` samples of each channel, signed 16 bit in the machine's byte order, left
 * and right interleaved; a packet is one frame without any header, so its length (constant in a
 * sound stream) must come from outside. SPICE uses 256 samples a channel, stereo, and 47 bytes
 * whatever the rate. The decoder's output is frame_size/2 = 128 samples (its overlap) behind the
 * encoder's input.
 *
 * Threads: a mode does not change once built and may be used from several threads; an encoder or a
 * decoder may be used from one thread at a time. There is no other shared state.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/wire/arena.h"
#include "core/wire/error.h"

enum {
    SPICE_CELT051_FRAME_SIZE = 256, /* samples a channel, in SPICE */
    SPICE_CELT051_PACKET_SIZE = 47, /* bytes, in SPICE */
    SPICE_CELT051_CHANNELS = 2,     /* in SPICE */
    SPICE_CELT051_MIN_RATE = 32000, /* Hz */
    SPICE_CELT051_MAX_RATE = 96000,
    SPICE_CELT051_MIN_FRAME_SIZE = 64,
    SPICE_CELT051_MAX_FRAME_SIZE = 512,
    SPICE_CELT051_MIN_ENCODED_SIZE = 20, /* bytes: the least that spice_celt051_encode() makes */
    SPICE_CELT051_MAX_PACKET_SIZE = 4096,
    /* Lost frames in a row that are filled from the past; then there is silence. */
    SPICE_CELT051_MAX_CONCEALED = 10,
};

/** What follows from rate, channels and frame size: bands, tables, windows. */
typedef struct SpiceCelt051Mode SpiceCelt051Mode;

/** A mode for `rate` Hz (32000 to 96000), 1 or 2 `channels` and frames of `frame_size` samples a
 * channel (even, 64 to 512). NULL and SPICE_ERROR_VALUE if one is outside of that,
 * SPICE_ERROR_UNSUPPORTED for combinations that leave a band without bins or whose short blocks
 * are not a multiple of 4 long, SPICE_ERROR_MEMORY if the allocator refuses. The allocator must
 * outlive the mode. About 30 kB; building it takes less than a millisecond. */
SpiceCelt051Mode *spice_celt051_mode_new(const SpiceAllocator *allocator, uint32_t rate,
                                         uint32_t channels, uint32_t frame_size, SpiceError *error);
void spice_celt051_mode_free(SpiceCelt051Mode *mode);

/** Samples a channel by which the decoder's output lags behind the encoder's input. */
uint32_t spice_celt051_mode_delay(const SpiceCelt051Mode *mode);

typedef struct SpiceCelt051Decoder SpiceCelt051Decoder;

/** NULL if the allocator refuses. The mode and the allocator must outlive the decoder. */
SpiceCelt051Decoder *spice_celt051_decoder_new(const SpiceAllocator *allocator,
                                               const SpiceCelt051Mode *mode);
void spice_celt051_decoder_free(SpiceCelt051Decoder *decoder);

/** As if newly made: for a new stream. SPICE clients do so at every START. */
void spice_celt051_decoder_reset(SpiceCelt051Decoder *decoder);

/** Decodes one packet into `pcm` (frame_size x channels samples), which is always written in full.
 * The state moves on by one frame in any case. False:
 *   SPICE_ERROR_CORRUPT  the packet contradicts itself; `pcm` is silence. What was decoded stays in
 *                        the state, as in the reference decoder, and later packets heal it.
 *   SPICE_ERROR_LIMIT    more than SPICE_CELT051_MAX_PACKET_SIZE bytes; taken for lost.
 * Any bytes of any length give some sound: damage is mostly not noticed. An empty packet stands for
 * a lost one. */
bool spice_celt051_decode(SpiceCelt051Decoder *decoder, const uint8_t *packet, size_t size,
                          int16_t *pcm, SpiceError *error);

/** One frame in place of a lost packet: the past goes on with its period, fading, and after
 * SPICE_CELT051_MAX_CONCEALED frames in a row there is silence. */
void spice_celt051_conceal(SpiceCelt051Decoder *decoder, int16_t *pcm);

typedef struct SpiceCelt051Encoder SpiceCelt051Encoder;

/** NULL if the allocator refuses. The mode and the allocator must outlive the encoder. */
SpiceCelt051Encoder *spice_celt051_encoder_new(const SpiceAllocator *allocator,
                                               const SpiceCelt051Mode *mode);
void spice_celt051_encoder_free(SpiceCelt051Encoder *encoder);

/** As if newly made: for a new stream. */
void spice_celt051_encoder_reset(SpiceCelt051Encoder *encoder);

/** Encodes frame_size x channels samples into exactly `size` bytes, all of which are written. False
 * and SPICE_ERROR_VALUE if `size` is not within SPICE_CELT051_MIN_ENCODED_SIZE and
 * SPICE_CELT051_MAX_PACKET_SIZE; nothing has changed then. */
bool spice_celt051_encode(SpiceCelt051Encoder *encoder, const int16_t *pcm, uint8_t *packet,
                          size_t size, SpiceError *error);
