/* TEXT: glyphs become one mask of coverage, through which the fore brush is laid over the surface.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/image/convert.h"

#include "operand.h"
#include "region.h"

typedef struct {
    int64_t left, top, right, bottom;
} Bounds;

static Bounds glyph_bounds(const SpiceGlyph *glyph)
{
    Bounds bounds;

    bounds.left = (int64_t)glyph->render_position.x + glyph->glyph_origin.x;
    bounds.top = (int64_t)glyph->render_position.y + glyph->glyph_origin.y;
    bounds.right = bounds.left + glyph->width;
    bounds.bottom = bounds.top + glyph->height;
    return bounds;
}

static Bounds string_bounds(const SpiceString *string)
{
    Bounds all = glyph_bounds(&string->glyphs[0]);

    for (unsigned i = 1; i < string->n_glyphs; i++) {
        const Bounds one = glyph_bounds(&string->glyphs[i]);

        all.left = one.left < all.left ? one.left : all.left;
        all.top = one.top < all.top ? one.top : all.top;
        all.right = one.right > all.right ? one.right : all.right;
        all.bottom = one.bottom > all.bottom ? one.bottom : all.bottom;
    }
    return all;
}

/** Bits a pixel; 0 for vector glyphs, which nobody draws. */
static unsigned glyph_bits(uint8_t flags)
{
    return flags & SPICE_STRING_FLAGS_RASTER_A1   ? 1
           : flags & SPICE_STRING_FLAGS_RASTER_A4 ? 4
           : flags & SPICE_STRING_FLAGS_RASTER_A8 ? 8
                                                  : 0;
}

/** Lays columns [from, end) of a glyph's row onto a row of coverage. */
static void lay_row(uint8_t *out, const uint8_t *row, unsigned bits, int32_t from, int32_t end)
{
    for (int32_t c = from; c < end; c++) {
        uint8_t *coverage = &out[c - from];
        uint8_t value;

        if (bits == 1) {
            if (row[c >> 3] >> (7 - (c & 7)) & 1)
                *coverage = 0xff;
            continue;
        }
        value = (uint8_t)(bits == 8 ? row[c] : c & 1 ? row[c >> 1] << 4 : row[c >> 1] & 0xf0);
        /* Overlapping glyphs keep the greater coverage; but clients of the field let the right
         * one of two packed pixels replace what was there if the left one is not empty, and
         * pictures are to be equal. */
        if (value > *coverage || (bits == 4 && (c & 1) && row[c >> 1] >> 4))
            *coverage = value;
    }
}

/** Lays one glyph onto the coverage, whose pixel (0, 0) is that of `part` on the surface. */
static void lay_glyph(const SpicePixels *coverage, const pixman_box32_t *part,
                      const SpiceGlyph *glyph, unsigned bits)
{
    const Bounds bounds = glyph_bounds(glyph);
    const size_t row_size = ((size_t)glyph->width * bits + 7) / 8;
    const int64_t left = bounds.left > part->x1 ? bounds.left : part->x1;
    const int64_t right = bounds.right < part->x2 ? bounds.right : part->x2;
    const int64_t top = bounds.top > part->y1 ? bounds.top : part->y1;
    const int64_t bottom = bounds.bottom < part->y2 ? bounds.bottom : part->y2;

    if (left >= right)
        return;
    for (int64_t y = top; y < bottom; y++) {
        /* The bottom row is stored first. */
        const uint8_t *row = glyph->data.data + row_size * (size_t)(bounds.bottom - 1 - y);
        uint8_t *out = spice_pixels_row(coverage, (int32_t)(y - part->y1)) + (left - part->x1);

        lay_row(out, row, bits, (int32_t)(left - bounds.left), (int32_t)(right - bounds.left));
    }
}

static bool check_glyphs(const SpiceString *string, unsigned bits, SpiceError *error)
{
    for (unsigned i = 0; i < string->n_glyphs; i++) {
        const SpiceGlyph *glyph = &string->glyphs[i];

        if (glyph->data.size < ((size_t)glyph->width * bits + 7) / 8 * glyph->height)
            return spice_error_set(error, SPICE_ERROR_TRUNCATED, "glyph.data");
    }
    return true;
}

static uint16_t channel(uint32_t value, uint32_t greatest)
{
    return (uint16_t)(value * 0xffff / greatest);
}

/** A solid colour as pixman wants it. On 16-bit surfaces, 565 too, it is given as 555. */
static pixman_color_t solid_color(const SpicePixels *dest, uint32_t color)
{
    if (spice_pixels_bits(dest) == 16)
        return (pixman_color_t){channel(color >> 10 & 31, 31), channel(color >> 5 & 31, 31),
                                channel(color & 31, 31), 0xffff};
    return (pixman_color_t){channel(color >> 16 & 255, 255), channel(color >> 8 & 255, 255),
                            channel(color & 255, 255), 0xffff};
}

static int32_t modulo(int64_t value, int32_t divisor)
{
    const int64_t rest = value % divisor;

    return (int32_t)(rest < 0 ? rest + divisor : rest);
}

/** The fore brush as an image, and the place in it that belongs to the corner of `part`: a
 * pattern starts from the corner of the glyphs' bounds, not from that of the surface. */
