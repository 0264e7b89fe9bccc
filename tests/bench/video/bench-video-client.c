/* What a viewer sees of bench-video-host, and when:
 *
 *     bench-video-client URI
 *
 * Prints with the monotonic time in microseconds: "frame T N DB" when frame N of the film is first
 * seen, with its PSNR, "exact T N" when it is seen without loss, "letter T N" when a letter is, and
 * "create T", "data T BYTES" and "destroy T" when messages of streams come. Ends when the server does, or on
 * SIGTERM.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <signal.h>
#include <stdio.h>

#include "core/wire/display.h"
#include "core/wire/link.h"
#include "film.h"
#include "gst-plugins/elements.h"

typedef struct {
    gint64 time;
    guint32 *screen; /* a copy: comparing takes longer than the next picture may wait */
    gint width, height;
} Seen;

static GAsyncQueue *seen; /* Seen, for the thread that compares */
static GMutex output;

static void say(const char *what, gint64 time, const char *rest)
{
    g_mutex_lock(&output);
    printf("%s %" G_GINT64_FORMAT " %s\n", what, time, rest);
    g_mutex_unlock(&output);
}

/** Keeps what is needed of a picture: the screen, of which only some rows are looked at. */
static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
    Seen picture = {.time = g_get_monotonic_time()};
    GstVideoInfo info;
    GstVideoFrame frame;
    gint y;

    if (!caps || !gst_video_info_from_caps(&info, caps) || info.width < FILM_X + FILM_WIDTH ||
        info.height < FILM_Y + FILM_HEIGHT ||
        !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
        return;
    picture.width = info.width;
    picture.height = FILM_Y + FILM_HEIGHT;
    picture.screen = g_malloc((gsize)picture.width * (gsize)picture.height * 4);
    for (y = 0; y < picture.height; y++)
        memcpy(picture.screen + y * picture.width,
               (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                   (gsize)y * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0),
               (gsize)picture.width * 4);
    gst_video_frame_unmap(&frame);
    g_async_queue_push(seen, g_memdup2(&picture, sizeof picture));
}

/** Looks for what is new. */
static gpointer compare(gpointer data)
{
    gint shown = -1;
    gboolean exact = FALSE;
    guint letters = 0;
    Seen *picture;

    while ((picture = g_async_queue_pop(seen))->screen) {
        const guint32 *film = picture->screen + FILM_Y * picture->width + FILM_X;
        const gint number = film_number(film, picture->width);
        char rest[64];

        while (letters < MAX_LETTERS && letter_is_there(picture->screen, picture->width, letters)) {
            g_snprintf(rest, sizeof rest, "%u", letters++);
            say("letter", picture->time, rest);
        }
        if (number >= 0 && (number != shown || !exact)) {
            const double quality = film_psnr(film, picture->width, (guint)number);

            exact = quality == 99;
            if (number != shown && quality > 12) { /* else a white screen reads as a number */
                shown = number;
                g_snprintf(rest, sizeof rest, "%d %.2f", number, quality);
                say("frame", picture->time, rest);
            }
            if (exact) {
                g_snprintf(rest, sizeof rest, "%d", number);
                say("exact", picture->time, rest);
            }
        }
        g_free(picture->screen);
        g_free(picture);
    }
    g_free(picture);
    return NULL;
}

/** A message of the display channel. */
static GstPadProbeReturn on_message(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    const gint64 now = g_get_monotonic_time();
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    guint8 bytes[SPICE_MINI_DATA_HEADER_SIZE];
    char size[32];

    if (gst_buffer_extract(buffer, 0, bytes, sizeof bytes) < sizeof bytes)
        return GST_PAD_PROBE_OK;
    g_snprintf(size, sizeof size, "%" G_GSIZE_FORMAT, gst_buffer_get_size(buffer));
    switch (GST_READ_UINT16_LE(bytes)) {
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        say("create", now, size);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DATA:
    case SPICE_MSG_DISPLAY_STREAM_DATA_SIZED:
        say("data", now, size);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        say("destroy", now, size);
        break;
    default:
        break;
    }
    return GST_PAD_PROBE_OK;
}

static void on_element(GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
    GstPad *pad;

    if (g_strcmp0(G_OBJECT_TYPE_NAME(element), "GstSpiceChannelSrc") != 0)
        return;
    pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_message, NULL, NULL);
    gst_object_unref(pad);
}

int main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GThread) thread = NULL;
    g_autoptr(GstBus) bus = NULL;
    g_autoptr(GstMessage) message = NULL;
    GstElement *pipeline, *element;

    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    film_prepare();
    seen = g_async_queue_new();
    thread = g_thread_ref(g_thread_new("compare", compare, NULL));
    pipeline = gst_parse_launch("spicesrc name=source source.display_0 ! fakesink name=picture "
                                "signal-handoffs=true sync=false async=false",
                                NULL);
    g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(on_element), NULL);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_object_set(element, "location", argv[1], NULL);
    gst_object_unref(element);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "picture");
    g_signal_connect(element, "handoff", G_CALLBACK(on_picture), NULL);
    gst_object_unref(element);
    bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message =
        gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_async_queue_push(seen, g_new0(Seen, 1));
    g_thread_join(g_steal_pointer(&thread));
    gst_object_unref(pipeline);
    return 0;
}
