/* The test desktop is a function of steps and input, says all that it changes, and rests.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server/serve/test-desktop.h"
#include "session/text-font.h"
#include "tests/unit/tap.h"

enum { WIDTH = 800, HEIGHT = 600, FPS = 30 };

typedef struct {
    TestDesktop *desktop;
    pixman_image_t *surface;
    pixman_region32_t damage; /* of the last step */
} Run;

static void run_init(Run *run, guint width, guint height)
{
    run->desktop = test_desktop_new(width, height, FPS, 23 * 3600 + 59 * 60 + 58);
    run->surface = pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, NULL, 0);
    pixman_region32_init(&run->damage);
}

static void run_clear(Run *run)
{
    test_desktop_free(run->desktop);
    pixman_image_unref(run->surface);
    pixman_region32_fini(&run->damage);
}

static void step(Run *run)
{
    pixman_region32_clear(&run->damage);
    test_desktop_step(run->desktop, run->surface, &run->damage);
}

static const guint32 *pixels(const Run *run)
{
    return pixman_image_get_data(run->surface);
}

static void some_input(Run *run, guint at)
{
    if (at == 20)
        test_desktop_key(run->desktop, 0x2a, TRUE);
    if (at % 10 == 3)
        test_desktop_key(run->desktop, 0x10 + at / 10 % 10, TRUE);
    if (at == 77)
        test_desktop_key(run->desktop, 0x1c, TRUE);
    if (at % 25 == 0) {
        test_desktop_motion(run->desktop, 13, -7);
        test_desktop_button(run->desktop, 1 + at / 25 % 5, TRUE);
    }
}

static void test_determinism(void)
{
    Run a, b;
    guint i, differing = 0;

    run_init(&a, WIDTH, HEIGHT);
    run_init(&b, WIDTH, HEIGHT);
    for (i = 0; i < 300; i++) {
        some_input(&a, i);
        some_input(&b, i);
        step(&a);
        step(&b);
        differing += memcmp(pixels(&a), pixels(&b), WIDTH * HEIGHT * 4) != 0;
    }
    TAP_OK(differing == 0, "two runs with the same input are equal");
    test_desktop_key(b.desktop, 0x1e, TRUE);
    step(&a);
    step(&b);
    TAP_OK(memcmp(pixels(&a), pixels(&b), WIDTH * HEIGHT * 4) != 0, "a key more is to be seen");
    run_clear(&a);
    run_clear(&b);
}

static void test_damage(void)
{
    guint32 *before = g_new0(guint32, WIDTH * HEIGHT);
    guint i, undeclared = 0, unused = 0, parts = 0;
    gint x, y;
    Run run;

    run_init(&run, WIDTH, HEIGHT);
    for (i = 0; i < 900; i++) {
        gint64 area = 0;
        int n, box;
        const pixman_box32_t *boxes;

        some_input(&run, i);
        step(&run);
        for (y = 0; y < HEIGHT; y++)
            for (x = 0; x < WIDTH; x++) {
                const guint32 pixel = pixels(&run)[y * WIDTH + x];

                unused += pixel >> 24 != 0;
                undeclared += pixel != before[y * WIDTH + x] &&
                              !pixman_region32_contains_point(&run.damage, x, y, NULL);
            }
        memcpy(before, pixels(&run), WIDTH * HEIGHT * 4);
        boxes = pixman_region32_rectangles(&run.damage, &n);
        for (box = 0; box < n; box++)
            area += (gint64)(boxes[box].x2 - boxes[box].x1) * (boxes[box].y2 - boxes[box].y1);
        parts += i > 0 && area <= 160 * 120;
    }
    TAP_OK(undeclared == 0, "nothing changes outside of the damage");
    TAP_OK(unused == 0, "the unused byte of each pixel is 0");
    TAP_OK(parts > 100, "in %u of 900 steps only the animation changes", parts);
    run_clear(&run);
    g_free(before);
}

static void test_input(void)
{
    Run run;
    gint x, y;
    guint i;

    run_init(&run, WIDTH, HEIGHT);
    step(&run);
    test_desktop_position(run.desktop, -5, 100000);
    test_desktop_get_pointer(run.desktop, &x, &y);
    TAP_OK(x == 0 && y == HEIGHT - 1, "the pointer stays inside");
    test_desktop_motion(run.desktop, G_MAXINT, G_MININT);
    test_desktop_get_pointer(run.desktop, &x, &y);
    TAP_OK(x == WIDTH - 1 && y == 0, "also when it is pushed hard");
    test_desktop_position(run.desktop, 20, 300);
    test_desktop_button(run.desktop, 1, TRUE);
    step(&run);
    TAP_OK(pixels(&run)[300 * WIDTH + 20] == 0xffffff && pixels(&run)[300 * WIDTH + 25] == 0xff4040,
           "a click leaves a mark");
    for (i = 0; i < TEST_DESKTOP_MAX_MARKS; i++) {
        test_desktop_position(run.desktop, 100 + (gint)i * 10, 20);
        test_desktop_button(run.desktop, 2, TRUE);
    }
    step(&run);
    TAP_OK(pixels(&run)[300 * WIDTH + 25] != 0xff4040, "of many the oldest goes");
    for (i = 0; i < 1000; i++) /* much longer than a line */
        test_desktop_key(run.desktop, i % 3 ? 0xe048 : 0x1e, TRUE);
    for (i = 0; i < 1000; i++)
        test_desktop_key(run.desktop, 0x0e, TRUE);
    test_desktop_key(run.desktop, G_MAXUINT, TRUE);
    test_desktop_button(run.desktop, 0, TRUE);
    test_desktop_button(run.desktop, G_MAXUINT, TRUE);
    step(&run);
    TAP_OK(pixman_region32_not_empty(&run.damage), "any number of keys is borne");
    run_clear(&run);
}

static void test_sizes(void)
{
    static const guint sizes[][2] = {{640, 480}, {641, 483}, {1920, 1080}, {3000, 500}};
    guint i, n;

    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Run run;

        run_init(&run, sizes[i][0], sizes[i][1]);
        for (n = 0; n < 400; n++)
            step(&run);
        TAP_OK(pixels(&run)[0] != 0, "%ux%u", sizes[i][0], sizes[i][1]);
        run_clear(&run);
    }
}

static void test_font(void)
{
    guint32 seen[95][TEXT_FONT_ROWS] = {{0}};
    guint c, other, row, column, same = 0;
    const pixman_color_t white = {0xffff, 0xffff, 0xffff, 0xffff};

    for (c = 0; c < 95; c++) {
        const char text[2] = {(char)(' ' + c), 0};
        pixman_image_t *image =
            pixman_image_create_bits(PIXMAN_x8r8g8b8, TEXT_FONT_COLUMNS, TEXT_FONT_ROWS, NULL, 0);

        text_font_draw(image, &white, 0, 0, 1, text);
        for (row = 0; row < TEXT_FONT_ROWS; row++)
            for (column = 0; column < TEXT_FONT_COLUMNS; column++)
                seen[c][row] |=
                    (guint32)(pixman_image_get_data(image)[row * TEXT_FONT_COLUMNS + column] != 0)
                    << column;
        pixman_image_unref(image);
    }
    for (c = 0; c < 95; c++)
        for (other = 0; other < c; other++)
            same += memcmp(seen[c], seen[other], sizeof seen[c]) == 0;
    TAP_OK(same == 0, "no two characters look the same");
}

int main(void)
{
    test_determinism();
    test_damage();
    test_input();
    test_sizes();
    test_font();
    return tap_done();
}
