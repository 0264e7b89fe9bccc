/* Rate control on a simulated link: what waits, how smooth it is, and that quality comes back.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include <math.h>

#include "core/video/rate-control.h"
#include "link.h"

enum { FPS = 25, SECONDS = 30, TICK = 1000 };

/* What was seen between two times. */
typedef struct {
    double queue;        /* ms, most that waited */
    double fps, quality; /* means */
    double spread;       /* standard deviation of quality */
    double step;         /* mean change of quality from frame to frame */
    double use;          /* share of the link's rate */
    uint32_t frames;
} Seen;

typedef struct {
    SpiceRateControl control;
    Link link;
    uint32_t random;
    double scene;
    bool changing; /* another scene each 4 s */
    uint64_t now, due;
} Session;

static void begin(Session *s, double rate, uint64_t round_trip, uint32_t jitter, uint32_t loss)
{
    SpiceRatePolicy policy;

    memset(s, 0, sizeof(*s));
    s->link.rate = rate;
    s->link.round_trip = round_trip;
    s->link.jitter = jitter;
    s->link.loss = loss;
    s->link.random = 7;
    s->random = 99;
    s->scene = 1;
    spice_rate_policy_default(&policy);
    policy.start_rate = 1000000;
    if (!spice_rate_control_init(&s->control, &policy, 0, 640 * 360))
        exit(99);
    spice_rate_control_round_trip(&s->control, 0, round_trip);
}

static double random_unit(Session *s)
{
    s->random = s->random * 1664525u + 1013904223u;
    return (s->random >> 8) / 16777216.0;
}

/* A frame of 640x360: 20 kB at quality 50, and another slope than the control believes in. */
static uint32_t encode(Session *s, uint32_t quality)
{
    return (uint32_t)(20000 * s->scene * exp2(((int)quality - 50) / 17.0) *
                      (0.9 + 0.2 * random_unit(s)));
}

static Seen run_until(Session *s, uint64_t end)
{
    Seen seen = {0};
    uint64_t from = s->now, bytes = 0;
    double sum = 0, squares = 0, last = -1, steps = 0;

    for (; s->now < end; s->now += TICK) {
        uint64_t total = link_delivered(&s->link, s->now);
        double queue;

        if (total)
            spice_rate_control_delivered(&s->control, s->now, total);
        if (s->now >= s->due) {
            s->due += 1000000 / FPS;
            if (s->changing && s->due % 4000000 == 0)
                s->scene = 0.6 + random_unit(s);
            for (int attempt = 0; attempt < 2; attempt++) {
                SpiceRateDecision decision = spice_rate_control_offer(&s->control, s->now);
                uint32_t size;

                if (!decision.send)
                    break;
                size = encode(s, decision.quality);
                if (!spice_rate_control_encoded(&s->control, s->now, size))
                    continue;
                link_send(&s->link, s->now, size);
                bytes += size;
                seen.frames++;
                sum += decision.quality;
                squares += (double)decision.quality * decision.quality;
                steps += last >= 0 ? fabs(decision.quality - last) : 0;
                last = decision.quality;
                break;
            }
        }
        queue = link_queue(&s->link, s->now) / 1000;
        seen.queue = queue > seen.queue ? queue : seen.queue;
    }
    if (seen.frames) {
        seen.quality = sum / seen.frames;
        seen.spread = sqrt(fmax(0, squares / seen.frames - seen.quality * seen.quality));
        seen.step = steps / seen.frames;
    }
    seen.fps = seen.frames * 1e6 / (double)(end - from);
    seen.use = (double)bytes * 8e6 / (double)(end - from) / s->link.rate;
    return seen;
}

static void test_steady_links(void)
{
    static const double rates[] = {1e6, 2e6, 5e6, 1e7, 1e8, 1e9};
    static const uint64_t round_trips[] = {1000, 20000, 50000, 100000, 200000};
    static const uint32_t conditions[][2] = {{0, 0}, {10000, 0}, {20000, 50}, {5000, 200}};

    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
        for (size_t j = 0; j < sizeof(round_trips) / sizeof(*round_trips); j++)
            for (size_t k = 0; k < sizeof(conditions) / sizeof(*conditions); k++) {
                static Session s;
                Seen start, seen;
                bool clean = !conditions[k][1];

                begin(&s, rates[i], round_trips[j], conditions[k][0], conditions[k][1]);
                s.changing = true;
                start = run_until(&s, 10000000);
                seen = run_until(&s, SECONDS * 1000000ull);
                TAP_OK(start.queue <= 200 && seen.queue <= 200 && seen.fps >= (clean ? 9 : 5) &&
                           seen.step <= 3 && (!clean || seen.use >= 0.6 || seen.quality >= 75),
                       "%g Mbit/s, %g ms, jitter %g ms, loss %g %%", rates[i] / 1e6,
                       (double)round_trips[j] / 1e3, conditions[k][0] / 1e3,
                       conditions[k][1] / 100.0);
                TAP_NOTE("queue %.0f/%.0f ms, %.1f fps, quality %.0f +- %.1f, step %.2f, use %.2f",
                         start.queue, seen.queue, seen.fps, seen.quality, seen.spread, seen.step,
                         seen.use);
            }
}

