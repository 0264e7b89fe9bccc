/* Thirty small changes a second for ten seconds, and what they cost a process: for the benches
 * that compare ways to bring pixels into a window.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WIDTH = 1920, HEIGHT = 1080, CHANGE_WIDTH = 100, CHANGE_HEIGHT = 20, PER_SECOND = 30 };

typedef struct {
    guint8 *pixels; /* B,G,R,x, WIDTH x HEIGHT */
    guint stride;
    int x, y; /* of the last change */
    int n, n_max;
    double cpu_at_start;
} Changes;

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/** Paints the next change. Prints the result and exits when all are done. */
static void changes_next(Changes *c, const char *name)
{
    int row;

    if (c->n == 0)
        c->cpu_at_start = cpu_seconds();
    if (c->n == c->n_max) {
        printf("%-24s %6.2f ms a change (%d changes of %dx%d at %dx%d)\n", name,
               (cpu_seconds() - c->cpu_at_start) * 1000 / c->n, c->n, CHANGE_WIDTH, CHANGE_HEIGHT,
               WIDTH, HEIGHT);
        exit(0);
    }
    c->x = c->n * 211 % (WIDTH - CHANGE_WIDTH);
    c->y = c->n * 97 % (HEIGHT - CHANGE_HEIGHT);
    for (row = 0; row < CHANGE_HEIGHT; row++)
        memset(c->pixels + (c->y + row) * (int)c->stride + c->x * 4, c->n * 37, CHANGE_WIDTH * 4);
    c->n++;
}
