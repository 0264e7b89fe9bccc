/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-writer.h"

#include <string.h>

size_t guest_take(GuestWriter *self, size_t size)
{
    const size_t at = (self->used + 7) & ~(size_t)7;

    if (at > self->size || size > self->size - at) {
        self->full = true;
        return 0;
    }
    memset(self->memory + at, 0, size);
    self->used = at + size;
    return at;
}

uint64_t guest_address(const GuestWriter *self, size_t at)
{
    return self->address + at;
}

void guest_put(GuestWriter *self, size_t at, uint64_t value, unsigned size)
{
    if (self->full)
        return;
    for (unsigned i = 0; i < size; i++)
        self->memory[at + i] = (uint8_t)(value >> (8 * i));
    if (self->n_fields < GUEST_MAX_FIELDS)
        self->fields[self->n_fields++] = (GuestField){(uint32_t)at, (uint8_t)size};
}

/** Writes on from `at`. */
typedef struct {
    GuestWriter *writer;
    size_t at;
} Block;

static Block take(GuestWriter *writer, size_t size)
{
    return (Block){writer, guest_take(writer, size)};
}

static void put(Block *block, uint64_t value, unsigned size)
{
    guest_put(block->writer, block->at, value, size);
    block->at += size;
}

static void put_point(Block *block, SpicePoint point)
{
    put(block, (uint32_t)point.x, 4);
    put(block, (uint32_t)point.y, 4);
}

static void put_rect(Block *block, const SpiceRect *rect)
{
    put(block, (uint32_t)rect->top, 4);
    put(block, (uint32_t)rect->left, 4);
    put(block, (uint32_t)rect->bottom, 4);
    put(block, (uint32_t)rect->right, 4);
}

/* Chunks */

enum { CHUNK_HEADER = 20 };

static size_t first_chunk(const GuestWriter *writer, size_t size)
{
    return writer->chunk > 0 && size > writer->chunk ? writer->chunk : size;
}

/** Writes the first chunk, for which there is room, and takes others as they are needed. */
static void put_chunks(Block block, const uint8_t *data, size_t size)
{
    GuestWriter *writer = block.writer;
    uint64_t before = 0;

    for (;;) {
        const size_t piece = first_chunk(writer, size);
        const uint64_t here = guest_address(writer, block.at);
        Block next = {writer, 0};

        size -= piece;
        if (size > 0)
            next = take(writer, CHUNK_HEADER + first_chunk(writer, size));
        if (writer->full)
            return;
        put(&block, piece, 4);
        put(&block, before, 8);
        put(&block, size > 0 ? guest_address(writer, next.at) : 0, 8);
        memcpy(writer->memory + block.at, data, piece);
        if (size == 0)
            return;
        data += piece;
        before = here;
        block = next;
    }
}

/** A block of `prefix` bytes and then chunks; *at is where the prefix goes. */
static uint64_t chunks_behind(GuestWriter *writer, size_t prefix, const uint8_t *data, size_t size,
                              Block *at)
{
    *at = take(writer, prefix + CHUNK_HEADER + first_chunk(writer, size));
    put_chunks((Block){writer, at->at + prefix}, data, size);
    return guest_address(writer, at->at);
}

/* Images */

static uint64_t write_palette(GuestWriter *writer, const SpicePalette *palette)
{
    Block block = take(writer, 10 + 4 * (size_t)palette->n_entries);
    const uint64_t address = guest_address(writer, block.at);

    put(&block, palette->unique, 8);
    put(&block, palette->n_entries, 2);
    for (unsigned i = 0; i < palette->n_entries; i++)
        put(&block, palette->entries[i], 4);
    return address;
}

static uint64_t write_rows(GuestWriter *writer, const SpiceImage *image)
{
    Block block;

    if (!writer->direct)
        return chunks_behind(writer, 0, image->data.data, image->data.size, &block);
    block = take(writer, image->data.size);
    if (!writer->full)
        memcpy(writer->memory + block.at, image->data.data, image->data.size);
    return guest_address(writer, block.at);
}

static void put_bitmap(Block *block, const SpiceImage *image, uint64_t palette, uint64_t data)
{
    const GuestWriter *writer = block->writer;

    put(block, image->bitmap_format, 1);
    put(block,
        (image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN) | (writer->direct ? 1 : 0) |
            (writer->unstable ? 2 : 0),
        1);
    put(block, image->bitmap_width, 4);
    put(block, image->bitmap_height, 4);
    put(block, image->stride, 4);
    put(block, palette, 8);
    put(block, data, 8);
}

