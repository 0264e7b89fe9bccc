/* A server's multimedia time on the local clock.
 *
 * Sound and pictures bear the time at which they were made, in milliseconds of the server's clock,
 * 32 bits that wrap. They arrive later than that, by the way's delay, which is not known, and by its
 * jitter. What has been the least for some seconds counts as the delay: a unit of that time comes no
 * earlier. How much later units come is told by a percentile, for sound and pictures apart, so that
 * whoever plays them knows how long he has to wait for most of them.
 *
 * Two clocks drift apart: the least delay is followed slowly. A server's clock may jump, when a guest
 * moves to another host: three units that agree on that begin a new epoch, in which time goes on.
 *
 * All times are in microseconds: `stream` times of the server's clock, unwrapped, and local ones of any
 * clock that goes evenly. Pure functions; one thread at a time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum { SPICE_MEDIA_AUDIO = 0, SPICE_MEDIA_VIDEO = 1, SPICE_MEDIA_N_KINDS } SpiceMediaKind;

enum {
    SPICE_MEDIA_CLOCK_SAMPLES = 1024, /* of each kind, that the percentile is of: 10 s of sound */
    SPICE_MEDIA_CLOCK_WINDOWS = 4,
};

/** Stream times are the stamps and this, so that none is negative that is a little before the first. */
#define SPICE_MEDIA_CLOCK_EPOCH_MS ((int64_t)1 << 32)

/** Zero-initialised, nothing has come yet. */
typedef struct {
    bool begun;
    uint32_t last_mm;
    int64_t last_stream_ms, last_arrival_us;
    /* times that disagree with the clock so far, in a row */
    uint32_t odd_mm;
    unsigned odd;

    int64_t base_us;       /* local time less stream time of what comes without any delay */
    int64_t first_us;      /* when the first unit came */
    int64_t window_end_us; /* of the window that is filled now */
    int64_t window_least_us;
    int64_t least_us[SPICE_MEDIA_CLOCK_WINDOWS]; /* of the windows before it, newest first */
    unsigned n_windows;
    int64_t slewed_us; /* up to when base_us has been moved */

    int32_t late_us[SPICE_MEDIA_N_KINDS][SPICE_MEDIA_CLOCK_SAMPLES];
    unsigned n_late[SPICE_MEDIA_N_KINDS], next_late[SPICE_MEDIA_N_KINDS];
    int64_t jitter_us[SPICE_MEDIA_N_KINDS];
} SpiceMediaClock;

/** A unit came at `arrival_us`, which never goes back, stamped `mm`, which is `length_us` after its
 * beginning: a packet of sound is stamped at its end, a picture at its beginning (0). The stream time
 * of its beginning. *jump, which may be NULL: the clock has begun, or a new epoch. */
int64_t spice_media_clock_take(SpiceMediaClock *clock, SpiceMediaKind kind, uint32_t mm,
                               int64_t length_us, int64_t arrival_us, bool *jump);

/** The local time at which a unit of a stream time comes if nothing delays it. */
int64_t spice_media_clock_earliest(const SpiceMediaClock *clock, int64_t stream_us);

/** How much later than that most units of a kind come at most, 995 of 1000 packets of sound and 980 pictures;
 * of the last seconds. 0: none came. */
int64_t spice_media_clock_get_jitter(const SpiceMediaClock *clock, SpiceMediaKind kind);
