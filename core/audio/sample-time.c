/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample-time.h"

/* The share of an error that a call takes away. With calls each 10 ms the time constant is half a
 * second: bursts of tens of milliseconds move it by one, and a clock that is off by 200 ppm leaves
 * it a tenth of a millisecond behind. */
enum { GAIN_DIVISOR = 50 };

int64_t spice_sample_time_take(SpiceSampleTime *self, uint32_t rate, size_t n_samples,
                               int64_t heard_us, bool *jump)
{
    const uint64_t length = (uint64_t)n_samples * 1000000u + self->fraction;
    int64_t expected = self->end_us + (int64_t)(length / rate);
    const int64_t error = heard_us - expected;
    const bool anew = !self->begun || self->rate != rate ||
                      error > SPICE_SAMPLE_TIME_MAX_ERROR_US ||
                      error < -SPICE_SAMPLE_TIME_MAX_ERROR_US;

    if (jump)
        *jump = anew;
    if (anew) {
        *self = (SpiceSampleTime){true, rate, heard_us, 0};
        return heard_us;
    }
    expected += error / GAIN_DIVISOR;
    if (expected > self->end_us)
        self->end_us = expected;
    self->fraction = (uint32_t)(length % rate);
    return self->end_us;
}
