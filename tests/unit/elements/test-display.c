/* spicedisplaydec: messages become frames.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <string.h>

#include "core/wire/display.h"
#include "gst-plugins/display/damage-meta.h"
#include "gst-plugins/elements.h"

/** Appends a message; `last` marks that nothing more is known to follow. */
static GstFlowReturn push(GstHarness *h, guint16 type, const void *body, gsize size, gboolean last)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 6 + size, NULL);
    guint8 header[6] = {(guint8)type,        (guint8)(type >> 8),  (guint8)size,
                        (guint8)(size >> 8), (guint8)(size >> 16), (guint8)(size >> 24)};

    gst_buffer_fill(buffer, 0, header, 6);
    if (size)
        gst_buffer_fill(buffer, 6, body, size);
    if (last)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    return gst_harness_push(h, buffer);
}

static void create_surface(GstHarness *h, guint32 width, guint32 height)
{
    const guint32 create[5] = {0, width, height, SPICE_SURFACE_FMT_32_xRGB, 1};

    push(h, SPICE_MSG_DISPLAY_SURFACE_CREATE, create, sizeof create, FALSE);
}

/** DRAW_FILL of a rectangle. */
static GstFlowReturn fill(GstHarness *h, gint32 x, gint32 y, gint32 width, gint32 height,
                          guint32 colour, gboolean last)
{
    guint8 body[4 + 16 + 1 + 5 + 2 + 13] = {0};
    const gint32 rect[4] = {y, x, y + height, x + width};

    memcpy(body + 4, rect, 16);
    body[21] = SPICE_BRUSH_TYPE_SOLID;
    memcpy(body + 22, &colour, 4);
    body[26] = SPICE_ROPD_OP_PUT;
    return push(h, SPICE_MSG_DISPLAY_DRAW_FILL, body, sizeof body, last);
}

static GstHarness *harness(void)
{
    GstHarness *h = gst_harness_new("spicedisplaydec");

    gst_harness_set_src_caps_str(h, "application/x-spice-display");
    return h;
}

static guint32 pixel(GstBuffer *frame, gint width, gint x, gint y)
{
    guint32 value;

    gst_buffer_extract(frame, (gsize)(y * width + x) * 4, &value, 4);
    return value & 0xffffff;
}

static void test_nothing_before_mark(void)
{
    GstHarness *h = harness();
    GstBuffer *frame;

    create_surface(h, 64, 32);
    fill(h, 0, 0, 64, 32, 0x123456, TRUE);
    g_assert_null(gst_harness_try_pull(h));
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    frame = gst_harness_pull(h);
    g_assert_cmphex(pixel(frame, 64, 63, 31), ==, 0x123456);
    g_assert_null(gst_buffer_get_spice_damage_meta(frame)); /* all of it is new */
    g_assert_false(GST_BUFFER_PTS_IS_VALID(frame));
    gst_buffer_unref(frame);
    gst_harness_teardown(h);
}

static void test_a_burst_is_one_frame_with_its_damage(void)
{
    GstHarness *h = harness();
    GstBuffer *frame;
    GstSpiceDamageMeta *damage;

    create_surface(h, 64, 32);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    fill(h, 3, 4, 5, 6, 0xff0000, FALSE);
    fill(h, 40, 20, 10, 2, 0x00ff00, TRUE);
    frame = gst_harness_pull(h);
    g_assert_null(gst_harness_try_pull(h));
    g_assert_cmphex(pixel(frame, 64, 3, 4), ==, 0xff0000);
    g_assert_cmphex(pixel(frame, 64, 2, 4), ==, 0);
    g_assert_cmphex(pixel(frame, 64, 49, 21), ==, 0x00ff00);
    damage = gst_buffer_get_spice_damage_meta(frame);
    g_assert_nonnull(damage);
    g_assert_cmpuint(damage->n_rects, ==, 2);
    g_assert_cmpint(damage->rects[0].x, ==, 3);
    g_assert_cmpint(damage->rects[0].y, ==, 4);
    g_assert_cmpint(damage->rects[0].w, ==, 5);
    g_assert_cmpint(damage->rects[0].h, ==, 6);
    gst_buffer_unref(frame);
    gst_harness_teardown(h);
}

static void test_frames_in_use_stay_as_they_were(void)
{
    GstHarness *h = harness();
    GstBuffer *frames[8];
    guint i;

    create_surface(h, 16, 16);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    for (i = 0; i < G_N_ELEMENTS(frames); i++) {
        fill(h, (gint32)i, 0, 1, 1, 0x10 + i, TRUE);
        frames[i] = gst_harness_pull(h);
    }
    for (i = 0; i < G_N_ELEMENTS(frames); i++) {
        guint x;

        for (x = 0; x < G_N_ELEMENTS(frames); x++)
            g_assert_cmphex(pixel(frames[i], 16, (gint)x, 0), ==, x <= i ? 0x10 + x : 0);
        gst_buffer_unref(frames[i]);
    }
    gst_harness_teardown(h);
}

