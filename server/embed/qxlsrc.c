/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-qxlsrc
 * @title: qxlsrc
 * @short_description: the draws of a QXL device
 *
 * The head of a virtual machine's display pipeline, `qxlsrc ! spicedisplaysink`: the device's worker
 * pushes each draw of the guest here. It has no loop of its own, and exists only inside of a VM
 * host, where libspice-server makes it.
 *
 * Its caps have no size: surfaces come and go with the guest's commands, in their order among
 * draws, and the device tells the display of them itself.
 */
#include "qxlsrc.h"

#include "gst-plugins/display/draw-meta.h"

struct _GstSpiceQxlSrc {
    GstElement parent_instance;
    GstPad *src;
    gboolean began; /* the worker's: the stream has its first events */
};

G_DEFINE_FINAL_TYPE(GstSpiceQxlSrc, gst_spice_qxl_src, GST_TYPE_ELEMENT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-spice-draw"));

static void begin(GstSpiceQxlSrc *self)
{
    g_autoptr(GstCaps) caps = gst_caps_new_empty_simple("application/x-spice-draw");
    g_autofree char *stream = gst_pad_create_stream_id(self->src, GST_ELEMENT(self), NULL);
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->src, gst_event_new_stream_start(stream));
    gst_pad_push_event(self->src, gst_event_new_caps(caps));
    gst_pad_push_event(self->src, gst_event_new_segment(&segment));
    self->began = TRUE;
}

void gst_spice_qxl_src_push(GstSpiceQxlSrc *self, SpiceDrawable *drawable, gboolean more)
{
    GstBuffer *buffer = gst_spice_draw_buffer_new(drawable);

    if (!self->began)
        begin(self);
    if (!more)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    gst_pad_push(self->src, buffer);
}

static void gst_spice_qxl_src_init(GstSpiceQxlSrc *self)
{
    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void gst_spice_qxl_src_class_init(GstSpiceQxlSrcClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "SPICE QXL source", "Source/Video",
                                          "The draws of a QXL device", "The gst-spice developers");
}
