/* The surfaces of a display.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/canvas/surface.h"

#include "publisher-state.h"

SpiceSurface *spice_display_find_surface(const SpiceDisplay *self, uint32_t id)
{
    return id < SPICE_MAX_SURFACES ? self->surfaces[id] : NULL;
}

static void clear(const SpicePixels *pixels)
{
    for (int32_t y = 0; y < pixels->height; y++)
        memset(spice_pixels_row(pixels, y), 0,
               spice_pixels_row_size(pixels->format, pixels->width));
}

static bool init_pixels(SpiceDisplay *self, SpiceSurface *surface, const SpiceSurfaceSource *source,
                        SpiceError *error)
{
    if (!source->data) {
        surface->owned = spice_surface_create(self->config.allocator, source->format, source->width,
                                              source->height, error);
        if (surface->owned)
            surface->pixels = surface->owned->pixels;
        return surface->owned;
    }
    if (!spice_surface_wrap(&surface->pixels, source->format, source->width, source->height,
                            source->data, source->stride, error))
        return false;
    if (!source->keep)
        clear(&surface->pixels);
    return true;
}

static pixman_box32_t all_of(const SpiceSurface *surface)
{
    return (pixman_box32_t){0, 0, surface->pixels.width, surface->pixels.height};
}

bool spice_display_create_surface(SpiceDisplay *self, const SpiceSurfaceSource *source,
                                  SpiceError *error)
{
    const uint32_t id = source->surface_id;
    SpiceSurface *surface;
    uint64_t bytes;

    if (id >= SPICE_MAX_SURFACES)
        return spice_error_set(error, SPICE_ERROR_VALUE, "surface_id");
    if (self->surfaces[id])
        return spice_error_set(error, SPICE_ERROR_STATE, "surface_id");
    bytes = spice_surface_size(source->format, source->width, source->height, error);
    if (bytes == 0)
        return false;
    if (bytes > self->config.limits.surface_bytes - self->counters.surface_bytes)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "surface.width");
    /* Nobody shows one. */
    if (id == 0 && spice_surface_pixman_format(source->format) == PIXMAN_a1)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "surface.format");
    surface = spice_display_alloc(self, sizeof(*surface));
    if (!surface)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "surface");
    *surface = (SpiceSurface){
        .name = {id, ++self->last_generation}, .format = source->format, .bytes = bytes};
    if (!init_pixels(self, surface, source, error)) {
        spice_display_free(self, surface);
        return false;
    }
    pixman_region32_init(&surface->touched);
    pixman_region32_init(&surface->dirty);
    pixman_region32_init(&surface->wanted);
    if (source->data && source->keep) {
        const pixman_box32_t all = all_of(surface);

        spice_region_add_box(&surface->touched, &all);
    }
    self->surfaces[id] = surface;
    self->counters.n_surfaces++;
    self->counters.surface_bytes += bytes;
    if (id == 0)
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_primary_changed(view);
    return true;
}

/** Draws on the surface are no longer of use to it, but those that others read may still have to
 * be sent. */
static void forget_draws(SpiceDisplay *self, SpiceSurface *surface)
{
    const pixman_box32_t box = all_of(surface);
    pixman_region32_t all;
    SpiceLiveDraw *newer;

    pixman_region32_init_with_extents(&all, (pixman_box32_t *)&box);
    spice_display_cover(self, surface, &all, NULL, 0);
    pixman_region32_fini(&all);
    spice_display_paint_readers(self, surface);
    for (SpiceLiveDraw *draw = self->oldest_pending; draw; draw = newer) {
        newer = draw->newer_pending;
        if (spice_surface_name_equal(draw->on, surface->name)) {
            spice_live_draw_set_pending(self, draw, false);
            spice_live_draw_settle(self, draw);
        }
    }
}

bool spice_display_destroy_surface(SpiceDisplay *self, uint32_t id, SpiceError *error)
{
    SpiceSurface *surface = spice_display_find_surface(self, id);

    if (!surface)
        return spice_error_set(error, SPICE_ERROR_STATE, "surface_id");
    forget_draws(self, surface);
    if (surface->n_contents > 0)
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_keep_contents(view, surface);
    self->surfaces[id] = NULL;
    self->counters.n_surfaces--;
    self->counters.surface_bytes -= surface->bytes;
    if (id == 0) {
        self->marked = false;
        spice_display_forget_streams(self);
    }
    for (SpiceView *view = self->views; view; view = view->next) {
        if (id == 0)
            spice_view_primary_changed(view);
        else
            spice_view_surface_destroyed(view, surface);
    }
    pixman_region32_fini(&surface->touched);
    pixman_region32_fini(&surface->dirty);
    pixman_region32_fini(&surface->wanted);
    spice_picture_unref(surface->owned);
    spice_display_free(self, surface);
    return true;
}

void spice_display_destroy_surfaces(SpiceDisplay *self)
{
    for (uint32_t id = SPICE_MAX_SURFACES; id-- > 0;)
        if (self->surfaces[id])
            spice_display_destroy_surface(self, id, NULL);
}

const SpicePixels *spice_display_surface(const SpiceDisplay *self, uint32_t surface_id)
{
    const SpiceSurface *surface = spice_display_find_surface(self, surface_id);

    return surface ? &surface->pixels : NULL;
}

const pixman_region32_t *spice_display_dirty(const SpiceDisplay *self, uint32_t surface_id)
{
    const SpiceSurface *surface = spice_display_find_surface(self, surface_id);

    return surface ? &surface->dirty : NULL;
}

void spice_display_clear_dirty(SpiceDisplay *self, uint32_t surface_id)
{
    SpiceSurface *surface = spice_display_find_surface(self, surface_id);

    if (surface)
        pixman_region32_clear(&surface->dirty);
}

bool spice_display_update_area(SpiceDisplay *self, uint32_t surface_id, const SpiceRect *area,
                               SpiceError *error)
{
    SpiceSurface *surface = spice_display_find_surface(self, surface_id);
    pixman_box32_t box;

    if (!surface)
        return spice_error_set(error, SPICE_ERROR_STATE, "surface_id");
    box = all_of(surface);
    if (area) {
        box.x1 = area->left > box.x1 ? area->left : box.x1;
        box.y1 = area->top > box.y1 ? area->top : box.y1;
        box.x2 = area->right < box.x2 ? area->right : box.x2;
        box.y2 = area->bottom < box.y2 ? area->bottom : box.y2;
    }
    if (box.x1 < box.x2 && box.y1 < box.y2)
        spice_display_paint_box(self, surface, &box);
    return true;
}

void spice_display_update_all(SpiceDisplay *self)
{
    if (self->newest_pending)
        spice_display_paint_until(self, self->newest_pending);
}
