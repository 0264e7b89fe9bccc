/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish-draws.h"

#include <stdlib.h>
#include <string.h>

#include "core/image/quic.h"

static uint32_t below(const Choices *choices, uint32_t n)
{
    return choices->below(choices->context, n);
}

/** In [low, high]. */
static int32_t in(const Choices *choices, int32_t low, int32_t high)
{
    return low + (int32_t)below(choices, (uint32_t)(high - low + 1));
}

static uint32_t word(const Choices *choices)
{
    return below(choices, 1 << 16) << 16 | below(choices, 1 << 16);
}

static const struct {
    uint8_t format;
    unsigned bits;
} formats[] = {
    {SPICE_BITMAP_FMT_32BIT, 32},  {SPICE_BITMAP_FMT_32BIT, 32},  {SPICE_BITMAP_FMT_RGBA, 32},
    {SPICE_BITMAP_FMT_16BIT, 16},  {SPICE_BITMAP_FMT_24BIT, 24},  {SPICE_BITMAP_FMT_8BIT, 8},
    {SPICE_BITMAP_FMT_4BIT_BE, 4}, {SPICE_BITMAP_FMT_1BIT_BE, 1}, {SPICE_BITMAP_FMT_8BIT_A, 8},
};

/** Rows of a bitmap: noise that depends on one choice, not to use up a fuzzer's bytes. */
static void fill_rows(uint8_t *rows, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        rows[i] = (uint8_t)(seed >> 24);
    }
}

static SpiceImage *bitmap(RandomDraw *draw, const Choices *choices, uint8_t format, unsigned bits,
                          uint32_t width, uint32_t height)
{
    const unsigned n = draw->n_images++;
    const uint32_t stride = (width * bits + 7) / 8 + below(choices, 9);
    const size_t size = (size_t)stride * height;
    SpiceImage *image = &draw->images[n];
    uint8_t *rows = malloc(size);

    fill_rows(rows, size, below(choices, 256));
    draw->blocks[draw->n_blocks++] = rows;
    *image = (SpiceImage){
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .flags = below(choices, 8) == 0 ? SPICE_IMAGE_FLAGS_HIGH_BITS_SET : 0,
        .width = width,
        .height = height,
        .bitmap_format = format,
        .bitmap_flags = below(choices, 2) ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0,
        .bitmap_width = width,
        .bitmap_height = height,
        .stride = stride,
        .data = {rows, size},
    };
    if (format <= SPICE_BITMAP_FMT_8BIT) {
        for (unsigned i = 0; i < 16; i++)
            draw->entries[n][i] = 0x10305070u * i ^ 0x00ff3311u;
        draw->palettes[n] = (SpicePalette){.n_entries = 16, .entries = draw->entries[n]};
        image->palette.palette = &draw->palettes[n];
    }
    return image;
}

/** As the driver of an old guest sends them; if asked for, truncated now and then. */
static SpiceImage *quic(RandomDraw *draw, const Choices *choices, uint32_t width, uint32_t height)
{
    const SpiceImage *plain = bitmap(draw, choices, SPICE_BITMAP_FMT_32BIT, 32, width, height);
    SpiceQuicEncoder *encoder = spice_quic_encoder_new(&spice_allocator_libc, 0);
    const SpiceQuicSource source = {SPICE_QUIC_RGB32, width, height, plain->data.data,
                                    (ptrdiff_t)plain->stride};
    const size_t capacity = 512 + 8 * plain->data.size;
    uint8_t *stream = malloc(capacity);
    size_t size = spice_quic_encode(encoder, &source, stream, capacity);
    SpiceImage *image = &draw->images[draw->n_images - 1];

    spice_quic_encoder_free(encoder);
    if (draw->broken && below(choices, 8) == 0 && size > SPICE_QUIC_MIN_SIZE)
        size -= (size - SPICE_QUIC_MIN_SIZE) / 2;
    free(draw->blocks[draw->n_blocks - 1]);
    draw->blocks[draw->n_blocks - 1] = stream;
    *image = (SpiceImage){
        .type = SPICE_IMAGE_TYPE_QUIC, .width = width, .height = height, .data = {stream, size}};
    return image;
}

static SpiceImage *surface_image(RandomDraw *draw, uint32_t id)
{
    SpiceImage *image = &draw->images[draw->n_images++];

    *image = (SpiceImage){
        .type = SPICE_IMAGE_TYPE_SURFACE, .width = MAX_SIDE, .height = MAX_SIDE, .surface_id = id};
    return image;
}

/** A picture, of the box's size more often than not. */
static SpiceImage *picture(RandomDraw *draw, const Choices *choices)
{
    const SpiceRect *box = &draw->message.base.box;
    uint32_t width = (uint32_t)(box->right - box->left);
    uint32_t height = (uint32_t)(box->bottom - box->top);
    const uint32_t kind = below(choices, sizeof(formats) / sizeof(formats[0]));

    if (below(choices, 4) == 0)
        return surface_image(draw, below(choices, N_IDS));
    if (below(choices, 3) == 0) {
        width = 1 + below(choices, 40);
        height = 1 + below(choices, 40);
    }
    if (below(choices, 8) == 0)
        return quic(draw, choices, width, height);
    return bitmap(draw, choices, formats[kind].format, formats[kind].bits, width, height);
}

