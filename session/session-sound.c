/* Volumes of a session.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "session-sound.h"

#include <string.h>

#include "core/wire/channel.h"
#include "session-private.h"

static GstSpiceKnownVolume *find(GstSpiceSession *self, guint8 type)
{
    return &self->volumes[type == SPICE_CHANNEL_RECORD];
}

gboolean gst_spice_session_get_volume(GstSpiceSession *self, guint8 type, GstSpiceVolume *volume)
{
    gboolean known;

    g_mutex_lock(&self->lock);
    known = find(self, type)->known;
    *volume = find(self, type)->volume;
    g_mutex_unlock(&self->lock);
    return known;
}

void gst_spice_session_set_volume(GstSpiceSession *self, guint8 type, const GstSpiceVolume *volume)
{
    GstSpiceKnownVolume *known, new = {0};
    gboolean changed;

    if (volume) {
        new.known = TRUE;
        new.volume.n = MIN(volume->n, GST_SPICE_MAX_VOLUMES);
        memcpy(new.volume.volume, volume->volume, new.volume.n * sizeof *volume->volume);
        new.volume.mute = volume->mute != FALSE;
    }
    g_mutex_lock(&self->lock);
    known = find(self, type);
    changed = memcmp(known, &new, sizeof new) != 0;
    *known = new;
    g_mutex_unlock(&self->lock);
    if (changed)
        g_signal_emit_by_name(self, "volume-changed", (guint)type);
}

void gst_spice_session_take_volume(GstSpiceSession *self, guint8 type,
                                   const SpiceMsgAudioVolume *message)
{
    GstSpiceVolume volume;

    gst_spice_session_get_volume(self, type, &volume);
    volume.n = MIN(message->n_channels, GST_SPICE_MAX_VOLUMES);
    memcpy(volume.volume, message->volume, volume.n * sizeof *message->volume);
    gst_spice_session_set_volume(self, type, &volume);
}

void gst_spice_session_take_mute(GstSpiceSession *self, guint8 type,
                                 const SpiceMsgAudioMute *message)
{
    GstSpiceVolume volume;

    gst_spice_session_get_volume(self, type, &volume);
    volume.mute = message->mute != 0;
    gst_spice_session_set_volume(self, type, &volume);
}

gdouble gst_spice_volume_get_factor(const GstSpiceVolume *volume)
{
    gdouble slider = 0;
    guint i;

    if (volume->n == 0)
        return 1;
    for (i = 0; i < MIN(volume->n, GST_SPICE_MAX_VOLUMES); i++)
        slider = MAX(slider, (gdouble)volume->volume[i] / G_MAXUINT16);
    return slider * slider * slider;
}