static uint64_t write_image(GuestWriter *writer, const SpiceImage *image)
{
    const bool is_quic = image && image->type == SPICE_IMAGE_TYPE_QUIC;
    const bool is_bitmap = image && image->type == SPICE_IMAGE_TYPE_BITMAP;
    uint64_t palette = 0, data = 0, address;
    size_t size = 48;
    Block block;

    if (!image)
        return 0;
    if (is_bitmap && image->palette.palette)
        palette = write_palette(writer, image->palette.palette);
    if (is_bitmap)
        data = write_rows(writer, image);
    if (is_quic)
        size = 22 + CHUNK_HEADER + first_chunk(writer, image->data.size);
    block = take(writer, size < 48 ? 48 : size);
    address = guest_address(writer, block.at);
    put(&block, image->id, 8);
    put(&block, image->type, 1);
    put(&block, image->flags, 1);
    put(&block, image->width, 4);
    put(&block, image->height, 4);
    if (is_bitmap) {
        put_bitmap(&block, image, palette, data);
    } else if (is_quic) {
        put(&block, image->data.size, 4);
        put_chunks(block, image->data.data, image->data.size);
    } else {
        put(&block, image->surface_id, 4);
    }
    return address;
}

/** Fields of an operation; what they point to is written as they are. */
static void put_image(Block *block, const SpiceImage *image)
{
    put(block, write_image(block->writer, image), 8);
}

static void put_brush(Block *block, const SpiceBrush *brush)
{
    const size_t begin = block->at;

    put(block, brush->type, 4);
    if (brush->type == SPICE_BRUSH_TYPE_PATTERN) {
        put_image(block, brush->pattern);
        put_point(block, brush->position);
    } else {
        put(block, brush->color, 4);
    }
    block->at = begin + 20;
}

static void put_mask(Block *block, const SpiceMask *mask)
{
    put(block, mask->flags, 1);
    put_point(block, mask->position);
    put_image(block, mask->bitmap);
}

/* Shapes: their bytes are put together outside of the guest's memory first, being in chunks. */

typedef struct {
    uint8_t bytes[16384];
    size_t size;
} Plain;

static void add(Plain *plain, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size && plain->size < sizeof plain->bytes; i++)
        plain->bytes[plain->size++] = (uint8_t)(value >> (8 * i));
}

static uint64_t write_clip(GuestWriter *writer, const SpiceClip *clip)
{
    Plain plain = {.size = 0};
    Block head;
    uint64_t address;

    for (uint32_t i = 0; i < clip->n_rects; i++) {
        add(&plain, (uint32_t)clip->rects[i].top, 4);
        add(&plain, (uint32_t)clip->rects[i].left, 4);
        add(&plain, (uint32_t)clip->rects[i].bottom, 4);
        add(&plain, (uint32_t)clip->rects[i].right, 4);
    }
    address = chunks_behind(writer, 4, plain.bytes, plain.size, &head);
    put(&head, clip->n_rects, 4);
    return address;
}

static uint64_t write_path(GuestWriter *writer, const SpicePath *path)
{
    Plain plain = {.size = 0};
    Block head;
    uint64_t address;

    for (uint32_t i = 0; i < path->n_segments; i++) {
        const SpicePathSegment *segment = &path->segments[i];

        add(&plain, segment->flags, 4);
        add(&plain, segment->n_points, 4);
        for (uint32_t k = 0; k < segment->n_points; k++) {
            add(&plain, (uint32_t)segment->points[k].x, 4);
            add(&plain, (uint32_t)segment->points[k].y, 4);
        }
    }
    address = chunks_behind(writer, 4, plain.bytes, plain.size, &head);
    put(&head, plain.size, 4);
    return address;
}

