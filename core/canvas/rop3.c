/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "scale.h"

enum { CHUNK = 1024 };

/** dest = code(brush, source, dest) over one run of pixels, in chunks that fit a small buffer of
 * the pattern. */
static void paint_run(const SpiceFill *brush, uint8_t code, const uint8_t *constant, uint8_t *out,
                      const uint8_t *source, int32_t x, int32_t y, int32_t width, size_t bytes)
{
    uint8_t pattern[CHUNK];

    while (width > 0) {
        const int32_t n = width < (int32_t)(CHUNK / 4) ? width : (int32_t)(CHUNK / 4);

        if (brush->tiled) {
            int32_t column;
            const uint8_t *tile = spice_fill_tile_row(brush, x, y, &column);

            for (int32_t i = 0; i < n; i++) {
                memcpy(pattern + (size_t)i * bytes, tile + (size_t)column * bytes, bytes);
                if (++column == brush->tile.width)
                    column = 0;
            }
        }
        spice_rop3_row(code, out, source, brush->tiled ? pattern : constant, (size_t)n * bytes);
        out += (size_t)n * bytes;
        source += (size_t)n * bytes;
        x += n;
        width -= n;
    }
}

static void paint(const SpicePixels *dest, const pixman_region32_t *region,
                  const SpicePixels *source, int32_t source_x, int32_t source_y,
                  const SpiceFill *brush, uint8_t code)
{
    int n;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    const size_t bytes = (size_t)spice_pixels_bits(dest) / 8;
    uint8_t constant[CHUNK];

    for (size_t i = 0; i < CHUNK; i += 4)
        memcpy(constant + i, &brush->constant.flip, 4);
    for (int i = 0; i < n; i++)
        for (int32_t y = rects[i].y1; y < rects[i].y2; y++)
            paint_run(
                brush, code, constant, spice_pixels_row(dest, y) + (size_t)rects[i].x1 * bytes,
                spice_pixels_row(source, y - source_y) + (size_t)(rects[i].x1 - source_x) * bytes,
                rects[i].x1, y, rects[i].x2 - rects[i].x1, bytes);
}

/** The pixels of an unscaled source that belong to `part` of the surface. The whole box must have
 * a source. */
static bool find_source(SpicePixels *pixels, const SpicePixels *dest, const pixman_box32_t *extents,
                        const SpiceRect *box, const SpiceCanvasImage *source, const SpiceRect *area,
                        SpiceArena *scratch, SpiceError *error)
{
    pixman_box32_t part;

    if (!source->pixels)
        return spice_error_set(error, SPICE_ERROR_VALUE, "source");
    if (area->left < 0 || area->top < 0 || area->right > source->pixels->width ||
        area->bottom > source->pixels->height)
        return spice_error_set(error, SPICE_ERROR_VALUE, "source_area");
    part.x1 = (int32_t)((int64_t)extents->x1 - box->left + area->left);
    part.y1 = (int32_t)((int64_t)extents->y1 - box->top + area->top);
    part.x2 = part.x1 + extents->x2 - extents->x1;
    part.y2 = part.y1 + extents->y2 - extents->y1;
    return spice_operand_part_for(pixels, source, &part, dest, scratch, error);
}

bool spice_canvas_rop3(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceRect *box, const SpiceCanvasImage *source,
                       const SpiceRect *source_area, const SpiceCanvasBrush *brush, uint8_t code,
                       uint8_t scale_mode, SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *extents = pixman_region32_extents((pixman_region32_t *)region);
    SpicePixels pixels, whole;
    SpiceScale scale;
    SpiceFill fill;

    if (!spice_fill_prepare(&fill, dest, brush, SPICE_ROP_A, scratch, error))
        return false;
    if (!spice_is_scaled(box, source_area)) {
        if (!find_source(&pixels, dest, extents, box, source, source_area, scratch, error))
            return false;
    } else if (!spice_scale_rounded(&scale, box, source_area, error) ||
               !spice_operand_for(&whole, source, dest, scratch, error) ||
               !spice_scale_take(&pixels, &whole, dest, region, box, &scale, scale_mode, scratch,
                                 error)) {
        return false;
    }
    paint(dest, region, &pixels, extents->x1, extents->y1, &fill, code);
    return true;
}
