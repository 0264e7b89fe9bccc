/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "painter-streams.h"

#include <string.h>

#include "core/canvas/draw.h"
#include "core/image/jpeg.h"
#include "gst-plugins/video/video-decoder.h"
#include "session/cpu.h"
#include "timed-frames.h"

GST_DEBUG_CATEGORY_STATIC(spicepainterstreams_debug);
#define GST_CAT_DEFAULT spicepainterstreams_debug

/* So many frames in a row that came too late are reported at once. */
enum { LATE_IN_A_ROW = 3 };
/* Less than that is not waited for: waking up is not more exact. */
enum { SOON_US = 2000 };

/* A unit of a stream's as it was sent. */
typedef struct {
    guint32 id, time, width, height;
    SpiceRect dest;
    SpiceBytes data;
    gint64 since_us; /* monotonic: when it was taken */
} Unit;

/* Decoders may show a unit at a later call, but not later than that. */
enum { MAX_AGE = 16 };

typedef struct {
    GstSpiceVideoDecoder *decoder; /* NULL: none yet, or it is MJPEG */
    Unit recent[MAX_AGE];          /* without their data, by n_units % MAX_AGE */
    guint n_units;
    gboolean cannot;  /* there is no decoder, and the server was told */
    gboolean reports; /* the server wants to be told how frames arrive */
    guint32 unique_id, window, timeout_ms;
    SpiceMsgcDisplayStreamReport report; /* the one that is being filled */
    gint64 report_since;                 /* monotonic */
    guint late;                          /* in a row */
} Stream;

struct GstSpicePainterStreams {
    const GstSpiceDisplayPainterEvents *events;
    gpointer user_data;
    SpiceJpeg *jpeg; /* of all MJPEG streams */
    GstSpiceTimedFrames *waiting;
    Stream streams[SPICE_MAX_STREAMS];
    GstSpicePainterStreamsStats stats;
};

GstSpicePainterStreams *gst_spice_painter_streams_new(const GstSpiceDisplayPainterEvents *events,
                                                      gpointer user_data)
{
    GstSpicePainterStreams *self = g_new0(GstSpicePainterStreams, 1);

    GST_DEBUG_CATEGORY_INIT(spicepainterstreams_debug, "spicepainterstreams", 0,
                            "SPICE video streams");
    self->events = events;
    self->user_data = user_data;
    self->waiting = gst_spice_timed_frames_new();
    self->jpeg = spice_jpeg_new(&spice_allocator_libc, gst_spice_cpu_flags());
    if (!self->jpeg)
        g_clear_pointer(&self, gst_spice_painter_streams_free);
    return self;
}

static void forget(Stream *stream)
{
    gst_spice_video_decoder_free(stream->decoder);
    *stream = (Stream){0};
}

void gst_spice_painter_streams_free(GstSpicePainterStreams *self)
{
    guint i;

    if (!self)
        return;
    for (i = 0; i < G_N_ELEMENTS(self->streams); i++)
        forget(&self->streams[i]);
    gst_spice_timed_frames_free(self->waiting);
    spice_jpeg_free(self->jpeg);
    g_free(self);
}

/* Reports */

static void send_report(GstSpicePainterStreams *self, Stream *stream)
{
    self->stats.reports++;
    self->events->send(SPICE_MSGC_DISPLAY_STREAM_REPORT, &stream->report, self->user_data);
    stream->report.num_frames = stream->report.num_drops = 0;
    stream->late = 0;
}

/** Tells the server, once, that a stream is in vain: it then goes on without. */
static void report_impossible(GstSpicePainterStreams *self, Stream *stream, guint32 id)
{
    if (!stream->cannot && stream->reports) {
        stream->report = (SpiceMsgcDisplayStreamReport){
            .stream_id = id, .unique_id = stream->unique_id, .num_drops = G_MAXUINT32};
        send_report(self, stream);
    }
    stream->cannot = TRUE;
}

/** Counts a frame as it came. Servers of the field want to hear of it by their own clock, as it was
 * told: how much there was left until it was to be shown. */
static void count_arrival(GstSpicePainterStreams *self, Stream *stream, guint32 id,
                          guint32 frame_time)
{
    const gint64 now = g_get_monotonic_time();
    const gint32 margin = (gint32)(frame_time - self->events->mm_time(self->user_data));
    SpiceMsgcDisplayStreamReport *report = &stream->report;

    if (!stream->reports || stream->cannot)
        return;
    if (report->num_frames == 0) {
        report->stream_id = id;
        report->unique_id = stream->unique_id;
        report->start_frame_mm_time = frame_time;
        stream->report_since = now;
    }
    report->num_frames++;
    report->end_frame_mm_time = frame_time;
    report->last_frame_delay = margin;
    report->audio_delay = G_MAXUINT32; /* none plays */
    stream->late = margin < 0 ? stream->late + 1 : 0;
    report->num_drops += margin < 0;
    if (report->num_frames >= stream->window || stream->late >= LATE_IN_A_ROW ||
        now - stream->report_since >= (gint64)stream->timeout_ms * 1000)
        send_report(self, stream);
}

