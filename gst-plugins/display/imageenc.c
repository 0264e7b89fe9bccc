/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "imageenc.h"

typedef struct {
    GstVideoCodecState *input;
} GstSpiceImageEncPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(GstSpiceImageEnc, gst_spice_image_enc, GST_TYPE_VIDEO_ENCODER)

/* Room for an image that its codec makes larger: the field's worst case is a control byte for each
 * 32 pixels; this is ample for all of them. */
static gsize worst_case(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_SIZE(info) * 2 + 4096;
}

static gboolean gst_spice_image_enc_set_format(GstVideoEncoder *encoder, GstVideoCodecState *state)
{
    GstSpiceImageEncPrivate *priv =
        gst_spice_image_enc_get_instance_private(GST_SPICE_IMAGE_ENC(encoder));
    GstVideoCodecState *output;

    g_clear_pointer(&priv->input, gst_video_codec_state_unref);
    priv->input = gst_video_codec_state_ref(state);
    output = gst_video_encoder_set_output_state(
        encoder, gst_caps_new_empty_simple(GST_SPICE_IMAGE_ENC_GET_CLASS(encoder)->media_type),
        state);
    gst_video_codec_state_unref(output);
    return TRUE;
}

static GstFlowReturn gst_spice_image_enc_handle_frame(GstVideoEncoder *encoder,
                                                      GstVideoCodecFrame *frame)
{
    GstSpiceImageEnc *self = GST_SPICE_IMAGE_ENC(encoder);
    GstSpiceImageEncPrivate *priv = gst_spice_image_enc_get_instance_private(self);
    GstVideoFrame input;
    GstBuffer *output;
    GstMapInfo map;
    gsize size;

    if (!gst_video_frame_map(&input, &priv->input->info, frame->input_buffer, GST_MAP_READ)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Could not read a frame."), (NULL));
        gst_video_codec_frame_unref(frame);
        return GST_FLOW_ERROR;
    }
    output = gst_video_encoder_allocate_output_buffer(encoder, worst_case(&priv->input->info));
    gst_buffer_map(output, &map, GST_MAP_WRITE);
    size = GST_SPICE_IMAGE_ENC_GET_CLASS(self)->encode(self, &input, map.data, map.size);
    gst_buffer_unmap(output, &map);
    gst_video_frame_unmap(&input);
    if (size == 0) {
        gst_buffer_unref(output);
        gst_video_codec_frame_unref(frame);
        GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("A frame could not be encoded."), (NULL));
        return GST_FLOW_ERROR;
    }
    gst_buffer_set_size(output, (gssize)size);
    frame->output_buffer = output;
    GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    return gst_video_encoder_finish_frame(encoder, frame);
}

static gboolean gst_spice_image_enc_start(GstVideoEncoder *encoder)
{
    GstSpiceImageEncClass *klass = GST_SPICE_IMAGE_ENC_GET_CLASS(encoder);

    return !klass->open || klass->open(GST_SPICE_IMAGE_ENC(encoder));
}

static gboolean gst_spice_image_enc_stop(GstVideoEncoder *encoder)
{
    GstSpiceImageEnc *self = GST_SPICE_IMAGE_ENC(encoder);
    GstSpiceImageEncPrivate *priv = gst_spice_image_enc_get_instance_private(self);
    GstSpiceImageEncClass *klass = GST_SPICE_IMAGE_ENC_GET_CLASS(self);

    g_clear_pointer(&priv->input, gst_video_codec_state_unref);
    if (klass->close)
        klass->close(self);
    return TRUE;
}

static void gst_spice_image_enc_init(GstSpiceImageEnc *self)
{
}

static void gst_spice_image_enc_class_init(GstSpiceImageEncClass *klass)
{
    GstVideoEncoderClass *encoder_class = GST_VIDEO_ENCODER_CLASS(klass);

    encoder_class->start = gst_spice_image_enc_start;
    encoder_class->stop = gst_spice_image_enc_stop;
    encoder_class->set_format = gst_spice_image_enc_set_format;
    encoder_class->handle_frame = gst_spice_image_enc_handle_frame;
    gst_type_mark_as_plugin_api(GST_TYPE_SPICE_IMAGE_ENC, 0);
}
