/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sent-images.h"

#include "sender-state.h"

static const SpiceClientImagesLimits default_limits = {
    .pixmap_pixels = 64 << 20,
    .glz_pixels = 4 << 20,
};

SpiceClientImages *spice_client_images_create(const SpiceAllocator *allocator, SpiceCpuFlags cpu,
                                              uint64_t seed, const SpiceClientImagesLimits *limits)
{
    SpiceClientImages *self = allocator->alloc(allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    *self = (SpiceClientImages){.allocator = allocator, .cpu = cpu, .seed = seed};
    self->limits = limits ? *limits : default_limits;
    if (self->limits.pixmap_pixels == 0)
        self->limits.pixmap_pixels = default_limits.pixmap_pixels;
    if (self->limits.glz_pixels == 0)
        self->limits.glz_pixels = default_limits.glz_pixels;
    return self;
}

void spice_client_images_destroy(SpiceClientImages *self)
{
    if (!self)
        return;
    for (unsigned i = 0; i < SPICE_MAX_CLIENT_CACHES; i++) {
        spice_sent_pixmaps_destroy(self->pixmaps[i].ledger);
        if (self->glz[i].dictionary)
            spice_glz_dictionary_free(self->glz[i].dictionary);
    }
    if (self->lz)
        spice_lz_encoder_free(self->lz);
    if (self->quic)
        spice_quic_encoder_free(self->quic);
    if (self->lz4)
        spice_lz4_free(self->lz4);
    if (self->jpeg)
        spice_jpeg_free(self->jpeg);
    if (self->zlib)
        spice_glz_zlib_free(self->zlib);
    self->allocator->release(self->allocator->context, self);
}

SpiceClientPixmaps *spice_client_images_pixmaps(SpiceClientImages *self, uint8_t id,
                                                uint64_t pixels, SpiceError *error)
{
    SpiceClientPixmaps *free_one = NULL;

    for (unsigned i = 0; i < SPICE_MAX_CLIENT_CACHES; i++) {
        SpiceClientPixmaps *at = &self->pixmaps[i];

        if (at->ledger && at->id == id)
            return at;
        if (!at->ledger && !free_one)
            free_one = at;
    }
    if (!free_one) {
        spice_error_set(error, SPICE_ERROR_LIMIT, "init.pixmap_cache_id");
        return NULL;
    }
    if (pixels > self->limits.pixmap_pixels)
        pixels = self->limits.pixmap_pixels;
    free_one->ledger = spice_sent_pixmaps_create(self->allocator, pixels);
    if (!free_one->ledger) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "init.pixmap_cache_size");
        return NULL;
    }
    free_one->id = id;
    return free_one;
}

SpiceClientGlz *spice_client_images_glz(SpiceClientImages *self, uint8_t id, uint64_t pixels,
                                        SpiceError *error)
{
    for (unsigned i = 0; i < SPICE_MAX_CLIENT_CACHES; i++) {
        SpiceClientGlz *at = &self->glz[i];

        if (at->exists && at->id == id)
            return at;
        if (at->exists)
            continue;
        if (pixels > self->limits.glz_pixels)
            pixels = self->limits.glz_pixels;
        *at = (SpiceClientGlz){.exists = true, .id = id, .window_pixels = pixels};
        return at;
    }
    spice_error_set(error, SPICE_ERROR_LIMIT, "init.glz_dictionary_id");
    return NULL;
}
