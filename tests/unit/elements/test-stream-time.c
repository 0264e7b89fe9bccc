/* spicedisplaydec: stream frames are seen at their time, and what was sent after them is not painted over
 * by them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <string.h>

#include "../tap.h"
#include "core/image/jpeg.h"
#include "core/wire/display.h"
#include "gst-plugins/audio/media-time-meta.h"
#include "gst-plugins/elements.h"
#include "session/media-clock.h"

enum { SIDE = 64, STREAM = 7 };
enum { RED = 0xff0000, GREEN = 0x00ff00, BLUE = 0x0000ff };

typedef struct {
    GstHarness *h;
    GstSpiceSession *session;
    guint32 mm;
} Viewer;

static void push(Viewer *self, guint16 type, const void *body, gsize size, gint64 media_time)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 6 + size, NULL);
    const guint8 header[6] = {(guint8)type, (guint8)(type >> 8), (guint8)size, (guint8)(size >> 8),
                              (guint8)(size >> 16)};

    gst_buffer_fill(buffer, 0, header, 6);
    gst_buffer_fill(buffer, 6, body, size);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    if (media_time >= 0)
        gst_spice_buffer_set_media_time(buffer, media_time);
    gst_harness_push(self->h, buffer);
}

static void put32(guint8 *at, guint32 value)
{
    at[0] = (guint8)value;
    at[1] = (guint8)(value >> 8);
    at[2] = (guint8)(value >> 16);
    at[3] = (guint8)(value >> 24);
}

static void create_stream(Viewer *self)
{
    guint8 body[51] = {0};

    put32(body + 4, STREAM);
    body[8] = SPICE_STREAM_FLAGS_TOP_DOWN;
    body[9] = SPICE_VIDEO_CODEC_TYPE_MJPEG;
    put32(body + 18, SIDE);
    put32(body + 22, SIDE);
    put32(body + 26, SIDE);
    put32(body + 30, SIDE);
    put32(body + 42, SIDE); /* bottom, right of the destination */
    put32(body + 46, SIDE);
    push(self, SPICE_MSG_DISPLAY_STREAM_CREATE, body, sizeof body, -1);
}

/** With a surface that is shown, a stream over all of it, and sound that takes `latency_us` to be heard. */
static Viewer begin(gint64 latency_us, bool stamped)
{
    Viewer self = {.mm = 100000};
    GstElement *decoder = gst_element_factory_make("spicedisplaydec", NULL);
    const guint32 create[5] = {0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 1};

    self.session = gst_spice_session_new();
    g_object_set(decoder, "session", self.session, "timestamps", stamped, NULL);
    self.h = gst_harness_new_with_element(decoder, "sink", "src");
    gst_object_unref(decoder);
    gst_harness_use_systemclock(self.h);
    gst_element_set_base_time(self.h->element,
                              gst_clock_get_time(GST_ELEMENT_CLOCK(self.h->element)));
    gst_harness_set_src_caps_str(self.h, "application/x-spice-display");
    push(&self, SPICE_MSG_DISPLAY_SURFACE_CREATE, create, sizeof create, -1);
    push(&self, SPICE_MSG_DISPLAY_MARK, "", 0, -1);
    gst_buffer_unref(gst_harness_pull(self.h));
    gst_spice_media_clock_set_audio(gst_spice_session_get_media_clock(self.session), latency_us > 0,
                                    latency_us, 0);
    create_stream(&self);
    return self;
}

static GstClockTime running_time(const Viewer *self)
{
    return gst_clock_get_time(GST_ELEMENT_CLOCK(self->h->element)) -
           gst_element_get_base_time(self->h->element);
}

static void end(Viewer *self)
{
    gst_harness_teardown(self->h);
    g_object_unref(self->session);
}

