/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-image.h"

#include "core/display/draw-check.h"
#include "core/image/bitmap.h"
#include "core/wire/endian.h"

/* descriptor: id u64, type u8, flags u8, width u32, height u32; then the body */
enum { IMAGE_SIZE = 48, IMAGE_BODY = 18 };

enum { QXL_IMAGE_CACHE = 1, QXL_IMAGE_HIGH_BITS_SET = 2 };
enum { QXL_BITMAP_DIRECT = 1, QXL_BITMAP_UNSTABLE = 2, QXL_BITMAP_TOP_DOWN = 4 };

uint32_t spice_guest_color(const SpiceGuestReader *self, uint32_t color)
{
    uint32_t r, g, b;

    if (!self->compat_16bpp)
        return color;
    r = color >> 10 & 31;
    g = color >> 5 & 31;
    b = color & 31;
    return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
}

static SpicePalette *read_palette(SpiceGuestReader *self, uint64_t address)
{
    enum { HEADER = 10 };
    uint8_t header[HEADER], entries[4 * SPICE_MAX_PALETTE_ENTRIES];
    SpicePalette *palette;
    unsigned i;

    if (!spice_guest_read(self, address, header, sizeof header, "palette"))
        return NULL;
    palette = spice_guest_take(self, 1, sizeof *palette, "palette");
    if (!palette)
        return NULL;
    palette->unique = spice_get_u64(header);
    palette->n_entries = spice_get_u16(header + 8);
    if (palette->n_entries > SPICE_MAX_PALETTE_ENTRIES)
        palette->n_entries = SPICE_MAX_PALETTE_ENTRIES; /* no index reaches beyond */
    palette->entries =
        spice_guest_take(self, SPICE_MAX_PALETTE_ENTRIES, sizeof(uint32_t), "palette");
    if (!palette->entries || !spice_guest_read(self, address + HEADER, entries,
                                               4 * (size_t)palette->n_entries, "palette.ents"))
        return NULL;
    for (i = 0; i < palette->n_entries; i++)
        palette->entries[i] = spice_guest_color(self, spice_get_u32(entries + 4 * i));
    return palette;
}

/** A BITMAP's body: format u8, flags u8, x u32, y u32, stride u32, palette u64, data u64. */
static void read_bitmap(SpiceGuestReader *self, const uint8_t *body, SpiceImage *image, bool mask)
{
    const uint8_t flags = body[1];
    const uint64_t palette = spice_get_u64(body + 14), data = spice_get_u64(body + 22);
    const unsigned bits = spice_bitmap_bits(body[0]);
    const bool copy = flags & QXL_BITMAP_UNSTABLE;
    uint64_t size;

    image->bitmap_format = body[0];
    image->bitmap_flags = flags & QXL_BITMAP_TOP_DOWN ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    image->bitmap_width = spice_get_u32(body + 2);
    image->bitmap_height = spice_get_u32(body + 6);
    image->stride = spice_get_u32(body + 10);
    size = (uint64_t)image->stride * image->bitmap_height;
    if (bits == 0 || image->bitmap_width == 0 || image->bitmap_height == 0 ||
        image->stride < ((uint64_t)image->bitmap_width * bits + 7) / 8) {
        spice_guest_fail(self, SPICE_ERROR_VALUE, "image.bitmap");
        return;
    }
    /* What counts is what there are pixels for. */
    image->width = image->bitmap_width;
    image->height = image->bitmap_height;
    if (spice_bitmap_is_indexed(image->bitmap_format) && !mask)
        image->palette.palette = read_palette(self, palette);
    if (copy)
        image->flags = (uint8_t)(image->flags & ~SPICE_IMAGE_FLAGS_CACHE_ME);
    image->data = flags & QXL_BITMAP_DIRECT
                      ? spice_guest_read_flat(self, data, size, copy, "image.data")
                      : spice_guest_read_pixels(self, data, size, copy, "image.data");
}

/** A QUIC's body: data_size u32, then a chunk. A decoder looks at its bytes more than once, so they
 * are always copied. */
