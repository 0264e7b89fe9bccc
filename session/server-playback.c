/* The playback channel, server role: the desktop's sound to one client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-sound-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sound-backlog.h"

/* Bytes that the kernel may hold: 85 ms of raw sound. Beyond them it waits here, where the oldest is
 * dropped. */
enum { MAX_UNSENT = 16 << 10, UNIX_BUFFER = 32 << 10 };

typedef struct {
    GstSpiceServerLink link;
    guint modes;             /* that the client takes, a bit each */
    SpiceAudioDataMode mode; /* that it was told last */
    guint encoder;           /* that it gets packets of; 0: it has not been told START */
    GstSpiceSoundBacklog backlog;
} Playback;

static struct GstSpiceServerSound *sound_of(const Playback *self)
{
    return self->link.client->server->sound;
}

/* Start and stop */

static void send_mode(Playback *self)
{
    const struct GstSpiceServerSound *sound = sound_of(self);
    const guint modes = sound->compressed ? self->modes : 1u << SPICE_AUDIO_DATA_MODE_RAW;
    SpiceMsgAudioMode message = {.time = gst_spice_server_clock_ms()};

    self->mode = gst_spice_sound_choose_mode(modes, sound->playback_rate);
    message.mode = (guint16)self->mode;
    gst_spice_server_link_send(&self->link, SPICE_MSG_PLAYBACK_MODE, &message);
}

static void start(Playback *self)
{
    const SpiceMsgPlaybackStart message = {
        .channels = GST_SPICE_SOUND_CHANNELS,
        .format = SPICE_AUDIO_FMT_S16,
        .frequency = sound_of(self)->playback_rate,
        .time = gst_spice_server_clock_ms(),
    };

    if (self->encoder)
        return;
    self->encoder = gst_spice_playback_encoders_want(sound_of(self)->encoders, self->mode);
    if (self->encoder)
        gst_spice_server_link_send(&self->link, SPICE_MSG_PLAYBACK_START, &message);
}

static void forget_encoder(Playback *self)
{
    if (self->encoder)
        gst_spice_playback_encoders_let_go(sound_of(self)->encoders, self->encoder);
    self->encoder = 0;
    gst_spice_sound_backlog_clear(&self->backlog);
}

static void stop(Playback *self)
{
    if (!self->encoder)
        return;
    forget_encoder(self);
    gst_spice_server_link_send(&self->link, SPICE_MSG_PLAYBACK_STOP, NULL);
    /* Sound was the client's clock; without it, it goes by ours again. */
    gst_spice_server_main_send_clock(self->link.client);
}

static void start_link(GstSpiceServerLink *link, gpointer data)
{
    start((Playback *)link);
}

static void stop_link(GstSpiceServerLink *link, gpointer data)
{
    stop((Playback *)link);
}

static void send_mode_link(GstSpiceServerLink *link, gpointer data)
{
    send_mode((Playback *)link);
}

static void for_each(GstSpiceServer *server, void (*func)(GstSpiceServerLink *, gpointer))
{
    gst_spice_server_for_each_link(server, SPICE_CHANNEL_PLAYBACK, -1, func, NULL);
}

/** Whether clients are sent sound. */
static gboolean is_sent(const struct GstSpiceServerSound *sound)
{
    return sound->playing && !sound->paused;
}

static void start_or_stop(GstSpiceServer *server)
{
    for_each(server, is_sent(server->sound) ? start_link : stop_link);
}

static void playing_task(GstSpiceServer *server, gpointer data)
{
    server->sound->playing = GPOINTER_TO_INT(data);
    server->sound->paused = FALSE;
    start_or_stop(server);
}

void gst_spice_server_set_playing(GstSpiceServer *server, gboolean playing)
{
    g_atomic_int_set(&server->sound->plays, playing != FALSE);
    g_mutex_lock(&server->sound->pause_lock);
    server->sound->pause = (GstSpiceSoundPause){0};
    g_mutex_unlock(&server->sound->pause_lock);
    gst_spice_server_run(server, playing_task, GINT_TO_POINTER(playing != FALSE), NULL);
}