/** A frame of one colour, made now; when it is due. */
static gint64 push_frame(Viewer *self, guint32 colour)
{
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self->session);
    SpiceJpeg *jpeg = spice_jpeg_new(&spice_allocator_libc, 0);
    guint32 pixels[SIDE * SIDE];
    const SpiceJpegSource source = {SPICE_BITMAP_FMT_32BIT, SIDE, SIDE, (guint8 *)pixels, SIDE * 4};
    guint8 body[12 + 4096];
    const gint64 now = g_get_monotonic_time();
    gint64 stream_us;
    gsize size;

    for (guint i = 0; i < SIDE * SIDE; i++)
        pixels[i] = colour;
    size = spice_jpeg_encode(jpeg, &source, 90, body + 12, sizeof body - 12);
    spice_jpeg_free(jpeg);
    self->mm += 40;
    put32(body, STREAM);
    put32(body + 4, self->mm);
    put32(body + 8, (guint32)size);
    stream_us = gst_spice_media_clock_take(clock, SPICE_MEDIA_VIDEO, self->mm, 0, now, NULL);
    push(self, SPICE_MSG_DISPLAY_STREAM_DATA, body, 12 + size, stream_us);
    return gst_spice_media_clock_get_due(clock, SPICE_MEDIA_VIDEO, stream_us, now);
}

static void fill(Viewer *self, guint32 side, guint32 colour)
{
    guint8 body[4 + 16 + 1 + 5 + 2 + 13] = {0};

    put32(body + 12, side); /* bottom, right */
    put32(body + 16, side);
    body[21] = SPICE_BRUSH_TYPE_SOLID;
    put32(body + 22, colour);
    body[26] = SPICE_ROPD_OP_PUT;
    push(self, SPICE_MSG_DISPLAY_DRAW_FILL, body, sizeof body, -1);
}

/** Whether a pixel is of a colour, as JPEG has it. */
static bool is_colour(GstBuffer *frame, guint x, guint y, guint32 colour)
{
    guint8 bgrx[4];

    gst_buffer_extract(frame, (gsize)(y * SIDE + x) * 4, bgrx, 4);
    for (guint i = 0; i < 3; i++)
        if (ABS((gint)bgrx[i] - (gint)(colour >> 8 * i & 0xff)) > 12)
            return false;
    return true;
}

static void test_without_sound(void)
{
    Viewer self = begin(0, false);
    GstBuffer *frame;

    push_frame(&self, RED);
    frame = gst_harness_try_pull(self.h);
    TAP_OK(frame && is_colour(frame, 9, 9, RED), "without sound a frame is shown as it comes");
    gst_clear_buffer(&frame);
    end(&self);
}

static void test_decoding_counts(void)
{
    Viewer self = begin(0, false);
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self.session);
    const gint64 later = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    guint i;

    for (i = 0; i < 10; i++)
        push_frame(&self, RED);
    TAP_OK(gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_VIDEO, later) > 0,
           "frames are due later by what decoding them takes (%d us)",
           (int)gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_VIDEO, later));
    end(&self);
}

static void test_with_sound(void)
{
    Viewer self = begin(450000, false);
    GstBuffer *frame;
    gint64 due, shown;

    due = push_frame(&self, RED);
    frame = gst_harness_try_pull(self.h);
    TAP_OK(!frame, "with sound a frame waits for it");
    gst_clear_buffer(&frame);
    frame = gst_harness_pull(self.h);
    shown = g_get_monotonic_time();
    TAP_OK(frame && is_colour(frame, 9, 9, RED) && shown >= due - 2000,
           "and is shown at its time (%d us later)", (int)(shown - due));
    gst_clear_buffer(&frame);
    end(&self);
}

static void test_several(void)
{
    Viewer self = begin(450000, false);
    GstBuffer *frame = NULL;
    gint64 due = 0;

    push_frame(&self, RED);
    push_frame(&self, GREEN);
    due = push_frame(&self, BLUE);
    do {
        gst_clear_buffer(&frame);
        frame = gst_harness_pull(self.h);
    } while (frame && !is_colour(frame, 9, 9, BLUE));
    TAP_OK(frame && g_get_monotonic_time() >= due - 2000, "the last of several comes last");
    gst_clear_buffer(&frame);
    end(&self);
}

