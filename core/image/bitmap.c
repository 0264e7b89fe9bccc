/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bitmap.h"

#include <string.h>

#include "palette.h"

static unsigned bits_of_format(uint8_t format)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
    case SPICE_BITMAP_FMT_1BIT_BE:
        return 1;
    case SPICE_BITMAP_FMT_4BIT_LE:
    case SPICE_BITMAP_FMT_4BIT_BE:
        return 4;
    case SPICE_BITMAP_FMT_8BIT:
    case SPICE_BITMAP_FMT_8BIT_A:
        return 8;
    case SPICE_BITMAP_FMT_16BIT:
        return 16;
    case SPICE_BITMAP_FMT_24BIT:
        return 24;
    case SPICE_BITMAP_FMT_32BIT:
    case SPICE_BITMAP_FMT_RGBA:
        return 32;
    default:
        return 0;
    }
}

pixman_format_code_t spice_bitmap_working_format(uint8_t bitmap_format,
                                                 pixman_format_code_t surface_format)
{
    switch (bitmap_format) {
    case SPICE_BITMAP_FMT_16BIT:
        return PIXMAN_x1r5g5b5;
    case SPICE_BITMAP_FMT_24BIT:
    case SPICE_BITMAP_FMT_32BIT:
        return PIXMAN_x8r8g8b8;
    case SPICE_BITMAP_FMT_RGBA:
        return PIXMAN_a8r8g8b8;
    case SPICE_BITMAP_FMT_8BIT_A:
        return PIXMAN_a8;
    default:
        break;
    }
    if (!spice_bitmap_is_indexed(bitmap_format))
        return (pixman_format_code_t)0;
    if (PIXMAN_FORMAT_BPP(surface_format) == 32)
        return PIXMAN_x8r8g8b8;
    return surface_format == PIXMAN_x1r5g5b5 ? PIXMAN_x1r5g5b5 : (pixman_format_code_t)0;
}

/** Checks the geometry and finds the top row. */
static const uint8_t *find_rows(const SpiceImage *image, ptrdiff_t *stride, SpiceError *error)
{
    const unsigned bits = bits_of_format(image->bitmap_format);
    const uint32_t height = image->bitmap_height;
    uint64_t row_size;

    if (!bits) {
        spice_error_set(error, SPICE_ERROR_VALUE, "bitmap.format");
        return NULL;
    }
    if (!spice_pixels_check_size(image->bitmap_width, height, error))
        return NULL;
    row_size = ((uint64_t)image->bitmap_width * bits + 7) / 8;
    if (image->stride < row_size) {
        spice_error_set(error, SPICE_ERROR_VALUE, "bitmap.stride");
        return NULL;
    }
    /* The last row need not be padded. */
    if ((uint64_t)image->stride * (height - 1) + row_size > image->data.size) {
        spice_error_set(error, SPICE_ERROR_TRUNCATED, "bitmap.data");
        return NULL;
    }
    if (image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN) {
        *stride = (ptrdiff_t)image->stride;
        return image->data.data;
    }
    *stride = -(ptrdiff_t)image->stride;
    return image->data.data + (size_t)image->stride * (height - 1);
}

/** Pixels of a 16-bit surface out of the low halves of the palette's entries. */
static void unfold_narrow(const SpicePixels *target, uint8_t format, const uint8_t *rows,
                          ptrdiff_t stride, const SpicePalette *palette)
{
    enum { CHUNK = 512 }; /* whole bytes of indices in every format */
    uint32_t wide[CHUNK];

    for (int32_t y = 0; y < target->height; y++, rows += stride) {
        uint8_t *out = spice_pixels_row(target, y);

        for (int32_t x = 0; x < target->width; x += CHUNK) {
            const int32_t n = target->width - x < CHUNK ? target->width - x : CHUNK;

            spice_palette_expand((SpiceIndexFormat)format, palette->entries, palette->n_entries,
                                 (uint32_t)n, 1, rows + (size_t)x * bits_of_format(format) / 8, 0,
                                 (uint8_t *)wide, 0);
            for (int32_t i = 0; i < n; i++)
                memcpy(out + 2 * (x + i), &wide[i], 2);
        }
    }
}

static void unfold_indices(const SpicePixels *target, uint8_t format, const uint8_t *rows,
                           ptrdiff_t stride, const SpicePalette *palette)
{
    if (spice_pixels_bits(target) == 16)
        unfold_narrow(target, format, rows, stride, palette);
    else
        spice_palette_expand((SpiceIndexFormat)format, palette->entries, palette->n_entries,
                             (uint32_t)target->width, (uint32_t)target->height, rows, stride,
                             target->data, target->stride);
}

