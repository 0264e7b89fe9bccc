/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-synthesis.h"

#include <math.h>
#include <string.h>

#define DE_EMPHASIS 0.8f

void spice_celt051_scale_transient(const SpiceCelt051Mode *mode,
                                   const SpiceCelt051Transient *transient, bool inverse,
                                   float *samples)
{
    const float full = (float)(1 << transient->shift);
    const int start = transient->time - SPICE_CELT051_ATTACK;

    if (transient->shift == 0)
        return;
    for (int j = 0; j < SPICE_CELT051_ATTACK; j++) {
        float factor = 1 + spice_celt051_attack[j] * (full - 1);

        if (start + j >= 0)
            samples[start + j] *= inverse ? 1 / factor : factor;
    }
    for (int t = transient->time; t < mode->span; t++)
        samples[t] *= inverse ? 1 / full : full;
}

static void add_short_blocks(const SpiceCelt051Mode *mode, const float *spectrum,
                             const SpiceCelt051Transient *transient, float *out,
                             SpiceCelt051SynthesisScratch *scratch)
{
    float *samples = scratch->samples;

    memset(samples, 0, (size_t)mode->overlap * sizeof *samples);
    for (int b = 0; b < mode->blocks; b++)
        spice_celt051_mdct_inverse(&mode->short_mdct, spectrum + b, mode->blocks,
                                   samples + b * mode->block_size, &scratch->mdct);
    spice_celt051_scale_transient(mode, transient, false, samples);
    for (int j = 0; j < mode->overlap; j++)
        out[j] += samples[j];
    memcpy(out + mode->overlap, samples + mode->overlap,
           (size_t)mode->frame_size * sizeof *samples);
}

void spice_celt051_synthesise(const SpiceCelt051Mode *mode, const float *spectrum,
                              const SpiceCelt051Transient *transient, SpiceCelt051Past *past,
                              SpiceCelt051SynthesisScratch *scratch)
{
    const int n = mode->frame_size;
    const int kept = SPICE_CELT051_HISTORY + mode->overlap - n;

    for (int c = 0; c < mode->channels; c++) {
        float *history = past->history[c], *out = history + SPICE_CELT051_HISTORY - n;

        memmove(history, history + n, (size_t)kept * sizeof *history);
        if (transient->is_short)
            add_short_blocks(mode, spectrum + c * n, transient, out, scratch);
        else
            spice_celt051_mdct_inverse(&mode->long_mdct, spectrum + c * n, 1, out, &scratch->mdct);
    }
}

/* To the nearest integer (of two the even one), within 16 bits. */
static int16_t to_sample(float value)
{
    const float shifter = 12582912.0f; /* 1.5 * 2^23: its last bit is worth 1 */
    uint32_t bits;

    if (!(value > -32768.0f))
        return value < 0 ? -32768 : 0; /* NaN: 0 */
    if (value > 32767.0f)
        return 32767;
    value += shifter;
    memcpy(&bits, &value, sizeof bits);
    return (int16_t)(bits & 0xffff);
}

void spice_celt051_take_pcm(const SpiceCelt051Mode *mode, SpiceCelt051Past *past, int16_t *pcm)
{
    const int n = mode->frame_size, channels = mode->channels;

    for (int c = 0; c < channels; c++) {
        const float *frame = past->history[c] + SPICE_CELT051_HISTORY - n;
        float last = past->emphasis[c];

        for (int j = 0; j < n; j++) {
            last = frame[j] + DE_EMPHASIS * last;
            pcm[channels * j + c] = to_sample(last);
        }
        /* Silence would decay through ever slower denormal numbers. */
        past->emphasis[c] = fabsf(last) < 1e-10f ? 0 : last;
    }
}
