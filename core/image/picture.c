/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

bool spice_pixels_check_size(uint32_t width, uint32_t height, SpiceError *error)
{
    if (width == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "width");
    if (height == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "height");
    if (width > SPICE_MAX_SIDE || (uint64_t)width * height > SPICE_MAX_PIXELS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "width");
    if (height > SPICE_MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "height");
    return true;
}

SpicePicture *spice_picture_create(const SpiceAllocator *allocator, pixman_format_code_t format,
                                   uint32_t width, uint32_t height, SpiceError *error)
{
    const size_t header = (sizeof(SpicePicture) + 15) & ~(size_t)15;
    SpicePicture *picture;
    size_t stride;

    if (!spice_pixels_check_size(width, height, error))
        return NULL;
    stride = (spice_pixels_row_size(format, (int32_t)width) + 3) & ~(size_t)3;
    picture = allocator->alloc(allocator->context, header + stride * height);
    if (!picture) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "picture");
        return NULL;
    }
    *picture = (SpicePicture){
        .pixels = {.format = format,
                   .width = (int32_t)width,
                   .height = (int32_t)height,
                   .stride = (ptrdiff_t)stride,
                   .data = (uint8_t *)picture + header},
        .references = 1,
        .allocator = allocator,
    };
    return picture;
}

void spice_picture_flip(SpicePicture *picture)
{
    picture->pixels.data = spice_pixels_row(&picture->pixels, picture->pixels.height - 1);
    picture->pixels.stride = -picture->pixels.stride;
}

SpicePicture *spice_picture_ref(SpicePicture *picture)
{
    picture->references++;
    return picture;
}

void spice_picture_unref(SpicePicture *picture)
{
    if (picture && --picture->references == 0)
        picture->allocator->release(picture->allocator->context, picture);
}

void spice_picture_set_high_bits(SpicePicture *picture)
{
    for (int32_t y = 0; y < picture->pixels.height; y++) {
        uint8_t *row = spice_pixels_row(&picture->pixels, y);

        for (int32_t x = 0; x < picture->pixels.width; x++)
            row[4 * x + 3] = 0xff;
    }
}
