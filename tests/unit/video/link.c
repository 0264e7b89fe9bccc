/* A simulated link.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "link.h"

#include <stdlib.h>

static uint32_t random_below(Link *link, uint32_t limit)
{
    link->random = link->random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(link->random >> 4) * limit >> 28);
}

void link_send(Link *link, uint64_t now, uint32_t bytes)
{
    uint32_t lost = 0;
    uint64_t arrival;

    for (uint32_t sent = 0; link->loss && sent < bytes; sent += LINK_PACKET)
        lost += random_below(link, 10000) < link->loss;
    if (link->busy_until < (double)now)
        link->busy_until = (double)now;
    link->busy_until += (bytes + lost * (double)LINK_PACKET) * 8e6 / link->rate;
    arrival = (uint64_t)link->busy_until + link->round_trip / 2 + (lost ? link->round_trip : 0);
    if (link->jitter)
        arrival += random_below(link, link->jitter);
    if (arrival < link->last_arrival)
        arrival = link->last_arrival;
    link->last_arrival = arrival;
    link->sent += bytes;
    if (link->count == LINK_FRAMES)
        exit(99);
    link->acks[(link->first + link->count) % LINK_FRAMES].time = arrival + link->round_trip / 2;
    link->acks[(link->first + link->count++) % LINK_FRAMES].total = link->sent;
}

double link_queue(const Link *link, uint64_t now)
{
    return link->busy_until > (double)now ? link->busy_until - (double)now : 0;
}

uint64_t link_delivered(Link *link, uint64_t now)
{
    uint64_t total = 0;

    while (link->count && link->acks[link->first].time <= now) {
        total = link->acks[link->first].total;
        link->first = (link->first + 1) % LINK_FRAMES;
        link->count--;
    }
    return total;
}

void link_set_rate(Link *link, uint64_t now, double rate)
{
    double longer = link_queue(link, now) * (link->rate / rate - 1);

    link->busy_until += longer;
    for (uint32_t i = 0; i < link->count; i++) { /* those not yet through, in proportion */
        uint64_t *time = &link->acks[(link->first + i) % LINK_FRAMES].time;
        double left = (double)*time - (double)link->round_trip - (double)now;

        if (left > 0)
            *time += (uint64_t)(longer > 0 ? left * (link->rate / rate - 1) : 0);
    }
    if (link->count)
        link->last_arrival =
            link->acks[(link->first + link->count - 1) % LINK_FRAMES].time - link->round_trip / 2;
    link->rate = rate;
}