static void test_draw_after_frame(void)
{
    Viewer self = begin(450000, false);
    GstBuffer *frame, *later;

    push_frame(&self, RED);
    fill(&self, SIDE / 2, GREEN);
    frame = gst_harness_try_pull(self.h);
    TAP_OK(frame && is_colour(frame, 5, 5, GREEN) && is_colour(frame, SIDE - 5, SIDE - 5, RED),
           "a draw over a frame that waits has it painted first");
    gst_clear_buffer(&frame);
    push_frame(&self, BLUE);
    push(&self, SPICE_MSG_DISPLAY_STREAM_DESTROY, "\7\0\0", 4, -1);
    frame = gst_harness_try_pull(self.h);
    later = gst_harness_try_pull(self.h);
    TAP_OK(frame && !later && is_colour(frame, 5, 5, BLUE), "and so has the end of its stream");
    gst_clear_buffer(&frame);
    end(&self);
}

static void test_ends(void)
{
    Viewer self = begin(450000, false);
    GstBuffer *frame;

    push_frame(&self, RED);
    gst_harness_push_event(self.h, gst_event_new_eos());
    frame = gst_harness_try_pull(self.h);
    TAP_OK(frame && is_colour(frame, 9, 9, RED), "at the end nothing waits");
    gst_clear_buffer(&frame);
    end(&self);

    self = begin(450000, false);
    push_frame(&self, RED);
    end(&self); /* with a frame that waits */
    TAP_OK(true, "it can be stopped while one waits");
}

static void test_many(void)
{
    Viewer self = begin(450000, false);
    GstBuffer *frame;
    guint n = 0;

    for (guint i = 0; i < 200; i++)
        push_frame(&self, i % 2 ? RED : GREEN);
    while ((frame = gst_harness_try_pull(self.h))) {
        gst_buffer_unref(frame);
        n++;
    }
    TAP_OK(n > 100, "of too many the oldest do not wait (%u of 200)", n);
    end(&self);
}

/** Pushes a frame; whether its timestamp says that it is seen after 40 ms, less `latency`. */
static bool is_stamped(Viewer *self, guint32 colour, GstClockTime latency, GstClockTime *stamp)
{
    const GstClockTime headroom = 40 * GST_MSECOND;
    const GstClockTime before = running_time(self);
    GstBuffer *frame;

    push_frame(self, colour);
    frame = gst_harness_pull(self->h);
    *stamp = GST_BUFFER_PTS(frame);
    gst_buffer_unref(frame);
    return *stamp + latency >= before + headroom &&
           *stamp + latency <= running_time(self) + headroom;
}

static void test_stamps(void)
{
    Viewer self = begin(0, true);
    GstClockTime first, stamp;

    TAP_OK(gst_harness_query_latency(self.h) == 40 * GST_MSECOND, "stamped frames may take 40 ms");
    TAP_OK(is_stamped(&self, RED, 0, &first), "they bear the time at which they are seen");
    gst_harness_push_upstream_event(self.h, gst_event_new_latency(GST_SECOND * 1000));
    is_stamped(&self, GREEN, 0, &stamp);
    TAP_OK(stamp == first, "never one less than that of the last");
    gst_harness_push_upstream_event(self.h, gst_event_new_latency(240 * GST_MSECOND));
    g_usleep(400000);
    TAP_OK(is_stamped(&self, BLUE, 240 * GST_MSECOND, &stamp),
           "less the latency, as the sound's timestamps are");
    end(&self);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    test_without_sound();
    test_decoding_counts();
    test_with_sound();
    test_several();
    test_draw_after_frame();
    test_ends();
    test_many();
    test_stamps();
    return tap_done();
}
