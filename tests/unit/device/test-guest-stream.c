/* What a guest's streaming agent says, cut anywhere; what it may not say, and key frames of each codec.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/guest-stream.h"

#include "core/video/key-frame.h"
#include "core/wire/endian.h"
#include "tests/unit/tap.h"

static SpiceBuffer stream = {.allocator = &spice_allocator_libc};

static void add(uint8_t version, uint16_t type, uint32_t claimed, const void *body, size_t size)
{
    uint8_t header[SPICE_GUEST_STREAM_HEADER_SIZE] = {version};

    spice_put_u16(header + 2, type);
    spice_put_u32(header + 4, claimed);
    if (!spice_buffer_append(&stream, header, sizeof header) ||
        (size > 0 && !spice_buffer_append(&stream, body, size)))
        exit(99);
}

static void say(uint16_t type, const void *body, size_t size)
{
    add(1, type, (uint32_t)size, body, size);
}

static void say_format(uint32_t width, uint32_t height, uint8_t codec)
{
    uint8_t body[12] = {0};

    spice_put_u32(body, width);
    spice_put_u32(body + 4, height);
    body[8] = codec;
    say(SPICE_GUEST_STREAM_FORMAT, body, sizeof body);
}

static void say_cursor(uint16_t width, uint16_t height, uint16_t hot_x, uint8_t type, size_t size)
{
    uint8_t *body = calloc(1, 12 + size);

    spice_put_u16(body, width);
    spice_put_u16(body + 2, height);
    spice_put_u16(body + 4, hot_x);
    body[8] = type;
    for (size_t i = 0; i < size; i++)
        body[12 + i] = (uint8_t)i;
    say(SPICE_GUEST_STREAM_CURSOR_SET, body, 12 + size);
    free(body);
}

/** Reads `stream` in pieces; a number that all that was read goes into, or 0 if it is broken. */
static uint64_t read_all(size_t piece, unsigned *messages, const char **why)
{
    SpiceGuestStreamReader reader = {.body.allocator = &spice_allocator_libc};
    SpiceGuestStreamMessage message;
    uint64_t sum = 1;

    *messages = 0;
    *why = NULL;
    for (size_t at = 0; at < stream.size; at += piece) {
        SpiceBytes input = {stream.data + at, piece < stream.size - at ? piece : stream.size - at};
        SpiceGuestStreamRead read;

        while ((read = spice_guest_stream_read(&reader, &input, &message, why)) ==
               SPICE_GUEST_STREAM_MESSAGE) {
            ++*messages;
            sum = sum * 31 + message.type;
            if (message.type == SPICE_GUEST_STREAM_FORMAT)
                sum = sum * 31 + message.as.format.width * 7 + message.as.format.height;
            else if (message.type == SPICE_GUEST_STREAM_CURSOR_MOVE)
                sum = sum * 31 + (uint32_t)(message.as.place.x * 3 + message.as.place.y);
            else if (message.type == SPICE_GUEST_STREAM_DATA)
                for (size_t i = 0; i < message.as.data.size; i++)
                    sum = sum * 31 + message.as.data.data[i];
            else if (message.type == SPICE_GUEST_STREAM_CURSOR_SET)
                sum = sum * 31 + message.as.cursor.data.data[message.as.cursor.data.size - 1];
        }
        if (read == SPICE_GUEST_STREAM_BROKEN)
            sum = 0;
        if (sum == 0)
            break;
    }
    spice_buffer_clear(&reader.body);
    return sum;
}

static void test_messages(void)
{
    static const uint8_t place[8] = {0xff, 0xff, 0xff, 0xff, 10},
                         info[] = "\1\0\0\0\2\0\0\0\4\0\0\0pci";
    static uint8_t frame[300000];
    unsigned messages, cut_messages;
    const char *why;
    uint64_t whole;

    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i * 7 + i / 251);
    say(SPICE_GUEST_STREAM_CAPABILITIES, NULL, 0);
    say(SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO, info, sizeof info);
    say_format(640, 480, SPICE_VIDEO_CODEC_TYPE_VP8);
    say(SPICE_GUEST_STREAM_DATA, frame, sizeof frame);
    say(SPICE_GUEST_STREAM_DATA, frame, 1);
    say_cursor(16, 16, 15, SPICE_CURSOR_TYPE_ALPHA, 16 * 16 * 4);
    say(SPICE_GUEST_STREAM_CURSOR_MOVE, place, sizeof place);
    say_format(16384, 4096, SPICE_VIDEO_CODEC_TYPE_H265);
    whole = read_all(stream.size, &messages, &why);
    TAP_OK(whole != 0 && messages == 8, "all that an agent says is read");
    for (size_t piece = 1; piece < 40; piece += 6)
        TAP_OK(read_all(piece, &cut_messages, &why) == whole && cut_messages == 8,
               "cut into pieces of %zu bytes it is the same", piece);
    stream.size = 0;
}

static void expect_broken(const char *what)
{
    unsigned messages;
    const char *why;
    const bool broken = read_all(7, &messages, &why) == 0;

    TAP_OK(broken && why && strlen(why) > 5, "%s: %s", what, why ? why : "it was taken");
    stream.size = 0;
}

