/* A server's time on the local clock: jitter, drift, pauses, the wrap, jumps.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"
#include "core/sync/media-clock.h"

enum { PACKET_MS = 10, PICTURE_MS = 40 };

static uint32_t seed = 7;

static int64_t random_below(int64_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return n > 0 ? (int64_t)(seed >> 8) % n : 0;
}

/** A server whose clock is `ppm` fast against ours, and a way to it. */
typedef struct {
    uint32_t mm0; /* its clock at local time 0 */
    int ppm;
    int64_t way_us;    /* least delay */
    int64_t jitter_us; /* more of it, at random */
    bool only_audio;
} World;

typedef struct {
    int64_t worst_us; /* of a unit's earliest time, against when it really would come */
    int64_t last_jitter_us[2];
    unsigned jumps;
    int64_t worst_step_us; /* of the mapping between two units, against their distance */
} Outcome;

/** Packets and pictures in the order in which they are made, from `from_ms` to `to_ms` local time;
 * what is late holds up what follows, as by TCP. Looks from `settled_ms` on. */
static void run(const World *world, SpiceMediaClock *clock, int64_t from_ms, int64_t to_ms,
                int64_t settled_ms, Outcome *outcome)
{
    int64_t last_arrival = 0, last_earliest = 0, last_made = 0;

    for (int64_t ms = from_ms; ms < to_ms; ms += PACKET_MS) {
        const int64_t made_us = ms * 1000;
        const uint32_t mm =
            world->mm0 + (uint32_t)((made_us + made_us / 1000000 * world->ppm) / 1000);
        const bool picture = !world->only_audio && ms % PICTURE_MS == 0;

        for (int kind = 0; kind <= picture; kind++) {
            const int64_t length = kind == SPICE_MEDIA_AUDIO ? PACKET_MS * 1000 : 0;
            int64_t arrival = made_us + world->way_us + random_below(world->jitter_us);
            int64_t stream, earliest, error;
            bool jump;

            if (arrival < last_arrival)
                arrival = last_arrival;
            last_arrival = arrival;
            stream =
                spice_media_clock_take(clock, (SpiceMediaKind)kind, mm, length, arrival, &jump);
            outcome->jumps += jump;
            earliest = spice_media_clock_earliest(clock, stream) + length;
            error = earliest - (made_us + world->way_us);
            if (ms < settled_ms)
                continue;
            if (llabs(error) > outcome->worst_us)
                outcome->worst_us = llabs(error);
            if (last_made > 0 &&
                llabs(earliest - last_earliest - (made_us - last_made)) > outcome->worst_step_us)
                outcome->worst_step_us = llabs(earliest - last_earliest - (made_us - last_made));
            last_earliest = earliest;
            last_made = made_us;
        }
    }
    outcome->last_jitter_us[0] = spice_media_clock_get_jitter(clock, SPICE_MEDIA_AUDIO);
    outcome->last_jitter_us[1] = spice_media_clock_get_jitter(clock, SPICE_MEDIA_VIDEO);
}

static void test(const char *what, const World *world, int64_t seconds, int64_t tolerance_us)
{
    SpiceMediaClock clock = {0};
    Outcome outcome = {0};

    run(world, &clock, 1000, 1000 + seconds * 1000, 6000, &outcome);
    TAP_OK(outcome.worst_us <= tolerance_us && outcome.jumps == 1, "%s: within %lld us", what,
           (long long)tolerance_us);
    TAP_NOTE("worst %lld us, jitter of sound %lld, of pictures %lld us",
             (long long)outcome.worst_us, (long long)outcome.last_jitter_us[0],
             (long long)outcome.last_jitter_us[1]);
    TAP_OK(outcome.worst_step_us <= 2000, "%s: time goes on evenly (%lld us)", what,
           (long long)outcome.worst_step_us);
    if (world->jitter_us >= 20000)
        TAP_OK(outcome.last_jitter_us[1] >= world->jitter_us / 2 &&
                   outcome.last_jitter_us[1] <= world->jitter_us + 15000,
               "%s: the jitter is found", what);
}

static void test_pause(void)
{
    World world = {.mm0 = 5000, .way_us = 3000, .jitter_us = 2000};
    SpiceMediaClock clock = {0};
    Outcome before = {0}, after = {0};

    run(&world, &clock, 1000, 10000, 6000, &before);
    run(&world, &clock, 3600000 + 10000, 3600000 + 20000, 3600000 + 10000, &after);
    TAP_OK(before.jumps == 1 && after.jumps == 0 && after.worst_us <= 5000,
           "after an hour's pause time is where it was");
    TAP_NOTE("worst %lld us", (long long)after.worst_us);
}

