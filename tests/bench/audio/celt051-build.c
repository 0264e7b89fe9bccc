/* Compiled once for each way of building; BENCH_NAME is the function that gives it out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>

#include "bench-celt051.h"
#include "core/audio/celt051.h"

static const SpiceCelt051Mode *mode(void)
{
    static SpiceCelt051Mode *made;

    if (!made)
        made = spice_celt051_mode_new(&spice_allocator_libc, 44100, 2, 256, NULL);
    if (!made)
        abort();
    return made;
}

static void encode(const int16_t *pcm, size_t frames, uint8_t *packets)
{
    SpiceCelt051Encoder *encoder = spice_celt051_encoder_new(&spice_allocator_libc, mode());

    for (size_t f = 0; encoder && f < frames; f++)
        spice_celt051_encode(encoder, pcm + f * BENCH_FRAME_VALUES, packets + f * BENCH_PACKET_SIZE,
                             BENCH_PACKET_SIZE, NULL);
    spice_celt051_encoder_free(encoder);
}

static void decode(const uint8_t *packets, size_t frames, int16_t *pcm)
{
    SpiceCelt051Decoder *decoder = spice_celt051_decoder_new(&spice_allocator_libc, mode());

    for (size_t f = 0; decoder && f < frames; f++)
        spice_celt051_decode(decoder, packets + f * BENCH_PACKET_SIZE, BENCH_PACKET_SIZE,
                             pcm + f * BENCH_FRAME_VALUES, NULL);
    spice_celt051_decoder_free(decoder);
}

__attribute__((visibility("default"))) BenchCelt BENCH_NAME(void)
{
    return (BenchCelt){encode, decode};
}
