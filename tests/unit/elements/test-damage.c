/* spicedamage: the draws that it sends, published, show the frames that it got.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <string.h>

#include "core/display/publisher.h"
#include "gst-plugins/display/damage-meta.h"
#include "gst-plugins/display/draw-meta.h"
#include "gst-plugins/elements.h"

enum { WIDTH = 320, HEIGHT = 240 };

typedef struct {
    GstHarness *harness;
    SpiceDisplay *display;
    guint n_draws, n_copy_bits, n_fills;
    guint64 picture_bytes;
} World;

static void world_init(World *self)
{
    const SpiceDisplayConfig config = {.allocator = &spice_allocator_libc};
    const SpiceSurfaceSource primary = {
        .width = WIDTH, .height = HEIGHT, .format = SPICE_SURFACE_FMT_32_xRGB};

    *self = (World){.harness = gst_harness_new("spicedamage")};
    gst_harness_set_src_caps_str(self->harness, "video/x-raw, format=BGRx, width=320, height=240, "
                                                "framerate=25/1");
    self->display = spice_display_create(&config);
    g_assert_true(spice_display_create_surface(self->display, &primary, NULL));
}

static void world_clear(World *self)
{
    spice_display_release_all(self->display);
    spice_display_destroy(self->display);
    gst_harness_teardown(self->harness);
}

static void publish(World *self, GstBuffer *buffer)
{
    SpiceDrawable *drawable = gst_spice_draw_buffer_get(buffer);
    SpiceError error = {0};

    g_assert_nonnull(drawable);
    g_assert_true(spice_display_publish(self->display, drawable, &error));
    self->n_draws++;
    self->n_copy_bits += spice_drawable_type(drawable) == SPICE_MSG_DISPLAY_COPY_BITS;
    self->n_fills += spice_drawable_type(drawable) == SPICE_MSG_DISPLAY_DRAW_FILL;
    self->picture_bytes += spice_drawable_image_bytes(drawable);
    gst_buffer_unref(buffer);
}

/** Sends a frame, publishes what comes, and compares the display with it. */
static void show(World *self, const guint32 *pixels, const GstVideoRectangle *damage)
{
    GstBuffer *frame = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT * 4, NULL);
    const SpicePixels *surface;
    GstBuffer *buffer;
    gint x, y;

    self->n_draws = self->n_copy_bits = self->n_fills = 0;
    self->picture_bytes = 0;
    gst_buffer_fill(frame, 0, pixels, WIDTH * HEIGHT * 4);
    if (damage) {
        GstSpiceDamageMeta *meta = gst_buffer_add_spice_damage_meta(frame);

        meta->n_rects = 1;
        meta->rects[0] = *damage;
    }
    g_assert_cmpint(gst_harness_push(self->harness, frame), ==, GST_FLOW_OK);
    while ((buffer = gst_harness_try_pull(self->harness)))
        publish(self, buffer);
    g_assert_true(spice_display_update_area(self->display, 0, NULL, NULL));
    surface = spice_display_surface(self->display, 0);
    for (y = 0; y < HEIGHT; y++)
        for (x = 0; x < WIDTH; x++) {
            guint32 pixel;

            memcpy(&pixel, spice_pixels_row(surface, y) + x * 4, 4);
            g_assert_cmphex(pixel & 0xffffff, ==, pixels[y * WIDTH + x] & 0xffffff);
        }
}

static void fill(guint32 *pixels, gint x, gint y, gint width, gint height, guint32 colour)
{
    gint i, j;

    for (j = y; j < y + height; j++)
        for (i = x; i < x + width; i++)
            pixels[j * WIDTH + i] = colour;
}

static void noise(guint32 *pixels, GRand *random, gint x, gint y, gint width, gint height)
{
    gint i, j;

    for (j = y; j < y + height; j++)
        for (i = x; i < x + width; i++)
            pixels[j * WIDTH + i] = g_rand_int(random) & 0xffffff;
}

static void test_each_kind_of_change(void)
{
    guint32 *pixels = g_new0(guint32, WIDTH * HEIGHT);
    GRand *random = g_rand_new_with_seed(1);
    World world;

    world_init(&world);
    noise(pixels, random, 0, 0, WIDTH, HEIGHT);
    show(&world, pixels, NULL);
    g_assert_cmpuint(world.picture_bytes, >=, WIDTH * HEIGHT * 4);
    show(&world, pixels, NULL); /* nothing changed */
    g_assert_cmpuint(world.n_draws, ==, 0);
    noise(pixels, random, 100, 50, 3, 2);
    show(&world, pixels, NULL);
    g_assert_cmpuint(world.n_draws, >=, 1);
    g_assert_cmpuint(world.picture_bytes, <, 32 * 32 * 4);
    fill(pixels, 0, 0, 160, 128, 0x336699);
    show(&world, pixels, NULL);
    g_assert_cmpuint(world.n_fills, >=, 1);
    g_assert_cmpuint(world.picture_bytes, <, 64 * 1024);
    memmove(pixels, pixels + 16 * WIDTH, (HEIGHT - 16) * WIDTH * 4); /* scrolls by 16 rows */
    noise(pixels, random, 0, HEIGHT - 16, WIDTH, 16);
    show(&world, pixels, NULL);
    g_assert_cmpuint(world.n_copy_bits, >=, 1);
    g_assert_cmpuint(world.picture_bytes, <, WIDTH * 64 * 4);
    world_clear(&world);
    g_rand_free(random);
    g_free(pixels);
}

static void test_damage_meta_is_believed(void)
{
    guint32 *pixels = g_new0(guint32, WIDTH * HEIGHT);
    GRand *random = g_rand_new_with_seed(2);
    const GstVideoRectangle damage = {64, 32, 40, 40};
    World world;

    world_init(&world);
    show(&world, pixels, NULL);
    noise(pixels, random, 64, 32, 40, 40);
    show(&world, pixels, &damage);
    g_assert_cmpuint(world.n_draws, >=, 1);
    world_clear(&world);
    g_rand_free(random);
    g_free(pixels);
}

static void test_random_desktops(void)
{
    guint32 *pixels = g_new0(guint32, WIDTH * HEIGHT);
    GRand *random = g_rand_new_with_seed(3);
    World world;
    guint i;

    world_init(&world);
    for (i = 0; i < 300; i++) {
        gint x = g_rand_int_range(random, 0, WIDTH), y = g_rand_int_range(random, 0, HEIGHT);
        gint width = g_rand_int_range(random, 1, WIDTH - x + 1);
        gint height = g_rand_int_range(random, 1, HEIGHT - y + 1);
        gint rows = g_rand_int_range(random, 1, 40);

        switch (g_rand_int_range(random, 0, 4)) {
        case 0:
            noise(pixels, random, x, y, width, height);
            break;
        case 1:
            fill(pixels, x, y, width, height, g_rand_int(random) & 0xffffff);
            break;
        case 2:
            memmove(pixels, pixels + rows * WIDTH, (gsize)(HEIGHT - rows) * WIDTH * 4);
            break;
        default:
            memmove(pixels + rows * WIDTH, pixels, (gsize)(HEIGHT - rows) * WIDTH * 4);
            break;
        }
        show(&world, pixels, NULL);
    }
    world_clear(&world);
    g_rand_free(random);
    g_free(pixels);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(gst_spice_register_elements(NULL));
    g_test_add_func("/damage/each-kind-of-change", test_each_kind_of_change);
    g_test_add_func("/damage/damage-meta-is-believed", test_damage_meta_is_believed);
    g_test_add_func("/damage/random-desktops", test_random_desktops);
    return g_test_run();
}
