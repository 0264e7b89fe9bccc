/* When samples were, from bursts of them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"
#include "core/audio/sample-time.h"

enum { RATE = 48000, PACKET = 480, PACKET_US = 10000 };

static uint32_t seed = 1;

static int64_t jitter(int64_t most)
{
    seed = seed * 1664525u + 1013904223u;
    return (int64_t)(seed >> 8) % (2 * most + 1) - most;
}

/** Packets that a source whose clock is off by `ppm` makes, heard up to `jitter_us` off. */
static void test_steady(const char *what, int ppm, int64_t jitter_us, int64_t tolerance_us)
{
    SpiceSampleTime time = {0};
    int64_t worst = 0, last = 0;
    bool forward = true, jumped = false;

    for (int i = 0; i < 30000; i++) {
        const int64_t true_us = (int64_t)i * PACKET_US * (1000000 + ppm) / 1000000 + 5000000;
        bool jump;
        const int64_t said =
            spice_sample_time_take(&time, RATE, PACKET, true_us + jitter(jitter_us), &jump);

        if (i > 300 && llabs(said - true_us) > worst)
            worst = llabs(said - true_us);
        forward = forward && said >= last;
        jumped = jumped || (jump && i > 0);
        last = said;
    }
    TAP_OK(worst <= tolerance_us && forward && !jumped, "%s: within %lld us", what,
           (long long)tolerance_us);
    TAP_NOTE("worst %lld us", (long long)worst);
}

static void test_burst_at_start(void)
{
    SpiceSampleTime time = {0};
    int64_t said[200];

    for (int i = 0; i < 200; i++) { /* four at once, then one each 10 ms */
        const int64_t heard = 1000000 + (i < 4 ? 0 : i - 3) * PACKET_US;

        said[i] = spice_sample_time_take(&time, RATE, PACKET, heard, NULL);
    }
    TAP_OK(said[3] - said[0] >= 25000, "a burst is spread over its length");
    TAP_OK(llabs(said[199] - (1000000 + 196 * PACKET_US)) < 2000, "and ends up where it is heard");
}

static void test_anew(void)
{
    SpiceSampleTime time = {0};
    bool jump;

    TAP_OK(spice_sample_time_take(&time, RATE, PACKET, 777, &jump) == 777 && jump, "it begins");
    spice_sample_time_take(&time, RATE, PACKET, 10777, &jump);
    TAP_OK(!jump, "it goes on");
    TAP_OK(spice_sample_time_take(&time, RATE, PACKET, 9000000, &jump) == 9000000 && jump,
           "after a pause it begins anew");
    TAP_OK(spice_sample_time_take(&time, 44100, 441, 9010000, &jump) == 9010000 && jump,
           "with another rate, too");
}

static void test_odd_rate(void)
{
    SpiceSampleTime time = {0};
    int64_t said = 0;

    spice_sample_time_take(&time, 44100, 256, 0, NULL);
    for (int i = 1; i <= 44100; i++) /* 256 s in packets that are no whole number of microseconds */
        said = spice_sample_time_take(&time, 44100, 256, (int64_t)i * 256 * 1000000 / 44100, NULL);
    TAP_OK(llabs(said - 256000000) <= 2, "fractions of a microsecond add up");
}

int main(void)
{
    test_steady("evenly", 0, 0, 0);
    test_steady("with 20 ms of jitter", 0, 20000, 6000);
    test_steady("with a clock 200 ppm fast", 200, 0, 200);
    test_steady("with a clock 200 ppm slow, and jitter", -200, 10000, 3500);
    test_burst_at_start();
    test_anew();
    test_odd_rate();
    return tap_done();
}
