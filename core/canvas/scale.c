/* The factors are worked out here; the sampling is pixman's, whose arithmetic other clients of
 * the field show as well.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "scale.h"

#include "core/image/convert.h"

bool spice_is_scaled(const SpiceRect *box, const SpiceRect *source_area)
{
    return (int64_t)box->right - box->left != (int64_t)source_area->right - source_area->left ||
           (int64_t)box->bottom - box->top != (int64_t)source_area->bottom - source_area->top;
}

static bool check_areas(const SpiceRect *box, const SpiceRect *area, SpiceError *error)
{
    if (area->left >= area->right || area->top >= area->bottom)
        return spice_error_set(error, SPICE_ERROR_VALUE, "source_area");
    if (box->left >= box->right || box->top >= box->bottom)
        return spice_error_set(error, SPICE_ERROR_VALUE, "box");
    if (area->left < -SPICE_MAX_SIDE || area->top < -SPICE_MAX_SIDE ||
        area->right > SPICE_MAX_SIDE || area->bottom > SPICE_MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "source_area");
    return true;
}

bool spice_scale_whole(SpiceScale *scale, const SpiceRect *box, const SpiceRect *source_area,
                       SpiceError *error)
{
    if (!check_areas(box, source_area, error))
        return false;
    scale->factor_x = ((int64_t)source_area->right - source_area->left) * 65536 /
                      ((int64_t)box->right - box->left);
    scale->factor_y = ((int64_t)source_area->bottom - source_area->top) * 65536 /
                      ((int64_t)box->bottom - box->top);
    scale->offset_x = (int64_t)source_area->left * 65536;
    scale->offset_y = (int64_t)source_area->top * 65536;
    return true;
}

static void scale_axis_rounded(int64_t *factor, int64_t *offset, int64_t box_size,
                               int64_t area_size, int64_t area_start)
{
    const double ratio = (double)area_size / (double)box_size;
    const double start = (double)area_start / ratio;

    *factor = (int64_t)(ratio * 65536.0 + 0.5);
    *offset = (int64_t)(start < 0 ? start - 0.5 : start + 0.5) * *factor;
}

bool spice_scale_rounded(SpiceScale *scale, const SpiceRect *box, const SpiceRect *source_area,
                         SpiceError *error)
{
    if (!check_areas(box, source_area, error))
        return false;
    scale_axis_rounded(&scale->factor_x, &scale->offset_x, (int64_t)box->right - box->left,
                       (int64_t)source_area->right - source_area->left, source_area->left);
    scale_axis_rounded(&scale->factor_y, &scale->offset_y, (int64_t)box->bottom - box->top,
                       (int64_t)source_area->bottom - source_area->top, source_area->top);
    return true;
}

/** Where the part starts in the source, if all of it can be reached in 16 bits. */
static bool start_of_axis(pixman_fixed_t *start, int64_t factor, int64_t offset, int64_t from,
                          int64_t size)
{
    const int64_t limit = (int64_t)SPICE_MAX_SIDE << 16;
    int64_t at;

    if (from > INT32_MAX || factor > INT32_MAX)
        return false;
    at = factor * from + offset;
    if (at < -limit || at + factor * size > limit)
        return false;
    *start = (pixman_fixed_t)at;
    return true;
}

bool spice_scale_apply(pixman_image_t *source, const SpiceScale *scale, const SpiceRect *box,
                       const pixman_box32_t *part, pixman_filter_t filter, SpiceError *error)
{
    pixman_transform_t transform;

    pixman_transform_init_scale(&transform, (pixman_fixed_t)scale->factor_x,
                                (pixman_fixed_t)scale->factor_y);
    if (!start_of_axis(&transform.matrix[0][2], scale->factor_x, scale->offset_x,
                       (int64_t)part->x1 - box->left, (int64_t)part->x2 - part->x1) ||
        !start_of_axis(&transform.matrix[1][2], scale->factor_y, scale->offset_y,
                       (int64_t)part->y1 - box->top, (int64_t)part->y2 - part->y1))
        return spice_error_set(error, SPICE_ERROR_LIMIT, "source_area");
    pixman_image_set_repeat(source, PIXMAN_REPEAT_NONE);
    if (!pixman_image_set_transform(source, &transform) ||
        !pixman_image_set_filter(source, filter, NULL, 0))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    return true;
}

static bool scale_into(const SpicePixels *target, int32_t target_x, int32_t target_y,
                       const pixman_region32_t *clip, const SpicePixels *source,
                       const pixman_box32_t *part, const SpiceRect *box, const SpiceScale *scale,
                       uint8_t scale_mode, SpiceError *error)
{
    const pixman_filter_t filter =
        scale_mode == SPICE_IMAGE_SCALE_MODE_NEAREST ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_GOOD;
    pixman_image_t *from = spice_operand_pixman(source, error);
    pixman_image_t *to = spice_operand_pixman(target, error);
    bool done = from && to && spice_scale_apply(from, scale, box, part, filter, error);

    if (done && clip && !pixman_image_set_clip_region32(to, (pixman_region32_t *)clip))
        done = spice_error_set(error, SPICE_ERROR_MEMORY, "pixman");
    if (done)
        pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0, target_x, target_y,
                                 part->x2 - part->x1, part->y2 - part->y1);
    if (from)
        pixman_image_unref(from);
    if (to)
        pixman_image_unref(to);
    return done;
}

static bool check_mode(uint8_t scale_mode, SpiceError *error)
{
    return scale_mode == SPICE_IMAGE_SCALE_MODE_NEAREST ||
           scale_mode == SPICE_IMAGE_SCALE_MODE_INTERPOLATE ||
           spice_error_set(error, SPICE_ERROR_VALUE, "scale_mode");
}

bool spice_scale_take(SpicePixels *scaled, const SpicePixels *source, const SpicePixels *dest,
                      const pixman_region32_t *region, const SpiceRect *box,
                      const SpiceScale *scale, uint8_t scale_mode, SpiceArena *scratch,
                      SpiceError *error)
{
    const pixman_box32_t *part = pixman_region32_extents((pixman_region32_t *)region);
    SpicePixels aligned;

    return check_mode(scale_mode, error) &&
           spice_operand_raw(&aligned, source, dest, scratch, error) &&
           spice_pixels_new(scaled, dest->format, part->x2 - part->x1, part->y2 - part->y1, scratch,
                            error) &&
           scale_into(scaled, 0, 0, NULL, &aligned, part, box, scale, scale_mode, error);
}

bool spice_scale_paint(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpicePixels *source, const SpiceRect *box, const SpiceScale *scale,
                       uint8_t scale_mode, SpiceArena *scratch, SpiceError *error)
{
    const pixman_box32_t *part = pixman_region32_extents((pixman_region32_t *)region);
    SpicePixels aligned;

    return check_mode(scale_mode, error) &&
           spice_operand_raw(&aligned, source, dest, scratch, error) &&
           scale_into(dest, part->x1, part->y1, region, &aligned, part, box, scale, scale_mode,
                      error);
}
