/* What follows from rate, channels and frame size, for the parts of the codec. All of it is derived
 * by integer rules that encoder and decoder share, but for windows and the like.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-mdct.h"
#include "celt051-tables.h"
#include "celt051.h"

enum {
    SPICE_CELT051_MAX_BANDS = 28,
    SPICE_CELT051_MAX_BLOCKS = 5,
    SPICE_CELT051_MAX_OVERLAP = 256,
    SPICE_CELT051_MAX_SPAN = SPICE_CELT051_MAX_FRAME_SIZE + SPICE_CELT051_MAX_OVERLAP,
    SPICE_CELT051_HISTORY = 1024, /* samples that pitch prediction looks back */
    SPICE_CELT051_MAX_VALUES = SPICE_CELT051_CHANNELS * SPICE_CELT051_MAX_FRAME_SIZE,
};

struct SpiceCelt051Mode {
    SpiceArena arena; /* holds this struct's tables, not itself */
    uint32_t rate;
    int channels;
    int frame_size; /* samples a channel: as many coefficients */
    int blocks;     /* short transforms of a transient frame */
    int block_size; /* frame_size / blocks */
    int overlap;    /* of neighbouring windows */
    int span;       /* samples that a frame's window covers: frame_size + overlap */

    int bands;
    int edge[SPICE_CELT051_MAX_BANDS + 2]; /* first coefficient of each band; [bands]: of none */
    int pitch_edge[SPICE_CELT051_PITCH_BANDS + 1]; /* no pitch prediction from the last on */

    /* For each of twelve rates: bits for the pulses of a band (all channels), and for its fine
     * energy (each channel) with their sum. */
    int32_t pulse_bits[SPICE_CELT051_RATE_ROWS][SPICE_CELT051_MAX_BANDS];
    uint8_t fine_bits[SPICE_CELT051_RATE_ROWS][SPICE_CELT051_MAX_BANDS];
    int fine_sum[SPICE_CELT051_RATE_ROWS];
    const uint16_t *costs[SPICE_CELT051_MAX_BANDS]; /* of pulses, 128 each */

    float window[SPICE_CELT051_MAX_OVERLAP]; /* the rising slope */
    SpiceCelt051Mdct long_mdct, short_mdct;

    SpiceFft search_fft;                           /* of SPICE_CELT051_HISTORY / 2 */
    const SpiceComplex *search_roots;              /* exp(-2 pi i k / 1024), k to 512 */
    float search_decay[SPICE_CELT051_HISTORY / 2]; /* of masking from one bin to the next */
};

/** Coefficients in a band. */
static inline int spice_celt051_band_width(const SpiceCelt051Mode *mode, int band)
{
    return mode->edge[band + 1] - mode->edge[band];
}
