/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "item-meta.h"

typedef struct {
    gatomicrefcount refs;
    SpiceViewItem *item;
} SharedItem;

typedef struct {
    GstMeta meta;
    SharedItem *shared; /* a reference */
} ItemMeta;

GType gst_spice_item_meta_api_get_type(void)
{
    static gsize type;
    static const char *tags[] = {NULL};

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, gst_meta_api_type_register("GstSpiceItemMetaAPI", tags));
    return type;
}

static gboolean item_meta_init(GstMeta *meta, gpointer params, GstBuffer *buffer)
{
    ((ItemMeta *)meta)->shared = NULL;
    return TRUE;
}

static void item_meta_free(GstMeta *meta, GstBuffer *buffer)
{
    SharedItem *shared = ((ItemMeta *)meta)->shared;

    if (!shared || !g_atomic_ref_count_dec(&shared->refs))
        return;
    spice_view_item_done(shared->item);
    g_free(shared);
}

static gboolean item_meta_transform(GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
                                    gpointer data)
{
    ItemMeta *from = (ItemMeta *)meta;
    ItemMeta *to;

    if (!GST_META_TRANSFORM_IS_COPY(type))
        return FALSE;
    to = (ItemMeta *)gst_buffer_add_meta(dest, GST_SPICE_ITEM_META_INFO, NULL);
    g_atomic_ref_count_inc(&from->shared->refs);
    to->shared = from->shared;
    return TRUE;
}

const GstMetaInfo *gst_spice_item_meta_get_info(void)
{
    static gsize info;

    if (g_once_init_enter(&info)) {
        const GstMetaInfo *registered =
            gst_meta_register(GST_SPICE_ITEM_META_API_TYPE, "GstSpiceItemMeta", sizeof(ItemMeta),
                              item_meta_init, item_meta_free, item_meta_transform);

        g_once_init_leave(&info, (gsize)registered);
    }
    return (const GstMetaInfo *)info;
}

GstBuffer *gst_spice_item_buffer_new(SpiceViewItem *item)
{
    GstBuffer *buffer = gst_buffer_new();
    ItemMeta *meta = (ItemMeta *)gst_buffer_add_meta(buffer, GST_SPICE_ITEM_META_INFO, NULL);

    meta->shared = g_new0(SharedItem, 1);
    g_atomic_ref_count_init(&meta->shared->refs);
    meta->shared->item = item;
    return buffer;
}

const SpiceViewItem *gst_spice_item_buffer_get(GstBuffer *buffer)
{
    ItemMeta *meta = (ItemMeta *)gst_buffer_get_meta(buffer, GST_SPICE_ITEM_META_API_TYPE);

    return meta ? meta->shared->item : NULL;
}
