/* The frames of a WebSocket, both ways, without a network.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "websocket-side.h"

/* Frames in */

static const guint8 MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

/** A masked frame with the length in `n_length` bytes: 0, 2 or 8. */
static void append_client_frame(GByteArray *out, guint8 first, const void *data, guint size,
                                guint n_length)
{
    guint8 header[10] = {first, (guint8)(0x80 | (n_length == 0   ? size
                                                 : n_length == 2 ? 126
                                                                 : 127))};
    guint start;

    for (guint i = 0; i < n_length; i++)
        header[2 + i] = (guint8)((guint64)size >> 8 * (n_length - 1 - i));
    g_byte_array_append(out, header, 2 + n_length);
    g_byte_array_append(out, MASK, sizeof MASK);
    start = out->len;
    g_byte_array_set_size(out, start + size);
    for (guint i = 0; i < size; i++)
        out->data[start + i] = ((const guint8 *)data)[i] ^ MASK[i % 4];
}

static guint fewest(guint size)
{
    return size < 126 ? 0 : size < 65536 ? 2 : 8;
}

static void append_text_frame(GByteArray *out, guint8 first, const char *text)
{
    append_client_frame(out, first, text, (guint)strlen(text), 0);
}

static void test_frame_sample(void)
{
    /* RFC 6455, 5.7: "Hello" in a masked text frame */
    static const guint8 frame[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                   0x7f, 0x9f, 0x4d, 0x51, 0x58};
    Side side = side_open();

    g_assert_cmpint(push(&side, frame, sizeof frame), ==, SPICE_WEBSOCKET_OPEN);
    g_assert_cmpmem(side.payload->data, side.payload->len, "Hello", 5);
    assert_drained(&side, "", 0);
    side_clear(&side);
}

