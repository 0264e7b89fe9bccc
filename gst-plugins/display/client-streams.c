/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-streams.h"

#include "core/video/rate-control.h"
#include "core/wire/link.h"
#include "gst-plugins/video/video-encoder.h"

GST_DEBUG_CATEGORY_STATIC(spiceclientstreams_debug);
#define GST_CAT_DEFAULT spiceclientstreams_debug

enum { MAX_THREADS = 4 };
/* Bits a second that a link is taken to do before anything is known of it, and within the machine. */
static const guint64 unknown_rate = 10000000, local_rate = 1000000000;

/** A picture to be encoded. */
typedef struct {
    SpiceDrawable *picture; /* a reference; NULL: none */
    guint64 time;
    guint64 number; /* of the stream's frames */
    GstSpiceVideoSettings settings;
} Job;

/** What the streaming thread and the pool share of a stream. */
typedef struct {
    gatomicrefcount refs;
    GstSpiceVideoEncoder *encoder; /* of the one job that runs */
    GMutex lock;
    void (*done)(gpointer user_data); /* under lock; NULL: nobody waits any more */
    gpointer user_data;               /* under lock */
    Job waits;                        /* under lock */
    gboolean works;                   /* under lock: a job of it is on the pool */
    gboolean is_done;                 /* under lock: something came of the last one, or not */
    GBytes *data;                     /* under lock: what did */
    guint64 time, number;             /* under lock: of that picture */
    gboolean half;                    /* under lock: it is half as wide and high */
} Encoding;

typedef struct {
    guint64 generation; /* 0: it does not run */
    Encoding *encoding;
    guint8 codec;
    SpiceRect dest;
    gboolean wants_key;
    guint64 key_frame; /* the last that was taken to be one */
    guint64 taken;     /* frames, so far */
    guint64 overtaken; /* the last of them that is of no use any more */
    SpiceRateControl control;
    guint64 sent; /* bytes */
    /* The last frames: where they end, of all that was sent on the channel and of the stream. A ring. */
    struct {
        guint64 on_channel, of_stream;
    } ends[SPICE_RATE_FLIGHT];
    guint first_end, n_ends;
    guint64 delivered; /* of the stream's bytes */
    gboolean ends_due; /* a frame was taken out, and is sent before anything else happens */
} Stream;

struct GstSpiceClientStreams {
    GstSpiceMediaChannel *channel; /* NULL: none */
    void (*done)(gpointer user_data);
    gpointer user_data;
    guint codecs; /* those that were wanted last, packed */
    Stream streams[SPICE_STREAM_LIMIT];
    GstSpiceClientStreamsStats stats;
};

/* Encoding */