void gst_spice_painter_streams_follow(GstSpicePainterStreams *self, guint16 type,
                                      const void *message)
{
    const SpiceMsgDisplayStreamActivateReport *activate = message;
    guint i;

    switch (type) {
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        i = ((const SpiceMsgDisplayStreamCreate *)message)->id;
        if (i < G_N_ELEMENTS(self->streams))
            forget(&self->streams[i]);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        i = ((const SpiceMsgDisplayStreamDestroy *)message)->id;
        if (i < G_N_ELEMENTS(self->streams))
            forget(&self->streams[i]);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL:
        for (i = 0; i < G_N_ELEMENTS(self->streams); i++)
            forget(&self->streams[i]);
        break;
    case SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT:
        if (activate->stream_id >= G_N_ELEMENTS(self->streams))
            break;
        self->streams[activate->stream_id].reports = TRUE;
        self->streams[activate->stream_id].unique_id = activate->unique_id;
        self->streams[activate->stream_id].window = activate->max_window_size;
        self->streams[activate->stream_id].timeout_ms = activate->timeout_ms;
        self->streams[activate->stream_id].report = (SpiceMsgcDisplayStreamReport){0};
        break;
    default:
        break;
    }
}

/* Frames */

/** Of an MJPEG stream, which is as large as it was said. */
static SpicePicture *decode_mjpeg(GstSpicePainterStreams *self, SpiceBytes data, guint32 width,
                                  guint32 height, SpiceError *error)
{
    SpicePicture *picture =
        spice_picture_create(&spice_allocator_libc, PIXMAN_x8r8g8b8, width, height, error);

    if (picture && spice_jpeg_decode(self->jpeg, data.data, data.size, width, height,
                                     picture->pixels.data, picture->pixels.stride, error))
        return picture;
    spice_picture_unref(picture);
    return NULL;
}

static Unit unit_of(guint16 type, const void *message, const SpiceReceiver *receiver)
{
    const SpiceMsgDisplayStreamData *data = message;
    const SpiceMsgDisplayStreamDataSized *sized = message;
    const SpiceReceiverStream *stream;

    if (type == SPICE_MSG_DISPLAY_STREAM_DATA_SIZED)
        return (Unit){sized->id,  sized->multi_media_time, sized->width, sized->height, sized->dest,
                      sized->data};
    stream = spice_receiver_stream(receiver, data->id);
    return (Unit){data->id,
                  data->multi_media_time,
                  stream ? stream->width : 0,
                  stream ? stream->height : 0,
                  stream ? stream->dest : (SpiceRect){0},
                  data->data};
}

typedef enum { LOST, WAITS, PAINTED } Outcome;

static SpicePicture *copy_picture(const SpicePixels *pixels)
{
    SpiceError error = {0};
    SpicePicture *copy =
        spice_picture_create(&spice_allocator_libc, pixels->format, (guint32)pixels->width,
                             (guint32)pixels->height, &error);
    const gsize row = ((gsize)pixels->width * (gsize)spice_pixels_bits(pixels) + 7) / 8;
    gint32 y;

    for (y = 0; copy && y < pixels->height; y++)
        memcpy(spice_pixels_row(&copy->pixels, y), spice_pixels_row(pixels, y), row);
    return copy;
}

/** Paints a decoded frame, or has it wait. `before_ms`: so long before the unit that just came it is
 * to be shown. `picture`: what its pixels lie in, or NULL. */
static Outcome show(GstSpicePainterStreams *self, SpiceReceiver *receiver, const Unit *unit,
                    const SpicePixels *pixels, guint32 before_ms, SpicePicture *picture,
                    SpiceReceiverResult *result)
{
    gint64 due_us;
    GstSpiceTimedFrame frame = {unit->id, unit->dest, NULL, 0};

    self->events->decoded(g_get_monotonic_time() - unit->since_us, self->user_data);
    due_us = self->events->due(self->user_data);
    if (due_us != 0)
        due_us -= (gint64)before_ms * 1000;
    frame.due_us = due_us;
    if (due_us > g_get_monotonic_time() + SOON_US)
        frame.picture = picture ? spice_picture_ref(picture) : copy_picture(pixels);
    if (frame.picture) {
        gst_spice_timed_frames_add(self->waiting, &frame);
        return WAITS;
    }
    GST_LOG("stream %u: due for %" G_GINT64_FORMAT " us", unit->id,
            due_us ? g_get_monotonic_time() - due_us : 0);
    spice_receiver_paint_frame(receiver, unit->id, pixels, &unit->dest, result);
    return PAINTED;
}

static Outcome paint_mjpeg(GstSpicePainterStreams *self, SpiceReceiver *receiver, const Unit *unit,
                           SpiceReceiverResult *result)
{
    Outcome outcome;

    SpiceError error = {0};
    SpicePicture *picture = decode_mjpeg(self, unit->data, unit->width, unit->height, &error);

    if (!picture) {
        GST_INFO("frame of stream %u left out: %s %s", unit->id, error.field,
                 spice_error_phrase(error.code));
        return LOST;
    }
    outcome = show(self, receiver, unit, &picture->pixels, 0, picture, result);
    spice_picture_unref(picture);
    return outcome;
}

