/* What playback and record have in common: offering them, volumes, capabilities.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-sound-private.h"

#include <string.h>

#include "core/wire/record.h"
#include "transport/error.h"

struct GstSpiceServerSound *gst_spice_server_sound_new(GstSpiceServer *server)
{
    struct GstSpiceServerSound *self = g_new0(struct GstSpiceServerSound, 1);

    self->encoders = gst_spice_playback_encoders_new(gst_spice_server_playback_packet, server);
    self->compressed = TRUE;
    self->playback_rate = self->record_rate = GST_SPICE_SOUND_RATE;
    self->best_playback_rate = GST_SPICE_SOUND_RATE;
    g_mutex_init(&self->ring_lock);
    g_mutex_init(&self->pause_lock);
    return self;
}

void gst_spice_server_sound_stop(struct GstSpiceServerSound *self)
{
    g_clear_pointer(&self->encoders, gst_spice_playback_encoders_free);
    if (self->patience)
        g_source_destroy(self->patience);
    g_clear_pointer(&self->patience, g_source_unref);
}

void gst_spice_server_sound_free(struct GstSpiceServerSound *self)
{
    g_mutex_clear(&self->ring_lock);
    g_mutex_clear(&self->pause_lock);
    g_free(self->ring);
    g_free(self);
}

/* Capabilities */

guint gst_spice_server_sound_modes(const SpiceServerChannel *channel, guint celt, guint opus)
{
    guint modes = 1u << SPICE_AUDIO_DATA_MODE_RAW;

    if (spice_server_channel_peer_has(channel, celt))
        modes |= 1u << SPICE_AUDIO_DATA_MODE_CELT_0_5_1;
    if (spice_server_channel_peer_has(channel, opus))
        modes |= 1u << SPICE_AUDIO_DATA_MODE_OPUS;
    return modes;
}

SpiceCaps gst_spice_server_sound_caps(GstSpiceServer *server, guint8 type)
{
    const gboolean playback = type == SPICE_CHANNEL_PLAYBACK;
    const guint rate = playback ? server->sound->playback_rate : server->sound->record_rate;
    guint32 *word = &server->sound->cap_words[playback ? 0 : 1];

    *word = 1u << (playback ? SPICE_PLAYBACK_CAP_VOLUME : SPICE_RECORD_CAP_VOLUME);
    if (gst_spice_sound_mode_takes(SPICE_AUDIO_DATA_MODE_CELT_0_5_1, rate))
        *word |= 1u << (playback ? SPICE_PLAYBACK_CAP_CELT_0_5_1 : SPICE_RECORD_CAP_CELT_0_5_1);
    if (gst_spice_sound_mode_takes(SPICE_AUDIO_DATA_MODE_OPUS, rate))
        *word |= 1u << (playback ? SPICE_PLAYBACK_CAP_OPUS : SPICE_RECORD_CAP_OPUS);
    return (SpiceCaps){1, word};
}

/* Offering */

gboolean gst_spice_server_offers_sound(GstSpiceServer *server, guint8 type)
{
    return (g_atomic_int_get(&server->sound->offered) & 1 << type) != 0;
}

static void collect_link(GstSpiceServerLink *link, gpointer data)
{
    g_ptr_array_add(data, link);
}

static void close_links(GstSpiceServer *server, guint8 type)
{
    g_autoptr(GPtrArray) links = g_ptr_array_new();
    g_autoptr(GError) error =
        g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                            "the desktop has no such sound any more");
    guint i;

    gst_spice_server_for_each_link(server, type, -1, collect_link, links);
    for (i = 0; i < links->len; i++)
        gst_spice_server_link_close(links->pdata[i], error);
}

static void offer_task(GstSpiceServer *server, gpointer data)
{
    const guint8 type = (guint8)GPOINTER_TO_UINT(data);
    GList *item;

    if (!gst_spice_server_offers_sound(server, type)) {
        close_links(server, type);
        return;
    }
    for (item = server->clients; item; item = item->next)
        gst_spice_server_main_types_added(item->data, 1u << type);
}

static void offer(GstSpiceServer *server, guint8 type, gboolean offered)
{
    guint before;

    if (offered)
        before = g_atomic_int_or((guint *)&server->sound->offered, 1u << type);
    else
        before = g_atomic_int_and((guint *)&server->sound->offered, ~(1u << type));
    if (((before & 1u << type) != 0) != offered)
        gst_spice_server_run(server, offer_task, GUINT_TO_POINTER(type), NULL);
}

