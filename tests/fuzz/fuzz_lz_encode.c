/* Any bytes as a picture: what the encoder makes of it must decode to it. The first four bytes are
 * type, width, placement of the rows and capacity.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/lz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 32, 8};
    SpiceLzEncoder *encoder;
    SpiceLzHeader header;
    SpiceLzTarget target = SPICE_LZ_TO_32;
    uint8_t type, *coded, *decoded;
    size_t width, row, height, capacity, coded_size, out_row;
    int way;

    if (size < 5 || size > 1 << 18)
        return 0;
    type = (uint8_t)(1 + data[0] % 11);
    width = 1 + data[1];
    way = data[2] & 3;
    row = (width * bits[type] + 7) / 8;
    capacity = data[3] < 64 ? size * data[3] / 64 : 2 * size + 64;
    data += 4;
    size -= 4;
    height = size / row;
    if (height == 0)
        return 0;

    encoder = spice_lz_encoder_new(&spice_allocator_libc, UINT32_MAX);
    coded = malloc(capacity ? capacity : 1);
    require(encoder && coded);
    for (int again = 0; again < 2; again++) { /* once more with what the first left behind */
        SpiceLzSource source = {type, (uint32_t)width, (uint32_t)height, data, (ptrdiff_t)row};

        if (way & 1) {
            source.top = data + row * (height - 1);
            source.stride = -source.stride;
        }
        if (way & 2 && height > 1) { /* every other row: rows with gaps */
            source.stride *= 2;
            source.height = (uint32_t)(height + 1) / 2;
            if (way & 1)
                source.top = data + 2 * row * (source.height - 1);
        }
        coded_size = spice_lz_encode(encoder, &source, coded, capacity);
        if (coded_size == 0) {
            require(capacity < 2 * size + 64);
            continue;
        }
        require(spice_lz_read_header(&header, coded, coded_size, UINT64_MAX, NULL));
        if (type <= SPICE_LZ_PLT8)
            target = SPICE_LZ_TO_INDICES;
        else if (type == SPICE_LZ_RGB16)
            target = SPICE_LZ_TO_555;
        else if (type >= SPICE_LZ_XXXA)
            target = SPICE_LZ_TO_PLANE;
        out_row = spice_lz_row_size(&header, target);
        decoded = malloc(out_row * header.height);
        require(decoded && spice_lz_decode(&header, coded, coded_size, target, decoded,
                                           (ptrdiff_t)out_row, 0, NULL));
        for (uint32_t y = 0; y < source.height; y++) {
            const uint8_t *in = source.top + (ptrdiff_t)y * source.stride;
            const uint8_t *out = decoded + y * out_row;

            if (target == SPICE_LZ_TO_INDICES || type == SPICE_LZ_A8) {
                require(!memcmp(in, out, out_row));
                continue;
            }
            for (size_t x = 0; x < width; x++) {
                if (type == SPICE_LZ_RGB16)
                    require(in[2 * x] == out[2 * x] && (in[2 * x + 1] & 0x7f) == out[2 * x + 1]);
                else if (type == SPICE_LZ_XXXA)
                    require(in[4 * x + 3] == out[x]);
                else
                    require(!memcmp(in + x * bits[type] / 8, out + 4 * x, 3) &&
                            out[4 * x + 3] == (type == SPICE_LZ_RGBA ? in[4 * x + 3] : 0));
            }
        }
        free(decoded);
    }
    free(coded);
    spice_lz_encoder_free(encoder);
    return 0;
}
