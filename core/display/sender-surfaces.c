/* The surfaces of the client, and what of them it has in lossy form only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/canvas/region.h"

#include "draw-facts.h"
#include "region-bound.h"
#include "sender-state.h"

static const SpicePixels *find(void *context, uint32_t surface_id)
{
    const SpiceSender *sender = context;

    return surface_id < SPICE_MAX_SURFACES && sender->surfaces[surface_id]
               ? &sender->surfaces[surface_id]->shape
               : NULL;
}

SpiceSurfaces spice_sender_surfaces(SpiceSender *self)
{
    return (SpiceSurfaces){find, self};
}

static pixman_format_code_t pixel_format(uint32_t format)
{
    switch (format) {
    case SPICE_SURFACE_FMT_1_A:
        return PIXMAN_a1;
    case SPICE_SURFACE_FMT_8_A:
        return PIXMAN_a8;
    case SPICE_SURFACE_FMT_16_555:
        return PIXMAN_x1r5g5b5;
    case SPICE_SURFACE_FMT_16_565:
        return PIXMAN_r5g6b5;
    case SPICE_SURFACE_FMT_32_xRGB:
        return PIXMAN_x8r8g8b8;
    case SPICE_SURFACE_FMT_32_ARGB:
        return PIXMAN_a8r8g8b8;
    default:
        return (pixman_format_code_t)0;
    }
}

SpiceSentSurface *spice_sent_surface_create(const SpiceAllocator *allocator,
                                            const SpiceMsgDisplaySurfaceCreate *message,
                                            SpiceError *error)
{
    const pixman_format_code_t format = pixel_format(message->format);
    SpiceSentSurface *surface;

    if (message->surface_id >= SPICE_MAX_SURFACES) {
        spice_error_set(error, SPICE_ERROR_LIMIT, "surface_create.surface_id");
        return NULL;
    }
    if (!format) {
        spice_error_set(error, SPICE_ERROR_VALUE, "surface_create.format");
        return NULL;
    }
    if (!spice_pixels_check_size(message->width, message->height, error))
        return NULL;
    surface = allocator->alloc(allocator->context, sizeof(*surface));
    if (!surface) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "surface_create");
        return NULL;
    }
    *surface = (SpiceSentSurface){
        .shape = {.format = format,
                  .width = (int32_t)message->width,
                  .height = (int32_t)message->height},
    };
    pixman_region32_init(&surface->lossy);
    return surface;
}

void spice_sender_forget_surface(SpiceSender *self, uint32_t id)
{
    SpiceSentSurface *surface = id < SPICE_MAX_SURFACES ? self->surfaces[id] : NULL;

    if (!surface)
        return;
    pixman_region32_fini(&surface->lossy);
    self->config.allocator->release(self->config.allocator->context, surface);
    self->surfaces[id] = NULL;
}

static bool is_lossy_anywhere(const SpiceSender *self)
{
    for (unsigned id = 0; id < SPICE_MAX_SURFACES; id++)
        if (self->surfaces[id] && pixman_region32_not_empty(&self->surfaces[id]->lossy))
            return true;
    return false;
}

static bool reads_lossy(const SpiceSender *self, const SpiceDrawFacts *facts)
{
    bool any = false;

    for (unsigned i = 0; i < facts->n_reads && !any; i++) {
        pixman_region32_t lossy;

        pixman_region32_init(&lossy);
        spice_sender_get_lossy(self, facts->reads[i].surface_id, &lossy);
        any = spice_region_meets_box(&lossy, &facts->reads[i].box);
        pixman_region32_fini(&lossy);
    }
    return any;
}

/** What is lossy moves along. Where memory is short all that was written counts. */
static void move(const SpiceSender *self, SpiceSentSurface *surface, const SpiceDrawFacts *facts,
                 const SpiceMsgDisplayCopyBits *m)
{
    pixman_region32_t moved;
    bool ok;

    pixman_region32_init(&moved);
    spice_sender_get_lossy(self, m->base.surface_id, &moved);
    pixman_region32_translate(&moved, m->base.box.left - m->source.x,
                              m->base.box.top - m->source.y);
    ok = pixman_region32_intersect(&moved, &moved, (pixman_region32_t *)&facts->region);
    if (facts->opaque)
        spice_region_take_away(&surface->lossy, &facts->region);
    spice_region_add(&surface->lossy, ok ? &moved : &facts->region);
    pixman_region32_fini(&moved);
}

/** Without knowing what the draw does: it may have touched all of its box. */
static void suspect(SpiceSentSurface *surface, const SpiceDisplayBase *base)
{
    pixman_box32_t box = {base->box.left, base->box.top, base->box.right, base->box.bottom};

    box.x1 = box.x1 > 0 ? box.x1 : 0;
    box.y1 = box.y1 > 0 ? box.y1 : 0;
    box.x2 = box.x2 < surface->shape.width ? box.x2 : surface->shape.width;
    box.y2 = box.y2 < surface->shape.height ? box.y2 : surface->shape.height;
    if (box.x1 < box.x2 && box.y1 < box.y2)
        spice_region_add_box(&surface->lossy, &box);
}

void spice_sender_follow_lossy(SpiceSender *self, uint16_t type, const void *message, bool lossy)
{
    const SpiceDisplayBase *base = spice_draw_base(message);
    SpiceSentSurface *surface = self->surfaces[base->surface_id];
    const SpiceSurfaces surfaces = spice_sender_surfaces(self);
    SpiceDrawFacts facts;

    /* Nearly always: nothing is, and nothing gets. */
    if (!lossy && !self->has_lossy)
        return;
    if (!spice_draw_facts(&facts, type, message, &surfaces, NULL)) {
        suspect(surface, base);
    } else if (type == SPICE_MSG_DISPLAY_COPY_BITS) {
        if (reads_lossy(self, &facts) || spice_region_meets(&surface->lossy, &facts.region))
            move(self, surface, &facts, message);
    } else if (lossy || reads_lossy(self, &facts)) {
        spice_region_add(&surface->lossy, &facts.region);
    } else if (facts.opaque) {
        spice_region_take_away(&surface->lossy, &facts.region);
        spice_region_bound(&surface->lossy);
    }
    pixman_region32_fini(&facts.region);
    self->has_lossy = is_lossy_anywhere(self) || spice_sender_has_frames(self);
}

const pixman_region32_t *spice_sender_lossy_region(const SpiceSender *self, uint32_t surface_id)
{
    return surface_id < SPICE_MAX_SURFACES && self->surfaces[surface_id]
               ? &self->surfaces[surface_id]->lossy
               : &self->nothing;
}