static uint64_t write_string(GuestWriter *writer, const SpiceString *string)
{
    Plain plain = {.size = 0};
    Block head;
    uint64_t address;

    for (uint32_t i = 0; i < string->n_glyphs; i++) {
        const SpiceGlyph *glyph = &string->glyphs[i];

        add(&plain, (uint32_t)glyph->render_position.x, 4);
        add(&plain, (uint32_t)glyph->render_position.y, 4);
        add(&plain, (uint32_t)glyph->glyph_origin.x, 4);
        add(&plain, (uint32_t)glyph->glyph_origin.y, 4);
        add(&plain, glyph->width, 2);
        add(&plain, glyph->height, 2);
        for (size_t k = 0; k < glyph->data.size; k++)
            add(&plain, glyph->data.data[k], 1);
    }
    address = chunks_behind(writer, 8, plain.bytes, plain.size, &head);
    put(&head, plain.size, 4);
    put(&head, string->n_glyphs, 2);
    put(&head, string->flags, 2);
    return address;
}

static void put_line_attr(Block *block, const SpiceLineAttr *attr)
{
    uint64_t style = 0;

    if (attr->n_style > 0) {
        Block lengths = take(block->writer, 4 * (size_t)attr->n_style);

        style = guest_address(block->writer, lengths.at);
        for (unsigned i = 0; i < attr->n_style; i++)
            put(&lengths, (uint32_t)attr->style[i], 4);
    }
    put(block, attr->flags, 1);
    put(block, 0, 2);
    put(block, attr->n_style, 1);
    put(block, 16, 4); /* width */
    put(block, 0, 4);
    put(block, style, 8);
}

static void put_transform(Block *block, const SpiceTransform *transform, bool is_there)
{
    Block values;

    if (!is_there) {
        put(block, 0, 8);
        return;
    }
    values = take(block->writer, 24);
    put(block, guest_address(block->writer, values.at), 8);
    put(&values, (uint32_t)transform->t00, 4);
    put(&values, (uint32_t)transform->t01, 4);
    put(&values, (uint32_t)transform->t02, 4);
    put(&values, (uint32_t)transform->t10, 4);
    put(&values, (uint32_t)transform->t11, 4);
    put(&values, (uint32_t)transform->t12, 4);
}

/* Operations; each returns the drawable's type. */

static uint8_t put_copy(Block *block, const SpiceMsgDisplayDrawCopy *m, uint8_t type)
{
    put_image(block, m->source);
    put_rect(block, &m->source_area);
    put(block, m->rop, 2);
    put(block, m->scale_mode, 1);
    put_mask(block, &m->mask);
    return type;
}

static uint8_t put_fill(Block *block, const SpiceMsgDisplayDrawFill *m)
{
    put_brush(block, &m->brush);
    put(block, m->rop, 2);
    put_mask(block, &m->mask);
    return 1;
}

static uint8_t put_opaque(Block *block, const SpiceMsgDisplayDrawOpaque *m)
{
    put_image(block, m->source);
    put_rect(block, &m->source_area);
    put_brush(block, &m->brush);
    put(block, m->rop, 2);
    put(block, m->scale_mode, 1);
    put_mask(block, &m->mask);
    return 2;
}

static uint8_t put_copy_bits(Block *block, const SpiceMsgDisplayCopyBits *m)
{
    put_point(block, m->source);
    return 4;
}

static uint8_t put_masked(Block *block, const SpiceMsgDisplayDrawMasked *m, uint8_t type)
{
    put_mask(block, &m->mask);
    return type;
}

static uint8_t put_rop3(Block *block, const SpiceMsgDisplayDrawRop3 *m)
{
    put_image(block, m->source);
    put_rect(block, &m->source_area);
    put_brush(block, &m->brush);
    put(block, m->rop3, 1);
    put(block, m->scale_mode, 1);
    put_mask(block, &m->mask);
    return 9;
}

static uint8_t put_stroke(Block *block, const SpiceMsgDisplayDrawStroke *m)
{
    put(block, write_path(block->writer, m->path), 8);
    put_line_attr(block, &m->attr);
    put_brush(block, &m->brush);
    put(block, m->fore_mode, 2);
    put(block, m->back_mode, 2);
    return 10;
}

static uint8_t put_text(Block *block, const SpiceMsgDisplayDrawText *m)
{
    put(block, write_string(block->writer, m->string), 8);
    put_rect(block, &m->back_area);
    put_brush(block, &m->fore_brush);
    put_brush(block, &m->back_brush);
    put(block, m->fore_mode, 2);
    put(block, m->back_mode, 2);
    return 11;
}

