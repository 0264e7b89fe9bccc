/* spiceaudiosink and spiceaudiosrc on a device that breaks: sound goes on on the next, nobody outside notices, and the
 * stream's end is told all the same; on one that is heard late, that is found out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/audio/gstaudiosink.h>
#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>

#include "../tap.h"
#include "gst-plugins/audio/sound-lateness.h"
#include "gst-plugins/elements.h"

#define PATIENCE (30 * GST_SECOND)

/* What devices of this test do; atomic. */
static gint breaks;    /* the next buffer is one too many, once */
static gint is_absent; /* it cannot be opened */
static gint n_opened, n_refused, n_buffers;

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("audio/x-raw"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, layout=interleaved, channels=2, rate=48000"));

static GstStaticPadTemplate card_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, layout=interleaved, channels=2, rate=48000"));

static gboolean open_device(void)
{
    g_atomic_int_inc(g_atomic_int_get(&is_absent) ? &n_refused : &n_opened);
    return !g_atomic_int_get(&is_absent);
}

/** TRUE: it does so now. */
static gboolean breaks_now(GstElement *device)
{
    if (!g_atomic_int_compare_and_exchange(&breaks, TRUE, FALSE))
        return FALSE;
    GST_ELEMENT_ERROR(device, RESOURCE, WRITE, ("It was unplugged."), (NULL));
    return TRUE;
}

/* A device that plays */

typedef GstBaseSink TestSpeaker;
typedef GstBaseSinkClass TestSpeakerClass;
G_DEFINE_TYPE(TestSpeaker, test_speaker, GST_TYPE_BASE_SINK)

static GstFlowReturn test_speaker_render(GstBaseSink *sink, GstBuffer *buffer)
{
    g_atomic_int_inc(&n_buffers);
    return breaks_now(GST_ELEMENT(sink)) ? GST_FLOW_ERROR : GST_FLOW_OK;
}

static GstStateChangeReturn test_speaker_change_state(GstElement *element, GstStateChange change)
{
    if (change == GST_STATE_CHANGE_NULL_TO_READY && !open_device())
        return GST_STATE_CHANGE_FAILURE;
    return GST_ELEMENT_CLASS(test_speaker_parent_class)->change_state(element, change);
}

static void test_speaker_init(TestSpeaker *self)
{
}

static void test_speaker_class_init(TestSpeakerClass *klass)
{
    GST_ELEMENT_CLASS(klass)->change_state = test_speaker_change_state;
    klass->render = test_speaker_render;
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Speaker", "Sink/Audio", "Test",
                                          "Test");
}

/* A device that records */

typedef GstPushSrc TestMicrophone;
typedef GstPushSrcClass TestMicrophoneClass;
G_DEFINE_TYPE(TestMicrophone, test_microphone, GST_TYPE_PUSH_SRC)

static GstFlowReturn test_microphone_create(GstPushSrc *src, GstBuffer **buffer)
{
    g_usleep(5000);
    if (breaks_now(GST_ELEMENT(src)))
        return GST_FLOW_ERROR;
    *buffer = gst_buffer_new_allocate(NULL, 4 * 240, NULL);
    gst_buffer_memset(*buffer, 0, 0, 4 * 240);
    return GST_FLOW_OK;
}

static GstStateChangeReturn test_microphone_change_state(GstElement *element, GstStateChange change)
{
    if (change == GST_STATE_CHANGE_NULL_TO_READY && !open_device())
        return GST_STATE_CHANGE_FAILURE;
    return GST_ELEMENT_CLASS(test_microphone_parent_class)->change_state(element, change);
}

