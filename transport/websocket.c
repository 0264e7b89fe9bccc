/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "websocket.h"

#include <string.h>

#include "error.h"
#include "websocket-upgrade.h"

/* RFC 6455, 5.2: first byte FIN RSV1-3 opcode, second byte MASK length */
enum {
    FIN = 0x80,
    RSV = 0x70,
    OPCODE = 0x0f,
    CONTROL = 0x08, /* the opcodes that have this bit */
    MASK = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
};

enum {
    OPCODE_CONTINUATION = 0,
    OPCODE_TEXT = 1,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10,
};

enum { STATUS_NORMAL = 1000, STATUS_PROTOCOL_ERROR = 1002 }; /* RFC 6455, 7.4.1 */

enum {
    MASK_SIZE = 4,
    MAX_HEADER_SIZE = 2 + 8 + MASK_SIZE,
    MAX_CONTROL_SIZE = 125,
    MAX_WAITING_PONGS = 4,
};

struct SpiceWebSocket {
    SpiceWebSocketState state;
    char **allowed_origins;
    SpiceUpgrade upgrade;

    /* the frame that is coming in */
    guint8 header[MAX_HEADER_SIZE];
    guint header_fill, header_size; /* size is 2 until the second byte tells */
    guint8 mask[MASK_SIZE];
    guint64 length, taken;            /* of its payload */
    guint8 control[MAX_CONTROL_SIZE]; /* payload, if it is a control frame */
    gboolean in_message;              /* a data message lacks its final frame */

    GByteArray *to_peer; /* whole responses and frames, to stand before the PONGs */
    GByteArray *pongs;
    guint n_pongs;
    gboolean said_close;
};

SpiceFirstBytes spice_first_bytes_recognise(const guint8 *data, gsize size)
{
    static const char spice[] = "REDQ", http[] = "GET ";
    const gsize n = MIN(size, 4);

    if (n > 0 && memcmp(data, spice, n) == 0)
        return n == 4 ? SPICE_FIRST_BYTES_SPICE : SPICE_FIRST_BYTES_MORE;
    if (n > 0 && memcmp(data, http, n) == 0)
        return n == 4 ? SPICE_FIRST_BYTES_HTTP : SPICE_FIRST_BYTES_MORE;
    return n > 0 ? SPICE_FIRST_BYTES_UNKNOWN : SPICE_FIRST_BYTES_MORE;
}

SpiceWebSocket *spice_websocket_new(const char *const *allowed_origins)
{
    SpiceWebSocket *self = g_new0(SpiceWebSocket, 1);

    self->allowed_origins = g_strdupv((char **)allowed_origins);
    spice_upgrade_init(&self->upgrade);
    self->header_size = 2;
    self->to_peer = g_byte_array_new();
    self->pongs = g_byte_array_new();
    return self;
}

void spice_websocket_free(SpiceWebSocket *self)
{
    if (!self)
        return;
    g_strfreev(self->allowed_origins);
    spice_upgrade_clear(&self->upgrade);
    g_byte_array_unref(self->to_peer);
    g_byte_array_unref(self->pongs);
    g_free(self);
}

/* Frames out */

/** A final frame, not masked, its length in the fewest bytes. */
static void append_frame(GByteArray *out, guint8 opcode, const guint8 *data, guint size)
{
    guint8 header[2 + 8] = {FIN | opcode};
    const guint n_length = size <= MAX_CONTROL_SIZE ? 0 : size <= G_MAXUINT16 ? 2 : 8;

    header[1] = (guint8)(n_length == 0 ? size : n_length == 2 ? LENGTH_16 : LENGTH_64);
    for (guint i = 0; i < n_length; i++)
        header[2 + i] = (guint8)((guint64)size >> 8 * (n_length - 1 - i));
    g_byte_array_append(out, header, 2 + n_length);
    if (size > 0)
        g_byte_array_append(out, data, size);
}

static void append_all(GByteArray *out, GByteArray *from)
{
    if (from->len > 0)
        g_byte_array_append(out, from->data, from->len);
    g_byte_array_set_size(from, 0);
}

