/* What the window lets under way keeps a link of any kind busy, and never makes what comes next wait
 * for long.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include "core/video/link-window.h"
#include "tests/net/link-model.h"

enum {
    STEP = 1000, /* us between two looks of the sender */
    MAX_ANSWERS = 256,
    MOST_WAITING = 200000, /* us */
};

/** A sender that always has something, and a link to a client that answers each mark. */
typedef struct {
    SpiceLinkWindow window;
    LinkWay way, back;
    LinkFlow flow, back_flow;
    uint64_t now, bytes;
    struct {
        uint64_t time;
        uint32_t id;
    } answers[MAX_ANSWERS]; /* ring */
    unsigned first, n;
    uint64_t most_waiting; /* us that a new byte would have waited before the narrow place */
    bool silent;           /* the client answers nothing */
    uint64_t sleeps_until; /* it reads nothing before */
} Sender;

static void begin(Sender *self, const LinkOptions *options)
{
    *self = (Sender){.now = 5000000};
    link_way_init(&self->way, options, 1);
    link_way_init(&self->back, options, 2);
    spice_link_window_init(&self->window, self->now, false);
}

static uint64_t waiting(const Sender *self)
{
    return self->way.free_at > (double)self->now ? (uint64_t)self->way.free_at - self->now : 0;
}

/** Hands a message over, which the link takes as soon as what was before it has passed. */
static void send_message(Sender *self, size_t size, bool waited)
{
    uint64_t arrival = self->now;
    uint32_t id;

    for (size_t sent = 0; sent < size; sent += LINK_SEGMENT) {
        const size_t part = size - sent < LINK_SEGMENT ? size - sent : LINK_SEGMENT;

        arrival = link_way_pass(&self->way, &self->flow, self->now, part);
    }
    self->bytes += size;
    spice_link_window_give(&self->window, size, waited);
    id = spice_link_window_mark(&self->window, self->now);
    if (id == 0 || self->silent || self->n == MAX_ANSWERS)
        return;
    self->answers[(self->first + self->n) % MAX_ANSWERS].id = id;
    if (arrival < self->sleeps_until)
        arrival = self->sleeps_until;
    self->answers[(self->first + self->n++) % MAX_ANSWERS].time =
        link_way_pass(&self->back, &self->back_flow, arrival, 18);
}

/** Sends messages of `size` (0: none) for so many us, as many as the window lets through. */
static void run(Sender *self, uint64_t time, size_t size)
{
    const uint64_t end = self->now + time;

    self->bytes = self->most_waiting = 0;
    for (; self->now < end; self->now += STEP) {
        bool waited = true;

        while (self->n > 0 && self->answers[self->first].time <= self->now) {
            spice_link_window_answer(&self->window, self->answers[self->first].time,
                                     self->answers[self->first].id);
            self->first = (self->first + 1) % MAX_ANSWERS;
            self->n--;
        }
        /* not without end on a link without one */
        for (unsigned i = 0;
             i < 200 && size > 0 && spice_link_window_is_open(&self->window, self->now); i++) {
            send_message(self, size, waited);
            waited = i > 0;
        }
        if (waiting(self) > self->most_waiting)
            self->most_waiting = waiting(self);
    }
}

static void test_links(void)
{
    static const double rates[] = {1e6, 2e6, 10e6, 100e6, 1e9};
    static const uint64_t delays[] = {100, 2500, 20000, 100000};
    static const LinkOptions unsteady[] = {
        {.jitter = 0}, {.jitter = 10000}, {.jitter = 50000}, {.loss = 0.005}};
    uint64_t worst = 0;
    double least = 1;
    unsigned late = 0, idle = 0;

    for (unsigned r = 0; r < 5; r++)
        for (unsigned d = 0; d < 4; d++)
            for (unsigned u = 0; u < 4; u++) {
                LinkOptions options = unsteady[u];
                Sender self;
                double share;

                options.rate = rates[r];
                options.delay = delays[d];
                begin(&self, &options);
                run(&self, 8000000, 6000);
                run(&self, 8000000, 6000);
                share = (double)self.bytes * 8 / 8 / rates[r];
                late += self.most_waiting > MOST_WAITING;
                worst = self.most_waiting > worst ? self.most_waiting : worst;
                if (options.loss > 0) /* then TCP is what keeps it back */
                    share = 1;
                idle += share < 0.8;
                least = share < least ? share : least;
                if (share < 0.8 || self.most_waiting > MOST_WAITING)
                    TAP_NOTE("%.0f bit/s, delay %u us, jitter %u us: %.2f of it, %u us waiting",
                             rates[r], (unsigned)options.delay, (unsigned)options.jitter, share,
                             (unsigned)self.most_waiting);
            }
    TAP_OK(late == 0, "nothing waits for more than 200 ms: %u ms at the worst",
           (unsigned)(worst / 1000));
    TAP_OK(idle == 0, "links are kept busy: %.2f at the least", least);
}

