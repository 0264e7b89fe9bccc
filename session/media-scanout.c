/* Pictures of a GPU for clients on the same machine: each is given the descriptor, told of each draw,
 * and says when it has looked. One that does not say so holds up nobody for long, and is told of no
 * more draws until it does.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <fcntl.h>
#include <unistd.h>

#include "core/wire/channel.h"
#include "media-channel-private.h"

/* How long a draw waits for its viewers. */
enum { PATIENCE_MS = 500 };

/* The descriptor */

GstSpiceScanout *gst_spice_scanout_new(const GstSpiceScanout *values)
{
    const gint fd = fcntl(values->fd, F_DUPFD_CLOEXEC, 3);
    GstSpiceScanout *self;

    if (fd < 0)
        return NULL;
    self = g_atomic_rc_box_new(GstSpiceScanout);
    *self = *values;
    self->fd = fd;
    return self;
}

GstSpiceScanout *gst_spice_scanout_ref(GstSpiceScanout *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void scanout_clear(gpointer data)
{
    close(((GstSpiceScanout *)data)->fd);
}

void gst_spice_scanout_unref(GstSpiceScanout *self)
{
    g_atomic_rc_box_release_full(self, scanout_clear);
}

/* One client */

/** Under the channel's lock. */
static void enqueue(GstSpiceMediaChannel *self, guint16 type, const void *message,
                    GstSpiceScanout *scanout)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    SpiceBuffer data = {.allocator = &spice_allocator_libc};

    if (spice_message_write(def, message, &data, NULL)) {
        g_autoptr(GBytes) body = g_bytes_new(data.data, data.size);

        gst_spice_media_channel_enqueue(self, type, body, scanout);
        self->others++;
    }
    spice_buffer_clear(&data);
}

static void enqueue_draw(GstSpiceMediaChannel *self, const SpiceRect *area)
{
    const SpiceMsgDisplayGlDraw message = {
        .x = (guint32)area->left,
        .y = (guint32)area->top,
        .width = (guint32)(area->right - area->left),
        .height = (guint32)(area->bottom - area->top),
    };

    self->unanswered_draws++;
    enqueue(self, SPICE_MSG_DISPLAY_GL_DRAW, &message, NULL);
}

static void enqueue_draw_of_all(GstSpiceMediaChannel *self)
{
    const SpiceRect all = {0, 0, (gint32)self->scanout->height, (gint32)self->scanout->width};

    enqueue_draw(self, &all);
}

void gst_spice_media_channel_tell_scanout(GstSpiceMediaChannel *self)
{
    const SpiceMsgDisplayGlScanoutUnix message = {
        .width = self->scanout->width,
        .height = self->scanout->height,
        .stride = self->scanout->stride,
        .drm_fourcc_format = self->scanout->format,
        .flags = self->scanout->top_down ? SPICE_GL_SCANOUT_FLAGS_Y0TOP : 0,
    };

    enqueue(self, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX, &message, self->scanout);
    enqueue_draw_of_all(self);
}

/** `scanout`: NULL if there is none any more. */
static void set_scanout(GstSpiceMediaChannel *self, GstSpiceScanout *scanout)
{
    g_mutex_lock(&self->lock);
    g_clear_pointer(&self->scanout, gst_spice_scanout_unref);
    if (scanout && !self->closed) {
        self->scanout = gst_spice_scanout_ref(scanout);
        gst_spice_media_channel_tell_scanout(self);
    }
    g_mutex_unlock(&self->lock);
}

/** Tells of a draw, or remembers that it was not told. Whether it was. */
static gboolean tell_draw(GstSpiceMediaChannel *self, const SpiceRect *area)
{
    gboolean tells;

    g_mutex_lock(&self->lock);
    tells = self->scanout && self->unanswered_draws == 0;
    if (tells)
        enqueue_draw(self, area);
    else
        self->missed_draws = TRUE;
    g_mutex_unlock(&self->lock);
    return tells;
}

gboolean gst_spice_media_channel_take_draw_done(GstSpiceMediaChannel *self)
{
    gboolean expected;

    g_mutex_lock(&self->lock);
    expected = self->unanswered_draws > 0;
    if (expected)
        self->unanswered_draws--;
    if (self->unanswered_draws == 0 && self->missed_draws && self->scanout) {
        self->missed_draws = FALSE;
        self->asked = 0; /* nobody waits for this one */
        enqueue_draw_of_all(self);
    }
    g_mutex_unlock(&self->lock);
    return expected;
}

/** Whether draw number `number` waits for it. */
static gboolean holds_up(GstSpiceMediaChannel *self, guint64 number)
{
    gboolean holds;

    g_mutex_lock(&self->lock);
    holds = self->asked == number && self->unanswered_draws > 0 && !self->closed;
    g_mutex_unlock(&self->lock);
    return holds;
}

/* A display */

