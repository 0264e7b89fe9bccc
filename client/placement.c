/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement.h"

/** The largest size of the guest's aspect within the given one; at least one pixel each way. */
static void keep_aspect(gint guest_width, gint guest_height, gint *width, gint *height)
{
    gint64 by_height = ((gint64)*height * guest_width + guest_height / 2) / guest_height;
    gint64 by_width = ((gint64)*width * guest_height + guest_width / 2) / guest_width;

    if (by_height <= *width)
        *width = (gint)MAX(by_height, 1);
    else
        *height = (gint)CLAMP(by_width, 1, *height);
}

SpicePlacement spice_placement(gint guest_width, gint guest_height, gint window_width,
                               gint window_height)
{
    SpicePlacement p = {.guest_width = guest_width,
                        .guest_height = guest_height,
                        .window_width = window_width,
                        .window_height = window_height};

    if (guest_width < 1 || guest_height < 1 || window_width < 1 || window_height < 1)
        return p;
    p.width = window_width;
    p.height = window_height;
    keep_aspect(guest_width, guest_height, &p.width, &p.height);
    p.x = (window_width - p.width) / 2;
    p.y = (window_height - p.height) / 2;
    return p;
}

gboolean spice_placement_is_scaled(const SpicePlacement *p)
{
    return p->width != p->guest_width || p->height != p->guest_height;
}

/** `at` is counted from the picture's edge. */
static gint to_guest(gdouble at, gint shown, gint guest)
{
    gdouble pixel = CLAMP(at, 0, shown - 1);
    gdouble place;

    if (shown == guest)
        place = pixel;
    else if (shown > guest)
        place = pixel * guest / shown;
    else /* the first is the first, and the last the last; between them no pixel is left */
        place = shown > 1 ? (gdouble)(gint)pixel * (guest - 1) / (shown - 1) : 0;
    return CLAMP((gint)place, 0, guest - 1);
}

void spice_placement_to_guest(const SpicePlacement *p, gdouble x, gdouble y, gint *guest_x,
                              gint *guest_y)
{
    if (p->width < 1 || p->height < 1) {
        *guest_x = *guest_y = 0;
        return;
    }
    *guest_x = to_guest(x - p->x, p->width, p->guest_width);
    *guest_y = to_guest(y - p->y, p->height, p->guest_height);
}

/** The span of the window for the guest's [from, from + length). */
static void to_window(gint from, gint length, gint shown, gint guest, gint *at, gint *size)
{
    gint64 start = from, end = (gint64)from + length;

    if (shown != guest) {
        /* Smoothing mixes neighbours. */
        start = (start - 1) * shown;
        start = start < 0 ? 0 : start / guest;
        end = ((end + 1) * shown + guest - 1) / guest;
        /* When enlarged, a window pixel can take from half a guest pixel further away. */
        start = MAX(start - 1, 0);
        end++;
    }
    start = CLAMP(start, 0, shown);
    end = CLAMP(end, start, shown);
    *at = (gint)start;
    *size = (gint)(end - start);
}

SpiceBox spice_placement_to_window(const SpicePlacement *p, const SpiceBox *guest)
{
    SpiceBox box = {p->x, p->y, 0, 0};
    gint x, y;

    if (p->width < 1 || p->height < 1)
        return box;
    to_window(guest->x, guest->width, p->width, p->guest_width, &x, &box.width);
    to_window(guest->y, guest->height, p->height, p->guest_height, &y, &box.height);
    box.x += x;
    box.y += y;
    return box;
}

void spice_placement_fit(gint guest_width, gint guest_height, gint most_width, gint most_height,
                         gint *width, gint *height)
{
    *width = guest_width;
    *height = guest_height;
    if ((most_width > 0 && guest_width > most_width) ||
        (most_height > 0 && guest_height > most_height)) {
        *width = most_width > 0 ? MIN(most_width, guest_width) : guest_width;
        *height = most_height > 0 ? MIN(most_height, guest_height) : guest_height;
        keep_aspect(guest_width, guest_height, width, height);
    }
}
