/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video-decoder.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC(spicevideodecoder_debug);
#define GST_CAT_DEFAULT spicevideodecoder_debug

/* Between the times of two access units; decoders want them to grow, and nothing else. */
enum { UNIT_INTERVAL = GST_SECOND / 30 };
/* A decoder of a card's that was fed so many units and shows nothing is taken for broken. What was fed
 * is kept until then, not more than so many bytes, that the next one starts with the key frame. */
enum { MAX_UNITS_IN_VAIN = 8, MAX_KEPT_BYTES = 8 << 20 };
/* Decoders that work on threads of their own are waited for, for so long. */
enum { ASYNCHRONOUS_WAIT_US = 20 * 1000 };

struct GstSpiceVideoDecoder {
    guint8 codec;
    GList *untried; /* GstElementFactory, the best first */
    GstElement *bin;
    GstPad *feed, *collect;     /* ours, before and behind it */
    GstElementFactory *factory; /* of the decoder that works */
    gboolean is_hardware;
    gboolean has_parser; /* which reads from the stream how large pictures are */
    gboolean has_begun;
    guint32 width, height; /* as they were told to the decoder */
    GstClockTime time;
    GQueue kept; /* GBytes: the units before the first picture, while they are few */
    gsize kept_bytes;
    guint fed; /* units to this decoder */
    gboolean has_shown;
    GThread *feeder;
    GstVideoFrame frame; /* the last picture, mapped while has_frame */
    guint age;           /* its, in units */
    gboolean has_frame;

    /* What comes out, on whatever thread the decoder has */
    GMutex lock;
    GCond arrived;
    GstBuffer *picture; /* the newest that was not taken */
    GstVideoInfo info;
    gboolean has_info, is_asynchronous;
};

static const char *const codec_caps[] = {
    [SPICE_VIDEO_CODEC_TYPE_MJPEG] = "image/jpeg",
    [SPICE_VIDEO_CODEC_TYPE_VP8] = "video/x-vp8, codec-alpha=(boolean)false",
    [SPICE_VIDEO_CODEC_TYPE_H264] =
        "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au",
    [SPICE_VIDEO_CODEC_TYPE_VP9] =
        "video/x-vp9, alignment=(string)frame, codec-alpha=(boolean)false",
    [SPICE_VIDEO_CODEC_TYPE_H265] =
        "video/x-h265, stream-format=(string)byte-stream, alignment=(string)au",
};

/* Choosing */

static void init_debug(void)
{
    static gsize once;

    if (g_once_init_enter(&once)) {
        GST_DEBUG_CATEGORY_INIT(spicevideodecoder_debug, "spicevideodecoder", 0,
                                "Decoders of SPICE video streams");
        g_once_init_leave(&once, 1);
    }
}

/** By rank, as everywhere in GStreamer (a user changes it by GST_PLUGIN_FEATURE_RANK); of two that are
 * alike the one that spares the processor. */
static gint compare_factories(gconstpointer a, gconstpointer b)
{
    const guint rank_a = gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(a));
    const guint rank_b = gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(b));
    const GstElementFactoryListType hardware = GST_ELEMENT_FACTORY_TYPE_HARDWARE;
    const gint is_a = gst_element_factory_list_is_type(GST_ELEMENT_FACTORY(a), hardware);
    const gint is_b = gst_element_factory_list_is_type(GST_ELEMENT_FACTORY(b), hardware);

    if (rank_a != rank_b)
        return rank_a > rank_b ? -1 : 1;
    if (is_a != is_b)
        return is_b - is_a;
    return g_strcmp0(GST_OBJECT_NAME(a), GST_OBJECT_NAME(b));
}

/** Decoders that take the codec as it is sent, the best first. (transfer full) */
static GList *find_factories(guint8 codec)
{
    g_autoptr(GstCaps) caps = NULL;
    GList *all, *fit;

    if (codec >= G_N_ELEMENTS(codec_caps) || !codec_caps[codec])
        return NULL;
    caps = gst_caps_from_string(codec_caps[codec]);
    all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER |
                                                    GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO |
                                                    GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE,
                                                GST_RANK_MARGINAL);
    fit = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);
    gst_plugin_feature_list_free(all);
    return g_list_sort(fit, compare_factories);
}

