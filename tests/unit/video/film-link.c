/* A film on its way.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "film-link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 1000,     /* us between two looks of the sender */
    FRAME = 40000,   /* us */
    LETTER = 330000, /* us */
    ENCODING = 4000, /* us */
    LETTER_SIZE = 260,
    PING = 18, /* bytes, and its answer */
};

static double chance(FilmLink *self)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(self->random >> 33) * 0x1p-31;
}

void film_link_begin(FilmLink *self, const LinkOptions *options, bool known)
{
    SpiceRatePolicy policy;

    memset(self, 0, sizeof(*self));
    self->now = self->frame_due = self->letter_due = 5000000;
    self->random = 7;
    self->size = 20000;
    link_way_init(&self->way, options, 1);
    link_way_init(&self->back, options, 2);
    spice_link_window_init(&self->window, self->now, false);
    if (known)
        spice_link_window_know(&self->window, options->rate, 2 * options->delay);
    spice_rate_policy_default(&policy);
    policy.start_rate = known ? (uint64_t)options->rate : 10000000;
    if (!spice_rate_control_init(&self->control, &policy, self->now, 640 * 360))
        exit(99);
}

/** us that a new byte would have to wait before it has passed. */
static double waiting(const FilmLink *self)
{
    const double busy =
        self->way.free_at > (double)self->now ? self->way.free_at - (double)self->now : 0;
    const double rate = self->way.options.rate;

    return busy + (rate > 0 ? (double)self->unsent * 8e6 / rate : 0);
}

static void answer_mark(FilmLink *self, uint32_t id, uint64_t arrival)
{
    unsigned at = (self->first_answer + self->n_answers) % FILM_LINK_MESSAGES;

    if (id == 0 || self->silent)
        return;
    if (self->n_answers++ == FILM_LINK_MESSAGES)
        exit(99);
    self->answers[at].id = id;
    self->answers[at].time = link_way_pass(&self->back, &self->back_flow, arrival, PING);
}

/** The link takes what it is ready for. */
static void pass_on(FilmLink *self)
{
    while (self->n_messages > 0 && link_way_ready(&self->way, &self->flow) <= self->now) {
        FilmLinkMessage *message = &self->messages[self->first_message];
        const size_t most = link_way_quantum(&self->way);
        const size_t part = message->left < most ? message->left : most;
        const uint64_t arrival = link_way_pass(&self->way, &self->flow, self->now, part);

        message->left -= part;
        self->unsent -= part;
        if (message->left > 0)
            continue;
        if (message->is_letter && self->n_letters < FILM_LINK_LETTERS)
            self->letters[self->n_letters++] =
                (double)(arrival - message->drawn - self->way.options.delay) / 1e3;
        if (message->is_frame) {
            if (self->n_ages < FILM_LINK_MESSAGES)
                self->ages[self->n_ages++] =
                    (double)(arrival - message->drawn - self->way.options.delay) / 1e3;
            if (self->last_arrival > 0)
                self->longest_gap = fmax(self->longest_gap, (double)arrival - self->last_arrival);
            self->last_arrival = (double)arrival;
        }
        answer_mark(self, message->mark, arrival);
        self->first_message = (self->first_message + 1) % FILM_LINK_MESSAGES;
        self->n_messages--;
    }
}

static void hand_over(FilmLink *self, FilmLinkMessage message)
{
    if (self->n_messages == FILM_LINK_MESSAGES)
        exit(99);
    message.left = message.size;
    self->unsent += message.size;
    self->messages[(self->first_message + self->n_messages++) % FILM_LINK_MESSAGES] = message;
}

static bool is_open(FilmLink *self)
{
    const bool open = spice_link_window_is_open(&self->window, self->now);

    self->waited |= !open;
    return open;
}

static void send_message(FilmLink *self, FilmLinkMessage message)
{
    spice_link_window_give(&self->window, message.size, self->waited);
    self->bytes += message.size;
    self->waited = false;
    message.mark = spice_link_window_mark(&self->window, self->now);
    hand_over(self, message);
}

static void note_delivered(FilmLink *self)
{
    uint64_t delivered;

    if (!spice_link_window_delivered(&self->window, &delivered))
        delivered = self->window.given - self->unsent; /* the kernel's word */
    for (; self->n_ends > 0 && self->ends[self->first_end].on_channel <= delivered;
         self->n_ends--) {
        self->stream_delivered = self->ends[self->first_end].of_stream;
        self->first_end = (self->first_end + 1) % SPICE_RATE_FLIGHT;
    }
    spice_rate_control_delivered(&self->control, self->now, self->stream_delivered);
}

static void send_frame(FilmLink *self)
{
    const unsigned at = (self->first_end + self->n_ends) % SPICE_RATE_FLIGHT;

    send_message(self, (FilmLinkMessage){
                           .size = self->encoded, .is_frame = true, .drawn = self->encoded_drawn});
    self->stream_sent += self->encoded;
    if (self->n_ends++ == SPICE_RATE_FLIGHT)
        exit(99);
    self->ends[at].on_channel = self->window.given;
    self->ends[at].of_stream = self->stream_sent;
    self->encoded = 0;
    self->frames++;
    self->halves += self->half;
    self->quality_sum += self->quality;
}

