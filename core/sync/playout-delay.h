/* How long media wait before they are played, and how that changes.
 *
 * The longer they wait, the fewer come too late; the shorter, the sooner a click is answered. It grows as
 * soon as it has to, and shrinks only if it has been too long for a while, both so slowly that it is
 * neither heard nor seen.
 *
 * Microseconds of any clock. Pure functions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** What is known of both branches. */
typedef struct {
    bool audio_plays;
    int64_t audio_jitter_us, video_jitter_us;
    int64_t audio_latency_us; /* of what plays it, from its being handed over */
    int64_t video_latency_us; /* of decoding it, mostly */
} SpicePlayoutFacts;

/** What the delay should be: pictures alone are shown as soon as most are there, 0 to 200 ms; with
 * sound both wait for the slower one, 40 to 500 ms. */
int64_t spice_playout_delay_wanted(const SpicePlayoutFacts *facts);

/** How long decoding takes, from what it took so far, of which most took no longer, and what it took now:
 * that falls slowly, and rises within a few pictures. */
int64_t spice_decoding_time_follow(int64_t estimate_us, int64_t took_us);

/** Zero-initialised, nothing plays yet. */
typedef struct {
    bool begun;
    int64_t delay_us, moved_us;
    int64_t slack_since_us; /* since when it has been too long; 0: it is not */
} SpicePlayoutDelay;

enum {
    SPICE_PLAYOUT_GROW_PPM = 20000,
    SPICE_PLAYOUT_SHRINK_PPM = 5000,
};

/** The delay of sound now, moved towards what is wanted. The first call begins with it. */
int64_t spice_playout_delay_move(SpicePlayoutDelay *delay, int64_t wanted_us, int64_t now_us);

/** Sound came too late by so much: the delay is longer by that at once, unless it is more than is wanted by now, as
 * one stall is no reason to have all wait. By how much it then is longer. */
int64_t spice_playout_delay_extend(SpicePlayoutDelay *delay, int64_t late_us, int64_t wanted_us);

enum {
    SPICE_PLAYOUT_FOLLOW_UP_PPM = 250000,
    SPICE_PLAYOUT_FOLLOW_DOWN_PPM = 50000,
};

/** The delay of pictures now, which follow sound, or what is wanted without it: they may be stretched
 * more. The first call begins with it. */
int64_t spice_playout_delay_follow(SpicePlayoutDelay *delay, int64_t target_us, int64_t now_us);
