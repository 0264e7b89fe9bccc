/* Channels of a session that somebody else consumes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"
#include "session-private.h"
#include "transport/error.h"

struct GstSpiceAttachment {
    gatomicrefcount refs;
    GstSpiceSession *session; /* a reference until detached or closed */
    guint8 type, id;
    guint32 caps[4];
    guint n_caps;
    const GstSpiceAttachmentHandler *handler;

    GMutex lock;
    gpointer user_data; /* under lock */
    gboolean live;      /* under lock: callbacks may be made */

    gsize posted;  /* atomic: bytes that are on their way to the I/O thread */
    gsize backlog; /* atomic: bytes that the channel has kept */

    SpiceChannel *channel; /* I/O thread */
    gboolean done;         /* I/O thread: closed, not to be opened again */
};

void gst_spice_attachment_unref(gpointer data)
{
    GstSpiceAttachment *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_object_unref(self->session);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static GstSpiceAttachment *attachment_ref(GstSpiceAttachment *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

/** The last callback, and the end of the attachment for the I/O thread. */
static void attachment_close(GstSpiceAttachment *self, const GError *error)
{
    self->done = TRUE;
    if (self->channel) {
        spice_channel_close(self->channel);
        self->channel = NULL;
    }
    g_mutex_lock(&self->lock);
    if (self->live) {
        self->live = FALSE;
        self->handler->closed(self, error, self->user_data);
    }
    g_mutex_unlock(&self->lock);
}

static void attachment_open(GstSpiceAttachment *self);

static void on_attachment_opened(SpiceChannel *channel, gpointer user_data)
{
    GstSpiceAttachment *self = user_data;

    g_mutex_lock(&self->lock);
    if (self->live)
        self->handler->opened(self, self->user_data);
    g_mutex_unlock(&self->lock);
}

static gboolean on_attachment_message(SpiceChannel *channel, const SpiceFrame *frame,
                                      gpointer user_data, GError **error)
{
    GstSpiceAttachment *self = user_data;

    g_mutex_lock(&self->lock);
    if (self->live)
        self->handler->message(self, frame->bytes, frame->serial, self->user_data);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static void on_attachment_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceAttachment *self = user_data;

    spice_channel_close(self->channel);
    self->channel = NULL;
    if (gst_spice_session_accept_redirect(self->session, self->type, error))
        attachment_open(self);
    else
        attachment_close(self, error);
}

/** Tells that all was taken, if it was. */
static void check_drained(GstSpiceAttachment *self)
{
    const gsize backlog = self->channel ? spice_channel_get_backlog(self->channel) : 0;

    g_atomic_pointer_set(&self->backlog, backlog);
    if (gst_spice_attachment_get_unsent(self) > 0 || !self->handler->drained)
        return;
    g_mutex_lock(&self->lock);
    if (self->live)
        self->handler->drained(self, self->user_data);
    g_mutex_unlock(&self->lock);
}

static void on_attachment_drained(SpiceChannel *channel, gpointer user_data)
{
    check_drained(user_data);
}

static const SpiceChannelHandler attachment_handler = {
    .opened = on_attachment_opened,
    .message = on_attachment_message,
    .closed = on_attachment_closed,
    .drained = on_attachment_drained,
};

static void attachment_open(GstSpiceAttachment *self)
{
    self->channel = gst_spice_session_open_channel(self->session, self->type, self->id, self->caps,
                                                   self->n_caps, &attachment_handler, self);
}

static gboolean attachment_is_wanted(GstSpiceAttachment *self)
{
    gboolean live;

    g_mutex_lock(&self->lock);
    live = self->live;
    g_mutex_unlock(&self->lock);
    return live && !self->done && !self->channel;
}

static void attachment_refuse(GstSpiceAttachment *self)
{
    g_autoptr(GError) error = g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_UNAVAILABLE,
                                          "the server has no channel %u:%u", self->type, self->id);

    attachment_close(self, error);
}

static void attach_task(GstSpiceSession *self, gpointer data)
{
    GstSpiceAttachment *attachment = data;

    g_ptr_array_add(self->attachments, attachment_ref(attachment));
    if (!attachment_is_wanted(attachment))
        return;
    if (gst_spice_session_has_failed(self)) {
        g_autoptr(GError) error = g_error_new(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                                              "the session has ended");

        attachment_close(attachment, error);
    } else if (gst_spice_session_offers(self, attachment->type, attachment->id)) {
        attachment_open(attachment);
    } else if (self->listed) {
        attachment_refuse(attachment);
    }
}

GstSpiceAttachment *gst_spice_session_attach(GstSpiceSession *self, guint8 type, guint8 id,
                                             const guint32 *caps, guint n_caps,
                                             const GstSpiceAttachmentHandler *handler,
                                             gpointer user_data)
{
    GstSpiceAttachment *attachment = g_new0(GstSpiceAttachment, 1);

    g_return_val_if_fail(n_caps <= G_N_ELEMENTS(attachment->caps), NULL);
    g_atomic_ref_count_init(&attachment->refs);
    attachment->session = g_object_ref(self);
    attachment->type = type;
    attachment->id = id;
    if (n_caps)
        memcpy(attachment->caps, caps, n_caps * sizeof *caps);
    attachment->n_caps = n_caps;
    attachment->handler = handler;
    g_mutex_init(&attachment->lock);
    attachment->user_data = user_data;
    attachment->live = TRUE;
    gst_spice_session_run(self, attach_task, attachment_ref(attachment),
                          gst_spice_attachment_unref);
    return attachment;
}

static void detach_task(GstSpiceSession *self, gpointer data)
{
    GstSpiceAttachment *attachment = data;

    attachment->done = TRUE;
    g_clear_pointer(&attachment->channel, spice_channel_close);
    g_ptr_array_remove_fast(self->attachments, attachment);
}

void gst_spice_attachment_detach(GstSpiceAttachment *self)
{
    g_mutex_lock(&self->lock);
    self->live = FALSE;
    self->user_data = NULL;
    g_mutex_unlock(&self->lock);
    gst_spice_session_run(self->session, detach_task, self, gst_spice_attachment_unref);
}

typedef struct {
    GstSpiceAttachment *attachment;
    guint16 type;
    GBytes *body;
} SendRequest;

static void send_request_free(gpointer data)
{
    SendRequest *request = data;

    gst_spice_attachment_unref(request->attachment);
    g_bytes_unref(request->body);
    g_free(request);
}

static void send_task(GstSpiceSession *self, gpointer data)
{
    SendRequest *request = data;
    gsize size;
    gconstpointer body = g_bytes_get_data(request->body, &size);

    if (request->attachment->channel)
        spice_channel_send(request->attachment->channel, request->type, body, size);
    g_atomic_pointer_add(&request->attachment->posted, -(gssize)size);
    check_drained(request->attachment);
}

void gst_spice_attachment_send(GstSpiceAttachment *self, guint16 type, GBytes *body)
{
    SendRequest *request = g_new(SendRequest, 1);

    *request = (SendRequest){attachment_ref(self), type, g_bytes_ref(body)};
    g_atomic_pointer_add(&self->posted, (gssize)g_bytes_get_size(body));
    gst_spice_session_run(self->session, send_task, request, send_request_free);
}

gsize gst_spice_attachment_get_unsent(GstSpiceAttachment *self)
{
    return (gsize)g_atomic_pointer_get(&self->posted) + (gsize)g_atomic_pointer_get(&self->backlog);
}

typedef struct {
    GstSpiceAttachment *attachment;
    char *why;
} Refusal;

static void refusal_free(gpointer data)
{
    Refusal *refusal = data;

    gst_spice_attachment_unref(refusal->attachment);
    g_free(refusal->why);
    g_free(refusal);
}

static void refuse_task(GstSpiceSession *self, gpointer data)
{
    Refusal *refusal = data;
    g_autoptr(GError) error =
        g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, refusal->why);

    if (!refusal->attachment->done)
        attachment_close(refusal->attachment, error);
}