static void read_quic(SpiceGuestReader *self, uint64_t address, const uint8_t *body,
                      SpiceImage *image)
{
    const uint32_t size = spice_get_u32(body);

    if (size == 0)
        spice_guest_fail(self, SPICE_ERROR_VALUE, "image.quic");
    image->data = spice_guest_read_pixels(self, address + IMAGE_BODY + 4, size, true, "image.quic");
}

static SpiceImage *read_image(const SpiceGuestImages *self, uint64_t address, bool mask,
                              const char *field)
{
    SpiceGuestReader *reader = self->reader;
    uint8_t bytes[IMAGE_SIZE];
    SpiceImage *image;

    if (address == 0)
        return self->self_bitmap;
    if (!spice_guest_read(reader, address, bytes, sizeof bytes, field))
        return NULL;
    image = spice_guest_take(reader, 1, sizeof *image, field);
    if (!image)
        return NULL;
    image->id = spice_get_u64(bytes);
    image->type = bytes[8];
    image->flags =
        (uint8_t)((bytes[9] & QXL_IMAGE_CACHE ? SPICE_IMAGE_FLAGS_CACHE_ME : 0) |
                  (bytes[9] & QXL_IMAGE_HIGH_BITS_SET ? SPICE_IMAGE_FLAGS_HIGH_BITS_SET : 0));
    image->width = spice_get_u32(bytes + 10);
    image->height = spice_get_u32(bytes + 14);
    if (image->type == SPICE_IMAGE_TYPE_BITMAP)
        read_bitmap(reader, bytes + IMAGE_BODY, image, mask);
    else if (image->type == SPICE_IMAGE_TYPE_QUIC)
        read_quic(reader, address, bytes + IMAGE_BODY, image);
    else if (image->type == SPICE_IMAGE_TYPE_SURFACE)
        image->surface_id = spice_get_u32(bytes + IMAGE_BODY);
    else
        spice_guest_fail(reader, SPICE_ERROR_VALUE, "image.type");
    return reader->error.code == SPICE_OK ? image : NULL;
}

SpiceImage *spice_guest_read_image(const SpiceGuestImages *self, uint64_t address,
                                   const char *field)
{
    return read_image(self, address, false, field);
}

static SpicePoint read_point(const uint8_t *bytes)
{
    return (SpicePoint){(int32_t)spice_get_u32(bytes), (int32_t)spice_get_u32(bytes + 4)};
}

/** type u32, then a colour u32, or an image u64 and a point. */
void spice_guest_read_brush(const SpiceGuestImages *self, const uint8_t *bytes, SpiceBrush *brush)
{
    const uint32_t type = spice_get_u32(bytes);

    if (type == SPICE_BRUSH_TYPE_SOLID) {
        brush->type = SPICE_BRUSH_TYPE_SOLID;
        brush->color = spice_guest_color(self->reader, spice_get_u32(bytes + 4));
    } else if (type == SPICE_BRUSH_TYPE_PATTERN) {
        brush->type = SPICE_BRUSH_TYPE_PATTERN;
        brush->pattern = spice_guest_read_image(self, spice_get_u64(bytes + 4), "brush.pattern");
        brush->position = read_point(bytes + 12);
        if (!brush->pattern)
            spice_guest_fail(self->reader, SPICE_ERROR_VALUE, "brush.pattern");
    } else {
        brush->type = SPICE_BRUSH_TYPE_NONE;
    }
}

/** flags u8, a point, an image u64. */
void spice_guest_read_mask(const SpiceGuestImages *self, const uint8_t *bytes, SpiceMask *mask)
{
    const SpiceGuestImages images = {.reader = self->reader};
    const uint64_t bitmap = spice_get_u64(bytes + 9);

    if (bitmap == 0)
        return;
    mask->flags = bytes[0] & SPICE_MASK_FLAGS_INVERS;
    mask->position = read_point(bytes + 1);
    mask->bitmap = read_image(&images, bitmap, true, "mask");
}
