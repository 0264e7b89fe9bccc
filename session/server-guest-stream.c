/* A display whose pictures its guest encodes itself, and says by a port (core/device/guest-stream.h).
 *
 *     port --> GstSpiceDevice --> messages --> format, newest frame --> a viewer for each client
 *     port <-- START_STOP: the codecs that all clients decode <-- who comes and goes
 *
 * What the guest has encoded goes to clients as it is. None of them holds up the guest or another
 * client: one that is behind is not sent frames until it has caught up, and then goes on with the
 * next key frame. Whoever begins in the middle needs one, too; if the codec is MJPEG the newest
 * frame is at hand, else the guest is made to begin anew. How often that is done is bounded.
 *
 * All is of the I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/guest-stream.h"

#include "core/video/key-frame.h"
#include "core/wire/vmc.h"
#include "device-private.h"
#include "guest-stream-viewer.h"
#include "transport/error.h"

/* The guest is made to begin anew once in so long at most; what is read of it before others' turn. */
enum { RESTART_MS = 2000, MAX_A_TURN = 512 << 10 };
/* What the guest may say of its outputs before it opens its port anew. */
enum { MAX_OUTPUTS = 16 };
/* Larger shapes than clients show. */
enum { MAX_CURSOR_SIDE = 512 };

struct GstSpiceGuestStream {
    GstSpiceDevice *device; /* which it belongs to */
    gint display;           /* -1: it has none yet */
    gboolean opened, broken;
    guint n_outputs; /* messages about them since then */
    guint32 output;  /* the last of them */
    char *address;   /* NULL: there was none */
    SpiceGuestStreamReader reader;
    GstSpiceGuestFormat format;
    guint last_serial;
    GstSpiceGuestFrame newest;
    guint32 frame_time; /* of the message that is being read */
    GPtrArray *viewers; /* GstSpiceGuestStreamViewer, which belong to their channels */

    GstSpiceVideoCodecs told; /* what the guest is to stream in; n 0: it is to stop */
    gboolean told_due;        /* it has not been told yet */
    gboolean restart_due;     /* it is to stop before it starts */
    gint64 restarted_us;
    GSource *restart_timer; /* NULL: none runs */
};

static GstSpiceServer *server_of(const GstSpiceGuestStream *self)
{
    return self->device->server;
}

/* Telling the guest */

static void tell(GstSpiceGuestStream *self, SpiceBuffer *bytes)
{
    if (bytes->size > 0)
        gst_spice_device_keep(self->device, g_bytes_new(bytes->data, bytes->size), 0, NULL);
    spice_buffer_clear(bytes);
}

/** The codecs that all who see it decode; MJPEG is always among them. None if nobody sees it. */
static GstSpiceVideoCodecs common_codecs(GstSpiceGuestStream *self)
{
    static const guint8 all[GST_SPICE_N_VIDEO_CODECS] = {
        SPICE_VIDEO_CODEC_TYPE_MJPEG, SPICE_VIDEO_CODEC_TYPE_VP8, SPICE_VIDEO_CODEC_TYPE_H264,
        SPICE_VIDEO_CODEC_TYPE_VP9, SPICE_VIDEO_CODEC_TYPE_H265};
    GstSpiceVideoCodecs common = {0};
    guint i, k;

    for (i = 0; i < G_N_ELEMENTS(all) && self->viewers->len > 0; i++) {
        gboolean decoded = TRUE;

        for (k = 0; k < self->viewers->len; k++)
            decoded &= gst_spice_guest_viewer_decodes(self->viewers->pdata[k], all[i]);
        if (decoded || all[i] == SPICE_VIDEO_CODEC_TYPE_MJPEG)
            common.codecs[common.n++] = all[i];
    }
    return common;
}

/** Tells the guest what is due, if it takes more. */
static void tell_due(GstSpiceGuestStream *self)
{
    SpiceBuffer bytes = {.allocator = &spice_allocator_libc};

    if (!self->opened || self->broken || !(self->told_due || self->restart_due) ||
        !gst_spice_device_has_room(self->device))
        return;
    if (self->restart_due && self->told.n > 0)
        spice_guest_stream_write_start_stop(&bytes, NULL, 0);
    spice_guest_stream_write_start_stop(&bytes, self->told.codecs, (guint8)self->told.n);
    self->told_due = self->restart_due = FALSE;
    tell(self, &bytes);
}

static void update_codecs(GstSpiceGuestStream *self)
{
    const GstSpiceVideoCodecs codecs = common_codecs(self);

    if (gst_spice_video_codecs_pack(&codecs) != gst_spice_video_codecs_pack(&self->told))
        self->told_due = TRUE;
    self->told = codecs;
    tell_due(self);
}