gboolean gst_spice_video_decoder_is_possible(guint8 codec)
{
    GList *factories = find_factories(codec);
    const gboolean any = factories != NULL;

    gst_plugin_feature_list_free(factories);
    return any;
}

/* Pads */

static void forget_frame(GstSpiceVideoDecoder *self)
{
    if (self->has_frame)
        gst_video_frame_unmap(&self->frame);
    self->has_frame = FALSE;
}

static GstFlowReturn take(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceVideoDecoder *self = gst_pad_get_element_private(pad);

    g_mutex_lock(&self->lock);
    gst_clear_buffer(&self->picture);
    self->picture = buffer;
    self->is_asynchronous |= g_thread_self() != self->feeder;
    g_cond_signal(&self->arrived);
    g_mutex_unlock(&self->lock);
    return GST_FLOW_OK;
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceVideoDecoder *self = gst_pad_get_element_private(pad);
    GstCaps *caps;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        g_mutex_lock(&self->lock);
        gst_clear_buffer(&self->picture); /* of another size, perhaps */
        self->has_info = gst_video_info_from_caps(&self->info, caps);
        g_mutex_unlock(&self->lock);
    }
    gst_event_unref(event);
    return TRUE;
}

/** Decoders that are told that the source is live hold nothing back. */
static gboolean answer_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
}

/** Maps the newest picture, if one came. A card's first one shows on which thread they come. */
static gboolean take_picture(GstSpiceVideoDecoder *self)
{
    const gint64 until = g_get_monotonic_time() + ASYNCHRONOUS_WAIT_US;
    const gboolean is_unknown = self->is_hardware && !self->has_shown;
    g_autoptr(GstBuffer) buffer = NULL;

    g_mutex_lock(&self->lock);
    while (!self->picture && (self->is_asynchronous || is_unknown) &&
           g_cond_wait_until(&self->arrived, &self->lock, until))
        ;
    buffer = g_steal_pointer(&self->picture);
    self->age = 0;
    if (buffer && GST_BUFFER_PTS_IS_VALID(buffer) &&
        GST_BUFFER_PTS(buffer) + UNIT_INTERVAL <= self->time)
        self->age = (self->time - UNIT_INTERVAL - GST_BUFFER_PTS(buffer)) / UNIT_INTERVAL;
    self->has_frame = buffer && self->has_info &&
                      gst_video_frame_map(&self->frame, &self->info, buffer, GST_MAP_READ);
    g_mutex_unlock(&self->lock);
    return self->has_frame;
}

static void tell_size(GstSpiceVideoDecoder *self, guint32 width, guint32 height)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(codec_caps[self->codec]);

    self->width = width;
    self->height = height;
    if (width > 0 && height > 0 && width <= G_MAXINT && height <= G_MAXINT)
        gst_caps_set_simple(caps, "width", G_TYPE_INT, (gint)width, "height", G_TYPE_INT,
                            (gint)height, NULL);
    gst_pad_push_event(self->feed, gst_event_new_caps(caps));
}

/** Cards want to be told how large pictures are. */
static void begin(GstSpiceVideoDecoder *self, guint32 width, guint32 height)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->feed, gst_event_new_stream_start("video"));
    tell_size(self, width, height);
    gst_pad_push_event(self->feed, gst_event_new_segment(&segment));
    self->has_begun = TRUE;
}

/** Decoders that work on several frames at once, or hold some back, are late by as many. */
static void keep_to_one_frame(GstElement *decoder)
{
    GObjectClass *klass = G_OBJECT_GET_CLASS(decoder);

    if (g_object_class_find_property(klass, "thread-type"))
        gst_util_set_object_arg(G_OBJECT(decoder), "thread-type", "slice");
    else if (g_object_class_find_property(klass, "max-threads"))
        gst_util_set_object_arg(G_OBJECT(decoder), "max-threads", "1");
    if (g_object_class_find_property(klass, "max-display-delay"))
        gst_util_set_object_arg(G_OBJECT(decoder), "max-display-delay", "0");
    if (g_object_class_find_property(klass, "compliance")) /* nobody sends B-frames */
        gst_util_set_object_arg(G_OBJECT(decoder), "compliance", "flexible");
}

