/* The guest's picture on a canvas: what is painted after a change is what painting all anew gives.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/picture.h"

#include <gst/gst.h>

#include "tests/unit/tap.h"

enum { WIDTH = 64, HEIGHT = 48 };

static guint32 frame_pixels[WIDTH * HEIGHT];

static GstSample *make_sample(void)
{
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                        G_TYPE_INT, WIDTH, "height", G_TYPE_INT, HEIGHT,
                                        "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
    GstBuffer *buffer = gst_buffer_new_memdup(frame_pixels, sizeof frame_pixels);
    GstSample *sample = gst_sample_new(buffer, caps, NULL, NULL);

    gst_buffer_unref(buffer);
    gst_caps_unref(caps);
    return sample;
}

static void set_frame(SpicePicture *picture)
{
    GstSample *sample = make_sample();

    spice_picture_set_frame(picture, sample);
    gst_sample_unref(sample);
}

static guint32 pixel(pixman_image_t *canvas, gint x, gint y)
{
    return pixman_image_get_data(canvas)[y * pixman_image_get_stride(canvas) / 4 + x] & 0xffffff;
}

static gboolean equal(pixman_image_t *a, pixman_image_t *b)
{
    gint x, y;

    for (y = 0; y < pixman_image_get_height(a); y++)
        for (x = 0; x < pixman_image_get_width(a); x++)
            if (pixel(a, x, y) != pixel(b, x, y))
                return FALSE;
    return TRUE;
}

static GstSpiceCursor *make_cursor(gint x, gint y)
{
    GstSpiceCursor *cursor = gst_spice_cursor_new();
    guint32 shape[5 * 7];
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(shape); i++)
        shape[i] = i % 3 ? 0xff00ff00 : 0x80400000;
    cursor->x = x;
    cursor->y = y;
    cursor->visible = TRUE;
    cursor->width = 5;
    cursor->height = 7;
    cursor->hot_x = 2;
    cursor->hot_y = 3;
    cursor->pixels = g_bytes_new(shape, sizeof shape);
    return cursor;
}

/** Changes boxes of the frame and moves the cursor, painting only what changed. */
static void test_changes(gint width, gint height)
{
    SpicePicture *picture = spice_picture_new();
    pixman_image_t *canvas = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    pixman_image_t *anew = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    GRand *random = g_rand_new_with_seed(1);
    pixman_region32_t painted, damage;
    gboolean same = TRUE;
    gint round, i;

    pixman_region32_init(&painted);
    set_frame(picture);
    spice_picture_set_canvas(picture, canvas);
    spice_picture_paint(picture, NULL, &painted);
    for (round = 0; round < 200 && same; round++) {
        gint x = g_rand_int_range(random, 0, WIDTH - 1),
             y = g_rand_int_range(random, 0, HEIGHT - 1);
        gint w = g_rand_int_range(random, 1, WIDTH - x + 1);
        gint h = g_rand_int_range(random, 1, HEIGHT - y + 1);

        pixman_region32_init_rect(&damage, x, y, (guint)w, (guint)h);
        for (i = 0; i < w * h; i++)
            frame_pixels[(y + i / w) * WIDTH + x + i % w] = g_rand_int(random);
        set_frame(picture);
        if (round % 2) {
            GstSpiceCursor *cursor = make_cursor(g_rand_int_range(random, -9, WIDTH + 9),
                                                 g_rand_int_range(random, -9, HEIGHT + 9));

            cursor->visible = round % 5 != 0;
            spice_picture_set_cursor(picture, round % 7 ? cursor : NULL, 0, 0, &damage);
            gst_spice_cursor_unref(cursor);
        }
        spice_picture_paint(picture, &damage, &painted);
        pixman_region32_fini(&damage);
        spice_picture_set_canvas(picture, anew);
        spice_picture_paint(picture, NULL, &painted);
        spice_picture_set_canvas(picture, canvas);
        same = equal(canvas, anew);
    }
    TAP_OK(same, "changes at %dx%d, round %d", width, height, round);
    pixman_region32_fini(&painted);
    g_rand_free(random);
    spice_picture_free(picture);
    pixman_image_unref(canvas);
    pixman_image_unref(anew);
}

static void test_cursor(void)
{
    SpicePicture *picture = spice_picture_new();
    pixman_image_t *canvas = pixman_image_create_bits(PIXMAN_x8r8g8b8, WIDTH, HEIGHT, NULL, 0);
    GstSpiceCursor *cursor = make_cursor(20, 10);
    pixman_region32_t damage, painted;

    memset(frame_pixels, 0x80, sizeof frame_pixels);
    pixman_region32_init(&damage);
    pixman_region32_init(&painted);
    set_frame(picture);
    spice_picture_set_canvas(picture, canvas);
    spice_picture_paint(picture, NULL, &painted);
    spice_picture_set_cursor(picture, cursor, 0, 0, &damage);
    spice_picture_paint(picture, &damage, &painted);
    TAP_OK(pixel(canvas, 19, 7) == 0x00ff00, "the hot spot is where the server says");
    TAP_OK(pixel(canvas, 18, 7) == 0x804040, "half of it is seen through: %06x",
           pixel(canvas, 18, 7));
    TAP_OK(pixel(canvas, 17, 7) == 0x808080 && pixel(canvas, 18, 6) == 0x808080 &&
               pixel(canvas, 23, 7) == 0x808080 && pixel(canvas, 18, 14) == 0x808080,
           "and nothing beside it changed");
    spice_picture_set_cursor(picture, NULL, 0, 0, &damage);
    spice_picture_paint(picture, &damage, &painted);
    TAP_OK(pixel(canvas, 19, 7) == 0x808080, "and it goes");
    pixman_region32_fini(&damage);
    pixman_region32_fini(&painted);
    gst_spice_cursor_unref(cursor);
    spice_picture_free(picture);
    pixman_image_unref(canvas);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    test_changes(WIDTH, HEIGHT);
    test_changes(100, 50);
    test_changes(32, 24);
    test_changes(45, 99);
    test_changes(200, 150);
    test_cursor();
    return tap_done();
}
