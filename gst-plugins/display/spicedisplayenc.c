/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedisplayenc
 * @title: spicedisplayenc
 * @short_description: encodes what a client is sent of a display
 *
 * Takes the messages of a client's view (see spicedrawsrc) and makes display channel messages of
 * them, ready for the wire, as spicedisplaydec and every SPICE client read them: images are
 * compressed as suits them and the link, and what the client has in its caches is not sent again.
 *
 * How images are sent is said by #GstSpiceDisplayEnc:image-compression; with a
 * #GstSpiceDisplayEnc:channel, the client's own wish counts, if it has one, then the server's
 * setting. What was sent lossy is sent again without loss when the picture has been still for a
 * while.
 *
 * Video streams are encoded on threads of their own, in a codec that the client decodes, as many
 * frames and as good as its link bears; a frame that is not ready when the next one comes is not
 * waited for.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=50 ! spicedamage ! spicedisplaysink spicedrawsrc num-buffers=5 ! spicedisplayenc image-compression=quic ! fakesink
 * ]|
 */
#include "spicedisplayenc.h"

#include <string.h>

#include "core/display/sender.h"
#include "client-streams.h"
#include "core/canvas/draw.h"
#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "idle-events.h"
#include "item-meta.h"
#include "refinement.h"
#include "session/cpu.h"
#include "session/server.h"

GST_DEBUG_CATEGORY_STATIC(spicedisplayenc_debug);
#define GST_CAT_DEFAULT spicedisplayenc_debug

/* Between two looks at what the link does. */
enum { LINK_INTERVAL_US = 200 * 1000 };
/* After video has left a place: so long it is left lossy. */
enum { REFRESH_US = 100 * 1000 };
/* Before something is tried again for which there was no memory. */
enum { RETRY_US = 20 * 1000 };
/* What a client without a channel, in a pipeline of its own, keeps. */
enum { DEFAULT_CACHE_PIXELS = 20 << 20, DEFAULT_DICTIONARY_PIXELS = 4 << 20 };

enum { PROP_0, PROP_CHANNEL, PROP_IMAGE_COMPRESSION, PROP_STATS };

/** What the displays of one client share. */
typedef struct {
    GMutex lock;
    SpiceClientImages *images;
} Images;

struct _GstSpiceDisplayEnc {
    GstElement parent_instance;
    GstPad *sink, *src;
    GstSpiceMediaChannel *channel;
    gint compression; /* atomic; GstSpiceImageCompression, without a channel */

    Images *images;      /* the channel's, or own_images */
    Images *own_images;  /* without a channel */
    SpiceSender *sender; /* under images->lock; NULL below PAUSED */
    SpiceSenderOutput output;
    gint64 link_looked_at;

    GstSpiceClientStreams *streams; /* streaming thread; NULL below PAUSED */
    GstFlowReturn flow;             /* of what was sent for an event */
    gboolean codecs_changed;
    GstSpiceClientStreamsStats streams_stats; /* under the object lock */
    gint64 refresh_at; /* when what streams left behind is asked for again; 0: nothing is */
    /* What was asked for last lies in it, and so many pixels were lossy then; 0: all was asked for. */
    pixman_box32_t asked;
    guint64 left_lossy;
};

G_DEFINE_FINAL_TYPE(GstSpiceDisplayEnc, gst_spice_display_enc, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-draw"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-display"));

/* What a client's displays share */

static gpointer images_create(void)
{
    Images *self = g_new0(Images, 1);
    const guint64 seed = (guint64)g_random_int() << 32 | g_random_int();

    g_mutex_init(&self->lock);
    self->images =
        spice_client_images_create(&spice_allocator_libc, gst_spice_cpu_flags(), seed, NULL);
    return self;
}

static void images_destroy(gpointer data)
{
    Images *self = data;

    spice_client_images_destroy(self->images);
    g_mutex_clear(&self->lock);
    g_free(self);
}

/* Encoding */

