/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-allocation.h"

#include "celt051-pulses.h"

/* The two rows of the rate table between which the packet lies: the first of them. */
static int find_row(const SpiceCelt051Mode *mode, int total)
{
    int low = 0, high = SPICE_CELT051_RATE_ROWS - 1;

    while (high - low != 1) {
        int middle = (low + high) >> 1;
        int32_t sum = 0;

        for (int i = 0; i < mode->bands; i++)
            sum += mode->pulse_bits[middle][i];
        if (sum > total - mode->channels * mode->fine_sum[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* Shares at `sixteenths` of the way from a row to the next. Bits that are left then. */
static int32_t blend_rows(const SpiceCelt051Mode *mode, int row, int sixteenths,
                          SpiceCelt051Shares *shares)
{
    const int from = 16 - sixteenths, to = sixteenths;
    int32_t pulse_sum = 0;
    int fine_sum = 0;

    for (int i = 0; i < mode->bands; i++) {
        shares->fine_bits[i] =
            (from * mode->fine_bits[row][i] + to * mode->fine_bits[row + 1][i] + 8) >> 4;
        shares->pulses[i] = from * mode->pulse_bits[row][i] + to * mode->pulse_bits[row + 1][i];
        fine_sum += shares->fine_bits[i];
        pulse_sum += shares->pulses[i];
    }
    return 16 * (shares->total - mode->channels * fine_sum) - pulse_sum;
}

void spice_celt051_share_bits(const SpiceCelt051Mode *mode, uint32_t size, int32_t used,
                              SpiceCelt051Shares *shares)
{
    int low = 0, high = 16, row;
    int32_t left, each;

    shares->total = 8 * (int32_t)size - used - 1;
    shares->balance = 0;
    row = find_row(mode, shares->total);
    while (high - low != 1) {
        int middle = (low + high) >> 1;

        if (blend_rows(mode, row, middle, shares) < 0)
            high = middle;
        else
            low = middle;
    }
    left = blend_rows(mode, row, low, shares);
    each = left / mode->bands;
    left -= mode->bands * each;
    for (int i = 0; i < mode->bands; i++)
        shares->pulses[i] += each + (i < left);
}

int spice_celt051_count_pulses(const SpiceCelt051Mode *mode, SpiceCelt051Shares *shares, int band,
                               uint32_t size, int32_t used)
{
    const uint16_t *costs = mode->costs[band];
    int bands_left = mode->bands - band, low = 0, high = SPICE_CELT051_MAX_PULSES, pulses;
    int32_t room = 16 * 8 * (int32_t)size - used - 1, wanted;

    if (band > 0)
        shares->balance -= used;
    wanted = shares->pulses[band] + shares->balance / (bands_left < 3 ? bands_left : 3);
    shares->balance += shares->pulses[band] + used;
    for (int i = 0; i < 7; i++) {
        int middle = (low + high) >> 1;

        if (costs[middle] >= wanted)
            high = middle;
        else
            low = middle;
    }
    pulses = wanted - costs[low] <= costs[high] - wanted ? low : high;
    while (pulses > 0 && costs[pulses] > room)
        pulses--;
    return pulses;
}