static gboolean on_restart(gpointer data)
{
    GstSpiceGuestStream *self = data;

    g_clear_pointer(&self->restart_timer, g_source_unref);
    self->restarted_us = g_get_monotonic_time();
    self->restart_due = TRUE;
    tell_due(self);
    return G_SOURCE_REMOVE;
}

/** What a restart was wanted for has come, or is of no use any more. */
static void forget_restart(GstSpiceGuestStream *self)
{
    self->restart_due = FALSE;
    if (!self->restart_timer)
        return;
    g_source_destroy(self->restart_timer);
    g_clear_pointer(&self->restart_timer, g_source_unref);
}

/** Makes the guest begin anew, with a key frame. */
static void restart(GstSpiceGuestStream *self)
{
    const gint64 passed = g_get_monotonic_time() - self->restarted_us;

    if (self->restart_timer || !self->opened)
        return;
    if (self->restarted_us == 0 || passed >= RESTART_MS * 1000) {
        self->restarted_us = g_get_monotonic_time();
        self->restart_due = TRUE;
        tell_due(self);
        return;
    }
    self->restart_timer = g_timeout_source_new((guint)(RESTART_MS - passed / 1000));
    g_source_set_callback(self->restart_timer, on_restart, self, NULL);
    g_source_attach(self->restart_timer, server_of(self)->context);
}

/* The display */

GstSpiceGuestStream *gst_spice_server_find_guest_stream(GstSpiceServer *server, guint8 id)
{
    guint i;

    for (i = 0; i < server->devices->len; i++) {
        const GstSpiceDevice *device = server->devices->pdata[i];

        if (device->stream && device->stream->display == (gint)id)
            return device->stream;
    }
    return NULL;
}

/** Takes the first display that is free, and tells clients. FALSE: there is none. */
static gboolean take_display(GstSpiceGuestStream *self)
{
    GstSpiceServer *server = server_of(self);
    const guint32 used = gst_spice_server_get_display_bits(server);
    GList *item;
    gint id = 0;

    while (id < GST_SPICE_SERVER_MAX_DISPLAYS && used & 1u << id)
        id++;
    if (id == GST_SPICE_SERVER_MAX_DISPLAYS)
        return FALSE;
    self->display = id;
    g_mutex_lock(&server->lock);
    server->guest_displays |= 1u << id;
    g_mutex_unlock(&server->lock);
    for (item = server->clients; item; item = item->next)
        gst_spice_server_main_channels_added(item->data, 1u << id);
    return TRUE;
}

/** Closes the channels of the display, which is none of the stream's any more. */
static void leave_display(GstSpiceGuestStream *self, const GError *why)
{
    GstSpiceServer *server = server_of(self);
    const guint8 id = (guint8)self->display;
    GList *item;

    g_mutex_lock(&server->lock);
    server->guest_displays &= ~(1u << id);
    g_mutex_unlock(&server->lock);
    self->display = -1;
    while (self->viewers->len > 0) {
        GstSpiceGuestStreamViewer *viewer = self->viewers->pdata[self->viewers->len - 1];

        viewer->stream = NULL;
        g_ptr_array_set_size(self->viewers, (gint)self->viewers->len - 1);
        gst_spice_server_link_close(viewer->link, why);
    }
    for (item = server->clients; item; item = item->next)
        gst_spice_server_main_display_gone(item->data, id, why);
}

static void drop_newest(GstSpiceGuestStream *self)
{
    g_clear_pointer(&self->newest.bytes, g_bytes_unref);
}

static void follow_all(GstSpiceGuestStream *self)
{
    guint i;

    for (i = 0; i < self->viewers->len; i++)
        gst_spice_guest_viewer_follow(self->viewers->pdata[i], &self->format);
}

/** Nothing is streamed now. */
static void end_format(GstSpiceGuestStream *self)
{
    drop_newest(self);
    forget_restart(self);
    self->format.serial = 0;
    follow_all(self);
}

/* What the guest says */

static void open_port(GstSpiceGuestStream *self)
{
    SpiceBuffer bytes = {.allocator = &spice_allocator_libc};

    spice_guest_stream_restart(&self->reader);
    end_format(self);
    self->broken = FALSE;
    self->n_outputs = 0;
    self->opened = self->display >= 0 || take_display(self);
    if (!self->opened) {
        g_warning("there is no display left for what the guest streams");
        return;
    }
    gst_spice_device_drop_kept(self->device);
    spice_guest_stream_write_capabilities(&bytes);
    tell(self, &bytes);
    self->told_due = self->viewers->len > 0;
    tell_due(self);
}

