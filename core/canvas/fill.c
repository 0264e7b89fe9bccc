/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "operand.h"

static uint32_t repeat_pixel(uint32_t color, int bits)
{
    switch (bits) {
    case 1:
        return color & 1 ? ~0u : 0;
    case 8:
        return (color & 0xff) * 0x01010101u;
    case 16:
        return (color & 0xffff) * 0x00010001u;
    default:
        return color;
    }
}

bool spice_fill_prepare(SpiceFill *fill, const SpicePixels *dest, const SpiceCanvasBrush *brush,
                        SpiceRop rop, SpiceArena *scratch, SpiceError *error)
{
    uint32_t color = 0;

    *fill = (SpiceFill){.rop = rop};
    switch (brush->type) {
    case SPICE_BRUSH_TYPE_NONE:
        break;
    case SPICE_BRUSH_TYPE_SOLID:
        color = brush->color;
        break;
    case SPICE_BRUSH_TYPE_PATTERN:
        fill->tiled = true;
        fill->position = brush->position;
        return spice_operand_for(&fill->tile, &brush->pattern, dest, scratch, error);
    default:
        return spice_error_set(error, SPICE_ERROR_VALUE, "brush.type");
    }
    fill->constant = spice_rop_with_constant(rop, repeat_pixel(color, spice_pixels_bits(dest)));
    return true;
}

/** out = (out & keep) ^ flip for the bits [x1, x2) of a row of 1-bit pixels. */
static void fill_bits(SpiceRopConstant constant, uint8_t *row, int32_t x1, int32_t x2)
{
    const uint8_t keep = (uint8_t)constant.keep, flip = (uint8_t)constant.flip;

    while (x1 < x2) {
        const int32_t byte_end = (x1 | 7) + 1, end = byte_end < x2 ? byte_end : x2;
        const unsigned touched = (0xffu >> (8 - (end - x1))) << (x1 & 7);
        uint8_t *out = row + (x1 >> 3);

        *out = (uint8_t)((*out & ~touched) | (((*out & keep) ^ flip) & touched));
        x1 = end;
    }
}

static int32_t modulo(int64_t value, int32_t divisor)
{
    const int64_t rest = value % divisor;

    return (int32_t)(rest < 0 ? rest + divisor : rest);
}

const uint8_t *spice_fill_tile_row(const SpiceFill *fill, int32_t x, int32_t y, int32_t *column)
{
    *column = modulo((int64_t)x - fill->position.x, fill->tile.width);
    return spice_pixels_row(&fill->tile, modulo((int64_t)y - fill->position.y, fill->tile.height));
}

static void fill_tiled(const SpiceFill *fill, const SpicePixels *dest, const pixman_box32_t *box)
{
    const size_t bytes = (size_t)spice_pixels_bits(dest) / 8;

    for (int32_t y = box->y1; y < box->y2; y++) {
        int32_t column, x = box->x1;
        const uint8_t *tile = spice_fill_tile_row(fill, x, y, &column);
        uint8_t *out = spice_pixels_row(dest, y) + (size_t)x * bytes;

        while (x < box->x2) {
            const int32_t in_tile = fill->tile.width - column, left = box->x2 - x;
            const int32_t n = in_tile < left ? in_tile : left;

            spice_rop_row(fill->rop, out, tile + (size_t)column * bytes, (size_t)n * bytes);
            out += (size_t)n * bytes;
            x += n;
            column = 0;
        }
    }
}

void spice_fill_box(const SpiceFill *fill, const SpicePixels *dest, const pixman_box32_t *box)
{
    const int bits = spice_pixels_bits(dest);
    const int32_t width = box->x2 - box->x1, height = box->y2 - box->y1;

    if (fill->tiled) {
        fill_tiled(fill, dest, box);
        return;
    }
    if (bits == 1) {
        for (int32_t y = box->y1; y < box->y2; y++)
            fill_bits(fill->constant, spice_pixels_row(dest, y), box->x1, box->x2);
        return;
    }
    if (fill->constant.keep == 0 && width > 8 &&
        pixman_fill((uint32_t *)dest->data, (int)(dest->stride / 4), bits, box->x1, box->y1, width,
                    height, fill->constant.flip))
        return;
    for (int32_t y = box->y1; y < box->y2; y++)
        spice_rop_row_constant(fill->constant,
                               spice_pixels_row(dest, y) + (size_t)box->x1 * (size_t)bits / 8,
                               (size_t)width * (size_t)bits / 8);
}

void spice_fill_box_in_region(const SpiceFill *fill, const SpicePixels *dest,
                              const pixman_region32_t *region, const pixman_box32_t *box)
{
    int n, low = 0, high;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);

    for (high = n; low < high;) {
        const int middle = low + (high - low) / 2;

        if (rects[middle].y2 <= box->y1)
            low = middle + 1;
        else
            high = middle;
    }
    for (int i = low; i < n && rects[i].y1 < box->y2; i++) {
        const pixman_box32_t part = {
            .x1 = rects[i].x1 > box->x1 ? rects[i].x1 : box->x1,
            .y1 = rects[i].y1 > box->y1 ? rects[i].y1 : box->y1,
            .x2 = rects[i].x2 < box->x2 ? rects[i].x2 : box->x2,
            .y2 = rects[i].y2 < box->y2 ? rects[i].y2 : box->y2,
        };

        if (part.x1 < part.x2)
            spice_fill_box(fill, dest, &part);
    }
}

bool spice_canvas_fill(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceCanvasBrush *brush, SpiceRop rop, SpiceArena *scratch,
                       SpiceError *error)
{
    int n;
    const pixman_box32_t *rects = pixman_region32_rectangles((pixman_region32_t *)region, &n);
    SpiceFill fill;

    if (rop == SPICE_ROP_KEEP)
        return true;
    if (!spice_fill_prepare(&fill, dest, brush, rop, scratch, error))
        return false;
    for (int i = 0; i < n; i++)
        spice_fill_box(&fill, dest, &rects[i]);
    return true;
}