static void test_microphone_init(TestMicrophone *self)
{
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_do_timestamp(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void test_microphone_class_init(TestMicrophoneClass *klass)
{
    GST_ELEMENT_CLASS(klass)->change_state = test_microphone_change_state;
    klass->create = test_microphone_create;
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Microphone", "Source/Audio",
                                          "Test", "Test");
}

/* A card that plays what it takes 50 ms later, of which the latency of a pipeline knows nothing */

enum { CARD_RATE = 48000, CARD_DELAY_MS = 50 };

typedef struct {
    GstAudioSink parent;
    gint64 start_us;
    guint64 n_played; /* samples */
} TestCard;
typedef GstAudioSinkClass TestCardClass;
G_DEFINE_TYPE(TestCard, test_card, GST_TYPE_AUDIO_SINK)

static gboolean test_card_prepare(GstAudioSink *sink, GstAudioRingBufferSpec *spec)
{
    ((TestCard *)sink)->start_us = 0;
    ((TestCard *)sink)->n_played = 0;
    return TRUE;
}

static gboolean test_card_unprepare(GstAudioSink *sink)
{
    return TRUE;
}

static gint test_card_write(GstAudioSink *sink, gpointer data, guint size)
{
    TestCard *self = (TestCard *)sink;
    gint64 due_us, left_us;

    if (self->start_us == 0)
        self->start_us = g_get_monotonic_time();
    self->n_played += size / 4;
    due_us = self->start_us + (gint64)(self->n_played * G_USEC_PER_SEC / CARD_RATE);
    left_us = due_us - g_get_monotonic_time(); /* read once: MAX looks twice */
    g_usleep((gulong)MAX(left_us, 0));
    return (gint)size;
}

static guint test_card_delay(GstAudioSink *sink)
{
    return CARD_RATE * CARD_DELAY_MS / 1000;
}

static void test_card_init(TestCard *self)
{
}

static void test_card_class_init(TestCardClass *klass)
{
    klass->prepare = test_card_prepare;
    klass->unprepare = test_card_unprepare;
    klass->write = test_card_write;
    klass->delay = test_card_delay;
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &card_template);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Card", "Sink/Audio", "Test",
                                          "Test");
}

/* Pipelines */

static void on_heard(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    g_atomic_int_inc(&n_buffers);
}

static GstElement *begin(const char *line)
{
    GstElement *pipeline = gst_parse_launch(line, NULL);
    GstElement *ear = gst_bin_get_by_name(GST_BIN(pipeline), "ear");

    g_atomic_int_set(&n_opened, 0);
    g_atomic_int_set(&n_refused, 0);
    g_atomic_int_set(&n_buffers, 0);
    if (ear)
        g_signal_connect(ear, "handoff", G_CALLBACK(on_heard), NULL);
    g_clear_pointer(&ear, gst_object_unref);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    return pipeline;
}

static gboolean reaches(gint *counter, gint value)
{
    const gint64 end = g_get_monotonic_time() + GST_TIME_AS_USECONDS(PATIENCE);

    while (g_atomic_int_get(counter) < value && g_get_monotonic_time() < end)
        g_usleep(2000);
    return g_atomic_int_get(counter) >= value;
}

/** More of them come. */
static gboolean goes_on(void)
{
    return reaches(&n_buffers, g_atomic_int_get(&n_buffers) + 20);
}

/** Whether messages of these types came so far, or, if `wait` is set, come. */
static gboolean saw(GstElement *pipeline, GstMessageType types, gboolean wait)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_timed_pop_filtered(bus, wait ? PATIENCE : 0, types);
    const gboolean seen = message != NULL;

    g_clear_pointer(&message, gst_message_unref);
    gst_object_unref(bus);
    return seen;
}

static void finish(GstElement *pipeline)
{
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    g_atomic_int_set(&breaks, FALSE);
    g_atomic_int_set(&is_absent, FALSE);
}

static void test_breaks(const char *what, const char *line)
{
    GstElement *pipeline = begin(line);
    const GstMessageType ends = GST_MESSAGE_ERROR | GST_MESSAGE_EOS;
    gint opened;

    TAP_OK(goes_on(), "%s: there is sound", what);
    opened = g_atomic_int_get(&n_opened);
    g_atomic_int_set(&breaks, TRUE);
    TAP_OK(reaches(&n_opened, opened + 1) && goes_on(), "%s: it breaks, and another is opened",
           what);
    g_atomic_int_set(&is_absent, TRUE);
    g_atomic_int_set(&breaks, TRUE);
    TAP_OK(reaches(&n_refused, 3), "%s: it breaks, and there is none, which is tried again", what);
    g_atomic_int_set(&is_absent, FALSE);
    TAP_OK(goes_on(), "%s: until there is", what);
    TAP_OK(!saw(pipeline, ends, FALSE), "%s: nobody outside was told", what);
    gst_element_send_event(pipeline, gst_event_new_eos());
    TAP_OK(saw(pipeline, GST_MESSAGE_EOS, TRUE), "%s: the stream ends when it is told to", what);
    finish(pipeline);
}

