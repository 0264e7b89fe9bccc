/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "palette.h"

#include "bytes.h"

static void expand_8(const uint32_t *table, uint32_t width, const uint8_t *in, uint8_t *out)
{
    for (uint32_t x = 0; x < width; x++, out += 4)
        spice_store32(out, table[in[x]]);
}

/* `flip` turns the position of a pixel in its byte into a shift: 0 if the first pixel is lowest. */
static void expand_4(const uint32_t *table, unsigned flip, uint32_t width, const uint8_t *in,
                     uint8_t *out)
{
    for (uint32_t x = 0; x < width; x++, out += 4)
        spice_store32(out, table[in[x >> 1] >> (4 * ((x & 1) ^ flip)) & 15]);
}

static void expand_1(const uint32_t *table, unsigned flip, uint32_t width, const uint8_t *in,
                     uint8_t *out)
{
    for (uint32_t x = 0; x < width; x++, out += 4)
        spice_store32(out, table[in[x >> 3] >> ((x & 7) ^ flip) & 1]);
}

void spice_palette_expand(SpiceIndexFormat format, const uint32_t *entries, size_t n_entries,
                          uint32_t width, uint32_t height, const uint8_t *indices,
                          ptrdiff_t indices_stride, uint8_t *pixels, ptrdiff_t pixels_stride)
{
    uint32_t table[256] = {0};

    for (size_t i = 0; i < 256 && i < n_entries; i++)
        table[i] = entries[i];
    if (n_entries && (format == SPICE_INDEX_4_LE || format == SPICE_INDEX_4_BE)) {
        for (size_t i = n_entries; i < 16; i++)
            table[i] = table[i % n_entries];
    }
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *in = indices + (ptrdiff_t)y * indices_stride;
        uint8_t *out = pixels + (ptrdiff_t)y * pixels_stride;

        switch (format) {
        case SPICE_INDEX_1_LE:
            expand_1(table, 0, width, in, out);
            break;
        case SPICE_INDEX_1_BE:
            expand_1(table, 7, width, in, out);
            break;
        case SPICE_INDEX_4_LE:
            expand_4(table, 0, width, in, out);
            break;
        case SPICE_INDEX_4_BE:
            expand_4(table, 1, width, in, out);
            break;
        case SPICE_INDEX_8:
            expand_8(table, width, in, out);
            break;
        }
    }
}
