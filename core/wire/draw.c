/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw.h"

void spice_layout_point(SpiceWire *wire, void *value)
{
    SpicePoint *point = value;

    spice_wire_i32(wire, &point->x, "point.x");
    spice_wire_i32(wire, &point->y, "point.y");
}

void spice_layout_point16(SpiceWire *wire, void *value)
{
    SpicePoint16 *point = value;

    spice_wire_i16(wire, &point->x, "point.x");
    spice_wire_i16(wire, &point->y, "point.y");
}

static void layout_point_fix(SpiceWire *wire, void *value)
{
    SpicePointFix *point = value;

    spice_wire_i32(wire, &point->x, "point.x");
    spice_wire_i32(wire, &point->y, "point.y");
}

void spice_layout_rect(SpiceWire *wire, void *value)
{
    SpiceRect *rect = value;

    spice_wire_i32(wire, &rect->top, "rect.top");
    spice_wire_i32(wire, &rect->left, "rect.left");
    spice_wire_i32(wire, &rect->bottom, "rect.bottom");
    spice_wire_i32(wire, &rect->right, "rect.right");
}

void spice_layout_transform(SpiceWire *wire, void *value)
{
    SpiceTransform *transform = value;

    spice_wire_i32(wire, &transform->t00, "transform.t00");
    spice_wire_i32(wire, &transform->t01, "transform.t01");
    spice_wire_i32(wire, &transform->t02, "transform.t02");
    spice_wire_i32(wire, &transform->t10, "transform.t10");
    spice_wire_i32(wire, &transform->t11, "transform.t11");
    spice_wire_i32(wire, &transform->t12, "transform.t12");
}

void spice_layout_clip(SpiceWire *wire, void *value)
{
    SpiceClip *clip = value;

    spice_wire_u8(wire, &clip->type, "clip.type");
    switch (clip->type) {
    case SPICE_CLIP_TYPE_NONE:
        break;
    case SPICE_CLIP_TYPE_RECTS:
        spice_wire_u32(wire, &clip->n_rects, "clip.n_rects");
        spice_wire_array(wire, &clip->rects, clip->n_rects, sizeof *clip->rects, 16,
                         spice_layout_rect, "clip.rects");
        break;
    default:
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "clip.type");
    }
}

void spice_layout_display_base(SpiceWire *wire, void *value)
{
    SpiceDisplayBase *base = value;

    spice_wire_u32(wire, &base->surface_id, "base.surface_id");
    spice_layout_rect(wire, &base->box);
    spice_layout_clip(wire, &base->clip);
}

static void layout_palette(SpiceWire *wire, void *value)
{
    SpicePalette *palette = value;

    spice_wire_u64(wire, &palette->unique, "palette.unique");
    spice_wire_u16(wire, &palette->n_entries, "palette.n_entries");
    if (palette->n_entries > SPICE_MAX_PALETTE_ENTRIES) {
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "palette.n_entries");
        return;
    }
    spice_wire_array(wire, &palette->entries, palette->n_entries, sizeof *palette->entries, 4,
                     spice_layout_u32, "palette.entries");
}

/* Eight bytes of id or four of pointer, as the flags before it say. */
static void layout_palette_ref(SpiceWire *wire, SpicePaletteRef *ref, uint8_t flags,
                               SpiceNullable nullable)
{
    if (flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE)
        spice_wire_u64(wire, &ref->id, "image.palette.id");
    else
        spice_wire_pointer(wire, &ref->palette, sizeof *ref->palette, layout_palette, nullable,
                           "image.palette");
}

static void layout_bitmap(SpiceWire *wire, SpiceImage *image)
{
    spice_wire_u8(wire, &image->bitmap_format, "image.format");
    spice_wire_u8(wire, &image->bitmap_flags, "image.bitmap_flags");
    spice_wire_u32(wire, &image->bitmap_width, "image.x");
    spice_wire_u32(wire, &image->bitmap_height, "image.y");
    spice_wire_u32(wire, &image->stride, "image.stride");
    layout_palette_ref(wire, &image->palette, image->bitmap_flags, SPICE_NULLABLE);
    spice_wire_bytes(wire, &image->data, (uint64_t)image->stride * image->bitmap_height,
                     "image.data");
}

void spice_layout_image(SpiceWire *wire, void *value)
{
    SpiceImage *image = value;

    spice_wire_u64(wire, &image->id, "image.id");
    spice_wire_u8(wire, &image->type, "image.type");
    spice_wire_u8(wire, &image->flags, "image.flags");
    spice_wire_u32(wire, &image->width, "image.width");
    spice_wire_u32(wire, &image->height, "image.height");
    switch (image->type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        layout_bitmap(wire, image);
        break;
    case SPICE_IMAGE_TYPE_LZ_PLT: {
        uint32_t size = (uint32_t)image->data.size;

        /* here the palette stands between the size and the data */
        spice_wire_u8(wire, &image->bitmap_flags, "image.bitmap_flags");
        spice_wire_u32(wire, &size, "image.size");
        layout_palette_ref(wire, &image->palette, image->bitmap_flags, SPICE_NOT_NULL);
        spice_wire_bytes(wire, &image->data, size, "image.data");
        break;
    }
    case SPICE_IMAGE_TYPE_QUIC:
    case SPICE_IMAGE_TYPE_LZ_RGB:
    case SPICE_IMAGE_TYPE_GLZ_RGB:
    case SPICE_IMAGE_TYPE_JPEG:
    case SPICE_IMAGE_TYPE_LZ4:
        spice_wire_counted_bytes(wire, &image->data, "image.data");
        break;
    case SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB:
        spice_wire_u32(wire, &image->glz_size, "image.glz_size");
        spice_wire_counted_bytes(wire, &image->data, "image.data");
        break;
    case SPICE_IMAGE_TYPE_JPEG_ALPHA:
        spice_wire_u8(wire, &image->bitmap_flags, "image.jpeg_flags");
        spice_wire_u32(wire, &image->jpeg_size, "image.jpeg_size");
        spice_wire_counted_bytes(wire, &image->data, "image.data");
        if (image->jpeg_size > image->data.size)
            spice_wire_fail(wire, SPICE_ERROR_VALUE, "image.jpeg_size");
        break;
    case SPICE_IMAGE_TYPE_SURFACE:
        spice_wire_u32(wire, &image->surface_id, "image.surface_id");
        break;
    case SPICE_IMAGE_TYPE_FROM_CACHE:
    case SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        break;
    default:
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "image.type");
    }
}