static void tell_link(FilmLink *self)
{
    const SpiceLinkWindow *window = &self->window;
    const SpiceRateLink link = {
        .rate = spice_link_window_rate(window),
        .delay = spice_link_window_delay(window),
        .jitter = spice_link_window_jitter(window),
    };

    if (link.delay > 0)
        spice_rate_control_round_trip(&self->control, self->now, link.delay);
    spice_rate_control_link(&self->control, self->now, &link);
}

static void begin_frame(FilmLink *self)
{
    SpiceRateDecision decision;
    uint32_t mark;

    self->frame_there = false;
    note_delivered(self);
    tell_link(self);
    spice_rate_control_source(&self->control, FRAME);
    decision = spice_rate_control_offer(&self->control, self->now);
    if (decision.send) {
        self->quality = decision.quality;
        self->changes += decision.half != self->half;
        self->half = decision.half;
        self->encoded_at = self->now + ENCODING;
        self->encoded_drawn = self->frame_drawn;
    }
    mark = spice_link_window_mark_last(&self->window, self->now);
    if (mark)
        hand_over(self, (FilmLinkMessage){.size = PING, .mark = mark});
}

/** What the thread that sends does as long as nothing makes it wait. */
static void work(FilmLink *self)
{
    for (;;) {
        if (self->encoded > 0) { /* it waits in sending */
            if (!is_open(self))
                return;
            send_frame(self);
        }
        if (self->encoded_at > 0 && self->now >= self->encoded_at) {
            const double size = self->size * (self->half ? 0.35 : 1) *
                                exp2(((int)self->quality - 50) / 17.0) * (0.9 + 0.2 * chance(self));

            self->encoded_at = 0;
            if (spice_rate_control_encoded(&self->control, self->now, (uint32_t)size)) {
                self->encoded = (size_t)size;
                continue;
            }
        }
        if ((!self->letter_there && (!self->frame_there || self->encoded_at > 0)) || !is_open(self))
            return;
        if (self->letter_there) {
            self->letter_there = false;
            send_message(self, (FilmLinkMessage){.size = LETTER_SIZE,
                                                 .is_letter = true,
                                                 .drawn = self->letter_drawn});
        } else {
            begin_frame(self);
        }
    }
}

static void take_answers(FilmLink *self)
{
    while (self->n_answers > 0 && self->answers[self->first_answer].time <= self->now) {
        spice_link_window_answer(&self->window, self->answers[self->first_answer].time,
                                 self->answers[self->first_answer].id);
        self->first_answer = (self->first_answer + 1) % FILM_LINK_MESSAGES;
        self->n_answers--;
    }
}

static void draw(FilmLink *self)
{
    if (self->now >= self->frame_due) {
        self->frame_there = true;
        self->frame_drawn = self->now;
        self->frame_due += FRAME;
    }
    if (self->types && self->now >= self->letter_due && !self->letter_there) {
        self->letter_there = true;
        self->letter_drawn = self->now;
        self->letter_due += LETTER + (uint64_t)(chance(self) * FRAME);
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

FilmLinkSeen film_link_run(FilmLink *self, uint64_t time)
{
    const uint64_t end = self->now + time;
    FilmLinkSeen seen = {0};

    self->bytes = 0;
    self->frames = self->halves = self->changes = self->n_letters = self->n_ages = 0;
    self->longest_gap = 0;
    self->most_waiting = self->quality_sum = 0;
    for (; self->now < end; self->now += STEP) {
        take_answers(self);
        draw(self);
        work(self);
        pass_on(self);
        self->most_waiting = fmax(self->most_waiting, waiting(self));
    }
    seen.fps = self->frames * 1e6 / (double)time;
    seen.quality = self->frames > 0 ? self->quality_sum / self->frames : 0;
    seen.half = self->frames > 0 ? (double)self->halves / self->frames : 0;
    seen.changes = self->changes;
    seen.waiting = self->most_waiting / 1e3;
    seen.use = self->way.options.rate > 0
                   ? (double)self->bytes * 8e6 / (double)time / self->way.options.rate
                   : 0;
    qsort(self->ages, self->n_ages, sizeof *self->ages, compare);
    if (self->n_ages > 0) {
        seen.age = self->ages[self->n_ages / 2];
        seen.age_late = self->ages[self->n_ages * 95 / 100];
    }
    seen.gap = self->longest_gap / 1e3;
    qsort(self->letters, self->n_letters, sizeof *self->letters, compare);
    if (self->n_letters > 0) {
        seen.letter = self->letters[self->n_letters - 1];
        seen.letter_median = self->letters[self->n_letters / 2];
    }
    return seen;
}
