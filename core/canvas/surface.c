/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "surface.h"

#include <string.h>

#include "core/wire/display.h"

pixman_format_code_t spice_surface_pixman_format(uint32_t surface_format)
{
    switch (surface_format) {
    case SPICE_SURFACE_FMT_1_A:
        return PIXMAN_a1;
    case SPICE_SURFACE_FMT_8_A:
        return PIXMAN_a8;
    case SPICE_SURFACE_FMT_16_555:
        return PIXMAN_x1r5g5b5;
    case SPICE_SURFACE_FMT_16_565:
        return PIXMAN_r5g6b5;
    case SPICE_SURFACE_FMT_32_xRGB:
        return PIXMAN_x8r8g8b8;
    case SPICE_SURFACE_FMT_32_ARGB:
        return PIXMAN_a8r8g8b8;
    default:
        return (pixman_format_code_t)0;
    }
}

uint64_t spice_surface_size(uint32_t surface_format, uint32_t width, uint32_t height,
                            SpiceError *error)
{
    const pixman_format_code_t format = spice_surface_pixman_format(surface_format);

    if (!format) {
        spice_error_set(error, SPICE_ERROR_VALUE, "surface.format");
        return 0;
    }
    if (!spice_pixels_check_size(width, height, error))
        return 0;
    return (uint64_t)((spice_pixels_row_size(format, (int32_t)width) + 3) & ~(size_t)3) * height;
}

SpicePicture *spice_surface_create(const SpiceAllocator *allocator, uint32_t surface_format,
                                   uint32_t width, uint32_t height, SpiceError *error)
{
    SpicePicture *surface;

    if (!spice_surface_size(surface_format, width, height, error))
        return NULL;
    surface = spice_picture_create(allocator, spice_surface_pixman_format(surface_format), width,
                                   height, error);
    if (surface)
        memset(surface->pixels.data, 0, (size_t)surface->pixels.stride * height);
    return surface;
}

bool spice_surface_wrap(SpicePixels *pixels, uint32_t surface_format, uint32_t width,
                        uint32_t height, uint8_t *data, ptrdiff_t stride, SpiceError *error)
{
    const size_t step = stride < 0 ? (size_t)0 - (size_t)stride : (size_t)stride;
    SpicePixels surface;

    if (!spice_surface_size(surface_format, width, height, error))
        return false;
    surface = (SpicePixels){.format = spice_surface_pixman_format(surface_format),
                            .width = (int32_t)width,
                            .height = (int32_t)height,
                            .stride = stride,
                            .data = data};
    if (step < spice_pixels_row_size(surface.format, surface.width) || step > INT32_MAX ||
        !spice_pixels_aligned(&surface))
        return spice_error_set(error, SPICE_ERROR_VALUE, "surface.stride");
    *pixels = surface;
    return true;
}
