/* The constants of CELT 0.5.1 that do not follow from anything else.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

enum {
    SPICE_CELT051_CRITICAL_BANDS = 25,
    SPICE_CELT051_PITCH_BANDS = 8,
    SPICE_CELT051_RATE_ROWS = 12,
    SPICE_CELT051_GAIN_ENTRIES = 128,
    SPICE_CELT051_ENERGY_MEANS = 5,
    SPICE_CELT051_ATTACK = 16,
};

/** Hz. */
extern const uint16_t spice_celt051_critical_edges[SPICE_CELT051_CRITICAL_BANDS + 1];
extern const uint16_t spice_celt051_pitch_edges[SPICE_CELT051_PITCH_BANDS + 1];

/** Bits that each critical band gets at each of twelve rates, per 256 samples. */
extern const uint8_t spice_celt051_critical_bits[SPICE_CELT051_RATE_ROWS]
                                                [SPICE_CELT051_CRITICAL_BANDS];

/** Gain codes x, in 1/256, of the pitch bands: the gain is sqrt(1 - (1 - x)^2). */
extern const uint8_t spice_celt051_pitch_gains[SPICE_CELT051_GAIN_ENTRIES]
                                              [SPICE_CELT051_PITCH_BANDS];

/** The usual level of the first bands, dB; 0 for the others. */
extern const float spice_celt051_energy_means[SPICE_CELT051_ENERGY_MEANS];

/** How the level of a transient frame rises at its onset, from 0 to 1. */
extern const float spice_celt051_attack[SPICE_CELT051_ATTACK];
