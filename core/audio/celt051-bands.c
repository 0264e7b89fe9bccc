/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-bands.h"

#include <math.h>

/* 1 / sqrt(2) to the digits that the format has. */
#define HALF_POWER 0.70711f

void spice_celt051_to_mid_side(float *values, int pairs)
{
    for (int j = 0; j < pairs; j++) {
        float left = values[2 * j], right = values[2 * j + 1];

        values[2 * j] = HALF_POWER * (left + right);
        values[2 * j + 1] = HALF_POWER * (right - left);
    }
}

void spice_celt051_from_mid_side(float *values, int pairs)
{
    for (int j = 0; j < pairs; j++) {
        float middle = values[2 * j], side = values[2 * j + 1];

        values[2 * j] = HALF_POWER * (middle - side);
        values[2 * j + 1] = HALF_POWER * (middle + side);
    }
}

/* The prediction of a band by what stands at the start of the spectrum. That `start` and the limit
 * are in coefficients although `fold` has a value for each channel is how the format is: of a
 * stereo spectrum only the lower half is ever a source. */
static void fold_band(SpiceCelt051Bands *bands, int band, int pulse_count, float *prediction)
{
    const int width = spice_celt051_band_width(bands->mode, band);
    const int count = bands->mode->channels * width, edge = bands->mode->edge[band];
    const int start = edge % (bands->mode->channels * bands->blocks);
    const float *source = bands->fold.values + start;
    float power = 1e-15f, gain = 1.0f;

    if (start + count > edge) {
        for (int j = 0; j < count; j++)
            prediction[j] = 0;
        return;
    }
    for (int j = 0; j < count; j++)
        power += source[j] * source[j];
    if (pulse_count > 0)
        gain = (float)width / (float)(width + 6 * pulse_count);
    gain /= sqrtf(power);
    for (int j = 0; j < count; j++)
        prediction[j] = gain * source[j];
}

void spice_celt051_predict_band(SpiceCelt051Bands *bands, int band, int pulse_count)
{
    const SpiceCelt051Mode *mode = bands->mode;
    float *prediction = bands->prediction.values + mode->channels * mode->edge[band];
    const int pitch_end = mode->pitch_edge[SPICE_CELT051_PITCH_BANDS];

    if (pulse_count == 0 || (mode->edge[band] >= pitch_end && bands->folds))
        fold_band(bands, band, pulse_count, prediction);
    if (pulse_count > 0 && mode->channels == 2)
        spice_celt051_to_mid_side(prediction, spice_celt051_band_width(mode, band));
}

/* Adds as much of the pulses as makes a unit vector. */
static void add_pulses(const float *prediction, const int16_t *pulses, int count, float *out)
{
    float power = 0, both = 0, predicted = 0, gain, rest;

    for (int j = 0; j < count; j++) {
        float pulse = (float)pulses[j];

        power += pulse * pulse;
        both += pulse * prediction[j];
        predicted += prediction[j] * prediction[j];
    }
    rest = both * both + power - power * predicted;
    gain = (sqrtf(rest > 0 ? rest : 0) - both) / power;
    for (int j = 0; j < count; j++)
        out[j] = prediction[j] + gain * (float)pulses[j];
}

void spice_celt051_finish_band(SpiceCelt051Bands *bands, int band, int pulse_count,
                               const int16_t *pulses)
{
    const SpiceCelt051Mode *mode = bands->mode;
    const int width = spice_celt051_band_width(mode, band), count = mode->channels * width;
    const int first = mode->channels * mode->edge[band];
    const float *prediction = bands->prediction.values + first;
    float *shape = bands->shape.values + first, scale = sqrtf((float)count);

    if (pulse_count > 0) {
        add_pulses(prediction, pulses, count, shape);
        if (mode->channels == 2)
            spice_celt051_from_mid_side(shape, width);
    } else {
        for (int j = 0; j < count; j++)
            shape[j] = prediction[j];
    }
    for (int j = 0; j < count; j++)
        bands->fold.values[first + j] = scale * shape[j];
}

void spice_celt051_normalise(const SpiceCelt051Mode *mode, const float *spectrum,
                             SpiceCelt051Energy *amplitude, SpiceCelt051Shape *shape)
{
    const int channels = mode->channels;
    const float root = channels == 2 ? 1.41421356f : 1.0f;

    for (int c = 0; c < channels; c++)
        for (int i = 0; i < mode->bands; i++) {
            const float *from = spectrum + c * mode->frame_size;
            float power = 1e-10f, gain;

            for (int j = mode->edge[i]; j < mode->edge[i + 1]; j++)
                power += from[j] * from[j];
            amplitude->level[c][i] = sqrtf(power);
            gain = 1 / (1e-10f + amplitude->level[c][i] * root);
            for (int j = mode->edge[i]; j < mode->edge[i + 1]; j++)
                shape->values[channels * j + c] = gain * from[j];
        }
}

void spice_celt051_denormalise(const SpiceCelt051Mode *mode, const SpiceCelt051Shape *shape,
                               const SpiceCelt051Energy *energy, float *spectrum)
{
    const int channels = mode->channels;

    for (int c = 0; c < channels; c++) {
        float *to = spectrum + c * mode->frame_size;

        for (int i = 0; i < mode->bands; i++) {
            float gain = spice_celt051_amplitude(energy->level[c][i]);

            if (channels == 2) {
                float power = 1e-15f;

                for (int j = mode->edge[i]; j < mode->edge[i + 1]; j++)
                    power += shape->values[2 * j + c] * shape->values[2 * j + c];
                gain *= HALF_POWER * 1.414214f / sqrtf(power);
            }
            for (int j = mode->edge[i]; j < mode->edge[i + 1]; j++)
                to[j] = gain * shape->values[channels * j + c];
        }
        for (int j = mode->edge[mode->bands]; j < mode->frame_size; j++)
            to[j] = 0;
    }
}