/** Tells what an image was sent as, and what that saved. */
static void log_choices(GstSpiceDisplayEnc *self, const SpiceSenderCounters *before)
{
    const SpiceSenderCounters *now = spice_sender_counters(self->sender);
    guint i;

    for (i = 0; i < SPICE_IMAGE_N_CODECS; i++)
        if (now->codecs[i].images != before->codecs[i].images)
            GST_LOG_OBJECT(self, "%s: %" G_GUINT64_FORMAT " bytes of pixels as %" G_GUINT64_FORMAT,
                           gst_spice_image_codec_name((SpiceImageCodec)i),
                           now->codecs[i].bytes_in - before->codecs[i].bytes_in,
                           now->codecs[i].bytes_out - before->codecs[i].bytes_out);
    if (now->hits != before->hits)
        GST_LOG_OBJECT(self, "named: %" G_GUINT64_FORMAT " bytes of pixels not sent",
                       now->hit_bytes - before->hit_bytes);
}

static GstFlowReturn push_message(GstSpiceDisplayEnc *self, guint16 type, const guint8 *body,
                                  gsize size)
{
    const SpiceDataHeader header = {.type = type, .size = (guint32)size};
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, SPICE_MINI_DATA_HEADER_SIZE + size, NULL);
    GstMapInfo map;

    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    spice_mini_data_header_encode(&header, map.data);
    if (size > 0)
        memcpy(map.data + SPICE_MINI_DATA_HEADER_SIZE, body, size);
    gst_buffer_unmap(buffer, &map);
    return gst_pad_push(self->src, buffer);
}

static GstFlowReturn push_messages(GstSpiceDisplayEnc *self)
{
    GstFlowReturn flow = GST_FLOW_OK;
    guint i;

    for (i = 0; i < self->output.n_messages && flow == GST_FLOW_OK; i++)
        flow = push_message(self, self->output.messages[i].type,
                            self->output.bytes.data + self->output.messages[i].offset,
                            self->output.messages[i].size);
    return flow;
}

/** Counts what went out on the channel without us. Under the lock. */
static void count_others(GstSpiceDisplayEnc *self)
{
    if (self->channel)
        spice_sender_count_others(self->sender, gst_spice_media_channel_take_others(self->channel));
}

/** Sends a PING if the channel wants to know when what was sent so far has arrived; `last`: even if
 * nothing more follows. It is the encoder that sends it, as it counts the channel's messages. */
static GstFlowReturn push_mark(GstSpiceDisplayEnc *self, gboolean last)
{
    SpiceMsgPing ping = {.timestamp = (guint64)g_get_monotonic_time()};
    gboolean encoded;

    if (!self->channel || !gst_spice_media_channel_wants_mark(self->channel, last, &ping.id))
        return GST_FLOW_OK;
    g_mutex_lock(&self->images->lock);
    count_others(self);
    encoded = spice_sender_encode(self->sender, SPICE_MSG_PING, &ping, &self->output, NULL);
    g_mutex_unlock(&self->images->lock);
    return encoded ? push_messages(self) : GST_FLOW_ERROR;
}

/** Sends what was encoded. */
static GstFlowReturn push_output(GstSpiceDisplayEnc *self)
{
    const GstFlowReturn flow = push_messages(self);

    return flow == GST_FLOW_OK ? push_mark(self, FALSE) : flow;
}

/** Tells the channel what was done so far, for statistics. Under the lock. */
static void tell_figures(GstSpiceDisplayEnc *self)
{
    const GstSpiceClientStreamsStats video = gst_spice_client_streams_get_stats(self->streams);
    const GstSpiceDisplayFigures figures = {
        .images = *spice_sender_counters(self->sender),
        .video = {video.streams, video.frames, video.bytes, video.dropped, video.reports},
    };

    gst_spice_media_channel_set_figures(self->channel, &figures);
}

