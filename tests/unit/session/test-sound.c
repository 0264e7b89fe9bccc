/* Packets of sound, what waits for slow clients, the ring for a microphone, and the encoders' thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>

#include "../tap.h"
#include "../wire/recording.h"
#include "session/playback-encoders.h"
#include "session/sound-backlog.h"
#include "session/sound-pause.h"
#include "session/sound-ring.h"

/* Of one channel: how often it rises through zero each second, which is a tone's frequency. */
static double frequency(const gint16 *samples, gsize n, guint channel, guint rate)
{
    gsize first = 0, last = 0, count = 0, i;

    for (i = 1; i < n; i++) {
        if (samples[2 * (i - 1) + channel] >= 0 || samples[2 * i + channel] < 0)
            continue;
        last = i;
        if (count++ == 0)
            first = i;
    }
    return count > 1 ? (double)(count - 1) * rate / (double)(last - first) : 0;
}

static GArray *make_tone(gsize n, guint rate, double left, double right)
{
    GArray *tone = g_array_new(FALSE, FALSE, sizeof(gint16));
    gsize i;

    for (i = 0; i < n; i++) {
        const gint16 values[] = {(gint16)(9000 * sin(2 * G_PI * left * (double)i / rate)),
                                 (gint16)(7000 * sin(2 * G_PI * right * (double)i / rate))};

        g_array_append_vals(tone, values, 2);
    }
    return tone;
}

/* Codecs */

typedef struct {
    GstSpiceSoundDecoder *decoder;
    GArray *out;
    gsize n_packets, n_bytes, last_behind;
    gboolean failed;
} Trip;

static void take_packet(const guint8 *packet, gsize size, gsize behind, gpointer data)
{
    Trip *trip = data;
    gsize n;
    const gint16 *samples = gst_spice_sound_decoder_take(trip->decoder, packet, size, &n);

    trip->n_packets++;
    trip->n_bytes += size;
    trip->last_behind = behind;
    if (samples)
        g_array_append_vals(trip->out, samples, (guint)n * 2);
    else
        trip->failed = TRUE;
}

static void test_mode(SpiceAudioDataMode mode, guint rate, gsize packet_samples, const char *name)
{
    g_autoptr(GstSpiceSoundEncoder) encoder = gst_spice_sound_encoder_new(mode, rate);
    g_autoptr(GstSpiceSoundDecoder) decoder = gst_spice_sound_decoder_new(mode, rate);
    g_autoptr(GArray) tone = make_tone(rate, rate, 440, 594);
    g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(gint16));
    const gint16 *in = (const gint16 *)(gpointer)tone->data, *back;
    Trip trip = {.decoder = decoder, .out = out};
    gsize at, n;
    double left, right;

    for (at = 0; at < rate; at += n) { /* in pieces of any size */
        n = MIN(1 + at * 7 % 1000, rate - at);
        gst_spice_sound_encoder_push(encoder, in + 2 * at, n, take_packet, &trip);
    }
    back = (const gint16 *)(gpointer)out->data;
    n = out->len / 2;
    TAP_OK(!trip.failed && trip.n_packets == rate / packet_samples &&
               n == trip.n_packets * packet_samples &&
               gst_spice_sound_encoder_get_packet_samples(encoder) == packet_samples,
           "%s at %u Hz: packets of %zu samples", name, rate, packet_samples);
    left = frequency(back + n, n / 2, 0, rate);
    right = frequency(back + n, n / 2, 1, rate);
    TAP_OK(fabs(left - 440) < 1 && fabs(right - 594) < 1, "%s at %u Hz: both tones", name, rate);
    TAP_NOTE("%.2f and %.2f Hz, %zu bytes a second", left, right, trip.n_bytes);
    if (mode == SPICE_AUDIO_DATA_MODE_RAW)
        TAP_OK(memcmp(back, in, n * 4) == 0, "raw is exact");
}

