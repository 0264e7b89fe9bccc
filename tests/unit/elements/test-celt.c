/* spiceceltenc and spiceceltdec: what goes in comes out, caps, gaps, damage and flushes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/audio/audio.h>
#include <gst/check/gstharness.h>
#include <math.h>
#include <string.h>

#include "gst-plugins/elements.h"

enum { FRAME = 256, FRAME_BYTES = FRAME * 4, PACKET = 47, DELAY = 128 };

#define RAW_CAPS                                                                                   \
    "audio/x-raw, format=" GST_AUDIO_NE(S16) ", layout=interleaved, rate=44100, channels=2, "      \
                                             "channel-mask=(bitmask)0x3"
#define CELT_CAPS "audio/x-celt, version=(string)0.5.1, rate=44100, channels=2, frame-size=256"

/* Two tones from sample `start` on. */
static GstBuffer *make_sound(gsize start, gsize samples)
{
    gint16 *pcm = g_new(gint16, 2 * samples);
    GstBuffer *buffer;

    for (gsize i = 0; i < samples; i++) {
        double t = 2 * G_PI * (double)(start + i) / 44100;

        pcm[2 * i] = (gint16)(8000 * sin(440 * t));
        pcm[2 * i + 1] = (gint16)(6000 * sin(1000 * t));
    }
    buffer = gst_buffer_new_wrapped(pcm, 4 * samples);
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(start, GST_SECOND, 44100);
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(samples, GST_SECOND, 44100);
    return buffer;
}

/* All that has come out of a harness so far, in one buffer. */
static GstBuffer *pull_all(GstHarness *h, guint *buffers)
{
    GstBuffer *all = gst_buffer_new(), *one;

    *buffers = 0;
    while ((one = gst_harness_try_pull(h))) {
        all = gst_buffer_append(all, one);
        (*buffers)++;
    }
    return all;
}

/* dB of `decoded`, DELAY samples late, from sample `from` on. */
static double snr_of(GstBuffer *sound, GstBuffer *decoded, gsize from)
{
    double signal = 0, noise = 0;
    GstMapInfo a, b;

    gst_buffer_map(sound, &a, GST_MAP_READ);
    gst_buffer_map(decoded, &b, GST_MAP_READ);
    for (gsize i = 2 * from; (i + 2 * DELAY) * 2 < b.size && i * 2 < a.size; i++) {
        double wanted = ((const gint16 *)a.data)[i];
        double got = ((const gint16 *)b.data)[i + 2 * DELAY];

        signal += wanted * wanted;
        noise += (wanted - got) * (wanted - got);
    }
    gst_buffer_unmap(sound, &a);
    gst_buffer_unmap(decoded, &b);
    return 10 * log10(signal / (noise + 1e-9));
}

static double power_of(GstBuffer *buffer)
{
    double sum = 0;
    GstMapInfo map;

    gst_buffer_map(buffer, &map, GST_MAP_READ);
    for (gsize i = 0; i < map.size / 2; i++) {
        double sample = ((const gint16 *)map.data)[i];

        sum += sample * sample;
    }
    sum /= (double)map.size / 2;
    gst_buffer_unmap(buffer, &map);
    return sum;
}

/* Packets of two tones. */
static GstBufferList *make_packets(guint count)
{
    GstHarness *h = gst_harness_new("spiceceltenc");
    GstBufferList *packets = gst_buffer_list_new();

    gst_harness_set_src_caps_str(h, RAW_CAPS);
    gst_harness_push(h, make_sound(0, (gsize)count * FRAME));
    for (guint i = 0; i < count; i++)
        gst_buffer_list_add(packets, gst_harness_pull(h));
    gst_harness_teardown(h);
    return packets;
}

static GstHarness *new_decoder(void)
{
    GstHarness *h = gst_harness_new("spiceceltdec");

    gst_harness_set_src_caps_str(h, CELT_CAPS);
    return h;
}

static void push_packets(GstHarness *h, GstBufferList *packets, guint from, guint to)
{
    for (guint i = from; i < to; i++)
        g_assert_cmpint(gst_harness_push(h, gst_buffer_ref(gst_buffer_list_get(packets, i))), ==,
                        GST_FLOW_OK);
}

