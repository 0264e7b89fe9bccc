/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cursor-shape.h"

#include <string.h>

enum { MAX_SIZE = 512 };

static const guint32 OPAQUE = 0xff000000u;
/* In place of inverted pixels: dark and light in turn, so that it shows on any ground. */
static const guint32 CHECKER_DARK = 0xc0303030u, CHECKER_LIGHT = 0x30303030u;

typedef struct {
    guint width, height;
    const guint8 *pixels, *palette, *mask;
    gsize pixel_row, mask_row;
} Shape;

static gboolean bit(const guint8 *row, guint x)
{
    return row[x / 8] >> (7 - x % 8) & 1;
}

static guint32 checker(guint x, guint y)
{
    return (x + y) & 1 ? CHECKER_DARK : CHECKER_LIGHT;
}

static guint32 widen_555(guint16 v)
{
    guint32 r = v >> 10 & 31, g = v >> 5 & 31, b = v & 31;

    return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
}

static guint32 palette_entry(const guint8 *palette, guint index)
{
    const guint8 *p = palette + index * 4;

    return (p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16) & 0xffffffu;
}

/** The colour of pixel (x, y), 0x00RRGGBB. */
static guint32 colour(const Shape *shape, guint8 type, guint x, guint y)
{
    const guint8 *row = shape->pixels + y * shape->pixel_row;

    switch (type) {
    case SPICE_CURSOR_TYPE_COLOR4:
        return palette_entry(shape->palette, x & 1 ? row[x / 2] & 15 : row[x / 2] >> 4);
    case SPICE_CURSOR_TYPE_COLOR8:
        return palette_entry(shape->palette, row[x]);
    case SPICE_CURSOR_TYPE_COLOR16:
        return widen_555((guint16)(row[x * 2] | row[x * 2 + 1] << 8));
    case SPICE_CURSOR_TYPE_COLOR24:
        return row[x * 3] | (guint32)row[x * 3 + 1] << 8 | (guint32)row[x * 3 + 2] << 16;
    default:
        return row[x * 4] | (guint32)row[x * 4 + 1] << 8 | (guint32)row[x * 4 + 2] << 16;
    }
}

static void paint_colour(guint32 *out, const Shape *shape, guint8 type)
{
    guint x, y;

    for (y = 0; y < shape->height; y++)
        for (x = 0; x < shape->width; x++) {
            guint32 c = colour(shape, type, x, y);

            if (!bit(shape->mask + y * shape->mask_row, x))
                *out++ = OPAQUE | c;
            else
                *out++ = c ? checker(x, y) : 0;
        }
}

static void paint_mono(guint32 *out, const Shape *shape)
{
    guint x, y;

    for (y = 0; y < shape->height; y++)
        for (x = 0; x < shape->width; x++) {
            gboolean and = bit(shape->pixels + y * shape->pixel_row, x);
            gboolean xor = bit(shape->mask + y * shape->mask_row, x);

            if (and)
                *out++ = xor? checker(x, y) : 0;
            else
                *out++ = xor? OPAQUE | 0xffffffu : OPAQUE;
        }
}

/** Where pixels, palette and mask of `cursor` lie in its data. */
static Shape find_parts(const SpiceCursor *cursor)
{
    static const guint8 bits[] = {
        [SPICE_CURSOR_TYPE_ALPHA] = 32,   [SPICE_CURSOR_TYPE_MONO] = 1,
        [SPICE_CURSOR_TYPE_COLOR4] = 4,   [SPICE_CURSOR_TYPE_COLOR8] = 8,
        [SPICE_CURSOR_TYPE_COLOR16] = 16, [SPICE_CURSOR_TYPE_COLOR24] = 24,
        [SPICE_CURSOR_TYPE_COLOR32] = 32};
    Shape shape = {.width = cursor->width, .height = cursor->height};
    gsize palette = cursor->type == SPICE_CURSOR_TYPE_COLOR4   ? 16 * 4
                    : cursor->type == SPICE_CURSOR_TYPE_COLOR8 ? 256 * 4
                                                               : 0;

    shape.pixel_row = ((gsize)cursor->width * bits[cursor->type] + 7) / 8;
    shape.mask_row = ((gsize)cursor->width + 7) / 8;
    shape.pixels = cursor->data.data;
    shape.palette = shape.pixels + shape.pixel_row * shape.height;
    shape.mask = shape.palette + palette;
    return shape;
}

gboolean gst_spice_cursor_set_shape(GstSpiceCursor *self, const SpiceCursor *cursor)
{
    guint64 needed = spice_cursor_data_size(cursor->type, cursor->width, cursor->height);
    gsize size = (gsize)cursor->width * cursor->height * 4;
    Shape shape;
    guint32 *pixels;

    if (needed == 0 || needed > cursor->data.size || cursor->width > MAX_SIZE ||
        cursor->height > MAX_SIZE)
        return FALSE;
    shape = find_parts(cursor);
    pixels = g_malloc(size);
    if (cursor->type == SPICE_CURSOR_TYPE_ALPHA)
        memcpy(pixels, shape.pixels, size);
    else if (cursor->type == SPICE_CURSOR_TYPE_MONO)
        paint_mono(pixels, &shape);
    else
        paint_colour(pixels, &shape, cursor->type);
    g_clear_pointer(&self->pixels, g_bytes_unref);
    self->pixels = g_bytes_new_take(pixels, size);
    self->width = cursor->width;
    self->height = cursor->height;
    self->hot_x = MIN(cursor->hot_spot_x, cursor->width);
    self->hot_y = MIN(cursor->hot_spot_y, cursor->height);
    return TRUE;
}
