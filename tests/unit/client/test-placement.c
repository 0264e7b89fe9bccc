/* Where the picture lies in the window, and which pixel is where.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/placement.h"
#include "tests/unit/tap.h"

static gboolean is_at(SpicePlacement p, gint x, gint y, gint width, gint height)
{
    return p.x == x && p.y == y && p.width == width && p.height == height;
}

static void test_fit(void)
{
    gint width, height;

    TAP_OK(is_at(spice_placement(1024, 768, 1024, 768), 0, 0, 1024, 768), "same size");
    TAP_OK(is_at(spice_placement(1024, 768, 1280, 1024), 0, 32, 1280, 960), "bars above and below");
    TAP_OK(is_at(spice_placement(1024, 768, 712, 384), 100, 0, 512, 384), "bars beside");
    TAP_OK(is_at(spice_placement(100, 1, 10, 10), 0, 4, 10, 1), "a thin line stays one");
    TAP_OK(is_at(spice_placement(0, 0, 10, 10), 0, 0, 0, 0), "no guest");
    TAP_OK(is_at(spice_placement(8192, 8192, 1, 1), 0, 0, 1, 1), "a window of one pixel");
    spice_placement_fit(1024, 768, 1280, 1024, &width, &height);
    TAP_OK(width == 1024 && height == 768, "a window is not larger than the guest");
    spice_placement_fit(2560, 1440, 1280, 1024, &width, &height);
    TAP_OK(width == 1280 && height == 720, "nor than the screen: %dx%d", width, height);
    spice_placement_fit(640, 480, 0, 0, &width, &height);
    TAP_OK(width == 640 && height == 480, "no screen known");
}

/** The pixel under each column: edges are reached, none lies under another, and it never goes back.
 */
static void check_columns(gint guest, gint window)
{
    SpicePlacement p = spice_placement(guest, guest, window, window);
    gint x, last = -1, gx, gy;
    gboolean forward = TRUE, under = TRUE;

    for (x = 0; x < window; x++) {
        spice_placement_to_guest(&p, x, 0, &gx, &gy);
        forward &= gx >= last;
        /* the guest's pixel and the window's overlap */
        under &= (gint64)gx * window < (gint64)(x + 1) * guest &&
                 (gint64)(gx + 1) * window > (gint64)x * guest;
        if (x == 0)
            TAP_OK(gx == 0, "%d in %d: the first", guest, window);
        last = gx;
    }
    TAP_OK(last == guest - 1, "%d in %d: the last is %d", guest, window, last);
    TAP_OK(forward && under, "%d in %d: each where it is seen", guest, window);
}

static void test_to_guest(void)
{
    SpicePlacement p = spice_placement(1024, 768, 712, 384);
    gint x, y;

    check_columns(1024, 1024);
    check_columns(1024, 512);
    check_columns(1024, 1023);
    check_columns(1024, 1025);
    check_columns(1024, 2048);
    check_columns(1920, 777);
    check_columns(777, 1920);
    check_columns(5, 2);
    spice_placement_to_guest(&p, 5, 500, &x, &y);
    TAP_OK(x == 0 && y == 767, "beside the picture: its nearest edge");
    spice_placement_to_guest(&p, 1e9, -1e9, &x, &y);
    TAP_OK(x == 1023 && y == 0, "far away");
    p = spice_placement(0, 0, 10, 10);
    spice_placement_to_guest(&p, 3, 3, &x, &y);
    TAP_OK(x == 0 && y == 0, "no picture");
}

/** Each window pixel that shows, smoothed, a bit of a damaged guest pixel is in the box. */
static gboolean covers(gint guest, gint window, gint from, gint length)
{
    SpicePlacement p = spice_placement(guest, guest, window, window);
    const SpiceBox damage = {from, 0, length, guest};
    SpiceBox box = spice_placement_to_window(&p, &damage);
    gint x;

    if (box.x < 0 || box.x + box.width > window)
        return FALSE;
    for (x = 0; x < window; x++) {
        gdouble centre = (x + 0.5) * guest / window - 0.5; /* mixes floor and floor + 1 */
        gboolean touched = centre > from - 1 && centre < from + length;

        if (touched && (x < box.x || x >= box.x + box.width))
            return FALSE;
    }
    return TRUE;
}

static void test_to_window(void)
{
    const SpiceBox guest = {10, 20, 30, 40};
    SpicePlacement p = spice_placement(100, 100, 120, 100);
    SpiceBox box = spice_placement_to_window(&p, &guest);
    const gint sizes[] = {1, 2, 63, 64, 65, 100, 127, 128, 130, 300};
    gboolean all = TRUE;
    gsize i;
    gint from;

    TAP_OK(box.x == 20 && box.y == 20 && box.width == 30 && box.height == 40,
           "unscaled: exactly that, moved");
    for (i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (from = 0; from < 64; from++)
            all &= covers(64, sizes[i], from, 1) && covers(64, sizes[i], from, 64 - from);
    TAP_OK(all, "scaled: all that smoothing touches");
    p = spice_placement(100, 100, 0, 0);
    box = spice_placement_to_window(&p, &guest);
    TAP_OK(box.width == 0 && box.height == 0, "no window");
}

int main(void)
{
    test_fit();
    test_to_guest();
    test_to_window();
    return tap_done();
}
