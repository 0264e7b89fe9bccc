/* Sound of a host: what its guest plays goes to all clients, what the guest hears is one client's
 * microphone (session/server-sound.h).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sound.h"

#include "session/server-sound.h"

enum {
    FRAME_SAMPLES = 480, /* what hosts expect a buffer to hold */
    N_FRAMES = 3,
};

typedef struct {
    gint16 samples[FRAME_SAMPLES * GST_SPICE_SOUND_CHANNELS];
    gboolean lent; /* the host fills it */
} Frame;

/* A frame stays where it is until the instance is removed: a host may give it back after its client
 * has gone. */
struct SpicePlaybackState {
    SpiceServer *server;
    SpicePlaybackInstance *instance;
    Frame frames[N_FRAMES];
};

struct SpiceRecordState {
    SpiceServer *server;
    SpiceRecordInstance *instance;
};

static GstSpiceServer *playback_session(SpicePlaybackInstance *instance)
{
    return instance && instance->st ? instance->st->server->session : NULL;
}

static GstSpiceServer *record_session(SpiceRecordInstance *instance)
{
    return instance && instance->st ? instance->st->server->session : NULL;
}

/* Instances */

int spice_host_add_playback(SpiceServer *server, SpicePlaybackInstance *instance)
{
    if (server->playback)
        return -1;
    server->playback = g_new0(SpicePlaybackState, 1);
    server->playback->server = server;
    server->playback->instance = instance;
    instance->st = server->playback;
    gst_spice_server_offer_playback(server->session, TRUE);
    return 0;
}

void spice_host_remove_playback(SpiceServer *server)
{
    if (!server->playback)
        return;
    gst_spice_server_set_playing(server->session, FALSE);
    gst_spice_server_offer_playback(server->session, FALSE);
    server->playback->instance->st = NULL;
    g_clear_pointer(&server->playback, g_free);
}

int spice_host_add_record(SpiceServer *server, SpiceRecordInstance *instance)
{
    if (server->record)
        return -1;
    server->record = g_new0(SpiceRecordState, 1);
    server->record->server = server;
    server->record->instance = instance;
    instance->st = server->record;
    gst_spice_server_offer_record(server->session, TRUE);
    return 0;
}

void spice_host_remove_record(SpiceServer *server)
{
    if (!server->record)
        return;
    gst_spice_server_set_recording(server->session, FALSE);
    gst_spice_server_offer_record(server->session, FALSE);
    server->record->instance->st = NULL;
    g_clear_pointer(&server->record, g_free);
}

SpiceServer *spice_host_playback_get_server(SpicePlaybackInstance *instance)
{
    return instance->st ? instance->st->server : NULL;
}

SpiceServer *spice_host_record_get_server(SpiceRecordInstance *instance)
{
    return instance->st ? instance->st->server : NULL;
}

/* Playback */

void spice_server_playback_start(SpicePlaybackInstance *sin)
{
    if (playback_session(sin))
        gst_spice_server_set_playing(playback_session(sin), TRUE);
}

void spice_server_playback_stop(SpicePlaybackInstance *sin)
{
    if (playback_session(sin))
        gst_spice_server_set_playing(playback_session(sin), FALSE);
}

void spice_server_playback_get_buffer(SpicePlaybackInstance *sin, uint32_t **samples,
                                      uint32_t *nsamples)
{
    GstSpiceServer *session = playback_session(sin);
    guint i;

    *samples = NULL;
    *nsamples = 0;
    if (!session || !gst_spice_server_is_heard(session))
        return;
    for (i = 0; i < N_FRAMES && !*samples; i++) {
        Frame *frame = &sin->st->frames[i];

        if (!frame->lent) {
            frame->lent = TRUE;
            *samples = (uint32_t *)(void *)frame->samples;
            *nsamples = FRAME_SAMPLES;
        }
    }
}

void spice_server_playback_put_samples(SpicePlaybackInstance *sin, uint32_t *samples)
{
    GstSpiceServer *session = playback_session(sin);
    guint i;

    for (i = 0; session && i < N_FRAMES; i++) {
        Frame *frame = &sin->st->frames[i];

        if (frame->lent && (const void *)frame->samples == (const void *)samples) {
            frame->lent = FALSE;
            gst_spice_server_play(session, frame->samples, FRAME_SAMPLES, g_get_monotonic_time());
        }
    }
}

void spice_server_playback_set_volume(SpicePlaybackInstance *sin, uint8_t nchannels,
                                      uint16_t *volume)
{
    if (playback_session(sin))
        gst_spice_server_set_playback_volume(playback_session(sin), volume, nchannels);
}

void spice_server_playback_set_mute(SpicePlaybackInstance *sin, uint8_t mute)
{
    if (playback_session(sin))
        gst_spice_server_set_playback_mute(playback_session(sin), mute);
}

uint32_t spice_server_get_best_playback_rate(SpicePlaybackInstance *sin)
{
    GstSpiceServer *session = playback_session(sin);

    return session ? gst_spice_server_get_best_playback_rate(session) : GST_SPICE_SOUND_RATE;
}

/** Whether a host's rate can be. */
static gboolean is_rate(uint32_t frequency)
{
    return gst_spice_sound_mode_takes(SPICE_AUDIO_DATA_MODE_RAW, frequency);
}

void spice_server_set_playback_rate(SpicePlaybackInstance *sin, uint32_t frequency)
{
    if (playback_session(sin) && is_rate(frequency))
        gst_spice_server_set_playback_rate(playback_session(sin), frequency);
}

int spice_server_set_playback_compression(SpiceServer *s, int enable)
{
    gst_spice_server_set_playback_compression(s->session, enable);
    return 0;
}

/* Record */

void spice_server_record_start(SpiceRecordInstance *sin)
{
    if (record_session(sin))
        gst_spice_server_set_recording(record_session(sin), TRUE);
}

void spice_server_record_stop(SpiceRecordInstance *sin)
{
    if (record_session(sin))
        gst_spice_server_set_recording(record_session(sin), FALSE);
}

uint32_t spice_server_record_get_samples(SpiceRecordInstance *sin, uint32_t *samples,
                                         uint32_t bufsize)
{
    GstSpiceServer *session = record_session(sin);

    return session ? (uint32_t)gst_spice_server_record(session, (gint16 *)(void *)samples, bufsize)
                   : 0;
}

void spice_server_record_set_volume(SpiceRecordInstance *sin, uint8_t nchannels, uint16_t *volume)
{
    if (record_session(sin))
        gst_spice_server_set_record_volume(record_session(sin), volume, nchannels);
}

void spice_server_record_set_mute(SpiceRecordInstance *sin, uint8_t mute)
{
    if (record_session(sin))
        gst_spice_server_set_record_mute(record_session(sin), mute);
}

uint32_t spice_server_get_best_record_rate(SpiceRecordInstance *sin)
{
    return GST_SPICE_SOUND_RATE;
}

void spice_server_set_record_rate(SpiceRecordInstance *sin, uint32_t frequency)
{
    if (record_session(sin) && is_rate(frequency))
        gst_spice_server_set_record_rate(record_session(sin), frequency);
}