static SpiceRect area_of(RandomDraw *draw, const Choices *choices, const SpiceImage *image)
{
    const SpiceRect *box = &draw->message.base.box;
    SpiceRect area = {0, 0, box->bottom - box->top, box->right - box->left};

    if (below(choices, 4) == 0) {
        const int32_t dx = in(choices, -4, 4), dy = in(choices, -4, 4);

        area = (SpiceRect){dy, dx, area.bottom + dy, area.right + dx};
    } else if (below(choices, 6) == 0) {
        area = (SpiceRect){0, 0, in(choices, 1, (int32_t)image->height),
                           in(choices, 1, (int32_t)image->width)};
    }
    return area;
}

static SpiceBrush brush(RandomDraw *draw, const Choices *choices)
{
    SpiceBrush result = {.type = SPICE_BRUSH_TYPE_SOLID, .color = word(choices)};

    if (below(choices, 4) != 0 || draw->n_images >= 3)
        return result;
    result.type = (uint8_t)(below(choices, 2) ? SPICE_BRUSH_TYPE_PATTERN : SPICE_BRUSH_TYPE_NONE);
    if (result.type == SPICE_BRUSH_TYPE_PATTERN) {
        result.pattern = picture(draw, choices);
        result.position = (SpicePoint){in(choices, -70, 70), in(choices, -70, 70)};
    }
    return result;
}

static SpiceMask mask(RandomDraw *draw, const Choices *choices)
{
    SpiceMask result = {0};

    if (below(choices, 4) != 0)
        return result;
    result.flags = (uint8_t)below(choices, 2);
    result.position = (SpicePoint){in(choices, -9, 9), in(choices, -9, 9)};
    result.bitmap =
        below(choices, 4) == 0
            ? surface_image(draw, below(choices, N_IDS))
            : bitmap(draw, choices,
                     below(choices, 2) ? SPICE_BITMAP_FMT_1BIT_BE : SPICE_BITMAP_FMT_1BIT_LE, 1,
                     1 + below(choices, 60), 1 + below(choices, 60));
    return result;
}

static uint16_t rop(const Choices *choices)
{
    if (below(choices, 2))
        return SPICE_ROPD_OP_PUT;
    return (uint16_t)(8u << below(choices, 7) | (below(choices, 0x800) & 0x407));
}

static void make_stroke(RandomDraw *draw, const Choices *choices, int32_t width, int32_t height)
{
    SpiceMsgDisplayDrawStroke *m = &draw->message.stroke;

    for (int i = 0; i < 6; i++)
        draw->points[i] =
            (SpicePointFix){in(choices, -160, width * 16), in(choices, -160, height * 16)};
    draw->segment = (SpicePathSegment){.flags = SPICE_PATH_BEGIN | SPICE_PATH_END,
                                       .n_points = 2 + below(choices, 5),
                                       .points = draw->points};
    if (below(choices, 3) == 0) {
        draw->segment.flags |= SPICE_PATH_BEZIER;
        draw->segment.n_points = 4;
    }
    draw->path = (SpicePath){1, &draw->segment};
    m->path = &draw->path;
    if (below(choices, 2)) {
        for (int i = 0; i < 4; i++)
            draw->style[i] = in(choices, 1, 9) * 16;
        m->attr =
            (SpiceLineAttr){SPICE_LINE_FLAGS_STYLED, (uint8_t)(1 + below(choices, 4)), draw->style};
    }
    m->brush = brush(draw, choices);
    m->fore_mode = rop(choices);
}

static void make_text(RandomDraw *draw, const Choices *choices, int32_t width, int32_t height)
{
    static const uint8_t flags[] = {SPICE_STRING_FLAGS_RASTER_A1, SPICE_STRING_FLAGS_RASTER_A4,
                                    SPICE_STRING_FLAGS_RASTER_A8};
    static const unsigned bits[] = {1, 4, 8};
    SpiceMsgDisplayDrawText *m = &draw->message.text;
    const uint32_t kind = below(choices, 3);

    for (int i = 0; i < 3; i++) {
        SpiceGlyph *glyph = &draw->glyphs[i];

        fill_rows(draw->glyph_data[i], 64, below(choices, 256));
        glyph->render_position = (SpicePoint){in(choices, -5, width), in(choices, -5, height)};
        glyph->width = (uint16_t)(1 + below(choices, 8));
        glyph->height = (uint16_t)(1 + below(choices, 8));
        glyph->data = (SpiceBytes){draw->glyph_data[i],
                                   (size_t)(glyph->width * bits[kind] + 7) / 8 * glyph->height};
    }
    draw->string = (SpiceString){3, flags[kind], draw->glyphs};
    m->string = &draw->string;
    if (below(choices, 2))
        m->back_area = m->base.box;
    m->fore_brush = brush(draw, choices);
    m->back_brush = brush(draw, choices);
    m->fore_mode = m->back_mode = SPICE_ROPD_OP_PUT;
}

