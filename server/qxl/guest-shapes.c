/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-shapes.h"

#include "core/wire/endian.h"

static int32_t get_i32(const uint8_t *bytes)
{
    return (int32_t)spice_get_u32(bytes);
}

/** At the address: num_rects u32, then a chunk. */
void spice_guest_read_clip(SpiceGuestReader *self, const uint8_t *bytes, SpiceClip *clip)
{
    const uint64_t address = spice_get_u64(bytes + 4);
    uint8_t count[4];
    SpiceBytes data;
    uint32_t i;

    if (spice_get_u32(bytes) != SPICE_CLIP_TYPE_RECTS)
        return;
    clip->type = SPICE_CLIP_TYPE_RECTS;
    if (!spice_guest_read(self, address, count, sizeof count, "clip"))
        return;
    clip->n_rects = spice_get_u32(count);
    data = spice_guest_read_chunks(self, address + 4, (uint64_t)clip->n_rects * 16, "clip.chunk");
    clip->rects = spice_guest_take(self, clip->n_rects, sizeof *clip->rects, "clip.rects");
    if (!clip->rects)
        return;
    for (i = 0; i < clip->n_rects; i++) {
        const uint8_t *rect = data.data + 16 * (size_t)i;

        clip->rects[i] =
            (SpiceRect){get_i32(rect), get_i32(rect + 4), get_i32(rect + 8), get_i32(rect + 12)};
    }
}

/* Paths: segments {flags u32, count u32, points of two i32} back to back. */

enum { SEGMENT_HEADER = 8, POINT_SIZE = 8 };

static uint32_t count_segments(SpiceGuestReader *self, SpiceBytes data)
{
    uint32_t n = 0;

    while (data.size >= SEGMENT_HEADER) {
        const uint64_t size = SEGMENT_HEADER + (uint64_t)spice_get_u32(data.data + 4) * POINT_SIZE;

        if (size > data.size) {
            spice_guest_fail(self, SPICE_ERROR_TRUNCATED, "path.segment");
            return 0;
        }
        data.data += size;
        data.size -= (size_t)size;
        n++;
    }
    return n;
}

static const uint8_t *read_segment(SpiceGuestReader *self, const uint8_t *at,
                                   SpicePathSegment *segment)
{
    uint32_t i;

    segment->flags = (uint8_t)spice_get_u32(at);
    segment->n_points = spice_get_u32(at + 4);
    at += SEGMENT_HEADER;
    segment->points =
        spice_guest_take(self, segment->n_points, sizeof *segment->points, "path.points");
    if (!segment->points)
        return at;
    for (i = 0; i < segment->n_points; i++, at += POINT_SIZE)
        segment->points[i] = (SpicePointFix){get_i32(at), get_i32(at + 4)};
    return at;
}

SpicePath *spice_guest_read_path(SpiceGuestReader *self, uint64_t address)
{
    SpicePath *path = spice_guest_take(self, 1, sizeof *path, "path");
    uint8_t size[4];
    SpiceBytes data;
    uint32_t i;

    if (!path || !spice_guest_read(self, address, size, sizeof size, "path"))
        return NULL;
    data = spice_guest_read_chunks(self, address + 4, spice_get_u32(size), "path.chunk");
    path->n_segments = count_segments(self, data);
    path->segments = spice_guest_take(self, path->n_segments, sizeof *path->segments, "path");
    for (i = 0; path->segments && i < path->n_segments && self->error.code == SPICE_OK; i++)
        data.data = read_segment(self, data.data, &path->segments[i]);
    return self->error.code == SPICE_OK ? path : NULL;
}

/* Strings: glyphs {render_pos, glyph_origin, w u16, h u16, rows} back to back. */

enum { GLYPH_HEADER = 20 };

/** Bits a pixel; 0 unless the flags say exactly one format. */
static unsigned glyph_bits(uint8_t flags)
{
    switch (flags & (SPICE_STRING_FLAGS_RASTER_A1 | SPICE_STRING_FLAGS_RASTER_A4 |
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

/** Takes one glyph off `data`. */
static void read_glyph(SpiceGuestReader *self, SpiceBytes *data, unsigned bits, SpiceGlyph *glyph)
{
    uint64_t size;

    if (data->size < GLYPH_HEADER) {
        spice_guest_fail(self, SPICE_ERROR_TRUNCATED, "glyph");
        return;
    }
    glyph->render_position = (SpicePoint){get_i32(data->data), get_i32(data->data + 4)};
    glyph->glyph_origin = (SpicePoint){get_i32(data->data + 8), get_i32(data->data + 12)};
    glyph->width = spice_get_u16(data->data + 16);
    glyph->height = spice_get_u16(data->data + 18);
    size = ((uint64_t)glyph->width * bits + 7) / 8 * glyph->height;
    if (size > data->size - GLYPH_HEADER) {
        spice_guest_fail(self, SPICE_ERROR_TRUNCATED, "glyph.data");
        return;
    }
    glyph->data = (SpiceBytes){data->data + GLYPH_HEADER, (size_t)size};
    data->data += GLYPH_HEADER + size;
    data->size -= GLYPH_HEADER + (size_t)size;
}

/** data_size u32, length u16, flags u16, then a chunk. */
SpiceString *spice_guest_read_string(SpiceGuestReader *self, uint64_t address)
{
    SpiceString *string = spice_guest_take(self, 1, sizeof *string, "string");
    uint8_t head[8];
    SpiceBytes data;
    unsigned bits;
    uint16_t i;

    if (!string || !spice_guest_read(self, address, head, sizeof head, "string"))
        return NULL;
    string->n_glyphs = spice_get_u16(head + 4);
    string->flags = (uint8_t)spice_get_u16(head + 6);
    bits = glyph_bits(string->flags);
    if (bits == 0)
        spice_guest_fail(self, SPICE_ERROR_VALUE, "string.flags");
    data = spice_guest_read_chunks(self, address + 8, spice_get_u32(head), "string.chunk");
    string->glyphs = spice_guest_take(self, string->n_glyphs, sizeof *string->glyphs, "string");
    for (i = 0; i < string->n_glyphs && self->error.code == SPICE_OK; i++)
        read_glyph(self, &data, bits, &string->glyphs[i]);
    if (data.size > 0)
        spice_guest_fail(self, SPICE_ERROR_VALUE, "string.data_size");
    return self->error.code == SPICE_OK ? string : NULL;
}

/** flags u8, join u8, end u8, style_nseg u8, width 28.4, miter 28.4, style u64. */
void spice_guest_read_line_attr(SpiceGuestReader *self, const uint8_t *bytes, SpiceLineAttr *attr)
{
    uint8_t style[4 * UINT8_MAX];
    unsigned i;

    attr->flags = bytes[0];
    if (!(attr->flags & SPICE_LINE_FLAGS_STYLED))
        return;
    attr->n_style = bytes[3];
    attr->style = spice_guest_take(self, attr->n_style, sizeof *attr->style, "style");
    if (!spice_guest_read(self, spice_get_u64(bytes + 12), style, 4 * (size_t)attr->n_style,
                          "style") ||
        !attr->style)
        return;
    for (i = 0; i < attr->n_style; i++)
        attr->style[i] = get_i32(style + 4 * i);
}
