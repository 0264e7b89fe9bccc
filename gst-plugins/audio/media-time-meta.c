/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media-time-meta.h"

static GstCaps *reference(void)
{
    static gsize caps;

    if (g_once_init_enter(&caps)) {
        GstCaps *made = gst_caps_new_empty_simple("timestamp/x-spice-media");

        GST_MINI_OBJECT_FLAG_SET(made, GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);
        g_once_init_leave(&caps, (gsize)made);
    }
    return (GstCaps *)caps;
}

void gst_spice_buffer_set_media_time(GstBuffer *buffer, gint64 stream_us)
{
    gst_buffer_add_reference_timestamp_meta(buffer, reference(), (guint64)stream_us * GST_USECOND,
                                            GST_CLOCK_TIME_NONE);
}

gboolean gst_spice_buffer_get_media_time(GstBuffer *buffer, gint64 *stream_us)
{
    const GstReferenceTimestampMeta *meta =
        gst_buffer_get_reference_timestamp_meta(buffer, reference());

    if (!meta)
        return FALSE;
    *stream_us = (gint64)(meta->timestamp / GST_USECOND);
    return TRUE;
}
