/* A VM host that shows films while somebody types beside them, on any libspice-server.so.1:
 *
 *     bench-video-host PORT FILMS SECONDS PAUSE [CODECS]
 *
 * Prints "ready", waits for a viewer, and shows so many films of so many seconds, each followed by a
 * pause in which its last frame stays and nobody types. Tells on standard output, with the monotonic time in
 * microseconds: "frame T N" and "letter T N" when they are drawn, "begin T" and "end T" of each film.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "film.h"
#include "tests/bench/server/vm-host.h"

/* After a viewer came: until it has the desktop, on the slowest link. */
enum { SETTLE_US = 6000000 };
enum { FRAME_US = 1000000 / FILM_FPS, LETTER_US = 330000 };

static unsigned n_frames, n_letters;

static void show_frame(void)
{
    VmDraw *draw = vm_draw_new(QXL_DRAW_COPY, FILM_X, FILM_Y, FILM_WIDTH, FILM_HEIGHT, true);

    film_paint(draw->pixels, n_frames);
    draw->made = vm_now_us();
    printf("frame %lld %u\n", (long long)draw->made, n_frames++);
    vm_push(draw);
    vm_wake();
}

static void type_letter(void)
{
    VmDraw *draw;
    int x, y;

    if (n_letters == MAX_LETTERS)
        return;
    letter_place(n_letters, &x, &y);
    draw = vm_draw_new(QXL_DRAW_COPY, x, y, LETTER_WIDTH, LETTER_HEIGHT, true);
    letter_paint(draw->pixels, n_letters);
    printf("letter %lld %u\n", (long long)draw->made, n_letters++);
    vm_push(draw);
    vm_wake();
}

/** Frames, and letters that keep no time with them. */
static void show_film(int64_t length)
{
    const int64_t begin = vm_now_us();
    int64_t next_frame = begin, next_letter = begin + LETTER_US;

    printf("begin %lld\n", (long long)begin);
    while (vm_now_us() < begin + length && !vm_viewer_left) {
        if (vm_now_us() >= next_frame) {
            show_frame();
            next_frame += FRAME_US;
            if (next_frame < vm_now_us()) /* it was held up: frames are not made up for */
                next_frame = vm_now_us();
        }
        if (vm_now_us() >= next_letter) {
            type_letter();
            next_letter += LETTER_US + (int64_t)(n_letters * 7919 % 23) * 1000;
        }
        vm_run_until(next_frame < next_letter ? next_frame : next_letter);
    }
    printf("end %lld\n", (long long)vm_now_us());
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    film_prepare();
    vm_start(atoi(argv[1]), argc > 5 ? argv[5] : NULL, NULL);
    printf("ready\n");
    fflush(stdout);
    while (vm_n_displays == 0)
        vm_run_once(vm_now_us() + 100000);
    vm_run_until(vm_now_us() + SETTLE_US);
    for (int film = 0; film < atoi(argv[2]); film++) {
        show_film((int64_t)(atof(argv[3]) * 1e6));
        vm_run_until(vm_now_us() + (int64_t)(atof(argv[4]) * 1e6));
    }
    fflush(stdout);
    _exit(0);
}
