/* Any bytes as an LZ4 image (the first two are its width and height), and as a picture, which must
 * come back from its encoding.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/lz4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceLz4 *lz4 = spice_lz4_new(&spice_allocator_libc);
    SpiceError error = {0};
    uint8_t format = 0, *picture, *coded;
    size_t width, height, coded_size;

    require(lz4 != NULL);
    if (size >= 2) {
        width = 1 + data[0];
        height = 1 + data[1];
        picture = malloc(4 * width * height);
        require(picture != NULL);
        spice_lz4_decode(lz4, data + 2, size - 2, (uint32_t)width, (uint32_t)height, picture,
                         4 * (ptrdiff_t)width, &format, &error);
        spice_lz4_decode(lz4, data + 2, size - 2, (uint32_t)width, (uint32_t)height,
                         picture + 4 * width * (height - 1), -4 * (ptrdiff_t)width, &format,
                         &error);
        free(picture);
        height = (size - 2) / (4 * width);
        if (height) {
            picture = malloc(4 * width * height);
            coded = malloc(64 + 5 * width * height);
            require(picture && coded);
            coded_size =
                spice_lz4_encode(lz4, SPICE_LZ4_RGBA, (uint32_t)width, (uint32_t)height, data + 2,
                                 4 * (ptrdiff_t)width, coded, 64 + 5 * width * height);
            require(coded_size &&
                    spice_lz4_decode(lz4, coded, coded_size, (uint32_t)width, (uint32_t)height,
                                     picture, 4 * (ptrdiff_t)width, &format, NULL) &&
                    !memcmp(picture, data + 2, 4 * width * height));
            free(picture);
            free(coded);
        }
    }
    spice_lz4_free(lz4);
    return 0;
}
