/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scale.h"

/** Tells how the source's pixels are to be read: surfaces of x8r8g8b8 have alpha only if the
 * message says so. */
static pixman_format_code_t source_format(const SpiceCanvasImage *source, uint8_t alpha_flags)
{
    if (source->is_surface && source->pixels->format == PIXMAN_x8r8g8b8 &&
        (alpha_flags & SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA))
        return PIXMAN_a8r8g8b8;
    return source->pixels->format;
}

static bool place_source(pixman_image_t *image, const SpiceRect *box, const SpiceRect *area,
                         const pixman_box32_t *part, SpiceError *error)
{
    const SpiceScale unscaled = {.factor_x = 65536,
                                 .factor_y = 65536,
                                 .offset_x = (int64_t)area->left * 65536,
                                 .offset_y = (int64_t)area->top * 65536};
    SpiceScale scale;

    if (!spice_is_scaled(box, area))
        return spice_scale_apply(image, &unscaled, box, part, PIXMAN_FILTER_NEAREST, error);
    return spice_scale_whole(&scale, box, area, error) &&
           spice_scale_apply(image, &scale, box, part, PIXMAN_FILTER_NEAREST, error);
}

bool spice_canvas_alpha_blend(const SpicePixels *dest, const pixman_region32_t *region,
                              const SpiceRect *box, const SpiceCanvasImage *source,
                              const SpiceRect *source_area, uint8_t alpha_flags, uint8_t alpha,
                              SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *part = pixman_region32_extents((pixman_region32_t *)region);
    const pixman_color_t weakened = {.alpha = (uint16_t)(alpha * 0x101)};
    pixman_image_t *from = NULL, *to = NULL, *mask = NULL;
    SpicePixels pixels, target = *dest;
    bool done;

    if (!source->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "source");
    if (source->pixels->format == PIXMAN_a1 || dest->format == PIXMAN_a1)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.format");
    if (alpha == 0)
        return true;
    if (!spice_operand_raw(&pixels, source->pixels, dest, scratch, error))
        return false;
    pixels.format = source_format(source, alpha_flags);
    if (dest->format == PIXMAN_x8r8g8b8 && (alpha_flags & SPICE_ALPHA_FLAGS_DEST_HAS_ALPHA))
        target.format = PIXMAN_a8r8g8b8;

    from = spice_operand_pixman(&pixels, error);
    to = spice_operand_pixman(&target, error);
    done = from && to && place_source(from, box, source_area, part, error);
    if (done && alpha != 255)
        mask = pixman_image_create_solid_fill(&weakened);
    if (done && ((alpha != 255 && !mask) ||
                 !pixman_image_set_clip_region32(to, (pixman_region32_t *)region)))
        done = spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    if (done)
        pixman_image_composite32(PIXMAN_OP_OVER, from, mask, to, 0, 0, 0, 0, part->x1, part->y1,
                                 part->x2 - part->x1, part->y2 - part->y1);
    if (mask)
        pixman_image_unref(mask);
    if (from)
        pixman_image_unref(from);
    if (to)
        pixman_image_unref(to);
    return done;
}
