/* spicesounddec and spicelipsync: forms that change, damage, times kept; time made of stamps, without a gap
 * but where there is one, which becomes silence if it is told of.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstharness.h>
#include <string.h>

#include "../tap.h"
#include "gst-plugins/audio/media-time-meta.h"
#include "gst-plugins/audio/sound-lateness.h"
#include "gst-plugins/elements.h"
#include "session/media-clock.h"
#include "session/sound-codec.h"

enum { RATE = 48000, PACKET = 480, PACKET_US = 10000 };

#define OPUS_CAPS "audio/x-opus, channel-mapping-family=0, channels=2, rate=48000"
#define CELT_CAPS "audio/x-celt, version=(string)0.5.1, channels=2, rate=44100, frame-size=256"
#define RAW_CAPS  "audio/x-raw, format=S16LE, layout=interleaved, channels=2, rate=48000"
#define SOUND_CAPS                                                                                 \
    "audio/x-raw, format=S16LE, layout=interleaved, channels=2, rate=48000, "                      \
    "channel-mask=(bitmask)0x3"

/* spicesounddec */

static void keep_packet(const guint8 *packet, gsize size, gsize behind, gpointer data)
{
    GstBuffer **kept = data;

    gst_clear_buffer(kept);
    *kept = gst_buffer_new_memdup(packet, size);
}

static GstBuffer *make_packet(SpiceAudioDataMode mode, guint rate)
{
    g_autoptr(GstSpiceSoundEncoder) encoder = gst_spice_sound_encoder_new(mode, rate);
    g_autofree gint16 *samples = g_new0(gint16, 2 * 2000);
    GstBuffer *packet = NULL;

    gst_spice_sound_encoder_push(encoder, samples, 2000, keep_packet, &packet);
    return packet;
}

/** Whether a packet of a form comes out as so many samples, with its times. */
static bool decodes(GstHarness *h, const char *caps, SpiceAudioDataMode mode, guint rate, gsize n)
{
    GstBuffer *packet = make_packet(mode, rate), *sound;
    gint64 stream_us = 0;
    bool ok;

    gst_harness_set_src_caps_str(h, caps);
    gst_spice_buffer_set_media_time(packet, 123456789);
    GST_BUFFER_PTS(packet) = 42;
    gst_harness_push(h, packet);
    sound = gst_harness_try_pull(h);
    ok = sound && gst_buffer_get_size(sound) == n * 4 && GST_BUFFER_PTS(sound) == 42 &&
         gst_spice_buffer_get_media_time(sound, &stream_us) && stream_us == 123456789 &&
         GST_BUFFER_DURATION(sound) == gst_util_uint64_scale(n, GST_SECOND, rate);
    gst_clear_buffer(&sound);
    return ok;
}

static void test_decoder(void)
{
    GstHarness *h = gst_harness_new("spicesounddec");
    GstBuffer *sound;

    TAP_OK(decodes(h, OPUS_CAPS, SPICE_AUDIO_DATA_MODE_OPUS, RATE, PACKET), "Opus");
    TAP_OK(decodes(h, CELT_CAPS, SPICE_AUDIO_DATA_MODE_CELT_0_5_1, 44100, 256), "then CELT");
    TAP_OK(decodes(h, RAW_CAPS, SPICE_AUDIO_DATA_MODE_RAW, RATE, PACKET), "then raw");
    gst_harness_set_src_caps_str(h, OPUS_CAPS);
    TAP_OK(gst_harness_push(h, gst_buffer_new_memdup("\xff\xff\xff", 3)) == GST_FLOW_OK &&
               !(sound = gst_harness_try_pull(h)),
           "what is no packet is dropped");
    TAP_OK(decodes(h, OPUS_CAPS, SPICE_AUDIO_DATA_MODE_OPUS, RATE, PACKET), "the next is not");
    gst_harness_teardown(h);
}

/* spicelipsync */

typedef struct {
    GstHarness *h;
    GstSpiceSession *session;
    gint64 start_us;                /* monotonic */
    guint n_anew, n_gaps, n_silent; /* buffers */
    GstClockTime first, end;        /* of what came out; end of the last */
    gsize n_samples;
} Player;