/** Tells the sender what has changed of the client's wishes and its link. Under the lock. */
static void update_circumstances(GstSpiceDisplayEnc *self)
{
    const gint64 now = g_get_monotonic_time();
    GstSpiceLinkQuality link;

    if (!self->channel) {
        spice_sender_set_mode(self->sender, (SpiceImageMode)g_atomic_int_get(&self->compression));
        return;
    }
    if (now - self->link_looked_at < LINK_INTERVAL_US)
        return;
    self->link_looked_at = now;
    tell_figures(self);
    link = gst_spice_media_channel_get_link(self->channel);
    spice_sender_set_mode(
        self->sender, (SpiceImageMode)gst_spice_media_channel_get_image_compression(self->channel));
    spice_sender_set_wan(
        self->sender,
        (SpiceWanCompression)gst_spice_media_channel_get_wan_compression(self->channel, FALSE),
        (SpiceWanCompression)gst_spice_media_channel_get_wan_compression(self->channel, TRUE));
    spice_sender_set_link(self->sender, link.bits_per_second, link.round_trip_us);
    self->codecs_changed |= gst_spice_client_streams_codecs_changed(self->streams);
}

/** A draw that could not be encoded: what it would have drawn is asked for again. */
static GstFlowReturn recover(GstSpiceDisplayEnc *self, const SpiceViewItem *item,
                             const SpiceError *error)
{
    GST_WARNING_OBJECT(self, "message %u could not be encoded: %s %s", item->type, error->field,
                       spice_error_phrase(error->code));
    if (item->drawable && gst_pad_push_event(self->sink, gst_spice_event_new_damage(NULL, 0))) {
        g_usleep(RETRY_US);
        return GST_FLOW_OK;
    }
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("A message could not be encoded."),
                      ("%u: %s %s", item->type, error->field, spice_error_phrase(error->code)));
    return GST_FLOW_ERROR;
}

static void return_drawable(void *context)
{
    spice_drawable_unref(context);
}

/** Encodes an item. Its pictures do not change any more, so the dictionary keeps them where they are,
 * by a reference of the draw. Under the lock. */
static gboolean encode(GstSpiceDisplayEnc *self, const SpiceViewItem *item, SpiceError *error)
{
    const SpiceGlzLoan loan = {return_drawable, item->drawable};

    count_others(self);
    if (!item->drawable)
        return spice_sender_encode(self->sender, item->type, item->message, &self->output, error);
    spice_drawable_ref(item->drawable);
    if (spice_sender_encode_lent(self->sender, item->type, item->message, &loan, &self->output,
                                 error))
        return TRUE;
    spice_drawable_unref(item->drawable);
    return FALSE;
}

/* Video streams */

static void on_frame_done(gpointer user_data)
{
    GstSpiceDisplayEnc *self = user_data;

    gst_pad_push_event(self->sink, gst_spice_event_new_wake());
}

/** Encodes and sends a message that is not a view's draw. */
static GstFlowReturn send_message(GstSpiceDisplayEnc *self, guint16 type, const void *message)
{
    SpiceError error = {0};
    gboolean encoded;

    g_mutex_lock(&self->images->lock);
    count_others(self);
    encoded = spice_sender_encode(self->sender, type, message, &self->output, &error);
    g_mutex_unlock(&self->images->lock);
    if (encoded)
        return push_output(self);
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("A message could not be encoded."),
                      ("%u: %s %s", type, error.field, spice_error_phrase(error.code)));
    return GST_FLOW_ERROR;
}

static GstFlowReturn send_frame(GstSpiceDisplayEnc *self, const GstSpiceEncodedFrame *frame)
{
    const guint32 time = (guint32)(frame->time / 1000);
    SpiceMsgDisplayStreamData data = {.id = frame->id, .multi_media_time = time};
    SpiceMsgDisplayStreamDataSized sized = {.id = frame->id,
                                            .multi_media_time = time,
                                            .width = frame->width,
                                            .height = frame->height,
                                            .dest = frame->dest};

    data.data.data = sized.data.data = g_bytes_get_data(frame->data, &data.data.size);
    sized.data.size = data.data.size;
    return frame->width > 0 ? send_message(self, SPICE_MSG_DISPLAY_STREAM_DATA_SIZED, &sized)
                            : send_message(self, SPICE_MSG_DISPLAY_STREAM_DATA, &data);
}

