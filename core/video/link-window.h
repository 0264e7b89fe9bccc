/* How much may be under way to a client on one channel, so that what is drawn next need not wait
 * for long behind it, whatever the kernel, routers and proxies in between would still take.
 *
 * Behind what is sent stands a *mark* here and there, a PING: its answer says that the client has
 * read all before it. From when marks were sent and answered follow the rate of the way (the largest of
 * late), its delay (the least), and its jitter: by how much longer answers take than the delay and what is
 * before them explain. What some take longer is jitter; what all take longer is a queue, and only then
 * the way may have less than the rate that is known. Under way may be what the rate brings in the delay, the
 * jitter (up to 150 ms) and 50 ms; and of what was given no more than 50 ms may be waiting, at that rate.
 *
 * A plain value: no memory of its own, any thread at a time. Times are microseconds of a monotonic
 * clock; one before the last counts as the last. Rates are bits a second.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SPICE_LINK_MARKS = 64, SPICE_LINK_LAST_MARK = 0xffffff };

typedef struct {
    uint32_t id;
    uint64_t end;            /* bytes sent up to it */
    uint64_t begin;          /* and up to the mark before */
    uint64_t time;           /* sent */
    double passing;          /* us for which the way then had something to pass */
    uint64_t delivered;      /* bytes delivered by then */
    uint64_t delivered_time; /* and when that was known */
    uint64_t delivered_sent; /* and when the mark that said so had been sent */
    bool limited;            /* more would have been sent if it had been allowed */
    bool alone;              /* nothing else was under way */
} SpiceLinkMark;

typedef struct {
    uint64_t time;  /* us from a mark to its answer; UINT64_MAX: none yet */
    uint64_t bytes; /* that were under way with it */
} SpiceLinkDelay;

/** Fields are for the functions below only. */
typedef struct {
    uint64_t now;
    uint64_t given;  /* bytes that were handed over */
    uint64_t marked; /* of them, before the last mark */
    uint64_t delivered, delivered_time, delivered_sent;
    SpiceLinkMark marks[SPICE_LINK_MARKS]; /* ring */
    uint32_t first_mark, n_marks, last_id;
    uint64_t mark_time; /* when the last was sent */
    double rate;        /* 0: not known */
    double period_rate; /* the largest of this period, of marks that were answered late */
    /* us beyond the delay and their own bytes, the least of this period and of the one before; and
     * beyond what was before them, too */
    double least_late, least_late_before, least_more, least_more_before;
    uint64_t period_end;              /* us */
    SpiceLinkDelay delay, delay_next; /* least: known, of this period */
    uint64_t delay_end;               /* us, of this period */
    uint64_t period_delay;            /* the least of this period */
    double jitter, jitter_spread;     /* us, means, by which the delay is more than the least */
    uint64_t probe_end;               /* us */
    bool probes;                      /* for more than the rate that is known */
    bool crowded;                     /* more waits than should */
    double passed_at;                 /* us, when the way has passed what was given, at its rate */
    double paced_until;               /* the same, at the rate at which more is given */
    uint64_t round_end;               /* bytes given when the round trip began */
    double round_rate;
    uint32_t steady_rounds;
    bool round_limited;
    bool starting; /* the rate still grows from one round trip to the next */
    bool limited, answered, off;
} SpiceLinkWindow;

/** Begins at `now`; `off`: nothing is marked or limited. */
void spice_link_window_init(SpiceLinkWindow *self, uint64_t now, bool off);

/** The way's rate, or its delay in us, is known otherwise, before anything was sent; 0: it is not. */
void spice_link_window_know(SpiceLinkWindow *self, double rate, uint64_t delay);

/** Whether more may be handed over. False is to be asked again when a mark was answered, or after
 * spice_link_window_wait(): a client that does not answer marks at all is not limited. */
bool spice_link_window_is_open(SpiceLinkWindow *self, uint64_t now);
/** us, at most a second. */
uint64_t spice_link_window_wait(const SpiceLinkWindow *self);

/** So many bytes were handed over; `waited`: not at once, as the window was closed. */
void spice_link_window_give(SpiceLinkWindow *self, uint64_t bytes, bool waited);

/** Whether a mark is to be sent now, behind all that was handed over: its id, 1 to SPICE_LINK_LAST_MARK, or 0. To be asked
 * after each message. */
uint32_t spice_link_window_mark(SpiceLinkWindow *self, uint64_t now);

/** The same where somebody waits for word of the last bytes: with nothing more to send no mark would
 * come behind them. */
uint32_t spice_link_window_mark_last(SpiceLinkWindow *self, uint64_t now);

/** A mark was answered; one that was not sent counts for nothing. */
void spice_link_window_answer(SpiceLinkWindow *self, uint64_t now, uint32_t id);

/** Bytes that the client is known to have read, if that is known from frame to frame: false on fast
 * ways, where marks are rare, and where there are none. */
bool spice_link_window_delivered(const SpiceLinkWindow *self, uint64_t *bytes);

/** The way's rate; 0: not known yet. */
double spice_link_window_rate(const SpiceLinkWindow *self);

/** us of the way there and back, if nothing else is under way; 0: not known yet. */
uint64_t spice_link_window_delay(const SpiceLinkWindow *self);

/** us by which the way takes longer than that now and then, beyond what the bytes under way explain;
 * at most 150 ms. */
uint64_t spice_link_window_jitter(const SpiceLinkWindow *self);

/** Bytes that may be under way. */
uint64_t spice_link_window_size(const SpiceLinkWindow *self);
