/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "imagedec.h"

typedef struct {
    GstVideoCodecState *input; /* NULL until there are caps */
} GstSpiceImageDecPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(GstSpiceImageDec, gst_spice_image_dec, GST_TYPE_VIDEO_DECODER)

static gboolean gst_spice_image_dec_start(GstVideoDecoder *decoder)
{
    GstSpiceImageDecClass *klass = GST_SPICE_IMAGE_DEC_GET_CLASS(decoder);

    gst_video_decoder_set_packetized(decoder, TRUE);
    return !klass->open || klass->open(GST_SPICE_IMAGE_DEC(decoder));
}

static gboolean gst_spice_image_dec_stop(GstVideoDecoder *decoder)
{
    GstSpiceImageDec *self = GST_SPICE_IMAGE_DEC(decoder);
    GstSpiceImageDecPrivate *priv = gst_spice_image_dec_get_instance_private(self);
    GstSpiceImageDecClass *klass = GST_SPICE_IMAGE_DEC_GET_CLASS(self);

    g_clear_pointer(&priv->input, gst_video_codec_state_unref);
    if (klass->close)
        klass->close(self);
    return TRUE;
}

gboolean gst_spice_image_dec_get_input_size(GstSpiceImageDec *self, guint *width, guint *height)
{
    GstSpiceImageDecPrivate *priv = gst_spice_image_dec_get_instance_private(self);

    if (!priv->input || GST_VIDEO_INFO_WIDTH(&priv->input->info) <= 0 ||
        GST_VIDEO_INFO_HEIGHT(&priv->input->info) <= 0)
        return FALSE;
    *width = (guint)GST_VIDEO_INFO_WIDTH(&priv->input->info);
    *height = (guint)GST_VIDEO_INFO_HEIGHT(&priv->input->info);
    return (guint64)*width * *height <= GST_SPICE_IMAGE_MAX_PIXELS;
}

static gboolean gst_spice_image_dec_set_format(GstVideoDecoder *decoder, GstVideoCodecState *state)
{
    GstSpiceImageDecPrivate *priv =
        gst_spice_image_dec_get_instance_private(GST_SPICE_IMAGE_DEC(decoder));

    /* Most images themselves say what they are. */
    g_clear_pointer(&priv->input, gst_video_codec_state_unref);
    priv->input = gst_video_codec_state_ref(state);
    return TRUE;
}

/** Makes the output caps those of `image`, unless they are. */
static gboolean set_output(GstVideoDecoder *decoder, const GstSpiceImageSize *image)
{
    GstVideoCodecState *state = gst_video_decoder_get_output_state(decoder);
    gboolean same = state && GST_VIDEO_INFO_FORMAT(&state->info) == image->format &&
                    GST_VIDEO_INFO_WIDTH(&state->info) == (gint)image->width &&
                    GST_VIDEO_INFO_HEIGHT(&state->info) == (gint)image->height;

    g_clear_pointer(&state, gst_video_codec_state_unref);
    if (same)
        return TRUE;
    state = gst_video_decoder_set_output_state(decoder, image->format, image->width, image->height,
                                               NULL);
    gst_video_codec_state_unref(state);
    return gst_video_decoder_negotiate(decoder);
}

static gboolean decode(GstVideoDecoder *decoder, GstVideoCodecFrame *frame, const GstMapInfo *map,
                       GstFlowReturn *flow, SpiceError *error)
{
    GstSpiceImageDec *self = GST_SPICE_IMAGE_DEC(decoder);
    GstSpiceImageDecClass *klass = GST_SPICE_IMAGE_DEC_GET_CLASS(self);
    GstSpiceImageSize image;
    GstVideoCodecState *state;
    GstVideoFrame output;
    gboolean ok;

    if (!klass->read_size(self, map->data, map->size, &image, error))
        return FALSE;
    if (!set_output(decoder, &image)) {
        *flow = GST_FLOW_NOT_NEGOTIATED;
        return TRUE;
    }
    *flow = gst_video_decoder_allocate_output_frame(decoder, frame);
    if (*flow != GST_FLOW_OK)
        return TRUE;
    state = gst_video_decoder_get_output_state(decoder);
    ok = gst_video_frame_map(&output, &state->info, frame->output_buffer, GST_MAP_WRITE);
    gst_video_codec_state_unref(state);
    if (!ok)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "frame");
    ok = klass->decode(self, map->data, map->size, &output, error);
    gst_video_frame_unmap(&output);
    return ok;
}

static GstFlowReturn gst_spice_image_dec_handle_frame(GstVideoDecoder *decoder,
                                                      GstVideoCodecFrame *frame)
{
    GstFlowReturn flow = GST_FLOW_OK;
    SpiceError error = {0};
    GstMapInfo map;
    gboolean ok;

    if (!gst_buffer_map(frame->input_buffer, &map, GST_MAP_READ)) {
        gst_video_decoder_drop_frame(decoder, frame);
        return GST_FLOW_ERROR;
    }
    ok = decode(decoder, frame, &map, &flow, &error);
    gst_buffer_unmap(frame->input_buffer, &map);
    if (!ok) {
        GST_VIDEO_DECODER_ERROR(decoder, 1, STREAM, DECODE, ("An image could not be decoded."),
                                ("%s %s", error.field, spice_error_phrase(error.code)), flow);
        gst_video_decoder_drop_frame(decoder, frame);
        return flow;
    }
    if (flow != GST_FLOW_OK) {
        gst_video_decoder_drop_frame(decoder, frame);
        return flow;
    }
    return gst_video_decoder_finish_frame(decoder, frame);
}

static void gst_spice_image_dec_init(GstSpiceImageDec *self)
{
    gst_video_decoder_set_needs_format(GST_VIDEO_DECODER(self), FALSE);
}

static void gst_spice_image_dec_class_init(GstSpiceImageDecClass *klass)
{
    GstVideoDecoderClass *decoder_class = GST_VIDEO_DECODER_CLASS(klass);

    decoder_class->start = gst_spice_image_dec_start;
    decoder_class->stop = gst_spice_image_dec_stop;
    decoder_class->set_format = gst_spice_image_dec_set_format;
    decoder_class->handle_frame = gst_spice_image_dec_handle_frame;
    gst_type_mark_as_plugin_api(GST_TYPE_SPICE_IMAGE_DEC, 0);
}