static void test_frame_arrives_in_part(void)
{
    /* The header promises 2^62 bytes; each that comes is there at once. */
    static const guint8 header[] = {0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    Side side = side_open();

    g_assert_cmpint(push(&side, header, sizeof header), ==, SPICE_WEBSOCKET_OPEN);
    g_assert_cmpint(push(&side, "RE", 2), ==, SPICE_WEBSOCKET_OPEN);
    g_assert_cmpmem(side.payload->data, side.payload->len, "RE", 2);
    g_assert_cmpint(push(&side, "DQ", 2), ==, SPICE_WEBSOCKET_OPEN);
    g_assert_cmpmem(side.payload->data, side.payload->len, "REDQ", 4);
    side_clear(&side);
}

/** A browser's request, then fragments with a PING between them, empty frames, all sorts of data
 * frames, a PONG that nobody asked for, a CLOSE, and bytes behind it. */
static GByteArray *whole_session(void)
{
    GByteArray *in = g_byte_array_new();

    g_byte_array_append(in, (const guint8 *)BROWSER_REQUEST, strlen(BROWSER_REQUEST));
    append_text_frame(in, 0x82, "one ");
    append_text_frame(in, 0x02, "two ");
    append_text_frame(in, 0x89, "are you there?");
    append_text_frame(in, 0x00, "");
    append_text_frame(in, 0x00, "three ");
    append_text_frame(in, 0x80, "four ");
    append_text_frame(in, 0x82, "");
    append_text_frame(in, 0x8a, "pong");
    append_text_frame(in, 0x81, "five ");
    append_text_frame(in, 0x01, "");
    append_text_frame(in, 0x80, "six");
    append_text_frame(in, 0x88,
                      "\x03\xe9"
                      "bye");
    append_text_frame(in, 0x82, "never read");
    return in;
}

static void check_session_end(Side *side)
{
    g_autofree char *answer = drain(side);

    g_assert_cmpmem(side->payload->data, side->payload->len, "one two three four five six", 27);
    g_assert_cmpstr(strstr(answer, "\r\n\r\n") + 4, ==,
                    "\x8a\x0e"
                    "are you there?"
                    "\x88\x02\x03\xe9");
}

static void test_split_at_each_position(void)
{
    g_autoptr(GByteArray) in = whole_session();
    Side side;

    for (guint at = 0; at <= in->len; at++) {
        side = side_new(NULL);
        push(&side, in->data, at);
        g_assert_cmpint(push(&side, in->data + at, in->len - at), ==, SPICE_WEBSOCKET_CLOSED);
        check_session_end(&side);
        side_clear(&side);
    }
    side = side_new(NULL);
    for (guint at = 0; at < in->len; at++)
        push(&side, in->data + at, 1);
    g_assert_cmpint(push(&side, NULL, 0), ==, SPICE_WEBSOCKET_CLOSED);
    check_session_end(&side);
    side_clear(&side);
}

static void test_frame_rules(void)
{
    static const struct {
        const char *bytes;
        gsize size; /* what does not differ from a lawful frame is left out */
        const char *what;
    } cases[] = {
        {"\xc2\x81", 2, "RSV1"},
        {"\xa2\x81", 2, "RSV2"},
        {"\x92\x81", 2, "RSV3"},
        {"\x82\x01", 2, "not masked"},
        {"\x89\x00", 2, "control not masked"},
        {"\x83\x81", 2, "opcode 3"},
        {"\x84\x81", 2, "opcode 4"},
        {"\x85\x81", 2, "opcode 5"},
        {"\x86\x81", 2, "opcode 6"},
        {"\x87\x81", 2, "opcode 7"},
        {"\x8b\x81", 2, "opcode 11"},
        {"\x8c\x81", 2, "opcode 12"},
        {"\x8d\x81", 2, "opcode 13"},
        {"\x8e\x81", 2, "opcode 14"},
        {"\x8f\x81", 2, "opcode 15"},
        {"\x80\x81", 2, "last continuation of no message"},
        {"\x00\x81", 2, "continuation of no message"},
        {"\x02\x80\0\0\0\0\x02\x80", 8, "binary inside of a message"},
        {"\x02\x80\0\0\0\0\x81\x80", 8, "text inside of a message"},
        {"\x02\x80\0\0\0\0\x80\x80\0\0\0\0\x80\x80", 14, "continuation of an ended message"},
        {"\x08\x80", 2, "unfinished CLOSE"},
        {"\x09\x80", 2, "unfinished PING"},
        {"\x0a\x80", 2, "unfinished PONG"},
        {"\x88\xfe", 2, "long CLOSE"},
        {"\x89\xfe", 2, "long PING"},
        {"\x8a\xff", 2, "very long PONG"},
        {"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 14, "64-bit length with the top bit"},
        {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, "largest 64-bit length"},
        {"\x82\xfe\0\x7d\0\0\0\0", 8, "125 in 16 bits"},
        {"\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", 14, "65535 in 64 bits"},
        {"\x88\x81\0\0\0\0\x03", 7, "CLOSE of half a status"},
        {"\x88\x82\0\0\0\0\x03\xe7", 8, "CLOSE 999"},
        {"\x88\x82\0\0\0\0\x03\xed", 8, "CLOSE 1005"},
        {"\x88\x82\0\0\0\0\x03\xee", 8, "CLOSE 1006"},
        {"\x88\x82\0\0\0\0\x03\xf7", 8, "CLOSE 1015"},
        {"\x88\x82\0\0\0\0\x13\x88", 8, "CLOSE 5000"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Side side = side_open();
        const guint8 *bytes = (const guint8 *)cases[i].bytes;

        /* Not a byte before the last one gives cause, and none is passed on. */
        g_assert_cmpint(push(&side, bytes, cases[i].size - 1), ==, SPICE_WEBSOCKET_OPEN);
        if (spice_websocket_push(side.websocket, bytes + cases[i].size - 1, 1, side.payload,
                                 &error) != SPICE_WEBSOCKET_FAILED)
            g_error("not refused: %s", cases[i].what);
        g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL);
        g_assert_cmpuint(side.payload->len, ==, 0);
        assert_drained(&side, "\x88\x02\x03\xea", 4); /* CLOSE 1002 */
        g_assert_cmpint(push(&side, "\x82\x81\0\0\0\0a", 7), ==, SPICE_WEBSOCKET_FAILED);
        g_assert_cmpuint(side.payload->len, ==, 0);
        assert_drained(&side, "", 0);
        side_clear(&side);
    }
}

static void test_frame_lengths(void)
{
    static const guint sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 100000};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GByteArray) in = g_byte_array_new();
        g_autofree guint8 *data = g_malloc(sizes[i] + 1);
        Side side = side_open();

        for (guint j = 0; j < sizes[i]; j++)
            data[j] = (guint8)(j * 7 + j / 256);
        append_client_frame(in, 0x82, data, sizes[i], fewest(sizes[i]));
        g_assert_cmpint(push(&side, in->data, in->len), ==, SPICE_WEBSOCKET_OPEN);
        g_assert_cmpmem(side.payload->data, side.payload->len, data, sizes[i]);
        side_clear(&side);
    }
}

static void test_ping(void)
{
    g_autoptr(GByteArray) in = g_byte_array_new();
    g_autofree char *largest = g_strnfill(125, 'p');
    g_autofree char *pong = g_strconcat("\x8a\x7d", largest, NULL);
    Side side = side_open();

    append_text_frame(in, 0x89, "");
    push(&side, in->data, in->len);
    assert_drained(&side, "\x8a\0", 2);
    append_text_frame(in, 0x89, "a");
    append_text_frame(in, 0x89, "b");
    push(&side, in->data, in->len);
    assert_drained(&side, "\x8a\0\x8a\1a\x8a\1b", 8);
    g_byte_array_set_size(in, 0);
    append_text_frame(in, 0x89, largest);
    push(&side, in->data, in->len);
    assert_drained(&side, pong, 127);
    g_assert_cmpuint(side.payload->len, ==, 0);
    side_clear(&side);
}