static void test_choice(void)
{
    const guint all = 1 << SPICE_AUDIO_DATA_MODE_RAW | 1 << SPICE_AUDIO_DATA_MODE_CELT_0_5_1 |
                      1 << SPICE_AUDIO_DATA_MODE_OPUS;
    const guint no_opus = all & ~(1u << SPICE_AUDIO_DATA_MODE_OPUS);

    TAP_OK(gst_spice_sound_choose_mode(all, 48000) == SPICE_AUDIO_DATA_MODE_OPUS &&
               gst_spice_sound_choose_mode(all, 44100) == SPICE_AUDIO_DATA_MODE_CELT_0_5_1 &&
               gst_spice_sound_choose_mode(no_opus, 48000) == SPICE_AUDIO_DATA_MODE_RAW &&
               gst_spice_sound_choose_mode(1 << SPICE_AUDIO_DATA_MODE_RAW, 44100) ==
                   SPICE_AUDIO_DATA_MODE_RAW &&
               gst_spice_sound_choose_mode(all, 96000) == SPICE_AUDIO_DATA_MODE_RAW &&
               gst_spice_sound_choose_mode(all, 1000) == SPICE_AUDIO_DATA_MODE_INVALID,
           "the best mode that the rate and the client take");
    TAP_OK(!gst_spice_sound_decoder_new(SPICE_AUDIO_DATA_MODE_OPUS, 44100) &&
               !gst_spice_sound_decoder_new(77, 48000) &&
               !gst_spice_sound_encoder_new(SPICE_AUDIO_DATA_MODE_CELT_0_5_1, 48000),
           "no codec for a rate or mode that it has not");
}

/** What spicy was sent of a guest's two tones. */
static void test_recording(const char *vectors)
{
    g_autofree char *folder = g_build_filename(vectors, "session-audio-opus", NULL);
    g_autoptr(GstSpiceSoundDecoder) decoder =
        gst_spice_sound_decoder_new(SPICE_AUDIO_DATA_MODE_OPUS, 48000);
    g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(gint16));
    const gint16 *back;
    Recording recording;
    RecordedMessage message;
    size_t at;
    gboolean ok = recording_open(&recording, folder, "playback-0.s2c", false, true);

    for (at = recording.start; ok && recording_next(&recording, &at, &message);) {
        gsize n;
        const gint16 *samples;

        if (message.type != SPICE_MSG_PLAYBACK_DATA)
            continue;
        samples = gst_spice_sound_decoder_take(decoder, message.body + 4, message.size - 4, &n);
        ok = samples && n == 480;
        if (ok)
            g_array_append_vals(out, samples, (guint)n * 2);
    }
    back = (const gint16 *)(gpointer)out->data;
    ok = ok && out->len > 2 * 72000;
    TAP_OK(ok && fabs(frequency(back + 2 * 24000, 48000, 0, 48000) - 385) < 0.5 &&
               fabs(frequency(back + 2 * 24000, 48000, 1, 48000) - 528) < 0.5,
           "the field's Opus packets: 385 and 528 Hz");
    recording_close(&recording);
}

static void test_bad_packets(void)
{
    static const SpiceAudioDataMode modes[] = {
        SPICE_AUDIO_DATA_MODE_RAW, SPICE_AUDIO_DATA_MODE_CELT_0_5_1, SPICE_AUDIO_DATA_MODE_OPUS};
    g_autofree guint8 *bytes = g_malloc(1 << 20);
    guint32 seed = 1;
    gboolean sane = TRUE;
    guint i, k;
    gsize n;

    for (i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GstSpiceSoundDecoder) decoder = gst_spice_sound_decoder_new(
            modes[i], modes[i] == SPICE_AUDIO_DATA_MODE_OPUS ? 48000 : 44100);

        TAP_OK(!gst_spice_sound_decoder_take(decoder, bytes, 0, &n) && n == 0,
               "an empty packet of mode %d is none", modes[i]);
        TAP_OK(!gst_spice_sound_decoder_take(decoder, bytes, 1 << 20, &n) && n == 0,
               "a megabyte of mode %d is none", modes[i]);
        for (k = 0; k < 2000; k++) {
            const gsize size = 1 + (seed >> 8) % 600;
            gsize b;

            for (b = 0; b < size; b++)
                bytes[b] = (guint8)((seed = seed * 1664525u + 1013904223u) >> 24);
            sane = sane &&
                   (gst_spice_sound_decoder_take(decoder, bytes, size, &n) != NULL) == (n > 0) &&
                   n <= GST_SPICE_SOUND_MAX_SAMPLES;
        }
    }
    TAP_OK(sane, "random bytes are some sound or none");
    {
        g_autoptr(GstSpiceSoundDecoder) raw =
            gst_spice_sound_decoder_new(SPICE_AUDIO_DATA_MODE_RAW, 48000);

        TAP_OK(!gst_spice_sound_decoder_take(raw, bytes, 1918, &n), "half a raw sample is none");
    }
}

/* Backlog and ring */

