/* spicesink and spicesrc in one process: what one shows the other gets, to the pixel, and input
 * comes back.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <glib/gstdio.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { WIDTH = 320, HEIGHT = 240, TIMEOUT_S = 30 };

static char *folder;

/* A desktop that changes */

typedef struct {
    gint width, height;
    guint32 *pixels;
    GRand *random;
} Desktop;

static void desktop_init(Desktop *self, gint width, gint height)
{
    self->width = width;
    self->height = height;
    self->pixels = g_new0(guint32, width * height);
    self->random = g_rand_new_with_seed(1);
}

static void desktop_clear(Desktop *self)
{
    g_free(self->pixels);
    g_rand_free(self->random);
}

static void fill(Desktop *self, gint x, gint y, gint w, gint h, gboolean noise)
{
    const guint32 color = g_rand_int(self->random) & 0xffffff;
    gint i, j;

    for (j = y; j < MIN(y + h, self->height); j++)
        for (i = x; i < MIN(x + w, self->width); i++)
            self->pixels[j * self->width + i] = noise ? g_rand_int(self->random) & 0xffffff : color;
}

/** A rectangle of one colour or of noise, or all of it scrolled. */
static void change(Desktop *self)
{
    const gint x = g_rand_int_range(self->random, 0, self->width);
    const gint y = g_rand_int_range(self->random, 0, self->height);
    const gint by = 16 * self->width;

    switch (g_rand_int_range(self->random, 0, 3)) {
    case 0:
        fill(self, x, y, 100, 60, FALSE);
        break;
    case 1:
        fill(self, x, y, 50, 30, TRUE);
        break;
    default:
        memmove(self->pixels, self->pixels + by,
                (gsize)(self->width * self->height - by) * sizeof(guint32));
    }
}

/* The server */

typedef struct {
    GstElement *pipeline, *source, *sink;
    char *path;
} Server;

static void server_set_size(Server *self, const Desktop *desktop)
{
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT, desktop->width,
        "height", G_TYPE_INT, desktop->height, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);

    gst_app_src_set_caps(GST_APP_SRC(self->source), caps);
}

