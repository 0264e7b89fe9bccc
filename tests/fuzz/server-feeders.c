/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-feeders.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/display/sender.h"
#include "session/cpu.h"
#include "session/server-private.h"

enum { MAX_ITEMS = 16 /* that a feeder sends at a time */ };

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Time */

gint64 now_us;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = now_us / G_USEC_PER_SEC;
    time->tv_nsec = now_us % G_USEC_PER_SEC * 1000;
    return 0;
}

/* Feeders */

typedef struct {
    GMutex lock;
    SpiceClientImages *images;
} Images;

typedef struct {
    GstSpiceMediaChannel *channel;
    GstSpiceSharedView *view;
    Images *images;
    SpiceSender *sender;
    SpiceSenderOutput out;
    unsigned n_sent; /* of out's messages */
} Feeder;

/** What would wait just now. */
static struct {
    GstSpiceMediaChannel *channel;
    GstSpiceSharedView *view;
} waits;

static GThread *stage_thread;

/** Takes the place of GLib's in the code under test: nobody waits here, but for the thread that encodes
 * sound. */
void g_cond_wait(GCond *cond, GMutex *mutex)
{
    if (g_thread_self() != stage_thread) {
        g_cond_wait_until(cond, mutex, now_us + G_USEC_PER_SEC / 100);
        return;
    }
    g_mutex_unlock(mutex);
    if (waits.channel)
        gst_spice_media_channel_set_flushing(waits.channel, TRUE);
    else if (waits.view)
        gst_spice_shared_view_set_flushing(waits.view, TRUE);
    else
        fail("something waits that should not");
    g_mutex_lock(mutex);
}

static gpointer images_create(void)
{
    const SpiceClientImagesLimits limits = {.pixmap_pixels = 1 << 16, .glz_pixels = 1 << 16};
    Images *images = g_new0(Images, 1);

    g_mutex_init(&images->lock);
    images->images =
        spice_client_images_create(&spice_allocator_libc, gst_spice_cpu_flags(), 7, &limits);
    return images;
}

static void images_destroy(gpointer data)
{
    Images *images = data;

    spice_client_images_destroy(images->images);
    g_mutex_clear(&images->lock);
    g_free(images);
}

static void feeder_free(gpointer data)
{
    Feeder *feeder = data;

    spice_sender_destroy(feeder->sender);
    spice_sender_output_clear(&feeder->out);
    gst_spice_shared_view_free(feeder->view);
    gst_spice_media_channel_unref(feeder->channel);
    g_free(feeder);
}

static void on_opened(GstSpiceMediaChannel *channel, gpointer user_data)
{
    Feeders *self = user_data;
    const guint8 id = gst_spice_media_channel_get_id(channel);
    const SpiceViewConfig view = {0};
    Feeder *feeder = g_new0(Feeder, 1);
    SpiceSenderConfig config = {
        .allocator = &spice_allocator_libc,
        .channel_id = id,
        .first_serial = gst_spice_media_channel_get_next_serial(channel),
        .has_lz4 = gst_spice_media_channel_peer_has(channel, SPICE_DISPLAY_CAP_LZ4_COMPRESSION),
        .mode = (SpiceImageMode)gst_spice_media_channel_get_image_compression(channel),
    };
    SpiceError error = {0};

    self->n_opened++;
    feeder->channel = gst_spice_media_channel_ref(channel);
    feeder->images = gst_spice_media_channel_get_shared(channel, images_create, images_destroy);
    feeder->view = gst_spice_shared_view_new(gst_spice_server_get_display(self->server, id), &view);
    spice_sender_output_init(&feeder->out, &spice_allocator_libc);
    config.images = feeder->images->images;
    feeder->sender = spice_sender_create(&config);
    g_ptr_array_add(self->list, feeder);
    if (!spice_sender_take_init(feeder->sender, gst_spice_media_channel_get_display_init(channel),
                                &error))
        gst_spice_media_channel_close(channel, "its INIT");
}

static void on_closed(GstSpiceMediaChannel *channel, gpointer user_data)
{
    Feeders *self = user_data;

    for (guint i = 0; i < self->list->len; i++) {
        if (((Feeder *)self->list->pdata[i])->channel == channel) {
            g_ptr_array_remove_index(self->list, i);
            return;
        }
    }
    fail("a channel is closed that was not opened");
}

const GstSpiceMediaHandler feeders_media_handler = {on_opened, on_closed};

/** Sends what was encoded and not sent yet. FALSE if it would have to wait. */
static gboolean feeder_send(Feeder *feeder)
{
    while (feeder->n_sent < feeder->out.n_messages) {
        const guint i = feeder->n_sent;
        g_autoptr(GBytes) body = g_bytes_new(
            feeder->out.bytes.data + feeder->out.messages[i].offset, feeder->out.messages[i].size);
        GstSpiceSendResult result;

        gst_spice_media_channel_set_flushing(feeder->channel, FALSE);
        waits.channel = feeder->channel;
        result = gst_spice_media_channel_send(feeder->channel, feeder->out.messages[i].type, body);
        waits.channel = NULL;
        if (result != GST_SPICE_SEND_OK)
            return FALSE;
        feeder->n_sent++;
    }
    return TRUE;
}

static void feed(Feeder *feeder)
{
    for (guint n = 0; n < MAX_ITEMS && feeder_send(feeder); n++) {
        SpiceViewItem *item;
        SpiceError error = {0};

        gst_spice_shared_view_set_flushing(feeder->view, FALSE);
        waits.view = feeder->view;
        if (!gst_spice_shared_view_next(feeder->view, 0, &item))
            item = NULL;
        waits.view = NULL;
        if (!item)
            return;
        spice_sender_set_mode(
            feeder->sender,
            (SpiceImageMode)gst_spice_media_channel_get_image_compression(feeder->channel));
        feeder->n_sent = 0;
        if (!spice_sender_encode(feeder->sender, item->type, item->message, &feeder->out, &error))
            feeder->out.n_messages = 0;
        spice_view_item_done(item);
    }
}

void feeders_feed(Feeders *self)
{
    for (guint i = 0; i < self->list->len; i++)
        feed(self->list->pdata[i]);
}

void server_turn(GstSpiceServer *server)
{
    guint n = 0;

    while (g_main_context_iteration(server->context, FALSE))
        if (++n > 10000)
            fail("the server is busy with nothing");
}

void feeders_init(Feeders *self, GstSpiceServer *server)
{
    stage_thread = g_thread_self();
    *self = (Feeders){server, g_ptr_array_new_with_free_func(feeder_free), 0};
}

void feeders_clear(Feeders *self)
{
    g_ptr_array_unref(self->list);
}