/** What stands before a decoder and tells it what is in the stream, if there is such; the decoder,
 * if not. */
static GstElement *add_parser(GstSpiceVideoDecoder *self, guint8 codec, GstElement *decoder)
{
    g_autoptr(GstCaps) told_sizes =
        gst_caps_from_string("video/x-h265, stream-format=(string)hvc1");
    GstElement *parser = NULL;

    if (codec == SPICE_VIDEO_CODEC_TYPE_H264)
        parser = gst_element_factory_make("h264parse", NULL);
    else if (codec == SPICE_VIDEO_CODEC_TYPE_H265)
        parser = gst_element_factory_make("h265parse", NULL);
    else if (codec == SPICE_VIDEO_CODEC_TYPE_VP9)
        parser = gst_element_factory_make("vp9parse", NULL);
    if (!parser)
        return decoder;
    gst_bin_add(GST_BIN(self->bin), parser);
    self->has_parser = TRUE;
    /* libde265 sees the end of a unit's last part only with the next unit, unless their sizes are told */
    if (codec == SPICE_VIDEO_CODEC_TYPE_H265 &&
        gst_element_link_filtered(parser, decoder, told_sizes))
        return parser;
    return gst_element_link(parser, decoder) ? parser : decoder;
}

static void stop(GstSpiceVideoDecoder *self)
{
    if (self->feed)
        gst_pad_set_active(self->feed, FALSE);
    if (self->collect)
        gst_pad_set_active(self->collect, FALSE);
    if (self->bin) {
        gst_element_set_state(self->bin, GST_STATE_NULL);
        gst_object_unref(gst_object_ref_sink(self->bin));
        self->bin = NULL;
    }
    gst_clear_object(&self->feed);
    gst_clear_object(&self->collect);
    forget_frame(self);
    gst_clear_buffer(&self->picture);
    self->has_info = self->is_asynchronous = self->has_begun = self->has_parser = FALSE;
    self->fed = 0;
}

