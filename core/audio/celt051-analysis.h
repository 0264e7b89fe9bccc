/* What an encoder is free to choose. Any choice makes a lawful packet; these make a good one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-frame.h"
#include "celt051-bands.h"

/** Looks for an onset in the `span` samples of each channel: sound that is much louder than what
 * was before it, which a long transform would smear out. If there is none, `transient` is cleared.
 */
void spice_celt051_find_transient(const SpiceCelt051Mode *mode, const float *const window[],
                                  SpiceCelt051Transient *transient);

/** The entry of the table of pitch gains that brings the prediction (of gain 1) nearest to the
 * shape; 0 if pitch prediction is not worth its bits. */
int spice_celt051_choose_gain(const SpiceCelt051Mode *mode, const SpiceCelt051Shape *shape,
                              const SpiceCelt051Shape *prediction);

enum { SPICE_CELT051_MAX_VECTOR = SPICE_CELT051_MAX_VALUES };

/** Working memory of one search. */
typedef struct {
    float distance[SPICE_CELT051_MAX_VECTOR], prediction[SPICE_CELT051_MAX_VECTOR];
    float pulses[SPICE_CELT051_MAX_VECTOR];
} SpiceCelt051PulseScratch;

/** The k (at least 1) pulses in n components that, added to the prediction as
 * spice_celt051_finish_band() does, come near to the wanted unit vector. */
void spice_celt051_search_pulses(const float *wanted, const float *prediction, int n, int k,
                                 int16_t *pulses, SpiceCelt051PulseScratch *scratch);
