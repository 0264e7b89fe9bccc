/* One walk serves to count and to copy: what it returns is NULL while it counts, so it reads from
 * the original only and stores where there is something to store to.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "draw-copy.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/wire.h"

enum { ALIGNMENT = 16 };

static void *keep(SpiceDrawCopy *copy, const void *from, uint64_t size)
{
    const uint64_t at = copy->size;

    if (size == 0)
        return NULL;
    if (!from) {
        copy->incomplete = true;
        return NULL;
    }
    copy->size += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return copy->memory ? memcpy(copy->memory + at, from, (size_t)size) : NULL;
}

static SpicePalette *copy_palette(SpiceDrawCopy *copy, const SpicePalette *from)
{
    SpicePalette *palette = keep(copy, from, from ? sizeof(*from) : 0);
    uint32_t *entries =
        from ? keep(copy, from->entries, (uint64_t)from->n_entries * sizeof(from->entries[0]))
             : NULL;

    if (palette)
        palette->entries = entries;
    return palette;
}

static SpiceImage *copy_image(SpiceDrawCopy *copy, const SpiceImage *from)
{
    const bool is_bitmap = from && from->type == SPICE_IMAGE_TYPE_BITMAP;
    const bool has_palette = is_bitmap && !(from->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE);
    SpiceImage *image = keep(copy, from, from ? sizeof(*from) : 0);
    SpicePalette *palette = has_palette ? copy_palette(copy, from->palette.palette) : NULL;

    if (!image)
        return NULL;
    image->palette = (SpicePaletteRef){.palette = palette};
    image->flags &= SPICE_IMAGE_FLAGS_CACHE_ME | SPICE_IMAGE_FLAGS_HIGH_BITS_SET;
    image->bitmap_flags &= SPICE_BITMAP_FLAGS_TOP_DOWN;
    if (is_bitmap) {
        const uint64_t size = (uint64_t)image->stride * image->bitmap_height;

        image->width = image->bitmap_width;
        image->height = image->bitmap_height;
        if (image->data.size > size)
            image->data.size = (size_t)size;
    } else if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        image->flags = 0;
        image->data = (SpiceBytes){0};
    }
    return image;
}

static void copy_clip(SpiceDrawCopy *copy, SpiceClip *to, const SpiceClip *from)
{
    const uint32_t n = from->type == SPICE_CLIP_TYPE_RECTS ? from->n_rects : 0;
    SpiceRect *rects = keep(copy, from->rects, (uint64_t)n * sizeof(rects[0]));

    if (to)
        *to = (SpiceClip){.type = from->type, .n_rects = n, .rects = rects};
}

static void copy_brush(SpiceDrawCopy *copy, SpiceBrush *to, const SpiceBrush *from)
{
    SpiceImage *pattern =
        from->type == SPICE_BRUSH_TYPE_PATTERN ? copy_image(copy, from->pattern) : NULL;

    if (to)
        to->pattern = pattern;
}

static void copy_mask(SpiceDrawCopy *copy, SpiceMask *to, const SpiceMask *from)
{
    SpiceImage *bitmap = copy_image(copy, from->bitmap);

    if (to)
        to->bitmap = bitmap;
}

static void copy_line_attr(SpiceDrawCopy *copy, SpiceLineAttr *to, const SpiceLineAttr *from)
{
    const unsigned n = from->flags & SPICE_LINE_FLAGS_STYLED ? from->n_style : 0;
    int32_t *style = keep(copy, from->style, n * sizeof(style[0]));

    if (to)
        *to = (SpiceLineAttr){.flags = from->flags, .n_style = (uint8_t)n, .style = style};
}

static SpicePath *copy_path(SpiceDrawCopy *copy, const SpicePath *from)
{
    SpicePath *path = keep(copy, from, from ? sizeof(*from) : 0);
    SpicePathSegment *segments =
        from ? keep(copy, from->segments, (uint64_t)from->n_segments * sizeof(segments[0])) : NULL;

    if (path)
        path->segments = segments;
    for (uint32_t i = 0; from && from->segments && i < from->n_segments; i++) {
        const SpicePathSegment *segment = &from->segments[i];
        SpicePointFix *points =
            keep(copy, segment->points, (uint64_t)segment->n_points * sizeof(points[0]));

        if (segments)
            segments[i].points = points;
    }
    return path;
}

static SpiceString *copy_string(SpiceDrawCopy *copy, const SpiceString *from)
{
    SpiceString *string = keep(copy, from, from ? sizeof(*from) : 0);
    SpiceGlyph *glyphs =
        from ? keep(copy, from->glyphs, (uint64_t)from->n_glyphs * sizeof(glyphs[0])) : NULL;

    if (string)
        string->glyphs = glyphs;
    for (unsigned i = 0; from && from->glyphs && i < from->n_glyphs; i++) {
        const SpiceBytes *data = &from->glyphs[i].data;
        const uint8_t *bits = keep(copy, data->data, data->size);

        if (glyphs)
            glyphs[i].data = (SpiceBytes){bits, data->size};
    }
    return string;
}

void *spice_draw_copy(SpiceDrawCopy *copy, uint16_t type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    const SpiceDisplayBase *base = message;
    void *out = keep(copy, message, def->size);
    SpiceDisplayBase *out_base = out;

/* The address of a field of the copy, NULL when counting. */
#define TO(field) (to ? &to->field : NULL)
    copy_clip(copy, out_base ? &out_base->clip : NULL, &base->clip);
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL: {
        const SpiceMsgDisplayDrawFill *m = message;
        SpiceMsgDisplayDrawFill *to = out;

        copy_brush(copy, TO(brush), &m->brush);
        copy_mask(copy, TO(mask), &m->mask);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE: {
        const SpiceMsgDisplayDrawOpaque *m = message;
        SpiceMsgDisplayDrawOpaque *to = out;
        SpiceImage *source = copy_image(copy, m->source);

        if (to)
            to->source = source;
        copy_brush(copy, TO(brush), &m->brush);
        copy_mask(copy, TO(mask), &m->mask);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND: {
        const SpiceMsgDisplayDrawCopy *m = message;
        SpiceMsgDisplayDrawCopy *to = out;
        SpiceImage *source = copy_image(copy, m->source);

        if (to)
            to->source = source;
        copy_mask(copy, TO(mask), &m->mask);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS: {
        const SpiceMsgDisplayDrawMasked *m = message;
        SpiceMsgDisplayDrawMasked *to = out;

        copy_mask(copy, TO(mask), &m->mask);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_ROP3: {
        const SpiceMsgDisplayDrawRop3 *m = message;
        SpiceMsgDisplayDrawRop3 *to = out;
        SpiceImage *source = copy_image(copy, m->source);

        if (to)
            to->source = source;
        copy_brush(copy, TO(brush), &m->brush);
        copy_mask(copy, TO(mask), &m->mask);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_STROKE: {
        const SpiceMsgDisplayDrawStroke *m = message;
        SpiceMsgDisplayDrawStroke *to = out;
        SpicePath *path = copy_path(copy, m->path);

        if (to)
            to->path = path;
        copy_line_attr(copy, TO(attr), &m->attr);
        copy_brush(copy, TO(brush), &m->brush);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_TEXT: {
        const SpiceMsgDisplayDrawText *m = message;
        SpiceMsgDisplayDrawText *to = out;
        SpiceString *string = copy_string(copy, m->string);

        if (to)
            to->string = string;
        copy_brush(copy, TO(fore_brush), &m->fore_brush);
        copy_brush(copy, TO(back_brush), &m->back_brush);
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT: {
        const SpiceMsgDisplayDrawTransparent *m = message;
        SpiceMsgDisplayDrawTransparent *to = out;
        SpiceImage *source = copy_image(copy, m->source);

        if (to)
            to->source = source;
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND: {
        const SpiceMsgDisplayDrawAlphaBlend *m = message;
        SpiceMsgDisplayDrawAlphaBlend *to = out;
        SpiceImage *source = copy_image(copy, m->source);

        if (to)
            to->source = source;
        break;
    }
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE: {
        const SpiceMsgDisplayDrawComposite *m = message;
        SpiceMsgDisplayDrawComposite *to = out;
        SpiceImage *source = copy_image(copy, m->source);
        SpiceImage *mask = m->flags & SPICE_COMPOSITE_HAS_MASK ? copy_image(copy, m->mask) : NULL;

        if (to) {
            to->source = source;
            to->mask = mask;
        }
        break;
    }
    default:
        break;
    }
#undef TO
    return out;
}