/** Begins anew for all who hear it, as rate or modes have changed. */
static void restart(GstSpiceServer *server)
{
    for_each(server, stop_link);
    gst_spice_playback_encoders_set_rate(server->sound->encoders, server->sound->playback_rate);
    for_each(server, send_mode_link);
    if (is_sent(server->sound))
        for_each(server, start_link);
}

static void rate_task(GstSpiceServer *server, gpointer data)
{
    if (server->sound->playback_rate == GPOINTER_TO_UINT(data))
        return;
    server->sound->playback_rate = GPOINTER_TO_UINT(data);
    restart(server);
}

void gst_spice_server_set_playback_rate(GstSpiceServer *server, guint rate)
{
    g_return_if_fail(gst_spice_sound_mode_takes(SPICE_AUDIO_DATA_MODE_RAW, rate));
    gst_spice_server_run(server, rate_task, GUINT_TO_POINTER(rate), NULL);
}

static void compressed_task(GstSpiceServer *server, gpointer data)
{
    if (server->sound->compressed == GPOINTER_TO_INT(data))
        return;
    server->sound->compressed = GPOINTER_TO_INT(data);
    restart(server);
}

void gst_spice_server_set_playback_compression(GstSpiceServer *server, gboolean compressed)
{
    gst_spice_server_run(server, compressed_task, GINT_TO_POINTER(compressed != FALSE), NULL);
}

/* Packets */

static void send_packet(Playback *self, GBytes *packet, guint32 time)
{
    SpiceMsgAudioData message = {.time = time};

    message.data.data = g_bytes_get_data(packet, &message.data.size);
    gst_spice_server_link_send(&self->link, SPICE_MSG_PLAYBACK_DATA, &message);
}

static void flush(Playback *self)
{
    GBytes *packet;
    guint32 time;

    while (spice_server_channel_get_backlog(self->link.channel) == 0 &&
           (packet = gst_spice_sound_backlog_pop(&self->backlog, &time))) {
        send_packet(self, packet, time);
        g_bytes_unref(packet);
    }
}

typedef struct {
    guint encoder;
    GBytes *bytes;
    guint32 time;
} Packet;

static void packet_free(gpointer data)
{
    g_bytes_unref(((Packet *)data)->bytes);
    g_free(data);
}

static void packet_link(GstSpiceServerLink *link, gpointer data)
{
    Playback *self = (Playback *)link;
    const Packet *packet = data;

    if (self->encoder != packet->encoder)
        return;
    gst_spice_sound_backlog_push(&self->backlog, packet->bytes, packet->time);
    flush(self);
}

static void packet_task(GstSpiceServer *server, gpointer data)
{
    gst_spice_server_for_each_link(server, SPICE_CHANNEL_PLAYBACK, -1, packet_link, data);
}

void gst_spice_server_playback_packet(guint encoder, GBytes *bytes, guint32 time, gpointer server)
{
    const Packet packet = {encoder, g_bytes_ref(bytes), time};
    Packet *copy = g_memdup2(&packet, sizeof packet);

    if (!gst_spice_server_post(server, packet_task, copy, packet_free))
        packet_free(copy);
}

gboolean gst_spice_server_is_heard(GstSpiceServer *server)
{
    return g_atomic_int_get(&server->sound->plays) &&
           g_atomic_int_get(&server->sound->n_listeners) > 0;
}

/* What is played, and pauses in it */

typedef struct {
    gint16 *samples;
    gsize n_samples;
    gint64 end_us;
} Block;

static void block_free(gpointer data)
{
    g_free(((Block *)data)->samples);
    g_free(data);
}

static void pause_task(GstSpiceServer *server, gpointer data)
{
    server->sound->paused = TRUE;
    start_or_stop(server);
}

/** Clients are told of sound before the first of it is encoded. */
static void block_task(GstSpiceServer *server, gpointer data)
{
    struct GstSpiceServerSound *sound = server->sound;
    const Block *block = data;

    if (sound->paused) {
        sound->paused = FALSE;
        start_or_stop(server);
    }
    if (sound->encoders) /* else the server ends */
        gst_spice_playback_encoders_push(sound->encoders, block->samples, block->n_samples,
                                         block->end_us);
    g_mutex_lock(&sound->pause_lock);
    sound->n_posted--;
    g_mutex_unlock(&sound->pause_lock);
}

