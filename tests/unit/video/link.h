/* A link that can be had again: rate, delay, jitter and loss, in order as TCP delivers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

enum { LINK_FRAMES = 512, LINK_PACKET = 1400 };

typedef struct {
    double rate;         /* bits/s */
    uint64_t round_trip; /* us */
    uint32_t jitter;     /* us at most, each frame */
    uint32_t loss; /* of 10000 packets; each comes one round trip later, and takes its time again */
    uint32_t random;
    double busy_until; /* us: when all that was sent is through the narrow place */
    uint64_t last_arrival, sent;
    struct {
        uint64_t time, total; /* us when the sender knows; bytes by then */
    } acks[LINK_FRAMES];
    uint32_t first, count;
} Link;

void link_send(Link *link, uint64_t now, uint32_t bytes);

/* us that what was sent still has to wait for the narrow place. */
double link_queue(const Link *link, uint64_t now);

/* Bytes that the sender knows to have arrived. */
uint64_t link_delivered(Link *link, uint64_t now);

/* Changes the rate: what waits takes longer, or shorter. */
void link_set_rate(Link *link, uint64_t now, double rate);
