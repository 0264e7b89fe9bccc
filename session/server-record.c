/* The record channel, server role: a client's microphone. One client speaks at a time: the one whose
 * channel has been open for longest. One that has been asked and says nothing, as it has no microphone
 * perhaps, goes to the end of the queue if there is another.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-sound-private.h"

#include "core/wire/record.h"

/* Sound that a client may send beyond what time has passed; more than that is not decoded. */
enum { MAX_AHEAD_MS = 2000 };
/* How long a client may take until it is heard, while others could be. */
enum { PATIENCE_MS = 3000 };

typedef struct {
    GstSpiceServerLink link;
    guint turn;                    /* the smaller, the earlier it was there */
    gboolean heard;                /* since it was asked */
    GstSpiceSoundDecoder *decoder; /* NULL: it has not said its MODE since it was asked */
    gint64 credit_us;              /* up to which time it has sent sound */
} Record;

static struct GstSpiceServerSound *sound_of(const Record *self)
{
    return self->link.client->server->sound;
}

/* Who speaks */

static void find_first(GstSpiceServerLink *link, gpointer data)
{
    GstSpiceServerLink **first = data;

    if (!*first || ((Record *)link)->turn < ((Record *)*first)->turn)
        *first = link;
}

static void reset_ring(struct GstSpiceServerSound *sound)
{
    g_mutex_lock(&sound->ring_lock);
    if (!sound->ring)
        sound->ring = g_new0(GstSpiceSoundRing, 1);
    gst_spice_sound_ring_reset(sound->ring);
    g_mutex_unlock(&sound->ring_lock);
}

static void be_patient(GstSpiceServer *server);

/** Asks somebody for sound, if that is wanted and nobody has been asked. */
static void choose_speaker(GstSpiceServer *server)
{
    struct GstSpiceServerSound *sound = server->sound;
    const SpiceMsgRecordStart message = {.channels = GST_SPICE_SOUND_CHANNELS,
                                         .format = SPICE_AUDIO_FMT_S16,
                                         .frequency = sound->record_rate};

    if (!sound->recording || sound->speaker)
        return;
    gst_spice_server_for_each_link(server, SPICE_CHANNEL_RECORD, -1, find_first, &sound->speaker);
    reset_ring(sound);
    if (sound->speaker) {
        ((Record *)sound->speaker)->heard = FALSE;
        ((Record *)sound->speaker)->credit_us = g_get_monotonic_time();
        gst_spice_server_link_send(sound->speaker, SPICE_MSG_RECORD_START, &message);
        be_patient(server);
    }
}

static void stop_speaker(GstSpiceServer *server)
{
    struct GstSpiceServerSound *sound = server->sound;
    GstSpiceServerLink *speaker = g_steal_pointer(&sound->speaker);

    if (!speaker)
        return;
    g_clear_pointer(&((Record *)speaker)->decoder, gst_spice_sound_decoder_free);
    gst_spice_server_link_send(speaker, SPICE_MSG_RECORD_STOP, NULL);
    reset_ring(sound);
}

static void count_link(GstSpiceServerLink *link, gpointer data)
{
    ++*(guint *)data;
}

/** A client that has been asked is not heard: somebody else may have more to say. */
static gboolean lose_patience(gpointer data)
{
    GstSpiceServer *server = data;
    struct GstSpiceServerSound *sound = server->sound;
    Record *speaker = (Record *)sound->speaker;
    guint n = 0;

    g_clear_pointer(&sound->patience, g_source_unref);
    gst_spice_server_for_each_link(server, SPICE_CHANNEL_RECORD, -1, count_link, &n);
    if (!speaker || speaker->heard || n < 2)
        return G_SOURCE_REMOVE;
    speaker->turn = ++sound->last_turn;
    stop_speaker(server);
    choose_speaker(server);
    return G_SOURCE_REMOVE;
}

static void be_patient(GstSpiceServer *server)
{
    struct GstSpiceServerSound *sound = server->sound;

    if (sound->patience)
        g_source_destroy(sound->patience);
    g_clear_pointer(&sound->patience, g_source_unref);
    sound->patience = g_timeout_source_new(PATIENCE_MS);
    g_source_set_callback(sound->patience, lose_patience, server, NULL);
    g_source_attach(sound->patience, server->context);
}

