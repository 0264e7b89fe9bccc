/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-pitch.h"

#include <math.h>

void spice_celt051_transform_past(const SpiceCelt051Mode *mode, const SpiceCelt051Past *past,
                                  int position, float *spectrum, SpiceCelt051MdctScratch *scratch)
{
    for (int c = 0; c < mode->channels; c++)
        spice_celt051_mdct_forward(&mode->long_mdct, past->history[c] + position,
                                   spectrum + c * mode->frame_size, 1, scratch);
}

void spice_celt051_apply_gains(const SpiceCelt051Mode *mode, int gain,
                               SpiceCelt051Shape *prediction)
{
    const int *edge = mode->pitch_edge, channels = mode->channels;

    for (int b = 0; b < SPICE_CELT051_PITCH_BANDS; b++) {
        float rest = 1 - (float)spice_celt051_pitch_gains[gain][b] / 256;
        float factor = sqrtf(1 - rest * rest);

        for (int j = channels * edge[b]; j < channels * edge[b + 1]; j++)
            prediction->values[j] *= factor;
    }
    for (int j = channels * edge[SPICE_CELT051_PITCH_BANDS]; j < channels * mode->frame_size; j++)
        prediction->values[j] = 0;
}
