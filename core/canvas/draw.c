/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw.h"

#include "region.h"

bool spice_draw_is_draw(uint16_t type)
{
    return type == SPICE_MSG_DISPLAY_COPY_BITS || type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE ||
           (type >= SPICE_MSG_DISPLAY_DRAW_FILL && type <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND);
}

static const SpiceImage *pattern_of(const SpiceBrush *brush)
{
    return brush->type == SPICE_BRUSH_TYPE_PATTERN ? brush->pattern : NULL;
}

/** The mask of a message that may have one. */
static const SpiceMask *mask_of(uint16_t type, const void *message)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return &((const SpiceMsgDisplayDrawFill *)message)->mask;
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        return &((const SpiceMsgDisplayDrawOpaque *)message)->mask;
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        return &((const SpiceMsgDisplayDrawCopy *)message)->mask;
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        return &((const SpiceMsgDisplayDrawMasked *)message)->mask;
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        return &((const SpiceMsgDisplayDrawRop3 *)message)->mask;
    default:
        return NULL;
    }
}

void spice_draw_images(SpiceDrawImages *images, uint16_t type, const void *message)
{
    const SpiceMask *mask = mask_of(type, message);
    const SpiceImage **of = images->images;

    *images = (SpiceDrawImages){0};
    if (mask)
        of[SPICE_DRAW_MASK] = mask->bitmap;
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        of[SPICE_DRAW_PATTERN] = pattern_of(&((const SpiceMsgDisplayDrawFill *)message)->brush);
        break;
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE: {
        const SpiceMsgDisplayDrawOpaque *m = message;

        of[SPICE_DRAW_SOURCE] = m->source;
        of[SPICE_DRAW_PATTERN] = pattern_of(&m->brush);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        of[SPICE_DRAW_SOURCE] = ((const SpiceMsgDisplayDrawCopy *)message)->source;
        break;
    case SPICE_MSG_DISPLAY_DRAW_ROP3: {
        const SpiceMsgDisplayDrawRop3 *m = message;

        of[SPICE_DRAW_SOURCE] = m->source;
        of[SPICE_DRAW_PATTERN] = pattern_of(&m->brush);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        of[SPICE_DRAW_PATTERN] = pattern_of(&((const SpiceMsgDisplayDrawStroke *)message)->brush);
        break;
    case SPICE_MSG_DISPLAY_DRAW_TEXT: {
        const SpiceMsgDisplayDrawText *m = message;

        of[SPICE_DRAW_PATTERN] = pattern_of(&m->fore_brush);
        of[SPICE_DRAW_BACK_PATTERN] = pattern_of(&m->back_brush);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        of[SPICE_DRAW_SOURCE] = ((const SpiceMsgDisplayDrawTransparent *)message)->source;
        break;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        of[SPICE_DRAW_SOURCE] = ((const SpiceMsgDisplayDrawAlphaBlend *)message)->source;
        break;
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE: {
        const SpiceMsgDisplayDrawComposite *m = message;

        of[SPICE_DRAW_SOURCE] = m->source;
        if (m->flags & SPICE_COMPOSITE_HAS_MASK)
            of[SPICE_DRAW_COMPOSITE_MASK] = m->mask;
        break;
    }
    default:
        break;
    }
}

bool spice_draw_region(pixman_region32_t *region, const SpicePixels *dest, const void *message,
                       SpiceError *error)
{
    const SpiceDisplayBase *base = spice_draw_base(message);

    return spice_region_init_draw(region, dest, &base->box, &base->clip, error);
}

static SpiceCanvasBrush decoded(const SpiceBrush *brush, const SpiceCanvasImage *pattern)
{
    return (SpiceCanvasBrush){.type = brush->type,
                              .color = brush->color,
                              .pattern = *pattern,
                              .position = brush->position};
}

static bool paint_fill(const SpicePixels *dest, pixman_region32_t *region,
                       const SpiceMsgDisplayDrawFill *m, const SpiceDrawOperands *operands,
                       SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush brush = decoded(&m->brush, &operands->operands[SPICE_DRAW_PATTERN]);

    return spice_canvas_fill(
        dest, region, &brush,
        spice_rop_of_descriptor(m->rop, SPICE_ROPD_INVERS_BRUSH, SPICE_ROPD_INVERS_DEST), scratch,
        error);
}

static bool paint_opaque(const SpicePixels *dest, pixman_region32_t *region,
                         const SpiceMsgDisplayDrawOpaque *m, const SpiceDrawOperands *operands,
                         SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush brush = decoded(&m->brush, &operands->operands[SPICE_DRAW_PATTERN]);

    return spice_canvas_opaque(
        dest, region, &m->base.box, &operands->operands[SPICE_DRAW_SOURCE], &m->source_area, &brush,
        spice_rop_of_descriptor(m->rop, SPICE_ROPD_INVERS_BRUSH, SPICE_ROPD_INVERS_SRC),
        m->scale_mode, scratch, error);
}

static bool paint_copy(const SpicePixels *dest, pixman_region32_t *region,
                       const SpiceMsgDisplayDrawCopy *m, const SpiceDrawOperands *operands,
                       SpiceArena *scratch, SpiceError *error)
{
    return spice_canvas_copy(
        dest, region, &m->base.box, &operands->operands[SPICE_DRAW_SOURCE], &m->source_area,
        spice_rop_of_descriptor(m->rop, SPICE_ROPD_INVERS_SRC, SPICE_ROPD_INVERS_DEST),
        m->scale_mode, scratch, error);
}

static bool paint_constant(const SpicePixels *dest, pixman_region32_t *region, SpiceRop rop,
                           SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush none = {.type = SPICE_BRUSH_TYPE_NONE};

    return spice_canvas_fill(dest, region, &none, rop, scratch, error);
}

static bool paint_rop3(const SpicePixels *dest, pixman_region32_t *region,
                       const SpiceMsgDisplayDrawRop3 *m, const SpiceDrawOperands *operands,
                       SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush brush = decoded(&m->brush, &operands->operands[SPICE_DRAW_PATTERN]);

    return spice_canvas_rop3(dest, region, &m->base.box, &operands->operands[SPICE_DRAW_SOURCE],
                             &m->source_area, &brush, m->rop3, m->scale_mode, scratch, error);
}

static bool paint_stroke(const SpicePixels *dest, pixman_region32_t *region,
                         const SpiceMsgDisplayDrawStroke *m, const SpiceDrawOperands *operands,
                         SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush brush = decoded(&m->brush, &operands->operands[SPICE_DRAW_PATTERN]);

    if (!m->path)
        return spice_error_set(error, SPICE_ERROR_VALUE, "path");
    return spice_canvas_stroke(
        dest, region, m->path, &m->attr, &brush,
        spice_rop_of_descriptor(m->fore_mode, SPICE_ROPD_INVERS_BRUSH, SPICE_ROPD_INVERS_DEST),
        scratch, error);
}

static bool paint_text(const SpicePixels *dest, pixman_region32_t *region,
                       const SpiceMsgDisplayDrawText *m, const SpiceDrawOperands *operands,
                       SpiceArena *scratch, SpiceError *error)
{
    const SpiceCanvasBrush fore = decoded(&m->fore_brush, &operands->operands[SPICE_DRAW_PATTERN]);
    const SpiceCanvasBrush back =
        decoded(&m->back_brush, &operands->operands[SPICE_DRAW_BACK_PATTERN]);

    if (!m->string)
        return spice_error_set(error, SPICE_ERROR_VALUE, "string");
    return spice_canvas_text(dest, region, m->string, &m->back_area, &fore, &back, m->fore_mode,
                             scratch, error);
}

static bool paint_composite(const SpicePixels *dest, pixman_region32_t *region,
                            const SpiceMsgDisplayDrawComposite *m,
                            const SpiceDrawOperands *operands, SpiceArena *scratch,
                            SpiceError *error)
{
    const SpiceCompositeParams params = {.flags = m->flags,
                                         .source_transform = m->source_transform,
                                         .mask_transform = m->mask_transform,
                                         .source_origin = m->source_origin,
                                         .mask_origin = m->mask_origin};

    return spice_canvas_composite(
        dest, region, &m->base.box, &operands->operands[SPICE_DRAW_SOURCE],
        &operands->operands[SPICE_DRAW_COMPOSITE_MASK], &params, scratch, error);
}

static bool cut_mask(pixman_region32_t *region, uint16_t type, const void *message,
                     const SpiceCanvasImage *bits, SpiceError *error)
{
    const SpiceMask *mask = mask_of(type, message);

    if (!mask || !mask->bitmap)
        return true;
    if (!bits->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "mask.bitmap");
    return spice_region_cut_mask(region, &spice_draw_base(message)->box, bits->pixels,
                                 mask->position, mask->flags & SPICE_MASK_FLAGS_INVERS, error);
}

bool spice_draw_paint(const SpicePixels *dest, pixman_region32_t *region, uint16_t type,
                      const void *message, const SpiceDrawOperands *operands, SpiceArena *scratch,
                      SpiceError *error)
{
    const SpiceRect *box = &spice_draw_base(message)->box;
    const SpiceCanvasImage *source = &operands->operands[SPICE_DRAW_SOURCE];

    if (!cut_mask(region, type, message, &operands->operands[SPICE_DRAW_MASK], error))
        return false;
    if (!pixman_region32_not_empty(region))
        return true;
    switch (type) {
    case SPICE_MSG_DISPLAY_COPY_BITS:
        return spice_canvas_copy_bits(dest, region, box,
                                      ((const SpiceMsgDisplayCopyBits *)message)->source, error);
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return paint_fill(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        return paint_opaque(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        return paint_copy(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
        return paint_constant(dest, region, SPICE_ROP_CLEAR, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
        return paint_constant(dest, region, SPICE_ROP_SET, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        return paint_constant(dest, region, SPICE_ROP_INVERT, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        return paint_rop3(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        return paint_stroke(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        return paint_text(dest, region, message, operands, scratch, error);
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT: {
        const SpiceMsgDisplayDrawTransparent *m = message;

        return spice_canvas_transparent(dest, region, box, source, &m->source_area, m->true_color,
                                        scratch, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND: {
        const SpiceMsgDisplayDrawAlphaBlend *m = message;

        return spice_canvas_alpha_blend(dest, region, box, source, &m->source_area, m->alpha_flags,
                                        m->alpha, scratch, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        return paint_composite(dest, region, message, operands, scratch, error);
    default:
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "message");
    }
}
