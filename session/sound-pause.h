/* When sound that is nothing but zeros counts as a pause, in which nothing is sent: a guest's program that keeps its
 * stream open without playing anything would cost 100 packets a second otherwise.
 *
 * Not at once, as the field's viewers drop pictures of a video where sound begins. Only zeros count: what is very quiet
 * may be a recording's beginning.
 *
 * One thread at a time. Pure functions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define GST_SPICE_SOUND_PAUSE_US (5 * G_USEC_PER_SEC)

/** Zero-initialised, there is sound. */
typedef struct {
    gboolean paused;
    gint64 since_us; /* since when all were zeros; 0: they were not */
    gint64 last_us;  /* when the last ones ended */
} GstSpiceSoundPause;

typedef enum {
    GST_SPICE_SOUND_GOES_ON,      /* to be sent, as all before */
    GST_SPICE_SOUND_PAUSE_BEGINS, /* not to be sent, from these samples on */
    GST_SPICE_SOUND_PAUSE_LASTS,
    GST_SPICE_SOUND_PAUSE_ENDS, /* to be sent again */
} GstSpiceSoundPauseStep;

/** So many values, of all channels, which end at `end_us` of a monotonic clock. */
GstSpiceSoundPauseStep gst_spice_sound_pause_take(GstSpiceSoundPause *pause, const gint16 *values,
                                                  gsize n_values, gint64 end_us);

#pragma GCC visibility pop
G_END_DECLS