static void server_start(Server *self, const Desktop *desktop)
{
    g_autoptr(GError) error = NULL;
    static guint n;

    self->path = g_strdup_printf("%s/%u.sock", folder, n++);
    self->pipeline = gst_parse_launch(
        "appsrc name=source is-live=true format=time ! spicesink name=sink sync=false", &error);
    g_assert_no_error(error);
    self->source = gst_bin_get_by_name(GST_BIN(self->pipeline), "source");
    self->sink = gst_bin_get_by_name(GST_BIN(self->pipeline), "sink");
    g_object_set(self->sink, "unix-path", self->path, NULL);
    server_set_size(self, desktop);
    g_assert_cmpint(gst_element_set_state(self->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
}

static void server_show(Server *self, const Desktop *desktop)
{
    const gsize size = (gsize)desktop->width * (gsize)desktop->height * 4;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);

    gst_buffer_fill(buffer, 0, desktop->pixels, size);
    g_assert_cmpint(gst_app_src_push_buffer(GST_APP_SRC(self->source), buffer), ==, GST_FLOW_OK);
}

static void server_stop(Server *self)
{
    gst_element_set_state(self->pipeline, GST_STATE_NULL);
    gst_object_unref(self->source);
    gst_object_unref(self->sink);
    gst_object_unref(self->pipeline);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
    g_free(self->path);
}

/* A client */

typedef struct {
    GstElement *pipeline, *sink, *source;
} Client;

static void client_start(Client *self, const Server *server, const char *options)
{
    g_autofree char *line = g_strdup_printf(
        "spicesrc name=source location=spice+unix://%s ! appsink name=sink sync=false %s",
        server->path, options);
    g_autoptr(GError) error = NULL;

    self->pipeline = gst_parse_launch(line, &error);
    g_assert_no_error(error);
    self->sink = gst_bin_get_by_name(GST_BIN(self->pipeline), "sink");
    self->source = gst_bin_get_by_name(GST_BIN(self->pipeline), "source");
    g_assert_cmpint(gst_element_set_state(self->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
}

static void client_stop(Client *self)
{
    gst_element_set_state(self->pipeline, GST_STATE_NULL);
    gst_object_unref(self->sink);
    gst_object_unref(self->source);
    gst_object_unref(self->pipeline);
}

static gboolean shows(GstSample *sample, const Desktop *desktop)
{
    GstVideoInfo info;
    GstVideoFrame frame;
    gboolean equal;
    gint x, y;

    g_assert_true(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
    if (GST_VIDEO_INFO_WIDTH(&info) != desktop->width ||
        GST_VIDEO_INFO_HEIGHT(&info) != desktop->height)
        return FALSE;
    g_assert_true(gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
    equal = TRUE;
    for (y = 0; y < desktop->height && equal; y++) {
        const guint32 *row =
            (const guint32 *)((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                              y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));

        for (x = 0; x < desktop->width && equal; x++)
            equal = (row[x] & 0xffffff) == desktop->pixels[y * desktop->width + x];
    }
    gst_video_frame_unmap(&frame);
    return equal;
}

/** Waits until the client shows the desktop exactly. */
static void client_expect(Client *self, const Desktop *desktop)
{
    const gint64 end = g_get_monotonic_time() + TIMEOUT_S * G_USEC_PER_SEC;

    while (g_get_monotonic_time() < end) {
        g_autoptr(GstSample) sample =
            gst_app_sink_try_pull_sample(GST_APP_SINK(self->sink), GST_SECOND / 2);

        if (sample && shows(sample, desktop))
            return;
    }
    g_assert_not_reached();
}

/* Tests */

static void test_picture(void)
{
    Desktop desktop;
    Server server;
    Client first, late;
    guint i;

    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    client_start(&first, &server, "");
    for (i = 0; i < 60; i++) {
        change(&desktop);
        server_show(&server, &desktop);
        if (i % 20 == 0)
            client_expect(&first, &desktop);
    }
    client_expect(&first, &desktop);
    client_start(&late, &server, "");
    client_expect(&late, &desktop);
    change(&desktop);
    server_show(&server, &desktop);
    client_expect(&late, &desktop);
    client_expect(&first, &desktop);
    client_stop(&late);
    client_stop(&first);
    server_stop(&server);
    desktop_clear(&desktop);
}

static void test_size(void)
{
    static const gint sizes[][2] = {{WIDTH, HEIGHT}, {640, 480}, {33, 17}, {1, 1}, {WIDTH, HEIGHT}};
    Desktop desktop = {0};
    Server server;
    Client client;
    guint i;

    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    client_start(&client, &server, "");
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        desktop_clear(&desktop);
        desktop_init(&desktop, sizes[i][0], sizes[i][1]);
        fill(&desktop, 0, 0, desktop.width, desktop.height, TRUE);
        server_set_size(&server, &desktop);
        server_show(&server, &desktop);
        client_expect(&client, &desktop);
    }
    client_stop(&client);
    server_stop(&server);
    desktop_clear(&desktop);
}

/** One client does not read, the other sees all. */
static void test_slow_client(void)
{
    Desktop desktop;
    Server server;
    Client slow, fast;
    guint i;

    desktop_init(&desktop, 640, 480);
    server_start(&server, &desktop);
    client_start(&slow, &server, "max-buffers=1 drop=false");
    client_start(&fast, &server, "max-buffers=2 drop=true");
    server_show(&server, &desktop);
    client_expect(&slow, &desktop);
    for (i = 0; i < 100; i++) {
        fill(&desktop, 0, 0, 640, 480, TRUE);
        server_show(&server, &desktop);
        if (i % 10 == 0)
            client_expect(&fast, &desktop);
    }
    client_expect(&fast, &desktop);
    client_expect(&slow, &desktop);
    client_stop(&slow);
    client_stop(&fast);
    server_stop(&server);
    desktop_clear(&desktop);
}

/** The same element listens again after it was stopped. */
static void test_restart(void)
{
    Desktop desktop;
    Server server;
    Client client;
    guint i;

    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    for (i = 0; i < 3; i++) {
        change(&desktop);
        server_show(&server, &desktop);
        client_start(&client, &server, "");
        client_expect(&client, &desktop);
        client_stop(&client);
        gst_element_set_state(server.pipeline, GST_STATE_NULL);
        g_assert_cmpint(gst_element_set_state(server.pipeline, GST_STATE_PLAYING), !=,
                        GST_STATE_CHANGE_FAILURE);
    }
    server_stop(&server);
    desktop_clear(&desktop);
}

/** Clients that come and go while the desktop changes. */
static void test_many_connects(void)
{
    Desktop desktop;
    Server server;
    Client steady;
    guint i;

    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    client_start(&steady, &server, "");
    for (i = 0; i < 40; i++) {
        Client client;

        change(&desktop);
        server_show(&server, &desktop);
        client_start(&client, &server, "");
        if (i % 3 == 0)
            client_expect(&client, &desktop);
        else
            g_usleep((gulong)g_rand_int_range(desktop.random, 0, 20000));
        client_stop(&client);
    }
    client_expect(&steady, &desktop);
    client_stop(&steady);
    server_stop(&server);
    desktop_clear(&desktop);
}

/* Input */

typedef struct {
    GMutex lock;
    GString *text; /* what came, a word each */
} Seen;

static GstPadProbeReturn see_event(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
    const GstStructure *structure = gst_event_get_structure(event);
    Seen *seen = data;
    gdouble x = 0, y = 0, dy = 0;
    gint button = 0;
    guint code = 0;
    gboolean pressed = FALSE;

    g_mutex_lock(&seen->lock);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM &&
        gst_structure_get(structure, "code", G_TYPE_UINT, &code, "pressed", G_TYPE_BOOLEAN,
                          &pressed, NULL))
        g_string_append_printf(seen->text, "%c%x ", pressed ? '+' : '-', code);
    if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION) {
        const char *key = NULL;

        switch (gst_navigation_event_get_type(event)) {
        case GST_NAVIGATION_EVENT_KEY_PRESS:
        case GST_NAVIGATION_EVENT_KEY_RELEASE:
            gst_navigation_event_parse_key_event(event, &key);
            g_string_append_printf(seen->text, "%s ", key);
            break;
        case GST_NAVIGATION_EVENT_MOUSE_MOVE:
            gst_navigation_event_parse_mouse_move_event(event, &x, &y);
            g_string_append_printf(seen->text, "@%.0f,%.0f ", x, y);
            break;
        case GST_NAVIGATION_EVENT_MOUSE_BUTTON_PRESS:
        case GST_NAVIGATION_EVENT_MOUSE_BUTTON_RELEASE:
            gst_navigation_event_parse_mouse_button_event(event, &button, &x, &y);
            g_string_append_printf(seen->text, "b%d@%.0f,%.0f ", button, x, y);
            break;
        case GST_NAVIGATION_EVENT_MOUSE_SCROLL:
            gst_navigation_event_parse_mouse_scroll_event(event, &x, &y, NULL, &dy);
            g_string_append_printf(seen->text, "scroll%+.0f ", dy);
            break;
        default:
            break;
        }
    }
    g_mutex_unlock(&seen->lock);
    return GST_PAD_PROBE_OK;
}

static void expect_seen(Seen *seen, const char *text)
{
    const gint64 end = g_get_monotonic_time() + TIMEOUT_S * G_USEC_PER_SEC;
    gboolean equal = FALSE;

    while (!equal && g_get_monotonic_time() < end) {
        g_mutex_lock(&seen->lock);
        equal = strcmp(seen->text->str, text) == 0;
        g_mutex_unlock(&seen->lock);
        g_usleep(1000);
    }
    g_assert_cmpstr(seen->text->str, ==, text);
    g_mutex_lock(&seen->lock);
    g_string_truncate(seen->text, 0);
    g_mutex_unlock(&seen->lock);
}

static void send_code(Client *client, guint code, gboolean pressed)
{
    gst_element_send_event(
        client->sink, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                           gst_structure_new("application/x-gst-spice-scancode",
                                                             "code", G_TYPE_UINT, code, "pressed",
                                                             G_TYPE_BOOLEAN, pressed, NULL)));
}

static void test_input(void)
{
    Seen seen = {.text = g_string_new(NULL)};
    Desktop desktop;
    Server server;
    Client client;
    GstPad *pad;

    g_mutex_init(&seen.lock);
    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    pad = gst_element_get_static_pad(server.source, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, see_event, &seen, NULL);
    server_show(&server, &desktop);
    client_start(&client, &server, "");
    client_expect(&client, &desktop);
    g_usleep(200000); /* channels other than the display's may still be on their way */

    gst_element_send_event(client.sink, gst_navigation_event_new_key_press("q", 0));
    gst_element_send_event(client.sink, gst_navigation_event_new_key_release("q", 0));
    expect_seen(&seen, "+10 q -10 q ");
    send_code(&client, 0xe01d, TRUE);
    send_code(&client, 0xe01d, FALSE);
    send_code(&client, 0xe046, TRUE);
    expect_seen(&seen, "+e01d Control_R -e01d Control_R +e046 Pause ");
    gst_element_send_event(client.sink, gst_navigation_event_new_mouse_move(17, 33, 0));
    expect_seen(&seen, "@17,33 ");
    gst_element_send_event(client.sink, gst_navigation_event_new_mouse_button_press(3, 18, 34, 0));
    expect_seen(&seen, "@18,34 b3@18,34 ");
    gst_element_send_event(client.sink, gst_navigation_event_new_mouse_scroll(18, 34, 0, -1, 0));
    expect_seen(&seen, "scroll-1 ");
    /* What a client that leaves holds down is released. */
    client_stop(&client);
    expect_seen(&seen, "-e046 Pause b3@18,34 ");

    gst_object_unref(pad);
    server_stop(&server);
    desktop_clear(&desktop);
    g_string_free(seen.text, TRUE);
    g_mutex_clear(&seen.lock);
}

static void test_port_in_use(void)
{
    Desktop desktop;
    Server server;
    g_autoptr(GstElement) second = NULL;
    g_autoptr(GstMessage) message = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GstBus) bus = NULL;

    desktop_init(&desktop, WIDTH, HEIGHT);
    server_start(&server, &desktop);
    second = gst_parse_launch("videotestsrc ! videoconvert ! spicesink name=sink", NULL);
    {
        g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(second), "sink");

        g_object_set(sink, "unix-path", server.path, NULL);
    }
    g_assert_cmpint(gst_element_set_state(second, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_FAILURE);
    bus = gst_element_get_bus(second);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    gst_message_parse_error(message, &error, NULL);
    g_assert_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE);
    gst_element_set_state(second, GST_STATE_NULL);
    server_stop(&server);
    desktop_clear(&desktop);
}

int main(int argc, char **argv)
{
    int status;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(gst_spice_register_elements(NULL));
    folder = g_dir_make_tmp("spice-sink-XXXXXX", NULL);
    g_test_add_func("/sink/picture", test_picture);
    g_test_add_func("/sink/size", test_size);
    g_test_add_func("/sink/slow-client", test_slow_client);
    g_test_add_func("/sink/restart", test_restart);
    g_test_add_func("/sink/many-connects", test_many_connects);
    g_test_add_func("/sink/input", test_input);
    g_test_add_func("/sink/port-in-use", test_port_in_use);
    status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
