/* From a spectrum to samples, and the past samples that pitch prediction looks at. Decoder and
 * encoder each have one, which in a sound stream hold the same.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-bands.h"
#include "celt051-frame.h"

typedef struct {
    /* Samples before de-emphasis: the newest frame ends at SPICE_CELT051_HISTORY; behind it stands
     * the overlap that waits for the next frame. */
    float history[SPICE_CELT051_CHANNELS][SPICE_CELT051_HISTORY + SPICE_CELT051_MAX_OVERLAP];
    float emphasis[SPICE_CELT051_CHANNELS]; /* the last sample that went out */
} SpiceCelt051Past;

/** Working memory of one call. */
typedef struct {
    float samples[SPICE_CELT051_MAX_SPAN];
    SpiceCelt051MdctScratch mdct;
} SpiceCelt051SynthesisScratch;

/** Adds a frame to the past. The spectrum is one channel after the other. */
void spice_celt051_synthesise(const SpiceCelt051Mode *mode, const float *spectrum,
                              const SpiceCelt051Transient *transient, SpiceCelt051Past *past,
                              SpiceCelt051SynthesisScratch *scratch);

/** Takes the newest frame out as PCM. */
void spice_celt051_take_pcm(const SpiceCelt051Mode *mode, SpiceCelt051Past *past, int16_t *pcm);

/** Multiplies (or divides, if `inverse`) a window's samples by what a transient's shift means. */
void spice_celt051_scale_transient(const SpiceCelt051Mode *mode,
                                   const SpiceCelt051Transient *transient, bool inverse,
                                   float *samples);
