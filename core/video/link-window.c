/* How much may be under way to a client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/link-window.h"

#include <math.h>
#include <string.h>

#define LEAST_RATE 64e3
#define MOST_RATE  1e11
/* From here on TCP's own word is good enough, marks are rare, and each costs two wake-ups. */
#define FAST_RATE 50e6
/* By so much more is tried once in a period, and in each round trip at first. */
#define PROBE       1.15
#define START_PROBE 2.0
/* By so much a rate has to grow in a round trip, lest the start be over. */
#define GROWTH 1.25
/* What is sent faster than the rate is counted as waiting; a little faster, lest a rate that is too
 * low stay so. */
#define PACE 1.2

enum {
    QUEUE = 50000,           /* us that may wait beyond the delay */
    MOST_UNSTEADY = 60000,   /* us by which the delay is taken to be more than the least */
    PERIOD = 2000000,        /* us for which the largest measured rate counts */
    DELAY_PERIOD = 30000000, /* us over which the least delay is taken, twice */
    LATE = 100000,           /* us beyond the queue after which a rate counts at once */
    FAST_INTERVAL = 100000,  /* us between marks on a fast way */
    PATIENCE = 5000000,      /* us after which a client that never answered is let alone */
    START_SIZE = 64 << 10,   /* bytes, of a way that nothing is known of */
    LEAST_SIZE = 8 << 10,    /* bytes */
    LEAST_MARKED = 1000,     /* bytes between marks */
    MARKS_A_WINDOW = 32,
    STEADY_ROUNDS = 2,   /* without growth, after which the start is over */
    MOST_WAIT = 1000000, /* us */
};