static void test_painting_into_a_frame_spoils_none_that_follows(void)
{
    GstHarness *h = harness();
    guint i;

    create_surface(h, 16, 16);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    for (i = 0; i < 8; i++) {
        GstBuffer *frame;

        fill(h, 0, 0, 1, 1, i, TRUE);
        frame = gst_buffer_make_writable(gst_harness_pull(h));
        g_assert_cmphex(pixel(frame, 16, 9, 9), ==, 0);
        gst_buffer_memset(frame, 0, 0xee,
                          gst_buffer_get_size(frame)); /* what a text overlay does */
        gst_buffer_unref(frame);
    }
    gst_harness_teardown(h);
}

static void test_a_new_size_is_new_caps(void)
{
    GstHarness *h = harness();
    GstCaps *caps;
    gint width;

    create_surface(h, 64, 32);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    push(h, SPICE_MSG_DISPLAY_SURFACE_DESTROY, "\0\0\0\0", 4, TRUE);
    create_surface(h, 80, 25);
    fill(h, 0, 0, 80, 25, 0xabcdef, FALSE);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    caps = gst_pad_get_current_caps(h->sinkpad);
    g_assert_true(gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width));
    g_assert_cmpint(width, ==, 80);
    gst_caps_unref(caps);
    gst_harness_teardown(h);
}

static void test_a_bad_draw_loses_itself_and_nothing_else(void)
{
    GstHarness *h = harness();
    GstBuffer *frame;

    create_surface(h, 16, 16);
    push(h, SPICE_MSG_DISPLAY_MARK, NULL, 0, TRUE);
    gst_buffer_unref(gst_harness_pull(h));
    g_assert_cmpint(push(h, SPICE_MSG_DISPLAY_DRAW_COPY, "short", 5, TRUE), ==, GST_FLOW_OK);
    g_assert_cmpint(push(h, 9999, "unknown", 7, TRUE), ==, GST_FLOW_OK);
    g_assert_cmpint(fill(h, 0, 0, 16, 16, 0x777777, TRUE), ==, GST_FLOW_OK);
    frame = gst_harness_pull(h);
    g_assert_cmphex(pixel(frame, 16, 8, 8), ==, 0x777777);
    gst_buffer_unref(frame);
    gst_harness_teardown(h);
}

static void test_a_bad_control_message_is_one_error(void)
{
    GstHarness *h = harness();
    GstBus *bus = gst_bus_new();
    GstMessage *message;
    GError *error;

    gst_element_set_bus(h->element, bus);
    g_assert_cmpint(push(h, SPICE_MSG_DISPLAY_SURFACE_CREATE, "short", 5, TRUE), ==,
                    GST_FLOW_FLUSHING);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    gst_message_parse_error(message, &error, NULL);
    g_assert_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
    g_error_free(error);
    gst_message_unref(message);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static void test_every_input_event_is_taken(void)
{
    GstHarness *h = harness();
    static const char *keys[] = {"q", "space", "nosuchkey"};
    GstStructure *stats;
    guint i, unknown;

    for (i = 0; i < G_N_ELEMENTS(keys); i++)
        g_assert_true(gst_harness_push_upstream_event(
            h, gst_navigation_event_new_key_press(keys[i], GST_NAVIGATION_MODIFIER_NONE)));
    g_object_get(h->element, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint(stats, "unknown-keys", &unknown));
    g_assert_cmpuint(unknown, ==, 0); /* there is no session that could send any */
    gst_structure_free(stats);
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(gst_spice_register_elements(NULL));
    g_test_add_func("/display/nothing-is-shown-before-mark", test_nothing_before_mark);
    g_test_add_func("/display/a-burst-is-one-frame", test_a_burst_is_one_frame_with_its_damage);
    g_test_add_func("/display/frames-in-use-stay", test_frames_in_use_stay_as_they_were);
    g_test_add_func("/display/painting-into-frames-is-harmless",
                    test_painting_into_a_frame_spoils_none_that_follows);
    g_test_add_func("/display/a-new-size-is-new-caps", test_a_new_size_is_new_caps);
    g_test_add_func("/display/a-bad-draw-loses-itself",
                    test_a_bad_draw_loses_itself_and_nothing_else);
    g_test_add_func("/display/a-bad-control-message-is-one-error",
                    test_a_bad_control_message_is_one_error);
    g_test_add_func("/display/every-input-event-is-taken", test_every_input_event_is_taken);
    return g_test_run();
}
