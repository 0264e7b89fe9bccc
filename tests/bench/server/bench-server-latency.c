/* How long it takes from a key of a viewer to the draw that answers it.
 *
 *     bench-server-latency PORT N
 *
 * prints the median, the 95th of a hundred and the longest, in microseconds, of N keys on a
 * bench-server-host.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../unit/embed/raw-client.h"

enum {
    MAIN_INIT = 103,
    ATTACH_CHANNELS = 104,
    DISPLAY_INIT = 101,
    KEY_DOWN = 101,
    FIRST_DRAW = 302
};

static double now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const int port = argc == 3 ? atoi(argv[1]) : 0, n = argc == 3 ? atoi(argv[2]) : 0;
    uint8_t init[14] = {1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0x10, 0}; /* cache, dictionary */
    uint32_t id;
    RawChannel main_channel, display, inputs;
    double *times = calloc((size_t)n + 1, sizeof *times);

    if (n == 0 || !raw_link(&main_channel, raw_dial(port), RAW_MAIN, 0, 0) ||
        !raw_read_until(&main_channel, MAIN_INIT))
        return 1;
    memcpy(&id, main_channel.body, 4);
    raw_send(&main_channel, ATTACH_CHANNELS, NULL, 0);
    if (!raw_link(&display, raw_dial(port), RAW_DISPLAY, 0, id) ||
        !raw_send(&display, DISPLAY_INIT, init, sizeof init) ||
        !raw_link(&inputs, raw_dial(port), RAW_INPUTS, 0, id))
        return 1;
    usleep(1900000);
    while (raw_read(&display, 300) == RAW_MESSAGE)
        ;
    for (int i = 0; i < n; i++) {
        const uint32_t key = 0x1e;
        double begin;

        usleep(20000);
        while (raw_read(&display, 0) == RAW_MESSAGE)
            ;
        while (raw_read(&main_channel, 0) == RAW_MESSAGE || raw_read(&inputs, 0) == RAW_MESSAGE)
            ;
        begin = now_us();
        raw_send(&inputs, KEY_DOWN, &key, 4);
        do
            if (raw_read(&display, 2000) != RAW_MESSAGE)
                return 1;
        while (display.type < FIRST_DRAW);
        times[i] = now_us() - begin;
    }
    qsort(times, (size_t)n, sizeof *times, by_size);
    printf("%.0f %.0f %.0f\n", times[n / 2], times[n * 95 / 100], times[n - 1]);
    return 0;
}
