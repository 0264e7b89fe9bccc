/* A page that is scrolled or panned by painting all of it anew is found; film, a picture that stands still and
 * one that is another are not.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/shift-finder.h"

#include "../tap.h"

enum { SIDE = 1200, WIDTH = 600, HEIGHT = 450 };

static uint8_t world[SIDE * SIDE * 4], seen[WIDTH * HEIGHT * 4];
static uint32_t seed = 1;

static uint32_t next(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static void set(uint32_t x, uint32_t y, uint32_t color)
{
    for (int i = 0; i < 4; i++)
        world[(y * SIDE + x) * 4 + (uint32_t)i] = (uint8_t)(color >> 8 * i);
}

/* Lines of words on white, with pictures between. */
static void write_page(void)
{
    memset(world, 255, sizeof world);
    for (uint32_t line = 0; line < SIDE / 20; line++)
        for (uint32_t x = 10; x < SIDE - 10; x++)
            for (uint32_t y = 4; y < 16; y++)
                if (line % 4 == 3 ? x < 500 : next() % 3 == 0)
                    set(x, line * 20 + y, line % 4 == 3 ? 0x404040 + x / 4 + y * 3 : 0);
}

static void paint_photo(void)
{
    for (uint32_t y = 0; y < SIDE; y++)
        for (uint32_t x = 0; x < SIDE; x++)
            set(x, y,
                (x * x / 9 + y * 3) % 200 + ((x + y * y / 7) % 180 << 8) + (next() % 7 << 16));
}

/** Looks at the world from (x, y), with so much noise. */
static bool look(SpiceShiftFinder *finder, const SpiceRect *box, uint32_t x, uint32_t y,
                 uint32_t noise, bool bottom_up)
{
    for (uint32_t row = 0; row < HEIGHT; row++) {
        uint8_t *to = seen + (bottom_up ? HEIGHT - 1 - row : row) * WIDTH * 4;

        memcpy(to, world + ((y + row) * SIDE + x) * 4, WIDTH * 4);
        for (uint32_t i = 0; noise && i < WIDTH * 4; i++)
            to[i] = (uint8_t)(to[i] ^ next() % noise);
        for (uint32_t i = 3; i < WIDTH * 4; i += 4)
            to[i] = (uint8_t)next(); /* which says nothing */
    }
    return spice_shift_finder_look(finder, box, bottom_up ? seen + (HEIGHT - 1) * WIDTH * 4 : seen,
                                   bottom_up ? -WIDTH * 4 : WIDTH * 4);
}

static void test_world(const char *what)
{
    SpiceShiftFinder *finder = spice_shift_finder_new(&spice_allocator_libc);
    const SpiceRect here = {.top = 30, .left = 20, .bottom = 30 + HEIGHT, .right = 20 + WIDTH};
    const SpiceRect there = {.top = 31, .left = 20, .bottom = 31 + HEIGHT, .right = 20 + WIDTH};
    bool found = true, still, film = false, any;

    TAP_OK(!look(finder, &here, 0, 0, 0, false), "%s: the first picture is none moved", what);
    for (uint32_t i = 1; i <= 10; i++)
        found &= look(finder, &here, 0, i * 37, 0, i % 2);
    TAP_OK(found, "%s: it is scrolled down", what);
    TAP_OK(look(finder, &here, 0, 200, 0, false), "%s: it is scrolled up, by much", what);
    found = true;
    for (uint32_t i = 1; i <= 10; i++)
        found &= look(finder, &here, i * 23, 200, 0, false);
    TAP_OK(found, "%s: it is panned", what);
    still = look(finder, &here, 230, 200, 0, false);
    TAP_OK(!still, "%s: it stands still", what);
    for (uint32_t i = 0; i < 10; i++)
        film |= look(finder, &here, 0, i * 7, 8, false);
    TAP_OK(!film, "%s: a camera moves over it, with grain", what);
    any = look(finder, &there, 0, 100, 0, false);
    TAP_OK(!any, "%s: it is elsewhere", what);
    spice_shift_finder_free(finder);
}

static void test_sizes(void)
{
    SpiceShiftFinder *finder = spice_shift_finder_new(&spice_allocator_libc);
    static const struct {
        int32_t width, height;
    } sizes[] = {{63, 64}, {64, 64}, {64, 4096}, {4096, 64}, {4097, 64}, {0, 0}, {-5, 70}};
    uint8_t *pixels = calloc(4097 * 64, 4);
    bool any = false;

    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const SpiceRect box = {.bottom = sizes[i].height, .right = sizes[i].width};

            any |= spice_shift_finder_look(finder, &box, pixels, (ptrdiff_t)sizes[i].width * 4);
        }
    TAP_OK(!any, "pictures of any size may come, and a flat one never moves");
    free(pixels);
    spice_shift_finder_free(finder);
}

int main(void)
{
    write_page();
    test_world("a page");
    paint_photo();
    test_world("a photo");
    test_sizes();
    return tap_done();
}
