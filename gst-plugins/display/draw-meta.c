/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw-meta.h"

GType gst_spice_draw_meta_api_get_type(void)
{
    static gsize type;
    static const char *tags[] = {NULL};

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, gst_meta_api_type_register("GstSpiceDrawMetaAPI", tags));
    return type;
}

static gboolean draw_meta_init(GstMeta *meta, gpointer params, GstBuffer *buffer)
{
    ((GstSpiceDrawMeta *)meta)->drawable = NULL;
    return TRUE;
}

static void draw_meta_free(GstMeta *meta, GstBuffer *buffer)
{
    spice_drawable_unref(((GstSpiceDrawMeta *)meta)->drawable);
}

static gboolean draw_meta_transform(GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
                                    gpointer data)
{
    GstSpiceDrawMeta *from = (GstSpiceDrawMeta *)meta;
    GstSpiceDrawMeta *to;

    if (!GST_META_TRANSFORM_IS_COPY(type))
        return FALSE;
    to = (GstSpiceDrawMeta *)gst_buffer_add_meta(dest, GST_SPICE_DRAW_META_INFO, NULL);
    to->drawable = spice_drawable_ref(from->drawable);
    return TRUE;
}

const GstMetaInfo *gst_spice_draw_meta_get_info(void)
{
    static gsize info;

    if (g_once_init_enter(&info)) {
        const GstMetaInfo *registered = gst_meta_register(
            GST_SPICE_DRAW_META_API_TYPE, "GstSpiceDrawMeta", sizeof(GstSpiceDrawMeta),
            draw_meta_init, draw_meta_free, draw_meta_transform);

        g_once_init_leave(&info, (gsize)registered);
    }
    return (const GstMetaInfo *)info;
}

GstBuffer *gst_spice_draw_buffer_new(SpiceDrawable *drawable)
{
    GstBuffer *buffer = gst_buffer_new();
    GstSpiceDrawMeta *meta =
        (GstSpiceDrawMeta *)gst_buffer_add_meta(buffer, GST_SPICE_DRAW_META_INFO, NULL);

    meta->drawable = drawable;
    return buffer;
}

SpiceDrawable *gst_spice_draw_buffer_get(GstBuffer *buffer)
{
    GstMeta *meta = gst_buffer_get_meta(buffer, GST_SPICE_DRAW_META_API_TYPE);

    return meta ? ((GstSpiceDrawMeta *)meta)->drawable : NULL;
}
