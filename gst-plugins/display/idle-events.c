/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "idle-events.h"

#include <string.h>

#define IDLE_NAME    "application/x-gst-spice-idle"
#define DAMAGE_NAME  "application/x-gst-spice-damage"
#define WAKE_NAME    "application/x-gst-spice-wake"
#define WOKEN_NAME   "application/x-gst-spice-woken"
#define RESTART_NAME "application/x-gst-spice-restart-streams"
#define REFUSE_NAME  "application/x-gst-spice-refuse-stream"
#define MESSAGE_NAME "application/x-gst-spice-message"

static gboolean is_custom(GstEvent *event, GstEventType type, const char *name)
{
    return GST_EVENT_TYPE(event) == type && gst_event_has_name(event, name);
}

GstEvent *gst_spice_event_new_idle(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(IDLE_NAME));
}

gboolean gst_spice_event_is_idle(GstEvent *event)
{
    return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM &&
           gst_event_has_name(event, IDLE_NAME);
}

GstEvent *gst_spice_event_new_wake(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty(WAKE_NAME));
}

gboolean gst_spice_event_is_wake(GstEvent *event)
{
    return is_custom(event, GST_EVENT_CUSTOM_UPSTREAM, WAKE_NAME);
}

GstEvent *gst_spice_event_new_woken(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(WOKEN_NAME));
}

gboolean gst_spice_event_is_woken(GstEvent *event)
{
    return is_custom(event, GST_EVENT_CUSTOM_DOWNSTREAM, WOKEN_NAME);
}

GstEvent *gst_spice_event_new_restart_streams(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty(RESTART_NAME));
}

gboolean gst_spice_event_is_restart_streams(GstEvent *event)
{
    return is_custom(event, GST_EVENT_CUSTOM_UPSTREAM, RESTART_NAME);
}

GstEvent *gst_spice_event_new_refuse_stream(guint32 id, guint64 generation)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                gst_structure_new(REFUSE_NAME, "id", G_TYPE_UINT, id, "generation",
                                                  G_TYPE_UINT64, generation, NULL));
}

gboolean gst_spice_event_parse_refuse_stream(GstEvent *event, guint32 *id, guint64 *generation)
{
    return is_custom(event, GST_EVENT_CUSTOM_UPSTREAM, REFUSE_NAME) &&
           gst_structure_get(gst_event_get_structure(event), "id", G_TYPE_UINT, id, "generation",
                             G_TYPE_UINT64, generation, NULL);
}

GstEvent *gst_spice_event_new_message(guint16 type, GBytes *body)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                gst_structure_new(MESSAGE_NAME, "type", G_TYPE_UINT, (guint)type,
                                                  "body", G_TYPE_BYTES, body, NULL));
}

gboolean gst_spice_event_parse_message(GstEvent *event, guint16 *type, GBytes **body)
{
    const GValue *value;
    guint number;

    if (!is_custom(event, GST_EVENT_CUSTOM_UPSTREAM, MESSAGE_NAME) ||
        !gst_structure_get_uint(gst_event_get_structure(event), "type", &number))
        return FALSE;
    value = gst_structure_get_value(gst_event_get_structure(event), "body");
    *type = (guint16)number;
    *body = value ? g_value_get_boxed(value) : NULL;
    return *body != NULL;
}

GstEvent *gst_spice_event_new_damage(const pixman_box32_t *boxes, guint n_boxes)
{
    GstStructure *structure = gst_structure_new_empty(DAMAGE_NAME);

    if (n_boxes > 0 && n_boxes <= GST_SPICE_MAX_DAMAGE_BOXES) {
        g_autoptr(GBytes) bytes = g_bytes_new(boxes, n_boxes * sizeof *boxes);

        gst_structure_set(structure, "boxes", G_TYPE_BYTES, bytes, NULL);
    }
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure);
}

gboolean gst_spice_event_parse_damage(GstEvent *event, pixman_box32_t *boxes, guint *n_boxes)
{
    g_autoptr(GBytes) bytes = NULL;

    if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_UPSTREAM ||
        !gst_event_has_name(event, DAMAGE_NAME))
        return FALSE;
    *n_boxes = 0;
    if (gst_structure_get(gst_event_get_structure(event), "boxes", G_TYPE_BYTES, &bytes, NULL)) {
        *n_boxes = (guint)MIN(g_bytes_get_size(bytes) / sizeof *boxes, GST_SPICE_MAX_DAMAGE_BOXES);
        memcpy(boxes, g_bytes_get_data(bytes, NULL), *n_boxes * sizeof *boxes);
    }
    return TRUE;
}