typedef struct {
    guint display;
    GstSpiceScanout *scanout; /* NULL: none */
    SpiceRect area;
    GstSpiceScanoutDrawn done;
    gpointer user_data;
} Task;

static void task_free(gpointer data)
{
    Task *task = data;

    g_clear_pointer(&task->scanout, gst_spice_scanout_unref);
    g_free(task);
}

static void for_each_viewer(GstSpiceServer *self, guint display,
                            void (*func)(GstSpiceMediaChannel *, gpointer), gpointer data)
{
    GList *item;
    guint i;

    for (item = self->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;

        for (i = 0; i < client->links->len; i++) {
            const GstSpiceServerLink *link = client->links->pdata[i];
            GstSpiceMediaChannel *media = gst_spice_server_link_get_media(link);

            if (media && link->id == display && media->shows_scanouts)
                func(media, data);
        }
    }
}

static void finish_draw(GstSpiceServerScanout *self)
{
    const GstSpiceScanoutDrawn done = self->done;

    if (self->deadline) {
        g_source_destroy(self->deadline);
        g_clear_pointer(&self->deadline, g_source_unref);
    }
    self->done = NULL;
    if (done)
        done(self->user_data);
}

typedef struct {
    guint64 number;
    const SpiceRect *area;
    gboolean held_up;
} Draw;

static void tell_viewer_draw(GstSpiceMediaChannel *media, gpointer data)
{
    Draw *draw = data;

    if (tell_draw(media, draw->area)) {
        media->asked = draw->number;
        draw->held_up = TRUE;
    }
}

static void look_at_viewer(GstSpiceMediaChannel *media, gpointer data)
{
    Draw *draw = data;

    draw->held_up |= holds_up(media, draw->number);
}

static void give_viewer_scanout(GstSpiceMediaChannel *media, gpointer data)
{
    set_scanout(media, data);
}

static gboolean on_deadline(gpointer data)
{
    finish_draw(data);
    return G_SOURCE_REMOVE;
}

void gst_spice_server_look_at_scanout(GstSpiceServer *server, guint display)
{
    GstSpiceServerScanout *self = &server->scanouts[display];
    Draw draw = {.number = self->draws};

    if (!self->done)
        return;
    for_each_viewer(server, display, look_at_viewer, &draw);
    if (!draw.held_up)
        finish_draw(self);
}

void gst_spice_server_show_scanout(GstSpiceServer *server, GstSpiceMediaChannel *media)
{
    GstSpiceScanout *scanout = server->scanouts[media->id].scanout;

    if (scanout && media->shows_scanouts)
        set_scanout(media, scanout);
}

static void set_task(GstSpiceServer *server, gpointer data)
{
    Task *task = data;
    GstSpiceServerScanout *self = &server->scanouts[task->display];

    g_clear_pointer(&self->scanout, gst_spice_scanout_unref);
    self->scanout = g_steal_pointer(&task->scanout);
    for_each_viewer(server, task->display, give_viewer_scanout, self->scanout);
}

static void draw_task(GstSpiceServer *server, gpointer data)
{
    const Task *task = data;
    GstSpiceServerScanout *self = &server->scanouts[task->display];
    Draw draw = {.number = ++self->draws, .area = &task->area};

    finish_draw(self); /* a host that does not wait for one gets it with the next */
    self->done = task->done;
    self->user_data = task->user_data;
    for_each_viewer(server, task->display, tell_viewer_draw, &draw);
    if (!draw.held_up) {
        finish_draw(self);
        return;
    }
    self->deadline = g_timeout_source_new(PATIENCE_MS);
    g_source_set_callback(self->deadline, on_deadline, self, NULL);
    g_source_attach(self->deadline, server->context);
}

static void forget_task(GstSpiceServer *server, gpointer data)
{
    GstSpiceServerScanout *self = &server->scanouts[*(const guint *)data];

    finish_draw(self);
    g_clear_pointer(&self->scanout, gst_spice_scanout_unref);
}

void gst_spice_server_set_scanout(GstSpiceServer *server, guint display,
                                  const GstSpiceScanout *scanout)
{
    const Task task = {.display = display,
                       .scanout = scanout ? gst_spice_scanout_new(scanout) : NULL};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    gst_spice_server_run(server, set_task, g_memdup2(&task, sizeof task), task_free);
}

void gst_spice_server_draw_scanout(GstSpiceServer *server, guint display, const SpiceRect *area,
                                   GstSpiceScanoutDrawn done, gpointer user_data)
{
    const Task task = {.display = display, .area = *area, .done = done, .user_data = user_data};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    gst_spice_server_run(server, draw_task, g_memdup2(&task, sizeof task), task_free);
}

void gst_spice_server_forget_scanout(GstSpiceServer *server, guint display)
{
    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    gst_spice_server_call(server, forget_task, &display);
}
