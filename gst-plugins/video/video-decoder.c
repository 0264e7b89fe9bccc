/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video-decoder.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC(spicevideodecoder_debug);
#define GST_CAT_DEFAULT spicevideodecoder_debug

/* Between the times of two access units; decoders want them to grow, and nothing else. */
enum { UNIT_INTERVAL = GST_SECOND / 30 };

struct GstSpiceVideoDecoder {
    GstElement *bin;
    GstPad *feed, *collect; /* ours, before and behind it */
    GstClockTime time;
    GstVideoInfo info;
    gboolean has_info;
    GstVideoFrame frame; /* the last picture, mapped while has_frame */
    gboolean has_frame, is_new;
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

/** Decoders that take the codec as it is sent, the best first; none of hardware, whose pictures may
 * be where no processor reads them. (transfer full) */
static GList *find_factories(guint8 codec)
{
    g_autoptr(GstCaps) caps = NULL;
    GList *all, *fit, *item, *next;

    if (codec >= G_N_ELEMENTS(codec_caps) || !codec_caps[codec])
        return NULL;
    caps = gst_caps_from_string(codec_caps[codec]);
    all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER |
                                                    GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO |
                                                    GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE,
                                                GST_RANK_MARGINAL);
    fit = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);
    gst_plugin_feature_list_free(all);
    for (item = fit; item; item = next) {
        next = item->next;
        if (gst_element_factory_list_is_type(item->data, GST_ELEMENT_FACTORY_TYPE_HARDWARE)) {
            gst_object_unref(item->data);
            fit = g_list_delete_link(fit, item);
        }
    }
    return g_list_sort(fit, gst_plugin_feature_rank_compare_func);
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
    self->has_frame = self->is_new = FALSE;
}

static GstFlowReturn take(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceVideoDecoder *self = gst_pad_get_element_private(pad);

    forget_frame(self);
    self->has_frame = self->is_new =
        self->has_info && gst_video_frame_map(&self->frame, &self->info, buffer, GST_MAP_READ);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstSpiceVideoDecoder *self = gst_pad_get_element_private(pad);
    GstCaps *caps;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        self->has_info = gst_video_info_from_caps(&self->info, caps);
    }
    gst_event_unref(event);
    return TRUE;
}

static void begin(GstSpiceVideoDecoder *self, guint8 codec)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(codec_caps[codec]);
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->feed, gst_event_new_stream_start("video"));
    gst_pad_push_event(self->feed, gst_event_new_caps(caps));
    gst_pad_push_event(self->feed, gst_event_new_segment(&segment));
}

/** Decoders that work on several frames at once are late by as many. */
static void keep_to_one_frame(GstElement *decoder)
{
    GObjectClass *klass = G_OBJECT_GET_CLASS(decoder);

    if (g_object_class_find_property(klass, "thread-type"))
        gst_util_set_object_arg(G_OBJECT(decoder), "thread-type", "slice");
    else if (g_object_class_find_property(klass, "max-threads"))
        gst_util_set_object_arg(G_OBJECT(decoder), "max-threads", "1");
}

/** What stands before a decoder and tells it what is in the stream, if there is such; the decoder,
 * if not. */
static GstElement *add_parser(GstSpiceVideoDecoder *self, guint8 codec, GstElement *decoder)
{
    GstElement *parser = NULL;

    if (codec == SPICE_VIDEO_CODEC_TYPE_H264)
        parser = gst_element_factory_make("h264parse", NULL);
    else if (codec == SPICE_VIDEO_CODEC_TYPE_H265)
        parser = gst_element_factory_make("h265parse", NULL);
    if (!parser)
        return decoder;
    gst_bin_add(GST_BIN(self->bin), parser);
    return gst_element_link(parser, decoder) ? parser : decoder;
}