static void test_change(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 20000};
    Sender self;
    double share;

    begin(&self, &options);
    run(&self, 5000000, 6000);
    self.way.options.rate = 1e6;
    run(&self, 4000000, 6000);
    run(&self, 5000000, 6000);
    TAP_OK(self.most_waiting <= MOST_WAITING, "a link that became ten times slower: %u ms wait",
           (unsigned)(self.most_waiting / 1000));
    self.way.options.rate = 10e6;
    run(&self, 3000000, 6000);
    run(&self, 5000000, 6000);
    share = (double)self.bytes * 8 / 5 / 10e6;
    TAP_OK(share > 0.85, "and one that became faster again is used: %.2f of it", share);
}

/** There is always something more to send, so the way is never empty. */
static void test_long_time(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 20000};
    Sender self;

    begin(&self, &options);
    for (int minute = 0; minute < 10; minute++)
        run(&self, 60000000, 6000);
    TAP_OK(self.most_waiting <= MOST_WAITING && self.bytes * 8 > 0.85 * 60 * options.rate,
           "after ten minutes no more waits than before: %u ms",
           (unsigned)(self.most_waiting / 1000));
}

static void test_known_rate(void)
{
    const LinkOptions options = {.rate = 1e6, .delay = 50000};
    Sender self;

    begin(&self, &options);
    TAP_OK(spice_link_window_rate(&self.window) == 0, "at first nothing is known");
    spice_link_window_know(&self.window, 1e6, 100000);
    TAP_OK(spice_link_window_rate(&self.window) == 1e6 &&
               spice_link_window_delay(&self.window) == 100000,
           "unless it is told");
    run(&self, 3000000, 6000);
    TAP_OK(self.most_waiting <= MOST_WAITING, "then nothing waits even at first: %u ms",
           (unsigned)(self.most_waiting / 1000));
}

static void test_large_message(void)
{
    const LinkOptions options = {.rate = 2e6, .delay = 20000};
    Sender self;
    uint64_t delivered;

    begin(&self, &options);
    run(&self, 4000000, 6000);
    send_message(&self, 300000, true);
    TAP_OK(!spice_link_window_is_open(&self.window, self.now),
           "behind a message larger than the window nothing is sent");
    run(&self, 3000000, 6000);
    TAP_OK(self.bytes > 300000, "until it has arrived");
    TAP_OK(spice_link_window_delivered(&self.window, &delivered) && delivered > 0 &&
               delivered <= self.window.given,
           "what has arrived is known");
}

static void test_no_answers(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 1000};
    uint64_t delivered;
    Sender self;

    begin(&self, &options);
    self.silent = true;
    run(&self, 3000000, 6000);
    TAP_OK(self.bytes < 100000, "a client that does not answer is not sent much at first");
    run(&self, 4000000, 6000);
    TAP_OK(self.bytes > 1000000, "but it is not left without anything");
    TAP_OK(!spice_link_window_delivered(&self.window, &delivered),
           "and what has arrived is for others to say");
}

