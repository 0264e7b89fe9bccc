/* What of a sender moves with a migrating guest.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sender-state.h"

/* As many encoders as a dictionary of the field's servers serves. */
enum { GLZ_ENCODERS = 16 };

static bool save_surfaces(const SpiceSender *self, SpiceArena *arena,
                          SpiceMigrateDataDisplay *state, SpiceError *error)
{
    uint32_t n = 0;

    for (uint32_t id = 0; id < SPICE_MAX_SURFACES; id++)
        state->n_surfaces += self->surfaces[id] != NULL;
    state->surfaces = spice_arena_take(arena, state->n_surfaces, sizeof *state->surfaces);
    if (!state->surfaces)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "display.surfaces");
    for (uint32_t id = 0; id < SPICE_MAX_SURFACES; id++) {
        const pixman_box32_t *lossy;

        if (!self->surfaces[id])
            continue;
        lossy = pixman_region32_extents(&self->surfaces[id]->lossy);
        state->surfaces[n++] =
            (SpiceMigrateSurface){id, {lossy->y1, lossy->x1, lossy->y2, lossy->x2}};
    }
    return true;
}

bool spice_sender_save(const SpiceSender *self, SpiceArena *arena, SpiceMigrateDataDisplay *state,
                       SpiceError *error)
{
    *state = (SpiceMigrateDataDisplay){
        .message_serial = self->serial - 1,
        .low_bandwidth = spice_image_link_is_slow(self->bits_per_second),
        .glz_dict_max_encoders = GLZ_ENCODERS,
    };
    if (self->pixmaps) {
        state->pixmap_cache_id = self->pixmaps->id;
        state->pixmap_cache_size = (int64_t)spice_sent_pixmaps_max_pixels(self->pixmaps->ledger);
    }
    if (self->glz) {
        state->glz_dict_id = self->glz->id;
        state->glz_dict_size = (uint32_t)self->glz->window_pixels;
        if (self->glz->dictionary && spice_glz_dictionary_next_id(self->glz->dictionary) > 0)
            state->glz_dict_last_image_id = spice_glz_dictionary_next_id(self->glz->dictionary) - 1;
    }
    return save_surfaces(self, arena, state, error);
}
