/* Frames of what a display channel's messages have painted.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "spicedisplaydec-private.h"

/* A muxer waits for the next frame before it writes what came by another pad in the meantime, and queues
 * hold a second. */
enum { REPEAT_US = 500 * 1000 };

void gst_spice_display_dec_add_damage(GstSpiceDisplayDec *self, const pixman_region32_t *damage)
{
    pixman_region32_t *region = (pixman_region32_t *)damage; /* pixman's reading calls lack const */

    if (!pixman_region32_not_empty(region))
        return;
    pixman_region32_union(&self->damage, &self->damage, region);
    gst_spice_region_simplify(&self->damage);
    gst_spice_frame_slots_damage(&self->slots, region);
    if (self->damaged_since == 0)
        self->damaged_since = g_get_monotonic_time();
}

static gboolean send_caps(GstSpiceDisplayDec *self, guint width, guint height)
{
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                        G_TYPE_INT, (gint)width, "height", G_TYPE_INT, (gint)height,
                                        "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
    gboolean ok = gst_pad_push_event(self->src, gst_event_new_caps(caps));

    gst_caps_unref(caps);
    if (self->segment)
        gst_pad_push_event(self->src, g_steal_pointer(&self->segment));
    self->caps_sent = TRUE;
    return ok;
}

/** Makes frames fit the picture. */
static void fit_frames(GstSpiceDisplayDec *self, const SpicePixels *picture)
{
    guint width = (guint)picture->width, height = (guint)picture->height;

    if (self->slots.width != width || self->slots.height != height) {
        gst_spice_frame_slots_resize(&self->slots, width, height);
        self->caps_sent = FALSE;
        self->all_damaged = TRUE;
    }
    if (!self->caps_sent)
        send_caps(self, width, height);
    if (self->heads)
        gst_pad_push_event(self->src, g_steal_pointer(&self->heads));
}

static void add_damage_meta(GstSpiceDisplayDec *self, GstBuffer *buffer)
{
    GstSpiceDamageMeta *meta;
    int n, i;
    pixman_box32_t *boxes = pixman_region32_rectangles(&self->damage, &n);

    if (self->all_damaged)
        return;
    meta = gst_buffer_add_spice_damage_meta(buffer);
    if (n > GST_SPICE_DAMAGE_MAX_RECTS) {
        boxes = pixman_region32_extents(&self->damage);
        n = 1;
    }
    for (i = 0; i < n; i++)
        meta->rects[i] = (GstVideoRectangle){boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
                                             boxes[i].y2 - boxes[i].y1};
    meta->n_rects = (guint)n;
}

void gst_spice_display_dec_repeat(GstSpiceDisplayDec *self)
{
    if (self->n_frames > 0 && self->damaged_since == 0)
        self->damaged_since = g_get_monotonic_time();
}

static void stamp(GstSpiceDisplayDec *self, GstBuffer *buffer)
{
    GstSpiceFrameStamps stamps;

    if (self->timestamps != GST_SPICE_TIMESTAMPS_ARRIVAL)
        return;
    GST_OBJECT_LOCK(self);
    stamps = self->stamps;
    GST_OBJECT_UNLOCK(self);
    GST_BUFFER_PTS(buffer) = gst_spice_frame_stamps_next(&stamps, GST_ELEMENT(self));
    GST_OBJECT_LOCK(self);
    self->stamps.last = stamps.last;
    GST_OBJECT_UNLOCK(self);
}

static pixman_image_t *wrap(const SpicePixels *pixels)
{
    return pixman_image_create_bits(pixels->format, pixels->width, pixels->height,
                                    (uint32_t *)pixels->data, (int)pixels->stride);
}

gboolean gst_spice_display_dec_has_sent_all(GstSpiceDisplayDec *self)
{
    return self->num_buffers >= 0 && self->n_frames >= (guint64)self->num_buffers;
}

GstFlowReturn gst_spice_display_dec_push_frame(GstSpiceDisplayDec *self)
{
    const SpicePixels *picture = gst_spice_display_painter_get_picture(self->painter);
    gboolean cursor_shown;
    pixman_image_t *surface;
    GstBuffer *buffer;
    GstFlowReturn flow;

    if (gst_spice_display_dec_has_sent_all(self))
        return GST_FLOW_EOS;
    if (!picture || self->damaged_since == 0)
        return GST_FLOW_OK;
    fit_frames(self, picture);
    cursor_shown = self->cursor_image && self->cursor->visible;
    surface = wrap(picture);
    buffer =
        gst_spice_frame_slots_take(&self->slots, surface, cursor_shown ? self->cursor_image : NULL,
                                   cursor_shown ? self->cursor->x - (gint)self->cursor->hot_x : 0,
                                   cursor_shown ? self->cursor->y - (gint)self->cursor->hot_y : 0);
    pixman_image_unref(surface);
    if (!buffer) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a frame."),
                          (NULL));
        return GST_FLOW_FLUSHING; /* ERROR would make the source post a second message */
    }
    add_damage_meta(self, buffer);
    stamp(self, buffer);
    pixman_region32_clear(&self->damage);
    self->all_damaged = FALSE;
    self->damaged_since = 0;
    GST_OBJECT_LOCK(self);
    self->n_frames++;
    GST_OBJECT_UNLOCK(self);
    flow = gst_pad_push(self->src, buffer);
    if (flow != GST_FLOW_OK)
        self->all_damaged = TRUE; /* this frame was not seen */
    if (flow == GST_FLOW_NOT_LINKED)
        flow = GST_FLOW_OK; /* nobody looks on: the surfaces go on being kept */
    if (flow == GST_FLOW_OK && gst_spice_display_dec_has_sent_all(self))
        flow = GST_FLOW_EOS;
    self->repeat_us = flow == GST_FLOW_OK && self->timestamps == GST_SPICE_TIMESTAMPS_ARRIVAL
                          ? g_get_monotonic_time() + REPEAT_US
                          : 0;
    return flow;
}
