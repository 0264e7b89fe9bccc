/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-slots.h"

void gst_spice_region_simplify(pixman_region32_t *region)
{
    enum { MOST_RECTANGLES = 256 };

    if (pixman_region32_n_rects(region) > MOST_RECTANGLES) {
        pixman_box32_t all = *pixman_region32_extents(region);

        pixman_region32_reset(region, &all);
    }
}

static void slot_clear(GstSpiceFrameSlot *slot)
{
    if (!slot->memory)
        return;
    pixman_image_unref(slot->image);
    pixman_region32_fini(&slot->stale);
    gst_memory_unref(slot->memory);
    slot->memory = NULL;
}

/* Downstream elements that paint into frames in place find the memory read-only and take a copy:
 * otherwise what is believed to be up to date would not be. */
static gboolean slot_init(GstSpiceFrameSlot *slot, guint width, guint height)
{
    gsize size = (gsize)width * height * 4;
    gpointer data = g_try_malloc(size);

    if (!data)
        return FALSE;
    slot->memory =
        gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, data, size, 0, size, data, g_free);
    slot->image =
        pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, data, (int)width * 4);
    pixman_region32_init_rect(&slot->stale, 0, 0, width, height);
    return TRUE;
}

void gst_spice_frame_slots_clear(GstSpiceFrameSlots *self)
{
    guint i;

    for (i = 0; i < GST_SPICE_FRAME_SLOTS; i++)
        slot_clear(&self->slots[i]);
}

void gst_spice_frame_slots_resize(GstSpiceFrameSlots *self, guint width, guint height)
{
    gst_spice_frame_slots_clear(self);
    self->width = width;
    self->height = height;
}

void gst_spice_frame_slots_damage(GstSpiceFrameSlots *self, pixman_region32_t *damage)
{
    guint i;

    for (i = 0; i < GST_SPICE_FRAME_SLOTS; i++)
        if (self->slots[i].memory) {
            pixman_region32_union(&self->slots[i].stale, &self->slots[i].stale, damage);
            gst_spice_region_simplify(&self->slots[i].stale);
        }
}

static GstSpiceFrameSlot *find_free(GstSpiceFrameSlots *self)
{
    guint i;

    for (i = 0; i < GST_SPICE_FRAME_SLOTS; i++) {
        GstSpiceFrameSlot *slot = &self->slots[i];

        if (!slot->memory && !slot_init(slot, self->width, self->height))
            return NULL;
        if (GST_MINI_OBJECT_REFCOUNT_VALUE(slot->memory) == 1)
            return slot;
    }
    return NULL;
}

static void bring_up_to_date(GstSpiceFrameSlot *slot, pixman_image_t *surface)
{
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(&slot->stale, &n);

    for (i = 0; i < n; i++, box++)
        pixman_image_composite32(PIXMAN_OP_SRC, surface, NULL, slot->image, box->x1, box->y1, 0, 0,
                                 box->x1, box->y1, box->x2 - box->x1, box->y2 - box->y1);
    pixman_region32_clear(&slot->stale);
}

GstBuffer *gst_spice_frame_slots_take(GstSpiceFrameSlots *self, pixman_image_t *surface,
                                      pixman_image_t *overlay, gint x, gint y)
{
    GstSpiceFrameSlot *slot = find_free(self);
    GstSpiceFrameSlot spare = {0};
    GstBuffer *buffer;

    if (!slot) {
        slot = &spare;
        if (!slot_init(slot, self->width, self->height))
            return NULL;
    }
    bring_up_to_date(slot, surface);
    if (overlay) {
        int width = pixman_image_get_width(overlay), height = pixman_image_get_height(overlay);

        pixman_image_composite32(PIXMAN_OP_OVER, overlay, NULL, slot->image, 0, 0, 0, 0, x, y,
                                 width, height);
        pixman_region32_union_rect(&slot->stale, &slot->stale, x, y, (unsigned)width,
                                   (unsigned)height);
        pixman_region32_intersect_rect(&slot->stale, &slot->stale, 0, 0, self->width, self->height);
    }
    buffer = gst_buffer_new();
    gst_buffer_append_memory(buffer, gst_memory_ref(slot->memory));
    gst_buffer_add_video_meta(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGRx, self->width,
                              self->height);
    if (slot == &spare)
        slot_clear(slot);
    return buffer;
}