static Player begin(void)
{
    Player self = {.first = GST_CLOCK_TIME_NONE, .end = GST_CLOCK_TIME_NONE};
    GstElement *lipsync = gst_element_factory_make("spicelipsync", NULL);

    self.session = gst_spice_session_new();
    g_object_set(lipsync, "session", self.session, NULL);
    self.h = gst_harness_new_with_element(lipsync, "sink", "src");
    gst_object_unref(lipsync);
    gst_harness_use_systemclock(self.h);
    gst_harness_set_src_caps_str(self.h, SOUND_CAPS);
    self.start_us = g_get_monotonic_time() + G_USEC_PER_SEC;
    return self;
}

static void end(Player *self)
{
    gst_harness_teardown(self->h);
    g_object_unref(self->session);
}

static void look(Player *self)
{
    GstBuffer *sound;

    while ((sound = gst_harness_try_pull(self->h))) {
        const GstClockTime pts = GST_BUFFER_PTS(sound);

        self->n_samples += gst_buffer_get_size(sound) / 4;
        self->n_silent += GST_BUFFER_FLAG_IS_SET(sound, GST_BUFFER_FLAG_GAP);
        if (!GST_CLOCK_TIME_IS_VALID(self->first))
            self->first = pts;
        if (GST_BUFFER_IS_DISCONT(sound))
            self->n_anew++;
        else if (pts != self->end)
            self->n_gaps++;
        self->end = pts + GST_BUFFER_DURATION(sound);
        gst_buffer_unref(sound);
    }
}

/** Packets from `from` to `to` of a server whose clock is `ppm` fast, which come up to `jitter_us` late. */
static void play(Player *self, guint from, guint to, gint ppm, guint jitter_us)
{
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self->session);
    gint64 last = 0;
    guint i;

    for (i = from; i < to; i++) {
        const gint64 made_us = (gint64)(i + 1) * PACKET_US;
        const guint32 mm = (guint32)(5000 + (made_us + made_us / 1000000 * ppm) / 1000);
        const gint64 comes_us =
            MAX(last, self->start_us + made_us + (jitter_us ? (i * 7919u) % jitter_us : 0));
        GstBuffer *sound = gst_buffer_new_allocate(NULL, PACKET * 4, NULL);

        last = comes_us;
        gst_buffer_memset(sound, 0, 0, PACKET * 4);
        gst_spice_buffer_set_media_time(
            sound,
            gst_spice_media_clock_take(clock, SPICE_MEDIA_AUDIO, mm, PACKET_US, comes_us, NULL));
        gst_harness_push(self->h, sound);
        look(self);
    }
}

/** Seconds that came out, from its first to its last timestamp. */
static double length(const Player *self)
{
    return (double)(self->end - self->first) / GST_SECOND;
}

static void test_steady(const char *what, gint ppm, guint jitter_us)
{
    Player self = begin();

    play(&self, 0, 3000, ppm, jitter_us);
    TAP_OK(self.n_anew == 1 && self.n_gaps == 0, "%s: time goes on without a gap", what);
    TAP_OK(length(&self) > 29.9 && length(&self) < 30.1 &&
               ABS((double)self.n_samples / RATE - length(&self)) < 0.001,
           "%s: thirty seconds last %.3f", what, length(&self));
    end(&self);
}

static void test_pause(void)
{
    Player self = begin();

    play(&self, 0, 300, 0, 0);
    play(&self, 500, 800, 0, 0); /* two seconds are missing */
    TAP_OK(self.n_anew == 2 && self.n_gaps == 0 && length(&self) > 7.9 && length(&self) < 8.1,
           "a pause is one in what is heard (%.3f s)", length(&self));
    end(&self);
}

static void test_latency(void)
{
    Player self = begin();
    GstClockTime before;

    play(&self, 0, 300, 0, 0);
    before = self.end;
    gst_harness_push_upstream_event(self.h, gst_event_new_latency(140 * GST_MSECOND));
    play(&self, 300, 600, 0, 0);
    TAP_OK(self.n_anew == 2 && self.n_gaps == 0, "another latency sets time anew, once");
    /* Sinks render by 140 ms later, of which they need 100: it is heard by 60 ms later than before. */
    TAP_OK(ABS(GST_CLOCK_DIFF(before, self.end) - (GstClockTimeDiff)(2960 * GST_MSECOND)) <
               (GstClockTimeDiff)(45 * GST_MSECOND),
           "timestamps go down by what sinks add beyond what they need (%.3f s)",
           (double)GST_CLOCK_DIFF(before, self.end) / GST_SECOND);
    end(&self);
}