static void close_port(GstSpiceGuestStream *self)
{
    self->opened = FALSE;
    spice_guest_stream_restart(&self->reader);
    end_format(self);
}

static void set_broken(GstSpiceGuestStream *self, const char *why)
{
    SpiceBuffer bytes = {.allocator = &spice_allocator_libc};

    self->broken = TRUE;
    spice_guest_stream_restart(&self->reader);
    end_format(self);
    if (gst_spice_device_has_room(self->device)) {
        spice_guest_stream_write_error(&bytes, why);
        tell(self, &bytes);
    }
}

static void set_format(GstSpiceGuestStream *self, const SpiceGuestStreamMessage *message)
{
    drop_newest(self);
    forget_restart(self);
    if (++self->last_serial == 0)
        self->last_serial = 1;
    self->format = (GstSpiceGuestFormat){self->last_serial, message->as.format.width,
                                         message->as.format.height, message->as.format.codec};
    follow_all(self);
}

/** A viewer waits for a key frame that may not come by itself. */
static gboolean is_waited_for(const GstSpiceGuestStream *self)
{
    guint i;

    for (i = 0; i < self->viewers->len; i++) {
        const GstSpiceGuestStreamViewer *viewer = self->viewers->pdata[i];

        if (viewer->missed && viewer->wants_key && viewer->stream_id >= 0)
            return TRUE;
    }
    return FALSE;
}

static void take_frame(GstSpiceGuestStream *self, SpiceBytes data)
{
    guint i;

    drop_newest(self);
    self->newest = (GstSpiceGuestFrame){
        .bytes = g_bytes_new(data.data, data.size),
        .time = self->frame_time,
        .key = spice_video_is_key_frame(self->format.codec, data),
    };
    for (i = 0; i < self->viewers->len; i++)
        gst_spice_guest_viewer_send(self->viewers->pdata[i], &self->format, &self->newest);
    if (self->newest.key) {
        forget_restart(self);
    } else {
        drop_newest(self); /* nobody can begin with it */
        if (is_waited_for(self))
            restart(self);
    }
}

static void set_cursor(GstSpiceGuestStream *self, const SpiceCursor *cursor)
{
    if (cursor->width <= MAX_CURSOR_SIDE && cursor->height <= MAX_CURSOR_SIDE)
        gst_spice_server_set_cursor_shape(server_of(self), (guint)self->display, cursor, TRUE);
}

static void tell_output(GstSpiceGuestStream *self)
{
    GstSpiceDevice *device = self->device;

    g_mutex_lock(&device->lock);
    if (device->handler && device->handler->output)
        device->handler->output(device, (guint)self->display, self->output, self->address,
                                device->user_data);
    g_mutex_unlock(&device->lock);
}

static void set_output(GstSpiceGuestStream *self, guint32 output, SpiceBytes address)
{
    if (self->n_outputs >= MAX_OUTPUTS)
        return;
    self->n_outputs++;
    g_free(self->address);
    self->output = output;
    self->address = g_strndup((const char *)address.data, address.size);
    tell_output(self);
}

static void take_message(GstSpiceGuestStream *self, const SpiceGuestStreamMessage *message)
{
    switch (message->type) {
    case SPICE_GUEST_STREAM_FORMAT:
        set_format(self, message);
        break;
    case SPICE_GUEST_STREAM_DATA:
        take_frame(self, message->as.data);
        break;
    case SPICE_GUEST_STREAM_CURSOR_SET:
        set_cursor(self, &message->as.cursor);
        break;
    case SPICE_GUEST_STREAM_CURSOR_MOVE:
        gst_spice_server_move_cursor(server_of(self), (guint)self->display,
                                     CLAMP(message->as.place.x, G_MININT16, G_MAXINT16),
                                     CLAMP(message->as.place.y, G_MININT16, G_MAXINT16));
        break;
    case SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO:
        set_output(self, message->as.display.display_id, message->as.display.address);
        break;
    default: /* capabilities, of which there are none so far */
        break;
    }
}

static void read_bytes(GstSpiceGuestStream *self, GBytes *bytes)
{
    SpiceGuestStreamMessage message;
    SpiceBytes input;
    const char *why = NULL;

    input.data = g_bytes_get_data(bytes, &input.size);
    while (self->opened && !self->broken && input.size > 0) {
        SpiceGuestStreamRead read;

        if (!spice_guest_stream_is_within(&self->reader))
            self->frame_time = gst_spice_server_clock_ms();
        read = spice_guest_stream_read(&self->reader, &input, &message, &why);
        if (read == SPICE_GUEST_STREAM_BROKEN)
            set_broken(self, why);
        else if (read == SPICE_GUEST_STREAM_MESSAGE)
            take_message(self, &message);
    }
}

