/* The shape of a spectrum, band by band: unit vectors, each the sum of a prediction and pulses.
 * Vectors are interleaved: value 2 * coefficient + channel if there are two channels.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-energy.h"

typedef struct {
    float values[SPICE_CELT051_MAX_VALUES];
} SpiceCelt051Shape;

/** What the bands of one frame are made of. */
typedef struct {
    const SpiceCelt051Mode *mode;
    bool folds;
    int blocks;                   /* of this frame: 1 if it is a long one */
    SpiceCelt051Shape prediction; /* by pitch; is overwritten */
    SpiceCelt051Shape shape;      /* the result */
    SpiceCelt051Shape fold;       /* the result, scaled: what higher bands are predicted from */
} SpiceCelt051Bands;

/** Makes the prediction of a band ready to be added to. All lower bands must be finished. */
void spice_celt051_predict_band(SpiceCelt051Bands *bands, int band, int pulse_count);

/** Adds the pulses and undoes what spice_celt051_predict_band() did. */
void spice_celt051_finish_band(SpiceCelt051Bands *bands, int band, int pulse_count,
                               const int16_t *pulses);

/** Left and right to middle and side, as they stand in the pulses of a stereo band; and back. */
void spice_celt051_to_mid_side(float *values, int pairs);
void spice_celt051_from_mid_side(float *values, int pairs);

/** From coefficients, a channel after the other, to a shape and the amplitude of each band. */
void spice_celt051_normalise(const SpiceCelt051Mode *mode, const float *spectrum,
                             SpiceCelt051Energy *amplitude, SpiceCelt051Shape *shape);

/** And back, with the amplitudes that the levels of `energy` stand for. */
void spice_celt051_denormalise(const SpiceCelt051Mode *mode, const SpiceCelt051Shape *shape,
                               const SpiceCelt051Energy *energy, float *spectrum);
