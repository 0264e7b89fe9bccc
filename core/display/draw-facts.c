/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw-facts.h"

#include "core/canvas/region.h"
#include "core/canvas/rop.h"

#include "region-bound.h"

static bool ignores_dest(SpiceRop rop)
{
    /* f(1,1) = f(1,0) and f(0,1) = f(0,0) */
    return (rop & 1) == (rop >> 1 & 1) && (rop >> 2 & 1) == (rop >> 3 & 1);
}

static bool is_unscaled(const SpiceRect *box, const SpiceRect *area)
{
    return (int64_t)box->right - box->left == (int64_t)area->right - area->left &&
           (int64_t)box->bottom - box->top == (int64_t)area->bottom - area->top;
}

/** Whether an unscaled source has a pixel for each of the region. A scaled one counts as if it
 * had not: where it fades to nothing at its borders is a matter of its scaling. */
static bool source_covers(const pixman_region32_t *region, const SpiceRect *box,
                          const SpiceImage *source, const SpiceRect *area,
                          const SpiceSurfaces *surfaces)
{
    const pixman_box32_t *extents = pixman_region32_extents((pixman_region32_t *)region);
    const int64_t dx = (int64_t)area->left - box->left, dy = (int64_t)area->top - box->top;
    int64_t width = source->width, height = source->height;

    if (!is_unscaled(box, area))
        return false;
    if (source->type == SPICE_IMAGE_TYPE_SURFACE) {
        const SpicePixels *surface = surfaces->find(surfaces->context, source->surface_id);

        width = surface->width;
        height = surface->height;
    }
    return extents->x1 + dx >= 0 && extents->y1 + dy >= 0 && extents->x2 + dx <= width &&
           extents->y2 + dy <= height;
}

static bool is_opaque(const SpiceDrawFacts *facts, uint16_t type, const void *message,
                      const SpiceSurfaces *surfaces)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_COPY_BITS:
        return true;
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
        return !((const SpiceMsgDisplayDrawMasked *)message)->mask.bitmap;
    case SPICE_MSG_DISPLAY_DRAW_FILL: {
        const SpiceMsgDisplayDrawFill *m = message;

        return !m->mask.bitmap && ignores_dest(spice_rop_of_descriptor(
                                      m->rop, SPICE_ROPD_INVERS_BRUSH, SPICE_ROPD_INVERS_DEST));
    }
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND: {
        const SpiceMsgDisplayDrawCopy *m = message;

        return !m->mask.bitmap &&
               ignores_dest(spice_rop_of_descriptor(m->rop, SPICE_ROPD_INVERS_SRC,
                                                    SPICE_ROPD_INVERS_DEST)) &&
               source_covers(&facts->region, &m->base.box, m->source, &m->source_area, surfaces);
    }
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE: {
        const SpiceMsgDisplayDrawOpaque *m = message;

        return !m->mask.bitmap &&
               source_covers(&facts->region, &m->base.box, m->source, &m->source_area, surfaces);
    }
    default:
        return false;
    }
}

static void add_read(SpiceDrawFacts *facts, uint32_t surface_id, pixman_box32_t box)
{
    if (box.x1 < box.x2 && box.y1 < box.y2)
        facts->reads[facts->n_reads++] = (SpiceDrawRead){surface_id, box};
}

/** Of a surface as an image, all counts as read; COPY, by far the most common, is worth a closer
 * look. */
static void find_reads(SpiceDrawFacts *facts, uint16_t type, const void *message,
                       const SpiceSurfaces *surfaces)
{
    const SpiceMsgDisplayDrawCopy *copy = message;
    SpiceDrawImages images;

    spice_draw_images(&images, type, message);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        const SpiceImage *image = images.images[role];
        const SpicePixels *surface;
        pixman_box32_t box;

        if (!image || image->type != SPICE_IMAGE_TYPE_SURFACE)
            continue;
        surface = surfaces->find(surfaces->context, image->surface_id);
        box = (pixman_box32_t){0, 0, surface->width, surface->height};
        if (type == SPICE_MSG_DISPLAY_DRAW_COPY && role == SPICE_DRAW_SOURCE &&
            source_covers(&facts->region, &copy->base.box, image, &copy->source_area, surfaces)) {
            const pixman_box32_t *to = pixman_region32_extents(&facts->region);
            const int64_t dx = (int64_t)copy->source_area.left - copy->base.box.left;
            const int64_t dy = (int64_t)copy->source_area.top - copy->base.box.top;

            box = (pixman_box32_t){(int32_t)(to->x1 + dx), (int32_t)(to->y1 + dy),
                                   (int32_t)(to->x2 + dx), (int32_t)(to->y2 + dy)};
        }
        add_read(facts, image->surface_id, box);
    }
}

/** COPY_BITS writes only what has a source inside of the surface, and nothing where source and
 * destination are one. */
static bool find_moved(SpiceDrawFacts *facts, const SpiceMsgDisplayCopyBits *m,
                       const SpicePixels *dest, SpiceError *error)
{
    const int64_t dx = (int64_t)m->base.box.left - m->source.x;
    const int64_t dy = (int64_t)m->base.box.top - m->source.y;
    const pixman_box32_t *to;

    if (dx == 0 && dy == 0) {
        pixman_region32_clear(&facts->region);
        return true;
    }
    if (!spice_region_cut(&facts->region, dx, dy, dest->width, dest->height, error))
        return false;
    to = pixman_region32_extents(&facts->region);
    if (pixman_region32_not_empty(&facts->region))
        add_read(facts, m->base.surface_id,
                 (pixman_box32_t){(int32_t)(to->x1 - dx), (int32_t)(to->y1 - dy),
                                  (int32_t)(to->x2 - dx), (int32_t)(to->y2 - dy)});
    return true;
}

bool spice_draw_facts(SpiceDrawFacts *facts, uint16_t type, const void *message,
                      const SpiceSurfaces *surfaces, SpiceError *error)
{
    const SpicePixels *dest =
        surfaces->find(surfaces->context, spice_draw_base(message)->surface_id);

    facts->opaque = false;
    facts->n_reads = 0;
    if (!spice_draw_region(&facts->region, dest, message, error))
        return false;
    if (type == SPICE_MSG_DISPLAY_COPY_BITS && !find_moved(facts, message, dest, error))
        return false;
    if (!pixman_region32_not_empty(&facts->region))
        return true;
    find_reads(facts, type, message, surfaces);
    /* A region that had to be made larger to stay simple is not all written. */
    facts->opaque =
        is_opaque(facts, type, message, surfaces) && !spice_region_bound(&facts->region);
    return true;
}
