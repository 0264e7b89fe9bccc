/* How long media wait.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"
#include "core/sync/playout-delay.h"

static void test_wanted(void)
{
    SpicePlayoutFacts facts = {.video_jitter_us = 12000, .video_latency_us = 3000};

    TAP_OK(spice_playout_delay_wanted(&facts) == 15000, "pictures alone wait for most of them");
    facts.video_jitter_us = 900000;
    TAP_OK(spice_playout_delay_wanted(&facts) == 200000, "200 ms at most");
    facts = (SpicePlayoutFacts){.audio_plays = true};
    TAP_OK(spice_playout_delay_wanted(&facts) == 40000, "with sound 40 ms at least");
    facts.audio_jitter_us = 20000;
    facts.audio_latency_us = 60000;
    facts.video_jitter_us = 30000;
    TAP_OK(spice_playout_delay_wanted(&facts) == 80000, "pictures wait for the sound");
    facts.video_jitter_us = 100000;
    TAP_OK(spice_playout_delay_wanted(&facts) == 105000, "and sound for the pictures");
    facts.audio_jitter_us = 5000000;
    TAP_OK(spice_playout_delay_wanted(&facts) == 500000, "half a second at most");
}

static void test_moves(void)
{
    SpicePlayoutDelay delay = {0};
    int64_t now = 1000000, before;

    TAP_OK(spice_playout_delay_move(&delay, 60000, now) == 60000, "it begins with what is wanted");
    now += 1000000;
    TAP_OK(spice_playout_delay_move(&delay, 160000, now) == 80000, "it grows by 20 ms a second");
    for (int i = 0; i < 100; i++)
        spice_playout_delay_move(&delay, 160000, now += 100000);
    TAP_OK(delay.delay_us == 160000, "until it is enough");
    for (int i = 0; i < 600; i++)
        spice_playout_delay_move(&delay, 130000, now += 100000);
    TAP_OK(delay.delay_us == 160000, "a little too much stays");
    for (int i = 0; i < 190; i++)
        spice_playout_delay_move(&delay, 50000, now += 100000);
    TAP_OK(delay.delay_us == 160000, "much too much stays for a while");
    before = now;
    while (delay.delay_us > 50000 && now < before + 60000000)
        spice_playout_delay_move(&delay, 50000, now += 100000);
    TAP_OK(delay.delay_us == 50000 && now - before >= 20000000,
           "and shrinks by 5 ms a second to what is wanted");
    TAP_OK(spice_playout_delay_move(&delay, 400000, now - 5000000) == 50000,
           "a clock that goes back moves nothing");
}

static void test_follows(void)
{
    SpicePlayoutDelay delay = {0};
    int64_t now = 1000000;

    TAP_OK(spice_playout_delay_follow(&delay, 10000, now) == 10000, "pictures begin at once");
    TAP_OK(spice_playout_delay_follow(&delay, 120000, now += 100000) == 35000 &&
               spice_playout_delay_follow(&delay, 120000, now += 1000000) == 120000,
           "they come up to the sound within half a second");
    TAP_OK(spice_playout_delay_follow(&delay, 10000, now += 1000000) == 70000,
           "and go down when it has ended");
}

static void test_extends(void)
{
    SpicePlayoutDelay delay = {0};
    int64_t now = 1000000;

    spice_playout_delay_move(&delay, 60000, now);
    TAP_OK(spice_playout_delay_extend(&delay, 30000, 200000) == 30000 &&
               spice_playout_delay_move(&delay, 60000, now += 1000000) == 90000,
           "sound that came too late has all wait longer, at once");
    TAP_OK(spice_playout_delay_extend(&delay, 400000, 200000) == 110000 &&
               spice_playout_delay_extend(&delay, 1, 200000) == 0 && delay.delay_us == 200000,
           "not longer than is wanted");
    TAP_OK(spice_playout_delay_extend(&delay, 1000, 50000) == 0 &&
               spice_playout_delay_extend(&delay, -5, 300000) == 0 && delay.delay_us == 200000,
           "what came in time changes nothing");
}

static void test_decoding(void)
{
    int64_t estimate = 0;

    for (int i = 0; i < 20; i++)
        estimate = spice_decoding_time_follow(estimate, 12000);
    TAP_OK(estimate > 11000 && estimate <= 12000,
           "what decoding takes is known after some pictures");
    for (int i = 0; i < 20; i++)
        estimate = spice_decoding_time_follow(estimate, i % 5 ? 3000 : 12000);
    TAP_OK(estimate > 9000 && estimate <= 12000, "most pictures do not take longer");
    for (int i = 0; i < 500; i++)
        estimate = spice_decoding_time_follow(estimate, 1000);
    TAP_OK(estimate < 1200, "it falls when they take less");
    for (int i = 0; i < 100; i++)
        estimate = spice_decoding_time_follow(estimate, INT64_MAX);
    TAP_OK(estimate <= 200000, "it stays within bounds");
    for (int i = 0; i < 1000; i++)
        estimate = spice_decoding_time_follow(estimate, INT64_MIN);
    TAP_OK(estimate >= 0, "on both sides");
}

int main(void)
{
    test_wanted();
    test_moves();
    test_follows();
    test_extends();
    test_decoding();
    return tap_done();
}
