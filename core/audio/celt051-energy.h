/* The level of each band, in dB: predicted from the frame before and the band below, the rest in
 * steps of 6 dB, then in fine steps.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-allocation.h"
#include "celt051-range.h"

/** Levels of the bands of each channel, dB: what the next frame is predicted from. Zero at first.
 */
typedef struct {
    float level[SPICE_CELT051_CHANNELS][SPICE_CELT051_MAX_BANDS];
} SpiceCelt051Energy;

/** What is coded of them. */
typedef struct {
    int coarse[SPICE_CELT051_CHANNELS][SPICE_CELT051_MAX_BANDS]; /* steps of 6 dB */
    uint32_t fine[SPICE_CELT051_CHANNELS][SPICE_CELT051_MAX_BANDS];
} SpiceCelt051EnergyCode;

void spice_celt051_read_coarse(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                               SpiceCelt051EnergyCode *code);
void spice_celt051_read_fine(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                             const SpiceCelt051Shares *shares, SpiceCelt051EnergyCode *code);

/** Moves the levels on to what was read. They stay within -15 and 133 dB whatever that is. */
void spice_celt051_apply_coarse(const SpiceCelt051Mode *mode, const SpiceCelt051EnergyCode *code,
                                SpiceCelt051Energy *energy);
void spice_celt051_apply_fine(const SpiceCelt051Mode *mode, const SpiceCelt051EnergyCode *code,
                              const SpiceCelt051Shares *shares, SpiceCelt051Energy *energy);

/** Codes `wanted` levels: writes the steps, moves the levels on as the decoder will and leaves in
 * `error` what is left, in steps. */
void spice_celt051_write_coarse(const SpiceCelt051Mode *mode, SpiceCelt051Writer *writer,
                                const SpiceCelt051Energy *wanted, SpiceCelt051Energy *energy,
                                SpiceCelt051Energy *error);
void spice_celt051_write_fine(const SpiceCelt051Mode *mode, SpiceCelt051Writer *writer,
                              const SpiceCelt051Shares *shares, const SpiceCelt051Energy *error,
                              SpiceCelt051Energy *energy);

/** The amplitude that a level stands for. */
float spice_celt051_amplitude(float level);
/** The level of an amplitude. */
float spice_celt051_level(float amplitude);
