/* When a picture turns bright or dark, which number a clapper's picture shows, and when sound begins:
 *
 *     lipsync URI SECONDS    of a session, as it is seen and heard
 *     lipsync URI SECONDS VIDEO AUDIO    the same, with these sinks: a picture is seen when its sink
 *                            gets it, a tone heard when the clock of the sound's sink has come to it
 *     lipsync FILE           of a recording, by its timestamps
 *
 * Prints "video US 0|1" when the middle of the picture has turned dark or bright, "count US N" when a
 * number (clapper.h) has come, "audio US" when a tone begins after silence, all in microseconds,
 * monotonic or of the file, and at the end "stream-frames N" and "sound-late N of N" of a session, packets that
 * came more than 20 ms too late, and "picture-end US" and "sound-end US" of a recording. "stall US" says when a thread that sleeps for 5 ms was woken much later: the
 * machine is busy.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "clapper.h"

#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { NAP_US = 5000, STALL_US = 60000 };
enum { RATE = 48000, LOUD = 3000, SILENCE_SAMPLES = RATE / 5 };

#define BY_TIME "fakesink signal-handoffs=true async=false "

static gboolean is_file;
static gint bright = -1, count = -1;
static guint silent = SILENCE_SAMPLES; /* samples so far */
static gint64 picture_end, sound_end;

static gint64 time_of(GstBuffer *buffer)
{
    if (!is_file)
        return g_get_monotonic_time();
    return GST_BUFFER_PTS_IS_VALID(buffer) ? (gint64)(GST_BUFFER_PTS(buffer) / GST_USECOND) : 0;
}

static guint8 green_at(const GstVideoFrame *frame, gint x, gint y)
{
    if (x >= GST_VIDEO_FRAME_WIDTH(frame) || y >= GST_VIDEO_FRAME_HEIGHT(frame))
        return 128;
    return ((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(
        frame, 0))[y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0) + x * 4 + 1];
}

static gboolean is_bright(const GstVideoFrame *frame)
{
    const gint x = GST_VIDEO_FRAME_WIDTH(frame) / 2, y = GST_VIDEO_FRAME_HEIGHT(frame) / 2;
    guint sum = 0;
    gint i;

    for (i = -32; i < 32; i++)
        sum += green_at(frame, x + i, y + i);
    return sum / 64 > 128;
}

/** The number that is shown; -1: none. */
static gint number_of(const GstVideoFrame *frame)
{
    gint number = 0, bit;

    for (bit = 0; bit < CLAPPER_BITS; bit++) {
        const guint8 value =
            green_at(frame, CLAPPER_X(bit) + CLAPPER_SIDE / 2, CLAPPER_Y + CLAPPER_SIDE / 2);

        if (value > 50 && value < 205)
            return -1;
        number |= (value >= 205) << bit;
    }
    return number;
}

static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    const gint64 now = time_of(buffer);
    GstCaps *caps = gst_pad_get_current_caps(pad);
    GstVideoInfo info;
    GstVideoFrame frame;
    gint turned, number;

    if (!caps || !gst_video_info_from_caps(&info, caps) ||
        !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
        return;
    turned = is_bright(&frame);
    number = number_of(&frame);
    gst_video_frame_unmap(&frame);
    gst_caps_unref(caps);
    if (turned != bright)
        printf("video %" G_GINT64_FORMAT " %d\n", now, turned);
    bright = turned;
    if (number >= 0 && number != count) {
        printf("count %" G_GINT64_FORMAT " %d\n", now, number);
        count = number;
    }
    picture_end = now;
}

/** Comes when the first of the samples is heard. */
static void on_sound(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    const gint64 now = time_of(buffer);
    GstMapInfo map;
    gsize i;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    for (i = 0; i < map.size / 4; i++) {
        const gint16 value = ((const gint16 *)(gconstpointer)map.data)[2 * i];

        if (ABS((gint)value) < LOUD) {
            silent++;
        } else {
            if (silent >= SILENCE_SAMPLES)
                printf("audio %" G_GINT64_FORMAT "\n", now + (gint64)(i * 1000000 / RATE));
            silent = 0;
        }
    }
    gst_buffer_unmap(buffer, &map);
    sound_end = now + (gint64)(map.size / 4 * 1000000 / RATE);
}

