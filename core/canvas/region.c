/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region.h"

#include <string.h>

static int32_t clamp(int64_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : (int32_t)value;
}

/** Gathers rectangles that lie inside `bounds` in at most this many at a time. */
enum { GATHER = 256 };

static bool unite(pixman_region32_t *region, const pixman_box32_t *boxes, int n, SpiceError *error)
{
    pixman_region32_t more;
    bool united;

    if (!pixman_region32_init_rects(&more, boxes, n))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "clip.rects");
    united = pixman_region32_union(region, region, &more);
    pixman_region32_fini(&more);
    if (!united)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "clip.rects");
    if (pixman_region32_n_rects(region) > SPICE_MAX_REGION_RECTS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "clip.rects");
    return true;
}

bool spice_region_init_clip(pixman_region32_t *region, const pixman_box32_t *bounds,
                            const SpiceClip *clip, SpiceError *error)
{
    pixman_box32_t boxes[GATHER];
    int n = 0;

    pixman_region32_init(region);
    if (bounds->x1 >= bounds->x2 || bounds->y1 >= bounds->y2)
        return true;
    if (clip->type == SPICE_CLIP_TYPE_NONE) {
        pixman_region32_fini(region);
        pixman_region32_init_with_extents(region, (pixman_box32_t *)bounds);
        return true;
    }
    if (clip->type != SPICE_CLIP_TYPE_RECTS)
        return spice_error_set(error, SPICE_ERROR_VALUE, "clip.type");
    if (clip->n_rects > SPICE_MAX_CLIP_RECTS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "clip.n_rects");
    for (uint32_t i = 0; i < clip->n_rects; i++) {
        const SpiceRect *rect = &clip->rects[i];
        const pixman_box32_t box = {
            .x1 = rect->left > bounds->x1 ? rect->left : bounds->x1,
            .y1 = rect->top > bounds->y1 ? rect->top : bounds->y1,
            .x2 = rect->right < bounds->x2 ? rect->right : bounds->x2,
            .y2 = rect->bottom < bounds->y2 ? rect->bottom : bounds->y2,
        };

        if (box.x1 >= box.x2 || box.y1 >= box.y2)
            continue;
        boxes[n++] = box;
        if (n == GATHER) {
            if (!unite(region, boxes, n, error))
                return false;
            n = 0;
        }
    }
    return n == 0 || unite(region, boxes, n, error);
}

bool spice_region_init_draw(pixman_region32_t *region, const SpicePixels *dest,
                            const SpiceRect *box, const SpiceClip *clip, SpiceError *error)
{
    const pixman_box32_t bounds = {
        .x1 = box->left > 0 ? box->left : 0,
        .y1 = box->top > 0 ? box->top : 0,
        .x2 = box->right < dest->width ? box->right : dest->width,
        .y2 = box->bottom < dest->height ? box->bottom : dest->height,
    };

    return spice_region_init_clip(region, &bounds, clip, error);
}

bool spice_region_cut(pixman_region32_t *region, int64_t x, int64_t y, int64_t width,
                      int64_t height, SpiceError *error)
{
    const pixman_box32_t *extents = pixman_region32_extents(region);
    const pixman_box32_t box = {
        .x1 = clamp(x, extents->x1, extents->x2),
        .y1 = clamp(y, extents->y1, extents->y2),
        .x2 = clamp(x + width, extents->x1, extents->x2),
        .y2 = clamp(y + height, extents->y1, extents->y2),
    };

    if (box.x1 >= box.x2 || box.y1 >= box.y2) {
        pixman_region32_fini(region);
        pixman_region32_init(region);
        return true;
    }
    if (memcmp(&box, extents, sizeof(box)) == 0)
        return true;
    if (!pixman_region32_intersect_rect(region, region, box.x1, box.y1, (unsigned)(box.x2 - box.x1),
                                        (unsigned)(box.y2 - box.y1)))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "region");
    return true;
}

/** The most rectangles that these bits can unfold to: the runs of ones, and with them those of
 * zeros plus one a row. */
static uint64_t count_runs(const SpicePixels *bits)
{
    uint64_t runs = (uint64_t)bits->height;

    for (int32_t y = 0; y < bits->height; y++) {
        const uint8_t *row = spice_pixels_row(bits, y);
        uint32_t carry = 0;

        for (size_t i = 0; i < spice_pixels_row_size(PIXMAN_a1, bits->width); i += 4) {
            uint32_t word, starts;

            memcpy(&word, row + i, 4);
            starts = word & ~(word << 1 | carry);
            for (; starts; starts &= starts - 1)
                runs++;
            carry = word >> 31;
        }
    }
    return runs;
}

bool spice_region_cut_mask(pixman_region32_t *region, const SpiceRect *box, const SpicePixels *bits,
                           SpicePoint position, bool inverted, SpiceError *error)
{
    const int64_t dx = (int64_t)box->left - position.x, dy = (int64_t)box->top - position.y;
    pixman_region32_t let_through;
    pixman_box32_t part;
    pixman_image_t *image;
    SpicePixels view = *bits;
    bool done;

    if (bits->format != PIXMAN_a1 || !spice_pixels_aligned(bits))
        return spice_error_set(error, SPICE_ERROR_VALUE, "mask.bitmap.format");
    if (!spice_region_cut(region, dx, dy, bits->width, bits->height, error))
        return false;
    if (!pixman_region32_not_empty(region))
        return true;

    /* Unfold only what the region covers, from a whole word on. */
    part = *pixman_region32_extents(region);
    part = (pixman_box32_t){(int32_t)(part.x1 - dx) & ~31, (int32_t)(part.y1 - dy),
                            (int32_t)(part.x2 - dx), (int32_t)(part.y2 - dy)};
    view.data = spice_pixels_row(bits, part.y1) + part.x1 / 8;
    view.width = part.x2 - part.x1;
    view.height = part.y2 - part.y1;
    if (count_runs(&view) > SPICE_MAX_REGION_RECTS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "mask");
    image = pixman_image_create_bits(PIXMAN_a1, view.width, view.height, (uint32_t *)view.data,
                                     (int)view.stride);
    if (!image)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "mask");
    pixman_region32_init_from_image(&let_through, image);
    pixman_image_unref(image);
    done = true;
    if (inverted) {
        pixman_box32_t all = {0, 0, view.width, view.height};

        done = pixman_region32_inverse(&let_through, &let_through, &all);
    }
    if (done) {
        pixman_region32_translate(&let_through, (int)(part.x1 + dx), (int)(part.y1 + dy));
        done = pixman_region32_intersect(region, region, &let_through);
    }
    pixman_region32_fini(&let_through);
    return done || spice_error_set(error, SPICE_ERROR_MEMORY, "mask");
}
