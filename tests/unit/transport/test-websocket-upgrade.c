/* What a connection begins with: SPICE or HTTP, and the request for a WebSocket.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "transport/websocket-upgrade.h"
#include "websocket-side.h"

/* Recognition */

static void test_first_bytes(void)
{
    static const struct {
        const char *bytes;
        SpiceFirstBytes what;
    } cases[] = {
        {"", SPICE_FIRST_BYTES_MORE},
        {"R", SPICE_FIRST_BYTES_MORE},
        {"RED", SPICE_FIRST_BYTES_MORE},
        {"REDQ", SPICE_FIRST_BYTES_SPICE},
        {"REDQ\2", SPICE_FIRST_BYTES_SPICE},
        {"G", SPICE_FIRST_BYTES_MORE},
        {"GET", SPICE_FIRST_BYTES_MORE},
        {"GET ", SPICE_FIRST_BYTES_HTTP},
        {"GET / H", SPICE_FIRST_BYTES_HTTP},
        {"X", SPICE_FIRST_BYTES_UNKNOWN},
        {"REDX", SPICE_FIRST_BYTES_UNKNOWN},
        {"GETX", SPICE_FIRST_BYTES_UNKNOWN},
        {"get ", SPICE_FIRST_BYTES_UNKNOWN},
        {"POST", SPICE_FIRST_BYTES_UNKNOWN},
        {"\x16\x03\x01", SPICE_FIRST_BYTES_UNKNOWN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(
            spice_first_bytes_recognise((const guint8 *)cases[i].bytes, strlen(cases[i].bytes)), ==,
            cases[i].what);
}

/* Upgrade */

static void test_upgrade_sample_key(void)
{
    Side side = side_open();

    side_clear(&side);
}

static void test_upgrade_browser(void)
{
    /* No word of permessage-deflate. */
    static const char response[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " SAMPLE_ACCEPT "\r\n"
        "Sec-WebSocket-Protocol: binary\r\n\r\n";
    Side side = side_new(NULL);

    g_assert_cmpint(push(&side, BROWSER_REQUEST, strlen(BROWSER_REQUEST)), ==,
                    SPICE_WEBSOCKET_OPEN);
    assert_drained(&side, response, strlen(response));
    side_clear(&side);
}

static void test_upgrade_lawful(void)
{
    static const char *const requests[] = {
        REQUEST_LINE "hOST:vm.example:5901\r\nUPGRADE:\t WebSocket \t\r\n"
                     "connection: keep-alive,  uPGRADE\r\nsec-websocket-key: " SAMPLE_KEY
                     "\r\nSEC-WEBSOCKET-VERSION:13\r\n",
        "GET /spice?vm=1 HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION,
        LEAST "Origin: http://vm.example:5901\r\n",
        LEAST "Origin: HTTPS://VM.example:5901\r\n",
        LEAST "Origin: https://console.example:8443\r\n",
        LEAST "Content-Length: 0\r\n",
        LEAST "Cookie: a=1\r\nCookie: b=\xc3\xa4\r\nX-Empty:\r\n",
        REQUEST_LINE
        "Host: [::1]:5901\r\nOrigin: http://[::1]:5901\r\n" UPGRADE CONNECTION KEY VERSION,
    };
    static const char *const allowed[] = {"http://other.example", "https://console.example:8443",
                                          NULL};

    for (guint i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *request = g_strconcat(requests[i], "\r\n", NULL);
        Side side = side_new(allowed);

        if (push(&side, request, strlen(request)) != SPICE_WEBSOCKET_OPEN)
            g_error("refused: %s", request);
        assert_drained(&side, SWITCHING, strlen(SWITCHING));
        side_clear(&side);
    }
}

static void test_upgrade_sub_protocol(void)
{
    static const char *const lists[] = {"binary", "base64, binary", "binary,base64",
                                        "x ,binary, y"};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *request =
            g_strconcat(LEAST "Sec-WebSocket-Protocol: ", lists[i], "\r\n\r\n", NULL);
        g_autofree char *response = NULL;
        Side side = side_new(NULL);

        g_assert_cmpint(push(&side, request, strlen(request)), ==, SPICE_WEBSOCKET_OPEN);
        response = drain(&side);
        g_assert_true(g_str_has_suffix(response, "\r\nSec-WebSocket-Protocol: binary\r\n\r\n"));
        side_clear(&side);
    }
}

/** Pushes the request, which has to be refused with the status and a whole, closing response. */
static void check_refused(const char *request, gsize size, const char *status)
{
    static const char *const allowed[] = {"https://console.example:8443", NULL};
    g_autofree char *response = NULL, *status_line = NULL;
    g_autoptr(GError) error = NULL;
    Side side = side_new(allowed);
    const char *body;

    if (spice_websocket_push(side.websocket, (const guint8 *)request, size, side.payload, &error) !=
        SPICE_WEBSOCKET_FAILED)
        g_error("not refused: %s", request);
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE);
    response = drain(&side);
    status_line = g_strdup_printf("HTTP/1.1 %s ", status);
    if (!g_str_has_prefix(response, status_line))
        g_error("%s: %s", request, response);
    g_assert_nonnull(strstr(response, "close\r\n"));
    g_assert_null(strstr(response, "Sec-WebSocket-Accept"));
    g_assert_cmpint(strstr(response, "\r\nUpgrade: websocket\r\n") != NULL, ==,
                    strcmp(status, "426") == 0);
    g_assert_cmpint(strstr(response, "\r\nSec-WebSocket-Version: 13\r\n") != NULL, ==,
                    strcmp(status, "426") == 0);
    body = strstr(response, "\r\n\r\n") + 4;
    g_assert_cmpuint(strlen(body), ==,
                     g_ascii_strtoull(strstr(response, "Content-Length: ") + 16, NULL, 10));

    /* It stays refused, whatever comes. */
    g_assert_cmpint(push(&side, LEAST "\r\n", strlen(LEAST "\r\n")), ==, SPICE_WEBSOCKET_FAILED);
    assert_drained(&side, "", 0);
    g_assert_false(spice_websocket_write(side.websocket, (const guint8 *)"a", 1, side.out));
    g_assert_cmpuint(side.out->len + side.payload->len, ==, 0);
    side_clear(&side);
}

static void test_upgrade_refused(void)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        /* the request line */
        {"POST / HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"get / HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET / HTTP/1.0\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET / HTTP/2\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET / HTTP/1.1 \r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET  / HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET /  HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET /a b HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET http://h/ HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"GET /\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {"\r\n" LEAST, "400"},
        /* the form of headers */
        {LEAST "X: a\n", "400"},
        {LEAST "X: a\nY: b\r\n", "400"},
        {LEAST "X: a\rb\r\n", "400"},
        {LEAST "X: a\r\r\n", "400"},
        {LEAST "X: a\r\n folded\r\n", "400"},
        {LEAST "X: a\r\n\tfolded\r\n", "400"},
        {REQUEST_LINE " X: a\r\n" HOST UPGRADE CONNECTION KEY VERSION, "400"},
        {LEAST "X : a\r\n", "400"},
        {LEAST ": a\r\n", "400"},
        {LEAST "X\r\n", "400"},
        {LEAST "X(y): a\r\n", "400"},
        {LEAST "X\xc3\xa4: a\r\n", "400"},
        {LEAST "X: \x01\r\n", "400"},
        {LEAST "X: \x7f\r\n", "400"},
        /* what stands twice */
        {LEAST HOST, "400"},
        {LEAST "host: other\r\n", "400"},
        {LEAST UPGRADE, "400"},
        {LEAST CONNECTION, "400"},
        {LEAST KEY, "400"},
        {LEAST "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "400"},
        {LEAST VERSION, "400"},
        {LEAST "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Protocol: binary\r\n", "400"},
        {LEAST "Origin: http://vm.example:5901\r\nOrigin: http://vm.example:5901\r\n", "400"},
        {LEAST "Content-Length: 0\r\nContent-Length: 0\r\n", "400"},
        /* a body */
        {LEAST "Content-Length: 5\r\n", "400"},
        {LEAST "Content-Length:\r\n", "400"},
        {LEAST "Transfer-Encoding: chunked\r\n", "400"},
        /* Host */
        {REQUEST_LINE UPGRADE CONNECTION KEY VERSION, "400"},
        {REQUEST_LINE "Host:\r\n" UPGRADE CONNECTION KEY VERSION, "400"},
        {REQUEST_LINE "Host: a b\r\n" UPGRADE CONNECTION KEY VERSION, "400"},
        {REQUEST_LINE "Host: a/b\r\n" UPGRADE CONNECTION KEY VERSION, "400"},
        {REQUEST_LINE "Host: u@b\r\n" UPGRADE CONNECTION KEY VERSION, "400"},
        /* no WebSocket wanted, or another */
        {REQUEST_LINE HOST, "426"},
        {REQUEST_LINE HOST CONNECTION KEY VERSION, "426"},
        {REQUEST_LINE HOST "Upgrade: h2c\r\n" CONNECTION KEY VERSION, "426"},
        {REQUEST_LINE HOST "Upgrade: websockets\r\n" CONNECTION KEY VERSION, "426"},
        {REQUEST_LINE HOST UPGRADE KEY VERSION, "426"},
        {REQUEST_LINE HOST UPGRADE "Connection: keep-alive\r\n" KEY VERSION, "426"},
        {REQUEST_LINE HOST UPGRADE CONNECTION KEY, "426"},
        {REQUEST_LINE HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8\r\n", "426"},
        {REQUEST_LINE HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13, 8\r\n", "426"},
        {REQUEST_LINE HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 013\r\n", "426"},
        /* the key: none, 15 bytes, 17 bytes, 18 bytes, no base64, too long, trailing rubbish */
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION, "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n", "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n",
         "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n",
         "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n",
         "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: AAAAAAAAAA-AAAAAAAAAAA==\r\n",
         "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA==\r\n",
         "400"},
        {REQUEST_LINE HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA== x\r\n",
         "400"},
        /* the sub-protocol */
        {LEAST "Sec-WebSocket-Protocol: base64\r\n", "400"},
        {LEAST "Sec-WebSocket-Protocol: Binary\r\n", "400"},
        {LEAST "Sec-WebSocket-Protocol: binary2, xbinary\r\n", "400"},
        {LEAST "Sec-WebSocket-Protocol:\r\n", "400"},
        /* the origin: of another host, port, of a file, none, with a path, and near misses */
        {LEAST "Origin: http://evil.example:5901\r\n", "403"},
        {LEAST "Origin: http://vm.example\r\n", "403"},
        {LEAST "Origin: http://vm.example:59010\r\n", "403"},
        {LEAST "Origin: http://vm.example:590\r\n", "403"},
        {LEAST "Origin: http://vm.example:5901.evil.example\r\n", "403"},
        {LEAST "Origin: http://evil.example@vm.example:5901\r\n", "403"},
        {LEAST "Origin: vm.example:5901\r\n", "403"},
        {LEAST "Origin: file://\r\n", "403"},
        {LEAST "Origin: null\r\n", "403"},
        {LEAST "Origin:\r\n", "403"},
        {LEAST "Origin: http://vm.example:5901/\r\n", "403"},
        {LEAST "Origin: http://vm.example:5901 http://evil.example\r\n", "403"},
        {LEAST "Origin: http://console.example:8443\r\n", "403"},
        {LEAST "Origin: https://console.example\r\n", "403"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *request = g_strconcat(cases[i].request, "\r\n", NULL);

        check_refused(request, strlen(request), cases[i].status);
    }
    check_refused(LEAST "X: \0\r\n\r\n", sizeof LEAST "X: \0\r\n\r\n" - 1, "400");
}

static char *request_of_size(gsize size)
{
    g_autofree char *filler = g_strnfill(size - strlen(LEAST "X: \r\n\r\n"), 'a');

    return g_strconcat(LEAST "X: ", filler, "\r\n\r\n", NULL);
}

static void test_upgrade_limit(void)
{
    g_autofree char *largest = request_of_size(SPICE_UPGRADE_MAX_SIZE);
    g_autofree char *too_large = request_of_size(SPICE_UPGRADE_MAX_SIZE + 1);
    g_autofree char *endless = g_strnfill(SPICE_UPGRADE_MAX_SIZE + 1, 'G');
    Side side = side_new(NULL);

    g_assert_cmpint(push(&side, largest, strlen(largest)), ==, SPICE_WEBSOCKET_OPEN);
    side_clear(&side);
    check_refused(too_large, strlen(too_large), "400");
    check_refused(endless, strlen(endless), "400");
    side = side_new(NULL);
    g_assert_cmpint(push(&side, endless, SPICE_UPGRADE_MAX_SIZE), ==, SPICE_WEBSOCKET_UPGRADING);
    side_clear(&side);
}

static void test_refusal_split_at_each_position(void)
{
    static const char request[] = LEAST "Origin: http://evil.example\r\n\r\n";
    const gsize size = strlen(request);

    for (gsize at = 0; at <= size; at++) {
        g_autofree char *response = NULL;
        Side side = side_new(NULL);

        g_assert_cmpint(push(&side, request, at), ==,
                        at < size ? SPICE_WEBSOCKET_UPGRADING : SPICE_WEBSOCKET_FAILED);
        g_assert_cmpint(push(&side, request + at, size - at), ==, SPICE_WEBSOCKET_FAILED);
        response = drain(&side);
        g_assert_true(g_str_has_prefix(response, "HTTP/1.1 403 "));
        side_clear(&side);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/websocket/first-bytes-tell-the-protocol", test_first_bytes);
    g_test_add_func("/websocket/upgrade/sample-key-of-the-rfc", test_upgrade_sample_key);
    g_test_add_func("/websocket/upgrade/browser", test_upgrade_browser);
    g_test_add_func("/websocket/upgrade/lawful-ones-are-accepted", test_upgrade_lawful);
    g_test_add_func("/websocket/upgrade/binary-is-echoed", test_upgrade_sub_protocol);
    g_test_add_func("/websocket/upgrade/each-refusal-has-its-status", test_upgrade_refused);
    g_test_add_func("/websocket/upgrade/8-KiB-and-no-more", test_upgrade_limit);
    g_test_add_func("/websocket/upgrade/refusal-split-at-each-position",
                    test_refusal_split_at_each_position);
    return g_test_run();
}
