/* As lipsync, for a viewer of somebody else's: lipsync-screen DISPLAY FIFO SECONDS.
 *
 * Looks for the clapper's picture (clapper.h) on a screen that the viewer has to itself, and at what it plays, which it
 * writes to the FIFO as raw sound of 16 bit, two channels and 48000 Hz. Prints "count US N", "audio US" and "stall US".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "clapper.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcb/xcb.h>

enum { LOOK_US = 2000, STALL_US = 60000, SEARCH_US = 100000 };
enum { RATE = 48000, LOUD = 3000, SILENCE_SAMPLES = RATE / 5 };
enum { BLACK = 50, WHITE = 205, BLUR = 8 /* pixels around what is scaled */ };

/** Where the squares are, in pixels of the screen, which may show them larger. */
typedef struct {
    int x, y, width;
} Place;

/* Sound */

static gpointer listen_to(gpointer path)
{
    static gint16 samples[2 * 4800];
    const int fd = open(path, O_RDONLY);
    guint silent = SILENCE_SAMPLES;
    gsize have = 0;
    gssize got;

    while (fd >= 0 && (got = read(fd, (char *)samples + have, sizeof samples - have)) > 0) {
        const gint64 now = g_get_monotonic_time();
        const gsize n = (have + (gsize)got) / 4;

        for (gsize i = 0; i < n; i++) {
            if (ABS((gint)samples[2 * i]) < LOUD) {
                silent++;
                continue;
            }
            if (silent >= SILENCE_SAMPLES)
                printf("audio %" G_GINT64_FORMAT "\n", now + (gint64)(i * 1000000 / RATE));
            silent = 0;
        }
        have = (have + (gsize)got) % 4;
        if (have)
            memmove(samples, samples + 2 * n, have);
    }
    return NULL;
}

/* Picture */

static xcb_get_image_reply_t *get_image(xcb_connection_t *c, xcb_window_t root, int x, int y,
                                        int width, int height)
{
    return xcb_get_image_reply(c,
                               xcb_get_image(c, XCB_IMAGE_FORMAT_Z_PIXMAP, root, (gint16)x,
                                             (gint16)y, (guint16)width, (guint16)height, ~0u),
                               NULL);
}

static int green(const xcb_get_image_reply_t *image, int at)
{
    return xcb_get_image_data(image)[4 * at + 1];
}

/** The number that is shown; -1: none. */
static int look(xcb_connection_t *c, xcb_window_t root, const Place *place)
{
    xcb_get_image_reply_t *image = get_image(c, root, place->x, place->y, place->width, 1);
    int number = 0;

    for (int bit = 0; image && bit < CLAPPER_BITS && number >= 0; bit++) {
        const int value = green(image, (2 * bit + 1) * place->width / (2 * CLAPPER_BITS));

        number = value < BLACK || value > WHITE ? number | (value > WHITE) << bit : -1;
    }
    free(image);
    return image ? number : -1;
}

/** Whether there are numbers, one after the other. */
static gboolean is_film(xcb_connection_t *c, xcb_window_t root, const Place *place)
{
    int last = -1, n = 0;

    for (int i = 0; i < 50; i++) {
        const int number = look(c, root, place);

        n += number > 0 && number == last + 1;
        last = number >= 0 ? number : last;
        g_usleep(10000);
    }
    return n >= 3;
}

static gboolean is_grey(int value)
{
    return value > 60 && value < 195;
}

/** Looks for the bar, which begins and ends in grey. */
static gboolean find(xcb_connection_t *c, const xcb_screen_t *screen, Place *place)
{
    const int length = CLAPPER_BITS * CLAPPER_SIDE;
    const int width = screen->width_in_pixels, height = screen->height_in_pixels;
    xcb_get_image_reply_t *image = get_image(c, screen->root, 0, 0, width, height);
    gboolean found = FALSE;

    for (int y = 0; image && y < height && !found; y += 3)
        for (int x = 1, run = 0; x < width && !found; x++) {
            if (green(image, y * width + x) > WHITE) {
                run++;
                continue;
            }
            if (run >= length - 4 && x - run >= BLUR && x + BLUR < width &&
                is_grey(green(image, y * width + x + BLUR)) &&
                is_grey(green(image, y * width + x - run - BLUR))) {
                const int scaled = (run + length / 2) / length;
                const int up = (CLAPPER_BAR_Y - CLAPPER_Y - CLAPPER_SIDE / 2) * scaled;

                *place = (Place){x - run, MAX(y - up, 0), run};
                found = is_film(c, screen->root, place);
            }
            run = 0;
        }
    free(image);
    return found;
}

int main(int argc, char **argv)
{
    xcb_connection_t *c = argc == 4 ? xcb_connect(argv[1], NULL) : NULL;
    const xcb_screen_t *screen;
    gint64 end, last = g_get_monotonic_time(), now;
    Place place = {0};
    int shown = -1;

    if (!c || xcb_connection_has_error(c))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    screen = xcb_setup_roots_iterator(xcb_get_setup(c)).data;
    g_thread_unref(g_thread_new("sound", listen_to, argv[2]));
    end = last + (gint64)(atof(argv[3]) * 1e6);
    while (!find(c, screen, &place) && g_get_monotonic_time() < end)
        g_usleep(SEARCH_US);
    for (last = g_get_monotonic_time(); last < end; last = now) {
        int number;

        g_usleep(LOOK_US);
        number = look(c, screen->root, &place);
        now = g_get_monotonic_time();
        if (now - last > STALL_US)
            printf("stall %" G_GINT64_FORMAT "\n", now);
        if (number >= 0 && number != shown)
            printf("count %" G_GINT64_FORMAT " %d\n", now, shown = number);
    }
    return 0;
}