void gst_spice_server_offer_playback(GstSpiceServer *server, gboolean offered)
{
    offer(server, SPICE_CHANNEL_PLAYBACK, offered != FALSE);
}

void gst_spice_server_offer_record(GstSpiceServer *server, gboolean offered)
{
    offer(server, SPICE_CHANNEL_RECORD, offered != FALSE);
}

/* Volumes. Both channels have the same messages, under different numbers. */

static void send_volume(GstSpiceServerLink *link, const GstSpiceServerVolume *volume)
{
    const gboolean playback = link->type == SPICE_CHANNEL_PLAYBACK;
    const SpiceMsgAudioVolume message = {volume->n, (guint16 *)volume->volume};

    if (volume->volume_set &&
        spice_server_channel_peer_has(link->channel, playback ? SPICE_PLAYBACK_CAP_VOLUME
                                                              : SPICE_RECORD_CAP_VOLUME))
        gst_spice_server_link_send(
            link, playback ? SPICE_MSG_PLAYBACK_VOLUME : SPICE_MSG_RECORD_VOLUME, &message);
}

static void send_mute(GstSpiceServerLink *link, const GstSpiceServerVolume *volume)
{
    const gboolean playback = link->type == SPICE_CHANNEL_PLAYBACK;
    const SpiceMsgAudioMute message = {volume->mute != FALSE};

    if (volume->mute_set &&
        spice_server_channel_peer_has(link->channel, playback ? SPICE_PLAYBACK_CAP_VOLUME
                                                              : SPICE_RECORD_CAP_VOLUME))
        gst_spice_server_link_send(link, playback ? SPICE_MSG_PLAYBACK_MUTE : SPICE_MSG_RECORD_MUTE,
                                   &message);
}

void gst_spice_server_send_volume(GstSpiceServerLink *link, const GstSpiceServerVolume *volume)
{
    send_volume(link, volume);
    send_mute(link, volume);
}

static void tell_volume(GstSpiceServerLink *link, gpointer volume)
{
    send_volume(link, volume);
}

static void tell_mute(GstSpiceServerLink *link, gpointer volume)
{
    send_mute(link, volume);
}

/** A change that is on its way to the I/O thread. */
typedef struct {
    guint8 type;
    GstSpiceServerVolume to;
} Change;

static void change_task(GstSpiceServer *server, gpointer data)
{
    const Change *change = data;
    GstSpiceServerVolume *volume = change->type == SPICE_CHANNEL_PLAYBACK
                                       ? &server->sound->playback_volume
                                       : &server->sound->record_volume;

    if (change->to.volume_set) {
        volume->volume_set = TRUE;
        volume->n = change->to.n;
        memcpy(volume->volume, change->to.volume, sizeof volume->volume);
        gst_spice_server_for_each_link(server, change->type, -1, tell_volume, volume);
    }
    if (change->to.mute_set) {
        volume->mute_set = TRUE;
        volume->mute = change->to.mute;
        gst_spice_server_for_each_link(server, change->type, -1, tell_mute, volume);
    }
}

static void set_volume(GstSpiceServer *server, guint8 type, const guint16 *volume, guint n)
{
    Change *change = g_new0(Change, 1);

    change->type = type;
    change->to.volume_set = TRUE;
    change->to.n = (guint8)MIN(n, G_MAXUINT8);
    memcpy(change->to.volume, volume, change->to.n * sizeof *volume);
    gst_spice_server_run(server, change_task, change, g_free);
}

static void set_mute(GstSpiceServer *server, guint8 type, gboolean mute)
{
    Change *change = g_new0(Change, 1);

    change->type = type;
    change->to.mute_set = TRUE;
    change->to.mute = mute;
    gst_spice_server_run(server, change_task, change, g_free);
}

void gst_spice_server_set_playback_volume(GstSpiceServer *server, const guint16 *volume, guint n)
{
    set_volume(server, SPICE_CHANNEL_PLAYBACK, volume, n);
}

void gst_spice_server_set_playback_mute(GstSpiceServer *server, gboolean mute)
{
    set_mute(server, SPICE_CHANNEL_PLAYBACK, mute);
}

void gst_spice_server_set_record_volume(GstSpiceServer *server, const guint16 *volume, guint n)
{
    set_volume(server, SPICE_CHANNEL_RECORD, volume, n);
}

void gst_spice_server_set_record_mute(GstSpiceServer *server, gboolean mute)
{
    set_mute(server, SPICE_CHANNEL_RECORD, mute);
}