static void unfold_24(const SpicePixels *target, const uint8_t *rows, ptrdiff_t stride)
{
    for (int32_t y = 0; y < target->height; y++, rows += stride) {
        uint8_t *out = spice_pixels_row(target, y);

        for (int32_t x = 0; x < target->width; x++) {
            out[4 * x + 0] = rows[3 * x + 0];
            out[4 * x + 1] = rows[3 * x + 1];
            out[4 * x + 2] = rows[3 * x + 2];
            out[4 * x + 3] = 0;
        }
    }
}

static void copy_rows(const SpicePixels *target, const uint8_t *rows, ptrdiff_t stride)
{
    const size_t row_size = spice_pixels_row_size(target->format, target->width);

    for (int32_t y = 0; y < target->height; y++, rows += stride)
        memcpy(spice_pixels_row(target, y), rows, row_size);
}

SpicePicture *spice_bitmap_read(const SpiceImage *image, const SpicePalette *palette,
                                pixman_format_code_t surface_format,
                                const SpiceAllocator *allocator, SpiceError *error)
{
    const pixman_format_code_t format =
        spice_bitmap_working_format(image->bitmap_format, surface_format);
    const bool indexed = spice_bitmap_is_indexed(image->bitmap_format);
    SpicePicture *picture;
    const uint8_t *rows;
    ptrdiff_t stride;

    if (!format) {
        spice_error_set(error, SPICE_ERROR_VALUE, "bitmap.format");
        return NULL;
    }
    if (indexed && !palette) {
        spice_error_set(error, SPICE_ERROR_VALUE, "bitmap.palette");
        return NULL;
    }
    rows = find_rows(image, &stride, error);
    if (!rows)
        return NULL;
    picture =
        spice_picture_create(allocator, format, image->bitmap_width, image->bitmap_height, error);
    if (!picture)
        return NULL;
    if (indexed)
        unfold_indices(&picture->pixels, image->bitmap_format, rows, stride, palette);
    else if (image->bitmap_format == SPICE_BITMAP_FMT_24BIT)
        unfold_24(&picture->pixels, rows, stride);
    else
        copy_rows(&picture->pixels, rows, stride);
    return picture;
}

static uint8_t reverse_bits(uint8_t byte)
{
    byte = (uint8_t)((byte & 0xf0) >> 4 | (byte & 0x0f) << 4);
    byte = (uint8_t)((byte & 0xcc) >> 2 | (byte & 0x33) << 2);
    return (uint8_t)((byte & 0xaa) >> 1 | (byte & 0x55) << 1);
}

SpicePicture *spice_bitmap_read_mask(const SpiceImage *image, const SpiceAllocator *allocator,
                                     SpiceError *error)
{
    SpicePicture *picture;
    const uint8_t *rows;
    ptrdiff_t stride;

    if (bits_of_format(image->bitmap_format) != 1) {
        spice_error_set(error, SPICE_ERROR_VALUE, "mask.bitmap.format");
        return NULL;
    }
    rows = find_rows(image, &stride, error);
    if (!rows)
        return NULL;
    picture = spice_picture_create(allocator, PIXMAN_a1, image->bitmap_width, image->bitmap_height,
                                   error);
    if (!picture)
        return NULL;
    for (int32_t y = 0; y < picture->pixels.height; y++, rows += stride) {
        uint8_t *out = spice_pixels_row(&picture->pixels, y);
        const size_t size = spice_pixels_row_size(PIXMAN_a1, picture->pixels.width);

        /* Masks are read in words: the padding must not be left to chance. */
        memset(out, 0, (size_t)picture->pixels.stride);
        memcpy(out, rows, size);
        if (image->bitmap_format == SPICE_BITMAP_FMT_1BIT_BE)
            for (size_t i = 0; i < size; i++)
                out[i] = reverse_bits(out[i]);
    }
    return picture;
}

bool spice_bitmap_borrow(const SpiceImage *image, SpicePixels *pixels)
{
    const pixman_format_code_t format =
        spice_bitmap_working_format(image->bitmap_format, PIXMAN_a1);
    const uint8_t *rows;
    ptrdiff_t stride;

    if (!format || image->bitmap_format == SPICE_BITMAP_FMT_24BIT)
        return false;
    rows = find_rows(image, &stride, NULL);
    if (!rows)
        return false;
    *pixels = (SpicePixels){.format = format,
                            .width = (int32_t)image->bitmap_width,
                            .height = (int32_t)image->bitmap_height,
                            .stride = stride,
                            .data = (uint8_t *)rows};
    return true;
}
