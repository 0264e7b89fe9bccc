/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-private.h"

#include <linux/tcp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/wire/channel.h"
#include "transport/error.h"

/* Bytes that may wait: handed over but not yet with the socket, and in the kernel but not yet sent.
 * Little, so that what is sent is new: while it waits in a view, it can still be left out. */
enum { MAX_WAITING = 256 << 10, MAX_UNSENT = 128 << 10 };

/* Bytes that are held back while more is about to follow. */
enum { MAX_HELD = 16 << 10 };

/* The fastest link that is believed. Within a machine TCP tells of more now and then, and pictures
 * would go out as they are, fifty times as many bytes for no less work. */
static const guint64 most_bits_per_second = G_GUINT64_CONSTANT(10000000000);

/* Reports of streams that wait to be looked at; the oldest go when there are more. */
enum { MAX_REPORTS = 32 };

typedef struct {
    guint16 type;
    GBytes *body;
} Message;

struct GstSpiceClientShared {
    gatomicrefcount refs;
    GMutex lock;
    gpointer state;
    GDestroyNotify destroy;
};

struct GstSpiceMediaChannel {
    gatomicrefcount refs;

    /* constant once opened */
    GMainContext *context;
    guint8 type, id;
    guint client;
    gboolean local;
    guint32 caps;
    SpiceMsgcDisplayInit display_init;
    struct GstSpiceClientShared *shared;
    GstSpiceServerImages *settings; /* the server's */
    gint preferred;                 /* atomic: what the client wishes; -1: nothing */

    GMutex lock;
    GCond wake;
    guint waiting;              /* under lock: threads that wait for `wake` */
    SpiceServerChannel *sender; /* under lock, a reference; NULL once closed */
    GQueue messages;            /* under lock */
    gsize queued;               /* under lock: bytes in `messages` */
    gsize backlog;              /* under lock: bytes that the connection has queued */
    gboolean blocked, drains, flushing, closed; /* under lock; drains: a drain will come */
    gboolean corked, held; /* under lock; held: there may be bytes that were not offered yet */
    guint64 next_serial;   /* under lock */
    guint64 sent;          /* under lock: bytes that were handed over */
    guint64 link_rate;     /* under lock: bits a second, as last measured; 0: not yet */
    GSocket *socket;       /* under lock; NULL once closed */
    SpiceMsgcDisplayStreamReport reports[MAX_REPORTS]; /* under lock, a ring */
    guint first_report, n_reports;                     /* under lock */
    guint8 preferred_codecs[16];                       /* under lock */
    guint n_preferred_codecs;                          /* under lock */
    GstSpiceDisplayFigures figures;                    /* under lock */

    struct Media *media; /* I/O thread: NULL once closed */
};

/** The channel on the I/O thread. */
typedef struct Media {
    GstSpiceServerLink link;
    GstSpiceMediaChannel *channel; /* a reference */
    gboolean opened;               /* INIT has come */
} Media;

G_DEFINE_BOXED_TYPE(GstSpiceMediaChannel, gst_spice_media_channel, gst_spice_media_channel_ref,
                    gst_spice_media_channel_unref)

static void message_free(gpointer data)
{
    Message *message = data;

    g_bytes_unref(message->body);
    g_free(message);
}

/* What a client's channels share */

static struct GstSpiceClientShared *shared_ref(struct GstSpiceClientShared *shared)
{
    g_atomic_ref_count_inc(&shared->refs);
    return shared;
}

void gst_spice_client_shared_unref(struct GstSpiceClientShared *shared)
{
    if (!g_atomic_ref_count_dec(&shared->refs))
        return;
    if (shared->destroy)
        shared->destroy(shared->state);
    g_mutex_clear(&shared->lock);
    g_free(shared);
}

gpointer gst_spice_media_channel_get_shared(GstSpiceMediaChannel *self, gpointer (*create)(void),
                                            GDestroyNotify destroy)
{
    gpointer state;

    g_mutex_lock(&self->shared->lock);
    if (!self->shared->destroy) {
        self->shared->state = create();
        self->shared->destroy = destroy;
    }
    state = self->shared->state;
    g_mutex_unlock(&self->shared->lock);
    return state;
}

/* The end that the pipeline holds */