/** The last frame of this side, behind the PONGs that wait. */
static void say_close(SpiceWebSocket *self, const guint8 *data, guint size)
{
    if (self->said_close)
        return;
    append_all(self->to_peer, self->pongs);
    append_frame(self->to_peer, OPCODE_CLOSE, data, size);
    self->said_close = TRUE;
}

static void say_close_status(SpiceWebSocket *self, guint16 status)
{
    const guint8 data[2] = {(guint8)(status >> 8), (guint8)status};

    say_close(self, data, sizeof data);
}

static void say_pong(SpiceWebSocket *self, const guint8 *data, guint size)
{
    if (self->said_close)
        return;
    if (self->n_pongs == MAX_WAITING_PONGS) {
        g_byte_array_set_size(self->pongs, 0);
        self->n_pongs = 0;
    }
    append_frame(self->pongs, OPCODE_PONG, data, size);
    self->n_pongs++;
}

void spice_websocket_drain(SpiceWebSocket *self, GByteArray *out)
{
    append_all(out, self->to_peer);
    append_all(out, self->pongs);
    self->n_pongs = 0;
}

gboolean spice_websocket_write(SpiceWebSocket *self, const guint8 *data, gsize size,
                               GByteArray *out)
{
    const guint64 new_size =
        (guint64)out->len + self->to_peer->len + self->pongs->len + MAX_HEADER_SIZE;

    if (self->state != SPICE_WEBSOCKET_OPEN || self->said_close)
        return FALSE;
    if (new_size > G_MAXUINT32 || size > G_MAXUINT32 - new_size)
        return FALSE;
    spice_websocket_drain(self, out);
    if (size > 0)
        append_frame(out, OPCODE_BINARY, data, (guint)size);
    return TRUE;
}

void spice_websocket_close(SpiceWebSocket *self)
{
    if (self->state == SPICE_WEBSOCKET_OPEN)
        say_close_status(self, STATUS_NORMAL);
}

/* Frames in */

static gboolean fail(SpiceWebSocket *self, GError **error, const char *why)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                "unlawful WebSocket frame: %s", why);
    say_close_status(self, STATUS_PROTOCOL_ERROR);
    self->state = SPICE_WEBSOCKET_FAILED;
    return FALSE;
}

static guint8 opcode_of(const SpiceWebSocket *self)
{
    return self->header[0] & OPCODE;
}

/** What the first two bytes must keep to. NULL: they do. */
static const char *why_unlawful(guint8 first, guint8 second, gboolean in_message)
{
    const guint8 opcode = first & OPCODE;

    if (first & RSV)
        return "a reserved bit is set";
    if (!(second & MASK))
        return "it is not masked";
    switch (opcode) {
    case OPCODE_CONTINUATION:
        return in_message ? NULL : "continuation of no message";
    case OPCODE_TEXT:
    case OPCODE_BINARY:
        return in_message ? "new message inside of another" : NULL;
    case OPCODE_CLOSE:
    case OPCODE_PING:
    case OPCODE_PONG:
        if (!(first & FIN))
            return "unfinished control frame";
        return (second & LENGTH) > MAX_CONTROL_SIZE ? "control frame too long" : NULL;
    default:
        return "unknown opcode";
    }
}

static gboolean take_first_two(SpiceWebSocket *self, GError **error)
{
    const char *why = why_unlawful(self->header[0], self->header[1], self->in_message);
    const guint length = self->header[1] & LENGTH;

    if (why)
        return fail(self, error, why);
    self->header_size += MASK_SIZE + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0);
    return TRUE;
}

static gboolean take_header(SpiceWebSocket *self, GError **error)
{
    const guint n_length = self->header_size - 2 - MASK_SIZE;
    const guint64 least = n_length == 0 ? 0 : n_length == 2 ? LENGTH_16 : G_MAXUINT16 + 1;

    self->length = n_length == 0 ? self->header[1] & LENGTH : 0;
    for (guint i = 0; i < n_length; i++)
        self->length = self->length << 8 | self->header[2 + i];
    if (self->length >> 63)
        return fail(self, error, "length of more than 63 bits");
    if (self->length < least)
        return fail(self, error, "length not in the fewest bytes");
    memcpy(self->mask, self->header + 2 + n_length, MASK_SIZE);
    self->taken = 0;
    if (!(opcode_of(self) & CONTROL))
        self->in_message = !(self->header[0] & FIN);
    return TRUE;
}

