/* How the bits of a packet are shared among the bands. Integers only: encoder and decoder reach the
 * same numbers from the same bits used so far.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-mode.h"

typedef struct {
    int total; /* bits left when shares were made; below 0 in a packet that is too short */
    int fine_bits[SPICE_CELT051_MAX_BANDS];  /* of fine energy, each channel */
    int32_t pulses[SPICE_CELT051_MAX_BANDS]; /* for the pulses of a band, 1/16 bit; may be < 0 */
    int32_t balance; /* what earlier bands left over or took too much, 1/16 bit */
} SpiceCelt051Shares;

/** Shares what is left of a packet of `size` bytes after `used` bits. */
void spice_celt051_share_bits(const SpiceCelt051Mode *mode, uint32_t size, int32_t used,
                              SpiceCelt051Shares *shares);

/** How many pulses a band gets. To be asked for each band in turn, when `used` 1/16 bits of the
 * packet's `size` bytes have been used. From 0 to SPICE_CELT051_MAX_PULSES. */
int spice_celt051_count_pulses(const SpiceCelt051Mode *mode, SpiceCelt051Shares *shares, int band,
                               uint32_t size, int32_t used);
