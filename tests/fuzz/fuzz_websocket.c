/* A WebSocket's client that is hostile. The first byte says whether the rest is a request or frames
 * behind a lawful one, the second how it is cut into pieces. However it is cut, the outcome is the
 * same; no more is passed on than came in, and what is due to the peer stays small.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/websocket.h"

enum { MAX_DUE = 1024 }; /* a response, a few PONGs and a CLOSE */

static const char REQUEST[] = "GET / HTTP/1.1\r\n"
                              "Host: vm.example:5901\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "\r\n";

static void require(int condition)
{
    if (!condition)
        abort();
}

typedef struct {
    SpiceWebSocketState state;
    GByteArray *payload, *due;
} Outcome;

static void outcome_clear(Outcome *outcome)
{
    g_byte_array_unref(outcome->payload);
    g_byte_array_unref(outcome->due);
}

static void push(SpiceWebSocket *websocket, const guint8 *data, gsize size, Outcome *outcome)
{
    const guint before = outcome->payload->len;
    const SpiceWebSocketState was = outcome->state;
    /* In memory of its own, so that the sanitizer sees its end. */
    g_autofree guint8 *copy = g_memdup2(data, size);
    g_autoptr(GError) error = NULL;

    outcome->state = spice_websocket_push(websocket, copy, size, outcome->payload, &error);
    require((outcome->state == SPICE_WEBSOCKET_FAILED) == (error != NULL));
    require(outcome->state >= was);
    require(outcome->payload->len - before <= size);
}

/** In pieces of 1 to `largest` bytes; 0: in one. */
static Outcome run(int with_request, const guint8 *data, gsize size, gsize largest)
{
    static const char *const allowed[] = {"https://console.example", NULL};
    g_autoptr(SpiceWebSocket) websocket = spice_websocket_new(allowed);
    Outcome outcome = {SPICE_WEBSOCKET_UPGRADING, g_byte_array_new(), g_byte_array_new()};
    gsize at, n, step = 0;

    if (with_request)
        push(websocket, (const guint8 *)REQUEST, strlen(REQUEST), &outcome);
    for (at = 0; at < size; at += n) {
        n = largest > 0 ? 1 + step++ * 7 % largest : size;
        n = MIN(n, size - at);
        push(websocket, data + at, n, &outcome);
    }
    spice_websocket_drain(websocket, outcome.due);
    require(outcome.due->len <= MAX_DUE);
    if (outcome.due->len > 0 && !with_request)
        require(outcome.due->len > 9 && memcmp(outcome.due->data, "HTTP/1.1 ", 9) == 0);

    /* A server may write as long as the stream is open, and not a byte before or after. */
    n = outcome.due->len;
    require(spice_websocket_write(websocket, (const guint8 *)"a", 1, outcome.due) ==
            (outcome.state == SPICE_WEBSOCKET_OPEN));
    require(outcome.due->len == n + (outcome.state == SPICE_WEBSOCKET_OPEN ? 3 : 0));
    return outcome;
}

static int same(const GByteArray *a, const GByteArray *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Outcome whole, pieces;

    if (size < 2)
        return 0;
    whole = run(data[0] & 1, data + 2, size - 2, 0);
    pieces = run(data[0] & 1, data + 2, size - 2, 1 + data[1] % 64);
    require(whole.state == pieces.state);
    require(same(whole.payload, pieces.payload));
    require(same(whole.due, pieces.due));
    if (!(data[0] & 1) && whole.state == SPICE_WEBSOCKET_OPEN)
        require(spice_first_bytes_recognise(data + 2, size - 2) == SPICE_FIRST_BYTES_HTTP);
    outcome_clear(&whole);
    outcome_clear(&pieces);
    return 0;
}
