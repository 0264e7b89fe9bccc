/* Pulse vectors: n integers whose magnitudes add up to k, written as one number among all such
 * vectors, or in halves where there are more than 32 bits of them.
 *
 * All of them are V(n,k) = U(n,k) + U(n,k+1), where U(n,0) = 0, U(1,k) = 1 and U(n,k) = U(n-1,k) +
 * U(n,k-1) + U(n-1,k-1).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-range.h"

enum {
    SPICE_CELT051_MAX_PULSES = 127,
    SPICE_CELT051_COSTS = SPICE_CELT051_MAX_PULSES + 1,
};

/** What k = 0 to 127 pulses in n components cost, in 1/16 bit, rounded up. `first_half` and
 * `second_half` are the costs for (n+1)/2 and n/2 components; they are not looked at (and may be
 * NULL) if spice_celt051_pulses_fit(n, 127). */
void spice_celt051_pulse_costs(int n, const uint16_t *first_half, const uint16_t *second_half,
                               uint16_t costs[SPICE_CELT051_COSTS]);

/** Whether vectors of n components and k pulses are coded as one 32-bit number. */
bool spice_celt051_pulses_fit(int n, int k);

/** n at least 1, k from 0 to 127. */
void spice_celt051_read_pulses(SpiceCelt051Reader *reader, int n, int k, int16_t *pulses);

/** The magnitudes of `pulses` must add up to k. */
void spice_celt051_write_pulses(SpiceCelt051Writer *writer, int n, int k, const int16_t *pulses);
