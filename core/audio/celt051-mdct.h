/* The lapped transform of CELT 0.5.1: n coefficients from n + overlap samples, windowed with slopes
 * of `overlap` samples at both ends. Inverse after forward, overlapped and added, is the identity.
 *
 *     forward: F[k] = 2/n sum over t of v(t) x(t) cos(pi/n (t + (n-overlap)/2 + 1/2 + n/2) (k+1/2))
 *     inverse: y(t) = v(t) sum over k of F[k] cos(the same)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-fft.h"

enum { SPICE_CELT051_MAX_MDCT = 512 };

/** Does not change once made; memory belongs to the arena and to who made the window. */
typedef struct {
    int size, overlap;
    SpiceFft fft;                 /* of size / 2 */
    const SpiceComplex *rotation; /* size / 2 */
    const float *window;          /* the rising slope: `overlap` values */
} SpiceCelt051Mdct;

/** Working memory for one transform at a time. */
typedef struct {
    float folded[SPICE_CELT051_MAX_MDCT];
    SpiceComplex buffers[2][SPICE_CELT051_MAX_MDCT / 2];
} SpiceCelt051MdctScratch;

/** False if memory is refused. size is even, overlap even and at most size. */
bool spice_celt051_mdct_init(SpiceCelt051Mdct *mdct, int size, int overlap, const float *window,
                             SpiceArena *arena);

/** From size + overlap samples to coefficients that stand `stride` apart. */
void spice_celt051_mdct_forward(const SpiceCelt051Mdct *mdct, const float *samples, float *spectrum,
                                int stride, SpiceCelt051MdctScratch *scratch);

/** Adds to the first `overlap` samples and sets the next `size`. */
void spice_celt051_mdct_inverse(const SpiceCelt051Mdct *mdct, const float *spectrum, int stride,
                                float *samples, SpiceCelt051MdctScratch *scratch);
