/* COPY, BLEND (which is COPY) and OPAQUE.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "scale.h"

/** dest = rop(source, dest) where the pixel (0, 0) of `source` belongs to (x, y) of `dest`. The
 * source covers the region. */
static void paint(const SpicePixels *dest, const pixman_region32_t *region,
                  const SpicePixels *source, int32_t x, int32_t y, SpiceRop rop)
{
    int n;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    const size_t bytes = (size_t)spice_pixels_bits(dest) / 8;

    for (int i = 0; i < n; i++) {
        const pixman_box32_t *rect = &rects[i];
        const size_t size = (size_t)(rect->x2 - rect->x1) * bytes;

        for (int32_t row = rect->y1; row < rect->y2; row++)
            spice_rop_row(rop, spice_pixels_row(dest, row) + (size_t)rect->x1 * bytes,
                          spice_pixels_row(source, row - y) + (size_t)(rect->x1 - x) * bytes, size);
    }
}

static bool copy_unscaled(const SpicePixels *dest, const pixman_region32_t *region,
                          const SpiceRect *box, const SpiceCanvasImage *source,
                          const SpiceRect *source_area, SpiceRop rop, SpiceArena *scratch,
                          SpiceError *error)
{
    pixman_region32_t covered;
    SpicePixels pixels;
    bool done = spice_operand_unscaled(&pixels, &covered, region, box, source, source_area, dest,
                                       scratch, error);

    if (done && pixman_region32_not_empty(&covered))
        paint(dest, &covered, &pixels, pixman_region32_extents(&covered)->x1,
              pixman_region32_extents(&covered)->y1, rop);
    pixman_region32_fini(&covered);
    return done;
}

bool spice_canvas_copy(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceRect *box, const SpiceCanvasImage *source,
                       const SpiceRect *source_area, SpiceRop rop, uint8_t scale_mode,
                       SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *extents = pixman_region32_extents((pixman_region32_t *)region);
    SpicePixels pixels, scaled;
    SpiceScale scale;

    if (!spice_is_scaled(box, source_area))
        return copy_unscaled(dest, region, box, source, source_area, rop, scratch, error);
    if (!spice_scale_whole(&scale, box, source_area, error) ||
        !spice_operand_for(&pixels, source, dest, scratch, error))
        return false;
    if (rop == SPICE_ROP_A)
        return spice_scale_paint(dest, region, &pixels, box, &scale, scale_mode, scratch, error);
    if (!spice_scale_take(&scaled, &pixels, dest, region, box, &scale, scale_mode, scratch, error))
        return false;
    paint(dest, region, &scaled, extents->x1, extents->y1, rop);
    return true;
}

bool spice_canvas_opaque(const SpicePixels *dest, const pixman_region32_t *region,
                         const SpiceRect *box, const SpiceCanvasImage *source,
                         const SpiceRect *source_area, const SpiceCanvasBrush *brush, SpiceRop rop,
                         uint8_t scale_mode, SpiceArena *scratch, SpiceError *error)
{
    int n;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    SpiceFill fill;

    /* The brush first: should it be unlawful, nothing has been painted yet. */
    if (!spice_fill_prepare(&fill, dest, brush, rop, scratch, error) ||
        !spice_canvas_copy(dest, region, box, source, source_area, SPICE_ROP_A, scale_mode, scratch,
                           error))
        return false;
    if (rop != SPICE_ROP_KEEP)
        for (int i = 0; i < n; i++)
            spice_fill_box(&fill, dest, &rects[i]);
    return true;
}

bool spice_canvas_frame(const SpicePixels *dest, const pixman_region32_t *region,
                        const SpiceRect *box, const SpicePixels *frame, SpiceArena *scratch,
                        SpiceError *error)
{
    const SpiceRect area = {.right = frame->width, .bottom = frame->height};
    const SpiceCanvasImage source = {.pixels = frame};
    SpicePixels pixels;
    SpiceScale scale;

    if (!spice_is_scaled(box, &area))
        return copy_unscaled(dest, region, box, &source, &area, SPICE_ROP_A, scratch, error);
    return spice_scale_rounded(&scale, box, &area, error) &&
           spice_operand_for(&pixels, &source, dest, scratch, error) &&
           spice_scale_paint(dest, region, &pixels, box, &scale, SPICE_IMAGE_SCALE_MODE_NEAREST,
                             scratch, error);
}