static void test_ping_flood(void)
{
    Side side = side_open();

    for (guint i = 0; i < 100000; i++) {
        g_autofree char *number = g_strdup_printf("%06u", i);
        g_autoptr(GByteArray) in = g_byte_array_new();

        append_text_frame(in, 0x89, number);
        push(&side, in->data, in->len);
    }
    spice_websocket_drain(side.websocket, side.out);
    g_assert_cmpuint(side.out->len, <=, 4 * 8);
    g_assert_cmpuint(side.out->len, >=, 8);
    g_assert_cmpmem(side.out->data + side.out->len - 8, 8,
                    "\x8a\6"
                    "099999",
                    8);
    side_clear(&side);
}

static void test_close(void)
{
    static const struct {
        const char *payload, *answer;
        gsize answer_size;
    } cases[] = {
        {"", "\x88\0", 2},
        {"\x03\xe8", "\x88\2\x03\xe8", 4},
        {"\x03\xe9going away", "\x88\2\x03\xe9", 4},
        {"\x0f\xa0", "\x88\2\x0f\xa0", 4},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) in = g_byte_array_new();
        Side side = side_open();

        append_text_frame(in, 0x82, "last");
        append_text_frame(in, 0x88, cases[i].payload);
        g_assert_cmpint(push(&side, in->data, in->len), ==, SPICE_WEBSOCKET_CLOSED);
        g_assert_cmpmem(side.payload->data, side.payload->len, "last", 4);
        g_assert_false(spice_websocket_write(side.websocket, (const guint8 *)"a", 1, side.out));
        g_assert_cmpuint(side.out->len, ==, 0);
        spice_websocket_close(side.websocket);
        assert_drained(&side, cases[i].answer, cases[i].answer_size);
        g_assert_cmpint(push(&side, in->data, in->len), ==, SPICE_WEBSOCKET_CLOSED);
        g_assert_cmpuint(side.payload->len, ==, 4);
        assert_drained(&side, "", 0);
        side_clear(&side);
    }
}

static void test_close_by_server(void)
{
    g_autoptr(GByteArray) in = g_byte_array_new();
    Side side = side_open();

    append_text_frame(in, 0x89, "a");
    append_text_frame(in, 0x82, "on its way");
    push(&side, in->data, in->len);
    spice_websocket_close(side.websocket);
    spice_websocket_close(side.websocket);
    g_assert_false(spice_websocket_write(side.websocket, (const guint8 *)"a", 1, side.out));
    push(&side, in->data, in->len);
    assert_drained(&side, "\x8a\1a\x88\2\x03\xe8",
                   7); /* the PONG first, nothing behind the CLOSE */
    g_assert_cmpuint(side.payload->len, ==, 20);
    g_byte_array_set_size(in, 0);
    append_text_frame(in, 0x88, "\x03\xe8");
    g_assert_cmpint(push(&side, in->data, in->len), ==, SPICE_WEBSOCKET_CLOSED);
    assert_drained(&side, "", 0);
    side_clear(&side);
}

/* Frames out */

static void test_write_lengths(void)
{
    static const struct {
        guint size;
        const char *header;
        guint header_size;
    } cases[] = {
        {1, "\x82\x01", 2},
        {125, "\x82\x7d", 2},
        {126, "\x82\x7e\x00\x7e", 4},
        {65535, "\x82\x7e\xff\xff", 4},
        {65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10},
        {0x12345, "\x82\x7f\0\0\0\0\0\1\x23\x45", 10},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree guint8 *data = g_malloc0(cases[i].size);
        Side side = side_open();

        memset(data, 'x', cases[i].size);
        g_assert_true(spice_websocket_write(side.websocket, data, cases[i].size, side.out));
        g_assert_cmpuint(side.out->len, ==, cases[i].header_size + cases[i].size);
        g_assert_cmpmem(side.out->data, cases[i].header_size, cases[i].header,
                        cases[i].header_size);
        g_assert_cmpmem(side.out->data + cases[i].header_size, cases[i].size, data, cases[i].size);
        side_clear(&side);
    }
}