void spice_link_window_init(SpiceLinkWindow *self, uint64_t now, bool off)
{
    memset(self, 0, sizeof(*self));
    self->now = self->delivered_time = self->delivered_sent = self->mark_time = now;
    self->delay.time = self->delay_next.time = self->period_delay = UINT64_MAX;
    self->period_end = now + PERIOD;
    self->delay_end = now + DELAY_PERIOD;
    self->starting = true;
    self->off = off;
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

void spice_link_window_know(SpiceLinkWindow *self, double rate, uint64_t delay)
{
    if (rate > 0) {
        self->rate = clamp(rate, LEAST_RATE, MOST_RATE);
        self->starting = false;
    }
    if (delay > 0)
        self->delay = self->delay_next = (SpiceLinkDelay){.time = delay};
}

static void move_clock(SpiceLinkWindow *self, uint64_t now)
{
    if (now > self->now)
        self->now = now;
    if (self->now >= self->delay_end) {
        self->delay = self->delay_next;
        self->delay_next.time = UINT64_MAX;
        self->delay_end = self->now + DELAY_PERIOD;
    }
}

/** us of the way alone, without the time that the bytes take to pass it. */
uint64_t spice_link_window_delay(const SpiceLinkWindow *self)
{
    const SpiceLinkDelay *least =
        self->delay.time < self->delay_next.time ? &self->delay : &self->delay_next;
    double passing;

    if (least->time == UINT64_MAX)
        return 0;
    if (self->starting || self->rate == 0)
        return least->time;
    passing = (double)least->bytes * 8e6 / self->rate;
    return least->time - (uint64_t)clamp(passing, 0, 0.75 * (double)least->time);
}

/** us beyond the least delay for which there may be something under way. An unsteady way is one that
 * takes longer than the least all the time, and for longer than what waits on it explains. */
static double beyond(const SpiceLinkWindow *self)
{
    return QUEUE + self->unsteady;
}

uint64_t spice_link_window_size(const SpiceLinkWindow *self)
{
    const double gain = self->starting ? START_PROBE : self->probes ? PROBE : 1;
    const double size =
        gain * self->rate / 8e6 * ((double)spice_link_window_delay(self) + beyond(self));

    return (uint64_t)clamp(size, self->starting ? START_SIZE : LEAST_SIZE, 1e12);
}

static bool is_fast(const SpiceLinkWindow *self)
{
    return self->rate >= FAST_RATE;
}

/** Whether there is room for more under way. */
static bool has_room(const SpiceLinkWindow *self)
{
    /* without marks nothing tells when there is */
    return self->n_marks == 0 || self->given - self->delivered < spice_link_window_size(self);
}

/** us that what was given waits, if the way has its rate. */
static uint64_t paced_wait(const SpiceLinkWindow *self)
{
    return self->paced_until > (double)self->now ? (uint64_t)self->paced_until - self->now : 0;
}

bool spice_link_window_is_open(SpiceLinkWindow *self, uint64_t now)
{
    move_clock(self, now);
    if (self->n_marks > 0 && !self->answered &&
        self->now - self->marks[self->first_mark].time > PATIENCE)
        self->off = true;
    return self->off || (has_room(self) && (double)paced_wait(self) <= beyond(self));
}

uint64_t spice_link_window_wait(const SpiceLinkWindow *self)
{
    const uint64_t wait = paced_wait(self), may = (uint64_t)beyond(self);

    return has_room(self) && wait > may ? wait - may : MOST_WAIT;
}

/** What is under way waits for no longer than it takes at the rate; and a rate may be wrong. */
static void bound_pace(SpiceLinkWindow *self)
{
    const double under_way = (double)(self->given - self->delivered);
    const double most = self->rate > 0 ? under_way * 8e6 / self->rate : 0;

    self->paced_until = fmin(self->paced_until, (double)self->now + fmin(most, (double)MOST_WAIT));
}

/** Counts what was given as waiting, until the way had the time to bring it. */
static void pace(SpiceLinkWindow *self, uint64_t bytes)
{
    const double gain = self->starting ? 2 * START_PROBE : PACE;

    if (self->rate == 0 || is_fast(self))
        return;
    if (self->paced_until < (double)self->now)
        self->paced_until = (double)self->now;
    self->paced_until += (double)bytes * 8e6 / (gain * self->rate);
    bound_pace(self);
}

void spice_link_window_give(SpiceLinkWindow *self, uint64_t bytes, bool waited)
{
    self->given += bytes;
    self->limited |= waited;
    pace(self, bytes);
}

static uint32_t set_mark(SpiceLinkWindow *self)
{
    const bool alone = self->n_marks == 0;

    self->last_id = self->last_id % SPICE_LINK_LAST_MARK + 1;
    if (alone)
        self->delivered_time = self->delivered_sent = self->now;
    self->marks[(self->first_mark + self->n_marks++) % SPICE_LINK_MARKS] = (SpiceLinkMark){
        .id = self->last_id,
        .end = self->given,
        .time = self->now,
        .delivered = self->delivered,
        .delivered_time = self->delivered_time,
        .delivered_sent = self->delivered_sent,
        .limited = self->limited,
        .alone = alone,
    };
    self->limited = false;
    self->marked = self->given;
    self->mark_time = self->now;
    return self->last_id;
}

uint32_t spice_link_window_mark(SpiceLinkWindow *self, uint64_t now)
{
    const uint64_t size = spice_link_window_size(self), unmarked = self->given - self->marked;
    const bool alone = self->n_marks == 0;

    move_clock(self, now);
    if (self->off || self->n_marks == SPICE_LINK_MARKS || unmarked < LEAST_MARKED)
        return 0;
    /* When the window is closed there has to be one, lest it stay so. */
    if (unmarked < size / MARKS_A_WINDOW && self->given - self->delivered < size &&
        (is_fast(self) || !alone) && self->now - self->mark_time < FAST_INTERVAL)
        return 0;
    return set_mark(self);
}

uint32_t spice_link_window_mark_last(SpiceLinkWindow *self, uint64_t now)
{
    move_clock(self, now);
    if (self->off || is_fast(self) || self->n_marks > 0 || self->given == self->marked)
        return 0;
    return set_mark(self);
}

static void begin_period(SpiceLinkWindow *self)
{
    self->period_rate = 0;
    self->period_delay = UINT64_MAX;
    self->period_end = self->now + PERIOD;
}

static void note_delay(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const uint64_t time = self->now - answered->time;
    /* what others took is not known */
    const SpiceLinkDelay delay = {time, answered->alone ? answered->end - answered->delivered : 0};

    if (time < self->delay.time)
        self->delay = delay;
    if (time < self->delay_next.time)
        self->delay_next = delay;
    if (time < self->period_delay)
        self->period_delay = time;
}

static void end_period(SpiceLinkWindow *self)
{
    const double above = (double)self->period_delay - (double)spice_link_window_delay(self);

    /* what was not limited by the way measures nothing but itself */
    if (self->period_rate > 0)
        self->rate = self->period_rate;
    /* our own queue explains some of it, and half as much again is taken off lest it keep itself up */
    if (self->period_delay != UINT64_MAX)
        self->unsteady = clamp(above - 1.5 * QUEUE, 0, MOST_UNSTEADY);
    /* where something waits all the time there is no more */
    self->probes = self->period_rate > 0 && above <= beyond(self);
    self->probe_end = self->now + spice_link_window_delay(self) + QUEUE;
    begin_period(self);
}

/** What was delivered from before the mark was sent until it was answered, over the longer of the
 * times in which it was sent and in which it arrived: answers may come in heaps. */
static double measure(const SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    double time = (double)(self->now - answered->delivered_time);
    const double sending = (double)(answered->time - answered->delivered_sent);

    if (answered->alone) {
        const double own = time - (double)spice_link_window_delay(self);

        time = own > time / 8 ? own : time / 8;
    }
    if (time < sending)
        time = sending;
    return clamp((double)(answered->end - answered->delivered) * 8e6 / (time < 50 ? 50 : time),
                 LEAST_RATE, MOST_RATE);
}

static void note_rate(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const double delay = (double)(self->now - answered->time);
    double rate = measure(self, answered);

    if (answered->alone && self->rate > 0 && rate > 2 * self->rate)
        rate = 2 * self->rate;
    if (rate > self->rate) {
        self->rate = rate;
        begin_period(self);
    } else if (answered->limited && rate > self->period_rate) {
        self->period_rate = rate;
    }
    if (answered->limited && spice_link_window_delay(self) > 0 &&
        delay > (double)spice_link_window_delay(self) + beyond(self) + LATE) {
        self->rate = rate > self->rate / 2 ? rate : self->rate / 2;
        self->starting = false;
        begin_period(self);
    }
}

/** A round trip is over when what was given at its beginning has arrived. The start is when the way,
 * with always something to send, has become no faster for some. */
static void note_round(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    self->round_limited |= answered->limited;
    if (answered->end < self->round_end)
        return;
    if (self->rate >= GROWTH * self->round_rate)
        self->steady_rounds = 0;
    else if (self->round_limited && ++self->steady_rounds >= STEADY_ROUNDS)
        self->starting = false;
    self->round_rate = self->rate;
    self->round_end = self->given;
    self->round_limited = false;
}

void spice_link_window_answer(SpiceLinkWindow *self, uint64_t now, uint32_t id)
{
    uint32_t n = 0;
    SpiceLinkMark answered;

    move_clock(self, now);
    while (n < self->n_marks && self->marks[(self->first_mark + n) % SPICE_LINK_MARKS].id != id)
        n++;
    if (n == self->n_marks)
        return;
    /* the channel keeps their order: those before it have been read, too */
    answered = self->marks[(self->first_mark + n) % SPICE_LINK_MARKS];
    self->first_mark = (self->first_mark + n + 1) % SPICE_LINK_MARKS;
    self->n_marks -= n + 1;
    self->answered = true;
    note_rate(self, &answered);
    if (self->starting)
        note_round(self, &answered);
    note_delay(self, &answered);
    if (self->now >= self->probe_end)
        self->probes = false;
    if (self->now >= self->period_end)
        end_period(self);
    self->delivered = answered.end;
    self->delivered_time = self->now;
    self->delivered_sent = answered.time;
    bound_pace(self);
}

bool spice_link_window_delivered(const SpiceLinkWindow *self, uint64_t *bytes)
{
    *bytes = self->delivered;
    return !self->off && !is_fast(self);
}

double spice_link_window_rate(const SpiceLinkWindow *self)
{
    return self->starting ? 0 : self->rate;
}
