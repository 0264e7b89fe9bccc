/* Which mode a screen gets.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server/serve/mode-choice.h"
#include "tests/unit/tap.h"

static const ModeOffer offers[] = {
    {11, 1920, 1080, 60000}, {12, 1280, 800, 60000}, {13, 1280, 800, 75000},
    {14, 1024, 768, 0},      {15, 800, 600, 60000},  {16, 1280, 800, 59000},
};
static const ModeLimits limits = {8, 8, 4096, 4096};

static guint32 exact(guint width, guint height)
{
    const gint at = mode_choice_exact(offers, G_N_ELEMENTS(offers), width, height);

    return at < 0 ? 0 : offers[at].id;
}

static guint32 nearest(guint width, guint height)
{
    const gint at = mode_choice_nearest(offers, G_N_ELEMENTS(offers), width, height);

    return at < 0 ? 0 : offers[at].id;
}

static void test_timings(void)
{
    guint width, height, wrong = 0;

    for (width = MODE_CHOICE_MIN_WIDTH; width <= 16384; width += 111)
        for (height = MODE_CHOICE_MIN_HEIGHT; height <= 4096; height += 97) {
            const ModeTimings t = mode_choice_timings(width, height);
            const gdouble hertz = (gdouble)t.dot_clock / ((gdouble)t.htotal * t.vtotal);

            wrong += t.width != width || t.height != height || t.hsync_start < width ||
                     t.hsync_end <= t.hsync_start || t.htotal <= t.hsync_end ||
                     t.vsync_start < height || t.vsync_end <= t.vsync_start ||
                     t.vtotal <= t.vsync_end || t.htotal > G_MAXUINT16 || hertz < 59.9 ||
                     hertz > 60.1;
        }
    TAP_OK(wrong == 0, "timings are in order and of 60 Hz");
}

int main(void)
{
    const ModeLimits narrow = {640, 480, 1280, 800};

    TAP_OK(exact(1024, 768) == 14, "the mode of the size");
    TAP_OK(exact(1280, 800) == 13, "of several the one with the highest rate");
    TAP_OK(exact(1025, 768) == 0 && mode_choice_exact(NULL, 0, 1, 1) == -1, "none of another size");
    TAP_OK(nearest(1300, 900) == 12, "the largest that fits");
    TAP_OK(nearest(1100, 1100) == 14, "one that is too wide does not fit");
    TAP_OK(nearest(500, 500) == 15, "the smallest if none fits");
    TAP_OK(mode_choice_nearest(NULL, 0, 800, 600) == -1, "none of none");

    TAP_OK(mode_choice_is_sane(&limits, 320, 200) && mode_choice_is_sane(&limits, 4096, 4096),
           "sane sizes");
    TAP_OK(!mode_choice_is_sane(&limits, 0, 0) && !mode_choice_is_sane(&limits, 319, 600) &&
               !mode_choice_is_sane(&limits, 800, 199),
           "too small");
    TAP_OK(!mode_choice_is_sane(&limits, 4097, 600) && !mode_choice_is_sane(&limits, 800, 4097) &&
               !mode_choice_is_sane(&limits, G_MAXUINT, G_MAXUINT),
           "beyond the screen's limits");
    TAP_OK(!mode_choice_is_sane(&(ModeLimits){1, 1, G_MAXUINT, G_MAXUINT}, 16385, 600) &&
               !mode_choice_is_sane(&(ModeLimits){1, 1, G_MAXUINT, G_MAXUINT}, 16384, 16384),
           "beyond those of a SPICE display");
    TAP_OK(!mode_choice_is_sane(&narrow, 600, 480) && mode_choice_is_sane(&narrow, 1280, 800),
           "the screen's least size counts, too");
    test_timings();
    return tap_done();
}
