/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-ring.h"

#include <string.h>

enum { SIZE = GST_SPICE_SOUND_RING_SAMPLES };

void gst_spice_sound_ring_reset(GstSpiceSoundRing *self)
{
    self->first = self->n = 0;
    self->started = FALSE;
}

static gint16 *at(GstSpiceSoundRing *self, guint place)
{
    return self->samples + (gsize)place * GST_SPICE_SOUND_CHANNELS;
}

static void drop(GstSpiceSoundRing *self, guint n)
{
    self->first = (self->first + n) % SIZE;
    self->n -= n;
    self->dropped += n;
}

void gst_spice_sound_ring_push(GstSpiceSoundRing *self, const gint16 *samples, gsize n)
{
    if (n > SIZE) {
        self->dropped += n - SIZE;
        samples += (n - SIZE) * GST_SPICE_SOUND_CHANNELS;
        n = SIZE;
    }
    if (self->n + n > SIZE)
        drop(self, (guint)(self->n + n - SIZE));
    while (n > 0) {
        const guint end = (self->first + self->n) % SIZE;
        const guint part = (guint)MIN(n, SIZE - end);

        memcpy(at(self, end), samples, (gsize)part * GST_SPICE_SOUND_SAMPLE_SIZE);
        samples += (gsize)part * GST_SPICE_SOUND_CHANNELS;
        self->n += part;
        n -= part;
    }
}

gsize gst_spice_sound_ring_pop(GstSpiceSoundRing *self, gint16 *samples, gsize max)
{
    gsize taken = 0;

    if (!self->started && self->n < GST_SPICE_SOUND_RING_START)
        return 0;
    self->started = TRUE;
    while (taken < max && self->n > 0) {
        const guint part = (guint)MIN(MIN(max - taken, self->n), SIZE - self->first);

        memcpy(samples + taken * GST_SPICE_SOUND_CHANNELS, at(self, self->first),
               (gsize)part * GST_SPICE_SOUND_SAMPLE_SIZE);
        self->first = (self->first + part) % SIZE;
        self->n -= part;
        taken += part;
    }
    return taken;
}
