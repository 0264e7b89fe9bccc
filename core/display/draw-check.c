/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw-check.h"

#include "core/canvas/path.h"
#include "core/image/bitmap.h"
#include "core/image/quic.h"

/* Of COMPOSITE's flags. */
enum { FILTERS_SHIFT_SOURCE = 8, FILTERS_SHIFT_MASK = 11, FILTER_MASK = 7 };

unsigned spice_bitmap_bits(uint8_t bitmap_format)
{
    static const uint8_t bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8};

    return bitmap_format < sizeof(bits) ? bits[bitmap_format] : 0;
}

static bool bad(SpiceError *error, const char *field)
{
    return spice_error_set(error, SPICE_ERROR_VALUE, field);
}

static bool check_rows(const SpiceImage *image, SpiceError *error)
{
    const uint64_t row =
        ((uint64_t)image->bitmap_width * spice_bitmap_bits(image->bitmap_format) + 7) / 8;

    if (row == 0)
        return bad(error, "bitmap.format");
    if (image->stride < row)
        return bad(error, "bitmap.stride");
    if ((uint64_t)image->stride * image->bitmap_height > image->data.size)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "bitmap.data");
    return true;
}

static bool check_bitmap(const SpiceImage *image, pixman_format_code_t surface_format,
                         SpiceError *error)
{
    if (!check_rows(image, error))
        return false;
    if (!spice_bitmap_working_format(image->bitmap_format, surface_format))
        return bad(error, "bitmap.format");
    /* Lawful, but the field's clients end over them. */
    if (image->bitmap_format == SPICE_BITMAP_FMT_1BIT_LE ||
        image->bitmap_format == SPICE_BITMAP_FMT_4BIT_LE)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "bitmap.format");
    if (spice_bitmap_is_indexed(image->bitmap_format)) {
        const SpicePalette *palette = image->palette.palette;

        if (!palette || palette->n_entries == 0 || palette->n_entries > SPICE_MAX_PALETTE_ENTRIES)
            return bad(error, "bitmap.palette");
    }
    return true;
}

static bool check_quic(const SpiceImage *image, SpiceError *error)
{
    SpiceQuicHeader header;

    if (!spice_quic_read_header(&header, image->data.data, image->data.size, SPICE_MAX_PIXELS,
                                error))
        return false;
    if (header.type == SPICE_QUIC_GRAY || header.width != image->width ||
        header.height != image->height)
        return bad(error, "quic.header");
    return true;
}

/** An image that is a picture; `same_depth`: a surface must have the depth of the one drawn to. */
static bool check_picture(const SpiceImage *image, const SpicePixels *dest, bool same_depth,
                          const SpiceSurfaces *surfaces, SpiceError *error)
{
    const SpicePixels *surface;

    if (dest->format == PIXMAN_a1)
        return bad(error, "surface.format");
    if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        surface = surfaces->find(surfaces->context, image->surface_id);
        if (!surface)
            return spice_error_set(error, SPICE_ERROR_STATE, "image.surface_id");
        if (surface->format == PIXMAN_a1 ||
            (same_depth && spice_pixels_bits(surface) != spice_pixels_bits(dest)))
            return bad(error, "image.surface_id");
        return true;
    }
    if (!spice_pixels_check_size(image->width, image->height, error))
        return false;
    return image->type == SPICE_IMAGE_TYPE_BITMAP ? check_bitmap(image, dest->format, error)
                                                  : check_quic(image, error);
}

static bool check_mask(const SpiceImage *image, const SpiceSurfaces *surfaces, SpiceError *error)
{
    const SpicePixels *surface;

    if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        surface = surfaces->find(surfaces->context, image->surface_id);
        if (!surface)
            return spice_error_set(error, SPICE_ERROR_STATE, "mask.surface_id");
        return surface->format == PIXMAN_a1 || bad(error, "mask.surface_id");
    }
    if (image->type != SPICE_IMAGE_TYPE_BITMAP || spice_bitmap_bits(image->bitmap_format) != 1)
        return bad(error, "mask.bitmap");
    return spice_pixels_check_size(image->width, image->height, error) && check_rows(image, error);
}

