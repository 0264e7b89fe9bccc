/* The codec's lapped transform by its defining sum, cosines from a table: what it is measured
 * against.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>

#include "core/audio/celt051-mdct.h"

/* cos(pi/n (t + z + 1/2 + n/2) (k + 1/2)) = cos(2 pi (2t + 2z + 1 + n) (2k + 1) / 8n) */
bool spice_celt051_mdct_init(SpiceCelt051Mdct *mdct, int size, int overlap, const float *window,
                             SpiceArena *arena)
{
    SpiceComplex *table = spice_arena_take(arena, (size_t)(8 * size), sizeof *table);

    *mdct =
        (SpiceCelt051Mdct){.size = size, .overlap = overlap, .rotation = table, .window = window};
    for (int i = 0; table && i < 8 * size; i++)
        table[i].re = (float)cos(2 * 3.14159265358979323846 * i / (8 * size));
    return table != NULL;
}

/* Cosines of one coefficient k at samples t = 0, 1, 2..., or the other way round: a walk round the
 * table by equal steps. */
typedef struct {
    const SpiceComplex *table;
    unsigned at, step, size;
} Walk;

static Walk walk_from(const SpiceCelt051Mdct *mdct, int t, int k, int along_t)
{
    const unsigned size = 8 * (unsigned)mdct->size;
    const unsigned time = (unsigned)(2 * t + 2 * mdct->size - mdct->overlap + 1);
    const unsigned frequency = (unsigned)(2 * k + 1);

    return (Walk){mdct->rotation, time * frequency % size, 2 * (along_t ? frequency : time) % size,
                  size};
}

static float next_cosine(Walk *walk)
{
    float value = walk->table[walk->at].re;

    walk->at += walk->step;
    if (walk->at >= walk->size)
        walk->at -= walk->size;
    return value;
}

static float window_at(const SpiceCelt051Mdct *mdct, int t)
{
    if (t < mdct->overlap)
        return mdct->window[t];
    return t < mdct->size ? 1 : mdct->window[mdct->size + mdct->overlap - 1 - t];
}

void spice_celt051_mdct_forward(const SpiceCelt051Mdct *mdct, const float *samples, float *spectrum,
                                int stride, SpiceCelt051MdctScratch *scratch)
{
    float windowed[2 * SPICE_CELT051_MAX_MDCT];

    for (int t = 0; t < mdct->size + mdct->overlap; t++)
        windowed[t] = window_at(mdct, t) * samples[t];
    for (int k = 0; k < mdct->size; k++) {
        Walk walk = walk_from(mdct, 0, k, 1);
        float sum = 0;

        for (int t = 0; t < mdct->size + mdct->overlap; t++)
            sum += windowed[t] * next_cosine(&walk);
        spectrum[k * stride] = 2.0f / (float)mdct->size * sum;
    }
}

void spice_celt051_mdct_inverse(const SpiceCelt051Mdct *mdct, const float *spectrum, int stride,
                                float *samples, SpiceCelt051MdctScratch *scratch)
{
    for (int t = 0; t < mdct->size + mdct->overlap; t++) {
        Walk walk = walk_from(mdct, t, 0, 0);
        float sum = 0;

        for (int k = 0; k < mdct->size; k++)
            sum += spectrum[k * stride] * next_cosine(&walk);
        sum *= window_at(mdct, t);
        samples[t] = t < mdct->overlap ? samples[t] + sum : sum;
    }
}