static uint8_t put_transparent(Block *block, const SpiceMsgDisplayDrawTransparent *m)
{
    put_image(block, m->source);
    put_rect(block, &m->source_area);
    put(block, m->source_color, 4);
    put(block, m->true_color, 4);
    return 12;
}

static uint8_t put_alpha_blend(Block *block, const SpiceMsgDisplayDrawAlphaBlend *m, bool compat)
{
    if (!compat)
        put(block, m->alpha_flags, 2);
    put(block, m->alpha, 1);
    put_image(block, m->source);
    put_rect(block, &m->source_area);
    return 13;
}

static uint8_t put_composite(Block *block, const SpiceMsgDisplayDrawComposite *m)
{
    put(block, m->flags, 4);
    put_image(block, m->source);
    put_transform(block, &m->source_transform, m->flags & SPICE_COMPOSITE_HAS_SRC_TRANSFORM);
    put_image(block, m->mask);
    put_transform(block, &m->mask_transform, m->flags & SPICE_COMPOSITE_HAS_MASK_TRANSFORM);
    put(block, (uint16_t)m->source_origin.x, 2);
    put(block, (uint16_t)m->source_origin.y, 2);
    put(block, (uint16_t)m->mask_origin.x, 2);
    put(block, (uint16_t)m->mask_origin.y, 2);
    return 14;
}

static uint8_t put_operation(Block *block, uint16_t type, const void *message, bool compat)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return put_fill(block, message);
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        return put_opaque(block, message);
    case SPICE_MSG_DISPLAY_DRAW_COPY:
        return put_copy(block, message, 3);
    case SPICE_MSG_DISPLAY_COPY_BITS:
        return put_copy_bits(block, message);
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        return put_copy(block, message, 5);
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
        return put_masked(block, message, 6);
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
        return put_masked(block, message, 7);
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        return put_masked(block, message, 8);
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        return put_rop3(block, message);
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        return put_stroke(block, message);
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        return put_text(block, message);
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        return put_transparent(block, message);
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return put_alpha_blend(block, message, compat);
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        return put_composite(block, message);
    default:
        return 0;
    }
}

enum { DRAWABLE = 191, UNION = 123, COMPAT_DRAWABLE = 128, COMPAT_UNION = 60 };

uint64_t guest_write_draw(GuestWriter *self, uint16_t type, const void *message)
{
    const SpiceDisplayBase *base = message; /* each begins with it */
    Block block = take(self, DRAWABLE);
    Block operation = {self, block.at + UNION};
    const uint64_t address = guest_address(self, block.at);
    uint64_t clip = 0;
    uint8_t kind;

    if (self->full)
        return address;
    if (base->clip.type == SPICE_CLIP_TYPE_RECTS)
        clip = write_clip(self, &base->clip);
    kind = put_operation(&operation, type, message, false);
    put(&block, address, 8); /* release_info.id */
    put(&block, base->surface_id, 4);
    put(&block, 0, 1); /* effect */
    put(&block, kind, 1);
    put(&block, 0, 1); /* self_bitmap */
    put_rect(&block, &(SpiceRect){0, 0, 0, 0});
    put_rect(&block, &base->box);
    put(&block, base->clip.type, 4);
    put(&block, clip, 8);
    put(&block, 0, 4); /* mm_time */
    for (unsigned i = 0; i < 3; i++)
        put(&block, UINT32_MAX, 4); /* surfaces_dest */
    return address;
}

uint64_t guest_write_compat_draw(GuestWriter *self, uint16_t type, const void *message)
{
    const SpiceDisplayBase *base = message;
    Block block = take(self, COMPAT_DRAWABLE);
    Block operation = {self, block.at + COMPAT_UNION};
    const uint64_t address = guest_address(self, block.at);
    uint64_t clip = 0;
    uint8_t kind;

    if (self->full)
        return address;
    if (base->clip.type == SPICE_CLIP_TYPE_RECTS)
        clip = write_clip(self, &base->clip);
    kind = put_operation(&operation, type, message, true);
    put(&block, address, 8);
    put(&block, 0, 1); /* effect */
    put(&block, kind, 1);
    put(&block, 0, 2); /* bitmap_offset */
    put_rect(&block, &(SpiceRect){0, 0, 0, 0});
    put_rect(&block, &base->box);
    put(&block, base->clip.type, 4);
    put(&block, clip, 8);
    put(&block, 0, 4); /* mm_time */
    return address;
}