static bool check_images(uint16_t type, const void *message, const SpicePixels *dest,
                         const SpiceSurfaces *surfaces, SpiceError *error)
{
    /* These use surfaces of any depth through pixman. */
    const bool same_depth =
        type != SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND && type != SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
    SpiceDrawImages images;

    spice_draw_images(&images, type, message);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        const SpiceImage *image = images.images[role];

        if (!image)
            continue;
        if (role == SPICE_DRAW_MASK ? !check_mask(image, surfaces, error)
                                    : !check_picture(image, dest, same_depth, surfaces, error))
            return false;
    }
    return true;
}

static bool check_brush(const SpiceBrush *brush, SpiceError *error)
{
    if (brush->type > SPICE_BRUSH_TYPE_PATTERN)
        return bad(error, "brush.type");
    return brush->type != SPICE_BRUSH_TYPE_PATTERN || brush->pattern || bad(error, "brush.pattern");
}

/** What has a source: the image, where in it, and how it is scaled. */
static bool check_source(const SpiceImage *source, const SpiceRect *area, uint8_t scale_mode,
                         SpiceError *error)
{
    if (!source)
        return bad(error, "source");
    if (area->left > area->right || area->top > area->bottom)
        return bad(error, "source_area");
    if (area->left < -SPICE_MAX_SIDE || area->top < -SPICE_MAX_SIDE ||
        area->right > SPICE_MAX_SIDE || area->bottom > SPICE_MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "source_area");
    return scale_mode <= SPICE_IMAGE_SCALE_MODE_NEAREST || bad(error, "scale_mode");
}

static bool check_rop3(const SpiceMsgDisplayDrawRop3 *m, const SpicePixels *dest,
                       const SpiceSurfaces *surfaces, SpiceError *error)
{
    uint32_t width, height;

    if (!check_source(m->source, &m->source_area, m->scale_mode, error))
        return false;
    if (spice_pixels_bits(dest) < 16)
        return bad(error, "surface.format");
    width = m->source->width;
    height = m->source->height;
    if (m->source->type == SPICE_IMAGE_TYPE_SURFACE) {
        const SpicePixels *surface = surfaces->find(surfaces->context, m->source->surface_id);

        width = (uint32_t)surface->width;
        height = (uint32_t)surface->height;
    }
    /* Nothing outside of the source is defined. */
    if (m->source_area.left < 0 || m->source_area.top < 0 ||
        (uint32_t)m->source_area.right > width || (uint32_t)m->source_area.bottom > height)
        return bad(error, "source_area");
    return true;
}

static bool check_text(const SpiceMsgDisplayDrawText *m, SpiceError *error)
{
    const SpiceString *string = m->string;
    const SpiceRect *back = &m->back_area;
    unsigned bits;

    if (!string || string->n_glyphs == 0)
        return bad(error, "string");
    switch (string->flags & (SPICE_STRING_FLAGS_RASTER_A1 | SPICE_STRING_FLAGS_RASTER_A4 |
                             SPICE_STRING_FLAGS_RASTER_A8)) {
    case SPICE_STRING_FLAGS_RASTER_A1:
        bits = 1;
        break;
    case SPICE_STRING_FLAGS_RASTER_A4:
        bits = 4;
        break;
    case SPICE_STRING_FLAGS_RASTER_A8:
        bits = 8;
        break;
    default:
        return bad(error, "string.flags");
    }
    for (unsigned i = 0; i < string->n_glyphs; i++) {
        const SpiceGlyph *glyph = &string->glyphs[i];

        if (glyph->data.size != (size_t)(glyph->width * bits + 7) / 8 * glyph->height)
            return bad(error, "glyph.data");
    }
    if (back->left < back->right && back->top < back->bottom && m->fore_mode != SPICE_ROPD_OP_PUT)
        return bad(error, "fore_mode");
    return check_brush(&m->fore_brush, error) && check_brush(&m->back_brush, error);
}

