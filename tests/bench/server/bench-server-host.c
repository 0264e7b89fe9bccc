/* A VM host with a QXL device on which somebody works, for measuring servers: it uses the public
 * interface only, so that it runs on ours and on others' libspice-server.so.1.
 *
 *     bench-server-host PORT SECONDS [typing | film]
 *
 * waits for a viewer, then types, scrolls, works in windows and shows a film, so many seconds each, or does only one of
 * that, and prints a line for each: name, processor seconds of this process, bytes sent to clients,
 * resident KiB, commands, the longest that a command was held in ms. With 0 seconds it only answers
 * keys, each with a draw, until the viewer goes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* the kernel's, whose struct is longer than that of the C library */
#include <linux/tcp.h>

#include "vm-host.h"

/* After a viewer came; servers make keys for its next links meanwhile. */
enum { SETTLE_US = 5000000 };

enum { WIDTH = VM_WIDTH, HEIGHT = VM_HEIGHT, LINE = 16, GLYPH = 8 };

/* What is drawn */

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/** A letter, or what looks like one from afar. */
static void paint_glyph(uint32_t *pixels, int stride, uint32_t letter)
{
    for (int y = 0; y < LINE; y++)
        for (int x = 0; x < GLYPH; x++) {
            const bool inside = y > 2 && y < 13 && x > 0 && x < 7;
            const bool ink = inside && (((letter * 2654435761u) >> ((y / 2 * 3 + x / 2) % 29)) & 1);

            pixels[y * stride + x] = ink ? 0x202020 : 0xffffff;
        }
}

static void push_letter(int x, int y)
{
    VmDraw *draw = vm_draw_new(QXL_DRAW_COPY, x, y, GLYPH, LINE, true);

    paint_glyph(draw->pixels, GLYPH, 1 + random_below(60));
    vm_push(draw);
}

static void push_text(int x, int y, int width, int height)
{
    VmDraw *draw = vm_draw_new(QXL_DRAW_COPY, x, y, width, height, true);

    for (int i = 0; i < width * height; i++)
        draw->pixels[i] = 0xffffff;
    for (int row = 0; row + LINE <= height; row += LINE)
        for (int column = 0; column + GLYPH <= width; column += GLYPH)
            if (random_below(6) != 0)
                paint_glyph(draw->pixels + row * width + column, width, 1 + random_below(60));
    vm_push(draw);
}

static int column, row;

static void type_letter(void)
{
    push_letter(column * GLYPH, row * LINE);
    column++;
    if (column == WIDTH / GLYPH) {
        column = 0;
        row = (row + 1) % (HEIGHT / LINE);
    }
    vm_push_fill(column * GLYPH, row * LINE + 13, GLYPH, 2, 0);
}

static void scroll(void)
{
    VmDraw *draw = vm_draw_new(QXL_COPY_BITS, 0, 0, WIDTH, HEIGHT - LINE, false);

    draw->drawable.u.copy_bits.src_pos = (QXLPoint){0, LINE};
    vm_push(draw);
    push_text(0, HEIGHT - LINE, WIDTH, LINE);
}

/** A window comes up: frame, title with a gradient, text. */
static void open_window(void)
{
    const int width = 400, height = 320;
    const int x = (int)random_below(WIDTH - width), y = (int)random_below(HEIGHT - height);
    VmDraw *title = vm_draw_new(QXL_DRAW_COPY, x + 1, y + 1, width - 2, 24, true);

    vm_push_fill(x, y, width, height, 0x808080);
    for (int i = 0; i < 24; i++)
        for (int k = 0; k < width - 2; k++)
            title->pixels[i * (width - 2) + k] =
                0x3060a0 + (uint32_t)(k / 8) * 0x010101 + (uint32_t)i * 0x000100;
    vm_push(title);
    push_text(x + 1, y + 25, width - 2, height - 26);
}

/** Frames with soft shapes that move and the noise of a camera. */
static void show_frame(unsigned n)
{
    const int width = 640, height = 360;
    VmDraw *draw = vm_draw_new(QXL_DRAW_COPY, 320, 200, width, height, true);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int dx = x - 320 - (int)(n * 7 % 200) + 100, dy = y - 180;
            const uint32_t ball = (uint32_t)(dx * dx + dy * dy) / 300;
            const uint32_t noise = (seed = seed * 1664525u + 1013904223u) >> 29;
            const uint32_t r = (ball < 255 ? 255 - ball : 0) / 2 + 60 + noise;
            const uint32_t g = (uint32_t)(x + (int)n * 3) % 512 / 4 + 40 + noise;
            const uint32_t b = (uint32_t)(y * 2 + (int)n) % 1024 / 8 + 50 + noise;

            draw->pixels[y * width + x] = r << 16 | g << 8 | b;
        }
    vm_push(draw);
}

/* What is measured */

static double processor_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/** Of the host's own work on pictures, which is not to count. */
static double own_seconds(void)
{
    struct timespec at;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/** Bytes that went out on all TCP connections of this process. */
static unsigned long long bytes_sent(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned long long sum = 0;
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;

        if (getsockopt(atoi(entry->d_name), IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            sum += info.tcpi_bytes_sent;
    }
    if (folder)
        closedir(folder);
    return sum;
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long value = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &value) == 1)
            break;
    if (file)
        fclose(file);
    return value;
}

static double painting; /* seconds of this thread spent in making pictures */

static void step(unsigned workload, unsigned n)
{
    const double begin = own_seconds();

    switch (workload) {
    case 0:
        type_letter();
        break;
    case 1:
        scroll();
        break;
    case 2:
        open_window();
        break;
    default:
        show_frame(n);
        break;
    }
    painting += own_seconds() - begin;
    vm_wake();
}

static void work(unsigned workload, const char *name, int period_ms, int seconds)
{
    const unsigned long long bytes = bytes_sent();
    const double begin = processor_seconds();
    const int64_t end = vm_now_us() + (int64_t)seconds * 1000000;
    int64_t next = vm_now_us();
    VmCounters counters;

    painting = 0;
    vm_take_counters();
    for (unsigned n = 0; vm_now_us() < end && !vm_viewer_left; n++) {
        step(workload, n);
        next += period_ms * 1000;
        vm_run_until(next < end ? next : end);
    }
    counters = vm_take_counters();
    printf("%s %.4f %llu %ld %u %.1f %u\n", name, processor_seconds() - begin - painting,
           bytes_sent() - bytes, resident_kib(), counters.commands,
           (double)counters.longest_held / 1000, counters.dropped);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const int seconds = argc >= 3 ? atoi(argv[2]) : 0;
    const char *only = argc > 3 ? argv[3] : NULL;

    if (argc < 3)
        return 2;
    vm_start(atoi(argv[1]), NULL, type_letter);
    printf("ready\n");
    fflush(stdout);
    while (vm_n_displays == 0)
        vm_run_once(vm_now_us() + 100000);
    vm_run_until(vm_now_us() + SETTLE_US);
    if (only) {
        const bool film = strcmp(only, "film") == 0;

        work(film ? 3 : 0, only, film ? 40 : 50, seconds);
    } else if (seconds > 0) {
        work(0, "typing", 50, seconds);
        work(1, "scrolling", 50, seconds);
        work(2, "office", 200, seconds);
        work(3, "video", 40, seconds);
    }
    while (seconds == 0 && !vm_viewer_left)
        vm_run_once(vm_now_us() + 100000);
    _exit(0);
}
