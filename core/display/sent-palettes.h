/* What is in a client's palette cache: the ledger that the server keeps of it, one for each display
 * channel (SPICE protocol, "Palette cache").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>

#include "core/wire/draw.h"

enum { SPICE_SENT_MAX_PALETTES = 128, SPICE_SENT_MAX_PALETTE_USES = 8 };

typedef struct {
    uint64_t unique;  /* 0: free */
    uint64_t content; /* hash of the entries: a guest may use an id again for others */
    uint64_t used;    /* the change in which it was last */
} SpiceSentPalette;

/** Zero-initialise: nothing is cached. */
typedef struct {
    uint64_t change;
    SpiceSentPalette slots[SPICE_SENT_MAX_PALETTES];
} SpiceSentPalettes;

/** What one message changes: put together first, then made true. */
typedef struct {
    SpiceSentPalettes *ledger;
    unsigned n;
    struct {
        unsigned slot;
        SpiceSentPalette palette;
        uint64_t victim; /* unique of the palette to be invalidated before; 0: none */
    } uses[SPICE_SENT_MAX_PALETTE_USES];
} SpiceSentPaletteChange;

typedef enum {
    SPICE_PALETTE_IN_LINE,    /* sent along, not cached */
    SPICE_PALETTE_CACHE_ME,   /* sent along and cached */
    SPICE_PALETTE_FROM_CACHE, /* named */
} SpicePaletteUse;

void spice_sent_palettes_begin(SpiceSentPaletteChange *change, SpiceSentPalettes *ledger);

/** How the message gives a palette to the client. */
SpicePaletteUse spice_sent_palettes_use(SpiceSentPaletteChange *change,
                                        const SpicePalette *palette);

void spice_sent_palettes_commit(SpiceSentPaletteChange *change);