static void make_composite(RandomDraw *draw, const Choices *choices)
{
    static const uint8_t filters[] = {1, 3, 4};
    SpiceMsgDisplayDrawComposite *m = &draw->message.composite;

    m->flags = below(choices, 14) | (uint32_t)filters[below(choices, 3)] << 8 |
               (uint32_t)filters[below(choices, 3)] << 11 | below(choices, 16) << 14;
    m->source = picture(draw, choices);
    if (below(choices, 2)) {
        m->flags |= SPICE_COMPOSITE_HAS_MASK;
        m->mask = picture(draw, choices);
    }
    m->source_origin = (SpicePoint16){(int16_t)in(choices, -9, 9), (int16_t)in(choices, -9, 9)};
}

static void make_base(RandomDraw *draw, const Choices *choices, int32_t width, int32_t height)
{
    SpiceDisplayBase *base = &draw->message.base;
    const int32_t left = in(choices, -8, width - 1), top = in(choices, -8, height - 1);

    base->box = (SpiceRect){top, left, top + in(choices, 1, height), left + in(choices, 1, width)};
    if (below(choices, 8) == 0)
        base->box = (SpiceRect){0, 0, height, width};
    if (below(choices, 4) != 0)
        return;
    /* Now and then one of more rectangles than regions are kept with. */
    if (below(choices, 8) == 0) {
        base->clip = (SpiceClip){SPICE_CLIP_TYPE_RECTS, CLIP_RECTS, draw->clip};
        for (int i = 0; i < CLIP_RECTS; i++) {
            const int32_t x = i % 7 * 9 + i % 3, y = i / 7 * 7 + i % 5;

            draw->clip[i] = (SpiceRect){y, x, y + 3 + i % 4, x + 4 + i % 5};
        }
        return;
    }
    base->clip = (SpiceClip){SPICE_CLIP_TYPE_RECTS, below(choices, 5), draw->clip};
    for (int i = 0; i < 4; i++) {
        const int32_t x = in(choices, 0, width), y = in(choices, 0, height);

        draw->clip[i] = (SpiceRect){y, x, y + in(choices, 0, height), x + in(choices, 0, width)};
    }
}

static uint16_t any_type(const Choices *choices)
{
    static const uint16_t common[] = {SPICE_MSG_DISPLAY_DRAW_COPY, SPICE_MSG_DISPLAY_DRAW_FILL,
                                      SPICE_MSG_DISPLAY_COPY_BITS, SPICE_MSG_DISPLAY_DRAW_COPY};
    const uint32_t n = below(choices, 20);

    if (n < 6)
        return common[n % 4];
    if (n == 18)
        return SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
    return n == 19 ? SPICE_MSG_DISPLAY_COPY_BITS
                   : (uint16_t)(SPICE_MSG_DISPLAY_DRAW_FILL + (n - 6));
}

void random_draw_make(RandomDraw *draw, const Choices *choices, uint32_t surface_id, int32_t width,
                      int32_t height, bool broken)
{
    AnyDraw *m = &draw->message;

    memset(draw, 0, sizeof(*draw));
    draw->broken = broken;
    draw->type = any_type(choices);
    m->base.surface_id = surface_id;
    make_base(draw, choices, width, height);
    switch (draw->type) {
    case SPICE_MSG_DISPLAY_COPY_BITS:
        m->copy_bits.source = (SpicePoint){m->base.box.left + in(choices, -9, 9),
                                           m->base.box.top + in(choices, -9, 9)};
        break;
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        m->fill.brush = brush(draw, choices);
        m->fill.rop = rop(choices);
        m->fill.mask = mask(draw, choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        m->opaque.source = picture(draw, choices);
        m->opaque.source_area = area_of(draw, choices, m->opaque.source);
        m->opaque.brush = brush(draw, choices);
        m->opaque.rop = rop(choices);
        m->opaque.mask = mask(draw, choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        m->copy.source = picture(draw, choices);
        m->copy.source_area = area_of(draw, choices, m->copy.source);
        m->copy.rop = rop(choices);
        m->copy.scale_mode = (uint8_t)below(choices, 2);
        m->copy.mask = mask(draw, choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        m->masked.mask = mask(draw, choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        m->rop3.source = picture(draw, choices);
        m->rop3.source_area = area_of(draw, choices, m->rop3.source);
        m->rop3.brush = brush(draw, choices);
        m->rop3.rop3 = (uint8_t)below(choices, 256);
        m->rop3.mask = mask(draw, choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        make_stroke(draw, choices, width, height);
        break;
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        make_text(draw, choices, width, height);
        break;
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        m->transparent.source = picture(draw, choices);
        m->transparent.source_area = area_of(draw, choices, m->transparent.source);
        m->transparent.true_color = word(choices);
        break;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        m->alpha_blend.source = picture(draw, choices);
        m->alpha_blend.source_area = area_of(draw, choices, m->alpha_blend.source);
        m->alpha_blend.alpha = (uint8_t)(below(choices, 2) ? 255 : below(choices, 256));
        m->alpha_blend.alpha_flags = (uint8_t)below(choices, 4);
        break;
    default:
        make_composite(draw, choices);
        break;
    }
}