/* Sinks that play */

static GMutex lock;
static GQueue tones = G_QUEUE_INIT; /* guint64: running times at which one begins; under lock */

static GstPadProbeReturn on_real_picture(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    on_picture(NULL, GST_PAD_PROBE_INFO_BUFFER(info), pad, NULL);
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_real_sound(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const GstSegment *segment;
    GstClockTime begins;
    GstMapInfo map;
    gsize i;

    if (!event || !GST_BUFFER_PTS_IS_VALID(buffer) || !gst_buffer_map(buffer, &map, GST_MAP_READ))
        return GST_PAD_PROBE_OK;
    gst_event_parse_segment(event, &segment);
    begins = gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    for (i = 0; i < map.size / 4; i++) {
        const gint16 value = ((const gint16 *)(gconstpointer)map.data)[2 * i];

        if (ABS((gint)value) < LOUD) {
            silent++;
            continue;
        }
        if (silent >= SILENCE_SAMPLES) {
            const guint64 tone = begins + i * GST_SECOND / RATE;

            g_mutex_lock(&lock);
            g_queue_push_tail(&tones, g_memdup2(&tone, sizeof tone));
            g_mutex_unlock(&lock);
        }
        silent = 0;
    }
    gst_buffer_unmap(buffer, &map);
    gst_event_unref(event);
    return GST_PAD_PROBE_OK;
}

/** Says when a tone is heard, by the clock that the sound's sink provides. */
static gpointer listen(gpointer data)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(data), "sound");

    for (;; g_usleep(1000)) {
        GstClock *clock = gst_element_get_clock(data);
        const GstClockTime latency = gst_base_sink_get_latency(GST_BASE_SINK(sink));
        const gint64 now = g_get_monotonic_time();
        GstClockTime played;

        if (!clock)
            continue;
        played = gst_clock_get_time(clock) - gst_element_get_base_time(data);
        gst_object_unref(clock);
        g_mutex_lock(&lock);
        while (!g_queue_is_empty(&tones) &&
               *(guint64 *)g_queue_peek_head(&tones) + latency <= played) {
            printf("audio %" G_GINT64_FORMAT "\n", now);
            g_free(g_queue_pop_head(&tones));
        }
        g_mutex_unlock(&lock);
    }
    return NULL;
}

static GstElement *make_real_session(const char *uri, const char *video, const char *audio)
{
    g_autofree char *line = g_strdup_printf(
        "spicesrc name=source source.display_0 ! videoconvert ! video/x-raw,format=BGRx ! "
        "%s name=picture source.audio ! audioconvert ! audioresample ! "
        "audio/x-raw,format=S16LE,channels=2,rate=48000 ! %s name=sound",
        video, audio);
    GstElement *pipeline = gst_parse_launch(line, NULL);
    GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");

    g_object_set(source, "location", uri, NULL);
    gst_object_unref(source);
    return pipeline;
}

static void probe(GstElement *pipeline, const char *name, GstPadProbeCallback handler)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name);
    GstPad *pad = gst_element_get_static_pad(sink, "sink");

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, handler, NULL, NULL);
    gst_object_unref(pad);
    gst_object_unref(sink);
}

static void count_frames(const GValue *item, gpointer data)
{
    GstElement *element = g_value_get_object(item);
    GstStructure *stats = NULL;
    guint64 frames = 0;

    if (g_strcmp0(G_OBJECT_TYPE_NAME(element), "GstSpiceDisplayDec") != 0)
        return;
    g_object_get(element, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "stream-frames", &frames);
    printf("stream-frames %" G_GUINT64_FORMAT "\n", frames);
    gst_structure_free(stats);
}

static void print_late(GstElement *pipeline)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sound");
    GstStructure *stats = NULL;
    guint64 rendered = 0, dropped = 0;

    g_object_get(sink, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "rendered", &rendered);
    gst_structure_get_uint64(stats, "dropped", &dropped);
    printf("sound-late %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "\n", dropped,
           rendered + dropped);
    gst_structure_free(stats);
    gst_object_unref(sink);
}