static Encoding *encoding_ref(Encoding *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

static void encoding_unref(Encoding *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    spice_drawable_unref(self->waits.picture);
    g_clear_pointer(&self->data, g_bytes_unref);
    gst_spice_video_encoder_free(self->encoder);
    g_mutex_clear(&self->lock);
    g_free(self);
}

/** Encodes what waits, on the pool; then what waits by then. */
static void work(gpointer data, gpointer user_data)
{
    Encoding *self = data;

    g_mutex_lock(&self->lock);
    while (self->waits.picture && !self->is_done && self->done) {
        const Job job = self->waits;
        const SpiceMsgDisplayDrawCopy *copy = spice_drawable_message(job.picture);
        GBytes *bytes;

        self->waits = (Job){0};
        g_mutex_unlock(&self->lock);
        bytes =
            gst_spice_video_encoder_encode(self->encoder, copy->source, job.time, &job.settings);
        spice_drawable_unref(job.picture);
        g_mutex_lock(&self->lock);
        self->data = bytes;
        self->time = job.time;
        self->number = job.number;
        self->half = job.settings.half;
        self->is_done = TRUE;
        if (self->done)
            self->done(self->user_data);
    }
    self->works = FALSE;
    g_mutex_unlock(&self->lock);
    encoding_unref(self);
}

/** One for all clients of the process. */
static GThreadPool *pool(void)
{
    static gsize once;
    static GThreadPool *threads;

    if (g_once_init_enter(&once)) {
        threads = g_thread_pool_new(work, NULL, (gint)MIN(MAX_THREADS, g_get_num_processors()),
                                    FALSE, NULL);
        g_once_init_leave(&once, 1);
    }
    return threads;
}

/** Has the pool work if there is something to be done; under lock. */
static void start_work(Encoding *self)
{
    if (self->works || !self->waits.picture || self->is_done)
        return;
    self->works = TRUE;
    g_thread_pool_push(pool(), encoding_ref(self), NULL);
}

/** Nobody waits for it any more. */
static void abandon(Encoding *self)
{
    g_mutex_lock(&self->lock);
    self->done = NULL;
    g_mutex_unlock(&self->lock);
    encoding_unref(self);
}

/* Streams */

GstSpiceClientStreams *gst_spice_client_streams_new(GstSpiceMediaChannel *channel,
                                                    void (*done)(gpointer user_data),
                                                    gpointer user_data)
{
    GstSpiceClientStreams *self = g_new0(GstSpiceClientStreams, 1);

    GST_DEBUG_CATEGORY_INIT(spiceclientstreams_debug, "spiceclientstreams", 0,
                            "Video streams of a SPICE server's client");
    self->channel = channel ? gst_spice_media_channel_ref(channel) : NULL;
    self->done = done;
    self->user_data = user_data;
    gst_spice_client_streams_codecs_changed(self);
    return self;
}

void gst_spice_client_streams_free(GstSpiceClientStreams *self)
{
    guint32 id;

    if (!self)
        return;
    for (id = 0; id < SPICE_STREAM_LIMIT; id++)
        gst_spice_client_streams_end(self, id);
    g_clear_pointer(&self->channel, gst_spice_media_channel_unref);
    g_free(self);
}

gboolean gst_spice_client_streams_codecs_changed(GstSpiceClientStreams *self)
{
    const guint before = self->codecs;
    GstSpiceVideoCodecs codecs;

    if (!self->channel)
        return FALSE;
    codecs = gst_spice_media_channel_get_video_codecs(self->channel);
    self->codecs = gst_spice_video_codecs_pack(&codecs);
    return self->codecs != before;
}

/** The first codec of the client's that there is an encoder for. */
static GstSpiceVideoEncoder *choose_encoder(GstSpiceClientStreams *self, guint width, guint height,
                                            guint8 *codec)
{
    const GstSpiceVideoCodecs mjpeg = {1, {SPICE_VIDEO_CODEC_TYPE_MJPEG}};
    const GstSpiceVideoCodecs codecs =
        self->channel ? gst_spice_media_channel_get_video_codecs(self->channel) : mjpeg;
    GstSpiceVideoEncoder *encoder = NULL;
    guint i;

    for (i = 0; i < codecs.n && !encoder; i++) {
        *codec = codecs.codecs[i];
        encoder = gst_spice_video_encoder_new(*codec, width, height);
    }
    return encoder;
}

static void init_control(GstSpiceClientStreams *self, Stream *stream, guint64 pixels)
{
    GstSpiceLinkQuality link = {0};
    SpiceRatePolicy policy;

    spice_rate_policy_default(&policy);
    policy.start_rate = local_rate;
    if (self->channel && !gst_spice_media_channel_is_local(self->channel)) {
        link = gst_spice_media_channel_get_link(self->channel);
        policy.start_rate = link.bits_per_second > 0 ? link.bits_per_second : unknown_rate;
    }
    policy.start_rate = CLAMP(policy.start_rate, 64000, local_rate);
    spice_rate_control_init(&stream->control, &policy, (guint64)g_get_monotonic_time(), pixels);
    if (link.round_trip_us > 0)
        spice_rate_control_round_trip(&stream->control, (guint64)g_get_monotonic_time(),
                                      link.round_trip_us);
}

gboolean gst_spice_client_streams_begin(GstSpiceClientStreams *self, const SpiceViewFrame *frame,
                                        const SpiceRect *dest, guint8 *codec)
{
    const guint width = (guint)(dest->right - dest->left);
    const guint height = (guint)(dest->bottom - dest->top);
    Stream *stream = &self->streams[frame->stream];
    GstSpiceVideoEncoder *encoder;

    gst_spice_client_streams_end(self, frame->stream);
    encoder = choose_encoder(self, width, height, codec);
    if (!encoder)
        return FALSE;
    stream->generation = frame->generation;
    stream->codec = *codec;
    stream->dest = *dest;
    stream->wants_key = TRUE;
    stream->taken = stream->overtaken = stream->key_frame = 0;
    stream->sent = stream->delivered = 0;
    stream->n_ends = 0;
    init_control(self, stream, (guint64)width * height);
    stream->encoding = g_new0(Encoding, 1);
    g_atomic_ref_count_init(&stream->encoding->refs);
    g_mutex_init(&stream->encoding->lock);
    stream->encoding->encoder = encoder;
    spice_rate_control_allow_half(
        &stream->control,
        self->channel && gst_spice_video_encoder_can_halve(encoder) &&
            gst_spice_media_channel_peer_has(self->channel, SPICE_DISPLAY_CAP_SIZED_STREAM));
    stream->encoding->done = self->done;
    stream->encoding->user_data = self->user_data;
    self->stats.streams++;
    GST_INFO("stream %u: %u x %u as %s", frame->stream, width, height,
             gst_spice_video_codec_name(*codec));
    return TRUE;
}

void gst_spice_client_streams_end(GstSpiceClientStreams *self, guint32 id)
{
    Stream *stream = &self->streams[id];

    if (stream->generation == 0)
        return;
    stream->generation = 0;
    g_clear_pointer(&stream->encoding, abandon);
}

gboolean gst_spice_client_streams_has(GstSpiceClientStreams *self, guint32 id)
{
    return id < SPICE_STREAM_LIMIT && self->streams[id].generation != 0;
}

/** Notes where a frame ends that was just sent. */
static void note_end(GstSpiceClientStreams *self, Stream *stream)
{
    const guint at = (stream->first_end + stream->n_ends) % SPICE_RATE_FLIGHT;

    if (!self->channel)
        return;
    if (stream->n_ends == SPICE_RATE_FLIGHT)
        stream->first_end = (stream->first_end + 1) % SPICE_RATE_FLIGHT;
    else
        stream->n_ends++;
    stream->ends[at].on_channel = gst_spice_media_channel_get_progress(self->channel).sent;
    stream->ends[at].of_stream = stream->sent;
}

/** Tells the control what has arrived, in whole frames. */
static void update_delivered(GstSpiceClientStreams *self, Stream *stream, guint64 now)
{
    const guint64 delivered =
        self->channel ? gst_spice_media_channel_get_progress(self->channel).delivered : 0;

    if (!self->channel)
        stream->delivered = stream->sent;
    for (; stream->n_ends > 0 && stream->ends[stream->first_end].on_channel <= delivered;
         stream->n_ends--) {
        stream->delivered = stream->ends[stream->first_end].of_stream;
        stream->first_end = (stream->first_end + 1) % SPICE_RATE_FLIGHT;
    }
    spice_rate_control_delivered(&stream->control, now, stream->delivered);
}

/** Tells the control what is known of the way. */
static void update_link(GstSpiceClientStreams *self, Stream *stream, guint64 now)
{
    const GstSpiceLinkQuality link =
        self->channel ? gst_spice_media_channel_get_link(self->channel) : (GstSpiceLinkQuality){0};
    const SpiceRateLink known = {
        .rate = link.told_by_peer ? (double)link.bits_per_second : 0,
        .delay = link.round_trip_us,
        .jitter = link.jitter_us,
    };

    if (link.round_trip_us > 0)
        spice_rate_control_round_trip(&stream->control, now, link.round_trip_us);
    spice_rate_control_link(&stream->control, now, &known);
    GST_TRACE("the way: %" G_GUINT64_FORMAT " bits/s%s, %u us, %u us of jitter",
              link.bits_per_second, link.told_by_peer ? " by the client's word" : "",
              link.round_trip_us, link.jitter_us);
}

gboolean gst_spice_client_streams_take(GstSpiceClientStreams *self, const SpiceViewFrame *frame,
                                       SpiceDrawable *picture)
{
    Stream *stream = &self->streams[frame->stream];
    const guint64 now = (guint64)g_get_monotonic_time();
    Encoding *encoding = stream->encoding;
    SpiceRateDecision decision;

    if (stream->generation != frame->generation)
        return FALSE;
    update_delivered(self, stream, now);
    update_link(self, stream, now);
    spice_rate_control_source(&stream->control, frame->interval);
    decision = spice_rate_control_offer(&stream->control, now);
    GST_LOG("stream %u: frame of %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
            " bytes under way: %s, quality %u, %" G_GUINT64_FORMAT " bits/s, at most %u bytes%s",
            frame->stream, frame->time, spice_rate_control_backlog(&stream->control),
            decision.send ? "encoded" : "dropped", decision.quality, decision.bit_rate,
            decision.max_bytes, decision.half ? ", half the size" : "");
    if (!decision.send) {
        self->stats.dropped++;
        return FALSE;
    }
    g_mutex_lock(&encoding->lock);
    stream->wants_key |= encoding->waits.picture && encoding->waits.settings.key;
    self->stats.dropped += encoding->waits.picture != NULL;
    spice_drawable_unref(encoding->waits.picture);
    encoding->waits = (Job){
        .picture = spice_drawable_ref(picture),
        .time = frame->time,
        .number = ++stream->taken,
        .settings = {.quality = decision.quality,
                     .bit_rate = decision.bit_rate,
                     .fps_milli = decision.fps_milli,
                     .half = decision.half,
                     .key = stream->wants_key},
    };
    if (stream->wants_key)
        stream->key_frame = stream->taken;
    stream->wants_key = FALSE;
    start_work(encoding);
    g_mutex_unlock(&encoding->lock);
    return TRUE;
}

void gst_spice_client_streams_overtake(GstSpiceClientStreams *self, const SpiceRect *box)
{
    guint32 id;

    for (id = 0; id < SPICE_STREAM_LIMIT; id++) {
        Stream *stream = &self->streams[id];

        if (stream->generation != 0 && spice_box_overlap(&stream->dest, box) > 0)
            stream->overtaken = stream->taken;
    }
}

/** Takes what came of the last picture. FALSE if nothing is there yet; its data may be NULL. */
static gboolean take_data(Encoding *encoding, GstSpiceEncodedFrame *frame, guint64 *number,
                          gboolean *half)
{
    gboolean done;

    g_mutex_lock(&encoding->lock);
    done = encoding->is_done;
    frame->data = g_steal_pointer(&encoding->data);
    frame->time = encoding->time;
    *half = encoding->half;
    *number = encoding->number;
    encoding->is_done = FALSE;
    start_work(encoding);
    g_mutex_unlock(&encoding->lock);
    return done;
}

/** Whether a frame goes out. What follows one of a codec that builds on it cannot do without. */
static gboolean is_let_through(Stream *stream, gsize size)
{
    return spice_rate_control_encoded(&stream->control, (guint64)g_get_monotonic_time(),
                                      (guint32)size) ||
           stream->codec != SPICE_VIDEO_CODEC_TYPE_MJPEG;
}

gboolean gst_spice_client_streams_next(GstSpiceClientStreams *self, GstSpiceEncodedFrame *frame)
{
    guint32 id;

    for (id = 0; id < SPICE_STREAM_LIMIT; id++) {
        Stream *stream = &self->streams[id];
        guint64 number;
        gboolean half;

        if (stream->generation == 0)
            continue;
        if (stream->ends_due) {
            stream->ends_due = FALSE;
            note_end(self, stream);
        }
        update_delivered(self, stream, (guint64)g_get_monotonic_time());
        if (!take_data(stream->encoding, frame, &number, &half))
            continue;
        if (number <= stream->overtaken)
            g_clear_pointer(&frame->data, g_bytes_unref);
        if (!frame->data) {
            /* What is being encoded now may build on it. */
            if (stream->codec != SPICE_VIDEO_CODEC_TYPE_MJPEG && !stream->wants_key &&
                number >= stream->key_frame) {
                stream->overtaken = stream->taken;
                stream->wants_key = TRUE;
            }
            self->stats.dropped++;
            continue;
        }
        if (!is_let_through(stream, g_bytes_get_size(frame->data))) {
            GST_LOG("stream %u: %" G_GSIZE_FORMAT " bytes are too many", id,
                    g_bytes_get_size(frame->data));
            g_clear_pointer(&frame->data, g_bytes_unref);
            self->stats.dropped++;
            continue;
        }
        frame->id = id;
        frame->dest = stream->dest;
        frame->width = half ? (guint)(stream->dest.right - stream->dest.left + 1) / 2 : 0;
        frame->height = half ? (guint)(stream->dest.bottom - stream->dest.top + 1) / 2 : 0;
        stream->sent += g_bytes_get_size(frame->data);
        stream->ends_due = TRUE; /* it is sent before the next one is asked for */
        self->stats.frames++;
        self->stats.bytes += g_bytes_get_size(frame->data);
        return TRUE;
    }
    return FALSE;
}

gboolean gst_spice_client_streams_look(GstSpiceClientStreams *self, guint32 *id,
                                       guint64 *generation)
{
    SpiceMsgcDisplayStreamReport report;

    while (self->channel && gst_spice_media_channel_take_report(self->channel, &report)) {
        const SpiceRateReport seen = {report.num_frames, report.num_drops, report.last_frame_delay,
                                      report.audio_delay};
        Stream *stream;

        if (!gst_spice_client_streams_has(self, report.stream_id))
            continue;
        stream = &self->streams[report.stream_id];
        /* The number that ACTIVATE_REPORT gave; anything else is of an older stream. */
        if (report.unique_id != (guint32)stream->generation)
            continue;
        self->stats.reports++;
        spice_rate_control_report(&stream->control, (guint64)g_get_monotonic_time(), &seen);
        if (!spice_rate_control_undecodable(&stream->control))
            continue;
        GST_INFO("stream %u: the client cannot show it", report.stream_id);
        *id = report.stream_id;
        *generation = stream->generation;
        gst_spice_client_streams_end(self, *id);
        return TRUE;
    }
    return FALSE;
}

GstSpiceClientStreamsStats gst_spice_client_streams_get_stats(const GstSpiceClientStreams *self)
{
    return self->stats;
}
