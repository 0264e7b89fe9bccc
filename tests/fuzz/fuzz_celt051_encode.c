/* Any bytes as sound: a byte for the mode, two for the size of a packet, then samples. What the
 * encoder makes of them must be what its decoder calls sound.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "celt051-modes.h"
#include "core/audio/celt051-mode.h"

enum { MAX_FRAMES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const SpiceCelt051Mode *mode;
    SpiceCelt051Encoder *encoder;
    SpiceCelt051Decoder *decoder;
    size_t values, packet_size;
    int16_t *in, *out;
    uint8_t *packet;

    if (size < 3)
        return 0;
    mode = celt051_mode(data[0] % CELT051_SHAPES);
    packet_size = (size_t)(data[1] | data[2] << 8);
    /* Mostly small ones. */
    packet_size = SPICE_CELT051_MIN_ENCODED_SIZE +
                  packet_size % (packet_size % 8 ? 128
                                                 : SPICE_CELT051_MAX_PACKET_SIZE + 1 -
                                                       SPICE_CELT051_MIN_ENCODED_SIZE);
    values = (size_t)(mode->channels * mode->frame_size);
    encoder = spice_celt051_encoder_new(&spice_allocator_libc, mode);
    decoder = spice_celt051_decoder_new(&spice_allocator_libc, mode);
    in = malloc(values * sizeof *in);
    out = malloc(values * sizeof *out);
    packet = malloc(packet_size);
    require(encoder && decoder && in && out && packet);
    data += 3;
    size -= 3;
    for (int f = 0; f < MAX_FRAMES && size > 0; f++) {
        size_t taken = size < values * sizeof *in ? size : values * sizeof *in;

        memset(in, 0, values * sizeof *in);
        memcpy(in, data, taken);
        data += taken;
        size -= taken;
        require(spice_celt051_encode(encoder, in, packet, packet_size, NULL));
        require(spice_celt051_decode(decoder, packet, packet_size, out, NULL));
    }
    free(packet);
    free(out);
    free(in);
    spice_celt051_decoder_free(decoder);
    spice_celt051_encoder_free(encoder);
    return 0;
}
