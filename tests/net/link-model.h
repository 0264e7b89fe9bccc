/* A link that can be had again: rate, delay, jitter and loss as a TCP connection over it feels them.
 * No sockets and no clock: times are handed in, and chance is a sequence that a seed begins.
 *
 * Bytes come in segments of LINK_SEGMENT. Each passes the narrow place, which all connections of one
 * way share, then takes the delay and a random part of the jitter. What overtook is held until what
 * was before it has come, as TCP does. A lost segment comes once more, a round trip later, and so
 * does all that follows it on its connection; the connection's window is halved, and grows by one
 * segment a round trip, so that it is slower than the link for a while (Reno).
 *
 * Times are microseconds.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_SEGMENT = 1448, LINK_MOST_AT_ONCE = 128 << 10 };

typedef struct {
    double rate;     /* bits a second; 0: without limit */
    uint64_t delay;  /* of one way */
    uint64_t jitter; /* at most, on top of it */
    double loss;     /* 0 .. 0.5, of segments */
} LinkOptions;

/** Reads one option of `--rate 2mbit`, `--delay 20ms`, `--jitter 100ms`, `--loss 1%`; units are bit,
 * kbit, mbit, gbit; us, ms, s; and %. False, and nothing changed, if it is none of these or out of
 * bounds: rates from 8 kbit/s (0: none), times up to 10 s, loss up to 50 %. */
bool link_options_read(LinkOptions *options, const char *name, const char *value);

/** One way of a link. */
typedef struct {
    LinkOptions options;
    uint64_t random;
    double free_at; /* when the narrow place is done with all that it was given */
    uint64_t bytes, segments, lost;
} LinkWay;

void link_way_init(LinkWay *way, const LinkOptions *options, uint64_t seed);

/** One way of a connection over it; zero at first. */
typedef struct {
    double window;     /* segments; 0: no loss yet, so it is as large as is needed */
    double ready_at;   /* when the window lets more through */
    uint64_t grown_at; /* until when the window's growth has been counted */
    uint64_t last_arrival;
} LinkFlow;

/** When the way takes more from that connection; what is not later than now is now. */
uint64_t link_way_ready(const LinkWay *way, const LinkFlow *flow);

/** How many bytes to hand over at once at most: what passes in a millisecond, at least a segment. */
size_t link_way_quantum(const LinkWay *way);

/** So many bytes are given to the way at `now`, when it was ready: when they have arrived. */
uint64_t link_way_pass(LinkWay *way, LinkFlow *flow, uint64_t now, size_t bytes);
