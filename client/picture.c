/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

struct SpicePicture {
    GstSample *sample;
    GstVideoFrame frame;   /* mapped while there is a sample */
    pixman_image_t *image; /* its pixels */
    pixman_image_t *canvas;
    SpicePlacement placement;
    GBytes *cursor_pixels;
    pixman_image_t *cursor; /* NULL: none is drawn */
    gint cursor_x, cursor_y;
};

SpicePicture *spice_picture_new(void)
{
    return g_new0(SpicePicture, 1);
}

static void drop_frame(SpicePicture *self)
{
    if (!self->sample)
        return;
    g_clear_pointer(&self->image, pixman_image_unref);
    gst_video_frame_unmap(&self->frame);
    g_clear_pointer(&self->sample, gst_sample_unref);
}

static void drop_cursor(SpicePicture *self)
{
    g_clear_pointer(&self->cursor, pixman_image_unref);
    g_clear_pointer(&self->cursor_pixels, g_bytes_unref);
}

void spice_picture_free(SpicePicture *self)
{
    if (!self)
        return;
    drop_frame(self);
    drop_cursor(self);
    g_free(self);
}

/** Bilinear scaling of the whole frame onto its place. */
static void place_frame(SpicePicture *self)
{
    gint width = 0, height = 0;
    pixman_transform_t transform;

    spice_picture_get_size(self, &width, &height);
    self->placement = self->canvas
                          ? spice_placement(width, height, pixman_image_get_width(self->canvas),
                                            pixman_image_get_height(self->canvas))
                          : (SpicePlacement){.guest_width = width, .guest_height = height};
    if (!self->image || self->placement.width < 1)
        return;
    if (!spice_placement_is_scaled(&self->placement)) {
        pixman_image_set_transform(self->image, NULL);
        return;
    }
    pixman_transform_init_scale(&transform,
                                pixman_double_to_fixed((gdouble)width / self->placement.width),
                                pixman_double_to_fixed((gdouble)height / self->placement.height));
    pixman_image_set_transform(self->image, &transform);
    pixman_image_set_filter(self->image, PIXMAN_FILTER_BILINEAR, NULL, 0);
    pixman_image_set_repeat(self->image, PIXMAN_REPEAT_PAD); /* else its edges fade to black */
}

gboolean spice_picture_set_frame(SpicePicture *self, GstSample *sample)
{
    GstVideoInfo info;

    drop_frame(self);
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&self->frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
        return FALSE;
    self->sample = gst_sample_ref(sample);
    self->image = pixman_image_create_bits(PIXMAN_x8r8g8b8, info.width, info.height,
                                           GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0),
                                           GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, 0));
    place_frame(self);
    return TRUE;
}

void spice_picture_get_size(SpicePicture *self, gint *width, gint *height)
{
    *width = self->image ? pixman_image_get_width(self->image) : 0;
    *height = self->image ? pixman_image_get_height(self->image) : 0;
}

void spice_picture_set_canvas(SpicePicture *self, pixman_image_t *canvas)
{
    self->canvas = canvas;
    place_frame(self);
}

const SpicePlacement *spice_picture_get_placement(SpicePicture *self)
{
    return &self->placement;
}

/* Cursor */

/** With a pixel around it: scaled, it reaches into the picture from just beside it. */
static void add_cursor_box(SpicePicture *self, pixman_region32_t *damage)
{
    if (self->cursor)
        pixman_region32_union_rect(damage, damage, self->cursor_x - 1, self->cursor_y - 1,
                                   (guint)pixman_image_get_width(self->cursor) + 2,
                                   (guint)pixman_image_get_height(self->cursor) + 2);
}

void spice_picture_set_cursor(SpicePicture *self, const GstSpiceCursor *cursor, gint x, gint y,
                              pixman_region32_t *damage)
{
    add_cursor_box(self, damage);
    drop_cursor(self);
    if (cursor && cursor->visible && cursor->pixels) {
        self->cursor_pixels = g_bytes_ref(cursor->pixels);
        self->cursor = pixman_image_create_bits(
            PIXMAN_a8r8g8b8, (int)cursor->width, (int)cursor->height,
            (uint32_t *)g_bytes_get_data(cursor->pixels, NULL), (int)cursor->width * 4);
        self->cursor_x = cursor->x - (gint)cursor->hot_x - x;
        self->cursor_y = cursor->y - (gint)cursor->hot_y - y;
    }
    add_cursor_box(self, damage);
    pixman_region32_intersect_rect(damage, damage, 0, 0, (guint)self->placement.guest_width,
                                   (guint)self->placement.guest_height);
}

