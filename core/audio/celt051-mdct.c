/* A lapped transform is a folding of the windowed samples to half as many, then a cosine transform
 * of type IV, which is a complex Fourier transform of half the length between two rotations. The
 * inverse is the same transform, then the folding mirrored.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "celt051-mdct.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

bool spice_celt051_mdct_init(SpiceCelt051Mdct *mdct, int size, int overlap, const float *window,
                             SpiceArena *arena)
{
    SpiceComplex *rotation = spice_arena_take(arena, (size_t)(size / 2), sizeof *rotation);

    *mdct = (SpiceCelt051Mdct){
        .size = size, .overlap = overlap, .rotation = rotation, .window = window};
    if (!rotation)
        return false;
    for (int j = 0; j < size / 2; j++) {
        double angle = -PI * (8 * j + 1) / (8.0 * size);

        rotation[j] = (SpiceComplex){(float)cos(angle), (float)sin(angle)};
    }
    return spice_fft_init(&mdct->fft, size / 2, arena);
}

static inline SpiceComplex rotate(float re, float im, SpiceComplex by)
{
    return (SpiceComplex){re * by.re - im * by.im, re * by.im + im * by.re};
}

/* out[k * out_stride] = scale * sum over j of in[j * in_stride] cos(pi/n (j+1/2) (k+1/2)) */
static void cosine_transform(const SpiceCelt051Mdct *mdct, const float *in, int in_stride,
                             float *out, int out_stride, float scale,
                             SpiceCelt051MdctScratch *scratch)
{
    const int n = mdct->size;
    SpiceComplex *values = scratch->buffers[0];

    for (int j = 0; j < n / 2; j++)
        values[j] =
            rotate(in[2 * j * in_stride], in[(n - 1 - 2 * j) * in_stride], mdct->rotation[j]);
    values = spice_fft_run(&mdct->fft, values, scratch->buffers[1]);
    for (int k = 0; k < n / 2; k++) {
        SpiceComplex value = rotate(values[k].re, values[k].im, mdct->rotation[k]);

        out[2 * k * out_stride] = scale * value.re;
        out[(n - 1 - 2 * k) * out_stride] = -scale * value.im;
    }
}

void spice_celt051_mdct_forward(const SpiceCelt051Mdct *mdct, const float *samples, float *spectrum,
                                int stride, SpiceCelt051MdctScratch *scratch)
{
    const int n = mdct->size, overlap = mdct->overlap, half = overlap / 2, flat = (n - overlap) / 2;
    const float *window = mdct->window, *fall = samples + n + half;
    float *first = scratch->folded, *second = scratch->folded + n / 2;

    for (int j = 0; j < half; j++)
        first[j] = -window[half + j] * fall[-1 - j] - window[half - 1 - j] * fall[j];
    for (int j = half; j < n / 2; j++)
        first[j] = -fall[-1 - j];
    for (int j = 0; j < flat; j++)
        second[j] = -samples[n - 1 - flat - j];
    for (int j = 0; j < half; j++)
        second[flat + j] =
            window[j] * samples[j] - window[overlap - 1 - j] * samples[overlap - 1 - j];
    cosine_transform(mdct, scratch->folded, 1, spectrum, stride, 2.0f / (float)n, scratch);
}

void spice_celt051_mdct_inverse(const SpiceCelt051Mdct *mdct, const float *spectrum, int stride,
                                float *samples, SpiceCelt051MdctScratch *scratch)
{
    const int n = mdct->size, overlap = mdct->overlap, half = overlap / 2, flat = (n - overlap) / 2;
    const float *window = mdct->window;
    const float *first = scratch->folded, *second = scratch->folded + n / 2;
    float *fall = samples + n + half;

    cosine_transform(mdct, spectrum, stride, scratch->folded, 1, 1.0f, scratch);
    for (int j = 0; j < half; j++) {
        samples[j] += window[j] * second[flat + j];
        samples[overlap - 1 - j] -= window[overlap - 1 - j] * second[flat + j];
    }
    for (int j = 0; j < flat; j++)
        samples[n - 1 - flat - j] = -second[j];
    for (int j = half; j < n / 2; j++)
        fall[-1 - j] = -first[j];
    for (int j = 0; j < half; j++) {
        fall[-1 - j] = -window[half + j] * first[j];
        fall[j] = -window[half - 1 - j] * first[j];
    }
}
