/* spiceheads: each monitor's frames are its part of the surface, come when it has changed, and events
 * from its pad find their place on the surface.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/navigation.h>

#include <string.h>

#include "gst-plugins/display/damage-meta.h"
#include "gst-plugins/display/heads-event.h"
#include "gst-plugins/elements.h"

enum { WIDTH = 64, HEIGHT = 32 };

static const SpiceHead two_heads[] = {
    {.monitor_id = 0, .width = 40, .height = 32, .x = 0, .y = 0},
    {.monitor_id = 1, .width = 20, .height = 16, .x = 44, .y = 8},
};

typedef struct {
    GstHarness *harness; /* its sink end is head_0 */
    GstHarness *second;  /* on head_1, while there is one */
    gboolean takes_meta;
    guint32 pixels[WIDTH * HEIGHT];
} World;

static void on_pad_added(GstElement *element, GstPad *pad, gpointer user_data)
{
    World *self = user_data;

    g_assert_cmpstr(GST_PAD_NAME(pad), ==, "head_1");
    self->second = gst_harness_new_with_element(element, NULL, "head_1");
    if (self->takes_meta)
        gst_harness_add_propose_allocation_meta(self->second, GST_VIDEO_META_API_TYPE, NULL);
}

static void world_init(World *self, gboolean takes_meta)
{
    GstElement *element = gst_element_factory_make("spiceheads", NULL);

    *self = (World){.takes_meta = takes_meta};
    g_signal_connect(element, "pad-added", G_CALLBACK(on_pad_added), self);
    self->harness = gst_harness_new_with_element(element, "sink", "head_0");
    if (takes_meta)
        gst_harness_add_propose_allocation_meta(self->harness, GST_VIDEO_META_API_TYPE, NULL);
    gst_harness_set_src_caps_str(self->harness, "video/x-raw, format=BGRx, width=64, height=32, "
                                                "framerate=0/1");
    gst_object_unref(element);
}

static void world_clear(World *self)
{
    if (self->second)
        gst_harness_teardown(self->second);
    gst_harness_teardown(self->harness);
}

/** A frame of which `damage` is new; NULL: all of it. */
static void push(World *self, const GstVideoRectangle *damage)
{
    static guint32 colour;
    const GstVideoRectangle all = {0, 0, WIDTH, HEIGHT}, *r = damage ? damage : &all;
    GstBuffer *buffer;

    for (gint y = r->y; y < r->y + r->h; y++)
        for (gint x = r->x; x < r->x + r->w; x++)
            self->pixels[y * WIDTH + x] = colour++ * 2654435761u;
    buffer = gst_buffer_new_memdup(self->pixels, sizeof self->pixels);
    if (damage) {
        GstSpiceDamageMeta *meta = gst_buffer_add_spice_damage_meta(buffer);

        meta->rects[meta->n_rects++] = *damage;
    }
    g_assert_cmpint(gst_harness_push(self->harness, buffer), ==, GST_FLOW_OK);
}

/** The next frame of a monitor is its part of the surface, with this damage. */
static void shows(World *self, GstHarness *harness, GstVideoRectangle area,
                  const GstVideoRectangle *damage)
{
    GstBuffer *buffer = gst_harness_pull(harness);
    GstCaps *caps = gst_pad_get_current_caps(harness->sinkpad);
    const GstSpiceDamageMeta *meta = gst_buffer_get_spice_damage_meta(buffer);
    GstVideoInfo info;
    GstVideoFrame frame;

    g_assert_true(gst_video_info_from_caps(&info, caps));
    g_assert_cmpint(info.width, ==, area.w);
    g_assert_cmpint(info.height, ==, area.h);
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    for (gint y = 0; y < area.h; y++)
        g_assert_cmpint(memcmp((guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                                   y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0),
                               &self->pixels[(area.y + y) * WIDTH + area.x], 4 * (size_t)area.w),
                        ==, 0);
    gst_video_frame_unmap(&frame);
    g_assert_true(!meta == !damage);
    if (damage)
        g_assert_cmpint(memcmp(&meta->rects[0], damage, sizeof *damage), ==, 0);
    gst_caps_unref(caps);
    gst_buffer_unref(buffer);
}