static void test_bad(void)
{
    static const uint8_t body[400];

    add(2, SPICE_GUEST_STREAM_CAPABILITIES, 0, NULL, 0);
    expect_broken("another version");
    say(SPICE_GUEST_STREAM_START_STOP, body, 1);
    expect_broken("what only the server says");
    say(77, body, 1);
    expect_broken("an unknown type");
    say(SPICE_GUEST_STREAM_DATA, body, 10);
    expect_broken("data without a format");
    say_format(8192, 8192, 1);
    add(1, SPICE_GUEST_STREAM_DATA, SPICE_GUEST_STREAM_MAX_FRAME + 1, body, 10);
    expect_broken("too much data");
    say_format(16, 16, 1);
    add(1, SPICE_GUEST_STREAM_DATA, 16 * 16 * 4 + (64 << 10) + 1, body, 10);
    expect_broken("too much data for so small a picture");
    say_format(640, 480, 1);
    say(SPICE_GUEST_STREAM_DATA, NULL, 0);
    expect_broken("data that is none");
    say(SPICE_GUEST_STREAM_FORMAT, body, 11);
    expect_broken("a short format");
    say_format(0, 480, 1);
    expect_broken("no width");
    say_format(640, 16385, 1);
    expect_broken("too high");
    say_format(16384, 16384, 1);
    expect_broken("too many pixels");
    say_format(640, 480, 0);
    expect_broken("no codec");
    say_format(640, 480, 6);
    expect_broken("an unknown codec");
    add(1, SPICE_GUEST_STREAM_CAPABILITIES, 1025, body, 1);
    expect_broken("too many capabilities");
    say_cursor(16, 16, 16, SPICE_CURSOR_TYPE_ALPHA, 16 * 16 * 4);
    expect_broken("a hot spot beside the cursor");
    say_cursor(16, 16, 0, SPICE_CURSOR_TYPE_ALPHA, 16 * 16 * 4 - 1);
    expect_broken("a cursor without its last byte");
    say_cursor(1025, 1, 0, SPICE_CURSOR_TYPE_ALPHA, 1025 * 4);
    expect_broken("a cursor that is too wide");
    say_cursor(16, 16, 0, SPICE_CURSOR_TYPE_MONO, 64);
    expect_broken("a cursor of another type");
    say(SPICE_GUEST_STREAM_CURSOR_MOVE, body, 7);
    expect_broken("a short place");
    say(SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO, "\1\0\0\0\2\0\0\0\7\0\0\0pci", 16);
    expect_broken("an address of another length");
    add(1, SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO, 12 + 257, body, 12);
    expect_broken("an address that is too long");
}

static void test_written(void)
{
    static const uint8_t codecs[] = {1, 3},
                         expected[] = "\1\0\1\0\0\0\0\0\1\0\4\0\3\0\0\0\2\1\3\1\0\4\0\1\0\0\0\0"
                                      "\1\0\5\0\7\0\0\0\0\0\0\0no";

    TAP_OK(spice_guest_stream_write_capabilities(&stream) &&
               spice_guest_stream_write_start_stop(&stream, codecs, 2) &&
               spice_guest_stream_write_start_stop(&stream, NULL, 0) &&
               spice_guest_stream_write_error(&stream, "no") && stream.size == sizeof expected &&
               memcmp(stream.data, expected, sizeof expected) == 0,
           "what the guest is told stands as agents read it");
    stream.size = 0;
}

static void test_key_frames(void)
{
    static const struct {
        const char *name;
        SpiceVideoCodecType codec;
        uint8_t unit[16];
        size_t size;
        bool key;
    } units[] = {
        {"MJPEG", SPICE_VIDEO_CODEC_TYPE_MJPEG, {0xff, 0xd8}, 2, true},
        {"VP8 key", SPICE_VIDEO_CODEC_TYPE_VP8, {0x10, 2, 0, 0x9d, 1, 0x2a, 64, 0}, 8, true},
        {"VP8 inter", SPICE_VIDEO_CODEC_TYPE_VP8, {0x11, 2, 0, 1, 2, 3, 4, 5}, 8, false},
        {"VP8 cut", SPICE_VIDEO_CODEC_TYPE_VP8, {0x10, 2}, 2, false},
        {"VP9 key", SPICE_VIDEO_CODEC_TYPE_VP9, {0x82, 0x49, 0x83, 0x42}, 4, true},
        {"VP9 inter", SPICE_VIDEO_CODEC_TYPE_VP9, {0x86, 0, 0x40, 0x92}, 4, false},
        {"VP9 shown again", SPICE_VIDEO_CODEC_TYPE_VP9, {0x88, 0, 0, 0}, 4, false},
        {"VP9 no marker", SPICE_VIDEO_CODEC_TYPE_VP9, {0x02, 0, 0, 0}, 4, false},
        {"H.264 IDR",
         SPICE_VIDEO_CODEC_TYPE_H264,
         {0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65},
         15,
         true},
        {"H.264 slice",
         SPICE_VIDEO_CODEC_TYPE_H264,
         {0, 0, 0, 1, 9, 48, 0, 0, 1, 0x41, 1},
         11,
         false},
        {"H.264 without a slice", SPICE_VIDEO_CODEC_TYPE_H264, {0, 0, 1, 9, 48}, 5, false},
        {"H.265 IDR", SPICE_VIDEO_CODEC_TYPE_H265, {0, 0, 1, 64, 1, 0, 0, 1, 38, 1}, 10, true},
        {"H.265 slice", SPICE_VIDEO_CODEC_TYPE_H265, {0, 0, 1, 2, 1, 9}, 6, false},
    };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        TAP_OK(spice_video_is_key_frame(units[i].codec,
                                        (SpiceBytes){units[i].unit, units[i].size}) == units[i].key,
               "%s", units[i].name);
}

int main(void)
{
    test_messages();
    test_bad();
    test_written();
    test_key_frames();
    spice_buffer_clear(&stream);
    return tap_done();
}