static Outcome paint_decoded(GstSpicePainterStreams *self, SpiceReceiver *receiver, guint8 codec,
                             const Unit *unit, SpiceReceiverResult *result)
{
    Stream *stream = &self->streams[unit->id];
    SpicePixels picture;
    Unit shown;
    guint age;

    if (!stream->decoder && !stream->cannot) {
        stream->decoder = gst_spice_video_decoder_new(codec);
        if (!stream->decoder)
            report_impossible(self, stream, unit->id);
    }
    if (!stream->decoder)
        return LOST;
    stream->recent[stream->n_units % MAX_AGE] = *unit;
    stream->recent[stream->n_units++ % MAX_AGE].data = (SpiceBytes){0};
    if (!gst_spice_video_decoder_decode(stream->decoder, unit->data, unit->width, unit->height,
                                        &picture, &age))
        return LOST;
    if (age >= MIN(stream->n_units, MAX_AGE))
        age = 0;
    shown = stream->recent[(stream->n_units - 1 - age) % MAX_AGE];
    return show(self, receiver, &shown, &picture, unit->time - shown.time, NULL, result);
}

gboolean gst_spice_painter_streams_paint(GstSpicePainterStreams *self, SpiceReceiver *receiver,
                                         guint16 type, const void *message,
                                         SpiceReceiverResult *result)
{
    Unit unit = unit_of(type, message, receiver);
    const SpiceReceiverStream *stream = spice_receiver_stream(receiver, unit.id);
    Outcome outcome;

    if (!stream)
        return FALSE;
    unit.since_us = g_get_monotonic_time();
    count_arrival(self, &self->streams[unit.id], unit.id, unit.time);
    outcome = stream->codec == SPICE_VIDEO_CODEC_TYPE_MJPEG
                  ? paint_mjpeg(self, receiver, &unit, result)
                  : paint_decoded(self, receiver, stream->codec, &unit, result);
    if (outcome == LOST)
        self->stats.lost++;
    else
        self->stats.painted++;
    return outcome == PAINTED;
}

/* Frames that wait */

static void paint_waiting(SpiceReceiver *receiver, const GstSpiceTimedFrame *frame,
                          SpiceReceiverResult *result)
{
    GST_LOG("stream %u: waited, due for %" G_GINT64_FORMAT " us", frame->stream,
            g_get_monotonic_time() - frame->due_us);
    spice_receiver_paint_frame(receiver, frame->stream, &frame->picture->pixels, &frame->dest,
                               result);
    spice_picture_unref(frame->picture);
}

gboolean gst_spice_painter_streams_paint_due(GstSpicePainterStreams *self, SpiceReceiver *receiver,
                                             gint64 now_us, SpiceReceiverResult *result)
{
    GstSpiceTimedFrame frame;

    if (!gst_spice_timed_frames_take_due(self->waiting, now_us, &frame))
        return FALSE;
    paint_waiting(receiver, &frame, result);
    return TRUE;
}

gboolean gst_spice_painter_streams_paint_before(GstSpicePainterStreams *self,
                                                SpiceReceiver *receiver, guint16 type,
                                                const void *message, SpiceReceiverResult *result)
{
    GstSpiceTimedFrame frame;
    const SpiceRect *box = NULL;
    gint64 stream = -1;

    if (gst_spice_timed_frames_get_due(self->waiting) == 0)
        return FALSE;
    switch (type) {
    case SPICE_MSG_DISPLAY_STREAM_DATA:
    case SPICE_MSG_DISPLAY_STREAM_DATA_SIZED:
    case SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT:
    case SPICE_MSG_DISPLAY_MONITORS_CONFIG:
    case SPICE_MSG_DISPLAY_MARK:
        return FALSE;
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        stream = ((const SpiceMsgDisplayStreamCreate *)message)->id;
        break;
    case SPICE_MSG_DISPLAY_STREAM_CLIP:
        stream = ((const SpiceMsgDisplayStreamClip *)message)->id;
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        stream = ((const SpiceMsgDisplayStreamDestroy *)message)->id;
        break;
    default:
        if ((type >= SPICE_MSG_DISPLAY_DRAW_FILL && type <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
            type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE)
            box = &spice_draw_base(message)->box;
        break;
    }
    if (!gst_spice_timed_frames_take(self->waiting, stream, box, &frame))
        return FALSE;
    paint_waiting(receiver, &frame, result);
    return TRUE;
}

gint64 gst_spice_painter_streams_get_due(const GstSpicePainterStreams *self)
{
    return gst_spice_timed_frames_get_due(self->waiting);
}

GstSpicePainterStreamsStats gst_spice_painter_streams_get_stats(const GstSpicePainterStreams *self)
{
    return self->stats;
}
