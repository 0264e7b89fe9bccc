/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media-clock.h"

#include <stdlib.h>
#include <string.h>

/* The least delay is searched in windows so long, and believed at once in the first of them. */
static const int64_t window_us = 2000000;
/* Thereafter it falls by 5 ms a second at most, and rises by half of that: a tenth of it is what two
 * clocks drift apart. */
static const int64_t fall_ppm = 5000, rise_ppm = 2500;
/* Milliseconds that a stamp may differ from what is expected. */
enum { MAX_ODD_MS = 10000, AGREE_MS = 500, ODD_UNITS = 3 };
/* Of each thousand, that come in time: what is late of sound is lost, pictures are only seen late. */
static const unsigned percentile[SPICE_MEDIA_N_KINDS] = {995, 980};
static const int64_t max_late_us = 5000000;

/* Unwrapping */

static int64_t signed_difference(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/** The stream time that now comes, by the clock so far. */
static int64_t expected_ms(const SpiceMediaClock *self, int64_t arrival_us)
{
    return (arrival_us - self->base_us) / 1000;
}

static void go_on(SpiceMediaClock *self, uint32_t mm, int64_t stream_ms)
{
    self->last_mm = mm;
    self->last_stream_ms = stream_ms;
    self->odd = 0;
}

/** The unit's stamp, unwrapped; of one that is odd, what it should be. */
static int64_t unwrap(SpiceMediaClock *self, uint32_t mm, int64_t arrival_us, bool *jump)
{
    const int64_t step = signed_difference(mm, self->last_mm);
    const int64_t elapsed_ms = (arrival_us - self->last_arrival_us) / 1000;

    if (step - elapsed_ms <= MAX_ODD_MS && step - elapsed_ms >= -MAX_ODD_MS) {
        go_on(self, mm, self->last_stream_ms + step);
        return self->last_stream_ms;
    }
    if (self->odd > 0 && llabs(signed_difference(mm, self->odd_mm)) <= AGREE_MS + elapsed_ms)
        self->odd++;
    else
        self->odd = 1;
    self->odd_mm = mm;
    if (self->odd >= ODD_UNITS) {
        *jump = true;
        go_on(self, mm, expected_ms(self, arrival_us));
        return self->last_stream_ms;
    }
    return expected_ms(self, arrival_us);
}

/* The least delay */

static int64_t least_of_windows(const SpiceMediaClock *self)
{
    int64_t least = self->window_least_us;

    for (unsigned i = 0; i < self->n_windows; i++)
        if (self->least_us[i] < least)
            least = self->least_us[i];
    return least;
}

static int compare(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static void measure_jitter(SpiceMediaClock *self, SpiceMediaKind kind)
{
    int32_t sorted[SPICE_MEDIA_CLOCK_SAMPLES];
    const unsigned n = self->n_late[kind];

    if (n == 0)
        return;
    memcpy(sorted, self->late_us[kind], n * sizeof sorted[0]);
    qsort(sorted, n, sizeof sorted[0], compare);
    self->jitter_us[kind] = sorted[(n - 1) * percentile[kind] / 1000];
    if (self->jitter_us[kind] < 0)
        self->jitter_us[kind] = 0;
}

static void end_window(SpiceMediaClock *self, int64_t now_us, int64_t offset_us)
{
    memmove(self->least_us + 1, self->least_us, sizeof self->least_us - sizeof self->least_us[0]);
    self->least_us[0] = self->window_least_us;
    if (self->n_windows < SPICE_MEDIA_CLOCK_WINDOWS)
        self->n_windows++;
    self->window_end_us = now_us + window_us;
    self->window_least_us = offset_us;
    for (unsigned kind = 0; kind < SPICE_MEDIA_N_KINDS; kind++)
        measure_jitter(self, (SpiceMediaKind)kind);
}

static void move_base(SpiceMediaClock *self, int64_t now_us)
{
    const int64_t target = least_of_windows(self);
    int64_t elapsed = now_us - self->slewed_us, step = target - self->base_us;

    self->slewed_us = now_us;
    if (now_us - self->first_us <= window_us) {
        self->base_us = target;
        return;
    }
    if (elapsed > window_us)
        elapsed = window_us;
    if (step > elapsed * rise_ppm / 1000000)
        step = elapsed * rise_ppm / 1000000;
    if (step < -(elapsed * fall_ppm / 1000000))
        step = -(elapsed * fall_ppm / 1000000);
    self->base_us += step;
}

static void begin(SpiceMediaClock *self, uint32_t mm, int64_t length_us, int64_t arrival_us)
{
    int64_t offset_us;

    self->begun = true;
    self->last_mm = mm;
    self->last_stream_ms = (int64_t)mm + SPICE_MEDIA_CLOCK_EPOCH_MS;
    offset_us = arrival_us - (self->last_stream_ms * 1000 - length_us);
    self->base_us = self->window_least_us = offset_us;
    self->first_us = self->slewed_us = arrival_us;
    self->window_end_us = arrival_us + window_us;
}

static void keep_lateness(SpiceMediaClock *self, SpiceMediaKind kind, int64_t late_us)
{
    if (late_us > max_late_us)
        late_us = max_late_us;
    if (late_us < -max_late_us)
        late_us = -max_late_us;
    self->late_us[kind][self->next_late[kind]] = (int32_t)late_us;
    self->next_late[kind] = (self->next_late[kind] + 1) % SPICE_MEDIA_CLOCK_SAMPLES;
    if (self->n_late[kind] < SPICE_MEDIA_CLOCK_SAMPLES)
        self->n_late[kind]++;
}

int64_t spice_media_clock_take(SpiceMediaClock *self, SpiceMediaKind kind, uint32_t mm,
                               int64_t length_us, int64_t arrival_us, bool *jump)
{
    int64_t stream_us, offset_us;
    bool begins = false, odd;

    if (!self->begun) {
        begins = true;
        begin(self, mm, length_us, arrival_us);
    }
    stream_us = unwrap(self, mm, arrival_us, &begins) * 1000 - length_us;
    self->last_arrival_us = arrival_us;
    odd = self->odd > 0;
    if (jump)
        *jump = begins;
    if (odd)
        return stream_us;
    offset_us = arrival_us - stream_us;
    if (offset_us < self->window_least_us)
        self->window_least_us = offset_us;
    if (arrival_us >= self->window_end_us)
        end_window(self, arrival_us, offset_us);
    move_base(self, arrival_us);
    keep_lateness(self, kind, offset_us - self->base_us);
    if (arrival_us - self->first_us < window_us && (self->n_late[kind] & 15) == 15)
        measure_jitter(self, kind);
    return stream_us;
}

int64_t spice_media_clock_earliest(const SpiceMediaClock *self, int64_t stream_us)
{
    return stream_us + self->base_us;
}

int64_t spice_media_clock_get_jitter(const SpiceMediaClock *self, SpiceMediaKind kind)
{
    return self->jitter_us[kind];
}
