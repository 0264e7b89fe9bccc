/* One side of a WebSocket for tests, and the request that opens it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <string.h>

#include "transport/error.h"
#include "transport/websocket.h"

/* As RFC 6455, 1.3 has it: this key gives this accept value. */
#define SAMPLE_KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define SAMPLE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define REQUEST_LINE "GET / HTTP/1.1\r\n"
#define HOST         "Host: vm.example:5901\r\n"
#define UPGRADE      "Upgrade: websocket\r\n"
#define CONNECTION   "Connection: Upgrade\r\n"
#define KEY          "Sec-WebSocket-Key: " SAMPLE_KEY "\r\n"
#define VERSION      "Sec-WebSocket-Version: 13\r\n"
#define LEAST        REQUEST_LINE HOST UPGRADE CONNECTION KEY VERSION

static const char SWITCHING[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: " SAMPLE_ACCEPT "\r\n\r\n";

/* spice-html5 in a browser: `new WebSocket(uri, 'binary')`. */
static const char BROWSER_REQUEST[] =
    "GET / HTTP/1.1\r\n"
    "Host: localhost:5959\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://localhost:5959\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\n"
    "Sec-WebSocket-Key: " SAMPLE_KEY "\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "Sec-WebSocket-Protocol: binary\r\n"
    "\r\n";

typedef struct {
    SpiceWebSocket *websocket;
    GByteArray *payload, *out;
} Side;

static inline Side side_new(const char *const *allowed_origins)
{
    return (Side){spice_websocket_new(allowed_origins), g_byte_array_new(), g_byte_array_new()};
}

static inline void side_clear(Side *side)
{
    spice_websocket_free(side->websocket);
    g_byte_array_unref(side->payload);
    g_byte_array_unref(side->out);
}

static inline SpiceWebSocketState push(Side *side, const void *data, gsize size)
{
    g_autoptr(GError) error = NULL;
    SpiceWebSocketState state =
        spice_websocket_push(side->websocket, data, size, side->payload, &error);

    g_assert_cmpint(state == SPICE_WEBSOCKET_FAILED, ==, error != NULL);
    return state;
}

static inline char *drain(Side *side)
{
    char *text;

    spice_websocket_drain(side->websocket, side->out);
    text = g_strndup((const char *)side->out->data, side->out->len);
    g_byte_array_set_size(side->out, 0);
    return text;
}

static inline void assert_drained(Side *side, const char *bytes, gsize size)
{
    spice_websocket_drain(side->websocket, side->out);
    g_assert_cmpmem(side->out->data, side->out->len, bytes, size);
    g_byte_array_set_size(side->out, 0);
}

static inline Side side_open(void)
{
    Side side = side_new(NULL);

    g_assert_cmpint(push(&side, LEAST "\r\n", strlen(LEAST "\r\n")), ==, SPICE_WEBSOCKET_OPEN);
    assert_drained(&side, SWITCHING, strlen(SWITCHING));
    return side;
}
