/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-analysis.h"

#include <math.h>

/* An onset is where the sound has less than this of its later peak for the last time. */
#define QUIET 0.2f

/* How far from the window's ends it may be: it is compared with what was LEAD samples earlier. */
enum { MARGIN = 8, EARLIEST = 32, LEAD = 16 };

void spice_celt051_find_transient(const SpiceCelt051Mode *mode, const float *const window[],
                                  SpiceCelt051Transient *transient)
{
    const int span = mode->span;
    float peak[SPICE_CELT051_MAX_SPAN], highest = 0, ratio;
    int onset;

    *transient = (SpiceCelt051Transient){0};
    if (mode->blocks == 1)
        return;
    for (int t = 0; t < span; t++) {
        for (int c = 0; c < mode->channels; c++)
            highest = fabsf(window[c][t]) > highest ? fabsf(window[c][t]) : highest;
        peak[t] = highest;
    }
    for (onset = span - 1 - MARGIN; onset >= EARLIEST; onset--)
        if (peak[onset] < QUIET * highest)
            break;
    if (onset < EARLIEST)
        return;
    ratio = highest / (1 + peak[onset - LEAD]);
    ratio = ratio < 1000 ? ratio * ratio : 1000.0f * 1000.0f;
    if (ratio <= 20)
        return;
    transient->is_short = true;
    transient->shift = ratio < 50 ? 0 : ratio < 256 ? 1 : ratio < 4096 ? 2 : 3;
    transient->time = transient->shift > 0 ? onset : 0;
}

/* 1 - sqrt(1 - g^2) for the gain g of each pitch band: the scale of the table. */
static void measure_gains(const SpiceCelt051Mode *mode, const float *shape, const float *prediction,
                          float gains[SPICE_CELT051_PITCH_BANDS])
{
    const int *edge = mode->pitch_edge, channels = mode->channels;

    for (int b = 0; b < SPICE_CELT051_PITCH_BANDS; b++) {
        float both = 0, power = 0, gain;

        for (int j = channels * edge[b]; j < channels * edge[b + 1]; j++) {
            both += shape[j] * prediction[j];
            power += shape[j] * shape[j];
        }
        both = both < 0 ? 0 : both > power ? power : both;
        gain = 0.9f * both / (power + 1e-15f);
        gains[b] = 1 - sqrtf(1 - gain * gain);
    }
}

int spice_celt051_choose_gain(const SpiceCelt051Mode *mode, const SpiceCelt051Shape *shape,
                              const SpiceCelt051Shape *prediction)
{
    float gains[SPICE_CELT051_PITCH_BANDS], sum = 0, least = INFINITY;
    int best = 0;

    measure_gains(mode, shape->values, prediction->values, gains);
    for (int b = 0; b < SPICE_CELT051_PITCH_BANDS; b++)
        sum += gains[b];
    if (sum <= 0.3f)
        return 0;
    for (int entry = 0; entry < SPICE_CELT051_GAIN_ENTRIES; entry++) {
        float distance = 0;

        for (int b = 0; b < SPICE_CELT051_PITCH_BANDS; b++) {
            float d = gains[b] - (float)spice_celt051_pitch_gains[entry][b] / 256;

            distance += d * d;
        }
        if (distance < least) {
            least = distance;
            best = entry;
        }
    }
    return best;
}
