/* Any bytes as a sequence of GLZ images on two channels of a client with a small window, where each
 * is a channel (1 byte), a size (2 bytes) and data; and as pictures, which must come back in spite
 * of a small dictionary.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/bytes.h"
#include "core/image/glz.h"
#include "core/image/work.h"

enum { MAX_PIXELS = 1 << 16, WINDOW = 1 << 17, MAX_IMAGES = 32, CHANNELS = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void as_sequence(const uint8_t *data, size_t size)
{
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, WINDOW, MAX_IMAGES);
    SpiceGlzDecoder *decoders[CHANNELS];
    bool waiting[CHANNELS] = {false};
    SpiceError error = {0};
    SpiceGlzImage image;
    uint64_t missing, pixels = 0;
    const size_t whole = size;

    require(window != NULL);
    spice_image_work = 0;
    for (int c = 0; c < CHANNELS; c++)
        require((decoders[c] = spice_glz_decoder_new(window)) != NULL);
    while (size >= 3 && error.code == SPICE_OK) {
        int c = data[0] % CHANNELS;
        size_t length = spice_load16(data + 1);
        SpiceGlzHeader header;

        data += 3;
        size -= 3;
        length = length < size ? length : size;
        if (!waiting[c] && spice_glz_read_header(&header, data, length, MAX_PIXELS, &error) &&
            spice_glz_decoder_start(decoders[c], &header, data, length, &error)) {
            waiting[c] = true;
            pixels += (uint64_t)header.width * header.height;
        }
        for (int i = 0; i < CHANNELS && error.code == SPICE_OK; i++) {
            SpiceGlzStatus status;

            if (!waiting[i])
                continue;
            status = spice_glz_decoder_run(decoders[i], &image, &missing, &error);
            require((status == SPICE_GLZ_BAD) == (error.code != SPICE_OK));
            waiting[i] = status == SPICE_GLZ_WAIT;
            if (status == SPICE_GLZ_DONE) {
                size_t row = 4 * (size_t)image.header.width;
                uint8_t *copy = malloc(row * image.header.height);

                require(copy != NULL);
                spice_glz_image_copy(&image, copy, (ptrdiff_t)row);
                free(copy);
            }
        }
        data += length;
        size -= length;
    }
    /* two passes */
    require(spice_image_work <= 2 * pixels + whole);
    for (int c = 0; c < CHANNELS; c++)
        spice_glz_decoder_free(decoders[c]);
    spice_glz_window_free(window);
}

static void as_pictures(const uint8_t *data, size_t size)
{
    SpiceGlzDictionary *dictionary = spice_glz_dictionary_new(&spice_allocator_libc, 600, 0);
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 2000, 2000);
    SpiceGlzDecoder *decoder = spice_glz_decoder_new(window);
    static const uint8_t pixel_sizes[] = {2, 3, 4, 4};

    require(dictionary && window && decoder);
    while (size >= 3) {
        uint8_t type = (uint8_t)(SPICE_LZ_RGB16 + data[0] % 4);
        uint32_t width = 1 + data[1] % 32, height = 1 + data[2] % 16;
        size_t pixel = pixel_sizes[type - SPICE_LZ_RGB16], row = width * pixel, coded_size;
        size_t capacity = 64 + 5 * (size_t)width * height;
        SpiceLzSource source = {type, width, height, data + 3, (ptrdiff_t)row};
        uint8_t *coded;
        SpiceGlzHeader header;
        SpiceGlzImage image;
        uint64_t missing;

        if (size - 3 < row * height)
            break;
        coded = malloc(capacity);
        require(coded != NULL);
        coded_size = spice_glz_encode(dictionary, &source, NULL, coded, capacity);
        require((coded_size != 0) == (width * height < 600));
        if (coded_size) {
            require(spice_glz_read_header(&header, coded, coded_size, 600, NULL) &&
                    spice_glz_decoder_start(decoder, &header, coded, coded_size, NULL) &&
                    spice_glz_decoder_run(decoder, &image, &missing, NULL) == SPICE_GLZ_DONE);
            for (size_t i = 0; i < (size_t)width * height; i++) {
                const uint8_t *in = data + 3 + i * pixel, *out = image.pixels + 4 * i;

                if (pixel == 2)
                    require((out[0] >> 3 | out[1] >> 3 << 5 | out[2] >> 3 << 10) ==
                            (spice_load16(in) & 0x7fff));
                else
                    require(!memcmp(in, out, 3) && out[3] == (type == SPICE_LZ_RGBA ? in[3] : 0));
            }
        }
        free(coded);
        data += 3 + row * height;
        size -= 3 + row * height;
    }
    spice_glz_decoder_free(decoder);
    spice_glz_window_free(window);
    spice_glz_dictionary_free(dictionary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_sequence(data, size);
    as_pictures(data, size);
    return 0;
}
