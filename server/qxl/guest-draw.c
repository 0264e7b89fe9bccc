/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-draw.h"

#include <string.h>

#include "core/wire/endian.h"
#include "guest-image.h"
#include "guest-shapes.h"

/* Types of a QXLDrawable. */
enum {
    QXL_DRAW_NOP,
    QXL_DRAW_FILL,
    QXL_DRAW_OPAQUE,
    QXL_DRAW_COPY,
    QXL_COPY_BITS,
    QXL_DRAW_BLEND,
    QXL_DRAW_BLACKNESS,
    QXL_DRAW_WHITENESS,
    QXL_DRAW_INVERS,
    QXL_DRAW_ROP3,
    QXL_DRAW_STROKE,
    QXL_DRAW_TEXT,
    QXL_DRAW_TRANSPARENT,
    QXL_DRAW_ALPHA_BLEND,
    QXL_DRAW_COMPOSITE,
};

/** Reads on through a private copy of the operation's bytes. */
typedef struct {
    SpiceGuestImages images;
    const uint8_t *at;
} Fields;

static uint8_t get_u8(Fields *fields)
{
    return *fields->at++;
}

static uint16_t get_u16(Fields *fields)
{
    fields->at += 2;
    return spice_get_u16(fields->at - 2);
}

static uint32_t get_u32(Fields *fields)
{
    fields->at += 4;
    return spice_get_u32(fields->at - 4);
}

static uint64_t get_u64(Fields *fields)
{
    fields->at += 8;
    return spice_get_u64(fields->at - 8);
}

static SpicePoint get_point(Fields *fields)
{
    const int32_t x = (int32_t)get_u32(fields);

    return (SpicePoint){x, (int32_t)get_u32(fields)};
}

static SpiceRect rect_at(const uint8_t *bytes)
{
    return (SpiceRect){(int32_t)spice_get_u32(bytes), (int32_t)spice_get_u32(bytes + 4),
                       (int32_t)spice_get_u32(bytes + 8), (int32_t)spice_get_u32(bytes + 12)};
}

static SpiceRect get_rect(Fields *fields)
{
    fields->at += 16;
    return rect_at(fields->at - 16);
}

static SpiceBrush get_brush(Fields *fields)
{
    SpiceBrush brush = {0};

    spice_guest_read_brush(&fields->images, fields->at, &brush);
    fields->at += SPICE_GUEST_BRUSH_SIZE;
    return brush;
}

static SpiceMask get_mask(Fields *fields)
{
    SpiceMask mask = {0};

    spice_guest_read_mask(&fields->images, fields->at, &mask);
    fields->at += SPICE_GUEST_MASK_SIZE;
    return mask;
}

/** An image that has to be there. */
static SpiceImage *get_image(Fields *fields)
{
    SpiceImage *image = spice_guest_read_image(&fields->images, get_u64(fields), "src_bitmap");

    if (!image)
        spice_guest_fail(fields->images.reader, SPICE_ERROR_VALUE, "src_bitmap");
    return image;
}

/* The operations */

static void *unfold_fill(Fields *fields)
{
    SpiceMsgDisplayDrawFill *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "fill");

    if (!message)
        return NULL;
    message->brush = get_brush(fields);
    message->rop = get_u16(fields);
    message->mask = get_mask(fields);
    return message;
}

static void *unfold_opaque(Fields *fields)
{
    SpiceMsgDisplayDrawOpaque *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "opaque");

    if (!message)
        return NULL;
    message->source = get_image(fields);
    message->source_area = get_rect(fields);
    message->brush = get_brush(fields);
    message->rop = get_u16(fields);
    message->scale_mode = get_u8(fields);
    message->mask = get_mask(fields);
    return message;
}

static void *unfold_copy(Fields *fields)
{
    SpiceMsgDisplayDrawCopy *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "copy");

    if (!message)
        return NULL;
    message->source = get_image(fields);
    message->source_area = get_rect(fields);
    message->rop = get_u16(fields);
    message->scale_mode = get_u8(fields);
    message->mask = get_mask(fields);
    return message;
}

static void *unfold_copy_bits(Fields *fields)
{
    SpiceMsgDisplayCopyBits *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "copy_bits");

    if (message)
        message->source = get_point(fields);
    return message;
}

static void *unfold_masked(Fields *fields)
{
    SpiceMsgDisplayDrawMasked *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "mask");

    if (message)
        message->mask = get_mask(fields);
    return message;
}

static void *unfold_rop3(Fields *fields)
{
    SpiceMsgDisplayDrawRop3 *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "rop3");

    if (!message)
        return NULL;
    message->source = get_image(fields);
    message->source_area = get_rect(fields);
    message->brush = get_brush(fields);
    message->rop3 = get_u8(fields);
    message->scale_mode = get_u8(fields);
    message->mask = get_mask(fields);
    return message;
}

