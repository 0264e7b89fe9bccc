/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert.h"

#include <string.h>

static uint16_t load_16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, 2);
    return value;
}

static uint32_t load_32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return value;
}

static void store_16(uint8_t *at, unsigned value)
{
    const uint16_t word = (uint16_t)value;

    memcpy(at, &word, 2);
}

static void store_32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static uint32_t widen_5(uint32_t value)
{
    return value << 3 | value >> 2;
}

typedef void (*RowConverter)(uint8_t *out, const uint8_t *in, int32_t width);

static void row_555_to_8888(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++) {
        const uint32_t p = load_16(in + 2 * x);

        store_32(out + 4 * x, 0xff000000u | widen_5(p >> 10 & 31) << 16 |
                                  widen_5(p >> 5 & 31) << 8 | widen_5(p & 31));
    }
}

static void row_8888_to_555(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++) {
        const uint32_t p = load_32(in + 4 * x);

        store_16(out + 2 * x, (p >> 9 & 0x7c00) | (p >> 6 & 0x03e0) | (p >> 3 & 0x001f));
    }
}

static void row_8888_to_565(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++) {
        const uint32_t p = load_32(in + 4 * x);

        store_16(out + 2 * x, (p >> 8 & 0xf800) | (p >> 5 & 0x07e0) | (p >> 3 & 0x001f));
    }
}

static void row_555_to_565(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++) {
        const uint32_t p = load_16(in + 2 * x);
        const uint32_t green = p >> 5 & 31;

        store_16(out + 2 * x, (p & 0x7c00) << 1 | (green << 1 | green >> 4) << 5 | (p & 31));
    }
}

static void row_8888_to_a8(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++)
        out[x] = in[4 * x + 3];
}

static void row_opaque_to_a8(uint8_t *out, const uint8_t *in, int32_t width)
{
    memset(out, 0xff, (size_t)width);
}

static void row_a8_to_8888(uint8_t *out, const uint8_t *in, int32_t width)
{
    for (int32_t x = 0; x < width; x++)
        store_32(out + 4 * x, (uint32_t)in[x] << 24);
}

static void row_a8_to_16(uint8_t *out, const uint8_t *in, int32_t width)
{
    memset(out, 0, 2 * (size_t)width);
}

static RowConverter find_converter(pixman_format_code_t to, pixman_format_code_t from)
{
    switch (to) {
    case PIXMAN_x8r8g8b8:
    case PIXMAN_a8r8g8b8:
        return from == PIXMAN_x1r5g5b5 ? row_555_to_8888
               : from == PIXMAN_a8     ? row_a8_to_8888
                                       : NULL;
    case PIXMAN_x1r5g5b5:
        return PIXMAN_FORMAT_BPP(from) == 32 ? row_8888_to_555
               : from == PIXMAN_a8           ? row_a8_to_16
                                             : NULL;
    case PIXMAN_r5g6b5:
        return PIXMAN_FORMAT_BPP(from) == 32 ? row_8888_to_565
               : from == PIXMAN_x1r5g5b5     ? row_555_to_565
               : from == PIXMAN_a8           ? row_a8_to_16
                                             : NULL;
    case PIXMAN_a8:
        return from == PIXMAN_a8r8g8b8                              ? row_8888_to_a8
               : from == PIXMAN_x8r8g8b8 || from == PIXMAN_x1r5g5b5 ? row_opaque_to_a8
                                                                    : NULL;
    default:
        return NULL;
    }
}

bool spice_pixels_convert(const SpicePixels *target, const SpicePixels *source, SpiceError *error)
{
    const RowConverter convert = find_converter(target->format, source->format);

    if (!convert)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.format");
    for (int32_t y = 0; y < target->height; y++)
        convert(spice_pixels_row(target, y), spice_pixels_row(source, y), target->width);
    return true;
}

bool spice_pixels_new(SpicePixels *pixels, pixman_format_code_t format, int32_t width,
                      int32_t height, SpiceArena *scratch, SpiceError *error)
{
    const size_t stride = (spice_pixels_row_size(format, width) + 15) & ~(size_t)15;
    uint8_t *data = spice_arena_take(scratch, (size_t)height, stride);

    if (!data)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "scratch");
    *pixels = (SpicePixels){.format = format,
                            .width = width,
                            .height = height,
                            .stride = (ptrdiff_t)stride,
                            .data = data};
    return true;
}

bool spice_pixels_take(SpicePixels *taken, const SpicePixels *source, pixman_format_code_t format,
                       SpiceArena *scratch, SpiceError *error)
{
    SpicePixels copy;

    if (spice_pixels_raw_equal(format, source->format)) {
        const size_t row_size = spice_pixels_row_size(source->format, source->width);

        if (!spice_pixels_new(&copy, source->format, source->width, source->height, scratch, error))
            return false;
        for (int32_t y = 0; y < copy.height; y++)
            memcpy(spice_pixels_row(&copy, y), spice_pixels_row(source, y), row_size);
    } else {
        if (!find_converter(format, source->format))
            return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.format");
        if (!spice_pixels_new(&copy, format, source->width, source->height, scratch, error) ||
            !spice_pixels_convert(&copy, source, error))
            return false;
    }
    *taken = copy;
    return true;
}
