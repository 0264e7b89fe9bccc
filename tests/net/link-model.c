/* A link's rate, delay, jitter and loss.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "link-model.h"

#include <stdlib.h>
#include <string.h>

enum {
    BURST = 2000,            /* us by which the narrow place may be late and make up for it */
    LEAST_ROUND_TRIP = 1000, /* us: machines take their time, too */
    MOST_TIME = 10000000,    /* us */
    LARGEST_WINDOW = 1000,   /* segments, when the first loss comes */
};

static const double least_rate = 8000, most_rate = 1e12, most_loss = 0.5;

typedef struct {
    const char *name;
    double factor;
} Unit;

static const Unit rate_units[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL}};
static const Unit time_units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {NULL}};
static const Unit share_units[] = {{"%", 0.01}, {NULL}};

/** A number with a unit; only zero may stand without. */
static bool read_value(const char *text, const Unit *units, double least, double most,
                       double *value)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text)
        return false;
    while (units->name && strcmp(units->name, end) != 0)
        units++;
    if (!units->name && (number != 0 || *end))
        return false;
    number *= units->name ? units->factor : 1;
    if (number != 0 && !(number >= least && number <= most))
        return false;
    *value = number;
    return true;
}

bool link_options_read(LinkOptions *options, const char *name, const char *value)
{
    double number;

    if (strcmp(name, "--rate") == 0)
        return read_value(value, rate_units, least_rate, most_rate, &options->rate);
    if (strcmp(name, "--loss") == 0)
        return read_value(value, share_units, 0, most_loss, &options->loss);
    if (strcmp(name, "--delay") != 0 && strcmp(name, "--jitter") != 0)
        return false;
    if (!read_value(value, time_units, 1, MOST_TIME, &number))
        return false;
    *(name[2] == 'd' ? &options->delay : &options->jitter) = (uint64_t)number;
    return true;
}

void link_way_init(LinkWay *way, const LinkOptions *options, uint64_t seed)
{
    *way = (LinkWay){.options = *options, .random = seed * 2 + 1};
}

/** 0 to 1, without 1 (splitmix64). */
static double chance(LinkWay *way)
{
    uint64_t x = way->random += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static double round_trip(const LinkWay *way)
{
    const double both_ways = 2 * (double)way->options.delay + (double)way->options.jitter;

    return both_ways < LEAST_ROUND_TRIP ? LEAST_ROUND_TRIP : both_ways;
}

/** us that so many bytes take at the narrow place. */
static double passing_time(const LinkWay *way, double bytes)
{
    return way->options.rate > 0 ? bytes * 8e6 / way->options.rate : 0;
}

uint64_t link_way_ready(const LinkWay *way, const LinkFlow *flow)
{
    return (uint64_t)(flow->ready_at > way->free_at ? flow->ready_at : way->free_at);
}

size_t link_way_quantum(const LinkWay *way)
{
    const double bytes = way->options.rate / 8000;

    if (bytes == 0 || bytes > LINK_MOST_AT_ONCE)
        return LINK_MOST_AT_ONCE;
    return bytes < LINK_SEGMENT ? LINK_SEGMENT : (size_t)bytes;
}

/** Halves the window: of what was under way, if this is the first loss. */
static void halve_window(const LinkWay *way, LinkFlow *flow, uint64_t now)
{
    const double segments = way->options.rate * round_trip(way) / 8e6 / LINK_SEGMENT;
    const double full =
        segments > 0 && segments < LARGEST_WINDOW ? segments : (double)LARGEST_WINDOW;

    if (flow->window == 0 || flow->window > full)
        flow->window = full;
    flow->window = flow->window < 4 ? 2 : flow->window / 2;
    flow->grown_at = now;
}

/** The connection waits until its window lets more through. */
static void use_window(const LinkWay *way, LinkFlow *flow, uint64_t now, size_t bytes)
{
    const double trip = round_trip(way);

    if (flow->window == 0)
        return;
    if (now > flow->grown_at) {
        flow->window += (double)(now - flow->grown_at) / trip;
        flow->grown_at = now;
    }
    if (flow->ready_at + BURST < (double)now)
        flow->ready_at = (double)now - BURST;
    flow->ready_at += (double)bytes / LINK_SEGMENT * trip / flow->window;
}

uint64_t link_way_pass(LinkWay *way, LinkFlow *flow, uint64_t now, size_t bytes)
{
    const uint64_t segments = (bytes + LINK_SEGMENT - 1) / LINK_SEGMENT;
    uint64_t lost = 0, arrival;

    for (uint64_t i = 0; i < segments && way->options.loss > 0; i++)
        lost += chance(way) < way->options.loss;
    if (way->free_at + BURST < (double)now)
        way->free_at = (double)now - BURST;
    way->free_at += passing_time(way, (double)bytes + (double)(lost * LINK_SEGMENT));
    arrival = way->free_at > (double)now ? (uint64_t)way->free_at : now;
    arrival += way->options.delay;
    if (way->options.jitter > 0)
        arrival += (uint64_t)(chance(way) * (double)(way->options.jitter + 1));
    use_window(way, flow, now, bytes);
    if (lost > 0) {
        arrival += (uint64_t)round_trip(way);
        halve_window(way, flow, now);
    }
    if (arrival < flow->last_arrival)
        arrival = flow->last_arrival;
    flow->last_arrival = arrival;
    way->bytes += bytes;
    way->segments += segments;
    way->lost += lost;
    return arrival;
}
