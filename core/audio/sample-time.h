/* When samples were, from when they were heard of: sound comes in bursts, but its samples are evenly
 * spaced.
 *
 * Times are microseconds of any clock, signed 64 bit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is further than this from where it was expected begins anew. */
enum { SPICE_SAMPLE_TIME_MAX_ERROR_US = 100000 };

/** Zero-initialised, nothing has been heard yet. */
typedef struct {
    bool begun;
    uint32_t rate;
    int64_t end_us;    /* of the last sample, as it is said */
    uint32_t fraction; /* of a microsecond, in samples per second */
} SpiceSampleTime;

/** `n_samples` of `rate` Hz (above 0) came, the last of them at `heard_us`, about. The time of the
 * last: evenly spaced from the last call's, drawn slowly towards what was heard, never before it.
 * *jump, which may be NULL: it began anew. */
int64_t spice_sample_time_take(SpiceSampleTime *self, uint32_t rate, size_t n_samples,
                               int64_t heard_us, bool *jump);