/** Draws the cursor within the canvas's clip. */
static void paint_cursor(SpicePicture *self)
{
    const SpiceBox guest = {self->cursor_x, self->cursor_y, pixman_image_get_width(self->cursor),
                            pixman_image_get_height(self->cursor)};
    const SpicePlacement *p = &self->placement;
    pixman_transform_t transform;
    SpiceBox box;

    if (!spice_placement_is_scaled(p)) {
        pixman_image_set_transform(self->cursor, NULL);
        pixman_image_composite32(PIXMAN_OP_OVER, self->cursor, NULL, self->canvas, 0, 0, 0, 0,
                                 p->x + guest.x, p->y + guest.y, guest.width, guest.height);
        return;
    }
    box = spice_placement_to_window(p, &guest);
    pixman_transform_init_scale(&transform,
                                pixman_double_to_fixed((gdouble)p->guest_width / p->width),
                                pixman_double_to_fixed((gdouble)p->guest_height / p->height));
    pixman_transform_translate(&transform, NULL, pixman_int_to_fixed(-guest.x),
                               pixman_int_to_fixed(-guest.y));
    pixman_image_set_transform(self->cursor, &transform);
    pixman_image_set_filter(self->cursor, PIXMAN_FILTER_BILINEAR, NULL, 0);
    pixman_image_composite32(PIXMAN_OP_OVER, self->cursor, NULL, self->canvas, box.x - p->x,
                             box.y - p->y, 0, 0, box.x, box.y, box.width, box.height);
}

/* Painting */

static void to_canvas(SpicePicture *self, pixman_region32_t *damage, pixman_region32_t *painted)
{
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(damage, &n);

    pixman_region32_clear(painted);
    for (i = 0; i < n; i++, box++) {
        const SpiceBox guest = {box->x1, box->y1, box->x2 - box->x1, box->y2 - box->y1};
        SpiceBox place = spice_placement_to_window(&self->placement, &guest);

        pixman_region32_union_rect(painted, painted, place.x, place.y, (guint)place.width,
                                   (guint)place.height);
    }
}

static void paint_black(SpicePicture *self)
{
    static const pixman_color_t black = {0, 0, 0, 0xffff};
    const pixman_box32_t all = {0, 0, self->placement.window_width, self->placement.window_height};

    pixman_image_fill_boxes(PIXMAN_OP_SRC, self->canvas, &black, 1, &all);
}

void spice_picture_paint(SpicePicture *self, pixman_region32_t *damage, pixman_region32_t *painted)
{
    const SpicePlacement *p = &self->placement;
    pixman_region32_t in_picture;
    int n, i;
    pixman_box32_t *box;

    pixman_region32_clear(painted);
    if (!self->canvas || !self->image)
        return;
    if (damage) {
        to_canvas(self, damage, painted);
    } else {
        pixman_region32_union_rect(painted, painted, 0, 0, (guint)p->window_width,
                                   (guint)p->window_height);
        if (p->width < p->window_width || p->height < p->window_height)
            paint_black(self);
    }
    pixman_region32_init(&in_picture);
    pixman_region32_intersect_rect(&in_picture, painted, p->x, p->y, (guint)p->width,
                                   (guint)p->height);
    box = pixman_region32_rectangles(&in_picture, &n);
    for (i = 0; i < n; i++, box++)
        pixman_image_composite32(PIXMAN_OP_SRC, self->image, NULL, self->canvas, box->x1 - p->x,
                                 box->y1 - p->y, 0, 0, box->x1, box->y1, box->x2 - box->x1,
                                 box->y2 - box->y1);
    if (self->cursor && n > 0) {
        pixman_image_set_clip_region32(self->canvas, &in_picture);
        paint_cursor(self);
        pixman_image_set_clip_region32(self->canvas, NULL);
    }
    pixman_region32_fini(&in_picture);
}