static void work_task(GstSpiceServer *server, gpointer data)
{
    gst_spice_device_work(data);
}

void gst_spice_guest_stream_work(GstSpiceGuestStream *self)
{
    GstSpiceGiven given;
    gsize done = 0;

    while (done < MAX_A_TURN &&
           gst_spice_device_take_given(self->device, GST_SPICE_DEVICE_MAX_GIVEN, &given)) {
        done += GST_SPICE_DEVICE_CHARGE;
        if (!given.bytes) {
            if (given.event == SPICE_PORT_EVENT_OPENED)
                open_port(self);
            else if (given.event == SPICE_PORT_EVENT_CLOSED)
                close_port(self);
            continue;
        }
        done += g_bytes_get_size(given.bytes);
        if (!self->opened && !self->broken)
            open_port(self); /* a host may not tell, of a guest that it has taken over */
        read_bytes(self, given.bytes);
        g_bytes_unref(given.bytes);
    }
    tell_due(self);
    gst_spice_device_room_made(self->device);
    if (done >= MAX_A_TURN)
        gst_spice_server_run(server_of(self), work_task, gst_spice_device_ref(self->device),
                             (GDestroyNotify)gst_spice_device_unref);
}

/* Who sees it */

static void show(GstSpiceGuestStream *self, GstSpiceGuestStreamViewer *viewer)
{
    GstSpiceGuestFrame frame = self->newest;

    gst_spice_guest_viewer_follow(viewer, &self->format);
    if (!self->format.serial || !frame.bytes)
        return;
    frame.time = gst_spice_server_clock_ms(); /* it would be too late to be shown */
    gst_spice_guest_viewer_send(viewer, &self->format, &frame);
}

GstSpiceGuestStreamViewer *gst_spice_guest_stream_add_viewer(GstSpiceGuestStream *self,
                                                             GstSpiceServerLink *link)
{
    GstSpiceGuestStreamViewer *viewer = gst_spice_guest_viewer_new(self, link);

    g_ptr_array_add(self->viewers, viewer);
    show(self, viewer);
    update_codecs(self);
    if (self->format.serial && viewer->wants_key && viewer->stream_id >= 0)
        restart(self);
    return viewer;
}

void gst_spice_guest_stream_viewer_writable(GstSpiceGuestStreamViewer *viewer)
{
    GstSpiceGuestStream *self = viewer->stream;

    if (!self)
        return;
    if (viewer->missed || viewer->serial != self->format.serial)
        show(self, viewer);
}

void gst_spice_guest_stream_viewer_remove(GstSpiceGuestStreamViewer *viewer)
{
    GstSpiceGuestStream *self = viewer->stream;

    if (self) {
        g_ptr_array_remove(self->viewers, viewer);
        update_codecs(self);
    }
    gst_spice_guest_viewer_free(viewer);
}

/* Coming and going */

GstSpiceGuestStream *gst_spice_guest_stream_new(GstSpiceDevice *device)
{
    GstSpiceGuestStream *self = g_new0(GstSpiceGuestStream, 1);

    self->device = device;
    self->display = -1;
    self->reader.body.allocator = &spice_allocator_libc;
    self->viewers = g_ptr_array_new();
    return self;
}

void gst_spice_guest_stream_make_way(GstSpiceServer *server, guint8 id)
{
    GstSpiceGuestStream *self = gst_spice_server_find_guest_stream(server, id);
    g_autoptr(GError) error = NULL;

    if (!self)
        return;
    error = g_error_new_literal(SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                                "its display has become another one");
    leave_display(self, error);
    update_codecs(self);
    if (!self->opened)
        return;
    if (take_display(self)) {
        if (self->address)
            tell_output(self);
    } else {
        g_warning("there is no display left for what the guest streams");
        close_port(self);
    }
}

void gst_spice_guest_stream_free(GstSpiceGuestStream *self)
{
    g_autoptr(GError) error = g_error_new_literal(
        SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED, "its device was taken away");

    forget_restart(self);
    if (self->display >= 0)
        leave_display(self, error);
    g_ptr_array_unref(self->viewers);
    drop_newest(self);
    spice_buffer_clear(&self->reader.body);
    g_free(self->address);
    g_free(self);
}
