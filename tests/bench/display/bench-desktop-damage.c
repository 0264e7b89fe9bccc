/* What it costs to find the draws between two frames of 1920 x 1080 pixels:
 *
 *     bench-desktop-damage [ROUNDS]
 *
 * A line gives the median of ROUNDS (default 21) in ms of processor time, with plain C and with
 * the vector instructions of this machine, what was found, and beside it what memcmp() of the two
 * frames takes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/display/desktop-damage.h"

#include "../image/screens.h"

enum { WIDTH = 1920, HEIGHT = 1080, MAX_ROUNDS = 101 };

static uint32_t before[HEIGHT][WIDTH], now[HEIGHT][WIDTH];
static int rounds = 21;

static double clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *times)
{
    qsort(times, (size_t)rounds, sizeof(times[0]), ascending);
    return times[rounds / 2];
}

static SpiceCpuFlags machine(void)
{
    SpiceCpuFlags flags = 0;

#if defined(__x86_64__)
    flags |= SPICE_CPU_SSE2;
    if (__builtin_cpu_supports("avx2"))
        flags |= SPICE_CPU_AVX2;
#endif
    return flags;
}

static double time_find(SpiceDesktopOps *ops, const SpiceRect *hint, SpiceCpuFlags cpu)
{
    const SpiceDesktopChange change = {
        .width = WIDTH,
        .height = HEIGHT,
        .previous = {(const uint8_t *)before, sizeof(before[0])},
        .current = {(const uint8_t *)now, sizeof(now[0])},
        .hints = hint,
        .n_hints = hint ? 1 : 0,
        .cpu = cpu,
    };
    double times[MAX_ROUNDS];
    SpiceArena scratch;

    spice_arena_init(&scratch, &spice_allocator_libc, 64 << 20);
    for (int i = 0; i < rounds; i++) {
        const double start = clock_ms();

        if (!spice_desktop_find_damage(ops, &change, &scratch, NULL))
            exit(1);
        spice_arena_reset(&scratch);
        times[i] = clock_ms() - start;
    }
    spice_arena_clear(&scratch);
    return median(times);
}

static double time_memcmp(void)
{
    double times[MAX_ROUNDS];
    volatile int sink;

    for (int i = 0; i < rounds; i++) {
        const double start = clock_ms();

        /* by rows: it would stop at the first difference */
        for (int y = 0; y < HEIGHT; y++)
            sink = memcmp(before[y], now[y], sizeof(now[0]));
        times[i] = clock_ms() - start;
    }
    (void)sink;
    return median(times);
}

static void measure(const char *what, const SpiceRect *hint)
{
    SpiceDesktopOps ops;
    unsigned n[3] = {0};
    long pixels = 0;
    const double plain = time_find(&ops, hint, 0), fast = time_find(&ops, hint, machine());

    for (uint32_t i = 0; i < ops.n_ops; i++) {
        const SpiceRect *box = &ops.ops[i].box;

        n[ops.ops[i].kind]++;
        if (ops.ops[i].kind == SPICE_DESKTOP_COPY)
            pixels += (long)(box->right - box->left) * (box->bottom - box->top);
    }
    printf("%-14s %6.2f ms C %6.2f ms vector  memcmp %5.2f ms  %u scrolls %u fills %u pictures of "
           "%ld pixels\n",
           what, plain, fast, time_memcmp(), n[SPICE_DESKTOP_COPY_BITS], n[SPICE_DESKTOP_FILL],
           n[SPICE_DESKTOP_COPY], pixels);
}

static void restart(void)
{
    memcpy(now, before, sizeof(now));
}

static void type_letter(void)
{
    for (int y = 500; y < 516; y++)
        for (int x = 700; x < 708; x++)
            now[y][x] ^= (uint32_t)((x * 7 + y * 5) & 15) + 1;
}

static void scroll_window(void)
{
    for (int y = 100; y < 1000 - 48; y++)
        memcpy(&now[y][200], &before[y + 48][200], 1500 * 4);
    for (int y = 1000 - 48; y < 1000; y++)
        memcpy(&now[y][200], &before[y - 700][203], 1500 * 4);
}

int main(int argc, char **argv)
{
    const SpiceRect letter = {496, 696, 520, 712};

    if (argc > 1)
        rounds = atoi(argv[1]);
    if (rounds < 1 || rounds > MAX_ROUNDS)
        return 1;
    screen_draw(SCREEN_TEXT, WIDTH, HEIGHT, before[0]);
    restart();
    measure("idle", NULL);
    type_letter();
    measure("typing", NULL);
    measure("typing, hint", &letter);
    restart();
    scroll_window();
    measure("scrolling", NULL);
    screen_draw(SCREEN_PHOTO, WIDTH, HEIGHT, now[0]);
    measure("all changed", NULL);
    screen_draw(SCREEN_UI, WIDTH, HEIGHT, now[0]);
    measure("other window", NULL);
    return 0;
}
