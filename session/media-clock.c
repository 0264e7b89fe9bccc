/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media-clock.h"

#include "core/sync/playout-delay.h"

struct GstSpiceMediaClock {
    GMutex lock;
    /* under lock */
    SpiceMediaClock clock;
    SpicePlayoutFacts facts;
    gint64 early_us; /* of sound */
    SpicePlayoutDelay delays[SPICE_MEDIA_N_KINDS];
};

GstSpiceMediaClock *gst_spice_media_clock_new(void)
{
    GstSpiceMediaClock *self = g_new0(GstSpiceMediaClock, 1);

    g_mutex_init(&self->lock);
    return self;
}

void gst_spice_media_clock_free(GstSpiceMediaClock *self)
{
    g_mutex_clear(&self->lock);
    g_free(self);
}

gint64 gst_spice_media_clock_take(GstSpiceMediaClock *self, SpiceMediaKind kind, guint32 mm,
                                  gint64 length_us, gint64 arrival_us, gboolean *jump)
{
    gint64 stream_us;
    bool jumped;

    g_mutex_lock(&self->lock);
    stream_us = spice_media_clock_take(&self->clock, kind, mm, length_us, arrival_us, &jumped);
    self->facts.audio_jitter_us = spice_media_clock_get_jitter(&self->clock, SPICE_MEDIA_AUDIO);
    self->facts.video_jitter_us = spice_media_clock_get_jitter(&self->clock, SPICE_MEDIA_VIDEO);
    g_mutex_unlock(&self->lock);
    if (jump)
        *jump = jumped;
    return stream_us;
}

/** Under lock. Both are moved, whichever is asked for: one follows the other. */
static gint64 get_delay(GstSpiceMediaClock *self, SpiceMediaKind kind, gint64 now_us)
{
    gint64 wanted = spice_playout_delay_wanted(&self->facts);

    if (self->facts.audio_plays)
        wanted = spice_playout_delay_move(&self->delays[SPICE_MEDIA_AUDIO], wanted, now_us) -
                 self->early_us;
    spice_playout_delay_follow(&self->delays[SPICE_MEDIA_VIDEO], wanted, now_us);
    return self->delays[kind].begun ? self->delays[kind].delay_us : wanted;
}

gint64 gst_spice_media_clock_get_delay(GstSpiceMediaClock *self, SpiceMediaKind kind, gint64 now_us)
{
    gint64 delay;

    g_mutex_lock(&self->lock);
    delay = get_delay(self, kind, now_us);
    g_mutex_unlock(&self->lock);
    return delay;
}

gint64 gst_spice_media_clock_get_due(GstSpiceMediaClock *self, SpiceMediaKind kind,
                                     gint64 stream_us, gint64 now_us)
{
    gint64 due;

    g_mutex_lock(&self->lock);
    due = spice_media_clock_earliest(&self->clock, stream_us) + get_delay(self, kind, now_us);
    g_mutex_unlock(&self->lock);
    return due;
}

void gst_spice_media_clock_set_audio(GstSpiceMediaClock *self, gboolean plays, gint64 latency_us,
                                     gint64 early_us)
{
    g_mutex_lock(&self->lock);
    if (plays && !self->facts.audio_plays) /* it begins with the delay that it needs */
        self->delays[SPICE_MEDIA_AUDIO] = (SpicePlayoutDelay){0};
    self->facts.audio_plays = plays != FALSE;
    self->facts.audio_latency_us = MAX(latency_us, 0);
    self->early_us = plays ? early_us : 0;
    g_mutex_unlock(&self->lock);
}

gint64 gst_spice_media_clock_extend_audio(GstSpiceMediaClock *self, gint64 late_us)
{
    gint64 step;

    g_mutex_lock(&self->lock);
    step = spice_playout_delay_extend(&self->delays[SPICE_MEDIA_AUDIO], late_us,
                                      spice_playout_delay_wanted(&self->facts));
    g_mutex_unlock(&self->lock);
    return step;
}

void gst_spice_media_clock_take_decoding(GstSpiceMediaClock *self, gint64 took_us)
{
    g_mutex_lock(&self->lock);
    self->facts.video_latency_us =
        spice_decoding_time_follow(self->facts.video_latency_us, took_us);
    g_mutex_unlock(&self->lock);
}
