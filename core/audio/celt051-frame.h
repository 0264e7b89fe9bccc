/* A packet taken apart: every value that is coded in it, and nothing of what they mean. Which
 * values there are depends on the packet alone, not on frames before it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "celt051-energy.h"

/** How a frame's samples are to be transformed and scaled. */
typedef struct {
    bool is_short; /* several short transforms instead of a long one */
    int shift;     /* the part from `time` on is 2^shift times as loud */
    int time;      /* samples from the start of the window */
} SpiceCelt051Transient;

typedef struct {
    bool has_pitch;
    bool folds; /* high bands are predicted from low ones */
    SpiceCelt051Transient transient;
    int gain;     /* entry of the table of pitch gains */
    int position; /* of the prediction in the history */
    SpiceCelt051EnergyCode energy;
    SpiceCelt051Shares shares;
    int pulse_count[SPICE_CELT051_MAX_BANDS];
    int16_t pulses[SPICE_CELT051_MAX_VALUES]; /* from channels * edge[band] on, channels in turn */
    bool is_sound;                            /* what fills the packet up is right */

    /* 1/16 bits used before each band's pulses, and at their end. */
    int32_t used[SPICE_CELT051_MAX_BANDS + 1];
} SpiceCelt051Frame;

/** Takes any packet of at most SPICE_CELT051_MAX_PACKET_SIZE bytes apart; every value is in its
 * range whatever the bytes are. */
void spice_celt051_read_frame(const SpiceCelt051Mode *mode, const uint8_t *packet, uint32_t size,
                              SpiceCelt051Frame *frame);
