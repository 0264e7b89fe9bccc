/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display-painter.h"

#include "painter-streams.h"
#include "session/cpu.h"
#include "transport/framer.h"

GST_DEBUG_CATEGORY_STATIC(spicedisplaypainter_debug);
#define GST_CAT_DEFAULT spicedisplaypainter_debug

enum {
    /* An image that another channel has to bring: it may be held up by a slow link, but not for
     * ever. */
    WAIT_LIMIT_US = 60 * G_USEC_PER_SEC,
    /* Unfolded messages: the body's arrays, at most some times what the body is on the wire. */
    ARENA_LIMIT = 1 << 30,
};

struct GstSpiceDisplayPainter {
    GstSpiceDisplayGroup *group;
    guint8 id;
    const GstSpiceDisplayPainterEvents *events;
    gpointer user_data;
    SpiceReceiver *receiver;
    GstSpicePainterStreams *streams;
    SpiceArena arena;
    guint64 progress_seen;
    gboolean stop; /* under the group's lock: leave what is being waited for */

    GMutex lock;
    guint64 messages, refused;                /* under lock */
    GstSpicePainterStreamsStats stream_stats; /* under lock */
    guint64 images[256]; /* under lock, by SpiceImageType: sources of DRAW_COPY */
};

static void count_image(GstSpiceDisplayPainter *self, guint16 type, const void *message)
{
    const SpiceMsgDisplayDrawCopy *copy = message;

    if (type != SPICE_MSG_DISPLAY_DRAW_COPY || !copy->source)
        return;
    g_mutex_lock(&self->lock);
    self->images[copy->source->type]++;
    g_mutex_unlock(&self->lock);
}

static void note_result(GstSpiceDisplayPainter *self, const SpiceMessageDef *def,
                        const SpiceReceiverResult *result)
{
    const SpicePixels *primary = spice_receiver_primary(self->receiver);
    pixman_region32_t all;

    if (result->outcome == SPICE_RECEIVED_DROPPED)
        GST_INFO("display %u: dropped %s: %s %s", self->id, def->name, result->error.field,
                 spice_error_phrase(result->error.code));
    if ((result->changes & SPICE_CHANGED_PIXELS) && primary &&
        spice_receiver_surface(self->receiver, result->surface_id) == primary)
        self->events->changed(result->damage, FALSE, self->user_data);
    if ((result->changes & (SPICE_CHANGED_PRIMARY | SPICE_CHANGED_MARK)) && primary) {
        pixman_region32_init_rect(&all, 0, 0, (guint)primary->width, (guint)primary->height);
        self->events->changed(&all, TRUE, self->user_data);
        pixman_region32_fini(&all);
    }
    if (result->changes & SPICE_CHANGED_MONITORS) {
        unsigned n_heads, max_heads;
        const SpiceHead *heads = spice_receiver_monitors(self->receiver, &n_heads, &max_heads);

        self->events->monitors(heads, n_heads, self->user_data);
    }
}

/** Feeds a message, waiting for what other displays have to bring. FALSE if the channel is lost. */
static gboolean feed(GstSpiceDisplayPainter *self, const SpiceMessageDef *def, const void *message)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_LIMIT_US;
    SpiceReceiverResult result;

    spice_receiver_feed(self->receiver, def->type, message, &result);
    if (result.outcome == SPICE_RECEIVED_WAIT)
        self->events->waits(self->user_data);
    while (result.outcome == SPICE_RECEIVED_WAIT) {
        if (gst_spice_display_group_wait_for_progress(self->group, self->id, &self->progress_seen,
                                                      &self->stop, deadline))
            spice_receiver_feed(self->receiver, def->type, message, &result);
        else
            spice_receiver_give_up(self->receiver, def->type, message, &result);
    }
    note_result(self, def, &result);
    return result.outcome != SPICE_RECEIVED_BROKEN;
}

/* Streams */

