/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "palette-cache.h"

#include <string.h>

void spice_palette_cache_clear(SpicePaletteCache *cache)
{
    for (unsigned i = 0; i < SPICE_PALETTE_CACHE_SIZE; i++)
        cache->slots[i].palette.unique = 0;
    cache->next = 0;
}

/** The slot that holds `unique`, or SPICE_PALETTE_CACHE_SIZE; 0 finds a free one. */
static unsigned find(const SpicePaletteCache *cache, uint64_t unique)
{
    unsigned slot = 0;

    while (slot < SPICE_PALETTE_CACHE_SIZE && cache->slots[slot].palette.unique != unique)
        slot++;
    return slot;
}

void spice_palette_cache_put(SpicePaletteCache *cache, const SpicePalette *palette)
{
    unsigned slot;

    if (palette->unique == 0 || palette->n_entries > 256)
        return;
    slot = find(cache, palette->unique);
    if (slot == SPICE_PALETTE_CACHE_SIZE)
        slot = find(cache, 0);
    if (slot == SPICE_PALETTE_CACHE_SIZE) {
        slot = cache->next;
        cache->next = (slot + 1) % SPICE_PALETTE_CACHE_SIZE;
    }
    cache->slots[slot].palette = (SpicePalette){
        .unique = palette->unique,
        .n_entries = palette->n_entries,
        .entries = cache->slots[slot].entries,
    };
    if (palette->n_entries)
        memcpy(cache->slots[slot].entries, palette->entries,
               palette->n_entries * sizeof(palette->entries[0]));
}

const SpicePalette *spice_palette_cache_get(const SpicePaletteCache *cache, uint64_t unique)
{
    const unsigned slot = unique ? find(cache, unique) : SPICE_PALETTE_CACHE_SIZE;

    return slot < SPICE_PALETTE_CACHE_SIZE ? &cache->slots[slot].palette : NULL;
}

void spice_palette_cache_remove(SpicePaletteCache *cache, uint64_t unique)
{
    const unsigned slot = unique ? find(cache, unique) : SPICE_PALETTE_CACHE_SIZE;

    if (slot < SPICE_PALETTE_CACHE_SIZE)
        cache->slots[slot].palette.unique = 0;
}
