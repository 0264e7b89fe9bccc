/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mode-choice.h"

#include "core/display/desktop-damage.h"

enum { MAX_PIXELS = 64 << 20 };

gboolean mode_choice_is_sane(const ModeLimits *limits, guint width, guint height)
{
    return width >= MODE_CHOICE_MIN_WIDTH && height >= MODE_CHOICE_MIN_HEIGHT &&
           width <= SPICE_MAX_DESKTOP_SIDE && height <= SPICE_MAX_DESKTOP_SIDE &&
           (guint64)width * height <= MAX_PIXELS && width >= limits->min_width &&
           height >= limits->min_height && width <= limits->max_width &&
           height <= limits->max_height;
}

gint mode_choice_exact(const ModeOffer *offers, guint n_offers, guint width, guint height)
{
    gint best = -1;
    guint i;

    for (i = 0; i < n_offers; i++)
        if (offers[i].width == width && offers[i].height == height &&
            (best < 0 || offers[i].refresh_mhz > offers[best].refresh_mhz))
            best = (gint)i;
    return best;
}

static guint64 area(const ModeOffer *offer)
{
    return (guint64)offer->width * offer->height;
}

gint mode_choice_nearest(const ModeOffer *offers, guint n_offers, guint width, guint height)
{
    gint fitting = -1, smallest = -1;
    guint i;

    for (i = 0; i < n_offers; i++) {
        if (offers[i].width <= width && offers[i].height <= height &&
            (fitting < 0 || area(&offers[i]) > area(&offers[fitting])))
            fitting = (gint)i;
        if (smallest < 0 || area(&offers[i]) < area(&offers[smallest]))
            smallest = (gint)i;
    }
    return fitting >= 0 ? fitting : smallest;
}

ModeTimings mode_choice_timings(guint width, guint height)
{
    const ModeTimings timings = {
        .width = width,
        .height = height,
        .hsync_start = width + 48,
        .hsync_end = width + 80,
        .htotal = width + 160,
        .vsync_start = height + 3,
        .vsync_end = height + 9,
        .vtotal = height + 30,
        .dot_clock = (guint32)((guint64)(width + 160) * (height + 30) * 60),
    };

    return timings;
}
