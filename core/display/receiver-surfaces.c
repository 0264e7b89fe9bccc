/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/canvas/surface.h"

#include "receiver-state.h"

static uint64_t bytes_of(const SpicePicture *surface)
{
    return surface ? (uint64_t)surface->pixels.stride * (uint64_t)surface->pixels.height : 0;
}

SpicePicture *spice_receiver_find_surface(const SpiceReceiver *self, uint32_t id)
{
    return id < SPICE_MAX_SURFACES ? self->surfaces[id] : NULL;
}

static void replace(SpiceReceiver *self, uint32_t id, SpicePicture *surface)
{
    self->surface_bytes += bytes_of(surface) - bytes_of(self->surfaces[id]);
    spice_picture_unref(self->surfaces[id]);
    self->surfaces[id] = surface;
}

static void damage_all(SpiceReceiver *self, uint32_t id, SpiceReceiverResult *result)
{
    const SpicePixels *pixels = &self->surfaces[id]->pixels;

    pixman_region32_fini(&self->damage);
    pixman_region32_init_rect(&self->damage, 0, 0, (unsigned)pixels->width,
                              (unsigned)pixels->height);
    result->changes |= SPICE_CHANGED_PIXELS;
    result->surface_id = id;
}

bool spice_receiver_create_surface(SpiceReceiver *self, const SpiceMsgDisplaySurfaceCreate *message,
                                   SpiceReceiverResult *result)
{
    const bool is_primary = message->flags & SPICE_SURFACE_FLAGS_PRIMARY;
    const uint32_t id = message->surface_id;
    SpicePicture *surface;
    uint64_t size;

    if (id >= SPICE_MAX_SURFACES || (is_primary && id != 0))
        return spice_error_set(&result->error, SPICE_ERROR_VALUE, "surface_create.surface_id");
    /* The primary created anew in the same size stays as it is, in its old format. */
    surface = self->surfaces[id];
    if (is_primary && self->has_primary && surface &&
        (uint32_t)surface->pixels.width == message->width &&
        (uint32_t)surface->pixels.height == message->height) {
        result->changes |= SPICE_CHANGED_PRIMARY;
        result->surface_id = id;
        return true;
    }
    size = spice_surface_size(message->format, message->width, message->height, &result->error);
    if (size == 0)
        return false;
    if (self->surface_bytes - bytes_of(self->surfaces[id]) + size >
        self->config.limits.surface_bytes)
        return spice_error_set(&result->error, SPICE_ERROR_LIMIT, "surface_create.width");
    surface = spice_surface_create(self->config.allocator, message->format, message->width,
                                   message->height, &result->error);
    if (!surface)
        return false;
    replace(self, id, surface);
    if (id == 0) {
        self->has_primary = is_primary;
        result->changes |= SPICE_CHANGED_PRIMARY;
    }
    damage_all(self, id, result);
    return true;
}

void spice_receiver_destroy_surface(SpiceReceiver *self, uint32_t id, SpiceReceiverResult *result)
{
    /* One that does not exist is no error. */
    if (!spice_receiver_find_surface(self, id))
        return;
    replace(self, id, NULL);
    if (id == 0 && self->has_primary) {
        result->changes |= SPICE_CHANGED_PRIMARY | (self->marked ? SPICE_CHANGED_MARK : 0);
        self->has_primary = self->marked = false;
    }
}

void spice_receiver_reset(SpiceReceiver *self, SpiceReceiverResult *result)
{
    spice_palette_cache_clear(&self->palettes);
    if (self->marked)
        result->changes |= SPICE_CHANGED_MARK;
    self->marked = false;
    if (self->has_primary) {
        const SpicePixels *pixels = &self->surfaces[0]->pixels;

        memset(pixels->data, 0, (size_t)pixels->stride * (size_t)pixels->height);
        damage_all(self, 0, result);
    }
}
