/* COMPOSITE is pixman's (and X Render's) operation; its flags carry pixman's own numbers. What is
 * here checks them and sets the images up.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/convert.h"

#include "operand.h"

/* Fields of the flags. */
enum {
    OPERATOR_MASK = 0xff,
    SOURCE_FILTER_SHIFT = 8,
    MASK_FILTER_SHIFT = 11,
    FILTER_MASK = 7,
    SOURCE_REPEAT_SHIFT = 14,
    MASK_REPEAT_SHIFT = 16,
    REPEAT_MASK = 3,
    COMPONENT_ALPHA = 1 << 18,
};

/** pixman indexes tables with the operator: there are gaps between its groups. */
static bool is_operator(unsigned number)
{
    return number <= PIXMAN_OP_SATURATE ||
           (number >= PIXMAN_OP_DISJOINT_CLEAR && number <= PIXMAN_OP_DISJOINT_XOR) ||
           (number >= PIXMAN_OP_CONJOINT_CLEAR && number <= PIXMAN_OP_CONJOINT_XOR) ||
           (number >= PIXMAN_OP_MULTIPLY && number <= PIXMAN_OP_HSL_LUMINOSITY);
}

/** One of the two images: how it is to be sampled. */
typedef struct {
    const SpiceTransform *transform; /* NULL: none */
    SpicePoint16 origin;
    unsigned filter, repeat;
    bool opaque, component_alpha;
} Sampling;

/** Brings an operand to pixels that pixman can read. Surfaces are used as they are, pictures in the
 * format of the surface; where that keeps them raw, they keep their own notion of alpha. */
static bool bring(SpicePixels *pixels, const SpiceCanvasImage *operand, const SpicePixels *dest,
                  const Sampling *sampling, SpiceArena *scratch, SpiceError *error)
{
    if (!operand->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "composite.image");
    if (operand->pixels->format == PIXMAN_a1 && !operand->is_surface)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.format");
    if (!operand->is_surface && !spice_pixels_raw_equal(operand->pixels->format, dest->format))
        return spice_pixels_take(pixels, operand->pixels, dest->format, scratch, error);
    if (!spice_operand_raw(pixels, operand->pixels, dest, scratch, error))
        return false;
    if (sampling->opaque && operand->is_surface && pixels->format == PIXMAN_a8r8g8b8)
        pixels->format = PIXMAN_x8r8g8b8;
    return true;
}

static pixman_image_t *set_up(const SpicePixels *pixels, const Sampling *sampling,
                              SpiceError *error)
{
    pixman_image_t *image;

    /* Convolution filters take parameters that the message does not carry. */
    if (sampling->filter > PIXMAN_FILTER_BILINEAR) {
        spice_error_set(error, SPICE_ERROR_VALUE, "composite.filter");
        return NULL;
    }
    image = spice_operand_pixman(pixels, error);
    if (!image)
        return NULL;
    if (sampling->transform) {
        const SpiceTransform *t = sampling->transform;
        const pixman_transform_t transform = {
            {{t->t00, t->t01, t->t02}, {t->t10, t->t11, t->t12}, {0, 0, pixman_fixed_1}}};

        if (!pixman_image_set_transform(image, &transform)) {
            pixman_image_unref(image);
            spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
            return NULL;
        }
    }
    pixman_image_set_filter(image, (pixman_filter_t)sampling->filter, NULL, 0);
    pixman_image_set_repeat(image, (pixman_repeat_t)sampling->repeat);
    pixman_image_set_component_alpha(image, sampling->component_alpha);
    return image;
}

/** The origin in an operand of the region's top left corner. pixman counts it in 16 bits. */
static bool place(int32_t *x, int32_t *y, const Sampling *sampling, const pixman_box32_t *part,
                  const SpiceRect *box, SpiceError *error)
{
    const int64_t at_x = (int64_t)part->x1 - box->left + sampling->origin.x;
    const int64_t at_y = (int64_t)part->y1 - box->top + sampling->origin.y;

    if (at_x < -SPICE_MAX_SIDE || at_x + part->x2 - part->x1 > SPICE_MAX_SIDE ||
        at_y < -SPICE_MAX_SIDE || at_y + part->y2 - part->y1 > SPICE_MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "composite.origin");
    *x = (int32_t)at_x;
    *y = (int32_t)at_y;
    return true;
}

bool spice_canvas_composite(const SpicePixels *dest, const pixman_region32_t *region,
                            const SpiceRect *box, const SpiceCanvasImage *source,
                            const SpiceCanvasImage *mask, const SpiceCompositeParams *params,
                            SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *part = pixman_region32_extents((pixman_region32_t *)region);
    const uint32_t flags = params->flags;
    const Sampling source_sampling = {
        .transform = flags & SPICE_COMPOSITE_HAS_SRC_TRANSFORM ? &params->source_transform : NULL,
        .origin = params->source_origin,
        .filter = flags >> SOURCE_FILTER_SHIFT & FILTER_MASK,
        .repeat = flags >> SOURCE_REPEAT_SHIFT & REPEAT_MASK,
        .opaque = flags & SPICE_COMPOSITE_SOURCE_OPAQUE,
    };
    const Sampling mask_sampling = {
        .transform = flags & SPICE_COMPOSITE_HAS_MASK_TRANSFORM ? &params->mask_transform : NULL,
        .origin = params->mask_origin,
        .filter = flags >> MASK_FILTER_SHIFT & FILTER_MASK,
        .repeat = flags >> MASK_REPEAT_SHIFT & REPEAT_MASK,
        .component_alpha = flags & COMPONENT_ALPHA,
    };
    const bool has_mask = flags & SPICE_COMPOSITE_HAS_MASK;
    int32_t source_x, source_y, mask_x = 0, mask_y = 0;
    pixman_image_t *from = NULL, *through = NULL, *to = NULL;
    SpicePixels source_pixels, mask_pixels;
    bool done;

    if (!is_operator(flags & OPERATOR_MASK))
        return spice_error_set(error, SPICE_ERROR_VALUE, "composite.operator");
    if (dest->format == PIXMAN_a1)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "surface.format");
    if (!bring(&source_pixels, source, dest, &source_sampling, scratch, error) ||
        !place(&source_x, &source_y, &source_sampling, part, box, error))
        return false;
    if (has_mask && (!bring(&mask_pixels, mask, dest, &mask_sampling, scratch, error) ||
                     !place(&mask_x, &mask_y, &mask_sampling, part, box, error)))
        return false;

    done = (from = set_up(&source_pixels, &source_sampling, error)) &&
           (!has_mask || (through = set_up(&mask_pixels, &mask_sampling, error))) &&
           (to = spice_operand_pixman(dest, error));
    if (done && !pixman_image_set_clip_region32(to, (pixman_region32_t *)region))
        done = spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    if (done)
        pixman_image_composite32((pixman_op_t)(flags & OPERATOR_MASK), from, through, to, source_x,
                                 source_y, mask_x, mask_y, part->x1, part->y1, part->x2 - part->x1,
                                 part->y2 - part->y1);
    if (from)
        pixman_image_unref(from);
    if (through)
        pixman_image_unref(through);
    if (to)
        pixman_image_unref(to);
    return done;
}