/** Sends the frames that are ready, and hears what the client says about those before. */
static GstFlowReturn look_after_streams(GstSpiceDisplayEnc *self)
{
    GstFlowReturn flow = GST_FLOW_OK;
    GstSpiceEncodedFrame frame;
    guint64 generation;
    guint32 id;

    while (gst_spice_client_streams_look(self->streams, &id, &generation))
        gst_pad_push_event(self->sink, gst_spice_event_new_refuse_stream(id, generation));
    while (flow == GST_FLOW_OK && gst_spice_client_streams_next(self->streams, &frame)) {
        flow = send_frame(self, &frame);
        g_bytes_unref(frame.data);
    }
    GST_OBJECT_LOCK(self);
    self->streams_stats = gst_spice_client_streams_get_stats(self->streams);
    GST_OBJECT_UNLOCK(self);
    return flow;
}

static GstFlowReturn begin_stream(GstSpiceDisplayEnc *self, const SpiceViewItem *item)
{
    SpiceMsgDisplayStreamCreate create = *(const SpiceMsgDisplayStreamCreate *)item->message;

    if (gst_spice_client_streams_begin(self->streams, item->frame, &create.dest, &create.codec))
        return send_message(self, item->type, &create);
    gst_pad_push_event(self->sink, gst_spice_event_new_refuse_stream(item->frame->stream,
                                                                     item->frame->generation));
    return GST_FLOW_OK;
}

static guint32 stream_of(const SpiceViewItem *item)
{
    switch (item->type) {
    case SPICE_MSG_DISPLAY_STREAM_CLIP:
        return ((const SpiceMsgDisplayStreamClip *)item->message)->id;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        return ((const SpiceMsgDisplayStreamDestroy *)item->message)->id;
    case SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT:
        return ((const SpiceMsgDisplayStreamActivateReport *)item->message)->stream_id;
    default:
        return item->frame->stream;
    }
}

static void refine(GstSpiceDisplayEnc *self);

/** A stream ends: nothing more comes where it was, so that is asked for at once. */
static GstFlowReturn end_stream(GstSpiceDisplayEnc *self, const SpiceViewItem *item, guint32 id)
{
    GstFlowReturn flow;

    gst_spice_client_streams_end(self->streams, id);
    flow = send_message(self, item->type, item->message);
    if (flow == GST_FLOW_OK)
        refine(self);
    return flow;
}

/** A message of a stream; nothing of one that the client was not sent. */
static GstFlowReturn take_stream_message(GstSpiceDisplayEnc *self, const SpiceViewItem *item)
{
    const guint32 id = stream_of(item);

    if (item->type == SPICE_MSG_DISPLAY_STREAM_CREATE)
        return begin_stream(self, item);
    if (!gst_spice_client_streams_has(self->streams, id))
        return GST_FLOW_OK;
    if (item->type == SPICE_MSG_DISPLAY_STREAM_DATA) {
        g_mutex_lock(&self->images->lock);
        spice_sender_expect_frame(self->sender, id);
        g_mutex_unlock(&self->images->lock);
        gst_spice_client_streams_take(self->streams, item->frame, item->drawable);
        return push_mark(self, TRUE); /* frames wait until those before have arrived */
    }
    if (item->type == SPICE_MSG_DISPLAY_STREAM_DESTROY)
        return end_stream(self, item, id);
    if (item->type != SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT && self->refresh_at == 0)
        self->refresh_at = g_get_monotonic_time() + REFRESH_US;
    return send_message(self, item->type, item->message);
}

static gboolean is_of_a_stream(const SpiceViewItem *item)
{
    return item->type == SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT ||
           (item->type >= SPICE_MSG_DISPLAY_STREAM_CREATE &&
            item->type <= SPICE_MSG_DISPLAY_STREAM_DESTROY);
}

static void refine_on(GstSpiceDisplayEnc *self);

/** Whether it is a picture of what was asked for without loss; others may be lossy. */
static gboolean is_asked_for(const GstSpiceDisplayEnc *self, const SpiceViewItem *item)
{
    const SpiceRect *box;

    if (!item->is_picture || spice_draw_base(item->message)->surface_id != 0)
        return FALSE;
    box = &spice_draw_base(item->message)->box;
    return box->left >= self->asked.x1 && box->top >= self->asked.y1 &&
           box->right <= self->asked.x2 && box->bottom <= self->asked.y2;
}