static void test_recovery(void)
{
    static const uint64_t round_trips[] = {1000, 20000, 100000, 200000};

    for (size_t i = 0; i < sizeof(round_trips) / sizeof(*round_trips); i++) {
        static Session s;
        Seen before, fall, low, back;

        begin(&s, 1e7, round_trips[i], 2000, 0);
        run_until(&s, 10000000);
        before = run_until(&s, 15000000);
        link_set_rate(&s.link, s.now, 1e6);
        fall = run_until(&s, 18000000 + 5 * round_trips[i]);
        low = run_until(&s, 30000000);
        link_set_rate(&s.link, s.now, 1e7);
        run_until(&s, 42000000);
        back = run_until(&s, 47000000);
        TAP_OK(low.queue <= 200 && low.fps >= 5 && back.quality >= 0.9 * before.quality &&
                   back.fps >= 0.9 * before.fps,
               "10 to 1 Mbit/s and back, %g ms", (double)round_trips[i] / 1e3);
        TAP_NOTE(
            "quality %.0f, %.0f, %.0f; fps %.1f, %.1f, %.1f; queue %.0f ms in the fall, then %.0f",
            before.quality, low.quality, back.quality, before.fps, low.fps, back.fps, fall.queue,
            low.queue);
    }
}

static void test_reports(void)
{
    static Session s; /* a stack may be small */
    SpiceRateReport late = {
        .num_frames = 5, .num_drops = 3, .last_frame_delay = -40, .audio_delay = UINT32_MAX};
    SpiceRateReport good = {.num_frames = 5, .last_frame_delay = 200, .audio_delay = UINT32_MAX};
    SpiceRateReport none = {.num_frames = 0, .num_drops = UINT32_MAX};
    Seen before, during, after;

    begin(&s, 5e6, 20000, 0, 0);
    run_until(&s, 8000000);
    before = run_until(&s, 10000000);
    for (int i = 1; i <= 10; i++) {
        spice_rate_control_report(&s.control, s.now, &late);
        run_until(&s, 10000000 + i * 200000ull);
    }
    during = run_until(&s, 12200000);
    for (int i = 1; i <= 40; i++) {
        spice_rate_control_report(&s.control, s.now, &good);
        run_until(&s, 12200000 + i * 200000ull);
    }
    after = run_until(&s, 22000000);
    TAP_OK(during.quality < before.quality && after.quality > 0.95 * before.quality,
           "late frames at the client lower quality, and it recovers");
    TAP_NOTE("quality %.0f, %.0f, %.0f", before.quality, during.quality, after.quality);
    spice_rate_control_report(&s.control, s.now, &none);
    TAP_OK(spice_rate_control_undecodable(&s.control) &&
               !spice_rate_control_offer(&s.control, s.now + 1000000).send,
           "nothing is sent to a client that cannot decode");
}

static void test_random_events(void)
{
    SpiceRateControl control;
    SpiceRatePolicy policy;
    uint32_t random = 1;
    uint64_t now = 0, total = 0;
    bool ok = true;

    spice_rate_policy_default(&policy);
    policy.best_quality = 101;
    ok &= !spice_rate_control_init(&control, &policy, 0, 1);
    spice_rate_policy_default(&policy);
    ok &= spice_rate_control_init(&control, &policy, 0, UINT64_MAX);
    for (int i = 0; i < 1000000; i++) {
        SpiceRateReport report;
        SpiceRateDecision decision;

        random = random * 1664525u + 1013904223u;
        now += random >> 30 ? random >> 16 & 0xffff : 0;
        switch (random >> 24 & 7) {
        case 0:
            spice_rate_control_round_trip(&control, now, (uint64_t)random << (random & 31));
            break;
        case 1:
            report =
                (SpiceRateReport){random >> 3 & 7, random >> 6 & 1, (int32_t)(random << 3), random};
            spice_rate_control_report(&control, now - (random & 0xff), &report);
            break;
        case 2:
        case 3:
            total += random & 0xfffff;
            spice_rate_control_delivered(&control, now, random & 0x100 ? total : UINT64_MAX);
            break;
        default:
            decision = spice_rate_control_offer(&control, now);
            ok &= decision.quality >= 10 && decision.quality <= 85 &&
                  decision.bit_rate <= 200000000000;
            if (decision.send)
                spice_rate_control_encoded(&control, now,
                                           random & 0x200 ? random : random & 0xffff);
        }
        ok &= spice_rate_control_backlog(&control) <= UINT64_MAX / 2;
    }
    TAP_OK(ok, "any events leave the state in its bounds");
}

int main(void)
{
    test_steady_links();
    test_recovery();
    test_reports();
    test_random_events();
    return tap_done();
}
