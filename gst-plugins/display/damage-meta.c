/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "damage-meta.h"

#include <string.h>

GType gst_spice_damage_meta_api_get_type(void)
{
    static gsize type;
    /* The tags make elements that change size or orientation drop it. */
    static const char *tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                                 GST_META_TAG_VIDEO_ORIENTATION_STR, NULL};

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, gst_meta_api_type_register("GstSpiceDamageMetaAPI", tags));
    return type;
}

static gboolean damage_meta_init(GstMeta *meta, gpointer params, GstBuffer *buffer)
{
    ((GstSpiceDamageMeta *)meta)->n_rects = 0;
    return TRUE;
}

static gboolean damage_meta_transform(GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
                                      GQuark type, gpointer data)
{
    GstSpiceDamageMeta *from = (GstSpiceDamageMeta *)meta;
    GstSpiceDamageMeta *to;

    if (!GST_META_TRANSFORM_IS_COPY(type))
        return FALSE;
    to = gst_buffer_add_spice_damage_meta(dest);
    to->n_rects = from->n_rects;
    memcpy(to->rects, from->rects, from->n_rects * sizeof from->rects[0]);
    return TRUE;
}

const GstMetaInfo *gst_spice_damage_meta_get_info(void)
{
    static gsize info;

    if (g_once_init_enter(&info)) {
        const GstMetaInfo *registered = gst_meta_register(
            GST_SPICE_DAMAGE_META_API_TYPE, "GstSpiceDamageMeta", sizeof(GstSpiceDamageMeta),
            damage_meta_init, NULL, damage_meta_transform);

        g_once_init_leave(&info, (gsize)registered);
    }
    return (const GstMetaInfo *)info;
}

GstSpiceDamageMeta *gst_buffer_add_spice_damage_meta(GstBuffer *buffer)
{
    return (GstSpiceDamageMeta *)gst_buffer_add_meta(buffer, GST_SPICE_DAMAGE_META_INFO, NULL);
}

GstSpiceDamageMeta *gst_buffer_get_spice_damage_meta(GstBuffer *buffer)
{
    return (GstSpiceDamageMeta *)gst_buffer_get_meta(buffer, GST_SPICE_DAMAGE_META_API_TYPE);
}