static void recording_task(GstSpiceServer *server, gpointer data)
{
    server->sound->recording = GPOINTER_TO_INT(data);
    if (server->sound->recording)
        choose_speaker(server);
    else
        stop_speaker(server);
}

void gst_spice_server_set_recording(GstSpiceServer *server, gboolean recording)
{
    gst_spice_server_run(server, recording_task, GINT_TO_POINTER(recording != FALSE), NULL);
}

static void rate_task(GstSpiceServer *server, gpointer data)
{
    if (server->sound->record_rate == GPOINTER_TO_UINT(data))
        return;
    stop_speaker(server);
    server->sound->record_rate = GPOINTER_TO_UINT(data);
    choose_speaker(server);
}

void gst_spice_server_set_record_rate(GstSpiceServer *server, guint rate)
{
    g_return_if_fail(gst_spice_sound_mode_takes(SPICE_AUDIO_DATA_MODE_RAW, rate));
    gst_spice_server_run(server, rate_task, GUINT_TO_POINTER(rate), NULL);
}

gsize gst_spice_server_record(GstSpiceServer *server, gint16 *samples, gsize max)
{
    gsize n = 0;

    g_mutex_lock(&server->sound->ring_lock);
    if (server->sound->ring)
        n = gst_spice_sound_ring_pop(server->sound->ring, samples, max);
    g_mutex_unlock(&server->sound->ring_lock);
    return n;
}

/* Messages */

static gboolean take_mode(Record *self, const SpiceMsgAudioMode *message, GError **error)
{
    g_clear_pointer(&self->decoder, gst_spice_sound_decoder_free);
    self->decoder = gst_spice_sound_decoder_new(message->mode, sound_of(self)->record_rate);
    return self->decoder ||
           gst_spice_server_link_refuse(&self->link, error, "a mode that the rate does not go by");
}

/** Whether so much sound can be right; a client that floods us shall not cost us the decoding. */
static gboolean has_credit(Record *self)
{
    const gint64 now = g_get_monotonic_time();

    self->credit_us = MAX(self->credit_us, now);
    return self->credit_us - now <= MAX_AHEAD_MS * 1000;
}

static gboolean take_data(Record *self, SpiceBytes data, GError **error)
{
    struct GstSpiceServerSound *sound = sound_of(self);
    const gint16 *samples;
    gsize n;

    if (sound->speaker != &self->link || !has_credit(self))
        return TRUE; /* it has not heard yet that it is to be silent, or sends too much */
    if (!self->decoder)
        self->decoder = gst_spice_sound_decoder_new(SPICE_AUDIO_DATA_MODE_RAW, sound->record_rate);
    samples = gst_spice_sound_decoder_take(self->decoder, data.data, data.size, &n);
    if (!samples)
        return gst_spice_server_link_refuse(&self->link, error, "a packet that is no sound");
    self->heard = TRUE;
    self->credit_us += (gint64)(n * G_USEC_PER_SEC / sound->record_rate);
    g_mutex_lock(&sound->ring_lock);
    gst_spice_sound_ring_push(sound->ring, samples, n);
    g_mutex_unlock(&sound->ring_lock);
    return TRUE;
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    Record *self = (Record *)link;

    switch (type) {
    case SPICE_MSGC_RECORD_MODE:
        return take_mode(self, message, error);
    case SPICE_MSGC_RECORD_DATA:
        return take_data(self, ((SpiceMsgAudioData *)message)->data, error);
    case SPICE_MSGC_RECORD_START_MARK:
        return TRUE;
    default:
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Record *self = (Record *)link;
    GstSpiceServer *server = link->client->server;

    if (server->sound->speaker == link)
        server->sound->speaker = NULL;
    gst_spice_sound_decoder_free(self->decoder);
    gst_spice_server_link_clear(link);
    g_free(self);
    choose_speaker(server);
}

void gst_spice_server_record_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {.message = on_message, .closed = on_closed};
    Record *self = g_new0(Record, 1);

    self->turn = ++client->server->sound->last_turn;
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    gst_spice_server_send_volume(&self->link, &sound_of(self)->record_volume);
    if (sound_of(self)->speaker && !((Record *)sound_of(self)->speaker)->heard)
        be_patient(client->server); /* it has competition now */
    choose_speaker(client->server);
}