static void test_without_stamp(void)
{
    Player self = begin();

    gst_harness_push(self.h, gst_buffer_new_allocate(NULL, PACKET * 4, NULL));
    look(&self);
    TAP_OK(self.n_anew == 0 && self.n_samples == 0, "sound without a media time is dropped");
    end(&self);
}

/** GAP events for `ms`, as time passes; at each, what has come out. */
static void be_silent(Player *self, guint ms)
{
    guint i;

    for (i = 0; i < ms / 20; i++) {
        g_usleep(20000);
        gst_harness_push_event(self->h, gst_event_new_gap(0, 20 * GST_MSECOND));
        look(self);
    }
}

/** Packets that come so long after they are made. */
static void play_now(Player *self, guint n, gint64 late_us)
{
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self->session);
    const gint64 start_us = g_get_monotonic_time();
    guint i;

    for (i = 0; i < n; i++) {
        GstBuffer *sound = gst_buffer_new_allocate(NULL, PACKET * 4, NULL);
        const gint64 made_us = start_us + (gint64)i * PACKET_US;
        const gint64 now = g_get_monotonic_time();
        gint64 left_us;

        gst_buffer_memset(sound, 0, 1, PACKET * 4);
        gst_spice_buffer_set_media_time(
            sound, gst_spice_media_clock_take(clock, SPICE_MEDIA_AUDIO,
                                              (guint32)((made_us - late_us) / 1000), PACKET_US, now,
                                              NULL));
        gst_harness_push(self->h, sound);
        look(self);
        left_us = made_us + PACKET_US - g_get_monotonic_time(); /* read once: MAX looks twice */
        g_usleep((gulong)MAX(left_us, 0));
    }
}

/** Whether what has come out lasts as long as the clock says, but for its headroom and packets. */
static bool is_up_to_now(const Player *self)
{
    const GstClockTimeDiff behind = GST_CLOCK_DIFF(
        self->end, (GstClockTime)(gst_clock_get_time(GST_ELEMENT_CLOCK(self->h->element)) -
                                  gst_element_get_base_time(self->h->element)));

    return ABS(behind) < (GstClockTimeDiff)(150 * GST_MSECOND);
}

static void test_silence(void)
{
    Player self = begin();
    guint n_silent;

    gst_element_set_base_time(self.h->element,
                              gst_clock_get_time(GST_ELEMENT_CLOCK(self.h->element)));
    gst_harness_push_event(self.h, gst_event_new_gap(0, 0));
    look(&self);
    TAP_OK(self.n_samples == 0, "a GAP event that lasts nothing is none to be heard");
    be_silent(&self, 300);
    TAP_OK(self.n_silent > 10 && self.first == 0 && self.n_anew == 1 && self.n_gaps == 0 &&
               is_up_to_now(&self),
           "silence goes from the beginning to now (%u buffers)", self.n_silent);
    n_silent = self.n_silent;
    play_now(&self, 30, 0);
    TAP_OK(self.n_silent <= n_silent + 1 && self.n_anew == 1 && self.n_gaps == 0 &&
               is_up_to_now(&self),
           "sound goes on from it");
    n_silent = self.n_silent;
    gst_harness_push_event(self.h, gst_event_new_gap(0, 0));
    be_silent(&self, 300);
    play_now(&self, 30, 0);
    TAP_OK(self.n_silent > n_silent && self.n_anew == 1 && self.n_gaps == 0 && is_up_to_now(&self),
           "and silence from sound");
    TAP_OK(ABS((double)self.n_samples / RATE - length(&self)) < 0.001, "nothing is missing");
    end(&self);
}

static void test_pictures_wait_for_sound_while_it_plays(GstEvent *end_of_sound)
{
    Player self = begin();
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self.session);
    const gint64 later = g_get_monotonic_time() + 100 * G_USEC_PER_SEC;
    gint64 playing;

    gst_harness_push_upstream_event(self.h, gst_event_new_latency(140 * GST_MSECOND));
    play_now(&self, 30, 0);
    playing = gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_VIDEO, later);
    gst_harness_push_event(self.h, end_of_sound);
    TAP_OK(playing > 80000 && gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_VIDEO,
                                                              later + 100 * G_USEC_PER_SEC) < 40000,
           "pictures wait for sound (%d ms) until it has ended", (int)(playing / 1000));
    end(&self);
}

