/* Any bytes as CELT 0.5.1 packets: a byte for the mode, then packets, each after its length in 16
 * bits. Two decoders must give the same, and every value in a packet must be in its range.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "celt051-modes.h"
#include "core/audio/celt051-frame.h"
#include "core/audio/celt051-pulses.h"

enum { MAX_PACKETS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_values(const SpiceCelt051Mode *mode, const uint8_t *packet, size_t size)
{
    static SpiceCelt051Frame frame;

    memset(&frame, 0, sizeof frame);
    spice_celt051_read_frame(mode, packet, (uint32_t)size, &frame);
    require(frame.gain >= 0 && frame.gain < SPICE_CELT051_GAIN_ENTRIES);
    require(frame.position >= 0 && frame.position + mode->span < SPICE_CELT051_HISTORY);
    require(frame.transient.time >= 0 && frame.transient.time < mode->span);
    require(!frame.has_pitch || !frame.transient.is_short);
    for (int i = 0; i < mode->bands; i++) {
        int sum = 0;

        for (int c = 0; c < mode->channels; c++)
            require(frame.energy.coarse[c][i] >= -40 && frame.energy.coarse[c][i] <= 40);
        require(frame.shares.fine_bits[i] >= 0 && frame.shares.fine_bits[i] <= 7);
        require(frame.pulse_count[i] >= 0 && frame.pulse_count[i] <= SPICE_CELT051_MAX_PULSES);
        for (int j = mode->channels * mode->edge[i]; j < mode->channels * mode->edge[i + 1]; j++)
            sum += abs(frame.pulses[j]);
        require(sum == frame.pulse_count[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const SpiceCelt051Mode *mode;
    SpiceCelt051Decoder *decoders[2];
    int16_t *pcm[2];
    size_t values, at = 1;

    if (size < 1)
        return 0;
    mode = celt051_mode(data[0] % CELT051_SHAPES);
    values = (size_t)(mode->channels * mode->frame_size);
    for (int i = 0; i < 2; i++) {
        decoders[i] = spice_celt051_decoder_new(&spice_allocator_libc, mode);
        pcm[i] = malloc(values * sizeof *pcm[i]);
        require(decoders[i] && pcm[i]);
        memset(pcm[i], 0x55 << i, values * sizeof *pcm[i]); /* all of it must be written over */
    }
    for (int count = 0; count < MAX_PACKETS && at + 2 <= size; count++) {
        size_t length = (size_t)(data[at] | data[at + 1] << 8);
        bool taken[2];

        at += 2;
        length = length < size - at ? length : size - at;
        for (int i = 0; i < 2; i++) {
            SpiceError error = {0};
            uint8_t *packet = malloc(length + 1); /* of its own, so that its ends are watched */

            memcpy(packet, data + at, length);
            packet = realloc(packet, length ? length : 1);
            taken[i] = spice_celt051_decode(decoders[i], packet, length, pcm[i], &error);
            require(taken[i] || error.code == SPICE_ERROR_CORRUPT ||
                    error.code == SPICE_ERROR_LIMIT);
            free(packet);
        }
        require(taken[0] == taken[1] && !memcmp(pcm[0], pcm[1], values * sizeof *pcm[0]));
        if (length <= SPICE_CELT051_MAX_PACKET_SIZE)
            check_values(mode, data + at, length);
        at += length;
    }
    for (int i = 0; i < 2; i++) {
        spice_celt051_decoder_free(decoders[i]);
        free(pcm[i]);
    }
    return 0;
}
