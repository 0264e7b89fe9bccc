/* How much of a video stream to send.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/rate-control.h"

#include <math.h>
#include <string.h>

#define LEAST_RATE 64e3
#define MOST_RATE  1e11
/* A frame doubles with so many points of quality, near enough for JPEG; sizes as they come
 * correct what is wrong with it. */
#define DOUBLING 20.0
/* A frame of half the size has so much less as so many points make. */
#define HALF_POINTS 30.0
/* Frames are whole again from so many points above the fair quality on. */
#define WHOLE_ABOVE 12.0
#define PACE        1.2
/* By so much more than the rate is aimed at while nothing waits: less where others look for more, too. */
#define PROBE     1.15
#define OWN_PROBE 1.25

enum {
    WINDOW = 2000000,        /* us for which the largest measured rate counts, or 8 round trips */
    DELAY_PERIOD = 30000000, /* us over which the least delay is taken, twice */
    LATE = 50000,            /* us beyond the queue after which a frame's arrival says: slower */
    VERY_LATE = 250000,      /* the same where there was not enough under way for a jam */
    MOST_DELAY = 10000000,   /* us */
    MOST_JITTER = 200000,    /* us */
    OVERSHOOT = 25000,       /* us by which a frame may take more than is left of the queue */
    MOST_ALONE = 200000,     /* us that a frame may take where nothing else is under way */
    HALVE_AFTER = 1000000,   /* us for which there was no room for whole frames */
    WHOLE_AFTER = 3000000,   /* us for which there would have been */
    STARVED = 1000000,       /* us after which a frame goes out whatever its size */
    REPORT_PAUSE = 1000000,  /* us between two cuts because of reports */
};

void spice_rate_policy_default(SpiceRatePolicy *policy)
{
    *policy = (SpiceRatePolicy){
        .start_rate = 2000000,
        .queue = 60000,
        .best_quality = 85,
        .fair_quality = 35,
        .least_quality = 10,
        .fair_fps = 10,
    };
}

bool spice_rate_control_init(SpiceRateControl *self, const SpiceRatePolicy *policy, uint64_t now,
                             uint64_t pixels)
{
    if (policy->least_quality < 1 || policy->least_quality > policy->fair_quality ||
        policy->fair_quality > policy->best_quality || policy->best_quality > 100 ||
        (double)policy->start_rate < LEAST_RATE || (double)policy->start_rate > MOST_RATE ||
        policy->queue < 10000 || policy->queue > 1000000 || policy->fair_fps < 1 ||
        policy->fair_fps > 1000)
        return false;
    memset(self, 0, sizeof(*self));
    self->policy = *policy;
    self->now = self->delivered_time = self->delivered_sent = self->last_sent = self->last_offer =
        now;
    self->rate = (double)policy->start_rate;
    self->window_end = now + WINDOW;
    self->delay = self->delay_next = self->round_trip = UINT64_MAX;
    self->delay_end = now + DELAY_PERIOD;
    self->interval = 40000;
    self->next_due = (double)now;
    self->size = (double)pixels * 0.1 + 200; /* 0.8 bits a pixel, until one was seen */
    self->quality = policy->fair_quality;
    self->fps = 25;
    self->starting = true;
    return true;
}

static void move_clock(SpiceRateControl *self, uint64_t now)
{
    if (now > self->now)
        self->now = now;
    if (self->now >= self->delay_end) {
        if (self->delay_next != UINT64_MAX) /* else nothing newer is known */
            self->delay = self->delay_next;
        self->delay_next = UINT64_MAX;
        self->delay_end = self->now + DELAY_PERIOD;
    }
}

static void note_delay(SpiceRateControl *self, uint64_t delay)
{
    if (delay < self->delay)
        self->delay = delay;
    if (delay < self->delay_next)
        self->delay_next = delay;
}

/* The link's own delay in us; 0 as long as nothing is known, which lets the least through. */
static double own_delay(const SpiceRateControl *self)
{
    uint64_t delay = self->delay < self->delay_next ? self->delay : self->delay_next;

    if (self->is_told)
        return self->told_delay;
    return delay > MOST_DELAY ? (delay == UINT64_MAX ? 0 : MOST_DELAY) : (double)delay;
}

uint64_t spice_rate_control_backlog(const SpiceRateControl *self)
{
    return self->sent - self->delivered;
}