static void *unfold_stroke(Fields *fields)
{
    SpiceGuestReader *reader = fields->images.reader;
    SpiceMsgDisplayDrawStroke *message = spice_guest_take(reader, 1, sizeof *message, "stroke");

    if (!message)
        return NULL;
    message->path = spice_guest_read_path(reader, get_u64(fields));
    spice_guest_read_line_attr(reader, fields->at, &message->attr);
    fields->at += SPICE_GUEST_LINE_ATTR_SIZE;
    message->brush = get_brush(fields);
    message->fore_mode = get_u16(fields);
    message->back_mode = get_u16(fields);
    return message;
}

static void *unfold_text(Fields *fields)
{
    SpiceGuestReader *reader = fields->images.reader;
    SpiceMsgDisplayDrawText *message = spice_guest_take(reader, 1, sizeof *message, "text");

    if (!message)
        return NULL;
    message->string = spice_guest_read_string(reader, get_u64(fields));
    message->back_area = get_rect(fields);
    message->fore_brush = get_brush(fields);
    message->back_brush = get_brush(fields);
    message->fore_mode = get_u16(fields);
    message->back_mode = get_u16(fields);
    return message;
}

static void *unfold_transparent(Fields *fields)
{
    SpiceGuestReader *reader = fields->images.reader;
    SpiceMsgDisplayDrawTransparent *message =
        spice_guest_take(reader, 1, sizeof *message, "transparent");

    if (!message)
        return NULL;
    message->source = get_image(fields);
    message->source_area = get_rect(fields);
    message->source_color = spice_guest_color(reader, get_u32(fields));
    message->true_color = get_u32(fields);
    return message;
}

static void *unfold_alpha_blend(Fields *fields, bool compat)
{
    SpiceMsgDisplayDrawAlphaBlend *message =
        spice_guest_take(fields->images.reader, 1, sizeof *message, "alpha_blend");

    if (!message)
        return NULL;
    message->alpha_flags = compat ? 0 : (uint8_t)get_u16(fields);
    message->alpha = get_u8(fields);
    message->source = get_image(fields);
    message->source_area = get_rect(fields);
    return message;
}

/** The transform at an address; whether there is one. */
static bool get_transform(Fields *fields, SpiceTransform *transform, const char *field)
{
    const uint64_t address = get_u64(fields);
    uint8_t bytes[24];

    if (address == 0 || !spice_guest_read(fields->images.reader, address, bytes, 24, field))
        return false;
    transform->t00 = (int32_t)spice_get_u32(bytes);
    transform->t01 = (int32_t)spice_get_u32(bytes + 4);
    transform->t02 = (int32_t)spice_get_u32(bytes + 8);
    transform->t10 = (int32_t)spice_get_u32(bytes + 12);
    transform->t11 = (int32_t)spice_get_u32(bytes + 16);
    transform->t12 = (int32_t)spice_get_u32(bytes + 20);
    return true;
}

static SpicePoint16 get_point16(Fields *fields)
{
    const int16_t x = (int16_t)get_u16(fields);

    return (SpicePoint16){x, (int16_t)get_u16(fields)};
}

static void *unfold_composite(Fields *fields)
{
    const uint32_t from_pointers = SPICE_COMPOSITE_HAS_MASK | SPICE_COMPOSITE_HAS_SRC_TRANSFORM |
                                   SPICE_COMPOSITE_HAS_MASK_TRANSFORM;
    SpiceGuestReader *reader = fields->images.reader;
    SpiceMsgDisplayDrawComposite *message =
        spice_guest_take(reader, 1, sizeof *message, "composite");

    if (!message)
        return NULL;
    message->flags = get_u32(fields) & ~from_pointers;
    message->source = get_image(fields);
    if (get_transform(fields, &message->source_transform, "src_transform"))
        message->flags |= SPICE_COMPOSITE_HAS_SRC_TRANSFORM;
    message->mask = spice_guest_read_image(&fields->images, get_u64(fields), "mask_bitmap");
    if (message->mask)
        message->flags |= SPICE_COMPOSITE_HAS_MASK;
    if (get_transform(fields, &message->mask_transform, "mask_transform") && message->mask)
        message->flags |= SPICE_COMPOSITE_HAS_MASK_TRANSFORM;
    message->source_origin = get_point16(fields);
    message->mask_origin = get_point16(fields);
    return message;
}