static void test_ends_without_a_device(const char *what, const char *line)
{
    GstElement *pipeline = begin(line);

    goes_on();
    g_atomic_int_set(&is_absent, TRUE);
    g_atomic_int_set(&breaks, TRUE);
    reaches(&n_refused, 1);
    gst_element_send_event(pipeline, gst_event_new_eos());
    TAP_OK(saw(pipeline, GST_MESSAGE_EOS, TRUE), "%s: the stream ends without a device", what);
    finish(pipeline);
}

static void test_stops_while_it_is_looked_for(const char *what, const char *line)
{
    GstElement *pipeline = begin(line);

    goes_on();
    g_atomic_int_set(&is_absent, TRUE);
    g_atomic_int_set(&breaks, TRUE);
    reaches(&n_refused, 1);
    gst_element_set_state(pipeline, GST_STATE_READY);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_atomic_int_set(&is_absent, FALSE);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    TAP_OK(goes_on(), "%s: stopped while it was looked for, and begun again", what);
    finish(pipeline);
}

/* How late it is heard */

typedef struct {
    GMutex lock;
    GCond cond;
    GstClockTimeDiff late, held;
    guint n; /* that were more than nothing */
} Told;

static GstPadProbeReturn on_upstream(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Told *told = data;
    GstClockTimeDiff late, held;

    if (!gst_spice_sound_lateness_event_parse(GST_PAD_PROBE_INFO_EVENT(info), &late, &held))
        return GST_PAD_PROBE_OK;
    g_mutex_lock(&told->lock);
    told->late = late;
    told->held = held;
    told->n += late != 0;
    g_cond_signal(&told->cond);
    g_mutex_unlock(&told->lock);
    return GST_PAD_PROBE_HANDLED;
}

static void test_lateness_is_told(void)
{
    GstElement *pipeline;
    GstElement *sink;
    GstPad *pad;
    Told told = {0};
    const gint64 end = g_get_monotonic_time() + GST_TIME_AS_USECONDS(PATIENCE);

    g_mutex_init(&told.lock);
    g_cond_init(&told.cond);
    gst_element_register(NULL, "testcard", GST_RANK_PRIMARY + 2000, test_card_get_type());
    pipeline = gst_parse_launch("audiotestsrc is-live=true samplesperbuffer=480 ! "
                                "audio/x-raw,rate=48000 ! spiceaudiosink name=sink",
                                NULL);
    sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream, &told, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_mutex_lock(&told.lock);
    while (told.n == 0 && g_cond_wait_until(&told.cond, &told.lock, end)) {
    }
    /* A busy machine makes the card later still. */
    TAP_OK(told.n > 0 && told.late > 40 * (GstClockTimeDiff)GST_MSECOND &&
               told.held > 40 * (GstClockTimeDiff)GST_MSECOND,
           "a card that plays %d ms later is found out: %d ms, of which it holds %d ms",
           CARD_DELAY_MS, (int)(told.late / (GstClockTimeDiff)GST_MSECOND),
           (int)(told.held / (GstClockTimeDiff)GST_MSECOND));
    g_mutex_unlock(&told.lock);
    gst_object_unref(pad);
    gst_object_unref(sink);
    finish(pipeline);
    g_mutex_clear(&told.lock);
    g_cond_clear(&told.cond);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what, *line;
    } ways[] = {
        {"speaker", "audiotestsrc is-live=true samplesperbuffer=240 ! audio/x-raw,rate=48000 ! "
                    "spiceaudiosink"},
        {"microphone", "spiceaudiosrc ! fakesink name=ear signal-handoffs=true sync=false"},
    };
    gsize i;

    g_setenv("PULSE_SERVER", "unix:/nonexistent", TRUE); /* not that of who runs this */
    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    gst_element_register(NULL, "testspeaker", GST_RANK_PRIMARY + 1000, test_speaker_get_type());
    gst_element_register(NULL, "testmicrophone", GST_RANK_PRIMARY + 1000,
                         test_microphone_get_type());
    for (i = 0; i < G_N_ELEMENTS(ways); i++) {
        test_breaks(ways[i].what, ways[i].line);
        test_ends_without_a_device(ways[i].what, ways[i].line);
        test_stops_while_it_is_looked_for(ways[i].what, ways[i].line);
    }
    test_lateness_is_told();
    return tap_done();
}
