/* The search for the period: the past is correlated with the newest samples, each frequency counted
 * by how much it stands out of what its neighbours mask.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>

#include "celt051-pitch.h"

enum { SIZE = SPICE_CELT051_HISTORY, HALF = SIZE / 2 };

/* Real spectra are made by complex transforms of half the size, of even and odd samples as real and
 * imaginary parts. spectrum[k], k = 0 to HALF. */
static void to_spectrum(const SpiceCelt051Mode *mode, SpiceCelt051SearchScratch *scratch,
                        SpiceComplex *spectrum)
{
    SpiceComplex *values = scratch->buffers[0];

    for (int j = 0; j < HALF; j++)
        values[j] = (SpiceComplex){scratch->samples[2 * j], scratch->samples[2 * j + 1]};
    values = spice_fft_run(&mode->search_fft, values, scratch->buffers[1]);
    for (int k = 0; k <= HALF; k++) {
        SpiceComplex a = values[k % HALF], b = values[(HALF - k) % HALF];
        SpiceComplex root = mode->search_roots[k];
        float even_re = a.re + b.re, even_im = a.im - b.im;
        float odd_re = a.im + b.im, odd_im = b.re - a.re;

        spectrum[k].re = 0.5f * (even_re + odd_re * root.re - odd_im * root.im);
        spectrum[k].im = 0.5f * (even_im + odd_re * root.im + odd_im * root.re);
    }
}

/* The other way, with some constant factor, into scratch->samples. */
static void from_spectrum(const SpiceCelt051Mode *mode, const SpiceComplex *spectrum,
                          SpiceCelt051SearchScratch *scratch)
{
    SpiceComplex *values = scratch->buffers[0];

    /* The forward transform of the conjugate is the conjugate of the inverse. */
    for (int k = 0; k < HALF; k++) {
        SpiceComplex a = spectrum[k], b = spectrum[HALF - k], root = mode->search_roots[k];
        float odd_re = a.re - b.re, odd_im = a.im + b.im;
        float turned_re = odd_re * root.re + odd_im * root.im;
        float turned_im = odd_im * root.re - odd_re * root.im;

        values[k].re = a.re + b.re - turned_im;
        values[k].im = -(a.im - b.im + turned_re);
    }
    values = spice_fft_run(&mode->search_fft, values, scratch->buffers[1]);
    for (int j = 0; j < HALF; j++) {
        scratch->samples[2 * j] = values[j].re;
        scratch->samples[2 * j + 1] = -values[j].im;
    }
}

static void sum_channels(const SpiceCelt051Mode *mode, const float *const from[], int count,
                         float *to)
{
    for (int t = 0; t < count; t++)
        to[t] = mode->channels == 2 ? from[0][t] + from[1][t] : from[0][t];
}

static void load_window(const SpiceCelt051Mode *mode, const float *const window[], float *samples)
{
    const int overlap = mode->overlap, span = mode->span;

    sum_channels(mode, window, span, samples);
    for (int t = 0; t < overlap; t++) {
        samples[t] *= mode->window[t];
        samples[span - 1 - t] *= mode->window[t];
    }
    for (int t = span; t < SIZE; t++)
        samples[t] = 0;
}

/* Power that hides what lies beside it: falls off towards higher frequencies, and twice as fast
 * towards lower ones. */
static void mask(const SpiceCelt051Mode *mode, const SpiceComplex *spectrum, float *masking)
{
    const float *decay = mode->search_decay;

    for (int k = 0; k < HALF; k++)
        masking[k] = spectrum[k].re * spectrum[k].re + spectrum[k].im * spectrum[k].im;
    for (int k = 1; k < HALF; k++)
        masking[k] += decay[k] * (masking[k - 1] - masking[k]);
    for (int k = HALF - 2; k >= 0; k--)
        masking[k] += decay[k] * decay[k] * (masking[k + 1] - masking[k]);
}

int spice_celt051_search_past(const SpiceCelt051Mode *mode, const SpiceCelt051Past *past,
                              const float *const window[], int last,
                              SpiceCelt051SearchScratch *scratch)
{
    const float *const history[] = {past->history[0], past->history[1]};
    SpiceComplex *now = scratch->spectra[0], *before = scratch->spectra[1];
    int best = 0;

    load_window(mode, window, scratch->samples);
    to_spectrum(mode, scratch, now);
    sum_channels(mode, history, SIZE, scratch->samples);
    to_spectrum(mode, scratch, before);
    mask(mode, now, scratch->masking);
    for (int k = 1; k < HALF; k++) {
        float weight = 1 / sqrtf(1e-10f + scratch->masking[k]);
        SpiceComplex a = now[k], b = before[k];

        before[k].re = weight * (a.re * b.re + a.im * b.im);
        before[k].im = weight * (a.re * b.im - a.im * b.re);
    }
    before[0] = before[HALF] = (SpiceComplex){0, 0};
    from_spectrum(mode, before, scratch);
    for (int position = 1; position <= last; position++)
        if (scratch->samples[position] > scratch->samples[best])
            best = position;
    return best;
}
