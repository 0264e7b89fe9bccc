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
/* And while more waits than should, what is sent slower, too. */
#define DRAIN      0.95
#define DRAIN_FAST 0.75
/* To so much of what it was a rate may fall in a period. */
#define MOST_FALL 0.6

enum {
    QUEUE = 50000,           /* us that may wait beyond the delay */
    PART = 80000,            /* us, of a large message, that may have arrived without word of it */
    MOST_JITTER = 150000,    /* us by which the delay is taken to be more than the least */
    JITTER_TIME = 1000000,   /* us over which that is taken */
    PERIOD = 2000000,        /* us for which the largest measured rate counts */
    DELAY_PERIOD = 30000000, /* us over which the least delay is taken, twice */
    DRAIN_TIME = 4000000,    /* us, of the end of that, in which it is looked for */
    LATE = 100000,           /* us beyond the queue after which a rate counts at once */
    INTERVAL = 20000,        /* us after which there is a mark, however little was sent */
    FAST_INTERVAL = 100000,  /* us between marks on a fast way */
    PATIENCE = 5000000,      /* us after which a client that never answered is let alone */
    START_SIZE = 64 << 10,   /* bytes, of a way that nothing is known of */
    LEAST_SIZE = 8 << 10,    /* bytes */
    LEAST_LATE = 5000,       /* us beyond the delay that may be anything */
    LEAST_MARKED = 1000,     /* bytes between marks */
    LEAST_MEASURED = 10000,  /* us: what goes alone and takes less tells nothing */
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
    self->least_late = self->least_late_before = INFINITY;
    self->least_more = self->least_more_before = INFINITY;
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
        if (self->delay_next.time != UINT64_MAX) /* else nothing newer is known */
            self->delay = self->delay_next;
        self->delay_next.time = UINT64_MAX;
        self->delay_end = self->now + DELAY_PERIOD;
    }
}

/** us of the way alone, without the time that the bytes take to pass it. */
static double without_bytes(const SpiceLinkWindow *self, const SpiceLinkDelay *delay)
{
    const double time = (double)delay->time;

    if (self->starting || self->rate == 0)
        return time;
    return time - clamp((double)delay->bytes * 8e6 / self->rate, 0, 0.75 * time);
}

uint64_t spice_link_window_delay(const SpiceLinkWindow *self)
{
    const SpiceLinkDelay *least =
        self->delay.time < self->delay_next.time ? &self->delay : &self->delay_next;

    return least->time == UINT64_MAX ? 0 : (uint64_t)without_bytes(self, least);
}

/** Whether less is given than the rate, so that what waits becomes less: else, where something waits
 * all the time, what is the least delay cannot be told from what waits once the known one is old. */
static bool drains(const SpiceLinkWindow *self)
{
    return self->now + DRAIN_TIME >= self->delay_end && self->delay_next.time != UINT64_MAX &&
           self->delay.time != UINT64_MAX &&
           without_bytes(self, &self->delay_next) > without_bytes(self, &self->delay) + LEAST_LATE +
                                                        (double)spice_link_window_jitter(self) / 4;
}

uint64_t spice_link_window_jitter(const SpiceLinkWindow *self)
{
    return (uint64_t)clamp(self->jitter + 0.75 * self->jitter_spread, 0, MOST_JITTER);
}

/** us beyond the least delay for which there may be something under way. */
static double beyond(const SpiceLinkWindow *self)
{
    return QUEUE + (double)spice_link_window_jitter(self);
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

/** Bytes under way that may have arrived: a message is known to have when all of it has. */
static double partly_arrived(const SpiceLinkWindow *self)
{
    const SpiceLinkMark *mark = &self->marks[self->first_mark];
    const uint64_t begin = mark->begin > self->delivered ? mark->begin : self->delivered;

    return self->starting ? 0 : fmin((double)(mark->end - begin), PART * self->rate / 8e6);
}

/** Whether there is room for more under way. */
static bool has_room(const SpiceLinkWindow *self)
{
    /* without marks nothing tells when there is */
    return self->n_marks == 0 || (double)(self->given - self->delivered) - partly_arrived(self) <
                                     (double)spice_link_window_size(self);
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
    return self->off || (has_room(self) && paced_wait(self) <= QUEUE);
}

uint64_t spice_link_window_wait(const SpiceLinkWindow *self)
{
    const uint64_t wait = paced_wait(self);

    return has_room(self) && wait > QUEUE ? wait - QUEUE : MOST_WAIT;
}

/** What is under way waits for no longer than it takes at the rate; and a rate may be wrong. */
static void bound_pace(SpiceLinkWindow *self)
{
    const double under_way = (double)(self->given - self->delivered);
    const double most = self->rate > 0 ? under_way * 8e6 / self->rate : 0;

    self->paced_until = fmin(self->paced_until, (double)self->now + fmin(most, (double)MOST_WAIT));
    self->passed_at = fmin(self->passed_at, (double)self->now + most);
}

/** Counts what was given as waiting, until the way had the time to bring it. */
static void pace(SpiceLinkWindow *self, uint64_t bytes)
{
    const double gain = self->starting  ? 2 * START_PROBE
                        : drains(self)  ? DRAIN_FAST
                        : self->crowded ? DRAIN
                                        : PACE;

    if (self->rate == 0)
        return;
    self->passed_at = fmax(self->passed_at, (double)self->now) + (double)bytes * 8e6 / self->rate;
    if (!is_fast(self))
        self->paced_until =
            fmax(self->paced_until, (double)self->now) + (double)bytes * 8e6 / (gain * self->rate);
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
        .begin = self->marked,
        .time = self->now,
        .delivered = self->delivered,
        .delivered_time = self->delivered_time,
        .delivered_sent = self->delivered_sent,
        .passing = self->passed_at > (double)self->now ? self->passed_at - (double)self->now : 0,
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
        (is_fast(self) || !alone) &&
        self->now - self->mark_time < (is_fast(self) ? FAST_INTERVAL : INTERVAL))
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
    self->least_more_before = self->least_more;
    self->least_late_before = self->least_late;
    self->least_late = self->least_more = INFINITY;
}

