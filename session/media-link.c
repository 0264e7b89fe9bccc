/* A media channel's end on the I/O thread: what the pipeline could not send at once, and what the
 * client says.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "media-channel-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "core/wire/channel.h"
#include "transport/error.h"

GstSpiceMediaChannel *gst_spice_server_link_get_media(const GstSpiceServerLink *link)
{
    return link->type == SPICE_CHANNEL_DISPLAY ? ((const Media *)link)->channel : NULL;
}

/** Sends what the client may be sent. Waits for nobody: who holds our lock and wants the channel's
 * only tries to take that. */
static void drain(Media *media)
{
    GstSpiceMediaChannel *self = media->channel;
    SpiceServerChannel *channel = media->link.channel;

    g_mutex_lock(&self->lock);
    while (!g_queue_is_empty(&self->messages) && spice_server_channel_may_send(channel) &&
           spice_server_channel_get_backlog(channel) <= GST_SPICE_MAX_WAITING) {
        GstSpiceMediaMessage *message = g_queue_pop_head(&self->messages);
        gsize size;
        const void *body = g_bytes_get_data(message->body, &size);

        /* Still under the lock, lest another thread overtake it. */
        if (message->scanout)
            spice_server_channel_send_fd(channel, message->type, body, size, message->scanout->fd);
        else
            spice_server_channel_send(channel, message->type, body, size);
        self->queued -= size;
        self->backlog = spice_server_channel_get_backlog(channel);
        gst_spice_media_message_free(message);
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

void gst_spice_media_channel_schedule_drain(GstSpiceMediaChannel *self)
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
    GstSpiceViewers viewers = {.caps = G_MAXUINT32};
    guint i;
    GList *item;

    if (!server->connections)
        return;
    for (item = server->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;

        for (i = 0; i < client->links->len; i++) {
            const GstSpiceServerLink *link = client->links->pdata[i];
            const Media *media = (const Media *)link;

            if (link->type != SPICE_CHANNEL_DISPLAY || link->id != id || !media->opened)
                continue;
            viewers.caps &= media->channel->caps;
            viewers.n++;
            viewers.n_without_scanouts += !media->channel->shows_scanouts;
        }
    }
    if (viewers.n == 0)
        viewers.caps = 0;
    server->connections->display_clients(id, &viewers, server->connections_data);
}

static void keep_report(GstSpiceMediaChannel *self, const SpiceMsgcDisplayStreamReport *report)
{
    g_mutex_lock(&self->lock);
    if (self->n_reports == GST_SPICE_MAX_REPORTS) {
        self->first_report = (self->first_report + 1) % GST_SPICE_MAX_REPORTS;
        self->n_reports--;
    }
    self->reports[(self->first_report + self->n_reports++) % GST_SPICE_MAX_REPORTS] = *report;
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

/** The client's INIT came: the channel can be fed. */
static gboolean take_init(Media *media, const SpiceMsgcDisplayInit *init, GError **error)
{
    GstSpiceServer *server = media->link.client->server;
    GstSpiceMediaChannel *self = media->channel;
    GstSpiceGuestStream *stream;

    if (media->opened)
        return gst_spice_server_link_refuse(&media->link, error, "a second INIT");
    if (init->glz_dictionary_window_size < 0 || init->glz_dictionary_window_size > 1 << 25)
        return gst_spice_server_link_refuse(&media->link, error, "a dictionary out of range");
    media->opened = TRUE;
    count_viewers(server, self->id);
    self->display_init = *init;
    spice_server_channel_set_ack_window(media->link.channel, GST_SPICE_SERVER_ACK_WINDOW);
    self->next_serial = spice_server_channel_get_serial(media->link.channel) + 1;
    stream = gst_spice_server_find_guest_stream(server, self->id);
    if (stream) {
        media->guest = gst_spice_guest_stream_add_viewer(stream, &media->link);
        return TRUE;
    }
    gst_spice_server_show_scanout(server, self);
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
    case SPICE_MSGC_DISPLAY_GL_DRAW_DONE:
        if (!gst_spice_media_channel_take_draw_done(media->channel))
            return gst_spice_server_link_refuse(link, error, "an answer to no draw");
        gst_spice_server_look_at_scanout(link->client->server, link->id);
        return TRUE;
    default:
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_marked(GstSpiceServerLink *link, guint32 id)
{
    GstSpiceMediaChannel *self = ((Media *)link)->channel;

    if ((id & ~(guint32)SPICE_PING_MARK_NUMBER) != SPICE_PING_MARK)
        return;
    g_mutex_lock(&self->lock);
    spice_link_window_answer(&self->window, (guint64)g_get_monotonic_time(),
                             id & SPICE_PING_MARK_NUMBER);
    if (self->waiting > 0)
        g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

static void on_writable(GstSpiceServerLink *link)
{
    Media *media = (Media *)link;

    if (media->guest)
        gst_spice_guest_stream_viewer_writable(media->guest);
    else
        drain(media);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Media *media = (Media *)link;
    GstSpiceServer *server = link->client->server;
    GstSpiceMediaChannel *self = media->channel;

    set_closed(self);
    if (media->guest)
        gst_spice_guest_stream_viewer_remove(media->guest);
    gst_spice_server_link_clear(link);
    if (media->opened)
        count_viewers(server, self->id);
    gst_spice_server_look_at_scanout(server, self->id);
    if (media->opened && !media->guest && server->media && server->media->closed)
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

void gst_spice_server_media_link_tested(GstSpiceServerClient *client)
{
    guint i;

    for (i = 0; i < client->links->len; i++) {
        GstSpiceMediaChannel *self = gst_spice_server_link_get_media(client->links->pdata[i]);

        if (!self)
            continue;
        g_mutex_lock(&self->lock);
        if (spice_link_window_rate(&self->window) == 0)
            spice_link_window_know(&self->window, client->link_rate, client->round_trip_us);
        g_mutex_unlock(&self->lock);
    }
}

void gst_spice_server_media_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .marked = on_marked, .closed = on_closed};
    Media *media = g_new0(Media, 1);
    GstSpiceMediaChannel *self = g_new0(GstSpiceMediaChannel, 1);
    const int unsent = GST_SPICE_MAX_UNSENT;

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
    self->shared = gst_spice_client_shared_ref(client->shared);
    self->settings = g_atomic_rc_box_acquire(client->server->images);
    self->preferred = -1;
    spice_link_window_init(&self->window, (guint64)g_get_monotonic_time(), self->local);
    spice_link_window_know(&self->window, client->link_rate, client->round_trip_us);
    self->shows_scanouts = gst_spice_media_channel_peer_has(self, SPICE_DISPLAY_CAP_GL_SCANOUT) &&
                           spice_server_channel_can_pass_fds(channel);
    self->socket = g_object_ref(spice_server_channel_get_socket(channel));
    self->sender = spice_server_channel_ref(channel);
    self->media = media;
    if (!self->local)
        setsockopt(g_socket_get_fd(self->socket), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
                   sizeof unsent);
    media->channel = self;
    gst_spice_server_link_init(&media->link, &klass, client, channel);
}
