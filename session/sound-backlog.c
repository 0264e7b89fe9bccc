/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-backlog.h"

GBytes *gst_spice_sound_backlog_pop(GstSpiceSoundBacklog *self, guint32 *time)
{
    GBytes *packet;

    if (self->n == 0)
        return NULL;
    packet = self->entries[self->first].packet;
    *time = self->entries[self->first].time;
    self->first = (self->first + 1) % GST_SPICE_SOUND_BACKLOG_MAX;
    self->n--;
    return packet;
}

void gst_spice_sound_backlog_push(GstSpiceSoundBacklog *self, GBytes *packet, guint32 time)
{
    guint last;

    if (self->n == GST_SPICE_SOUND_BACKLOG_MAX) {
        guint32 unused;

        g_bytes_unref(gst_spice_sound_backlog_pop(self, &unused));
        self->dropped++;
    }
    last = (self->first + self->n) % GST_SPICE_SOUND_BACKLOG_MAX;
    self->entries[last].packet = g_bytes_ref(packet);
    self->entries[last].time = time;
    self->n++;
}

void gst_spice_sound_backlog_clear(GstSpiceSoundBacklog *self)
{
    GBytes *packet;
    guint32 unused;

    while ((packet = gst_spice_sound_backlog_pop(self, &unused)))
        g_bytes_unref(packet);
}