/** Nothing is sent, or the client sleeps, for longer than the periods of the window and any timer. */
static void test_silence(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 100000};
    uint64_t before;
    Sender self;
    double share;

    begin(&self, &options);
    run(&self, 8000000, 6000);
    before = spice_link_window_delay(&self.window);
    for (int second = 0; second < 180; second++) { /* what is sent is not worth a mark */
        self.now += 1000000;
        run(&self, 1000, 0);
        spice_link_window_is_open(&self.window, self.now);
    }
    TAP_OK(spice_link_window_is_open(&self.window, self.now) &&
               spice_link_window_delay(&self.window) == before &&
               spice_link_window_rate(&self.window) > 8e6,
           "what is known of a way outlasts minutes of silence");
    run(&self, 3000000, 6000);
    share = (double)self.bytes * 8 / 3 / options.rate;
    TAP_OK(share > 0.85 && self.most_waiting <= MOST_WAITING,
           "and it is used as before: %.2f of it, %u ms wait", share,
           (unsigned)(self.most_waiting / 1000));
}

static void test_sleeping_client(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 20000};
    uint64_t sent, delivered;
    Sender self;
    double share;

    begin(&self, &options);
    run(&self, 5000000, 6000);
    self.sleeps_until = self.now + 40000000;
    run(&self, 39000000, 6000);
    sent = self.bytes;
    TAP_OK(self.window.n_marks > 0 && !spice_link_window_is_open(&self.window, self.now) &&
               spice_link_window_delivered(&self.window, &delivered),
           "a client that answered before is waited for, with %u marks under way",
           (unsigned)self.window.n_marks);
    TAP_OK(sent < 250000, "and sent no more than its link brought in the time of a window: %u kB",
           (unsigned)(sent / 1000));
    run(&self, 6000000, 6000);
    run(&self, 5000000, 6000);
    share = (double)self.bytes * 8 / 5 / options.rate;
    TAP_OK(share > 0.85 && self.most_waiting <= MOST_WAITING,
           "once it answers, all is as before: %.2f of it, %u ms wait", share,
           (unsigned)(self.most_waiting / 1000));
}

static void test_wrong_answers(void)
{
    const LinkOptions options = {.rate = 10e6, .delay = 1000};
    SpiceLinkWindow before;
    Sender self;

    begin(&self, &options);
    run(&self, 1000000, 6000);
    spice_link_window_is_open(&self.window, self.now);
    before = self.window;
    spice_link_window_answer(&self.window, self.now, 0);
    spice_link_window_answer(&self.window, self.now, self.window.last_id + 1);
    spice_link_window_answer(&self.window, self.now - 1000, UINT32_MAX);
    TAP_OK(memcmp(&before, &self.window, sizeof before) == 0,
           "answers to what was not sent change nothing");
}

static void test_off(void)
{
    SpiceLinkWindow window;

    spice_link_window_init(&window, 0, true);
    spice_link_window_give(&window, 1 << 30, false);
    TAP_OK(spice_link_window_mark(&window, 1) == 0 && spice_link_window_is_open(&window, 2),
           "where it is off, nothing is marked or limited");
}

/** What was sent while a mark was under way, and nothing after it. */
static void test_last_bytes(void)
{
    SpiceLinkWindow window;
    uint64_t delivered;
    uint32_t id;

    spice_link_window_init(&window, 0, false);
    spice_link_window_give(&window, 12000, false);
    id = spice_link_window_mark(&window, 1000);
    spice_link_window_give(&window, 300, false);
    TAP_OK(id > 0 && spice_link_window_mark(&window, 1500) == 0 &&
               spice_link_window_mark_last(&window, 2000) == 0,
           "behind little there is no mark while another is under way");
    spice_link_window_answer(&window, 101000, id);
    id = spice_link_window_mark_last(&window, 140000);
    TAP_OK(id > 0 && spice_link_window_mark_last(&window, 141000) == 0,
           "once that was answered there is one, if it is asked for");
    spice_link_window_answer(&window, 240000, id);
    TAP_OK(spice_link_window_delivered(&window, &delivered) && delivered == 12300 &&
               spice_link_window_mark_last(&window, 250000) == 0,
           "and all is known to have arrived");
}

int main(void)
{
    test_last_bytes();
    test_links();
    test_change();
    test_long_time();
    test_known_rate();
    test_large_message();
    test_no_answers();
    test_silence();
    test_sleeping_client();
    test_wrong_answers();
    test_off();
    return tap_done();
}
