/* Pictures cut from a surface: what a client that is behind gets instead of the draws.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/image/convert.h"

#include "publisher-state.h"

/** Whether a pixel's top byte holds something: what reads an off-screen surface with alpha may
 * read it. */
static bool has_high_bits(const SpicePixels *pixels)
{
    for (int32_t y = 0; y < pixels->height; y++) {
        const uint8_t *row = spice_pixels_row(pixels, y);

        for (int32_t x = 0; x < pixels->width; x++)
            if (row[4 * x + 3])
                return true;
    }
    return false;
}

static uint8_t bitmap_format(const SpiceSurface *surface, const SpicePixels *part)
{
    switch (surface->pixels.format) {
    case PIXMAN_a1:
        return SPICE_BITMAP_FMT_1BIT_LE;
    case PIXMAN_a8:
        return SPICE_BITMAP_FMT_8BIT_A;
    case PIXMAN_x1r5g5b5:
        return SPICE_BITMAP_FMT_16BIT;
    case PIXMAN_a8r8g8b8:
        return SPICE_BITMAP_FMT_RGBA;
    case PIXMAN_x8r8g8b8:
        return surface->name.id != 0 && has_high_bits(part) ? SPICE_BITMAP_FMT_RGBA
                                                            : SPICE_BITMAP_FMT_32BIT;
    default: /* 565, for which there is no bitmap: it comes back out of 32 bits as it was */
        return SPICE_BITMAP_FMT_32BIT;
    }
}

/** Widens 565, so that narrowing gives the same again. */
static bool widen(SpicePixels *wide, const SpicePixels *part, SpiceArena *scratch,
                  SpiceError *error)
{
    if (!spice_pixels_new(wide, PIXMAN_x8r8g8b8, part->width, part->height, scratch, NULL))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "picture");
    for (int32_t y = 0; y < part->height; y++) {
        const uint8_t *from = spice_pixels_row(part, y);
        uint8_t *to = spice_pixels_row(wide, y);

        for (int32_t x = 0; x < part->width; x++) {
            uint16_t pixel;

            memcpy(&pixel, from + 2 * x, 2);
            to[4 * x + 0] = (uint8_t)((pixel & 31) << 3 | (pixel & 31) >> 2);
            to[4 * x + 1] = (uint8_t)((pixel >> 5 & 63) << 2 | (pixel >> 5 & 63) >> 4);
            to[4 * x + 2] = (uint8_t)(pixel >> 11 << 3 | pixel >> 13);
        }
    }
    return true;
}

/** The image of rows in memory; a step upwards is a bitmap that is not top-down. */
static SpiceImage image_of(const SpicePixels *part, uint8_t format)
{
    const bool top_down = part->stride > 0;
    const size_t stride = (size_t)(top_down ? part->stride : -part->stride);

    return (SpiceImage){
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .bitmap_format = format,
        .bitmap_flags = top_down ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0,
        .bitmap_width = (uint32_t)part->width,
        .bitmap_height = (uint32_t)part->height,
        .stride = (uint32_t)stride,
        /* The gap after the last row is counted, and never read: copies are of rows. */
        .data = {spice_pixels_row(part, top_down ? 0 : part->height - 1),
                 stride * (size_t)part->height},
    };
}

static SpiceDrawable *draw_of(SpiceDisplay *self, const SpiceSurface *surface,
                              const pixman_box32_t *box, SpiceImage *image, SpiceError *error)
{
    const SpiceDisplayBase base = {.surface_id = surface->name.id,
                                   .box = {box->y1, box->x1, box->y2, box->x2}};
    const SpiceMsgDisplayDrawCopy copy = {
        .base = base,
        .source = image,
        .source_area = {0, 0, box->y2 - box->y1, box->x2 - box->x1},
        .rop = SPICE_ROPD_OP_PUT,
    };
    /* Nothing can be copied to one bit a pixel, but ones can be filled in through a mask. */
    const SpiceMsgDisplayDrawFill fill = {
        .base = base,
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = 1},
        .rop = SPICE_ROPD_OP_PUT,
        .mask = {.bitmap = image},
    };
    const bool is_bits = surface->pixels.format == PIXMAN_a1;
    const SpiceDrawableSource source = {
        .type = is_bits ? SPICE_MSG_DISPLAY_DRAW_FILL : SPICE_MSG_DISPLAY_DRAW_COPY,
        .message = is_bits ? (const void *)&fill : (const void *)&copy,
    };

    return spice_drawable_create(self->config.allocator, &source, error);
}

static SpiceDrawable *cut(SpiceDisplay *self, const SpiceSurface *surface, pixman_box32_t box,
                          SpiceError *error)
{
    SpiceDrawable *drawable;
    SpicePixels part, wide;
    SpiceImage image;

    if (surface->pixels.format == PIXMAN_a1) {
        box.x1 = 0; /* whole bytes */
        part = surface->pixels;
        part.data = spice_pixels_row(&surface->pixels, box.y1);
        part.width = box.x2;
        part.height = box.y2 - box.y1;
    } else {
        part = spice_pixels_part(&surface->pixels, &box);
    }
    if (part.format == PIXMAN_r5g6b5) {
        if (!widen(&wide, &part, &self->scratch, error))
            return NULL;
        part = wide;
    }
    image = image_of(&part, bitmap_format(surface, &part));
    drawable = draw_of(self, surface, &box, &image, error);
    if (drawable && !spice_drawable_own(drawable, error)) {
        spice_drawable_unref(drawable);
        return NULL;
    }
    return drawable;
}

uint64_t spice_display_cut_row_size(const SpiceSurface *surface, int32_t width)
{
    const pixman_format_code_t format = surface->pixels.format;

    return (spice_pixels_row_size(format == PIXMAN_r5g6b5 ? PIXMAN_x8r8g8b8 : format, width) + 3) &
           ~(uint64_t)3;
}

void spice_display_forget_shared(SpiceDisplay *self, bool only_unused)
{
    if (!self->shared.drawable || (only_unused && spice_drawable_is_shared(self->shared.drawable)))
        return;
    spice_drawable_unref(self->shared.drawable);
    self->shared.drawable = NULL;
}

SpiceDrawable *spice_display_cut(SpiceDisplay *self, const SpiceSurface *surface,
                                 const pixman_box32_t *box, SpiceError *error)
{
    SpiceDrawable *drawable;

    if (self->shared.drawable && self->shared.generation == surface->name.generation &&
        self->shared.paints == surface->paints &&
        memcmp(&self->shared.box, box, sizeof(*box)) == 0) {
        self->counters.shared++;
        return spice_drawable_ref(self->shared.drawable);
    }
    drawable = cut(self, surface, *box, error);
    spice_arena_reset(&self->scratch);
    if (!drawable)
        return NULL;
    self->counters.cut++;
    spice_display_forget_shared(self, false);
    self->shared.drawable = spice_drawable_ref(drawable);
    self->shared.generation = surface->name.generation;
    self->shared.paints = surface->paints;
    self->shared.box = *box;
    return drawable;
}