static void test_round_trip(void)
{
    GstHarness *h = gst_harness_new_parse("spiceceltenc ! spiceceltdec");
    GstBuffer *sound = make_sound(0, 100 * FRAME + 100), *decoded;
    guint buffers;

    gst_harness_set_src_caps_str(h, RAW_CAPS);
    /* In pieces that are no frames. */
    for (gsize at = 0; at < 100 * FRAME + 100; at += 441)
        g_assert_cmpint(gst_harness_push(h, make_sound(at, MIN(441, 100 * FRAME + 100 - at))), ==,
                        GST_FLOW_OK);
    gst_harness_push_event(h, gst_event_new_eos());
    decoded = pull_all(h, &buffers);
    g_assert_cmpuint(buffers, ==, 101);
    g_assert_cmpuint(gst_buffer_get_size(decoded), ==, 101 * FRAME_BYTES);
    g_assert_cmpfloat(snr_of(sound, decoded, 1024), >, 15);
    gst_buffer_unref(decoded);
    gst_buffer_unref(sound);
    gst_harness_teardown(h);
}

static void test_packets(void)
{
    GstBufferList *packets = make_packets(40);

    for (guint i = 0; i < 40; i++) {
        GstBuffer *packet = gst_buffer_list_get(packets, i);

        g_assert_cmpuint(gst_buffer_get_size(packet), ==, PACKET);
        g_assert_cmpuint(GST_BUFFER_PTS(packet), ==,
                         gst_util_uint64_scale(i * FRAME, GST_SECOND, 44100));
        g_assert_cmpuint(GST_BUFFER_DURATION(packet) / 1000, ==,
                         gst_util_uint64_scale(FRAME, GST_SECOND, 44100) / 1000);
    }
    gst_buffer_list_unref(packets);
}

static void assert_caps(GstHarness *h, const char *wanted)
{
    GstCaps *caps = gst_pad_get_current_caps(h->sinkpad), *expected = gst_caps_from_string(wanted);

    g_assert_nonnull(caps);
    g_assert_true(gst_caps_is_subset(caps, expected));
    gst_caps_unref(caps);
    gst_caps_unref(expected);
}

static void test_caps(void)
{
    GstHarness *h = gst_harness_new("spiceceltenc");
    GstBuffer *packet;

    gst_harness_set_src_caps_str(h, RAW_CAPS);
    gst_harness_push(h, make_sound(0, FRAME));
    assert_caps(h, CELT_CAPS);
    gst_harness_teardown(h);

    h = gst_harness_new_parse("spiceceltenc frame-size=128 packet-size=60");
    gst_harness_set_src_caps_str(
        h, "audio/x-raw, format=" GST_AUDIO_NE(S16) ", layout=interleaved, rate=48000, channels=1");
    gst_harness_push(h, make_sound(0, 64));
    assert_caps(h, "audio/x-celt, version=(string)0.5.1, rate=48000, channels=1, frame-size=128");
    packet = gst_harness_pull(h);
    g_assert_cmpuint(gst_buffer_get_size(packet), ==, 60);
    gst_buffer_unref(packet);
    gst_harness_teardown(h);

    h = new_decoder();
    gst_harness_push(h, gst_buffer_new_memdup("\0\0\0\0\0\0\0\0", 8));
    assert_caps(
        h, "audio/x-raw, format=" GST_AUDIO_NE(S16) ", layout=interleaved, rate=44100, channels=2");
    gst_harness_teardown(h);
}

