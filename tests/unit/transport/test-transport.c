/* transport/ without a network: addresses, framing, the link handshake, certificate subjects.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "transport/address.h"
#include "transport/error.h"
#include "transport/framer.h"
#include "transport/link-client.h"
#include "transport/tls.h"

/* Addresses */

static void test_address_forms(void)
{
    static const struct {
        const char *uri, *host, *path, *password;
        guint16 port, tls_port;
    } cases[] = {
        {"spice://vm.example:5901", "vm.example", NULL, NULL, 5901, 0},
        {"spice://vm.example", "vm.example", NULL, NULL, 5900, 0},
        {"spice://[::1]:5901", "::1", NULL, NULL, 5901, 0},
        {"spice://127.0.0.1?port=1&tls-port=2", "127.0.0.1", NULL, NULL, 1, 2},
        {"spice://h?tls-port=2", "h", NULL, NULL, 0, 2},
        {"spice+tls://h:5902", "h", NULL, NULL, 0, 5902},
        {"spice+tls://h?port=1&tls-port=2", "h", NULL, NULL, 0, 2},
        {"spice://h:1?password=a%26b", "h", NULL, "a&b", 1, 0},
        {"spice+unix:///run/vm%20one.sock", NULL, "/run/vm one.sock", NULL, 0, 0},
    };
    guint i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SpiceAddress) address = spice_address_parse(cases[i].uri, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(address->host, ==, cases[i].host);
        g_assert_cmpstr(address->unix_path, ==, cases[i].path);
        g_assert_cmpstr(address->password, ==, cases[i].password);
        g_assert_cmpuint(address->port, ==, cases[i].port);
        g_assert_cmpuint(address->tls_port, ==, cases[i].tls_port);
    }
}

static void test_address_refused(void)
{
    static const char *bad[] = {
        "",
        "spice",
        "http://h:1",
        "spice://",
        "spice://:1",
        "spice://h:0",
        "spice://h:65536",
        "spice://h?port=x",
        "spice://h?port=0",
        "spice://h?colour=red",
        "spice+tls://h",
        "spice+unix://relative",
        "spice+unix:",
        "spice://h?port",
    };
    guint i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SpiceAddress) address = spice_address_parse(bad[i], &error);

        if (address)
            g_error("%s was accepted", bad[i]);
        g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS);
    }
}

/* Framing */

static gboolean collect(const SpiceFrame *frame, gpointer user_data)
{
    GString *log = user_data;
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    g_string_append_printf(log, "%u#%" G_GUINT64_FORMAT "%s:", frame->type, frame->serial,
                           frame->carried ? "c" : "");
    for (gsize i = SPICE_MINI_HEADER_SIZE; i < size; i++)
        g_string_append_printf(log, "%02x", data[i]);
    g_string_append_c(log, ' ');
    return TRUE;
}

/** Pushes `bytes` in pieces of `piece` bytes. */
static char *frame_all(const guint8 *bytes, gsize size, gsize piece, gboolean mini, guint32 max,
                       GError **error)
{
    GString *log = g_string_new(NULL);
    SpiceFramer framer;
    gboolean ok = TRUE;

    spice_framer_init(&framer, mini, max);
    while (ok && size > 0) {
        gsize n = MIN(piece, size);

        ok = spice_framer_push(&framer, bytes, n, collect, log, error);
        bytes += n;
        size -= n;
    }
    spice_framer_clear(&framer);
    return g_string_free(log, FALSE);
}

static const guint8 mini_stream[] = {
    101, 0, 2,  0, 0, 0, 0xaa, 0xbb,       /* two bytes */
    102, 0, 0,  0, 0, 0,                   /* none */
    8,   0, 16, 0, 0, 0,                   /* LIST with one part of type 105 */
    1,   0, 6,  0, 0, 0,                   /* at 6 */
    105, 0, 99, 0, 0, 0, 1,    2,    3, 4, /* whose size field lies */
    103, 0, 1,  0, 0, 0, 0xcc,
};

