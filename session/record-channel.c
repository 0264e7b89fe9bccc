/* The record channel, client role: the microphone, while the server asks for it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "session-private.h"

#include "core/wire/channel.h"
#include "core/wire/record.h"
#include "session-sound.h"
#include "transport/error.h"

/* Bytes that may wait for the socket: a third of a second of raw sound. */
enum { MAX_BACKLOG = 64 << 10 };

static const guint32 record_caps[] = {1u << SPICE_RECORD_CAP_CELT_0_5_1 |
                                      1u << SPICE_RECORD_CAP_VOLUME | 1u << SPICE_RECORD_CAP_OPUS};

/** Takes the encoder over; NULL and 0: nothing is wanted. */
static void set_wanted(GstSpiceSession *self, GstSpiceSoundEncoder *encoder, guint rate)
{
    gboolean changed;

    g_mutex_lock(&self->record_lock);
    changed = self->record_rate != rate;
    gst_spice_sound_encoder_free(self->record_encoder);
    self->record_encoder = encoder;
    self->record_rate = rate;
    g_mutex_unlock(&self->record_lock);
    if (changed)
        g_signal_emit_by_name(self, "record-changed");
}

/* Messages */

static guint common_modes(const SpiceChannel *channel)
{
    guint modes = 1u << SPICE_AUDIO_DATA_MODE_RAW;

    if (spice_channel_peer_has(channel, SPICE_RECORD_CAP_CELT_0_5_1))
        modes |= 1u << SPICE_AUDIO_DATA_MODE_CELT_0_5_1;
    if (spice_channel_peer_has(channel, SPICE_RECORD_CAP_OPUS))
        modes |= 1u << SPICE_AUDIO_DATA_MODE_OPUS;
    return modes;
}

static gboolean on_start(GstSpiceSession *self, const SpiceMsgRecordStart *start, GError **error)
{
    const SpiceAudioDataMode mode =
        gst_spice_sound_choose_mode(common_modes(self->record_channel), start->frequency);
    const SpiceMsgAudioMode mode_message = {.mode = (guint16)mode};
    const SpiceMsgcRecordStartMark mark = {0};

    if (start->channels != GST_SPICE_SOUND_CHANNELS || start->format != SPICE_AUDIO_FMT_S16 ||
        mode == SPICE_AUDIO_DATA_MODE_INVALID) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "record START: %u channels in format %u at %u Hz", start->channels,
                    start->format, start->frequency);
        return FALSE;
    }
    gst_spice_session_send(self->record_channel, SPICE_MSGC_RECORD_MODE, &mode_message);
    gst_spice_session_send(self->record_channel, SPICE_MSGC_RECORD_START_MARK, &mark);
    set_wanted(self, gst_spice_sound_encoder_new(mode, start->frequency), start->frequency);
    return TRUE;
}

static gboolean on_message(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    GstSpiceSession *self = user_data;
    GError *local = NULL;
    gpointer message = gst_spice_session_parse(self, SPICE_CHANNEL_RECORD, frame, &local);

    if (local) {
        g_propagate_error(error, local);
        return FALSE;
    }
    switch (message ? frame->type : 0) {
    case SPICE_MSG_RECORD_START:
        return on_start(self, message, error);
    case SPICE_MSG_RECORD_STOP:
        set_wanted(self, NULL, 0);
        return TRUE;
    case SPICE_MSG_RECORD_VOLUME:
        gst_spice_session_take_volume(self, SPICE_CHANNEL_RECORD, message);
        return TRUE;
    case SPICE_MSG_RECORD_MUTE:
        gst_spice_session_take_mute(self, SPICE_CHANNEL_RECORD, message);
        return TRUE;
    default:
        return TRUE;
    }
}

static void on_opened(SpiceChannel *channel, gpointer user_data)
{
}

static void on_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceSession *self = user_data;

    g_clear_pointer(&self->record_channel, spice_channel_close);
    set_wanted(self, NULL, 0);
    if (gst_spice_session_accept_redirect(self, SPICE_CHANNEL_RECORD, error))
        gst_spice_record_channel_open(self);
}

void gst_spice_record_channel_open(GstSpiceSession *self)
{
    static const SpiceChannelHandler handler = {on_opened, on_message, on_closed};

    self->record_channel = gst_spice_session_open_channel(
        self, SPICE_CHANNEL_RECORD, 0, record_caps, G_N_ELEMENTS(record_caps), &handler, self);
}

void gst_spice_record_channel_close(GstSpiceSession *self)
{
    g_clear_pointer(&self->record_channel, spice_channel_close);
}

/* Sound */

guint gst_spice_session_get_record_rate(GstSpiceSession *self)
{
    guint rate;

    g_mutex_lock(&self->record_lock);
    rate = self->record_rate;
    g_mutex_unlock(&self->record_lock);
    return rate;
}

static void send_task(GstSpiceSession *self, gpointer data)
{
    SpiceMsgAudioData message = {0};

    message.data.data = g_bytes_get_data(data, &message.data.size);
    if (self->record_channel && spice_channel_get_backlog(self->record_channel) <= MAX_BACKLOG)
        gst_spice_session_send(self->record_channel, SPICE_MSGC_RECORD_DATA, &message);
}

static void on_packet(const guint8 *packet, gsize size, gsize behind, gpointer data)
{
    gst_spice_session_run(data, send_task, g_bytes_new(packet, size),
                          (GDestroyNotify)g_bytes_unref);
}

void gst_spice_session_record(GstSpiceSession *self, const gint16 *samples, gsize n_samples)
{
    g_mutex_lock(&self->record_lock);
    if (self->record_encoder)
        gst_spice_sound_encoder_push(self->record_encoder, samples, n_samples, on_packet, self);
    g_mutex_unlock(&self->record_lock);
}