static void test_gap(void)
{
    GstHarness *h = new_decoder();
    GstBufferList *packets = make_packets(60);
    const GstClockTime frame = gst_util_uint64_scale(FRAME, GST_SECOND, 44100);
    GstBuffer *before, *filled, *after;
    guint buffers;

    push_packets(h, packets, 0, 40);
    before = pull_all(h, &buffers);
    g_assert_cmpuint(buffers, ==, 40);

    /* Three frames are lost. */
    gst_harness_push_event(h, gst_event_new_gap(40 * frame, 3 * frame));
    filled = pull_all(h, &buffers);
    g_assert_cmpuint(gst_buffer_get_size(filled), ==, 3 * FRAME_BYTES);
    g_assert_cmpfloat(power_of(filled), >, power_of(before) / 8);
    g_assert_cmpfloat(power_of(filled), <, power_of(before) * 2);

    push_packets(h, packets, 43, 60);
    after = pull_all(h, &buffers);
    g_assert_cmpuint(gst_buffer_get_size(after), ==, 17 * FRAME_BYTES);
    g_assert_cmpfloat(power_of(after), >, power_of(before) / 2);
    gst_buffer_unref(before);
    gst_buffer_unref(filled);
    gst_buffer_unref(after);

    /* A long gap ends in silence and is bounded. */
    gst_harness_push_event(h, gst_event_new_gap(60 * frame, 3600 * GST_SECOND));
    filled = pull_all(h, &buffers);
    g_assert_cmpuint(gst_buffer_get_size(filled), >=, 40 * FRAME_BYTES);
    g_assert_cmpuint(gst_buffer_get_size(filled), <=, 100 * FRAME_BYTES);
    after = gst_buffer_copy_region(filled, GST_BUFFER_COPY_ALL, 20 * FRAME_BYTES, FRAME_BYTES);
    g_assert_cmpfloat(power_of(after), ==, 0);
    gst_buffer_unref(after);
    gst_buffer_unref(filled);
    gst_buffer_list_unref(packets);
    gst_harness_teardown(h);
}

static void test_damage(void)
{
    GstHarness *h = new_decoder();
    GstBufferList *packets = make_packets(20);
    guint8 ones[PACKET];
    GstBuffer *decoded;
    guint buffers;

    memset(ones, 0xff, sizeof ones);
    push_packets(h, packets, 0, 10);
    gst_buffer_unref(pull_all(h, &buffers));
    g_assert_cmpint(gst_harness_push(h, gst_buffer_new_memdup(ones, sizeof ones)), ==, GST_FLOW_OK);
    decoded = pull_all(h, &buffers);
    g_assert_cmpuint(gst_buffer_get_size(decoded), ==, FRAME_BYTES);
    g_assert_cmpfloat(power_of(decoded), ==, 0);
    gst_buffer_unref(decoded);
    push_packets(h, packets, 10, 20);
    decoded = pull_all(h, &buffers);
    g_assert_cmpuint(buffers, ==, 10);
    gst_buffer_unref(decoded);
    gst_buffer_list_unref(packets);
    gst_harness_teardown(h);
}

/* After a flush both start as if new. */
static void test_flush(void)
{
    GstHarness *h = gst_harness_new_parse("spiceceltenc ! spiceceltdec");
    GstBuffer *first, *second;
    guint buffers;
    GstSegment segment;

    gst_harness_set_src_caps_str(h, RAW_CAPS);
    gst_harness_push(h, make_sound(0, 30 * FRAME));
    first = pull_all(h, &buffers);
    g_assert_cmpuint(buffers, ==, 30);

    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    gst_harness_push(h, make_sound(0, 30 * FRAME));
    second = pull_all(h, &buffers);
    g_assert_cmpuint(buffers, ==, 30);
    g_assert_cmpuint(gst_buffer_get_size(first), ==, gst_buffer_get_size(second));
    {
        GstMapInfo map;

        gst_buffer_map(second, &map, GST_MAP_READ);
        g_assert_cmpint(gst_buffer_memcmp(first, 0, map.data, map.size), ==, 0);
        gst_buffer_unmap(second, &map);
    }
    gst_buffer_unref(first);
    gst_buffer_unref(second);
    gst_harness_teardown(h);
}

/* A frame size whose short blocks the codec cannot have. */
static void test_refused_format(void)
{
    GstHarness *h = gst_harness_new_parse("spiceceltenc frame-size=510");

    gst_harness_set_src_caps_str(h, RAW_CAPS);
    g_assert_cmpint(gst_harness_push(h, make_sound(0, 510)), ==, GST_FLOW_NOT_NEGOTIATED);
    g_assert_null(gst_harness_try_pull(h));
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    gst_spice_register_elements(NULL);
    g_test_add_func("/celt/round-trip", test_round_trip);
    g_test_add_func("/celt/packets", test_packets);
    g_test_add_func("/celt/caps", test_caps);
    g_test_add_func("/celt/gap", test_gap);
    g_test_add_func("/celt/damage", test_damage);
    g_test_add_func("/celt/flush", test_flush);
    g_test_add_func("/celt/refused-format", test_refused_format);
    return g_test_run();
}