void spice_layout_brush(SpiceWire *wire, void *value)
{
    SpiceBrush *brush = value;

    spice_wire_u8(wire, &brush->type, "brush.type");
    switch (brush->type) {
    case SPICE_BRUSH_TYPE_NONE:
        break;
    case SPICE_BRUSH_TYPE_SOLID:
        spice_wire_u32(wire, &brush->color, "brush.color");
        break;
    case SPICE_BRUSH_TYPE_PATTERN:
        spice_wire_pointer(wire, &brush->pattern, sizeof *brush->pattern, spice_layout_image,
                           SPICE_NOT_NULL, "brush.pattern");
        spice_layout_point(wire, &brush->position);
        break;
    default:
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "brush.type");
    }
}

void spice_layout_mask(SpiceWire *wire, void *value)
{
    SpiceMask *mask = value;

    spice_wire_u8(wire, &mask->flags, "mask.flags");
    spice_layout_point(wire, &mask->position);
    spice_wire_pointer(wire, &mask->bitmap, sizeof *mask->bitmap, spice_layout_image,
                       SPICE_NULLABLE, "mask.bitmap");
}

static void layout_style(SpiceWire *wire, void *value)
{
    SpiceLineAttr *attr = value;

    spice_wire_array(wire, &attr->style, attr->n_style, sizeof *attr->style, 4, spice_layout_i32,
                     "line_attr.style");
}

void spice_layout_line_attr(SpiceWire *wire, void *value)
{
    SpiceLineAttr *attr = value;

    spice_wire_u8(wire, &attr->flags, "line_attr.flags");
    if (!(attr->flags & SPICE_LINE_FLAGS_STYLED))
        return;
    spice_wire_u8(wire, &attr->n_style, "line_attr.n_style");
    spice_wire_pointer_into(wire, attr->n_style != 0, layout_style, attr,
                            attr->n_style ? SPICE_NOT_NULL : SPICE_NULLABLE, "line_attr.style");
}

static void layout_path_segment(SpiceWire *wire, void *value)
{
    SpicePathSegment *segment = value;

    spice_wire_u8(wire, &segment->flags, "path.segment.flags");
    spice_wire_u32(wire, &segment->n_points, "path.segment.n_points");
    spice_wire_array(wire, &segment->points, segment->n_points, sizeof *segment->points, 8,
                     layout_point_fix, "path.segment.points");
}

void spice_layout_path(SpiceWire *wire, void *value)
{
    SpicePath *path = value;

    spice_wire_u32(wire, &path->n_segments, "path.n_segments");
    spice_wire_array(wire, &path->segments, path->n_segments, sizeof *path->segments, 5,
                     layout_path_segment, "path.segments");
}

/* Bits a pixel of a string's glyphs, 0 if the flags do not name exactly one. */
static unsigned glyph_depth(uint8_t string_flags)
{
    switch (string_flags & (SPICE_STRING_FLAGS_RASTER_A1 | SPICE_STRING_FLAGS_RASTER_A4 |
                            SPICE_STRING_FLAGS_RASTER_A8)) {
    case SPICE_STRING_FLAGS_RASTER_A1:
        return 1;
    case SPICE_STRING_FLAGS_RASTER_A4:
        return 4;
    case SPICE_STRING_FLAGS_RASTER_A8:
        return 8;
    default:
        return 0;
    }
}

static void layout_glyph(SpiceWire *wire, SpiceGlyph *glyph, unsigned depth)
{
    uint64_t stride;

    spice_layout_point(wire, &glyph->render_position);
    spice_layout_point(wire, &glyph->glyph_origin);
    spice_wire_u16(wire, &glyph->width, "glyph.width");
    spice_wire_u16(wire, &glyph->height, "glyph.height");
    stride = ((uint64_t)glyph->width * depth + 7) / 8;
    spice_wire_bytes(wire, &glyph->data, stride * glyph->height, "glyph.data");
}

void spice_layout_string(SpiceWire *wire, void *value)
{
    SpiceString *string = value;
    unsigned depth;

    spice_wire_u16(wire, &string->n_glyphs, "string.length");
    spice_wire_u8(wire, &string->flags, "string.flags");
    depth = glyph_depth(string->flags);
    if (depth == 0) {
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "string.flags");
        return;
    }
    if (!spice_wire_array_room(wire, &string->glyphs, string->n_glyphs, sizeof *string->glyphs, 20,
                               "string.glyphs"))
        return;
    for (unsigned i = 0; i < string->n_glyphs; i++)
        layout_glyph(wire, &string->glyphs[i], depth);
}
