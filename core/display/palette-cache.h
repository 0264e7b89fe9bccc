/* The palette cache of one display channel.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/draw.h"

/* Servers keep to 128 (SPICE protocol, "Palette cache"); one more makes us forget the oldest. */
enum { SPICE_PALETTE_CACHE_SIZE = 128 };

typedef struct {
    struct {
        SpicePalette palette; /* unique 0: free */
        uint32_t entries[256];
    } slots[SPICE_PALETTE_CACHE_SIZE];
    unsigned next; /* the slot to be given up next when all are taken */
} SpicePaletteCache;

/** Stores a copy under palette->unique, replacing what was there. Unique 0, which means "not to be
 * cached", and palettes of more than 256 entries are not stored. */
void spice_palette_cache_put(SpicePaletteCache *cache, const SpicePalette *palette);

/** The palette, which lives until the next call that changes the cache; NULL if it is not there. */
const SpicePalette *spice_palette_cache_get(const SpicePaletteCache *cache, uint64_t unique);

void spice_palette_cache_remove(SpicePaletteCache *cache, uint64_t unique);

/** Empties it; also the way to begin. */
void spice_palette_cache_clear(SpicePaletteCache *cache);