static void paint_stream_data(GstSpiceDisplayPainter *self, const SpiceMessageDef *def,
                              const void *message)
{
    SpiceReceiverResult result;
    GstSpicePainterStreamsStats stats;

    if (gst_spice_painter_streams_paint(self->streams, self->receiver, def->type, message, &result))
        note_result(self, def, &result);
    stats = gst_spice_painter_streams_get_stats(self->streams);
    g_mutex_lock(&self->lock);
    self->stream_stats = stats;
    g_mutex_unlock(&self->lock);
}

/** What the server sent before a message is painted before it. */
static void paint_before(GstSpiceDisplayPainter *self, const SpiceMessageDef *def,
                         const void *message)
{
    SpiceReceiverResult result;

    while (gst_spice_painter_streams_paint_before(self->streams, self->receiver, def->type, message,
                                                  &result))
        note_result(self, def, &result);
}

void gst_spice_display_painter_paint_due(GstSpiceDisplayPainter *self, gint64 now_us)
{
    const SpiceMessageDef *def =
        spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, SPICE_MSG_DISPLAY_STREAM_DATA);
    SpiceReceiverResult result;

    while (gst_spice_painter_streams_paint_due(self->streams, self->receiver, now_us, &result))
        note_result(self, def, &result);
}

gint64 gst_spice_display_painter_get_due(const GstSpiceDisplayPainter *self)
{
    return gst_spice_painter_streams_get_due(self->streams);
}

static gboolean take_message(GstSpiceDisplayPainter *self, const guint8 *data, gsize size,
                             SpiceError *error)
{
    const SpiceMessageDef *def;
    const void *message;

    if (size < SPICE_MINI_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "header");
    def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER,
                             (guint16)(data[0] | data[1] << 8));
    if (!def)
        return TRUE;
    spice_arena_reset(&self->arena);
    message = spice_message_read(def, data + SPICE_MINI_HEADER_SIZE, size - SPICE_MINI_HEADER_SIZE,
                                 &self->arena, error);
    if (!message) {
        spice_receiver_count_refused(self->receiver, error);
        g_mutex_lock(&self->lock);
        self->refused++;
        g_mutex_unlock(&self->lock);
        /* A bad drawing loses itself; anything else leaves us not knowing the server's state. */
        return def->type == SPICE_MSG_DISPLAY_COPY_BITS ||
               (def->type >= SPICE_MSG_DISPLAY_DRAW_FILL &&
                def->type <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
               def->type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
    }
    if (def->type == SPICE_MSG_WAIT_FOR_CHANNELS ||
        def->type == SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS)
        gst_spice_display_group_wait_for(self->group, message, &self->stop,
                                         g_get_monotonic_time() + WAIT_LIMIT_US);
    if (def->type < SPICE_FIRST_CHANNEL_MESSAGE)
        return TRUE;
    paint_before(self, def, message);
    count_image(self, def->type, message);
    if (!feed(self, def, message))
        return spice_error_set(error, SPICE_ERROR_CORRUPT, "GLZ window");
    gst_spice_painter_streams_follow(self->streams, def->type, message);
    if (def->type == SPICE_MSG_DISPLAY_STREAM_DATA ||
        def->type == SPICE_MSG_DISPLAY_STREAM_DATA_SIZED)
        paint_stream_data(self, def, message);
    return TRUE;
}

gboolean gst_spice_display_painter_take(GstSpiceDisplayPainter *self, const guint8 *data,
                                        gsize size, guint64 serial, SpiceError *error)
{
    g_mutex_lock(&self->lock);
    self->messages++;
    g_mutex_unlock(&self->lock);
    if (!take_message(self, data, size, error))
        return FALSE;
    if (serial != GST_BUFFER_OFFSET_NONE)
        gst_spice_display_group_done(self->group, self->id, serial);
    return TRUE;
}

const SpicePixels *gst_spice_display_painter_get_picture(GstSpiceDisplayPainter *self)
{
    return spice_receiver_is_marked(self->receiver) ? spice_receiver_primary(self->receiver) : NULL;
}