static void test_late(void)
{
    Player self = begin();
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self.session);
    guint i;

    gst_element_set_base_time(self.h->element,
                              gst_clock_get_time(GST_ELEMENT_CLOCK(self.h->element)));
    gst_harness_push_upstream_event(self.h, gst_event_new_latency(60 * GST_MSECOND));
    play_now(&self, 30, 0);
    g_usleep(100000); /* nothing comes */
    for (i = 0; i < 2; i++)
        play_now(&self, 30, 100000);
    TAP_OK(self.n_silent >= 1 && self.n_gaps == 0,
           "sound that comes too late again and again has a pause before it");
    TAP_OK(gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_AUDIO, g_get_monotonic_time()) >
               90000,
           "and all waits longer");
    end(&self);
}

static void test_nobody_listens(void)
{
    Player self = begin();
    GstPad *sink = gst_element_get_static_pad(self.h->element, "sink");
    GstPad *src = gst_element_get_static_pad(self.h->element, "src");
    GstPad *peer = gst_pad_get_peer(src);

    TAP_OK(gst_pad_send_event(sink, gst_event_new_gap(0, 20 * GST_MSECOND)),
           "a GAP event is taken");
    gst_pad_unlink(src, peer);
    g_usleep(20000);
    TAP_OK(!gst_pad_send_event(sink, gst_event_new_gap(0, 20 * GST_MSECOND)),
           "but not if nobody hears its silence");
    gst_pad_link(src, peer);
    g_usleep(20000);
    TAP_OK(gst_pad_send_event(sink, gst_event_new_gap(0, 20 * GST_MSECOND)), "until somebody does");
    gst_object_unref(peer);
    gst_object_unref(src);
    gst_object_unref(sink);
    end(&self);
}

/** What plays it says that it is heard later than by its timestamps: as its clock drifts, so that it is made shorter
 * until it is in time. */
static void test_heard_late(void)
{
    Player self = begin();
    GstPad *src = gst_element_get_static_pad(self.h->element, "src");
    gsize before;

    play(&self, 0, 300, 0, 0);
    look(&self);
    before = self.n_samples;
    TAP_OK(gst_pad_send_event(src, gst_spice_sound_lateness_event_new(30 * GST_MSECOND, 0)),
           "that it is late is taken care of");
    play(&self, 300, 600, 0, 0);
    look(&self);
    TAP_OK(self.n_gaps == 0 && self.n_anew == 1 && self.n_samples - before < 300 * PACKET - 300 &&
               self.n_samples - before > 300 * PACKET - 1500,
           "it becomes shorter without a gap: %zu samples of %d", self.n_samples - before,
           300 * PACKET);
    gst_object_unref(src);
    end(&self);
}

/** Or as it holds it for longer, so that pictures wait, and sound stays as it is. */
static void test_held(void)
{
    Player self = begin();
    GstSpiceMediaClock *clock = gst_spice_session_get_media_clock(self.session);
    GstPad *src = gst_element_get_static_pad(self.h->element, "src");
    gint64 delay_us, held_us;
    gsize before;

    play(&self, 0, 300, 0, 0);
    look(&self);
    before = self.n_samples;
    delay_us = gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_AUDIO, g_get_monotonic_time());
    gst_pad_send_event(src,
                       gst_spice_sound_lateness_event_new(150 * GST_MSECOND, 150 * GST_MSECOND));
    play(&self, 300, 600, 0, 0);
    look(&self);
    held_us = gst_spice_media_clock_get_delay(clock, SPICE_MEDIA_AUDIO, g_get_monotonic_time()) -
              delay_us;
    TAP_OK(held_us > 50000 && held_us < 155000, "pictures wait longer, by %d ms",
           (int)(held_us / 1000));
    TAP_OK(self.n_gaps == 0 && self.n_anew == 1 && self.n_samples - before > 300 * PACKET - 2000,
           "sound goes on: %zu samples of %d", self.n_samples - before, 300 * PACKET);
    gst_object_unref(src);
    end(&self);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    test_decoder();
    test_steady("evenly", 0, 0);
    test_steady("with 30 ms of jitter", 0, 30000);
    test_steady("from a clock 200 ppm fast", 200, 5000);
    test_steady("from a clock 200 ppm slow", -200, 5000);
    test_pause();
    test_latency();
    test_without_stamp();
    test_silence();
    test_late();
    test_nobody_listens();
    test_heard_late();
    test_held();
    test_pictures_wait_for_sound_while_it_plays(gst_event_new_gap(0, 0));
    test_pictures_wait_for_sound_while_it_plays(gst_event_new_eos());
    return tap_done();
}