static void test_write_order(void)
{
    g_autoptr(GByteArray) in = g_byte_array_new();
    Side side = side_new(NULL);

    g_assert_false(spice_websocket_write(side.websocket, (const guint8 *)"a", 1, side.out));
    spice_websocket_close(side.websocket);
    g_byte_array_append(in, (const guint8 *)LEAST "\r\n", strlen(LEAST "\r\n"));
    append_text_frame(in, 0x89, "p");
    g_assert_cmpint(push(&side, in->data, in->len), ==, SPICE_WEBSOCKET_OPEN);
    /* Whoever writes without having drained has the response first all the same. */
    g_assert_true(spice_websocket_write(side.websocket, (const guint8 *)"a", 1, side.out));
    g_assert_true(spice_websocket_write(side.websocket, NULL, 0, side.out));
    g_assert_cmpuint(side.out->len, ==, strlen(SWITCHING) + 6);
    g_assert_cmpmem(side.out->data, strlen(SWITCHING), SWITCHING, strlen(SWITCHING));
    g_assert_cmpmem(side.out->data + strlen(SWITCHING), 6, "\x8a\1p\x82\1a", 6);
    side_clear(&side);
}

static void test_write_limit(void)
{
    Side side = side_open();

    g_assert_false(
        spice_websocket_write(side.websocket, (const guint8 *)"", G_MAXUINT32 - 10, side.out));
    g_assert_false(spice_websocket_write(side.websocket, (const guint8 *)"", G_MAXSIZE, side.out));
    g_assert_cmpuint(side.out->len, ==, 0);
    side_clear(&side);
}

/* Both */

/** Appends the payload of the server's frame at `data`; its whole size. */
static gsize read_server_frame(const guint8 *data, gsize size, GByteArray *payload)
{
    gsize length, header_size = 2;

    g_assert_cmpuint(size, >=, 2);
    g_assert_cmphex(data[0], ==, 0x82);
    length = data[1];
    g_assert_cmpuint(length, <=, 127);
    if (length >= 126) {
        header_size += length == 126 ? 2 : 8;
        g_assert_cmpuint(size, >=, header_size);
        length = 0;
        for (gsize i = 2; i < header_size; i++)
            length = length << 8 | data[i];
    }
    g_assert_cmpuint(size - header_size, >=, length);
    g_byte_array_append(payload, data + header_size, (guint)length);
    return header_size + length;
}

/** What a client sends in frames of random size, read in random pieces, is written back as it came
 * and read by a decoder of the test's own. */
static void test_round_trip(void)
{
    enum { SIZE = 3000000 };
    g_autoptr(GByteArray) sent = g_byte_array_new(), in = g_byte_array_new();
    g_autoptr(GByteArray) back = g_byte_array_new();
    gboolean in_message = FALSE;
    Side side = side_open();
    gsize at, n;

    while (sent->len < SIZE) {
        guint size = (guint)g_test_rand_int_range(0, 3);
        gboolean final = g_test_rand_bit();

        size = (guint)g_test_rand_int_range(0, size == 0 ? 200 : size == 1 ? 5000 : 150000);
        g_byte_array_set_size(sent, sent->len + size);
        for (guint i = 0; i < size; i++)
            sent->data[sent->len - size + i] = (guint8)g_test_rand_int();
        append_client_frame(in, (guint8)((final ? 0x80 : 0) | (in_message ? 0 : 2)),
                            size ? sent->data + sent->len - size : NULL, size, fewest(size));
        in_message = !final;
    }
    for (at = 0; at < in->len; at += n) {
        n = (gsize)g_test_rand_int_range(1, g_test_rand_bit() ? 10 : 200000);
        n = MIN(n, in->len - at);
        g_assert_cmpint(push(&side, in->data + at, n), ==, SPICE_WEBSOCKET_OPEN);
        g_assert_cmpuint(side.payload->len, <=, n);
        g_assert_true(
            spice_websocket_write(side.websocket, side.payload->data, side.payload->len, side.out));
        g_byte_array_set_size(side.payload, 0);
    }
    for (at = 0; at < side.out->len;)
        at += read_server_frame(side.out->data + at, side.out->len - at, back);
    g_assert_cmpmem(back->data, back->len, sent->data, sent->len);
    side_clear(&side);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/websocket/split-at-each-position", test_split_at_each_position);
    g_test_add_func("/websocket/in/sample-of-the-rfc", test_frame_sample);
    g_test_add_func("/websocket/in/payload-is-passed-on-as-it-arrives", test_frame_arrives_in_part);
    g_test_add_func("/websocket/in/each-rule", test_frame_rules);
    g_test_add_func("/websocket/in/each-form-of-length", test_frame_lengths);
    g_test_add_func("/websocket/in/ping-is-answered", test_ping);
    g_test_add_func("/websocket/in/unread-pongs-are-few", test_ping_flood);
    g_test_add_func("/websocket/in/close-ends-the-stream", test_close);
    g_test_add_func("/websocket/out/close-by-the-server", test_close_by_server);
    g_test_add_func("/websocket/out/each-form-of-length", test_write_lengths);
    g_test_add_func("/websocket/out/frames-stand-in-order", test_write_order);
    g_test_add_func("/websocket/out/too-much-is-refused", test_write_limit);
    g_test_add_func("/websocket/round-trip-in-random-frames", test_round_trip);
    return g_test_run();
}