void guest_want_self_bitmap(GuestWriter *self, uint64_t address, const SpiceRect *area)
{
    Block block = {self, (size_t)(address - self->address) + 14};

    put(&block, 1, 1);
    put_rect(&block, area);
}

/* Others */

uint64_t guest_write_surface_create(GuestWriter *self, const GuestSurface *surface)
{
    Block block = take(self, 41);
    const uint64_t address = guest_address(self, block.at);

    put(&block, address, 8);
    put(&block, surface->id, 4);
    put(&block, 0, 1); /* create */
    put(&block, surface->keep, 4);
    put(&block, surface->format, 4);
    put(&block, surface->width, 4);
    put(&block, surface->height, 4);
    put(&block, (uint32_t)surface->stride, 4);
    put(&block, surface->data, 8);
    return address;
}

uint64_t guest_write_surface_destroy(GuestWriter *self, uint32_t id)
{
    Block block = take(self, 41);
    const uint64_t address = guest_address(self, block.at);

    put(&block, address, 8);
    put(&block, id, 4);
    put(&block, 1, 1); /* destroy */
    return address;
}

uint64_t guest_write_update(GuestWriter *self, uint32_t surface, const SpiceRect *area,
                            uint32_t update_id)
{
    Block block = take(self, 32);
    const uint64_t address = guest_address(self, block.at);

    put(&block, address, 8);
    put_rect(&block, area);
    put(&block, update_id, 4);
    put(&block, surface, 4);
    return address;
}

uint64_t guest_write_message(GuestWriter *self, const char *text)
{
    const size_t length = strlen(text);
    Block block = take(self, 8 + length + 1);
    const uint64_t address = guest_address(self, block.at);

    put(&block, address, 8);
    if (!self->full)
        memcpy(self->memory + block.at, text, length);
    return address;
}

enum { CURSOR_COMMAND = 150 };

static Block take_cursor_command(GuestWriter *self, unsigned type, uint64_t *address)
{
    Block block = take(self, CURSOR_COMMAND);

    *address = guest_address(self, block.at);
    put(&block, *address, 8);
    put(&block, type, 1);
    return block;
}

uint64_t guest_write_cursor_set(GuestWriter *self, const SpiceCursor *shape, int16_t x, int16_t y)
{
    Block command, head;
    uint64_t address, at;

    at = chunks_behind(self, 22, shape->data.data, shape->data.size, &head);
    put(&head, shape->unique, 8);
    put(&head, shape->type, 2);
    put(&head, shape->width, 2);
    put(&head, shape->height, 2);
    put(&head, shape->hot_spot_x, 2);
    put(&head, shape->hot_spot_y, 2);
    put(&head, shape->data.size, 4);
    command = take_cursor_command(self, 0, &address);
    put(&command, (uint16_t)x, 2);
    put(&command, (uint16_t)y, 2);
    put(&command, 1, 1); /* visible */
    put(&command, at, 8);
    return address;
}

uint64_t guest_write_cursor_move(GuestWriter *self, int16_t x, int16_t y)
{
    uint64_t address;
    Block command = take_cursor_command(self, 1, &address);

    put(&command, (uint16_t)x, 2);
    put(&command, (uint16_t)y, 2);
    return address;
}

uint64_t guest_write_cursor_hide(GuestWriter *self)
{
    uint64_t address;

    take_cursor_command(self, 2, &address);
    return address;
}

uint64_t guest_write_monitors(GuestWriter *self, const SpiceMsgDisplayMonitorsConfig *monitors)
{
    Block block = take(self, 4 + 28 * (size_t)monitors->n_heads);
    const uint64_t address = guest_address(self, block.at);

    put(&block, monitors->n_heads, 2);
    put(&block, monitors->max_allowed, 2);
    for (unsigned i = 0; i < monitors->n_heads; i++) {
        const SpiceHead *head = &monitors->heads[i];

        put(&block, head->monitor_id, 4);
        put(&block, head->surface_id, 4);
        put(&block, head->width, 4);
        put(&block, head->height, 4);
        put(&block, head->x, 4);
        put(&block, head->y, 4);
        put(&block, head->flags, 4);
    }
    return address;
}
