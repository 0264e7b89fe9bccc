/* A link in simulated time has the rate, delay, jitter and loss that it was asked for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include "link-model.h"

enum { CHUNKS = 20000 };

typedef struct {
    uint64_t end;         /* us: the last arrival */
    uint64_t least, most; /* us from being given to the link to arrival */
    double mean;          /* of the same */
    bool ordered;
    uint64_t fingerprint; /* of all arrivals */
    uint64_t lost, segments;
} Seen;

/** Sends chunks of `size`, one each `interval` us, or as fast as the link takes them if 0. */
static Seen send_chunks(const LinkOptions *options, uint64_t seed, size_t size, uint64_t interval)
{
    Seen seen = {.least = UINT64_MAX, .ordered = true};
    uint64_t now = 1000000, last = 0;
    LinkFlow flow = {0};
    LinkWay way;

    link_way_init(&way, options, seed);
    for (unsigned i = 0; i < CHUNKS; i++) {
        uint64_t arrival;

        if (link_way_ready(&way, &flow) > now)
            now = link_way_ready(&way, &flow) + 1;
        arrival = link_way_pass(&way, &flow, now, size);
        seen.ordered &= arrival >= last;
        seen.least = arrival - now < seen.least ? arrival - now : seen.least;
        seen.most = arrival - now > seen.most ? arrival - now : seen.most;
        seen.mean += (double)(arrival - now) / CHUNKS;
        seen.fingerprint = seen.fingerprint * 31 + arrival;
        last = arrival;
        now += interval;
    }
    seen.end = last - 1000000;
    seen.lost = way.lost;
    seen.segments = way.segments;
    return seen;
}

static double rate_of(const Seen *seen, size_t size)
{
    return (double)size * CHUNKS * 8e6 / (double)seen->end;
}

static void test_rate(void)
{
    static const double rates[] = {1e6, 2e6, 1e7, 1e8, 1e9};

    for (unsigned i = 0; i < 5; i++) {
        const LinkOptions options = {.rate = rates[i]};
        const size_t size = i < 3 ? LINK_SEGMENT : 10 * LINK_SEGMENT;
        const Seen seen = send_chunks(&options, 1, size, 0);
        const double share = rate_of(&seen, size) / rates[i];

        TAP_OK(share > 0.97 && share < 1.01, "%.0f bit/s are kept: %.3f of it", rates[i], share);
    }
}

static void test_delay_and_jitter(void)
{
    const LinkOptions still = {.delay = 20000};
    const LinkOptions unsteady = {.delay = 20000, .jitter = 50000};
    Seen seen = send_chunks(&still, 1, 100, 10000);

    TAP_OK(seen.least == 20000 && seen.most == 20000, "a delay is the same each time");
    seen = send_chunks(&unsteady, 1, 100, 100000);
    TAP_OK(seen.least >= 20000 && seen.least < 21000 && seen.most <= 70000 && seen.most > 69000,
           "jitter reaches from none to all of it: %u to %u us", (unsigned)seen.least,
           (unsigned)seen.most);
    TAP_OK(seen.mean > 44000 && seen.mean < 46000, "and is even: %.0f us on average", seen.mean);
    seen = send_chunks(&unsteady, 1, 100, 1000);
    TAP_OK(seen.ordered, "what overtook is held until its turn");
    TAP_OK(seen.most <= 70000, "and no longer");
}

static void test_loss(void)
{
    const LinkOptions options = {.rate = 1e7, .delay = 10000, .loss = 0.01};
    const LinkOptions harmless = {.rate = 1e6, .delay = 1000, .loss = 0.001};
    Seen seen = send_chunks(&options, 1, LINK_SEGMENT, 0);
    const double share = (double)seen.lost / (double)seen.segments;
    const double rate = rate_of(&seen, LINK_SEGMENT);

    TAP_OK(share > 0.008 && share < 0.012, "1 of 100 segments is lost: %.4f", share);
    TAP_OK(seen.ordered && seen.most >= 30000, "what was lost comes a round trip later, in order");
    /* Mathis et al.: segment / round trip * sqrt(3 / 2 / loss) = 7.1 Mbit/s */
    TAP_OK(rate > 5e6 && rate < 9e6, "the window keeps the connection at %.2f Mbit/s", rate / 1e6);
    seen = send_chunks(&harmless, 1, LINK_SEGMENT, 0);
    TAP_OK(rate_of(&seen, LINK_SEGMENT) > 0.95e6, "rare losses cost a slow link little");
}

static void test_sharing(void)
{
    const LinkOptions options = {.rate = 8e6};
    LinkFlow flows[2] = {{0}, {0}};
    uint64_t now = 1000000;
    LinkWay way;

    link_way_init(&way, &options, 1);
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t ready = link_way_ready(&way, &flows[i % 2]);

        now = ready > now ? ready : now;
        link_way_pass(&way, &flows[i % 2], now, 1000);
    }
    TAP_OK(flows[0].last_arrival + flows[1].last_arrival > 2 * (1000000 + 990000),
           "two connections have one link between them");
}

static void test_seed(void)
{
    const LinkOptions options = {.rate = 1e7, .delay = 1000, .jitter = 5000, .loss = 0.02};
    const Seen one = send_chunks(&options, 1, LINK_SEGMENT, 0);
    const Seen again = send_chunks(&options, 1, LINK_SEGMENT, 0);
    const Seen other = send_chunks(&options, 2, LINK_SEGMENT, 0);

    TAP_OK(one.fingerprint == again.fingerprint, "a seed gives the same link each time");
    TAP_OK(one.fingerprint != other.fingerprint, "another seed another");
}

static void test_options(void)
{
    LinkOptions options = {0};
    static const char *const bad[][2] = {
        {"--rate", "1"},        {"--rate", "-1mbit"},    {"--rate", "7bit"},   {"--rate", "nan"},
        {"--delay", "11s"},     {"--delay", "20"},       {"--loss", "51%"},    {"--loss", "1"},
        {"--rate", "1e30mbit"}, {"--jitter", "5minute"}, {"--speed", "1mbit"}, {"--delay", ""}};
    bool refused = true;

    TAP_OK(link_options_read(&options, "--rate", "2mbit") && options.rate == 2e6 &&
               link_options_read(&options, "--delay", "20ms") && options.delay == 20000 &&
               link_options_read(&options, "--jitter", "1s") && options.jitter == 1000000 &&
               link_options_read(&options, "--loss", "1%") && options.loss == 0.01,
           "options are read with their units");
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        refused &= !link_options_read(&options, bad[i][0], bad[i][1]);
    TAP_OK(refused && options.rate == 2e6 && options.delay == 20000 && options.loss == 0.01,
           "others are refused and change nothing");
    TAP_OK(link_options_read(&options, "--rate", "0") && options.rate == 0, "0 is without limit");
}

int main(void)
{
    test_rate();
    test_delay_and_jitter();
    test_loss();
    test_sharing();
    test_seed();
    test_options();
    return tap_done();
}