static void test_backlog(void)
{
    GstSpiceSoundBacklog backlog = {0};
    guint32 time = 0, expected;
    GBytes *packet;
    gboolean ok = TRUE;
    guint i;

    for (i = 1; i <= 1000; i++) {
        g_autoptr(GBytes) bytes = g_bytes_new(&i, sizeof i);

        gst_spice_sound_backlog_push(&backlog, bytes, i);
    }
    TAP_OK(backlog.n == GST_SPICE_SOUND_BACKLOG_MAX &&
               backlog.dropped == 1000 - GST_SPICE_SOUND_BACKLOG_MAX,
           "a backlog keeps a few packets");
    expected = 1000 - GST_SPICE_SOUND_BACKLOG_MAX;
    while ((packet = gst_spice_sound_backlog_pop(&backlog, &time))) {
        ok = ok && time == ++expected;
        g_bytes_unref(packet);
    }
    TAP_OK(ok && time == 1000, "the newest, in their order");
}

static void test_ring(void)
{
    g_autofree GstSpiceSoundRing *ring = g_new0(GstSpiceSoundRing, 1);
    g_autofree gint16 *samples = g_new0(gint16, 2 * 3 * GST_SPICE_SOUND_RING_SAMPLES);
    g_autofree gint16 *out = g_new0(gint16, 2 * GST_SPICE_SOUND_RING_SAMPLES);
    guint i;
    gboolean ok = TRUE;

    for (i = 0; i < 3 * GST_SPICE_SOUND_RING_SAMPLES; i++)
        samples[2 * i] = samples[2 * i + 1] = (gint16)i;
    gst_spice_sound_ring_push(ring, samples, 480);
    TAP_OK(gst_spice_sound_ring_pop(ring, out, 480) == 0,
           "a ring gives nothing before it has enough");
    gst_spice_sound_ring_push(ring, samples + 2 * 480, GST_SPICE_SOUND_RING_START);
    TAP_OK(gst_spice_sound_ring_pop(ring, out, 100) == 100 && out[198] == 99, "then what there is");
    for (i = 0; i < 20; i++) {
        gst_spice_sound_ring_push(ring, samples + 2 * 1000 * (i % 3), 1000);
        gst_spice_sound_ring_pop(ring, out, 700);
    }
    gst_spice_sound_ring_push(ring, samples, 3 * GST_SPICE_SOUND_RING_SAMPLES);
    ok = gst_spice_sound_ring_pop(ring, out, 99999 < GST_SPICE_SOUND_RING_SAMPLES ? 1 : 8192) ==
         8192;
    for (i = 0; i < GST_SPICE_SOUND_RING_SAMPLES; i++)
        ok = ok && out[2 * i + 1] == samples[2 * (2 * GST_SPICE_SOUND_RING_SAMPLES + i)];
    TAP_OK(ok, "too much leaves the newest");
    TAP_OK(gst_spice_sound_ring_pop(ring, out, 1) == 0, "and no more");
}

/* Encoders */

typedef struct {
    GMutex lock;
    GCond cond;
    gboolean held; /* packets wait in the callback */
    guint n[8];    /* by encoder */
    guint32 last_time;
    gboolean in_order;
} Sink;

static void on_packet(guint encoder, GBytes *packet, guint32 time, gpointer data)
{
    Sink *sink = data;

    g_mutex_lock(&sink->lock);
    while (sink->held)
        g_cond_wait(&sink->cond, &sink->lock);
    sink->n[encoder % 8]++;
    sink->in_order = sink->in_order && (gint32)(time - sink->last_time) >= 0;
    sink->last_time = time;
    g_cond_broadcast(&sink->cond);
    g_mutex_unlock(&sink->lock);
}

static void wait_for(Sink *sink, guint encoder, guint n)
{
    const gint64 end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    g_mutex_lock(&sink->lock);
    while (sink->n[encoder] < n && g_cond_wait_until(&sink->cond, &sink->lock, end))
        ;
    g_mutex_unlock(&sink->lock);
}