/** What is to be done now and then, whatever is sent. */
static void look_around(GstSpiceDisplayEnc *self)
{
    g_mutex_lock(&self->images->lock);
    update_circumstances(self);
    g_mutex_unlock(&self->images->lock);
    if (self->refresh_at && g_get_monotonic_time() >= self->refresh_at)
        refine(self);
    if (self->codecs_changed)
        gst_pad_push_event(self->sink, gst_spice_event_new_restart_streams());
    self->codecs_changed = FALSE;
}

static GstFlowReturn gst_spice_display_enc_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(parent);
    const SpiceViewItem *item = gst_spice_item_buffer_get(buffer);
    SpiceSenderCounters before = {0};
    SpiceError error = {0};
    GstFlowReturn flow;
    gboolean encoded;

    if (!item || !self->sender) {
        gst_buffer_unref(buffer);
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("A buffer bears no message."), (NULL));
        return GST_FLOW_ERROR;
    }
    look_around(self);
    flow = self->flow == GST_FLOW_OK ? look_after_streams(self) : self->flow;
    if (flow == GST_FLOW_OK && is_of_a_stream(item)) {
        flow = take_stream_message(self, item);
        gst_buffer_unref(buffer);
        return flow;
    }
    if (flow != GST_FLOW_OK) {
        gst_buffer_unref(buffer);
        return flow;
    }
    g_mutex_lock(&self->images->lock);
    if (gst_debug_category_get_threshold(GST_CAT_DEFAULT) >= GST_LEVEL_LOG)
        before = *spice_sender_counters(self->sender);
    spice_sender_set_refining(self->sender, is_asked_for(self, item));
    encoded = encode(self, item, &error);
    if (gst_debug_category_get_threshold(GST_CAT_DEFAULT) >= GST_LEVEL_LOG)
        log_choices(self, &before);
    if (encoded && item->is_picture && spice_draw_base(item->message)->surface_id == 0)
        gst_spice_client_streams_overtake(self->streams, &spice_draw_base(item->message)->box);
    if (encoded && item->drawable && !item->is_picture)
        self->asked = (pixman_box32_t){0};
    g_mutex_unlock(&self->images->lock);
    flow = encoded ? push_output(self) : recover(self, item, &error);
    if (flow == GST_FLOW_OK && item->is_picture)
        refine_on(self);
    gst_buffer_unref(buffer);
    return flow;
}

/** The picture is still, or video has left a place: what was sent lossy, and is not shown by a
 * stream, is asked for again; on a slow link a piece, and the next when that has been sent. */
static void refine(GstSpiceDisplayEnc *self)
{
    const pixman_region32_t *lossy;
    pixman_box32_t boxes[GST_SPICE_MAX_DAMAGE_BOXES];
    GstSpiceLinkQuality link = {0};
    GstEvent *event = NULL;
    gboolean more = FALSE;
    guint n;

    self->refresh_at = 0;
    if (self->channel)
        link = gst_spice_media_channel_get_link(self->channel);
    g_mutex_lock(&self->images->lock);
    if (self->channel)
        tell_figures(self);
    lossy = spice_sender_lossy_region(self->sender, 0);
    if (pixman_region32_not_empty((pixman_region32_t *)lossy)) {
        n = gst_spice_refinement_choose(lossy, link.bits_per_second, boxes, &more);
        event = gst_spice_event_new_damage(boxes, n);
        self->asked = more ? boxes[0] : *pixman_region32_extents((pixman_region32_t *)lossy);
    }
    self->left_lossy = more ? gst_spice_refinement_area(lossy) : 0;
    g_mutex_unlock(&self->images->lock);
    if (event)
        gst_pad_push_event(self->sink, event);
}

/** A picture was sent: goes on with the next piece, if it was one and there is less left than before.
 * What has been drawn meanwhile is left until the picture is still again. */