void gst_spice_display_painter_set_stop(GstSpiceDisplayPainter *self, gboolean stop)
{
    gst_spice_display_group_set_stop(self->group, &self->stop, stop);
}

gboolean gst_spice_display_painter_is_stopped(GstSpiceDisplayPainter *self)
{
    return g_atomic_int_get(&self->stop);
}

void gst_spice_display_painter_add_stats(GstSpiceDisplayPainter *self, GstStructure *stats)
{
    static const struct {
        SpiceImageType type;
        const char *name;
    } names[] = {
        {SPICE_IMAGE_TYPE_BITMAP, "images-bitmap"},
        {SPICE_IMAGE_TYPE_QUIC, "images-quic"},
        {SPICE_IMAGE_TYPE_LZ_PLT, "images-lz-plt"},
        {SPICE_IMAGE_TYPE_LZ_RGB, "images-lz-rgb"},
        {SPICE_IMAGE_TYPE_GLZ_RGB, "images-glz-rgb"},
        {SPICE_IMAGE_TYPE_FROM_CACHE, "images-from-cache"},
        {SPICE_IMAGE_TYPE_SURFACE, "images-surface"},
        {SPICE_IMAGE_TYPE_JPEG, "images-jpeg"},
        {SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS, "images-from-cache-lossless"},
        {SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB, "images-zlib-glz-rgb"},
        {SPICE_IMAGE_TYPE_JPEG_ALPHA, "images-jpeg-alpha"},
        {SPICE_IMAGE_TYPE_LZ4, "images-lz4"},
    };
    guint i;

    g_mutex_lock(&self->lock);
    gst_structure_set(stats, "messages", G_TYPE_UINT64, self->messages, "refused", G_TYPE_UINT64,
                      self->refused, "stream-frames", G_TYPE_UINT64, self->stream_stats.painted,
                      "stream-frames-lost", G_TYPE_UINT64, self->stream_stats.lost,
                      "stream-reports", G_TYPE_UINT64, self->stream_stats.reports, NULL);
    for (i = 0; i < G_N_ELEMENTS(names); i++)
        gst_structure_set(stats, names[i].name, G_TYPE_UINT64, self->images[names[i].type], NULL);
    g_mutex_unlock(&self->lock);
}

GstSpiceDisplayPainter *gst_spice_display_painter_new(GstSpiceDisplayGroup *group, guint8 id,
                                                      const GstSpiceDisplayPainterEvents *events,
                                                      gpointer user_data)
{
    GstSpiceDisplayPainter *self = g_new0(GstSpiceDisplayPainter, 1);
    SpiceReceiverConfig config = {
        .allocator = &spice_allocator_libc,
        .cpu = gst_spice_cpu_flags(),
    };

    GST_DEBUG_CATEGORY_INIT(spicedisplaypainter_debug, "spicedisplaypainter", 0,
                            "SPICE display painter");
    self->group = gst_spice_display_group_ref(group);
    self->id = id;
    self->events = events;
    self->user_data = user_data;
    g_mutex_init(&self->lock);
    spice_arena_init(&self->arena, &spice_allocator_libc, ARENA_LIMIT);
    gst_spice_display_group_join(group, id);
    gst_spice_display_group_configure(group, &config);
    self->receiver = spice_receiver_create(&config);
    self->streams = gst_spice_painter_streams_new(events, user_data);
    if (self->receiver && self->streams)
        return self;
    gst_spice_display_painter_free(self);
    return NULL;
}

void gst_spice_display_painter_free(GstSpiceDisplayPainter *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->receiver, spice_receiver_destroy);
    gst_spice_painter_streams_free(self->streams);
    spice_arena_clear(&self->arena);
    gst_spice_display_group_leave(self->group, self->id);
    gst_spice_display_group_unref(self->group);
    g_mutex_clear(&self->lock);
    g_free(self);
}