static void test_encoders(void)
{
    Sink sink = {.in_order = TRUE, .last_time = 4294959999};
    GstSpicePlaybackEncoders *encoders = gst_spice_playback_encoders_new(on_packet, &sink);
    g_autoptr(GArray) tone = make_tone(480, 48000, 440, 440);
    const gint16 *samples = (const gint16 *)(gpointer)tone->data;
    guint opus, raw, celt, i;

    g_mutex_init(&sink.lock);
    g_cond_init(&sink.cond);
    gst_spice_playback_encoders_push(encoders, samples, 480, 0); /* nobody wants it */
    opus = gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_OPUS);
    raw = gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_RAW);
    TAP_OK(opus && raw && opus != raw &&
               gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_OPUS) == opus,
           "Opus is encoded once for two");
    TAP_OK(!gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_CELT_0_5_1),
           "there is no CELT of this rate");
    for (i = 0; i < 5; i++)
        gst_spice_playback_encoders_push(encoders, samples, 480, 4294960000000 + 10000 * (gint64)i);
    wait_for(&sink, opus, 5);
    wait_for(&sink, raw, 5);
    TAP_OK(sink.n[opus] == 5 && sink.n[raw] == 5 && sink.in_order, "each gets each packet");
    gst_spice_playback_encoders_let_go(encoders, opus);
    gst_spice_playback_encoders_let_go(encoders, raw);

    sink.held = TRUE;
    for (i = 0; i < 1000; i++) /* as fast as can be, while the thread stands still */
        gst_spice_playback_encoders_push(encoders, samples, 480, 4294967300000 + 10000 * (gint64)i);
    g_mutex_lock(&sink.lock);
    sink.held = FALSE;
    g_cond_broadcast(&sink.cond);
    g_mutex_unlock(&sink.lock);
    wait_for(&sink, opus, 5 + 8);
    gst_spice_playback_encoders_set_rate(encoders, 44100); /* forgets what is left, if any is */
    TAP_OK(sink.n[opus] >= 5 + 8 && sink.n[opus] <= 5 + 9 && sink.n[raw] == 5 && sink.in_order,
           "80 ms wait for a thread that is late, no more, over the clock's wrap (%u)",
           sink.n[opus]);

    celt = gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_CELT_0_5_1);
    TAP_OK(celt &&
               gst_spice_playback_encoders_want(encoders, SPICE_AUDIO_DATA_MODE_CELT_0_5_1) != celt,
           "each CELT decoder hears a stream from its beginning");
    gst_spice_playback_encoders_free(encoders);
    g_mutex_clear(&sink.lock);
    g_cond_clear(&sink.cond);
}

/* Pauses */

/** Packets of one value from a time on; how often each step was. */
static void take_packets(GstSpiceSoundPause *pause, gint16 value, gint64 *us, guint n,
                         guint steps[4])
{
    gint16 packet[960] = {0};
    guint i;

    memset(steps, 0, 4 * sizeof *steps);
    packet[959] = value;
    for (i = 0; i < n; i++) {
        *us += 10000;
        steps[gst_spice_sound_pause_take(pause, packet, G_N_ELEMENTS(packet), *us)]++;
    }
}

static void test_pauses(void)
{
    GstSpiceSoundPause pause = {0};
    gint64 us = 1000000000;
    guint steps[4];

    take_packets(&pause, 1, &us, 1000, steps);
    TAP_OK(steps[GST_SPICE_SOUND_GOES_ON] == 1000, "what is very quiet is sound");
    take_packets(&pause, 0, &us, 500, steps);
    TAP_OK(steps[GST_SPICE_SOUND_GOES_ON] == 500, "a short silence is, too");
    take_packets(&pause, 0, &us, 1000, steps);
    TAP_OK(steps[GST_SPICE_SOUND_PAUSE_BEGINS] == 1 && steps[GST_SPICE_SOUND_PAUSE_LASTS] == 999,
           "a long one is a pause");
    take_packets(&pause, -1, &us, 10, steps);
    TAP_OK(steps[GST_SPICE_SOUND_PAUSE_ENDS] == 1 && steps[GST_SPICE_SOUND_GOES_ON] == 9,
           "until there is sound");
    take_packets(&pause, 0, &us, 490, steps);
    us += 60 * G_USEC_PER_SEC;
    take_packets(&pause, 0, &us, 490, steps);
    TAP_OK(steps[GST_SPICE_SOUND_GOES_ON] == 490, "time without any samples does not count");
    take_packets(&pause, 0, &us, 490, steps);
    us += 60 * G_USEC_PER_SEC;
    take_packets(&pause, 0, &us, 490, steps);
    TAP_OK(steps[GST_SPICE_SOUND_PAUSE_LASTS] == 490, "but a pause goes on after it");
}

int main(int argc, char **argv)
{
    static const guint opus_rates[] = {48000, 24000, 16000, 12000, 8000};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(opus_rates); i++)
        test_mode(SPICE_AUDIO_DATA_MODE_OPUS, opus_rates[i], opus_rates[i] / 100, "Opus");
    test_mode(SPICE_AUDIO_DATA_MODE_CELT_0_5_1, 44100, 256, "CELT 0.5.1");
    test_mode(SPICE_AUDIO_DATA_MODE_RAW, 48000, 480, "raw");
    test_mode(SPICE_AUDIO_DATA_MODE_RAW, 44100, 441, "raw");
    test_mode(SPICE_AUDIO_DATA_MODE_RAW, 96000, 480, "raw");
    test_choice();
    test_recording(argv[1]);
    test_bad_packets();
    test_backlog();
    test_ring();
    test_encoders();
    test_pauses();
    return tap_done();
}