static void test_jump(void)
{
    World world = {.mm0 = 5000, .way_us = 3000, .jitter_us = 2000};
    SpiceMediaClock clock = {0};
    Outcome before = {0}, after = {0};
    int64_t last, next;

    run(&world, &clock, 1000, 10000, 6000, &before);
    last = clock.last_stream_ms;
    world.mm0 = 4000000000u; /* the guest moved to another host */
    run(&world, &clock, 10000, 20000, 12000, &after);
    next = clock.last_stream_ms;
    TAP_OK(after.jumps == 1 && llabs(next - last - 10000) < 50 && after.worst_us <= 15000,
           "a clock that jumps begins a new epoch; the stream goes on");
    TAP_NOTE("worst %lld us", (long long)after.worst_us);
}

static void test_odd_unit(void)
{
    World world = {.mm0 = 5000, .way_us = 3000};
    SpiceMediaClock clock = {0};
    Outcome outcome = {0};
    bool jump;
    int64_t stream;

    run(&world, &clock, 1000, 10000, 6000, &outcome);
    stream = spice_media_clock_take(&clock, SPICE_MEDIA_VIDEO, 0x70000000, 0, 10003000, &jump);
    TAP_OK(!jump && llabs(stream - (SPICE_MEDIA_CLOCK_EPOCH_MS + 5000 + 10000) * 1000) < 20000,
           "one odd stamp is taken for what it should be");
    run(&world, &clock, 10010, 20000, 10010, &outcome);
    TAP_OK(outcome.jumps == 1 && outcome.worst_us <= 3000, "and forgotten");
}

/** The way gets shorter, and longer, for good. */
static void test_route_changes(void)
{
    World world = {.mm0 = 5000, .way_us = 50000, .jitter_us = 2000};
    SpiceMediaClock clock = {0};
    Outcome outcome = {0};

    run(&world, &clock, 1000, 10000, 6000, &outcome);
    world.way_us = 10000;
    outcome = (Outcome){0};
    run(&world, &clock, 10000, 30000, 22000, &outcome);
    TAP_OK(outcome.worst_us <= 3000 && outcome.worst_step_us <= 2000,
           "a shorter way is found, slowly (%lld us)", (long long)outcome.worst_us);
    world.way_us = 30000;
    outcome = (Outcome){0};
    run(&world, &clock, 30000, 60000, 55000, &outcome);
    TAP_OK(outcome.worst_us <= 3000 && outcome.worst_step_us <= 2000, "and a longer one (%lld us)",
           (long long)outcome.worst_us);
}

static void test_any_stamps(void)
{
    SpiceMediaClock clock = {0};
    int64_t now = 0;

    for (int i = 0; i < 200000; i++) {
        now += random_below(100000);
        spice_media_clock_take(&clock, (SpiceMediaKind)random_below(2),
                               (uint32_t)random_below(1 << 24) << 8, random_below(100000), now,
                               NULL);
    }
    TAP_OK(spice_media_clock_get_jitter(&clock, SPICE_MEDIA_AUDIO) >= 0 &&
               spice_media_clock_get_jitter(&clock, SPICE_MEDIA_AUDIO) <= 5000000,
           "any stamps at all are lived with");
}

int main(void)
{
    const World still = {.mm0 = 1000, .way_us = 5000};
    const World jitter20 = {.mm0 = 1000, .way_us = 5000, .jitter_us = 20000};
    const World jitter100 = {.mm0 = 1000, .way_us = 5000, .jitter_us = 100000};
    const World fast = {.mm0 = 1000, .ppm = 200, .way_us = 5000, .jitter_us = 5000};
    const World slow = {.mm0 = 1000, .ppm = -200, .way_us = 5000, .jitter_us = 5000};
    const World wrap = {.mm0 = UINT32_MAX - 60000, .way_us = 5000, .jitter_us = 5000};
    const World sound = {.mm0 = 1000, .way_us = 5000, .jitter_us = 5000, .only_audio = true};

    test("a still way", &still, 60, 2000);
    test("20 ms of jitter", &jitter20, 120, 6000);
    test("100 ms of jitter", &jitter100, 120, 45000);
    test("a clock 200 ppm fast", &fast, 600, 6000);
    test("a clock 200 ppm slow", &slow, 600, 6000);
    test("the wrap of the stamps", &wrap, 120, 3000);
    test("sound alone", &sound, 60, 12500);
    test_pause();
    test_jump();
    test_odd_unit();
    test_route_changes();
    test_any_stamps();
    return tap_done();
}