static pixman_image_t *fore_image(const SpiceCanvasBrush *brush, const SpicePixels *tile,
                                  const SpicePixels *dest, const Bounds *bounds,
                                  const pixman_box32_t *part, int32_t *x, int32_t *y,
                                  SpiceError *error)
{
    pixman_image_t *image;

    *x = *y = 0;
    if (brush->type == SPICE_BRUSH_TYPE_SOLID) {
        const pixman_color_t color = solid_color(dest, brush->color);

        image = pixman_image_create_solid_fill(&color);
        if (!image)
            spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
        return image;
    }
    image = spice_operand_pixman(tile, error);
    if (!image)
        return NULL;
    pixman_image_set_repeat(image, PIXMAN_REPEAT_NORMAL);
    *x = modulo(part->x1 - bounds->left - brush->position.x, tile->width);
    *y = modulo(part->y1 - bounds->top - brush->position.y, tile->height);
    return image;
}

static bool lay_glyphs(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceString *string, unsigned bits, const SpiceCanvasBrush *brush,
                       const SpicePixels *tile, SpiceArena *scratch, SpiceError *error)
{
    const Bounds bounds = string_bounds(string);
    const pixman_box32_t *extents = pixman_region32_extents((pixman_region32_t *)region);
    const Bounds visible = {
        .left = bounds.left > extents->x1 ? bounds.left : extents->x1,
        .top = bounds.top > extents->y1 ? bounds.top : extents->y1,
        .right = bounds.right < extents->x2 ? bounds.right : extents->x2,
        .bottom = bounds.bottom < extents->y2 ? bounds.bottom : extents->y2,
    };
    const pixman_box32_t part = {(int32_t)visible.left, (int32_t)visible.top,
                                 (int32_t)visible.right, (int32_t)visible.bottom};
    pixman_image_t *from = NULL, *through = NULL, *to = NULL;
    SpicePixels coverage;
    int32_t x, y;
    bool done;

    if (visible.left >= visible.right || visible.top >= visible.bottom)
        return true;
    if (!spice_pixels_new(&coverage, PIXMAN_a8, part.x2 - part.x1, part.y2 - part.y1, scratch,
                          error))
        return false;
    for (unsigned i = 0; i < string->n_glyphs; i++)
        lay_glyph(&coverage, &part, &string->glyphs[i], bits);

    done = (from = fore_image(brush, tile, dest, &bounds, &part, &x, &y, error)) &&
           (through = spice_operand_pixman(&coverage, error)) &&
           (to = spice_operand_pixman(dest, error));
    if (done && !pixman_image_set_clip_region32(to, (pixman_region32_t *)region))
        done = spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    if (done)
        pixman_image_composite32(PIXMAN_OP_OVER, from, through, to, x, y, 0, 0, part.x1, part.y1,
                                 part.x2 - part.x1, part.y2 - part.y1);
    if (from)
        pixman_image_unref(from);
    if (through)
        pixman_image_unref(through);
    if (to)
        pixman_image_unref(to);
    return done;
}

static bool fill_back(const SpicePixels *dest, const pixman_region32_t *region,
                      const SpiceRect *area, const SpiceFill *fill, SpiceError *error)
{
    const int64_t width = (int64_t)area->right - area->left;
    const int64_t height = (int64_t)area->bottom - area->top;
    const pixman_box32_t *rects;
    pixman_region32_t back;
    bool done;
    int n;

    pixman_region32_init(&back);
    done = pixman_region32_copy(&back, (pixman_region32_t *)region) ||
           spice_error_set(error, SPICE_ERROR_MEMORY, "region");
    done = done && spice_region_cut(&back, area->left, area->top, width, height, error);
    rects = pixman_region32_rectangles(&back, &n);
    for (int i = 0; done && i < n; i++)
        spice_fill_box(fill, dest, &rects[i]);
    pixman_region32_fini(&back);
    return done;
}

bool spice_canvas_text(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceString *string, const SpiceRect *back_area,
                       const SpiceCanvasBrush *fore_brush, const SpiceCanvasBrush *back_brush,
                       uint16_t fore_mode, SpiceArena *scratch, SpiceError *error)
{
    const bool has_back = back_area->left < back_area->right && back_area->top < back_area->bottom;
    const unsigned bits = glyph_bits(string->flags);
    SpicePixels tile;
    SpiceFill back;

    if (dest->format == PIXMAN_a1)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "surface.format");
    if (fore_brush->type > SPICE_BRUSH_TYPE_PATTERN)
        return spice_error_set(error, SPICE_ERROR_VALUE, "fore_brush.type");
    if (!check_glyphs(string, bits, error))
        return false;
    if (fore_brush->type == SPICE_BRUSH_TYPE_PATTERN &&
        (!spice_operand_for(&tile, &fore_brush->pattern, dest, scratch, error) ||
         !spice_operand_raw(&tile, &tile, dest, scratch, error)))
        return false;
    if (has_back) {
        if (fore_mode != SPICE_ROPD_OP_PUT)
            return spice_error_set(error, SPICE_ERROR_VALUE, "fore_mode");
        if (!spice_fill_prepare(&back, dest, back_brush, SPICE_ROP_A, scratch, error) ||
            !fill_back(dest, region, back_area, &back, error))
            return false;
    }
    if (!bits || string->n_glyphs == 0 || fore_brush->type == SPICE_BRUSH_TYPE_NONE)
        return true;
    return lay_glyphs(dest, region, string, bits, fore_brush, &tile, scratch, error);
}
