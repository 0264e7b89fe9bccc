/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared-test.h"

#include "test-source.h"

enum { DEFAULT_FPS = 30, DEFAULT_WIDTH = 1280, DEFAULT_HEIGHT = 800 };

struct SharedTest {
    GstSpiceServer *server;
    TestSource *source;
};

static void on_key(guint scancode, gboolean pressed, gpointer data)
{
    test_source_key(((SharedTest *)data)->source, scancode, pressed);
}

static void on_motion(gint dx, gint dy, gpointer data)
{
    SharedTest *self = data;
    gint x, y;

    test_source_motion(self->source, dx, dy, &x, &y);
    gst_spice_server_move_cursor(self->server, 0, x, y);
}

static void on_position(guint display, gint x, gint y, gpointer data)
{
    SharedTest *self = data;

    test_source_position(self->source, x, y);
    gst_spice_server_move_cursor(self->server, 0, x, y);
}

static void on_button(guint button, gboolean pressed, gpointer data)
{
    test_source_button(((SharedTest *)data)->source, button, pressed);
}

/** An arrow: white, with a black edge; its tip is the hot spot. */
static void set_arrow(GstSpiceServer *server)
{
    enum { WIDTH = 12, HEIGHT = 18 };
    GstSpiceCursor *cursor = gst_spice_cursor_new();
    guint32 *pixels = g_new0(guint32, WIDTH * HEIGHT);
    guint x, y;

    for (y = 0; y < HEIGHT; y++) {
        const guint reach = y < WIDTH ? y : WIDTH - 1 - MIN(2 * (y - WIDTH), WIDTH - 1);

        for (x = 0; x <= reach && x < WIDTH; x++)
            pixels[y * WIDTH + x] =
                GUINT32_TO_LE(x == 0 || x == reach || y == HEIGHT - 1 ? 0xff000000 : 0xffffffff);
    }
    cursor->visible = TRUE;
    cursor->width = WIDTH;
    cursor->height = HEIGHT;
    cursor->pixels = g_bytes_new_take(pixels, WIDTH * HEIGHT * sizeof *pixels);
    gst_spice_server_set_cursor(server, 0, cursor);
    gst_spice_cursor_unref(cursor);
}

SharedTest *shared_test_new(const ServeOptions *options, GstSpiceServer *server,
                            GstElement **source)
{
    static const GstSpiceInputHandler handler = {
        .key = on_key,
        .motion = on_motion,
        .position = on_position,
        .button = on_button,
    };
    SharedTest *self = g_new0(SharedTest, 1);
    const guint width = options->width ? options->width : DEFAULT_WIDTH;
    const guint height = options->height ? options->height : DEFAULT_HEIGHT;

    self->server = server;
    self->source = g_object_new(TYPE_TEST_SOURCE, "width", width, "height", height, "max-framerate",
                                options->fps ? (gint)options->fps : DEFAULT_FPS, NULL);
    *source = GST_ELEMENT(self->source);
    gst_object_ref(self->source); /* ours; the other is the pipeline's to take */
    gst_spice_server_set_input_handler(server, &handler, self);
    set_arrow(server);
    gst_spice_server_move_cursor(server, 0, (gint)width / 2, (gint)height / 2);
    return self;
}

void shared_test_free(SharedTest *self)
{
    if (!self)
        return;
    gst_object_unref(self->source);
    g_free(self);
}