static void *unfold(Fields *fields, uint8_t type, bool compat, uint16_t *message_type)
{
    switch (type) {
    case QXL_DRAW_FILL:
        *message_type = SPICE_MSG_DISPLAY_DRAW_FILL;
        return unfold_fill(fields);
    case QXL_DRAW_OPAQUE:
        *message_type = SPICE_MSG_DISPLAY_DRAW_OPAQUE;
        return unfold_opaque(fields);
    case QXL_DRAW_COPY:
        *message_type = SPICE_MSG_DISPLAY_DRAW_COPY;
        return unfold_copy(fields);
    case QXL_DRAW_BLEND:
        *message_type = SPICE_MSG_DISPLAY_DRAW_BLEND;
        return unfold_copy(fields);
    case QXL_COPY_BITS:
        *message_type = SPICE_MSG_DISPLAY_COPY_BITS;
        return unfold_copy_bits(fields);
    case QXL_DRAW_BLACKNESS:
        *message_type = SPICE_MSG_DISPLAY_DRAW_BLACKNESS;
        return unfold_masked(fields);
    case QXL_DRAW_WHITENESS:
        *message_type = SPICE_MSG_DISPLAY_DRAW_WHITENESS;
        return unfold_masked(fields);
    case QXL_DRAW_INVERS:
        *message_type = SPICE_MSG_DISPLAY_DRAW_INVERS;
        return unfold_masked(fields);
    case QXL_DRAW_ROP3:
        *message_type = SPICE_MSG_DISPLAY_DRAW_ROP3;
        return unfold_rop3(fields);
    case QXL_DRAW_STROKE:
        *message_type = SPICE_MSG_DISPLAY_DRAW_STROKE;
        return unfold_stroke(fields);
    case QXL_DRAW_TEXT:
        *message_type = SPICE_MSG_DISPLAY_DRAW_TEXT;
        return unfold_text(fields);
    case QXL_DRAW_TRANSPARENT:
        *message_type = SPICE_MSG_DISPLAY_DRAW_TRANSPARENT;
        return unfold_transparent(fields);
    case QXL_DRAW_ALPHA_BLEND:
        *message_type = SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND;
        return unfold_alpha_blend(fields, compat);
    case QXL_DRAW_COMPOSITE:
        *message_type = SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
        if (!compat)
            return unfold_composite(fields);
        break;
    default:
        break;
    }
    spice_guest_fail(fields->images.reader, SPICE_ERROR_VALUE, "drawable.type");
    return NULL;
}

void *spice_guest_drawable_unfold(SpiceGuestReader *self, const SpiceGuestDrawable *drawable,
                                  SpiceImage *self_bitmap, uint16_t *type)
{
    Fields fields = {{self, self_bitmap}, drawable->bytes + drawable->union_at};
    void *message;

    if (drawable->type == QXL_DRAW_NOP)
        return NULL;
    message = unfold(&fields, drawable->type, drawable->compat, type);
    if (self->error.code != SPICE_OK)
        return NULL;
    *(SpiceDisplayBase *)message = drawable->base; /* each message begins with it */
    return message;
}

/* The head */

/** release_info 8, surface_id u32, effect u8, type u8, self_bitmap u8, self_bitmap_area 16, bbox 16,
 * clip {type u32, data u64}, mm_time u32, surfaces_dest 12, surfaces_rects 48, the operation. */
static void read_head(SpiceGuestDrawable *drawable)
{
    const uint8_t *bytes = drawable->bytes;

    drawable->surface_id = spice_get_u32(bytes + 8);
    drawable->type = bytes[13];
    drawable->self_bitmap = bytes[14];
    drawable->self_area = rect_at(bytes + 15);
    drawable->base.box = rect_at(bytes + 31);
    drawable->union_at = 123;
}

/** release_info 8, effect u8, type u8, bitmap_offset u16, bitmap_area 16, bbox 16, clip 12,
 * mm_time u32, the operation. */
static void read_compat_head(SpiceGuestDrawable *drawable)
{
    const uint8_t *bytes = drawable->bytes;

    drawable->type = bytes[9];
    drawable->self_bitmap = spice_get_u16(bytes + 10) != 0;
    drawable->self_area = rect_at(bytes + 12);
    drawable->base.box = rect_at(bytes + 28);
    drawable->union_at = 60;
}

bool spice_guest_drawable_read(SpiceGuestReader *self, uint64_t address, bool compat,
                               SpiceGuestDrawable *drawable)
{
    size_t clip_at;

    memset(drawable, 0, sizeof *drawable);
    drawable->compat = compat;
    if (!spice_guest_read(self, address, drawable->bytes,
                          compat ? SPICE_GUEST_COMPAT_DRAWABLE_SIZE : SPICE_GUEST_DRAWABLE_SIZE,
                          "drawable"))
        return false;
    if (compat)
        read_compat_head(drawable);
    else
        read_head(drawable);
    clip_at = compat ? 44 : 47;
    drawable->base.surface_id = drawable->surface_id;
    spice_guest_read_clip(self, drawable->bytes + clip_at, &drawable->base.clip);
    if (drawable->type == QXL_DRAW_COPY)
        drawable->self_bitmap = false;
    return self->error.code == SPICE_OK;
}