static void note_delay(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const uint64_t time = self->now - answered->time;
    /* what others before it took is not known */
    const SpiceLinkDelay delay = {
        time, answered->end - (answered->alone ? answered->delivered : answered->begin)};

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
    /* Jitter makes some late; if all were, the way has less than that rate. */
    const bool all_late = fmin(self->least_late, self->least_late_before) >
                          LEAST_LATE + (double)spice_link_window_jitter(self) / 2;

    if (self->period_rate > 0 && all_late)
        self->rate = fmax(self->period_rate, MOST_FALL * self->rate);
    /* where something waits all the time there is no more */
    self->probes = self->period_rate > 0 && above <= beyond(self);
    self->probe_end = self->now + spice_link_window_delay(self) + QUEUE;
    begin_period(self);
}

static double under_way(const SpiceLinkMark *mark)
{
    return (double)(mark->end - mark->delivered);
}

/** What was delivered from before the mark was sent until it was answered, over the longer of the
 * times in which it was sent and in which it arrived: answers may come in heaps. */
static double measure(const SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    double time = (double)(self->now - answered->delivered_time);
    const double sending = (double)(answered->time - answered->delivered_sent);

    if (answered->alone) {
        const double own = time - (double)spice_link_window_delay(self);

        /* and may take longer, now and then, than what they are of */
        time = fmax(fmax(own, time / 8), (double)spice_link_window_jitter(self) + LEAST_LATE);
    }
    time = fmax(fmax(time, sending), 50);
    return clamp(under_way(answered) * 8e6 / time, LEAST_RATE, MOST_RATE);
}

/** us by which an answer came later than it would have alone at the rate that is known. */
static double lateness(const SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const double own = (double)(answered->end - answered->begin) * 8e6 / self->rate;

    return (double)(self->now - answered->time) - (double)spice_link_window_delay(self) - own;
}

static void note_rate(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const double took = (double)(self->now - answered->time);
    const double delay = (double)spice_link_window_delay(self);
    double rate = measure(self, answered), late;

    if (answered->alone && self->rate > 0 && rate > 2 * self->rate)
        rate = 2 * self->rate;
    if (answered->alone && under_way(answered) * 8e6 < LEAST_MEASURED * self->rate)
        rate = fmin(rate, self->rate);
    if (rate > self->rate) {
        self->rate = rate;
        begin_period(self);
    }
    late = lateness(self, answered);
    self->least_late = fmin(self->least_late, late);
    if (late > LEAST_LATE && rate > self->period_rate)
        self->period_rate = rate;
    if (took > delay + beyond(self) + LATE && delay > 0 && late > 0 &&
        under_way(answered) * 8e6 > self->rate * (delay + QUEUE)) {
        self->rate = rate > self->rate / 2 ? rate : self->rate / 2;
        self->starting = false;
        begin_period(self);
    }
}

/** How much longer an answer took, now and then, than the delay and the bytes before it explain: what
 * the way, or a busy client, adds. What all take longer is a queue. */
static void note_jitter(SpiceLinkWindow *self, const SpiceLinkMark *answered)
{
    const double took = (double)(self->now - answered->time);
    const double delay = (double)spice_link_window_delay(self);
    const double queued = under_way(answered) * 8e6 / self->rate;
    const double more = took - fmax(delay + answered->passing, queued);
    const double weight =
        clamp((double)(self->now - self->delivered_time) / JITTER_TIME, 0.01, 0.125);
    double jitter;

    self->least_more = fmin(self->least_more, more);
    jitter =
        clamp(more - fmax(fmin(self->least_more, self->least_more_before), 0), 0, 2 * MOST_JITTER);
    self->crowded = lateness(self, answered) > QUEUE / 2 + (double)spice_link_window_jitter(self);
    self->jitter_spread += weight * (fabs(jitter - self->jitter) - self->jitter_spread);
    self->jitter += weight * (jitter - self->jitter);
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
    note_jitter(self, &answered);
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
    return self->starting ? 0 : drains(self) ? DRAIN_FAST * self->rate : self->rate;
}