static void refine_on(GstSpiceDisplayEnc *self)
{
    guint64 left;

    if (self->left_lossy == 0)
        return;
    g_mutex_lock(&self->images->lock);
    left = gst_spice_refinement_area(spice_sender_lossy_region(self->sender, 0));
    g_mutex_unlock(&self->images->lock);
    if (left < self->left_lossy)
        refine(self);
    else
        self->left_lossy = 0;
}

static gboolean gst_spice_display_enc_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(parent);

    if (gst_spice_event_is_woken(event)) {
        if (self->streams)
            self->flow = look_after_streams(self);
        gst_event_unref(event);
        return TRUE;
    }
    if (gst_spice_event_is_idle(event)) {
        if (self->sender)
            refine(self);
        gst_event_unref(event);
        return TRUE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps = gst_caps_new_empty_simple("application/x-spice-display");
        gboolean ok = gst_pad_push_event(self->src, gst_event_new_caps(caps));

        gst_caps_unref(caps);
        gst_event_unref(event);
        return ok;
    }
    return gst_pad_event_default(pad, parent, event);
}

/* States */

static void set_images(GstSpiceDisplayEnc *self, Images *images)
{
    GST_OBJECT_LOCK(self);
    self->images = images;
    GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstSpiceDisplayEnc *self)
{
    SpiceMsgcDisplayInit init = {
        .pixmap_cache_id = 1,
        .pixmap_cache_size = DEFAULT_CACHE_PIXELS,
        .glz_dictionary_id = 1,
        .glz_dictionary_window_size = DEFAULT_DICTIONARY_PIXELS,
    };
    SpiceSenderConfig config = {
        .allocator = &spice_allocator_libc,
        .first_serial = 1,
        .has_lz4 = TRUE,
        .mode = (SpiceImageMode)g_atomic_int_get(&self->compression),
    };
    SpiceError error = {0};
    gboolean ok;

    if (self->channel) {
        init = *gst_spice_media_channel_get_display_init(self->channel);
        config.channel_id = gst_spice_media_channel_get_id(self->channel);
        config.first_serial = gst_spice_media_channel_get_next_serial(self->channel);
        config.has_lz4 =
            gst_spice_media_channel_peer_has(self->channel, SPICE_DISPLAY_CAP_LZ4_COMPRESSION);
        set_images(
            self, gst_spice_media_channel_get_shared(self->channel, images_create, images_destroy));
    } else {
        self->own_images = images_create();
        set_images(self, self->own_images);
    }
    g_mutex_lock(&self->images->lock);
    config.images = self->images->images;
    self->sender = config.images ? spice_sender_create(&config) : NULL;
    ok = self->sender && spice_sender_take_init(self->sender, &init, &error);
    g_mutex_unlock(&self->images->lock);
    self->link_looked_at = self->refresh_at = 0;
    self->left_lossy = 0;
    self->asked = (pixman_box32_t){0};
    self->flow = GST_FLOW_OK;
    self->streams = gst_spice_client_streams_new(self->channel, on_frame_done, self);
    if (!ok)
        GST_ELEMENT_ERROR(
            self, RESOURCE, NO_SPACE_LEFT, ("The client's caches cannot be had."),
            ("%s %s", error.field ? error.field : "memory", spice_error_phrase(error.code)));
    return ok;
}

static void stop(GstSpiceDisplayEnc *self)
{
    g_clear_pointer(&self->streams, gst_spice_client_streams_free);
    g_mutex_lock(&self->images->lock);
    spice_sender_destroy(g_steal_pointer(&self->sender));
    g_mutex_unlock(&self->images->lock);
    set_images(self, NULL);
    g_clear_pointer(&self->own_images, images_destroy);
}

static GstStateChangeReturn gst_spice_display_enc_change_state(GstElement *element,
                                                               GstStateChange transition)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start(self)) {
        stop(self);
        return GST_STATE_CHANGE_FAILURE;
    }
    result =
        GST_ELEMENT_CLASS(gst_spice_display_enc_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        stop(self);
    return result;
}

/* Object */

