/* Sound from one thread to another that may come late: the newest samples, given out once enough of
 * them are there.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "sound-codec.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum {
    GST_SPICE_SOUND_RING_SAMPLES = 8192,
    /* What has to be there before the first is given out, so that packets may come in bursts. */
    GST_SPICE_SOUND_RING_START = 4096,
};

/** The caller locks. Zero-initialised, it is empty. Counts are samples a channel. */
typedef struct {
    gint16 samples[GST_SPICE_SOUND_RING_SAMPLES * GST_SPICE_SOUND_CHANNELS];
    guint first, n;
    gboolean started;
    guint64 dropped;
} GstSpiceSoundRing;

void gst_spice_sound_ring_reset(GstSpiceSoundRing *ring);
/** Adds samples; of those that are too many the oldest are dropped. */
void gst_spice_sound_ring_push(GstSpiceSoundRing *ring, const gint16 *samples, gsize n);
/** Takes at most `max` samples out; how many. */
gsize gst_spice_sound_ring_pop(GstSpiceSoundRing *ring, gint16 *samples, gsize max);

#pragma GCC visibility pop
G_END_DECLS