static void shows_nothing(GstHarness *harness)
{
    g_assert_null(gst_harness_try_pull(harness));
}

/** A surface whose monitors are not known is one; then two; then one again. */
static void test_monitors_come_and_go(gconstpointer takes_meta)
{
    const GstVideoRectangle all = {0, 0, WIDTH, HEIGHT}, left = {0, 0, 40, 32},
                            right = {44, 8, 20, 16}, on_right = {50, 10, 4, 4},
                            there = {6, 2, 4, 4}, between = {41, 0, 2, 5};
    World world;

    world_init(&world, takes_meta != NULL);
    push(&world, NULL);
    shows(&world, world.harness, all, NULL);
    g_assert_null(world.second);

    gst_harness_push_event(world.harness, gst_spice_event_new_heads(two_heads, 2));
    push(&world, &between); /* all is new to those that were not there before */
    g_assert_nonnull(world.second);
    shows(&world, world.harness, left, NULL);
    shows(&world, world.second, right, NULL);

    push(&world, &on_right); /* only that one has changed */
    shows(&world, world.second, right, &there);
    shows_nothing(world.harness);
    push(&world, &between);
    shows_nothing(world.second);
    shows_nothing(world.harness);

    gst_harness_push_event(world.harness, gst_spice_event_new_heads(two_heads, 1));
    push(&world, &between);
    while (gst_harness_events_in_queue(world.second) > 1)
        gst_event_unref(gst_harness_pull_event(world.second));
    {
        GstEvent *last = gst_harness_pull_event(world.second);

        g_assert_cmpint(GST_EVENT_TYPE(last), ==, GST_EVENT_EOS);
        gst_event_unref(last);
    }
    world_clear(&world);
}

/** A click lands where it was made. */
static void test_pointer_finds_its_place(void)
{
    World world;
    GstEvent *event;
    gdouble x, y;

    world_init(&world, FALSE);
    gst_harness_push_event(world.harness, gst_spice_event_new_heads(two_heads, 2));
    push(&world, NULL);
    gst_harness_push_upstream_event(world.second,
                                    gst_navigation_event_new_mouse_button_press(1, 3, 5, 0));
    while ((event = gst_harness_pull_upstream_event(world.harness)) &&
           GST_EVENT_TYPE(event) != GST_EVENT_NAVIGATION)
        gst_event_unref(event);
    g_assert_true(gst_navigation_event_get_coordinates(event, &x, &y));
    g_assert_cmpfloat(x, ==, 47);
    g_assert_cmpfloat(y, ==, 13);
    gst_event_unref(event);
    world_clear(&world);
}

/** What a server says of monitors that lie beside the surface, or on none, changes nothing. */
static void test_unlawful_monitors(void)
{
    const SpiceHead heads[] = {
        {.width = 10, .height = 10, .x = 5000, .y = 0},
        {.width = 0, .height = 10},
        {.width = 10, .height = 10, .surface_id = 3},
        {.width = UINT32_MAX, .height = UINT32_MAX, .x = UINT32_MAX, .y = UINT32_MAX},
        {.width = 32767, .height = 32767, .x = 32, .y = 16},
    };
    const GstVideoRectangle all = {0, 0, WIDTH, HEIGHT}, corner = {32, 16, 32, 16};
    World world;

    world_init(&world, FALSE);
    gst_harness_push_event(world.harness, gst_spice_event_new_heads(heads, 4));
    push(&world, NULL);
    shows(&world, world.harness, all, NULL);
    gst_harness_push_event(world.harness, gst_spice_event_new_heads(heads, 5));
    push(&world, NULL);
    shows(&world, world.harness, corner, NULL);
    g_assert_null(world.second);
    world_clear(&world);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    gst_spice_register_elements(NULL);
    g_test_add_data_func("/heads/come-and-go/copied", NULL, test_monitors_come_and_go);
    g_test_add_data_func("/heads/come-and-go/shared", "shared", test_monitors_come_and_go);
    g_test_add_func("/heads/pointer-finds-its-place", test_pointer_finds_its_place);
    g_test_add_func("/heads/unlawful", test_unlawful_monitors);
    return g_test_run();
}
