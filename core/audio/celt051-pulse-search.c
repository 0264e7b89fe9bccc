/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "celt051-analysis.h"

/* All as if the distance were positive everywhere: signs are folded into the prediction. */
typedef struct {
    int count;
    const float *distance, *prediction; /* from the prediction to what is wanted */
    float *pulses;
    float both, power, predicted; /* pulses times distance, times themselves, times prediction */
    float rest;                   /* 1 - prediction squared */
} Search;

static void place(Search *search, int at, float pulses)
{
    search->both += pulses * search->distance[at];
    search->power += pulses * (2 * search->pulses[at] + pulses);
    search->predicted += pulses * search->prediction[at];
    search->pulses[at] += pulses;
}

/* In proportion to the distance, rounded down, so that `most` pulses or fewer are placed. How many
 * were. */
static int place_most(Search *search, int most)
{
    float sum = 0;
    int placed = 0;

    for (int j = 0; j < search->count; j++)
        sum += search->distance[j];
    if (sum < 1e-15f)
        return 0;
    for (int j = 0; j < search->count; j++) {
        int pulses = (int)((float)most * search->distance[j] / sum);

        if (pulses > most - placed) /* by rounding */
            pulses = most - placed;
        if (pulses > 0)
            place(search, j, (float)pulses);
        placed += pulses;
    }
    return placed;
}

/* Where more pulses bring the pulses' direction nearest to the distance's. */
static int find_direction(const Search *search, float pulses)
{
    float best_fit = -1, best_power = 1;
    int best = 0;

    for (int j = 0; j < search->count; j++) {
        float both = search->both + pulses * search->distance[j];
        float power = search->power + pulses * (2 * search->pulses[j] + pulses);
        float fit = both * both;

        if (fit * best_power > best_fit * power) {
            best_fit = fit;
            best_power = power;
            best = j;
        }
    }
    return best;
}

/* Where one more pulse leaves the least error, with the gain that makes a unit vector. */
static int find_nearest(const Search *search)
{
    float best_gain = -INFINITY;
    int best = 0;

    for (int j = 0; j < search->count; j++) {
        float both = search->both + search->distance[j];
        float power = search->power + 2 * search->pulses[j] + 1;
        float predicted = search->predicted + search->prediction[j];
        float square = predicted * predicted + power * search->rest;
        float gain = sqrtf(square > 0 ? square : 0) - predicted;
        float gained = gain * (2 * both - gain) / power;

        if (gained > best_gain) {
            best_gain = gained;
            best = j;
        }
    }
    return best;
}

void spice_celt051_search_pulses(const float *wanted, const float *prediction, int n, int k,
                                 int16_t *pulses, SpiceCelt051PulseScratch *scratch)
{
    Search search = {.count = n,
                     .distance = scratch->distance,
                     .prediction = scratch->prediction,
                     .pulses = scratch->pulses,
                     .rest = 1};
    int left = k;

    for (int j = 0; j < n; j++) {
        float distance = wanted[j] - prediction[j];

        scratch->distance[j] = fabsf(distance);
        scratch->prediction[j] = distance < 0 ? -prediction[j] : prediction[j];
        scratch->pulses[j] = 0;
        search.rest -= prediction[j] * prediction[j];
    }
    if (k > n / 2)
        left -= place_most(&search, k - 1);
    while (left > 1) {
        int group = left / n > 1 ? left / n : 1;

        place(&search, find_direction(&search, (float)group), (float)group);
        left -= group;
    }
    if (left == 1)
        place(&search, find_nearest(&search), 1);
    for (int j = 0; j < n; j++)
        pulses[j] = (int16_t)(wanted[j] < prediction[j] ? -scratch->pulses[j] : scratch->pulses[j]);
}
