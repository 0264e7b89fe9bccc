/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operand.h"

#include "core/image/convert.h"

#include "region.h"

static void memory_of(const SpicePixels *pixels, uintptr_t *first, uintptr_t *end)
{
    const uintptr_t top = (uintptr_t)pixels->data;
    const uintptr_t bottom = (uintptr_t)spice_pixels_row(pixels, pixels->height - 1);
    const size_t row_size = spice_pixels_row_size(pixels->format, pixels->width);

    *first = top < bottom ? top : bottom;
    *end = (top < bottom ? bottom : top) + row_size;
}

static bool share_memory(const SpicePixels *a, const SpicePixels *b)
{
    uintptr_t a_first, a_end, b_first, b_end;

    memory_of(a, &a_first, &a_end);
    memory_of(b, &b_first, &b_end);
    return a_first < b_end && b_first < a_end;
}

bool spice_operand_part_for(SpicePixels *pixels, const SpiceCanvasImage *image,
                            const pixman_box32_t *part, const SpicePixels *dest,
                            SpiceArena *scratch, SpiceError *error)
{
    SpicePixels wanted;

    if (!image->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "image");
    if (image->pixels->format == PIXMAN_a1 || dest->format == PIXMAN_a1)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.format");
    wanted = spice_pixels_part(image->pixels, part);
    if (image->is_surface) {
        if (spice_pixels_bits(&wanted) != spice_pixels_bits(dest))
            return spice_error_set(error, SPICE_ERROR_VALUE, "image.surface_id");
    } else if (!spice_pixels_raw_equal(wanted.format, dest->format)) {
        return spice_pixels_take(pixels, &wanted, dest->format, scratch, error);
    }
    if (share_memory(&wanted, dest))
        return spice_pixels_take(pixels, &wanted, wanted.format, scratch, error);
    *pixels = wanted;
    return true;
}

bool spice_operand_for(SpicePixels *pixels, const SpiceCanvasImage *image, const SpicePixels *dest,
                       SpiceArena *scratch, SpiceError *error)
{
    pixman_box32_t all;

    if (!image->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "image");
    all = (pixman_box32_t){0, 0, image->pixels->width, image->pixels->height};
    return spice_operand_part_for(pixels, image, &all, dest, scratch, error);
}

bool spice_operand_unscaled(SpicePixels *pixels, pixman_region32_t *covered,
                            const pixman_region32_t *region, const SpiceRect *box,
                            const SpiceCanvasImage *source, const SpiceRect *source_area,
                            const SpicePixels *dest, SpiceArena *scratch, SpiceError *error)
{
    /* Where the image's top left corner comes to lie. */
    const int64_t x = (int64_t)box->left - source_area->left;
    const int64_t y = (int64_t)box->top - source_area->top;
    const pixman_box32_t *extents;
    pixman_box32_t part;

    pixman_region32_init(covered);
    if (!source->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "source");
    if (!pixman_region32_copy(covered, (pixman_region32_t *)region))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "region");
    if (!spice_region_cut(covered, x, y, source->pixels->width, source->pixels->height, error))
        return false;
    if (!pixman_region32_not_empty(covered))
        return true;
    extents = pixman_region32_extents(covered);
    part = (pixman_box32_t){(int32_t)(extents->x1 - x), (int32_t)(extents->y1 - y),
                            (int32_t)(extents->x2 - x), (int32_t)(extents->y2 - y)};
    return spice_operand_part_for(pixels, source, &part, dest, scratch, error);
}

bool spice_operand_raw(SpicePixels *pixels, const SpicePixels *operand, const SpicePixels *dest,
                       SpiceArena *scratch, SpiceError *error)
{
    if (!spice_pixels_aligned(operand) || share_memory(operand, dest))
        return spice_pixels_take(pixels, operand, operand->format, scratch, error);
    *pixels = *operand;
    return true;
}

pixman_image_t *spice_operand_pixman(const SpicePixels *pixels, SpiceError *error)
{
    pixman_image_t *image = pixman_image_create_bits(pixels->format, pixels->width, pixels->height,
                                                     (uint32_t *)pixels->data, (int)pixels->stride);

    if (!image)
        spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    return image;
}