GstSpiceMediaChannel *gst_spice_media_channel_ref(GstSpiceMediaChannel *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void gst_spice_media_channel_unref(GstSpiceMediaChannel *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_queue_clear_full(&self->messages, message_free);
    gst_spice_client_shared_unref(self->shared);
    g_atomic_rc_box_release(self->settings);
    g_main_context_unref(self->context);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_free(self);
}

guint8 gst_spice_media_channel_get_id(const GstSpiceMediaChannel *self)
{
    return self->id;
}

gboolean gst_spice_media_channel_peer_has(const GstSpiceMediaChannel *self, guint capability)
{
    return capability < 32 && (self->caps & 1u << capability);
}

const SpiceMsgcDisplayInit *
gst_spice_media_channel_get_display_init(const GstSpiceMediaChannel *self)
{
    return &self->display_init;
}

GstSpiceImageCompression
gst_spice_media_channel_get_image_compression(const GstSpiceMediaChannel *self)
{
    const gint preferred = g_atomic_int_get(&self->preferred);

    return (GstSpiceImageCompression)(preferred >= 0
                                          ? preferred
                                          : g_atomic_int_get(&self->settings->compression));
}

GstSpiceWanCompression gst_spice_media_channel_get_wan_compression(const GstSpiceMediaChannel *self,
                                                                   gboolean zlib)
{
    return (GstSpiceWanCompression)g_atomic_int_get(zlib ? &self->settings->zlib_glz
                                                         : &self->settings->jpeg);
}

GstSpiceVideoCodecs gst_spice_media_channel_get_video_codecs(const GstSpiceMediaChannel *channel)
{
    GstSpiceMediaChannel *self = (GstSpiceMediaChannel *)channel;
    const gboolean multi = gst_spice_media_channel_peer_has(self, SPICE_DISPLAY_CAP_MULTI_CODEC);
    GstSpiceVideoCodecs all =
        gst_spice_video_codecs_unpack((guint)g_atomic_int_get(&self->settings->codecs));
    GstSpiceVideoCodecs codecs = {0};
    guint i;

    /* Clients from before there were several decode MJPEG, without saying so. */
    for (i = 0; i < all.n; i++)
        if (multi ? gst_spice_media_channel_peer_has(
                        self, gst_spice_video_codec_capability(all.codecs[i]))
                  : all.codecs[i] == SPICE_VIDEO_CODEC_TYPE_MJPEG)
            codecs.codecs[codecs.n++] = all.codecs[i];
    g_mutex_lock(&self->lock);
    gst_spice_video_codecs_prefer(&codecs, self->preferred_codecs, self->n_preferred_codecs);
    g_mutex_unlock(&self->lock);
    return codecs;
}

guint64 gst_spice_media_channel_get_next_serial(GstSpiceMediaChannel *self)
{
    guint64 serial;

    g_mutex_lock(&self->lock);
    serial = self->next_serial;
    g_mutex_unlock(&self->lock);
    return serial;
}

GstSpiceLinkQuality gst_spice_media_channel_get_link(GstSpiceMediaChannel *self)
{
    GstSpiceLinkQuality link = {0};
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    g_mutex_lock(&self->lock);
    if (self->socket && !self->local &&
        getsockopt(g_socket_get_fd(self->socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        size >= G_STRUCT_OFFSET(struct tcp_info, tcpi_delivery_rate) + 8) {
        const guint64 rate = MIN((guint64)info.tcpi_delivery_rate, most_bits_per_second / 8) * 8;

        /* A rate that we did not fill says that the link can do as much, not that it cannot do
         * more: little was to be sent, or the window was still small. */
        if (!info.tcpi_delivery_rate_app_limited || (self->link_rate > 0 && rate > self->link_rate))
            self->link_rate = rate;
        link.round_trip_us = info.tcpi_rtt;
        link.bits_per_second = self->link_rate;
    }
    g_mutex_unlock(&self->lock);
    return link;
}

gboolean gst_spice_media_channel_is_local(const GstSpiceMediaChannel *self)
{
    return self->local;
}

GstSpiceChannelProgress gst_spice_media_channel_get_progress(GstSpiceMediaChannel *self)
{
    GstSpiceChannelProgress progress;
    guint64 under_way;
    int unsent = 0;

    g_mutex_lock(&self->lock);
    progress.sent = self->sent;
    under_way = self->queued + self->backlog;
    if (self->socket && ioctl(g_socket_get_fd(self->socket), SIOCOUTQ, &unsent) == 0 && unsent > 0)
        under_way += (guint64)unsent;
    g_mutex_unlock(&self->lock);
    progress.delivered = progress.sent - MIN(progress.sent, under_way);
    return progress;
}

gboolean gst_spice_media_channel_take_report(GstSpiceMediaChannel *self,
                                             SpiceMsgcDisplayStreamReport *report)
{
    gboolean any;

    g_mutex_lock(&self->lock);
    any = self->n_reports > 0;
    if (any) {
        *report = self->reports[self->first_report];
        self->first_report = (self->first_report + 1) % MAX_REPORTS;
        self->n_reports--;
    }
    g_mutex_unlock(&self->lock);
    return any;
}

void gst_spice_media_channel_set_figures(GstSpiceMediaChannel *self,
                                         const GstSpiceDisplayFigures *figures)
{
    g_mutex_lock(&self->lock);
    self->figures = *figures;
    g_mutex_unlock(&self->lock);
}

GstSpiceDisplayFigures gst_spice_media_channel_get_figures(GstSpiceMediaChannel *self)
{
    GstSpiceDisplayFigures figures;

    g_mutex_lock(&self->lock);
    figures = self->figures;
    g_mutex_unlock(&self->lock);
    return figures;
}

GstSpiceMediaChannel *gst_spice_server_link_get_media(const GstSpiceServerLink *link)
{
    return link->type == SPICE_CHANNEL_DISPLAY ? ((const Media *)link)->channel : NULL;
}

static void keep_report(GstSpiceMediaChannel *self, const SpiceMsgcDisplayStreamReport *report)
{
    g_mutex_lock(&self->lock);
    if (self->n_reports == MAX_REPORTS) {
        self->first_report = (self->first_report + 1) % MAX_REPORTS;
        self->n_reports--;
    }
    self->reports[(self->first_report + self->n_reports++) % MAX_REPORTS] = *report;
    g_mutex_unlock(&self->lock);
}

static void keep_preferred_codecs(GstSpiceMediaChannel *self,
                                  const SpiceMsgcDisplayPreferredVideoCodecType *message)
{
    g_mutex_lock(&self->lock);
    self->n_preferred_codecs =
        (guint)MIN(message->codecs.size, G_N_ELEMENTS(self->preferred_codecs));
    if (self->n_preferred_codecs > 0)
        memcpy(self->preferred_codecs, message->codecs.data, self->n_preferred_codecs);
    g_mutex_unlock(&self->lock);
}

static gboolean drain_task(gpointer data);

/** Has the I/O thread take messages; under lock. */
static void schedule_drain(GstSpiceMediaChannel *self)
{
    g_autoptr(GSource) source = NULL;

    if (self->drains || self->closed)
        return;
    self->drains = TRUE;
    source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, drain_task, gst_spice_media_channel_ref(self),
                          (GDestroyNotify)gst_spice_media_channel_unref);
    g_source_attach(source, self->context);
}

/** Sends what is held back; under lock. */
static void send_held(GstSpiceMediaChannel *self)
{
    SpiceServerChannelState state;

    if (!self->held)
        return;
    self->held = FALSE;
    if (!spice_server_channel_try_flush(self->sender, &state)) {
        schedule_drain(self);
        return;
    }
    self->backlog = state.backlog;
    self->blocked = !state.may_send;
}

/** Sends a message from this thread, which spares waking another. FALSE if that has to do it. Under
 * lock. */
static gboolean send_at_once(GstSpiceMediaChannel *self, guint16 type, GBytes *body)
{
    gsize size;
    const void *data = g_bytes_get_data(body, &size);
    SpiceServerChannelState state;

    if (!g_queue_is_empty(&self->messages) ||
        !spice_server_channel_try_queue(self->sender, type, data, size, &state))
        return FALSE;
    self->backlog = state.backlog;
    self->blocked = !state.may_send;
    self->held = TRUE;
    if (!self->corked || self->backlog > MAX_HELD)
        send_held(self);
    return TRUE;
}

GstSpiceSendResult gst_spice_media_channel_send(GstSpiceMediaChannel *self, guint16 type,
                                                GBytes *body)
{
    GstSpiceSendResult result = GST_SPICE_SEND_OK;

    g_mutex_lock(&self->lock);
    while (!self->closed && !self->flushing &&
           (self->blocked || self->queued + self->backlog > MAX_WAITING)) {
        send_held(self);
        self->waiting++;
        g_cond_wait(&self->wake, &self->lock);
        self->waiting--;
    }
    if (self->closed) {
        result = GST_SPICE_SEND_CLOSED;
    } else if (self->flushing) {
        result = GST_SPICE_SEND_FLUSHING;
    } else {
        self->next_serial++;
        self->sent += g_bytes_get_size(body);
        if (!send_at_once(self, type, body)) {
            const Message message = {type, g_bytes_ref(body)};

            self->queued += g_bytes_get_size(body);
            g_queue_push_tail(&self->messages, g_memdup2(&message, sizeof message));
            schedule_drain(self);
        }
    }
    g_mutex_unlock(&self->lock);
    return result;
}

void gst_spice_media_channel_cork(GstSpiceMediaChannel *self, gboolean corked)
{
    g_mutex_lock(&self->lock);
    self->corked = corked;
    if (!corked && !self->closed)
        send_held(self);
    g_mutex_unlock(&self->lock);
}

void gst_spice_media_channel_set_flushing(GstSpiceMediaChannel *self, gboolean flushing)
{
    g_mutex_lock(&self->lock);
    self->flushing = flushing;
    g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

/* The end on the I/O thread */

/** Sends what the client may be sent. Waits for nobody: who holds our lock and wants the channel's
 * only tries to take that. */
static void drain(Media *media)
{
    GstSpiceMediaChannel *self = media->channel;
    SpiceServerChannel *channel = media->link.channel;

    g_mutex_lock(&self->lock);
    while (!g_queue_is_empty(&self->messages) && spice_server_channel_may_send(channel) &&
           spice_server_channel_get_backlog(channel) <= MAX_WAITING) {
        Message *message = g_queue_pop_head(&self->messages);
        gsize size;
        const void *body = g_bytes_get_data(message->body, &size);

        /* Still under the lock, lest another thread overtake it. */
        spice_server_channel_send(channel, message->type, body, size);
        self->queued -= size;
        self->backlog = spice_server_channel_get_backlog(channel);
        message_free(message);
    }
    spice_server_channel_flush(channel);
    self->backlog = spice_server_channel_get_backlog(channel);
    self->blocked = !spice_server_channel_may_send(channel);
    if (self->waiting > 0)
        g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

static gboolean drain_task(gpointer data)
{
    GstSpiceMediaChannel *self = data;

    g_mutex_lock(&self->lock);
    self->drains = FALSE;
    g_mutex_unlock(&self->lock);
    if (self->media)
        drain(self->media);
    return G_SOURCE_REMOVE;
}

static void set_closed(GstSpiceMediaChannel *self)
{
    self->media = NULL;
    g_mutex_lock(&self->lock);
    self->closed = TRUE;
    g_clear_object(&self->socket);
    g_clear_pointer(&self->sender, spice_server_channel_unref);
    g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

typedef struct {
    GstSpiceMediaChannel *channel;
    char *why;
} Close;

static void close_free(gpointer data)
{
    Close *close = data;

    gst_spice_media_channel_unref(close->channel);
    g_free(close->why);
    g_free(close);
}

static gboolean close_task(gpointer data)
{
    Close *close = data;
    g_autoptr(GError) error =
        g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, close->why);

    if (close->channel->media)
        gst_spice_server_link_close(&close->channel->media->link, error);
    return G_SOURCE_REMOVE;
}

void gst_spice_media_channel_close(GstSpiceMediaChannel *self, const char *why)
{
    const Close close = {gst_spice_media_channel_ref(self), g_strdup(why)};
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, close_task, g_memdup2(&close, sizeof close), close_free);
    g_mutex_lock(&self->lock);
    if (!self->closed) /* else nobody may look at the context any more */
        g_source_attach(source, self->context);
    g_mutex_unlock(&self->lock);
}

/** Tells whoever looks on who sees a display now. */
static void count_viewers(GstSpiceServer *server, guint8 id)
{
    guint32 caps = G_MAXUINT32;
    guint n = 0, i;
    GList *item;

    if (!server->connections)
        return;
    for (item = server->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;

        for (i = 0; i < client->links->len; i++) {
            const GstSpiceServerLink *link = client->links->pdata[i];

            if (link->type != SPICE_CHANNEL_DISPLAY || link->id != id ||
                !((const Media *)link)->opened)
                continue;
            caps &= ((const Media *)link)->channel->caps;
            n++;
        }
    }
    server->connections->display_clients(id, n, n ? caps : 0, server->connections_data);
}

/** The client's INIT came: the channel can be fed. */
static gboolean take_init(Media *media, const SpiceMsgcDisplayInit *init, GError **error)
{
    GstSpiceServer *server = media->link.client->server;
    GstSpiceMediaChannel *self = media->channel;

    if (media->opened)
        return gst_spice_server_link_refuse(&media->link, error, "a second INIT");
    if (init->glz_dictionary_window_size < 0 || init->glz_dictionary_window_size > 1 << 25)
        return gst_spice_server_link_refuse(&media->link, error, "a dictionary out of range");
    media->opened = TRUE;
    count_viewers(server, self->id);
    self->display_init = *init;
    spice_server_channel_set_ack_window(media->link.channel, GST_SPICE_SERVER_ACK_WINDOW);
    self->next_serial = spice_server_channel_get_serial(media->link.channel) + 1;
    if (server->media && server->media->opened)
        server->media->opened(self, server->media_data);
    return TRUE;
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    Media *media = (Media *)link;

    if (type == SPICE_MSGC_DISPLAY_INIT)
        return take_init(media, message, error);
    if (!media->opened)
        return gst_spice_server_link_refuse(link, error, "a message before INIT");
    switch (type) {
    case SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION: {
        static const gint modes[] = {
            [SPICE_IMAGE_COMPRESSION_OFF] = GST_SPICE_IMAGE_COMPRESSION_OFF,
            [SPICE_IMAGE_COMPRESSION_AUTO_GLZ] = GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
            [SPICE_IMAGE_COMPRESSION_AUTO_LZ] = GST_SPICE_IMAGE_COMPRESSION_AUTO_LZ,
            [SPICE_IMAGE_COMPRESSION_QUIC] = GST_SPICE_IMAGE_COMPRESSION_QUIC,
            [SPICE_IMAGE_COMPRESSION_GLZ] = GST_SPICE_IMAGE_COMPRESSION_GLZ,
            [SPICE_IMAGE_COMPRESSION_LZ] = GST_SPICE_IMAGE_COMPRESSION_LZ,
            [SPICE_IMAGE_COMPRESSION_LZ4] = GST_SPICE_IMAGE_COMPRESSION_LZ4,
        };
        const guint8 wish = ((SpiceMsgcDisplayPreferredCompression *)message)->compression;

        if (wish > SPICE_IMAGE_COMPRESSION_INVALID && wish <= SPICE_IMAGE_COMPRESSION_LZ4)
            g_atomic_int_set(&media->channel->preferred, modes[wish]);
        return TRUE;
    }
    case SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE:
        keep_preferred_codecs(media->channel, message);
        return TRUE;
    case SPICE_MSGC_DISPLAY_STREAM_REPORT:
        if (((SpiceMsgcDisplayStreamReport *)message)->stream_id >= SPICE_MAX_STREAMS)
            return gst_spice_server_link_refuse(link, error, "a report of no stream");
        keep_report(media->channel, message);
        return TRUE;
    default:
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_writable(GstSpiceServerLink *link)
{
    drain((Media *)link);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Media *media = (Media *)link;
    GstSpiceServer *server = link->client->server;
    GstSpiceMediaChannel *self = media->channel;

    set_closed(self);
    gst_spice_server_link_clear(link);
    if (media->opened)
        count_viewers(server, self->id);
    if (media->opened && server->media && server->media->closed)
        server->media->closed(self, server->media_data);
    gst_spice_media_channel_unref(self);
    g_free(media);
}

static guint32 peer_caps(const SpiceServerChannel *channel)
{
    guint32 caps = 0;
    guint i;

    for (i = 0; i < 32; i++)
        if (spice_server_channel_peer_has(channel, i))
            caps |= 1u << i;
    return caps;
}

void gst_spice_server_media_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .closed = on_closed};
    Media *media = g_new0(Media, 1);
    GstSpiceMediaChannel *self = g_new0(GstSpiceMediaChannel, 1);
    const int unsent = MAX_UNSENT;

    if (!client->shared) {
        client->shared = g_new0(struct GstSpiceClientShared, 1);
        g_atomic_ref_count_init(&client->shared->refs);
        g_mutex_init(&client->shared->lock);
    }
    g_atomic_ref_count_init(&self->refs);
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    g_queue_init(&self->messages);
    self->context = g_main_context_ref(client->server->context);
    self->type = spice_server_channel_get_type_number(channel);
    self->id = spice_server_channel_get_id(channel);
    self->client = client->number;
    self->local = client->local;
    self->caps = peer_caps(channel);
    self->shared = shared_ref(client->shared);
    self->settings = g_atomic_rc_box_acquire(client->server->images);
    self->preferred = -1;
    self->socket = g_object_ref(spice_server_channel_get_socket(channel));
    self->sender = spice_server_channel_ref(channel);
    self->media = media;
    if (!self->local)
        setsockopt(g_socket_get_fd(self->socket), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
                   sizeof unsent);
    media->channel = self;
    gst_spice_server_link_init(&media->link, &klass, client, channel);
}