static bool check_stroke(const SpiceMsgDisplayDrawStroke *m, SpiceError *error)
{
    uint64_t points = 0, length = 0;

    if (!m->path)
        return bad(error, "path");
    for (uint32_t i = 0; i < m->path->n_segments; i++) {
        const SpicePathSegment *segment = &m->path->segments[i];

        points += segment->n_points;
        if ((segment->flags & SPICE_PATH_BEZIER) && segment->n_points % 3 != 0 &&
            (!(segment->flags & SPICE_PATH_BEGIN) || segment->n_points % 3 != 1))
            return bad(error, "path.segment.n_points");
    }
    if (points > SPICE_MAX_PATH_POINTS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "path");
    if (m->attr.flags & SPICE_LINE_FLAGS_STYLED) {
        for (unsigned i = 0; i < m->attr.n_style; i++) {
            if (m->attr.style[i] < 0)
                return bad(error, "line_attr.style");
            length += (uint64_t)m->attr.style[i];
        }
        if (length == 0)
            return bad(error, "line_attr.style");
    }
    return check_brush(&m->brush, error);
}

static bool check_composite(const SpiceMsgDisplayDrawComposite *m, SpiceError *error)
{
    if (!m->source || ((m->flags & SPICE_COMPOSITE_HAS_MASK) && !m->mask))
        return bad(error, "composite.image");
    if ((m->flags >> FILTERS_SHIFT_SOURCE & FILTER_MASK) > PIXMAN_FILTER_BILINEAR ||
        (m->flags >> FILTERS_SHIFT_MASK & FILTER_MASK) > PIXMAN_FILTER_BILINEAR)
        return bad(error, "composite.filter");
    return true;
}

static bool check_kind(uint16_t type, const void *message, const SpicePixels *dest,
                       const SpiceSurfaces *surfaces, SpiceError *error)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return check_brush(&((const SpiceMsgDisplayDrawFill *)message)->brush, error);
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE: {
        const SpiceMsgDisplayDrawOpaque *m = message;

        return check_source(m->source, &m->source_area, m->scale_mode, error) &&
               check_brush(&m->brush, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND: {
        const SpiceMsgDisplayDrawCopy *m = message;

        return check_source(m->source, &m->source_area, m->scale_mode, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        return check_rop3(message, dest, surfaces, error) &&
               check_brush(&((const SpiceMsgDisplayDrawRop3 *)message)->brush, error);
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        return check_stroke(message, error);
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        return dest->format != PIXMAN_a1 ? check_text(message, error)
                                         : bad(error, "surface.format");
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT: {
        const SpiceMsgDisplayDrawTransparent *m = message;

        if (spice_pixels_bits(dest) < 16)
            return bad(error, "surface.format");
        return check_source(m->source, &m->source_area, 0, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND: {
        const SpiceMsgDisplayDrawAlphaBlend *m = message;

        return check_source(m->source, &m->source_area, 0, error);
    }
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        return check_composite(message, error);
    default:
        return true;
    }
}

bool spice_draw_check(uint16_t type, const void *message, const SpiceSurfaces *surfaces,
                      SpiceError *error)
{
    const SpiceDisplayBase *base = spice_draw_base(message);
    const SpicePixels *dest = surfaces->find(surfaces->context, base->surface_id);

    if (!dest)
        return spice_error_set(error, SPICE_ERROR_STATE, "base.surface_id");
    if (base->box.left > base->box.right || base->box.top > base->box.bottom)
        return bad(error, "base.box");
    if (base->clip.type > SPICE_CLIP_TYPE_RECTS)
        return bad(error, "clip.type");
    /* The images first: what follows looks at those that there are. */
    return check_images(type, message, dest, surfaces, error) &&
           check_kind(type, message, dest, surfaces, error);
}