static gboolean start(GstSpiceVideoDecoder *self, GstElementFactory *factory)
{
    GstElement *decoder = gst_element_factory_create(factory, NULL);
    GstElement *convert = gst_element_factory_make("videoconvert", NULL);
    GstElement *filter = gst_element_factory_make("capsfilter", NULL);
    /* Of a processor's memory: what a card decodes is copied there by its decoder. */
    g_autoptr(GstCaps) caps = gst_caps_from_string("video/x-raw, format=(string)BGRx");
    GstElement *first;
    g_autoptr(GstPad) sink = NULL;
    g_autoptr(GstPad) src = NULL;

    self->bin = gst_bin_new(NULL);
    self->feed = gst_pad_new("feed", GST_PAD_SRC);
    self->collect = gst_pad_new("collect", GST_PAD_SINK);
    if (!decoder || !convert || !filter) {
        g_clear_object(&decoder);
        g_clear_object(&convert);
        g_clear_object(&filter);
        return FALSE;
    }
    keep_to_one_frame(decoder);
    g_object_set(filter, "caps", caps, NULL);
    gst_bin_add_many(GST_BIN(self->bin), decoder, convert, filter, NULL);
    first = add_parser(self, self->codec, decoder);
    if (!gst_element_link_many(decoder, convert, filter, NULL) ||
        gst_element_set_state(self->bin, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return FALSE;
    sink = gst_element_get_static_pad(first, "sink");
    src = gst_element_get_static_pad(filter, "src");
    gst_pad_set_query_function(self->feed, answer_query);
    gst_pad_set_element_private(self->collect, self);
    gst_pad_set_chain_function(self->collect, take);
    gst_pad_set_event_function(self->collect, take_event);
    /* The pads are in no bin together. */
    return gst_pad_set_active(self->feed, TRUE) && gst_pad_set_active(self->collect, TRUE) &&
           gst_pad_link_full(self->feed, sink, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK &&
           gst_pad_link_full(src, self->collect, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK;
}

/** Lets the best of the decoders that were not tried begin. */
static gboolean start_next(GstSpiceVideoDecoder *self)
{
    while (self->untried) {
        g_autoptr(GstElementFactory) factory = self->untried->data;

        self->untried = g_list_delete_link(self->untried, self->untried);
        stop(self);
        if (start(self, factory)) {
            GST_INFO("%s decodes", GST_OBJECT_NAME(factory));
            self->is_hardware =
                gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_HARDWARE);
            g_set_object(&self->factory, factory);
            return TRUE;
        }
        GST_INFO("%s does not start", GST_OBJECT_NAME(factory));
    }
    return FALSE;
}

GstSpiceVideoDecoder *gst_spice_video_decoder_new(guint8 codec)
{
    GstSpiceVideoDecoder *self = g_new0(GstSpiceVideoDecoder, 1);

    init_debug();
    self->codec = codec;
    self->untried = find_factories(codec);
    g_queue_init(&self->kept);
    g_mutex_init(&self->lock);
    g_cond_init(&self->arrived);
    if (!start_next(self))
        g_clear_pointer(&self, gst_spice_video_decoder_free);
    return self;
}

static void forget_kept(GstSpiceVideoDecoder *self)
{
    g_queue_clear_full(&self->kept, (GDestroyNotify)g_bytes_unref);
    self->kept_bytes = 0;
}

void gst_spice_video_decoder_free(GstSpiceVideoDecoder *self)
{
    if (!self)
        return;
    stop(self);
    gst_plugin_feature_list_free(self->untried);
    g_clear_object(&self->factory);
    forget_kept(self);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->arrived);
    g_free(self);
}

/* Decoding */

/** FALSE if the decoder is of no use any more. */
static gboolean feed(GstSpiceVideoDecoder *self, GBytes *unit, guint32 width, guint32 height)
{
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(unit);
    GstFlowReturn flow;

    if (!self->has_begun)
        begin(self, width, height);
    else if (!self->has_parser && (width != self->width || height != self->height))
        tell_size(self, width, height);
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = self->time;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER); /* whole: h265parse waits for no more */
    self->time += UNIT_INTERVAL;
    g_mutex_lock(&self->lock);
    self->feeder = g_thread_self();
    g_mutex_unlock(&self->lock);
    self->fed++;
    flow = gst_pad_push(self->feed, buffer);
    if (flow != GST_FLOW_OK)
        GST_INFO("an access unit of %" G_GSIZE_FORMAT " bytes: %s", g_bytes_get_size(unit),
                 gst_flow_get_name(flow));
    return flow == GST_FLOW_OK;
}

/** While nothing was shown, units are kept for the decoder that comes after. */
static void keep(GstSpiceVideoDecoder *self, GBytes *unit)
{
    if (self->has_shown || !self->untried)
        return;
    self->kept_bytes += g_bytes_get_size(unit);
    if (self->kept_bytes > MAX_KEPT_BYTES)
        forget_kept(self);
    g_queue_push_tail(&self->kept, g_bytes_ref(unit));
}

const char *gst_spice_video_decoder_name(const GstSpiceVideoDecoder *self)
{
    return GST_OBJECT_NAME(self->factory);
}

gboolean gst_spice_video_decoder_decode(GstSpiceVideoDecoder *self, SpiceBytes data, guint32 width,
                                        guint32 height, SpicePixels *picture, guint *age)
{
    g_autoptr(GBytes) unit = g_bytes_new(data.data, data.size);
    gboolean works, has_picture;

    forget_frame(self);
    keep(self, unit);
    works = feed(self, unit, width, height);
    has_picture = take_picture(self);
    while (!has_picture &&
           (!works || (self->is_hardware && !self->has_shown && self->fed >= MAX_UNITS_IN_VAIN))) {
        GList *item;

        if (!start_next(self))
            break;
        works = TRUE;
        for (item = self->kept.head; item && works; item = item->next)
            works = feed(self, item->data, width, height);
        if (self->has_shown)
            works = feed(self, unit, width, height);
        has_picture = take_picture(self);
    }
    if (!has_picture)
        return FALSE;
    self->has_shown = TRUE;
    forget_kept(self);
    *age = self->age;
    *picture = (SpicePixels){.format = PIXMAN_x8r8g8b8,
                             .width = GST_VIDEO_FRAME_WIDTH(&self->frame),
                             .height = GST_VIDEO_FRAME_HEIGHT(&self->frame),
                             .data = GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0),
                             .stride = GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, 0)};
    return TRUE;
}
