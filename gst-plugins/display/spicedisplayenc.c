/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicedisplayenc
 * @title: spicedisplayenc
 * @short_description: encodes what a client is sent of a display
 *
 * Takes the messages of a client's view (see spicedrawsrc) and makes display channel messages of
 * them, ready for the wire, as spicedisplaydec and every SPICE client read them.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! spicedamage ! spicedisplaysink spicedrawsrc
 * num-buffers=5 ! spicedisplayenc ! fakesink
 * ]|
 */
#include "spicedisplayenc.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "item-meta.h"
#include "session/media-channel.h"

GST_DEBUG_CATEGORY_STATIC(spicedisplayenc_debug);
#define GST_CAT_DEFAULT spicedisplayenc_debug

enum { PROP_0, PROP_CHANNEL };

struct _GstSpiceDisplayEnc {
    GstElement parent_instance;
    GstPad *sink, *src;
    GstSpiceMediaChannel *channel;
};

G_DEFINE_FINAL_TYPE(GstSpiceDisplayEnc, gst_spice_display_enc, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-draw"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-display"));

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

static GstFlowReturn gst_spice_display_enc_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(parent);
    const SpiceViewItem *item = gst_spice_item_buffer_get(buffer);
    SpiceBuffer body = {.allocator = &spice_allocator_libc};
    const SpiceMessageDef *def;
    GstFlowReturn flow = GST_FLOW_ERROR;
    SpiceError error = {0};

    if (item && (def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, item->type)) &&
        (def->size == 0 || spice_message_write(def, item->message, &body, &error)))
        flow = push_message(self, item->type, body.data, body.size);
    else
        GST_ELEMENT_ERROR(
            self, STREAM, ENCODE, ("A message could not be encoded."),
            ("%s %s", error.field ? error.field : "item", spice_error_phrase(error.code)));
    spice_buffer_clear(&body);
    gst_buffer_unref(buffer);
    return flow;
}

static gboolean gst_spice_display_enc_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps = gst_caps_new_empty_simple("application/x-spice-display");
        gboolean ok =
            gst_pad_push_event(GST_SPICE_DISPLAY_ENC(parent)->src, gst_event_new_caps(caps));

        gst_caps_unref(caps);
        gst_event_unref(event);
        return ok;
    }
    return gst_pad_event_default(pad, parent, event);
}

static void gst_spice_display_enc_set_property(GObject *object, guint id, const GValue *value,
                                               GParamSpec *pspec)
{
    GstSpiceDisplayEnc *self = GST_SPICE_DISPLAY_ENC(object);

    if (id == PROP_CHANNEL) {
        g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
        self->channel = g_value_dup_boxed(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_display_enc_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    if (id == PROP_CHANNEL)
        g_value_set_boxed(value, GST_SPICE_DISPLAY_ENC(object)->channel);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_display_enc_finalize(GObject *object)
{
    g_clear_pointer(&GST_SPICE_DISPLAY_ENC(object)->channel, gst_spice_media_channel_unref);
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
}

static void gst_spice_display_enc_class_init(GstSpiceDisplayEncClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicedisplayenc_debug, "spicedisplayenc", 0, "SPICE display encoder");

    object_class->set_property = gst_spice_display_enc_set_property;
    object_class->get_property = gst_spice_display_enc_get_property;
    object_class->finalize = gst_spice_display_enc_finalize;
    g_object_class_install_property(
        object_class, PROP_CHANNEL,
        g_param_spec_boxed("channel", "Channel", "The client's channel that this will be sent on",
                           GST_SPICE_TYPE_MEDIA_CHANNEL,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "SPICE display encoder", "Codec/Encoder/Video",
        "Encodes what a client is sent of a display", "The gst-spice developers");
}
