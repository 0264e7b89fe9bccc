/* How much of a video stream to send: frames a second, quality and bit rate, and which frames to
 * drop before they are encoded, so that no more than a tenth of a second waits on the way.
 *
 * The rate of the link is measured from what arrives: bytes delivered between the sending of a
 * frame and its arrival, over that time (less the round trip for a frame that went alone); the
 * largest of the last seconds counts. Who knows the rate better tells it. A frame is let
 * through only while what is under way fits the link's own delay and jitter plus `queue`. Quality
 * follows from the rate by a model of the encoder, learned from the sizes it gives.
 *
 * A plain value: no memory of its own, any thread at a time. Times are microseconds of a monotonic
 * clock; one before the last counts as the last. Rates are bits a second.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t start_rate;    /* until something was measured [2 000 000] */
    uint64_t queue;         /* us that may wait beyond the link's own delay [60 000] */
    uint32_t best_quality;  /* 1 .. 100, as JPEG counts [85] */
    uint32_t fair_quality;  /* below this, frames are given up first [35] */
    uint32_t least_quality; /* [10] */
    uint32_t fair_fps;      /* frames are not given up below this, quality is, to the least [10] */
} SpiceRatePolicy;

void spice_rate_policy_default(SpiceRatePolicy *policy);

/** Of SPICE_MSGC_DISPLAY_STREAM_REPORT. */
typedef struct {
    uint32_t num_frames;
    uint32_t num_drops; /* frames that came too late; UINT32_MAX with 0 frames: cannot decode */
    int32_t last_frame_delay; /* ms left when the last frame came */
    uint32_t audio_delay;     /* ms; UINT32_MAX: no audio, which says nothing */
} SpiceRateReport;

/** What is known of the link otherwise than by frames. */
typedef struct {
    double rate;     /* 0: not known; frames tell */
    uint64_t delay;  /* us; there and back, if nothing waits */
    uint64_t jitter; /* us that it takes longer now and then; more than 200 ms counts as that */
} SpiceRateLink;

/** About the picture that is there now. */
typedef struct {
    bool send;          /* else drop it unencoded */
    uint32_t quality;   /* 1 .. 100 */
    uint64_t bit_rate;  /* for encoders that keep one */
    uint32_t fps_milli; /* frames in 1000 s that are aimed at */
    uint32_t max_bytes; /* a larger one will not be let through */
    bool half;          /* half as wide and high */
} SpiceRateDecision;

enum { SPICE_RATE_FLIGHT = 256 }; /* frames under way, at most */

typedef struct {
    uint64_t end;            /* bytes sent up to its end */
    uint64_t time;           /* us, sent */
    uint64_t delivered;      /* bytes delivered by then */
    uint64_t delivered_time; /* us, and when that was known */
    uint64_t delivered_sent; /* us, and when the last of them had been sent */
    uint32_t bytes;
    bool limited; /* with it there was as much under way as the link holds */
    bool alone;   /* nothing else was under way */
} SpiceRateFlight;

/** Fields are for the functions below only. */
typedef struct {
    SpiceRatePolicy policy;
    uint64_t now;
    uint64_t sent, delivered, delivered_time, delivered_sent, last_sent;
    SpiceRateFlight flight[SPICE_RATE_FLIGHT]; /* ring */
    uint32_t flight_first, flight_count;
    double rate;                           /* of the link, bits/s */
    double window_rate;                    /* largest of this window, of limited frames */
    uint64_t window_end;                   /* us */
    uint64_t delay, delay_next, delay_end; /* least round trip: known, of this period; its end */
    uint64_t round_trip;                   /* us, least of PINGs; UINT64_MAX: unknown */
    double jitter;                         /* us */
    double told_rate, told_delay;          /* by others; us */
    uint64_t hold_until;                   /* us: no growth before */
    uint64_t cut_until;                    /* us: no other cut before */
    uint64_t last_offer;                   /* us */
    double interval;                       /* us between pictures of the source */
    double next_due;                       /* us */
    double passed_at;                      /* us, when the link has passed all, at its rate */
    double size;                           /* bytes of a frame of quality 50 */
    double quality;                        /* of the last decision */
    uint32_t max_bytes;
    double fps;
    double margin_best; /* ms, largest of late */
    double whole;       /* quality that whole frames could have, if none were given up */
    uint64_t since;     /* us: for so long the other size would have been better; 0: it is not */
    bool may_halve, half;
    bool size_known, starting, limited, is_told, knows_source, undecodable;
} SpiceRateControl;

/** Begins at `now` for pictures of `pixels`. False, and nothing done, if the policy is out of
 * bounds: qualities 1 <= least <= fair <= best <= 100, rate 64 000 .. 10^11, queue 10 000 ..
 * 10^6, fps 1 .. 1000. */
bool spice_rate_control_init(SpiceRateControl *self, const SpiceRatePolicy *policy, uint64_t now,
                             uint64_t pixels);

/** A picture is there: call for every one that the source has. */
SpiceRateDecision spice_rate_control_offer(SpiceRateControl *self, uint64_t now);

/** The picture was encoded as decided. Whether to send it; if not, ask spice_rate_control_offer()
 * once more for a lower quality, or drop it. */
bool spice_rate_control_encoded(SpiceRateControl *self, uint64_t now, uint32_t bytes);

/** The peer, or the kernel for it, has `total` bytes of the stream since the beginning. */
void spice_rate_control_delivered(SpiceRateControl *self, uint64_t now, uint64_t total);

/** A PING came back after `round_trip` us. */
void spice_rate_control_round_trip(SpiceRateControl *self, uint64_t now, uint64_t round_trip);

/** How many us there are between two pictures of the source, if that is known otherwise; else the offers
 * tell, of which there may be fewer while nothing can be sent. 0: it is not. */
void spice_rate_control_source(SpiceRateControl *self, uint64_t interval);

/** Whether frames may be half as wide and high. At first they may not. Before frames are given up, or
 * quality below the fair one, they become so, and are whole again when there is room for that. */
void spice_rate_control_allow_half(SpiceRateControl *self, bool allowed);

/** What is known of the link by others. */
void spice_rate_control_link(SpiceRateControl *self, uint64_t now, const SpiceRateLink *link);

void spice_rate_control_report(SpiceRateControl *self, uint64_t now, const SpiceRateReport *report);

/** Bytes sent and not known to be delivered. */
uint64_t spice_rate_control_backlog(const SpiceRateControl *self);

/** Whether the peer said that it cannot decode the stream: it is to go on as ordinary draws. */
bool spice_rate_control_undecodable(const SpiceRateControl *self);
