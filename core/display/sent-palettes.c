/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sent-palettes.h"

#include "sent-content.h"

void spice_sent_palettes_begin(SpiceSentPaletteChange *change, SpiceSentPalettes *ledger)
{
    *change = (SpiceSentPaletteChange){.ledger = ledger};
    ledger->change++;
}

/** Whether the message has to do with the palette already. */
static bool is_used(const SpiceSentPaletteChange *change, uint64_t unique)
{
    for (unsigned i = 0; i < change->n; i++)
        if (change->uses[i].palette.unique == unique)
            return true;
    return false;
}

static bool is_taken(const SpiceSentPaletteChange *change, unsigned slot)
{
    for (unsigned i = 0; i < change->n; i++)
        if (change->uses[i].slot == slot)
            return true;
    return false;
}

/** The slot of this palette, else the best one for it. */
static unsigned find_slot(const SpiceSentPaletteChange *change, uint64_t unique)
{
    const SpiceSentPalettes *self = change->ledger;
    unsigned best = SPICE_SENT_MAX_PALETTES;

    for (unsigned i = 0; i < SPICE_SENT_MAX_PALETTES; i++) {
        if (self->slots[i].unique == unique)
            return i;
        if (!is_taken(change, i) &&
            (best == SPICE_SENT_MAX_PALETTES || self->slots[i].used < self->slots[best].used))
            best = i;
    }
    return best;
}

SpicePaletteUse spice_sent_palettes_use(SpiceSentPaletteChange *change, const SpicePalette *palette)
{
    SpiceSentPalettes *self = change->ledger;
    const uint64_t unique = palette->unique;
    const SpiceSentPalette *there;
    uint64_t content;
    unsigned slot;

    /* In which order a client reads the images of one message is not said. */
    if (unique == 0 || is_used(change, unique) || change->n == SPICE_SENT_MAX_PALETTE_USES)
        return SPICE_PALETTE_IN_LINE;
    slot = find_slot(change, unique);
    if (is_taken(change, slot))
        return SPICE_PALETTE_IN_LINE;
    there = &self->slots[slot];
    content = spice_content_hash(palette->n_entries, (const uint8_t *)palette->entries,
                                 palette->n_entries * sizeof(palette->entries[0]));
    change->uses[change->n].slot = slot;
    change->uses[change->n].palette = (SpiceSentPalette){unique, content, self->change};
    change->uses[change->n].victim = there->unique != unique ? there->unique : 0;
    change->n++;
    return there->unique == unique && there->content == content ? SPICE_PALETTE_FROM_CACHE
                                                                : SPICE_PALETTE_CACHE_ME;
}

void spice_sent_palettes_commit(SpiceSentPaletteChange *change)
{
    for (unsigned i = 0; i < change->n; i++)
        change->ledger->slots[change->uses[i].slot] = change->uses[i].palette;
}