static void unmask(SpiceWebSocket *self, guint8 *data, gsize size)
{
    for (gsize i = 0; i < size; i++)
        data[i] ^= self->mask[(self->taken + i) % MASK_SIZE];
}

/** Takes at most `size` bytes of the frame's payload; how many. */
static gsize take_payload(SpiceWebSocket *self, const guint8 *data, gsize size, GByteArray *payload)
{
    const guint n = (guint)MIN(MIN(size, self->length - self->taken), G_MAXINT32);
    guint8 *to;

    if (n == 0)
        return 0;
    if (opcode_of(self) & CONTROL) {
        to = self->control + self->taken;
        memcpy(to, data, n);
    } else {
        g_byte_array_append(payload, data, n);
        to = payload->data + payload->len - n;
    }
    unmask(self, to, n);
    self->taken += n;
    return n;
}

/** RFC 6455, 7.4: whether a peer may send it. */
static gboolean status_is_lawful(guint status)
{
    return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
           (status >= 3000 && status <= 4999);
}

static gboolean take_close(SpiceWebSocket *self, GError **error)
{
    const guint8 *status = self->control;

    if (self->length == 1 ||
        (self->length >= 2 && !status_is_lawful((guint)status[0] << 8 | status[1])))
        return fail(self, error, "CLOSE of unlawful status");
    say_close(self, status, (guint)MIN(self->length, 2));
    self->state = SPICE_WEBSOCKET_CLOSED;
    return TRUE;
}

static gboolean end_frame(SpiceWebSocket *self, GError **error)
{
    self->header_fill = 0;
    self->header_size = 2;
    if (opcode_of(self) == OPCODE_CLOSE)
        return take_close(self, error);
    if (opcode_of(self) == OPCODE_PING)
        say_pong(self, self->control, (guint)self->length);
    return TRUE;
}

static void push_frames(SpiceWebSocket *self, const guint8 *data, gsize size, GByteArray *payload,
                        GError **error)
{
    gsize used = 0;

    while (used < size && self->state == SPICE_WEBSOCKET_OPEN) {
        if (self->header_fill < self->header_size) {
            self->header[self->header_fill++] = data[used++];
            if (self->header_fill == 2 && !take_first_two(self, error))
                return;
            if (self->header_fill < self->header_size)
                continue;
            if (!take_header(self, error))
                return;
        }
        used += take_payload(self, data + used, size - used, payload);
        if (self->taken == self->length && !end_frame(self, error))
            return;
    }
}

static gsize push_upgrade(SpiceWebSocket *self, const guint8 *data, gsize size, GError **error)
{
    gsize used = 0;

    switch (spice_upgrade_push(&self->upgrade, data, size, &used,
                               (const char *const *)self->allowed_origins, self->to_peer, error)) {
    case SPICE_UPGRADE_MORE:
        return used;
    case SPICE_UPGRADE_DONE:
        self->state = SPICE_WEBSOCKET_OPEN;
        break;
    case SPICE_UPGRADE_REFUSED:
        self->state = SPICE_WEBSOCKET_FAILED;
        break;
    }
    spice_upgrade_clear(&self->upgrade);
    return used;
}

SpiceWebSocketState spice_websocket_push(SpiceWebSocket *self, const guint8 *data, gsize size,
                                         GByteArray *payload, GError **error)
{
    gsize used = 0;

    if (self->state == SPICE_WEBSOCKET_FAILED) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED,
                    "the WebSocket has failed before");
        return self->state;
    }
    if (self->state == SPICE_WEBSOCKET_UPGRADING)
        used = push_upgrade(self, data, size, error);
    if (self->state == SPICE_WEBSOCKET_OPEN && used < size)
        push_frames(self, data + used, size - used, payload, error);
    return self->state;
}
