/* Prediction of a frame by the past, one period ago.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-synthesis.h"

/** Working memory of a search. */
typedef struct {
    SpiceComplex buffers[2][SPICE_CELT051_HISTORY / 2];
    SpiceComplex spectra[2][SPICE_CELT051_HISTORY / 2 + 1];
    float masking[SPICE_CELT051_HISTORY / 2];
    float samples[SPICE_CELT051_HISTORY];
} SpiceCelt051SearchScratch;

/** The coefficients of the past from `position` on, a channel after the other. */
void spice_celt051_transform_past(const SpiceCelt051Mode *mode, const SpiceCelt051Past *past,
                                  int position, float *spectrum, SpiceCelt051MdctScratch *scratch);

/** Multiplies the bands of a prediction by the gains of a table entry. */
void spice_celt051_apply_gains(const SpiceCelt051Mode *mode, int gain,
                               SpiceCelt051Shape *prediction);

/** Where in the past (0 to `last`, at most 1024 - span) it is most like the `span` samples at
 * window[0] (first channel) and window[1] (second, if there are two). */
int spice_celt051_search_past(const SpiceCelt051Mode *mode, const SpiceCelt051Past *past,
                              const float *const window[], int last,
                              SpiceCelt051SearchScratch *scratch);