/** Under pause_lock. */
static void post_block(GstSpiceServer *server, const gint16 *samples, gsize n_samples,
                       gint64 end_us)
{
    const Block block = {g_memdup2(samples, n_samples * GST_SPICE_SOUND_SAMPLE_SIZE), n_samples,
                         end_us};
    Block *copy = g_memdup2(&block, sizeof block);

    if (gst_spice_server_post(server, block_task, copy, block_free))
        server->sound->n_posted++;
    else
        block_free(copy);
}

void gst_spice_server_play(GstSpiceServer *server, const gint16 *samples, gsize n_samples,
                           gint64 end_us)
{
    struct GstSpiceServerSound *sound = server->sound;
    GstSpiceSoundPauseStep step;

    if (!gst_spice_server_is_heard(server))
        return;
    g_mutex_lock(&sound->pause_lock);
    step = gst_spice_sound_pause_take(&sound->pause, samples, n_samples * GST_SPICE_SOUND_CHANNELS,
                                      end_us);
    if (step == GST_SPICE_SOUND_PAUSE_BEGINS)
        gst_spice_server_post(server, pause_task, NULL, NULL);
    else if (step == GST_SPICE_SOUND_PAUSE_ENDS ||
             (step == GST_SPICE_SOUND_GOES_ON && sound->n_posted > 0))
        post_block(server, samples, n_samples, end_us);
    else if (step == GST_SPICE_SOUND_GOES_ON)
        gst_spice_playback_encoders_push(sound->encoders, samples, n_samples, end_us);
    g_mutex_unlock(&sound->pause_lock);
}

/* The channel */

typedef struct {
    guint n, n_celt_only, n_opus;
} Count;

static void count_link(GstSpiceServerLink *link, gpointer data)
{
    const guint modes = ((Playback *)link)->modes;
    Count *count = data;

    count->n++;
    if (modes & 1u << SPICE_AUDIO_DATA_MODE_OPUS)
        count->n_opus++;
    else if (modes & 1u << SPICE_AUDIO_DATA_MODE_CELT_0_5_1)
        count->n_celt_only++;
}

/** Clients came or went. */
static void count_listeners(GstSpiceServer *server)
{
    Count count = {0};

    gst_spice_server_for_each_link(server, SPICE_CHANNEL_PLAYBACK, -1, count_link, &count);
    g_atomic_int_set(&server->sound->n_listeners, (gint)count.n);
    g_atomic_int_set(&server->sound->best_playback_rate,
                     count.n_celt_only > 0 && count.n_opus == 0 ? 44100 : GST_SPICE_SOUND_RATE);
}

guint gst_spice_server_get_best_playback_rate(GstSpiceServer *server)
{
    return (guint)g_atomic_int_get(&server->sound->best_playback_rate);
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    return gst_spice_server_link_refuse(link, error, "nothing is to be said here");
}

static void on_writable(GstSpiceServerLink *link)
{
    flush((Playback *)link);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Playback *self = (Playback *)link;
    GstSpiceServerClient *client = link->client;
    const gboolean heard = self->encoder != 0;

    forget_encoder(self);
    gst_spice_server_link_clear(link);
    g_free(self);
    count_listeners(client->server);
    if (heard && !client->closing)
        gst_spice_server_main_send_clock(client);
}

/** Old sound shall not gather where it cannot be taken back. */
static void bound_socket(const GstSpiceServerClient *client, const SpiceServerChannel *channel)
{
    const int fd = g_socket_get_fd(spice_server_channel_get_socket(channel));
    const int unsent = MAX_UNSENT, buffer = UNIX_BUFFER;

    if (client->local)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    else
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

void gst_spice_server_playback_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .closed = on_closed};
    Playback *self = g_new0(Playback, 1);

    self->modes = gst_spice_server_sound_modes(channel, SPICE_PLAYBACK_CAP_CELT_0_5_1,
                                               SPICE_PLAYBACK_CAP_OPUS);
    bound_socket(client, channel);
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    count_listeners(client->server);
    send_mode(self);
    gst_spice_server_send_volume(&self->link, &sound_of(self)->playback_volume);
    if (is_sent(sound_of(self)))
        start(self);
}