static void recalculate_latency(GstElement *pipeline, gpointer data)
{
    gst_bin_recalculate_latency(GST_BIN(pipeline));
}

/** As every application has to. */
static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer pipeline)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY)
        gst_element_call_async(pipeline, recalculate_latency, NULL, NULL);
    return GST_BUS_PASS;
}

static GstElement *make_session(const char *uri)
{
    GstElement *pipeline = gst_parse_launch(
        "spicesrc name=source source.display_0 ! " BY_TIME "name=picture sync=false source.audio ! "
        "audio/x-raw,rate=48000 ! " BY_TIME "name=sound sync=true max-lateness=20000000",
        NULL);
    GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");

    g_object_set(source, "location", uri, NULL);
    gst_object_unref(source);
    return pipeline;
}

static GstElement *make_recording(const char *path)
{
    GstElement *pipeline =
        gst_parse_launch("filesrc name=source ! decodebin name=file file. ! queue ! videoconvert ! "
                         "video/x-raw,format=BGRx ! " BY_TIME
                         "name=picture sync=false file. ! queue ! audioconvert ! "
                         "audioresample ! audio/x-raw,format=S16LE,channels=2,rate=48000 ! " BY_TIME
                         "name=sound sync=false",
                         NULL);
    GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");

    g_object_set(source, "location", path, NULL);
    gst_object_unref(source);
    return pipeline;
}

static void watch(GstElement *pipeline, const char *name, GCallback handler)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name);

    g_signal_connect(sink, "handoff", handler, NULL);
    gst_object_unref(sink);
}

/** Until the time has passed, or it ends by itself; 1: by an error. */
static int run(GstElement *pipeline, GstClockTime length)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message;
    int status = 0;

    gst_bus_set_sync_handler(bus, on_message, pipeline, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, length, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError *error = NULL;

        gst_message_parse_error(message, &error, NULL);
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
        status = 1;
    }
    g_clear_pointer(&message, gst_message_unref);
    gst_object_unref(bus);
    return status;
}

static gpointer look_for_stalls(gpointer data)
{
    gint64 last = g_get_monotonic_time(), now;

    for (;; last = now) {
        g_usleep(NAP_US);
        now = g_get_monotonic_time();
        if (now - last > STALL_US)
            printf("stall %" G_GINT64_FORMAT "\n", now);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    GstElement *pipeline;
    GstBus *bus;
    int status;

    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    if (argc != 2 && argc != 3 && argc != 5)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    is_file = argc == 2;
    if (argc == 5) {
        pipeline = make_real_session(argv[1], argv[3], argv[4]);
        probe(pipeline, "picture", on_real_picture);
        probe(pipeline, "sound", on_real_sound);
        g_thread_unref(g_thread_new("listen", listen, gst_object_ref(pipeline)));
    } else {
        pipeline = is_file ? make_recording(argv[1]) : make_session(argv[1]);
        watch(pipeline, "picture", G_CALLBACK(on_picture));
        watch(pipeline, "sound", G_CALLBACK(on_sound));
    }
    if (!is_file)
        g_thread_unref(g_thread_new("stalls", look_for_stalls, NULL));
    status = run(pipeline, is_file ? GST_CLOCK_TIME_NONE : (GstClockTime)(atof(argv[2]) * 1e9));
    if (!is_file) {
        GstIterator *elements = gst_bin_iterate_recurse(GST_BIN(pipeline));

        gst_iterator_foreach(elements, count_frames, NULL);
        gst_iterator_free(elements);
        if (argc == 3)
            print_late(pipeline);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    if (is_file)
        printf("picture-end %" G_GINT64_FORMAT "\nsound-end %" G_GINT64_FORMAT "\n", picture_end,
               sound_end);
    bus = gst_element_get_bus(pipeline);
    gst_bus_set_sync_handler(bus, NULL, NULL, NULL);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
    return status;
}
