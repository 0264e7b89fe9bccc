/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-spicechannelsink
 * @title: spicechannelsink
 * @short_description: sends the messages of a channel to a client
 *
 * The end of a client's pipeline: sends messages on a channel that a client has linked, and waits
 * while the client is behind. The stream ends when the client leaves.
 *
 * Channels come from a server (see #GstSpiceServer) and are set by whoever builds the client's
 * pipeline; spicesink does so for each of its clients.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! videoconvert ! spicesink address=127.0.0.1 port=0
 * ]|
 */
#include "spicechannelsink.h"

#include <string.h>

#include "core/wire/link.h"
#include "session/media-channel.h"

GST_DEBUG_CATEGORY_STATIC(spicechannelsink_debug);
#define GST_CAT_DEFAULT spicechannelsink_debug

enum { PROP_0, PROP_CHANNEL };

struct _GstSpiceChannelSink {
    GstBaseSink parent_instance;
    GstSpiceMediaChannel *channel;
};

G_DEFINE_FINAL_TYPE(GstSpiceChannelSink, gst_spice_channel_sink, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-display"));

/** The body of the message in a buffer, which is kept as long as the body. */
static GBytes *take_body(GstBuffer *buffer, guint16 *type)
{
    SpiceDataHeader header;
    GstMapInfo map;
    GBytes *body = NULL;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return NULL;
    if (map.size >= SPICE_MINI_DATA_HEADER_SIZE) {
        spice_mini_data_header_decode(&header, map.data);
        *type = header.type;
        if (header.size == map.size - SPICE_MINI_DATA_HEADER_SIZE)
            body = g_bytes_new(map.data + SPICE_MINI_DATA_HEADER_SIZE, header.size);
    }
    gst_buffer_unmap(buffer, &map);
    return body;
}

static GstFlowReturn gst_spice_channel_sink_render(GstBaseSink *base, GstBuffer *buffer)
{
    GstSpiceChannelSink *self = GST_SPICE_CHANNEL_SINK(base);
    g_autoptr(GBytes) body = NULL;
    guint16 type = 0;

    body = take_body(buffer, &type);
    if (!body) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("A buffer is no message."), (NULL));
        return GST_FLOW_ERROR;
    }
    switch (gst_spice_media_channel_send(self->channel, type, body)) {
    case GST_SPICE_SEND_OK:
        return GST_FLOW_OK;
    case GST_SPICE_SEND_FLUSHING:
        return GST_FLOW_FLUSHING;
    default:
        return GST_FLOW_EOS;
    }
}

static gboolean gst_spice_channel_sink_start(GstBaseSink *base)
{
    if (GST_SPICE_CHANNEL_SINK(base)->channel)
        return TRUE;
    GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("There is no channel to send on."), (NULL));
    return FALSE;
}

static gboolean gst_spice_channel_sink_unlock(GstBaseSink *base)
{
    gst_spice_media_channel_set_flushing(GST_SPICE_CHANNEL_SINK(base)->channel, TRUE);
    return TRUE;
}

static gboolean gst_spice_channel_sink_unlock_stop(GstBaseSink *base)
{
    gst_spice_media_channel_set_flushing(GST_SPICE_CHANNEL_SINK(base)->channel, FALSE);
    return TRUE;
}

static void gst_spice_channel_sink_set_property(GObject *object, guint id, const GValue *value,
                                                GParamSpec *pspec)
{
    GstSpiceChannelSink *self = GST_SPICE_CHANNEL_SINK(object);

    if (id == PROP_CHANNEL) {
        g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
        self->channel = g_value_dup_boxed(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_channel_sink_get_property(GObject *object, guint id, GValue *value,
                                                GParamSpec *pspec)
{
    if (id == PROP_CHANNEL)
        g_value_set_boxed(value, GST_SPICE_CHANNEL_SINK(object)->channel);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_channel_sink_finalize(GObject *object)
{
    g_clear_pointer(&GST_SPICE_CHANNEL_SINK(object)->channel, gst_spice_media_channel_unref);
    G_OBJECT_CLASS(gst_spice_channel_sink_parent_class)->finalize(object);
}

static void gst_spice_channel_sink_init(GstSpiceChannelSink *self)
{
    gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
    gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
}

static void gst_spice_channel_sink_class_init(GstSpiceChannelSinkClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(spicechannelsink_debug, "spicechannelsink", 0, "SPICE channel sink");

    object_class->set_property = gst_spice_channel_sink_set_property;
    object_class->get_property = gst_spice_channel_sink_get_property;
    object_class->finalize = gst_spice_channel_sink_finalize;
    base_class->start = gst_spice_channel_sink_start;
    base_class->render = gst_spice_channel_sink_render;
    base_class->unlock = gst_spice_channel_sink_unlock;
    base_class->unlock_stop = gst_spice_channel_sink_unlock_stop;
    g_object_class_install_property(
        object_class, PROP_CHANNEL,
        g_param_spec_boxed("channel", "Channel", "The client's channel to send on",
                           GST_SPICE_TYPE_MEDIA_CHANNEL,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(element_class, "SPICE channel sink", "Sink/Network",
                                          "Sends the messages of a channel to a client",
                                          "The gst-spice developers");
}
