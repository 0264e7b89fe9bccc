/* Any bytes as a QUIC stream, decoded in both ways of computing, which must agree; and as a
 * picture, which must come back from its encoding.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/quic.h"
#include "core/image/work.h"

enum { MAX_PIXELS = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* 0 and what this processor has. */
static SpiceCpuFlags flags_of(int way)
{
#if defined(__x86_64__)
    if (way && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return UINT32_MAX;
#endif
    return 0;
}

/* Decodes rows without gaps; free() the result. NULL if it is refused. */
static uint8_t *decode(const uint8_t *data, size_t size, SpiceQuicTarget target, int way,
                       size_t *decoded_size)
{
    SpiceQuicDecoder *decoder = spice_quic_decoder_new(&spice_allocator_libc, flags_of(way));
    SpiceQuicHeader header;
    SpiceError error = {0};
    uint8_t *memory = NULL;

    require(decoder != NULL);
    if (spice_quic_read_header(&header, data, size, MAX_PIXELS, &error)) {
        size_t row = spice_quic_row_size(&header, target);

        if (row) {
            *decoded_size = row * header.height;
            memory = malloc(*decoded_size);
            spice_image_work = 0;
            if (memory && !spice_quic_decode(decoder, &header, data, size, target, memory,
                                             (ptrdiff_t)row, &error)) {
                free(memory);
                memory = NULL;
            }
            /* four symbols and two runs that may be empty for a pixel, and what a run's code takes */
            require(spice_image_work <= 8 * (uint64_t)header.width * header.height + size);
        }
    }
    spice_quic_decoder_free(decoder);
    return memory;
}

static void as_stream(const uint8_t *data, size_t size)
{
    for (SpiceQuicTarget target = SPICE_QUIC_TO_32; target <= SPICE_QUIC_TO_GRAY; target++) {
        size_t sizes[2] = {0, 0};
        uint8_t *one = decode(data, size, target, 0, &sizes[0]);
        uint8_t *two = decode(data, size, target, 1, &sizes[1]);

        require(!one == !two);
        require(!one || !memcmp(one, two, sizes[0]));
        free(one);
        free(two);
    }
}

static void as_picture(const uint8_t *data, size_t size)
{
    static const uint8_t pixel_sizes[] = {0, 1, 2, 3, 4, 4};
    uint8_t type = (uint8_t)(1 + data[0] % 5), *coded[2], *decoded;
    size_t width = 1 + data[1], row = width * pixel_sizes[type], coded_size[2], decoded_size;
    size_t height = (size - 2) / row, capacity = 64 + width * height * 17;
    SpiceQuicTarget target = type == SPICE_QUIC_GRAY    ? SPICE_QUIC_TO_GRAY
                             : type == SPICE_QUIC_RGB16 ? SPICE_QUIC_TO_555
                                                        : SPICE_QUIC_TO_32;

    if (height == 0)
        return;
    for (int way = 0; way < 2; way++) {
        SpiceQuicEncoder *encoder = spice_quic_encoder_new(&spice_allocator_libc, flags_of(way));
        SpiceQuicSource source = {type, (uint32_t)width, (uint32_t)height, data + 2,
                                  (ptrdiff_t)row};

        coded[way] = malloc(capacity);
        require(encoder && coded[way]);
        coded_size[way] = spice_quic_encode(encoder, &source, coded[way], capacity);
        require(coded_size[way] != 0);
        spice_quic_encoder_free(encoder);
    }
    require(coded_size[0] == coded_size[1] && !memcmp(coded[0], coded[1], coded_size[0]));
    decoded = decode(coded[0], coded_size[0], target, 1, &decoded_size);
    require(decoded != NULL);
    for (size_t i = 0; i < width * height; i++) {
        const uint8_t *in = data + 2 + i * pixel_sizes[type];

        if (type == SPICE_QUIC_GRAY)
            require(decoded[i] == in[0]);
        else if (type == SPICE_QUIC_RGB16)
            require(decoded[2 * i] == in[0] && decoded[2 * i + 1] == (in[1] & 0x7f));
        else
            require(!memcmp(decoded + 4 * i, in, 3) &&
                    decoded[4 * i + 3] == (type == SPICE_QUIC_RGBA ? in[3] : 0));
    }
    free(coded[0]);
    free(coded[1]);
    free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_stream(data, size);
    if (size > 2 && size < 1 << 16)
        as_picture(data, size);
    return 0;
}
