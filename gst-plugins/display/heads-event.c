/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heads-event.h"

#include <string.h>

#define HEADS_NAME "application/x-gst-spice-heads"

GstEvent *gst_spice_event_new_heads(const SpiceHead *heads, guint n_heads)
{
    GstVideoRectangle on[GST_SPICE_MAX_HEADS];
    guint n = 0, i;

    for (i = 0; i < n_heads && n < GST_SPICE_MAX_HEADS; i++) {
        const SpiceHead *head = &heads[i];

        if (head->surface_id == 0 && head->width > 0 && head->height > 0 && head->x <= G_MAXINT16 &&
            head->y <= G_MAXINT16 && head->width <= G_MAXINT16 && head->height <= G_MAXINT16)
            on[n++] = (GstVideoRectangle){(gint)head->x, (gint)head->y, (gint)head->width,
                                          (gint)head->height};
    }
    return gst_spice_event_new_head_areas(on, n);
}

GstEvent *gst_spice_event_new_head_areas(const GstVideoRectangle *areas, guint n_areas)
{
    g_autoptr(GBytes) bytes = g_bytes_new(areas, n_areas * sizeof *areas);

    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                                gst_structure_new(HEADS_NAME, "heads", G_TYPE_BYTES, bytes, NULL));
}

gboolean gst_spice_event_parse_heads(GstEvent *event, GstVideoRectangle *heads, guint *n_heads)
{
    g_autoptr(GBytes) bytes = NULL;

    if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY ||
        !gst_event_has_name(event, HEADS_NAME) ||
        !gst_structure_get(gst_event_get_structure(event), "heads", G_TYPE_BYTES, &bytes, NULL))
        return FALSE;
    *n_heads = (guint)MIN(g_bytes_get_size(bytes) / sizeof *heads, GST_SPICE_MAX_HEADS);
    if (*n_heads > 0)
        memcpy(heads, g_bytes_get_data(bytes, NULL), *n_heads * sizeof *heads);
    return TRUE;
}

guint gst_spice_heads_in_frame(const GstVideoRectangle *heads, guint n_heads, gint width,
                               gint height, GstVideoRectangle *visible)
{
    guint n = 0, i;

    for (i = 0; i < n_heads; i++) {
        const GstVideoRectangle *head = &heads[i];
        const gint x2 = MIN(head->x + head->w, width), y2 = MIN(head->y + head->h, height);

        if (head->x < x2 && head->y < y2)
            visible[n++] = (GstVideoRectangle){head->x, head->y, x2 - head->x, y2 - head->y};
    }
    if (n == 0)
        visible[n++] = (GstVideoRectangle){0, 0, width, height};
    return n;
}