static GstStructure *make_stats(GstSpiceDisplayEnc *self)
{
    GstStructure *stats = gst_structure_new_empty("application/x-spice-encoder-stats");
    SpiceSenderCounters counters = {0};
    GstSpiceClientStreamsStats streams;
    guint i;

    GST_OBJECT_LOCK(self);
    streams = self->streams_stats;
    if (self->images) {
        g_mutex_lock(&self->images->lock);
        if (self->sender)
            counters = *spice_sender_counters(self->sender);
        g_mutex_unlock(&self->images->lock);
    }
    GST_OBJECT_UNLOCK(self);
    for (i = 0; i < SPICE_IMAGE_N_CODECS; i++) {
        g_autofree char *images =
            g_strdup_printf("images-%s", gst_spice_image_codec_name((SpiceImageCodec)i));
        g_autofree char *in =
            g_strdup_printf("bytes-in-%s", gst_spice_image_codec_name((SpiceImageCodec)i));
        g_autofree char *out =
            g_strdup_printf("bytes-out-%s", gst_spice_image_codec_name((SpiceImageCodec)i));

        gst_structure_set(stats, images, G_TYPE_UINT64, counters.codecs[i].images, in,
                          G_TYPE_UINT64, counters.codecs[i].bytes_in, out, G_TYPE_UINT64,
                          counters.codecs[i].bytes_out, NULL);
    }
    gst_structure_set(stats, "hits", G_TYPE_UINT64, counters.hits, "hit-bytes", G_TYPE_UINT64,
                      counters.hit_bytes, "invalidated", G_TYPE_UINT64, counters.invalidated,
                      "streams", G_TYPE_UINT64, streams.streams, "stream-frames", G_TYPE_UINT64,
                      streams.frames, "stream-bytes", G_TYPE_UINT64, streams.bytes,
                      "stream-frames-dropped", G_TYPE_UINT64, streams.dropped, "stream-reports",
                      G_TYPE_UINT64, streams.reports, NULL);
    return stats;
}

static void gst_spice_display_enc_set_property(GObject *object, guint id, const GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(object);

    if (id == PROP_CHANNEL) {
        g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
        self->channel = g_value_dup_boxed(value);
    } else if (id == PROP_IMAGE_COMPRESSION) {
        g_atomic_int_set(&self->compression, g_value_get_enum(value));
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_display_enc_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(object);

    if (id == PROP_CHANNEL)
        g_value_set_boxed(value, self->channel);
    else if (id == PROP_IMAGE_COMPRESSION)
        g_value_set_enum(value, g_atomic_int_get(&self->compression));
    else if (id == PROP_STATS)
        g_value_take_boxed(value, make_stats(self));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_display_enc_finalize(GObject *object)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(object);

    g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
    spice_sender_output_clear(&self->output);
    G_OBJECT_CLASS(gst_spice_display_enc_parent_class)->finalize(object);
}

static void gst_spice_display_enc_init(GstSpiceDisplayEnc *self)
{
    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_spice_display_enc_chain);
    gst_pad_set_event_function(self->sink, gst_spice_display_enc_sink_event);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
    spice_sender_output_init(&self->output, &spice_allocator_libc);
}

static void gst_spice_display_enc_class_init(GstSpiceDisplayEncClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicedisplayenc_debug, "spicedisplayenc", 0, "SPICE display encoder");

    object_class->set_property = gst_spice_display_enc_set_property;
    object_class->get_property = gst_spice_display_enc_get_property;
    object_class->finalize = gst_spice_display_enc_finalize;
    element_class->change_state = gst_spice_display_enc_change_state;
    g_object_class_install_property(
        object_class, PROP_CHANNEL,
        g_param_spec_boxed("channel", "Channel", "The client's channel that this will be sent on",
                           GST_SPICE_TYPE_MEDIA_CHANNEL,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_IMAGE_COMPRESSION,
        g_param_spec_enum("image-compression", "Image compression",
                          "How images are sent, without a channel",
                          GST_SPICE_TYPE_IMAGE_COMPRESSION, GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics", "Images and bytes by codec, cache hits",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE display encoder", "Codec/Encoder/Video",
        "Encodes what a client is sent of a display", "The gst-spice developers");
}
