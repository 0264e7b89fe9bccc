/* Any bytes as an LZ stream, into every target that its type has, in both row orders.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>

#include "core/image/lz.h"
#include "core/image/work.h"

enum { MAX_PIXELS = 1 << 17 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceLzHeader header;
    SpiceError error = {0};

    if (!spice_lz_read_header(&header, data, size, MAX_PIXELS, &error))
        return 0;
    for (SpiceLzTarget target = SPICE_LZ_TO_32; target <= SPICE_LZ_TO_ALPHA; target++) {
        size_t row = spice_lz_row_size(&header, target);

        for (int way = 0; row && way < 4; way++) {
            size_t step = row + (way & 2 ? 7 : 0);
            uint8_t *memory = malloc(step * header.height);
            uint8_t *top = way & 1 ? memory + step * (header.height - 1) : memory;

            spice_image_work = 0;
            if (memory)
                spice_lz_decode(&header, data, size, target, top,
                                way & 1 ? -(ptrdiff_t)step : (ptrdiff_t)step,
                                way & 2 ? 0 : UINT32_MAX, &error);
            /* two passes at most, each in pieces of a pixel at least */
            if (spice_image_work > size + 4 * (uint64_t)row * header.height)
                abort();
            free(memory);
        }
    }
    return 0;
}
