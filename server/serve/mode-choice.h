/* Which mode of a screen comes closest to what a client asks for. Pure functions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint32 id;
    guint width, height;
    guint refresh_mhz; /* thousandths of a hertz; 0: unknown */
} ModeOffer;

/** What a screen may be. */
typedef struct {
    guint min_width, min_height, max_width, max_height;
} ModeLimits;

enum { MODE_CHOICE_MIN_WIDTH = 320, MODE_CHOICE_MIN_HEIGHT = 200 };

/** FALSE for sizes of which nothing good can come: smaller than the least that desktops are made
 * for, larger than SPICE displays can be, beyond the limits. */
gboolean mode_choice_is_sane(const ModeLimits *limits, guint width, guint height);
/** The mode of exactly this size with the highest refresh rate, or -1. */
gint mode_choice_exact(const ModeOffer *offers, guint n_offers, guint width, guint height);
/** The largest mode that fits into the size, or, if none does, the smallest; -1 without modes. */
gint mode_choice_nearest(const ModeOffer *offers, guint n_offers, guint width, guint height);

/** Timings of a mode, as RandR names them. */
typedef struct {
    guint width, height;
    guint hsync_start, hsync_end, htotal;
    guint vsync_start, vsync_end, vtotal;
    guint32 dot_clock; /* Hz */
} ModeTimings;

/** Timings at 60 Hz for screens that nobody looks at by a cable: short blanking periods. */
ModeTimings mode_choice_timings(guint width, guint height);

G_END_DECLS