void gst_spice_attachment_refuse(GstSpiceAttachment *self, const char *why)
{
    const Refusal refusal = {attachment_ref(self), g_strdup(why)};

    gst_spice_session_run(self->session, refuse_task, g_memdup2(&refusal, sizeof refusal),
                          refusal_free);
}

static void stop_reading_task(GstSpiceSession *self, gpointer data)
{
    GstSpiceAttachment *attachment = data;

    if (attachment->channel)
        spice_channel_set_reading(attachment->channel, FALSE);
}

static void start_reading_task(GstSpiceSession *self, gpointer data)
{
    GstSpiceAttachment *attachment = data;

    if (attachment->channel)
        spice_channel_set_reading(attachment->channel, TRUE);
}

void gst_spice_attachment_set_reading(GstSpiceAttachment *self, gboolean reading)
{
    gst_spice_session_run(self->session, reading ? start_reading_task : stop_reading_task,
                          attachment_ref(self), gst_spice_attachment_unref);
}

gboolean gst_spice_attachment_peer_has(GstSpiceAttachment *self, guint capability)
{
    return self->channel && spice_channel_peer_has(self->channel, capability);
}

/* What the session does with its attachments: the I/O thread */

void gst_spice_attachments_offer(GstSpiceSession *self, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < self->attachments->len; i++) {
        GstSpiceAttachment *attachment = g_ptr_array_index(self->attachments, i);

        if (attachment->type == type && attachment->id == id && attachment_is_wanted(attachment))
            attachment_open(attachment);
    }
}

void gst_spice_attachments_refuse_missing(GstSpiceSession *self)
{
    guint i;

    for (i = 0; i < self->attachments->len; i++) {
        GstSpiceAttachment *attachment = g_ptr_array_index(self->attachments, i);

        if (attachment_is_wanted(attachment) &&
            !gst_spice_session_offers(self, attachment->type, attachment->id))
            attachment_refuse(attachment);
    }
}

void gst_spice_attachments_fail(GstSpiceSession *self, const GError *error)
{
    guint i;

    for (i = 0; i < self->attachments->len; i++) {
        GstSpiceAttachment *attachment = g_ptr_array_index(self->attachments, i);

        if (attachment_is_wanted(attachment))
            attachment_close(attachment, error);
    }
}

void gst_spice_attachments_close(GstSpiceSession *self)
{
    guint i;

    for (i = 0; i < self->attachments->len; i++) {
        GstSpiceAttachment *attachment = g_ptr_array_index(self->attachments, i);

        attachment->done = TRUE;
        g_clear_pointer(&attachment->channel, spice_channel_close);
    }
    g_ptr_array_set_size(self->attachments, 0);
}
