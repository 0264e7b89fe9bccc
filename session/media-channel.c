/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media-channel-private.h"

#include <linux/tcp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Bytes that are held back while more is about to follow. */
enum { MAX_HELD = 16 << 10 };

/* The fastest link that is believed. Within a machine TCP tells of more now and then, and pictures
 * would go out as they are, fifty times as many bytes for no less work. */
static const guint64 most_bits_per_second = G_GUINT64_CONSTANT(10000000000);

G_DEFINE_BOXED_TYPE(GstSpiceMediaChannel, gst_spice_media_channel, gst_spice_media_channel_ref,
                    gst_spice_media_channel_unref)

void gst_spice_media_message_free(gpointer data)
{
    GstSpiceMediaMessage *message = data;

    g_bytes_unref(message->body);
    g_clear_pointer(&message->scanout, gst_spice_scanout_unref);
    g_free(message);
}

/* What a client's channels share */

struct GstSpiceClientShared *gst_spice_client_shared_ref(struct GstSpiceClientShared *shared)
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
    g_queue_clear_full(&self->messages, gst_spice_media_message_free);
    g_clear_pointer(&self->scanout, gst_spice_scanout_unref);
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
    self->others = 0;
    g_mutex_unlock(&self->lock);
    return serial;
}

GstSpiceLinkQuality gst_spice_media_channel_get_link(GstSpiceMediaChannel *self)
{
    GstSpiceLinkQuality link = {0};
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    guint64 delivered;

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
    /* The client's word counts where it says slow: what the kernel knows ends at the next proxy. */
    if (spice_link_window_delivered(&self->window, &delivered)) {
        link.told_by_peer = spice_link_window_rate(&self->window) > 0;
        if (link.told_by_peer)
            link.bits_per_second = (guint64)spice_link_window_rate(&self->window);
        link.jitter_us = (guint)spice_link_window_jitter(&self->window);
        if (spice_link_window_delay(&self->window) > 0)
            link.round_trip_us = (guint)MIN(spice_link_window_delay(&self->window), G_MAXINT);
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
    guint64 under_way, delivered;
    int unsent = 0;

    g_mutex_lock(&self->lock);
    progress.sent = self->sent;
    under_way = self->queued + self->backlog;
    if (self->socket && ioctl(g_socket_get_fd(self->socket), SIOCOUTQ, &unsent) == 0 && unsent > 0)
        under_way += (guint64)unsent;
    progress.delivered = progress.sent - MIN(progress.sent, under_way);
    if (spice_link_window_delivered(&self->window, &delivered))
        progress.delivered = MIN(progress.delivered, delivered);
    g_mutex_unlock(&self->lock);
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
        self->first_report = (self->first_report + 1) % GST_SPICE_MAX_REPORTS;
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

/** Sends what is held back; under lock. */
static void send_held(GstSpiceMediaChannel *self)
{
    SpiceServerChannelState state;

    if (!self->held)
        return;
    self->held = FALSE;
    if (!spice_server_channel_try_flush(self->sender, &state)) {
        gst_spice_media_channel_schedule_drain(self);
        return;
    }
    self->backlog = state.backlog;
    self->blocked = !state.may_send;
}

/** Counts a message. What a PING marks ends before it. */
static void count_given(GstSpiceMediaChannel *self, guint16 type, gsize size)
{
    self->next_serial++;
    if (type == SPICE_MSG_PING)
        return;
    self->sent += size;
    spice_link_window_give(&self->window, size, self->waited);
    self->waited = FALSE;
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
    count_given(self, type, size);
    self->backlog = state.backlog;
    self->blocked = !state.may_send;
    self->held = TRUE;
    if (!self->corked || self->backlog > MAX_HELD)
        send_held(self);
    return TRUE;
}

void gst_spice_media_channel_enqueue(GstSpiceMediaChannel *self, guint16 type, GBytes *body,
                                     GstSpiceScanout *scanout)
{
    const GstSpiceMediaMessage message = {type, g_bytes_ref(body),
                                          scanout ? gst_spice_scanout_ref(scanout) : NULL};
    const gsize size = g_bytes_get_size(body);

    count_given(self, type, size);
    self->queued += size;
    g_queue_push_tail(&self->messages, g_memdup2(&message, sizeof message));
    gst_spice_media_channel_schedule_drain(self);
}

/** Whether the client is behind; under lock. */
static gboolean must_wait(GstSpiceMediaChannel *self)
{
    return self->blocked || self->queued + self->backlog > GST_SPICE_MAX_WAITING ||
           !spice_link_window_is_open(&self->window, (guint64)g_get_monotonic_time());
}

/** Waits until the client is not behind, or nothing can be sent any more; under lock. */
static void wait_for_room(GstSpiceMediaChannel *self)
{
    while (!self->closed && !self->flushing && must_wait(self)) {
        send_held(self);
        self->waited = TRUE;
        self->waiting++;
        g_cond_wait_until(&self->wake, &self->lock,
                          g_get_monotonic_time() +
                              (gint64)MAX(spice_link_window_wait(&self->window), 1000));
        self->waiting--;
    }
}

void gst_spice_media_channel_wait(GstSpiceMediaChannel *self)
{
    g_mutex_lock(&self->lock);
    wait_for_room(self);
    g_mutex_unlock(&self->lock);
}

GstSpiceSendResult gst_spice_media_channel_send(GstSpiceMediaChannel *self, guint16 type,
                                                GBytes *body)
{
    GstSpiceSendResult result = GST_SPICE_SEND_OK;

    g_mutex_lock(&self->lock);
    if (type != SPICE_MSG_PING) /* which tells when to go on */
        wait_for_room(self);
    if (self->closed) {
        result = GST_SPICE_SEND_CLOSED;
    } else if (self->flushing) {
        result = GST_SPICE_SEND_FLUSHING;
    } else {
        if (!send_at_once(self, type, body))
            gst_spice_media_channel_enqueue(self, type, body, NULL);
        if (type == SPICE_MSG_DISPLAY_SURFACE_CREATE && self->scanout)
            gst_spice_media_channel_tell_scanout(self);
    }
    g_mutex_unlock(&self->lock);
    return result;
}

gboolean gst_spice_media_channel_wants_mark(GstSpiceMediaChannel *self, gboolean last, guint32 *id)
{
    const guint64 now = (guint64)g_get_monotonic_time();

    g_mutex_lock(&self->lock);
    *id = last ? spice_link_window_mark_last(&self->window, now)
               : spice_link_window_mark(&self->window, now);
    g_mutex_unlock(&self->lock);
    if (*id == 0)
        return FALSE;
    *id |= SPICE_PING_MARK;
    return TRUE;
}

guint gst_spice_media_channel_take_others(GstSpiceMediaChannel *self)
{
    guint n;

    g_mutex_lock(&self->lock);
    n = self->others;
    self->others = 0;
    g_mutex_unlock(&self->lock);
    return n;
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