bool spice_rate_control_undecodable(const SpiceRateControl *self)
{
    return self->undecodable;
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static double size_of(const SpiceRateControl *self, double quality)
{
    return self->size * exp2((quality - 50) / DOUBLING);
}

static double quality_of(const SpiceRateControl *self, double size)
{
    return 50 + DOUBLING * log2(clamp(size, 1, 1e12) / self->size);
}

/* Bytes that may be under way. */
static double budget(const SpiceRateControl *self)
{
    return self->rate / 8e6 * (own_delay(self) + self->jitter + (double)self->policy.queue);
}

/* us for which the link still passes what it was given, if it has its rate. */
static double passing(const SpiceRateControl *self)
{
    return self->passed_at > (double)self->now ? self->passed_at - (double)self->now : 0;
}

/* Bytes that are known to be under way, but for the oldest frame: of it a part may have arrived. */
static double surely_under_way(const SpiceRateControl *self)
{
    const SpiceRateFlight *oldest = &self->flight[self->flight_first];

    return self->flight_count ? (double)(self->sent - oldest->end) : 0;
}

/* Bytes that may be sent now. */
static double room_of(const SpiceRateControl *self)
{
    return fmin(budget(self) - surely_under_way(self),
                self->rate / 8e6 * ((double)self->policy.queue - passing(self)));
}

/* us that wait for sure, beyond the link's own delay. */
static double waiting(const SpiceRateControl *self)
{
    const double wait = surely_under_way(self) * 8e6 / self->rate - own_delay(self) - self->jitter;

    return wait > 0 ? wait : 0;
}

/* The rate to aim at: above the measured one while nothing waits, to see whether there is more. */
static double aim(SpiceRateControl *self)
{
    double wait = waiting(self), queue = (double)self->policy.queue;

    if (wait > 0.3 * queue)
        self->starting = false;
    if (wait > 0.6 * queue)
        return 0.85 * self->rate;
    if (wait > 0.2 * queue || self->now < self->hold_until)
        return 0.95 * self->rate;
    return (self->starting ? 2 : self->is_told ? PROBE : OWN_PROBE) * self->rate;
}

/* Shares the rate between frames and quality: first quality is given up, down to the fair one,
 * then frames, down to the fair number, then quality, then frames. */
static double share_rate(SpiceRateControl *self, double rate)
{
    const SpiceRatePolicy *policy = &self->policy;
    double source = clamp(1e6 / self->interval, 0.5, 1000), bytes = rate / 8;
    double fair_fps = source < policy->fair_fps ? source : policy->fair_fps;
    double fps = source, quality = quality_of(self, bytes / fps), fits;

    self->whole = quality - (self->half ? HALF_POINTS : 0);
    if (quality < policy->fair_quality) {
        fps = clamp(bytes / size_of(self, policy->fair_quality), fair_fps, source);
        quality = quality_of(self, bytes / fps);
    }
    /* what takes too long at once does not go; then more that are smaller may */
    fits = quality_of(self, 0.9 * self->rate / 8e6 * ((double)policy->queue + OVERSHOOT));
    if (self->size_known && quality > fits) {
        quality = fmax(fits, policy->least_quality);
        fps = clamp(bytes / size_of(self, quality), fair_fps, source);
    }
    if (quality < policy->least_quality)
        fps = clamp(bytes / size_of(self, policy->least_quality), 0.5, fps);
    self->fps = fps;
    self->limited = quality < policy->best_quality || fps < source;
    return clamp(quality, policy->least_quality, policy->best_quality);
}

/* Towards `wanted`: down at once if it is far, up slowly, not at all for little, unless something
 * waits. */
static double smooth(double quality, double wanted, bool waits)
{
    if (wanted < quality - 8)
        return wanted;
    if (wanted < quality - (waits ? 0.5 : 3))
        return quality - 1;
    if (wanted > quality + 3)
        return quality + (wanted > quality + 15 ? 2 : 1);
    return quality;
}

/* Frames become half as wide and high, or whole again, if that was better for a while. */
static void choose_size(SpiceRateControl *self)
{
    const double fair = self->policy.fair_quality;
    const bool better = !self->may_halve ? self->half
                        : self->half     ? self->whole > fair + WHOLE_ABOVE
                                         : self->size_known && self->whole < fair;
    const double points = self->half ? -HALF_POINTS : HALF_POINTS;

    if (!better)
        self->since = 0;
    else if (self->since == 0)
        self->since = self->now;
    if (!better || self->now - self->since < (self->half ? WHOLE_AFTER : HALVE_AFTER))
        return;
    self->half = !self->half;
    self->since = 0;
    self->size /= exp2(points / DOUBLING);
    self->quality =
        clamp(self->quality + points, self->policy.least_quality, self->policy.best_quality);
}

/* Whether the oldest frame under way is late by what its bytes and those before it take: the link
 * got slower, or lost something. */
static bool is_stalled(const SpiceRateControl *self)
{
    const SpiceRateFlight *oldest = &self->flight[self->flight_first];
    double expected;

    if (!self->flight_count)
        return false;
    expected = own_delay(self) + (double)(oldest->end - oldest->delivered) * 8e6 / self->rate;
    return (double)(self->now - oldest->time) > expected + self->jitter + LATE;
}

SpiceRateDecision spice_rate_control_offer(SpiceRateControl *self, uint64_t now)
{
    SpiceRateDecision decision = {0};
    double under_way, room, rate, gap;

    move_clock(self, now);
    gap = (double)(self->now - self->last_offer);
    if (gap >= 1000 && !self->knows_source) { /* else it is asked again about the same picture */
        self->interval += (clamp(gap, 1000, 1e6) - self->interval) / 8;
        self->last_offer = self->now;
    }
    if ((double)self->now + self->interval / 2 < self->next_due)
        return (SpiceRateDecision){.half = self->half,
                                   .quality = (uint32_t)self->quality,
                                   .bit_rate = (uint64_t)self->rate,
                                   .fps_milli = (uint32_t)(self->fps * 1000)};
    under_way = (double)spice_rate_control_backlog(self);
    rate = aim(self);
    share_rate(self, rate);
    choose_size(self);
    self->quality = clamp(smooth(self->quality, share_rate(self, rate), rate < self->rate),
                          self->policy.least_quality, self->policy.best_quality);
    room = room_of(self);
    /* The last that nearly fits goes, too: else large frames would leave much of a slow link idle. */
    if (self->size_known && room > 0 && room < 1.2 * size_of(self, self->quality))
        room = fmin(room + self->rate / 8e6 * OVERSHOOT, 1.2 * size_of(self, self->quality));
    if (self->size_known && size_of(self, self->quality) > 0.9 * room) {
        double fits = quality_of(self, 0.9 * room);

        self->limited = true;
        if (under_way > 0 && fits < self->quality - 6)
            room = 0; /* there will be room for a good one soon */
        else
            self->quality = clamp(fits, self->policy.least_quality, self->policy.best_quality);
    } else if (!self->size_known) {
        /* What is not known may be twice as large. */
        self->quality = clamp(fmin(share_rate(self, rate), quality_of(self, 0.5 * room)),
                              self->policy.least_quality, self->policy.best_quality);
    }
    decision.half = self->half;
    decision.quality = (uint32_t)self->quality;
    decision.bit_rate = (uint64_t)rate;
    decision.fps_milli = (uint32_t)(self->fps * 1000);
    decision.max_bytes = self->max_bytes = (uint32_t)clamp(room, 0, 1e9);
    decision.send = !self->undecodable && self->flight_count < SPICE_RATE_FLIGHT && room >= 1 &&
                    !is_stalled(self);
    return decision;
}

/* Whether nothing else is under way: a frame that is too large will not fit better later. */
static bool is_idle(const SpiceRateControl *self, uint32_t bytes)
{
    return self->flight_count == 0 &&
           (bytes * 8e6 / self->rate < MOST_ALONE || self->now - self->last_sent >= STARVED);
}

bool spice_rate_control_encoded(SpiceRateControl *self, uint64_t now, uint32_t bytes)
{
    SpiceRateFlight *frame;
    double size, period = 1e6 / self->fps;

    move_clock(self, now);
    size = clamp(bytes / exp2((floor(self->quality) - 50) / DOUBLING), 1, 1e12);
    self->size = self->size_known
                     ? self->size + (size - self->size) * (size > self->size ? 0.5 : 0.2)
                     : size;
    self->size_known = true;
    if (bytes > self->max_bytes && !is_idle(self, bytes))
        return false;
    if (self->flight_count == SPICE_RATE_FLIGHT)
        return false;
    if (!self->flight_count)
        self->delivered_time = self->delivered_sent = self->now;
    frame = &self->flight[(self->flight_first + self->flight_count++) % SPICE_RATE_FLIGHT];
    self->sent += bytes;
    *frame = (SpiceRateFlight){
        .end = self->sent,
        .bytes = bytes,
        .time = self->now,
        .delivered = self->delivered,
        .delivered_time = self->delivered_time,
        .delivered_sent = self->delivered_sent,
        .limited = (double)spice_rate_control_backlog(self) * 8e6 / self->rate >=
                   own_delay(self) + self->jitter,
        .alone = self->flight_count == 1,
    };
    self->last_sent = self->now;
    /* a little faster, lest a rate that is too low stay so */
    self->passed_at = fmax(self->passed_at, (double)self->now) + bytes * 8e6 / (PACE * self->rate);
    self->next_due = clamp(self->next_due + period, (double)self->now, (double)self->now + period);
    return true;
}

/* A rate measured over one frame. */
static void note_rate(SpiceRateControl *self, const SpiceRateFlight *frame)
{
    double time = (double)(self->now - frame->delivered_time);
    double delay = (double)(self->now - frame->time);
    double sending = (double)(frame->time - frame->delivered_sent);
    double rate, late;

    /* a frame alone: what it took beyond the round trip is the time of its bytes. A round trip is
     * never taken for nearly all of it, lest a wrong one make the link look fast. */
    if (frame->alone && self->round_trip != UINT64_MAX)
        time = fmax(time - (double)self->round_trip, time / 8);
    time = fmax(time, sending); /* answers may come in heaps */
    rate = (double)(self->delivered - frame->delivered) * 8e6 / (time < 100 ? 100 : time);
    rate = clamp(rate, LEAST_RATE, MOST_RATE);
    if (rate > self->rate) {
        self->rate = rate;
        self->window_end = self->now + WINDOW;
        self->window_rate = 0;
    }
    /* it says that there is less only if it came later than it would have alone */
    if (frame->limited && delay > own_delay(self) + frame->bytes * 8e6 / self->rate &&
        rate > self->window_rate)
        self->window_rate = rate;
    late = delay - own_delay(self) - self->jitter - (double)self->policy.queue;
    if (late > (frame->limited ? LATE : VERY_LATE) && self->now >= self->cut_until) {
        self->rate =
            rate > 0.6 * self->rate ? (rate < self->rate ? rate : self->rate) : 0.6 * self->rate;
        self->cut_until = self->now + (uint64_t)own_delay(self) + self->policy.queue;
        self->starting = false;
        self->window_rate = 0;
        self->window_end = self->now + WINDOW;
    }
}

void spice_rate_control_delivered(SpiceRateControl *self, uint64_t now, uint64_t total)
{
    move_clock(self, now);
    if (total > self->sent)
        total = self->sent;
    if (total <= self->delivered)
        return;
    self->delivered = total;
    while (self->flight_count && self->flight[self->flight_first].end <= total) {
        SpiceRateFlight frame = self->flight[self->flight_first];

        self->flight_first = (self->flight_first + 1) % SPICE_RATE_FLIGHT;
        self->flight_count--;
        note_delay(self, self->now - frame.time);
        if (!self->is_told)
            note_rate(self, &frame);
        self->delivered_sent = frame.time;
    }
    self->delivered_time = self->now;
    self->passed_at =
        fmin(self->passed_at,
             (double)self->now + (double)spice_rate_control_backlog(self) * 8e6 / self->rate);
    if (!self->is_told && self->now >= self->window_end) {
        /* frames smaller than the rate allows measure nothing but themselves */
        if (self->window_rate > 0)
            self->rate = clamp(self->window_rate, 0.7 * self->rate, self->rate);
        self->window_rate = 0;
        self->window_end =
            self->now + (uint64_t)clamp(8 * own_delay(self), WINDOW, 8.0 * MOST_DELAY);
    }
}

void spice_rate_control_round_trip(SpiceRateControl *self, uint64_t now, uint64_t round_trip)
{
    move_clock(self, now);
    note_delay(self, round_trip);
    if (round_trip < self->round_trip)
        self->round_trip = round_trip;
}

void spice_rate_control_source(SpiceRateControl *self, uint64_t interval)
{
    self->knows_source = interval > 0;
    if (self->knows_source)
        self->interval = clamp((double)interval, 1000, 1e6);
}

void spice_rate_control_allow_half(SpiceRateControl *self, bool allowed)
{
    self->may_halve = allowed;
}

void spice_rate_control_link(SpiceRateControl *self, uint64_t now, const SpiceRateLink *link)
{
    move_clock(self, now);
    self->jitter = clamp((double)link->jitter, 0, MOST_JITTER);
    self->is_told = link->rate > 0;
    if (!self->is_told)
        return;
    self->starting = false;
    self->told_rate = clamp(link->rate, LEAST_RATE, MOST_RATE);
    self->told_delay = clamp((double)link->delay, 0, MOST_DELAY);
    self->rate = self->told_rate;
}

void spice_rate_control_report(SpiceRateControl *self, uint64_t now, const SpiceRateReport *report)
{
    double margin = report->last_frame_delay;

    move_clock(self, now);
    if (!report->num_frames) {
        self->undecodable |= report->num_drops == UINT32_MAX;
        return;
    }
    if ((report->num_drops || margin < 0) && self->now >= self->cut_until) {
        self->rate = clamp(0.8 * self->rate, LEAST_RATE, MOST_RATE);
        self->cut_until = self->now + REPORT_PAUSE;
        self->hold_until = self->now + REPORT_PAUSE;
        self->starting = false;
    } else if (margin < 0.5 * self->margin_best) {
        self->hold_until = self->now + REPORT_PAUSE;
    }
    /* what was best fades, so that a new delay at the client is not taken for a jam for ever */
    self->margin_best =
        margin > self->margin_best ? margin : self->margin_best + (margin - self->margin_best) / 16;
}
