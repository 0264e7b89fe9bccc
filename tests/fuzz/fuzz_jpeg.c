/* Any bytes as JPEG and JPEG_ALPHA images (the first nine are width, height, flags and jpeg_size),
 * then a good one, which must still be decoded.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/bytes.h"
#include "core/image/jpeg.h"

enum { HEAD = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t good[4096], pixels[16 * 16 * 4];
    static size_t good_size;
    SpiceJpeg *jpeg = spice_jpeg_new(&spice_allocator_libc, 0);
    SpiceError error = {0};

    if (!jpeg)
        abort();
    if (good_size == 0) {
        SpiceJpegSource source = {8, 16, 16, pixels, 64};

        good_size = spice_jpeg_encode(jpeg, &source, 85, good, sizeof good);
    }
    if (size > HEAD) {
        uint32_t width = 1 + spice_load16(data) % 512, height = 1 + spice_load16(data + 2) % 512;
        uint8_t *picture = malloc(4 * (size_t)width * height);

        if (!picture)
            abort();
        spice_jpeg_decode(jpeg, data + HEAD, size - HEAD, width, height, picture,
                          4 * (ptrdiff_t)width, &error);
        spice_jpeg_alpha_decode(jpeg, data[4], spice_load32(data + 5), data + HEAD, size - HEAD,
                                width, height, picture, 4 * (ptrdiff_t)width, &error);
        free(picture);
    }
    if (!spice_jpeg_decode(jpeg, good, good_size, 16, 16, pixels, 64, NULL))
        abort();
    spice_jpeg_free(jpeg);
    return 0;
}
