/* A viewer that looks at nothing: it counts.
 *
 *     bench-server-viewer PORT
 *
 * prints how many ms it took from before it connected to its first picture, and when the server ends,
 * how many draws and frames came after that.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../unit/embed/raw-client.h"

enum {
    MAIN_INIT = 103,
    ATTACH_CHANNELS = 104,
    DISPLAY_INIT = 101,
    STREAM_DATA = 123,
    FIRST_DRAW = 302,
    LAST_DRAW = 312,
    STREAM_DATA_SIZED = 316,
    DRAW_COMPOSITE = 318
};

/* A server that says nothing for so long has ended, or might as well have. */
enum { PATIENCE_MS = 60000 };

static double now_ms(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static bool is_picture(uint16_t type)
{
    return type == STREAM_DATA || type == STREAM_DATA_SIZED || type == DRAW_COMPOSITE ||
           (type >= FIRST_DRAW && type <= LAST_DRAW);
}

int main(int argc, char **argv)
{
    const int port = argc == 2 ? atoi(argv[1]) : 0;
    const double begin = now_ms();
    uint8_t init[14] = {1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0x10, 0}; /* cache, dictionary */
    unsigned draws = 0, frames = 0;
    RawChannel main_channel, display;
    uint32_t id;

    if (!raw_link(&main_channel, raw_dial(port), RAW_MAIN, 0, 0) ||
        !raw_read_until(&main_channel, MAIN_INIT))
        return 1;
    memcpy(&id, main_channel.body, 4);
    raw_send(&main_channel, ATTACH_CHANNELS, NULL, 0);
    if (!raw_link(&display, raw_dial(port), RAW_DISPLAY, 0, id) ||
        !raw_send(&display, DISPLAY_INIT, init, sizeof init))
        return 1;
    do
        if (raw_read(&display, PATIENCE_MS) != RAW_MESSAGE)
            return 1;
    while (!is_picture(display.type));
    printf("%.1f\n", now_ms() - begin);
    fflush(stdout);
    while (raw_read(&display, PATIENCE_MS) == RAW_MESSAGE) {
        if (display.type == STREAM_DATA || display.type == STREAM_DATA_SIZED)
            frames++;
        else if (is_picture(display.type))
            draws++;
        while (raw_read(&main_channel, 0) == RAW_MESSAGE)
            ;
    }
    printf("%u %u\n", draws, frames);
    return 0;
}
