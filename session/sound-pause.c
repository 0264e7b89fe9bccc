/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-pause.h"

/* Without any for so long, what was before is not known of. */
#define FORGET_US G_USEC_PER_SEC

static gboolean is_zero(const gint16 *values, gsize n)
{
    gsize i;

    for (i = 0; i < n; i++)
        if (values[i] != 0)
            return FALSE;
    return TRUE;
}

GstSpiceSoundPauseStep gst_spice_sound_pause_take(GstSpiceSoundPause *self, const gint16 *values,
                                                  gsize n_values, gint64 end_us)
{
    const gboolean was_paused = self->paused;

    if (end_us - self->last_us > FORGET_US)
        self->since_us = 0;
    self->last_us = end_us;
    if (!is_zero(values, n_values)) {
        self->since_us = 0;
        self->paused = FALSE;
        return was_paused ? GST_SPICE_SOUND_PAUSE_ENDS : GST_SPICE_SOUND_GOES_ON;
    }
    if (was_paused)
        return GST_SPICE_SOUND_PAUSE_LASTS;
    if (self->since_us == 0)
        self->since_us = end_us;
    self->paused = end_us - self->since_us >= GST_SPICE_SOUND_PAUSE_US;
    return self->paused ? GST_SPICE_SOUND_PAUSE_BEGINS : GST_SPICE_SOUND_GOES_ON;
}