static void test_framer_pieces(void)
{
    gsize piece;

    for (piece = 1; piece <= sizeof mini_stream; piece++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *log = frame_all(mini_stream, sizeof mini_stream, piece, TRUE, 100, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(log, ==,
                        "101#1:aabb 102#2: 105#2c:01020304 "
                        "8#3:01000600000069006300000001020304 103#4:cc ");
    }
}

static void test_framer_full_header(void)
{
    static const guint8 stream[] = {
        7,    0,    0, 0, 0, 0, 0, 0, 101, 0, 12, 0, 0, 0, 2, 0, 0, 0, /* serial 7, sub_list at 2 */
        0xaa, 0xbb, 1, 0, 8, 0, 0, 0, 105, 0, 0,  0, 0, 0,
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    guint8 fixed[sizeof stream];

    /* The body is 14 bytes; the header above says 12 to begin with, which cuts the part. */
    log = frame_all(stream, sizeof stream - 2, 5, FALSE, 100, &error);
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL);
    g_clear_error(&error);
    g_clear_pointer(&log, g_free);

    memcpy(fixed, stream, sizeof stream);
    fixed[10] = 14;
    log = frame_all(fixed, sizeof fixed, 3, FALSE, 100, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(log, ==, "105#6c: 101#7:aabb010008000000690000000000 ");
}

static void test_framer_limit(void)
{
    static const guint8 huge[] = {101, 0, 0xff, 0xff, 0xff, 0xff, 0};
    g_autoptr(GError) error = NULL;
    g_autofree char *log = frame_all(huge, sizeof huge, sizeof huge, TRUE, 1000, &error);

    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL);
    g_assert_cmpstr(log, ==, "");
}

/* The link */

static GBytes *load(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *data;
    gsize size;
    GError *error = NULL;

    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(data, size);
}

static const char *vectors;

/** Plays the link stage of a recorded server in pieces of `piece` bytes. */
static void check_recorded_link(const guint8 *server, gsize size, gsize piece)
{
    SpiceLinkClient *link = spice_link_client_new(0, SPICE_CHANNEL_MAIN, 0, NULL, 0, NULL);
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    SpiceLinkStep step = SPICE_LINK_MORE;
    gsize at = 0;

    spice_link_client_start(link, out);
    g_assert_cmpuint(out->len, ==, SPICE_LINK_HEADER_SIZE + SPICE_LINK_MESS_SIZE + 4);
    g_byte_array_set_size(out, 0);
    while (step == SPICE_LINK_MORE && at < size) {
        gsize used;

        step = spice_link_client_push(link, server + at, MIN(piece, size - at), &used, out, &error);
        at += used;
    }
    g_assert_no_error(error);
    g_assert_cmpint(step, ==, SPICE_LINK_DONE);
    g_assert_cmpuint(at, ==, 202 + 4); /* reply and result: the first message follows */
    g_assert_cmpuint(out->len, ==, 4 + SPICE_TICKET_SIZE);
    g_assert_true(spice_link_client_uses_mini_header(link));
    g_assert_true(spice_link_client_peer_has(link, 0));
    g_assert_false(spice_link_client_peer_has(link, 99));
    spice_link_client_free(link);
}

static void test_link_recorded(void)
{
    g_autoptr(GBytes) bytes = load(vectors, "session-linux-lz4/main-0.s2c");
    gsize size, piece;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    for (piece = 1; piece < 210; piece++)
        check_recorded_link(data, size, piece);
}

/** What becomes of a link whose server says `reply`. */
static void check_refusal(const guint8 *reply, gsize size, SpiceTransportError code)
{
    SpiceLinkClient *link = spice_link_client_new(0, SPICE_CHANNEL_MAIN, 0, NULL, 0, "secret");
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    gsize used;

    g_assert_cmpint(spice_link_client_push(link, reply, size, &used, out, &error), ==,
                    SPICE_LINK_FAILED);
    g_assert_error(error, SPICE_TRANSPORT_ERROR, (gint)code);
    spice_link_client_free(link);
}

static void test_link_refusals(void)
{
    static const struct {
        guint32 result;
        SpiceTransportError code;
    } results[] = {
        {SPICE_LINK_ERR_PERMISSION_DENIED, SPICE_TRANSPORT_ERROR_AUTHENTICATION},
        {SPICE_LINK_ERR_BAD_CONNECTION_ID, SPICE_TRANSPORT_ERROR_HANDSHAKE},
        {SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE, SPICE_TRANSPORT_ERROR_UNAVAILABLE},
        {SPICE_MAGIC, SPICE_TRANSPORT_ERROR_AUTHENTICATION},
    };
    g_autoptr(GBytes) bytes = load(vectors, "session-linux-lz4/main-0.s2c");
    g_autofree guint8 *reply = g_memdup2(g_bytes_get_data(bytes, NULL), 206);
    guint8 refused[SPICE_LINK_HEADER_SIZE + SPICE_LINK_REPLY_SIZE] = "REDQ\2\0\0\0\2\0\0\0\262";
    guint i;

    check_refusal((const guint8 *)"HTTP/1.1 400 Bad Request", 24, SPICE_TRANSPORT_ERROR_HANDSHAKE);
    refused[SPICE_LINK_HEADER_SIZE] = SPICE_LINK_ERR_NEED_SECURED;
    check_refusal(refused, sizeof refused, SPICE_TRANSPORT_ERROR_NEED_SECURED);
    refused[SPICE_LINK_HEADER_SIZE] = SPICE_LINK_ERR_NEED_UNSECURED;
    check_refusal(refused, sizeof refused, SPICE_TRANSPORT_ERROR_NEED_UNSECURED);
    refused[SPICE_LINK_HEADER_SIZE] = 0; /* no key, and no word of SASL */
    check_refusal(refused, sizeof refused, SPICE_TRANSPORT_ERROR_HANDSHAKE);
    for (i = 0; i < G_N_ELEMENTS(results); i++) {
        guint32 result = GUINT32_TO_LE(results[i].result);

        memcpy(reply + 202, &result, 4);
        check_refusal(reply, 206, results[i].code);
    }
    reply[4] = 3; /* major version */
    check_refusal(reply, 206, SPICE_TRANSPORT_ERROR_HANDSHAKE);
    reply[4] = 2;
    reply[SPICE_LINK_HEADER_SIZE + 4] ^= 0xff; /* the key is no key */
    check_refusal(reply, 206, SPICE_TRANSPORT_ERROR_HANDSHAKE);
}

/* Certificate subjects */

static void test_subjects(void)
{
    static const char *lawful[] = {"CN=a", "C=IL,L=Raanana,O=Red Hat,CN=my server",
                                   "O=a\\,b, CN=c\\\\d", "CN=a,"};
    static const char *unlawful[] = {"", "CN", "CN=", "=a", "CN=a,,O=b", "CN=a\\b", "Nonsense=a"};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(lawful); i++)
        if (!spice_tls_subject_is_lawful(lawful[i]))
            g_error("%s was refused", lawful[i]);
    for (i = 0; i < G_N_ELEMENTS(unlawful); i++)
        if (spice_tls_subject_is_lawful(unlawful[i]))
            g_error("%s was accepted", unlawful[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    vectors = argv[1];
    g_test_add_func("/address/each-form-is-understood", test_address_forms);
    g_test_add_func("/address/malformed-ones-are-refused", test_address_refused);
    g_test_add_func("/framer/pieces-do-not-matter", test_framer_pieces);
    g_test_add_func("/framer/full-header-and-sub-list", test_framer_full_header);
    g_test_add_func("/framer/too-large-a-message-is-refused", test_framer_limit);
    g_test_add_func("/link/recorded-server-links", test_link_recorded);
    g_test_add_func("/link/each-refusal-has-its-error", test_link_refusals);
    g_test_add_func("/tls/subject-syntax", test_subjects);
    return g_test_run();
}
