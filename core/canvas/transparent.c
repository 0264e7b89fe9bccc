/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "scale.h"

/** The colour key in the words of the surface, and which bits of a word count. */
typedef struct {
    uint32_t key, bits;
} ColorKey;

static ColorKey key_for(pixman_format_code_t format, uint32_t color)
{
    switch (format) {
    case PIXMAN_x1r5g5b5:
        return (ColorKey){(color >> 9 & 0x7c00) | (color >> 6 & 0x03e0) | (color >> 3 & 0x001f),
                          0xffff};
    case PIXMAN_r5g6b5:
        return (ColorKey){(color >> 8 & 0xf800) | (color >> 5 & 0x07e0) | (color >> 3 & 0x001f),
                          0xffff};
    default:
        return (ColorKey){color & 0xffffff, 0xffffff};
    }
}

static void paint(const SpicePixels *dest, const pixman_region32_t *region,
                  const SpicePixels *source, int32_t source_x, int32_t source_y, ColorKey key)
{
    int n;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    const size_t bytes = (size_t)spice_pixels_bits(dest) / 8;

    for (int i = 0; i < n; i++) {
        for (int32_t y = rects[i].y1; y < rects[i].y2; y++) {
            uint8_t *out = spice_pixels_row(dest, y) + (size_t)rects[i].x1 * bytes;
            const uint8_t *in =
                spice_pixels_row(source, y - source_y) + (size_t)(rects[i].x1 - source_x) * bytes;

            for (int32_t x = rects[i].x1; x < rects[i].x2; x++, out += bytes, in += bytes) {
                uint32_t word = 0;

                memcpy(&word, in, bytes);
                if ((word & key.bits) != key.key)
                    memcpy(out, in, bytes);
            }
        }
    }
}

static bool paint_unscaled(const SpicePixels *dest, const pixman_region32_t *region,
                           const SpiceRect *box, const SpiceCanvasImage *source,
                           const SpiceRect *source_area, ColorKey key, SpiceArena *scratch,
                           SpiceError *error)
{
    pixman_region32_t covered;
    SpicePixels pixels;
    bool done = spice_operand_unscaled(&pixels, &covered, region, box, source, source_area, dest,
                                       scratch, error);

    if (done && pixman_region32_not_empty(&covered))
        paint(dest, &covered, &pixels, pixman_region32_extents(&covered)->x1,
              pixman_region32_extents(&covered)->y1, key);
    pixman_region32_fini(&covered);
    return done;
}

bool spice_canvas_transparent(const SpicePixels *dest, const pixman_region32_t *region,
                              const SpiceRect *box, const SpiceCanvasImage *source,
                              const SpiceRect *source_area, uint32_t true_color,
                              SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *extents = pixman_region32_extents((pixman_region32_t *)region);
    const ColorKey key = key_for(dest->format, true_color);
    SpicePixels pixels, scaled;
    SpiceScale scale;

    if (spice_pixels_bits(dest) < 16)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "surface.format");
    if (!spice_is_scaled(box, source_area))
        return paint_unscaled(dest, region, box, source, source_area, key, scratch, error);
    if (!spice_scale_whole(&scale, box, source_area, error) ||
        !spice_operand_for(&pixels, source, dest, scratch, error) ||
        !spice_scale_take(&scaled, &pixels, dest, region, box, &scale,
                          SPICE_IMAGE_SCALE_MODE_NEAREST, scratch, error))
        return false;
    paint(dest, region, &scaled, extents->x1, extents->y1, key);
    return true;
}