static gboolean start(GstSpiceVideoDecoder *self, guint8 codec, GstElementFactory *factory)
{
    GstElement *decoder = gst_element_factory_create(factory, NULL);
    GstElement *convert = gst_element_factory_make("videoconvert", NULL);
    GstElement *filter = gst_element_factory_make("capsfilter", NULL);
    g_autoptr(GstCaps) caps = gst_caps_from_string("video/x-raw, format=(string)BGRx");
    GstElement *first;
    g_autoptr(GstPad) sink = NULL;
    g_autoptr(GstPad) src = NULL;

    self->bin = gst_bin_new(NULL);
    if (!decoder || !convert || !filter) {
        g_clear_object(&decoder);
        g_clear_object(&convert);
        g_clear_object(&filter);
        return FALSE;
    }
    keep_to_one_frame(decoder);
    g_object_set(filter, "caps", caps, NULL);
    gst_bin_add_many(GST_BIN(self->bin), decoder, convert, filter, NULL);
    first = add_parser(self, codec, decoder);
    if (!gst_element_link_many(decoder, convert, filter, NULL) ||
        gst_element_set_state(self->bin, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return FALSE;
    sink = gst_element_get_static_pad(first, "sink");
    src = gst_element_get_static_pad(filter, "src");
    gst_pad_set_element_private(self->collect, self);
    gst_pad_set_chain_function(self->collect, take);
    gst_pad_set_event_function(self->collect, take_event);
    /* The pads are in no bin together. */
    return gst_pad_set_active(self->feed, TRUE) && gst_pad_set_active(self->collect, TRUE) &&
           gst_pad_link_full(self->feed, sink, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK &&
           gst_pad_link_full(src, self->collect, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK;
}

GstSpiceVideoDecoder *gst_spice_video_decoder_new(guint8 codec)
{
    GstSpiceVideoDecoder *self = NULL;
    GList *factories, *item;

    init_debug();
    factories = find_factories(codec);
    for (item = factories; item && !self; item = item->next) {
        self = g_new0(GstSpiceVideoDecoder, 1);
        self->feed = gst_pad_new("feed", GST_PAD_SRC);
        self->collect = gst_pad_new("collect", GST_PAD_SINK);
        if (start(self, codec, item->data)) {
            GST_INFO("%s decodes", GST_OBJECT_NAME(item->data));
            begin(self, codec);
        } else {
            g_clear_pointer(&self, gst_spice_video_decoder_free);
        }
    }
    gst_plugin_feature_list_free(factories);
    return self;
}

void gst_spice_video_decoder_free(GstSpiceVideoDecoder *self)
{
    if (!self)
        return;
    gst_pad_set_active(self->feed, FALSE);
    gst_pad_set_active(self->collect, FALSE);
    if (self->bin) {
        gst_element_set_state(self->bin, GST_STATE_NULL);
        gst_object_unref(gst_object_ref_sink(self->bin));
    }
    forget_frame(self);
    gst_object_unref(self->feed);
    gst_object_unref(self->collect);
    g_free(self);
}

gboolean gst_spice_video_decoder_decode(GstSpiceVideoDecoder *self, SpiceBytes data,
                                        SpicePixels *picture)
{
    GstBuffer *buffer = gst_buffer_new_memdup(data.data, data.size);
    GstFlowReturn flow;

    self->is_new = FALSE;
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = self->time;
    self->time += UNIT_INTERVAL;
    flow = gst_pad_push(self->feed, buffer);
    if (flow != GST_FLOW_OK)
        GST_INFO("an access unit of %" G_GSIZE_FORMAT " bytes: %s", data.size,
                 gst_flow_get_name(flow));
    if (!self->is_new)
        return FALSE;
    *picture = (SpicePixels){.format = PIXMAN_x8r8g8b8,
                             .width = GST_VIDEO_FRAME_WIDTH(&self->frame),
                             .height = GST_VIDEO_FRAME_HEIGHT(&self->frame),
                             .data = GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0),
                             .stride = GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, 0)};
    return TRUE;
}
