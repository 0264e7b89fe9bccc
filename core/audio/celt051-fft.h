/* Fast Fourier transform of complex floats, any length.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>

#include "core/wire/arena.h"

typedef struct {
    float re, im;
} SpiceComplex;

enum { SPICE_FFT_MAX_PASSES = 16 };

/** A plan: does not change once made; memory belongs to the arena. */
typedef struct {
    int size, passes;
    int radix[SPICE_FFT_MAX_PASSES];
    const SpiceComplex *twiddles; /* of all passes in turn */
    const SpiceComplex *roots;    /* of unity, for lengths with odd factors above 5; else NULL */
    int root_count;
} SpiceFft;

/** False if memory is refused. Size 1 to 4096. */
bool spice_fft_init(SpiceFft *fft, int size, SpiceArena *arena);

/** out[k] = sum of in[j] exp(-2 pi i j k / size). Both buffers are overwritten; they must not
 * overlap. The result lies in the one that is returned. */
SpiceComplex *spice_fft_run(const SpiceFft *fft, SpiceComplex *in, SpiceComplex *scratch);
